-- luacheck: no max line length
-- Random expressions and statements, printed and compiled for all dialects: what comes is text, or a CompileError that says
-- something, never another error and never an address. A seed is part of each failure; LUALCHEMY_SEED gives it back.
local la = require "lualchemy"
local core = require "lualchemy.core"
local cases = dofile "spec/sql/cases.lua"
local world = dofile "spec/sql/world.lua"

local func = la.func
local tables = world.tables()
local users, addresses, nodes, orders, docs = tables.users, tables.addresses, tables.nodes, tables.orders, tables.docs

local function any(list) return list[math.random(#list)] end
local function maybe(chance) return math.random() < chance end

-- Expressions: each function takes how deep it may still go ----------------------------------------

local number, text, condition, query, value

local types = { la.Integer, la.String(20), la.String, la.Text, la.Numeric(10, 2), la.Float, la.Boolean, la.Date, la.DateTime, la.Time,
  la.LargeBinary, la.Interval, la.Uuid, la.JSON, la.VARCHAR(5), la.postgresql.JSONB, la.mysql.TINYINT, la.mssql.XML, la.oracle.NUMBER,
  la.Enum("a", "b"), la.ARRAY(la.Integer) }

local literals = { 1, -2.5, "it's", "100%", "a\\b", "", true, la.null, la.decimal "1.50", la.date(2024, 2, 29), la.time(1, 2, 3),
  la.datetime(2024, 2, 29, 13, 14, 15), la.interval { days = 1, hours = 2 } }

local windows = {
  function() return { order_by = users.c.id } end,
  function() return { partition_by = users.c.age, order_by = { users.c.id:desc(), users.c.name } } end,
  function() return { order_by = users.c.id, rows = { -2, 0 } } end,
  function() return { order_by = users.c.id, range_ = { -1, 1 } } end,
  function() return { order_by = users.c.id, groups = { -1, 1 }, exclude = "ties" } end,
  function() return {} end,
}

local numbers = {
  function() return any { users.c.id, users.c.age, orders.c.total, nodes.c.parent_id } end,
  function() return la.literal(math.random(100)) end,
  function() return la.literal_column "42" end,
  function() return la.bindparam("n", 3) end,
  function(depth) return number(depth) + number(depth) end,
  function(depth) return number(depth) - number(depth) end,
  function(depth) return number(depth) * number(depth) end,
  function(depth) return number(depth) / number(depth) end,
  function(depth) return number(depth) % number(depth) end,
  function(depth) return -number(depth) end,
  function(depth) return func.count(value(depth)) end,
  function(depth) return func.count(value(depth):distinct()) end,
  function(depth) return func.sum(number(depth)):filter(condition(depth)) end,
  function(depth) return func.sum(number(depth)):over(any(windows)()) end,
  function(depth) return func.percentile_cont(0.5):within_group(number(depth)) end,
  function(depth) return func.coalesce(number(depth), number(depth)) end,
  function(depth) return func.char_length(text(depth)) end,
  function() return la.extract(any { "year", "month", "doy", "epoch", "hour" }, orders.c.placed) end,
  function(depth) return la.cast(value(depth), any(types)) end,
  function(depth) return la.case { { condition(depth), number(depth) }, else_ = number(depth) } end,
  function(depth) return query(depth, 1):scalar_subquery() end,
  function(depth) return number(depth):op("<->", number(depth)) end,
  function(depth) return number(depth):bitwise_and(number(depth)) end,
  function() return docs.c.data:get { "a", 0 }:as_integer() end,
}

local texts = {
  function() return any { users.c.name, users.c.fullname, addresses.c.email, tables.mixed.c["someName"], tables.reserved.c.group } end,
  function() return la.literal(any { "x", "it's", "%", "" }) end,
  function(depth) return text(depth) .. text(depth) end,
  function(depth) return func.lower(text(depth)) end,
  function(depth) return func.concat(text(depth), value(depth)) end,
  function(depth) return text(depth):collate(any { "NOCASE", "de_DE", "utf8mb4_bin" }) end,
  function(depth) return func.aggregate_strings(text(depth), ", ") end,
  function(depth) return func.aggregate_strings(text(depth), ","):aggregate_order_by(value(depth):desc()) end,
  function(depth) return la.cast(number(depth), la.String(10)) end,
  function(depth) return la.try_cast(value(depth), any(types)) end,
  function(depth) return text(depth):regexp_replace("a+", "b", { flags = maybe(0.5) and "i" or nil }) end,
  function(depth) return la.type_coerce(value(depth), la.String) end,
  function() return docs.c.data:get "name":as_string() end,
}

local comparisons = { "eq", "ne", "lt", "le", "gt", "ge", "is_distinct_from", "is_not_distinct_from" }
local patterns = { "like", "not_like", "ilike", "contains", "startswith", "iendswith", "regexp_match", "match" }

local conditions = {
  function(depth) local one = number(depth) return one[any(comparisons)](one, number(depth)) end,
  function(depth) local one = text(depth) return one[any(comparisons)](one, text(depth)) end,
  function(depth) local one = text(depth) return one[any(patterns)](one, any { "a%", "", "x" }) end,
  function(depth) local one = value(depth) return one[any { "is_", "is_not" }](one, la.null) end,
  function(depth) local one = number(depth) return one[any { "in_", "not_in" }](one, any { {}, { 1 }, { 1, 2, 3 } }) end,
  function(depth) local one = number(depth) return one[any { "in_", "not_in" }](one, query(depth, 1)) end,
  function(depth) return la.tuple_(number(depth), number(depth)):in_(any { {}, { { 1, 2 } }, { { 1, 2 }, { 3, 4 } } }) end,
  function(depth) return number(depth):between(number(depth), number(depth), { symmetric = maybe(0.3) }) end,
  function(depth) return la.and_(condition(depth), condition(depth)) end,
  function(depth) return la.or_(condition(depth), condition(depth), condition(depth)) end,
  function(depth) return la.not_(condition(depth)) end,
  function() return any { la.and_(), la.or_(), la.true_(), la.false_(), users.c.active } end,
  function(depth) return la.exists():where(condition(depth)) end,
  function(depth) return query(depth, 1):exists() end,
  function(depth) return number(depth):eq(la.any_(query(depth, 1))) end,
  function() return la.text "users.id > :low":bindparams { low = 3 } end,
  function(depth) return number(depth):bool_op("@@", number(depth)) end,
}

local function of(list, simple)
  return function(depth) return depth <= 0 and list[math.random(simple)](0) or any(list)(depth - 1) end
end

number, text, condition = of(numbers, 3), of(texts, 2), nil

function condition(depth)
  if depth <= 0 then return users.c.id:eq(1) end
  return any(conditions)(depth - 1)
end

function value(depth)
  return any { number, text, function() return la.literal(any(literals)) end }(depth)
end

-- Statements --------------------------------------------------------------------------------------

local function source(depth)
  local choice = math.random(8)
  if choice == 1 then return users:alias "u" end
  if choice == 2 then return query(depth - 1, 2):subquery(maybe(0.5) and "q" or nil) end
  if choice == 3 then return query(depth - 1, 2):cte { name = maybe(0.5) and "c" or nil, nesting = maybe(0.2) } end
  if choice == 4 then return users:join(addresses) end
  if choice == 5 then return users:outerjoin(orders, condition(1), { full = maybe(0.3) }) end
  if choice == 6 then
    return la.values { la.column("id", la.Integer), la.column("name", la.String), name = "v" }:data { { 1, "a" }, { 2, la.null } }
  end
  if choice == 7 then return query(depth - 1, 1):lateral "l" end
  return users:tablesample(func[any { "bernoulli", "system" }](5))
end

local clauses = {
  function(select, depth) return select:where(condition(depth)) end,
  function(select, depth) return select:group_by(value(depth)):having(condition(depth)) end,
  function(select) return select:group_by(func[any { "rollup", "cube" }](users.c.age, users.c.name)) end,
  function(select, depth) return select:order_by(maybe(0.3) and value(depth):desc() or value(depth)) end,
  function(select, depth) return select:order_by(value(depth):desc():nulls_last()) end,
  function(select) return select:limit(3) end,
  function(select) return select:offset(2) end,
  function(select) return select:limit(la.bindparam "l"):offset(1) end,
  function(select) return select:fetch(2, { with_ties = maybe(0.4), percent = maybe(0.3) }) end,
  function(select) return select:distinct() end,
  function(select) return select:distinct(users.c.name) end,
  function(select) return select:with_for_update { nowait = maybe(0.3), read = maybe(0.3), of = maybe(0.4) and users or nil } end,
  function(select) return select:prefix_with("/* p */"):suffix_with("/* s */"):with_statement_hint "/* h */" end,
  function(select) return select:with_hint(users, "NOLOCK") end,
  function(select) return select:correlate(users) end,
  function(select, depth) return depth > 0 and select:select_from(source(depth)) or select end,
}

-- A select of so many columns.
function query(depth, width)
  local columns = {}
  for i = 1, width do
    columns[i] = value(depth)
    if maybe(0.3) then columns[i] = columns[i]:label(any { "x", "select", "With Blank", "y" }) end
  end
  local select = la.select(table.unpack(columns))
  for _ = 1, math.random(0, 3) do select = any(clauses)(select, depth) end
  if depth > 0 and maybe(0.15) then
    select = la[any { "union", "union_all", "intersect", "except_" }](select, query(depth - 1, width))
    if maybe(0.5) then select = select:limit(2) end
  end
  return select
end

local function assigned(depth)
  return { name = maybe(0.5) and text(depth) or "x", age = number(depth), active = maybe(0.5) and condition(depth) or true }
end

local writes = {
  function(depth) return users:insert():values(assigned(depth)) end,
  function() return users:insert():values { { name = "a", age = 1 }, { name = "b", age = la.null } } end,
  function(depth) return users:insert():from_select({ "id", "name" }, query(depth, 2)) end,
  function(depth) return users:update():values(assigned(depth)):where(condition(depth)) end,
  function(depth) return users:delete():where(condition(depth)) end,
  function(depth) return la.upsert(users, { index_elements = { "id" } }):values { id = 1, name = text(depth) } end,
  function() return users:insert():values { id = 1 }:on_conflict_do_nothing() end,
}

local function write(depth)
  local statement = any(writes)(depth)
  if maybe(0.3) then statement = statement:returning(users.c.id, value(1)) end
  return statement
end

-- DDL ---------------------------------------------------------------------------------------------

local function random_table()
  local parts = { any { "t", "order", "Mixed Case" }, la.MetaData() }
  for i = 1, math.random(1, 4) do
    local column = { "c" .. i, any(types), nullable = maybe(0.5), comment = maybe(0.2) and "it's" or nil, unique = maybe(0.1) or nil }
    if maybe(0.3) then column.server_default = any { "x", func.now(), la.text "1 + 1" } end
    if maybe(0.1) then column[3] = la.Computed { "1 + 1", persisted = maybe(0.5) } column.server_default = nil end
    if i == 1 then column.primary_key = maybe(0.7) end
    parts[#parts + 1] = la.Column(column)
  end
  parts[#parts + 1] = maybe(0.3) and la.CheckConstraint { "c1 > 0", name = maybe(0.5) and "ck" or nil } or nil
  parts.comment = maybe(0.2) and "a table" or nil
  return la.Table(parts)
end

local definitions = {
  function() return la.CreateTable(random_table(), { if_not_exists = maybe(0.3) }) end,
  function() return la.DropTable(random_table(), { if_exists = maybe(0.5) }) end,
  function()
    local name = random_table().c.c1
    return la.CreateIndex(la.Index { "ix", any { name, name:desc(), func.lower(name) }, unique = maybe(0.5) })
  end,
  function(depth) return la.CreateView { query(depth, 2), "v", or_replace = maybe(0.3), materialized = maybe(0.3), temporary = maybe(0.2) } end,
  function() return la.CreateSequence(la.Sequence { "s", start = 3, cycle = maybe(0.5) }) end,
  function() return la.CreateSchema "other" end,
  function() return la.SetTableComment(users) end,
}

-- The property ------------------------------------------------------------------------------------

local seed = tonumber(os.getenv "LUALCHEMY_SEED") or os.time() % 1000000
local rounds = tonumber(os.getenv "LUALCHEMY_ROUNDS") or 400

local function fails(what, failure)
  error(("seed %d: %s: %s"):format(seed, what, tostring(failure)), 0)
end

-- A statement may say no when it is compiled, and an object may say so when it prints: "<what> …".
local function check_text(what, text_of)
  local ok, found = pcall(text_of)
  if not ok then
    if not la.is_error(found) or not (found.kind:find "Compil" or found.kind == "InvalidRequestError" or found.kind == "IdentifierError") or found.message == "" then
      fails(what, la.is_error(found) and found.kind .. ": " .. found.message or found)
    end
    return
  end
  if type(found) ~= "string" or found == "" or found:find "0x%x%x%x%x" then fails(what, "no text but " .. tostring(found)) end
end

local function check_printed(what, thing)
  local ok, printed = pcall(tostring, thing)
  if not ok or printed == "" or printed:find "0x%x%x%x%x" then fails("tostring of " .. what, printed) end
  return printed
end

local function check(make, what)
  for round = 1, rounds do
    math.randomseed(seed + round)
    local ok, made = pcall(make)
    -- What the builders refuse is an error of ours as well.
    if not ok and not la.is_error(made) then fails(what .. " " .. round, made) end
    if ok then
      local printed = what .. " " .. round .. ": " .. check_printed(what, made)
      if type(made) == "userdata" then check_text("tree of " .. printed, function() return core.print_block(made) end) end
      for _, label in ipairs(cases.labels) do
        for _, inline in ipairs { false, true } do
          local options = cases.options(label)
          options.literal_binds = inline or nil
          check_text(label .. (inline and " literal" or "") .. ": " .. printed, function()
            local compiled = made:compile(options)
            check_printed("compiled " .. printed, compiled)
            return compiled.sql
          end)
        end
      end
    end
  end
end

-- Everything else that users hold in their hands.
local function things()
  local m = la.MetaData()
  la.Table { "users", m, la.Column { "id", la.Integer, primary_key = true } }
  local t = la.Table { "printed", m,
    la.Column { "id", la.Integer, la.Identity { start = 3 }, primary_key = true },
    la.Column { "user_id", la.Integer, la.ForeignKey { "users.id", ondelete = "CASCADE" } },
    la.Column { "twice", la.Integer, la.Computed "id * 2" },
    la.CheckConstraint { "id > 0", name = "positive" }, la.UniqueConstraint { "id", "twice" }, la.Index { "ix_printed", "twice", unique = true },
  }
  local decorated = la.TypeDecorator { impl = la.String(3), bind = function(given) return given end, name = "Shouted" }
  local list = { t, t.c.id, t.metadata, la.MetaData(), la.Column { "x", la.Integer }, la.ForeignKey "users.id", la.Computed "1", la.Identity(),
    la.CheckConstraint "1 > 0", la.UniqueConstraint { "a" }, la.PrimaryKeyConstraint { "a" }, la.ForeignKeyConstraint { { "a" }, { "b.c" } },
    la.Index { "ix", "a" }, la.ExcludeConstraint { { "a", "=" } }, la.Sequence "s", la.Sequence("s"):next_value(), la.FetchedValue(), decorated,
    la.String(3):with_variant(la.Text, "sqlite"), la.table { "t", la.column "a" }, la.column "a", la.func.f, la.func.f(1), la.true_(), la.default_(),
    la.ge(3), la.DDL "x", la.text "x", la.select(users):subquery(), users:alias(), users:join(addresses),
    la.values { la.column "a" }, la.values { la.column "a" }:data { { 1 } }, la.construct { "made", default = function() return "x" end } (1),
    la.select(users):compile(), la.CreateTable(t):compile { dialect = "mysql" }, la.decimal "1.5", la.date(2024, 1, 2), la.interval { days = 1 } }
  for _, one in ipairs(types) do list[#list + 1] = one end
  return list
end

describe("what is made at random, seed " .. seed, function()
  it("prints and compiles: expressions", function() check(function() return value(4) end, "expression") end)
  it("prints and compiles: conditions", function() check(function() return condition(4) end, "condition") end)
  it("prints and compiles: selects", function() check(function() return query(3, math.random(3)) end, "select") end)
  it("prints and compiles: sources", function() check(function() return la.select(la.literal_column "1"):select_from(source(3)) end, "source") end)
  it("prints and compiles: writes", function() check(function() return write(3) end, "write") end)
  it("prints and compiles: DDL", function() check(function() return any(definitions)(2) end, "DDL") end)
  it("has things that print as what they are", function()
    for place, thing in ipairs(things()) do check_printed("thing " .. place, thing) end
  end)
end)
