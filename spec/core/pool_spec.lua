-- The pool as users see it: options, events, connections that are found dead.
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/core/world.lua"
local fails, mocked = world.fails, world.mocked

describe("a pool", function()
  it("has options that are checked", function()
    fails("ArgumentError", function() mocked { pool_recycle = -2 } end, "pool_recycle", "-1 is never")
    fails("ArgumentError", function() mocked { pool_reset_on_return = "rolback" } end, "rollback")
    fails("ArgumentError", function() mocked { pool_preping = true } end, "pool_pre_ping")
    assert.truthy(mocked { pool_recycle = -1, pool_pre_ping = true, pool_reset_on_return = "none" })
    local engine = mocked()
    fails("ArgumentError", function() engine:dispose { clos = false } end, "close")
  end)

  it("refuses options that contradict each other", function()
    local function refused(options, ...)
      return fails("ArgumentError", function() la.create_engine("sqlite:///x.db", options) end, ...)
    end
    refused({ pool = "null", pool_size = 3 }, "pool_size", "'null'")
    refused({ pool = "null", pool_timeout = 3 }, "pool_timeout")
    refused({ pool = "static", max_overflow = 3 }, "max_overflow", "'static'")
    refused({ pool = "single", pool_use_lifo = true }, "pool_use_lifo")
    assert.truthy(la.create_engine("sqlite:///x.db", { pool = "static", pool_timeout = 3, pool_recycle = 5 }))
    refused({ "pool_size" }, "have names")
    local stated = "sqlite://?server_version=3.34.1"
    fails("ArgumentError", function() la.create_engine(stated, { server_version = "3.39.0" }) end, "3.34.1", "3.39.0")
    assert.truthy(la.create_engine(stated, { server_version = "3.34.1" }))
    fails("ArgumentError", function() la.create_engine { "sqlite://", primary = "sqlite://" } end, "primary")
  end)

  it("that is shared has what its first host has said: another says the same, or nothing", function()
    local url = "sqlite:///x.db"
    local function member(options)
      options.shared = "pool_spec"
      return la.create_engine(url, options)
    end
    local function refused(options, ...) return fails("ArgumentError", function() member(options) end, ...) end
    local first = member { pool_size = 3, max_overflow = 0, server_version = "3.39.0", replicas = { "sqlite:///y.db" } }
    member {
      isolation_level = "AUTOCOMMIT", pool_size = 3, pool = "queue", server_version = "3.39.0", replicas = { "sqlite:///y.db" },
    }
    assert.equal(3, member({}):pool_status().size)
    refused({ pool_size = 5 }, "'pool_spec'", "pool_size")
    refused({ max_overflow = 10 }, "max_overflow")
    refused({ pool_timeout = 1 }, "pool_timeout")
    refused({ pool_recycle = 1 }, "pool_recycle")
    refused({ pool_pre_ping = true }, "pool_pre_ping")
    refused({ pool_use_lifo = true }, "pool_use_lifo")
    refused({ pool_reset_on_return = "commit" }, "pool_reset_on_return")
    refused({ query_cache_size = 9 }, "query_cache_size")
    refused({ prepared_cache_size = 9 }, "prepared_cache_size")
    refused({ pool = "static" }, "another pool")
    refused({ server_version = "3.34.1" }, "server_version")
    refused({ replicas = {} }, "replicas")
    refused({ replicas = { "sqlite:///z.db" } }, "sqlite:///y.db")
    refused({ mock = core.mock() }, "mock")
    fails("ArgumentError", function() la.create_engine(url .. "?server_version=3.30", { shared = "pool_spec" }) end, "server_version")
    local mock = { shared = "pool_spec of a mock", mock = core.mock() }
    fails("ArgumentError", function() la.create_engine("mock+sqlite://", mock) end, "mock")
    assert.truthy(first)
  end)

  it("replaces a connection that is too old", function()
    local engine, mock = mocked { pool_recycle = 0 }
    engine:connect():close()
    engine:connect():close()
    local _, closed = mock:counts()
    assert.equal(1, closed)
  end)

  it("heals after the server went away", function()
    local engine, mock = mocked()
    local one, two = engine:connect(), engine:connect()
    two:close()
    mock:kill()
    local failure = fails("OperationalError", function() one:exec_driver_sql "SELECT 1" end)
    assert.is_true(failure.connection_invalidated)
    assert.is_true(one.invalidated)
    one:close()
    assert.equal(0, mock:open_connections())
    engine:begin(function(c) c:exec_driver_sql "SELECT 1" end)
    assert.same({ size = 5, idle = 1, in_use = 0, overflow = 0 }, engine:pool_status())
  end)

  it("commits what is open where that is asked for", function()
    local engine, mock = mocked { pool_reset_on_return = "commit" }
    local c = engine:connect()
    c:exec_driver_sql "INSERT INTO t"
    c:close()
    local statements = mock:statements()
    assert.equal("COMMIT", statements[#statements].sql)
  end)

  it("lets a connection go its own way", function()
    local engine, mock = mocked { pool_size = 1, max_overflow = 0, pool_timeout = 0 }
    local own = engine:connect()
    own:detach()
    assert.is_true(own.detached)
    engine:connect():close()
    assert.equal(2, mock:open_connections())
    own:close()
    assert.equal(1, mock:open_connections())
  end)

  it("tells what it does", function()
    local engine = mocked()
    local heard = {}
    for _, name in ipairs { "first_connect", "connect", "checkout", "reset", "checkin", "invalidate", "close", "close_detached" } do
      la.event.listen(engine, name, function(connection) heard[#heard + 1] = name .. (connection == nil and " -" or "") end)
    end
    local c = engine:connect()
    c:invalidate()
    c:close()
    c = engine:connect()
    c:detach()
    c:close()
    engine:connect():close()
    engine:dispose()
    assert.same({
      "first_connect", "connect", "checkout", "invalidate", "reset", "checkin", "close -",
      "connect", "checkout", "reset", "checkin", "close_detached -",
      "connect", "checkout", "reset", "checkin", "close -",
    }, heard)
  end)

  it("says why a connection was given up", function()
    local engine, mock = mocked()
    local why
    la.event.listen(engine, "invalidate", function(_, what) why = what.error end)
    local c = engine:connect()
    mock:kill()
    fails("OperationalError", function() c:exec_driver_sql "SELECT 1" end)
    assert.equal("OperationalError", why.kind)
    c:close()
  end)
end)

describe("errors", function()
  it("say whether the same may be tried again, and whether it may have happened", function()
    local engine, mock = mocked()
    local c = engine:connect()
    mock:fail(3, "OperationalError", { ends_transaction = true, sqlstate = "40001" })
    local failure = fails("OperationalError", function() c:exec_driver_sql "INSERT INTO t" end)
    assert.is_true(failure.retryable)
    c:rollback()
    c:exec_driver_sql "INSERT INTO t"
    mock:kill()
    failure = fails("OperationalError", function() c:commit() end)
    assert.is_true(failure.outcome_unknown)
    assert.is_nil(failure.retryable)
    c:close()
  end)
end)
