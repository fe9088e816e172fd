-- Sessions that write many objects to MariaDB: new ones by VALUES of many rows, very many of them by sets of values, whose keys come back;
-- the rest by sets of values. The same as if it were MySQL, which gives no rows back: keys are counted from the first of a statement where
-- nothing can come between.
local la = require "lualchemy"
local on_server = dofile "spec/on_server.lua"
local Column = la.Column

local function run(engine, ...)
  local connection <close> = engine:connect()
  for _, sql in ipairs { ... } do connection:exec_driver_sql(sql) end
  connection:commit()
end

local here = on_server "mariadb"

for _, scheme in ipairs{ "mariadb", "mysql" } do
  describe(scheme .. ",", function()
    local function url_of(more, user)
      if not here.server then return end
      more = (more or "") .. (scheme == "mysql" and "&server_version=8.0.36" or "")
      return (here.url:gsub("^mariadb://spec", scheme .. "://" .. (user or "spec"))) .. more
    end

    local write = dofile "spec/orm/flush_cases.lua" { here = here, url = url_of(), at_most = 3, conflicting = "23000" }

    -- How many statements of a flush of so many objects had many rows.
    local function insert_into(count, definition, url)
      local many = 0
      for _, statement in ipairs((write(count, definition, url))) do
        if statement:find "VALUES %(.-%), %(" then many = many + 1 end
      end
      return many
    end

    local plain = "CREATE TABLE things (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40)) ENGINE=InnoDB"
    local returns = scheme == "mariadb"

    -- work(session, Thing, engine): on a table of its own with a generated key and a column of this name.
    local function on_table(name, attribute, column, work)
      local engine = la.create_engine(url_of())
      local Base = la.declarative_base()
      local Thing = Base:model "Thing" { __tablename = name, id = Column{ la.Integer, primary_key = true }, [attribute] = column }
      Base.metadata:drop_all(engine)
      Base.metadata:create_all(engine)
      local s <close> = la.Session(engine)
      work(s, Thing, engine)
      s:close()
      Base.metadata:drop_all(engine)
      engine:dispose()
    end

    here:case("keys that are counted by five", function()
      local many = insert_into(1000, { plain }, url_of("&init_command=SET+auto_increment_increment%3D5"))
      assert.equal(returns and 1 or 0, many)
    end)

    here:case("keys that a trigger changes", function()
      local trigger = "CREATE TRIGGER turned BEFORE INSERT ON things FOR EACH ROW SET NEW.name = UPPER(NEW.name)"
      assert.equal(returns and 1 or 0, (insert_into(1000, { plain, trigger })))
      trigger = [[CREATE TRIGGER turned BEFORE INSERT ON things FOR EACH ROW
        SET NEW.id = (SUBSTRING(NEW.name, 2) + 0) * 7919 % 10007 + 20000]]
      if returns then assert.equal(1, (insert_into(1000, { plain, trigger }))) end
    end)

    here:case("keys in a table of another engine", function()
      assert.equal(returns and 1 or 0, (insert_into(1000, { (plain:gsub("InnoDB", "MyISAM")) })))
    end)

    here:case("keys of very many, whatever has a hand in them", function()
      local count = 4095 + 2047 + 100
      local statements, _, last = write(count, { plain })
      assert.equal(count, last)
      if not returns then return end
      assert.equal(3, #statements)
      assert.is_truthy(statements[2]:find "VALUES %([^()]*%) RETURNING")
      local trigger = [[CREATE TRIGGER turned BEFORE INSERT ON things FOR EACH ROW
        SET NEW.id = (SUBSTRING(NEW.name, 2) + 0) * 7919 % 10007 + 20000]]
      write(count, { plain, trigger })
      write(count, { plain }, url_of "&init_command=SET+auto_increment_increment%3D5")
      write(count, { (plain:gsub("InnoDB", "MyISAM")) })
    end)

    here:case("a row that is refused among very many leaves none of them, in whichever statement it is", function()
      on_table("lots", "name", Column{ la.String(40), unique = true }, function(s, Thing)
        for _, place in ipairs{ 2, 4095, 4096, 8000, 9999 } do
          local objects = {}
          for i = 1, 10000 do objects[i] = Thing{ name = "n" .. (i == place and 1 or i) } end
          s:add_all(objects)
          local ok, failure = pcall(s.flush, s)
          assert.is_false(ok)
          assert.equal("IntegrityError", failure.kind)
          assert.equal("23000", failure.sqlstate)
          s:rollback()
          assert.equal(0, s:query(Thing):count())
          for i = 1, 10000 do assert.is_nil(objects[i].id) end
        end
        s:add(Thing{ name = "after" })
        s:commit()
        assert.equal(1, s:query(Thing):count())
      end)
    end)

    here:case("keys for a user who would not see triggers", function()
      local engine = la.create_engine(url_of("", "root"))
      run(engine, "CREATE OR REPLACE USER blind@localhost", "GRANT SELECT, INSERT, UPDATE, DELETE ON spec.* TO blind@localhost")
      assert.equal(returns and 1 or 0, (insert_into(1000, { plain }, url_of("", "blind"))))
      run(engine, "GRANT TRIGGER ON spec.* TO blind@localhost")
      assert.equal(1, (insert_into(1000, { plain }, url_of("", "blind"))))
      run(engine, "DROP USER blind@localhost")
      engine:dispose()
    end)

    here:case("changes and deletions go as sets of values", function()
      on_table("sets", "name", Column{ la.String(40) }, function(s, Thing, engine)
        local objects, list = {}, {}
        for i = 1, 2000 do objects[i] = Thing{ name = "n" .. i } end
        s:add_all(objects)
        s:flush()
        la.event.listen(engine, "before_execute", function(_, what) list[#list + 1] = what.statement end)
        for i, object in ipairs(objects) do object.name = "m" .. i end
        s:flush()
        assert.equal(1, #list)
        for i = 1, 1000 do s:delete(objects[i]) end
        s:flush()
        assert.equal(2, #list)
        assert.equal(1000, s:query(Thing):count())
        s:rollback()
      end)
    end)

    here:case("rows that are too large for one message go in several", function()
      on_table("larges", "data", Column{ la.LargeBinary(2 ^ 20 // 1) }, function(s, Thing)
        local data = ("\0"):rep(400000)
        for _ = 1, 100 do s:add(Thing{ data = data }) end
        s:flush()
        assert.equal(100 * #data, tonumber(s:execute(la.select(la.func.sum(la.func.length(Thing.data)))):scalar()))
        s:rollback()
      end)
    end)
  end)
end
