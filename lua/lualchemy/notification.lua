--- Notifications between the sessions of a database: connection:listen, unlisten, notify and notifications.
-- wait_for_notification and the rest of the C part are in src/lua/message.c.
local check = require "lualchemy.check"
local core = require "lualchemy.core"

local connection = core.connection_methods
local notification_options = { timeout = "number" }

-- In the transaction that is open, with whose commit it takes effect; else in one of its own, at once.
local function at_once(self, sql, values)
  local began = not self:in_transaction()
  local ok, failure = pcall(self.exec_driver_sql, self, sql, values)
  if not ok then
    if began then self:rollback() end
    error(failure, 0)
  end
  if began then self:commit() end
end

local function check_channel(channel, where)
  if type(channel) ~= "string" or channel == "" then
    check.argument("%s takes the name of a channel, not %s", where, core.describe(channel))
  end
end

--- connection:listen(channel): from now on (in a transaction: from its commit on) the session hears of what is notified there,
-- until it is unlistened, or the connection goes back to its pool. Names go as they are written, in upper or lower case.
function connection:listen(channel)
  check_channel(channel, "listen")
  at_once(self, (self:listening_words_(channel)))
end

--- connection:unlisten([channel]): no more of this channel, or of any.
function connection:unlisten(channel)
  if channel ~= nil then check_channel(channel, "unlisten") end
  local _, one, all = self:listening_words_(channel)
  at_once(self, channel and one or all)
end

--- connection:notify(channel [, payload]): tells everybody who listens, at once, or in a transaction with its commit.
-- payload: a string of less than 8000 bytes.
function connection:notify(channel, payload)
  check_channel(channel, "notify")
  if payload ~= nil and type(payload) ~= "string" then
    check.argument("notify takes a string as payload, not %s", core.describe(payload))
  end
  local _, _, _, sql = self:listening_words_()
  at_once(self, sql, { channel, payload or "" })
end

--- for notification in connection:notifications{ timeout = seconds } do: { channel =, payload =, pid = } each, in the order in
-- which they come, those first that came while the connection did something else. The loop ends when none has come for that
-- long (0: with those that are there); without a timeout it does not end. It waits as everything does: in a coroutine with a
-- wait hook others go on meanwhile.
function connection:notifications(options)
  options = options or {}
  check.options(options, notification_options, "notifications")
  if not self.closed then self:listening_words_() end   -- where there is no such thing it says so here
  return function()
    return self:wait_for_notification(options.timeout)
  end
end
