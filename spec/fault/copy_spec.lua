-- COPY whose session ends, or whose network breaks, in the middle: all of it or nothing, and the pool heals.
local la = require "lualchemy"
local world = dofile "spec/fault/world.lua"

describe("a COPY", function()
  local here, why, accounts
  setup(function()
    here, why = world.place "postgresql"
    if not here then return end
    local has_network, without = here:needs_network()
    why = not has_network and without or nil
    accounts = here:accounts(2)
  end)
  teardown(function() if here then here:close() end end)

  local function case(name, run)
    it(name, function()
      if why then return pending(why) end
      here.network:tell "pass"
      local engine = here:open_far()
      local ok, failure = pcall(engine.begin, engine, function(c)
        c:execute(accounts:update():values { balance = 0 })
        run(c, here:session_of(c))
      end)
      here.network:tell "pass"
      assert(not ok and la.is_error(failure), tostring(failure))
      assert.equal("OperationalError", failure.kind)
      assert.is_true(failure.connection_invalidated, tostring(failure))
      assert.is_nil(failure.outcome_unknown)
      assert.equal(0, engine:pool_status().in_use)
      engine:begin(function(c) assert.equal(0, c:copy_from(accounts, function() end)) end)
      engine:dispose()
      assert.equal(2, here:ask "select count(*) from accounts")
      assert.equal(200, here:ask "select sum(balance) from accounts")
    end)
  end

  -- Rows without end, well-nigh; at the n-th something happens.
  local function rows(n, happens)
    local id = 10
    return function()
      id = id + 1
      if id == n then happens() end
      if id < 2000000 then return { id, 1 } end
    end
  end

  for _, n in ipairs { 11, 5000 } do
    case("in whose session is ended at row " .. n, function(c, session)
      c:copy_from(accounts, rows(n, function() here:kill_session(session) end))
    end)

    case("in that is cut at row " .. n, function(c)
      c:copy_from(accounts, rows(n, function() here.network:tell "drop" end))
    end)
  end

  case("out that is cut", function(c)
    here.network:tell("cut", "down", 100000)
    local taken = 0
    for _ in c:copy_to(la.text "SELECT i AS n FROM generate_series(1, 1000000) AS g(i)") do
      taken = taken + 1
    end
    error("all " .. taken .. " came", 0)
  end)
end)
