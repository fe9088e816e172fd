-- Sessions that write many objects to MariaDB: new ones by VALUES of many rows, whose keys come back, the rest by sets of values. The same
-- as if it were MySQL, which gives no rows back: keys are counted from the first of a statement where nothing can come between.
local la = require "lualchemy"
local servers = dofile "spec/servers.lua"
local Column = la.Column

local server, why = servers.start "mariadb"
local function url_of(scheme, more, user)
  if not server then return end
  more = (more or "") .. (scheme == "mysql" and "&server_version=8.0.36" or "")
  return ("%s://%s@/spec?unix_socket=%s/mariadb.sock%s"):format(scheme, user or "spec", server.folder, more)
end

local function run(engine, statements)
  local connection = engine:connect()
  for _, sql in ipairs(statements) do connection:exec_driver_sql(sql) end
  connection:commit()
  connection:close()
end

teardown(function()
  if server then server:stop() end
end)

for _, scheme in ipairs{ "mariadb", "mysql" } do
  describe(scheme .. ",", function()
    dofile "spec/orm/flush_cases.lua" {
      url = url_of(scheme), why = why, at_most = 3, conflicting = "23000", describe = describe, it = it, pending = pending,
    }

    local function case(name, run_case)
      it(name, function()
        if not server then return pending(why) end
        run_case()
      end)
    end

    -- Writes so many objects; each has its own row's key. Answers how many statements had many rows.
    local function insert_into(count, definition, own_url)
      local engine = la.create_engine(url_of(scheme))
      local Base = la.declarative_base()
      local Thing = Base:model "Thing" {
        __tablename = "things",
        id = Column{ la.Integer, primary_key = true },
        name = Column{ la.String(40) },
      }
      run(engine, { "DROP TABLE IF EXISTS things" })
      run(engine, definition)
      local own = la.create_engine(own_url or url_of(scheme))
      local many, s, objects = 0, la.Session(own), {}
      la.event.listen(own, "before_execute", function(_, what)
        if what.statement:find "VALUES %(.-%), %(" then many = many + 1 end
      end)
      for i = 1, count do objects[i] = Thing{ name = "n" .. i } end
      s:add_all(objects)
      s:flush()
      for row in s:execute(la.select(Thing.id, Thing.name)) do assert.equal(objects[tonumber(row.name:match "%d+")].id, row.id) end
      s:rollback()
      s:close()
      own:dispose()
      engine:dispose()
      return many
    end

    local plain = "CREATE TABLE things (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40)) ENGINE=InnoDB"
    local returns = scheme == "mariadb"

    case("keys that are counted by five", function()
      local many = insert_into(1000, { plain }, url_of(scheme, "&init_command=SET+auto_increment_increment%3D5"))
      assert.equal(returns and 1 or 0, many)
    end)

    case("keys that a trigger changes", function()
      local trigger = "CREATE TRIGGER turned BEFORE INSERT ON things FOR EACH ROW SET NEW.name = UPPER(NEW.name)"
      assert.equal(returns and 1 or 0, (insert_into(1000, { plain, trigger })))
      trigger = [[CREATE TRIGGER turned BEFORE INSERT ON things FOR EACH ROW
        SET NEW.id = (SUBSTRING(NEW.name, 2) + 0) * 7919 % 10007 + 20000]]
      if returns then assert.equal(1, (insert_into(1000, { plain, trigger }))) end
    end)

    case("keys in a table of another engine", function()
      assert.equal(returns and 1 or 0, (insert_into(1000, { (plain:gsub("InnoDB", "MyISAM")) })))
    end)

    case("keys for a user who would not see triggers", function()
      local engine = la.create_engine(url_of(scheme, "", "root"))
      run(engine, { "CREATE OR REPLACE USER blind@localhost", "GRANT SELECT, INSERT, UPDATE, DELETE ON spec.* TO blind@localhost" })
      assert.equal(returns and 1 or 0, (insert_into(1000, { plain }, url_of(scheme, "", "blind"))))
      run(engine, { "GRANT TRIGGER ON spec.* TO blind@localhost" })
      assert.equal(1, (insert_into(1000, { plain }, url_of(scheme, "", "blind"))))
      run(engine, { "DROP USER blind@localhost" })
      engine:dispose()
    end)

    case("changes and deletions go as sets of values", function()
      local engine = la.create_engine(url_of(scheme))
      local Base = la.declarative_base()
      local Thing = Base:model "Thing" {
        __tablename = "sets",
        id = Column{ la.Integer, primary_key = true },
        name = Column{ la.String(40) },
      }
      Base.metadata:drop_all(engine)
      Base.metadata:create_all(engine)
      local s, objects, list = la.Session(engine), {}, {}
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
      s:close()
      Base.metadata:drop_all(engine)
      engine:dispose()
    end)

    case("rows that are too large for one message go in several", function()
      local engine = la.create_engine(url_of(scheme))
      local Base = la.declarative_base()
      local Thing = Base:model "Thing" {
        __tablename = "larges",
        id = Column{ la.Integer, primary_key = true },
        data = Column{ la.LargeBinary(2 ^ 20 // 1) },
      }
      Base.metadata:drop_all(engine)
      Base.metadata:create_all(engine)
      local s, data = la.Session(engine), ("\0"):rep(400000)
      for _ = 1, 100 do s:add(Thing{ data = data }) end
      s:flush()
      assert.equal(100 * #data, tonumber(s:execute(la.select(la.func.sum(la.func.length(Thing.data)))):scalar()))
      s:rollback()
      s:close()
      Base.metadata:drop_all(engine)
      engine:dispose()
    end)
  end)
end
