-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"
local fails = world.fails

describe("operators", function()
  local w = world.tables()
  local p = w.players.c
  local cases = {
    { p.score:eq(1), "players.score = :score_1" },
    { p.score:ne(1), "players.score != :score_1" },
    { p.score:lt(1), "players.score < :score_1" },
    { p.name:eq(nil), "players.name IS NULL" },
    { p.name:eq(la.null), "players.name IS NULL" },
    { p.name:ne(nil), "players.name IS NOT NULL" },
    { p.active:is_(true), "players.active IS true" },
    { p.shirt:in_ { 1, 2 }, "players.shirt IN (:shirt_1_1, :shirt_1_2)" },
    { p.shirt:not_in { 1 }, "(players.shirt NOT IN (:shirt_1_1))" },
    { p.shirt:between(1, 2), "players.shirt BETWEEN :shirt_1 AND :shirt_2" },
    { p.name:like "A%", "players.name LIKE :name_1" },
    { p.name:like("A/%", { escape = "/" }), "players.name LIKE :name_1 ESCAPE '/'" },
    { p.name:startswith "A", "players.name LIKE :name_1 || '%'" },
    { p.score + 1, "players.score + :score_1" },
    { 1 + p.score, ":score_1 + players.score" },
    { -p.score, "-players.score" },
    { p.score * (p.shirt - 1), "players.score * (players.shirt - :shirt_1)" },
    { p.name .. "x", "players.name || :name_1" },
    { "x" .. p.name, ":name_1 || players.name" },
    { p.score:gt(1) & p.shirt:lt(2) | p.active, "players.score > :score_1 AND players.shirt < :shirt_1 OR players.active" },
    { ~p.score:gt(1), "players.score <= :score_1" },
    { la.and_(p.score:gt(1), la.or_(p.shirt:eq(1), p.shirt:eq(2))), "players.score > :score_1 AND (players.shirt = :shirt_1 OR players.shirt = :shirt_2)" },
    { la.and_ { p.active, p.shirt:eq(1) }, "players.active AND players.shirt = :shirt_1" },
    { la.not_(p.active), "NOT players.active" },
    { p.name:desc(), "players.name DESC" },
    { p.name:desc():nulls_last(), "players.name DESC NULLS LAST" },
    { p.name:op("->", "x"), "players.name -> :name_1" },
    { p.name:cast(la.Integer), "CAST(players.name AS INTEGER)" },
    { la.func.coalesce(p.score, 0), "coalesce(players.score, :coalesce_1)" },
    { la.func.count(), "count(*)" },
    { la.func.pkg.name(1), "pkg.name(:name_1)" },
    { la.case { { p.score:gt(1), "a" }, { p.score:gt(0), "b" }, else_ = "c" }, "CASE WHEN (players.score > :score_1) THEN :param_1 WHEN (players.score > :score_2) THEN :param_2 ELSE :param_3 END" },
    { la.case { { 1, "one" }, value = p.shirt }, "CASE players.shirt WHEN :param_1 THEN :param_2 END" },
    { la.extract("year", p.score), "EXTRACT(year FROM players.score)" },
    { la.tuple_(p.id, p.shirt), "(players.id, players.shirt)" },
    { p.score:is_distinct_from(1), "players.score IS DISTINCT FROM :score_1" },
    { la.literal(5), ":param_1" },
    { la.literal_column "x + 1", "x + 1" },
    { p.name:collate "NOCASE", 'players.name COLLATE "NOCASE"' },
    { la.func.rank():over { partition_by = p.team_id, order_by = { p.score:desc(), p.id } }, "rank() OVER (PARTITION BY players.team_id ORDER BY players.score DESC, players.id)" },
    { la.func.sum(p.score):over { order_by = p.id, rows = { -2, 0 } }, "sum(players.score) OVER (ORDER BY players.id ROWS BETWEEN :param_1 PRECEDING AND CURRENT ROW)" },
    { la.func.sum(p.score):over { order_by = p.id, range_ = { -1.5, false }, exclude = "current row" }, "sum(players.score) OVER (ORDER BY players.id RANGE BETWEEN :param_1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW)" },
    { la.func.array_agg(p.name):aggregate_order_by(p.id:desc()), "array_agg(players.name ORDER BY players.id DESC)" },
    { la.func.aggregate_strings(p.name, ", "):aggregate_order_by(p.id), "aggregate_strings(players.name, ', ' ORDER BY players.id)" },
    { la.func.grouping_sets(la.tuple_(p.id, p.name), la.tuple_(p.id)), "GROUPING SETS((players.id, players.name), (players.id))" },
    { la.func.rollup(p.id, p.name), "ROLLUP(players.id, players.name)" },
    { la.func.count(p.id):filter(p.active), "count(players.id) FILTER (WHERE players.active)" },
  }
  for _, case in ipairs(cases) do
    it("give " .. case[2], function() assert.equal(case[2], tostring(case[1])) end)
  end

  it("are methods for the operator rows, all of them", function()
    for _, name in ipairs { "eq", "ne", "lt", "le", "gt", "ge", "is_", "is_not", "in_", "not_in", "between", "like", "ilike", "contains",
      "startswith", "endswith", "regexp_match", "is_distinct_from", "any_", "all_", "op", "desc", "asc", "concat", "bitwise_and" } do
      assert.equal("function", type(p.name[name]), name)
    end
  end)

  it("give values their column's type", function()
    assert.same({ 12 }, { table.unpack(p.score:eq(12):compile().params) })
    assert.equal("float", math.type(p.score:eq(12):compile().params[1]))
    assert.equal("integer", math.type(p.shirt:eq(12.0):compile().params[1]))
  end)
end)

describe("wrong operands", function()
  local w = world.tables()
  local p = w.players.c

  it("are refused with what to write instead", function()
    fails("ArgumentError", function() la.and_(p.score:gt(1), true) end, "==", "column:eq(value)")
    fails("ArgumentError", function() return p.score < 1 end, "column:lt(value)")
    fails("ArgumentError", function() return p.score <= 1 end, "column:le(value)")
    fails("ArgumentError", function() return p.score == p.shirt end, "column:eq(value)")
    fails("ArgumentError", function() p.score:eq() end, "eq needs a value")
    fails("ArgumentError", function() p.score:eq(1, 2) end, "1 argument")
    fails("ArgumentError", function() p.score:eq {} end, "in_")
    fails("ArgumentError", function() p.score:eq(print) end, "function")
    fails("ArgumentError", function() p.score:in_(5) end, "list", "a number")
    fails("ArgumentError", function() p.score:in_ { { 1 } } end, "tuple_")
    fails("ArgumentError", function() p.score:between(1) end, "two values")
    fails("ArgumentError", function() p.score:label(1) end, "label", "a name")
    fails("ArgumentError", function() p.score:lik "x" end, "'lik'", "'like'")
    fails("ArgumentError", function() la.case { 1 } end, "pairs")
    fails("ArgumentError", function() la.case { { p.active, 1 }, otherwise = 2 } end, "otherwise")
    fails("ArgumentError", function() la.cast(p.score, "x") end, "a type")
    fails("ArgumentError", function() p.score:over { partion_by = p.id } end, "partition_by")
    fails("DataError", function() p.shirt:eq "x" end, "players.shirt", "Integer")
  end)

  it("leave the next expression as it should be", function()
    pcall(function() la.and_(p.score:gt(1), true) end)
    assert.equal("players.score > :score_1", tostring(p.score:gt(1)))
  end)
end)

describe("newer operators", function()
  local w = world.tables()
  local p = w.players.c
  for _, case in ipairs {
    { p.name:regexp_match("^A", { flags = "i" }), "players.name <regexp> :name_1" },
    { la.not_(p.name:regexp_match "^A"), "players.name <not regexp> :name_1" },
    { p.name:regexp_replace("A", "b"), "<regexp replace>(players.name, :name_1, :name_2)" },
    { p.shirt:between(9, 1, { symmetric = true }), "players.shirt BETWEEN SYMMETRIC :shirt_1 AND :shirt_2" },
    { la.not_(p.shirt:between(9, 1, { symmetric = true })), "players.shirt NOT BETWEEN SYMMETRIC :shirt_1 AND :shirt_2" },
    { la.not_(p.name:match "x"), "NOT players.name MATCH :name_1" },
    { p.name:bool_op("@>", "x") & p.active, "(players.name @> :name_1) AND players.active" },
    { p.name:op("@@", p.shirt + 1), "players.name @@ players.shirt + :shirt_1" },
    { p.name:op("@@", p.shirt + 1, { precedence = 20, return_type = la.Integer }) + 1, "players.name @@ (players.shirt + :shirt_1) + :param_1" },
    { p.shirt:is_distinct_from(nil), "players.shirt IS DISTINCT FROM NULL" },
    { (p.name .. "x"):eq "y", "(players.name || :name_1) = :param_1" },
    { p.name:try_cast(la.Integer), "TRY_CAST(players.name AS INTEGER)" },
    { la.tuple_(p.id, p.name):in_ { { 1, "a" }, { 2, "b" } }, "(players.id, players.name) IN ((:param_1_1_1, :param_1_1_2), (:param_1_2_1, :param_1_2_2))" },
    { la.tuple_(p.id, p.name):not_in {}, "((players.id, players.name) NOT IN ((NULL, NULL)) OR (1 = 1))" },
  } do
    it("give " .. case[2], function() assert.equal(case[2], tostring(case[1])) end)
  end

  it("say what is wrong", function()
    fails("ArgumentError", function() la.tuple_(p.id, p.name):in_ { { 1, "a" }, { 2 } } end, "item 2", "2 values")
    fails("ArgumentError", function() p.name:regexp_replace "a" end, "a pattern and a replacement")
    fails("UnsupportedCompilationError", function() return p.name:regexp_match("a", { flags = "i" }):compile { dialect = "sqlite" } end, "flags of a regular expression")
    assert.equal("(players.id, players.name) IN (VALUES (1, 'a'), (2, 'b'))",
      la.tuple_(p.id, p.name):in_ { { 1, "a" }, { 2, "b" } }:compile { dialect = "sqlite", literal_binds = true }.sql)
  end)
end)
