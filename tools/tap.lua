-- Busted's output as TAP, in the form of spec/c/check.c: a comment with the case's name before it
-- runs, what failed as comments, then its line. Every line is flushed, so a crash loses nothing.
-- (Busted's own TAP fails on a spec that does not parse, and loses the reason.)

local pretty = require "pl.pretty"

return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local count = 0

  local function say(...)
    io.write(string.format(...), "\n")
    io.flush()
  end

  local function comment(text)
    for line in tostring(text):gmatch "[^\n]+" do say("# %s", line) end
  end

  local function result(prefix, name, suffix)
    count = count + 1
    say("%sok %d - %s%s", prefix, count, name:gsub("\n", " "), suffix or "")
  end

  local function explain(failure)
    local message, trace = failure.message, failure.trace or {}
    comment(type(message) == "string" and message or pretty.write(message))
    if options.verbose and trace.traceback then comment(trace.traceback) end
  end

  -- What failed outside a case: a file that does not load, a setup, a teardown.
  local function failed_outside(list)
    return function(element)
      if element.descriptor ~= "it" then
        local failure = handler[list][#handler[list]]
        explain(failure)
        result("not ", failure.name)
      end
      return nil, true
    end
  end

  busted.subscribe({ "test", "start" }, function(element)
    say("# %s", (handler.getFullName(element):gsub("\n", " ")))
    return nil, true
  end)

  busted.subscribe({ "test", "end" }, function(element, _, status)
    local name = handler.getFullName(element)
    if status == "success" then
      result("", name)
    elseif status == "pending" then
      local pending = handler.pendings[#handler.pendings]
      result("", name, " # SKIP " .. (type(pending.message) == "string" and pending.message or "pending"))
    else
      local list = status == "failure" and handler.failures or handler.errors
      if list[#list] then explain(list[#list]) end
      result("not ", name)
    end
    return nil, true
  end)

  busted.subscribe({ "error" }, failed_outside "errors")
  busted.subscribe({ "failure" }, failed_outside "failures")

  busted.subscribe({ "suite", "end" }, function()
    say("1..%d", count)
    return nil, true
  end)

  return handler
end
