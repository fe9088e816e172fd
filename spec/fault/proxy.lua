-- A proxy on the loopback that does what networks do: lua5.4 spec/fault/proxy.lua SOCKET|PORT, a process of its own (spec/fault/network.lua
-- starts it). Prints its port; then each line that it reads is a command, and each command is answered with a line:
--   pass                everything goes through
--   stall               nothing does any more, and nobody is told
--   cut WHERE BYTES     WHERE is down (from the server) or up: so many bytes of each connection go through, then it is reset
--   fin WHERE BYTES     likewise, but it is closed in good order
--   hold WHERE BYTES    likewise, but it stays open and silent
--   delay MILLISECONDS  what comes from the server comes later
--   drop                all connections are reset
--   refuse, accept      new connections: nobody listens, somebody does again
--   count               how many connections there are, and how many there have been
local uv = require "luv"

local target = assert(arg[1], "needs the path of the server's socket, or its port on the loopback")
local target_port = math.tointeger(tonumber(target))
local mode = { name = "pass" }
local pairs_open, made = {}, 0
local listener, port

local function close(handle)
  if handle and not handle:is_closing() then handle:close() end
end

-- Both ends of a connection; how: "reset" for the client's.
local function finish(pair, how)
  if not pairs_open[pair] then return end
  pairs_open[pair] = nil
  close(pair.up)
  if how == "reset" and not pair.down:is_closing() and pair.down:close_reset() then return end
  close(pair.down)
end

local function send(pair, to, data)
  if #data > 0 and not to:is_closing() then to:write(data, function(failed) if failed then finish(pair) end end) end
end

local function pass(pair, to, data)
  if not mode.milliseconds or to ~= pair.down then return send(pair, to, data) end
  local timer = uv.new_timer()
  timer:start(mode.milliseconds, 0, function()
    close(timer)
    if pairs_open[pair] then send(pair, to, data) end
  end)
end

-- As much as the mode lets through.
local function cut(pair, to, data)
  local left = pair.left or mode.bytes
  if #data <= left and left > 0 then
    pair.left = left - #data
    if pair.left > 0 then return send(pair, to, data) end
  end
  local function over()
    if mode.name ~= "hold" then finish(pair, mode.name == "cut" and "reset" or nil) end
  end
  if left == 0 then return over() end
  pair.left = 0
  to:write(data:sub(1, left), over)
end

local function forward(pair, from, to)
  local where = from == pair.up and "down" or "up"
  from:read_start(function(failed, data)
    if failed or not data then return mode.name ~= "stall" and finish(pair) or nil end
    if mode.name == "stall" then return end
    if mode.where == where then cut(pair, to, data) else pass(pair, to, data) end
  end)
end

local function connected()
  local pair = { down = uv.new_tcp(), up = target_port and uv.new_tcp() or uv.new_pipe(false) }
  listener:accept(pair.down)
  pair.down:nodelay(true)
  pairs_open[pair], made = true, made + 1
  local function reached(failed)
    if failed then return finish(pair, "reset") end
    if not pairs_open[pair] then return end
    forward(pair, pair.down, pair.up)
    forward(pair, pair.up, pair.down)
  end
  if target_port then pair.up:connect("127.0.0.1", target_port, reached) else pair.up:connect(target, reached) end
end

local function listen()
  listener = uv.new_tcp()
  assert(listener:bind("127.0.0.1", port or 0))
  assert(listener:listen(128, connected))
  port = listener:getsockname().port
end

local function count()
  local open = 0
  for _ in pairs(pairs_open) do open = open + 1 end
  return open
end

local function limit(name, where, bytes)
  assert(where == "down" or where == "up", "down or up?")
  for pair in pairs(pairs_open) do pair.left = nil end
  mode = { name = name, where = where, bytes = assert(math.tointeger(tonumber(bytes))) }
end

local commands = {
  pass = function() mode = { name = "pass" } end,
  stall = function() mode = { name = "stall" } end,
  cut = function(where, bytes) limit("cut", where, bytes) end,
  fin = function(where, bytes) limit("fin", where, bytes) end,
  hold = function(where, bytes) limit("hold", where, bytes) end,
  delay = function(milliseconds) mode = { name = "delay", milliseconds = assert(math.tointeger(tonumber(milliseconds))) } end,
  drop = function() for pair in pairs(pairs_open) do finish(pair, "reset") end end,
  refuse = function() close(listener) end,
  accept = listen,
  count = function() return count() .. " " .. made end,
}

local function obey(line)
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  local ok, answer = pcall(assert(commands[words[1]], "no such command"), words[2], words[3])
  uv.update_time()
  io.stdout:write(ok and (answer or "ok") or "error: " .. tostring(answer), "\n")
  io.stdout:flush()
end

local rest = ""
local input = uv.new_pipe(false)
input:open(0)
input:read_start(function(_, data)
  if not data then os.exit(0) end
  rest = rest .. data
  for line in rest:gmatch "([^\n]*)\n" do obey(line) end
  rest = rest:match "[^\n]*$"
end)
-- An end that has gone away while it is written to is no reason to go as well.
local broken = uv.new_signal()
broken:start("sigpipe", function() end)
listen()
io.stdout:write(port, "\n")
io.stdout:flush()
uv.run()
