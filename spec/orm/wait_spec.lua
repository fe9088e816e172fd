-- luacheck: no max line length
-- A session in a coroutine yields while the database works; several of them take turns.
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local run = dofile("spec/core/world.lua").in_coroutine

local _, Team = shared.pair()

local function mocked(teams)
  return shared.waiting_pair({ times = 5, rows = teams or { { 1, "Red" }, { 2, "Blue" } } },
    { times = 1, rows = { { 1, "Ann", 1, 1 }, { 2, "Bo", 1, 1 }, { 3, "Cy", 2, 2 } } })
end

describe("a session in a coroutine", function()
  shared.collecting_waits(before_each, after_each)

  local function step(thread)
    local ok, value = coroutine.resume(thread)
    if not ok then error(value, 0) end
    return coroutine.status(thread) ~= "dead", value
  end

  local function work(session)
    local teams = session:scalars(la.select(Team)):all()
    assert.equal(2, #teams)
    assert.equal("Ann", teams[1].players[1].name)
    assert.equal(2, #teams[1].players)
    assert.equal(teams[2], teams[2].players[1].team)
    teams[1].name = "Rot"
    table.insert(teams[2].players, teams[1].players[2])
    session:flush()
    session:commit()
    return #teams[2].players
  end

  it("yields in queries, lazy loads, flush and commit", function()
    local engine = mocked()
    local session = la.Session(engine, { expire_on_commit = false })
    local count, yields = run(function() return work(session) end)
    assert.equal(2, count)
    assert.is_true(yields >= 8, tostring(yields))
    assert.equal(0, engine:pool_status().in_use)
  end)

  it("yields in get, refresh, savepoints and expired attributes", function()
    local session = la.Session(mocked{ { 1, "Red" } })
    local name, yields = run(function()
      local red = session:get(Team, 1)
      session:refresh(red)
      session:expire(red)
      local nested = session:begin_nested()
      local seen = red.name
      nested:rollback()
      return session:transaction(function() return seen end)
    end)
    assert.equal("Red", name)
    assert.is_true(yields >= 6, tostring(yields))
    session:rollback()
  end)

  it("takes turns with others", function()
    local threads = {}
    for i = 1, 5 do
      local session = la.Session(mocked(), { expire_on_commit = false })
      threads[i] = coroutine.create(function()
        assert.equal(2, work(session))
        collectgarbage()
      end)
    end
    local turns = 0
    while #threads > 0 do
      for i = #threads, 1, -1 do
        if not step(threads[i]) then table.remove(threads, i) end
        turns = turns + 1
        if turns % 7 == 0 then collectgarbage() end
      end
    end
    assert.is_true(turns > 40)
  end)

  it("can be forgotten in the midst of its work", function()
    do
      local session = la.Session(mocked())
      local thread = coroutine.create(function() work(session) end)
      for _ = 1, 6 do step(thread) end
    end
    collectgarbage()
    collectgarbage()
  end)

  it("blocks outside of coroutines", function()
    local session = la.Session(mocked(), { expire_on_commit = false })
    assert.equal(2, work(session))
  end)
end)
