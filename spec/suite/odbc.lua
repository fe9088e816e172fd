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

--- The record of a driver for a server that the record `native` reaches by its own protocol: name; native; file and package of the
--- driver; url(user, database, folder, driver), the last two escaped; strangers = { { user =, database =, says = part of the message } },
--- who are refused (user and database: "spec" unless said); lacks, of the driver's own.
function odbc.of_server(own)
  local function url(folder, user, database) return own.url(user or "spec", database or "spec", odbc.parts(folder, own.file)) end
  local function refused(folder)
    local list = { { url = url "/nonexistent", says = "/nonexistent" } }
    for _, one in ipairs(own.strangers) do list[#list + 1] = { url = url(folder, one.user, one.database), says = one.says } end
    return list
  end
  return {
    name = own.name, server = own.native.server, missing = odbc.missing(own.file, own.package), url = url, refused = refused,
    levels = own.native.levels, sql = own.native.sql, lacks = odbc.lacks(own.lacks),
  }
end

return odbc
