-- Builds and runs every spec, prints what failed in full, and ends with
-- "N passed, N failed, N skipped". `make test` calls it; T=name keeps the specs whose path
-- contains name, and then the release build is left out.
--
-- Each spec file, and each driver's run of the driver suite (spec/suite/quirks), is a process of its own, so that
-- a crash, a hang or a sanitizer's report is a failure of that file and of nothing else. All of them write TAP,
-- which is counted here.

local make, compiler = os.getenv "MAKE" or "make", os.getenv "CC" or "cc"
local lua, wanted = os.getenv "LUA" or "lua5.4", os.getenv "T" or ""
local SECONDS = 900 -- after which a spec counts as hanging

local function read_all(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function specs(pattern)
  local found = {}
  for path in read_all("find spec -path " .. quoted(pattern) .. " | LC_ALL=C sort"):gmatch "[^\n]+" do
    if path:find(wanted, 1, true) then found[#found + 1] = path end
  end
  return found
end

local function run(command)
  local _, how, code = os.execute(command)
  if how == "signal" then os.exit(128 + code) end
  return code == 0
end

-- The jobs ---------------------------------------------------------------------------------------

local sanitizers = "ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1"
  .. " LSAN_OPTIONS=suppressions=$PWD/tools/leaks.supp:print_suppressions=0"

-- A record of a driver is run by the suite, which writes TAP by itself.
local function lua_command(path, mode)
  if path:find("^spec/suite/quirks/") then return ("%s spec/suite/run.lua %s"):format(lua, quoted(path)) end
  return ("%s %s -o tools/tap.lua --verbose --cpath=build/%s/?.so %s"):format(
    lua, quoted(read_all "command -v busted"), mode, quoted(path))
end

-- The sanitizers' library has to come first in the process, and lua itself is not built with it.
local preload = " LD_PRELOAD=" .. quoted(read_all(compiler .. " -print-file-name=libasan.so"))

local function all_jobs()
  local jobs = {}
  local function add(path, label, mode, command)
    local log = ("build/test/%s/%s.tap"):format(mode, path)
    jobs[#jobs + 1] = { path = path, label = label, log = log,
      -- what make env prints, for what a spec itself starts
      command = ([[LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;;" LUA_CPATH="$PWD/build/%s/?.so;;" ]]):format(mode)
        .. ("timeout -k 5 %d env %s >%s 2>&1 </dev/null"):format(SECONDS, command, quoted(log)) }
  end
  for _, path in ipairs(specs "*_spec.c") do
    add(path, path, "debug", sanitizers .. " build/debug/" .. path:gsub("%.c$", ""))
  end
  local lua_specs = specs "*_spec.lua"
  for _, path in ipairs(specs "spec/suite/quirks/*.lua") do lua_specs[#lua_specs + 1] = path end
  for _, path in ipairs(lua_specs) do
    add(path, path, "debug", sanitizers .. preload .. " " .. lua_command(path, "debug"))
  end
  if wanted == "" then
    for _, path in ipairs(lua_specs) do
      add(path, path .. " [release]", "release", lua_command(path, "release"))
    end
  end
  return jobs
end

-- Reading what a spec wrote ----------------------------------------------------------------------

local total = { passed = 0, failed = 0, skipped = 0 }

local function outcome_of(line)
  if line:find "^not ok %d" then return "failed" end
  if line:find "^ok %d" then return line:find "# SKIP" and "skipped" or "passed" end
end

-- Everything but the cases that passed and the comment that announced each of them.
local function worth_reading(lines)
  local kept = {}
  for _, line in ipairs(lines) do
    if outcome_of(line) == "passed" then
      if kept[#kept] and kept[#kept]:find "^# " then kept[#kept] = nil end
    elseif not line:find "^1%.%.%d" then
      kept[#kept + 1] = line
    end
  end
  return kept
end

-- What went wrong with the process as a whole, if anything did.
local function complaint(count, planned, text, how, code)
  if text:find "==%d+==ERROR: " then return "a sanitizer reported" end
  if how == "signal" or code > 128 then return "killed by signal " .. (how == "signal" and code or code - 128) end
  if code == 124 then return "still running after " .. SECONDS .. " s" end
  local ran = count.passed + count.failed + count.skipped
  if planned ~= ran then return ("stopped after %d cases, with exit code %d"):format(ran, code) end
  if ran == 0 then return "holds no case" end
  if code ~= 0 and count.failed == 0 then return "exit code " .. code .. " although every case passed" end
end

local function report(job, how, code)
  local file = io.open(job.log)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  local count, lines, planned = { passed = 0, failed = 0, skipped = 0 }, {}, nil
  for line in text:gmatch "[^\n]+" do
    local outcome = outcome_of(line)
    if outcome then count[outcome] = count[outcome] + 1 end
    planned = tonumber(line:match "^1%.%.(%d+)$") or planned
    lines[#lines + 1] = line
  end
  local wrong = complaint(count, planned, text, how, code)
  if wrong then count.failed = count.failed + 1 end

  for outcome, number in pairs(count) do total[outcome] = total[outcome] + number end
  if count.failed + count.skipped == 0 then
    print(("ok      %-50s %5d"):format(job.label, count.passed))
    return
  end
  print(("%s %-50s %5d passed, %d failed, %d skipped"):format(
    count.failed > 0 and "FAILED " or "skips  ", job.label, count.passed, count.failed, count.skipped))
  for _, line in ipairs(worth_reading(lines)) do print("    " .. line) end
  if wrong then print("    " .. job.label .. ": " .. wrong) end
end

-- Running ----------------------------------------------------------------------------------------

-- As many at a time as there are processors; reported in the order of the list.
local function run_all(jobs)
  local width = tonumber(read_all "nproc 2>/dev/null") or 1
  local function start(job)
    if not job then return end
    os.execute("mkdir -p " .. quoted(job.log:match "^(.*)/"))
    os.remove(job.log)
    job.process = assert(io.popen(job.command, "w"))
  end
  for index = 1, width do start(jobs[index]) end
  for index, job in ipairs(jobs) do
    local _, how, code = job.process:close()
    start(jobs[index + width])
    report(job, how, code)
    io.stdout:flush()
  end
end

local function finish()
  print(("%d passed, %d failed, %d skipped"):format(total.passed, total.failed, total.skipped))
  os.exit(total.failed == 0 and total.passed > 0)
end

io.stdout:setvbuf "line"
local silent = make .. " -s --no-print-directory "
if not (run(silent .. "MODE=debug all") and (wanted ~= "" or run(silent .. "MODE=release all"))) then
  total.failed = 1
  finish()
end
-- A spec that does not compile has no program, which its job will report; the others still run.
run(silent .. "-k MODE=debug " .. (wanted ~= "" and "T=" .. quoted(wanted) or "") .. " specs")
run_all(all_jobs())
if total.passed + total.failed + total.skipped == 0 then print "nothing ran" end
finish()
