--- Checks of what a user writes: options tables, kinds of arguments.
local core = require "lualchemy.core"

local check = {}

--- Raises an ArgumentError.
function check.argument(message, ...)
  core.error("ArgumentError", message:format(...))
end

local function names_of(known)
  local names = {}
  for name in pairs(known) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Raises for an option that is none of the names: with the nearest, or where nothing is near with all of them.
function check.unknown_option(where, key, names)
  local nearest = core.nearest(key, names)
  check.argument("%s has no option '%s'; %s", where, key, nearest and "the nearest is '" .. nearest .. "'"
    or "there are " .. table.concat(names, ", "))
end

--- Every string key of `options` must be a key of `known`, whose value is a type's name, a list of them, or true for anything.
function check.options(options, known, where)
  if type(options) ~= "table" then check.argument("%s takes a table: %s{ … }, not %s", where, where, core.describe(options)) end
  for key, value in pairs(options) do
    if type(key) == "string" then
      local wanted = known[key]
      if not wanted then
        check.unknown_option(where, key, names_of(known))
      elseif wanted ~= true and type(value) ~= wanted then
        check.argument("option '%s' of %s must be a %s, not %s", key, where, wanted, core.describe(value))
      end
    end
  end
end

--- What takes one table (or one text) is not to pass over what stands behind it.
function check.alone(where, ...)
  if select("#", ...) == 0 then return end
  check.argument("%s takes one table, options and all: %s{ …, name = value }; behind it came %s", where, where,
    core.describe((...)))
end

local function names_a_dialect(key)
  for _, dialect in ipairs(core.dialects()) do
    if key:sub(1, #dialect + 1) == dialect .. "_" then return true end
  end
  return false
end

--- The dialect options of a definition ("postgresql_using"), or nil when it has none; every other string key must be in
-- `known`, as check.options has it. scope: what it is the definition of, "index".
function check.dialect_options(definition, known, scope, where)
  local plain, options = {}, nil
  for key, value in pairs(definition) do
    if type(key) ~= "string" or known[key] or not names_a_dialect(key) then
      plain[key] = value
    else
      core.check_option(scope, key, where)
      options = options or {}
      options[key] = value
    end
  end
  check.options(plain, known, where)
  return options
end

--- Is it an expression, a statement or text, rather than a plain value?
function check.is_expression(value)
  return type(value) == "userdata" and core.is_block(value)
end

return check
