--- JSON for JSON columns: cjson or dkjson, whichever is there, looked for when it is first needed; or the host's own.
local core = require "lualchemy.core"
local check = require "lualchemy.check"

local json = {}

local function use_cjson(library)
  -- An instance of its own: settings of the host's are left alone.
  local own = library.new and library.new() or library
  if own.decode_array_with_array_mt then own.decode_array_with_array_mt(true) end
  return own.encode, own.decode
end

local function use_dkjson(library)
  local function exception(reason, value, _, fallback)
    if value == core.null then return "null" end
    return nil, fallback or reason
  end
  local function encode(value) return library.encode(value, { exception = exception }) end
  local function decode(text)
    local value, _, failure = library.decode(text, 1, core.null)
    if failure then core.error("DataError", "JSON cannot be read: " .. failure) end
    return value
  end
  return encode, decode
end

local libraries = { { "cjson", use_cjson }, { "dkjson", use_dkjson } }

local function find()
  for _, one in ipairs(libraries) do
    local found, library = pcall(require, one[1])
    if found then return one[2](library) end
  end
  check.argument("a JSON column needs a JSON library: install lua-cjson or dkjson, or give one to "
    .. "la.set_json{ encode = …, decode = … }")
end

local function install(encode, decode)
  core.hooks.json_encode, core.hooks.json_decode = encode, decode
end

--- set_json{ encode = function(value) … end, decode = function(text) … end }; set_json(nil) looks for one again.
function json.set_json(functions)
  if functions == nil then return json.look_up_later() end
  if type(functions) ~= "table" or type(functions.encode) ~= "function" or type(functions.decode) ~= "function" then
    check.argument("set_json takes { encode = function, decode = function }")
  end
  install(functions.encode, functions.decode)
end

--- The library is looked for at the first value.
function json.look_up_later()
  install(function(value)
    install(find())
    return core.hooks.json_encode(value)
  end, function(text)
    install(find())
    return core.hooks.json_decode(text)
  end)
end

json.look_up_later()

return json
