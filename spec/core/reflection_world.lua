-- What the specs of reflection on a server share: the server with a schema in its own words, and what goes for each.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local described = dofile "spec/suite/described.lua"

--- describe() for a kind of server: kind.server, kind.url(folder), kind.schema (statements), kind.views (statements that drop what
--- stands in the way of the tables), kind.own (a statement that makes the schema "many"), kind.many (statements for each of its tables,
--- whose number is %d), kind.queries (how many a reflection takes). facts(inspector, engine) adds cases of what is true of the schema.
return function(title, kind, facts)
  describe("reflection on " .. title, function()
    local server, why = servers.start(kind.server)
    if not server then
      pending("a server: " .. tostring(why))
      return
    end
    teardown(function() server:stop() end)
    local engine = la.create_engine(kind.url(server.folder))
    local function run(statements)
      engine:begin(function(connection)
        for _, statement in ipairs(statements) do connection:exec_driver_sql(statement) end
      end)
    end
    run(kind.schema)
    facts(la.inspect(engine), engine)

    it("asks as often for 300 tables as for one", function()
      local statements = { kind.own }
      for i = 1, 300 do
        for _, statement in ipairs(kind.many) do statements[#statements + 1] = (statement:gsub("%%d", i)) end
      end
      run(statements)
      local queries, metadata, count = 0, la.MetaData(), 0
      la.event.listen(engine, "before_execute", function() queries = queries + 1 end)
      metadata:reflect { bind = engine, schema = "many" }
      for _ in pairs(metadata.tables) do count = count + 1 end
      assert.equal(300, count)
      assert.equal(kind.queries, queries)
    end)

    it("says the same of what was made from it", function()
      local metadata = la.MetaData()
      metadata:reflect { bind = engine }
      local before = described(engine)
      run(kind.views)
      metadata:drop_all(engine)
      metadata:create_all(engine)
      assert.same(before, described(engine))
      engine:dispose()
    end)
  end)
end
