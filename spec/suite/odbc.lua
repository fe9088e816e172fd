-- What the records of ODBC drivers share: where a driver's file is, so that the machine's own configuration is not asked.
local odbc = {}

--- The file of an ODBC driver, or nil.
function odbc.driver(file)
  local pipe = assert(io.popen(("ls /usr/lib/*/odbc/%s /usr/lib/odbc/%s /usr/local/lib/%s 2>/dev/null"):format(file, file, file)))
  local path = pipe:read "*l"
  pipe:close()
  return path
end

--- As a part of a URL.
function odbc.escaped(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- The `missing` of a record.
function odbc.missing(file, package)
  return function()
    if not odbc.driver(file) then return package .. " is not installed" end
  end
end

--- The parts that a URL needs, escaped: folder, driver.
function odbc.parts(folder, file)
  return odbc.escaped(folder), odbc.escaped(odbc.driver(file))
end

--- lacks of a record that go for every driver of ODBC, with those of one added.
function odbc.lacks(own)
  local all = {
    descriptor = "calls of ODBC block",
    streaming = "the drivers that ran here read a result as a whole",
    late_error = "the drivers that ran here read a result as a whole",
  }
  for name, why in pairs(own) do all[name] = why end
  return all
end

return odbc
