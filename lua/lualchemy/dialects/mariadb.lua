--- la.mariadb: MariaDB's words, which are MySQL's and some more; loaded when first used.
local namespace = require "lualchemy.namespace"
local core = require "lualchemy.core"

local mariadb = namespace("mariadb", core.exact_types "mysql")
mariadb.match = require "lualchemy.dialects.mysql".match

return mariadb
