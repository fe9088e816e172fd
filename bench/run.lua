-- Runs the workloads, lualchemy and the limit (and peers) beside one another, and prints a table for each database.
--
--   lua5.4 bench/run.lua [--database NAME] [--quick] [--rounds N] [--peers] [NAME...]      names: W2, W4.hit, W5 (all of W5), ...
--
-- Databases are sqlite, postgresql and mariadb (all of them unless said; the servers are started for the run); to be run
-- from the root of the tree.
--
-- Each measurement is a process of its own that prints "NAME VALUE". A round runs them all once, so that a
-- busy moment of the machine meets every side; the table shows medians, and (max - min) / median as spread.

local interpreter = arg[-1] or "lua"
local spawner = "build/bench/limit_sqlite"   -- which also starts processes and fills files

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- `limit`: its program, and what that needs to be built. Without `server` the database is in the process.
local databases = {
  { name = "sqlite", limit = "build/bench/limit_sqlite", needs = "libsqlite3-dev" },
  { name = "postgresql", limit = "build/bench/limit_pg", needs = "libpq-dev", server = true },
  { name = "mariadb", limit = "build/bench/limit_mysql", needs = "libmariadb-dev", server = true },
}

-- The bounds: a multiple of the limit for each database (times), an amount (at_most, in the unit of the row), how often
-- SQLAlchemy's time it fits (faster; judged with --peers), or nothing. Rows of sessions have to fit ten times on servers.
-- `limit` names the limit's workload where it is not the row's own; `ours` a row of lualchemy that stands for it; `on` the
-- databases that have it. Tables have `rows` people (as many as the size unless said) with `children` addresses each;
-- `changes`: they are others afterwards.
local here = { sqlite = true }
local rows = {
  { name = "W1", file = "insert", unit = "object", size = 100000, rows = 0, changes = true, session = true,
    times = { sqlite = 1.7, postgresql = 1.25, mariadb = 1.3 }, what = "insert new objects" },
  { name = "W2", file = "load", unit = "object", size = 100000, session = true,
    times = { sqlite = 1.5, postgresql = 1.5, mariadb = 1.8 }, what = "load objects" },
  { name = "W2.read", file = "load", unit = "object", size = 100000, session = true, times = { sqlite = 2.8 }, limit = "W2",
    what = "... and read all of them" },
  { name = "W3", file = "rows", unit = "row", size = 100000, times = { sqlite = 2.8, postgresql = 1.8 }, what = "rows as values" },
  { name = "W4", file = "point", unit = "query", size = 20000, rows = 100000, times = { sqlite = 3.4, postgresql = 1.2 },
    what = "select by key, built anew" },
  { name = "W4.miss", file = "point", unit = "get", size = 20000, rows = 100000, session = true, times = { sqlite = 2 },
    what = "session:get, not held" },
  { name = "W4.hit", file = "point", unit = "get", size = 20000, at_most = 100, on = here, what = "session:get, held" },
  { name = "W5.lazy", file = "related", unit = "parent", size = 5000, children = 10, session = true, what = "ten children each, lazy" },
  { name = "W5.joined", file = "related", unit = "parent", size = 5000, children = 10, session = true, what = "... joined" },
  { name = "W5.selectin", file = "related", unit = "parent", size = 5000, children = 10, session = true, what = "... selectin" },
  { name = "W6", file = "update", unit = "object", size = 100000, changes = true, session = true,
    times = { sqlite = 2, postgresql = 1.2 }, what = "change one attribute" },
  { name = "W6.idle.few", file = "update", unit = "flush", size = 100, limit = false, on = here, what = "flush nothing, 100 loaded" },
  { name = "W6.idle", file = "update", unit = "flush", size = 100000, ours = "W6.idle.few", times = { sqlite = 2 }, on = here,
    what = "... 100,000 loaded" },
  { name = "W7", file = "family", unit = "parent", size = 20000, rows = 0, changes = true, session = true, times = { sqlite = 2 },
    what = "insert, three children each" },
  { name = "W8.compile", file = "statement", unit = "stmt", size = 2000, limit = false, faster = 50, on = here,
    what = "build and compile" },
  { name = "W8.lookup", file = "statement", unit = "stmt", size = 2000, limit = false, faster = 50, on = here,
    what = "build and look up, cached" },
  { name = "W8.cached", file = "statement", unit = "stmt", size = 2000, limit = false, on = here,
    what = "... and execute on empty tables" },
  { name = "W9", file = "copy", unit = "row", size = 1000000, rows = 0, changes = true, times = { postgresql = 1.2 },
    on = { postgresql = true }, what = "copy rows in" },
  { name = "W10.memory", file = "memory", unit = "bytes", size = 1000000, at_most = 280, filled = true, on = here,
    what = "memory of an object" },
  { name = "W10.lua", with = "W10.memory", unit = "bytes", limit = false, on = here, what = "... in Lua's count" },
  { name = "W10.start", file = "start", unit = "start", at_most = 5e6, on = here, what = "start to first query" },
}

local peers = {
  { name = "luasql", command = quote(interpreter) .. " bench/peers/luasql_peer.lua", runs = { W1 = true, W2 = true, W3 = true },
    present = { sqlite = quote(interpreter) .. " -e 'require \"luasql.sqlite3\"'" } },
  { name = "sqlalchemy", command = "/usr/bin/python3 bench/peers/sqlalchemy_peer.py",
    present = { sqlite = "/usr/bin/python3 -c 'import sqlalchemy'", postgresql = "/usr/bin/python3 -c 'import sqlalchemy, psycopg2'",
      mariadb = "/usr/bin/python3 -c 'import sqlalchemy, pymysql'" },
    runs = { W1 = true, W2 = true, ["W2.read"] = true, W3 = true, W4 = true, ["W4.miss"] = true, ["W4.hit"] = true,
             ["W5.lazy"] = true, ["W5.joined"] = true, ["W5.selectin"] = true,
             W6 = true, W7 = true, ["W8.compile"] = true, ["W8.lookup"] = true, ["W8.cached"] = true } },
}

---- the command line ----

local rounds, quick, with_peers, wanted, wanted_databases = nil, false, false, {}, {}

-- W5 means each of W5.lazy, W5.joined, ...; a figure that comes with another row's is shown with it.
local function matches(row, name)
  return row.name == name or row.name:sub(1, #name + 1) == name .. "." or row.with == name
end

local function wants(row)
  for _, name in ipairs(wanted) do
    if matches(row, name) then return true end
  end
  return #wanted == 0
end

local function check_names()
  for _, name in ipairs(wanted) do
    local known = false
    for _, row in ipairs(rows) do known = known or matches(row, name) end
    if not known then error("no such workload: " .. name, 0) end
  end
  for name in pairs(wanted_databases) do
    local known = false
    for _, database in ipairs(databases) do known = known or database.name == name end
    if not known then error("no such database: " .. name .. "; there are sqlite, postgresql and mariadb", 0) end
  end
end

local function read_arguments()
  local i = 1
  while arg[i] do
    if arg[i] == "--quick" then quick = true
    elseif arg[i] == "--peers" then with_peers = true
    elseif arg[i] == "--rounds" then
      i = i + 1
      rounds = assert(math.tointeger(tonumber(arg[i] or "")), "--rounds needs a number")
    elseif arg[i] == "--database" then
      i = i + 1
      wanted_databases[arg[i] or ""] = true
    elseif arg[i]:sub(1, 1) == "-" then
      error("unknown option " .. arg[i] .. "; known are --database NAME, --quick, --rounds N, --peers", 0)
    else
      wanted[#wanted + 1] = arg[i]
    end
    i = i + 1
  end
  rounds = rounds or (quick and 2 or 3)
end

---- measuring ----

local database                           -- the one that is measured: a row of databases
local samples                            -- samples[side][name] is a list of figures
local failures                           -- a list of "side name", and the complaint of each

local function add_sample(side, name, value)
  samples[side] = samples[side] or {}
  local list = samples[side][name] or {}
  samples[side][name] = list
  list[#list + 1] = value
end

-- Runs a command whose lines are "NAME VALUE"; the first complaint of each side about a workload is kept.
local function measure(side, name, command)
  if failures[side .. " " .. name] then return end
  local complaint
  local process <close> = assert(io.popen(command .. " 2>&1"))
  for line in process:lines() do
    local figure, value = line:match "^(W[%w.]+) ([%d.]+)$"
    if figure then add_sample(side, figure, tonumber(value)) else complaint = complaint or line end
  end
  if not process:close() then
    failures[#failures + 1] = side .. " " .. name
    failures[failures[#failures]] = complaint or "no reason given"
  end
end

local function command_line(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = quote(tostring(words[i])) end
  return table.concat(words, " ")
end

local function size_of(row)
  return quick and row.size > 1000 and row.size // 10 or row.size
end

local files = {}                         -- size to file name

local function filled_file(size)
  if not files[size] then
    files[size] = os.tmpname()
    assert(os.execute(command_line(spawner, "fill", files[size], size)), "the limit program failed")
  end
  return files[size]
end

local function measure_start()
  local times = quick and 11 or 31
  measure("limit", "W10.start", command_line(spawner, "spawn", times, spawner, "start"))
  measure("ours", "W10.start", command_line(spawner, "spawn", times, interpreter, "bench/workloads/start.lua"))
end

-- Where each side finds its data; on a server the tables are made before each side's turn.
local function place_of(row, side)
  if row.filled then
    local file = filled_file(size_of(row))
    return side == "limit" and file or "sqlite:///" .. file
  end
  if not database.server then return nil end
  database.instance:fill(row.rows or size_of(row), row.children or 0, row.changes)
  local places = { limit = database.instance.limit, sqlalchemy = database.instance.sqlalchemy }
  return places[side] or database.instance.url
end

local function measure_side(side, row, program)
  measure(side, row.name, program .. " " .. command_line(row.name, size_of(row), table.unpack { place_of(row, side) }))
end

local function measure_row(row)
  if row.name == "W10.start" then return measure_start() end
  if row.with then return end            -- its figure comes with another row's
  if row.limit == nil and not row.ours then measure_side("limit", row, database.limit) end
  measure_side("ours", row, quote(interpreter) .. " bench/workloads/" .. row.file .. ".lua")
  for _, peer in ipairs(peers) do
    if peer.here and peer.runs[row.name] then measure_side(peer.name, row, peer.command) end
  end
end

---- the table ----

local function median_and_spread(side, name)
  local list = samples[side] and samples[side][name]
  if not list then return nil end
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  local median = #sorted % 2 == 1 and sorted[middle] or (sorted[middle] + sorted[middle + 1]) / 2
  return median, (sorted[#sorted] - sorted[1]) / median
end

local function number(value)
  if not value then return "-" end
  return (value < 100 and "%.1f" or "%.0f"):format(value)
end

local function percent(value) return value and ("%.0f%%"):format(value * 100) or "-" end

local function bound_text(row)
  if row.times and row.times[database.name] then return ("%.4g x"):format(row.times[database.name]) end
  if row.at_most then return number(row.at_most) end
  if row.faster then return ("1/%d"):format(row.faster) end
  return "-"
end

local function verdict(row, ours, ratio)
  if failures["ours " .. (row.with or row.name)] or not ours then return "failed" end
  local within
  local times = row.times and row.times[database.name]
  if times then within = ratio and ratio <= times end
  if row.at_most then within = ours <= row.at_most end
  local sqlalchemy = row.faster and median_and_spread("sqlalchemy", row.name)
  if sqlalchemy then within = ours * row.faster <= sqlalchemy end
  if within == nil then return "" end
  return within and "pass" or "MISS"
end

-- How often our time fits SQLAlchemy's; on servers ten times is the bound of what goes through a session.
local function tenfold(row, ours)
  local theirs = median_and_spread("sqlalchemy", row.name)
  if not theirs or not ours then return "-" end
  local short = database.server and row.session and theirs < 10 * ours
  return ("%.1f x%s"):format(theirs / ours, short and " MISS" or "")
end

local columns = { "%-11s", "%-28s", "%-7s", "%9s", "%5s", "%9s", "%5s", "%7s", "%8s", "%-6s" }

local function print_line(cells)
  local line = {}
  for i, cell in ipairs(cells) do line[i] = (columns[i] or "%18s"):format(cell) end
  print((table.concat(line, " "):gsub("%s+$", "")))
end

local function peer_cell(peer, row, base)
  local median = median_and_spread(peer.name, row.name)
  if not median then return failures[peer.name .. " " .. row.name] and "failed" or "-" end
  return base and ("%s (%.1f x)"):format(number(median), median / base) or number(median)
end

local function print_row(row)
  local base, base_spread = median_and_spread("limit", row.limit or row.name)
  if row.ours then base, base_spread = median_and_spread("ours", row.ours) end
  local ours, spread = median_and_spread("ours", row.name)
  local ratio = base and ours and ours / base
  local cells = { row.name, row.what, row.unit, number(base), percent(base_spread), number(ours), percent(spread),
    ratio and ("%.2f"):format(ratio) or "-", bound_text(row), verdict(row, ours, ratio) }
  for _, peer in ipairs(peers) do
    if peer.here then cells[#cells + 1] = peer_cell(peer, row, base) end
    if peer.here and peer.name == "sqlalchemy" then cells[#cells + 1] = tenfold(row, ours) end
  end
  print_line(cells)
end

local function print_table(chosen)
  local head = { "workload", "what", "unit", "limit ns", "+-", "ours ns", "+-", "ratio", "bound", "" }
  for _, peer in ipairs(peers) do
    if peer.here then head[#head + 1] = peer.name end
    if peer.here and peer.name == "sqlalchemy" then head[#head + 1] = "to ours" end
  end
  local size = quick and ", a tenth of the size" or ""
  print(("%s: %d rounds%s; medians; nanoseconds a unit (bytes in W10's memory)"):format(database.name, rounds, size))
  print_line(head)
  for _, row in ipairs(chosen) do print_row(row) end
  for _, what in ipairs(failures) do print("failed: " .. what .. ": " .. failures[what]) end
end

-- A row whose base is another row's figure needs that row measured too.
local function choose()
  local chosen, needed = {}, {}
  for _, row in ipairs(rows) do
    if wants(row) then needed[row.ours or row.limit or row.name] = true end
  end
  for _, row in ipairs(rows) do
    local has = not row.on or row.on[database.name]
    if has and (wants(row) or needed[row.name]) then chosen[#chosen + 1] = row end
  end
  return chosen
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function find_peers()
  for _, peer in ipairs(peers) do
    local present = with_peers and peer.present[database.name]
    peer.here = present and os.execute(present .. " > /dev/null 2>&1")
    if present and not peer.here then print("not installed: " .. peer.name) end
  end
end

local function measure_database(chosen)
  samples, failures = {}, {}
  find_peers()
  for round = 1, rounds do
    io.stderr:write(("\r%s, round %d of %d "):format(database.name, round, rounds))
    for _, row in ipairs(chosen) do measure_row(row) end
  end
  io.stderr:write "\r"
  print_table(chosen)
end

-- A named skip, or a failure where the database was asked for or CI is set.
local function skip(why)
  if wanted_databases[database.name] or os.getenv "CI" then error(database.name .. ": " .. why, 0) end
  print(("skipped: %s: %s"):format(database.name, why))
end

local function run_database()
  local chosen = choose()
  if #chosen == 0 then return end
  if not exists(database.limit) then
    return skip(("%s is missing; `make bench` builds it (Debian: %s)"):format(database.limit, database.needs))
  end
  if not database.server then return measure_database(chosen) end
  local missing
  database.instance, missing = dofile "bench/database.lua".start(database.name)
  if not database.instance then return skip(missing) end
  local ok, complaint = pcall(measure_database, chosen)
  database.instance:stop()
  if not ok then error(complaint, 0) end
end

local function main()
  read_arguments()
  check_names()
  for _, each in ipairs(databases) do
    database = each
    if not next(wanted_databases) or wanted_databases[each.name] then run_database() end
  end
end

local ok, complaint = pcall(main)
for _, file in pairs(files) do os.remove(file) end
if not ok then
  io.stderr:write("bench: ", tostring(complaint), "\n")
  os.exit(false)
end
