--- la.mysql: MySQL's words, loaded when first used.
local namespace = require "lualchemy.namespace"
local check = require "lualchemy.check"

local mysql = namespace "mysql"

-- What stands behind the words that are looked for, by the modifiers that go together.
local modifiers = {
  { name = "plain", words = "" },
  { name = "boolean", words = " IN BOOLEAN MODE", boolean = true },
  { name = "natural", words = " IN NATURAL LANGUAGE MODE", natural = true },
  { name = "expansion", words = " WITH QUERY EXPANSION", expansion = true },
  { name = "natural_expansion", words = " IN NATURAL LANGUAGE MODE WITH QUERY EXPANSION", natural = true, expansion = true },
}

local function match_renderer(words)
  return function(element, compiler)
    local columns = {}
    for index = 1, #element - 1 do columns[index] = compiler:process(element[index]) end
    return ("MATCH (%s) AGAINST (%s%s)"):format(table.concat(columns, ", "), compiler:process(element[#element]), words)
  end
end

local function made(modifier)
  local la = require "lualchemy"
  if not modifier.construct then
    local render = match_renderer(modifier.words)
    modifier.construct = la.construct { "MATCH, " .. modifier.name, type_ = la.Float, mysql = render, mariadb = render }
  end
  return modifier.construct
end

local function items(list, index)
  if index <= #list then return list[index], items(list, index + 1) end
end

local known = { against = true, in_boolean_mode = "boolean", in_natural_language_mode = "boolean", with_query_expansion = "boolean" }

--- match{ column, column, …, against = "words", in_boolean_mode = true, in_natural_language_mode = true,
-- with_query_expansion = true }: MATCH (…) AGAINST (…), a condition, and a number to order by.
function mysql.match(options)
  if type(options) ~= "table" then
    check.argument 'match takes a table: match{ docs.c.title, docs.c.body, against = "words" }'
  end
  check.options(options, known, "match")
  if options.against == nil then check.argument 'match needs what it looks for: match{ docs.c.title, against = "words" }' end
  if #options == 0 then check.argument 'match needs columns to look in: match{ docs.c.title, against = "words" }' end
  local arguments = {}
  for index, column in ipairs(options) do arguments[index] = column end
  arguments[#arguments + 1] = options.against
  for _, modifier in ipairs(modifiers) do
    if not modifier.boolean == not options.in_boolean_mode and not modifier.natural == not options.in_natural_language_mode
      and not modifier.expansion == not options.with_query_expansion then
      return made(modifier)(items(arguments, 1))
    end
  end
  check.argument "the boolean mode of match goes with neither of the other modifiers"
end

return mysql
