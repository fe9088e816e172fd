--- Rows in one stream: connection:copy_from and copy_to. Their C part is src/lua/bulk.c; where a database has no way of its
-- own for that, rows go as executemany has them, and come as a streaming result.
local check = require "lualchemy.check"
local core = require "lualchemy.core"

local connection = core.connection_methods
local BATCH = 1000

-- What users give -------------------------------------------------------------------------------------

local from_options = { columns = "table", format = "string", header = "boolean", delimiter = "string", null = "string" }
local to_options = { format = "string", header = "boolean", delimiter = "string", null = "string" }
local writes = { insert = "an insert", update = "an update", delete = "a delete" }
local formats = { csv = true, text = true }

local function table_behind(target)
  return type(target) == "table" and rawget(target, "__table") or target
end

local function table_of(target)
  target = table_behind(target)
  if not core.is_table(target) then
    check.argument("copy_from takes a table or a model to write rows into, not %s", core.describe(target))
  end
  return target
end

-- { table.c.name, "other" } as names, which the table must have.
local function names_of(target, columns)
  local names, known, loaded = {}, {}, core.columns_to_load(target)
  for _, name in ipairs(loaded) do known[name] = true end
  for i, column in ipairs(columns) do
    local name = type(column) == "string" and column or column.key
    if not known[name] then
      local nearest = core.nearest(name, loaded)
      core.error("NoSuchColumnError", ("copy_from writes no column '%s' into the table '%s'; %s"):format(name, target.name,
        nearest and "the nearest is '" .. nearest .. "'" or "it can write " .. table.concat(loaded, ", ")))
    end
    names[i] = name
  end
  return names
end

local function quoted(text) return "'" .. text:gsub("'", "''") .. "'" end

-- The words of the options for text: FORMAT csv, HEADER.
local function words(options, where)
  if not formats[options.format] then
    check.argument("the format of %s is \"csv\" or \"text\", not %q; without one rows are tables", where, options.format)
  end
  local list = { "FORMAT " .. options.format }
  if options.header then list[#list + 1] = "HEADER" end
  if options.delimiter then list[#list + 1] = "DELIMITER " .. quoted(options.delimiter) end
  if options.null then list[#list + 1] = "NULL " .. quoted(options.null) end
  return table.concat(list, ", ")
end

local function check_options(options, known, where)
  check.options(options, known, where)
  if options.format then return end
  for _, name in ipairs { "header", "delimiter", "null" } do
    if options[name] ~= nil then
      check.argument("option '%s' of %s is for text, and goes with format = \"csv\" or \"text\"", name, where)
    end
  end
end

-- Rows -------------------------------------------------------------------------------------------------

local function is_callable(value)
  if type(value) == "function" or type(value) == "userdata" then return true end   -- a result
  local class = getmetatable(value)
  return type(class) == "table" and class.__call ~= nil
end

-- The first row, and what gives the others: a list, or an iterator.
local function first_of(rows)
  if type(rows) == "table" and not is_callable(rows) then return rows[1], rows end
  return rows(), rows
end

-- A row of a result knows its columns' names; of others the first one with a name in it is a map.
local function shape_of(first)
  local class = getmetatable(first)
  if type(class) == "table" and class.names then return first:keys(), false end
  local names
  for name in pairs(first) do
    if type(name) == "string" then
      names = names or {}
      names[#names + 1] = name
    end
  end
  return names, names ~= nil
end

local function check_row(row, number)
  if type(row) == "table" then return end
  core.error("ArgumentError", ("row %d: copy_from takes tables as rows, lists of values or maps of names and values, not %s")
    :format(number, core.describe(row)), { row = number })
end

-- The columns that rows have, in the order of the table where nobody has given another.
local function columns_of(target, first, wanted)
  local named, maps = shape_of(first)
  if wanted then return wanted, maps, true end
  if not named then return core.columns_to_load(target), false, false end
  if not maps then return named, false, false end
  local given, ordered = {}, {}
  for _, name in ipairs(named) do given[name] = true end
  for _, name in ipairs(core.columns_to_load(target)) do
    if given[name] then
      ordered[#ordered + 1] = name
      given[name] = nil
    end
  end
  for name in pairs(given) do ordered[#ordered + 1] = name end   -- which the table refuses by name
  return ordered, true, false
end

-- An error that knows its row says so in front.
local function say_row(failure, row)
  if not core.is_error(failure) then return failure end
  failure.row = failure.row or row
  if failure.row then failure.message = ("row %d: %s"):format(failure.row, failure.message) end
  return failure
end

-- What fails once rows have begun to go leaves nothing written, and the connection usable.
local function fill(load, add)
  local ok, failure = pcall(add, load)
  if not ok then
    local row = load.row
    load:finish "an error in the program that sends the rows"
    error(say_row(failure, row > 0 and row or nil), 0)
  end
  local count
  ok, count = pcall(load.finish, load)
  if not ok then error(say_row(count), 0) end
  return count
end

local function add_rows(load, first, rows)
  if type(rows) == "table" and not is_callable(rows) then return load:add_all(rows) end
  local row, number = first, 1
  while row ~= nil do
    check_row(row, number)
    load:add(row)
    row, number = rows(), number + 1
  end
end

-- Without a way of its own: batches of an INSERT ---------------------------------------------------------

-- A list of values as a map; la.null where there is none.
local function named_row(row, names, maps, lenient)
  if maps and not lenient then return row end
  local named = {}
  for i, name in ipairs(names) do
    local value
    if maps then value = row[name] else value = row[i] end
    if value == nil then value = core.null end
    named[name] = value
  end
  if not maps and #row > #names then
    check.argument("the row has %d values, and there are %d columns", #row, #names)
  end
  return named
end

local function insert_batch(self, target, batch, last)
  local ok, failure = pcall(self.execute, self, core.insert(target), batch)
  if ok then return end
  if core.is_error(failure) and failure.row then
    failure.row = last - #batch + failure.row
    say_row(failure)
  elseif core.is_error(failure) then failure.message = ("rows %d to %d: %s"):format(last - #batch + 1, last, failure.message)
  end
  error(failure, 0)
end

local function insert_rows(self, target, first, rows, names, maps, lenient)
  local batch, number, row = {}, 0, first
  local listed = type(rows) == "table" and not is_callable(rows)
  while row ~= nil do
    number = number + 1
    check_row(row, number)
    local ok, named = pcall(named_row, row, names, maps, lenient)
    if not ok then error(say_row(named, number), 0) end
    batch[#batch + 1] = named
    if #batch == BATCH then
      insert_batch(self, target, batch, number)
      batch = {}
    end
    if listed then row = rows[number + 1] else row = rows() end
  end
  if #batch > 0 then insert_batch(self, target, batch, number) end
  return number
end

local function refuse_text(self, where)
  core.error("NotSupportedError", ("a format of %s is for text that the database itself reads and writes, which %s does not: use rows")
    :format(where, self.dialect))
end

-- The functions ------------------------------------------------------------------------------------------

local function copy_text(self, target, source, options)
  if not self:can_copy_() then refuse_text(self, "copy_from") end
  local names = options.columns and names_of(target, options.columns) or core.columns_to_load(target)
  local load <close> = self:load_(target, names, false, false, words(options, "copy_from"))
  load:open()
  return fill(load, function()
    if type(source) == "string" then return load:add_text(source) end
    for piece in source do load:add_text(piece) end
  end)
end

--- connection:copy_from(table or model, rows [, { columns = { … } }]): writes rows in one stream, where the database has such
-- a thing (COPY), and answers how many. rows: a list of rows, or a function (or a result) that gives one after another and nil
-- at the end; a row is a list of values in the order of `columns` (all of the table's but computed ones, where nobody names
-- any) or a map of names and values, whose names are those of the first row. Values are converted as an INSERT converts them;
-- columns that rows do not have take their default, once for each row, as executemany has it, but no SQL can be one. An error
-- (err.row is the row's number, where it is known) leaves nothing written; the transaction is then to be rolled back.
-- { format = "csv" or "text" [, header = true, delimiter =, null =] }: rows is text, or a function that gives pieces of it.
function connection:copy_from(target, rows, options)
  options = options or {}
  check_options(options, from_options, "copy_from")
  target = table_of(target)
  if type(rows) ~= "table" and not is_callable(rows) and not (options.format and type(rows) == "string") then
    check.argument("copy_from takes a list of rows, or a function that gives one after another, not %s", core.describe(rows))
  end
  if options.format then return copy_text(self, target, rows, options) end
  local copies, named = self:can_copy_(), options.columns and names_of(target, options.columns)   -- rows or none
  local first
  first, rows = first_of(rows)
  if first == nil then return 0 end
  check_row(first, 1)
  local names, maps, lenient = columns_of(target, first, named)
  if not copies then return insert_rows(self, target, first, rows, names, maps, lenient) end
  local load <close> = self:load_(target, names, maps, lenient)
  load:open()
  return fill(load, function() return add_rows(load, first, rows) end)
end

-- The text of a query as a statement that has it as it stands.
local function as_text(self, statement)
  return core.plain_text(statement:compile { dialect = self.dialect, literal_binds = true }.sql)
end

--- connection:copy_to(table, model or select): a result whose rows come in one stream, where the database has such a thing
-- (COPY), else in pieces: as execute has it, with little memory for many rows. Values of the select are written into its text.
-- The connection does nothing else until the rows are read, or the result is closed.
-- { format = "csv" or "text" [, header = true, delimiter =, null =] }: a result of lines of text, as strings:
-- for line in connection:copy_to(t, { format = "csv" }) do file:write(line) end
function connection:copy_to(what, options)
  options = options or {}
  check_options(options, to_options, "copy_to")
  local target = table_behind(what)
  local statement = core.is_table(target) and core.select(target) or target
  if not check.is_expression(statement) then
    check.argument("copy_to takes a table, a model or a select, not %s", core.describe(what))
  end
  local copies, kind = self:can_copy_(), core.orm.statement_kind(statement)
  if not copies and writes[kind] then
    check.argument("copy_to takes a table, a model or a select, not %s: execute it", writes[kind])
  end
  if options.format then
    if not copies then refuse_text(self, "copy_to") end
    return self:copy_out_(as_text(self, statement), words(options, "copy_to")):scalars()
  end
  if copies then return self:copy_out_(statement) end
  return self:execute(statement, nil, { stream_results = true })
end
