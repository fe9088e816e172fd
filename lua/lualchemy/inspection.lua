--- la.inspect: what lualchemy knows of something, by its kind.
local core = require "lualchemy.core"
local models = require "lualchemy.orm.inspect"

local inspection = {}

local Inspector = { __name = "Inspector" }
Inspector.__index = Inspector

local function with_connection(self, fn)
  if core.is_engine(self.bind) then return self.bind:begin(fn) end
  return fn(self.bind)
end

--- has_table(name [, schema]): is there such a table or view?
function Inspector:has_table(name, schema)
  return with_connection(self, function(connection) return connection:has_table(name, schema) end)
end

--- inspect(engine or connection): has_table. inspect(model), inspect(object), …: what the ORM knows. A table or an
-- expression is its own description.
function inspection.inspect(value)
  if core.is_engine(value) or core.is_connection(value) then return setmetatable({ bind = value }, Inspector) end
  local found = models.inspect(value)
  if found then return found end
  if core.is_table(value) or type(value) == "userdata" and core.is_block(value) then return value end
  core.error("NoInspectionAvailable", ("No inspection system is available for %s"):format(core.describe(value)))
end

return inspection
