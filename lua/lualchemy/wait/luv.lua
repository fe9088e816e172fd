--- Waits in libuv's loop: la.set_wait(require "lualchemy.wait.luv"). Coroutines that use the library then let others go on
-- for as long as uv.run() (or the host of the loop) runs. A coroutine that fails after a wait raises in the loop's callback.
local uv = require "luv"
local guard = require "lualchemy.wait.guard"

local function resume(thread)
  if coroutine.status(thread) ~= "suspended" then return end
  local ok, failure = coroutine.resume(thread)
  if not ok then error(failure, 0) end
end

-- A handle that watches the descriptor, and one that watches the time, as far as each is wanted.
local function register(descriptor, events, timeout, wake)
  local handles = {}
  if descriptor >= 0 then
    handles[1] = assert(uv.new_poll(descriptor))
    assert(handles[1]:start(events, wake))
  end
  if timeout then
    handles[#handles + 1] = assert(uv.new_timer())
    uv.update_time()
    handles[#handles]:start(math.ceil(timeout * 1000), 0, wake)
  end
  return handles
end

return function(descriptor, events, timeout)
  local thread, over, handles = coroutine.running(), false, nil
  local function finish()
    over = true
    for i = #handles, 1, -1 do
      handles[i]:close()
      handles[i] = nil
    end
  end
  handles = register(descriptor, events, timeout, function()
    if over then return end
    finish()
    resume(thread)
  end)
  guard(finish, function()
    while not over do coroutine.yield() end
  end)
end
