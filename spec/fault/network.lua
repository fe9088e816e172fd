-- The proxy of spec/fault/proxy.lua, as its specs see it. nil and why where there is no loop to run it in.
local network = {}
local has_loop = pcall(require, "luv")   -- at once: the loop has descriptors of its own
network.__index = network
network.__close = function(self) self:close() end

--- A proxy before the server whose socket, or port on the loopback, this is.
function network.open(target)
  if not has_loop then return nil, "needs lua-luv, which is not here" end
  local fifo = os.tmpname()
  assert(os.remove(fifo))
  assert(os.execute("mkfifo " .. fifo))
  local self = setmetatable({}, network)
  -- without what a spec may have loaded before its own libraries
  local command = "env -u LD_PRELOAD %s spec/fault/proxy.lua '%s' >%s"
  self.input = assert(io.popen(command:format(arg and arg[-1] or "lua5.4", target, fifo), "w"))
  self.output = assert(io.open(fifo))
  os.remove(fifo)
  self.port = assert(math.tointeger(tonumber(self.output:read "l")))
  return self
end

--- A command, when it has been obeyed: what was answered.
function network:tell(...)
  self.input:write(table.concat({ ... }, " "), "\n")
  self.input:flush()
  local answer = assert(self.output:read "l", "the proxy is gone")
  assert(not answer:find "^error", answer)
  return answer
end

--- How many connections go through it, and how many have.
function network:count()
  local open, made = self:tell("count"):match "(%d+) (%d+)"
  return tonumber(open), tonumber(made)
end

function network:close()
  self.input:close()
  self.output:close()
end

return network
