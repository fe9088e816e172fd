-- Every round trip may wait: with la.set_wait a coroutine yields meanwhile; elsewhere the call blocks.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local run, mocked = world.in_coroutine, world.mocked

local function answer(mock)
  mock:answer { pattern = "FROM teams", columns = { "id", "name" }, rows = { { 1, "Red" }, { 2, "Blue" } } }
end

local function busy(mock)
  return mock:wait("connect", 2):wait("start", 1):wait("row", 1)
end

describe("waits", function()
  local w = world.tables()
  local waits
  before_each(function()
    waits = {}
    la.set_wait(function(descriptor, events, timeout)
      waits[#waits + 1] = { descriptor, events, timeout }
      coroutine.yield "waiting"
    end)
  end)
  after_each(function() la.set_wait(nil) end)

  it("yield in connect, execute, rows, begin and commit", function()
    local engine, mock = mocked()
    busy(mock)
    answer(mock)
    local names, yields = run(function()
      return engine:begin(function(c)
        local seen = {}
        for row in c:execute(la.select(w.teams)) do seen[#seen + 1] = row.name end
        c:execute(w.teams:insert(), { { name = "a" }, { name = "b" } })
        return seen
      end)
    end)
    assert.same({ "Red", "Blue" }, names)
    assert.is_true(yields >= 8, tostring(yields))
    assert.equal(yields, #waits)
    for _, wait in ipairs(waits) do
      assert.equal("integer", math.type(wait[1]))
      assert.truthy(wait[2]:find "^r?w?$")
    end
    assert.equal(0, engine:pool_status().in_use)
  end)

  it("yield in every way of reading", function()
    local ways = {
      all = function(r) return #r:all() end,
      first = function(r) return r:first().name end,
      scalars = function(r) return r:scalars(2):all()[2] end,
      mappings = function(r) return r:mappings():all()[1].name end,
      partitions = function(r) local n = 0 for rows in r:partitions(1) do n = n + #rows end return n end,
      tuples = function(r) local last for _, _, name in r:tuples() do last = name end return last end,
      fetchone = function(r) r:fetchone() return r:fetchone().name end,
      unique = function(r) return #r:unique():all() end,
    }
    local expected = { all = 2, first = "Red", scalars = "Blue", mappings = "Red", partitions = 2, tuples = "Blue", fetchone = "Blue", unique = 2 }
    for name, way in pairs(ways) do
      local engine, mock = mocked()
      mock:wait("start", 1):wait("row", 1)
      answer(mock)
      local value, yields = run(function()
        local c <close> = engine:connect()
        return way(c:execute(la.select(w.teams)))
      end)
      assert.equal(expected[name], value, name)
      assert.is_true(yields >= 1, name)
    end
  end)

  it("of two coroutines go on side by side", function()
    local engine, mock = mocked()
    busy(mock)
    answer(mock)
    answer(mock)
    local function worker()
      local c <close> = engine:connect()
      return #c:execute(la.select(w.teams)):all()
    end
    local one, other, done = coroutine.create(worker), coroutine.create(worker), {}
    while #done < 2 do
      for _, thread in ipairs { one, other } do
        if coroutine.status(thread) ~= "dead" then
          local ok, value = coroutine.resume(thread)
          assert(ok, value)
          if coroutine.status(thread) == "dead" then done[#done + 1] = value end
        end
      end
    end
    assert.same({ 2, 2 }, done)
  end)

  it("block outside a coroutine, and where there is no hook", function()
    local engine, mock = mocked()
    busy(mock)
    answer(mock)
    local c <close> = engine:connect()
    assert.equal(2, #c:execute(la.select(w.teams)):all())
    assert.equal(0, #waits)
    la.set_wait(nil)
    answer(mock)
    assert.equal(2, coroutine.wrap(function() return #c:execute(la.select(w.teams)):all() end)())
  end)

  it("that are never finished leave nothing behind", function()
    local engine, mock = mocked()
    busy(mock)
    do
      local thread = coroutine.create(function() return engine:connect() end)
      assert(coroutine.resume(thread))
      assert.equal("suspended", coroutine.status(thread))
    end
    collectgarbage()
    collectgarbage()
    assert.equal(0, engine:pool_status().in_use)
  end)

  it("whose hook raises let the error out, and the connection can be closed", function()
    local engine, mock = mocked()
    mock:wait("start", 1)
    la.set_wait(function() error "no time" end)
    coroutine.wrap(function()
      local c = engine:connect()
      local ok, failure = pcall(c.execute, c, la.select(w.teams))
      assert.is_false(ok)
      assert.truthy(tostring(failure):find "no time")
      c:close()
    end)()
    assert.equal(0, engine:pool_status().in_use)
  end)

  it("are set by a function, and by nothing else", function()
    world.fails("ArgumentError", function() la.set_wait(5) end, "a function")
  end)
end)
