-- The examples on small inputs, twice: the first run fills a database, the second brings it up to date. What is in the
-- file is looked at with plain SQL.
local la = require "lualchemy"
local shell = dofile "spec/tooling/shell.lua"
local lua = os.getenv "LUA" or "lua5.4"

local root

before_each(function() root = shell.tree{} end)
after_each(function() shell.remove(root) end)

local function run(example, ...)
  local output, code = shell.run(("%s examples/%s.lua '%s/out.db' %s"):format(lua, example, root, table.concat({ ... }, " ")), true)
  assert.equal(0, code, output)
  return output
end

-- The rows of a query on what the example left behind, as lines of words.
local function rows(sql)
  local engine = la.create_engine("sqlite:///" .. root .. "/out.db")
  local lines = {}
  do
    local connection <close> = engine:connect()
    for row in connection:execute(la.text(sql)) do
      local words = {}
      for i = 1, #row do words[i] = tostring(row[i]) end
      lines[#lines + 1] = table.concat(words, " ")
    end
  end
  engine:dispose()
  return lines
end

-- Of the database's file, which every transaction that writes changes.
local function bytes()
  local file <close> = assert(io.open(root .. "/out.db", "rb"))
  return file:read "a"
end

local function has(output, ...)
  for _, text in ipairs{ ... } do assert.truthy(output:find(text, 1, true), text .. "\nis not in\n" .. output) end
end

describe("examples/packages.lua", function()
  local function paragraph(fields)
    return ([[
Package: %s
Status: install ok installed
Section: %s
Installed-Size: %d
Maintainer: %s
Architecture: all
Version: %s
%sDescription: something
 Depends: this is text, and no field
]]):format(fields[1], fields.section or "libs", fields.size, fields.by or "Ann <ann@example.org>", fields.version or "1.0",
      fields.more or "")
  end

  local function status(...)
    local paragraphs = {}
    for i, fields in ipairs{ ... } do paragraphs[i] = paragraph(fields) end
    shell.write(root .. "/status", table.concat(paragraphs, "\n"))
    return root .. "/status"
  end

  local dependencies = [[
    select p.name, d.kind, d.place, d.choice, t.name, d.operator, d.version from dependencies as d
    join packages as p on p.id = d.package_id join packages as t on t.id = d.target_id
    order by p.name, d.kind, d.place, d.choice]]
  local packages = [[
    select p.name, p.version, p.size, s.name, m.name from packages as p
    left join sections as s on s.id = p.section_id left join maintainers as m on m.id = p.maintainer_id order by p.name]]

  local function first_run()
    return run("packages", status(
      { "base", size = 100 },
      { "mail", size = 30, more = "Provides: mailer\n", by = "Bo <bo@example.org>" },
      { "post", size = 20, more = "Provides: mailer\n", by = "Bo <bo@example.org>" },
      { "app", size = 7, section = "tools", more = "Pre-Depends: base\nDepends: lib:any (>= 2~), mailer | nothing\n" },
      { "lib", size = 5, version = "2.1", more = "Depends: base (>= 1)\nRecommends: absent\n" },
      { "alone", size = 3 }), "base")
  end

  it("fills a database", function()
    local output = first_run()
    assert.same({
      "absent nil nil nil nil",
      "alone 1.0 3 libs Ann <ann@example.org>",
      "app 1.0 7 tools Ann <ann@example.org>",
      "base 1.0 100 libs Ann <ann@example.org>",
      "lib 2.1 5 libs Ann <ann@example.org>",
      "mail 1.0 30 libs Bo <bo@example.org>",
      "mailer nil nil nil nil",
      "nothing nil nil nil nil",
      "post 1.0 20 libs Bo <bo@example.org>",
    }, rows(packages))
    assert.same({
      "app Depends 1 1 lib >= 2~",
      "app Depends 2 1 mailer nil nil",
      "app Depends 2 2 nothing nil nil",
      "app Pre-Depends 1 1 base nil nil",
      "lib Depends 1 1 base >= 1",
      "lib Recommends 1 1 absent nil nil",
      "mail Provides 1 1 mailer nil nil",
      "post Provides 1 1 mailer nil nil",
    }, rows(dependencies))
    has(output, "6 packages read", "Packages that others need: 2,", "when base is removed: 3,",
      "Maintainers of three packages or more: 1,", "Packages that nothing needs: 2,")
  end)

  it("writes nothing when nothing has changed", function()
    first_run()
    local before = bytes()
    has(first_run(), "0 objects inserted, 0 updated, 0 deleted")
    assert.equal(before, bytes())
  end)

  it("brings the database up to date", function()
    first_run()
    local ids = rows "select id from packages where name in ('app', 'base', 'lib') order by name"
    local output = run("packages", status(
      { "base", size = 100 },
      { "mail", size = 31, more = "Provides: mailer\n", by = "Cy <cy@example.org>" },
      { "app", size = 7, section = "net", version = "1.1", more = "Depends: mailer, lib (>= 2~), gone\n" },
      { "lib", size = 5, version = "2.1", more = "Depends: base (>= 1)\n" },
      { "new", size = 1, more = "Suggests: app\n" }), "mail")
    assert.same({
      "app 1.1 7 net Ann <ann@example.org>",
      "base 1.0 100 libs Ann <ann@example.org>",
      "gone nil nil nil nil",
      "lib 2.1 5 libs Ann <ann@example.org>",
      "mail 1.0 31 libs Cy <cy@example.org>",
      "mailer nil nil nil nil",
      "new 1.0 1 libs Ann <ann@example.org>",
    }, rows(packages))
    assert.same({
      "app Depends 1 1 mailer nil nil",
      "app Depends 2 1 lib >= 2~",
      "app Depends 3 1 gone nil nil",
      "lib Depends 1 1 base >= 1",
      "mail Provides 1 1 mailer nil nil",
      "new Suggests 1 1 app nil nil",
    }, rows(dependencies))
    assert.same({ "libs", "net" }, rows "select name from sections order by name")
    assert.same({ "Ann <ann@example.org>", "Cy <cy@example.org>" }, rows "select name from maintainers order by name")
    assert.same(ids, rows "select id from packages where name in ('app', 'base', 'lib') order by name")
    assert.same({}, rows "pragma foreign_key_check")
    has(output, "5 packages read", "when mail is removed: 2,")
  end)

  it("keeps a package that went while others still name it", function()
    first_run()
    run("packages", status({ "app", size = 7, section = "tools", more = "Pre-Depends: base\n" }))
    assert.same({ "app 1.0 7 tools Ann <ann@example.org>", "base nil nil nil nil" }, rows(packages))
    assert.same({ "app Pre-Depends 1 1 base nil nil" }, rows(dependencies))
  end)

  it("changes nothing when it fails midway", function()
    first_run()
    local before = rows(packages)
    shell.write(root .. "/status", paragraph{ "base", size = 1 } .. "\n" .. paragraph{ "app", size = 2 }:gsub("Package", "Packet"))
    local output, code = shell.run(("%s examples/packages.lua '%s/out.db' '%s/status'"):format(lua, root, root), true)
    assert.not_equal(0, code, output)
    assert.same(before, rows(packages))
  end)
end)

describe("examples/timezones.lua", function()
  local function zoneinfo(files)
    for name, lines in pairs(files) do
      shell.write(root .. "/zones/" .. name, "# a comment\n" .. table.concat(lines, "\n"):gsub(" ", "\t"):gsub("_", " ") .. "\n")
    end
    return root .. "/zones"
  end

  local countries = { "AQ Antarctica", "BV Bouvet", "CH Switzerland", "DE Germany", "LI Liechtenstein", "NO Norway", "XX Old" }
  local links = "select country_code, zone_name from country_zones order by 1, 2"

  local function first_run()
    return run("timezones", zoneinfo{
      ["iso3166.tab"] = countries,
      ["zone1970.tab"] = {
        "CH,DE,LI +4723+00832 Europe/Zurich Busingen", "DE,NO +5230+01322 Europe/Berlin most",
        "AQ -720041+0023206 Antarctica/Troll", "XX +0000-00030 Old/Zone",
      },
    }, "LI")
  end

  it("fills a database", function()
    local output = first_run()
    assert.same({
      "AQ Antarctica/Troll", "CH Europe/Zurich", "DE Europe/Berlin", "DE Europe/Zurich", "LI Europe/Zurich", "NO Europe/Berlin",
      "XX Old/Zone",
    }, rows(links))
    assert.same({
      "Antarctica/Troll -72.0114 2.535 nil",
      "Europe/Berlin 52.5 13.3667 most",
      "Europe/Zurich 47.3833 8.5333 Busingen",
      "Old/Zone 0.0 -0.5 nil",
    }, rows "select name, round(latitude, 4), round(longitude, 4), comment from zones order by name")
    assert.equal(#countries, #rows "select * from countries")
    has(output, "4 zones read", "Countries with more than three zones: 0,", "Zones that several countries share: 2,",
      "Countries bound to LI by their zones: 4,", "Countries without a zone: 1,")
  end)

  it("writes nothing when nothing has changed", function()
    first_run()
    local before = bytes()
    has(first_run(), "0 objects inserted, 0 updated, 0 deleted")
    assert.equal(before, bytes())
  end)

  it("brings the database up to date, from a table of the older form too", function()
    first_run()
    os.remove(root .. "/zones/zone1970.tab")
    local output = run("timezones", zoneinfo{
      ["iso3166.tab"] = { "AQ Antarctica", "CH Swiss_Confederation", "DE Germany", "LI Liechtenstein", "NO Norway" },
      ["zone.tab"] = {
        "CH +4723+00832 Europe/Zurich", "LI +4709+00931 Europe/Vaduz", "DE +5230+01322 Europe/Berlin most",
        "AQ -720041+0023206 Antarctica/Troll",
      },
    }, "LI")
    assert.same({ "AQ Antarctica/Troll", "CH Europe/Zurich", "DE Europe/Berlin", "LI Europe/Vaduz" }, rows(links))
    assert.same({ "AQ Antarctica", "CH Swiss Confederation", "DE Germany", "LI Liechtenstein", "NO Norway" },
      rows "select code, name from countries order by code")
    assert.same({ "Antarctica/Troll nil", "Europe/Berlin most", "Europe/Vaduz nil", "Europe/Zurich nil" },
      rows "select name, comment from zones order by name")
    has(output, "4 zones read", "Countries without a zone: 1,")
  end)
end)
