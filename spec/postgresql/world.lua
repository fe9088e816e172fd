-- What specs of PostgreSQL share: a server, and for each case an engine in a schema of its own with a connection.
local la = require "lualchemy"
local busted = require "busted"
local on_server = dofile "spec/on_server.lua"

--- For a describe(). fresh(engine, connection, metadata) is called before each case with what is its own. What spec/on_server.lua gives,
-- and create(columns): the table "things" in the metadata and the schema; columns[1] and [2] are left free.
return function(fresh)
  local here, engine, connection, metadata = on_server "postgresql", nil, nil, nil

  busted.before_each(function()
    if not here.server then return end
    engine = here:open()
    connection, metadata = engine:connect(), la.MetaData()
    fresh(engine, connection, metadata)
  end)

  busted.after_each(function()
    if not here.server then return end
    connection:close()
    engine:dispose()
  end)

  function here.create(columns)
    columns[1], columns[2] = "things", metadata
    local things = la.Table(columns)
    metadata:create_all(connection)
    connection:commit()
    return things
  end

  return here
end
