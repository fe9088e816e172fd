-- Every expectation of spec/sql/*.test, one case a title and label; spec/sql/cases.lua tells their form.
--
-- SQL_FILE, SQL_TITLE and SQL_DIALECT (an environment variable each: a part of it, the dialect's label from its beginning)
-- narrow the run; then (or with SQL_PENDING=1) what is pending runs as well, and shows what it lacks:
--   SQL_DIALECT="mssql 2008" SQL_TITLE=limit make test T=spec/sql
local la = require "lualchemy"
local cases = dofile "spec/sql/cases.lua"
local world = dofile "spec/sql/world.lua"

local wanted_file, wanted_title, wanted_dialect = os.getenv "SQL_FILE", os.getenv "SQL_TITLE", os.getenv "SQL_DIALECT"
local narrowed = wanted_file or wanted_title or wanted_dialect or os.getenv "SQL_PENDING"

local there = {}

-- Whether this build has the dialect, and the version of it.
local function exists(label)
  if there[label] == nil then
    there[label] = pcall(function() return la.literal_column("1"):compile(cases.options(label)) end)
  end
  return there[label]
end

-- One value as text that is the same for numbers of either kind.
local shown
function shown(value)
  if value == nil or value == la.null then return "nil" end
  if math.type(value) == "float" and value % 1 == 0 then return ("%d"):format(value) end
  if type(value) == "table" and not getmetatable(value) then
    local items = {}
    for i, item in ipairs(value) do items[i] = shown(item) end
    return "{ " .. table.concat(items, ", ") .. " }"
  end
  if type(value) == "table" then
    local items = {}
    for index, item in ipairs(value) do items[index] = shown(item) end
    return "{ " .. table.concat(items, ", ") .. " }"
  end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function shown_list(count, list)
  local texts = {}
  for index = 1, count do texts[index] = shown(list[index]) end
  return table.concat(texts, ", ")
end

local function expected_values(case, label)
  local text = case.values[label]
  if not text then return nil end
  local list = table.pack(assert(load("return " .. text, "=values", "t", { la = la }))())
  return shown_list(list.n, list), list.n
end

-- The case's statement, made once, in a world of its own: what it adds to a table is not there for the next.
local function statement_of(case)
  case.statement = case.statement or cases.evaluate(case, world.environment())
  return case.statement
end

local function compile(case, label, literal)
  local statement = statement_of(case)
  local options = cases.options(label)
  options.literal_binds = literal or nil
  return statement:compile(options)
end

-- nil, or what is wrong.
local function compare(what, expected, actual)
  if expected == actual then return nil end
  return ("%s\n  expected  %s\n  is        %s"):format(what, expected, actual)
end

local function message_of(failure)
  return la.is_error(failure) and failure.kind .. ": " .. failure.message or "not an error of ours: " .. tostring(failure)
end

local checks = {}

function checks.text(case, label)
  local ok, compiled = pcall(compile, case, label)
  if not ok then return compare("does not compile", case.text[label], message_of(compiled)) end
  local wrong = compare("differs", case.text[label], cases.normal(compiled.sql, label))
  local values, count = expected_values(case, label)
  if wrong or not values then return wrong end
  return compare("values differ", values, shown_list(math.max(#compiled.params, count), compiled.params))
end

function checks.literal(case, label)
  local ok, compiled = pcall(compile, case, label, true)
  if not ok then return compare("does not compile", case.literal[label], message_of(compiled)) end
  return compare("differs", case.literal[label], cases.normal(compiled.sql, label))
end

function checks.error(case, label)
  local ok, compiled = pcall(compile, case, label)
  if ok then return compare("compiles", "an error: " .. case.error[label], cases.normal(compiled.sql, label)) end
  local message = message_of(compiled)
  if not la.is_error(compiled, "CompileError") then return compare("another error", "a CompileError: " .. case.error[label], message) end
  if not message:lower():find(case.error[label]:lower(), 1, true) then return compare("another message", case.error[label], message) end
end

local waiting = {}   -- what is pending, by dialect and reason: how many
local counts = { constructs = 0, expectations = 0, pending = 0 }

local function check(case, kind, label)
  counts.expectations = counts.expectations + 1
  if wanted_dialect and label:sub(1, #wanted_dialect) ~= wanted_dialect then return end
  local name = ("%s [%s%s]"):format(case.title, kind == "literal" and "literal " or "", label)
  local reason = case.pending[label] or not exists(label) and "no such dialect yet"
  if reason then counts.pending = counts.pending + 1 end
  if reason and not narrowed then
    local about = label .. ": " .. reason
    waiting[about] = (waiting[about] or 0) + 1
    return
  end
  it(name, function()
    local wrong = checks[kind](case, label)
    if wrong then error(("%s:%d: %s\n%s\n  lua       %s"):format(case.file, case.number, name, wrong, case.lua), 0) end
  end)
end

local function check_case(case)
  counts.constructs = counts.constructs + 1
  if wanted_title and not case.title:find(wanted_title, 1, true) then return end
  for _, kind in ipairs { "text", "literal", "error" } do
    local labels = {}
    for label in pairs(case[kind]) do labels[#labels + 1] = label end
    table.sort(labels)
    for _, label in ipairs(labels) do check(case, kind, label) end
  end
end

for _, path in ipairs(cases.files(wanted_file)) do
  describe(path:match "([^/]+)%.test$", function()
    local seen = {}
    for _, case in ipairs(cases.read(path)) do
      if seen[case.title] then error(("%s:%d: a second case '%s'"):format(path, case.number, case.title), 0) end
      seen[case.title] = true
      check_case(case)
    end
  end)
end

for about, count in pairs(waiting) do
  pending(("%s (%d)"):format(about, count))
end

describe("the cases", function()
  it("are many", function()
    print(("# %d constructs, %d expectations, %d pending"):format(counts.constructs, counts.expectations, counts.pending))
    if wanted_file then return end
    assert.is_true(counts.constructs >= 250, counts.constructs .. " constructs")
    assert.is_true(counts.expectations >= 900, counts.expectations .. " expectations")
  end)
end)
