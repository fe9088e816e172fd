-- The specs of Core and of sessions, on a real server: those that must not hold there are named, with the reason.
local servers = dofile "spec/servers.lua"

-- [file] = { [part of a case's name] = why it holds for SQLite alone }
local exceptions = {
  ["spec/core/container_spec.lua"] = { ["get on JSON finds what is there"] = "json has no equality" },
  ["spec/core/literal_spec.lua"] = { ["is read by SQLite"] = "SQLite's literals" },
  ["spec/core/result_spec.lua"] = {
    ["what was written"] = "lastrowid",
    ["follows a text's columns"] = "columns without types",
    ["can be read"] = "another kind of pool",
    ["what the engine would run"] = "another placeholder",
  },
  ["spec/core/transaction_spec.lua"] = { ["rolls back and raises"] = "SQLite's message", ["whose commit fails"] = "SQLite's keys" },
  ["spec/orm/session_spec.lua"] = { ["same object for the same row"] = "another placeholder" },
  ["spec/orm/transaction_spec.lua"] = { ["with everything that objects knew"] = "a sequence does not go back" },
  ["spec/orm/type_spec.lua"] = { ["made by the database"] = "SQLite's functions" },
}
local files = {}
for _, name in ipairs { "construct", "container", "lifetime", "literal", "result", "transaction" } do
  files[#files + 1] = ("spec/core/%s_spec.lua"):format(name)
end
for _, name in ipairs {
  "collection", "declarative", "delete", "event", "instance", "loading", "random", "relationship", "session", "transaction", "type",
  "wait",
} do
  files[#files + 1] = ("spec/orm/%s_spec.lua"):format(name)
end

local server, why = servers.start "postgresql"

local function is_exception(file, name)
  for part in pairs(exceptions[file] or {}) do
    if name:find(part, 1, true) then return true end
  end
end

-- What fails and should not, with what is said of it.
local function failures(file)
  local lua = arg and arg[-1] or "lua5.4"
  local modules = (os.getenv "LUA_CPATH" or "build/release/?.so"):match "[^;]+"
  local command = ([[SPEC_URL='postgresql://spec@/spec?host=%s' timeout 300 %s "$(command -v busted)" -o tools/tap.lua --cpath=%s]]
    .. " --helper=spec/postgresql/world.lua %s 2>&1"):format(server.folder, lua, modules, file)
  local pipe = assert(io.popen(command))
  local found, said, cases = {}, {}, 0
  for line in pipe:lines() do
    local result, name = line:match "^(%l*%s?ok) %d+ %- (.*)"
    if result == "ok" then
      cases, said = cases + 1, {}
    elseif result then
      cases = cases + 1
      if not is_exception(file, name) then found[#found + 1] = name .. "\n" .. table.concat(said, "\n") end
      said = {}
    else
      said[#said + 1] = line
    end
  end
  pipe:close()
  if cases == 0 then found[1] = "no case of " .. file .. " ran\n" .. table.concat(said, "\n") end
  return table.concat(found, "\n")
end

describe("PostgreSQL keeps the house:", function()
  teardown(function()
    if server then server:stop() end
  end)

  for _, file in ipairs(files) do
    it(file, function()
      if not server then return pending(why) end
      assert.equal("", failures(file))
    end)
  end
end)
