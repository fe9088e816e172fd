-- Batches of a flush that are under way at once come to what one after the other comes to: the same rows, keys, errors and states. The
-- oracle flushes each object alone.
local la = require "lualchemy"
local on_server = dofile "spec/on_server.lua"
local Column = la.Column

local rounds = tonumber(os.getenv "SPEC_ROUNDS") or 3

-- How the objects are flushed, by an engine of the URL. What hears adds what it hears to the list.
local ways = {
  alone = { open = la.create_engine, each = true },
  ahead = { open = la.create_engine },
  listened = {
    open = function(url, heard)
      local engine = la.create_engine(url)
      for _, name in ipairs { "before_execute", "after_execute" } do
        la.event.listen(engine, name, function(_, what) heard[#heard + 1] = { name = name, statement = what.statement } end)
      end
      return engine
    end,
  },
}

for name, kind in pairs { SQLite = "sqlite://", PostgreSQL = "postgresql", MariaDB = "mariadb" } do
  describe("batches on " .. name, function()
    local here = on_server(kind)
    local url, Base, Thing = here.url, nil, nil
    setup(function()
      Base = la.declarative_base()
      Thing = Base:model "Thing" {
        __tablename = "things",
        id = Column{ la.Integer, primary_key = true },
        name = Column{ la.String(40), unique = true },
        level = Column{ la.Integer, nullable = false },
        score = Column{ la.Integer },
        note = Column{ la.String(40), server_default = "none" },
      }
    end)

    -- run(session, flush) on empty tables in each of the ways: flush(objects, act) calls act(object) for each and writes them. What run
    -- gives for each way.
    local function in_all_ways(run)
      local results = {}
      for title, way in pairs(ways) do
        local heard = {}
        local admin = la.create_engine(url)
        Base.metadata:drop_all(admin)
        Base.metadata:create_all(admin)
        admin:dispose()
        local engine = way.open(url, heard)
        if url == "sqlite://" then Base.metadata:create_all(engine) end
        local session = la.Session(engine)
        local function flush(objects, act)
          for _, object in ipairs(objects) do
            act(object)
            if way.each then session:flush() end
          end
          session:flush()
        end
        results[title] = { run(session, flush, heard) }
        session:close()
        engine:dispose()
      end
      return results
    end

    local function check_same(results)
      for title, result in pairs(results) do assert.same(results.alone, result, title) end
    end

    local function rows(session)
      local list = {}
      for row in session:execute(la.select(Thing.id, Thing.name, Thing.level, Thing.score, Thing.note):order_by(Thing.id)) do
        list[#list + 1] = ("%s %s %s %s %s"):format(row.id, row.name, row.level, row.score, row.note)
      end
      return list
    end

    local function keys(objects)
      local list = {}
      for i, object in ipairs(objects) do list[i] = object.id or false end
      return list
    end

    -- Runs of objects with the same columns, some of them of one object.
    local function make(count, random)
      local objects, score, note = {}, false, false
      for i = 1, count do
        if random(4) == 1 then score, note = random(2) == 1, random(3) == 1 end
        objects[i] = Thing{ name = "n" .. i, level = random(9), score = score and i or nil, note = note and "own" or nil }
      end
      return objects
    end

    -- Numbers that are the same in each way.
    local function numbers(seed)
      local state = seed
      return function(limit)
        state = (state * 1103515245 + 12345) % 2147483648
        return state // 65536 % limit + 1
      end
    end

    here:case("make the rows and keys that one after the other makes", function()
      for seed = 1, rounds do
        check_same(in_all_ways(function(session, flush)
          local random = numbers(seed)
          local objects = make(60 + random(60), random)
          flush(objects, function(object) session:add(object) end)
          local made, seen = keys(objects), rows(session)
          flush(objects, function(object)
            local what = random(5)
            if what == 1 then object.level = random(9) + 10 end
            if what == 2 then object.score = random(100) end
            if what == 3 then object.note, object.score = "m" .. object.id, la.null end
          end)
          local changed = rows(session)
          flush(objects, function(object) if random(3) == 1 then session:delete(object) end end)
          session:commit()
          return made, seen, changed, rows(session)
        end))
      end
    end)

    here:case("fail as the first of them fails, and nothing stays", function()
      for seed = 1, rounds do
        check_same(in_all_ways(function(session, flush)
          local random = numbers(100 + seed)
          local objects = make(80, random)
          local twice, empty = 1 + random(79), 1 + random(79)
          objects[twice].name = "n" .. random(twice - 1)
          objects[empty].level = la.null
          local ok, failure = pcall(flush, objects, function(object) session:add(object) end)
          assert.is_false(ok)
          local _, again = pcall(session.flush, session)
          session:rollback()
          local made, none = keys(objects), rows(session)
          session:add(Thing{ name = "after", level = 1 })
          session:commit()
          return failure.kind, failure.sqlstate, failure.code, failure.constraint, failure.column, again.kind, made, none, #rows(session)
        end))
      end
    end)

    here:case("fail within a savepoint, and what was before it goes on", function()
      check_same(in_all_ways(function(session, flush)
        session:add(Thing{ name = "before", level = 1 })
        session:flush()
        local nested = session:begin_nested()
        local objects = make(50, numbers(7))
        objects[20].name = "before"
        local ok, failure = pcall(flush, objects, function(object) session:add(object) end)
        assert.is_false(ok)
        nested:rollback()
        session:add(Thing{ name = "after", level = 2 })
        session:commit()
        local names = {}
        for i, line in ipairs(rows(session)) do names[i] = line:match "^%d+ (%S+)" end
        return failure.kind, failure.sqlstate, names
      end))
    end)

    here:case("name the object whose row is gone, though the next batch was right or wrong", function()
      for _, wrong in ipairs { false, true } do
        check_same(in_all_ways(function(session, flush)
          local objects = make(60, numbers(11))
          flush(objects, function(object) session:add(object) end)
          session:connection():exec_driver_sql("delete from things where id = " .. objects[30].id)
          local ok, failure = pcall(flush, objects, function(object)
            object.score = 1000 + object.id
            if object.id % 7 == 0 then object.note = "x" end
            if wrong and object == objects[50] then object.level = la.null end
          end)
          assert.is_false(ok)
          session:rollback()
          return failure.kind, failure.message, rows(session)
        end))
      end
    end)

    here:case("are heard of one after the other", function()
      local results = in_all_ways(function(session, flush, heard)
        flush(make(70, numbers(5)), function(object) session:add(object) end)
        session:commit()
        return heard
      end)
      local heard, inserts = results.listened[1], 0
      for i = 1, #heard, 2 do
        assert.equal("before_execute", heard[i].name)
        assert.equal("after_execute", heard[i + 1].name)
        assert.equal(heard[i].statement, heard[i + 1].statement)
        if heard[i].statement:find "INSERT" then inserts = inserts + 1 end
      end
      assert.is_true(inserts > 5, tostring(inserts))
    end)

    here:case("with functions as defaults: each sees what was written before it is called", function()
      local own = la.declarative_base()
      local session
      local Counted = own:model "Counted" {
        __tablename = "counted",
        id = Column{ la.Integer, primary_key = true },
        name = Column{ la.String(40), server_default = "odd" },
        seen = Column{ la.Integer, default = function()
          return session:connection():exec_driver_sql("select count(*) from counted"):scalar()
        end },
      }
      local engine = la.create_engine(url)
      own.metadata:drop_all(engine)
      own.metadata:create_all(engine)
      session = la.Session(engine)
      local objects = {}
      for i = 1, 12 do objects[i] = Counted{ name = i % 2 == 0 and "even" or nil } end
      session:add_all(objects)
      session:flush()
      local last = 0
      for _, object in ipairs(objects) do
        assert.is_true(object.seen >= last)
        last = object.seen
      end
      assert.is_true(last > 5, tostring(last))
      session:rollback()
      session:close()
      engine:dispose()
    end)

    here:case("in coroutines take turns with those of other sessions", function()
      local engine = la.create_engine(url)
      Base.metadata:drop_all(engine)
      Base.metadata:create_all(engine)
      if url == "sqlite://" then return engine:dispose() end   -- it never waits
      la.set_wait(function() coroutine.yield() end)
      finally(function() la.set_wait(nil) end)
      local threads, done = {}, 0
      for number = 1, 3 do
        threads[number] = coroutine.create(function()
          local session = la.Session(engine)
          local objects = make(60, numbers(number))
          for _, object in ipairs(objects) do object.name = number .. object.name end
          session:add_all(objects)
          session:commit()
          for i, object in ipairs(objects) do assert.equal(number .. "n" .. i, object.name) end
          session:close()
          done = done + 1
        end)
      end
      while done < 3 do
        for _, thread in ipairs(threads) do
          if coroutine.status(thread) ~= "dead" then assert(coroutine.resume(thread)) end
        end
      end
      la.set_wait(nil)
      local session = la.Session(engine)
      assert.equal(180, #rows(session))
      session:close()
      engine:dispose()
    end)
  end)
end
