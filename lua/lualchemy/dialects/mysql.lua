--- la.mysql: MySQL's words, loaded when first used.
local namespace = require "lualchemy.namespace"

return namespace "mysql"
