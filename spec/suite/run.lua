-- Runs the driver suite for one driver and writes TAP:
--
--   lua spec/suite/run.lua spec/suite/quirks/sqlite.lua           every case
--   lua spec/suite/run.lua /path/to/mydriver_quirks.lua stream    the cases whose file or title contains "stream"
--
-- In the root of the tree, where the library can be found (`eval "$(make -s env)"`). Exit code 0: nothing failed. README.md here
-- tells what a record holds.

local path, wanted = arg[1], arg[2] or os.getenv "SUITE_CASE" or ""
if not path then
  io.stderr:write "lua spec/suite/run.lua RECORD.lua [PART OF A TITLE]\n"
  os.exit(64)
end

local frame = dofile "spec/suite/frame.lua"
os.exit(frame.run(path, wanted), true)
