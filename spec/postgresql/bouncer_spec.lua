-- luacheck: no max line length
-- PgBouncer before PostgreSQL: in its session mode all is as without it, in its transaction mode no statement may have a name.
local la, core = require "lualchemy", require "lualchemy.core"
local on_server, frame, loops = dofile "spec/on_server.lua", require "lualchemy.wait.frame", dofile "spec/loops.lua"
local fails = dofile("spec/core/world.lua").fails

local ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000000)"

local function models()
  local Base = la.declarative_base()
  local Team = Base:model "Team" {
    __tablename = "teams", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40), unique = true },
    players = la.relationship{ "Player", order_by = "Player.id", back_populates = "team" },
  }
  local Player = Base:model "Player" {
    __tablename = "players", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
    team_id = la.Column{ la.ForeignKey "teams.id" }, team = la.relationship{ "Team", back_populates = "players" },
  }
  return Base, Team, Player
end

describe("PgBouncer", function()
  local here = on_server "postgresql"
  local host, without
  if here.server then host, without = here.server:bouncer() end

  local function case(name, run)
    here:case(name, function()
      if not host then return pending(without) end
      run()
    end)
  end

  local function engine(mode, parameters, options)
    return la.create_engine(("postgresql://spec@:6432/%s?host=%s%s"):format(mode, host, parameters or ""), options)
  end

  -- Everything that a session does, while another connection takes a session of the server from it between its transactions.
  local function work(e)
    local Base, Team, Player = models()
    Base.metadata:drop_all(e)
    Base.metadata:create_all(e)
    for round = 1, 3 do
      local other <close> = e:connect()
      if round > 1 then other:begin() other:exec_driver_sql("SELECT 1"):close() end
      local session <close> = la.Session(e)
      for i = 1, 300 do session:add(Team{ name = ("team %d %d"):format(round, i), players = { Player{ name = "a" }, Player{ name = "b" } } }) end
      session:commit()
      local count = 0
      for team in session:scalars(la.select(Team):options(la.selectinload(Team.players)):order_by(Team.id), nil, { yield_per = 50 }) do
        assert(#team.players == 2)
        team.name = team.name .. "!"
        count = count + 1
      end
      assert(count == round * 300)
      session:commit()
      assert(session:query(Player):count() == round * 600)
      e:run_transaction(function(c) c:execute(Base.metadata.tables.players:update():values{ name = "c" }) end)
      e:begin(function(c)
        for row in c:execute(la.select(Team.name), nil, { stream_results = true }) do assert(row.name:find "!") end
        assert(c:copy_from(Base.metadata.tables.players, { { 100000 + round, "copied", la.null } }) == 1)
        for row in c:copy_to(Base.metadata.tables.players) do count = row.id end
        c:execute(Base.metadata.tables.players:delete():where(Player.id:ge(100000)))
      end)
      fails("IntegrityError", function()
        session:add(Team{ name = "team 1 1!" .. ("!"):rep(round - 1) })
        session:flush()
      end)
      session:rollback()
    end
    Base.metadata:drop_all(e)
  end

  for mode, parameters in pairs { transaction = "&prepared_statements=false", session = "" } do
    case("in its mode by " .. mode .. " lets a session work", function()
      local e = engine(mode, parameters)
      work(e)
      e:dispose()
    end)

    case("in its mode by " .. mode .. " lets coroutines work, and a statement be interrupted", function()
      local e = engine(mode, parameters, { wait = frame.wait })
      local done, stopped = false, nil
      frame.start(function() work(e) done = true end)
      local c = e:connect()
      frame.start(function() stopped = fails("OperationalError", function() c:exec_driver_sql(ENDLESS):all() end, "cancel") end)
      local next_try = 0
      local over = loops.in_time(function() return done and stopped end)
      while not over() do
        if not stopped and core.clock() > next_try then   -- one that comes too early is not heard
          c:interrupt()
          next_try = core.clock() + 2e8
        end
        frame.update(0.01)
      end
      c:close()
      e:dispose()
    end)
  end

  case("in its mode by transaction refuses named statements with a word of what to write", function()
    local e = engine "transaction"
    local one, other = e:connect(), e:connect()
    one:exec_driver_sql("SELECT 1 AS n"):close()
    one:commit()
    other:begin()
    other:exec_driver_sql("SELECT 2 AS n"):close()   -- takes the session of the server that knows the first
    one:exec_driver_sql("SELECT 3 AS n"):close()
    fails("ProgrammingError", function() one:exec_driver_sql("SELECT 1 AS n"):all() end, "does not exist", "prepared_statements=false")
    one:rollback()
    other:rollback()
    -- A statement never meets another's under its own name: one that is not known is prepared where the transaction begins with it.
    for i = 1, 20 do
      local c = i % 2 == 0 and one or other
      assert.equal(i, c:exec_driver_sql("SELECT ?::integer AS n", { i }):scalar())
      c:rollback()
    end
    one:close()
    other:close()
    e:dispose()
  end)

  case("refuses what it cannot hand on with a word of what to write", function()
    fails("OperationalError", function() engine("session", "&options=-csearch_path%3Dpg_temp"):connect() end, "options", "ignore_startup_parameters")
  end)

  case("in its mode by session hands notifications on", function()
    local e = engine "session"
    local first <close> = e:connect()
    local second <close> = e:connect()
    first:listen "box"
    second:notify("box", "hello")
    assert.equal("hello", first:wait_for_notification(30).payload)
  end)
end)
