-- luacheck: no max line length
-- Deleting through a session: cascades, what autoflush has to do with it, and what a plan and a listener may do.
local la = require "lualchemy"
local Column, ForeignKey, relationship, Integer = la.Column, la.ForeignKey, la.relationship, la.Integer

local Base = la.declarative_base()

local Node = Base:model "Node" {
  __tablename = "nodes",
  id    = Column{ Integer, primary_key = true },
  name  = Column{ la.String(80) },
  edges = relationship{ "Edge", back_populates = "source", foreign_keys = "Edge.source_id", cascade = "all, delete-orphan" },
  into  = relationship{ "Edge", back_populates = "target", foreign_keys = "Edge.target_id" },
}

local Edge = Base:model "Edge" {
  __tablename = "edges",
  source_id = Column{ ForeignKey "nodes.id", primary_key = true },
  place     = Column{ Integer, primary_key = true },
  target_id = Column{ ForeignKey "nodes.id", nullable = false },
  source    = relationship{ "Node", back_populates = "edges", foreign_keys = "Edge.source_id" },
  target    = relationship{ "Node", back_populates = "into", foreign_keys = "Edge.target_id" },
}

describe("an object alone in its place", function()
  local Owner = Base:model "Owner" {
    __tablename = "owners",
    id   = Column{ Integer, primary_key = true },
    card = relationship{ "Card", back_populates = "owner", uselist = false, cascade = "all, delete-orphan" },
  }
  local Card = Base:model "Card" {
    __tablename = "cards",
    id       = Column{ Integer, primary_key = true },
    owner_id = Column{ ForeignKey "owners.id" },
    owner    = relationship{ "Owner", back_populates = "card" },
  }

  for name, change in pairs{
    ["is replaced"] = function(owner) owner.card = Card{ id = 2 } end,
    ["is taken away"] = function(owner) owner.card = nil end,
    ["goes with its owner"] = function(owner, session) session:delete(owner) end,
    ["is taken away from an owner who goes"] = function(owner, session)
      owner.card = nil
      session:delete(owner)
    end,
  } do
    it("is deleted as an orphan when it " .. name, function()
      local engine = la.create_engine "sqlite://"
      Base.metadata:create_all(engine)
      local session <close> = la.Session(engine)
      session:add(Owner{ id = 1, card = Card{ id = 1 } })
      session:commit()
      local owner = session:get(Owner, 1)
      assert.equal(1, owner.card.id)
      change(owner, session)
      session:commit()
      assert.is_nil(session:get(Card, 1))
      assert.equal(name == "is replaced" and 1 or 0, session:query(Card):count())
    end)
  end
end)

describe("an object told of its owner", function()
  local Team = Base:model "Team" {
    __tablename = "teams",
    id      = Column{ Integer, primary_key = true },
    players = relationship{ "Player", back_populates = "team", order_by = "Player.id" },
  }
  local Player = Base:model "Player" {
    __tablename = "players",
    id      = Column{ Integer, primary_key = true },
    team_id = Column{ ForeignKey "teams.id" },
    team    = relationship{ "Team", back_populates = "players" },
  }

  local function count(session, team) return #session:no_autoflush(function() return team.players end) end

  it("stands in the list once, whatever it was before", function()
    local engine = la.create_engine "sqlite://"
    Base.metadata:create_all(engine)
    local session <close> = la.sessionmaker{ bind = engine, expire_on_commit = false }()
    local team = Team{ id = 1 }
    local new = Player{ id = 1, team = team }
    new.team = team
    assert.equal(1, #team.players)
    new.team = nil
    new.team = team
    assert.equal(1, #team.players)
    session:add(team)
    session:commit()

    session:expire_all()
    local player = session:get(Player, 1)
    player.team = nil
    assert.equal(0, count(session, session:get(Team, 1)))
    player.team = team
    assert.equal(1, count(session, team))
    session:rollback()

    local again = session:scalars(la.select(Team):options(la.selectinload(Team.players))):one()
    local kept = again.players[1]
    session:close()
    kept.team = again
    assert.equal(1, #again.players)
  end)
end)

describe("session:delete", function()
  local engine, session, a, b, c

  before_each(function()
    engine = la.create_engine "sqlite://"
    Base.metadata:create_all(engine)
    do
      local filling <close> = la.Session(engine)
      local x, y, z = Node{ id = 1, name = "a" }, Node{ id = 2, name = "b" }, Node{ id = 3, name = "c" }
      x.edges = { Edge{ place = 1, target = y }, Edge{ place = 2, target = z } }
      y.edges = { Edge{ place = 1, target = z } }
      filling:add(x)
      filling:commit()
    end
    session = la.Session(engine)
    a, b, c = table.unpack(session:scalars(la.select(Node):order_by(Node.id)):all())
  end)

  after_each(function() session:close() end)

  local function rows()
    local lines = {}
    local query = "select s.name || place || t.name from edges"
      .. " join nodes as s on s.id = source_id join nodes as t on t.id = target_id order by 1"
    engine:begin(function(connection)
      for line in connection:execute(la.text(query)):scalars() do lines[#lines + 1] = line end
    end)
    return table.concat(lines, " ")
  end

  it("follows the cascade of every object, though loading for the first one flushes", function()
    a.name = "changed"
    session:delete(a)
    session:delete(b)
    session:delete(c)
    session:commit()
    assert.equal("", rows())
    assert.equal(0, session:query(Node):count())
  end)

  it("takes what is new and was flushed for the load along", function()
    session:add(Edge{ source_id = 3, place = 7, target_id = 1 })
    session:delete(c)
    session:delete(b)
    session:delete(a)
    session:commit()
    assert.equal("", rows())
  end)

  it("deletes an orphan, and its new target's old one", function()
    a.edges[1].target = c
    a.edges:remove(a.edges[2])
    session:delete(b)
    session:commit()
    assert.equal("a1c", rows())
  end)

  it("deletes what its object had let go of before", function()
    a.edges = {}
    b.edges:remove(b.edges[1])
    session:delete(b)
    session:delete(a)
    session:commit()
    assert.equal("", rows())
    assert.equal(1, session:query(Node):count())
  end)

  it("is shown by a plan, which writes nothing", function()
    a.edges:remove(a.edges[1])
    session:delete(b)
    local plan = session:plan()
    assert.truthy(plan:find("delete from edges: 2 Edge", 1, true), plan)
    assert.equal(plan, session:plan())
    session:rollback()
    assert.equal("a1b a2c b1c", rows())
    session:delete(a)
    assert.truthy(session:plan():find("delete from nodes: 1 Node", 1, true))
    session:commit()
    assert.equal("b1c", rows())
  end)

  it("may be asked for by a listener to before_flush, which may also query", function()
    local told = 0
    la.event.listen(session, "before_flush", function(flushing)
      told = told + 1
      assert.equal(3, #flushing:scalars(la.select(Node)):all())
      flushing:delete(b)
      local ok, err = pcall(flushing.flush, flushing)
      assert.is_false(ok)
      assert.truthy(la.is_error(err, "InvalidRequestError"), tostring(err))
    end)
    a.edges:remove(a.edges[1])
    session:commit()
    assert.equal(1, told)
    assert.equal("a2c", rows())
  end)

  it("lets go of rows that refer to each other, where post_update says how", function()
    local Circle = la.declarative_base()
    local Widget = Circle:model "Widget" {
      __tablename = "widgets",
      id = la.Column{ la.Integer, primary_key = true },
      name = la.Column{ la.String(80) },
      owner_id = la.Column{ la.ForeignKey "owners.id" },
      owner = la.relationship{ "Owner", foreign_keys = "Widget.owner_id", back_populates = "widgets" },
    }
    local Owner = Circle:model "Owner" {
      __tablename = "owners",
      id = la.Column{ la.Integer, primary_key = true },
      favourite_id = la.Column{ la.ForeignKey "widgets.id" },
      widgets = la.relationship{ "Widget", foreign_keys = "Widget.owner_id", back_populates = "owner" },
      favourite = la.relationship{ "Widget", foreign_keys = "Owner.favourite_id", post_update = true },
    }
    local database = la.create_engine "sqlite://"
    Circle.metadata:create_all(database)
    local work <close> = la.Session(database)
    local owner = Owner{ widgets = { Widget{ name = "a" }, Widget{ name = "b" } } }
    owner.favourite = owner.widgets[2]
    work:add(owner)
    work:commit()
    local favourite = la.text "select name from widgets join owners on widgets.id = favourite_id"
    assert.equal("b", work:execute(favourite):scalar())
    for _, widget in ipairs(owner.widgets) do work:delete(widget) end
    work:delete(owner)
    work:rollback()
    assert.equal("b", owner.favourite.name)
    for _, widget in ipairs(owner.widgets) do work:delete(widget) end
    work:delete(owner)
    work:commit()
    local left = la.text "select (select count(*) from widgets) + (select count(*) from owners)"
    assert.equal(0, work:execute(left):scalar())
  end)
end)
