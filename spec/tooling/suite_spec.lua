-- The driver suite as an author of another driver meets it: a record anywhere, given by its path.
local shell = dofile "spec/tooling/shell.lua"

local record = [[
local lacks = { sleep = "none", kill = "none", late_error = "none", lock_timeout = "none", level = "none", %s }
return {
  name = "Somebody's driver",
  url = function(folder) return "sqlite:///" .. folder .. "/somebody.db" end,
  refused = function(folder) return { { url = "sqlite:///" .. folder .. "/no/folder/x.db", says = "unable to open" } } end,
  lacks = lacks,
  sql = { echo = "SELECT ?", numbers = "SELECT 1 AS n WHERE 1 = %%d" },
  %s
}
]]

local function run(lacks, more, word)
  local folder = shell.tree { ["mydriver_quirks.lua"] = record:format(lacks or "", more or "") }
  -- with the sanitizers' library, where the spec itself has it
  local output, code = shell.run(("env -u CI %s spec/suite/run.lua %s/mydriver_quirks.lua '%s'"):format(
    arg[-1] or "lua5.4", folder, word or "transactions"), true)
  shell.remove(folder)
  return output, code
end

local function says(output, ...)
  for _, words in ipairs { ... } do assert.truthy(output:find(words, 1, true), output) end
end

describe("the driver suite", function()
  it("runs for a record that is given by its path", function()
    local output, code = run("", "", "a rollback takes back")
    says(output, "ok 1 - transactions: a rollback takes back what was done, a commit keeps it",
      "# Somebody's driver: 1 passed, 0 failed, 0 skipped", "1..1")
    assert.equal(0, code)
  end)

  it("names the capability and the reason of what it skips", function()
    local output, code = run('savepoints = "not before version 9"', "", "transactions: a savepoint that is rolled back")
    says(output, " # SKIP no savepoints: not before version 9", ": 0 passed, 0 failed, 1 skipped")
    assert.equal(0, code)
  end)

  it("fails a record that says it lacks what is there", function()
    local output, code = run('savepoints = "not before version 9"', "", "has no savepoints")
    says(output, "not ok 1 - lacks: has no savepoints", "the record says that there is no savepoints, but it works")
    assert.not_equal(0, code)
    output, code = run('two_phase = "no"', "", "has no two_phase")
    says(output, "ok 1 - lacks: has no two_phase: no", ": 1 passed, 0 failed, 0 skipped")
    assert.equal(0, code)
  end)

  it("tells what is wrong with a record", function()
    local refused = {
      { 'savepoint = "x"', "", "there is no capability 'savepoint'", "savepoints" }, { "savepoints = true", "", "needs a reason" },
      { "", "sever = 'postgresql'", "a record has no 'sever'", "server" }, { "", "options = 5", "options is a number, not a table" },
    }
    refused[#refused + 1] = { 'sleep = nil', "", "a record needs sql.sleep, or lacks.sleep with a reason" }
    for _, one in ipairs(refused) do
      local output, code = run(one[1], one[2])
      says(output, one[3], one[4] or "")
      assert.not_equal(0, code)
    end
  end)

  it("says so when no case has the word", function()
    local output, code = run("", "", "no such case")
    says(output, "no case of the suite contains 'no such case'")
    assert.not_equal(0, code)
  end)

  it("skips everything where the driver's database is missing", function()
    local output, code = run("", "missing = function() return 'mydb is not installed' end", "transactions: a rollback")
    says(output, "# SKIP mydb is not installed", ": 0 passed, 0 failed, 1 skipped")
    assert.equal(0, code)
  end)
end)
