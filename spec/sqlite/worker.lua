-- A helper of busted (--helper): every SQLite engine that a spec makes has threads of its own.
local la = require "lualchemy"
local create = la.create_engine

local function on_thread(url)
  if type(url) ~= "string" or not url:find "^sqlite:" or url:find "worker=" then return url end
  return url .. (url:find("?", 1, true) and "&" or "?") .. "worker=1"
end

function la.create_engine(given, options) return create(on_thread(given), options) end
