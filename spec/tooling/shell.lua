-- What the specs of the tools need: throw-away trees, and commands that do not inherit from the make
-- and the sanitizers under which the specs themselves run.

local shell = {}

local clean = "env -u LD_PRELOAD -u ASAN_OPTIONS -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKE -u T "

-- Runs a command, in a clean environment unless told otherwise; its output and its exit code.
function shell.run(command, inherit)
  local pipe = assert(io.popen((inherit and "" or clean) .. "sh -c '" .. command:gsub("'", "'\\''") .. "' 2>&1"))
  local output = pipe:read "*a"
  local _, _, code = pipe:close()
  return output, code
end

function shell.write(path, text)
  os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/"))
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- A new folder with these files: { ["src/base/a.c"] = "..." }.
function shell.tree(files)
  local root = shell.run "mktemp -d":gsub("%s+$", "")
  for path, text in pairs(files) do shell.write(root .. "/" .. path, text) end
  return root
end

function shell.remove(root)
  shell.run(("rm -rf '%s'"):format(root))
end

return shell
