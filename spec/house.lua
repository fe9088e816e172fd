-- Runs specs of the surface, which are written for a database in memory, on a real server: each file in a process of its own, with a
-- helper that gives engines on the server in place of those in memory.
local house = {}

-- The exception that the case's name contains.
local function exception_of(exceptions, name)
  for part in pairs(exceptions) do
    if name:find(part, 1, true) then return part end
  end
end

-- What fails in TAP and is no exception, what there is no end of, and exceptions that do not fail: a list of texts.
local function complaints(lines, exceptions)
  local found, said, met, cases, planned = {}, {}, {}, 0, nil
  for line in lines do
    local result, name = line:match "^(%l*%s?ok) %d+ %- (.*)"
    planned = tonumber(line:match "^1%.%.(%d+)$") or planned
    if line:find "^==%d+==ERROR: " then found[#found + 1] = line end
    if result then
      cases = cases + 1
      local part = result ~= "ok" and exception_of(exceptions, name)
      if part then met[part] = true elseif result ~= "ok" then found[#found + 1] = name .. "\n" .. table.concat(said, "\n") end
      said = {}
    else
      said[#said + 1] = line
    end
  end
  if cases == 0 or planned ~= cases then
    found[#found + 1] = ("stopped after %d cases\n%s"):format(cases, table.concat(said, "\n"))
    return found
  end
  for part, why in pairs(exceptions) do
    if not met[part] then found[#found + 1] = ("'%s' is an exception (%s), but nothing of that name fails"):format(part, why) end
  end
  return found
end

--- What fails in the file and is no exception ({ [part of a case's name] = why }), with what is said of it; "" when all is well. A file
-- that does not come to its end, and an exception that does not fail, is a failure too.
function house.failures(file, url, helper, exceptions)
  local lua = arg and arg[-1] or "lua5.4"
  local command = ("SPEC_URL='%s' timeout 300 %s \"$(command -v busted)\" -o tools/tap.lua --cpath=%s --helper=%s %s 2>&1"):format(
    url, lua, (os.getenv "LUA_CPATH" or "build/release/?.so"):match "[^;]+", helper, file)
  local pipe = assert(io.popen(command))
  local found = complaints(pipe:lines(), exceptions or {})
  pipe:close()
  return table.concat(found, "\n")
end

return house
