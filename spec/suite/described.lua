-- All that an inspector says of the tables of an engine's schema, as plain values that compare.
local la = require "lualchemy"

local kinds = {
  "columns", "pk_constraint", "foreign_keys", "unique_constraints", "check_constraints", "indexes", "table_comment", "table_options",
}

--- { columns = { [table] = … }, … } of la.inspect(engine), types as texts. options: of the inspector's get_multi_ methods.
return function(engine, options)
  local inspector, all = la.inspect(engine), {}
  for _, kind in ipairs(kinds) do all[kind] = inspector["get_multi_" .. kind](inspector, options) end
  for _, columns in pairs(all.columns) do
    for _, column in ipairs(columns) do column.type = tostring(column.type) end
  end
  return all
end
