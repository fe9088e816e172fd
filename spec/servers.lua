-- Real databases for specs: tools/servers.sh, and what their clients write read back as rows.
local servers = {}

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function read_all(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  local ok, _, code = pipe:close()
  return text, ok and 0 or code
end

-- The process that the servers must not outlive: this one, as the shell sees its parent.
local function process_id()
  return (read_all "echo $PPID"):match "%d+"
end

-- Runs a command of tools/servers.sh that prints a folder.
local function settle(kind, command)
  local said = os.tmpname()
  local folder, code = read_all(("tools/servers.sh %s %s 2>%s"):format(command, process_id(), quoted(said)))
  local file = assert(io.open(said))
  local message = file:read "*a"
  file:close()
  os.remove(said)
  if code == 0 then return setmetatable({ kind = kind, folder = folder:match "^%S+" }, { __index = servers }) end
  if code == 69 and not os.getenv "CI" then return nil, message:match "servers.sh: ([^\n]*)" or message end
  error(message, 0)
end

--- Starts "postgresql" or "mariadb": an object for :run and :stop. nil and why when it is not installed, which is an error
--- where CI is set, as is a server that does not start. nil as well in a run of a spec for its cases without servers.
function servers.start(kind)
  if os.getenv "SPEC_SERVERS" == "none" then return nil, "this run is about what needs no server" end
  return settle(kind, "start " .. kind)
end

--- A second server that follows this one; or nil and why.
function servers:replica()
  return settle(self.kind, "replica " .. quoted(self.folder))
end

local urls = { postgresql = "postgresql://spec@/spec?host=%s", mariadb = "mariadb://spec@/spec?unix_socket=%s/mariadb.sock" }

--- Of an engine on it; more can follow as "&name=value".
function servers:url()
  return urls[self.kind]:format(self.folder)
end

function servers:stop()
  read_all("tools/servers.sh stop " .. quoted(self.folder))
end

--- The shell command for a verb of tools/servers.sh that needs the folder: "down", "up", "promote", "small".
function servers:command(verb, ...)
  return ("tools/servers.sh %s %s %s"):format(verb, quoted(self.folder), table.concat({ ... }, " "))
end

--- Starts it again with TLS on the loopback: { port, authority, server, client, stranger = file without .pem and .key }. nil and why,
--- which is an error where CI is set.
function servers:secure()
  local said, code = self:tell "tls"
  if code == 69 and not os.getenv "CI" then return nil, said:match "servers.sh: ([^\n]*)" end
  local secure = { port = assert(math.tointeger(tonumber(said)), said) }
  for _, name in ipairs { "authority", "server", "client", "stranger" } do secure[name] = self.folder .. "/tls/" .. name end
  return secure
end

--- PgBouncer before it: the host of its databases "transaction" and "session", on port 6432. nil and why, likewise.
function servers:bouncer()
  local said, code = self:tell "bouncer"
  if code == 69 and not os.getenv "CI" then return nil, said:match "servers.sh: ([^\n]*)" end
  assert(code == 0, said)
  return self.folder
end

--- Runs it: what it prints and its exit code.
function servers:tell(verb, ...)
  return read_all(self:command(verb, ...) .. " 2>&1")
end

-- PostgreSQL: CSV, in which NULL is a word that no value of a spec is -------------------------------

local NULL = "\1NULL\1"

local function csv_line(text, at)
  local row = {}
  while true do
    local value
    if text:sub(at, at) == '"' then
      local parts, from = {}, at + 1
      while true do
        local close = assert(text:find('"', from, true), "an open quote in CSV")
        parts[#parts + 1] = text:sub(from, close - 1)
        from = close + 1
        if text:sub(from, from) ~= '"' then break end
        parts[#parts + 1] = '"'
        from = from + 1
      end
      value, at = table.concat(parts), from
    else
      value = text:match("^[^,\n]*", at)
      at = at + #value
    end
    row[#row + 1] = value ~= NULL and value
    local after = text:sub(at, at)
    at = at + 1
    if after ~= "," then return row, at end
  end
end

local function csv(text)
  local rows, at = {}, 1
  while at <= #text do rows[#rows + 1], at = csv_line(text, at) end
  return rows
end

local function postgresql_script(statements)
  local script = { "\\pset format csv", "\\pset null '" .. NULL .. "'", "\\pset tuples_only on" }
  for _, statement in ipairs(statements) do
    script[#script + 1] = statement.sql .. ";"
    script[#script + 1] = "\\echo '\2' :ERROR :LAST_ERROR_MESSAGE"
  end
  return script
end

local function postgresql_answers(text)
  local answers = {}
  local first = 1
  for rows, failed, message, after in text:gmatch "(.-)\2 (%l+) ([^\n]*)\n()" do
    answers[#answers + 1] = failed == "true" and { error = message } or { rows = csv(rows) }
    first = after
  end
  return answers, text:sub(first)
end

-- MariaDB: XML, which tells NULL from 'NULL'; errors are told by the line that they are on --------

local entities = { lt = "<", gt = ">", amp = "&", quot = '"', apos = "'" }

local function xml_rows(text)
  local rows = {}
  for row in text:gmatch "<row>(.-)</row>" do
    local values = {}
    for attributes, close, rest in row:gmatch "<field name=\"[^\"]*\"([^>]-)(/?)>()" do
      local value = false
      if close == "" and not attributes:find 'xsi:nil="true"' then
        value = row:match("^(.-)</field>", rest):gsub("&(%a+);", entities)
      end
      values[#values + 1] = value
    end
    rows[#rows + 1] = values
  end
  return rows
end

local function mariadb_script(statements)
  local script = {}
  for index, statement in ipairs(statements) do
    script[#script + 1] = statement.sql:gsub("\n", " ") .. ";"
    script[#script + 1] = ("SELECT '\2%d';"):format(index)
  end
  return script
end

local function mariadb_answers(text, errors)
  local answers, from = {}, 1
  for index, after in text:gmatch "<row>%s*<field name=\"[^\"]*\">\2(%d+)</field>%s*</row>%s*</resultset>()" do
    answers[tonumber(index)] = { rows = xml_rows((text:sub(from, after - 1):gsub("<resultset statement=\"SELECT &apos;\2.*$", "")
      :gsub("<resultset statement=\"SELECT '\2.*$", ""))) }
    from = after
  end
  for number, line, message in errors:gmatch "ERROR (%d+ %([^)]*%)) at line (%d+):? ?([^\n]*)" do
    answers[(tonumber(line) + 1) // 2] = { error = number .. " " .. message }
  end
  return answers, text:sub(from)
end

local dialects = {
  postgresql = { postgresql_script, postgresql_answers, "" },
  mariadb = { mariadb_script, mariadb_answers, "--xml --force --binary-as-hex" },
}

--- Runs { { sql = }, … } one after the other in one session: a list of { rows = { { "text" or false for NULL, … }, … } } or
--- { error = message }.
function servers:run(statements)
  local script_of, answers_of, options = table.unpack(dialects[self.kind])
  local input, output, errors = os.tmpname(), os.tmpname(), os.tmpname()
  local file = assert(io.open(input, "w"))
  file:write(table.concat(script_of(statements), "\n"), "\n")
  file:close()
  read_all(("tools/servers.sh client %s %s <%s >%s 2>%s"):format(quoted(self.folder), options, input, output, errors))
  local texts = {}
  for _, path in ipairs { output, errors } do
    local read = assert(io.open(path))
    texts[#texts + 1] = read:read "*a"
    read:close()
    os.remove(path)
  end
  os.remove(input)
  local answers, rest = answers_of(texts[1], texts[2])
  for index = 1, #statements do
    answers[index] = answers[index] or { error = "no answer: " .. (rest .. texts[2]):sub(1, 500) }
  end
  return answers
end

return servers
