-- The same statements by SQLAlchemy: what it writes is what we write, white space aside. A third field is what we write
-- instead, where SQLAlchemy's text has something that means nothing (an OFFSET of 0, a bound -1) or that we name.
-- luacheck: no max line length
local la = require "lualchemy"
local world = dofile "spec/core/world.lua"

local python = "env -u LD_PRELOAD /usr/bin/python3"   -- not with our sanitizers

local prelude = [[
import re, sys
from sqlalchemy import *
from sqlalchemy.dialects import sqlite
m = MetaData()
teams = Table("teams", m, Column("id", Integer, primary_key=True), Column("name", String(80), nullable=False, unique=True))
players = Table("players", m, Column("id", Integer, primary_key=True), Column("name", String(80), nullable=False), Column("score", Float, default=0),
  Column("shirt", Integer), Column("active", Boolean), Column("team_id", ForeignKey("teams.id", ondelete="CASCADE")))
t, p, o, s = teams.c, players.c, players.alias("o"), select(players.c.team_id, func.count().label("n")).group_by(players.c.team_id).subquery("s")
tree = select(teams.c.id).where(teams.c.id == 1).cte("tree", recursive=True)
tree = tree.union_all(select(players.c.team_id).join(tree, players.c.id == tree.c.id))
def show(x):
    text = str(x.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}))
    print(re.sub(r"\s+", " ", text).strip())
]]

local w = world.tables()
local teams, players = w.teams, w.players
local t, p, o = teams.c, players.c, players:alias "o"
local s = la.select(p.team_id, la.func.count():label "n"):group_by(p.team_id):subquery "s"
local tree = la.select(t.id):where(t.id:eq(1)):cte { name = "tree", recursive = true }
tree = tree:union_all(function(c) return la.select(p.team_id):join(c, p.id:eq(c.c.id)) end)

local cases = {
  { "select(teams)", la.select(teams) },
  { "select(t.id, p.name)", la.select(t.id, p.name) },
  { "select(t.name).where(t.id == 1, or_(t.name == 'a', t.name.like('b%')))", la.select(t.name):where(t.id:eq(1), la.or_(t.name:eq "a", t.name:like "b%")) },
  { "select(t.name).where(t.name == None)", la.select(t.name):where(t.name:eq(nil)) },
  { "select(t.name).where(t.name.is_not(None))", la.select(t.name):where(t.name:is_not(nil)) },
  { "select(t.name).where(~(t.id > 1))", la.select(t.name):where(la.not_(t.id:gt(1))) },
  { "select(t.name).where(not_(or_(t.id > 1, t.id < 0)))", la.select(t.name):where(la.not_(la.or_(t.id:gt(1), t.id:lt(0)))) },
  { "select(t.name).where(t.id.in_([1, 2, 3]))", la.select(t.name):where(t.id:in_ { 1, 2, 3 }) },
  { "select(t.name).where(t.id.not_in([1]))", la.select(t.name):where(t.id:not_in { 1 }) },
  { "select(t.name).where(t.id.in_(select(p.team_id)))", la.select(t.name):where(t.id:in_(la.select(p.team_id))) },
  { "select(p.name).where(p.shirt.between(1, 5))", la.select(p.name):where(p.shirt:between(1, 5)) },
  { "select(p.score + 1, p.score * (p.shirt - 2), -p.shirt)", la.select(p.score + 1, p.score * (p.shirt - 2), -p.shirt),
    "SELECT players.score + ? AS anon_1, players.score * (players.shirt - ?) AS anon_2, -players.shirt AS anon_3 FROM players" },
  { "select(p.name + 'x')", la.select(p.name .. "x") },
  { "select(p.name.contains('a'), p.name.startswith('b'))", la.select(p.name:contains "a", p.name:startswith "b") },
  { "select(p.name.contains('50%', autoescape=True))", la.select(p.name:contains("50%", { autoescape = true })) },
  { "select(p.name.label('n')).order_by(desc('n'))", la.select(p.name:label "n"):order_by(la.desc "n") },
  { "select(p.name).order_by(p.score.desc(), p.id)", la.select(p.name):order_by(p.score:desc(), p.id) },
  { "select(p.name).distinct().limit(3).offset(2)", la.select(p.name):distinct():limit(3):offset(2) },
  { "select(p.name).offset(2)", la.select(p.name):offset(2),
    "SELECT players.name FROM players LIMIT -1 OFFSET ?" },
  { "select(t.name, func.count(p.id).label('n')).join(players).group_by(t.id).having(func.count(p.id) > 2)",
    la.select(t.name, la.func.count(p.id):label "n"):join(players):group_by(t.id):having(la.func.count(p.id):gt(2)) },
  { "select(t.name).outerjoin(players, p.team_id == t.id)", la.select(t.name):outerjoin(players, p.team_id:eq(t.id)) },
  { "select(p.name, o.c.name).join(o, p.shirt < o.c.shirt)", la.select(p.name, o.c.name):join(o, p.shirt:lt(o.c.shirt)) },
  { "select(t.name, s.c.n).join(s, s.c.team_id == t.id)", la.select(t.name, s.c.n):join(s, s.c.team_id:eq(t.id)) },
  { "select(teams).where(exists().where(p.team_id == t.id))", la.select(teams):where(la.exists(la.select(la.literal_column "*"):where(p.team_id:eq(t.id)))) },
  { "select(t.name, select(func.count(p.id)).where(p.team_id == t.id).scalar_subquery())", la.select(t.name, la.select(la.func.count(p.id)):where(p.team_id:eq(t.id)):scalar_subquery()) },
  { "select(tree.c.id)", la.select(tree.c.id) },
  { "select(t.id).union(select(p.id)).order_by('id').limit(2)", la.select(t.id):union(la.select(p.id)):order_by "id":limit(2),
    "SELECT teams.id FROM teams UNION SELECT players.id FROM players ORDER BY id LIMIT ?" },
  { "select(t.id).union_all(select(p.id), select(p.shirt))", la.union_all(la.select(t.id), la.select(p.id), la.select(p.shirt)) },
  { "select(t.id).except_(select(p.id))", la.select(t.id):except_(la.select(p.id)) },
  { "select(case((p.score > 1, 'a'), else_='b'))", la.select(la.case { { p.score:gt(1), "a" }, else_ = "b" }) },
  { "select(case({1: 'a'}, value=p.shirt))", la.select(la.case { { 1, "a" }, value = p.shirt }) },
  { "select(cast(p.name, Integer))", la.select(la.cast(p.name, la.Integer)) },
  { "select(func.coalesce(p.shirt, 0), func.lower(p.name), func.now())", la.select(la.func.coalesce(p.shirt, 0), la.func.lower(p.name), la.func.now()) },
  { "select(func.row_number().over(partition_by=p.team_id, order_by=p.score.desc()))", la.select(la.func.row_number():over { partition_by = p.team_id, order_by = p.score:desc() }) },
  { "select(func.sum(p.score).over(order_by=p.id, rows=(None, 0)))", la.select(la.func.sum(p.score):over { order_by = p.id, rows = { false, 0 } }),
    "SELECT sum(players.score) OVER (ORDER BY players.id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS anon_1 FROM players" },
  { "select(func.count(p.id).filter(p.active))", la.select(la.func.count(p.id):filter(p.active)) },
  { "select(p.active).where(p.active)", la.select(p.active):where(p.active) },
  { "select(p.id).where(p.active == True)", la.select(p.id):where(p.active:eq(true)) },
  { "select(p.name.is_distinct_from('x'))", la.select(p.name:is_distinct_from "x") },
  { "select(literal(5), literal_column('6'), null())", la.select(la.literal(5), la.literal_column "6", la.null) },
  { "teams.insert()", teams:insert() },
  { "teams.insert().values(id=1, name='x')", teams:insert():values { id = 1, name = "x" } },
  { "teams.insert().values([{'name': 'a'}, {'name': 'b'}])", teams:insert():values { { name = "a" }, { name = "b" } } },
  { "teams.insert().from_select(['name'], select(p.name))", teams:insert():from_select({ "name" }, la.select(p.name)) },
  { "teams.update().where(t.id == 1).values(name='x')", teams:update():where(t.id:eq(1)):values { name = "x" } },
  { "players.update().values(score=p.score + 1)", players:update():values { score = p.score + 1 } },
  { "players.update().values(score=select(func.count(t.id)).scalar_subquery())", players:update():values { score = la.select(la.func.count(t.id)) } },
  { "teams.delete().where(t.name.like('a%'))", teams:delete():where(t.name:like "a%") },
  { "teams.delete()", teams:delete() },
}

local function ask()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(prelude)
  for _, case in ipairs(cases) do file:write("show(", case[1], ")\n") end
  file:close()
  local lines = {}
  for line in assert(io.popen(("%s -W ignore %s 2>&1"):format(python, path))):lines() do lines[#lines + 1] = line end
  os.remove(path)
  return lines
end

describe("SQLAlchemy writes the same", function()
  local there = os.execute(python .. " -c 'import sqlalchemy' 2>/dev/null")
  if not there then
    pending "python3-sqlalchemy is not installed"
    return
  end
  local lines = ask()
  assert(#lines == #cases, "SQLAlchemy refused something: " .. tostring(lines[#lines]))
  for i, case in ipairs(cases) do
    it(case[1], function()
      assert.equal(case[3] or lines[i], world.folded(case[2]:compile { dialect = "sqlite" }.sql))
    end)
  end
end)
