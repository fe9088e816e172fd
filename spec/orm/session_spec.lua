-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local raised = shared.raised

describe("a session", function()
  it("stores new objects and gives them their keys", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    local ann, bo = Player{ name = "Ann" }, Player{ name = "Bo" }
    session:add(ann)
    session:add_all{ bo }
    assert.equal(2, #session:new())
    session:flush()
    assert.equal(1, ann.id)
    assert.equal(2, bo.id)
    assert.equal(0, #session:new())
    session:commit()
    assert.equal("Ann", ann.name)
  end)

  it("gives the same object for the same row", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    assert.equal(ann, session:get(Player, 1))
    assert.equal(ann, session:scalars(la.select(Player):where(Player.name:eq "Ann")):one())
    assert.equal(ann, session:query(Player):filter_by{ name = "Ann" }:one())
    assert.equal(1, league.statements:count "players.id = %?")
    assert.is_nil(session:get(Player, 99))
  end)

  it("takes a key of get in any form, and refuses others", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    assert.equal(ann, session:get(Player, { 1 }))
    assert.equal(ann, session:get(Player, { id = 1 }))
    assert.equal(ann, session:get(Player, 1.0))
    assert.is_true(la.is_error(raised(session.get, session, Player, "x")))
    assert.is_true(la.is_error(raised(session.get, session, Player, nil)))
    assert.is_true(la.is_error(raised(session.get, session, 5, 1)))
    assert.equal("NoResultFound", raised(session.get_one, session, Player, 99).kind)
    assert.equal(ann, session:get(Player, 1))
  end)

  it("does not keep unused objects alive", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local weak = setmetatable({ session:get(Player, 1) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
    do
      local ann = session:get(Player, 1)
      ann.score = 99
      weak[1] = ann
    end
    collectgarbage()
    assert.equal(99, weak[1] and weak[1].score)
    session:commit()
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
    assert.equal(99, session:get(Player, 1).score)
  end)

  it("writes only what has changed", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    ann.score = ann.score
    session:flush()
    assert.equal(0, league.statements:count "UPDATE")
    ann.score = 11
    assert.equal(1, #session:dirty())
    assert.is_true(session:is_modified(ann))
    session:flush()
    assert.equal(1, league.statements:count "^UPDATE players SET score")
    assert.equal(0, #session:dirty())
    assert.is_false(session:is_modified(ann))
  end)

  it("deletes", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    session:delete(ann)
    assert.equal(1, #session:deleted())
    session:commit()
    assert.is_nil(session:get(Player, 1))
    assert.equal("detached", la.inspect(ann).state)
    assert.equal("InvalidRequestError", raised(session.delete, session, Player{ name = "x" }).kind)
  end)

  it("knows the states of objects", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    local ann = Player{ name = "Ann" }
    local state = la.inspect(ann)
    assert.is_true(state.transient)
    session:add(ann)
    assert.is_true(state.pending)
    assert.equal(session, state.session)
    assert.is_nil(state.key)
    session:flush()
    assert.is_true(state.persistent)
    assert.same({ 1 }, state.key)
    session:delete(ann)
    assert.is_true(state.deleting)
    session:flush()
    assert.equal("deleted", state.state)
    session:commit()
    assert.is_true(state.detached)
    assert.is_nil(state.session)
    assert.matches("pending", raised(function() return state.pendign end).message)
  end)

  it("knows the history of attributes", function()
    local league = shared.filled()
    local session, Player, Team = league.session, league.Player, league.Team
    local ann = session:get(Player, 2)
    local attrs = la.inspect(ann).attrs
    assert.same({ added = {}, unchanged = { "Bo" }, deleted = {} }, setmetatable(attrs.name.history, nil))
    ann.name = "Anna"
    assert.same({ added = { "Anna" }, unchanged = {}, deleted = { "Bo" } }, setmetatable(attrs.name.history, nil))
    assert.is_true(la.inspect(ann).modified)
    local red, blue = session:get(Team, 1), session:get(Team, 2)
    assert.equal(red, ann.team)
    ann.team = blue
    local history = attrs.team.history
    assert.equal(blue, history.added[1])
    assert.equal(red, history.deleted[1])
    local players = la.inspect(blue).attrs.players.history
    assert.equal(0, #players.added)   -- not loaded yet
    session:no_autoflush(function() assert.equal(2, #blue.players) end)
    players = la.inspect(blue).attrs.players.history
    assert.equal(ann, players.added[1])
    assert.equal("Cy", players.unchanged[1].name)
    session:flush()
    assert.is_false(attrs.name.history:has_changes())
  end)

  it("expires everything on commit, and reads it again for all at once", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local all = session:scalars(la.select(Player):order_by(Player.id)):all()
    session:commit()
    league.statements:clear()
    local sum = 0
    for _, player in ipairs(all) do sum = sum + player.score end
    assert.equal(60, sum)
    assert.equal(1, league.statements:count())
  end)

  it("leaves objects as they are on commit when told to", function()
    local league = shared.league{ session = { expire_on_commit = false } }
    local ann = league.Player{ name = "Ann" }
    league.session:add(ann)
    league.session:commit()
    league.statements:clear()
    assert.equal("Ann", ann.name)
    assert.equal(1, ann.id)
    assert.equal(0, league.statements:count())
  end)

  it("refreshes and expires", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    session:execute(la.text "update players set name = 'Anna', score = 5 where id = 1")
    assert.equal("Ann", ann.name)
    session:expire(ann, { "name" })
    assert.equal("Anna", ann.name)
    assert.equal(10, ann.score)
    session:refresh(ann)
    assert.equal(5, ann.score)
    ann.score = 77
    session:no_autoflush(function() session:refresh(ann) end)
    assert.equal(5, ann.score)
    assert.is_false(session:is_modified(ann))
    session:expire(ann)
    assert.same({ "joined", "name", "score", "shirt", "team", "team_id" }, (function(list) table.sort(list) return list end)(la.inspect(ann).unloaded))
    assert.equal("Anna", ann.name)
  end)

  it("flushes before it queries, unless told not to", function()
    local league = shared.league()
    local session, Player = league.session, league.Player
    session:add(Player{ name = "Ann" })
    assert.equal(1, session:query(Player):count())
    session:add(Player{ name = "Bo" })
    session:no_autoflush(function() assert.equal(1, session:query(Player):count()) end)
    assert.equal(2, #session:scalars(la.select(Player)):all())
  end)

  it("says what a flush would do", function()
    local league = shared.league()
    league.session:add(league.Team{ name = "Red", players = { league.Player{ name = "Ann" } } })
    local plan = league.session:plan()
    assert.matches("insert into teams: 1 Team", plan)
    assert.matches("insert into players: 1 Player", plan)
    assert.equal(2, #league.session:new())
  end)

  it("takes objects out", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    assert.is_true(session:contains(ann))
    session:expunge(ann)
    assert.is_false(session:contains(ann))
    assert.is_true(la.inspect(ann).detached)
    assert.equal("Ann", ann.name)
    assert.equal("DetachedInstanceError", raised(function() return ann.team end).kind)
    assert.are_not.equal(ann, session:get(Player, 1))
    assert.equal("InvalidRequestError", raised(session.add, session, ann).kind)
    session:expunge_all()
    session:add(ann)
    assert.equal("Red", ann.team.name)
  end)

  it("refuses objects of another session", function()
    local league = shared.filled()
    local Player = league.Player
    local ann = league.session:get(Player, 1)
    local other = la.Session(league.engine)
    assert.equal("InvalidRequestError", raised(other.add, other, ann).kind)
    local bo = Player{ name = "Bo" }
    league.session:add(bo)
    assert.equal("InvalidRequestError", raised(other.add, other, bo).kind)
    league.session:flush()
    assert.equal("Bo", bo.name)
    other:close()
  end)

  it("merges objects of elsewhere", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local merged = session:merge(Player{ id = 1, name = "Anna" })
    assert.equal(session:get(Player, 1), merged)
    assert.equal("Anna", merged.name)
    assert.equal(10, merged.score)
    local fresh = session:merge(Player{ name = "Di" })
    session:commit()
    assert.equal(4, fresh.id)
  end)

  it("can be used again after close", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    session:add(Player{ name = "lost" })
    session:close()
    assert.is_true(la.inspect(ann).detached)
    assert.equal(3, session:query(Player):count())
    do
      local inner <close> = la.Session(league.engine)
      inner:add(Player{ name = "lost too" })
      inner:flush()
    end
    assert.equal(3, session:query(Player):count())
  end)

  it("goes with its objects when nobody has it any more", function()
    local league = shared.filled()
    local ann
    do
      local session = la.Session(league.engine)
      ann = session:get(league.Player, 1)
    end
    collectgarbage()
    collectgarbage()
    assert.equal("detached", la.inspect(ann).state)
    assert.equal("Ann", ann.name)
  end)

  it("has makers", function()
    local league = shared.filled()
    local make = la.sessionmaker{ bind = league.engine, expire_on_commit = false }
    local session = make()
    assert.is_false(session:expire_on_commit())
    assert.is_true(make{ expire_on_commit = true }:expire_on_commit())
    assert.matches("nearest is 'expire_on_commit'", raised(la.sessionmaker, { bind = league.engine, expire_on_comit = true }).message)
    assert.equal("UnboundExecutionError", raised(la.Session).kind)
    make:begin(function(one) one:add(league.Player{ name = "Di" }) end)
    assert.equal(4, session:query(league.Player):count())
    local scoped = la.scoped_session(make)
    assert.equal(scoped(), scoped())
    assert.equal(4, scoped:query(league.Player):count())
    scoped:remove()
  end)

  it("executes statements without models on its own connection", function()
    local league = shared.filled()
    local session = league.session
    assert.equal(3, session:execute(la.text "select count(*) from players"):scalar())
    session:execute(league.Player.__table:insert(), { name = "Di" })
    assert.equal(4, session:scalar(la.select(la.func.count(league.Player.id))))
    session:rollback()
    assert.equal(3, session:scalar(la.select(la.func.count(league.Player.id))))
    assert.equal(3, session:connection():execute(la.text "select count(*) from players"):scalar())
  end)

  it("closes the connection that it gave out with its transaction", function()
    local league = shared.filled()
    local connection = league.session:connection()
    league.session:commit()
    assert.equal("ResourceClosedError", raised(connection.execute, connection, la.text "select 1").kind)
  end)

  it("follows an update and a delete of an alias of its table", function()
    local league = shared.fill(shared.league())
    local session, Player = league.session, league.Player
    local ann, bo = session:query(Player):filter(Player.name:eq "Ann"):one(), session:query(Player):filter(Player.name:eq "Bo"):one()
    local p = Player.__table:alias "p"
    assert.equal(1, session:execute(la.update(p):where(p.c.name:eq "Ann"):values { score = p.c.score + 5 }).rowcount)
    assert.equal(15.0, ann.score)
    assert.equal(1, session:execute(la.delete(p):where(p.c.name:eq "Bo")).rowcount)
    assert.is_false(session:contains(bo))
    assert.equal(2, session:query(Player):count())
  end)
end)
