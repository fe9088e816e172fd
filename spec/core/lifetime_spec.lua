-- States that close with things open, in any order: each script runs in a Lua of its own.
-- luacheck: no max line length
local lua = os.getenv "LUA" or "lua5.4"

local prelude = [[
local la = require "lualchemy"
local metadata = la.MetaData()
local t = la.Table{ "t", metadata, la.Column{ "id", la.Integer, primary_key = true }, la.Column{ "x", la.Integer } }
local engine = la.create_engine "sqlite://"
metadata:create_all(engine)
local conn = engine:connect()
conn:execute(t:insert(), { { x = 1 }, { x = 2 }, { x = 3 } })
]]

local scripts = {
  ["an open transaction"] = "tx = conn:begin_nested() os.exit(true, true)",
  ["an open result in the middle"] = "result = conn:execute(la.select(t)) result:fetchone() os.exit(true, true)",
  ["everything global"] = "_G.t, _G.engine, _G.conn, _G.metadata = t, engine, conn, metadata result = conn:execute(la.select(t)) os.exit(true, true)",
  ["a listener that holds the engine"] = "la.event.listen(engine, 'rollback', function() return engine end) conn:execute(t:insert(), { x = 4 }) os.exit(true, true)",
  ["a suspended coroutine"] = "co = coroutine.create(function() engine:begin(function(c) coroutine.yield() end) end) coroutine.resume(co) os.exit(true, true)",
  ["an error that nobody caught"] = "local ok = pcall(function() local r <close> = conn:execute(la.select(t)) error 'x' end) os.exit(not ok, true)",
  ["a table with __gc that uses the library last"] = "setmetatable({}, { __gc = function() pcall(function() return conn:execute(la.select(t)):all() end) end }) os.exit(true, true)",
  ["a module loaded twice"] = [[
    package.loaded["lualchemy.core"] = nil
    assert(require "lualchemy.core" == require "lualchemy.core")
    assert(#conn:execute(la.select(t)):all() == 3)
    os.exit(true, true)]],
  ["collections in between"] = [[
    collectgarbage("setpause", 0)
    for i = 1, 200 do
      conn:execute(la.select(t):where(t.c.x:in_{ 1, la.null, i })):first()
      local other = engine:connect() other:execute(la.select(t))
      if i % 20 == 0 then collectgarbage() end
    end
    os.exit(true, true)]],
}

describe("a state closes with", function()
  for name, script in pairs(scripts) do
    it(name, function()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(prelude, script, "\n")
      file:close()
      local pipe = assert(io.popen(("%s -e 'package.path, package.cpath = %s' %s 2>&1; echo \"status $?\""):format(
        lua, ("%q, %q"):format(package.path, package.cpath):gsub("'", "'\\''"), path)))
      local output = pipe:read "*a"
      pipe:close()
      os.remove(path)
      assert.equal("status 0\n", output)
    end)
  end
end)
