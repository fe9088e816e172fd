--- Sessions: what the C part (core.orm.session) does not need to do itself.
local core = require "lualchemy.core"
local finish = require "lualchemy.ending".finish
local refuse = require "lualchemy.orm.refuse"
local orm = core.orm

local sessions = {}   -- made(session, maker): what hears of each new session; lualchemy.orm.events puts it there

local methods = orm.session_methods

-- Most sessions have one engine, and start-up counts.
local function binds() return require "lualchemy.orm.binds" end

-- Making sessions ---------------------------------------------------------------------------------

local known = { "bind", "binds", "get_bind", "twophase", "autoflush", "expire_on_commit", "autobegin", "batch_size", "info", "read_only",
  "isolation_level", "begin_mode", "logging_token" }
local types = { binds = "table", get_bind = "function", twophase = "boolean", autoflush = "boolean", expire_on_commit = "boolean",
  autobegin = "boolean", batch_size = "number", info = "table", read_only = "boolean", isolation_level = "string",
  begin_mode = "string", logging_token = "string" }

local function check_options(options, whose)
  refuse.options(options, known, types, whose)
  if options.binds then binds().check(options.binds) end
  if options[2] ~= nil or options[1] ~= nil and options.bind ~= nil then
    refuse.argument("%s takes one engine, and options with names: { autoflush = false }; there is one without", whose)
  end
end

-- The engine with the session's own settings, the same each time.
local function deriver(options)
  local made = {}
  return function(engine)
    local plain = options.read_only == nil and not options.isolation_level and not options.begin_mode and not options.logging_token
    if plain then return engine end
    made[engine] = made[engine] or engine:execution_options {
      read_only = options.read_only, isolation_level = options.isolation_level, begin_mode = options.begin_mode,
      logging_token = options.logging_token,
    }
    return made[engine]
  end
end

local function open(options, maker)
  local engine, routed = options.bind or options[1], options.get_bind ~= nil or next(options.binds or {}) ~= nil
  if not engine and not routed then
    core.error("UnboundExecutionError", "a session needs an engine: la.Session(engine), la.Session{ bind = engine }, or several: "
      .. "la.Session{ binds = { [Player] = engine, [Team] = another } }")
  end
  if engine and not core.is_engine(engine) then
    refuse.value(engine, "a session takes an engine (and its connections from there): la.Session(la.create_engine \"sqlite:///app.db\")")
  end
  local derive = deriver(options)
  local session = orm.session(engine and derive(engine), options, routed)
  if routed then binds().open(session, engine, options, derive) end
  for name, value in pairs(options.info or {}) do session:info()[name] = value end
  if sessions.made then sessions.made(session, maker) end
  return session
end

local function merged(options, more)
  local result = {}
  for name, value in pairs(options) do result[name] = value end
  for name, value in pairs(more) do result[name] = value end
  return result
end

local function take_arguments(engine, options, whose)
  if type(engine) == "table" and options == nil then engine, options = nil, engine end
  if options ~= nil and type(options) ~= "table" then
    refuse.value(options, "%s takes an engine and a table of options", whose)
  end
  options = merged(options or {}, { bind = engine })
  check_options(options, whose)
  return options
end

--- la.Session(engine, { autoflush, expire_on_commit, autobegin, batch_size, info, twophase, read_only, isolation_level, begin_mode,
-- logging_token }), or
-- la.Session{ bind = engine, binds = { [model, table or base] = engine, … }, get_bind = function(session, arguments) … end, … }
local Session = setmetatable({}, {
  __call = function(_, engine, options) return open(take_arguments(engine, options, "Session")) end,
  __name = "Session",
  __tostring = function() return "Session" end,
  __index = function(_, name) return methods[name] end,
})

local Maker = { __name = "sessionmaker" }

function Maker.__call(self, more)
  if more ~= nil and type(more) ~= "table" then more = { bind = more } end
  local options = merged(rawget(self, "options"), more or {})
  check_options(options, "sessionmaker")
  return open(options, self)
end

local maker_methods = {}

--- Changes the options for sessions that are made from now on.
function maker_methods:configure(options)
  check_options(options, "sessionmaker")
  self.options = merged(self.options, options)
end

--- factory:begin(fn): a session of its own for the function, committed at its end.
function maker_methods:begin(fn)
  local session = self()
  local function leave(ok, ...)
    session:close()
    if not ok then error((...), 0) end
    return ...
  end
  return leave(pcall(session.transaction, session, function() return fn(session) end))
end

Maker.__index = maker_methods

--- la.sessionmaker{ bind = engine, … }: a function that makes sessions.
function sessions.sessionmaker(engine, options)
  return setmetatable({ options = take_arguments(engine, options, "sessionmaker") }, Maker)
end

-- One session for each coroutine.
local Scoped = { __name = "scoped session" }
local scoped_methods = {}

local function scope()
  return coroutine.running() or "main"
end

function scoped_methods:remove()
  local held = rawget(self, "held")
  local session = held[scope()]
  held[scope()] = nil
  if session then session:close() end
end

function Scoped.__call(self)
  local held = rawget(self, "held")
  local session = held[scope()]
  if not session then
    session = rawget(self, "maker")()
    held[scope()] = session
  end
  return session
end

function Scoped.__index(self, name)
  if scoped_methods[name] then return scoped_methods[name] end
  local session = self()
  local value = session[name]
  if type(value) ~= "function" then return value end
  return function(_, ...) return value(session, ...) end
end

--- la.scoped_session(factory): stands for one session a coroutine; :remove() closes the current one.
function sessions.scoped_session(maker)
  return setmetatable({ maker = maker, held = setmetatable({}, { __mode = "k" }) }, Scoped)
end

--- session:run_transaction(fn [, { retries, backoff, max_backoff }]): fn(session) in a transaction, and again after failures
-- that pass; see engine:run_transaction. What the session had of the transaction that failed is rolled back before.
function methods:run_transaction(fn, options, ...)
  if self:in_transaction() then
    core.error("InvalidRequestError",
      "run_transaction begins a transaction of its own, and this session has one open: commit it or roll it back first")
  end
  local function settle(ok, ...)
    if ok then return ... end
    if self:in_transaction() then pcall(self.rollback, self) end
    error((...), 0)
  end
  local again = require "lualchemy.retry".again   -- few ask for it
  return again(self:bind() or binds().any(self), options, function() return settle(pcall(self.transaction, self, fn)) end, fn, ...)
end

-- Several engines ---------------------------------------------------------------------------------

--- session:get_bind{ mapper = Player }, { clause = statement }, { bind = engine }; what else it has goes to the session's get_bind
-- function: the engine that they go to. UnboundExecutionError when there is none.
function methods:get_bind(arguments)
  return binds().route(self, arguments, "get_bind")
end

--- session:bind_mapper(Player, engine), session:bind_table(players, engine): as if they had stood in binds, from now on.
function methods:bind_mapper(model, engine) binds().bind_mapper(self, model, engine) end
function methods:bind_table(one, engine) binds().bind_table(self, one, engine) end

-- Executing ---------------------------------------------------------------------------------------

local own_options = { synchronize_session = true, bind_arguments = true }   -- of the session, not of the statement
local execution_names = { "populate_existing", "synchronize_session", "yield_per", "stream_results", "autoflush", "logging_token",
  "bind_arguments" }

local ways = { auto = true, evaluate = true, fetch = true, [false] = true }

-- The options of one execution are the statement's for that once: the statement with them, and what is left.
local function take_options(statement, options)
  if options == nil then return statement, {} end
  if type(options) ~= "table" then refuse.value(options, "the options of execute are a table such as { yield_per = 100 }") end
  local own, left = {}, {}
  for name, value in pairs(options) do
    if own_options[name] then left[name] = value else own[name] = value end
  end
  for _, name in ipairs { "isolation_level", "read_only", "deferrable", "begin_mode" } do
    if own[name] ~= nil then
      refuse.argument("'%s' is an option of transactions, not of statements: give it to the session, la.Session(engine, { %s = … })",
        name, name)
    end
  end
  refuse.options(own, execution_names, {}, "execute")
  if own[1] ~= nil then refuse.argument "the options of execute have names: { yield_per = 100 }; there is one without" end
  local way = left.synchronize_session
  if way ~= nil and not ways[way] then
    refuse.value(way, "synchronize_session is false, or one of \"auto\", \"evaluate\" and \"fetch\", which are one and the same here")
  end
  if next(own) == nil then return statement, left end
  if not core.is_statement(statement) then
    refuse.value(statement, "options of an execution are for a statement such as la.select(Player)")
  end
  return statement:execution_options(own), left
end

local function load_arguments(statement, options)
  local given = options.bind_arguments
  return given and binds().arguments(statement, given, select(2, orm.statement_entity(statement)))
end

-- The connection that a statement goes to.
local function connection_for(session, statement, options, model)
  local given = options.bind_arguments
  if not given and not session:is_routed() then return session:connection() end
  return session:connection(binds().arguments(statement, given, model))
end

-- Objects of the model in this session; after a bulk UPDATE what they know may be old.
local function expire_model(session, model)
  local mapper = model.__mapper
  for _, object in ipairs(session:identities()) do
    if orm.mapper_of(object) == mapper and orm.state(object) == "persistent" then session:expire(object) end
  end
end

local function forget_deleted(session, model, keys)
  if #keys == 0 then return end
  local gone = {}
  for _, key in ipairs(keys) do gone[table.concat(key, "\0")] = true end
  local mapper = model.__mapper
  for _, object in ipairs(session:identities()) do
    if orm.mapper_of(object) == mapper and gone[table.concat(orm.key(object) or {}, "\0")] then session:expunge(object) end
  end
end

-- UPDATE and DELETE of a model's rows: the objects in the session follow.
local function execute_bulk(session, statement, parameters, options)
  local query, model = nil, nil
  if options.synchronize_session ~= false then query, model = orm.key_query(statement) end
  local connection = connection_for(session, statement, options, model)
  if not model then return connection:execute(statement, parameters) end
  if orm.statement_kind(statement) == "update" then
    local result = connection:execute(statement, parameters)
    expire_model(session, model)
    return result
  end
  local keys = {}
  for i, row in ipairs(connection:execute(query, parameters):all()) do
    keys[i] = {}
    for place = 1, #model.__mapper.primary_key do keys[i][place] = tostring(row[place]) end
  end
  local result = connection:execute(statement, parameters)
  forget_deleted(session, model, keys)
  return result
end

--- Executes a statement in the session's transaction: of models, a result with objects; else as a connection does.
-- options: those of statement:execution_options (populate_existing: what is loaded is overwritten; yield_per: objects are
-- made so many at a time), synchronize_session = false (bulk UPDATE and DELETE leave objects as they are), and bind_arguments
-- (those of get_bind, which say what engine it goes to).
function methods:execute(statement, parameters, options)
  local left
  statement, left = take_options(statement, options)
  local result = self:load(statement, parameters, load_arguments(statement, left))
  if result then return result end
  if self:autoflush() and core.statement_autoflush(statement) ~= false then self:flush() end
  local kind = orm.statement_kind(statement)
  if kind == "update" or kind == "delete" then return execute_bulk(self, statement, parameters, left) end
  return connection_for(self, statement, left):execute(statement, parameters)
end

--- The first value of each row: for a select of one model, its objects.
function methods:scalars(statement, parameters, options)
  local result = options == nil and self:load(statement, parameters) or self:execute(statement, parameters, options)
  return result:scalars()
end

--- The first value of the first row, or nil.
function methods:scalar(statement, parameters, options)
  return self:execute(statement, parameters, options):scalar()
end

--- As get, but an error (NoResultFound) when there is no such row.
function methods:get_one(model, key, options)
  local object = self:get(model, key, options)
  if object == nil then
    core.error("NoResultFound", ("No row was found when one was required: %s with key %s"):format(tostring(model), tostring(key)))
  end
  return object
end

--- The Query interface: session:query(Player):filter(Player.score:gt(3)):all()
function methods:query(...)
  return require "lualchemy.orm.query".new(self, ...)   -- when first used: start-up counts
end

--- Loads a relationship for a list of objects that are there already, where they do not have it.
function methods:preload(objects, ...)
  for _, name in ipairs { ... } do
    if orm.is_relationship(name) then name = name.key end
    local list = {}
    for i = 1, #objects do list[i] = objects[i] end
    self:load_related(list, name)
  end
end

-- Transactions ------------------------------------------------------------------------------------

--- Calls fn(session) within a transaction: committed at its end, rolled back when it raises.
-- Within another transaction it is a savepoint.
function methods:transaction(fn)
  if type(fn) ~= "function" then refuse.value(fn, "session:transaction takes a function") end
  local transaction = self:in_transaction() and self:begin_savepoint() or self:begin_transaction()
  return finish(transaction, pcall(fn, self))
end

local function check_function(fn, whose)
  if fn ~= nil and type(fn) ~= "function" then
    refuse.value(fn, "%s takes a function or nothing (options such as isolation_level are the session's: la.Session(engine, { … }))", whose)
  end
end

--- Begins a transaction; with a function, calls it and commits.
function methods:begin(fn)
  check_function(fn, "session:begin")
  local transaction = self:begin_transaction()
  if fn == nil then return transaction end
  return finish(transaction, pcall(fn, self))
end

--- Begins a savepoint, as the innermost transaction; with a function, calls it, and releases the savepoint, or rolls back to it
-- when the function raises.
function methods:begin_nested(fn)
  check_function(fn, "session:begin_nested")
  local transaction = self:begin_savepoint()
  if fn == nil then return transaction end
  return finish(transaction, pcall(fn, self))
end

--- Calls fn with autoflush off.
function methods:no_autoflush(fn)
  local before = self:set_autoflush(false)
  local function done(ok, ...)
    self:set_autoflush(before)
    if not ok then error((...), 0) end
    return ...
  end
  return done(pcall(fn, self))
end

function sessions.is_session(value) return type(value) == "userdata" and orm.is_session(value) end
function sessions.is_session_class(value) return value == Session or type(value) == "table" and getmetatable(value) == Maker end

sessions.Session = Session
return sessions
