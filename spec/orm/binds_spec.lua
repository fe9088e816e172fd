-- luacheck: no max line length
-- A session over two databases in memory: teams are in one, players and what belongs to them in the other.
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local raised = shared.raised

local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship

local function never() return false end

-- Foreign keys between the databases are in the models alone.
local function away(...)
  return la.ForeignKeyConstraint(...):ddl_if{ callable = never }
end

-- lazy: of Team.players. The rest are options of the session; binds and get_bind functions are made with the world at hand.
local function world(options)
  options = options or {}
  local Base = la.declarative_base()
  local w = { Base = Base, one = la.create_engine "sqlite://", two = la.create_engine "sqlite://" }
  w.marks = la.Table{ "marks", Base.metadata,
    Column{ "player_id", ForeignKey "players.id", primary_key = true }, Column{ "badge_id", ForeignKey "badges.id", primary_key = true } }
  w.Team = Base:model "Team" {
    __tablename = "teams",
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String },
    players = relationship{ "Player", back_populates = "team", order_by = "Player.id", lazy = options.lazy, cascade = "all, delete-orphan" },
  }
  w.Player = Base:model "Player" {
    __tablename = "players",
    __table_args = { away{ { "team_id" }, { "teams.id" } } },
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String },
    team_id = Column{ la.Integer },
    team = relationship{ "Team", back_populates = "players" },
    badges = relationship{ "Badge", secondary = w.marks, order_by = "Badge.id" },
  }
  w.Badge = Base:model "Badge" { __tablename = "badges", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String } }
  Base.metadata:create_all(w.one, { tables = { w.Team.__table } })
  Base.metadata:create_all(w.two, { tables = { w.Player.__table, w.Badge.__table, w.marks } })
  w.in_one, w.in_two = shared.watch(w.one), shared.watch(w.two)
  local given = { binds = options.binds and options.binds(w) or { [w.Team] = w.one, [w.Player] = w.two, [w.Badge] = w.two } }
  for name, value in pairs(options.session or {}) do given[name] = value end
  if options.get_bind then given.get_bind = function(...) return options.get_bind(w, ...) end end
  w.session = la.Session(given)
  return w
end

local function filled(options)
  local w = world(options)
  local gold = w.Badge{ name = "gold" }
  w.session:add_all{
    w.Team{ name = "Red", players = { w.Player{ name = "Ann", badges = { gold } }, w.Player{ name = "Bo" } } },
    w.Team{ name = "Blue", players = { w.Player{ name = "Cy", badges = { gold, w.Badge{ name = "tin" } } } } },
  }
  w.session:commit()
  w.session:expunge_all()
  w.in_one:clear()
  w.in_two:clear()
  return w
end

-- What is committed, as another session sees it.
local function count(engine, name)
  local connection <close> = engine:connect()
  return connection:execute(la.text("SELECT count(*) FROM " .. name)):scalar()
end

describe("a session over several engines", function()
  it("writes and reads each model where it is bound", function()
    local w = filled()
    local session, Team, Player, Badge = w.session, w.Team, w.Player, w.Badge
    assert.equal(2, count(w.one, "teams"))
    assert.equal(3, count(w.two, "players"))
    assert.equal(3, count(w.two, "marks"))
    local red = session:get(Team, 1)
    assert.equal("Red", red.name)
    assert.equal("Ann Bo", shared.names(red.players))
    assert.equal("gold", shared.names(red.players[1].badges))
    assert.equal("Blue", session:scalars(la.select(Player):where(Player.name:eq "Cy")):one().team.name)
    assert.equal(3, session:query(Player):count())
    assert.equal("Red", session:scalars(la.select(Team.name):order_by(Team.id)):all()[1])
    red.name, red.players[2].name = "Reds", "Bob"
    session:delete(red.players[1])
    session:commit()
    session:refresh(red)
    assert.equal("Reds", red.name)
    assert.equal("Bob", shared.names(red.players))
    assert.equal(1, w.in_one:count "^UPDATE teams")
    assert.equal(0, w.in_two:count "teams")
    assert.equal(0, w.in_one:count "players")
    session:delete(red)
    session:commit()
    assert.equal(1, count(w.one, "teams"))
    assert.equal(1, count(w.two, "players"))
    assert.equal(2, session:query(Badge):count())
  end)

  for _, way in ipairs{ "selectin", "subquery", "lazy" } do
    it("loads relationships across engines: " .. way, function()
      local w = filled()
      local Team, Player = w.Team, w.Player
      local statement = la.select(Team):order_by(Team.id)
      if way == "selectin" then statement = statement:options(la.selectinload(Team.players):selectinload(Player.badges)) end
      if way == "subquery" then statement = statement:options(la.subqueryload(Team.players):subqueryload(Player.badges)) end
      local teams = w.session:scalars(statement):all()
      if way ~= "lazy" then assert.equal(2, w.in_two:count "SELECT") end
      assert.equal("Ann Bo", shared.names(teams[1].players))
      assert.equal("gold tin", shared.names(teams[2].players[1].badges))
      assert.equal(2, w.in_two:count "SELECT")
      assert.equal(1, w.in_one:count "SELECT")
      assert.equal(teams[2], teams[2].players[1].team)
    end)
  end

  it("joins within one engine, and refuses to across them", function()
    local w = filled()
    local session, Team, Player = w.session, w.Team, w.Player
    local cy = session:scalars(la.select(Player):options(la.joinedload(Player.badges)):where(Player.name:eq "Cy")):unique():one()
    assert.equal("gold tin", shared.names(cy.badges))
    assert.equal(1, #w.in_two)
    local across = {
      la.select(Team):options(la.joinedload(Team.players)),
      la.select(Player):options(la.selectinload(Player.badges), la.joinedload(Player.team)),
      la.select(Team):join(Team.players),
      la.select(Team, Player),
      la.select(Team):where(Team.id:in_(la.select(Player.team_id))),
    }
    for i, statement in ipairs(across) do
      local failure = raised(function() session:execute(statement):all() end)
      assert.equal("InvalidRequestError", failure.kind)
      assert.matches("one statement cannot go to two databases", failure.message)
      if i < 3 then assert.matches("la.selectinload", failure.message) end
    end
    assert.matches("the table 'teams' is in sqlite://[^']*, 'players' in sqlite://", raised(function() session:execute(la.select(Team.name, Player.name)) end).message)
    assert.equal(1, #w.in_two)
    assert.equal(0, #w.in_one)
    assert.equal(2, #session:scalars(la.select(Team)):all())
    local players = la.select(Player.team_id)
    local partly = la.Session(w.one, { binds = { [Player] = w.two } })
    for _, one in ipairs { session, partly } do
      for _, statement in ipairs {
        la.delete(Team):where(Team.id:in_(players)), la.update(Team):where(Team.id:in_(players)):values { name = "x" },
        la.select(Team.name):where(Team.id:in_(players)), la.insert(Team.__table):from_select({ "name" }, la.select(Player.name)),
      } do
        for _, options in ipairs { {}, { synchronize_session = false } } do
          assert.matches("one statement cannot go to two databases", raised(function() one:execute(statement, nil, options) end).message)
        end
      end
    end
    partly:close()
    assert.equal(1, #w.in_two)
    assert.equal(1, #w.in_one)
    local eager = filled{ lazy = "joined" }
    assert.matches("cannot go to two", raised(function() eager.session:scalars(la.select(eager.Team)):all() end).message)
  end)

  it("refuses a secondary table that is not where the target is", function()
    local w = filled{ binds = function(w) return { [w.Team] = w.one, [w.Player] = w.two, [w.Badge] = w.two, [w.marks] = w.two } end }
    local ann = w.session:get(w.Player, 1)
    assert.equal("gold", shared.names(ann.badges))
    w.session:close()
    local other = la.Session{ binds = { [w.Player] = w.two, [w.Badge] = w.two, [w.marks] = w.one } }
    ann = other:get(w.Player, 1)
    assert.matches("'marks' is in", raised(function() return ann.badges end).message)
  end)

  it("takes tables, bases and a bind for the rest", function()
    local Base, Rest = la.declarative_base(), la.declarative_base()
    local A = Base:model "A" { __tablename = "a", id = Column{ la.Integer, primary_key = true } }
    local B = Base:model "B" { __tablename = "b", id = Column{ la.Integer, primary_key = true } }
    local C = Rest:model "C" { __tablename = "c", id = Column{ la.Integer, primary_key = true } }
    local plain = la.Table{ "plain", la.MetaData(), Column{ "id", la.Integer, primary_key = true } }
    local one, two, three = la.create_engine "sqlite://", la.create_engine "sqlite://", la.create_engine "sqlite://"
    local session = la.Session(three, { binds = { [Base] = one, [B.__table] = two, [plain] = two } })
    assert.equal(three, session:bind())
    assert.equal(one, session:get_bind{ mapper = A })
    assert.equal(one, session:get_bind{ mapper = A.__mapper })
    assert.equal(one, session:get_bind{ mapper = la.aliased(A) })
    assert.equal(one, session:get_bind{ mapper = B })          -- what the model is made from comes before its table
    assert.equal(two, session:get_bind{ clause = la.select(B.__table.c.id) })
    assert.equal(one, session:get_bind{ clause = la.select(A.id) })
    assert.equal(two, session:get_bind{ clause = la.select(la.func.count()):select_from(plain) })
    assert.equal(two, session:get_bind{ clause = la.select(la.aliased(B).id) })
    assert.equal(two, session:get_bind{ clause = plain:insert() })
    assert.equal(two, session:get_bind{ clause = la.update(B):values{ id = 1 } })
    assert.equal(three, session:get_bind{ mapper = C })
    assert.equal(three, session:get_bind{ clause = la.text "SELECT 1" })
    assert.equal(three, session:get_bind())
    assert.equal(one, session:get_bind{ bind = one, mapper = C })
    session:bind_mapper(B, three)
    session:bind_table(plain, one)
    assert.equal(three, session:get_bind{ mapper = B })
    assert.equal(one, session:get_bind{ clause = la.select(plain.c.id) })
    session:bind_mapper(Rest, two)
    assert.equal(two, session:get_bind{ mapper = C })
    assert.equal(one, la.Session(one):get_bind{ mapper = C })
    assert.matches("one engine alone", raised(function() la.Session(one):bind_mapper(C, two) end).message)
  end)

  it("say what to write when there is no engine", function()
    local w = world{ binds = function(w) return { [w.Team] = w.one } end }
    local session = w.session
    local function unbound(fn)
      local failure = raised(fn)
      assert.equal("UnboundExecutionError", failure.kind)
      return failure.message
    end
    assert.matches("add %[Player%] = engine to its binds", unbound(function() session:get(w.Player, 1) end))
    assert.matches("add %[Player%] = engine", unbound(function() session:scalars(la.select(w.Player)):all() end))
    assert.matches("the table 'marks'", unbound(function() session:execute(w.marks:delete()) end))
    assert.matches("bind_arguments", unbound(function() session:execute(la.text "SELECT 1") end))
    assert.matches("session:connection{ mapper = Player }", unbound(function() session:connection() end), 1, true)
    session:add(w.Player{ name = "Ann" })
    assert.matches("add %[Player%] = engine", unbound(function() session:flush() end))
    session:rollback()
    session:add(w.Team{ name = "Red" })
    session:commit()
    assert.equal(1, count(w.one, "teams"))
    assert.matches("la.Session{ binds", unbound(function() la.Session{} end))
    assert.matches("la.Session{ binds", unbound(function() la.Session{ binds = {} } end))
  end)

  it("refuses what binds, get_bind and bind_arguments cannot be", function()
    local w = world()
    local one, session = w.one, w.session
    for _, wrong in ipairs{
      { { binds = { Team = one } }, "a model, a table or a declarative base" }, { { binds = { [w.Team] = "sqlite://" } }, "must be an engine" },
      { { binds = one }, "'binds' of Session must be a table" }, { { get_bind = 1 }, "must be a function" }, { { twophase = 1 }, "must be a boolean" },
    } do
      assert.matches(wrong[2], raised(function() la.Session(wrong[1]) end).message, 1, true)
    end
    assert.matches("the nearest is 'mapper'", raised(function() session:get_bind{ maper = w.Team } end).message)
    assert.matches("takes { mapper = Player }", raised(function() session:get_bind(w.Team) end).message)
    assert.matches("'mapper' of get_bind is a model", raised(function() session:get_bind{ mapper = w.marks } end).message)
    assert.matches("no argument 'shard'", raised(function() session:connection{ shard = 1 } end).message)
    assert.matches("no argument 'shard'", raised(function() session:execute(la.select(w.Team), nil, { bind_arguments = { shard = 1 } }) end).message)
    assert.matches("'bind' of session:connection must be an engine", raised(function() session:connection{ bind = 1 } end).message)
    assert.matches("bind_mapper takes a model", raised(function() session:bind_mapper(w.marks, one) end).message)
    assert.matches("bind_table takes a table", raised(function() session:bind_table(w.Team, one) end).message)
  end)

  it("sends bulk statements, core statements and texts where they belong", function()
    local w = filled()
    local session, Team, Player = w.session, w.Team, w.Player
    local bo, red = session:get(Player, 2), session:get(Team, 1)
    session:execute(la.update(Player):where(Player.name:eq "Bo"):values{ name = "Bob" })
    assert.equal("Bob", bo.name)
    session:execute(la.insert(Team), { { name = "Green" }, { name = "Grey" } })
    session:execute(Player.__table:insert(), { name = "Di" })
    session:execute(la.delete(Team):where(Team.name:eq "Red"))
    assert.equal("detached", la.inspect(red).state)
    assert.equal(3, session:execute(la.select(la.func.count(Team.id))):scalar())
    assert.equal(4, session:execute(la.text "SELECT count(*) FROM players", nil, { bind_arguments = { mapper = Player } }):scalar())
    assert.equal(4, session:execute(la.text "SELECT count(*) FROM players", nil, { bind_arguments = { bind = w.two } }):scalar())
    assert.equal(4, session:connection{ bind_arguments = { mapper = Player } }:execute(la.text "SELECT count(*) FROM players"):scalar())
    session:rollback()
    assert.equal(2, count(w.one, "teams"))
  end)

  it("loads from the engine that bind_arguments say", function()
    local w = filled()
    local third = la.create_engine "sqlite://"
    w.Base.metadata:create_all(third, { tables = { w.Team.__table } })
    local plain = la.Session(w.one)
    for _, session in ipairs{ w.session, plain } do
      assert.equal(0, #session:execute(la.select(w.Team), nil, { bind_arguments = { bind = third } }):scalars():all())
      assert.equal(2, #session:execute(la.select(w.Team)):scalars():all())
      assert.equal(0, session:execute(la.select(la.func.count(w.Team.id)), nil, { bind_arguments = { bind = third } }):scalar())
      assert.equal(third, session:connection{ bind = third }.engine)
      session:close()
    end
  end)

  it("makes sessions by sessionmaker and scoped_session as well", function()
    local w = filled()
    local factory = la.sessionmaker{ binds = { [w.Team] = w.one, [w.Player] = w.two, [w.Badge] = w.two } }
    factory:begin(function(session)
      session:add(w.Team{ name = "Green", players = { w.Player{ name = "Di" } } })
    end)
    local session <close> = factory()
    assert.equal("Di", session:scalars(la.select(w.Team):where(w.Team.name:eq "Green")):one().players[1].name)
    assert.equal(w.two, la.scoped_session(factory):get_bind{ mapper = w.Player })
  end)

  it("reads only, everywhere, when it is told to", function()
    local w = filled()
    local session <close> = la.Session{ binds = { [w.Team] = w.one, [w.Player] = w.two }, read_only = true }
    assert.equal("Red", session:get(w.Team, 1).name)
    assert.matches("readonly", raised(function() session:execute(la.delete(w.Player):all_rows()) end).message)
    assert.equal(session:get_bind{ mapper = w.Team }, session:get_bind{ mapper = w.Team })
  end)
end)

describe("the transaction of a session over several engines", function()
  it("is one for each engine, begun when it is needed", function()
    local w = filled()
    local session, begun = w.session, {}
    la.event.listen(session, "after_begin", function(_, _, connection) begun[#begun + 1] = connection.engine end)
    session:begin()
    assert.equal(0, #begun)
    session:get(w.Player, 1)
    assert.same({ w.two }, begun)
    local connection = session:connection{ mapper = w.Team }
    assert.equal(connection, session:connection{ mapper = w.Team })
    assert.equal(w.one, connection.engine)
    assert.same({ w.two, w.one }, begun)
    assert.equal(1, w.one:pool_status().in_use)
    session:commit()
    assert.equal(0, w.one:pool_status().in_use)
    assert.equal(0, w.two:pool_status().in_use)
    assert.matches("closed", raised(function() connection:execute(la.text "SELECT 1") end).message)
  end)

  it("tells listeners of objects the connection of their model", function()
    local w = world()
    local heard = {}
    for _, model in ipairs{ w.Team, w.Player } do
      for _, name in ipairs{ "before_insert", "after_insert" } do
        la.event.listen(model, name, function(_, connection) heard[#heard + 1] = connection.engine end)
      end
    end
    w.session:add(w.Team{ name = "Red", players = { w.Player{ name = "Ann" } } })
    w.session:commit()
    assert.same({ w.one, w.one, w.two, w.two }, heard)
  end)

  it("is rolled back in all of them", function()
    local w = filled()
    local session = w.session
    local red, ann = session:get(w.Team, 1), session:get(w.Player, 1)
    red.name, ann.name = "X", "Y"
    local di = w.Player{ name = "Di", team = red }
    session:add(di)
    session:flush()
    session:rollback()
    assert.equal("Red", red.name)
    assert.equal("Ann", ann.name)
    assert.equal("transient", la.inspect(di).state)
    assert.equal(3, count(w.two, "players"))
    session:rollback()
    assert.equal(0, w.one:pool_status().in_use + w.two:pool_status().in_use)
  end)

  it("has savepoints in all of them", function()
    local w = filled()
    local session = w.session
    session:get(w.Team, 1).name = "outer"
    local nested = session:begin_nested()
    session:get(w.Team, 1).name = "inner"
    session:get(w.Player, 1).name = "inner"       -- this engine comes in within the savepoint
    session:flush()
    local deeper = session:begin_nested()
    session:get(w.Player, 1).name = "deeper"
    deeper:commit()
    nested:rollback()
    assert.equal("outer", session:get(w.Team, 1).name)
    assert.equal("Ann", session:get(w.Player, 1).name)
    session:get(w.Player, 1).name = "kept"
    session:begin_nested(function() session:get(w.Team, 1).name = "last" end)
    session:commit()
    assert.equal("last", session:get(w.Team, 1).name)
    assert.equal("kept", session:get(w.Player, 1).name)
  end)

  it("says what was committed when another database refuses", function()
    local w = filled()
    local session = la.Session{ binds = { [w.Team] = w.one, [w.Player] = w.two } }
    session:add(w.Team{ name = "Green", players = { w.Player{ name = "Di" } } })
    session:flush()
    -- a foreign key that is looked at by COMMIT
    local connection = session:connection{ mapper = w.Player }
    connection:exec_driver_sql "PRAGMA defer_foreign_keys = ON"
    connection:execute(w.marks:insert(), { player_id = 99, badge_id = 99 })
    local failure = raised(function() session:commit() end)
    assert.equal("IntegrityError", failure.kind)
    assert.matches("Committed: sqlite://", failure.message)
    assert.matches("twophase = true", failure.message)
    session:rollback()
    assert.equal(3, count(w.one, "teams"))
    assert.equal(3, count(w.two, "players"))
  end)

  it("is never run again when a part of it was committed", function()
    local w = filled()
    local path, runs = os.tmpname(), 0
    local file = la.create_engine("sqlite:///" .. path .. "?timeout=0")
    w.Base.metadata:create_all(file, { tables = { w.Player.__table } })
    local reader = file:connect()
    reader:execute(w.Player.__table:insert(), { { name = "A" }, { name = "B" } })
    reader:commit()
    local reading = reader:execute(la.select(w.Player.__table):execution_options{ stream_results = true })
    reading:fetchone()                            -- in whose way the COMMIT is
    local session = la.Session{ binds = { [w.Team] = w.one, [w.Player] = file } }
    local failure = raised(function()
      session:run_transaction(function()
        runs = runs + 1
        session:add(w.Team{ name = "Green", players = { w.Player{ name = "Di" } } })
      end)
    end)
    assert.equal("OperationalError", failure.kind)
    assert.matches("locked", failure.message)
    assert.matches("Committed: sqlite://", failure.message)
    assert.equal(1, runs)
    assert.equal(3, count(w.one, "teams"))
    reading:close()
    reader:close()
    session:close()
    file:dispose()
    os.remove(path)
  end)

  it("gives connections back when the session is closed or collected", function()
    local w = filled()
    w.session:add(w.Team{ name = "Green", players = { w.Player{ name = "Di" } } })
    w.session:flush()
    w.session:close()
    assert.equal(0, w.one:pool_status().in_use + w.two:pool_status().in_use)
    assert.equal(2, count(w.one, "teams"))
    do
      local lost = la.Session{ binds = { [w.Team] = w.one, [w.Player] = w.two } }
      lost:connection{ mapper = w.Team }
      lost:connection{ mapper = w.Player }
    end
    collectgarbage()
    collectgarbage()
    assert.equal(0, w.one:pool_status().in_use + w.two:pool_status().in_use)
  end)

  it("has no second phase where the database has none", function()
    local engine = la.create_engine "sqlite://"
    local session = la.Session(engine, { twophase = true })
    local failure = raised(function() session:begin() end)
    assert.equal("NotSupportedError", failure.kind)
    assert.matches("sqlite has no two%-phase commit", failure.message)
    assert.matches("no two%-phase commit", raised(function() session:execute(la.text "SELECT 1") end).message)
    session:close()
    assert.equal(0, engine:pool_status().in_use)
    local w = world{ session = { twophase = true } }
    w.session:begin()
    assert.equal("NotSupportedError", raised(function() w.session:get(w.Team, 1) end).kind)
    assert.matches("twophase = true", raised(function() la.Session(engine):prepare() end).message)
  end)
end)

describe("a session's get_bind function", function()
  it("decides, and leaves the rest to binds", function()
    local asked = {}
    local w = filled{ get_bind = function(w, session, arguments)
      assert(la.object_session and session.get_bind)
      asked[#asked + 1] = arguments
      if arguments.mapper == w.Team then return w.one end
    end }
    local session = w.session
    assert.equal("Red", session:get(w.Team, 1).name)
    assert.equal(w.Team, asked[#asked].mapper)
    assert.is_false(asked[#asked].flushing)
    session:get(w.Team, 1).name = "Reds"
    session:flush()
    assert.is_true(asked[#asked].flushing)
    local statement = la.select(w.Player):where(w.Player.id:eq(1))
    assert.equal("Ann", session:scalars(statement):one().name)
    assert.equal(statement, asked[#asked].clause)
    session:rollback()
    assert.equal(w.one, session:get_bind{ mapper = w.Team, anything = 1 })
    assert.equal(1, asked[#asked].anything)
  end)

  it("is told where rows of secondary tables go", function()
    local tables = {}
    local w = filled{ get_bind = function(_, _, arguments) if arguments.table then tables[#tables + 1] = arguments.table end end }
    assert.same({ w.marks }, tables)
  end)

  it("shards by what the user gives along", function()
    local Base = la.declarative_base()
    local Note = Base:model "Note" { __tablename = "notes", id = Column{ la.Integer, primary_key = true }, text = Column{ la.String } }
    local shards = { north = la.create_engine "sqlite://", south = la.create_engine "sqlite://" }
    for _, engine in pairs(shards) do Base.metadata:create_all(engine) end
    local function session_of(shard)
      return la.Session{ info = { shard = shard }, get_bind = function(session, arguments) return shards[arguments.shard or session:info().shard] end }
    end
    local sessions = { north = session_of "north", south = session_of "south" }
    for shard, session in pairs(sessions) do
      session:add(Note{ text = shard })
      session:commit()
    end
    for shard, session in pairs(sessions) do
      assert.equal(shard, session:get(Note, 1).text)
      session:expunge_all()
      assert.equal("south", session:execute(la.select(Note), nil, { bind_arguments = { shard = "south" } }):scalars():one().text)
      assert.equal(shards.north, session:connection{ shard = "north" }.engine)
    end
  end)

  it("may fail, and must answer an engine", function()
    local broken = world{ get_bind = function() error("no shard today", 0) end }
    assert.equal("no shard today", raised(function() broken.session:get(broken.Team, 1) end))
    broken.session:add(broken.Team{ name = "Red" })
    assert.equal("no shard today", raised(function() broken.session:flush() end))
    broken.session:rollback()
    local odd = world{ get_bind = function() return "sqlite://" end }
    assert.matches("what get_bind answers must be an engine", raised(function() odd.session:get(odd.Team, 1) end).message)
    local none = la.Session{ get_bind = function() end }
    assert.equal("UnboundExecutionError", raised(function() none:get(odd.Team, 1) end).kind)
  end)
end)
