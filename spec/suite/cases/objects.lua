-- The session on this database: objects are inserted, loaded, changed and deleted.
local suite = ...
local la = require "lualchemy"

-- Two models with their tables, and a session.
local function models(world)
  local Base = la.declarative_base { metadata = world:metadata() }
  local Team = Base:model "Team" {
    __tablename = "suite_teams",
    id = la.Column { la.Integer, primary_key = true },
    name = la.Column { la.String(40), nullable = false, unique = true },
    players = la.relationship { "Player", back_populates = "team", cascade = "all, delete-orphan", order_by = "Player.id" },
  }
  local Player = Base:model "Player" {
    __tablename = "suite_players",
    id = la.Column { la.Integer, primary_key = true },
    name = la.Column { la.String(40) },
    score = la.Column { la.Double, default = 0 },
    rank = la.Column { la.Integer, server_default = la.text "3" },
    team_id = la.Column { la.ForeignKey "suite_teams.id" },
    team = la.relationship { "Team", back_populates = "players" },
  }
  world:metadata():create_all(world:engine(), { checkfirst = world:can "has_table" })
  local session = la.Session(world:engine())
  world:finally(function() session:close() end)
  return session, Team, Player
end

suite.case("objects get their keys, and are the same when they are loaded", function(world)
  local session, Team, Player = models(world)
  local red = Team { name = "Red", players = { Player { name = "Ann", score = 1.5 }, Player { name = "Bo" } } }
  session:add(red)
  session:commit()
  assert(red.id and red.players[1].id and red.players[1].id ~= red.players[2].id)
  world.same(red.id, red.players[2].team_id)
  assert(session:get(Player, red.players[1].id) == red.players[1])
  session:expunge_all()
  local loaded = session:scalars(la.select(Team)):one()
  world.same({ "Red", 2, "Ann", 1.5, 0.0, 3 },
    { loaded.name, #loaded.players, loaded.players[1].name, loaded.players[1].score, loaded.players[2].score, loaded.players[2].rank })
end)

suite.case("changes are written, and only they; what is deleted is gone", function(world)
  local session, Team, Player = models(world)
  local red = Team { name = "Red", players = { Player { name = "Ann" }, Player { name = "Bo" }, Player { name = "Cy" } } }
  session:add(red)
  session:commit()
  red.players[1].score = 9.5
  red.players:remove(red.players[2])
  session:commit()
  session:expire_all()
  world.same({ 2, "Ann", 9.5, "Cy" }, { #red.players, red.players[1].name, red.players[1].score, red.players[2].name })
  session:delete(red)
  session:commit()
  world.same(0, session:query(Player):count())
  world.same(0, session:query(Team):count())
end)

suite.case("a hundred objects are inserted in one flush, with a key each", function(world)
  local session, Team, Player = models(world)
  for i = 1, 20 do
    local team = Team { name = "t" .. i, players = {} }
    for j = 1, 5 do team.players[j] = Player { name = ("p%d.%d"):format(i, j), score = i } end
    session:add(team)
  end
  session:commit()
  session:expunge_all()
  local seen = {}
  for _, player in ipairs(session:scalars(la.select(Player):options(la.selectinload(Player.team))):all()) do
    assert(not seen[player.id], "two objects have one key")
    seen[player.id] = true
    local i = player.name:match "^p(%d+)"
    world.same("t" .. i, player.team.name)
  end
  world.same(100, session:query(Player):count())
end)

suite.case("relationships are loaded lazily, in a query of their own, and joined", function(world)
  local session, Team, Player = models(world)
  for i = 1, 3 do session:add(Team { name = "t" .. i, players = { Player { name = "a" .. i }, Player { name = "b" .. i } } }) end
  session:commit()
  for _, option in ipairs { la.lazyload(Team.players), la.selectinload(Team.players), la.joinedload(Team.players) } do
    session:expunge_all()
    local teams = session:scalars(la.select(Team):options(option):order_by(Team.name)):unique():all()
    world.same(3, #teams)
    for i, team in ipairs(teams) do world.same({ "a" .. i, "b" .. i }, { team.players[1].name, team.players[2].name }) end
  end
end)

suite.case("a flush that fails leaves the database as it was, and the session works after a rollback", function(world)
  local session, Team = models(world)
  session:add(Team { name = "Red" })
  session:commit()
  session:add(Team { name = "Blue" })
  session:add(Team { name = "Red" })
  world.fails("IntegrityError", function() session:flush() end)
  session:rollback()
  world.same(1, session:query(Team):count())
  session:add(Team { name = "Green" })
  session:commit()
  world.same(2, session:query(Team):count())
end)

suite.case("a nested transaction of a session is rolled back alone", { needs = { "savepoints" } }, function(world)
  local session, Team = models(world)
  session:add(Team { name = "Red" })
  local nested = session:begin_nested()
  session:add(Team { name = "Blue" })
  session:flush()
  nested:rollback()
  session:commit()
  world.same("Red", session:scalars(la.select(Team)):one().name)
end)

suite.case("a row that somebody else has deleted is a StaleDataError", function(world)
  local session, Team = models(world)
  local red = Team { name = "Red" }
  session:add(red)
  session:commit()
  world.same("Red", red.name)
  session:execute(la.text "DELETE FROM suite_teams")
  red.name = "Gone"
  world.fails("StaleDataError", function() session:flush() end)
  session:rollback()
  world.same("Red", session:get(Team, red.id).name)
end)

suite.case("objects are written and loaded in a coroutine", { needs = { "descriptor" } }, function(world)
  local _, Team, Player = models(world)
  local engine = world:engine(world.yielding { pool_size = 2 })
  local function body(name)
    return function()
      local session <close> = la.Session(engine)
      session:add(Team { name = name, players = { Player { name = name .. "1" }, Player { name = name .. "2" } } })
      session:commit()
      world.same(name .. "2", session:scalars(la.select(Team):where(Team.name:eq(name))):one().players[2].name)
    end
  end
  world.together(body "a", body "b", body "c")
end)
