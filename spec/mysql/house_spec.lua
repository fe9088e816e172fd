-- The specs of Core and of sessions, on a real MariaDB: those that must not hold there are named, with the reason.
local house = dofile "spec/house.lua"

house.on_server("mariadb", "MariaDB", {
  core = { "construct", "container", "event", "lifetime", "result", "statement", "transaction", "type", "value" },
  orm = {
    "collection", "declarative", "delete", "eager", "event", "instance", "loading", "random", "relationship", "session",
    "transaction", "type",
  },
}, {
  ["spec/core/construct_spec.lua"] = { ["SQL of its own goes into"] = "a text without a length" },
  ["spec/core/container_spec.lua"] = { ["get on JSON finds"] = "JSON with spaces" },
  ["spec/core/event_spec.lua"] = {
    ["set a new connection up"] = "columns without types", ["use the connection that"] = "SQLite's message",
    ["echo is a function"] = "columns without types",
  },
  ["spec/core/result_spec.lua"] = { ["tells what was written"] = "counters leave gaps behind many rows at once" },
  ["spec/core/value_spec.lua"] = { ["round trips of uuid"] = "no UUID of a variant that RFC 4122 does not know" },
  ["spec/orm/delete_spec.lua"] = {
    ["its new target's old one"] = "texts with ||", ["shown by a plan"] = "texts with ||",
    ["by a listener to before_flush"] = "texts with ||",
  },
  ["spec/orm/transaction_spec.lua"] = { ["go on after a failed flush"] = "the table of a key is not told" },
})
