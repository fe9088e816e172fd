-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local Column, ForeignKey, relationship = la.Column, la.ForeignKey, la.relationship
local raised, open = shared.raised, shared.open

describe("one to one", function()
  local Base = la.declarative_base()
  local User = Base:model "User" {
    __tablename = "users", id = Column{ la.Integer, primary_key = true },
    profile = relationship{ "Profile", back_populates = "user", uselist = false, cascade = "all, delete-orphan" },
  }
  local Profile = Base:model "Profile" {
    __tablename = "profiles", id = Column{ la.Integer, primary_key = true }, user_id = Column{ ForeignKey "users.id" }, bio = Column{ la.Text },
    user = relationship{ "User", back_populates = "profile" },
  }

  it("is a scalar on both sides", function()
    local session = open(Base)
    local user = User{ profile = Profile{ bio = "x" } }
    assert.equal(user, user.profile.user)
    session:add(user)
    session:commit()
    assert.equal("x", user.profile.bio)
    assert.equal(user.id, user.profile.user_id)
    local other = Profile{ bio = "y" }
    user.profile = other
    session:commit()
    assert.equal("y", user.profile.bio)
    assert.equal(1, session:query(Profile):count())
    user.profile = nil
    session:commit()
    assert.is_nil(user.profile)
    assert.equal(0, session:query(Profile):count())
  end)
end)

describe("many to many", function()
  local Base = la.declarative_base()
  local links = la.Table{ "post_tags", Base.metadata,
    Column{ "post_id", ForeignKey "posts.id", primary_key = true }, Column{ "tag_id", ForeignKey "tags.id", primary_key = true } }
  local Post = Base:model "Post" {
    __tablename = "posts", id = Column{ la.Integer, primary_key = true }, title = Column{ la.String(50) },
    tags = relationship{ "Tag", secondary = links, back_populates = "posts", order_by = "Tag.name" },
  }
  local Tag = Base:model "Tag" {
    __tablename = "tags", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(20), unique = true },
    posts = relationship{ "Post", secondary = "post_tags", back_populates = "tags", order_by = { "Post.title desc" } },
  }

  local function filled()
    local session, statements = open(Base)
    local lua, sql = Tag{ name = "lua" }, Tag{ name = "sql" }
    session:add_all{ Post{ title = "one", tags = { lua, sql } }, Post{ title = "two", tags = { sql } }, Post{ title = "three" } }
    session:commit()
    return session, statements
  end

  it("keeps the link rows", function()
    local session = filled()
    local function count() return session:execute(la.text "select count(*) from post_tags"):scalar() end
    assert.equal(3, count())
    local one = session:query(Post):filter_by{ title = "one" }:one()
    assert.equal("lua sql", shared.names(one.tags))
    table.remove(one.tags, 1)
    session:commit()
    assert.equal(2, count())
    session:delete(one)
    session:commit()
    assert.equal(1, count())
    assert.equal(2, session:query(Tag):count())
  end)

  it("works from both sides", function()
    local session = filled()
    local sql = session:query(Tag):filter_by{ name = "sql" }:one()
    local three = session:query(Post):filter_by{ title = "three" }:one()
    assert.equal("two", sql.posts[1].title)
    assert.equal("one", sql.posts[2].title)
    sql.posts:append(three)
    assert.equal(sql, three.tags[1])
    session:commit()
    assert.equal(3, #sql.posts)
    three.tags = {}
    session:commit()
    assert.equal(2, #sql.posts)
  end)

  it("is joined, and asked by any and contains", function()
    local session = filled()
    local titles = session:scalars(la.select(Post.title):join(Post.tags):where(Tag.name:eq "sql"):order_by(Post.title)):all()
    assert.same({ "one", "two" }, titles)
    local found = session:query(Post):filter(Post.tags:any(Tag.name:eq "lua")):all()
    assert.equal(1, #found)
    assert.equal("one", found[1].title)
    local sql = session:query(Tag):filter_by{ name = "sql" }:one()
    assert.equal(2, session:query(Post):filter(Post.tags:contains(sql)):count())
    assert.equal(1, session:query(Post):filter(la.not_(Post.tags:any())):count())
  end)

  it("is loaded for many at once", function()
    local session, statements = filled()
    local posts = session:query(Post):order_by(Post.id):all()
    statements:clear()
    local count = 0
    for _, post in ipairs(posts) do count = count + #post.tags end
    assert.equal(3, count)
    assert.is_true(statements:count() <= 2)
    session:expunge_all()
    statements:clear()
    posts = session:query(Post):options(la.selectinload(Post.tags)):order_by(Post.id):all()
    assert.equal("lua sql", shared.names(posts[1].tags))
    assert.equal(0, #posts[3].tags)
    assert.equal(2, statements:count())
    session:expunge_all()
    statements:clear()
    posts = session:query(Post):options(la.joinedload(Post.tags)):order_by(Post.id):all()
    assert.equal(3, #posts)
    assert.equal("lua sql", shared.names(posts[1].tags))
    assert.equal(0, #posts[3].tags)
    assert.equal(1, statements:count())
  end)
end)

describe("a tree in one table", function()
  local Base = la.declarative_base()
  local Node = Base:model "Node" {
    __tablename = "nodes", id = Column{ la.Integer, primary_key = true }, name = Column{ la.String(20) }, parent_id = Column{ ForeignKey "nodes.id" },
    children = relationship{ "Node", back_populates = "parent", cascade = "all, delete-orphan", order_by = "Node.id" },
    parent = relationship{ "Node", back_populates = "children", remote_side = "Node.id" },
  }

  local function filled()
    local session, statements = open(Base)
    session:add(Node{ name = "root", children = {
      Node{ name = "a", children = { Node{ name = "a1" }, Node{ name = "a2" } } }, Node{ name = "b", children = { Node{ name = "b1" } } } } })
    session:commit()
    session:expunge_all()
    statements:clear()
    return session, statements
  end

  local function print_tree(node)
    local parts = {}
    for i, child in ipairs(node.children) do parts[i] = print_tree(child) end
    return node.name .. (#parts > 0 and "(" .. table.concat(parts, " ") .. ")" or "")
  end

  it("is stored parents first and read again by level", function()
    local session, statements = filled()
    local root = session:query(Node):filter(Node.parent_id:is_(nil)):one()
    assert.equal("root(a(a1 a2) b(b1))", print_tree(root))
    assert.is_true(statements:count() <= 5, tostring(statements:count()))
    assert.equal(root, root.children[1].children[2].parent.parent)
  end)

  it("moves and deletes branches", function()
    local session = filled()
    local root = session:query(Node):filter_by{ name = "root" }:one()
    local a, b = root.children[1], root.children[2]
    b.children:append(a)
    session:commit()
    assert.equal("root(b(b1 a(a1 a2)))", print_tree(root):gsub("a%(a1 a2%) b1", "b1 a(a1 a2)"))
    session:delete(b)
    session:commit()
    assert.equal(1, session:query(Node):count())
  end)

  it("is joined with an alias of itself", function()
    local session = filled()
    local Child = la.aliased(Node)
    local rows = session:execute(la.select(Node.name, Child.name):join(Node.children:of_type(Child)):where(Node.name:eq "a"):order_by(Child.id)):all()
    assert.equal(2, #rows)
    assert.equal("a2", rows[2][2])
    rows = session:execute(la.select(Node, Child):join(Child, Node.children):where(Node.name:eq "b")):all()
    assert.equal("b", rows[1][1].name)
    assert.equal("b1", rows[1][2].name)
    assert.equal(rows[1][1], rows[1][2].parent)
    assert.equal("InvalidRequestError", raised(function() return la.select(Node):join(Node.children) end).kind)
    assert.equal(1, session:query(Node):filter(Node.children:any(Node.name:eq "a1")):count())
    assert.equal(2, session:query(Node):filter(Node.parent:has(Node.name:eq "root")):count())
    assert.equal(1, session:query(Node):filter(la.not_(Node.parent:has())):count())
  end)
end)

describe("questions about relationships", function()
  it("become joins, EXISTS and comparisons of keys", function()
    local league = shared.filled()
    local session, Team, Player = league.session, league.Team, league.Player
    local red = session:get(Team, 1)
    assert.equal("teams.id = players.team_id", tostring(la.select(Team.id):join(Team.players)):match "ON (.*)$")
    assert.equal(2, session:query(Player):join(Player.team):filter(Team.name:eq "Red"):count())
    assert.equal(2, session:query(Player):filter(Player.team:eq(red)):count())
    assert.equal(1, session:query(Player):filter(Player.team:ne(red)):count())
    assert.equal(0, session:query(Player):filter(Player.team:is_(nil)):count())
    assert.equal(2, session:query(Player):filter_by{ team = red }:count())
    assert.equal(1, session:query(Player):filter_by{ team = red, score = la.ge(15) }:count())
    assert.equal(1, session:query(Team):filter(Team.players:any(Player.score:ge(30))):count())
    assert.equal(1, session:query(Team):filter(Team.players:any{ name = "Cy" }):count())
    assert.equal(1, session:query(Team):filter(Team.players:contains(session:get(Player, 3))):count())
    assert.equal(2, session:query(Player):filter(Player.team:has{ name = "Red" }):count())
    session:add(Team{ name = "Green" })
    local rows = session:execute(la.select(Team.name, la.func.count(Player.id):label "n"):outerjoin(Team.players):group_by(Team.id):order_by(Team.name)):all()
    assert.equal(3, #rows)
    assert.equal(0, rows[2].n)
  end)

  it("are refused where they make no sense", function()
    local league = shared.filled()
    local Team, Player = league.Team, league.Player
    assert.matches("write :has", raised(function() return Player.team:any() end).message)
    assert.matches("write :any", raised(function() return Team.players:has() end).message)
    assert.matches("contains", raised(function() return Team.players:eq(nil) end).message)
    assert.matches("takes a Team object or nil", raised(function() return Player.team:eq(5) end).message)
    assert.matches("nearest", raised(function() return Team.players:contain(5) end).message)
    assert.matches("no value for 'id'", raised(function() return Player.team:eq(Team{}) end).message)
    assert.matches("nearest is 'team'", raised(function() return league.session:query(Player):filter_by{ taem = 1 } end).message)
  end)
end)
