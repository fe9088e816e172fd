-- What the compilers and luacheck do not see: floors, names of databases, calls that a library must
-- not make, sizes, mutable variables, exported symbols.
--
--     lua tools/lint.lua [root [build folder]]      without the second, only the sources are looked at

package.path = (arg[0]:match "^(.*/)" or "./") .. "?.lua;" .. package.path
local csource = require "csource"
local floors = require "floors"

-- The allowances. Each carries its reason; one that is no longer needed is itself a complaint. ------

-- ["src/sql/walk.c: function"] = "why it is one piece"
local long_functions = {
}

-- ["variable"] = "why it may change and is still safe in many threads"
local mutable_variables = {
  ["fork_serial"] = "an atomic counter of a process's forks, so that a child knows what its parent made",
  ["labour"] = "atomic counts of threads at work, so that a fork finds none of them within a library",
  ["leavers"] = "threads of connections that take long to close, which must be joined before the library is unloaded; under its mutex",
  ["fork_once"] = "pthread_once's own",
  ["callers"] = "threads that tell servers of statements that were given up, which a process that ends waits for; under its mutex",
  ["first_mutex"] = "of the threads of a child that has just been forked: who comes first takes the locks of its parent over",
  ["catalog_serial"] = "an atomic counter, so that engines can tell the catalogs of one process apart",
  ["shared_engines"] = "engines that the hosts of one process find by their names; under its mutex",
  ["shared_mutex"] = "the mutex",
  ["libpq"] = "the client library's functions, written once, when the first connection asks for them",
  ["libmariadb"] = "the same",
  ["libodbc"] = "the same",
}

-- ["src/file.c: call"] = "why"
local calls_made = {
}

-- The rules ---------------------------------------------------------------------------------------

local FILE_LINES, FUNCTION_LINES = 800, 60

-- The databases, by family. A family's names appear only in files that begin with one of them in these
-- two folders, and in each folder's list of what there is.
local families = {
  { "sqlite" },
  { "postgres" },
  { "mysql", "mariadb" },
  { "odbc", "mssql", "oracle" },
}
-- A bridge to any database knows of each what is peculiar to it.
local bridges = { ["odbc"] = true }
local homes = { ["src/sql/dialects/"] = "dialects.def", ["src/engine/drivers/"] = "drivers.def" }

local forbidden = {}
for reason, names in pairs {
  ["the process is the host's"] =
    "exit _exit _Exit quick_exit abort atexit signal sigaction raise kill setlocale putenv setenv sqlite3_config sqlite3_shutdown",
  ["a library does not print"] =
    "printf vprintf fprintf vfprintf dprintf puts fputs putchar putc fputc perror psignal",
  ["no long jump crosses the core"] = "setjmp longjmp sigsetjmp siglongjmp",
  ["it knows no size"] = "strcpy strcat sprintf vsprintf gets",
  ["its result is shared by all threads"] = "strtok localtime gmtime ctime asctime strerror rand srand",
} do
  for name in names:gmatch "%S+" do forbidden[name] = reason end
end

-- The checks --------------------------------------------------------------------------------------

local root, build = arg[1] or ".", arg[2]
local complaints = {}
local used = { [long_functions] = {}, [mutable_variables] = {}, [calls_made] = {} }

local function complain(...)
  complaints[#complaints + 1] = string.format(...)
end

local function is_allowed(list, key)
  used[list][key] = true
  return list[key] ~= nil
end

local function family_of_file(path)
  for home, list in pairs(homes) do
    local name = path:sub(1, #home) == home and path:sub(#home + 1)
    if name == list then return "all" end
    for _, family in ipairs(families) do
      for _, database in ipairs(family) do
        if name and name:sub(1, #database) == database then return bridges[database] and "all" or family end
      end
    end
  end
end

local function check_names(path, code)
  local own = family_of_file(path)
  if own == "all" then return end
  csource.each_line(code:lower(), function(line, number)
    for _, family in ipairs(families) do
      for _, database in ipairs(family) do
        if family ~= own and line:find(database, 1, true) then
          complain("%s:%d: names %s; ask for a capability instead", path, number, database)
        end
      end
    end
  end)
end

local function check_calls(path, bare)
  csource.each_line(bare, function(line, number)
    for before, name in line:gmatch "(%.?)%f[%w_]([%a_][%w_]*)%s*%(" do
      if forbidden[name] and before == "" and not line:find("->" .. name, 1, true)
        and not is_allowed(calls_made, path .. ": " .. name) then
        complain("%s:%d: calls %s: %s", path, number, name, forbidden[name])
      end
    end
  end)
end

local function check_file_size(path, text)
  local _, lines = text:gsub("\n", "")
  if lines > FILE_LINES then complain("%s: %d lines; the limit is %d", path, lines, FILE_LINES) end
end

local function check_functions(path, bare)
  local functions = csource.functions(bare)
  if not functions then
    complain("%s: braces do not match; is an #if round half a block?", path)
    return
  end
  for _, one in ipairs(functions) do
    local lines = one.last - one.first + 1
    if lines > FUNCTION_LINES and not is_allowed(long_functions, path .. ": " .. one.name) then
      complain("%s:%d: %s is %d lines long; the limit is %d", path, one.first, one.name, lines, FUNCTION_LINES)
    end
  end
end

local function check_sources()
  for _, path in ipairs(csource.files(root, "src", "c", "h", "def")) do
    local text = csource.read(root .. "/" .. path)
    local code, bare = csource.strip(text)
    check_names(path, code)
    check_calls(path, bare)
    check_file_size(path, text)
    check_functions(path, bare)
  end
  for _, path in ipairs(csource.files(root, "lua spec", "c", "h", "lua")) do
    check_file_size(path, csource.read(root .. "/" .. path))
  end
end

-- A table of constant pointers is written once by the loader and then sealed: .data.rel.ro is no
-- variable. nm calls it one all the same, so the sections are read from objdump.
local function check_variables()
  local object
  for _, line in ipairs(csource.lines_of(("objdump -t '%s/liblualchemy.a' '%s'/object/lua/*.o 2>/dev/null"):format(build, build))) do
    object = line:match "^(%S+%.o):" or object
    local flags, section, name = line:match "^%x+ (.......) (%S+)\t.*%s(%S+)$"
    if section and flags:find "O" and not section:find "^%.data%.rel%.ro"
      and (section:find "^%.data" or section:find "^%.t?bss" or section:find "^%.tdata" or section == "*COM*")
      and not is_allowed(mutable_variables, (name:gsub("%.%d+$", ""))) then
      complain("%s: %s (%s) is a variable that can change; state belongs to an engine, session or Lua state",
        object, name, section)
    end
  end
end

local function check_exports()
  for _, line in ipairs(csource.lines_of(("nm -D --defined-only '%s/lualchemy/core.so'"):format(build))) do
    local name = line:match "%S+$"
    if name ~= "luaopen_lualchemy_core" then complain("core.so exports %s", name) end
  end
end

for _, complaint in ipairs(floors.check(root)) do complain("%s", complaint) end
check_sources()
if build then
  check_variables()
  check_exports()
  for list, seen in pairs(used) do
    for key in pairs(list) do
      if not seen[key] then complain("tools/lint.lua: the allowance for %s is no longer needed", key) end
    end
  end
end

for _, complaint in ipairs(complaints) do print(complaint) end
os.exit(#complaints == 0)
