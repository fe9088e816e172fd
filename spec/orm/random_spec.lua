-- A session beside plain tables: random changes, commits, rollbacks and savepoints, then both must say the same. The seed is
-- part of a failure and can be given back by LUALCHEMY_SEED.
local la = require "lualchemy"
local Column, relationship = la.Column, la.relationship

local function declare()
  local Base = la.declarative_base()
  local Team = Base:model "Team" {
    __tablename = "teams",
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String(80) },
    players = relationship{ "Player", back_populates = "team", cascade = "all, delete-orphan", order_by = "Player.id" },
    tags = relationship{ "Tag", secondary = "team_tags", back_populates = "teams" },
  }
  local Player = Base:model "Player" {
    __tablename = "players",
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String(80) },
    team_id = Column{ la.ForeignKey "teams.id" },
    team = relationship{ "Team", back_populates = "players" },
  }
  local Tag = Base:model "Tag" {
    __tablename = "tags",
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String(80) },
    teams = relationship{ "Team", secondary = "team_tags", back_populates = "tags" },
  }
  la.Table{ "team_tags", Base.metadata,
    Column{ "team_id", la.ForeignKey "teams.id", primary_key = true },
    Column{ "tag_id", la.ForeignKey "tags.id", primary_key = true },
  }
  return Base, Team, Player, Tag
end

local Base, Team, Player, Tag = declare()

local function copied(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = copied(item) end
  return copy
end

local function count(set, wanted)
  local found = 0
  for key, value in pairs(set) do
    if not wanted or wanted(key, value) then found = found + 1 end
  end
  return found
end

local function any(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return #names > 0 and names[math.random(#names)] or nil
end

-- What there should be: names of teams and tags, players with their team, links as "team|tag".
local World = {}
World.__index = World

local function new_world()
  local engine = la.create_engine "sqlite://"
  Base.metadata:create_all(engine)
  local empty = { teams = {}, players = {}, tags = {}, links = {} }
  return setmetatable({ session = la.Session(engine), now = empty, committed = copied(empty), savepoints = {}, made = 0 }, World)
end

function World:fresh(prefix)
  self.made = self.made + 1
  return prefix .. self.made
end

function World:find(Model, name)
  return self.session:scalars(la.select(Model):where(Model.name:eq(name))):one()
end

-- An object that was deleted stays in lists that are loaded already, as in SQLAlchemy; so they are read anew.
function World:delete(object)
  self.session:delete(object)
  self.session:flush()
  self.session:expire_all()
end

function World:forget_links(team)
  for key in pairs(copied(self.now.links)) do
    if key:match "^[^|]*" == team then self.now.links[key] = nil end
  end
end

function World:check_team(team)
  local now = self.now
  assert.is_true(now.teams[team.name])
  assert.equal(count(now.players, function(_, name) return name == team.name end), #team.players)
  for _, player in ipairs(team.players) do
    assert.equal(team, player.team)
    assert.equal(team.name, now.players[player.name])
  end
  assert.equal(count(now.links, function(key) return key:match "^[^|]*" == team.name end), #team.tags)
  for _, tag in ipairs(team.tags) do assert.is_true(now.links[team.name .. "|" .. tag.name]) end
end

function World:check()
  local now, found = self.now, 0
  for row in self.session:execute(la.select(Player.name, Team.name:label "team"):join(Player.team)) do
    found = found + 1
    assert.equal(now.players[row.name], row.team)
  end
  assert.equal(count(now.players), found)
  local teams = self.session:scalars(la.select(Team)):all()
  assert.equal(count(now.teams), #teams)
  for _, team in ipairs(teams) do self:check_team(team) end
  assert.equal(count(now.links), self.session:execute(la.text "select count(*) from team_tags"):scalar())
end

local steps = {
  function(w)
    local name = w:fresh "team"
    w.session:add(Team{ name = name })
    w.now.teams[name] = true
  end,
  function(w)
    local name = w:fresh "tag"
    w.session:add(Tag{ name = name })
    w.now.tags[name] = true
  end,
  function(w)
    local team = any(w.now.teams)
    if not team then return end
    local name, players = w:fresh "player", w:find(Team, team).players
    table.insert(players, math.random(#players + 1), Player{ name = name })
    w.now.players[name] = team
  end,
  function(w)
    local team = any(w.now.teams)
    if not team then return end
    local name = w:fresh "player"
    w.session:add(Player{ name = name, team = w:find(Team, team) })
    w.now.players[name] = team
  end,
  function(w)
    local name, team = any(w.now.players), any(w.now.teams)
    if not name then return end
    w:find(Player, name).team = w:find(Team, team)
    w.now.players[name] = team
  end,
  function(w)
    local name = any(w.now.players)
    if not name then return end
    w:delete(w:find(Player, name))
    w.now.players[name] = nil
  end,
  function(w)
    local name = any(w.now.players)
    if not name then return end
    local player = w:find(Player, name)
    player.team.players:remove(player)
    w.now.players[name] = nil
  end,
  function(w)
    local name = any(w.now.teams)
    if not name or math.random(3) > 1 then return end
    w:delete(w:find(Team, name))
    w.now.teams[name] = nil
    for player, team in pairs(copied(w.now.players)) do
      if team == name then w.now.players[player] = nil end
    end
    w:forget_links(name)
  end,
  function(w)
    local team, tag = any(w.now.teams), any(w.now.tags)
    if not team or not tag or w.now.links[team .. "|" .. tag] then return end
    if math.random(2) == 1 then w:find(Team, team).tags:append(w:find(Tag, tag))
    else w:find(Tag, tag).teams:append(w:find(Team, team)) end
    w.now.links[team .. "|" .. tag] = true
  end,
  function(w)
    local key = any(w.now.links)
    if not key then return end
    local team, tag = key:match "^([^|]*)|(.*)$"
    if math.random(2) == 1 then w:find(Team, team).tags:remove(w:find(Tag, tag))
    else w:find(Tag, tag).teams:remove(w:find(Team, team)) end
    w.now.links[key] = nil
  end,
  function(w)
    if #w.savepoints > 0 then return end
    w.session:commit()
    w.committed = copied(w.now)
  end,
  function(w)
    if #w.savepoints > 0 then return end
    w.session:rollback()
    w.now = copied(w.committed)
  end,
  function(w)
    if #w.savepoints < 3 then w.savepoints[#w.savepoints + 1] = { point = w.session:begin_nested(), then_there_was = copied(w.now) } end
  end,
  function(w)
    local last = table.remove(w.savepoints)
    if not last then return end
    if math.random(2) == 1 then
      last.point:commit()
    else
      last.point:rollback()
      w.now = last.then_there_was
    end
  end,
  function() if math.random(4) == 1 then collectgarbage() end end,
  function(w) if math.random(4) == 1 then w.session:flush() end end,
  function(w)
    if math.random(8) > 1 then return end
    w.session:flush()
    w.session:expunge_all()
  end,
  function(w) w:check() end,
}

describe("a session beside plain tables", function()
  it("says the same after any series of changes", function()
    local seed = tonumber(os.getenv "LUALCHEMY_SEED") or os.time()
    for round = 1, 8 do
      math.randomseed(seed + round)
      local world = new_world()
      local done, message = pcall(function()
        for _ = 1, 300 do steps[math.random(#steps)](world) end
        while #world.savepoints > 0 do table.remove(world.savepoints).point:commit() end
        world:check()
        world.session:commit()
        world:check()
      end)
      assert(done, ("LUALCHEMY_SEED=%d: %s"):format(seed + round - 1, tostring(message)))
      world.session:close()
    end
  end)
end)
