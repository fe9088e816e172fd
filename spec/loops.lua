-- The loops that there are adapters for, as their specs see them.
local core = require "lualchemy.core"
local loops = {}

-- Debian's copas is not among the files of each version, but runs on all.
package.path = package.path .. ";/usr/share/lua/5.2/?.lua;/usr/share/lua/5.1/?.lua"

--- [name] = function(library) that gives the wait, how to start a coroutine, and how to let the loop run, ticking every hundredth of a
--- second, until finished().
loops.open = {
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

--- The loop's library, or nil.
function loops.library(name)
  local found, library = pcall(require, name == "frame" and "lualchemy.wait.frame" or name)
  return found and library or nil
end

--- finished(), which raises an error a minute from now: a loop that hangs fails.
function loops.in_time(finished)
  local deadline = core.clock() + 60e9
  return function()
    assert(core.clock() < deadline, "the loop did not come to its end")
    return finished()
  end
end

--- body(seconds) is called with a time in which it should tick so often, and gives how often it did: with a longer one, where the
--- machine has little time for this process. Raises an error when it does not.
function loops.ticks(seconds, wanted, body)
  local ticks
  repeat
    ticks = body(seconds)
    seconds = seconds * 2
  until ticks >= wanted or seconds > 10
  assert(ticks >= wanted, ("%d ticks in %g s"):format(ticks, seconds / 2))
end

return loops
