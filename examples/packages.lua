-- The packages of a Debian machine: reads dpkg's own database into an SQLite file and asks it questions.
-- Run again, it brings the file up to date: what did not change is not written.
--
--   lua5.4 examples/packages.lua [DATABASE [STATUS-FILE [PACKAGE-TO-REMOVE]]]

local la = require "lualchemy"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
local Integer, String, select, func = la.Integer, la.String, la.select, la.func

local database = arg[1] or "build/packages.db"
local status_file = arg[2] or "/var/lib/dpkg/status"
local unwanted = arg[3] or "zlib1g"

---- the models ----

local Base = la.declarative_base()

local Section = Base:model "Section" {
  __tablename = "sections",
  id       = Column{ Integer, primary_key = true },
  name     = Column{ String(80), nullable = false, unique = true },
  packages = relationship{ "Package", back_populates = "section" },
}

local Maintainer = Base:model "Maintainer" {
  __tablename = "maintainers",
  id       = Column{ Integer, primary_key = true },
  name     = Column{ String(200), nullable = false, unique = true },
  packages = relationship{ "Package", back_populates = "maintainer" },
}

-- What is installed, and what others name without its being there: that has no version.
local Package = Base:model "Package" {
  __tablename = "packages",
  id            = Column{ Integer, primary_key = true },
  name          = Column{ String(200), nullable = false, unique = true },
  version       = Column{ String(200) },
  size          = Column{ Integer, comment = "installed, in KiB" },
  section_id    = Column{ ForeignKey "sections.id", index = true },
  maintainer_id = Column{ ForeignKey "maintainers.id", index = true },
  section       = relationship{ "Section", back_populates = "packages" },
  maintainer    = relationship{ "Maintainer", back_populates = "packages" },
  dependencies  = relationship{ "Dependency", back_populates = "package", foreign_keys = "Dependency.package_id",
                                cascade = "all, delete-orphan" },
  dependents    = relationship{ "Dependency", back_populates = "target", foreign_keys = "Dependency.target_id" },
}

-- One package naming another: "Depends: a, b (>= 2) | c" makes three, of which b has place 2 and choice 1.
-- What a package provides is kept here too: others need it by that name.
local Dependency = Base:model "Dependency" {
  __tablename = "dependencies",
  package_id = Column{ ForeignKey "packages.id", primary_key = true },
  kind       = Column{ String(20), primary_key = true },
  place      = Column{ Integer, primary_key = true },
  choice     = Column{ Integer, primary_key = true },
  target_id  = Column{ ForeignKey "packages.id", nullable = false, index = true },
  operator   = Column{ String(2) },
  version    = Column{ String(200) },
  package    = relationship{ "Package", back_populates = "dependencies", foreign_keys = "Dependency.package_id" },
  target     = relationship{ "Package", back_populates = "dependents", foreign_keys = "Dependency.target_id" },
}

---- reading dpkg's database ----

-- Each installed package as a table of its fields; of a field with several lines the first one.
local function installed_packages(path)
  local file <close> = assert(io.open(path))
  local next_paragraph = (file:read "a" .. "\n\n"):gmatch "(.-)\n\n"
  return function()
    for paragraph in next_paragraph do
      local fields = {}
      for name, value in ("\n" .. paragraph):gmatch "\n(%u[%w-]*): ([^\n]*)" do fields[name] = value end
      if (fields.Status or ""):find " installed$" then return fields end
    end
  end
end

-- Calls visit(kind, place, choice, name, operator, version) for each package that the fields name.
local function each_dependency(fields, visit)
  for _, kind in ipairs{ "Pre-Depends", "Depends", "Recommends", "Suggests", "Provides" } do
    local place = 0
    for group in (fields[kind] or ""):gmatch "[^,]+" do
      local choice = 0
      place = place + 1
      for alternative in group:gmatch "[^|]+" do
        choice = choice + 1
        local operator, version = alternative:match "%(([<>=]+) *([^)]+)%)"
        visit(kind, place, choice, alternative:match "[%w.+-]+", operator, version)
      end
    end
  end
end

---- bringing the objects up to date ----

-- All objects of a model: a function that finds the one with a name or makes it, the objects by name, and those of them
-- that were never asked for.
local function directory(session, Model)
  local known, unused = {}, {}
  for object in session:scalars(select(Model)) do
    known[object.name], unused[object.name] = object, object
  end
  return function(name)
    local object = known[name]
    if not object then
      object = Model{ name = name }
      known[name] = object
      session:add(object)
    end
    unused[name] = nil
    return object
  end, known, unused
end

local function update_dependencies(package, fields, package_named)
  local old = {}
  for _, dependency in ipairs(package.dependencies) do
    old[dependency.kind .. dependency.place .. "|" .. dependency.choice] = dependency
  end
  each_dependency(fields, function(kind, place, choice, name, operator, version)
    local key = kind .. place .. "|" .. choice
    local dependency = old[key]
    if not dependency then
      dependency = Dependency{ kind = kind, place = place, choice = choice }
      package.dependencies:append(dependency)
    end
    dependency.target, dependency.operator, dependency.version = package_named(name), operator, version
    old[key] = nil
  end)
  for _, dependency in pairs(old) do package.dependencies:remove(dependency) end
end

local function update(session, path)
  local package_named, packages, unnamed_packages = directory(session, Package)
  local section_named, _, empty_sections = directory(session, Section)
  local maintainer_named, _, idle_maintainers = directory(session, Maintainer)

  local installed, count = {}, 0
  for fields in installed_packages(path) do
    local name = fields.Package
    if installed[name] then name = name .. ":" .. fields.Architecture end
    local package = package_named(name)
    package.version = fields.Version
    package.size = tonumber(fields["Installed-Size"])
    package.section = section_named(fields.Section or "unknown")
    package.maintainer = maintainer_named(fields.Maintainer or "nobody")
    update_dependencies(package, fields, package_named)
    installed[name] = true
    count = count + 1
    if count % 50 == 0 then io.write("\r", count, " packages read"):flush() end
  end
  print(("\r%d packages read"):format(count))

  for name, package in pairs(packages) do
    if package.version and not installed[name] then
      package.version, package.size, package.section, package.maintainer, package.dependencies = nil, nil, nil, nil, {}
    end
  end
  for _, unused in ipairs{ unnamed_packages, empty_sections, idle_maintainers } do
    for _, object in pairs(unused) do session:delete(object) end
  end
end

---- asking ----

-- The packages that could serve each dependency: the one it names, and those that provide that name.
local hard = { "Depends", "Pre-Depends" }
local Provision = la.aliased(Dependency)
local choices = select(Dependency.package_id, Dependency.kind, Dependency.place, Package.id:label "server_id")
  :join(Dependency.target)
  :where(Dependency.kind:in_(hard), Package.version:is_not(nil))
  :union(select(Dependency.package_id, Dependency.kind, Dependency.place, Provision.package_id)
    :join(Provision, Provision.target_id:eq(Dependency.target_id))
    :where(Dependency.kind:in_(hard), Provision.kind:eq "Provides"))
  :cte "choices"

-- A package cannot do without what is the only choice for one of its dependencies.
local needs = select(choices.c.package_id, func.min(choices.c.server_id):label "server_id")
  :group_by(choices.c.package_id, choices.c.kind, choices.c.place)
  :having(func.count():eq(1))
  :cte "needs"

local most_needed = select(Package.name, func.count(Dependency.package_id:distinct()):label "needed by", Package.size:label "KiB")
  :join(Package.dependents)
  :where(Dependency.kind:in_(hard), Package.version:is_not(nil))
  :group_by(Package.id)
  :order_by(func.count(Dependency.package_id:distinct()):desc(), Package.name)

local leaving = select(Package.id):where(Package.name:eq(unwanted)):cte{ "leaving", recursive = true }
leaving = leaving:union(select(needs.c.package_id):join(leaving, needs.c.server_id:eq(leaving.c.id)))

local would_leave = select(Package.name, Section.name:label "section", Package.size:label "KiB")
  :join(Package.section)
  :where(Package.id:in_(select(leaving.c.id)))
  :order_by(Package.size:desc(), Package.name)

local by_maintainer = select(Maintainer.name, func.count(Package.id):label "packages", func.sum(Package.size):label "KiB")
  :join(Maintainer.packages)
  :group_by(Maintainer.id)
  :having(func.count(Package.id):ge(3))
  :order_by(func.sum(Package.size):desc())

local by_itself = select(Package.name, Section.name:label "section", Package.size:label "KiB")
  :join(Package.section)
  :where(la.not_(select(choices.c.package_id)
    :where(choices.c.server_id:eq(Package.id), choices.c.package_id:ne(Package.id))
    :exists()))
  :order_by(Package.size:desc(), Package.name)

---- printing ----

-- The first rows of a query as a table; numbers to the right.
local function show(session, title, query, limit)
  local start = os.clock()
  local result = session:execute(query)
  local names, rows = result:keys(), result:all()
  print(("\n%s: %d, found in %.1f ms"):format(title, #rows, (os.clock() - start) * 1000))

  local lines, widths = { names, table.unpack(rows, 1, math.min(limit, #rows)) }, {}
  for _, line in ipairs(lines) do
    for i = 1, #names do widths[i] = math.max(widths[i] or 0, utf8.len(tostring(line[i]))) end
  end
  for _, line in ipairs(lines) do
    local text = ""
    for i = 1, #names do
      local cell, is_number = tostring(line[i]), rows[1] and type(rows[1][i]) == "number"
      local space = (" "):rep(widths[i] - utf8.len(cell))
      text = text .. "  " .. (is_number and space .. cell or cell .. space)
    end
    print((text:gsub(" +$", "")))
  end
  if #rows > limit then print "  ..." end
end

---- the whole of it ----

local engine = la.create_engine("sqlite:///" .. database)
Base.metadata:create_all(engine)

-- An object that has the values that it had is not written, and no event tells of it.
local written = { insert = 0, update = 0, delete = 0 }
for _, Model in ipairs{ Section, Maintainer, Package, Dependency } do
  for what in pairs(written) do
    la.event.listen(Model, "after_" .. what, function() written[what] = written[what] + 1 end)
  end
end

local session <close> = la.Session(engine)
local start = os.clock()
update(session, status_file)
session:commit()
print(("%s is up to date after %.2f s: %d objects inserted, %d updated, %d deleted"):format(
  database, os.clock() - start, written.insert, written.update, written.delete))

show(session, "Packages that others need", most_needed, 10)
show(session, "What leaves when " .. unwanted .. " is removed", would_leave, 10)
show(session, "Maintainers of three packages or more", by_maintainer, 10)
show(session, "Packages that nothing needs", by_itself, 10)
