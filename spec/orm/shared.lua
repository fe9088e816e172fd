-- luacheck: no max line length
-- Models and helpers that the specs of the ORM share.
local la = require "lualchemy"
local core_world = dofile "spec/core/world.lua"

local shared = {}

--- Team and Player of SURFACE.md, over an engine in memory; a list of the statements that were executed.
function shared.league(options)
  options = options or {}
  local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
  local Base = la.declarative_base()
  local Team = Base:model "Team" {
    __tablename = "teams",
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String(80), nullable = false, unique = true },
    players = relationship{ "Player", back_populates = "team", cascade = options.cascade or "all, delete-orphan", order_by = "Player.id",
      lazy = options.lazy },
  }
  local Player = Base:model "Player" {
    __tablename = "players",
    __table_args = { la.UniqueConstraint{ "team_id", "shirt" }, la.Index{ "ix_players_name", "name" } },
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String(80), nullable = false },
    shirt = Column{ la.Integer },
    score = Column{ la.Double, default = 0 },
    joined = Column{ la.DateTime, server_default = la.func.now() },
    team_id = Column{ ForeignKey{ "teams.id", ondelete = options.cascade and "SET NULL" or "CASCADE" } },
    team = relationship{ "Team", back_populates = "players" },
  }
  function Player:describe() return self.name .. " #" .. tostring(self.shirt) end
  local engine = la.create_engine("sqlite://")
  Base.metadata:create_all(engine)
  return { Base = Base, Team = Team, Player = Player, engine = engine, session = la.Session(engine, options.session), statements = shared.watch(engine) }
end

--- Teams with players and nothing else, over no engine: Base, Team, Player.
function shared.pair()
  local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
  local Base = la.declarative_base()
  local Team = Base:model "Team" {
    __tablename = "teams", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(40) },
    players = relationship{ "Player", back_populates = "team", order_by = "Player.id" },
  }
  local Player = Base:model "Player" {
    __tablename = "players", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(40) },
    team_id = Column{ ForeignKey "teams.id" }, team = relationship{ "Team", back_populates = "players" },
  }
  return Base, Team, Player
end

--- The cases of this block wait by yielding "waiting"; what nobody holds is gone at each wait. before_each, after_each: busted's.
function shared.collecting_waits(before_each, after_each)
  before_each(function()
    la.set_wait(function()
      collectgarbage()
      coroutine.yield "waiting"
    end)
  end)
  after_each(function() la.set_wait(nil) end)
end

--- An engine for them on a mock that waits in each call. teams, players: the rows that each of the next `times` loads gives.
function shared.waiting_pair(teams, players)
  local engine, mock = core_world.mocked()
  mock:wait("connect", 2):wait("start", 1):wait("row", 1)
  for _ = 1, teams.times do mock:answer { pattern = "FROM teams", columns = { "id", "name" }, rows = teams.rows } end
  for _ = 1, players.times do
    mock:answer { pattern = "FROM players", columns = { "id", "name", "team_id", "team_id__1" }, rows = players.rows }
  end
  return engine
end

--- A session on an engine in memory with the tables of the models, and the list of its statements.
function shared.open(Base)
  local engine = la.create_engine("sqlite://")
  Base.metadata:create_all(engine)
  return la.Session(engine), shared.watch(engine)
end

--- Statements of the engine from now on; list:clear() forgets, list:count(pattern) counts.
function shared.watch(engine)
  local list = {}
  local methods = {}
  function methods.clear() for i = #list, 1, -1 do list[i] = nil end end
  function methods.count(_, pattern)
    local count = 0
    for _, text in ipairs(list) do
      if not pattern or text:find(pattern) then count = count + 1 end
    end
    return count
  end
  la.event.listen(engine, "before_execute", function(_, what) list[#list + 1] = what.statement end)
  return setmetatable(list, { __index = methods })
end

--- Teams Red (Ann, Bo) and Blue (Cy), committed and forgotten by the session.
function shared.fill(league)
  local Team, Player, session = league.Team, league.Player, league.session
  session:add_all{
    Team{ name = "Red", players = { Player{ name = "Ann", shirt = 1, score = 10 }, Player{ name = "Bo", shirt = 2, score = 20 } } },
    Team{ name = "Blue", players = { Player{ name = "Cy", shirt = 1, score = 30 } } },
  }
  session:commit()
  session:expunge_all()
  league.statements:clear()
  return league
end

function shared.filled(options)
  return shared.fill(shared.league(options))
end

--- The error that fn raises.
function shared.raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "no error was raised")
  return err
end

--- Names of a list of objects.
function shared.names(list)
  local names = {}
  for i = 1, #list do names[i] = list[i].name end
  return table.concat(names, " ")
end

return shared
