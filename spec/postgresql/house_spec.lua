-- The specs of Core and of sessions, on a real server: those that must not hold there are named, with the reason.
local house = dofile "spec/house.lua"

house.on_server("postgresql", "PostgreSQL", {
  core = { "construct", "container", "lifetime", "literal", "result", "transaction", "value" },
  orm = {
    "collection", "declarative", "delete", "eager", "event", "instance", "loading", "random", "relationship", "session",
    "transaction", "type", "wait",
  },
}, {
  ["spec/core/container_spec.lua"] = { ["get on JSON finds what is there"] = "json has no equality" },
  ["spec/core/literal_spec.lua"] = { ["is read by SQLite"] = "SQLite's literals" },
  ["spec/core/result_spec.lua"] = { ["what was written"] = "lastrowid", ["what the engine would run"] = "another placeholder" },
  ["spec/orm/session_spec.lua"] = { ["same object for the same row"] = "another placeholder" },
})
