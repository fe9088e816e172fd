-- The specs of Core and of sessions, on a real MariaDB: those that must not hold there are named, with the reason.
-- luacheck: no max line length
local servers, house = dofile "spec/servers.lua", dofile "spec/house.lua"

-- [file] = { [part of a case's name] = why it holds for SQLite alone }
local exceptions = {
  ["spec/core/construct_spec.lua"] = { ["SQL of its own goes into"] = "a text without a length" },
  ["spec/core/container_spec.lua"] = { ["get on JSON finds"] = "JSON with spaces" },
  ["spec/core/event_spec.lua"] = { ["set a new connection up"] = "columns without types", ["use the connection that"] = "SQLite's message", ["echo is a function"] = "columns without types" },
  ["spec/core/result_spec.lua"] = { ["follows a text's columns"] = "columns without types", ["can be read"] = "another kind of pool", ["tells what was written"] = "counters leave gaps behind many rows at once" },
  ["spec/core/transaction_spec.lua"] = { ["rolls back and raises"] = "SQLite's message", ["whose commit fails"] = "deferred keys" },
  ["spec/core/value_spec.lua"] = {
    ["more digits than a double"] = "decimals have all of theirs", ["round trips of uuid"] = "no UUID of a variant that RFC 4122 does not know",
    ["with the dialect's name"] = "another dialect", ["through the host's own"] = "JSON is checked",
  },
  ["spec/orm/delete_spec.lua"] = {
    ["its new target's old one"] = "texts with ||", ["shown by a plan"] = "texts with ||", ["by a listener to before_flush"] = "texts with ||",
  },
  ["spec/orm/transaction_spec.lua"] = { ["with everything that objects knew"] = "a counter does not go back", ["go on after a failed flush"] = "the table of a key is not told" },
  ["spec/orm/type_spec.lua"] = { ["made by the database"] = "SQLite's functions" },
}
local files = {
  "spec/core/construct_spec.lua", "spec/core/container_spec.lua", "spec/core/event_spec.lua", "spec/core/lifetime_spec.lua", "spec/core/result_spec.lua", "spec/core/statement_spec.lua",
  "spec/core/transaction_spec.lua", "spec/core/type_spec.lua", "spec/core/value_spec.lua",
  "spec/orm/collection_spec.lua", "spec/orm/declarative_spec.lua", "spec/orm/delete_spec.lua", "spec/orm/event_spec.lua", "spec/orm/instance_spec.lua", "spec/orm/loading_spec.lua",
  "spec/orm/random_spec.lua", "spec/orm/relationship_spec.lua", "spec/orm/session_spec.lua", "spec/orm/transaction_spec.lua", "spec/orm/type_spec.lua",
}

local server, why = servers.start "mariadb"

describe("MariaDB keeps the house:", function()
  teardown(function()
    if server then server:stop() end
  end)

  for _, file in ipairs(files) do
    it(file, function()
      if not server then return pending(why) end
      local failures = house.failures(file, ("mariadb://spec@/spec?unix_socket=%s/mariadb.sock"):format(server.folder), "spec/mysql/world.lua", exceptions[file])
      assert.equal("", failures)
    end)
  end
end)
