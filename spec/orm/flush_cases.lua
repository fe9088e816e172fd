-- How a session writes many objects to a server: what holds on each of them. For a describe(), with what is the server's own:
--   own.here         of spec/on_server.lua; own.url: of an engine on it
--   own.at_most      statements that 1,000 new objects take
--   own.conflicting  SQLSTATE of a unique violation
-- Gives a function for cases of the server's own: insert_into(count, definition, url) makes the table "things", and what it needs, by the
-- statements of the definition, writes so many objects to it by an engine on the URL (own.url) and makes sure that each has the key of its
-- own row. The statements of that flush, by how much the second key is more than the first, and the last key.
local la = require "lualchemy"
local busted, assert = require "busted", require "luassert"
local shared = dofile "spec/orm/shared.lua"
local raised = shared.raised
local describe = busted.describe
local Column = la.Column

return function(own)
  local engine, Base
  local sessions = {}

  -- A case that fails would leave its transaction open, and the next one wait for its locks.
  busted.after_each(function()
    for _, s in ipairs(sessions) do s:close() end
    sessions = {}
    if engine then engine:dispose() end
    engine = nil
  end)

  -- A fresh schema for each case, and a model in it.
  local function model(name, columns)
    Base = la.declarative_base()
    columns.__tablename = name
    columns.id = columns.id or Column{ la.Integer, primary_key = true }
    local made = Base:model((name:gsub("^%l", string.upper)))(columns)
    Base.metadata:drop_all(engine)
    Base.metadata:create_all(engine)
    return made
  end

  local function session()
    sessions[#sessions + 1] = la.Session(engine)
    return sessions[#sessions]
  end

  local function run(...)
    local connection <close> = engine:connect()
    for _, sql in ipairs { ... } do connection:exec_driver_sql(sql) end
    connection:commit()
  end

  -- Every object has the key of its own row.
  local function check_keys(s, objects, Model)
    local rows, count = {}, 0
    for row in s:execute(la.select(Model.id, Model.name)) do rows[row.id], count = row.name, count + 1 end
    assert.equal(#objects, count)
    for _, object in ipairs(objects) do assert.equal(object.name, rows[object.id]) end
  end

  local function case(name, run_case)
    own.here:case(name, function()
      engine = la.create_engine(own.url)
      run_case()
    end)
  end

  describe("new objects", function()
    case("get the keys of their own rows, however many there are", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      for _, count in ipairs{ 1, 2, 3, 9, 10, 11, 99, 100, 101, 999, 1000, 1001, 5001 } do
        local s, objects = session(), {}
        for i = 1, count do objects[i] = Player{ name = "n" .. i } end
        s:add_all(objects)
        s:flush()
        check_keys(s, objects, Player)
        s:rollback()
      end
    end)

    case("take few statements", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      local list, s = shared.watch(engine), session()
      for i = 1, 1000 do s:add(Player{ name = "n" .. i }) end
      s:flush()
      assert.is_true(#list <= own.at_most, #list .. " statements: " .. table.concat(list, "\n"):sub(1, 2000))
      s:rollback()
    end)

    case("keep keys that were given among those that the database makes", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      local s, objects = session(), {}
      for i = 1, 1500 do objects[i] = Player{ name = "n" .. i, id = i % 400 == 0 and 100000 - i or nil } end
      s:add_all(objects)
      s:flush()
      check_keys(s, objects, Player)
      assert.equal(99600, objects[400].id)
      s:rollback()
    end)

    case("get their keys while others write to the table", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      local one, other, ours, theirs = session(), session(), {}, {}
      for round = 1, 5 do
        for i = 1, 300 do
          ours[#ours + 1] = Player{ name = ("o%d-%d"):format(round, i) }
          theirs[#theirs + 1] = Player{ name = ("t%d-%d"):format(round, i) }
          one:add(ours[#ours])
          other:add(theirs[#theirs])
        end
        one:flush()
        other:flush()
      end
      table.move(theirs, 1, #theirs, #ours + 1, ours)
      local keys = {}
      for _, object in ipairs(ours) do keys[object.name] = object.id end
      one:commit()
      other:commit()
      local count = 0
      for row in session():execute(la.select(Player.id, Player.name)) do
        assert.equal(keys[row.name], row.id)
        count = count + 1
      end
      assert.equal(3000, count)
    end)

    case("have what defaults of all kinds give, as one by one", function()
      local calls = 0
      local Player = model("players", {
        name = Column{ la.String(40) },
        made = Column{ la.Integer, default = function() calls = calls + 1 return calls end },
        plain = Column{ la.Integer, default = 7 },
        low = Column{ la.String(40), default = la.func.lower "ABC" },
        level = Column{ la.Integer, server_default = la.text "5" },
        twice = Column{ la.Integer, la.Computed{ "made * 2", persisted = true } },
      })
      local s, objects = session(), {}
      for i = 1, 300 do objects[i] = Player{ name = "n" .. i, level = i % 3 == 0 and i or nil, low = i % 50 == 0 and "X" or nil } end
      s:add_all(objects)
      s:flush()
      assert.equal(300, calls)
      for _, loaded in ipairs { false, true } do
        if loaded then s:expire_all() end
        for i, object in ipairs(objects) do
          assert.equal(i, object.made)
          assert.equal(7, object.plain)
          assert.equal(i % 50 == 0 and "X" or "abc", object.low)
          assert.equal(i % 3 == 0 and i or 5, object.level)
          assert.equal(2 * i, object.twice)
        end
      end
      s:rollback()
    end)

    case("without any column", function()
      local Empty = model("empties", {})
      local s, objects, seen = session(), {}, {}
      for i = 1, 30 do objects[i] = Empty{} end
      s:add_all(objects)
      s:flush()
      for _, object in ipairs(objects) do seen[object.id] = true end
      assert.equal(30, s:query(Empty):count())
      local count = 0
      for _ in pairs(seen) do count = count + 1 end
      assert.equal(30, count)
      s:rollback()
    end)

    case("stop at a value that is there already, and nothing stays", function()
      local Player = model("players", { name = Column{ la.String(40), unique = true } })
      local s = session()
      for i = 1, 2000 do s:add(Player{ name = "n" .. (i == 1500 and 700 or i) }) end
      local err = raised(s.flush, s)
      assert.equal("IntegrityError", err.kind)
      assert.equal(own.conflicting, err.sqlstate)
      assert.equal("PendingRollbackError", raised(function() s:add(Player{ name = "x" }) s:flush() end).kind)
      s:rollback()
      assert.equal(0, s:query(Player):count())
      s:add(Player{ name = "after" })
      s:commit()
      assert.equal(1, s:query(Player):count())
    end)

    case("are refused what one alone is refused", function()
      local Player = model("players", { name = Column{ la.String(5) } })
      local function refused(count)
        local s = session()
        for i = 1, count do s:add(Player{ name = i == count and "too long" or "n" }) end
        local err = raised(s.flush, s)
        s:rollback()
        return err
      end
      local alone, many = refused(1), refused(500)
      assert.equal("DataError", alone.kind)
      assert.equal(alone.kind, many.kind)
      assert.equal(alone.sqlstate, many.sqlstate)
    end)
  end)

  describe("listeners", function()
    case("hear of all objects before the first is written, and of all when the last is", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      local heard, keys = {}, true
      la.event.listen(Player, "before_insert", function(_, _, player)
        player.name = player.name:upper()
        heard[#heard + 1] = "before"
      end)
      la.event.listen(Player, "after_insert", function(_, _, player)
        keys = keys and player.id ~= nil
        heard[#heard + 1] = "after"
      end)
      local s, objects = session(), {}
      for i = 1, 120 do objects[i] = Player{ name = "n" .. i } end
      s:add_all(objects)
      s:flush()
      assert.equal(("before "):rep(120) .. ("after "):rep(120), table.concat(heard, " ") .. " ")
      assert.is_true(keys)
      check_keys(s, objects, Player)
      assert.equal("N120", objects[120].name)
      s:rollback()
    end)
  end)

  describe("listeners of changes", function()
    case("hear afterwards of what was written alone", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      local s, objects, before, after = session(), {}, 0, {}
      for i = 1, 60 do objects[i] = Player{ name = "n" .. i } end
      s:add_all(objects)
      s:flush()
      la.event.listen(Player, "before_update", function(_, _, player)
        before = before + 1
        if player.name == "x" then player.name = "y" end
      end)
      la.event.listen(Player, "after_update", function(_, _, player) after[#after + 1] = player.name end)
      for i, object in ipairs(objects) do
        object.name = "x"
        if i % 2 == 1 then object.name = "n" .. i end
      end
      s:flush()
      assert.equal(60, before)
      assert.equal(("y "):rep(30), table.concat(after, " ") .. " ")
      s:rollback()
    end)
  end)

  describe("changed objects", function()
    local function changed(count, columns)
      local Player = model("players", columns)
      local s, objects = session(), {}
      for i = 1, count do objects[i] = Player{ name = "n" .. i, score = i } end
      s:add_all(objects)
      s:commit()
      return Player, s, objects
    end

    case("of many columns and few", function()
      local Player, s, objects = changed(700, { name = Column{ la.String(40) }, score = Column{ la.Integer } })
      local want = {}
      for i, object in ipairs(objects) do
        if i % 2 == 0 then object.score = i * 10 end
        if i % 3 == 0 then object.name = "m" .. i end
        if i % 5 == 0 then object.score = la.null end
        want[object.id] = ("%s %s"):format(object.name, object.score)
      end
      s:flush()
      local seen = 0
      for row in s:execute(la.select(Player.id, Player.name, Player.score)) do
        seen = seen + 1
        assert.equal(want[row.id], ("%s %s"):format(row.name, row.score))
      end
      assert.equal(700, seen)
      s:rollback()
    end)

    case("that no longer have a row are named", function()
      local Player, s, objects = changed(600, { name = Column{ la.String(40) }, score = Column{ la.Integer } })
      for i, object in ipairs(objects) do object.score = -i end
      local lost = objects[400].id
      run(("DELETE FROM players WHERE id = %d"):format(lost))
      local err = raised(s.flush, s)
      assert.equal("StaleDataError", err.kind)
      assert.matches("table 'players'", err.message, 1, true)
      assert.matches(("Players: id %d"):format(lost), err.message, 1, true)
      s:rollback()
      local minimum = s:execute(la.select(la.func.min(Player.score))):scalar()
      assert.is_true(minimum > 0)
    end)

    case("keep their order where a column must be unique", function()
      local Player, s, objects = changed(200, { name = Column{ la.String(40) }, score = Column{ la.Integer, unique = true } })
      for i = #objects, 1, -1 do objects[i].score = objects[i].score + 1 end
      s:flush()
      assert.equal(201, s:execute(la.select(la.func.max(Player.score))):scalar())
      s:rollback()
    end)

    case("have an onupdate of their own each, called once", function()
      local calls = 0
      local Player, s, objects = changed(300, {
        name = Column{ la.String(40) }, score = Column{ la.Integer },
        touched = Column{ la.Integer, onupdate = function() calls = calls + 1 return calls end },
        stamp = Column{ la.String(10), onupdate = la.func.lower "NOW" },
      })
      for i, object in ipairs(objects) do
        if i % 7 == 0 then object.name = "m" .. i else object.score = -i end
      end
      s:flush()
      assert.equal(300, calls)
      local seen = {}
      for row in s:execute(la.select(Player.touched, Player.stamp)) do
        seen[row.touched] = true
        assert.equal("now", row.stamp)
      end
      assert.equal(300, #seen)
      s:rollback()
    end)

    case("may get other keys", function()
      local Player, s, objects = changed(50, { name = Column{ la.String(40) }, score = Column{ la.Integer } })
      for i, object in ipairs(objects) do object.id = 10000 + i end
      s:flush()
      check_keys(s, objects, Player)
      assert.equal(objects[7], s:get(Player, 10007))
      s:rollback()
    end)
  end)

  describe("deleted objects", function()
    case("go, those that are gone already too", function()
      local Player = model("players", { name = Column{ la.String(40) } })
      local s, objects = session(), {}
      for i = 1, 1200 do objects[i] = Player{ name = "n" .. i } end
      s:add_all(objects)
      s:commit()
      run "DELETE FROM players WHERE name = 'n500'"
      for i = 1, 1100 do s:delete(objects[i]) end
      s:flush()
      assert.equal(100, s:query(Player):count())
      s:rollback()
      assert.equal(1199, s:query(Player):count())
    end)
  end)

  describe("links of many to many", function()
    case("come and go together", function()
      Base = la.declarative_base()
      local Team = Base:model "Team" {
        __tablename = "teams",
        id = Column{ la.Integer, primary_key = true },
        name = Column{ la.String(40) },
        tags = la.relationship{ "Tag", secondary = "team_tags" },
      }
      local Tag = Base:model "Tag" {
        __tablename = "tags",
        id = Column{ la.Integer, primary_key = true },
        name = Column{ la.String(40) },
      }
      la.Table{ "team_tags", Base.metadata,
        Column{ "team_id", la.ForeignKey "teams.id", primary_key = true },
        Column{ "tag_id", la.ForeignKey "tags.id", primary_key = true },
      }
      Base.metadata:drop_all(engine)
      Base.metadata:create_all(engine)
      local s, teams, tags = session(), {}, {}
      local function links() return s:execute(la.text "SELECT count(*) FROM team_tags"):scalar() end
      for i = 1, 20 do tags[i] = Tag{ name = "t" .. i } end
      for i = 1, 20 do teams[i] = Team{ name = "n" .. i, tags = tags } end
      s:add_all(teams)
      s:commit()
      assert.equal(400, links())
      for i = 1, 20 do
        for k = 1, 10 do teams[i].tags:remove(tags[(i + k) % 20 + 1]) end
      end
      s:flush()
      assert.equal(200, links())
      for i = 1, 10 do s:delete(teams[i]) end
      s:flush()
      assert.equal(100, links())
      s:rollback()
      assert.equal(400, links())
      for i = 1, 20 do assert.equal(20, #teams[i].tags) end
      run "DELETE FROM team_tags WHERE tag_id = 3"
      for i = 1, 20 do teams[i].tags = {} end
      assert.equal("StaleDataError", raised(s.flush, s).kind)
      s:rollback()
      Base.metadata:drop_all(engine)
    end)
  end)

  describe("a session in batches, beside plain tables,", function()
    case("says the same after any series of changes", function()
      local seed = tonumber(os.getenv "LUALCHEMY_SEED") or os.time()
      local Player = model("players", {
        name = Column{ la.String(40) },
        score = Column{ la.Integer },
        rank = Column{ la.Double },
        level = Column{ la.Integer, server_default = la.text "5" },
        active = Column{ la.Boolean, default = true },
        data = Column{ la.LargeBinary },
      })
      for round = 1, 4 do
        math.randomseed(seed + round)
        local s, objects, made = session(), {}, 0
        local function any(values) return values[math.random(#values)] end
        local function value(field)
          if math.random(4) == 1 then return la.null end
          if field == "name" then return ("n%d é€"):format(math.random(1000)):rep(math.random(2)) end
          if field == "rank" then return any{ 0.1, -2.5e30, 1 / 3, 0 } end
          if field == "active" then return math.random(2) == 1 end
          if field == "data" then return any{ "", "\0\1\255", ("x"):rep(3000) } end
          return math.random(-2 ^ 31, 2 ^ 31 - 1)
        end
        local fields = { "name", "score", "rank", "level", "active", "data" }
        local function add()
          for _ = 1, any{ 1, 2, 5, 30, 150 } do
            local new = {}
            for _, field in ipairs(fields) do
              if math.random(5) > 1 then new[field] = value(field) end
            end
            made = made + 1
            local object = Player(new)
            objects[#objects + 1] = object
            s:add(object)
          end
        end
        -- the same column of all, or any column of each
        local function change()
          local same = math.random(3) > 1 and any(fields)
          for _, object in ipairs(objects) do
            local field = same or any(fields)
            if math.random(3) > 1 then object[field] = value(field) end
          end
        end
        local function remove()
          if #objects > 100 or math.random(4) == 1 then
            s:flush()
            for i = #objects, 1, -1 do
              if math.random(3) == 1 then s:delete(table.remove(objects, i)) end
            end
          end
        end
        local function check()
          s:flush()
          local want = {}
          for _, object in ipairs(objects) do
            local row = {}
            for i, field in ipairs(fields) do row[i] = tostring(object[field]) end
            want[object.id] = table.concat(row, "|")
          end
          local count = 0
          for row in s:execute(la.select(Player.id, Player.name, Player.score, Player.rank, Player.level, Player.active, Player.data)) do
            local found = {}
            for i, field in ipairs(fields) do found[i] = tostring(row[field]) end
            assert.equal(want[row.id], table.concat(found, "|"))
            count = count + 1
          end
          assert.equal(#objects, count)
        end
        local steps = { add, add, change, remove, check, function() s:flush() end, function() s:commit() end }
        local done, message = pcall(function()
          for _ = 1, 25 do any(steps)() end
          check()
        end)
        assert(done, ("LUALCHEMY_SEED=%d: %s"):format(seed + round - 1, tostring(message)))
        s:rollback()
        run "DELETE FROM players"
      end
    end)
  end)

  return function(count, definition, url)
    engine = la.create_engine(own.url)
    run("DROP TABLE IF EXISTS things CASCADE", "DROP SEQUENCE IF EXISTS numbers", table.unpack(definition))
    engine:dispose()
    engine = la.create_engine(url or own.url)
    local Thing = la.declarative_base():model "Thing" {
      __tablename = "things", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(40) },
    }
    local list, s, objects = shared.watch(engine), session(), {}
    for i = 1, count do objects[i] = Thing{ name = "n" .. i } end
    s:add_all(objects)
    s:flush()
    local statements = table.move(list, 1, #list, 1, {})
    local rows = 0
    for row in s:execute(la.select(Thing.id, Thing.name)) do
      assert.equal(objects[tonumber(row.name:match "%d+")].id, row.id)
      rows = rows + 1
    end
    assert.equal(count, rows)
    local distance, last = objects[2].id - objects[1].id, objects[count].id
    s:rollback()
    return statements, distance, last
  end
end
