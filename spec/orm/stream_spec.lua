-- luacheck: no max line length
-- Objects that come in pieces (yield_per, stream_results): what is complete when, what may be done meanwhile, who lets go of what; and
-- that 200,000 of them need no more memory than a few.
local la = require "lualchemy"
local on_server, shared, core_world = dofile "spec/on_server.lua", dofile "spec/orm/shared.lua", dofile "spec/core/world.lua"
local fails, run = core_world.fails, core_world.in_coroutine

-- Teams 1 to `count` with two players each, in a session that knows none of them.
local function fill(world, count)
  local session = la.Session(world.engine)
  for i = 1, count do
    session:add(world.Team { id = i, name = "t" .. i, players = {
      world.Player { id = 2 * i - 1, name = "a" .. i }, world.Player { id = 2 * i, name = "b" .. i } } })
  end
  session:commit()
  session:close()
  world.session = la.Session(world.engine)
  world.teams = la.select(world.Team):order_by(world.Team.id)
  return world
end

-- How many objects the session knows that something holds.
local function alive(session)
  collectgarbage()
  collectgarbage()
  return #session:identities()
end

-- Every case on each of these; a case opens what it needs by world(count).
local databases = {
  { name = "SQLite", on = "sqlite://" },
  { name = "SQLite on a thread", on = "sqlite://?worker=1" },
  { name = "PostgreSQL", on = "postgresql", kind = "postgresql" },
  { name = "MariaDB", on = "mariadb", kind = "mariadb" },
}

for _, database in ipairs(databases) do
  describe("objects in pieces, " .. database.name .. ",", function()
    local here, current = on_server(database.on), nil

    local function world(count)
      local Base, Team, Player = shared.pair()
      current = { metadata = Base.metadata, Team = Team, Player = Player, engine = la.create_engine(here.url) }
      current.metadata:create_all(current.engine)
      return fill(current, count)
    end

    local function case(name, body)
      here:case(name, function()
        local ok, failure = pcall(body)
        if current then
          if current.session then current.session:close() end
          collectgarbage()
          collectgarbage()
          assert.equal(0, current.engine:pool_status().in_use, tostring(failure))
          current.metadata:drop_all(current.engine)
          current.engine:dispose()
          current = nil
        end
        if not ok then error(failure, 0) end
      end)
    end

    case("are all there, in order, by every way of reading", function()
      local w = world(25)
      local function open(options) return w.session:scalars(w.teams, nil, options) end
      for _, options in ipairs { { yield_per = 1 }, { yield_per = 4 }, { yield_per = 25 }, { yield_per = 5 }, { yield_per = 1000 }, { stream_results = true } } do
        local sum, last = 0, 0
        for team in open(options) do
          assert.equal(last + 1, team.id)
          last, sum = team.id, sum + team.id
        end
        assert.equal(325, sum)
        assert.equal(25, #open(options):all())
        local result = open(options)
        assert.equal(1, result:fetchone().id)
        assert.equal(7, #result:fetchmany(7))
        assert.equal(9, result:fetchone().id)
        assert.equal(16, #result:all())
        assert.is_nil(result:fetchone())
        assert.equal(1, open(options):first().id)
        local sizes = {}
        for rows in open(options):partitions(10) do sizes[#sizes + 1] = #rows end
        assert.same({ 10, 10, 5 }, sizes)
        fails("MultipleResultsFound", function() open(options):one() end, "exactly one")
        assert.equal(7, w.session:scalars(w.teams:where(w.Team.id:eq(7)), nil, options):one().id)
        assert.is_nil(w.session:scalars(w.teams:where(w.Team.id:eq(77)), nil, options):one_or_none())
        fails("NoResultFound", function() w.session:scalars(w.teams:where(w.Team.id:eq(77)), nil, options):one() end)
      end
      local sizes = {}
      for rows in open { yield_per = 6 }:partitions() do sizes[#sizes + 1] = #rows end
      assert.same({ 6, 6, 6, 6, 1 }, sizes)
      fails("ArgumentError", function() w.session:scalars(w.teams):partitions() end, "from 1 on")
    end)

    case("come beside other values, as rows, by names and numbers", function()
      local w = world(7)
      local pairs_of = la.select(w.Player, w.Team.name:label "team"):join(w.Player.team):order_by(w.Player.id):execution_options { yield_per = 3 }
      local seen = {}
      for row in w.session:execute(pairs_of) do seen[#seen + 1] = row.Player.name .. row.team end
      assert.equal("a1t1 b1t1 a2t2", table.concat(seen, " ", 1, 3))
      assert.equal(14, #seen)
      local numbers = {}
      for n, player, team in w.session:execute(pairs_of):tuples() do numbers[n] = player.name .. team end
      assert.same(seen, numbers)
      local maps = w.session:execute(pairs_of):mappings()
      assert.equal("t7", maps[14].team)
      assert.same({ "Player", "team" }, w.session:execute(pairs_of):keys())
    end)

    case("have their selectin loads piece by piece, and no collections that are joined", function()
      local w = world(10)
      local list = shared.watch(w.engine)
      local plan = w.teams:options(la.selectinload(w.Team.players))
      local result = w.session:scalars(plan, nil, { yield_per = 4 })
      for i = 1, 4 do
        local team = result:fetchone()
        assert.equal(i, team.id)
        assert.equal("b" .. i, team.players[2].name)
      end
      assert.equal(1, list:count("FROM players"))
      assert.equal(6, #result:all())
      assert.equal(3, list:count("FROM players"))
      w.session:expunge_all()
      local joined = w.teams:options(la.joinedload(w.Team.players))
      fails("InvalidRequestError", function() w.session:scalars(joined, nil, { yield_per = 4 }) end, "yield_per with joined eager loads of collections")
      assert.equal(10, #w.session:scalars(joined, nil, { stream_results = true }):all())   -- whole, as ever
      local scalar = la.select(w.Player):options(la.joinedload(w.Player.team)):order_by(w.Player.id)
      local names = {}
      for player in w.session:scalars(scalar, nil, { yield_per = 3 }) do names[#names + 1] = player.team.name end
      assert.equal("t1 t1 t2", table.concat(names, " ", 1, 3))
      assert.equal(20, #names)
    end)

    case("are not asked for unique() with yield_per, and are with stream_results alone", function()
      local w = world(3)
      local twice = la.select(w.Team):join(w.Team.players):order_by(w.Team.id)
      fails("InvalidRequestError", function() w.session:scalars(twice, nil, { yield_per = 2 }):unique() end, "yield_per with unique")
      assert.equal(6, #w.session:scalars(twice, nil, { yield_per = 2 }):all())
      assert.equal(3, #w.session:scalars(twice, nil, { stream_results = true }):unique():all())
    end)

    case("go when nobody holds them, but those that were changed", function()
      local w = world(60)
      local least
      for team in w.session:scalars(w.teams, nil, { yield_per = 10 }) do
        if team.id == 5 then team.name = "changed" end
        if team.id % 10 == 0 then least = math.max(least or 0, alive(w.session)) end
      end
      assert.is_true(least <= 12, tostring(least))
      w.session:commit()
      assert.equal("changed", w.session:get(w.Team, 5).name)
    end)

    case("may be written, loaded and asked for between two pieces", function()
      local w = world(40)
      local list = shared.watch(w.engine)
      for teams in w.session:scalars(w.teams, nil, { yield_per = 8 }):partitions() do
        for _, team in ipairs(teams) do
          team.name = "new" .. team.id
          assert.equal(2, #team.players)                                              -- lazy, one query a piece
          if team.id % 4 == 0 then w.session:delete(team.players[2]) end
        end
        w.session:add(w.Player { id = 1000 + teams[1].id, name = "added" })
        w.session:flush()
        assert.equal(8, w.session:execute(la.select(la.func.count()):select_from(w.Team.__table)
          :where(w.Team.id:between(teams[1].id, teams[8].id), w.Team.name:like "new%")):scalar())
      end
      assert.equal(5, list:count("^SELECT.*FROM players"))
      w.session:commit()
      assert.equal(40, w.session:query(w.Team):filter(w.Team.name:like "new%"):count())
      assert.equal(80 - 10 + 5, w.session:query(w.Player):count())
    end)

    case("go on behind a savepoint that was rolled back", function()
      local w = world(9)
      local seen = 0
      for team in w.session:scalars(w.teams, nil, { yield_per = 2 }) do
        seen = seen + team.id
        local savepoint = w.session:begin_nested()
        team.name = "lost"
        w.session:flush()
        savepoint:rollback()
        assert.equal("t" .. team.id, team.name)
      end
      assert.equal(45, seen)
    end)

    case("come from two statements at once", function()
      local w = world(12)
      local players = w.session:scalars(la.select(w.Player):order_by(w.Player.id), nil, { yield_per = 3 })
      for team in w.session:scalars(w.teams, nil, { yield_per = 5 }) do
        local one, other = players:fetchone(), players:fetchone()
        assert.same({ "a" .. team.id, "b" .. team.id }, { one.name, other.name })
        assert.equal(team, one.team)
      end
      assert.is_nil(players:fetchone())
    end)

    case("may be left: the connection is free at once, and goes back with the transaction", function()
      local w = world(30)
      for team in w.session:scalars(w.teams, nil, { yield_per = 4 }) do
        if team.id == 6 then break end
      end
      assert.equal(60, w.session:query(w.Player):count())
      local result = w.session:scalars(w.teams, nil, { yield_per = 4 })
      result:fetchone()
      result:close()
      result:close()
      fails("ResourceClosedError", function() result:fetchone() end, "closed")
      do
        local early <close> = w.session:scalars(w.teams, nil, { yield_per = 4 })
        early:fetchone()
      end
      w.session:scalars(w.teams, nil, { yield_per = 4 }):fetchone()   -- forgotten
      collectgarbage()
      collectgarbage()
      assert.equal(30, w.session:query(w.Team):count())
      w.session:commit()
      assert.equal(0, w.engine:pool_status().in_use)
    end)

    case("that are left over by a commit, a rollback or the end of the session are an error", function()
      local w = world(30)
      for _, ending in ipairs { "commit", "rollback", "close" } do
        local result = w.session:scalars(w.teams, nil, { yield_per = 4 })
        result:fetchone()
        w.session[ending](w.session)
        assert.equal(0, w.engine:pool_status().in_use)
        for _ = 1, 3 do result:fetchone() end    -- the piece that is here
        fails("ResourceClosedError", function() result:fetchone() end, ending == "commit" and "transaction in which they were being read" or "rolled back")
        fails("ResourceClosedError", function() result:all() end, "closed")
      end
      local session = la.Session(w.engine)
      local result = session:scalars(w.teams, nil, { yield_per = 4 })
      session = nil   -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.equal(30, #result:all())
    end)

    case("are as the statement's own options, a query's and an execution's say", function()
      local w = world(6)
      local own = w.teams:execution_options { yield_per = 2 }
      local function size(result) return #result:partitions()() end
      assert.equal(2, size(w.session:scalars(own)))
      assert.equal(3, size(w.session:scalars(own, nil, { yield_per = 3 })))
      assert.equal(2, size(w.session:scalars(own, nil, { stream_results = true })))
      assert.equal(4, size(w.session:query(w.Team):yield_per(4):iter()))
      fails("ArgumentError", function() size(w.session:scalars(own, nil, { stream_results = false })) end, "from 1 on")
      fails("ArgumentError", function() w.session:scalars(own, nil, { yield_pre = 3 }) end, "nearest is 'yield_per'")
      fails("ArgumentError", function() w.session:scalars(own, nil, { yield_per = 0 }) end, "from 1 on")
      fails("ArgumentError", function() w.session:scalars(own, nil, 7) end, "table such as")
      fails("ArgumentError", function() w.session:query(w.Team):yield_per() end, "number of objects")
    end)

    case("tell listeners of each piece, who may not ask for the next one", function()
      local w = world(6)
      local heard, result, refused = {}, nil, nil
      la.event.listen(w.Team, "load", function(team)
        heard[#heard + 1] = team.id
        if team.id == 4 then refused = select(2, pcall(result.fetchmany, result, 5)) end
      end)
      result = w.session:scalars(w.teams, nil, { yield_per = 2 })
      assert.same({ 1, 2 }, heard)
      assert.equal(6, #result:all())
      assert.same({ 1, 2, 3, 4, 5, 6 }, heard)
      assert.matches("are being loaded", tostring(refused))
    end)

    case("that end in an error end there", function()
      local w = world(300)
      local statement
      if database.kind == "postgresql" then
        statement = la.select(w.Team):where(la.text "1 / (250 - teams.id) < 5")
      elseif not database.kind then
        local function fail_at(id)
          if id == 250 then error "two hundred and fifty" end
          return 1
        end
        w.session:connection():create_function("fail_at", fail_at)
        statement = w.teams:where(la.text "fail_at(teams.id) = 1")
      else
        return   -- the server has made all rows before the first of them comes: there is no such error
      end
      local seen = 0
      local result = w.session:scalars(statement, nil, { yield_per = 10 })
      assert.is_false((pcall(function()
        for team in result do seen = team.id end
      end)))
      assert.is_true(seen > 0 and seen < 250, tostring(seen))
      fails("ResourceClosedError", function() result:fetchone() end)
      w.session:rollback()
      assert.equal(300, w.session:query(w.Team):count())
    end)

    -- In a process of its own, so that nothing but the stream counts; without the sanitizers' store of freed memory.
    case("need little memory, however many there are, with writes and loads between them", function()
      local w = world(10)
      local path = database.kind == nil and os.tmpname() or nil
      local url = path and "sqlite:///" .. path .. (here.url:match "%?.*" or "") or here.url
      local engine = la.create_engine(url)
      w.metadata:create_all(engine)
      engine:begin(function(c)
        if path then c:exec_driver_sql "INSERT INTO teams (id, name) VALUES (1, 't1'), (2, 't2'), (3, 't3')" end
        local numbers = { [false] = "WITH RECURSIVE n (i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < 201000) SELECT i FROM n",
          postgresql = "SELECT i FROM generate_series(1001, 201000) g (i)", mariadb = "SELECT seq AS i FROM seq_1001_to_201000" }
        c:exec_driver_sql(("INSERT INTO players (id, name, team_id) SELECT i, 'abcdefghijklmnopqrstuvwxyz', 1 + i %% 3 FROM (%s) s")
          :format(numbers[database.kind or false]))
      end)
      engine:dispose()
      local lua = arg and arg[-1] or "lua5.4"
      local command = ("ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=16 timeout 300 %s spec/orm/stream_memory.lua '%s' 2>&1"):format(lua, url)
      local pipe = io.popen(command)
      local said = pipe:read "*a"
      pipe:close()
      if path then os.remove(path) end
      local rows, written, growth = said:match "^(%d+) rows, (%d+) written, (%d+) KB more"
      assert.equal("200000", rows, said)
      assert.equal("200", written)
      assert.is_true(tonumber(growth) < 40000, said)
    end)
  end)
end

describe("objects in pieces in a coroutine", function()
  shared.collecting_waits(before_each, after_each)

  local _, Team = shared.pair()
  local engine
  before_each(function()
    local teams = {}
    for i = 1, 9 do teams[i] = { i, "t" .. i } end
    engine = shared.waiting_pair({ times = 1, rows = teams }, { times = 5, rows = { { 1, "Ann", 1, 1 }, { 2, "Bo", 4, 4 }, { 3, "Cy", 7, 7 } } })
  end)

  it("wait in the midst of pieces, which have their size all the same", function()
    local session = la.Session(engine)
    local sizes, yields = run(function()
      local list = {}
      local statement = la.select(Team):options(la.selectinload(Team.players))
      for rows in session:scalars(statement, nil, { yield_per = 4 }):partitions() do
        list[#list + 1] = #rows
        for _, team in ipairs(rows) do assert.equal(team.id % 3 == 1 and 1 or 0, #team.players) end
      end
      return list
    end)
    assert.same({ 4, 4, 1 }, sizes)
    assert.is_true(yields > 12, tostring(yields))
    session:close()
    assert.equal(0, engine:pool_status().in_use)
  end)

  it("can be forgotten in the midst of a piece", function()
    do
      local session = la.Session(engine)
      local thread = coroutine.create(function()
        for team in session:scalars(la.select(Team), nil, { yield_per = 2 }) do assert(team.id) end
      end)
      for _ = 1, 9 do assert(coroutine.resume(thread)) end
      assert.equal("suspended", coroutine.status(thread))
      assert.equal(1, engine:pool_status().in_use)
    end
    collectgarbage()
    collectgarbage()
    assert.equal(0, engine:pool_status().in_use)
  end)
end)
