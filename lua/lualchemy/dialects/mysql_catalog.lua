--- MySQL's catalog (information_schema), in five queries a schema; MariaDB's is the same but for few words (mariadb_catalog). See
-- lualchemy.catalog.
local core = require "lualchemy.core"
local catalog = require "lualchemy.catalog"



-- Queries -----------------------------------------------------------------------------------------

-- The two values: the schema (NULL: the current database) and the table (NULL: all).
local function which(alias)
  return (" WHERE %s.TABLE_SCHEMA = coalesce(?, database()) AND %s.TABLE_NAME = coalesce(?, %s.TABLE_NAME) "):format(alias, alias, alias)
end

local queries = {
  names = [[SELECT t.TABLE_NAME, t.TABLE_TYPE FROM information_schema.TABLES t]] .. which "t" .. [[ORDER BY t.TABLE_NAME]],
  tables = [[SELECT t.TABLE_NAME, t.TABLE_TYPE, t.ENGINE, t.TABLE_COLLATION, t.CREATE_OPTIONS, t.TABLE_COMMENT
    FROM information_schema.TABLES t]] .. which "t" .. [[ORDER BY t.TABLE_NAME]],
  columns = [[SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT, c.EXTRA, c.COLUMN_COMMENT,
      c.COLLATION_NAME, c.CHARACTER_SET_NAME, c.GENERATION_EXPRESSION
    FROM information_schema.COLUMNS c]] .. which "c" .. [[ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION]],
  indexes = [[SELECT s.TABLE_NAME, s.INDEX_NAME, s.NON_UNIQUE, s.COLUMN_NAME, s.COLLATION, s.SUB_PART, s.INDEX_TYPE, s.EXPRESSION
    FROM information_schema.STATISTICS s]] .. which "s" .. [[ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX]],
  keys = [[SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME,
      k.REFERENCED_COLUMN_NAME, r.UPDATE_RULE, r.DELETE_RULE, k.REFERENCED_TABLE_SCHEMA = database()
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME]]
    .. which "k" .. [[AND k.REFERENCED_TABLE_NAME IS NOT NULL ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION]],
  checks = [[SELECT t.TABLE_NAME, t.CONSTRAINT_NAME, c.CHECK_CLAUSE, 'Table'
    FROM information_schema.TABLE_CONSTRAINTS t JOIN information_schema.CHECK_CONSTRAINTS c
      ON c.CONSTRAINT_SCHEMA = t.CONSTRAINT_SCHEMA AND c.CONSTRAINT_NAME = t.CONSTRAINT_NAME]]
    .. which "t" .. [[AND t.CONSTRAINT_TYPE = 'CHECK' ORDER BY t.TABLE_NAME, t.CONSTRAINT_NAME]],
  schemas = [[SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME]],
  view = [[SELECT t.VIEW_DEFINITION FROM information_schema.VIEWS t]] .. which "t",
}
for name, query in pairs(queries) do queries[name] = query:gsub("%s+", " ") end

-- What MariaDB says otherwise: its indexes have no expressions, and names of its checks are one table's only.
local mariadb_queries = setmetatable({
  indexes = (queries.indexes:gsub("s%.EXPRESSION", "NULL")),
  checks = ([[SELECT t.TABLE_NAME, t.CONSTRAINT_NAME, t.CHECK_CLAUSE, t.LEVEL FROM information_schema.CHECK_CONSTRAINTS t]]
    .. which "t" .. [[ORDER BY t.TABLE_NAME, t.CONSTRAINT_NAME]]):gsub("t%.TABLE_SCHEMA", "t.CONSTRAINT_SCHEMA"),
}, { __index = queries })

-- Types -------------------------------------------------------------------------------------------

-- What stands in parentheses behind a name, as options by place.
local sized = { "length" }
local exact_number = { "precision", "scale" }
local integer = { "display_width" }
local moment = { "fsp" }
local takes = {
  TINYINT = integer, SMALLINT = integer, MEDIUMINT = integer, INTEGER = integer, BIGINT = integer, YEAR = integer,
  DECIMAL = exact_number, NUMERIC = exact_number, FLOAT = exact_number, DOUBLE = exact_number,
  DATETIME = moment, TIMESTAMP = moment, TIME = moment, BIT = sized, CHAR = sized, VARCHAR = sized, BINARY = sized, VARBINARY = sized,
}
local texts = { CHAR = true, VARCHAR = true, TEXT = true, TINYTEXT = true, MEDIUMTEXT = true, LONGTEXT = true, ENUM = true, SET = true }

-- 'a','it''s'
local function labels_of(inside)
  local labels = {}
  for label in (inside .. ","):gmatch "'(.-)'," do labels[#labels + 1] = (label:gsub("''", "'")) end
  return labels
end

local function exact(dialect, name)
  local own = core.exact_types(dialect)[name] or core.exact_types "mysql"[name]
  return own or name == "JSON" and core.types.JSON or core.exact_type(name)
end

-- declared: "int(10) unsigned"; collation and character set only where they are not the table's.
local function type_of(dialect, declared, collation, charset)
  local word, inside, rest = declared:match "^(%a[%w ]-)%s*%((.*)%)%s*(.*)$"
  if not word then word, rest = declared:match "^(%w+)%s*(.*)$" end
  local name = word:upper()
  if name == "INT" then name = "INTEGER" end
  local type_ = exact(dialect, name)
  if not type_ then return core.types.NullType end
  local options = (name == "ENUM" or name == "SET") and labels_of(inside) or {}
  if #options == 0 then
    local numbers = catalog.numbers(inside)
    for place, option in ipairs(takes[name] or {}) do options[option] = numbers[place] end
  end
  if rest:find "unsigned" then options.unsigned = true end
  if rest:find "zerofill" then options.zerofill = true end
  if texts[name] then options.collation, options.charset = collation, charset end
  return catalog.apply(type_, options)
end

-- Records -----------------------------------------------------------------------------------------

local kinds = { ["BASE TABLE"] = "table", ["SYSTEM VERSIONED"] = "table", VIEW = "view", ["SYSTEM VIEW"] = "view" }

local function some(text) return text ~= nil and text ~= "" and text or nil end

local function table_options(record, row, dialect)
  local function set(name, value) record.options[dialect .. "_" .. name] = value end
  set("engine", row[3])
  set("default_charset", row[4] and row[4]:match "^[^_]+")
  set("collate", row[4])
  for name, value in (row[5] or ""):gmatch "([%w_]+)=(%S+)" do
    if name == "row_format" or name == "key_block_size" or name == "stats_persistent" then set(name, value) end
  end
end

-- MySQL has texts of values, and says of expressions that they are; MariaDB has what stands behind DEFAULT.
local function default_of(dialect, row)
  local default, extra = row[5], row[6] or ""
  if default == nil or default == "NULL" then default = nil
  elseif dialect == "mysql" and extra:find "DEFAULT_GENERATED" then
    if not default:upper():find "^CURRENT_TIMESTAMP" then default = "(" .. default .. ")" end
  elseif dialect == "mysql" and not default:upper():find "^CURRENT_TIMESTAMP" then
    default = "'" .. default:gsub("\\", "\\\\"):gsub("'", "''") .. "'"
  end
  local onupdate = extra:match "on update (%S+)"
  return onupdate and (default or "NULL") .. " ON UPDATE " .. onupdate or default
end

local function add_column(record, row, dialect)
  local extra = row[6] or ""
  local plain = row[8] == record.collation
  local column = {
    name = row[2], nullable = row[4] == "YES", comment = some(row[7]), autoincrement = extra:find "auto_increment" ~= nil,
    type = type_of(dialect, row[3], not plain and row[8] or nil, not plain and row[9] or nil),
  }
  if some(row[10]) then
    local sqltext = dialect == "mysql" and row[10]:gsub("\\'", "'") or row[10]
    column.computed = { sqltext = sqltext, persisted = extra:find "STORED" ~= nil or extra:find "PERSISTENT" ~= nil }
  else
    column.default = default_of(dialect, row)
  end
  catalog.add_column(record, column)
end

local function new_index(record, row, dialect)
  local unique = tonumber(row[3]) == 0
  local index = { name = row[2], unique = unique, column_names = {}, expressions = {}, dialect_options = {} }
  local kind = row[7]
  if kind == "FULLTEXT" or kind == "SPATIAL" then index.dialect_options[dialect .. "_prefix"] = kind end
  local in_memory = record.options[dialect .. "_engine"] == "MEMORY"   -- where HASH is what an index is that says nothing
  if kind == "HASH" or kind == "BTREE" and in_memory then index.dialect_options[dialect .. "_using"] = kind:lower() end
  if unique then
    record.unique_constraints[#record.unique_constraints + 1] = {
      name = row[2], column_names = index.column_names, duplicates_index = row[2],
    }
  end
  return index
end

local function add_place(record, row, dialect)
  if row[2] == "PRIMARY" then
    local key = record.pk_constraint.constrained_columns
    key[#key + 1] = row[4]
    return
  end
  local index = catalog.named(record.indexes, row[2], function() return new_index(record, row, dialect) end)
  local place = #index.column_names + 1
  index.column_names[place] = row[4] or false
  index.expressions[place] = row[4] or "(" .. row[8] .. ")"
  if not row[4] then index.has_expressions = true end
  if row[6] and not index.dialect_options[dialect .. "_prefix"] then
    local lengths = index.dialect_options[dialect .. "_length"] or {}
    lengths[row[4]] = tonumber(row[6])
    index.dialect_options[dialect .. "_length"] = lengths
  end
  if row[5] == "D" then
    index.column_sorting = index.column_sorting or {}
    index.column_sorting[index.expressions[place]] = { "desc" }
  end
end

local default_rules = { RESTRICT = true, ["NO ACTION"] = true }

local function add_key(record, row, scope)
  local key = catalog.named(record.foreign_keys, row[2], function()
    local here = not scope.schema and tonumber(row[9]) == 1
    return {
      name = row[2], constrained_columns = {}, referred_schema = not here and row[4] or nil, referred_table = row[5],
      referred_columns = {},
      options = {
        onupdate = not default_rules[row[7]] and row[7] or nil, ondelete = not default_rules[row[8]] and row[8] or nil,
      },
    }
  end)
  key.constrained_columns[#key.constrained_columns + 1] = row[3]
  key.referred_columns[#key.referred_columns + 1] = row[6]
end

-- JSON of MariaDB is a LONGTEXT with a check of its own.
local function add_check(record, row, dialect)
  local column = row[4] == "Column" and record.column[row[2]]
  if column and row[3] == ("json_valid(`%s`)"):format(row[2]) then
    column.type = core.types.JSON
    return
  end
  local sqltext = dialect == "mysql" and row[3]:gsub("\\'", "'") or row[3]
  record.check_constraints[#record.check_constraints + 1] = { name = not column and row[2] or nil, sqltext = sqltext }
end

local function finish(record)
  for _, index in ipairs(record.indexes) do
    if not index.has_expressions then index.expressions = nil end
    index.has_expressions = nil
  end
end

-- The reader --------------------------------------------------------------------------------------

--- The reader of one of the two; `asked` are its queries.
local function reader(dialect, asked)
  local made = { queries = asked }

  function made.default_schema(ask) return ask "SELECT database()"[1][1] end

  function made.schemas(ask)
    local list = {}
    for i, row in ipairs(ask(asked.schemas)) do list[i] = row[1] end
    return list
  end

  function made.names(ask, schema)
    local list = {}
    for _, row in ipairs(ask(asked.names, { schema or core.null, core.null })) do
      if kinds[row[2]] then list[#list + 1] = { row[1], kinds[row[2]] } end
    end
    return list
  end

  function made.read(ask, scope)
    local all, values = catalog.new(), { scope.schema or core.null, scope.name or core.null }
    for _, row in ipairs(ask(asked.tables, values)) do
      local kind = kinds[row[2]]
      local record = kind and all:add(row[1], kind)
      if kind == "table" then
        record.comment, record.collation = some(row[6]), row[4]
        table_options(record, row, dialect)
      end
    end
    local function each(query, add)
      for _, row in ipairs(ask(query, values)) do
        if all.tables[row[1]] then add(all.tables[row[1]], row, dialect) end
      end
    end
    each(asked.columns, add_column)
    each(asked.indexes, add_place)
    each(asked.keys, function(record, row) add_key(record, row, scope) end)
    each(asked.checks, add_check)
    for _, name in ipairs(all.names) do finish(all.tables[name]) end
    return all
  end

  function made.view_definition(ask, name, schema)
    local row = ask(asked.view, { schema or core.null, name })[1]
    return row and row[1]
  end

  function made.sequences(ask, schema)
    local list = {}
    for _, row in ipairs(ask(asked.names, { schema or core.null, core.null })) do
      if row[2] == "SEQUENCE" then list[#list + 1] = { name = row[1], schema = schema } end
    end
    return list
  end

  return made
end

local mysql = reader("mysql", queries)
mysql.mariadb = reader("mariadb", mariadb_queries)

return mysql
