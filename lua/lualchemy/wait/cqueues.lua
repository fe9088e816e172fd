--- Waits in the controller that runs the coroutine: la.set_wait(require "lualchemy.wait.cqueues").
-- Coroutines that no controller runs block.
local cqueues = require "cqueues"
local core = require "lualchemy.core"
local guard = require "lualchemy.wait.guard"

return function(descriptor, events, timeout)
  if not cqueues.running() then return core.sleep_until(descriptor, events, timeout) end
  if descriptor < 0 then return cqueues.sleep(timeout) end
  local polled = { pollfd = descriptor, events = events, timeout = timeout }
  -- The controller remembers descriptors; this one may be closed, and its number used again, before the next wait.
  guard(function() cqueues.cancel(descriptor) end, function() cqueues.poll(polled) end)
end
