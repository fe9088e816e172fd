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
-- that does not come to its end, and an exception that does not fail, is a failure too. On SQLite no servers are started.
function house.failures(file, url, helper, exceptions)
  local lua = arg and arg[-1] or "lua5.4"
  local servers = url:find "^sqlite" and "SPEC_SERVERS=none " or ""
  local command = ("%sSPEC_URL='%s' timeout 600 %s \"$(command -v busted)\" -o tools/tap.lua --cpath=%s --helper=%s %s 2>&1"):format(
    servers, url, lua, (os.getenv "LUA_CPATH" or "build/release/?.so"):match "[^;]+", helper, file)
  local pipe = assert(io.popen(command))
  local found = complaints(pipe:lines(), exceptions or {})
  pipe:close()
  return table.concat(found, "\n")
end

-- What holds for SQLite alone, whichever server the specs run on: [file] = { [part of a case's name] = why }
local of_sqlite = {
  ["spec/core/result_spec.lua"] = { ["follows a text's columns"] = "columns without types", ["can be read"] = "another kind of pool" },
  ["spec/core/transaction_spec.lua"] = { ["rolls back and raises"] = "SQLite's message", ["whose commit fails"] = "deferred keys" },
  ["spec/core/value_spec.lua"] = {
    ["more digits than a double"] = "decimals have all of theirs", ["with the dialect's name"] = "another dialect",
    ["through the host's own"] = "JSON is checked",
  },
  ["spec/orm/transaction_spec.lua"] = { ["with everything that objects knew"] = "a counter does not go back" },
  ["spec/orm/type_spec.lua"] = { ["made by the database"] = "SQLite's functions" },
}

--- describe() for a server of this kind: these specs of "core" and "orm" by their names, with further exceptions, which are the server's
--- own, in the form of of_sqlite.
function house.on_server(kind, title, names, exceptions)
  local busted, on_server = require "busted", dofile "spec/on_server.lua"
  busted.describe(title .. " keeps the house:", function()
    local here = on_server(kind)
    for _, folder in ipairs { "core", "orm" } do
      for _, name in ipairs(names[folder]) do
        local file, all = ("spec/%s/%s_spec.lua"):format(folder, name), {}
        for _, list in ipairs { of_sqlite[file] or {}, exceptions[file] or {} } do
          for part, why in pairs(list) do all[part] = why end
        end
        here:case(file, function() require("luassert").equal("", house.failures(file, here.url, "spec/house_server.lua", all)) end)
      end
    end
  end)
end

return house
