-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
local raised = shared.raised

-- Five teams of three players, each with two goals.
local function season(options)
  options = options or {}
  local Base = la.declarative_base()
  local Team = Base:model "Team" {
    __tablename = "teams", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(40) },
    players = relationship{ "Player", back_populates = "team", order_by = "Player.id", lazy = options.lazy },
  }
  local Player = Base:model "Player" {
    __tablename = "players", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(40) },
    bio = la.deferred(Column{ la.Text }), team_id = Column{ ForeignKey "teams.id" },
    team = relationship{ "Team", back_populates = "players", lazy = options.lazy_team },
    goals = relationship{ "Goal", back_populates = "player", order_by = "Goal.minute" },
  }
  local Goal = Base:model "Goal" {
    __tablename = "goals", id = Column{ la.Integer, primary_key = true }, minute = Column{ la.Integer },
    player_id = Column{ ForeignKey "players.id" }, player = relationship{ "Player", back_populates = "goals" },
  }
  local engine = la.create_engine("sqlite://")
  Base.metadata:create_all(engine)
  local session = la.Session(engine, options.session)
  for t = 1, 5 do
    local team = Team{ name = "team " .. t }
    for p = 1, 3 do
      team.players:append(Player{ name = ("player %d%d"):format(t, p), bio = "born " .. p, goals = { Goal{ minute = 90 - p }, Goal{ minute = p } } })
    end
    session:add(team)
  end
  session:commit()
  session:expunge_all()
  return { Team = Team, Player = Player, Goal = Goal, session = session, statements = shared.watch(engine) }
end

local function walk(teams)
  local players, goals = 0, 0
  for _, team in ipairs(teams) do
    for _, player in ipairs(team.players) do
      assert.equal(team, player.team)
      players = players + 1
      assert.equal(player.id % 3 == 0 and 3 or player.id % 3, player.goals[1].minute)
      goals = goals + #player.goals
    end
  end
  assert.equal(15, players)
  assert.equal(30, goals)
end

describe("loading relationships", function()
  it("serves all objects that came together, on first touch", function()
    local s = season()
    walk(s.session:query(s.Team):all())
    assert.equal(3, s.statements:count())
  end)

  it("serves as many as batch_size says", function()
    local s = season{ session = { batch_size = 2 } }
    local teams = s.session:query(s.Team):all()
    s.statements:clear()
    for _, team in ipairs(teams) do assert.equal(3, #team.players) end
    assert.equal(3, s.statements:count())
  end)

  it("serves one object with lazy = 'select'", function()
    local s = season{ lazy = "select" }
    local teams = s.session:query(s.Team):all()
    s.statements:clear()
    for _, team in ipairs(teams) do assert.equal(3, #team.players) end
    assert.equal(5, s.statements:count())
  end)

  it("goes by selectinload", function()
    local s = season()
    local teams = s.session:scalars(la.select(s.Team):options(la.selectinload(s.Team.players):selectinload(s.Player.goals))):all()
    assert.equal(3, s.statements:count())
    walk(teams)
    assert.equal(3, s.statements:count())
  end)

  it("goes by joinedload", function()
    local s = season()
    local teams = s.session:scalars(la.select(s.Team):options(la.joinedload(s.Team.players):joinedload(s.Player.goals)):order_by(s.Team.id)):unique():all()
    assert.equal(1, s.statements:count())
    assert.equal(5, #teams)
    walk(teams)
    assert.equal(1, s.statements:count())
  end)

  it("goes by joinedload with a limit", function()
    local s = season()
    local teams = s.session:query(s.Team):options(la.joinedload(s.Team.players)):order_by(s.Team.id:desc()):limit(2):all()
    assert.equal(2, #teams)
    assert.equal("team 5", teams[1].name)
    assert.equal(3, #teams[1].players)
    assert.equal(1, s.statements:count())
  end)

  it("goes by what the relationship says", function()
    for _, lazy in ipairs{ "joined", "selectin" } do
      local s = season{ lazy = lazy }
      local teams = s.session:query(s.Team):order_by(s.Team.id):all()
      local count = s.statements:count()
      assert.equal(lazy == "joined" and 1 or 2, count)
      for _, team in ipairs(teams) do assert.equal(3, #team.players) end
      assert.equal(count, s.statements:count())
    end
    local s = season{ lazy_team = "joined" }
    local player = s.session:query(s.Player):first()
    assert.equal("team 1", player.team.name)
    assert.equal(1, s.statements:count())
  end)

  it("is forbidden by raiseload and left empty by noload", function()
    local s = season()
    local team = s.session:query(s.Team):options(la.raiseload(s.Team.players)):first()
    local err = raised(function() return team.players end)
    assert.equal("InvalidRequestError", err.kind)
    assert.matches("Team.players", err.message, 1, true)
    s.session:expunge_all()
    team = s.session:query(s.Team):options(la.noload(s.Team.players)):first()
    assert.equal(0, #team.players)
    s.session:expunge_all()
    local player = s.session:query(s.Player):options(la.raiseload "*"):first()
    assert.equal("InvalidRequestError", raised(function() return player.team end).kind)
    assert.equal("InvalidRequestError", raised(function() return player.goals end).kind)
    local lazy = season{ lazy = "raise" }
    local other = lazy.session:query(lazy.Team):first()
    assert.equal("InvalidRequestError", raised(function() return other.players end).kind)
    assert.equal(3, #lazy.session:query(lazy.Team):options(la.selectinload(lazy.Team.players)):all()[2].players)
  end)

  it("fills from the statement's own join with contains_eager", function()
    local s = season()
    local query = s.session:query(s.Team):join(s.Team.players):filter(s.Player.name:like "%1"):options(la.contains_eager(s.Team.players))
    local teams = query:order_by(s.Team.id):all()
    assert.equal(5, #teams)
    assert.equal("player 11", shared.names(teams[1].players))
    assert.equal(1, s.statements:count())
  end)

  it("leaves columns for later", function()
    local s = season()
    local players = s.session:query(s.Player):order_by(s.Player.id):all()
    assert.is_nil(s.statements[1]:find("bio", 1, true))
    assert.equal("born 1", players[1].bio)
    assert.equal("born 3", players[3].bio)
    assert.equal(2, s.statements:count())
    s.session:expunge_all()
    s.statements:clear()
    assert.equal("born 1", s.session:query(s.Player):options(la.undefer(s.Player.bio)):order_by(s.Player.id):first().bio)
    assert.equal(1, s.statements:count())
    s.session:expunge_all()
    s.statements:clear()
    local player = s.session:query(s.Player):options(la.load_only(s.Player.name)):order_by(s.Player.id):first()
    assert.is_nil(s.statements[1]:find("team_id", 1, true))
    assert.equal("player 11", player.name)
    assert.equal(1, player.team_id)
    s.session:expunge_all()
    player = s.session:query(s.Player):options(la.defer(s.Player.name)):order_by(s.Player.id):first()
    assert.equal("player 11", player.name)
    s.session:expunge_all()
    s.statements:clear()
    local team = s.session:query(s.Team):options(la.selectinload(s.Team.players):load_only(s.Player.name)):first()
    assert.is_nil(s.statements[2]:find("bio", 1, true))
    assert.equal("player 11", team.players[1].name)
  end)

  it("takes several options below one relationship", function()
    local s = season()
    local teams = s.session:query(s.Team):options(la.selectinload(s.Team.players):options(la.selectinload(s.Player.goals), la.undefer(s.Player.bio))):all()
    assert.equal(3, s.statements:count())
    assert.equal("born 1", teams[1].players[1].bio)
    assert.equal(2, #teams[1].players[1].goals)
    assert.equal(3, s.statements:count())
  end)

  it("can be asked for objects that are there", function()
    local s = season()
    local teams = s.session:query(s.Team):all()
    s.statements:clear()
    s.session:preload(teams, s.Team.players)
    assert.equal(1, s.statements:count())
    for _, team in ipairs(teams) do assert.equal(3, #team.players) end
    assert.equal(1, s.statements:count())
    s.session:preload(teams, "players")
    assert.equal(1, s.statements:count())
    assert.is_true(la.is_error(raised(s.session.preload, s.session, teams, "playrs")))
    assert.is_true(la.is_error(raised(s.session.preload, s.session, { s.Team{} }, "players")))
  end)

  it("finds many-to-one targets in the session", function()
    local s = season()
    local teams = s.session:query(s.Team):all()
    local players = s.session:query(s.Player):order_by(s.Player.id):all()
    s.statements:clear()
    assert.equal(teams[1], players[1].team)
    assert.equal(teams[5], players[15].team)
    assert.equal(0, s.statements:count())
  end)

  it("overwrites what is loaded with populate_existing", function()
    local s = season()
    local team = s.session:get(s.Team, 1)
    s.session:execute(la.text "update teams set name = 'new' where id = 1")
    assert.equal("team 1", s.session:query(s.Team):order_by(s.Team.id):first().name)
    assert.equal("team 1", team.name)
    s.session:query(s.Team):populate_existing():all()
    assert.equal("new", team.name)
  end)

  it("refuses options that make no sense", function()
    local s = season()
    assert.matches("takes a relationship", raised(la.joinedload, s.Team.name).message)
    assert.matches("takes attributes", raised(la.defer, s.Team.players).message)
    assert.matches("select of models", raised(function() return la.select(s.Team.name):options(la.joinedload(s.Team.players)) end).message)
    assert.matches("loader options", raised(function() return la.select(s.Team):options(5) end).message)
    assert.is_true(la.is_error(raised(function() return s.session:query(s.Goal):options(la.joinedload(s.Team.players):joinedload(s.Goal.player)):all() end)))
  end)

  it("gives rows of several objects and values", function()
    local s = season()
    local statement = la.select(s.Team, s.Player.name, s.Player):join(s.Team.players):where(s.Team.id:eq(2)):order_by(s.Player.id)
    local result = s.session:execute(statement)
    assert.same({ "Team", "name", "Player" }, result:keys())
    local rows = result:all()
    assert.equal(3, #rows)
    assert.equal(rows[1].Team, rows[2][1])
    assert.equal("player 21", rows[1].name)
    assert.equal("player 21", rows[1].Player.name)
    assert.matches("no column", raised(function() return rows[1].naem end).message)
    local count = 0
    for n, team, name, player in s.session:execute(statement):tuples() do
      count = count + 1
      assert.equal(count, n)
      assert.equal(name, player.name)
      assert.equal(2, team.id)
    end
    assert.equal(3, count)
    assert.equal(2, s.session:execute(statement):first().Team.id)
    assert.equal(2, s.session:scalar(statement).id)
    assert.equal("player 22", s.session:execute(statement):mappings()[2].name)
    assert.equal("MultipleResultsFound", raised(function() return s.session:execute(statement):one() end).kind)
    local one = s.session:execute(la.select(s.Team):where(s.Team.id:eq(1))):one()
    assert.equal("team 1", one[1].name)
    assert.equal("team 1", one.Team.name)
    assert.equal("NoResultFound", raised(function() return s.session:scalars(la.select(s.Team):where(s.Team.id:eq(99))):one() end).kind)
    assert.is_nil(s.session:scalars(la.select(s.Team):where(s.Team.id:eq(99))):one_or_none())
    assert.is_nil(s.session:scalars(la.select(s.Team):where(s.Team.id:eq(99))):first())
    local sizes = {}
    for part in s.session:scalars(la.select(s.Player)):partitions(4) do sizes[#sizes + 1] = #part end
    assert.same({ 4, 4, 4, 3 }, sizes)
    result = s.session:scalars(la.select(s.Team))
    result:close()
    assert.equal("ResourceClosedError", raised(result.all, result).kind)
    local outer = s.session:execute(la.select(s.Team, s.Player):outerjoin(s.Player, s.Player.id:eq(-1)):where(s.Team.id:eq(1))):one()
    assert.equal("team 1", outer.Team.name)
    assert.is_nil(outer.Player)
    local Other = la.aliased(s.Team)
    local pair = s.session:execute(la.select(s.Team, Other):join(Other, Other.id:eq(s.Team.id + 1)):where(s.Team.id:eq(1))):one()
    assert.equal(2, pair[2].id)
    assert.matches("several places", raised(function() return pair.Team end).message)
  end)

  it("takes parameters by name", function()
    local s = season()
    local statement = la.select(s.Team):where(s.Team.name:eq(la.bindparam "wanted"))
    assert.equal(3, s.session:execute(statement, { wanted = "team 3" }):scalar().id)
    assert.equal(4, s.session:scalars(statement, { wanted = "team 4" }):one().id)
    assert.is_true(la.is_error(raised(s.session.execute, s.session, statement)))
    assert.is_true(la.is_error(raised(s.session.execute, s.session, statement, { wnated = 1 })))
    assert.equal(5, s.session:query(s.Team):count())
  end)

  it("gives results that do not hang on the transaction", function()
    local s = season()
    local result = s.session:scalars(la.select(s.Team):order_by(s.Team.id))
    assert.equal("team 1", result().name)
    s.session:commit()
    assert.equal(4, #result:all())
  end)
end)

describe("queries", function()
  it("have the methods of the Query interface", function()
    local s = season()
    local session, Team, Player = s.session, s.Team, s.Player
    local query = session:query(Player)
    assert.equal(15, query:count())
    assert.equal(3, query:filter(Player.team_id:eq(2)):count())
    assert.equal(3, query:filter_by{ team_id = 2 }:count())
    assert.equal("player 53", query:order_by(Player.id:desc()):first().name)
    assert.equal(5, #query:limit(5):all())
    assert.equal("player 13", query:order_by(Player.id):offset(2):first().name)
    assert.equal(2, #query:order_by(Player.id):slice(1, 3):all())
    assert.equal("player 21", query:filter_by{ name = "player 21" }:one().name)
    assert.is_nil(query:filter_by{ name = "x" }:one_or_none())
    assert.is_nil(query:filter_by{ name = "x" }:first())
    assert.equal("NoResultFound", raised(function() return query:filter_by{ name = "x" }:one() end).kind)
    assert.equal("player 11", query:get(1).name)
    assert.equal(3, query:join(Player.team):filter(Team.name:eq "team 1"):count())
    assert.equal(5, query:with_entities(Player.team_id):distinct():count())
    local rows = session:query(Player.team_id, la.func.count(Player.id)):group_by(Player.team_id):having(la.func.count(Player.id):gt(2)):all()
    assert.equal(5, #rows)
    assert.equal(3, rows[1][2])
    assert.is_true(session:scalar(la.select(query:filter_by{ name = "player 11" }:exists())) ~= false)
    assert.equal(15, session:query(la.func.count(Player.id)):scalar())
    local count = 0
    for player in query:iter() do count = count + #player.name end
    assert.equal(15 * 9, count)
    assert.matches("SELECT", tostring(query))
    assert.matches("nearest is 'filter'", raised(function() return query:fliter() end).message)
  end)

  it("update and delete many rows, and objects follow", function()
    local s = season()
    local session, Player, Goal = s.session, s.Player, s.Goal
    local player = session:get(Player, 1)
    assert.equal(3, session:query(Player):filter_by{ team_id = 1 }:update{ name = "nobody" })
    assert.equal("nobody", player.name)
    local goal = session:get(Goal, 1)
    assert.equal(2, session:query(Goal):filter_by{ player_id = 1 }:delete())
    assert.is_true(la.inspect(goal).detached)
    assert.is_nil(session:get(Goal, 1))
    assert.equal(28, session:query(Goal):count())
    assert.equal(28, session:query(Goal):delete())
    assert.equal("ArgumentError", raised(function() return session:execute(la.delete(Player)) end).kind)
    session:rollback()
    assert.equal(30, session:query(Goal):count())
  end)
end)
