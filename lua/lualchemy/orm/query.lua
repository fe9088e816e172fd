--- The Query interface over select: session:query(Player):filter(…):order_by(…):all(). Each method answers a new query.
local core = require "lualchemy.core"
local refuse = require "lualchemy.orm.refuse"
local orm = core.orm

local Query = { __name = "query" }
local methods = {}

local function is_entity(value)
  return type(value) == "table" and rawget(value, "__entity") ~= nil
end

local function make(session, statement, entity, single)
  return setmetatable({ session = session, statement = statement, entity = entity or false, single = single }, Query)
end

--- A query of models, aliases, columns and expressions.
function Query.new(session, ...)
  if select("#", ...) == 0 then refuse.argument "session:query needs a model or columns" end
  local first = ...
  return make(session, core.select(...), is_entity(first) and first or nil, select("#", ...) == 1 and is_entity(first))
end

Query.__index = function(_, name)
  local method = methods[name]
  if method ~= nil then return method end
  if type(name) ~= "string" or name:sub(1, 2) == "__" then return nil end
  refuse.unknown("a query has no method", name, refuse.names(methods))
end

function Query.__tostring(self)
  return tostring(self.statement)
end

-- Methods that are the statement's own.
local passed = {
  filter = "where", where = "where", order_by = "order_by", group_by = "group_by", having = "having", distinct = "distinct",
  join = "join", outerjoin = "outerjoin", limit = "limit", offset = "offset", select_from = "select_from", options = "options",
  execution_options = "execution_options", with_for_update = "with_for_update", correlate = "correlate", prefix_with = "prefix_with",
}

for name, method in pairs(passed) do
  methods[name] = function(self, ...)
    local statement = self.statement
    return make(self.session, statement[method](statement, ...), self.entity, self.single)
  end
end

--- filter_by{ name = "Ann" }: equality (or la.ge(3), …) by names of attributes of the entity that came last.
function methods:filter_by(criteria)
  if type(criteria) ~= "table" then refuse.value(criteria, "filter_by takes a table such as { name = \"Ann\" }") end
  return methods.filter(self, criteria)
end

--- The same query for other columns or models.
function methods:with_entities(...)
  local first = ...
  local statement, single = self.statement, is_entity(first)
  if not orm.has_from(statement) and self.entity then statement = statement:select_from(self.entity) end
  return make(self.session, statement:with_only_columns(...), single and first or self.entity, single and select("#", ...) == 1)
end

function methods:add_columns(...)
  return make(self.session, self.statement:add_columns(...), self.entity, false)
end
methods.add_entity = methods.add_columns

--- Rows first to last - 1, as places from 0 (as SQLAlchemy's slice has them).
function methods:slice(first, last)
  return self:offset(first):limit(last - first)
end

--- What is loaded already is overwritten by what the query reads.
function methods:populate_existing()
  return methods.execution_options(self, { populate_existing = true })
end

--- Objects are made `count` at a time, and those before may go meanwhile: for player in query:yield_per(100):iter() do … end
function methods:yield_per(count)
  if count == nil then refuse.argument "query:yield_per takes a number of objects, such as 100" end
  return methods.execution_options(self, { yield_per = count })
end

-- Rows --------------------------------------------------------------------------------------------

local function run(self)
  local result = self.session:execute(self.statement)
  return self.single and result:scalars() or result
end

--- A list of objects, or of rows when more than one thing is asked for.
function methods:all()
  return run(self):all()
end

--- The first object or row, or nil.
function methods:first()
  return run(methods.limit(self, 1)):first()
end

--- Exactly one, or an error (NoResultFound, MultipleResultsFound).
function methods:one()
  return run(self):one()
end

function methods:one_or_none()
  return run(self):one_or_none()
end

--- The first value of the only row, or nil when there is none.
function methods:scalar()
  return self.session:execute(self.statement):scalar_one_or_none()
end

--- for player in query:iter() do … end
function methods:iter()
  return run(self)
end

--- How many rows there are.
function methods:count()
  local rows = self.statement:subquery()
  return self.session:execute(core.select(core.func("count")):select_from(rows)):scalar()
end

--- The object with this key: from the session when it is there, or from the database.
function methods:get(key)
  return self.session:get(self.entity, key)
end

--- EXISTS of this query, for use in another one.
function methods:exists()
  return self.statement:exists()
end

function methods:subquery(name) return self.statement:subquery(name) end
function methods:cte(options) return self.statement:cte(options) end
function methods:scalar_subquery() return self.statement:scalar_subquery() end
function methods:label(name) return self.statement:label(name) end

-- Bulk --------------------------------------------------------------------------------------------

local function bulk(self, make_statement, what)
  if not self.entity then refuse.request("query:%s needs a query of one model", what) end
  local statement = make_statement(self.entity)
  local conditions = orm.conditions(self.statement)
  if #conditions > 0 then return statement:where(core.and_(conditions)) end
  return statement:all_rows()
end

--- Deletes the rows that the query means; answers how many. Objects in the session follow.
function methods:delete(options)
  local statement = bulk(self, core.delete, "delete")
  return self.session:execute(statement, nil, options).rowcount
end

--- Updates the rows that the query means: query:update{ score = 0 }; answers how many.
-- Objects in the session are read again when they are next asked.
function methods:update(values, options)
  local statement = bulk(self, core.update, "update"):values(values)
  return self.session:execute(statement, nil, options).rowcount
end

return Query
