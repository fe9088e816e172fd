-- luacheck: no max line length
-- Options in the wrong place, misspelt or of another kind: what takes options passes over none of them.
local la = require "lualchemy"
local fails = dofile("spec/core/world.lua").fails

local metadata = la.MetaData()
local things = la.Table { "things", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "name", la.String(20) } }
local Base = la.declarative_base()
local Thing = Base:model "Thing" { __table = things }

local function nothing() end

describe("options", function()
  local engine, connection, session
  before_each(function()
    engine = la.create_engine "sqlite://"
    metadata:create_all(engine)
    connection, session = engine:connect(), la.Session(engine)
  end)
  after_each(function()
    session:close()
    connection:close()
  end)

  local query = la.select(things.c.id)

  -- what is said of it, by what is written
  local refused = {
    ["has no option 'pool_sizes'; the nearest is 'pool_size'"] = function() la.create_engine("sqlite://", { pool_sizes = 2 }) end,
    ["the options of create_engine are a table"] = function() la.create_engine("sqlite://", "pool_size") end,
    ["the options of execute have names"] = function() connection:execute(query, nil, { 100 }) end,
    ["the options of execute are a table"] = function() connection:execute(query, nil, 100) end,
    ["engine:compile takes a statement alone"] = function() engine:compile(query, { literal_binds = true }) end,
    ["listeners of an engine have no options"] = function() la.event.listen(engine, "commit", nothing, { once = true }) end,
    ["listen has no option 'onse'; the nearest is 'once'"] = function() la.event.listen(Thing, "load", nothing, { onse = true }) end,
    ["include_columns: table 'things' has no column 'nme'; the nearest is 'name'"] = function()
      la.Table { "things", la.MetaData(), autoload_with = engine, include_columns = { "id", "nme" } }
    end,
    ["option 'include_columns' of Table must be a table"] = function()
      la.Table { "things", la.MetaData(), autoload_with = engine, include_columns = "id" }
    end,
    ["option 'resolve_fks' of Table must be a boolean"] = function() la.Table { "things", la.MetaData(), autoload_with = engine, resolve_fks = "no" } end,
    ["reflect takes one table"] = function() la.MetaData():reflect(engine, { views = true }) end,
    ["options of run_transaction have names"] = function() engine:run_transaction(nothing, { 3 }) end,
    ["backoff of run_transaction is a number from 0 on, not -1"] = function() session:run_transaction(nothing, { backoff = -1 }) end,
    ["Session takes one engine"] = function() la.Session(engine, { true }) end,
    ["session:get has no option 'populate_existng'; the nearest is 'populate_existing'"] = function() session:get(Thing, 1, { populate_existng = true }) end,
    ["session:merge takes an object alone"] = function() session:merge(Thing { id = 1 }, { load = false }) end,
    ["session:flush takes nothing"] = function() session:flush { Thing { id = 1 } } end,
    ["a list of names of attributes"] = function() session:refresh(Thing { id = 1 }, { attribute_names = { "name" } }) end,
    ["the options of execute have names: { yield_per = 100 }"] = function() session:execute(query, nil, { 100 }) end,
    ["delete expects a table, an alias of one, or a model"] = function() la.delete(query:subquery "s") end,
    ["synchronize_session is false, or one of"] = function()
      session:execute(la.update(Thing):where(Thing.id:eq(1)):values { name = "x" }, nil, { synchronize_session = "fetsch" })
    end,
  }

  for message, run in pairs(refused) do
    it("are refused: " .. message, function() fails("ArgumentError", run, message) end)
  end

  it("session:get reads again what is loaded when it is told to", function()
    session:add(Thing { id = 1, name = "as it was" })
    session:flush()
    local thing = session:get(Thing, 1)
    session:connection():execute(things:update():where(things.c.id:eq(1)):values { name = "as it is" })
    assert.equal("as it was", session:get(Thing, 1).name)
    assert.equal("as it was", session:get(Thing, 1, { populate_existing = false }).name)
    assert.equal(thing, session:get(Thing, 1, { populate_existing = true }))
    assert.equal("as it is", thing.name)
    thing.name = "changed"
    assert.equal("changed", session:get_one(Thing, 1, { populate_existing = true }).name)
    assert.is_nil(session:get(Thing, 7, { populate_existing = true }))
    fails("NoResultFound", function() session:get_one(Thing, 7, { populate_existing = true }) end)
  end)
end)
