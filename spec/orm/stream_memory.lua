-- luacheck: no max line length
-- Run by stream_spec.lua in a process of its own: reads 200,000 players of the database whose URL is the argument in pieces, loads
-- their teams, and writes to one in a thousand; says how much memory the process has needed at its peak for that.
local la = require "lualchemy"

local Base = la.declarative_base()
local Team = Base:model "Team" {
  __tablename = "teams", id = la.Column { la.Integer, primary_key = true, autoincrement = false }, name = la.Column { la.String(40) },
}
local Player = Base:model "Player" {
  __tablename = "players", id = la.Column { la.Integer, primary_key = true, autoincrement = false }, name = la.Column { la.String(40) },
  team_id = la.Column { la.ForeignKey "teams.id" }, team = la.relationship "Team",
}

local function kilobytes(what)
  for line in io.lines "/proc/self/status" do
    local number = line:match("^" .. what .. ":%s*(%d+) kB")
    if number then return tonumber(number) end
  end
end

local session = la.Session(la.create_engine(arg[1]))
assert(session:get(Team, 1))
local before, rows, written = kilobytes "VmRSS", 0, 0
local statement = la.select(Player):where(Player.id:gt(1000)):order_by(Player.id):options(la.selectinload(Player.team))
for player in session:scalars(statement, nil, { yield_per = 500 }) do
  rows = rows + 1
  assert(player.team.id == 1 + player.id % 3)
  if rows % 1000 == 0 then
    player.name = "written"
    session:flush()
    written = written + session:execute(la.select(la.func.count()):select_from(Player.__table):where(Player.id:eq(player.id), Player.name:eq "written")):scalar()
  end
end
session:commit()
print(("%d rows, %d written, %d KB more"):format(rows, written, kilobytes "VmHWM" - before))
