-- Runs the workloads, lualchemy and the limit (and peers) beside one another, and prints a table.
--
--   lua5.4 bench/run.lua [--quick] [--rounds N] [--peers] [NAME...]      names: W2, W4.hit, W5 (all of W5), ...
--
-- Each measurement is a process of its own that prints "NAME VALUE". A round runs them all once, so that a
-- busy moment of the machine meets every side; the table shows medians, and (max - min) / median as spread.

local root = arg[0]:match "^(.*)bench/run%.lua$" or "../"
local interpreter = arg[-1] or "lua"
local limit = root .. "build/bench/limit_sqlite"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A bound is a multiple of the limit (times), an amount (at_most, in the unit of the row), how often SQLAlchemy's
-- time it fits (faster; judged with --peers), or nothing.
-- `limit` names the limit's workload where it is not the row's own; `ours` a row of lualchemy that stands for it.
local rows = {
  { name = "W1", file = "insert", unit = "object", size = 100000, times = 1.7, what = "insert new objects" },
  { name = "W2", file = "load", unit = "object", size = 100000, times = 1.5, what = "load objects" },
  { name = "W2.read", file = "load", unit = "object", size = 100000, times = 2.8, limit = "W2", what = "... and read all of them" },
  { name = "W3", file = "rows", unit = "row", size = 100000, times = 2.8, what = "rows as values" },
  { name = "W4", file = "point", unit = "query", size = 20000, times = 3.4, what = "select by key, built anew" },
  { name = "W4.miss", file = "point", unit = "get", size = 20000, times = 2, what = "session:get, not held" },
  { name = "W4.hit", file = "point", unit = "get", size = 20000, at_most = 100, what = "session:get, held" },
  { name = "W5.lazy", file = "related", unit = "parent", size = 5000, what = "ten children each, lazy" },
  { name = "W5.joined", file = "related", unit = "parent", size = 5000, what = "... joined" },
  { name = "W5.selectin", file = "related", unit = "parent", size = 5000, what = "... selectin" },
  { name = "W6", file = "update", unit = "object", size = 100000, times = 2, what = "change one attribute" },
  { name = "W6.idle.few", file = "update", unit = "flush", size = 100, limit = false, what = "flush nothing, 100 loaded" },
  { name = "W6.idle", file = "update", unit = "flush", size = 100000, ours = "W6.idle.few", times = 2, what = "... 100,000 loaded" },
  { name = "W7", file = "family", unit = "parent", size = 20000, times = 2, what = "insert, three children each" },
  { name = "W8.compile", file = "statement", unit = "stmt", size = 2000, limit = false, faster = 50, what = "build and compile" },
  { name = "W8.lookup", file = "statement", unit = "stmt", size = 2000, limit = false, faster = 50, what = "build and look up, cached" },
  { name = "W8.cached", file = "statement", unit = "stmt", size = 2000, limit = false, what = "... and execute on empty tables" },
  { name = "W10.memory", file = "memory", unit = "bytes", size = 1000000, at_most = 280, database = true, what = "memory of an object" },
  { name = "W10.lua", with = "W10.memory", unit = "bytes", limit = false, what = "... in Lua's count" },
  { name = "W10.start", file = "start", unit = "start", at_most = 5e6, what = "start to first query" },
}

local peers = {
  { name = "luasql", command = quote(interpreter) .. " " .. quote(root .. "bench/peers/luasql_peer.lua"),
    present = quote(interpreter) .. " -e 'require \"luasql.sqlite3\"'", runs = { W1 = true, W2 = true, W3 = true } },
  { name = "sqlalchemy", command = "/usr/bin/python3 " .. quote(root .. "bench/peers/sqlalchemy_peer.py"),
    present = "/usr/bin/python3 -c 'import sqlalchemy'",
    runs = { W1 = true, W2 = true, ["W2.read"] = true, W3 = true, W4 = true, ["W4.miss"] = true, ["W4.hit"] = true,
             W6 = true, W7 = true, ["W8.compile"] = true, ["W8.lookup"] = true, ["W8.cached"] = true } },
}

---- the command line ----

local rounds, quick, with_peers, wanted = nil, false, false, {}

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
end

local function read_arguments()
  local i = 1
  while arg[i] do
    if arg[i] == "--quick" then quick = true
    elseif arg[i] == "--peers" then with_peers = true
    elseif arg[i] == "--rounds" then
      i = i + 1
      rounds = assert(math.tointeger(tonumber(arg[i] or "")), "--rounds needs a number")
    elseif arg[i]:sub(1, 1) == "-" then
      error("unknown option " .. arg[i] .. "; known are --quick, --rounds N, --peers", 0)
    else
      wanted[#wanted + 1] = arg[i]
    end
    i = i + 1
  end
  rounds = rounds or (quick and 2 or 5)
end

---- measuring ----

local samples = {}                       -- samples[side][name] is a list of figures
local failures = {}                      -- a list of "side name", and the complaint of each

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

local databases = {}                     -- size to file name

local function database(size)
  if not databases[size] then
    databases[size] = os.tmpname()
    assert(os.execute(command_line(limit, "fill", databases[size], size)), "the limit program failed")
  end
  return databases[size]
end

local function measure_start()
  local times = quick and 11 or 31
  measure("limit", "W10.start", command_line(limit, "spawn", times, limit, "start"))
  measure("ours", "W10.start", command_line(limit, "spawn", times, interpreter, root .. "bench/workloads/start.lua"))
end

local function measure_row(row)
  if row.name == "W10.start" then return measure_start() end
  if row.with then return end            -- its figure comes with another row's
  local size = size_of(row)
  local file = row.database and database(size) or nil
  if row.limit == nil and not row.ours then
    measure("limit", row.name, command_line(limit, row.name, size, table.unpack { file }))
  end
  measure("ours", row.name, command_line(interpreter, root .. "bench/workloads/" .. row.file .. ".lua",
    row.name, size, table.unpack { file }))
  for _, peer in ipairs(with_peers and peers or {}) do
    if peer.present and peer.runs[row.name] then
      measure(peer.name, row.name, peer.command .. " " .. command_line(row.name, size))
    end
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
  if row.times then return ("%.1f x"):format(row.times) end
  if row.at_most then return number(row.at_most) end
  if row.faster then return ("1/%d"):format(row.faster) end
  return "-"
end

local function verdict(row, ours, ratio)
  if failures["ours " .. (row.with or row.name)] or not ours then return "failed" end
  local within
  if row.times then within = ratio and ratio <= row.times end
  if row.at_most then within = ours <= row.at_most end
  local sqlalchemy = row.faster and median_and_spread("sqlalchemy", row.name)
  if sqlalchemy then within = ours * row.faster <= sqlalchemy end
  if within == nil then return "" end
  return within and "pass" or "MISS"
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
  for _, peer in ipairs(with_peers and peers or {}) do
    if peer.present then cells[#cells + 1] = peer_cell(peer, row, base) end
  end
  print_line(cells)
end

local function print_table(chosen)
  local head = { "workload", "what", "unit", "limit ns", "+-", "ours ns", "+-", "ratio", "bound", "" }
  for _, peer in ipairs(with_peers and peers or {}) do
    if peer.present then head[#head + 1] = peer.name end
  end
  print(("%d rounds%s; medians; nanoseconds a unit (bytes in W10's memory)"):format(rounds, quick and ", a tenth of the size" or ""))
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
    if wants(row) or needed[row.name] then chosen[#chosen + 1] = row end
  end
  return chosen
end

local function main()
  read_arguments()
  check_names()
  local chosen = choose()
  if not io.open(limit) then error(limit .. " is missing; `make bench` builds it", 0) end
  for _, peer in ipairs(with_peers and peers or {}) do
    peer.present = os.execute(peer.present .. " > /dev/null 2>&1")
    if not peer.present then print("not installed: " .. peer.name) end
  end
  for round = 1, rounds do
    io.stderr:write(("\rround %d of %d "):format(round, rounds))
    for _, row in ipairs(chosen) do measure_row(row) end
  end
  io.stderr:write "\r"
  print_table(chosen)
end

local ok, complaint = pcall(main)
for _, file in pairs(databases) do os.remove(file) end
if not ok then
  io.stderr:write("bench: ", tostring(complaint), "\n")
  os.exit(false)
end
