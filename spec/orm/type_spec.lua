-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
local raised, open = shared.raised, shared.open

describe("custom types of attributes", function()
  local broken = false
  local Colour = la.TypeDecorator{
    impl = la.String(20),
    bind = function(value)
      if value == nil then return nil end
      if type(value) ~= "table" then error "a colour is a table" end
      return table.concat(value, ",")
    end,
    result = function(value)
      if broken then error(broken) end
      if value == nil then return nil end
      local r, g, b = value:match "(%d+),(%d+),(%d+)"
      return { tonumber(r), tonumber(g), tonumber(b) }
    end,
  }
  local Base = la.declarative_base()
  local Paint = Base:model "Paint" { __tablename = "paints", id = Column{ la.Integer, primary_key = true }, colour = Column{ Colour } }

  it("go through their functions on the way in and out", function()
    local session = open(Base)
    local paint = Paint{ colour = { 1, 2, 3 } }
    assert.same({ 1, 2, 3 }, paint.colour)
    session:add(paint)
    session:commit()
    assert.same({ 1, 2, 3 }, paint.colour)
    assert.equal("1,2,3", session:execute(la.text "select colour from paints"):scalar())
    assert.equal(paint, session:scalars(la.select(Paint):where(Paint.colour:eq{ 1, 2, 3 })):one())
    paint.colour = { 4, 5, 6 }
    session:commit()
    assert.same({ 4, 5, 6 }, session:execute(la.select(Paint, Paint.colour)):one()[2])
    paint.colour = nil
    session:commit()
    assert.is_nil(paint.colour)
    assert.matches("a colour is a table", tostring(raised(function() paint.colour = "red" end)))
  end)

  it("may raise errors anywhere, and the session goes on", function()
    local session = open(Base)
    for i = 1, 3 do session:add(Paint{ colour = { i, i, i } }) end
    session:commit()
    broken = setmetatable({}, { __tostring = function() return "broken" end })
    local statement = la.select(Paint, Paint.colour):order_by(Paint.id)
    assert.equal(broken, raised(session.execute, session, statement))
    assert.equal(broken, raised(session.execute, session, statement))
    local paint = session:get(Paint, 1)
    assert.equal(broken, raised(function() return paint.colour end))
    broken = false
    assert.same({ 1, 1, 1 }, paint.colour)
    assert.equal(3, #session:execute(statement):all())
    paint.colour = { 9, 9, 9 }
    session:commit()
    assert.same({ 9, 9, 9 }, paint.colour)
  end)
end)

describe("JSON attributes", function()
  it("are encoded and decoded by the host's library", function()
    la.set_json{
      encode = function(value) return "[" .. table.concat(value, ",") .. "]" end,
      decode = function(text) local list = {} for item in text:gmatch "%d+" do list[#list + 1] = tonumber(item) end return list end,
    }
    local Base = la.declarative_base()
    local Doc = Base:model "Doc" { __tablename = "docs", id = Column{ la.Integer, primary_key = true }, data = Column{ la.JSON } }
    local session = open(Base)
    local doc = Doc{ data = { 1, 2, 3 } }
    session:add(doc)
    session:commit()
    assert.same({ 1, 2, 3 }, doc.data)
    doc.data = { 4 }
    session:commit()
    session:expunge_all()
    assert.same({ 4 }, session:get(Doc, 1).data)
  end)
end)

describe("keys", function()
  it("may be text", function()
    local Base = la.declarative_base()
    local Country = Base:model "Country" {
      __tablename = "countries", code = Column{ la.String(2), primary_key = true }, name = Column{ la.String(40) },
      cities = relationship{ "City", back_populates = "country" },
    }
    local City = Base:model "City" {
      __tablename = "cities", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(40) },
      country_code = Column{ ForeignKey "countries.code" }, country = relationship{ "Country", back_populates = "cities" },
    }
    local session = open(Base)
    session:add(Country{ code = "de", name = "Germany", cities = { City{ name = "Köln" } } })
    session:commit()
    local germany = session:get(Country, "de")
    assert.equal("Germany", germany.name)
    assert.equal(germany, session:get(Country, "de"))
    assert.equal("Country(code='de')", tostring(germany))
    assert.equal("de", germany.cities[1].country_code)
    assert.is_true(la.is_error(raised(function() session:add(Country{ name = "nowhere" }) session:flush() end)))
    session:rollback()
    assert.is_true(la.is_error(raised(function() session:add(Country{ code = "de" }) session:flush() end), "IntegrityError"))
    session:rollback()
    assert.equal("Germany", germany.name)
  end)

  it("may be made by the database, and is taken back by a rollback", function()
    local Base = la.declarative_base()
    local Document = Base:model "Document" {
      __tablename = "documents",
      id = Column{ la.String(32), primary_key = true, server_default = la.text "(lower(hex(randomblob(8))))" },
      name = Column{ la.String(40) },
    }
    local session = open(Base)
    local documents = {}
    for i = 1, 120 do
      documents[i] = Document{ name = "document " .. i }
      session:add(documents[i])
    end
    session:flush()
    for i, document in ipairs(documents) do
      assert.equal("document " .. i, session:scalar(la.select(Document.name):where(Document.id:eq(document.id))))
    end
    session:rollback()
    assert.is_nil(documents[1].id)
    session:add(documents[1])
    session:commit()
    assert.equal(documents[1], session:get(Document, documents[1].id))
  end)

  it("may be changed, and come back after a rollback", function()
    local Base = la.declarative_base()
    local Country = Base:model "Country" { __tablename = "countries", code = Column{ la.String(2), primary_key = true }, name = Column{ la.String(40) } }
    local session = open(Base)
    local france = Country{ code = "fr", name = "France" }
    session:add(france)
    session:commit()
    france.code = "FR"
    session:flush()
    assert.equal(france, session:get(Country, "FR"))
    assert.is_nil(session:get(Country, "fr"))
    session:rollback()
    assert.equal(france, session:get(Country, "fr"))
    assert.equal("fr", france.code)
    france.code = "FR"
    session:commit()
    assert.equal("France", session:get(Country, "FR").name)
  end)

  it("may have several parts", function()
    local Base = la.declarative_base()
    local Seat = Base:model "Seat" {
      __tablename = "seats", row = Column{ la.String(2), primary_key = true }, number = Column{ la.Integer, primary_key = true },
      name = Column{ la.String(20) }, tickets = relationship{ "Ticket", back_populates = "seat" },
    }
    local Ticket = Base:model "Ticket" {
      __tablename = "tickets", __table_args = { la.ForeignKeyConstraint{ { "seat_row", "seat_number" }, { "seats.row", "seats.number" } } },
      id = Column{ la.Integer, primary_key = true }, seat_row = Column{ la.String(2) }, seat_number = Column{ la.Integer },
      seat = relationship{ "Seat", back_populates = "tickets" },
    }
    local session, statements = open(Base)
    for _, row in ipairs{ "a", "b" } do
      for number = 1, 3 do session:add(Seat{ row = row, number = number, name = row .. number, tickets = { Ticket{}, Ticket{} } }) end
    end
    session:commit()
    session:expunge_all()
    local seat = session:get(Seat, { "b", 2 })
    assert.equal("b2", seat.name)
    assert.equal(seat, session:get(Seat, { row = "b", number = 2 }))
    assert.matches("has 2 parts", raised(session.get, session, Seat, "b").message)
    assert.matches("needs a value for 'number'", raised(session.get, session, Seat, { "b" }).message)
    assert.same({ "b", 2 }, la.inspect(seat).key)
    assert.equal("Seat(row='b', number=2)", tostring(seat))
    assert.equal(2, #seat.tickets)
    assert.equal(seat, seat.tickets[2].seat)
    statements:clear()
    local count = 0
    for one in session:scalars(la.select(Seat):options(la.selectinload(Seat.tickets))) do count = count + #one.tickets end
    assert.equal(12, count)
    assert.equal(2, session:query(Ticket):filter(Ticket.seat:eq(seat)):count())
    assert.equal(10, session:query(Ticket):filter(Ticket.seat:ne(seat)):count())
  end)

  it("may be dates, decimals and UUIDs", function()
    local Base = la.declarative_base()
    local Day = Base:model "Day" { __tablename = "days", day = Column{ la.Date, primary_key = true }, note = Column{ la.Text } }
    local Rate = Base:model "Rate" { __tablename = "rates", rate = Column{ la.Numeric(8, 3), primary_key = true }, note = Column{ la.Text } }
    local Thing = Base:model "Thing" {
      __tablename = "things", note = Column{ la.Text },
      id = Column{ la.Uuid, primary_key = true, default = function() return "12345678-1234-1234-1234-123456789abc" end },
    }
    local session = open(Base)
    local thing = Thing{ note = "u" }
    session:add_all{ Day{ day = "2024-02-29", note = "leap" }, Rate{ rate = "1.250", note = "r" }, thing }
    session:commit()
    local day = session:get(Day, la.date "2024-02-29")
    assert.equal("leap", day.note)
    assert.equal(day, session:get(Day, "2024-02-29"))
    local rate = session:get(Rate, la.decimal "1.250")
    assert.equal("r", rate.note)
    assert.equal("12345678-1234-1234-1234-123456789abc", thing.id)
    assert.equal(thing, session:get(Thing, "12345678-1234-1234-1234-123456789ABC"))
  end)
end)
