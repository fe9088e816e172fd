--- la.mssql: SQL Server's words, loaded when first used.
local namespace = require "lualchemy.namespace"

return namespace "mssql"
