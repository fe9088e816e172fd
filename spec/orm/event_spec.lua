-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local raised = shared.raised

describe("events of models", function()
  it("are called around writes and loads", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    local log = {}
    for _, name in ipairs{ "load", "refresh" } do
      la.event.listen(Player, name, function(player) log[#log + 1] = name .. " " .. player.name end)
    end
    for _, name in ipairs{ "before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete" } do
      la.event.listen(Player, name, function(mapper, connection, player)
        assert.equal("Player", mapper.name)
        assert.equal(1, connection:execute(la.text "select 1"):scalar())
        log[#log + 1] = name .. " " .. player.name
      end)
    end
    local ann = Player{ name = "Ann" }
    session:add(ann)
    session:flush()
    ann.name = "Anna"
    session:flush()
    session:expire(ann)
    assert.equal("Anna", ann.name)
    session:delete(ann)
    session:flush()
    assert.equal("before_insert Ann, after_insert Ann, before_update Anna, after_update Anna, refresh Anna, before_delete Anna, after_delete Anna",
      table.concat(log, ", "))
    log = {}
    session:rollback()
    session:add(Player{ name = "Bo" })
    session:commit()
    session:expunge_all()
    log = {}
    session:query(Player):all()
    assert.same({ "load Bo" }, log)
  end)

  it("may change what is written", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    la.event.listen(Player, "before_insert", function(_, _, player) player.name = player.name:upper() end)
    la.event.listen(Player, "before_update", function(_, _, player) player.score = player.score + 1 end)
    local ann = Player{ name = "ann", score = 1 }
    session:add(ann)
    session:commit()
    assert.equal("ANN", ann.name)
    ann.shirt = 9
    session:commit()
    assert.equal(2, ann.score)
  end)

  it("stop a flush by an error, which comes out as it is", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    local thrown = setmetatable({}, { __tostring = function() return "mine" end })
    local function refuse() error(thrown) end
    la.event.listen(Player, "before_insert", refuse)
    session:add(Player{ name = "Ann" })
    assert.equal(thrown, raised(session.commit, session))
    session:rollback()
    la.event.remove(Player, "before_insert", refuse)
    session:add(Player{ name = "Ann" })
    session:commit()
    assert.equal(1, session:query(Player):count())
  end)
end)

describe("events of attributes", function()
  it("see what is set, and may replace it", function()
    local league = shared.league()
    local Player = league.Player
    local log = {}
    local ann = Player{ name = "Ann" }
    la.event.listen(Player.name, "set", function(player, value, old)
      log[#log + 1] = ("%s %s %s"):format(player == ann, value, old)
      return value:lower()
    end, { retval = true })
    ann.name = "ANNA"
    assert.equal("anna", ann.name)
    assert.same({ "true ANNA Ann" }, log)
    la.event.listen(Player.name, "set", function() return 5 end, { retval = true })
    assert.equal("DataError", raised(function() ann.name = "x" end).kind)
    assert.equal("anna", ann.name)
  end)

  it("see relationships", function()
    local league = shared.league()
    local Team, Player = league.Team, league.Player
    local log = {}
    la.event.listen(Player.team, "set", function(player, team) log[#log + 1] = "set " .. player.name .. " " .. tostring(team and team.name) end)
    la.event.listen(Team.players, "append", function(team, player) log[#log + 1] = "append " .. team.name .. " " .. player.name end)
    la.event.listen(Team.players, "remove", function(team, player) log[#log + 1] = "remove " .. team.name .. " " .. player.name end)
    local red, ann = Team{ name = "Red" }, Player{ name = "Ann" }
    red.players:append(ann)
    red.players:remove(ann)
    ann.team = red
    ann.team = nil
    assert.equal("append Red Ann, remove Red Ann, set Ann Red, set Ann nil", table.concat(log, ", "))
  end)
end)

describe("events of sessions", function()
  it("are called in order", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    local log = {}
    for _, name in ipairs{ "before_flush", "after_flush", "before_commit", "after_commit", "after_rollback", "after_begin" } do
      la.event.listen(session, name, function(one)
        assert.equal(session, one)
        log[#log + 1] = name
      end)
    end
    session:add(Player{ name = "Ann" })
    session:commit()
    assert.equal("before_commit before_flush after_begin after_flush after_commit", table.concat(log, " "))
    log = {}
    session:add(Player{ name = "Bo" })
    session:flush()
    session:rollback()
    assert.equal("before_flush after_begin after_flush after_rollback", table.concat(log, " "))
  end)

  it("may add to the flush", function()
    local league = shared.league()
    local session, Team, Player = league.session, league.Team, league.Player
    la.event.listen(session, "before_flush", function(one)
      for _, object in ipairs(one:new()) do
        if la.inspect(object).mapper.name == "Player" and not object.team then object.team = Team{ name = "free" } end
      end
    end, { once = true })
    local ann = Player{ name = "Ann" }
    session:add(ann)
    session:commit()
    assert.equal("free", ann.team.name)
  end)

  it("can be asked of all sessions, and of those of a maker", function()
    local league = shared.league()
    local log = {}
    local function any() log[#log + 1] = "any" end
    la.event.listen(la.Session, "after_commit", any)
    local make = la.sessionmaker{ bind = league.engine }
    la.event.listen(make, "after_commit", function() log[#log + 1] = "made" end)
    local session, plain = make(), la.Session(league.engine)
    session:add(league.Player{ name = "Ann" })
    session:commit()
    plain:add(league.Player{ name = "Bo" })
    plain:commit()
    la.event.remove(la.Session, "after_commit", any)
    assert.same({ "any", "made", "any" }, log)
  end)

  it("refuse names that they do not have", function()
    local league = shared.league()
    assert.matches("nearest is 'before_flush'", raised(la.event.listen, league.session, "before_flsh", print).message)
    assert.matches("nearest is 'before_insert'", raised(la.event.listen, league.Player, "before_inset", print).message)
    assert.matches("nearest is 'set'", raised(la.event.listen, league.Player.name, "sett", print).message)
    assert.equal("InvalidRequestError", raised(la.event.listen, {}, "set", print).kind)
  end)

  it("leave the session usable after an error", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    local function refuse() error("not today") end
    la.event.listen(session, "before_flush", refuse)
    session:add(Player{ name = "Ann" })
    assert.matches("not today", tostring(raised(session.commit, session)))
    la.event.remove(session, "before_flush", refuse)
    session:rollback()
    assert.equal(0, session:query(Player):count())
    session:rollback()
    la.event.listen(session, "after_begin", refuse)
    assert.matches("not today", tostring(raised(function() return session:query(Player):count() end)))
    la.event.remove(session, "after_begin", refuse)
    session:rollback()
    assert.equal(0, session:query(Player):count())
  end)

  it("may use the session in the midst of its work", function()
    local league = shared.filled()
    local session, Team, Player = league.session, league.Team, league.Player
    la.event.listen(Player, "load", function(player)
      collectgarbage()
      assert.equal(player.team_id, player.team.id)
    end)
    la.event.listen(league.engine, "after_execute", function()
      for _, team in ipairs(session:identities()) do assert.is_not_nil(la.inspect(team).state) end
    end)
    local teams = session:scalars(la.select(Team):order_by(Team.id):options(la.selectinload(Team.players))):all()
    assert.equal("Ann Bo", shared.names(teams[1].players))
    assert.equal(teams[2], teams[2].players[1].team)
  end)
end)
