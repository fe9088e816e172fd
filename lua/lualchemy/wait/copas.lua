--- Waits in copas: la.set_wait(require "lualchemy.wait.copas"). Coroutines must be copas's own (copas.addthread).
-- Copas selects among things that can be read or written and knows no others, so a wait is a client that has nothing to read
-- until it is over.
-- What select cannot tell, a timeout or either of two events, is looked at with each step of the loop: give it a timeout,
-- copas.loop(0.05).
local copas = require "copas"
local socket = require "socket"

local never   -- a socket that nothing comes to, for waits of time alone

local function client(descriptor, deadline, either)
  if descriptor < 0 then
    never = never or assert((socket.udp4 or socket.udp)())
    descriptor = never:getfd()
  end
  local plain = { getfd = function() return descriptor end, dirty = function() return false end }
  local self = { asked = false }
  function self.getfd() return descriptor end
  -- What is dirty is ready at once.
  function self.dirty()
    if deadline and socket.gettime() >= deadline then return true end
    if not either then return false end
    local _, writable = socket.select(nil, { plain }, 0)
    return writable[1] ~= nil
  end
  local function once(me)
    if me.asked then return true end
    me.asked = true
    return nil, "timeout"
  end
  self.receive = once
  function self.close() end   -- copas closes what its coroutine waited for last
  function self.send(me, _, from)
    local ready, failure = once(me)
    return ready and from or nil, failure, from
  end
  return self
end

return function(descriptor, events, timeout)
  local deadline = timeout and socket.gettime() + timeout
  if events == "w" and descriptor >= 0 and not deadline then return copas.send(client(descriptor), " ") end
  copas.receive(client(descriptor, deadline, events ~= "r" and descriptor >= 0), 1)
end
