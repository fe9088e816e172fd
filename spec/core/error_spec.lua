-- Bad input gets a clear error, and nothing is lost: after each the same connection goes on working.
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

describe("bad input", function()
  local w = world.new()
  local connection, players, teams = w.connection, w.players, w.teams
  local text = la.text

  after_each(function()
    connection:rollback()
    assert.equal(4, connection:scalar(la.select(la.func.count()):select_from(players)))
  end)

  local function fail(kind, statement, parameters, ...)
    local failure = fails(kind, function() connection:execute(statement, parameters) end, ...)
    connection:rollback()
    return failure
  end

  it("is a wrong URL", function()
    fails("ArgumentError", function() la.create_engine "nonsense" end, "://")
    fails("NoSuchModuleError", function() la.create_engine "sqlit://" end, "sqlite")
    fails("NoSuchModuleError", function() la.create_engine "oracle://u@h/s" end, "write oracle+odbc://")
    fails("NoSuchModuleError", function() la.create_engine "mssql+pyodbc://u@h/d" end, "write odbc in its place")
    fails("NoSuchModuleError", function() la.create_engine "postgresql+psycopg2://u@h/d" end, "write postgresql:// alone")
    fails("ArgumentError", function() la.create_engine(5) end, "URL")
    fails("ArgumentError", function() la.create_engine("sqlite://", { ecko = true }) end, "ecko", "echo")
    fails("ArgumentError", function() la.create_engine("sqlite://", { pool_size = 0 }) end, "pool_size")
    fails("ArgumentError", function() la.create_engine("sqlite://", "echo") end, "are a table", "a string")
    fails("ArgumentError", function() la.create_engine("sqlite://", { echo = 5 }) end, "echo")
    fails("ArgumentError", function() la.create_engine "sqlite:///x.db?tiemout=5" end, "timeout")
    fails("OperationalError", function() la.create_engine "sqlite:////no/such/folder/x.db":connect() end)
  end)

  it("is a string, or something else that is no statement", function()
    fail("ArgumentError", "select 1", nil, "la.text")
    fail("ArgumentError", 5, nil, "a number")
    fail("ArgumentError", teams, nil, "la.select")
    fail("ArgumentError", la.select(teams), 5, "a table of parameters")
  end)

  it("is missing or extra parameters", function()
    fail("StatementError", text "select :a", {}, "'a'")
    fail("StatementError", text "select :a", nil, "'a'")
    fail("ArgumentError", text "select :alpha", { alpha = 1, alpah = 2 }, "'alpah'", "'alpha'")
    fail("ArgumentError", text "select 1", { a = 1 }, "'a'")
    fail("ArgumentError", la.select(teams), { 5 }, "name")
    fail("NoSuchColumnError", teams:insert(), { nam = "x" }, "'nam'", "'name'")
    fail("ArgumentError", teams:insert():values { name = "x" }, { id = 1 }, "'id'")
    fail("StatementError", teams:insert(), { { name = "a" }, { id = 70 } }, "set 2", "name")
    fail("ArgumentError", teams:insert(), { { name = "a" }, { name = "b", id = 70 } }, "set 2", "id")
    fail("ArgumentError", teams:insert(), { { name = "a" }, 5 }, "set 2", "a number")
    fails("StatementError", function() connection:exec_driver_sql("select ?, ?", { 1 }) end, "parameter 2")
    fails("ArgumentError", function() connection:exec_driver_sql("select ?", { 1, 2 }) end)
    fails("ArgumentError", function() connection:execute(la.select(teams), nil, { stream = true }) end, "stream")
  end)

  it("is a value that does not fit its column", function()
    fail("DataError", players:insert(), { name = "x", shirt = 1.5 }, "players.shirt", "1.5")
    fail("DataError", players:insert(), { name = "x", shirt = 2 ^ 63 }, "players.shirt")
    fail("DataError", players:insert(), { name = "x", shirt = "7" }, "players.shirt", "tointeger")
    fail("DataError", players:insert(), { name = 5 }, "players.name")
    local failure = fail("DataError", players:insert(), { name = "a\0b" }, "players.name", "LargeBinary")
    assert.same({ "players", "name" }, { failure.table, failure.column })
    fail("ArgumentError", players:insert(), { name = {} }, "players.name", "a table")
    fail("ArgumentError", players:insert(), { name = print }, "players.name", "a function")
  end)

  it("is a second statement in one string", function()
    fail("ProgrammingError", text "select 1; select 2", nil, "second statement")
    fail("ProgrammingError", text "delete from teams; drop table teams", nil)
    connection:execute(text "select 1;"):all()
  end)

  it("is a NULL in a not-null column, which is named", function()
    local failure = fail("IntegrityError", players:insert(), { name = la.null }, "players.name")
    assert.same({ "players", "name" }, { failure.table, failure.column })
    assert.truthy(failure.statement:find("INSERT INTO players", 1, true))
    assert.truthy(failure.params)
    assert.truthy(failure.code)
    fail("IntegrityError", teams:insert(), { name = "Red" }, "teams.name")
    fail("IntegrityError", players:insert(), { name = "x", team_id = 99 }, "FOREIGN KEY")
  end)

  it("is SQL that the database does not understand", function()
    local failure = fail("OperationalError", text "selec 1", nil, "selec")
    assert.equal("selec 1", failure.statement)
    fail("OperationalError", text "select * from nowhere", nil, "nowhere")
  end)

  it("is told apart by kind, base kinds included", function()
    local failure = fail("IntegrityError", players:insert(), { name = la.null })
    assert.is_true(la.is_error(failure, "IntegrityError"))
    assert.is_true(la.is_error(failure, "DatabaseError"))
    assert.is_true(la.is_error(failure, "DBAPIError"))
    assert.is_true(la.is_error(failure, "SQLAlchemyError"))
    assert.is_true(la.is_error(failure, la.Error))
    assert.is_true(failure:is "StatementError")
    assert.is_false(la.is_error(failure, "OperationalError"))
    assert.is_false(la.is_error("text", "IntegrityError"))
    assert.is_false(la.is_error({}))
    fails("ArgumentError", function() la.is_error(failure, "IntegrityEror") end, "IntegrityError")
  end)

  it("says where in the user's file it was", function()
    local failure = fails("ArgumentError", function()
      local column = la.Column { "a", la.Integer, nulable = true }
      return column
    end)
    assert.truthy(failure.where:find("error_spec.lua:%d+"), failure.where)
    assert.equal(failure.where, tostring(failure):match "^(.-:%d+): ArgumentError: ")
  end)

  it("is an update or delete of a model without where", function()
    local model = { __table = teams }
    fail("ArgumentError", la.delete(model), nil, "all_rows")
    assert.equal("DELETE FROM teams", world.folded(la.delete(model):all_rows()))
    assert.equal("DELETE FROM teams", world.folded(la.delete(teams)))
  end)
end)

describe("memory that runs out", function()
  it("is an error like any other", function()
    -- A budget is the host's: see the specs in C, which fail every allocation in turn.
    assert.is_true(la.is_error(select(2, pcall(require "lualchemy.core".error, "OutOfMemoryError", "none")), "OutOfMemoryError"))
  end)
end)
