-- What the hosts of these specs run: answers a function that does a session's work once, and one that tells whether everything still works.
local la = require "lualchemy"
local Base = la.declarative_base()

local Team = Base:model "Team" {
  __tablename = "teams",
  id = la.Column{ la.Integer, primary_key = true },
  name = la.Column{ la.String(80), nullable = false },
  players = la.relationship{ "Player", back_populates = "team", cascade = "all, delete-orphan" },
}
local Player = Base:model "Player" {
  __tablename = "players",
  id = la.Column{ la.Integer, primary_key = true },
  name = la.Column{ la.String },
  team_id = la.Column{ la.ForeignKey "teams.id" },
  team = la.relationship{ "Team", back_populates = "players" },
}

local engine = la.create_engine "sqlite://"
Base.metadata:create_all(engine)
local session = la.Session(engine)

local function work()
  local team = Team{ name = "Red", players = { Player{ name = "Ann" }, Player{ name = "Bo" } } }
  session:add(team)
  session:flush()
  team.name = "a longer name than it had before"
  table.insert(team.players, 1, Player{ name = "Cy" })
  session:commit()
  local names = {}
  for i, player in ipairs(team.players) do names[i] = player.name .. player.team.name end
  local all = session:scalars(la.select(Team):options(la.selectinload(Team.players))):all()
  local counted = la.select(Team.name, la.func.count(Player.id):label "n"):join(Team.players):group_by(Team.id)
  for row in session:execute(counted) do names[#names + 1] = row.name end
  team.players:remove(team.players[1])
  session:delete(team)
  session:commit()
  return #all, #names
end

local function works()
  session:rollback()
  session:close()
  session = la.Session(engine)
  local teams, names = work()
  assert(names >= 4, "names")
  assert(session:scalar(la.select(la.func.count(Player.id))) == (teams - 1) * 3, "players of teams that were left")
  session:commit()
end

return work, works
