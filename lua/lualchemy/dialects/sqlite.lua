--- la.sqlite: SQLite's words, loaded when first used.
local namespace = require "lualchemy.namespace"

return namespace "sqlite"
