--- Oracle's catalog (the ALL_ views), in four queries a schema. Never run on a server: its grammar has read the queries. Names that
-- Oracle keeps in capitals are in small letters here, as they are written without quotes. See lualchemy.catalog.
local core = require "lualchemy.core"
local catalog = require "lualchemy.catalog"

local oracle = {}

-- Queries -----------------------------------------------------------------------------------------

-- The two values: the schema (NULL: the user's) and the table (NULL: all).
local owner = "coalesce(?, sys_context('USERENV', 'CURRENT_SCHEMA'))"
local function which(alias)
  return (" WHERE %s.owner = %s AND %s.table_name = coalesce(?, %s.table_name) "):format(alias, owner, alias, alias)
end

local queries = {
  names = [[SELECT o.object_name, o.object_type FROM all_objects o WHERE o.owner = ]] .. owner .. [[
    AND o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW') AND o.secondary = 'N' ORDER BY o.object_name, o.object_type]],
  tables = [[SELECT o.object_name, o.object_type, c.comments FROM all_objects o
    LEFT OUTER JOIN all_tab_comments c ON c.owner = o.owner AND c.table_name = o.object_name WHERE o.owner = ]] .. owner .. [[
    AND o.object_name = coalesce(?, o.object_name) AND o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW') AND o.secondary = 'N'
    ORDER BY o.object_name, o.object_type]],
  columns = [[SELECT t.table_name, t.column_name, t.data_type, t.char_length, t.data_precision, t.data_scale, t.data_length, t.nullable,
      t.data_default, t.virtual_column, c.comments, i.generation_type, i.identity_options
    FROM all_tab_cols t LEFT OUTER JOIN all_col_comments c
      ON c.owner = t.owner AND c.table_name = t.table_name AND c.column_name = t.column_name
    LEFT OUTER JOIN all_tab_identity_cols i
      ON i.owner = t.owner AND i.table_name = t.table_name AND i.column_name = t.column_name]] .. which "t" .. [[
    AND t.hidden_column = 'NO' ORDER BY t.table_name, t.column_id]],
  constraints = [[SELECT k.table_name, k.constraint_name, k.constraint_type, l.column_name, k.search_condition, k.delete_rule, k.deferrable,
      k.deferred, r.owner, r.table_name, rl.column_name, k.generated
    FROM all_constraints k JOIN all_cons_columns l ON l.owner = k.owner AND l.constraint_name = k.constraint_name
    LEFT OUTER JOIN all_constraints r ON r.owner = k.r_owner AND r.constraint_name = k.r_constraint_name
    LEFT OUTER JOIN all_cons_columns rl ON rl.owner = r.owner AND rl.constraint_name = r.constraint_name AND rl.position = l.position]]
    .. which "k" .. [[AND k.constraint_type IN ('P', 'U', 'R', 'C') ORDER BY k.table_name, k.constraint_name, l.position]],
  indexes = [[SELECT i.table_name, i.index_name, i.uniqueness, i.index_type, i.compression, i.prefix_length, c.column_name, c.descend,
      e.column_expression, k.constraint_name
    FROM all_indexes i JOIN all_ind_columns c ON c.index_owner = i.owner AND c.index_name = i.index_name
    LEFT OUTER JOIN all_ind_expressions e
      ON e.index_owner = i.owner AND e.index_name = i.index_name AND e.column_position = c.column_position
    LEFT OUTER JOIN all_constraints k
      ON k.owner = i.table_owner AND k.index_name = i.index_name AND k.constraint_type IN ('P', 'U') AND k.table_name = i.table_name
    WHERE i.table_owner = ]] .. owner .. [[ AND i.table_name = coalesce(?, i.table_name)
    ORDER BY i.table_name, i.index_name, c.column_position]],
  schemas = [[SELECT username FROM all_users ORDER BY username]],
  view = [[SELECT v.text FROM all_views v WHERE v.owner = ]] .. owner .. [[ AND v.view_name = ?]],
  sequences = [[SELECT s.sequence_name, s.min_value, s.max_value, s.increment_by, s.cycle_flag, s.cache_size
    FROM all_sequences s WHERE s.sequence_owner = ]] .. owner .. [[ ORDER BY s.sequence_name]],
}
for name, query in pairs(queries) do queries[name] = query:gsub("%s+", " ") end
oracle.queries = queries

-- Names -------------------------------------------------------------------------------------------

local function ours(name)
  return name and name:find "^%u[%u%d_$#]*$" and name:lower() or name
end

local function theirs(name)
  if name == nil then return core.null end
  return name == name:lower() and name:upper() or name
end

-- Types -------------------------------------------------------------------------------------------

local texts = { VARCHAR2 = true, NVARCHAR2 = true, CHAR = true, NCHAR = true }

-- NUMBER(*,0) is what INTEGER becomes.
local function number_type(row)
  local precision, scale = tonumber(row[5]), tonumber(row[6])
  if not precision and scale == 0 then return core.exact_type "INTEGER" end
  return catalog.apply(catalog.exact("oracle", "NUMBER"), { precision = precision, scale = precision and scale or nil })
end

local function type_of(row)
  local declared = row[3]
  local name = declared:match "^[%u%d_]+"
  if name == "NUMBER" then return number_type(row) end
  local made, options = catalog.exact("oracle", name), {}
  if not made then return core.types.NullType end
  if texts[name] then options.length = tonumber(row[4]) end
  if name == "RAW" then options.length = tonumber(row[7]) end
  if name == "FLOAT" then options.binary_precision = tonumber(row[5]) end
  if name == "TIMESTAMP" then
    options.precision = tonumber(row[6])
    options.timezone = declared:find("WITH TIME ZONE", 1, true) ~= nil or nil
    options.local_timezone = declared:find("LOCAL TIME ZONE", 1, true) ~= nil or nil
  end
  return catalog.apply(made, options)
end

-- Records -----------------------------------------------------------------------------------------

local kinds = { TABLE = "table", VIEW = "view", ["MATERIALIZED VIEW"] = "materialized_view" }

local counting = {
  ["START WITH"] = "start", ["INCREMENT BY"] = "increment", MIN_VALUE = "minvalue", MAX_VALUE = "maxvalue", CACHE_SIZE = "cache",
}

-- START WITH: 1, INCREMENT BY: 1, MAX_VALUE: 9999999999999999999999999999, …, CYCLE_FLAG: N
local function identity_of(row)
  local identity = { always = row[12] == "ALWAYS", on_null = row[12] == "BY DEFAULT ON NULL" or nil }
  for name, value in (row[13] or ""):gmatch "([%u_ ]+): ([^,]+)" do
    local option = counting[name:match "^%s*(.-)$"]
    local given = option and tonumber(value)
    if given and given > -2 ^ 63 and given < 2 ^ 63 then identity[option] = given end
  end
  return identity
end

local add = {}

function add.columns(record, row)
  local column = {
    name = ours(row[2]), type = type_of(row), nullable = row[8] == "Y", comment = row[11], autoincrement = row[12] ~= nil,
  }
  local default = row[9] and row[9]:match "^%s*(.-)%s*$"
  if row[12] then column.identity = identity_of(row)
  elseif row[10] == "YES" then column.computed = { sqltext = default, persisted = false }
  elseif default ~= "NULL" then column.default = default end
  catalog.add_column(record, column)
end

local function given_name(row)
  return row[12] ~= "GENERATED NAME" and ours(row[2]) or nil
end

local function deferred(row, made)
  made.deferrable = row[7] == "DEFERRABLE" or nil
  made.initially = row[8] == "DEFERRED" and "DEFERRED" or nil
  return made
end

local constraints = {
  P = function(record, row)
    record.pk_constraint.name = given_name(row)
    table.insert(record.pk_constraint.constrained_columns, ours(row[4]))
  end,
  U = function(record, row)
    local one = catalog.named(record.unique_constraints, row[2], function()
      return deferred(row, { name = given_name(row), column_names = {} })
    end)
    table.insert(one.column_names, ours(row[4]))
  end,
  R = function(record, row, scope)
    local key = catalog.named(record.foreign_keys, row[2], function()
      local rule = row[6] ~= "NO ACTION" and row[6] or nil
      return {
        name = given_name(row), constrained_columns = {}, referred_schema = scope.schema and ours(row[9]) or nil,
        referred_table = ours(row[10]), referred_columns = {}, options = deferred(row, { ondelete = rule }),
      }
    end)
    table.insert(key.constrained_columns, ours(row[4]))
    table.insert(key.referred_columns, ours(row[11]))
  end,
  C = function(record, row)
    if row[5]:find '^"[^"]*" IS NOT NULL$' then return end   -- NOT NULL of the column
    catalog.named(record.check_constraints, row[2], function() return { name = given_name(row), sqltext = row[5] } end)
  end,
}

function add.constraints(record, row, scope) constraints[row[3]](record, row, scope) end

-- An index of a key or of a unique constraint belongs to that.
function add.indexes(record, row)
  if row[10] then return end
  local index = catalog.named(record.indexes, row[2], function()
    local options = { oracle_bitmap = row[4] == "BITMAP" or nil }
    if row[5] == "ENABLED" then options.oracle_compress = tonumber(row[6]) or true end
    return { name = ours(row[2]), unique = row[3] == "UNIQUE", column_names = {}, expressions = {}, dialect_options = options }
  end)
  local place = #index.column_names + 1
  -- a column in descending order is an expression, of nothing but its name in quotes
  local plain = row[9] == nil and row[7] or row[9]:match '^"([^"]*)"$'
  index.column_names[place] = plain and ours(plain) or false
  index.expressions[place] = plain and ours(plain) or row[9]
  if not plain then index.has_expressions = true end
  if row[8] == "DESC" then
    index.column_sorting = index.column_sorting or {}
    index.column_sorting[index.expressions[place]] = { "desc" }
  end
end

-- The reader --------------------------------------------------------------------------------------

function oracle.default_schema(ask) return ours(ask "SELECT sys_context('USERENV', 'CURRENT_SCHEMA') FROM dual"[1][1]) end

function oracle.schemas(ask)
  local list = {}
  for i, row in ipairs(ask(queries.schemas)) do list[i] = ours(row[1]) end
  return list
end

-- A materialized view is listed as a table as well, and behind itself.
function oracle.names(ask, schema)
  local list, seen = {}, {}
  for _, row in ipairs(ask(queries.names, { theirs(schema) })) do
    if not seen[row[1]] then list[#list + 1] = { ours(row[1]), kinds[row[2]] } end
    seen[row[1]] = true
  end
  return list
end

function oracle.read(ask, scope)
  local made, values = catalog.new(), { theirs(scope.schema), theirs(scope.name) }
  for _, row in ipairs(ask(queries.tables, values)) do
    local name = ours(row[1])
    if not made.tables[name] then made:add(name, kinds[row[2]]).comment = row[3] end
  end
  for _, part in ipairs { "columns", "constraints", "indexes" } do
    for _, row in ipairs(ask(queries[part], values)) do
      local record = made.tables[ours(row[1])]
      if record then add[part](record, row, scope) end
    end
  end
  for _, name in ipairs(made.names) do
    for _, index in ipairs(made.tables[name].indexes) do
      if not index.has_expressions then index.expressions = nil end
      index.has_expressions = nil
    end
  end
  return made
end

function oracle.view_definition(ask, name, schema)
  local row = ask(queries.view, { theirs(schema), theirs(name) })[1]
  return row and row[1]
end

function oracle.sequences(ask, schema)
  local list = {}
  for i, row in ipairs(ask(queries.sequences, { theirs(schema) })) do
    list[i] = {
      name = ours(row[1]), schema = schema, minvalue = tonumber(row[2]), maxvalue = tonumber(row[3]), increment = tonumber(row[4]),
      cycle = row[5] == "Y", cache = tonumber(row[6]),
    }
  end
  return list
end

return oracle
