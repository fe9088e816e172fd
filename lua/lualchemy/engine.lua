--- Engines and connections: what their C part (src/lua/engine.c, connection.c, transaction.c) does not need to do itself.
local check = require "lualchemy.check"
local core = require "lualchemy.core"

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
  if type(options) == "table" and fn ~= nil then return begin(self:execution_options(options), fn) end
  check_last("engine:begin", select(2, ...))
  return begin(self, ...)
end

--- engine:connect([options]): a connection of the pool; options as for begin.
function engine:connect(options)
  if options ~= nil then return connect(self:execution_options(options)) end
  return connect(self)
end

-- What the function or the commit has raised is raised as it is, whatever the rollback says.
local function give_up(transaction, failure)
  if transaction.is_active then pcall(transaction.rollback, transaction) end
  error(failure, 0)
end

-- Ends the transaction as the function in it has ended. A commit that fails leaves nothing open.
local function finish(transaction, ok, ...)
  if not ok then give_up(transaction, (...)) end
  if transaction.is_active then
    local committed, failure = pcall(transaction.commit, transaction)
    if not committed then give_up(transaction, failure) end
  end
  return ...
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
    self:execution_options(options)
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

-- Again after failures that pass ------------------------------------------------------------------------

local retry_options = { retries = "number", backoff = "number", max_backoff = "number" }
local transaction_options = { isolation_level = true, read_only = true, deferrable = true, begin_mode = true, logging_token = true }

local function check_retry(retry)
  check.options(retry, retry_options, "run_transaction")
  if retry[1] ~= nil then check.argument("the options of run_transaction have names: { retries = n }; there is one without") end
  for name in pairs(retry_options) do
    if (retry[name] or 0) < 0 then check.argument("%s of run_transaction is a number from 0 on, not %s", name, tostring(retry[name])) end
  end
  return retry
end

local function split(options)
  local retry, kind = {}, nil
  if type(options) ~= "table" then
    check.argument("run_transaction takes a function, then options: run_transaction(function(connection) … end, { retries = n }), "
      .. "not %s behind it", core.describe(options))
  end
  for name, value in pairs(options) do
    if transaction_options[name] then
      kind = kind or {}
      kind[name] = value
    else
      retry[name] = value
    end
  end
  return check_retry(retry), kind
end

-- Seconds before attempt number n: twice as long each time, and somewhere between half of that and all of it, so that those
-- who were in each other's way do not meet again.
local function pause(retry, n)
  local most = math.min((retry.backoff or 0.01) * 2 ^ (n - 1), retry.max_backoff or 2)
  return most * (0.5 + 0.5 * math.random())
end

local function may_retry(failure)
  return core.is_error(failure) and failure.retryable and not failure.outcome_unknown
end

local function used_up(failure, attempts)
  failure.message = ("%s (run_transaction gave up after %d attempts; { retries = n } allows more)"):format(failure.message, attempts)
  failure.attempts = attempts
  return failure
end

-- Runs body() until it succeeds, fails for good, or has been tried too often. What fails for good is raised as it is.
local function insist(source, retry, body, attempt)
  local function settle(ok, ...)
    if ok then return ... end
    local failure = ...
    if not may_retry(failure) then error(failure, 0) end
    if attempt > (retry.retries or 5) then error(used_up(failure, attempt), 0) end
    core.sleep(pause(retry, attempt), source)
    return insist(source, retry, body, attempt + 1)
  end
  return settle(pcall(body))
end

--- engine:run_transaction(fn [, options]): as begin(fn), and again, with a connection of its own each time, after a
-- serialization failure, a deadlock or a busy database (err.retryable): fn must be fit to run several times. It is never run
-- again after a commit whose answer was lost (err.outcome_unknown). options: retries (5), backoff (seconds before the second
-- attempt, 0.01; doubled each time, with chance), max_backoff (2), isolation_level, read_only, deferrable, begin_mode, logging_token.
function engine:run_transaction(fn, options)
  local retry, kind = split(options or {})
  local source = kind and self:execution_options(kind) or self
  return insist(source, retry, function() return begin(source, fn) end, 1)
end

-- What session:run_transaction is made of; source: the session's engine, whose wait hook the pauses go by.
function core.run_again(source, options, body)
  return insist(source, check_retry(options or {}), body, 1)
end
