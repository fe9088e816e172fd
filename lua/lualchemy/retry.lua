--- Transactions that are run again after failures that pass: run_transaction of engines and sessions. Loaded when first used.
local check = require "lualchemy.check"
local core = require "lualchemy.core"

local retry = {}

local retry_options = { retries = "number", backoff = "number", max_backoff = "number" }
local transaction_options = { isolation_level = true, read_only = true, deferrable = true, begin_mode = true, logging_token = true }

local function check_retry(again)
  check.options(again, retry_options, "run_transaction")
  if again[1] ~= nil then check.argument("the options of run_transaction have names: { retries = n }; there is one without") end
  for name in pairs(retry_options) do
    local value = again[name] or 0
    if value ~= value or value < 0 then check.argument("%s of run_transaction is a number from 0 on, not %s", name, tostring(value)) end
  end
  if again.retries and again.retries % 1 ~= 0 then
    check.argument("retries of run_transaction is a whole number, not %s", tostring(again.retries))
  end
  return again
end

local example = "run_transaction(function(connection) … end, { retries = n })"

local function check_call(fn, ...)
  if type(fn) ~= "function" then
    check.argument("run_transaction takes a function, then options: %s, not %s", example, core.describe(fn))
  end
  if select("#", ...) > 0 then
    check.argument("run_transaction takes a function, then options: %s; behind them came %s", example, core.describe((...)))
  end
end

local function split(options)
  local again, kind = {}, nil
  if type(options) ~= "table" then
    check.argument("run_transaction takes a function, then options: %s, not %s behind it", example, core.describe(options))
  end
  for name, value in pairs(options) do
    if transaction_options[name] then
      kind = kind or {}
      kind[name] = value
    else
      again[name] = value
    end
  end
  return check_retry(again), kind
end

-- Seconds before attempt number n: twice as long each time, and somewhere between half of that and all of it, so that those
-- who were in each other's way do not meet again.
local function pause(options, n)
  local most = math.min((options.backoff or 0.01) * 2 ^ (n - 1), options.max_backoff or 2)
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
local function insist(source, options, body, attempt)
  local function settle(ok, ...)
    if ok then return ... end
    local failure = ...
    if not may_retry(failure) then error(failure, 0) end
    if attempt > (options.retries or 5) then error(used_up(failure, attempt), 0) end
    core.sleep(pause(options, attempt), source)
    return insist(source, options, body, attempt + 1)
  end
  return settle(pcall(body))
end

--- engine:run_transaction(fn [, options]): as begin(fn), and again, with a connection of its own each time, after a
-- serialization failure, a deadlock or a busy database (err.retryable): fn must be fit to run several times. It is never run
-- again after a commit whose answer was lost (err.outcome_unknown). options: retries (5), backoff (seconds before the second
-- attempt, 0.01; doubled each time, with chance), max_backoff (2), isolation_level, read_only, deferrable, begin_mode, logging_token.
function core.engine_methods:run_transaction(fn, options, ...)
  check_call(fn, ...)
  local again, kind = split(options or {})
  local source = kind and self:execution_options(kind) or self
  return insist(source, again, function() return source:begin(fn) end, 1)
end

-- A session has its own.
local function refuse_transaction_options(options)
  for name in pairs(transaction_options) do
    if options[name] ~= nil then
      check.argument("session:run_transaction has no option '%s': the session has, la.Session(engine, { %s = … })", name, name)
    end
  end
end

--- What session:run_transaction is made of; source: the session's engine, whose wait hook the pauses go by; fn and what stood behind
-- its options: as the user gave them.
function retry.again(source, options, body, fn, ...)
  check_call(fn, ...)
  if type(options) == "table" then refuse_transaction_options(options) end
  return insist(source, check_retry(options or {}), body, 1)
end

return retry
