--- The databases of a session: which engine a model, a table or a statement goes to. SQLAlchemy's rules (Session.get_bind): the
--- model and what it is made from, from the nearest on, then its table, then the tables of the statement, then the session's `bind`.
local core = require "lualchemy.core"
local model = require "lualchemy.orm.model"
local refuse = require "lualchemy.orm.refuse"
local orm = core.orm

local binds = {}

local AMBIGUOUS = {}   -- in place of an engine: models with engines of their own share the table

local routes = setmetatable({}, { __mode = "k" })   -- session -> { bind, engines, get_bind, derive }

-- What the user has said --------------------------------------------------------------------------

local function is_model(value) return type(value) == "table" and rawget(value, "__mapper") ~= nil end

local function check_engine(engine, whose)
  if not core.is_engine(engine) then refuse.value(engine, "%s must be an engine", whose) end
end

local function check_key(key)
  if is_model(key) or core.is_table(key) or model.is_base(key) then return end
  refuse.value(key, "what is bound to an engine is a model, a table or a declarative base, as in binds = { [Player] = engine }")
end

--- Errors for what la.Session does not take as binds.
function binds.check(given)
  for key, engine in pairs(given) do
    check_key(key)
    check_engine(engine, "each of binds")
  end
end

-- A model brings its table along, unless somebody else has it.
local function add(engines, key, engine)
  engines[key] = engine
  if not is_model(key) then return end
  local of_table = key.__table
  if engines[of_table] == nil then engines[of_table] = engine
  elseif engines[of_table] ~= engine then engines[of_table] = AMBIGUOUS end
end

local function engines_of(given)
  local engines, own = {}, {}
  for key, engine in pairs(given) do
    if is_model(key) then add(engines, key, engine) else own[key] = engine end
  end
  for key, engine in pairs(own) do engines[key] = engine end
  return engines
end

--- From now on the session is asked. derive(engine) answers the engine with the session's own settings.
function binds.open(session, bind, options, derive)
  routes[session] = { bind = bind, engines = engines_of(options.binds or {}), get_bind = options.get_bind, derive = derive }
end

-- Finding -----------------------------------------------------------------------------------------

local function of_model(engines, class)
  local own = engines[class] or engines[model.base_of(class)]
  if own then return own end
  local of_table = engines[class.__table]
  return of_table ~= AMBIGUOUS and of_table or nil
end

-- A table that nobody has named is where its model is.
local function of_table(engines, one)
  local engine = engines[one]
  if engine == AMBIGUOUS then return nil end
  local class = engine == nil and orm.table_model(one)
  return engine or class and of_model(engines, class) or nil
end

local function url_of(engine) return tostring(engine.url) end

local function of_statement(route, clause)
  local found, whose
  for _, one in ipairs(orm.statement_tables(clause) or {}) do
    local engine = of_table(route.engines, one)
    if engine and found and engine ~= found then
      refuse.request("one statement cannot go to two databases: the table '%s' is in %s, '%s' in %s", tostring(whose), url_of(found),
        tostring(one), url_of(engine))
    end
    if engine and not found then found, whose = engine, one end
  end
  return found
end

local function unbound(arguments)
  local class, tables = arguments.mapper, arguments.clause and orm.statement_tables(arguments.clause)
  if class then
    core.error("UnboundExecutionError", ("the session has no engine for %s: add [%s] = engine to its binds, or bind = engine for all "
      .. "that they do not name"):format(class.__mapper.name, class.__mapper.name))
  elseif tables and tables[1] then
    core.error("UnboundExecutionError", ("the session has no engine for a statement on the table '%s': add the table or its model to "
      .. "its binds, or bind = engine for all that they do not name, or say it with the statement: session:execute(statement, nil, "
      .. "{ bind_arguments = { bind = engine } })"):format(tostring(tables[1])))
  end
  core.error("UnboundExecutionError", "this session is not bound to a single engine, and nothing says which of its engines is meant: "
    .. "say it, as in session:connection{ mapper = Player } or session:execute(statement, nil, { bind_arguments = { mapper = "
    .. "Player } }), or give the session a bind = engine for all that its binds do not name")
end

-- The user's function may leave it to the rules.
local function asked(session, route, arguments)
  if not route.get_bind then return nil end
  local engine = route.get_bind(session, arguments)
  if engine ~= nil then check_engine(engine, "what get_bind answers") end
  return engine
end

local function by_rules(route, arguments)
  local engines, class = route.engines, arguments.mapper
  local of_secondary = arguments.table and engines[arguments.table]
  if of_secondary == AMBIGUOUS then of_secondary = nil end
  return of_secondary or class and of_model(engines, class) or arguments.clause and of_statement(route, arguments.clause) or route.bind
end

-- Where a table is, if it is known: what get_bind would say of it, nobody knows.
local function known(route, one)
  if route.get_bind then return nil end
  local engine = of_table(route.engines, one)
  if engine or route.engines[one] == AMBIGUOUS then return engine end
  return orm.table_model(one) and route.bind
end

-- What a statement goes to must have all of its tables. Where objects are loaded the core looks itself.
local function check_tables(route, clause, engine)
  for _, one in ipairs(orm.statement_tables(clause) or {}) do
    local other = known(route, one)
    if other and other ~= engine then
      refuse.request("one statement cannot go to two databases: the table '%s' is in %s, the statement goes to %s", tostring(one),
        url_of(other), url_of(engine))
    end
  end
end

local function found_by_rules(route, arguments)
  local engine, clause = by_rules(route, arguments), arguments.clause
  if engine and clause and (not arguments.mapper or orm.statement_kind(clause) ~= "select") then check_tables(route, clause, engine) end
  return engine
end

-- Arguments ---------------------------------------------------------------------------------------

local arguments_known = { mapper = true, clause = true, bind = true, bind_arguments = true }

local function check_arguments(arguments, whose)
  if type(arguments) ~= "table" or is_model(arguments) then
    refuse.value(arguments, "%s takes { mapper = Player }, { clause = statement } or { bind = engine }", whose)
  end
  if arguments.bind_arguments ~= nil then
    if type(arguments.bind_arguments) ~= "table" then refuse.value(arguments.bind_arguments, "bind_arguments of %s is a table", whose) end
    arguments = arguments.bind_arguments
  end
  local class = arguments.mapper
  if class ~= nil then class = orm.model_of(class) or refuse.value(class, "'mapper' of %s is a model", whose) end
  if arguments.bind ~= nil then check_engine(arguments.bind, "'bind' of " .. whose) end
  local result = {}
  for name, value in pairs(arguments) do result[name] = value end
  result.mapper = class
  return result
end

-- A name that only the user's own function can know.
local function check_names(route, arguments, whose)
  if route and route.get_bind then return end
  for name in pairs(arguments) do
    if not arguments_known[name] then refuse.unknown(whose .. " has no argument", name, refuse.names(arguments_known)) end
  end
end

--- What the core asks: the engine for these arguments; with a table alone nil where nobody has said. whose: they come from a
-- user, by this way.
function binds.route(session, arguments, whose)
  local route = routes[session]
  if whose then
    arguments = check_arguments(arguments or {}, whose)
    check_names(route, arguments, whose)
  end
  if not route then return arguments.bind or session:bind() end
  local engine
  if arguments.table and not arguments.mapper then engine = known(route, arguments.table)
  else engine = arguments.bind or asked(session, route, arguments) or found_by_rules(route, arguments) or unbound(arguments) end
  return engine and route.derive(engine)
end

--- The arguments of get_bind for a statement; given: what the user has said of it, or nil.
function binds.arguments(clause, given, class)
  local arguments = check_arguments(given or {}, "bind_arguments")
  arguments.mapper = arguments.mapper or class
  if arguments.clause == nil then arguments.clause = clause end
  return arguments
end

--- Some engine of the session, for waits that are no database's.
function binds.any(session)
  local route = routes[session]
  for _, engine in pairs(route and route.engines or {}) do
    if engine ~= AMBIGUOUS then return engine end
  end
end

local function bind(session, key, engine)
  check_engine(engine, "the second argument")
  local route = routes[session]
  if not route then
    refuse.request "this session has one engine alone: make it with binds = { … } for others to be added"
  end
  add(route.engines, key, engine)
  if core.is_table(key) then route.engines[key] = engine end
end

--- session:bind_mapper(Player, engine): as if it had stood in binds. A declarative base is taken too.
function binds.bind_mapper(session, class, engine)
  if not is_model(class) and not model.is_base(class) then refuse.value(class, "bind_mapper takes a model or a declarative base") end
  bind(session, class, engine)
end

--- session:bind_table(players, engine): as if it had stood in binds.
function binds.bind_table(session, one, engine)
  if not core.is_table(one) then refuse.value(one, "bind_table takes a table") end
  bind(session, one, engine)
end

return binds
