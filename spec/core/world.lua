-- What the specs of Core share: two tables, an engine with rows, and ways to look at errors.
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = {}

function world.tables()
  local Column, Integer, String = la.Column, la.Integer, la.String
  local metadata = la.MetaData()
  local teams = la.Table { "teams", metadata,
    Column { "id", Integer, primary_key = true },
    Column { "name", String(80), nullable = false, unique = true },
  }
  local players = la.Table { "players", metadata,
    Column { "id", Integer, primary_key = true },
    Column { "name", String(80), nullable = false },
    Column { "score", la.Double, default = 0 },
    Column { "shirt", Integer },
    Column { "active", la.Boolean },
    Column { "team_id", la.ForeignKey { "teams.id", ondelete = "CASCADE" } },
  }
  return { metadata = metadata, teams = teams, players = players }
end

-- The tables in a fresh memory database, with two teams and four players.
function world.new(options)
  local self = world.tables()
  self.engine = la.create_engine("sqlite://", options)
  self.metadata:create_all(self.engine)
  self.engine:begin(function(connection)
    connection:execute(self.teams:insert(), { { name = "Red" }, { name = "Blue" } })
    connection:execute(self.players:insert(), {
      { name = "Ann", score = 12.5, shirt = 7, active = true, team_id = 1 },
      { name = "Bo", score = 3, shirt = 9, active = false, team_id = 1 },
      { name = "Cy", score = 20, shirt = la.null, active = la.null, team_id = 2 },
      { name = "Di", score = 0, shirt = 1, active = true, team_id = la.null },
    })
  end)
  self.connection = self.engine:connect()
  return self
end

-- The error object that fn raises; it must be of this kind and say each of these words.
function world.fails(kind, fn, ...)
  local ok, failure = pcall(fn)
  assert(not ok, "no error was raised")
  assert(la.is_error(failure), "not an error object: " .. tostring(failure))
  assert(failure.kind == kind, ("%s instead of %s: %s"):format(failure.kind, kind, tostring(failure)))
  for _, word in ipairs { ... } do
    assert(tostring(failure):find(word, 1, true), ("%q is not in: %s"):format(word, tostring(failure)))
  end
  return failure
end

--- Runs fn as a coroutine to its end: what it gives, and how often it yielded, each time the word "waiting".
function world.in_coroutine(fn)
  local thread, yields = coroutine.create(fn), 0
  while true do
    local ok, value = coroutine.resume(thread)
    if not ok then error(value, 0) end
    if coroutine.status(thread) == "dead" then return value, yields end
    assert(value == "waiting", tostring(value))
    yields = yields + 1
  end
end

--- An engine on a mock of its own, and the mock.
function world.mocked(options)
  local all = { mock = core.mock() }
  for name, value in pairs(options or {}) do all[name] = value end
  return la.create_engine("mock+sqlite://", all), all.mock
end

-- White space folded, for comparing SQL.
function world.folded(text)
  return (tostring(text):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

return world
