-- SQL as a driver has it: a ? is a value where the database would take it for one, and everything else goes as it stands.
local la = require "lualchemy"
local core = require "lualchemy.core"

local function sent(dialect, sql, values)
  local mock = core.mock()
  local engine = la.create_engine("mock+" .. dialect .. "://", { mock = mock })
  local connection <close> = engine:connect()
  local ok, failure = pcall(connection.exec_driver_sql, connection, sql, values)
  if ok then return mock:statements()[2].sql end   -- behind BEGIN
  if failure.kind ~= "ProgrammingError" then error(failure, 0) end
  return failure.statement                         -- the mock counts placeholders, and knows not all quotes
end

describe("SQL as a driver has it", function()
  it("goes as it stands, with names, colons and backslashes", function()
    for _, sql in ipairs {
      "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $body$ DECLARE n integer := 1; BEGIN n := n::integer; RETURN n; END $body$",
      "SELECT :name, a::text, '12:30', E'it\\'s ? :name', \\:x /* why ? :name */ -- ? :name",
      "SELECT $$ ? $$, $a$ $$ ? $a$, \"?\", '''?'",
    } do
      assert.equal(sql, sent("postgresql", sql))
    end
    local backslash = "SELECT 'it\\'s ?', `?`, \"\\:\""
    assert.equal(backslash, sent("mysql", backslash))
  end)

  it("has a value for each ? outside of quotes and comments", function()
    assert.equal("SELECT $1, '?', $2::text, $tag$?$tag$, $3", sent("postgresql", "SELECT ?, '?', ?::text, $tag$?$tag$, ?", { 1, "b", 3 }))
    assert.equal("SELECT ?, '\\'?', ?", sent("mysql", "SELECT ?, '\\'?', ?", { 1, 2 }))
    assert.error_matches(function() sent("postgresql", "SELECT ?, $$?$$", { 1, 2 }) end, "has 1 parameters and is given 2")
    assert.error_matches(function() sent("postgresql", "SELECT ?, ?", { 1 }) end, "parameter 2 is missing")
    assert.error_matches(function() sent("sqlite", "SELECT ?") end, "has 1 parameters and is given none")
  end)
end)
