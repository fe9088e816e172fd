-- The time zones of this machine: reads the tables of zoneinfo into an SQLite file and asks it questions.
-- Run again, it brings the file up to date: what did not change is not written.
--
--   lua5.4 examples/timezones.lua [DATABASE [FOLDER [COUNTRY-CODE]]]

local la = require "lualchemy"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
local Double, String, select, func = la.Double, la.String, la.select, la.func

local database = arg[1] or "build/timezones.db"
local folder = arg[2] or "/usr/share/zoneinfo"
local home = arg[3] or "CH"

---- the models ----

local Base = la.declarative_base()

local country_zones = la.Table{ "country_zones", Base.metadata,
  Column{ "country_code", ForeignKey "countries.code", primary_key = true },
  Column{ "zone_name", ForeignKey "zones.name", primary_key = true, index = true },
}

local Country = Base:model "Country" {
  __tablename = "countries",
  code  = Column{ String(2), primary_key = true },
  name  = Column{ String(80), nullable = false },
  zones = relationship{ "Zone", secondary = country_zones, back_populates = "countries" },
}

local Zone = Base:model "Zone" {
  __tablename = "zones",
  name      = Column{ String(80), primary_key = true },
  latitude  = Column{ Double, nullable = false },
  longitude = Column{ Double, nullable = false },
  comment   = Column{ String(200) },
  countries = relationship{ "Country", secondary = country_zones, back_populates = "zones" },
}

---- reading the tables ----

-- Calls visit with the fields of each line of a file, which tabs divide.
local function each_line(path, visit)
  local file <close> = assert(io.open(path))
  for line in file:lines() do
    local fields = {}
    for field in line:gmatch "[^\t]+" do fields[#fields + 1] = field end
    if line:find "^[^#]" then visit(table.unpack(fields)) end
  end
end

-- "+4723", "-0730" or "+473012" in degrees.
local function degrees(text, digits)
  local sign, whole, minutes, seconds = text:match("^([+-])(" .. ("%d"):rep(digits) .. ")(%d%d)(%d*)$")
  local value = whole + minutes / 60 + (tonumber(seconds) or 0) / 3600
  return sign == "-" and -value or value
end

local function zone_file()
  local file = io.open(folder .. "/zone1970.tab")
  return folder .. (file and file:close() and "/zone1970.tab" or "/zone.tab")
end

---- bringing the objects up to date ----

local function by_key(session, Model, key)
  local objects = {}
  for object in session:scalars(select(Model)) do objects[object[key]] = object end
  return objects
end

local function update(session)
  local countries, zones = by_key(session, Country, "code"), by_key(session, Zone, "name")
  local unused = {}
  for _, object in pairs(countries) do unused[object] = true end
  for _, object in pairs(zones) do unused[object] = true end

  each_line(folder .. "/iso3166.tab", function(code, name)
    local country = countries[code] or Country{ code = code }
    country.name = name
    session:add(country)
    countries[code], unused[country] = country, nil
  end)

  local count = 0
  each_line(zone_file(), function(codes, coordinates, name, comment)
    local latitude, longitude = coordinates:match "^([+-]%d+)([+-]%d+)$"
    local zone = zones[name] or Zone{ name = name }
    zone.latitude, zone.longitude, zone.comment = degrees(latitude, 2), degrees(longitude, 3), comment
    session:add(zone)
    zones[name], unused[zone] = zone, nil

    local list = {}
    for code in codes:gmatch "%u%u" do list[#list + 1] = countries[code] end
    zone.countries = list
    count = count + 1
    if count % 50 == 0 then io.write("\r", count, " zones read"):flush() end
  end)
  print(("\r%d zones read"):format(count))

  for object in pairs(unused) do session:delete(object) end
end

---- asking ----

local many_zones = select(Country.name:label "country", func.count():label "zones")
  :join(Country.zones)
  :group_by(Country.code)
  :having(func.count():gt(3))
  :order_by(func.count():desc(), Country.name)

local shared_zones = select(Zone.name:label "zone", func.count():label "countries")
  :join(Zone.countries)
  :group_by(Zone.name)
  :having(func.count():gt(1))
  :order_by(func.count():desc(), Zone.name)

-- Countries that share a zone with this one, or with a country that does, and so on.
local Theirs = country_zones:alias "theirs"
local related = select(Country.code):where(Country.code:eq(home)):cte{ "related", recursive = true }
related = related:union(select(Theirs.c.country_code)
  :join(country_zones, country_zones.c.zone_name:eq(Theirs.c.zone_name))
  :join(related, related.c.code:eq(country_zones.c.country_code)))

local neighbours = select(Country.code, Country.name:label "country")
  :where(Country.code:in_(select(related.c.code)))
  :order_by(Country.name)

local without_zone = select(Country.code, Country.name:label "country")
  :where(la.not_(Country.zones:any()))
  :order_by(Country.name)

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
for _, Model in ipairs{ Country, Zone } do
  for what in pairs(written) do
    la.event.listen(Model, "after_" .. what, function() written[what] = written[what] + 1 end)
  end
end

local session <close> = la.Session(engine)
local start = os.clock()
update(session)
session:commit()
print(("%s is up to date after %.2f s: %d objects inserted, %d updated, %d deleted"):format(
  database, os.clock() - start, written.insert, written.update, written.delete))

show(session, "Countries with more than three zones", many_zones, 10)
show(session, "Zones that several countries share", shared_zones, 10)
show(session, "Countries bound to " .. home .. " by their zones", neighbours, 10)
show(session, "Countries without a zone", without_zone, 10)
