-- What an inspector tells of tables, and that tables made from it are the same.
local suite = ...
local la = require "lualchemy"
local described = dofile "spec/suite/described.lua"

-- Two tables in the database, the second with everything that every database has.
local function schema(world)
  local metadata = world:metadata()
  la.Table { "suite_parents", metadata,
    la.Column { "id", la.Integer, primary_key = true }, la.Column { "code", la.String(12), unique = true },
  }
  la.Table { "suite_children", metadata,
    la.Column { "a", la.Integer, primary_key = true, autoincrement = false }, la.Column { "b", la.String(20), primary_key = true },
    la.Column { "name", la.String(40), nullable = false, server_default = "it's" }, la.Column { "size", la.BigInteger },
    la.Column { "price", la.Numeric(10, 2), server_default = la.text "1.50" }, la.Column { "seen", la.DateTime },
    la.Column { "day", la.Date }, la.Column { "data", la.LargeBinary }, la.Column { "real", la.Double },
    la.Column { "parent_id", la.Integer, la.ForeignKey { "suite_parents.id", name = "fk_suite_child", ondelete = "CASCADE" } },
    la.UniqueConstraint { "name", "size", name = "uq_suite_child" }, la.CheckConstraint { "size > 0", name = "ck_suite_child" },
    la.Index { "ix_suite_child", "seen", "day" },
  }
  metadata:create_all(world:engine())
  return metadata
end

local function by_name(list)
  local found = {}
  for _, one in ipairs(list) do found[one.name] = one end
  return found
end

suite.case("tables, columns, keys and indexes are told as they were made", { needs = { "reflection" } }, function(world)
  schema(world)
  local inspector = la.inspect(world:engine())
  world.same({ "suite_children", "suite_parents" }, inspector:get_table_names())
  assert(inspector:has_table "suite_children" and not inspector:has_table "suite_nobody")
  local columns, order = by_name(inspector:get_columns "suite_children"), {}
  for i, column in ipairs(inspector:get_columns "suite_children") do order[i] = column.name end
  world.same({ "a", "b", "name", "size", "price", "seen", "day", "data", "real", "parent_id" }, order)
  world.same({ false, true }, { columns.name.nullable, columns.size.nullable })
  world.same({ "VARCHAR(40)", "(10, 2)" },
    { tostring(columns.name.type):match "VARCHAR.*", tostring(columns.price.type):match "%(10, 2%)" })
  local default = columns.name.default
  assert(default:find("it''s", 1, true) or default:find("it\\'s", 1, true), default)
  world.same({ "a", "b" }, inspector:get_pk_constraint "suite_children".constrained_columns)
  local key = inspector:get_foreign_keys "suite_children"[1]
  world.same({ { "parent_id" }, "suite_parents", { "id" }, "CASCADE" },
    { key.constrained_columns, key.referred_table, key.referred_columns, key.options.ondelete })
  world.same({ "name", "size" }, by_name(inspector:get_unique_constraints "suite_children").uq_suite_child.column_names)
  assert(by_name(inspector:get_check_constraints "suite_children").ck_suite_child.sqltext:find "size.* > ")
  local index = by_name(inspector:get_indexes "suite_children").ix_suite_child
  world.same({ false, { "seen", "day" } }, { index.unique, index.column_names })
end)

suite.case("tables that are made from what was found are the same", { needs = { "reflection" } }, function(world)
  schema(world)
  local before, found = described(world:engine()), la.MetaData()
  found:reflect { bind = world:engine() }
  found:drop_all(world:engine())
  world.same({}, la.inspect(world:engine()):get_table_names())
  found:create_all(world:engine())
  local after = described(world:engine())
  for kind, tables in pairs(before) do
    for name, facts in pairs(tables) do world.same(facts, after[kind][name], kind .. " of " .. name) end
  end
end)

suite.case("a table that is loaded is used as one that is written", { needs = { "reflection" } }, function(world)
  schema(world)
  world:engine():begin(function(connection)
    local children = la.Table { "suite_children", la.MetaData(), autoload_with = connection }
    local parents = children.metadata.tables.suite_parents
    connection:execute(parents:insert(), { id = 1, code = "x" })
    connection:execute(children:insert(), { a = 1, b = "y", size = 5, parent_id = 1 })
    local row = connection:execute(la.select(children.c.name, children.c.price, parents.c.code):join(parents)):one()
    world.same({ "it's", "1.5", "x" }, { row[1], (tostring(row[2]):gsub("0+$", "")), row[3] })
  end)
end)

suite.case("an inspector asks as often for sixty tables as for one", { needs = { "reflection" } }, function(world)
  local metadata = world:metadata()
  for i = 1, 60 do
    la.Table { "suite_many_" .. i, metadata,
      la.Column { "id", la.Integer, primary_key = true }, la.Column { "a", la.String(20), unique = true },
      la.Column { "b", la.Integer, index = true },
    }
  end
  metadata:create_all(world:engine())
  local engine, queries = world:engine { pool_size = 1 }, 0
  la.event.listen(engine, "before_execute", function() queries = queries + 1 end)
  local function asked(only)
    queries = 0
    local found, count = la.MetaData(), 0
    found:reflect { bind = engine, only = only }
    for _ in pairs(found.tables) do count = count + 1 end
    return count, queries
  end
  local one, for_one = asked { "suite_many_1" }
  local all, for_all = asked()
  world.same({ 1, 60 }, { one, all })
  assert(for_all > 0 and for_all <= for_one and for_all <= 8, ("%d queries for one table, %d for sixty"):format(for_one, for_all))
end)
