--- la.oracle: Oracle's words, loaded when first used.
local namespace = require "lualchemy.namespace"

return namespace "oracle"
