-- Warnings of statements, and many rows, on a server that has neither notifications nor COPY.
local la = require "lualchemy"
local on_server = dofile "spec/on_server.lua"

describe("MariaDB", function()
  local here = on_server "mariadb"

  local function case(name, run)
    here:case(name, function()
      local lines, notices = {}, {}
      local engine = la.create_engine(here.url, { echo = function(line) lines[#lines + 1] = line end })
      la.event.listen(engine, "notice", function(_, notice) notices[#notices + 1] = notice.severity .. ": " .. notice.message end)
      local connection = engine:connect()
      run(connection, notices, lines)
      connection:close()
      engine:dispose()
    end)
  end

  case("tells how many warnings a statement gave", function(connection, notices, lines)
    connection:exec_driver_sql("SELECT 1"):all()
    assert.same({}, notices)
    connection:exec_driver_sql("SELECT CAST('1x' AS INTEGER), CAST('2y' AS INTEGER)"):all()
    assert.same({ "WARNING: 2 warnings of the statement, which SHOW WARNINGS lists" }, notices)
    connection:exec_driver_sql "DROP TABLE IF EXISTS nowhere"
    assert.equal(2, #notices)
    assert.truthy(table.concat(lines, "\n"):find("\nWARNING: 2 warnings", 1, true))
  end)

  case("takes the rows of copy_from as an INSERT, and gives those of copy_to in pieces", function(connection)
    local metadata = la.MetaData()
    local things = la.Table { "things", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20) } }
    metadata:create_all(connection)
    local n = 0
    assert.equal(2100, connection:copy_from(things, function()
      n = n + 1
      if n <= 2100 then return { n, "n" .. n } end
    end))
    local count = 0
    for row in connection:copy_to(things) do
      count = count + 1
      assert.equal("n" .. row.id, row.name)
    end
    assert.equal(2100, count)
    assert.error_matches(function() connection:listen "box" end, "mariadb sends no notifications")
    connection:commit()
    metadata:drop_all(connection)
    connection:commit()
  end)
end)
