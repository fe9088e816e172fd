-- Runs specs of the surface, which are written for a database in memory, on a real server: each file in a process of its own, with a
-- helper that gives engines on the server in place of those in memory.
local house = {}

local function is_exception(exceptions, name)
  for part in pairs(exceptions or {}) do
    if name:find(part, 1, true) then return true end
  end
end

--- What fails in the file and is no exception ({ [part of a case's name] = why }), with what is said of it; "" when all is well.
function house.failures(file, url, helper, exceptions)
  local lua = arg and arg[-1] or "lua5.4"
  local command = ("SPEC_URL='%s' timeout 300 %s \"$(command -v busted)\" -o tools/tap.lua --cpath=%s --helper=%s %s 2>&1"):format(
    url, lua, (os.getenv "LUA_CPATH" or "build/release/?.so"):match "[^;]+", helper, file)
  local pipe = assert(io.popen(command))
  local found, said, cases = {}, {}, 0
  for line in pipe:lines() do
    local result, name = line:match "^(%l*%s?ok) %d+ %- (.*)"
    if result then
      cases = cases + 1
      if result ~= "ok" and not is_exception(exceptions, name) then found[#found + 1] = name .. "\n" .. table.concat(said, "\n") end
      said = {}
    else
      said[#said + 1] = line
    end
  end
  pipe:close()
  if cases == 0 then found[1] = "no case of " .. file .. " ran\n" .. table.concat(said, "\n") end
  return table.concat(found, "\n")
end

return house
