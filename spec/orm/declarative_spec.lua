-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
local raised = shared.raised

describe("declarative models", function()
  it("make a table with the columns in the order in which they are written", function()
    local league = shared.league()
    local names = {}
    for i, column in ipairs(la.inspect(league.Player).column_attrs) do names[i] = column.key end
    assert.equal("id name shirt score joined team_id", table.concat(names, " "))
    assert.equal("players", league.Player.__table.name)
    assert.equal("Integer", tostring(league.Player.__table.c.team_id.type))
  end)

  it("are tables with an expression for each attribute", function()
    local Player = shared.league().Player
    assert.equal("players.score >= :score_1", tostring(Player.score:ge(10)))
    assert.equal("Player", tostring(Player))
    assert.equal("Player.team", tostring(Player.team))
  end)

  it("take methods, as functions in the declaration or later", function()
    local Base = la.declarative_base()
    local Dog = Base:model "Dog" {
      __tablename = "dogs",
      id = Column{ la.Integer, primary_key = true },
      name = Column{ la.String(20) },
      bark = function(self) return self.name .. "!" end,
    }
    function Dog:growl() return "rr " .. self.name end
    Dog.LEGS = 4
    local rex = Dog{ name = "Rex" }
    assert.equal("Rex!", rex:bark())
    assert.equal("rr Rex", rex:growl())
    assert.equal(4, rex.LEGS)
  end)

  it("let an attribute have another name than its column", function()
    local Base = la.declarative_base()
    local Dog = Base:model "Dog" {
      __tablename = "dogs",
      id = Column{ la.Integer, primary_key = true },
      name = Column{ "dog_name", la.String(20) },
    }
    local engine = la.create_engine("sqlite://")
    Base.metadata:create_all(engine)
    local session = la.Session(engine)
    session:add(Dog{ name = "Rex" })
    session:commit()
    assert.equal("Rex", session:scalars(la.select(Dog):where(Dog.name:eq "Rex")):one().name)
    assert.equal("Rex", session:execute(la.text "select dog_name from dogs"):scalar())
    assert.equal("Rex", session:scalars(la.select(Dog):where{ name = "Rex" }):one().name)
  end)

  it("can be made over a table that is there", function()
    local Base = la.declarative_base()
    local dogs = la.Table{ "dogs", Base.metadata, Column{ "id", la.Integer, primary_key = true }, Column{ "name", la.String(20) } }
    local Dog = Base:model "Dog" { __table = dogs }
    assert.equal("Rex", Dog{ name = "Rex" }.name)
    assert.equal(dogs, Dog.__table)
  end)

  it("refuse what they do not know, naming the nearest", function()
    local Base = la.declarative_base()
    local err = raised(function() Base:model "A" { __tabelname = "a", id = Column{ la.Integer, primary_key = true } } end)
    assert.equal("ArgumentError", err.kind)
    assert.matches("__tablename", err.message)
    assert.matches("write id = Column", raised(function() Base:model "A" { __tablename = "a", id = la.Integer } end).message, 1, true)
    assert.matches("primary key", raised(function() Base:model "A" { __tablename = "a", x = Column{ la.Integer } } end).message)
    assert.matches("needs __tablename", raised(function() Base:model "A" { id = Column{ la.Integer, primary_key = true } } end).message)
    assert.matches("relationship has no option 'back_populate'; the nearest is 'back_populates'",
      raised(function() relationship{ "A", back_populate = "x" } end).message, 1, true)
  end)

  it("refuse unknown attributes of the model, and additions of columns", function()
    local Player = shared.league().Player
    assert.matches("Player has no attribute 'nmae'; the nearest is 'name'", raised(function() return Player.nmae end).message, 1, true)
    assert.matches("comes too late", raised(function() Player.extra = Column{ la.Integer } end).message)
  end)

  it("refuse a second model of the same name", function()
    local league = shared.league()
    local err = raised(function() league.Base:model "Team" { __tablename = "x", id = Column{ la.Integer, primary_key = true } } end)
    assert.matches("Team", err.message)
  end)

  it("tell of relationships that cannot be found, when they are first used", function()
    local Base = la.declarative_base()
    local A = Base:model "A" {
      __tablename = "a", id = Column{ la.Integer, primary_key = true }, bs = relationship{ "Bee" },
    }
    local err = raised(function() A{} end)
    assert.matches("A%.bs", err.message)
    assert.matches("Bee", err.message)
    Base:model "Bee" { __tablename = "b", id = Column{ la.Integer, primary_key = true }, a_id = Column{ ForeignKey "a.id" } }
    assert.equal(0, #A{}.bs)
  end)

  it("tell of relationships without a foreign key", function()
    local Base = la.declarative_base()
    local A = Base:model "A" { __tablename = "a", id = Column{ la.Integer, primary_key = true }, bs = relationship{ "B" } }
    Base:model "B" { __tablename = "b", id = Column{ la.Integer, primary_key = true } }
    assert.equal("NoForeignKeysError", raised(function() A{} end).kind)
  end)

  it("tell of order_by and cascade that cannot be right", function()
    local Base = la.declarative_base()
    local A = Base:model "A" { __tablename = "a", id = Column{ la.Integer, primary_key = true }, bs = relationship{ "B", order_by = "B.nmae" } }
    Base:model "B" {
      __tablename = "b", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(9) }, a_id = Column{ ForeignKey "a.id" },
    }
    assert.matches("the nearest is 'name'", raised(function() A{} end).message)
    local err = raised(function()
      la.declarative_base():model "C" { __tablename = "c", id = Column{ la.Integer, primary_key = true }, ds = relationship{ "D", cascade = "all, delete-orfan" } }
    end)
    assert.matches("delete%-orphan", err.message)
  end)

  it("give mappers to inspect", function()
    local league = shared.league()
    local mapper = la.inspect(league.Team)
    assert.equal("Team", mapper.name)
    assert.equal(league.Team, mapper.class)
    assert.equal("id", mapper.primary_key[1])
    assert.equal("ONETOMANY", mapper.relationships[1].direction)
    assert.equal("MANYTOONE", la.inspect(league.Player).relationships[1].direction)
    assert.equal(league.Player, mapper.relationships[1].mapper.class)
  end)
end)
