-- The dialect's record is chosen by what the server says of itself on the first connection.
local la = require "lualchemy"
local core = require "lualchemy.core"
local servers = dofile "spec/servers.lua"
local fails = dofile("spec/core/world.lua").fails

local function mocked(url, version, options)
  local mock = core.mock()
  if version then mock:server(version) end
  options = options or {}
  options.mock = mock
  return la.create_engine(url, options), mock
end

local function last(mock)
  local statements = mock:statements()
  return statements[#statements].sql
end

local metadata = la.MetaData()
local people = la.Table { "people", metadata,
  la.Column { "id", la.Integer, primary_key = true },
  la.Column { "name", la.String(40) },
}
local upsert = people:insert():values { id = 1, name = "Ann" }
upsert = upsert:on_duplicate_key_update { name = upsert.inserted.name }

-- A model of its own, so that no spec sees another's objects.
local function new_model()
  local Base = la.declarative_base()
  return Base:model "Person" { __tablename = "people",
    id = la.Column { la.Integer, primary_key = true }, name = la.Column { la.String(40) } }
end

describe("the record of the dialect", function()
  it("is the newest until the first connection, and then the server's", function()
    local engine, mock = mocked("mock+mysql://", "5.7.44-log")
    assert.equal("mysql", engine.dialect.name)
    assert.is_nil(engine.dialect.server_version_info)
    assert.equal("mysql", tostring(engine.dialect))
    local before = tostring(engine:compile(upsert))
    assert.truthy(before:find("AS new", 1, true))
    engine:begin(function(c)
      assert.same({ 5, 7, 44 }, c.dialect.server_version_info)
      c:execute(upsert)
    end)
    assert.truthy(mock:statements()[2].sql:find("VALUES(name)", 1, true))
    assert.same({ 5, 7, 44 }, engine.dialect.server_version_info)
    assert.equal("5.7.44-log", engine.dialect.server_version)
    assert.truthy(tostring(engine:compile(upsert)):find("VALUES(name)", 1, true))
  end)

  it("is MariaDB's for mysql:// at a MariaDB, with the name and the options of MySQL", function()
    local engine, mock = mocked("mock+mysql://", "5.5.5-10.11.6-MariaDB-log")
    mock:answer { pattern = "INSERT", columns = { "id" }, rows = { { 7 } } }
    engine:begin(function(c)
      assert.equal(7, c:execute(people:insert():values { name = "Ann" }:returning(people.c.id)):scalar())
    end)
    assert.equal("INSERT INTO people (name) VALUES (?) RETURNING people.id", mock:statements()[2].sql)
    assert.equal("mysql", engine.dialect.name)
    assert.same({ 10, 11, 6 }, engine.dialect.server_version_info)
    local own = la.MetaData()
    la.Table { "t", own, la.Column { "a", la.String(5):with_variant(la.mysql.TINYTEXT, "mysql") }, mysql_engine = "Aria" }
    own:create_all(engine, { checkfirst = false })
    assert.truthy(mock:statements()[5].sql:find("a TINYTEXT.*ENGINE=Aria"))
  end)

  it("is known before a session compiles its first statement", function()
    local Person = new_model()
    local session = la.Session((mocked("mock+postgresql://", "12.9")))
    fails("UnsupportedCompilationError", function()
      session:scalars(la.select(Person):order_by(Person.name):fetch(3, { with_ties = true })):all()
    end, "TIES")
    session:close()
    local engine, mock = mocked("mock+mysql://", "10.11.6-MariaDB")
    session = la.Session(engine)
    assert.is_nil(session:get(Person, 1))
    session:add(Person { name = "Ann" })
    session:flush()
    session:close()
    assert.equal(10, engine.dialect.server_version_info[1])
    assert.truthy(#mock:statements() >= 4)
  end)

  it("of a statement that it does not have is told by its version", function()
    local engine = mocked("mock+postgresql://", "12.9")
    engine:begin(function(c)
      local failure = fails("UnsupportedCompilationError", function()
        c:execute(la.select(people.c.id):order_by(people.c.id):fetch(3, { with_ties = true }))
      end)
      assert.truthy(failure.message:find("TIES", 1, true), failure.message)
    end)
    mocked("mock+postgresql://", "13.1"):begin(function(c)
      c:execute(la.select(people.c.id):order_by(people.c.id):fetch(3, { with_ties = true }))
    end)
  end)

  it("is the one that the options or the URL state, and no server is asked", function()
    for url, options in pairs { ["mock+mysql://"] = { server_version = "5.7.1" }, ["mock+mysql://?server_version=5.7.1"] = {} } do
      local engine = mocked(url, "8.4.0", options)
      assert.truthy(tostring(engine:compile(upsert)):find("VALUES(name)", 1, true))
      engine:begin(function(c) c:execute(upsert) end)
      assert.same({ 5, 7, 1 }, engine.dialect.server_version_info)
      assert.equal("5.7.1", (engine:server_version()))
    end
    local engine = mocked("mock+mysql://", nil, { server_version = "10.11.6-MariaDB" })
    assert.truthy(tostring(engine:compile(people:insert():values { name = "x" }:returning(people.c.id))):find "RETURNING")
    fails("ArgumentError", function() mocked("mock+mysql://", nil, { server_version = "newest" }) end, "8.0.36")
  end)

  it("of a server that is too old for all of them is asked for by name, or there is no connection", function()
    local engine = mocked("mock+postgresql://", "9.6.24")
    local failure = fails("NotSupportedError", function() engine:connect() end)
    assert.truthy(failure.message:find('server_version = "12.0"', 1, true), failure.message)
    assert.equal(0, engine:pool_status().in_use)
    local stated = mocked("mock+postgresql://", "9.6.24", { server_version = "12.0" })
    stated:begin(function(c) c:execute(la.select(people)) end)
  end)

  it("engine:server_version() connects to know it", function()
    local engine, mock = mocked("mock+mysql://", "8.0.11-TiDB-v7.5.1")
    local text, numbers = engine:server_version()
    assert.equal("8.0.11-TiDB-v7.5.1", text)
    assert.same({ 8, 0, 11 }, numbers)
    engine:begin(function(c) c:execute(upsert) end)
    assert.truthy(mock:statements()[2].sql:find("VALUES(name)", 1, true))
    assert.is_nil((mocked "mock+mysql://":server_version()))
  end)

  it("is the oldest server's, where several stand behind one engine", function()
    local engine, mock = mocked("mock+mysql://", "8.4.0", { pool = "null" })
    engine:begin(function(c) c:execute(upsert) end)
    assert.truthy(mock:statements()[2].sql:find("AS new", 1, true))
    mock:server "5.7.44"
    engine:begin(function(c) c:execute(upsert) end)
    assert.truthy(mock:statements()[5].sql:find("VALUES(name)", 1, true))
    mock:server "8.4.0"
    engine:begin(function(c) c:execute(upsert) end)
    assert.truthy(mock:statements()[8].sql:find("VALUES(name)", 1, true))
    mock:server "10.11.6-MariaDB"
    fails("InvalidRequestError", function() engine:connect() end, "one kind of server")
  end)

  it("is one for a primary and its replicas", function()
    local mock = core.mock()
    mock:server "8.4.0"
    local engine = la.create_engine { primary = "mock+mysql://", replicas = { "mock+mysql://" }, mock = mock }
    engine:begin(function(c) c:execute(upsert) end)
    mock:server "5.7.44"
    mock:forget()
    engine:begin({ read_only = true }, function(c)
      assert.same({ 5, 7, 44 }, c.dialect.server_version_info)
      assert.same({ 5, 7, 44 }, engine.dialect.server_version_info)
      c:execute(la.select(people))
    end)
    mock:forget()
    engine:begin(function(c) c:execute(upsert) end)
    assert.truthy(mock:statements()[2].sql:find("VALUES(name)", 1, true))
  end)

  it("waits for the server in a coroutine, in a session too", function()
    local Person = new_model()
    local engine, mock = mocked("mock+mysql://", "5.7.44")
    mock:wait("connect", 2)
    local waits = 0
    la.set_wait(function() waits = waits + 1 coroutine.yield() end)
    local thread = coroutine.create(function()
      local session = la.Session(engine)
      assert.is_nil(session:get(Person, 1))
      session:close()
    end)
    repeat assert(coroutine.resume(thread)) until coroutine.status(thread) == "dead"
    la.set_wait(nil)
    assert.truthy(waits >= 2)
    assert.truthy(last(mock):find "SELECT" or last(mock) == "ROLLBACK")
  end)

  it("is what statement:compile{ dialect = engine.dialect } uses", function()
    local engine = mocked("mock+mysql://", "10.11.6-MariaDB")
    engine:connect():close()
    local insert = people:insert():values { name = "x" }:returning(people.c.id)
    assert.truthy(insert:compile { dialect = engine.dialect }.sql:find "RETURNING")
    fails("UnsupportedCompilationError", function() insert:compile { dialect = "mysql" } end)
    assert.truthy(insert:compile { dialect = "mysql", version = "10.6.1-MariaDB" }.sql:find "RETURNING")
    fails("ArgumentError", function() insert:compile { dialect = 3 } end, "dialect")
  end)
end)

local function on(name, fn)
  local server, why = servers.start(name)
  if not server then
    pending("a server: " .. tostring(why))
    return
  end
  teardown(function() server:stop() end)
  fn(server.folder)
end

describe("on a real MariaDB", function()
  on("mariadb", function(folder)
    local database = ("mysql://spec@/spec?unix_socket=%s/mariadb.sock"):format(folder)

    it("mysql:// speaks MariaDB's dialect: RETURNING, sequences, its own types", function()
      local engine <close> = la.create_engine(database)
      assert.truthy(engine:server_version():find("MariaDB", 1, true))
      assert.truthy(engine.dialect.server_version_info[1] >= 10)
      local own = la.MetaData()
      local things = la.Table { "record_things", own, la.Column { "id", la.Integer, primary_key = true },
        la.Column { "code", la.Uuid }, la.Column { "name", la.String(20) }, mysql_engine = "InnoDB" }
      own:drop_all(engine)
      own:create_all(engine)
      own:create_all(engine)
      engine:begin(function(c)
        local code = la.uuid4 and la.uuid4() or "123e4567-e89b-12d3-a456-426614174000"
        local row = c:execute(things:insert():values { name = "Ann", code = code }:returning(things.c.id, things.c.name)):one()
        assert.equal("Ann", row.name)
        assert.equal(row.id, c:execute(things:delete():where(things.c.id:eq(row.id)):returning(things.c.id)):scalar())
      end)
      local Base = la.declarative_base { metadata = own }
      local Thing = Base:model "Thing" { __table = things }
      local session <close> = la.Session(engine)
      for i = 1, 3 do session:add(Thing { name = "n" .. i }) end
      session:flush()
      assert.equal(3, #session:scalars(la.select(Thing)):all())
      session:commit()
      assert.same({ "record_things" }, la.inspect(engine):get_table_names())
      own:drop_all(engine)
    end)

    it("mariadb+odbc:// and mysql+odbc:// tell the same", function()
      local record = dofile "spec/suite/quirks/odbc_mariadb.lua"
      if record.missing() then return pending(record.missing()) end
      for _, name in ipairs { "mariadb", "mysql" } do
        local engine <close> = la.create_engine((record.url(folder):gsub("^mariadb", name)))
        local _, numbers = engine:server_version()
        assert.truthy(numbers and numbers[1] >= 10, name)
        local insert = people:insert():values { name = "x" }:returning(people.c.id)
        assert.truthy(tostring(engine:compile(insert)):find "RETURNING")
      end
    end)
  end)
end)

describe("on a real PostgreSQL", function()
  on("postgresql", function(folder)
    it("the version is the server's", function()
      local engine <close> = la.create_engine(("postgresql://spec@/spec?host=%s"):format(folder))
      local text, numbers = engine:server_version()
      local said = engine:begin(function(c) return c:exec_driver_sql("show server_version"):scalar() end)
      assert.equal(said, text)
      assert.equal(tonumber(said:match "^%d+"), numbers[1])
    end)
  end)
end)

describe("on SQLite", function()
  it("the version is the library's", function()
    local engine = la.create_engine "sqlite://"
    local text = engine:server_version()
    local beside <close> = la.create_engine "sqlite://?worker=1"
    assert.equal(text, (beside:server_version()))
    assert.equal(engine:begin(function(c) return c:exec_driver_sql("select sqlite_version()"):scalar() end), text)
  end)
end)
