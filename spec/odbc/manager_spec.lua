-- luacheck: no max line length
-- SQL Server and Oracle through ODBC, as far as that goes without them: a driver manager of the spec's own (manager.c) takes down
-- what it is told, and answers by a script. A story runs in a process of its own, which finds that library in place of unixODBC.
local folder = os.tmpname()
os.remove(folder)
assert(os.execute("mkdir " .. folder))
assert(os.execute(("env -u LD_PRELOAD cc -std=c11 -D_GNU_SOURCE -Isrc -shared -fPIC -o %s/libodbc.so.2 spec/odbc/manager.c"):format(folder)))

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local prelude = [[
local la = require "lualchemy"
local Base = la.declarative_base()
local Player = Base:model "Player" {
  __tablename = "players",
  id = la.Column { la.Integer, la.Identity(), primary_key = true }, name = la.Column { la.String(20) },
  born = la.Column { la.DateTime, server_default = la.func.now() }, score = la.Column { la.BigInteger },
}
local players = Base.metadata.tables.players
local function engine_of(dialect, more) return la.create_engine(dialect .. "+odbc://scott:tiger@db:1521/main?driver=It" .. (more or "")) end
]]

-- What the story prints, and what the manager was told.
local function play(script, story)
  write("script", script)
  write("story.lua", prelude .. story)
  os.remove(folder .. "/log")
  local lua = arg and arg[-1] or "lua5.4"
  local pipe = assert(io.popen(("LD_LIBRARY_PATH=%s ODBC_SCRIPT=%s/script ODBC_LOG=%s/log %s %s/story.lua 2>&1"):format(folder, folder, folder, lua, folder)))
  local said = pipe:read "*a"
  pipe:close()
  local file = io.open(folder .. "/log")
  local told = file and file:read "*a" or ""
  if file then file:close() end
  return said, told
end

describe("through ODBC", function()
  teardown(function() os.execute("rm -r " .. folder) end)

  it("Oracle's keys come in placeholders that it writes into", function()
    local said, told = play("on\tINTO ?, ?, ?\nout\t43\tcy\t2001-02-03 04:05:06\non\tINTO ?\nout\t41\ntimes\t1\non\tINTO ?\nout\t42\n", [[
      local engine = engine_of "oracle"
      local session = la.Session { bind = engine }
      local ann, bo = Player { name = "Ann", score = math.maxinteger }, Player { name = "Bo", score = -1 }
      session:add_all { ann, bo }
      session:commit()
      print(ann.id, bo.id)
      engine:begin(function(connection)
        print(connection:execute(players:insert():values { name = "cy" }:returning(players.c.id, players.c.name, players.c.born)):one())
        print(connection:execute(players:insert():values { name = "di" }).inserted_primary_key[1])
      end)
    ]])
    assert.equal("41\t42\n(43, 'cy', 2001-02-03 04:05:06)\n42\n", said)
    assert.equal([[
CONNECT Driver={It};DBQ=//db:1521/main;UID=scott;PWD=tiger
ALTER SESSION SET TIME_ZONE = '+00:00'
AUTOCOMMIT 0
INSERT INTO players (name, score) VALUES (?, ?) RETURNING players.id INTO ?
  Ann 9223372036854775807 (out)
INSERT INTO players (name, score) VALUES (?, ?) RETURNING players.id INTO ?
  Bo -1 (out)
COMMIT
AUTOCOMMIT 1
AUTOCOMMIT 0
INSERT INTO players (name) VALUES (?) RETURNING players.id, players.name, players.born INTO ?, ?, ?
  cy (out) (out) (out)
INSERT INTO players (name) VALUES (?) RETURNING players.id INTO ?
  di (out)
COMMIT
AUTOCOMMIT 1
DISCONNECT
]], told)
  end)

  it("an UPDATE that meets nothing has no row of written placeholders", function()
    local said = play("on\tUPDATE\nchanges\t0\n", [[
      engine_of "oracle":begin(function(connection)
        print(#connection:execute(players:update():where(players.c.id:eq(1)):values { name = "x" }:returning(players.c.id)):all())
      end)
    ]])
    assert.equal("0\n", said)
  end)

  it("SQL Server's keys come as rows, savepoints have its words, many rows go in arrays", function()
    local said, told = play("on\tOUTPUT\ncolumns\tid:4\nrow\t7\n", [[
      local engine = engine_of "mssql"
      local session = la.Session { bind = engine }
      local ann = Player { name = "Ann" }
      session:add(ann)
      session:flush()
      print(ann.id)
      session:begin_nested(function() ann.name = "Bo" end)
      session:commit()
      engine:begin(function(connection)
        print(connection:execute(players:insert(), { { name = "a", score = 1 }, { name = "b", score = 2 }, { name = "c", score = 3 } }).rowcount)
      end)
    ]])
    assert.equal("7\n3\n", said)
    assert.equal([[
CONNECT Driver={It};Server=db,1521;Database=main;UID=scott;PWD=tiger
AUTOCOMMIT 0
INSERT INTO players (name, score) OUTPUT inserted.id VALUES (?, ?)
  Ann NULL
SAVE TRANSACTION sp_2
UPDATE players SET name=? WHERE players.id = ?
  Bo 7
COMMIT
AUTOCOMMIT 1
AUTOCOMMIT 0
SAVE TRANSACTION alch_many
INSERT INTO players (name, score) VALUES (?, ?)
  a 1
  b 2
  c 3
COMMIT
AUTOCOMMIT 1
DISCONNECT
]], told)
  end)

  it("a database's own numbers tell what kind an error is", function()
    local cases = {
      { "mssql", "23000", 2627, "IntegrityError" }, { "mssql", "42000", 1205, "OperationalError", "retry" }, { "mssql", "42000", 3960, "OperationalError", "retry" },
      { "mssql", "HY000", 8134, "DataError" }, { "mssql", "08S01", 10054, "OperationalError", "gone" }, { "mssql", "42S02", 208, "ProgrammingError" },
      { "oracle", "23000", 1, "IntegrityError" }, { "oracle", "HY000", 2291, "IntegrityError" }, { "oracle", "HY000", 60, "OperationalError", "retry" },
      { "oracle", "HY000", 8177, "OperationalError", "retry" }, { "oracle", "HY000", 3113, "OperationalError", "gone" }, { "oracle", "42S02", 942, "ProgrammingError" },
      { "oracle", "HY000", 12899, "DataError" },
    }
    local script, story, expected = {}, {}, {}
    for i, case in ipairs(cases) do
      script[i] = ("on\tboom %d.\nfail\t%s\t%d\t[vendor][driver]it went wrong\n"):format(i, case[2], case[3])
      story[i] = ([[
        local ok, problem = pcall(function() engine_of %q:begin(function(connection) connection:exec_driver_sql "boom %d." end) end)
        print(ok, problem.kind, problem.code, problem.retryable and "retry" or problem.connection_invalidated and "gone" or "", problem.message)]]):format(case[1], i)
      expected[i] = ("false\t%s\t%d\t%s\tit went wrong\n"):format(case[4], case[3], case[5] or "")
    end
    assert.equal(table.concat(expected), (play(table.concat(script), "do " .. table.concat(story, " end do ") .. " end")))
  end)

  it("a deadlock on SQL Server has run_transaction try again", function()
    local said = play("on\tUPDATE\nfail\t40001\t1205\tYou were chosen as the victim\ntimes\t2\n", [[
      local tries = 0
      engine_of "mssql":run_transaction(function(connection)
        tries = tries + 1
        connection:execute(players:update():values { score = 1 })
      end, { retries = 5 })
      print(tries)
    ]])
    assert.equal("3\n", said)
  end)
end)
