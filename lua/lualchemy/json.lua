--- JSON for JSON columns: the library's own, or the host's.
local core = require "lualchemy.core"
local check = require "lualchemy.check"

local json = {}

local function install(encode, decode)
  core.hooks.json_encode, core.hooks.json_decode = encode, decode
end

--- set_json{ encode = function(value) … end, decode = function(text) … end }; set_json(nil) takes the library's own again, which
--- keeps integers of 64 bits, floats to the last digit, and [] apart from {}.
function json.set_json(functions)
  if functions == nil then return install(core.json_encode, core.json_decode) end
  if type(functions) ~= "table" or type(functions.encode) ~= "function" or type(functions.decode) ~= "function" then
    check.argument("set_json takes { encode = function, decode = function }")
  end
  install(functions.encode, functions.decode)
end

json.set_json(nil)

return json
