-- The driver suite: loads a quirks record and the files of cases, runs each case in a world of its own, writes TAP.
local frame = {}

local new_world = dofile "spec/suite/world.lua"
local capabilities = dofile "spec/suite/capabilities.lua"
local FOLDER = "spec/suite/cases"

-- The record ------------------------------------------------------------------------------------------

-- What a record may say: its type, and whether it must be there.
local fields = {
  name = { "string", true }, url = { "function", true }, server = { "string" }, missing = { "function" }, options = { "table" },
  lacks = { "table", true }, sql = { "table", true }, errors = { "table" }, levels = { "table" }, refused = { "function", true },
  library = { "table" }, identifier_length = { "number" }, schema = { "string" },
}

local function known_names(list)
  local names = {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local function check_fields(record, path)
  for name, value in pairs(record) do
    local field = fields[name]
    if not field then error(("%s: a record has no '%s'; there are %s"):format(path, tostring(name), known_names(fields)), 0) end
    if type(value) ~= field[1] then error(("%s: %s is a %s, not a %s"):format(path, name, type(value), field[1]), 0) end
  end
  for name, field in pairs(fields) do
    if field[2] and record[name] == nil then error(("%s: a record needs '%s', a %s"):format(path, name, field[1]), 0) end
  end
end

local function check_lacks(record, path)
  for name, why in pairs(record.lacks) do
    if not capabilities[name] then
      error(("%s: there is no capability '%s' to lack; there are %s"):format(path, tostring(name), known_names(capabilities)), 0)
    end
    if type(why) ~= "string" or why == "" then error(("%s: lacks.%s needs a reason, a text"):format(path, name), 0) end
  end
end

-- The texts that every record has, and those that come with a capability.
local function check_sql(record, path)
  local function must_have(purpose, because)
    if not record.sql[purpose] then error(("%s: a record needs sql.%s, %s"):format(path, purpose, because), 0) end
  end
  must_have("numbers", "a query of the numbers 1 to %d")
  must_have("echo", "a query of one value: ?")
  for name, capability in pairs(capabilities) do
    for _, purpose in ipairs(record.lacks[name] and {} or capability.sql) do
      must_have(purpose, ("or lacks.%s with a reason: %s"):format(name, capability.what))
    end
  end
end

--- The record in the file, checked: an error tells what is wrong with it.
function frame.load(path)
  local record = assert(loadfile(path))()
  if type(record) ~= "table" then error(path .. ": a quirks record is a table, which its file returns", 0) end
  check_fields(record, path)
  check_lacks(record, path)
  check_sql(record, path)
  return record
end

-- Cases -----------------------------------------------------------------------------------------------

local function files()
  local pipe, found = assert(io.popen("LC_ALL=C ls " .. FOLDER .. "/*.lua")), {}
  for path in pipe:lines() do found[#found + 1] = path end
  pipe:close()
  return found
end

local function check_needs(needs, title)
  for _, name in ipairs(needs) do
    if not capabilities[name] then
      error(("'%s' needs '%s', which is no capability; there are %s"):format(title, name, known_names(capabilities)), 3)
    end
  end
end

--- Every case: { file =, title =, needs = { names }, body = function(world) }. A file of cases is called with the suite, whose
--- case(title, [{ needs = }], body) adds one. record: for files that make cases from what it says; may be left out.
function frame.cases(record)
  local cases, file = {}, nil
  local suite = { record = record or { lacks = {}, sql = {} }, capabilities = capabilities }
  function suite.case(title, options, body)
    if type(options) == "function" then options, body = {}, options end
    local needs = options.needs or {}
    check_needs(needs, title)
    cases[#cases + 1] = { file = file, title = title, needs = needs, body = assert(body, "a case needs a function") }
  end
  for _, path in ipairs(files()) do
    file = path:match "([^/]*)%.lua$"
    assert(loadfile(path))(suite)
  end
  return cases
end

-- What a record lacks is tried where that is cheap: a record that says too little of its driver fails.
local function lack_cases(record)
  local names, cases = {}, {}
  for name in pairs(record.lacks) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local works = capabilities[name].works
    if works then
      cases[#cases + 1] = { file = "lacks", title = ("has no %s: %s"):format(name, record.lacks[name]), needs = {}, body = function(world)
        local ok, answer = pcall(works, world)
        if ok and answer then error(("the record says that there is no %s, but it works"):format(name), 0) end
      end }
    end
  end
  return cases
end

-- Running ---------------------------------------------------------------------------------------------

local tap = { count = 0, passed = 0, failed = 0, skipped = 0 }

local function say(...)
  io.write(...)
  io.write "\n"
  io.flush()
end

local function comment(text)
  for line in tostring(text):gmatch "[^\n]+" do say("# ", line) end
end

local function result(outcome, name, suffix)
  tap.count = tap.count + 1
  tap[outcome] = tap[outcome] + 1
  say(outcome == "failed" and "not " or "", "ok ", tap.count, " - ", (name:gsub("%s+", " ")), suffix or "")
end

-- The failure's text, and where in the case it came from; the frame's own calls below are left out.
local function explained(failure)
  return (debug.traceback(tostring(failure), 2):gsub("\n[^\n]*in function 'xpcall'.*$", ""))
end

local function lacking(case, record)
  for _, name in ipairs(case.needs) do
    if record.lacks[name] then return ("no %s: %s"):format(name, record.lacks[name]) end
  end
end

local function run_case(case, record, place)
  local name = ("%s: %s"):format(case.file, case.title)
  local reason = lacking(case, record)
  if reason then return result("skipped", name, " # SKIP " .. reason) end
  say("# ", name)
  local world = new_world(record, place)
  local ok, failure = xpcall(case.body, explained, world)
  if not ok then comment(failure) end
  for _, complaint in ipairs(world:close(ok)) do
    ok = false
    comment(complaint)
  end
  result(ok and "passed" or "failed", name)
end

local function run_all(record, cases, place)
  for _, case in ipairs(cases) do run_case(case, record, place) end
end

local function skip_all(cases, why)
  for _, case in ipairs(cases) do result("skipped", ("%s: %s"):format(case.file, case.title), " # SKIP " .. why) end
end

local function selected(record, wanted)
  local chosen = {}
  for _, list in ipairs { lack_cases(record), frame.cases(record) } do
    for _, case in ipairs(list) do
      if (case.file .. ": " .. case.title):find(wanted, 1, true) then chosen[#chosen + 1] = case end
    end
  end
  return chosen
end

--- Runs the cases that contain `wanted` with the record in the file `path`; true when none failed.
function frame.run(path, wanted)
  local record = frame.load(path)
  local cases = selected(record, wanted)
  if #cases == 0 then error(("no case of the suite contains '%s'; see the titles in %s"):format(wanted, FOLDER), 0) end
  local why = record.missing and record.missing()
  local place
  if not why then place, why = new_world.place(record) end
  if why then
    if os.getenv "CI" then error(record.name .. ": " .. why, 0) end
    skip_all(cases, why)
  else
    local ok, failure = xpcall(run_all, explained, record, cases, place)
    place:close()
    if not ok then error(failure, 0) end
  end
  say(("# %s: %d passed, %d failed, %d skipped"):format(record.name, tap.passed, tap.failed, tap.skipped))
  say("1..", tap.count)
  return tap.failed == 0
end

return frame
