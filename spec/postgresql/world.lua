-- A helper of busted (--helper): engines that specs make for a database in memory are made for the server that SPEC_URL names, each with
-- a schema of its own.
local la = require "lualchemy"
local create, url = la.create_engine, assert(os.getenv "SPEC_URL")
local admin = create(url)
local memory = { ["sqlite://"] = true, ["sqlite:///:memory:"] = true }

function la.create_engine(given, options)
  if not memory[given] then return create(given, options) end
  local connection = admin:connect()
  local schema = connection:scalar(la.text [[
    SELECT 's' || coalesce(max(substr(nspname, 2)\:\:int), 0) + 1 FROM pg_namespace WHERE nspname ~ '^s[0-9]+$']])
  connection:execute(la.text("CREATE SCHEMA " .. schema))
  connection:commit()
  connection:close()
  return create(url .. "&options=-csearch_path%3D" .. schema, options)
end
