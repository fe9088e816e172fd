-- The floors of the house, lowest first, and the check that includes go strictly down. This list is the
-- only place where their order is written. Folders of one floor do not see each other. What lies in
-- src/ itself, the public header, is on top of the floors and beside the binding: no floor sees it.
--
-- As a program: lua tools/floors.lua [root]

local floors = {
  { "base" },
  { "schema" },
  { "sql" },
  { "engine" },
  { "orm", "migrate" },
  { "lua", "" },
}

local lua_headers = { ["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true, ["luaconf.h"] = true, ["luajit.h"] = true }

package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local csource = require "csource"

local height = {}
for floor, folders in ipairs(floors) do
  for _, folder in ipairs(folders) do height[folder] = floor end
end

local function folder_of(path)
  return path:match "^([^/]+)/" or ""
end

-- Why a file of `folder` may not include `target`; nil when it may.
local function objection(folder, target, in_quotes)
  if lua_headers[target] then
    return folder ~= "lua" and "only src/lua includes Lua's headers" or nil
  end
  if not in_quotes then return nil end
  local other = folder_of(target)
  if not height[other] or other == "" and target ~= "lualchemy.h" then return "no such floor; includes are written from src/ on" end
  if other == folder and folder ~= "" or height[other] < height[folder] then return nil end
  if target == "lualchemy.h" then return "the public header is for users of the library" end
  return height[other] == height[folder] and "the two share a floor" or "that is a floor above"
end

local function check(root)
  local complaints = {}
  local function complain(...) complaints[#complaints + 1] = string.format(...) end
  for _, path in ipairs(csource.files(root, "src", "c", "h", "def")) do
    local folder = folder_of(path:gsub("^src/", ""))
    if not height[folder] then
      complain("%s: src/%s is on no floor of tools/floors.lua", path, folder)
    else
      csource.each_line(csource.strip(csource.read(root .. "/" .. path)), function(line, number)
        local quote, target = line:match '^%s*#%s*include%s*([<"])([^>"]+)[>"]'
        local why = target and objection(folder, target, quote == '"')
        if why then complain("%s:%d: includes %s: %s", path, number, target, why) end
      end)
    end
  end
  return complaints
end

if arg[0]:find "floors%.lua$" then
  local complaints = check(arg[1] or ".")
  for _, complaint in ipairs(complaints) do print(complaint) end
  os.exit(#complaints == 0)
end

return { check = check }
