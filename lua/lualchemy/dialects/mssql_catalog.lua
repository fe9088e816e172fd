--- SQL Server's catalog (sys.*), in five queries a schema. Never run on a server: its grammar has read the queries. See
-- lualchemy.catalog.
local core = require "lualchemy.core"
local catalog = require "lualchemy.catalog"

local mssql = {}

-- Queries -----------------------------------------------------------------------------------------

-- The two values: the schema (NULL: the user's) and the table (NULL: all).
local which = [[ JOIN sys.schemas AS s ON s.schema_id = o.schema_id
  WHERE s.name = coalesce(?, schema_name()) AND o.name = coalesce(?, o.name) AND o.type IN ('U', 'V') AND o.is_ms_shipped = 0]]

local queries = {
  names = [[SELECT o.name, o.type FROM sys.objects AS o]] .. which .. [[ ORDER BY o.name]],
  tables = [[SELECT o.name, o.type, CAST(p.value AS nvarchar(4000)) FROM sys.objects AS o
    LEFT JOIN sys.extended_properties AS p ON p.class = 1 AND p.major_id = o.object_id AND p.minor_id = 0 AND p.name = 'MS_Description']]
    .. which .. [[ ORDER BY o.name]],
  columns = [[SELECT o.name, c.name, t.name, c.max_length, c.precision, c.scale, c.is_nullable, c.collation_name, d.definition,
      k.definition, k.is_persisted, CAST(i.seed_value AS bigint), CAST(i.increment_value AS bigint), CAST(p.value AS nvarchar(4000)),
      CAST(databasepropertyex(db_name(), 'Collation') AS nvarchar(128))
    FROM sys.objects AS o JOIN sys.columns AS c ON c.object_id = o.object_id
    JOIN sys.types AS t ON t.user_type_id = CASE WHEN c.system_type_id IN (240, 243) THEN c.user_type_id ELSE c.system_type_id END
    LEFT JOIN sys.default_constraints AS d ON d.object_id = c.default_object_id
    LEFT JOIN sys.computed_columns AS k ON k.object_id = c.object_id AND k.column_id = c.column_id
    LEFT JOIN sys.identity_columns AS i ON i.object_id = c.object_id AND i.column_id = c.column_id
    LEFT JOIN sys.extended_properties AS p ON p.class = 1 AND p.major_id = c.object_id AND p.minor_id = c.column_id
      AND p.name = 'MS_Description']] .. which .. [[ ORDER BY o.name, c.column_id]],
  indexes = [[SELECT o.name, x.name, x.is_primary_key, x.is_unique_constraint, x.is_unique, x.type, x.filter_definition, c.name,
      ic.is_descending_key, ic.is_included_column
    FROM sys.objects AS o JOIN sys.indexes AS x ON x.object_id = o.object_id AND x.type IN (1, 2, 5, 6)
    JOIN sys.index_columns AS ic ON ic.object_id = x.object_id AND ic.index_id = x.index_id
    JOIN sys.columns AS c ON c.object_id = ic.object_id AND c.column_id = ic.column_id]] .. which ..
    [[ ORDER BY o.name, x.name, ic.is_included_column, ic.key_ordinal, ic.index_column_id]],
  keys = [[SELECT o.name, f.name, c.name, rs.name, ro.name, rc.name, f.update_referential_action_desc, f.delete_referential_action_desc,
      CASE WHEN rs.name = schema_name() THEN 1 ELSE 0 END
    FROM sys.objects AS o JOIN sys.foreign_keys AS f ON f.parent_object_id = o.object_id
    JOIN sys.foreign_key_columns AS fc ON fc.constraint_object_id = f.object_id
    JOIN sys.columns AS c ON c.object_id = fc.parent_object_id AND c.column_id = fc.parent_column_id
    JOIN sys.objects AS ro ON ro.object_id = f.referenced_object_id JOIN sys.schemas AS rs ON rs.schema_id = ro.schema_id
    JOIN sys.columns AS rc ON rc.object_id = fc.referenced_object_id AND rc.column_id = fc.referenced_column_id]] .. which ..
    [[ ORDER BY o.name, f.name, fc.constraint_column_id]],
  checks = [[SELECT o.name, k.name, k.definition, k.is_system_named FROM sys.objects AS o
    JOIN sys.check_constraints AS k ON k.parent_object_id = o.object_id]] .. which .. [[ ORDER BY o.name, k.name]],
  schemas = [[SELECT s.name FROM sys.schemas AS s WHERE s.schema_id < 16384 AND s.name NOT IN ('sys', 'INFORMATION_SCHEMA', 'guest')
    ORDER BY s.name]],
  view = [[SELECT m.definition FROM sys.objects AS o JOIN sys.sql_modules AS m ON m.object_id = o.object_id]] .. which,
  sequences = [[SELECT q.name, s.name, type_name(q.user_type_id), CAST(q.start_value AS bigint), CAST(q.increment AS bigint),
      CAST(q.minimum_value AS bigint), CAST(q.maximum_value AS bigint), q.is_cycling, q.cache_size
    FROM sys.sequences AS q JOIN sys.schemas AS s ON s.schema_id = q.schema_id
    WHERE s.name = coalesce(?, schema_name()) ORDER BY q.name]],
}
for name, query in pairs(queries) do queries[name] = query:gsub("%s+", " ") end
mssql.queries = queries

-- Types -------------------------------------------------------------------------------------------

local texts = { CHAR = 1, VARCHAR = 1, NCHAR = 2, NVARCHAR = 2, TEXT = 0, NTEXT = 0 }
local bytes = { BINARY = true, VARBINARY = true }
local exact_numbers = { DECIMAL = true, NUMERIC = true }
local fractions = { TIME = true, DATETIME2 = true, DATETIMEOFFSET = true }

-- Lengths are in bytes, two a character of the national types; -1 is MAX.
local function type_of(row, name)
  local made, options = catalog.exact("mssql", name), {}
  if not made then return core.types.NullType end
  local length = tonumber(row[4])
  if bytes[name] or texts[name] and texts[name] > 0 then
    options.length = length == -1 and "max" or math.floor(length / (texts[name] or 1))
  end
  if exact_numbers[name] then options.precision, options.scale = tonumber(row[5]), tonumber(row[6]) end
  if fractions[name] then options.precision = tonumber(row[6]) end
  if texts[name] and row[8] ~= row[15] then options.collation = row[8] end
  return catalog.apply(made, options)
end

-- Records -----------------------------------------------------------------------------------------

local function kind_of(type_) return type_:find "^V" and "view" or "table" end

-- ((1)), ('x'): parentheses that the server has added.
local function bare(text)
  local inner = text and text:match "^%b()$"
  return inner and inner:sub(2, -2) or text
end

local add = {}

function add.columns(record, row)
  local column = {
    name = row[2], type = type_of(row, row[3]:upper()), nullable = catalog.truth(row[7]), default = bare(row[9]), comment = row[14],
    autoincrement = row[12] ~= nil,
  }
  if row[10] then column.computed = { sqltext = bare(row[10]), persisted = catalog.truth(row[11]) } end
  if row[12] then column.identity = { start = tonumber(row[12]), increment = tonumber(row[13]) } end
  catalog.add_column(record, column)
end

local function add_index(record, row)
  local kind = tonumber(row[6])
  local index = catalog.named(record.indexes, row[2], function()
    return {
      name = row[2], unique = catalog.truth(row[5]), column_names = {}, include_columns = {},
      dialect_options = { mssql_where = row[7], mssql_clustered = kind == 1 or kind == 5 or nil, mssql_columnstore = kind > 2 or nil },
    }
  end)
  if catalog.truth(row[10]) then
    index.include_columns[#index.include_columns + 1] = row[8]
    index.dialect_options.mssql_include = index.include_columns
    return
  end
  index.column_names[#index.column_names + 1] = row[8]
  if catalog.truth(row[9]) then
    index.column_sorting = index.column_sorting or {}
    index.column_sorting[row[8]] = { "desc" }
  end
end

function add.indexes(record, row)
  if catalog.truth(row[3]) then
    local key = record.pk_constraint
    key.name = row[2]
    key.constrained_columns[#key.constrained_columns + 1] = row[8]
  elseif catalog.truth(row[4]) then
    local one = catalog.named(record.unique_constraints, row[2], function() return { name = row[2], column_names = {} } end)
    one.column_names[#one.column_names + 1] = row[8]
  else
    add_index(record, row)
  end
end

-- NO_ACTION, SET_NULL
local function rule(word)
  if word ~= "NO_ACTION" then return (word:gsub("_", " ")) end
end

function add.keys(record, row, scope)
  local key = catalog.named(record.foreign_keys, row[2], function()
    local here = not scope.schema and tonumber(row[9]) == 1
    return {
      name = row[2], constrained_columns = {}, referred_schema = not here and row[4] or nil, referred_table = row[5],
      referred_columns = {}, options = { onupdate = rule(row[7]), ondelete = rule(row[8]) },
    }
  end)
  key.constrained_columns[#key.constrained_columns + 1] = row[3]
  key.referred_columns[#key.referred_columns + 1] = row[6]
end

function add.checks(record, row)
  record.check_constraints[#record.check_constraints + 1] = { name = not catalog.truth(row[4]) and row[2] or nil, sqltext = bare(row[3]) }
end

-- The reader --------------------------------------------------------------------------------------

function mssql.default_schema(ask) return ask "SELECT schema_name()"[1][1] end

function mssql.schemas(ask)
  local list = {}
  for i, row in ipairs(ask(queries.schemas)) do list[i] = row[1] end
  return list
end

function mssql.names(ask, schema)
  local list = {}
  for i, row in ipairs(ask(queries.names, { schema or core.null, core.null })) do list[i] = { row[1], kind_of(row[2]) } end
  return list
end

function mssql.read(ask, scope)
  local made, values = catalog.new(), { scope.schema or core.null, scope.name or core.null }
  for _, row in ipairs(ask(queries.tables, values)) do made:add(row[1], kind_of(row[2])).comment = row[3] end
  for _, part in ipairs { "columns", "indexes", "keys", "checks" } do
    for _, row in ipairs(ask(queries[part], values)) do add[part](made.tables[row[1]], row, scope) end
  end
  return made
end

function mssql.view_definition(ask, name, schema)
  local row = ask(queries.view, { schema or core.null, name })[1]
  return row and row[1]
end

function mssql.sequences(ask, schema)
  local list = {}
  for i, row in ipairs(ask(queries.sequences, { schema or core.null })) do
    list[i] = {
      name = row[1], schema = row[2], data_type = row[3], start = tonumber(row[4]), increment = tonumber(row[5]),
      minvalue = tonumber(row[6]), maxvalue = tonumber(row[7]), cycle = catalog.truth(row[8]), cache = tonumber(row[9]),
    }
  end
  return list
end

return mssql
