-- The documents do what they say: every block of Lua in README.md and docs/*.md is run, and what its prints give is
-- compared with the comments behind them. The blocks of a document are one program, in the order of the text.
--
--   print(1 + 1)   --> 2
--   print "a\nb"   --> a
--                  --> b
--
-- A loop's prints are lines one below another. The lines with nothing but --> belong to the line of code above them.

-- The text with everything but its Lua taken out, so that the numbers of lines stay what they are.
local function program_of(text)
  local lines, inside, blocks = {}, false, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local fence = line:match "^```(.*)$"
    if fence then
      inside = not inside and fence == "lua"
      if inside then blocks = blocks + 1 end
      line = ""
    end
    lines[#lines + 1] = inside and line or ""
  end
  return table.concat(lines, "\n"), blocks
end

-- What each line is expected to print: { [line] = text }.
local function expectations(program)
  local expected, number, code_line = {}, 0, 0
  for line in (program .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local code, text = line:match "^%s*(.-)%s*%-%-> ?(.*)$"
    if code ~= "" then code_line = number end
    if text then expected[code_line] = expected[code_line] and expected[code_line] .. "\n" .. text or text end
  end
  return expected
end

-- A print that collects what each line of the document gives.
local function collector(printed)
  return function(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    local line = debug.getinfo(2, "l").currentline
    local text = table.concat(words, "\t")
    printed[line] = printed[line] and printed[line] .. "\n" .. text or text
  end
end

local function shown(text)
  return (text:gsub("[ \t]+\n", "\n"):gsub("%s+$", ""))
end

-- Runs a document; what is wrong with it, as "name:line: ..." lines, and how many blocks and expectations it has.
local function check(name, text)
  local program, blocks = program_of(text)
  local expected, printed, complaints, count = expectations(program), {}, {}, 0
  local environment = setmetatable({ print = collector(printed) }, { __index = _G })
  local chunk, message = load(program, "=" .. name, "t", environment)
  local fine = chunk ~= nil
  if fine then fine, message = xpcall(chunk, function(err) return debug.traceback(tostring(err)) end) end
  if not fine then return { message }, blocks, 0 end
  for line, wanted in pairs(expected) do
    count = count + 1
    if not printed[line] then
      complaints[#complaints + 1] = ("%s:%d: printed nothing; expected %s"):format(name, line, wanted)
    elseif shown(printed[line]) ~= shown(wanted) then
      complaints[#complaints + 1] = ("%s:%d: printed\n%s\nexpected\n%s"):format(name, line, printed[line], wanted)
    end
  end
  for key in pairs(environment) do
    if key ~= "print" then complaints[#complaints + 1] = ("%s: sets the global %s"):format(name, key) end
  end
  return complaints, blocks, count
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- The one that prints numbers of tables comes first, so that these are what they would be in a program of its own.
local function documents()
  local found = {}
  local pipe <close> = assert(io.popen "LC_ALL=C ls docs/*.md README.md 2>/dev/null")
  for path in pipe:lines() do table.insert(found, path == "docs/architecture.md" and 1 or #found + 1, path) end
  return found
end

describe("the documents", function()
  for _, path in ipairs(documents()) do
    it("run as they stand: " .. path, function()
      assert.same({}, (check(path, read(path))))
    end)
  end

  it("have blocks and expectations that are really looked at", function()
    local _, blocks, expected = check("README.md", read "README.md")
    assert.is_true(blocks >= 8, blocks .. " blocks")
    assert.is_true(expected >= 15, expected .. " expectations")
  end)
end)

describe("the check of documents", function()
  local function complaints(text)
    return table.concat((check("a.md", text)), "\n")
  end

  it("finds nothing wrong with what is right", function()
    assert.equal("", complaints "# Text\n```lua\nlocal a = 1\n```\nmore\n```lua\nprint(a, 'b')   --> 1\tb\n```\n")
    assert.equal("", complaints "```lua\nfor i = 1, 2 do print(i) end   --> 1\n  --> 2\n```\n")
    assert.equal("", complaints "```lua\nprint 'a long line'\n--> a long line\nprint(2)   --> 2\n```\n")
    assert.equal("", complaints "```sh\nthis is not Lua\n```\n")
  end)

  it("sees a wrong output, at its line", function()
    assert.truthy(complaints "text\n\n```lua\nprint(1)   --> 2\n```\n":find("a.md:4: printed\n1\nexpected\n2", 1, true))
    assert.truthy(complaints "```lua\nfor i = 1, 2 do print(i) end   --> 1\n```\n":find("printed\n1\n2", 1, true))
  end)

  it("sees an expectation that nothing meets", function()
    assert.truthy(complaints "```lua\nif false then print(1) end   --> 1\n```\n":find("a.md:2: printed nothing", 1, true))
  end)

  it("sees an error, at its line", function()
    assert.truthy(complaints "text\n```lua\nerror 'no'\n```\n":find("a.md:3: no", 1, true))
    assert.truthy(complaints "text\n```lua\nlocal = 1\n```\n":find("a.md:3:", 1, true))
  end)

  it("sees a global that is set", function()
    assert.truthy(complaints "```lua\nforgotten = 1\n```\n":find("sets the global forgotten", 1, true))
  end)
end)
