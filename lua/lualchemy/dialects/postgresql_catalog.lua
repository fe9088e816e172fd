--- PostgreSQL's catalog (its manual, part "System Catalogs"), in four queries a schema. See lualchemy.catalog.
local core = require "lualchemy.core"
local catalog = require "lualchemy.catalog"

local postgresql, null = {}, core.null

-- Queries -----------------------------------------------------------------------------------------

-- Numbers and names come as text, so that whoever asks needs to know no types. The two values: the schema (NULL: the current one)
-- and the table (NULL: all).
local which = [[ n.nspname = coalesce(CAST(? AS text), current_schema()) AND c.relname = coalesce(CAST(? AS text), c.relname)
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm')]]

local queries = {
  names = [[SELECT c.relname, c.relkind::text, c.relpersistence::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(? AS text), current_schema()) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') ORDER BY c.relname]],
  tables = [[SELECT c.relname, c.relkind::text, c.relpersistence::text, obj_description(c.oid, 'pg_class'),
      c.reloptions::text, t.spcname, CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
      CASE WHEN m.amname <> current_setting('default_table_access_method') THEN m.amname::text END,
      (SELECT string_agg(octet_length(x.name) || ':' || x.name, '' ORDER BY x.place)
        FROM (SELECT CASE WHEN pg_table_is_visible(p.oid) THEN '' ELSE pn.nspname || '.' END || p.relname AS name, h.inhseqno AS place
          FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
          WHERE h.inhrelid = c.oid) AS x), pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
    LEFT JOIN pg_am m ON m.oid = c.relam AND c.relkind IN ('r', 'p')
    WHERE]] .. which .. [[ ORDER BY c.relname]],
  columns = [[SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), (NOT a.attnotnull)::text,
      pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text, col_description(c.oid, a.attnum),
      CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text END,
      coalesce(e.typtype, t.typtype)::text, coalesce(e.typname, t.typname)::text,
      CASE WHEN NOT pg_type_is_visible(coalesce(e.oid, t.oid)) THEN tn.nspname::text END,
      (SELECT string_agg(octet_length(x.enumlabel) || ':' || x.enumlabel, '' ORDER BY x.enumsortorder)
        FROM pg_enum x WHERE x.enumtypid = coalesce(e.oid, t.oid)),
      q.seqstart::text, q.seqincrement::text, q.seqmin::text, q.seqmax::text, q.seqcycle::text, q.seqcache::text,
      CASE WHEN coalesce(e.typtype, t.typtype) = 'd' THEN coalesce(e.oid, t.oid)::text END,
      (SELECT 'own' FROM pg_depend o JOIN pg_sequence s ON s.seqrelid = o.objid
        WHERE d.oid IS NOT NULL AND o.deptype = 'a' AND o.refobjid = c.oid AND o.refobjsubid = a.attnum
          AND o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass LIMIT 1)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typlen = -1 AND t.typcategory = 'A'
    JOIN pg_namespace tn ON tn.oid = coalesce(e.typnamespace, t.typnamespace)
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_depend p ON a.attidentity <> '' AND p.refobjid = c.oid AND p.refobjsubid = a.attnum AND p.deptype = 'i'
      AND p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
    LEFT JOIN pg_sequence q ON q.seqrelid = p.objid
    WHERE]] .. which .. [[ ORDER BY c.relname, a.attnum]],
  constraints = [[SELECT c.relname, k.conname, k.contype::text, a.attname, fn.nspname, fc.relname, fa.attname, k.confupdtype::text,
      k.confdeltype::text, k.confmatchtype::text, k.condeferrable::text, k.condeferred::text, k.convalidated::text,
      k.connoinherit::text, CASE WHEN k.contype = 'c' THEN pg_get_constraintdef(k.oid) END, obj_description(k.oid, 'pg_constraint'),
      CASE WHEN pg_table_is_visible(fc.oid) THEN 'visible' END, o.oprname,
      (SELECT string_agg(quote_ident(da.attname), ', ' ORDER BY dc.place)
        FROM jsonb_array_elements_text(nullif(to_jsonb(k)->'confdelsetcols', 'null')) WITH ORDINALITY AS dc (attnum, place)
        JOIN pg_attribute da ON da.attrelid = c.oid AND da.attnum = dc.attnum::int)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'f', 'u', 'c', 'x')
      AND NOT EXISTS (SELECT 1 FROM pg_constraint kp WHERE kp.oid = k.conparentid AND kp.conrelid = k.conrelid)
    LEFT JOIN LATERAL unnest(k.conkey, k.confkey, k.conexclop) WITH ORDINALITY AS x (here, there, operator, place) ON true
    LEFT JOIN pg_operator o ON o.oid = x.operator
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.here
    LEFT JOIN pg_class fc ON fc.oid = k.confrelid AND k.contype = 'f' LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
    LEFT JOIN pg_attribute fa ON fa.attrelid = fc.oid AND fa.attnum = x.there
    WHERE]] .. which .. [[ ORDER BY c.relname, k.conname, x.place]],
  indexes = [[SELECT c.relname, i.relname, x.indisunique::text, m.amname, pg_get_expr(x.indpred, x.indrelid), i.reloptions::text,
      (g.place > x.indnkeyatts)::text, a.attname, pg_get_indexdef(x.indexrelid, g.place::int, true), (x.indoption[g.place - 1])::text,
      CASE WHEN NOT o.opcdefault THEN o.opcname::text END,
      CASE WHEN x.indcollation[g.place - 1] <> coalesce(a.attcollation, 0) AND a.attnum IS NOT NULL THEN l.collname::text END,
      k.conname, s.spcname, k.contype::text, to_jsonb(x)->>'indnullsnotdistinct'
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index x ON x.indrelid = c.oid
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
    CROSS JOIN LATERAL generate_series(1, x.indnatts) AS g (place)
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[g.place - 1] AND a.attnum > 0
    LEFT JOIN pg_opclass o ON o.oid = x.indclass[g.place - 1] LEFT JOIN pg_collation l ON l.oid = x.indcollation[g.place - 1]
    LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
    LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
    WHERE]] .. which .. [[ ORDER BY c.relname, i.relname, g.place]],
  schemas = [[SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg~_%' ESCAPE '~' ORDER BY nspname]],
  view = [[SELECT pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE]] .. which .. [[
    AND c.relkind IN ('v', 'm')]],
  sequences = [[SELECT c.relname, n.nspname, format_type(q.seqtypid, NULL), q.seqstart::text, q.seqincrement::text, q.seqmin::text,
      q.seqmax::text, q.seqcycle::text, q.seqcache::text
    FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = coalesce(CAST(? AS text), current_schema())
      AND NOT EXISTS (SELECT 1 FROM pg_depend p WHERE p.objid = c.oid AND p.deptype = 'i' AND p.classid = 'pg_class'::regclass)
    ORDER BY c.relname]],
  enums = [[SELECT t.typname, n.nspname, pg_type_is_visible(t.oid)::text, e.enumlabel
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_enum e ON e.enumtypid = t.oid
    WHERE t.typtype = 'e' AND (CAST(? AS text) = '*' OR n.nspname = coalesce(CAST(? AS text), current_schema()))
    ORDER BY n.nspname, t.typname, e.enumsortorder]],
  domains = [[SELECT t.oid::text, t.typname, n.nspname, pg_type_is_visible(t.oid)::text, format_type(t.typbasetype, t.typtypmod),
      (NOT t.typnotnull)::text, t.typdefault, CASE WHEN t.typcollation <> b.typcollation THEN l.collname::text END, k.conname,
      pg_get_constraintdef(k.oid)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_collation l ON l.oid = t.typcollation LEFT JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
    WHERE t.typtype = 'd' AND n.nspname <> 'information_schema'
      AND (CAST(? AS text) = '*' OR n.nspname = coalesce(CAST(? AS text), current_schema()))
    ORDER BY n.nspname, t.typname, k.conname]],
}
for name, query in pairs(queries) do queries[name] = query:gsub("%s+", " ") end
postgresql.queries = queries

-- Types -------------------------------------------------------------------------------------------

-- What format_type says, where it is not the name of the exact type.
local names = {
  ["character varying"] = "VARCHAR", character = "CHAR", ["double precision"] = "DOUBLE_PRECISION", bool = "BOOLEAN",
  ["bit varying"] = "BIT", bpchar = "CHAR", name = "VARCHAR", ['"char"'] = "CHAR",
}
local dated = { timestamp = true, time = true }

-- "timestamp(3) with time zone", "interval day to second(2)"
local function moment_type(text)
  local name, rest = text:match "^(%a+)(.*)$"
  if name == "interval" then
    local fields = rest:match "^ ([%a ]+)"
    local digits = tonumber(rest:match "%((%d+)%)")
    return catalog.apply(catalog.exact("postgresql", "INTERVAL"), { fields = fields and fields:upper() or nil, precision = digits })
  end
  if not dated[name] then return nil end
  return catalog.apply(catalog.exact("postgresql", name:upper()), {
    timezone = rest:find " with time zone" ~= nil or nil, precision = tonumber(rest:match "%((%d+)%)"),
  })
end

local function plain_type(text, collation)
  local moment = moment_type(text)
  if moment then return moment end
  local name, inside = catalog.split_type(text)
  local arguments = catalog.numbers(inside)
  local exact = catalog.exact("postgresql", names[name] or name:upper())
  if not exact then return core.types.NullType end
  if name == "bit varying" then arguments = { length = arguments[1], varying = true } end
  if collation then arguments.collation = collation end
  return catalog.apply(exact, arguments)
end

-- "3:sad2:ok": each text behind its length in bytes, since it may have any character.
local function texts_of(text)
  local labels, at = {}, 1
  while at <= #text do
    local length, from = text:match("^(%d+):()", at)
    at = from + tonumber(length)
    labels[#labels + 1] = text:sub(from, at - 1)
  end
  return labels
end

-- DEFAULT, NOT NULL and CHECK of a domain, as CREATE DOMAIN has them.
local function domain_definition(domain)
  local words = {}
  if domain.default then words[1] = "DEFAULT " .. domain.default end
  if not domain.nullable then words[#words + 1] = "NOT NULL" end
  for _, one in ipairs(domain.constraints) do
    words[#words + 1] = ("CONSTRAINT %s %s"):format('"' .. one.name:gsub('"', '""') .. '"', one.definition)
  end
  return #words > 0 and table.concat(words, " ") or nil
end

local function domain_type(domain)
  return catalog.exact("postgresql", "DOMAIN") {
    plain_type(domain.type), name = domain.name, schema = not domain.visible and domain.schema or nil, collation = domain.collation,
    definition = domain_definition(domain),
  }
end

--- What format_type says as a type. about: { kind = pg_type.typtype, name, schema, labels = texts of an enum behind their lengths,
-- domain = a record of domains, collation }.
function postgresql.type(text, about)
  local item = text:match "^(.-)%[%]$"
  local made
  if about.domain then
    made = domain_type(about.domain)
  elseif about.kind == "e" then
    local labels = texts_of(about.labels)
    labels.name, labels.schema = about.name, about.schema
    made = catalog.exact("postgresql", "ENUM")(labels)
  else
    made = plain_type(item or text, about.collation)
  end
  if not item then return made end
  return core.types.ARRAY(made)
end

-- Records -----------------------------------------------------------------------------------------

local kinds = { r = "table", p = "table", f = "table", v = "view", m = "materialized_view" }

local function kind_of(relkind, persistence)
  return kinds[relkind] == "table" and persistence == "t" and "temporary" or kinds[relkind]
end

local function number(text) return text and tonumber(text) end

local function identity_of(row)
  return {
    always = row[6] == "a", start = number(row[14]), increment = number(row[15]), minvalue = number(row[16]),
    maxvalue = number(row[17]), cycle = catalog.truth(row[18]), cache = number(row[19]),
  }
end

local function add_column(record, row, domains)
  local column = {
    name = row[2], nullable = catalog.truth(row[4]), comment = row[8], autoincrement = false,
    type = postgresql.type(row[3], { kind = row[10], name = row[11], schema = row[12], labels = row[13], collation = row[9],
      domain = domains[row[20]] }),
  }
  if row[7] ~= "" then
    column.computed = { sqltext = row[5], persisted = row[7] == "s" }
  elseif record.options.postgresql_partition_of then   -- the whole numbers its rows
    column.default = row[5]
  elseif row[6] ~= "" then
    column.identity, column.autoincrement = identity_of(row), true
  else
    column.default = row[5]
    column.autoincrement = (row[5] or ""):find("^nextval%(") ~= nil
    if column.autoincrement and row[21] then record.serials[row[2]] = true end
  end
  catalog.add_column(record, column)
end

local actions = { c = "CASCADE", n = "SET NULL", d = "SET DEFAULT", r = "RESTRICT" }
local matches = { f = "FULL", p = "PARTIAL" }

-- row[19]: the columns that alone are cleared
local function ondelete_of(row)
  local action = actions[row[9]]
  return action and row[19] and ("%s (%s)"):format(action, row[19]) or action
end

local function key_options(row)
  local deferrable = catalog.truth(row[11])
  return {
    onupdate = actions[row[8]], ondelete = ondelete_of(row), match = matches[row[10]], deferrable = deferrable or nil,
    initially = catalog.truth(row[12]) and "DEFERRED" or nil,
  }
end

local function not_valid(row)
  if catalog.truth(row[13]) then return nil end
  return { postgresql_not_valid = true }
end

local function check_options(row)
  local options = not_valid(row)
  if catalog.truth(row[14]) then
    options = options or {}
    options.postgresql_no_inherit = true
  end
  return options
end

-- The same length, and nothing in it that stands in quotes.
local function without_quoted(text)
  local parts, at = {}, 1
  while true do
    local from = text:find("['\"]", at)
    local to = from and text:find(text:sub(from, from), from + 1, true)
    if not to then break end
    parts[#parts + 1] = text:sub(at, from - 1)
    parts[#parts + 1] = ("x"):rep(to - from + 1)
    at = to + 1
  end
  parts[#parts + 1] = text:sub(at)
  return table.concat(parts)
end

-- CHECK ((m > 0)) NO INHERIT
local function check_text(definition)
  local text = definition:gsub(" NOT VALID$", ""):gsub(" NO INHERIT$", ""):match "^CHECK %((.*)%)$"
  if not text then return definition end
  return without_quoted(text):find "^%b()$" and text:sub(2, -2) or text
end

local add_constraint = {
  p = function(record, row)
    local key = record.pk_constraint
    key.name, key.comment = row[2], row[16]
    key.constrained_columns[#key.constrained_columns + 1] = row[4]
  end,
  u = function(record, row)
    local one = catalog.named(record.unique_constraints, row[2], function()
      local deferred = catalog.truth(row[12]) and "DEFERRED" or nil
      return { name = row[2], column_names = {}, comment = row[16], deferrable = catalog.truth(row[11]) or nil, initially = deferred }
    end)
    one.column_names[#one.column_names + 1] = row[4]
  end,
  x = function(record, row)
    local one = catalog.named(record.exclude_constraints, row[2], function()
      local deferred = catalog.truth(row[12]) and "DEFERRED" or nil
      return { name = row[2], operators = {}, comment = row[16], deferrable = catalog.truth(row[11]) or nil, initially = deferred }
    end)
    one.operators[#one.operators + 1] = row[18]
  end,
  c = function(record, row)
    catalog.named(record.check_constraints, row[2], function()
      return { name = row[2], sqltext = check_text(row[15]), comment = row[16], dialect_options = check_options(row) }
    end)
  end,
  f = function(record, row, scope)
    local key = catalog.named(record.foreign_keys, row[2], function()
      return {
        name = row[2], constrained_columns = {}, referred_columns = {}, referred_table = row[6], comment = row[16],
        referred_schema = (scope.schema == row[5] or row[17] ~= "visible") and row[5] or nil, options = key_options(row),
        dialect_options = not_valid(row),
      }
    end)
    key.constrained_columns[#key.constrained_columns + 1] = row[4]
    key.referred_columns[#key.referred_columns + 1] = row[7]
  end,
}

-- {fillfactor=70,fastupdate=off}
local function storage(text)
  if not text then return nil end
  local options = {}
  for name, value in text:gmatch "([%w_.]+)=([^,}]*)" do options[name] = value end
  return options
end

local function index_of(record, row)
  return catalog.named(record.indexes, row[2], function()
    local options = { postgresql_where = row[5], postgresql_with = storage(row[6]), postgresql_tablespace = row[14] }
    options.postgresql_nulls_not_distinct = catalog.truth(row[16]) or nil
    if row[4] ~= "btree" then options.postgresql_using = row[4] end
    return {
      name = row[2], unique = catalog.truth(row[3]), column_names = {}, expressions = {}, include_columns = {}, dialect_options = options,
      duplicates_constraint = row[13], of_constraint = row[15],
    }
  end)
end

-- indoption: 1 descending, 2 nulls first; each has the order of nulls that it has by itself.
local sortings = { ["1"] = { "desc", "nulls_last" }, ["2"] = { "nulls_first" }, ["3"] = { "desc" } }

local function add_place(record, row)
  local index = index_of(record, row)
  if catalog.truth(row[7]) then
    index.include_columns[#index.include_columns + 1] = row[8]
    return
  end
  local place = #index.column_names + 1
  index.column_names[place] = row[8] or false
  index.expressions[place] = row[8] or row[9]
  if not row[8] then index.has_expressions = true end
  local word = index.expressions[place]
  if row[11] then
    index.dialect_options.postgresql_ops = index.dialect_options.postgresql_ops or {}
    index.dialect_options.postgresql_ops[word] = row[11]
  end
  if row[12] then
    index.column_collations = index.column_collations or {}
    index.column_collations[place] = row[12]
  end
  if sortings[row[10]] and index.dialect_options.postgresql_using == nil then
    index.column_sorting = index.column_sorting or {}
    index.column_sorting[word] = sortings[row[10]]
  end
end

-- What the catalog tells of a constraint with its index.
local complete = {
  p = function(record, index)
    if next(index.dialect_options) then record.pk_constraint.dialect_options = index.dialect_options end
  end,
  u = function(record, index)
    if next(index.dialect_options) then catalog.named(record.unique_constraints, index.name).dialect_options = index.dialect_options end
  end,
  x = function(record, index)
    local one, options = catalog.named(record.exclude_constraints, index.name), index.dialect_options
    one.using, one.where, one.ops = options.postgresql_using or "btree", options.postgresql_where, options.postgresql_ops
    one.expressions = {}
    for place, name in ipairs(index.column_names) do
      one.expressions[place] = { name or nil, text = index.expressions and index.expressions[place] or name }
    end
  end,
}

local function finish_indexes(record)
  local kept = {}
  for _, index in ipairs(record.indexes) do
    if not index.has_expressions then index.expressions = nil end
    if #index.include_columns > 0 then index.dialect_options.postgresql_include = index.include_columns end
    if index.of_constraint then complete[index.of_constraint](record, index) end
    if index.of_constraint ~= "p" then kept[#kept + 1] = index end
    index.has_expressions, index.of_constraint = nil, nil
  end
  record.indexes = kept
end

-- The reader --------------------------------------------------------------------------------------

--- What a column that numbers itself by a sequence of its own has for a default is made by SERIAL: of a key once a table.
function postgresql.default_sql(default, column, record)
  local found, in_key = false, false
  for _, name in ipairs(record.pk_constraint.constrained_columns) do
    if record.serials[name] and not found then
      if name == column.name then return nil end
      found = true
    end
    in_key = in_key or name == column.name
  end
  if record.serials[column.name] and not in_key and not column.nullable then return true end
  return default
end

function postgresql.default_schema(ask) return ask "SELECT current_schema()"[1][1] end

function postgresql.schemas(ask)
  local list = {}
  for i, row in ipairs(ask(queries.schemas)) do list[i] = row[1] end
  return list
end

function postgresql.names(ask, schema)
  local list = {}
  for i, row in ipairs(ask(queries.names, { schema or null })) do list[i] = { row[1], kind_of(row[2], row[3]) } end
  return list
end

local function add_options(record, row)
  local parents = row[9] and texts_of(row[9])
  record.options = {
    postgresql_with = storage(row[5]), postgresql_tablespace = row[6], postgresql_partition_by = row[7], postgresql_using = row[8],
    postgresql_inherits = not row[10] and parents or nil,
    postgresql_partition_of = row[10] and parents[1], postgresql_partition_bound = row[10],
  }
  record.depends_on = parents
  if row[3] == "u" then record.options.prefixes = { "UNLOGGED" } end
end

local function read_domains(ask, schema)
  local list = {}
  for _, row in ipairs(ask(queries.domains, { schema or null, schema or null })) do
    local one = catalog.named(list, row[1], function()
      return {
        name = row[2], schema = row[3], visible = catalog.truth(row[4]), type = row[5], nullable = catalog.truth(row[6]), default = row[7],
        collation = row[8], constraints = {},
      }
    end)
    if row[9] then one.constraints[#one.constraints + 1] = { name = row[9], check = check_text(row[10]), definition = row[10] } end
  end
  return list
end

-- By their numbers; asked for when a column has one.
local function domains_of(ask, columns)
  for _, row in ipairs(columns) do
    if row[20] then return read_domains(ask, "*").by_name end
  end
  return {}
end

function postgresql.read(ask, scope)
  local made, values = catalog.new(), { scope.schema or null, scope.name or null }
  for _, row in ipairs(ask(queries.tables, values)) do
    local record = made:add(row[1], kind_of(row[2], row[3]))
    record.comment, record.serials = row[4], {}   -- names of columns that have a sequence of their own
    if record.kind == "table" then add_options(record, row) end
  end
  local columns = ask(queries.columns, values)
  local domains = domains_of(ask, columns)
  for _, row in ipairs(columns) do add_column(made.tables[row[1]], row, domains) end
  for _, row in ipairs(ask(queries.constraints, values)) do add_constraint[row[3]](made.tables[row[1]], row, scope) end
  for _, row in ipairs(ask(queries.indexes, values)) do add_place(made.tables[row[1]], row) end
  for _, name in ipairs(made.names) do finish_indexes(made.tables[name]) end
  return made
end

function postgresql.view_definition(ask, name, schema)
  local row = ask(queries.view, { schema or null, name })[1]
  return row and row[1]
end

function postgresql.sequences(ask, schema)
  local list = {}
  for i, row in ipairs(ask(queries.sequences, { schema or null })) do
    list[i] = {
      name = row[1], schema = row[2], data_type = row[3], start = number(row[4]), increment = number(row[5]), minvalue = number(row[6]),
      maxvalue = number(row[7]), cycle = catalog.truth(row[8]), cache = number(row[9]),
    }
  end
  return list
end

function postgresql.enums(ask, schema)
  local list = {}
  for _, row in ipairs(ask(queries.enums, { schema or null, schema or null })) do
    local one = catalog.named(list, row[2] .. "." .. row[1], function()
      return { name = row[1], schema = row[2], visible = catalog.truth(row[3]), labels = {} }
    end)
    one.labels[#one.labels + 1] = row[4]
  end
  list.by_name = nil
  return list
end

function postgresql.domains(ask, schema)
  local list = read_domains(ask, schema)
  for _, one in ipairs(list) do
    one.type = plain_type(one.type)
    for _, constraint in ipairs(one.constraints) do constraint.definition = nil end
  end
  list.by_name = nil
  return list
end

return postgresql
