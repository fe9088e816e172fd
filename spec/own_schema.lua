-- Schemas of their own on a server, in which specs are in nobody's way.
local la = require "lualchemy"

-- [what a URL begins with] = the URL of the server with the schema as the one where tables are
local within = {
  postgresql = function(url, schema) return ("%s&options=-csearch_path%%3D%s"):format(url, schema) end,
  mariadb = function(url, schema) return (url:gsub("/spec%?", "/" .. schema .. "?")) end,
}
within.mysql = within.mariadb

--- Makes one by an engine on the server of the URL: the URL of it.
return function(admin, url)
  local connection <close> = admin:connect()
  local count = connection:scalar(la.text "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'own%'")
  local schema = "own" .. count
  connection:execute(la.text("CREATE SCHEMA " .. schema))
  connection:commit()
  return within[url:match "^%l+"](url, schema)
end
