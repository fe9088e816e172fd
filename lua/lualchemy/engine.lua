--- Engines and connections: what their C part (src/lua/engine.c, connection.c, transaction.c) does not need to do itself.
local check = require "lualchemy.check"
local core = require "lualchemy.core"
local finish = require "lualchemy.ending".finish

local engine, connection = core.engine_methods, core.connection_methods

-- Options of a transaction round a function ---------------------------------------------------------

local begin, connect, begin_one, begin_savepoint = engine.begin, engine.connect, connection.begin, connection.begin_nested

-- Nothing stands behind the function, options least of all.
local function check_last(method, ...)
  if (...) == nil then return end
  check.argument("%s takes options before the function: %s({ … }, function(connection) … end); behind it came %s", method, method,
    core.describe((...)))
end

--- engine:begin([options,] fn): fn(connection) in a transaction, committed at its end. options: isolation_level, read_only,
-- deferrable, begin_mode, … as of execution_options. With read replicas one that is read_only goes to a replica.
function engine:begin(...)
  local options, fn = ...
  if fn ~= nil and type(options) ~= "function" then return begin(self:execution_options(options, "engine:begin"), fn) end
  check_last("engine:begin", select(2, ...))
  return begin(self, ...)
end

--- engine:connect([options]): a connection of the pool; options as for begin.
function engine:connect(options)
  if options ~= nil then return connect(self:execution_options(options, "engine:connect")) end
  return connect(self)
end

-- Calls fn(connection) in the transaction; without a function the transaction is the answer.
local function around(self, transaction, fn)
  if fn == nil then return transaction end
  return finish(transaction, pcall(fn, self))
end

local function begin_with(self, options)
  if options == nil then return begin_one(self) end
  local function settle(ok, ...)
    if ok then return ... end
    self:once_(false)
    error((...), 0)
  end
  if self:in_transaction() then return begin_one(self) end -- which says what is wrong
  self:once_(true)
  return settle(pcall(function()
    self:execution_options(options, "connection:begin")
    return begin_one(self)
  end))
end

local function check_function(fn, method)
  if fn ~= nil and type(fn) ~= "function" then check.argument("%s takes a function, not %s", method, core.describe(fn)) end
end

--- connection:begin([options,] [fn]): a transaction, as an object. options, as of execution_options, hold for it alone. With a
-- function calls fn(connection) in it, commits and answers what it answers; when it raises the transaction is rolled back.
function connection:begin(options, fn)
  if type(options) == "function" then
    check_last("connection:begin", fn)
    options, fn = nil, options
  end
  check_function(fn, "connection:begin")
  return around(self, begin_with(self, options), fn)
end

--- connection:begin_nested([fn]): a savepoint, as an object; with a function as begin.
function connection:begin_nested(fn)
  check_function(fn, "connection:begin_nested")
  return around(self, begin_savepoint(self), fn)
end

-- The server -----------------------------------------------------------------------------------------

--- engine:server_version(): what the server says of itself, "15.3 (Debian 15.3-1)", and the numbers in it as a list; nil where it
-- tells none. Connects where no connection has told yet. engine.dialect has the same (server_version, server_version_info) once
-- that is known, and the name.
function engine:server_version()
  if not self.met then connect(self):close() end
  local dialect = self.dialect
  return dialect.server_version, dialect.server_version_info
end

-- Two phases ------------------------------------------------------------------------------------------

--- connection:recover_twophase(): the ids of the transactions that are prepared and have not ended; connection:commit_prepared
-- and rollback_prepared end them.
function connection:recover_twophase()
  local sql, column = self:recover_query_()
  local began, ids = not self:in_transaction(), {}
  for i, row in ipairs(self:exec_driver_sql(sql):all()) do ids[i] = row[column] end
  if began then self:rollback() end
  return ids
end
