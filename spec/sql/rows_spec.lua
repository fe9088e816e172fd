-- The cases of spec/sql that touch rows, executed on every database at hand: all of them must give the same rows. A statement
-- that writes is judged by the rows of its table afterwards as well. SQLite runs it through the engine, with binds; servers of
-- our own (spec/servers.lua) get its text with the values written in.
--
-- Rows are compared in order where the statement has an ORDER BY, else as sets; numbers by value, since databases differ in how
-- many digits a quotient has. SQL_FILE and SQL_TITLE narrow the run.
local la = require "lualchemy"
local cases = dofile "spec/sql/cases.lua"
local servers = dofile "spec/servers.lua"
local world = dofile "spec/sql/world.lua"

local wanted_file, wanted_title = os.getenv "SQL_FILE", os.getenv "SQL_TITLE"

-- Values as text that is the same everywhere --------------------------------------------------------

local function canonical(value)
  if value == nil or value == la.null then return "NULL" end
  local text = tostring(value)
  if value == true or text == "t" then return "1" end
  if value == false or text == "f" then return "0" end
  local number = tonumber(text)
  if not number then return (text:gsub("^(%d+%-%d+%-%d+ %d+:%d+:%d+)%.0+$", "%1")) end   -- some columns always show their fractions
  local whole = math.tointeger(number)
  return whole and tostring(whole) or ("%.4g"):format(number)
end

local function canonical_row(row, count)
  local texts = {}
  for index = 1, count do texts[index] = canonical(row[index]) end
  return table.concat(texts, " | ")
end

-- The databases -------------------------------------------------------------------------------------

local databases = {}

-- Where a statement stands in a case: run it, look at the rows of what it wrote, take it back.
local function server_script(jobs, label)
  local statements, places = {}, {}
  local function add(sql) statements[#statements + 1] = { sql = sql } return #statements end
  for index, job in ipairs(jobs) do
    local sql = job.sql[label]
    if sql then
      add "BEGIN"
      places[index] = { add(sql), job.after and add(job.after.sql[label]) }
      add "ROLLBACK"
    end
  end
  return statements, places
end

local function rows_of(answer)
  if answer.error then return nil, answer.error end
  local texts = {}
  for _, row in ipairs(answer.rows) do
    for index, value in ipairs(row) do row[index] = value or la.null end   -- the client's false is a NULL
    texts[#texts + 1] = canonical_row(row, #row)
  end
  return texts
end

-- What the statements of its world say of themselves; the first that fails is an error.
local function prepare_server(server, label, before, behind)
  local tables = world.tables()
  local options = cases.options(label)
  options.literal_binds = true
  local statements = {}
  local function add(sql) statements[#statements + 1] = { sql = sql } end
  for _, sql in ipairs(before) do add(sql) end
  local created = {}
  for _, entry in ipairs(world.inserts(tables)) do
    if label:find "^postgresql" or entry.table ~= "lists" then
      if not created[entry.table] then
        created[entry.table] = true
        add(la.CreateTable(tables[entry.table]):compile(cases.options(label)).sql)
      end
      add(entry.insert:compile(options).sql)
    end
  end
  for _, sql in ipairs(behind) do add(sql) end
  for index, answer in ipairs(server:run(statements)) do
    if answer.error then error(statements[index].sql .. "\n" .. answer.error, 0) end
  end
end

local function server_database(kind, label, before, behind)
  local database = { label = label, kind = kind }
  function database.start()
    local server, missing = servers.start(kind)
    if not server then return nil, missing end
    database.server = server
    prepare_server(server, label, before, behind)
    return true
  end
  function database.run(jobs)
    local statements, places = server_script(jobs, label)
    local answers, results = database.server:run(statements), {}
    for index, place in pairs(places) do
      local rows, problem = rows_of(answers[place[1]])
      local after
      if rows and place[2] then after, problem = rows_of(answers[place[2]]) end
      results[index] = problem and { error = problem } or { rows = rows, after = after }
    end
    return results
  end
  function database.stop()
    if database.server then database.server:stop() end
  end
  return database
end

local function result_rows(result)
  local texts = {}
  if not result.returns_rows then return texts end
  for row in result do
    texts[#texts + 1] = canonical_row(row, #row)
  end
  return texts
end

local embedded = { label = "sqlite", kind = "sqlite" }

function embedded.start()
  local tables, metadata = world.tables()
  local engine = la.create_engine "sqlite://"
  embedded.connection = engine:connect()
  embedded.connection:exec_driver_sql "ATTACH ':memory:' AS remote"
  embedded.connection:commit()
  metadata:create_all(embedded.connection)
  tables.remote.metadata:create_all(embedded.connection)
  for _, entry in ipairs(world.inserts(tables)) do
    if entry.table ~= "lists" then embedded.connection:execute(entry.insert) end
  end
  embedded.connection:commit()
  return true
end

function embedded.run(jobs)
  local results = {}
  for index, job in ipairs(jobs) do
    if job.sql.sqlite then
      local ok, problem = pcall(function()
        local rows = result_rows(embedded.connection:execute(job.statement))
        local after = job.after and result_rows(embedded.connection:execute(job.after.statement))
        results[index] = { rows = rows, after = after }
      end)
      if not ok then results[index] = { error = tostring(problem) } end
      embedded.connection:rollback()
    end
  end
  return results
end

function embedded.stop()
  if embedded.connection then embedded.connection:close() end
end

databases[1] = embedded
databases[2] = server_database("postgresql", "postgresql 15", { "CREATE SCHEMA remote" },
  { "SELECT setval('audits_id_seq', 100)", "SELECT setval('users_id_seq', 100)" })
databases[3] = server_database("mariadb", "mariadb 10.11", { "CREATE DATABASE remote" }, {})

-- The statements ------------------------------------------------------------------------------------

-- What the case says of this database: `rows: no`, pending, or no text.
local function exempt(case, label)
  local name = label:match "^%w+"
  return case.pending[name] or (case.rows[label] or case.rows[name] or ""):find "^no" or not case.text[name] and not case.literal[name]
end

local function compiled(statement, label)
  local options = cases.options(label)
  options.literal_binds = true
  local ok, result = pcall(statement.compile, statement, options)
  return ok and result.sql:gsub("%s+$", ""), ok or result
end

-- The rows of the table that a statement writes, in the order of its columns; without keys that the database made.
local function afterwards(text, tables)
  local name = text:match "^%s*INSERT INTO (%S+)" or text:match "^%s*UPDATE (%S+)" or text:match "^%s*DELETE FROM (%S+)"
    or text:match "%)%s*INSERT INTO (%S+)" or text:match "%)%s*UPDATE (%S+)" or text:match "%)%s*DELETE FROM (%S+)"
  if not name then return nil end
  name = name:gsub('"', ""):match "([^.]+)$"
  for _, candidate in pairs(tables) do
    if candidate.name == name then
      local columns, made = {}, text:find "INSERT INTO" and not text:find "%(id"
      for _, column in ipairs(candidate.columns) do
        if column.name ~= "raw" and column.name ~= "data" and not (made and column.name == "id") then columns[#columns + 1] = column end
      end
      return la.select(table.unpack(columns)):order_by(table.unpack(columns))
    end
  end
end

local function texts_of(case, statement)
  local sql, problems, count = {}, {}, 0
  for _, database in ipairs(databases) do
    if not exempt(case, database.label) then
      local text, problem = compiled(statement, database.label)
      if text then
        sql[database.label], count = text, count + 1
      else
        problems[#problems + 1] = database.label .. " does not compile: " .. tostring(problem)
      end
    end
  end
  return sql, problems, count
end

local touches_rows = { SELECT = true, WITH = true, INSERT = true, UPDATE = true, DELETE = true }

local function job_of(case)
  local environment = world.environment()
  local ok, statement = pcall(cases.evaluate, case, environment)
  if not ok or type(statement) ~= "userdata" then return nil end
  local text = tostring(select(2, pcall(tostring, statement)))
  local word = text:match "^%s*%(?(%u+)"
  if not touches_rows[word] then return nil end
  local sql, problems, count = texts_of(case, statement)
  if count == 0 and #problems == 0 then return nil end
  local job = { case = case, statement = statement, sql = sql, problems = problems, ordered = text:find "ORDER BY[^()]*$" }
  local after = afterwards(text, environment.tables)
  if after then job.after = { statement = after, sql = (texts_of(case, after)) } end
  return job
end

local function all_jobs()
  local jobs = {}
  for _, path in ipairs(cases.files(wanted_file)) do
    for _, case in ipairs(cases.read(path)) do
      if not wanted_title or case.title:find(wanted_title, 1, true) then
        if next(case.text) or next(case.literal) then jobs[#jobs + 1] = job_of(case) end
      end
    end
  end
  return jobs
end

-- Comparing -----------------------------------------------------------------------------------------

local function joined(list, ordered)
  if not ordered then
    list = table.move(list, 1, #list, 1, {})
    table.sort(list)
  end
  return #list == 0 and "no rows" or table.concat(list, "\n    ")
end

local function shown(result, ordered)
  return joined(result.rows, ordered) .. (result.after and "\n   then\n    " .. joined(result.after, true) or "")
end

local function judge(job, index, results)
  local wrong, first = table.move(job.problems, 1, #job.problems, 1, {}), nil
  for _, database in ipairs(databases) do
    local result = results[database.label] and results[database.label][index]
    if result and result.error then
      wrong[#wrong + 1] = ("%s refuses it: %s\n    %s"):format(database.label, result.error, job.sql[database.label])
    elseif result then
      local rows = shown(result, job.ordered)
      first = first or { label = database.label, rows = rows }
      if rows ~= first.rows then
        wrong[#wrong + 1] = ("%s has other rows than %s\n    %s\n    %s\n   %s\n    %s\n    %s"):format(database.label, first.label,
          job.sql[database.label], rows, first.label, job.sql[first.label], first.rows)
      end
    end
  end
  return wrong
end

-- What must come back through a client as it is, and a statement that must not pass.
local difficult = {
  { sql = [[SELECT NULL, 'NULL', '', 'a,"b" <&amp;> ''c''', 'two' ]] },
  { sql = "SELECT 1 WHERE 1 = 0" },
  { sql = "SELECT 1 FROM nowhere" },
}

describe("the rows of", function()
  local jobs, results, hard = all_jobs(), {}, {}
  for _, database in ipairs(databases) do
    local ok, missing = database.start()
    if ok then
      results[database.label] = database.run(jobs)
      if database.server then hard[database.label] = database.server:run(difficult) end
    else
      pending(database.label .. ": " .. missing)
    end
    database.stop()
  end
  local executed = 0
  for index, job in ipairs(jobs) do
    it(job.case.title, function()
      for _, list in pairs(results) do executed = executed + (list[index] and 1 or 0) end
      local wrong = judge(job, index, results)
      if #wrong > 0 then error(("%s:%d: %s\n%s"):format(job.case.file, job.case.number, job.case.lua, table.concat(wrong, "\n")), 0) end
    end)
  end
  for label, answers in pairs(hard) do
    it("values that are difficult to read, from " .. label, function()
      assert.same({ { false, "NULL", "", "a,\"b\" <&amp;> 'c'", "two" } }, answers[1].rows)
      assert.same({}, answers[2].rows)
      assert.truthy(answers[3].error:find "nowhere")
    end)
  end
  it("all cases are there", function()
    print(("# %d statements, executed %d times"):format(#jobs, executed))
    assert.is_true(#jobs > 0)
  end)
end)
