--- What a wait has registered with an event loop has to go when its coroutine is closed in the middle of it (coroutine.close).
-- Only a to-be-closed variable hears of that, so this is a text that older versions, which cannot close coroutines, need not read.
local text = [[
local finish, wait = ...
local registered <close> = setmetatable({}, { __close = finish })
wait()
]]

local _, guarded = pcall(load, text, "=guard")   -- Lua 5.1 takes no text here, and those up to 5.3 do not understand this one

--- guard(finish, wait): calls wait(), and then finish(); also when the coroutine ends within wait.
return type(guarded) == "function" and guarded or function(finish, wait)
  wait()
  finish()
end
