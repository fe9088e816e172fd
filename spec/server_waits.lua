-- Coroutines on a real server, in each loop that there is: one that ticks while statements sleep, many that share few connections,
-- lazy loads.
local la = require "lualchemy"
local on_server, loops, shared = dofile "spec/on_server.lua", dofile "spec/loops.lua", dofile "spec/orm/shared.lua"

--- Declares the specs. at: { server = name of servers.start, title, sleep = SQL that sleeps as many seconds as its value says,
-- short = SQL with one value n that sleeps a moment and gives n, endless = SQL that runs for a minute, lock = SQL that keeps all others
-- from a table (%s) until its connection is closed, lock_limit = SQL with which a session waits half a minute for that at the most }
return function(at)
  describe("coroutines on " .. at.title, function()
    local here = on_server(at.server)

    for name, open in pairs(loops.open) do
      local library = loops.library(name)
      local wait, start, run, engine
      if library then wait, start, run = open(library) end

      local function case(title, body)
        here:case(name .. ": " .. title, function()
          if not library then return pending("needs lua-" .. name .. ", which is not here") end
          engine = la.create_engine(here.url, { wait = wait, pool_size = 10, max_overflow = 0 })
          body()
          engine:dispose()
        end)
      end

      -- Lets the loop run until so many coroutines are through and their connections are back; answers the ticks meanwhile, at each of
      -- which tick() is called where there is one.
      local function together(count, body, tick)
        local done, ticks = 0, 0
        local function ticked()
          ticks = ticks + 1
          if tick then tick() end
        end
        for i = 1, count do start(function() body(i) done = done + 1 end) end
        run(ticked, loops.in_time(function() return done == count and engine:pool_status().in_use == 0 end))
        return ticks
      end

      case("the loop ticks while a statement sleeps", function()
        loops.ticks(0.5, 20, function(seconds)
          return together(1, function()
            local c <close> = engine:connect()
            c:exec_driver_sql(at.sleep, { seconds })
          end)
        end)
      end)

      case("two hundred share ten connections", function()
        local sum, at_work, most = 0, 0, 0
        together(200, function(i)
          local c <close> = engine:connect()
          at_work = at_work + 1
          most = math.max(most, at_work)
          local n
          repeat n = c:exec_driver_sql(at.short, { i }):scalar() until most == 10   -- the first ten wait for one another
          sum = sum + n
          at_work = at_work - 1
        end)
        assert.equal(200 * 201 / 2, sum)
        assert.equal(10, engine:pool_status().idle)
      end)

      case("schemas, flushes, lazy loads and reflection go on side by side", function()
        local Base, Team, Player = shared.pair()
        together(1, function()
          Base.metadata:drop_all(engine)
          Base.metadata:create_all(engine)
          local session <close> = la.Session(engine)
          for i = 1, 20 do
            session:add(Team{ id = i, name = "team " .. i, players = { Player{ name = "first" }, Player{ name = "second" } } })
          end
          session:commit()
        end)
        -- the server lets nobody read players until as many wait for them as there are connections
        local holder, within, through, through_before = la.create_engine(here.url, { pool = "null" }):connect(), 0, 0, nil
        holder:exec_driver_sql(at.lock:format "players")
        together(20, function(i)
          local session <close> = la.Session(engine)
          session:connection():exec_driver_sql(at.lock_limit)
          local team = session:get(Team, i)
          within = within + 1
          local players = team.players
          assert(#players == 2 and players[1].name == "first")
          session:expire(players[2])
          assert(players[2].team == team)
          through = through + 1
        end, function()
          if within < 10 or through_before then return end
          through_before = through
          holder:close()
        end)
        assert.same({ 0, 20 }, { through_before, through })
        together(1, function()
          assert(la.inspect(engine):has_table "teams")
          local reflected = la.MetaData()
          reflected:reflect { bind = engine, only = { "teams", "players" } }
          assert(reflected.tables.players.c.team_id)
          Base.metadata:drop_all(engine)
        end)
      end)

      if name == "luv" or name == "frame" then
        case("one is given up in the middle of a statement, and the pool is whole", function()
          local within = false
          local thread
          start(function()
            thread = coroutine.running()
            local c <close> = engine:connect()
            within = true
            c:exec_driver_sql(at.endless)
          end)
          run(function() end, loops.in_time(function() return within end))
          assert.equal("suspended", coroutine.status(thread))
          assert.is_true(coroutine.close(thread))
          assert.equal(0, engine:pool_status().in_use)
          together(10, function()
            local c <close> = engine:connect()
            assert(c:exec_driver_sql("SELECT 1"):scalar() == 1)
          end)
        end)
      end
    end
  end)
end
