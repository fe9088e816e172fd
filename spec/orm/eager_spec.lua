-- Random data, loaded in random ways, beside the plain rows that it was made of: whatever is joined, repeated, known before or
-- read later, every list has what belongs to it, once. The seed is part of a failure; LUALCHEMY_SEED gives it back.
local la = require "lualchemy"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship

-- keys: how players are told apart: by a number, by a text, or by both.
local function declare(keys)
  local Base = la.declarative_base()
  local Country = Base:model "Country" {
    __tablename = "countries", code = Column{ la.String(2), primary_key = true }, name = Column{ la.String(20) },
  }
  local Team = Base:model "Team" {
    __tablename = "teams", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(20) }, founded = Column{ la.Date },
    players = relationship{ "Player", back_populates = "team", order_by = "Player.number" },
    tags = relationship{ "Tag", secondary = "team_tags", back_populates = "teams" },
  }
  local Tag = Base:model "Tag" {
    __tablename = "tags", id = Column{ la.Integer, primary_key = true },
    teams = relationship{ "Team", secondary = "team_tags", back_populates = "tags" },
  }
  local Player = Base:model "Player" {
    __tablename = "players",
    number = Column{ la.Integer, primary_key = keys ~= "text", unique = true },
    name = Column{ la.String(20), primary_key = keys ~= "number" },
    born = Column{ la.Date }, team_id = Column{ ForeignKey "teams.id" }, country_code = Column{ ForeignKey "countries.code" },
    team = relationship{ "Team", back_populates = "players" }, country = relationship{ "Country" },
    goals = relationship{ "Goal" },
  }
  local Goal = Base:model "Goal" {
    __tablename = "goals", id = Column{ la.Integer, primary_key = true }, player_number = Column{ ForeignKey "players.number" },
  }
  la.Table{ "team_tags", Base.metadata,
    Column{ "team_id", ForeignKey "teams.id", primary_key = true }, Column{ "tag_id", ForeignKey "tags.id", primary_key = true },
  }
  return { Base = Base, Country = Country, Team = Team, Tag = Tag, Player = Player, Goal = Goal }
end

local function insert(connection, table, rows)
  if #rows > 0 then connection:execute(la.insert(table), rows) end
end

local function day(number) return la.date(1900 + number, 1 + number % 12, 1 + number % 28) end

-- Rows of each table, and what follows from them: players and tags of each team, goals of each player, by number.
local function make_data(random)
  local data = { teams = {}, tags = {}, players = {}, goals = {}, links = {} }
  data.countries = { { code = "AT", name = "Austria" }, { code = "PE", name = "Peru" } }
  for i = 1, 3 do data.tags[i] = { id = i } end
  for t = 1, random(0, 6) do
    data.teams[t] = { id = t, name = "team " .. t, founded = day(t) }
    for i = 1, 3 do
      if random(0, 1) == 1 then data.links[#data.links + 1] = { team_id = t, tag_id = i } end
    end
  end
  for n = 1, random(0, 30) do
    local team = random(0, #data.teams)
    local player = { number = n, name = ("p%d"):format(n * 7919 % 1000), born = day(n), country_code = ({ "AT", "PE" })[random(1, 3)] }
    if team > 0 then player.team_id = team end
    data.players[n] = player
    for _ = 1, random(0, 4) do data.goals[#data.goals + 1] = { id = #data.goals + 1, player_number = n } end
  end
  return data
end

local function fill(engine, models, data)
  models.Base.metadata:create_all(engine)
  engine:begin(function(connection)
    insert(connection, models.Country.__table, data.countries)
    insert(connection, models.Team.__table, data.teams)
    insert(connection, models.Tag.__table, data.tags)
    for _, player in ipairs(data.players) do insert(connection, models.Player.__table, { player }) end
    insert(connection, models.Goal.__table, data.goals)
    insert(connection, models.Base.metadata.tables.team_tags, data.links)
  end)
end

local function any(random, list) return list[random(1, #list)] end

-- One way to load teams, with what lies below them in ways of its own.
local function random_query(models, random)
  local Team, Player = models.Team, models.Player
  local query, ways = la.select(Team), { la.joinedload, la.selectinload, la.lazyload }
  local function below(players)
    local options = {}
    if random(0, 1) == 1 then options[#options + 1] = any(random, ways)(Player.goals) end
    if random(0, 1) == 1 then options[#options + 1] = any(random, ways)(Player.country) end
    return #options > 0 and players:options(table.unpack(options)) or players
  end
  local kind = random(1, 4)
  if kind == 1 then   -- rows of one team do not stand together
    query = query:outerjoin(Team.players):order_by(Player.name):options(below(la.contains_eager(Team.players)))
  elseif kind == 2 then   -- rows are repeated by a join that is none of the options'
    query = query:outerjoin(Team.tags):options(below(la.joinedload(Team.players)))
  else
    query = query:options(below(any(random, ways)(Team.players)))
  end
  if random(0, 1) == 1 then query = query:options(any(random, ways)(Team.tags)) end
  return query
end

local function keys_of(list, name)
  local keys = {}
  for i, object in ipairs(list) do keys[i] = object[name] end
  table.sort(keys)
  return keys
end

local function wanted(rows, name, key, value)
  local keys = {}
  for _, row in ipairs(rows) do
    if row[key] == value then keys[#keys + 1] = row[name] end
  end
  table.sort(keys)
  return keys
end

local function check_player(player, data)
  local row = data.players[player.number]
  assert.equal(row.name, player.name)
  assert.equal(row.born, player.born)
  assert.equal(row.country_code, player.country and player.country.code)
  assert.same(wanted(data.goals, "id", "player_number", player.number), keys_of(player.goals, "id"))
end

local function check(teams, data)
  assert.same(wanted(data.teams, "id"), keys_of(teams, "id"))
  for _, team in ipairs(teams) do
    assert.equal("team " .. team.id, team.name)
    assert.equal(day(team.id), team.founded)
    assert.same(wanted(data.players, "number", "team_id", team.id), keys_of(team.players, "number"))
    assert.same(wanted(data.links, "tag_id", "team_id", team.id), keys_of(team.tags, "id"))
    for i, player in ipairs(team.players) do
      assert.equal(team, player.team)
      assert.equal(player, team.players:to_list()[i])
      check_player(player, data)
    end
    assert.is_nil(team.players[#team.players + 1])
  end
end

-- Some of the objects are in the session before, whole or with their lists, or expired.
local function know_some(session, models, data, random)
  local known = { players = {}, teams = {} }
  for _, player in ipairs(session:scalars(la.select(models.Player):where(models.Player.number:le(random(0, 30)))):all()) do
    if random(0, 2) == 0 then known.players[#known.players + 1] = player end
    if random(0, 5) == 0 then assert.is_true(#player.goals >= 0) end
    if random(0, 5) == 0 then session:expire(player) end
  end
  for i = 1, #data.teams do
    if random(0, 3) == 0 then known.teams[#known.teams + 1] = session:get(models.Team, i) end
    if random(0, 8) == 0 then assert.is_true(#session:get(models.Team, i).players >= 0) end
  end
  return known
end

local function one_world(random)
  local models, data = declare(any(random, { "number", "text", "both" })), make_data(random)
  local engine = la.create_engine "sqlite://"
  fill(engine, models, data)
  for _ = 1, 4 do
    local session <close> = la.Session(engine)
    local known = know_some(session, models, data, random)
    check(session:scalars(random_query(models, random)):unique():all(), data)
    check(session:scalars(random_query(models, random)):unique():all(), data)
    for _, player in ipairs(known.players) do check_player(player, data) end
  end
  engine:dispose()
end

describe("eager loading beside plain rows", function()
  it("fills every list with what belongs to it, once", function()
    local seed = tonumber(os.getenv "LUALCHEMY_SEED") or os.time()
    for round = 1, 15 do
      math.randomseed(seed + round)
      if round % 3 == 0 then collectgarbage("generational", 1, 100) end   -- the collector is never far
      local done, message = pcall(one_world, math.random)
      collectgarbage("incremental", 200, 100)
      assert(done, ("LUALCHEMY_SEED=%d: %s"):format(seed + round - 1, tostring(message)))
    end
  end)
end)
