-- Coroutines on a real server, in each loop that there is: one that ticks while statements sleep, many that share few connections,
-- lazy loads.
local la = require "lualchemy"
local core = require "lualchemy.core"
local servers = dofile "spec/servers.lua"

-- Debian's copas is not among the files of each version, but runs on all.
package.path = package.path .. ";/usr/share/lua/5.2/?.lua;/usr/share/lua/5.1/?.lua"

-- name -> wait, how to start a coroutine, how to let the loop run, ticking every hundredth of a second, until finished().
local loops = {
  luv = function(uv)
    return require "lualchemy.wait.luv", function(fn) coroutine.wrap(fn)() end, function(tick, finished)
      local ticker = uv.new_timer()
      ticker:start(10, 10, tick)
      while not finished() do uv.run "once" end
      ticker:close()
      uv.run "nowait"
    end
  end,
  cqueues = function(cqueues)
    local queue = cqueues.new()
    return require "lualchemy.wait.cqueues", function(fn) queue:wrap(fn) end, function(tick, finished)
      queue:wrap(function() while not finished() do cqueues.sleep(0.01) tick() end end)
      assert(queue:loop())
    end
  end,
  copas = function(copas)
    return require "lualchemy.wait.copas", function(fn) copas.addthread(fn) end, function(tick, finished)
      while not finished() do
        copas.step(0.01)
        tick()
      end
    end
  end,
  frame = function(frame)
    return frame.wait, frame.start, function(tick, finished)
      while not finished() do
        frame.update(0.01)
        tick()
      end
    end
  end,
}

local function models()
  local Base = la.declarative_base()
  local Team = Base:model "Team" {
    __tablename = "teams", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
    players = la.relationship{ "Player", order_by = "Player.id", back_populates = "team" },
  }
  local Player = Base:model "Player" {
    __tablename = "players", id = la.Column{ la.Integer, primary_key = true }, name = la.Column{ la.String(40) },
    team_id = la.Column{ la.ForeignKey "teams.id" }, team = la.relationship{ "Team", back_populates = "players" },
  }
  return Base, Team, Player
end

--- Declares the specs. at: { server = name of servers.start, title, url = function(server), sleep = SQL that sleeps half a second,
-- short = SQL with one value n that sleeps a moment and gives n, endless = SQL that runs for a minute }
return function(at)
  local server, why = servers.start(at.server)

  describe("coroutines on " .. at.title, function()
    teardown(function()
      if server then server:stop() end
    end)

    for name, open in pairs(loops) do
      local found, library = pcall(require, name == "frame" and "lualchemy.wait.frame" or name)
      local wait, start, run, engine
      if found then wait, start, run = open(library) end

      local function case(title, body)
        it(name .. ": " .. title, function()
          if not server then return pending(why) end
          if not found then return pending("needs lua-" .. name .. ", which is not here") end
          engine = la.create_engine(at.url(server), { wait = wait, pool_size = 10, max_overflow = 0 })
          body()
          engine:dispose()
        end)
      end

      -- Lets the loop run until so many coroutines are through and their connections are back; answers the ticks meanwhile.
      local function together(count, body)
        local done, ticks, deadline = 0, 0, core.clock() + 60e9
        for i = 1, count do start(function() body(i) done = done + 1 end) end
        run(function() ticks = ticks + 1 end, function()
          assert(core.clock() < deadline, "the loop did not come to its end")
          return done == count and engine:pool_status().in_use == 0
        end)
        return ticks
      end

      case("the loop ticks while a statement sleeps", function()
        local ticks = together(1, function()
          local c <close> = engine:connect()
          c:exec_driver_sql(at.sleep)
        end)
        assert.is_true(ticks >= 20, tostring(ticks))
      end)

      case("two hundred share ten connections", function()
        local sum, at_work, most = 0, 0, 0
        together(200, function(i)
          local c <close> = engine:connect()
          at_work = at_work + 1
          most = math.max(most, at_work)
          local n = c:exec_driver_sql(at.short, { i }):scalar()
          sum = sum + n
          at_work = at_work - 1
        end)
        assert.equal(200 * 201 / 2, sum)
        assert.equal(10, most)
        assert.equal(10, engine:pool_status().idle)
      end)

      case("schemas, flushes, lazy loads and reflection go on side by side", function()
        local Base, Team, Player = models()
        together(1, function()
          Base.metadata:drop_all(engine)
          Base.metadata:create_all(engine)
          local session <close> = la.Session(engine)
          for i = 1, 20 do
            session:add(Team{ id = i, name = "team " .. i, players = { Player{ name = "first" }, Player{ name = "second" } } })
          end
          session:commit()
        end)
        local within, most = 0, 0
        together(20, function(i)
          local session <close> = la.Session(engine)
          local team = session:get(Team, i)
          within = within + 1
          local players = team.players
          most = math.max(most, within)
          within = within - 1
          assert(#players == 2 and players[1].name == "first")
          session:expire(players[2])
          assert(players[2].team == team)
        end)
        assert.is_true(most > 1, "lazy loads wait for one another")
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
          run(function() end, function() return within end)
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
