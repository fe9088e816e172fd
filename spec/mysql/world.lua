-- A helper of busted (--helper): engines that specs make for a database in memory are made for the server that SPEC_URL names, each with
-- a database of its own there.
local la = require "lualchemy"
local create, url = la.create_engine, assert(os.getenv "SPEC_URL")
local admin = create(url)
local memory = { ["sqlite://"] = true, ["sqlite:///:memory:"] = true }

function la.create_engine(given, options)
  if not memory[given] then return create(given, options) end
  local connection = admin:connect()
  local count = connection:scalar(la.text "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'house%'")
  connection:execute(la.text("CREATE DATABASE house" .. count))
  connection:close()
  return create((url:gsub("/spec%?", "/house" .. count .. "?")), options)
end
