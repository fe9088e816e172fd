-- luacheck: no max line length
-- Options in the wrong place, misspelt or of another kind: what takes options passes over none of them.
local la = require "lualchemy"
local fails = dofile("spec/core/world.lua").fails

local metadata = la.MetaData()
local things = la.Table { "things", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20) } }
local Base = la.declarative_base()
local Thing = Base:model "Thing" { __table = things }

local function nothing() end

describe("options", function()
  local engine, connection, session
  before_each(function()
    engine = la.create_engine "sqlite://"
    metadata:create_all(engine)
    connection, session = engine:connect(), la.Session(engine)
  end)
  after_each(function()
    session:close()
    connection:close()
  end)

  local query = la.select(things.c.id)

  -- what is said of it, by what is written
  local refused = {
    ["has no option 'pool_sizes'; the nearest is 'pool_size'"] = function() la.create_engine("sqlite://", { pool_sizes = 2 }) end,
    ["the options of create_engine are a table"] = function() la.create_engine("sqlite://", "pool_size") end,
    ["the options of execute have names"] = function() connection:execute(query, nil, { 100 }) end,
    ["the options of execute are a table"] = function() connection:execute(query, nil, 100) end,
    ["engine:compile takes a statement alone"] = function() engine:compile(query, { literal_binds = true }) end,
    ["listeners of an engine have no options"] = function() la.event.listen(engine, "commit", nothing, { once = true }) end,
    ["listen has no option 'onse'; the nearest is 'once'"] = function() la.event.listen(Thing, "load", nothing, { onse = true }) end,
    ["include_columns: table 'things' has no column 'nme'; the nearest is 'name'"] = function()
      la.Table { "things", la.MetaData(), autoload_with = engine, include_columns = { "id", "nme" } }
    end,
    ["option 'include_columns' of Table must be a table"] = function()
      la.Table { "things", la.MetaData(), autoload_with = engine, include_columns = "id" }
    end,
    ["option 'resolve_fks' of Table must be a boolean"] = function() la.Table { "things", la.MetaData(), autoload_with = engine, resolve_fks = "no" } end,
    ["reflect takes one table"] = function() la.MetaData():reflect(engine, { views = true }) end,
    ["options of run_transaction have names"] = function() engine:run_transaction(nothing, { 3 }) end,
    ["backoff of run_transaction is a number from 0 on, not -1"] = function() session:run_transaction(nothing, { backoff = -1 }) end,
    ["Session takes one engine"] = function() la.Session(engine, { true }) end,
    ["session:get has no option 'populate_existng'; the nearest is 'populate_existing'"] = function() session:get(Thing, 1, { populate_existng = true }) end,
    ["session:merge takes an object alone"] = function() session:merge(Thing { id = 1 }, { load = false }) end,
    ["session:commit takes nothing: it ends the transaction"] = function() session:commit(nothing) end,
    ["session:rollback takes nothing"] = function() session:rollback "all" end,
    ["autoincrement of Column is true, false, \"auto\" or \"ignore_fk\", not yes"] = function()
      la.Column { "id", la.Integer, autoincrement = "yes" }
    end,
    ["the text has no parameter ':b': SELECT :a"] = function() la.text "SELECT :a":bindparams { b = 1 } end,
    ["session:flush takes nothing"] = function() session:flush { Thing { id = 1 } } end,
    ["a list of names of attributes"] = function() session:refresh(Thing { id = 1 }, { attribute_names = { "name" } }) end,
    ["the options of execute have names: { yield_per = 100 }"] = function() session:execute(query, nil, { 100 }) end,
    ["delete expects a table, an alias of one, or a model"] = function() la.delete(query:subquery "s") end,
    ["create_engine has no option 'connect_args'; there are pool_size,"] = function() la.create_engine("sqlite://", { connect_args = {} }) end,
    ["reflect has no option 'extend_existing'; there are bind, only"] = function() la.MetaData():reflect { bind = engine, extend_existing = true } end,
    ["bind of reflect must be an engine or a connection, not a string"] = function() la.MetaData():reflect { bind = "sqlite://" } end,
    ["engine:connect has no option 'readonly'; the nearest is 'read_only'"] = function() engine:connect { readonly = true } end,
    ["engine:begin has no option 'readonly'"] = function() engine:begin({ readonly = true }, nothing) end,
    ["the options of engine:begin are a table such as"] = function() engine:begin("SERIALIZABLE", nothing) end,
    ["connection:begin has no option 'readonly'"] = function() connection:begin { readonly = true } end,
    ["yield_per of execute must be a whole number from 1 on, not 0.5"] = function() connection:execute(query, nil, { yield_per = 0.5 }) end,
    ["'read_only' is an option of transactions, not of statements"] = function() connection:execute(query, nil, { read_only = true }) end,
    ["give it to the session, la.Session(engine, { read_only = … })"] = function() session:execute(query, nil, { read_only = true }) end,
    ["run_transaction takes a function, then options"] = function() engine:run_transaction({ retries = 3 }, nothing) end,
    ["not a function behind it"] = function() engine:run_transaction(nothing, nothing) end,
    ["behind them came a number"] = function() session:run_transaction(nothing, {}, 3) end,
    ["retries of run_transaction is a whole number, not 1.5"] = function() engine:run_transaction(nothing, { retries = 1.5 }) end,
    ["max_backoff of run_transaction is a number from 0 on"] = function() engine:run_transaction(nothing, { max_backoff = 0 / 0 }) end,
    ["session:run_transaction has no option 'isolation_level': the session has"] = function()
      session:run_transaction(nothing, { isolation_level = "SERIALIZABLE" })
    end,
    ["session:begin takes a function or nothing"] = function() session:begin { isolation_level = "SERIALIZABLE" } end,
    ["session:begin_nested takes a function or nothing"] = function() session:begin_nested {} end,
    ["a session takes an engine"] = function() la.Session(connection) end,
    ["the key of Thing has 1 part, and is given 2"] = function() session:get(Thing, { 1, 2 }) end,
    ["the key of Thing has no part 'nme'; it begins with 'id'"] = function() session:get(Thing, { id = 1, nme = "x" }) end,
    ["Engine has no 'execute', which is done by a connection: engine:begin(function(connection) connection:execute(…) end)"] = function()
      engine:execute(query)
    end,
    ["'echo' of an Engine cannot be set"] = function() engine.echo = true end,
    ["'autocommit' of a Connection cannot be set"] = function() connection.autocommit = true end,
    ["'autoflush' of a session cannot be set"] = function() session.autoflush = false end,
    ["exec_driver_sql takes values in the order of the ?, not by name, as 'a'"] = function()
      connection:exec_driver_sql("SELECT ? AS a", { a = 1 })
    end,
    ["option 'resolve_fks' of Table goes with autoload_with = engine"] = function() la.Table { "things", la.MetaData(), resolve_fks = false } end,
    ["Table has no option 'autoload'; what reads the columns from the database is autoload_with = engine"] = function()
      la.Table { "things", la.MetaData(), autoload = true }
    end,
    ["Inspector has no 'get_tables'; there are get_check_constraints,"] = function() la.inspect(engine):get_tables() end,
    ["Inspector has no 'get_colums'; the nearest is 'get_columns'"] = function() la.inspect(engine):get_colums "things" end,
    ["get_columns takes the name of a schema, or nothing for the default one, not a table"] = function()
      la.inspect(engine):get_columns("things", { schema = "main" })
    end,
    ["copy_to takes a table, a model or a select, not an insert"] = function() connection:copy_to(things:insert()) end,
    ["copy_to takes a table, a model or a select, not a delete"] = function() connection:copy_to(things:delete()) end,
    ["synchronize_session is false, or one of"] = function()
      session:execute(la.update(Thing):where(Thing.id:eq(1)):values { name = "x" }, nil, { synchronize_session = "fetsch" })
    end,
  }

  for message, run in pairs(refused) do
    it("are refused: " .. message, function() fails("ArgumentError", run, message) end)
  end

  it("of copy_from are looked at where there are no rows, and say which column was meant", function()
    fails("NoSuchColumnError", function() connection:copy_from(things, {}, { columns = { "id", "nme" } }) end, "the nearest is 'name'")
    fails("ResourceClosedError", function()
      local closed = engine:connect()
      closed:close()
      closed:copy_from(things, {})
    end, "This Connection is closed")
  end)

  it("of a closed connection are not asked for: it says that it is closed", function()
    local closed = engine:connect()
    closed:close()
    fails("ResourceClosedError", function() return la.inspect(closed):get_table_names() end, "closed")
    fails("ResourceClosedError", function() return closed.dialect end, "closed")
  end)

  it("tables that are not there are errors with the nearest", function()
    fails("NoSuchTableError", function() la.inspect(engine):get_columns "thing" end, "the nearest is 'things'")
    fails("NoSuchTableError", function() return la.Table { "thing", la.MetaData(), autoload_with = engine } end, "the nearest is 'things'")
  end)

  it("one of many parameter sets that does not fit is known by its number, and errors after it have none", function()
    local sets = { { id = 1 }, { id = 2 }, { id = "three" } }
    local _, failure = pcall(connection.execute, connection, things:insert(), sets)
    assert.equal("DataError", failure.kind)
    assert.equal(3, failure.row)
    connection:rollback()
    _, failure = pcall(connection.copy_from, connection, things, sets)
    assert.equal(3, failure.row)
    assert.matches("^row 3: ", failure.message)
    _, failure = pcall(connection.execute, connection, things:insert(), { id = "x" })
    assert.is_nil(failure.row)
    _, failure = pcall(connection.exec_driver_sql, connection, "SELEC 1")
    assert.is_nil(failure.row)
  end)

  it("of URLs are not all: a client library that is not there is told when the engine is made, with its package", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    local program, i = "lua5.4", -1
    while arg and arg[i] do program, i = arg[i], i - 1 end
    for url, library in pairs { ["postgresql://h/d"] = "libpq.so.5", ["mariadb://h/d"] = "libmariadb.so.3", ["mssql+odbc://h/d?driver=x"] = "libodbc.so.2" } do
      for _, file in ipairs { library, (library:gsub("%.%d$", "")) } do assert(io.open(folder .. "/" .. file, "w")):close() end   -- no library
      local code = ("print(pcall(require [[lualchemy]].create_engine, [[%s]]))"):format(url)
      local pipe = assert(io.popen(("LUA_PATH='%s' LUA_CPATH='%s' LD_LIBRARY_PATH=%s %s -e '%s' 2>&1"):format(package.path, package.cpath, folder, program, code)))
      local said = pipe:read "a"
      pipe:close()
      assert.matches("^false.*InterfaceError: .*" .. library:gsub("%.", "%%.") .. ".* is not installed %(Debian: lib", said)
    end
    os.execute("rm -r " .. folder)
  end)

  it("session:get reads again what is loaded when it is told to", function()
    session:add(Thing { id = 1, name = "as it was" })
    session:flush()
    local thing = session:get(Thing, 1)
    session:connection():execute(things:update():where(things.c.id:eq(1)):values { name = "as it is" })
    assert.equal("as it was", session:get(Thing, 1).name)
    assert.equal("as it was", session:get(Thing, 1, { populate_existing = false }).name)
    assert.equal(thing, session:get(Thing, 1, { populate_existing = true }))
    assert.equal("as it is", thing.name)
    thing.name = "changed"
    assert.equal("changed", session:get_one(Thing, 1, { populate_existing = true }).name)
    assert.is_nil(session:get(Thing, 7, { populate_existing = true }))
    fails("NoResultFound", function() session:get_one(Thing, 7, { populate_existing = true }) end)
  end)
end)
