local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

describe("a transaction", function()
  local w, count
  before_each(function()
    w = world.new()
    w.connection:close()
    count = function()
      local c <close> = w.engine:connect()
      return c:scalar(la.select(la.func.count()):select_from(w.teams))
    end
  end)

  it("round a function commits and gives back what the function gives", function()
    local a, b = w.engine:begin(function(c)
      c:execute(w.teams:insert(), { name = "x" })
      return 1, 2
    end)
    assert.same({ 1, 2 }, { a, b })
    assert.equal(3, count())
  end)

  it("round a function rolls back and raises the same error, whatever it is", function()
    local thrown = { "anything" }
    for _, value in ipairs { thrown, "text", 5 } do
      local ok, failure = pcall(function()
        w.engine:begin(function(c)
          c:execute(w.teams:insert(), { name = "x" })
          error(value, 0)
        end)
      end)
      assert.is_false(ok)
      assert.equal(value, failure)
    end
    assert.equal(2, count())
    fails("IntegrityError", function()
      w.engine:begin(function(c) c:execute(w.teams:insert(), { name = "Red" }) end)
    end, "teams.name")
    assert.equal(2, count())
    assert.equal(0, w.engine:pool_status().in_use)
  end)

  it("is as you go, from the first statement on", function()
    local c <close> = w.engine:connect()
    assert.is_false(c:in_transaction())
    c:execute(w.teams:insert(), { name = "x" })
    assert.is_true(c:in_transaction())
    c:rollback()
    assert.is_false(c:in_transaction())
    c:execute(w.teams:insert(), { name = "y" })
    c:commit()
    c:commit()
    c:rollback()
    assert.equal(3, c:scalar(la.select(la.func.count()):select_from(w.teams)))
  end)

  it("is rolled back when a connection closes", function()
    do
      local c <close> = w.engine:connect()
      c:execute(w.teams:insert(), { name = "x" })
    end
    assert.equal(2, count())
  end)

  it("is an object that rolls back unless it is committed", function()
    local c <close> = w.engine:connect()
    do
      local tx <close> = c:begin()
      c:execute(w.teams:insert(), { name = "x" })
      assert.is_true(tx.is_active)
    end
    assert.is_false(c:in_transaction())
    do
      local tx <close> = c:begin()
      c:execute(w.teams:insert(), { name = "y" })
      tx:commit()
      assert.is_false(tx.is_active)
      tx:rollback()
      fails("InvalidRequestError", function() tx:commit() end, "inactive")
    end
    assert.equal(3, c:scalar(la.select(la.func.count()):select_from(w.teams)))
    c:rollback()
    local outer = c:begin()
    fails("InvalidRequestError", function() c:begin() end)
    outer:close()
  end)

  it("nests in savepoints", function()
    local c <close> = w.engine:connect()
    c:begin()
    c:execute(w.teams:insert(), { name = "a" })
    local sp = c:begin_nested()
    assert.is_true(c:in_nested_transaction())
    c:execute(w.teams:insert(), { name = "b" })
    sp:rollback()
    local stale = c:begin_nested()
    stale:commit()
    local fresh = c:begin_nested()
    fails("InvalidRequestError", function() stale:commit() end)
    assert.is_true(fresh.is_active)
    c:commit()
    assert.is_false(fresh.is_active)
    assert.equal(3, c:scalar(la.select(la.func.count()):select_from(w.teams)))
  end)

  it("round a function on a connection is a savepoint within another", function()
    local c <close> = w.engine:connect()
    c:transaction(function()
      c:execute(w.teams:insert(), { name = "a" })
      pcall(c.transaction, c, function()
        c:execute(w.teams:insert(), { name = "b" })
        error "back"
      end)
      c:transaction(function() c:execute(w.teams:insert(), { name = "c" }) end)
    end)
    assert.is_false(c:in_transaction())
    assert.equal(4, c:scalar(la.select(la.func.count()):select_from(w.teams)))
  end)

  it("whose commit fails is rolled back, and says why", function()
    w.engine:begin(function(c)
      c:exec_driver_sql "create table d (id integer primary key, t integer references teams(id) deferrable initially deferred)"
    end)
    fails("IntegrityError", function()
      w.engine:begin(function(c) c:exec_driver_sql("insert into d (t) values (?)", { 99 }) end)
    end, "FOREIGN KEY")
    w.engine:begin(function(c) assert.equal(0, c:scalar(la.text "select count(*) from d")) end)
  end)

  it("may be ended by the function itself", function()
    w.engine:begin(function(c)
      c:execute(w.teams:insert(), { name = "x" })
      c:rollback()
    end)
    assert.equal(2, count())
  end)

  it("may be yielded from", function()
    local steps = {}
    local thread = coroutine.wrap(function()
      return w.engine:begin(function(c)
        c:execute(w.teams:insert(), { name = "x" })
        steps[#steps + 1] = coroutine.yield "inside"
        return "done"
      end)
    end)
    assert.equal("inside", thread())
    assert.equal("done", thread "resumed")
    assert.same({ "resumed" }, steps)
    assert.equal(3, count())
  end)

  it("takes a function, and says so", function()
    fails("ArgumentError", function() w.engine:begin() end, "a function", "nothing")
  end)
end)
