--- SQLite's catalog, in at most five queries a schema: pragmas as tables, joined with sqlite_schema; the rest is in the texts.
-- See lualchemy.catalog.
local core = require "lualchemy.core"
local catalog = require "lualchemy.catalog"
local text = require "lualchemy.dialects.sqlite_text"

local sqlite, null = {}, core.null

-- Queries -----------------------------------------------------------------------------------------

local function quoted(name) return '"' .. name:gsub('"', '""') .. '"' end

-- %s: the schema's name in quotes. The name of a key's target is looked up where one table is asked for; of all, it is known.
-- What begins with sqlite_ is SQLite's own.
local condition = [[ WHERE m.name NOT LIKE 'sqlite~_%%' ESCAPE '~' AND (? IS NULL OR m.tbl_name = ? COLLATE NOCASE)]]
local queries = {
  texts = [[SELECT m.type, m.name, m.tbl_name, m.sql FROM %s.sqlite_schema AS m]] .. condition .. [[ ORDER BY m.rowid]],
  columns = [[SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
    FROM %s.sqlite_schema AS m JOIN pragma_table_xinfo(m.name, ?) AS x]] .. condition .. [[ AND m.type = ? ORDER BY m.rowid, x.cid]],
  indexes = [[SELECT m.name, l.name, l."unique", l.origin, x.seqno, x.cid, x.name, x."desc", x.coll
    FROM %s.sqlite_schema AS m JOIN pragma_index_list(m.name, ?) AS l JOIN pragma_index_xinfo(l.name, ?) AS x]] .. condition .. [[
    AND m.type = 'table' AND x.key ORDER BY m.rowid, l.seq DESC, x.seqno]],
  foreign_keys = [[SELECT m.name, f.id, coalesce((SELECT p.name FROM %s.sqlite_schema AS p WHERE ? IS NOT NULL
    AND p.type = 'table' AND p.name = f."table" COLLATE NOCASE), f."table"), f."from", f."to", f.on_update, f.on_delete
    FROM %s.sqlite_schema AS m JOIN pragma_foreign_key_list(m.name, ?) AS f]] .. condition .. [[
    AND m.type = 'table' ORDER BY m.rowid, f.id DESC, f.seq]],
}
for name, query in pairs(queries) do queries[name] = query:gsub("%s+", " ") end

local function ask_about(ask, what, schema, values)
  return ask(queries[what]:format(quoted(schema), quoted(schema)), values)
end

-- Types -------------------------------------------------------------------------------------------

-- SQLAlchemy's ischema_names (dialects/sqlite/base.py), and what lualchemy itself writes: how many arguments each takes.
local types = {
  BIGINT = 0, BINARY = 1, BLOB = 1, BOOLEAN = 0, CHAR = 1, CLOB = 1, DATE = 0, DATETIME = 0, DECIMAL = 2, DOUBLE = 1,
  DOUBLE_PRECISION = 1, FLOAT = 1, INT = 0, INTEGER = 0, JSON = 0, NCHAR = 1, NUMERIC = 2, NVARCHAR = 1, REAL = 1, SMALLINT = 0,
  TEXT = 1, TIME = 0, TIMESTAMP = 0, UUID = 0, VARBINARY = 1, VARCHAR = 1,
}
local other_names = {
  BOOL = "BOOLEAN", DATE_CHAR = "DATE", DATETIME_CHAR = "DATETIME", TIME_CHAR = "TIME", ["DOUBLE PRECISION"] = "DOUBLE_PRECISION",
}

-- The rules of https://www.sqlite.org/datatype3.html#determination_of_column_affinity, in their order.
local affinities = {
  { "INT", "INTEGER" }, { "CHAR", "TEXT" }, { "CLOB", "TEXT" }, { "TEXT", "TEXT" }, { "BLOB" }, { "REAL", "REAL" }, { "FLOA", "REAL" },
  { "DOUB", "REAL" }, { "", "NUMERIC" },
}

local function affinity(name)
  for _, rule in ipairs(affinities) do
    if name:find(rule[1], 1, true) then return rule[2] end
  end
end

local collated = { CHAR = true, CLOB = true, NCHAR = true, NVARCHAR = true, TEXT = true, VARCHAR = true }

--- The type of a name that stands in a CREATE TABLE: one of its name, or what its affinity stands for; NullType where it has none.
function sqlite.type(declared, collation)
  declared = declared or ""
  if declared:find("--", 1, true) or declared:find("/*", 1, true) then declared = text.plain(declared) end
  local name, inside = catalog.split_type(declared:upper())
  name = other_names[name] or name
  local arguments = catalog.numbers(inside)
  if not types[name] then
    name = name ~= "" and affinity(name) or nil
    if not name then return core.types.NullType end
  end
  if #arguments > types[name] then arguments = {} end
  if collated[name] then arguments.collation = collation end
  return catalog.apply(catalog.exact("sqlite", name), arguments)
end

-- Columns -----------------------------------------------------------------------------------------

-- What stands in parentheses there; a literal stands as it is.
local function add_column(record, said, row)
  local name, declared, not_null, default, key, hidden = row[2], row[3], row[4], row[5], row[6], row[7]
  if hidden == 1 then return end   -- of a virtual table: not part of SELECT *
  local more = said and said.column[name:lower()] or {}
  local column = {
    name = name, type = sqlite.type(declared, more.collation), nullable = not_null == 0, default = default,
    primary_key = key, autoincrement = "auto",
  }
  if hidden == 2 or hidden == 3 then
    column.default = nil
    column.computed = { sqltext = more.computed or "", persisted = hidden == 3 }
  end
  if more.not_null_conflict then column.dialect_options = { sqlite_on_conflict_not_null = more.not_null_conflict } end
  catalog.add_column(record, column)
  if key > 0 then record.pk_constraint.constrained_columns[key] = name end
  record.declared = record.declared or {}
  record.declared[name] = (declared or ""):upper()
end

-- Only INTEGER numbers itself, of all the names that an integer may have.
local function say_autoincrement(record)
  local key = record.pk_constraint.constrained_columns
  if #key == 1 and record.declared[key[1]] ~= "INTEGER" then record.column[key[1]].autoincrement = false end
end

local function read_columns(ask, made, texts, scope)
  local schema = scope.schema or "main"
  local values = { schema, scope.name or null, scope.name or null, "table" }
  for _, row in ipairs(ask_about(ask, "columns", schema, values)) do
    add_column(made.tables[row[1]], texts[row[1]], row)
  end
  if not scope.views then return end
  -- a view over something that is gone is an error of the whole query; then each is asked for itself
  local function views(name)
    for _, row in ipairs(ask_about(ask, "columns", schema, { schema, name or null, name or null, "view" })) do
      add_column(made.tables[row[1]], nil, row)
    end
  end
  if pcall(views, scope.name) then return end
  for _, name in ipairs(made.names) do
    local record = made.tables[name]
    if record.kind == "view" and #record.columns == 0 then pcall(views, name) end
  end
end

-- Constraints -------------------------------------------------------------------------------------

local function options_of(conflict) return conflict and { sqlite_on_conflict = conflict } or nil end

-- Columns as the table spells them.
local function spelled(record, names)
  local by_small = {}
  for _, column in ipairs(record.columns) do by_small[column.name:lower()] = column.name end
  local list = {}
  for i, name in ipairs(names) do list[i] = by_small[name:lower()] or name end
  return list
end

local function add_constraints(record, said)
  if said.primary_key then
    record.pk_constraint.name = said.primary_key.name
    record.pk_constraint.dialect_options = options_of(said.primary_key.conflict)
  end
  for _, one in ipairs(said.unique) do
    one.record = {
      name = one.name, column_names = spelled(record, one.columns), dialect_options = options_of(one.conflict),
    }
    record.unique_constraints[#record.unique_constraints + 1] = one.record
  end
  for _, one in ipairs(said.checks) do
    one.record = { name = one.name, sqltext = one.sqltext, dialect_options = options_of(one.conflict) }
    record.check_constraints[#record.check_constraints + 1] = one.record
  end
  if said.autoincrement then record.options.sqlite_autoincrement = true end
  if said.strict then record.options.sqlite_strict = true end
  if said.without_rowid then record.options.sqlite_with_rowid = false end
end

-- The pragma numbers keys from the last in the text to the first, and they come from the last number on: in the order of the text.
local function read_foreign_keys(ask, made, texts, scope)
  local schema, spelling = scope.schema or "main", {}
  for _, name in ipairs(made.names) do spelling[name:lower()] = name end
  local current, number, owner
  local values = { scope.name or null, schema, scope.name or null, scope.name or null }
  for _, row in ipairs(ask_about(ask, "foreign_keys", schema, values)) do
    local record = made.tables[row[1]]
    if owner ~= row[1] or number ~= row[2] then
      owner, number = row[1], row[2]
      current = {
        constrained_columns = {}, referred_schema = scope.schema, referred_table = spelling[row[3]:lower()] or row[3],
        referred_columns = {},
        options = {},
      }
      record.foreign_keys[#record.foreign_keys + 1] = current
      if row[6] ~= "NO ACTION" then current.options.onupdate = row[6] end
      if row[7] ~= "NO ACTION" then current.options.ondelete = row[7] end
    end
    local place = #current.constrained_columns + 1
    current.constrained_columns[place] = spelled(record, { row[4] })[1]
    current.referred_columns[place] = row[5]
  end
  for name, said in pairs(texts) do
    local keys = made.tables[name].foreign_keys
    local paired = #keys == #said.foreign_keys
    made.tables[name].order = paired and said.order or nil
    for i, key in ipairs(paired and keys or {}) do
      local more = said.foreign_keys[i]
      more.record, key.name = key, more.name
      key.options.deferrable, key.options.initially, key.options.match = more.deferrable, more.initially, more.match
    end
  end
end

-- Indexes -----------------------------------------------------------------------------------------

-- A plain column's collation, where it is not the one that the column has itself.
local function collation_of(record, said, name, collation)
  local own = said and said.column[name:lower()]
  if collation:upper() == (own and own.collation or "BINARY"):upper() or not record.column[name] then return nil end
  return collation
end

local function add_term(index, record, said, written, row)
  local place, name = row[5] + 1, row[7]
  index.column_names[place] = row[6] >= 0 and name or false
  index.expressions[place] = row[6] >= 0 and name or written and written.terms[place] or ""
  if row[6] < 0 then index.has_expressions = true end
  local collation = row[6] >= 0 and collation_of(record, said, name, row[9]) or nil
  if collation then
    index.column_collations = index.column_collations or {}
    index.column_collations[place] = collation
  end
  if row[8] == 1 then
    index.column_sorting = index.column_sorting or {}
    index.column_sorting[index.expressions[place]] = { "desc" }
  end
end

local function read_indexes(ask, made, texts, index_texts, scope)
  local schema = scope.schema or "main"
  local values = { schema, schema, scope.name or null, scope.name or null }
  for _, row in ipairs(ask_about(ask, "indexes", schema, values)) do
    local record = made.tables[row[1]]
    if row[4] == "c" then   -- the others belong to constraints
      local written = index_texts[row[2]]
      local index = catalog.named(record.indexes, row[2], function()
        local where = written and written.where
        return {
          name = row[2], column_names = {}, expressions = {}, unique = row[3] == 1, dialect_options = { sqlite_where = where },
        }
      end)
      add_term(index, record, texts[row[1]], written, row)
    end
  end
  for _, name in ipairs(made.names) do
    for _, index in ipairs(made.tables[name].indexes) do
      if not index.has_expressions then index.expressions = nil end
      index.has_expressions = nil
    end
  end
end

-- The reader --------------------------------------------------------------------------------------

function sqlite.default_schema() return "main" end

--- A default as it must stand behind DEFAULT: the pragma takes the parentheses off.
function sqlite.default_sql(default)
  return text.is_literal(default) and default or "(" .. default .. ")"
end

function sqlite.schemas(ask)
  local names = {}
  for i, row in ipairs(ask "SELECT name FROM pragma_database_list ORDER BY seq") do names[i] = row[1] end
  return names
end

function sqlite.names(ask, schema)
  local list = {}
  for _, row in ipairs(ask_about(ask, "texts", schema or "main", { null, null })) do
    if row[1] == "table" or row[1] == "view" then list[#list + 1] = { row[2], row[1] } end
  end
  return list
end

function sqlite.read(ask, scope)
  local made, texts, index_texts = catalog.new(), {}, {}
  local name = scope.name or null
  for _, row in ipairs(ask_about(ask, "texts", scope.schema or "main", { name, name })) do
    if row[1] == "table" or row[1] == "view" then made:add(row[2], row[1]).definition = row[4] end
    if row[1] == "view" then scope.views = true end
    if row[1] == "table" then texts[row[2]] = text.table(row[4]) end
    if row[1] == "index" and row[4] then index_texts[row[2]] = text.index(row[4]) end
  end
  if #made.names == 0 then return made end
  read_columns(ask, made, texts, scope)
  for table_name, said in pairs(texts) do
    if said.virtual then texts[table_name] = nil else add_constraints(made.tables[table_name], said) end
  end
  read_foreign_keys(ask, made, texts, scope)
  read_indexes(ask, made, texts, index_texts, scope)
  for _, table_name in ipairs(made.names) do say_autoincrement(made.tables[table_name]) end
  return made
end

function sqlite.view_definition(ask, name, schema)
  for _, row in ipairs(ask_about(ask, "texts", schema or "main", { name, name })) do
    if row[1] == "view" then return row[4] end
  end
end

return sqlite
