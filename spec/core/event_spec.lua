local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

describe("events of an engine", function()
  it("are heard in their order, with what belongs to them", function()
    local w = world.new()
    w.connection:close()
    local heard = {}
    for _, name in ipairs { "checkout", "checkin", "begin", "commit", "rollback", "savepoint", "before_execute", "after_execute" } do
      la.event.listen(w.engine, name, function(connection, what)
        heard[#heard + 1] = name
        if name == "before_execute" then
          assert.truthy(connection)
          assert.equal("INSERT INTO teams (name) VALUES (?)", what.statement)
          assert.same({ "x" }, what.params)
        elseif name == "after_execute" then
          assert.equal("float", math.type(what.milliseconds))
        end
      end)
    end
    w.engine:begin(function(c)
      c:begin_nested():rollback()
      c:execute(w.teams:insert(), { name = "x" })
    end)
    assert.same({ "checkout", "begin", "savepoint", "before_execute", "after_execute", "commit", "checkin" }, heard)
  end)

  it("set a new connection up", function()
    local engine = la.create_engine "sqlite://"
    local function set_up(connection)
      connection:exec_driver_sql "create table made_by_event (a)"
      connection:close()
    end
    la.event.listen(engine, "connect", set_up)
    assert.is_true(la.event.contains(engine, "connect", set_up))
    local c <close> = engine:connect()
    c:rollback()
    assert.is_true(c:has_table "made_by_event")
  end)

  it("stop what is about to happen by an error, which comes out", function()
    local w = world.new()
    local thrown = { "mine" }
    local function refuse() error(thrown) end
    la.event.listen(w.engine, "before_execute", refuse)
    local ok, failure = pcall(w.connection.execute, w.connection, w.teams:insert(), { name = "x" })
    assert.is_false(ok)
    assert.equal(thrown, failure)
    la.event.remove(w.engine, "before_execute", refuse)
    assert.is_false(la.event.contains(w.engine, "before_execute", refuse))
    w.connection:rollback()
    assert.equal(2, w.connection:scalar(la.select(la.func.count()):select_from(w.teams)))
  end)

  it("may use the connection that they are told of", function()
    local w = world.new()
    local log = la.Table { "log", w.metadata, la.Column { "what", la.String(80) } }
    log:create(w.connection)
    local busy = false
    la.event.listen(w.engine, "handle_error", function(connection, what)
      if busy then return end
      busy = true
      assert.equal("IntegrityError", what.error.kind)
      connection:execute(log:insert(), { what = what.statement })
    end)
    local failure = fails("IntegrityError", function() w.connection:execute(w.teams:insert(), { name = "Red" }) end, "teams.name")
    assert.truthy(failure.statement)
    assert.equal(1, w.connection:scalar(la.select(la.func.count()):select_from(log)))
  end)

  it("are checked by name", function()
    local engine = la.create_engine "sqlite://"
    fails("InvalidRequestError", function() la.event.listen(engine, "before_exectue", print) end, "before_execute")
    fails("ArgumentError", function() la.event.listen(engine, "begin", 5) end, "a function")
    fails("InvalidRequestError", function() la.event.listen({}, "begin", print) end, "a table")
    fails("InvalidRequestError", function() la.event.remove(engine, "begin", print) end, "begin")
  end)

  it("do not keep an engine alive", function()
    local weak = setmetatable({}, { __mode = "v" })
    do
      local engine = la.create_engine "sqlite://"
      weak[1] = engine
      la.event.listen(engine, "begin", function() return engine end)
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
  end)
end)

describe("echo", function()
  it("is a function that gets lines with values and times", function()
    local lines = {}
    local engine = la.create_engine("sqlite://", { echo = function(line) lines[#lines + 1] = line end })
    engine:begin(function(c)
      c:exec_driver_sql "create table t (a, b)"
      c:execute(la.text "insert into t values (:a, :b)", { a = "x\ny", b = la.null })
    end)
    assert.equal("BEGIN", lines[1])
    assert.truthy(lines[3]:find "^insert into t values %(%?, %?%) %[\"x\\ny\", NULL%] %d+%.%d%d%d ms$", lines[3])
    assert.equal("COMMIT", lines[4])
  end)
end)
