-- The specs of Core and of sessions, on a real server: those that must not hold there are named, with the reason.
local servers, house = dofile "spec/servers.lua", dofile "spec/house.lua"

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
  ["spec/core/value_spec.lua"] = {
    ["more digits than a double"] = "decimals have all of theirs",
    ["with the dialect's name"] = "another dialect", ["through the host's own"] = "JSON is checked",
  },
  ["spec/orm/session_spec.lua"] = { ["same object for the same row"] = "another placeholder" },
  ["spec/orm/transaction_spec.lua"] = { ["with everything that objects knew"] = "a sequence does not go back" },
  ["spec/orm/type_spec.lua"] = { ["made by the database"] = "SQLite's functions" },
}
local files = {}
for _, name in ipairs { "construct", "container", "lifetime", "literal", "result", "transaction", "value" } do
  files[#files + 1] = ("spec/core/%s_spec.lua"):format(name)
end
for _, name in ipairs {
  "collection", "declarative", "delete", "event", "instance", "loading", "random", "relationship", "session", "transaction", "type",
  "wait",
} do
  files[#files + 1] = ("spec/orm/%s_spec.lua"):format(name)
end

local server, why = servers.start "postgresql"

describe("PostgreSQL keeps the house:", function()
  teardown(function()
    if server then server:stop() end
  end)

  for _, file in ipairs(files) do
    it(file, function()
      if not server then return pending(why) end
      local url = ("postgresql://spec@/spec?host=%s"):format(server.folder)
      assert.equal("", house.failures(file, url, "spec/postgresql/world.lua", exceptions[file]))
    end)
  end
end)
