-- A helper of busted (--helper): engines that specs make for a database in memory are made for the server that SPEC_URL names, each with
-- a schema of its own there.
local la = require "lualchemy"
local own_schema = dofile "spec/own_schema.lua"
local create, url = la.create_engine, assert(os.getenv "SPEC_URL")
local admin = create(url)
local memory = { ["sqlite://"] = true, ["sqlite:///:memory:"] = true }

function la.create_engine(given, options)
  if not memory[given] then return create(given, options) end
  return create(own_schema(admin, url), options)
end
