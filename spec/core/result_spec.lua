-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

describe("a result", function()
  local w = world.new()
  local connection, p, t = w.connection, w.players.c, w.teams.c
  local function names() return connection:execute(la.select(p.name):order_by(p.id)) end

  it("gives rows by name, by place and by column", function()
    local row = connection:execute(la.select(w.players):where(p.name:eq "Cy")):one()
    assert.equal("Cy", row.name)
    assert.equal("Cy", row[2])
    assert.equal("Cy", row[p.name])
    assert.is_nil(row.shirt)
    assert.equal(6, #row)
    assert.equal(6, row:len())
    assert.same({ id = 3, name = "Cy", score = 20.0, team_id = 2 }, row:as_table())
    assert.same({ "id", "name", "score", "shirt", "active", "team_id" }, row:keys())
    assert.equal(6, select("#", row:unpack()))
    assert.equal("(3, 'Cy', 20.0, nil, nil, 2)", tostring(row))
    fails("NoSuchColumnError", function() return row.nam end, "'nam'", "'name'")
    fails("NoSuchColumnError", function() return row[t.name] end)
  end)

  it("refuses a name that two columns have", function()
    local row = connection:execute(la.text "select 1 as a, 2 as a"):one()
    assert.equal(2, row[2])
    fails("InvalidRequestError", function() return row.a end, "Ambiguous", "'a'")
    fails("InvalidRequestError", function() connection:execute(la.text "select 1 as a, 2 as a"):mappings():all() end, "Ambiguous")
  end)

  it("tells rows apart by what they hold", function()
    local one, other = connection:execute(la.select(t.name)):first(), connection:execute(la.select(t.name)):first()
    assert.is_true(one == other)
  end)

  it("has all the ways to read it", function()
    assert.equal(4, #names():all())
    assert.equal("Ann", names():first().name)
    assert.equal("Ann", names():scalar())
    assert.same({ "Ann", "Bo", "Cy", "Di" }, names():scalars():all())
    assert.equal("Ann", names():scalars():first())
    assert.same({ { name = "Ann" }, { name = "Bo" }, { name = "Cy" }, { name = "Di" } }, names():mappings():all())
    assert.equal("Ann", names():fetchone().name)
    assert.equal(3, #names():fetchmany(3))
    assert.same({ "name" }, names():keys())
    local result = names()
    assert.equal(2, #result:fetchmany(2))
    assert.equal(2, #result:fetchmany(5))
    assert.equal(0, #result:fetchmany(5))
    assert.is_nil(result:fetchone())
    local sizes = {}
    for rows in names():partitions(3) do sizes[#sizes + 1] = #rows end
    assert.same({ 3, 1 }, sizes)
    assert.same({ 1, 2, la.null }, connection:execute(la.select(p.team_id):order_by(p.team_id:is_(nil), p.team_id)):unique():scalars():all())
    assert.same({ "Ann", 1 }, { connection:execute(la.select(w.players):order_by(p.id)):columns("name", 1):first():unpack() })
    assert.same({ 7, 9, la.null, 1 }, connection:execute(la.select(p.id, p.shirt):order_by(p.id)):scalars "shirt":all())
  end)

  it("checks how many rows there are", function()
    local none = la.select(p.name):where(p.id:eq(99))
    local one = la.select(p.name):where(p.id:eq(1))
    assert.is_nil(connection:execute(none):first())
    assert.is_nil(connection:execute(none):one_or_none())
    assert.is_nil(connection:execute(none):scalar())
    assert.equal("Ann", connection:execute(one):scalar_one())
    assert.equal("Ann", connection:execute(one):one_or_none().name)
    fails("NoResultFound", function() connection:execute(none):one() end)
    fails("NoResultFound", function() connection:execute(none):scalar_one() end)
    fails("MultipleResultsFound", function() names():one() end, "exactly one")
    fails("MultipleResultsFound", function() names():one_or_none() end)
    fails("MultipleResultsFound", function() names():scalar_one_or_none() end)
  end)

  it("is a loop", function()
    local seen = {}
    for row in names() do seen[#seen + 1] = row.name end
    assert.same({ "Ann", "Bo", "Cy", "Di" }, seen)
    seen = {}
    for n, id, shirt in connection:execute(la.select(p.id, p.shirt):order_by(p.id)):tuples() do seen[n] = { id, shirt } end
    assert.same({ { 1, 7 }, { 2, 9 }, { 3 }, { 4, 1 } }, seen)
    local shirts = {}
    for shirt in connection:scalars(la.select(p.shirt):order_by(p.id)) do shirts[#shirts + 1] = shirt end
    assert.same({ 7, 9, la.null, 1 }, shirts)
  end)

  it("is closed when a loop over tuples is left, and by close", function()
    local result = names()
    for n in result:tuples() do
      if n == 1 then break end
    end
    assert.is_true(result.closed)
    fails("ResourceClosedError", function() result:all() end)
    local closed <close> = names()
    closed:close()
    closed:close()
    fails("ResourceClosedError", function() closed:fetchone() end, "closed")
    fails("ResourceClosedError", function() for _ in closed do end end, "closed")
    local loop = closed.all and names()
    local step = loop:tuples()
    loop:close()
    fails("ResourceClosedError", function() step() end)
  end)

  it("lets an error out of a loop, and the connection goes on", function()
    local ok, failure = pcall(function()
      for row in names() do error(row.name, 0) end
    end)
    assert.same({ false, "Ann" }, { ok, failure })
    assert.equal(4, connection:scalar(la.select(la.func.count()):select_from(w.players)))
  end)

  it("tells what was written", function()
    local engine = w.engine
    engine:begin(function(c)
      local result = c:execute(w.teams:insert():values { name = "Green" })
      assert.same({ 3, id = 3 }, result.inserted_primary_key)
      assert.equal(3, result.lastrowid)
      assert.equal(1, result.rowcount)
      fails("ResourceClosedError", function() result:all() end, "does not return rows")
      assert.same({ 9, id = 9 }, c:execute(w.teams:insert(), { id = 9, name = "Nine" }).inserted_primary_key)
      assert.equal(4, c:execute(w.players:update():values { shirt = 5 }).rowcount)
      local many = c:execute(w.teams:insert(), { { name = "a" }, { name = "b" }, { name = "c" } })
      assert.equal(3, many.rowcount)
      fails("InvalidRequestError", function() return many.inserted_primary_key end)
      assert.equal(0, c:execute(w.players:delete():where(p.id:eq(99))).rowcount)
      local returned = c:execute(w.teams:insert():returning(t.id, t.name), { { name = "r1" }, { name = "r2" } }):all()
      assert.same({ "r1", "r2" }, { returned[1].name, returned[2].name })
      assert.equal("r3", c:execute(w.teams:insert():values { name = "r3" }:returning(t.name)):scalar())
      c:rollback()
    end)
  end)

  it("is used after its connection closed: an error", function()
    local c = w.engine:connect()
    local result = c:execute(la.select(p.name))
    c:close()
    c:close()
    fails("ResourceClosedError", function() result:all() end)
    fails("ResourceClosedError", function() c:execute(la.select(p.name)) end)
    assert.is_true(c.closed)
  end)

  it("makes no shape anew for a repeated query", function()
    local statement = la.select(t.id, t.name)
    local first, second = connection:execute(statement):first(), connection:execute(la.select(t.id, t.name)):first()
    assert.equal(debug.getmetatable(first), debug.getmetatable(second))
  end)

  it("follows a text's columns when the schema changes", function()
    connection:execute(la.text "create table changing (a)")
    connection:execute(la.text "insert into changing values (1)")
    assert.same({ a = 1 }, connection:execute(la.text "select * from changing"):one():as_table())
    connection:execute(la.text "alter table changing add column b default 2")
    assert.same({ a = 1, b = 2 }, connection:execute(la.text "select * from changing"):one():as_table())
  end)
end)

describe("the statement cache", function()
  it("can be read", function()
    local w = world.new()
    local before = w.engine:cache_info()
    for i = 1, 10 do w.connection:execute(la.select(w.teams):where(w.teams.c.id:eq(i))):all() end
    local after = w.engine:cache_info()
    assert.equal(before.misses + 1, after.misses)
    assert.equal(before.hits + 9, after.hits)
    assert.equal(500, after.capacity)
    w.engine:clear_compiled_cache()
    assert.equal(0, w.engine:cache_info().size)
    assert.same({ size = 1, idle = 0, in_use = 1, overflow = 0 }, w.engine:pool_status())
  end)

  it("shows what the engine would run", function()
    local engine = la.create_engine "sqlite://"
    local t = world.tables().teams.c
    local function named(name) return engine:compile(la.select(t.id):where(t.name:eq(name))) end
    assert.equal("SELECT teams.id FROM teams WHERE teams.name = ?", world.folded(named "a".sql))
    assert.equal(tostring(named "a"), named "b".sql)
    local info = engine:cache_info()
    assert.equal(1, info.misses)
    assert.equal(2, info.hits)
    fails("ArgumentError", function() engine:compile "select 1" end, "a statement")
  end)
end)
