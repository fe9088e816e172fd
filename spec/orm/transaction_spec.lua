-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local raised = shared.raised

local function count(league)
  return league.session:query(league.Player):count()
end

describe("transactions of a session", function()
  it("are rolled back with everything that objects knew of them", function()
    local league = shared.filled()
    local session, Team, Player = league.session, league.Team, league.Player
    local ann, cy = session:get(Player, 1), session:get(Player, 3)
    local di = Player{ name = "Di", score = 4 }
    session:add(di)
    ann.name = "Anna"
    session:delete(cy)
    session:flush()
    assert.equal(4, di.id)
    assert.equal("deleted", la.inspect(cy).state)
    session:rollback()
    assert.equal("transient", la.inspect(di).state)
    assert.equal("Di", di.name)
    assert.equal("persistent", la.inspect(cy).state)
    assert.equal("Ann", ann.name)
    assert.equal(cy, session:get(Player, 3))
    assert.equal(3, count(league))
    session:add(di)
    session:commit()
    assert.equal(4, di.id)
    assert.equal(1, session:query(Team):filter_by{ name = "Red" }:count())
  end)

  it("drop changes that were not flushed, too", function()
    local league = shared.filled()
    local session = league.session
    local red = session:get(league.Team, 1)
    local ann = red.players[1]
    ann.name = "Anna"
    table.remove(red.players, 2)
    session:add(league.Player{ name = "Di" })
    session:rollback()
    assert.equal("Ann", ann.name)
    assert.equal("Ann Bo", shared.names(red.players))
    assert.equal(3, count(league))
  end)

  it("nest as savepoints", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    ann.name = "outer"
    local nested = session:begin_nested()
    assert.is_true(session:in_nested_transaction())
    ann.name = "inner"
    local di = Player{ name = "Di" }
    session:add(di)
    session:flush()
    nested:rollback()
    assert.is_false(nested.is_active)
    assert.equal("outer", ann.name)
    assert.is_true(la.inspect(di).transient)
    nested = session:begin_nested()
    session:add(di)
    nested:commit()
    session:commit()
    assert.equal("outer", ann.name)
    assert.equal(4, count(league))
    assert.equal("ResourceClosedError", raised(nested.commit, nested).kind)
  end)

  it("nest as functions", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    assert.equal(5, session:begin_nested(function(inner)
      assert.equal(session, inner)
      assert.is_true(session:in_nested_transaction())
      ann.name = "inner"
      return 5
    end))
    assert.is_false(session:in_nested_transaction())
    assert.equal("inner", ann.name)
    assert.equal("oh", raised(session.begin_nested, session, function()
      ann.name = "lost"
      error("oh", 0)
    end))
    assert.equal("inner", ann.name)
    assert.is_true(session:in_transaction())
  end)

  it("are functions", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    assert.equal(5, session:transaction(function(one)
      one:add(Player{ name = "Di" })
      return 5
    end))
    assert.equal(4, count(league))
    local thrown = {}
    session:rollback()
    assert.equal(thrown, raised(session.transaction, session, function()
      session:add(Player{ name = "Ed" })
      session:flush()
      error(thrown)
    end))
    assert.is_false(session:in_transaction())
    assert.equal(4, count(league))
    session:transaction(function()
      session:add(Player{ name = "Ed" })
      assert.is_false(pcall(session.transaction, session, function()
        session:add(Player{ name = "Flo" })
        session:flush()
        error "no"
      end))
    end)
    session:commit()
    assert.equal(5, count(league))
    session:commit()
    session:begin(function() session:add(Player{ name = "Gil" }) end)
    assert.equal(6, count(league))
  end)

  it("are objects that are rolled back unless committed", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    do
      local transaction <close> = session:begin()
      session:add(Player{ name = "Di" })
      session:flush()
      assert.is_true(transaction.is_active)
    end
    assert.equal(3, count(league))
    session:rollback()
    do
      local transaction <close> = session:begin()
      session:add(Player{ name = "Di" })
      transaction:commit()
    end
    assert.equal(4, count(league))
    assert.equal("InvalidRequestError", raised(session.begin, session).kind)
  end)

  it("begin only when told to, without autobegin", function()
    local league = shared.league{ session = { autobegin = false } }
    local session = league.session
    assert.equal("InvalidRequestError", raised(session.execute, session, la.select(league.Player)).kind)
    session:begin()
    assert.equal(0, #session:scalars(la.select(league.Player)):all())
    session:commit()
    assert.equal("InvalidRequestError", raised(session.execute, session, la.select(league.Player)).kind)
  end)

  it("refuse to go on after a failed flush until they are rolled back", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    local nameless = Player{ shirt = 5 }
    session:add(nameless)
    local err = raised(session.flush, session)
    assert.equal("IntegrityError", err.kind)
    assert.equal("players", err.table)
    assert.equal("name", err.column)
    assert.matches("INSERT INTO players", err.statement)
    assert.equal("PendingRollbackError", raised(session.execute, session, la.select(Player)).kind)
    assert.equal("PendingRollbackError", raised(session.commit, session).kind)
    session:rollback()
    assert.equal("Ann", ann.name)
    nameless.name = "Nan"
    session:add(nameless)
    session:commit()
    assert.equal(4, count(league))
  end)

  it("keep unique names unique, and the session usable", function()
    local league = shared.filled()
    local session, Team = league.session, league.Team
    session:add(Team{ name = "Red" })
    assert.equal("IntegrityError", raised(session.commit, session).kind)
    session:rollback()
    session:add(Team{ name = "Green" })
    session:commit()
    assert.equal(3, session:query(Team):count())
  end)

  it("notice rows that others have changed", function()
    local league = shared.filled()
    local session, Player = league.session, league.Player
    local ann = session:get(Player, 1)
    session:execute(la.text "delete from players where id = 1")
    ann.name = "Anna"
    assert.equal("StaleDataError", raised(session.flush, session).kind)
    session:rollback()
    assert.equal("Ann", ann.name)
    session:execute(la.text "delete from players where id = 1")
    session:expire(ann)
    assert.equal("ObjectDeletedError", raised(function() return ann.name end).kind)
    assert.is_nil(session:get(Player, 1))
    session:rollback()
    assert.equal("Ann", session:get(Player, 1).name)
  end)

  it("of a function whose commit fails are rolled back, and the session goes on", function()
    for _, method in ipairs { "transaction", "begin" } do
      local league = shared.filled()
      local session, Team = league.session, league.Team
      session:rollback()
      local failure = raised(session[method], session, function() session:add(Team{ name = "Red" }) end)   -- which only the flush finds out
      assert.equal("IntegrityError", failure.kind)
      assert.is_false(session:in_transaction())
      assert.equal(3, count(league))
      session:close()
    end
  end)

  it("within another one lose, when their end fails, what belongs to them alone", function()
    for _, method in ipairs { "transaction", "begin_nested" } do
      local league = shared.filled()
      local session, Team, Player = league.session, league.Team, league.Player
      session:add(Player{ name = "Di" })
      session:flush()
      local failure = raised(session[method], session, function() session:add(Team{ name = "Red" }) end)
      assert.equal("IntegrityError", failure.kind)
      session:commit()
      assert.equal(4, count(league))
      session:close()
    end
  end)

  it("end with the state that closes", function()
    local code = [[
      local la = require "lualchemy"
      local shared = dofile "spec/orm/shared.lua"
      local league = shared.filled()
      kept = league.session:get(league.Player, 1)
      kept.name = "never written"
      league.session:add(league.Player{ name = "Di" })
      league.session:flush()
      open = league.session:begin_nested()
      result = league.session:scalars(la.select(league.Player))
    ]]
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(code)
    file:close()
    local program = arg and arg[-1] or "lua5.4"
    local i = -1
    while arg and arg[i] do program, i = arg[i], i - 1 end
    local command = ("LUA_PATH='%s' LUA_CPATH='%s' %s %s 2>&1"):format(package.path, package.cpath, program, path)
    local pipe = assert(io.popen(command))
    local output = pipe:read "a"
    local ok = pipe:close()
    os.remove(path)
    assert.is_true(ok, output)
    assert.equal("", output)
  end)
end)
