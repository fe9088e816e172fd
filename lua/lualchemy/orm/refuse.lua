--- Errors of the object-relational part, in the words that users need: what was expected, what came, what is nearest.
local check = require "lualchemy.check"
local core = require "lualchemy.core"

local refuse = {}

--- An ArgumentError; the rest goes into the format.
function refuse.argument(text, ...)
  core.error("ArgumentError", text:format(...))
end

--- An ArgumentError that ends with what came.
function refuse.value(value, text, ...)
  core.error("ArgumentError", text:format(...) .. ", not " .. core.describe(value))
end

--- An InvalidRequestError.
function refuse.request(text, ...)
  core.error("InvalidRequestError", text:format(...))
end

--- "X has no Y 'name'", and the nearest of the names that there are. `kind` is ArgumentError when not given.
function refuse.unknown(what, name, names, kind)
  name = tostring(name)
  local nearest = core.nearest(name, names)
  core.error(kind or "ArgumentError", ("%s '%s'%s"):format(what, name, nearest and "; the nearest is '" .. nearest .. "'" or ""))
end

--- Every key of the options must be among the names, and of the type that `types` has for it. Positional values are passed over.
function refuse.options(options, names, types, whose)
  for name, value in pairs(options) do
    if type(name) == "string" then
      local found = false
      for _, known in ipairs(names) do found = found or known == name end
      if not found then check.unknown_option(whose, name, names) end
      if types[name] and type(value) ~= types[name] then refuse.value(value, "option '%s' of %s must be a %s", name, whose, types[name]) end
    end
  end
end

--- The names that a table has as keys, sorted; those with two underscores are not shown.
function refuse.names(list)
  local names = {}
  for name in pairs(list) do
    if type(name) == "string" and name:sub(1, 2) ~= "__" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

return refuse
