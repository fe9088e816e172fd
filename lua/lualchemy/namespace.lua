--- The words of one database: its own types, and the standard's under the same roof.
local core = require "lualchemy.core"
local check = require "lualchemy.check"

local function names_of(words)
  local names = {}
  for name in pairs(words) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  return names
end

--- namespace(dialect [, others…]): a table with the types that the dialect knows, and those of `others` (tables of the same
-- kind) where it has none of that name. A name that is not there is an error that names the nearest.
return function(dialect, ...)
  local words = {}
  for _, from in ipairs { core.exact_types(dialect), ... } do
    for name, value in pairs(from) do
      if words[name] == nil then words[name] = value end
    end
  end
  local others = { core.exact_types(), { JSON = core.types.JSON, ARRAY = core.types.ARRAY } }
  for _, from in ipairs(others) do
    for name, value in pairs(from) do
      if words[name] == nil then words[name] = value end
    end
  end
  return setmetatable(words, { __index = function(_, name)
    local nearest = core.nearest(tostring(name), names_of(words))
    check.argument("la.%s has no '%s'%s", dialect, tostring(name), nearest and ("; the nearest is '" .. nearest .. "'") or "")
  end })
end
