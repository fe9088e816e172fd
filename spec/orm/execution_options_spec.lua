-- Execution options of statements: they travel with the statement, make no SQL, and whoever executes it looks at them.
local la = require "lualchemy"
local core = require "lualchemy.core"
local fails = dofile("spec/core/world.lua").fails

local function world()
  local Base = la.declarative_base()
  local Person = Base:model "Person" { __tablename = "people",
    id = la.Column { la.Integer, primary_key = true }, name = la.Column { la.String(40) } }
  local engine = la.create_engine "sqlite://"
  Base.metadata:create_all(engine)
  local session = la.Session(engine)
  for i = 1, 5 do session:add(Person { id = i, name = "n" .. i }) end
  session:commit()
  return { Person = Person, engine = engine, session = session, table = Base.metadata.tables.people }
end

describe("execution options of a statement", function()
  it("make no SQL, and stay with what is made of it", function()
    local w = world()
    local plain = la.select(w.table.c.id)
    local statement = plain:execution_options { yield_per = 2, logging_token = "x" }:where(w.table.c.id:gt(1))
    assert.equal(tostring(plain:where(w.table.c.id:gt(1))), tostring(statement))
    for _, dialect in ipairs(core.dialects()) do
      if dialect ~= "default" then assert.is_nil(statement:compile { dialect = dialect }.sql:find "x") end
    end
    local insert = w.table:insert():values { name = "a" }
    assert.equal(tostring(insert), tostring(insert:execution_options { logging_token = "x" }))
    assert.equal(tostring(plain), tostring(plain:execution_options { autoflush = false }))
    local sub = statement:subquery "s"
    assert.equal(4, w.session:execute(la.select(la.func.count()):select_from(sub)):scalar())
  end)

  it("a logging_token is that of its statement alone, before the connection's", function()
    local w = world()
    local tokens = {}
    la.event.listen(w.engine, "before_execute", function(_, what) tokens[#tokens + 1] = what.token or "none" end)
    w.engine:begin({ logging_token = "connection" }, function(c)
      c:execute(la.select(w.table.c.id):execution_options { logging_token = "statement" }):all()
      c:execute(la.select(w.table.c.id)):all()
    end)
    w.session:scalars(la.select(w.Person):execution_options { logging_token = "objects" }):all()
    w.session:execute(w.table:insert():values { name = "x" }:execution_options { logging_token = "inserting" })
    w.session:rollback()
    assert.same({ "statement", "connection", "objects", "inserting" }, tokens)
  end)

  it("populate_existing reads over what is loaded, and over what was changed", function()
    local w = world()
    local person = w.session:get(w.Person, 1)
    w.session:connection():execute(w.table:update():where(w.table.c.id:eq(1)):values { name = "elsewhere" })
    assert.equal("n1", w.session:scalars(la.select(w.Person):where(w.Person.id:eq(1))):one().name)
    local again = w.session:scalars(la.select(w.Person):where(w.Person.id:eq(1)):execution_options { populate_existing = true }):one()
    assert.equal(person, again)
    assert.equal("elsewhere", person.name)
    w.session:connection():execute(w.table:update():where(w.table.c.id:eq(1)):values { name = "again" })
    w.session:query(w.Person):execution_options { populate_existing = true }:all()
    assert.equal("again", person.name)
  end)

  it("autoflush = false leaves changes where they are", function()
    local w = world()
    w.session:get(w.Person, 1).name = "changed"
    local count = la.select(la.func.count()):select_from(w.table):where(w.table.c.name:eq "changed")
    assert.equal(0, w.session:execute(count:execution_options { autoflush = false }):scalar())
    local named = la.select(w.Person):where(w.Person.name:eq "changed")
    assert.same({}, w.session:scalars(named:execution_options { autoflush = false }):all())
    assert.equal(1, #w.session:scalars(named:execution_options { autoflush = false }:execution_options { autoflush = true }):all())
    assert.equal(1, w.session:execute(count):scalar())
  end)

  it("yield_per and stream_results are taken, one by one and over one another", function()
    local w = world()
    local statement = la.select(w.table.c.id):execution_options { yield_per = 2 }:execution_options { logging_token = "t" }
    w.engine:begin(function(c) assert.equal(5, #c:execute(statement):all()) end)
    assert.equal(5, #w.session:scalars(la.select(w.Person):execution_options { stream_results = true }):all())
    fails("ArgumentError", function() statement:execution_options { yield_per = 0 } end, "from 1 on")
  end)

  it("options of transactions are refused, and names are checked", function()
    local w = world()
    local statement = la.select(w.table.c.id)
    fails("ArgumentError", function() statement:execution_options { isolation_level = "SERIALIZABLE" } end, "option of transactions")
    fails("ArgumentError", function() statement:execution_options { yeld_per = 3 } end, "yield_per")
    fails("ArgumentError", function() la.text "SELECT 1":execution_options { yeld_per = 3 } end, "yield_per")
  end)

  it("a text has them as well, beside its values and columns", function()
    local w = world()
    local tokens = {}
    la.event.listen(w.engine, "before_execute", function(_, what) tokens[#tokens + 1] = what.token or "none" end)
    local text = la.text "SELECT id, name FROM people WHERE id > :least ORDER BY id":execution_options { yield_per = 2 }
    local named = text:bindparams { least = 3 }:columns { la.column("id", la.Integer), la.column("name", la.String) }
      :execution_options { logging_token = "text" }
    assert.equal(tostring(la.text "SELECT id, name FROM people WHERE id > :least ORDER BY id"), tostring(text))
    w.engine:begin(function(c)
      assert.same({ 4, 5 }, c:execute(named):scalars():all())
      assert.same({ 5 }, c:execute(named, { least = 4 }):scalars():all())
      assert.same({ 2, 3, 4, 5 }, c:execute(text, { least = 1 }):scalars():all())
      assert.equal(2, c:execute(la.select(la.func.count()):select_from(named:subquery "s")):scalar())
    end)
    assert.same({ "text", "text", "none", "none" }, tokens)
    assert.equal(2, #w.session:execute(named):all())
  end)
end)
