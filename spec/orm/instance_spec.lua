-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local Column = la.Column
local raised = shared.raised

local function everything()
  local Base = la.declarative_base()
  local Thing = Base:model "Thing" {
    __tablename = "things",
    id = Column{ la.Integer, primary_key = true },
    name = Column{ la.String(40) },
    count = Column{ la.BigInteger },
    ratio = Column{ la.Double },
    price = Column{ la.Numeric(10, 2) },
    alive = Column{ la.Boolean },
    born = Column{ la.Date },
    seen = Column{ la.DateTime },
    data = Column{ la.LargeBinary },
    kind = Column{ la.Enum{ "big", "small", name = "sizes" } },
  }
  local engine = la.create_engine("sqlite://")
  Base.metadata:create_all(engine)
  return Thing, la.Session(engine), engine
end

describe("objects of models", function()
  it("read and write attributes like tables", function()
    local Thing = everything()
    local thing = Thing{ name = "x", count = 3 }
    assert.equal("x", thing.name)
    assert.equal(3, thing.count)
    assert.is_nil(thing.ratio)
    thing.name = "a longer text than there was room for"
    thing.ratio = 0.5
    assert.equal("a longer text than there was room for", thing.name)
    assert.equal(0.5, thing.ratio)
    thing.name = nil
    assert.is_nil(thing.name)
  end)

  it("keep values of every type through the database", function()
    local Thing, session = everything()
    local bytes = {}
    for i = 0, 255 do bytes[i + 1] = string.char(i) end
    bytes = table.concat(bytes)
    session:add(Thing{
      name = "Zoë", count = math.maxinteger, ratio = 0.1, price = "12.50", alive = true, born = "2024-02-29",
      seen = { year = 2024, month = 1, day = 2, hour = 3, min = 4, sec = 5 }, data = bytes, kind = "big",
    })
    session:commit()
    session:expunge_all()
    local thing = session:get(Thing, 1)
    assert.equal("Zoë", thing.name)
    assert.equal(math.maxinteger, thing.count)
    assert.equal(0.1, thing.ratio)
    assert.equal(la.decimal "12.50", thing.price)
    assert.is_true(thing.alive)
    assert.equal("2024-02-29", tostring(thing.born))
    assert.equal("2024-01-02 03:04:05", tostring(thing.seen))
    assert.equal(bytes, thing.data)
    assert.equal("big", thing.kind)
  end)

  it("refuse values that do not fit, and keep what they had", function()
    local Thing = everything()
    local thing = Thing{ count = 1, name = "a" }
    for _, case in ipairs{
      { "count", 1.5 }, { "count", "x" }, { "count", {} }, { "count", true }, { "name", 5 }, { "name", "a\0b" }, { "alive", "yes" }, { "born", "soon" },
      { "kind", "huge" }, { "ratio", "x" }, { "price", "1.234" }, { "count", Thing.count },
    } do
      local err = raised(function() thing[case[1]] = case[2] end)
      assert.is_true(la.is_error(err), case[1])
      assert.matches(case[1], tostring(err), 1, true)
    end
    assert.equal(1, thing.count)
    assert.equal("a", thing.name)
    thing.count = 2.0
    assert.equal("integer", math.type(thing.count))
    thing.ratio = 2
    assert.equal("float", math.type(thing.ratio))
  end)

  it("refuse names that the model does not have, naming the nearest", function()
    local Thing = everything()
    local thing = Thing{}
    local message = "Thing has no attribute 'nmae'; the nearest is 'name'"
    assert.matches(message, raised(function() return thing.nmae end).message, 1, true)
    assert.matches(message, raised(function() thing.nmae = 1 end).message, 1, true)
    assert.matches(message, raised(function() return Thing{ nmae = 1 } end).message, 1, true)
    assert.matches("by name", raised(function() return Thing{ 1 } end).message)
    assert.matches("a table of attributes", raised(function() return Thing("x") end).message)
    assert.is_true(la.is_error(raised(function() return thing[1] end), "ArgumentError"))
  end)

  it("carry other values where the model says so", function()
    local Base = la.declarative_base()
    local Sprite = Base:model "Sprite" { __tablename = "sprites", __extra = true, id = Column{ la.Integer, primary_key = true }, x = Column{ la.Double } }
    local handle = {}
    local sprite = Sprite{ x = 1, handle = handle }
    sprite.name = "hero"
    assert.equal(handle, sprite.handle)
    assert.equal("hero", sprite.name)
    assert.is_nil(sprite.nothing)
    sprite.name = nil
    assert.is_nil(sprite.name)
    local engine = la.create_engine("sqlite://")
    Base.metadata:create_all(engine)
    local session = la.Session(engine)
    session:add(sprite)
    session:commit()
    assert.equal(handle, sprite.handle)
  end)

  it("are walked by pairs and copied by to_table", function()
    local Thing = everything()
    local thing = Thing{ name = "x", count = 3 }
    local seen = {}
    for name, value in pairs(thing) do seen[name] = value end
    assert.same({ name = "x", count = 3 }, seen)
    assert.same({ name = "x", count = 3 }, thing:to_table())
  end)

  it("print their key", function()
    local Thing, session = everything()
    local thing = Thing{ name = "x" }
    assert.equal("Thing(new)", tostring(thing))
    session:add(thing)
    session:flush()
    assert.equal("Thing(id=1)", tostring(thing))
  end)

  it("work with names longer than Lua interns", function()
    local Base = la.declarative_base()
    local long = ("long_"):rep(10) .. "name"
    local Wide = Base:model "Wide" { __tablename = "wide", id = Column{ la.Integer, primary_key = true }, [long] = Column{ la.Integer } }
    local wide = Wide{ [long] = 5 }
    assert.equal(5, wide[("long_"):rep(10) .. "name"])
    wide[long] = 6
    assert.equal(6, wide[long])
  end)

  it("take many attributes", function()
    local Base = la.declarative_base()
    local declaration = { __tablename = "wide", id = Column{ la.Integer, primary_key = true } }
    for i = 1, 80 do declaration["c" .. i] = Column{ la.String(20) } end
    local Wide = Base:model "Wide"(declaration)
    local values = {}
    for i = 1, 80 do values["c" .. i] = "value " .. i end
    local wide = Wide(values)
    assert.equal("value 80", wide.c80)
    assert.equal("value 1", wide.c1)
  end)

  it("get defaults when they are flushed", function()
    local league = shared.league()
    local ann = league.Player{ name = "Ann" }
    assert.is_nil(ann.score)
    league.session:add(ann)
    league.session:flush()
    assert.equal(0.0, ann.score)
    assert.is_not_nil(ann.joined)
  end)

  it("call default functions, and bring their errors out as they are", function()
    local Base = la.declarative_base()
    local answer = 5
    local Dog = Base:model "Dog" {
      __tablename = "dogs", id = Column{ la.Integer, primary_key = true },
      age = Column{ la.Integer, default = function() return type(answer) == "function" and answer() or answer end },
      name = Column{ la.String(100), default = function() return ("x"):rep(60) end },
    }
    local engine = la.create_engine("sqlite://")
    Base.metadata:create_all(engine)
    local session = la.Session(engine)
    local rex = Dog{}
    session:add(rex)
    session:commit()
    assert.equal(5, rex.age)
    assert.equal(("x"):rep(60), rex.name)
    local thrown = {}
    answer = function() error(thrown) end
    session:add(Dog{})
    assert.equal(thrown, raised(session.commit, session))
    session:rollback()
    answer = "seven"
    session:add(Dog{})
    assert.matches("age", tostring(raised(session.commit, session)))
    session:rollback()
    answer = 9
    session:add(Dog{})
    session:commit()
    assert.equal(2, session:scalar(la.select(la.func.count()):select_from(Dog)))
  end)
end)
