-- What specs of one server share: it is started when the spec is read, and its cases are skipped by name where it is not installed.
local la = require "lualchemy"
local busted = require "busted"
local servers, own_schema = dofile "spec/servers.lua", dofile "spec/own_schema.lua"

local here = {}
here.__index = here

--- it() that needs the server.
function here:case(name, run)
  busted.it(name, function()
    if not self.url then return busted.pending(self.why) end
    run()
  end)
end

--- An engine in a schema of its own: what a case leaves behind, or a transaction that it leaves open, is in no other's way. Its options.
function here:open(options)
  self.admin = self.admin or la.create_engine(self.url, { pool = "null" })
  return la.create_engine(own_schema(self.admin, self.url), options)
end

--- For a describe(), at whose end the server of this kind is stopped: { server = of servers.start, url = of an engine; or why = the
--- reason why there is none }, and the functions above. In place of a kind, the URL of a database that needs no server.
return function(kind)
  local self = setmetatable({}, here)
  if kind:find ":" then
    self.url = kind
    return self
  end
  self.server, self.why = servers.start(kind)
  self.url = self.server and self.server:url()
  busted.teardown(function()
    if self.server then self.server:stop() end
  end)
  return self
end
