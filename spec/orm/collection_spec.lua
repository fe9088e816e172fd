-- luacheck: no max line length
local la = require "lualchemy"
local shared = dofile "spec/orm/shared.lua"
local raised = shared.raised

describe("a list of related objects", function()
  it("behaves as a Lua list does", function()
    local league = shared.league()
    local Player = league.Player
    local red = league.Team{ name = "Red" }
    local a, b, c = Player{ name = "a" }, Player{ name = "b" }, Player{ name = "c" }
    assert.equal(0, #red.players)
    table.insert(red.players, a)
    red.players[#red.players + 1] = b
    table.insert(red.players, 1, c)
    assert.equal("c a b", shared.names(red.players))
    assert.equal(c, red.players[1])
    assert.is_nil(red.players[4])
    assert.equal(a, table.remove(red.players, 2))
    assert.equal(b, table.remove(red.players))
    assert.equal("c", shared.names(red.players))
    red.players[1] = a
    assert.equal("a", shared.names(red.players))
    red.players[1] = nil
    assert.equal(0, #red.players)
    assert.is_nil(table.remove(red.players))
    for _, player in ipairs{ a, b, c } do red.players:append(player) end
    local seen = {}
    for i, player in ipairs(red.players) do seen[i] = player.name end
    assert.equal("a b c", table.concat(seen, " "))
    seen = {}
    for i, player in pairs(red.players) do seen[i] = player.name end
    assert.equal("a b c", table.concat(seen, " "))
    seen = {}
    for player in red.players:iter() do seen[#seen + 1] = player.name end
    assert.equal("a b c", table.concat(seen, " "))
    assert.equal(c, (select(3, table.unpack(red.players))))
  end)

  it("has methods", function()
    local league = shared.league()
    local Player = league.Player
    local red = league.Team{ name = "Red" }
    local a, b, c = Player{ name = "a" }, Player{ name = "b" }, Player{ name = "c" }
    red.players:extend{ a, c }
    red.players:insert(2, b)
    assert.equal("a b c", shared.names(red.players))
    assert.is_true(red.players:contains(b))
    assert.equal(2, red.players:index(b))
    red.players:remove(b)
    assert.is_false(red.players:contains(b))
    assert.is_nil(red.players:index(b))
    assert.equal(c, red.players:pop())
    assert.equal(a, red.players:pop(1))
    assert.is_nil(red.players:pop())
    red.players:extend{ a, b, c }
    assert.equal("table", type(red.players:to_list()))
    assert.equal("a b c", shared.names(red.players:to_list()))
    red.players:clear()
    assert.equal(0, #red.players)
    assert.is_nil(a.team)
    assert.equal("InvalidRequestError", raised(red.players.remove, red.players, a).kind)
  end)

  it("refuses what is no object of the other model, and holes", function()
    local league = shared.league()
    local red = league.Team{ name = "Red", players = { league.Player{ name = "a" } } }
    local list = red.players
    assert.matches("Team.players is a list of Player objects; a string came", raised(list.append, list, "x").message, 1, true)
    assert.matches("Team.players", raised(list.append, list, league.Team{ name = "Blue" }).message, 1, true)
    assert.equal("ArgumentError", raised(function() list[3] = league.Player{ name = "x" } end).kind)
    assert.equal("ArgumentError", raised(function() list[0] = league.Player{ name = "x" } end).kind)
    assert.equal("ArgumentError", raised(function() list.x = league.Player{ name = "x" } end).kind)
    list:append(league.Player{ name = "b" })
    assert.matches("hole", raised(function() list[1] = nil end).message)
    assert.matches("takes a list", raised(function() red.players = "x" end).message)
    assert.matches("one Team object or nil", raised(function() league.Player{ name = "x" }.team = "x" end).message)
    assert.equal(2, #list)
    assert.matches("no method 'apend'", raised(function() list:apend(1) end).message)
  end)

  it("keeps the other side in step", function()
    local league = shared.league()
    local Team, Player = league.Team, league.Player
    local red, blue = Team{ name = "Red" }, Team{ name = "Blue" }
    local a = Player{ name = "a", team = red }
    assert.equal(a, red.players[1])
    a.team = blue
    assert.equal(0, #red.players)
    assert.equal(a, blue.players[1])
    red.players:append(a)
    assert.equal(0, #blue.players)
    assert.equal(red, a.team)
    a.team = nil
    assert.equal(0, #red.players)
    red.players = { a, Player{ name = "b" } }
    assert.equal(red, a.team)
    red.players = { red.players[2] }
    assert.is_nil(a.team)
    assert.equal("b", shared.names(red.players))
  end)

  it("replaces its content with as few events as there are changes", function()
    local league = shared.league()
    local Team, Player = league.Team, league.Player
    local log = {}
    la.event.listen(Team.players, "append", function(_, player) log[#log + 1] = "+" .. player.name end)
    la.event.listen(Team.players, "remove", function(_, player) log[#log + 1] = "-" .. player.name end)
    local a, b, c, d = Player{ name = "a" }, Player{ name = "b" }, Player{ name = "c" }, Player{ name = "d" }
    local red = Team{ name = "Red", players = { a, b, c } }
    assert.equal("+a +b +c", table.concat(log, " "))
    log = {}
    red.players = { c, d, a }
    assert.equal("+d -b", table.concat(log, " "))
    assert.equal("c d a", shared.names(red.players))
    log = {}
    table.insert(red.players, 1, b)
    assert.equal("+b", table.concat(log, " "))
    log = {}
    table.remove(red.players, 2)
    assert.equal("-c", table.concat(log, " "))
    assert.equal("b d a", shared.names(red.players))
  end)

  it("is as a plain list under random changes, and the other side agrees", function()
    local league = shared.league()
    local Team, Player = league.Team, league.Player
    local random = (function(seed)
      return function(n)
        seed = (seed * 1103515245 + 12345) % 2147483648
        return seed // 65536 % n + 1
      end
    end)(7)
    local teams, plain, players = { Team{ name = "A" }, Team{ name = "B" } }, { {}, {} }, {}
    for i = 1, 12 do players[i] = Player{ name = "p" .. i } end
    local function drop(player)
      for _, list in ipairs(plain) do
        for i = #list, 1, -1 do if list[i] == player then table.remove(list, i) end end
      end
    end
    local operations = {
      function(t) local p = players[random(12)] drop(p) teams[3 - t].players:append(p) table.insert(plain[3 - t], p)
        -- moved within one list: appended once more, then the first one goes
      end,
      function(t)
        local list = plain[t]
        if #list == 0 then return end
        local i = random(#list)
        assert.equal(table.remove(list, i), table.remove(teams[t].players, i))
      end,
      function(t)
        local p = players[random(12)]
        if p.team then return end
        local i = random(#plain[t] + 1)
        table.insert(plain[t], i, p)
        table.insert(teams[t].players, i, p)
      end,
      function(t)
        local p = players[random(12)]
        if p.team == teams[t] then return end
        drop(p)
        p.team = teams[t]
        table.insert(plain[t], p)
      end,
      function(t)
        local list = {}
        for _, p in ipairs(plain[t]) do if random(3) > 1 then table.insert(list, random(#list + 1), p) end end
        teams[t].players = list
        plain[t] = { table.unpack(list) }
      end,
    }
    for round = 1, 600 do
      local which, t = random(#operations), random(2)
      if which == 1 then
        local p = players[random(12)]
        if p.team ~= teams[t] then
          drop(p)
          teams[t].players:append(p)
          table.insert(plain[t], p)
        end
      else
        operations[which](t)
      end
      for k = 1, 2 do
        assert.equal(#plain[k], #teams[k].players, round)
        for i, p in ipairs(plain[k]) do
          assert.equal(p, teams[k].players[i], round)
          assert.equal(teams[k], p.team, round)
        end
      end
      for _, p in ipairs(players) do
        if p.team then assert.is_true(p.team.players:contains(p), round) end
      end
    end
  end)

  it("is stored, and read again in order", function()
    local league = shared.filled()
    local session = league.session
    local red = session:query(league.Team):filter_by{ name = "Red" }:one()
    assert.equal("Ann Bo", shared.names(red.players))
    table.insert(red.players, league.Player{ name = "Di" })
    session:commit()
    local list = red.players
    assert.equal("Ann Bo Di", shared.names(list))
    session:execute(la.text "insert into players (name, team_id) values ('Ed', 1)")
    session:commit()
    assert.equal("Ann Bo Di Ed", shared.names(list))
  end)

  it("gives up its orphans", function()
    local league = shared.filled()
    local session = league.session
    local red = session:get(league.Team, 1)
    local ann = red.players[1]
    table.remove(red.players, 1)
    session:commit()
    assert.is_nil(session:get(league.Player, 1))
    assert.is_true(la.inspect(ann).detached)
    assert.equal("Bo", shared.names(red.players))
  end)

  it("lets its items go when there is no delete-orphan", function()
    local league = shared.filled{ cascade = "save-update" }
    local session = league.session
    local red = session:get(league.Team, 1)
    local ann = table.remove(red.players, 1)
    session:commit()
    assert.is_nil(ann.team_id)
    assert.is_nil(ann.team)
    assert.equal(3, session:query(league.Player):count())
    session:delete(red)
    session:commit()
    assert.equal(3, session:query(league.Player):count())
    assert.equal(2, session:query(league.Player):filter(league.Player.team_id:is_(nil)):count())
  end)

  it("deletes with its owner", function()
    local league = shared.filled()
    league.session:delete(league.session:get(league.Team, 1))
    league.session:commit()
    assert.equal(1, league.session:query(league.Player):count())
  end)

  it("survives garbage collection through all of it", function()
    local league = shared.league()
    local session, Team, Player = league.session, league.Team, league.Player
    collectgarbage("generational")
    for i = 1, 20 do
      local team = Team{ name = "team " .. i }
      session:add(team)
      for k = 1, 20 do
        team.players:append(Player{ name = ("player %d of %d"):format(k, i) })
        if k % 7 == 0 then collectgarbage() end
      end
    end
    session:commit()
    local count = 0
    for team in session:scalars(la.select(Team)) do
      for _, player in ipairs(team.players) do
        assert.equal(team, player.team)
        count = count + 1
        if count % 50 == 0 then collectgarbage() end
      end
    end
    collectgarbage("incremental")
    assert.equal(400, count)
  end)
end)
