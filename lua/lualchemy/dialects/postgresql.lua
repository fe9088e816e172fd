--- la.postgresql: PostgreSQL's words, loaded when first used.
local namespace = require "lualchemy.namespace"
local check = require "lualchemy.check"

local postgresql = namespace "postgresql"

local function quoted(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

local function identifier(name)
  return name:find "^[a-z_][a-z0-9_]*$" and name or '"' .. name:gsub('"', '""') .. '"'
end

-- A text is a value, as it is for a column; la.text "now()" is SQL.
local function default_text(value)
  return type(value) == "string" and quoted(value) or tostring(value)
end

local domain, known = postgresql.DOMAIN, {
  name = "string", data_type = true, check = true, default = true, not_null = "boolean", constraint_name = "string",
  collation = "string", schema = "string",
}

--- DOMAIN{ "positive", la.Integer, check = "VALUE > 0", default =, not_null = true, constraint_name =, collation =, schema = }:
-- a type that the database makes of another; create_all creates it before the tables.
function postgresql.DOMAIN(options)
  check.options(options, known, "DOMAIN")
  local name, data_type = options.name or options[1], options.data_type or options[2]
  local parts = {}
  if options.default ~= nil then parts[#parts + 1] = "DEFAULT " .. default_text(options.default) end
  if options.constraint_name then parts[#parts + 1] = "CONSTRAINT " .. identifier(options.constraint_name) end
  if options.not_null then parts[#parts + 1] = "NOT NULL" end
  if options.check then parts[#parts + 1] = "CHECK (" .. tostring(options.check) .. ")" end
  return domain {
    data_type, name = name, schema = options.schema, collation = options.collation,
    definition = #parts > 0 and table.concat(parts, " ") or nil,
  }
end

return postgresql
