-- Reads spec/sql/*.test. A file is a comment, then cases:
--
--   ## the title, which says what is shown
--   la.select(users.c.name):where(users.c.age:gt(18))    Lua, one or more lines: an expression, or a chunk with a return
--   all: SELECT users.name FROM users WHERE users.age > ?
--
-- and below the Lua any of these lines (a line that begins with a blank goes on with the one before):
--
--   sqlite, mysql 5.7: text        the SQL, white space folded, every placeholder as ?
--   literal sqlite: text           the SQL with its values written in (literal_binds)
--   error mssql, oracle*: words    a part of the CompileError's message, in letters of either case
--   values: 1, "a", nil            the values in order, as Lua; `values oracle*:` for some dialects
--   rows: no, because              not for the run on real databases, and why; `rows: no, because` counts for all of them,
--                                  `rows mariadb: no, because` for one
--   grammar: no, because           not for the check by other parsers, and why
--   pending oracle*: because       does not hold yet
--   # anything                     a comment
--
-- A label is a dialect (its newest version), a dialect and a version (`mysql 5.7`), a dialect and a star (all its versions),
-- or `all`: every one below that no other line of its kind (text or error) names.
local cases = {}

--- The records that `all` and stars stand for, and the versions that the names of old ones mean.
cases.labels = { "sqlite", "postgresql", "mysql", "mysql 5.7", "mariadb", "mssql", "mssql 2008", "oracle", "oracle 19", "oracle 11" }
local versions = { ["mssql 2008"] = "10.50", ["oracle 11"] = "11.2" }

local dialects = { default = true }
for _, label in ipairs(cases.labels) do dialects[label:match "^%w+"] = true end

--- What compile takes for a label.
function cases.options(label)
  local dialect, version = label:match "^(%w+) (.+)$"
  return { dialect = dialect or label, version = versions[label] or version }
end

function cases.folded(text)
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- The labels that a list of words means; nil when one of them is none, since then the line is Lua.
local function expand(list)
  local found = {}
  for word in (list .. ","):gmatch "%s*([^,]-)%s*," do
    local name, star = word:match "^(%w+)(%*?)$"
    if word == "all" then
      found.all = true
    elseif name and dialects[name] and star == "*" then
      for _, label in ipairs(cases.labels) do
        if label:match "^%w+" == name then found[#found + 1] = label end
      end
    elseif dialects[name or word:match "^(%w+) [%w.]+$"] then
      found[#found + 1] = word
    else
      return nil
    end
  end
  return found
end

local kinds = { error = true, literal = true, values = true, rows = true, grammar = true, pending = true }

-- kind, labels, rest of an expectation line, or nil.
local function expectation(line)
  local head, rest = line:match "^([%w%*., ]-):%s(.*)$"
  if not head then head, rest = line:match "^([%w%*., ]-):$", "" end
  if not head then return nil end
  local kind, list = head:match "^(%l+)%s*(.*)$"
  if not kinds[kind] then kind, list = "text", head end
  if list == "" then
    if kind == "text" then return nil end
    list = "all"
  end
  local labels = expand(list)
  if labels then return kind, labels, rest end
end

-- Lines that were read last win nothing: a label that two lines of a kind name is a mistake of the file.
local function put(case, line)
  local into = case[line.kind]
  for _, label in ipairs(line.labels) do
    if into[label] ~= nil then
      error(("%s:%d: %s has two %s lines in '%s'"):format(case.file, line.number, label, line.kind, case.title), 0)
    end
    into[label] = line.text
  end
end

local function spread(case, line)
  local into = case[line.kind]
  local side = line.kind == "text" and case.error or line.kind == "error" and case.text or {}
  for _, label in ipairs(cases.labels) do
    if into[label] == nil and side[label] == nil then into[label] = line.text end
  end
end

local function finish(case)
  local later = {}
  for _, line in ipairs(case.lines) do
    line.text = line.kind == "values" and line.text or cases.folded(line.text)
    put(case, line)
    if line.labels.all then later[#later + 1] = line end
  end
  for _, line in ipairs(later) do spread(case, line) end
  case.lua = table.concat(case.lua, "\n")
  for _, kind in ipairs { "text", "error" } do
    for label in pairs(case[kind]) do
      if kind == "text" and case.error[label] then
        error(("%s:%d: '%s' has both a text and an error for %s"):format(case.file, case.number, case.title, label), 0)
      end
    end
  end
  return case
end

local function start(file, number, title)
  local case = { file = file, number = number, title = title, lua = {}, lines = {} }
  case.text, case.error, case.literal, case.values, case.rows, case.grammar, case.pending = {}, {}, {}, {}, {}, {}, {}
  return case
end

local function add(case, number, line)
  local kind, labels, rest = expectation(line)
  local last = case.lines[#case.lines]
  if kind then
    case.lines[#case.lines + 1] = { kind = kind, labels = labels, text = rest, number = number }
  elseif not last then
    case.lua[#case.lua + 1] = line
  elseif line:find "^%s+%S" then
    last.text = last.text .. "\n" .. line
  elseif line:find "%S" and not line:find "^#" then
    error(("%s:%d: no label that is known: %s"):format(case.file, number, line), 0)
  end
end

--- The cases of one file: { title, file, number (of its line), lua, text = { label = sql }, error = { label = words },
--- literal, values, rows, pending = { label = rest } }.
function cases.read(path)
  local list, case, number = {}, nil, 0
  for line in io.lines(path) do
    number = number + 1
    local title = line:match "^## (.*)$"
    if title then
      if case then list[#list + 1] = finish(case) end
      case = start(path, number, title)
    elseif case then
      add(case, number, line)
    end
  end
  if case then list[#list + 1] = finish(case) end
  return list
end

--- All files, in order of their names; those whose path contains `file`.
function cases.files(file)
  local found = {}
  local pipe = assert(io.popen "ls spec/sql/*.test")
  for path in pipe:lines() do
    if not file or path:find(file, 1, true) then found[#found + 1] = path end
  end
  pipe:close()
  return found
end

--- What the Lua of a case gives, in this environment; raises what it raises.
function cases.evaluate(case, environment)
  local name = "@" .. case.file .. ": " .. case.title
  local chunk = load("return " .. case.lua .. "\n", name, "t", environment)
  if not chunk then
    local message
    chunk, message = load(case.lua, name, "t", environment)
    if not chunk then error(message, 0) end
  end
  return chunk()
end

-- What stands outside of quotes, changed by fn.
local function outside_quotes(sql, fn)
  local parts, from = {}, 1
  while true do
    local at, _, quote = sql:find("(['\"`])", from)
    parts[#parts + 1] = fn(sql:sub(from, (at or 0) - 1))
    if not at then return table.concat(parts) end
    local close = sql:find(quote, at + 1, true) or #sql
    parts[#parts + 1] = sql:sub(at, close)
    from = close + 1
  end
end

--- A text in the form of the files.
function cases.normal(sql, label)
  return cases.folded(outside_quotes(sql, function(part)
    if label:find "^default" then return (part:gsub("%f[:]:%f[%a_][%w_]+", "?")) end
    return (part:gsub("%$%d+", "?"))
  end))
end

return cases
