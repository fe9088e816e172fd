-- Parsers that are not ours (check.js beside this), which tools/install.sh test fetches.
local judge = { folder = "build/grammar" }

--- Are they there? Their absence is an error where CI is set.
function judge.installed()
  local file = io.open(judge.folder .. "/node_modules/antlr4ts-sql/package.json")
  if file then file:close() end
  assert(file or not os.getenv "CI", judge.folder .. " is missing: tools/install.sh test")
  return file ~= nil
end

--- Reads { { name = "mssql" or "oracle", sql = }, … }. What is refused, { [place in the list] = why }, and the gaps of check.js that no
-- text needed. memory: a name for what passed before, one for each caller's list.
function judge.read(texts, memory)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  for _, text in ipairs(texts) do file:write(text.name, "\t", text.sql, "\n") end
  file:close()
  local pipe = assert(io.popen(("env -u LD_PRELOAD node spec/sql/grammar/check.js %s %s %s"):format(judge.folder, path, memory)))
  local refused, gaps = {}, {}
  for line in pipe:lines() do
    local number, why = line:match "^(%w+)\t(.*)$"
    if number == "gap" then gaps[#gaps + 1] = why else refused[tonumber(number)] = why end
  end
  local ok = pipe:close()
  os.remove(path)
  assert(ok, "spec/sql/grammar/check.js failed")
  return refused, gaps
end

return judge
