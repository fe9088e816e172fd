--- Waits of a loop that is run by frames, a game's, with no library at all:
--
--   local frame = require "lualchemy.wait.frame"
--   la.set_wait(frame.wait)
--   frame.start(function() … session:get(Player, 1) … end)     -- any coroutine will do
--   while playing do … frame.update() … end                    -- goes on with those whose wait is over, and never sleeps
local core = require "lualchemy.core"
local guard = require "lualchemy.wait.guard"

local frame = {}
local waiting = {}   -- in the order of their waits: { thread, descriptor, events, deadline, over }

local function remove(one)
  for i = #waiting, 1, -1 do
    if waiting[i] == one then return table.remove(waiting, i) end
  end
end

--- The function for la.set_wait, or for an engine's option `wait`.
function frame.wait(descriptor, events, timeout)
  local deadline = timeout and core.clock() + timeout * 1e9
  local one = { thread = coroutine.running(), descriptor = descriptor, events = events, deadline = deadline }
  waiting[#waiting + 1] = one
  guard(function() remove(one) end, function()
    while not one.over do coroutine.yield() end
  end)
end

-- Those whose wait is over, after at most so many seconds; they do not wait any more.
local function take_ready(seconds)
  local asked, places = {}, {}
  for i, one in ipairs(waiting) do
    if one.descriptor >= 0 then
      asked[#asked + 1] = one.descriptor
      asked[#asked + 1] = one.events
      places[#asked / 2] = i
    end
    if one.deadline then seconds = math.max(0, math.min(seconds, (one.deadline - core.clock()) / 1e9)) end
  end
  local now_ready, ready = core.poll(asked, seconds), {}
  for _, place in ipairs(now_ready) do waiting[places[place]].over = true end
  local now = core.clock()
  for _, one in ipairs(waiting) do
    one.over = one.over or one.deadline ~= nil and now >= one.deadline
    if one.over then ready[#ready + 1] = one end
  end
  for _, one in ipairs(ready) do remove(one) end
  return ready
end

local function resume(thread, ...)
  local ok, failure = coroutine.resume(thread, ...)
  if not ok then error(failure, 0) end
end

--- Resumes the coroutines whose wait is over, in the order in which they began to wait; what fails in one of them is raised here, after
-- the others have had their turn. seconds: sleeps so long at most until one is ready; 0 where nothing is said. Answers how many wait.
function frame.update(seconds)
  local failed, failure = false, nil
  for _, one in ipairs(take_ready(seconds or 0)) do
    if coroutine.status(one.thread) == "suspended" then
      local ok, what = pcall(resume, one.thread)
      if not ok and not failed then failed, failure = true, what end
    end
  end
  if failed then error(failure, 0) end
  return #waiting
end

--- Runs a function in a coroutine of its own, until it waits for the first time. Answers the coroutine.
function frame.start(fn, ...)
  local thread = coroutine.create(fn)
  resume(thread, ...)
  return thread
end

--- How many coroutines wait.
function frame.count() return #waiting end

return frame
