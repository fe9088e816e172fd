--- echo: each statement with its values and milliseconds, through a function.
local log = {}

local function literal(value)
  if type(value) == "string" then
    if #value > 100 then value = value:sub(1, 97) .. "..." end
    return ("%q"):format(value):gsub("\n", "n")
  end
  if type(value) == "userdata" and tostring(value):match "^userdata: " then return "NULL" end
  return tostring(value)
end

local function parameters(params)
  local texts = {}
  for i, value in ipairs(params) do
    texts[i] = literal(value)
    if i == 20 and #params > 20 then
      texts[i + 1] = ("… and %d more"):format(#params - 20)
      break
    end
  end
  return "[" .. table.concat(texts, ", ") .. "]"
end

local words = {
  begin = "BEGIN", commit = "COMMIT", rollback = "ROLLBACK", savepoint = "SAVEPOINT",
  release_savepoint = "RELEASE SAVEPOINT", rollback_savepoint = "ROLLBACK TO SAVEPOINT",
}

local function describe(name, event)
  if words[name] then return words[name] .. (event.savepoint and " " .. event.savepoint or "") end
  if name == "after_execute" then
    local cached = event.cached and " (cached)" or ""
    return ("%s %s %.3f ms%s"):format(event.statement, parameters(event.params or {}), event.milliseconds, cached)
  end
  if name == "notice" then
    return ("%s: %s%s"):format(event.severity or "NOTICE", event.message or "?", event.detail and " (" .. event.detail .. ")" or "")
  end
  if name == "handle_error" then
    return ("%s %s failed: %s"):format(event.statement or "?", parameters(event.params or {}), event.error and event.error.message or "?")
  end
end

--- The line for an event of the engine, or nil for one that is not shown. The logging_token of execution options stands before it.
function log.line(name, event)
  local text = describe(name, event)
  return text and event.token and ("[%s] %s"):format(event.token, text) or text
end

--- Where echo = true writes.
function log.default(line)
  io.stderr:write(line, "\n")
end

--- The events that echo shows.
log.events = {
  "begin", "commit", "rollback", "savepoint", "release_savepoint", "rollback_savepoint", "after_execute", "handle_error",
  "notice",
}

return log
