-- The texts of spec/sql for databases that nobody can run here, read by parsers that are not ours (spec/sql/grammar/check.js):
-- what they refuse, the database would refuse. tools/install.sh test fetches them to build/grammar.
local cases = dofile "spec/sql/cases.lua"

local judge = dofile "spec/sql/grammar/judge.lua"

-- Statements that must not pass, or the check checks nothing.
local wrong = {
  mssql = {
    "SELECT users.id FROM users LIMIT 5",
    "SELECT TOP 2 FROM users",
    "SELECT users.id FROM users WHERE users.id = = 1",
    "INSERT INTO users (id) VALUES 1)",
    "SELECT users.id FROM users OFFSET 5 ROWS FETCH FIRST 2 ROWS ONLY",
    "SELECT s.id FROM users JOIN LATERAL (SELECT 1 AS id) AS s ON 1 = 1",
    "UPDATE users SET age=1 RETURNING users.id",
    "SELECT users.id FROM users ORDER BY users.id FOR UPDATE",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY users.age) AS p FROM users",
  },
  oracle = {
    "SELECT users.id FROM users LIMIT 5",
    "SELECT u.id FROM users AS u",
    "SELECT TOP 2 users.id FROM users",
    "SELECT users.id FROM users FETCH FIRST ROWS 2",
    "DELETE FROM users WHERE users.id = ? RETURNING users.id",
    "SELECT FROM users",
    "INSERT INTO users (id, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
    "SELECT v.id FROM (VALUES (1, 2), (3 4)) v (id, name) WHERE",
  },
}

-- Loading the grammars takes a second, and what they say does not depend on how the core was built: one build is enough.
local every_text = not package.searchpath("lualchemy.core", package.cpath):find("release", 1, true)

-- The texts that hold, once each, and how many do not yet.
local function all_texts()
  local list, seen, waiting = {}, {}, 0
  for _, path in ipairs(cases.files()) do
    for _, case in ipairs(cases.read(path)) do
      for _, kind in ipairs { "text", "literal" } do
        for label, sql in pairs(case[kind]) do
          local name = label:match "^mssql" or label:match "^oracle"
          if name and case.pending[label] then waiting = waiting + 1 end
          if name and not case.pending[label] and not case.grammar[label] and not seen[name .. sql] then
            seen[name .. sql] = true
            list[#list + 1] = { name = name, sql = sql, case = case, label = label }
          end
        end
      end
    end
  end
  return list, waiting
end

describe("other parsers", function()
  if not judge.installed() then
    pending "are not installed: tools/install.sh test"
    return
  end

  local texts, waiting = {}, 0
  if every_text then texts, waiting = all_texts() end
  local good = #texts
  for name, list in pairs(wrong) do
    for _, sql in ipairs(list) do texts[#texts + 1] = { name = name, sql = sql } end
  end
  local refused, gaps = judge.read(texts, "texts")

  for number = 1, good do
    local text = texts[number]
    it(("read %s [%s]"):format(text.case.title, text.label), function()
      if refused[number] then
        error(("%s:%d: %s is refused\n  %s\n  %s"):format(text.case.file, text.case.number, text.label, text.sql, refused[number]), 0)
      end
    end)
  end
  for number = good + 1, #texts do
    it(("refuse, for %s, %s"):format(texts[number].name, texts[number].sql), function() assert.is_string(refused[number]) end)
  end
  if every_text and waiting == 0 then
    it("have no gap listed that nothing needs", function() assert.same({}, gaps) end)
  end
end)
