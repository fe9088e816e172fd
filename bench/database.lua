-- The databases that workloads run on: where they are, how their tables are made, and the servers that are started for them.
--
--   lua5.4 bench/database.lua postgresql|mariadb          (from the root of the tree)
--
-- By hand: starts a server, prints the URL for workloads and that for the limit, and fills the tables for each line
-- "ROWS CHILDREN" of its input, at whose end it stops the server.

local database = {}

-- Settings beside those of tools/servers.sh: a commit is safe on the disk, the tables are in memory, and nothing tidies up meanwhile.
local settings = {
  postgresql = { "-c shared_buffers=512MB", "-c fsync=on", "-c synchronous_commit=on", "-c full_page_writes=on", "-c autovacuum=off",
    "-c max_wal_size=8GB", "-c checkpoint_timeout=1h" },
  mariadb = { "--innodb-buffer-pool-size=512M", "--innodb-log-file-size=512M", "--innodb-flush-log-at-trx-commit=1",
    "--innodb-flush-method=fsync", "--max-allowed-packet=64M" },
}

-- The tables of the workloads, and people with so many addresses each; the formulas are those of common.lua.
-- $rows and $children are numbers.
local scripts = {
  postgresql = [[
    set client_min_messages = warning;
    drop table if exists address; drop table if exists person;
    create table person (id serial primary key,
      name varchar(64), email varchar(64), age integer, score double precision, created varchar(64));
    create table address (id serial primary key, person_id integer references person (id), email varchar(64));
    create index ix_address_person_id on address (person_id);
    insert into person (name, email, age, score, created)
      select 'Person ' || lpad(i::text, 6, '0'), 'person' || lpad(i::text, 6, '0') || '@example.org', 18 + i % 70, i * 0.5 + 0.25,
        '2024-' || lpad((1 + i % 12)::text, 2, '0') || '-' || lpad((1 + i % 28)::text, 2, '0') || ' ' || lpad((i % 24)::text, 2, '0')
          || ':' || lpad((i % 60)::text, 2, '0') || ':' || lpad((i / 60 % 60)::text, 2, '0')
      from generate_series(1, $rows) as i;
    insert into address (person_id, email)
      select (i - 1) / nullif($children, 0) + 1, 'home' || lpad(i::text, 7, '0') || '@example.org'
      from generate_series(1, $rows * $children) as i;
    vacuum (analyze) person; vacuum (analyze) address;
    checkpoint;
  ]],
  mariadb = [[
    drop table if exists address; drop table if exists person;
    create table person (id integer primary key auto_increment,
      name varchar(64), email varchar(64), age integer, score double, created varchar(64));
    create table address (id integer primary key auto_increment, person_id integer, email varchar(64),
      index ix_address_person_id (person_id), foreign key (person_id) references person (id));
    insert into person
      select seq, concat('Person ', lpad(seq, 6, '0')), concat('person', lpad(seq, 6, '0'), '@example.org'),
        18 + seq % 70, seq * 0.5 + 0.25,
        concat('2024-', lpad(1 + seq % 12, 2, '0'), '-', lpad(1 + seq % 28, 2, '0'), ' ', lpad(seq % 24, 2, '0'), ':',
          lpad(seq % 60, 2, '0'), ':', lpad(seq div 60 % 60, 2, '0'))
      from seq_1_to_100000 where seq <= $rows;
    insert into address
      select seq, (seq - 1) div nullif($children, 0) + 1, concat('home', lpad(seq, 7, '0'), '@example.org')
      from seq_1_to_100000 where seq <= $rows * $children;
    analyze table person, address;
  ]],
}

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- A verb of tools/servers.sh, with options and a file to read. What it says goes to a file: a pipe would stay open as long
-- as the server.
function database:tell(verb, options, input)
  local words, output = {}, os.tmpname()
  for i, option in ipairs(options) do words[i] = quote(option) end
  local ok = os.execute(("%s <%s >%s 2>&1"):format(self.server:command(verb, table.unpack(words)), input or "/dev/null", output))
  local file <close> = assert(io.open(output))
  os.remove(output)
  if ok then return end
  self.server:stop()
  error(file:read "*a", 0)
end

--- A started server of the kind: { kind =, url = for workloads, limit = for the limit program, sqlalchemy = for the peer },
--- with :fill and :stop. nil and why when it is not installed.
function database.start(kind)
  local servers = dofile "spec/servers.lua"
  local server, missing = servers.start(kind)
  if not server then return nil, missing end
  local self = setmetatable({ kind = kind, server = server }, { __index = database })
  local folder = server.folder
  self:tell("down", { "fast" })
  self:tell("up", settings[kind])
  if kind == "postgresql" then
    self.url = "postgresql://spec@/spec?host=" .. folder
    self.limit, self.sqlalchemy = self.url, self.url:gsub("^postgresql", "postgresql+psycopg2")
  else
    self.limit = folder .. "/mariadb.sock"
    self.url = "mariadb://spec@/spec?unix_socket=" .. self.limit
    self.sqlalchemy = self.url:gsub("^mariadb", "mysql+pymysql")
  end
  return self
end

--- New tables with so many people and so many addresses for each. What is there already, and was only read, stays.
function database:fill(rows, children, changes)
  local wanted = rows .. " " .. children
  if self.filled ~= wanted then
    local sql = scripts[self.kind]:gsub("$(%l+)", { rows = tostring(rows), children = tostring(children) })
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(sql)
    file:close()
    self:tell("client", { self.kind == "postgresql" and "-vON_ERROR_STOP=1" or "--silent" }, path)
    os.remove(path)
  end
  self.filled = not changes and wanted or nil
end

function database:stop()
  self.server:stop()
end

if arg and arg[0] and arg[0]:match "database%.lua$" then
  local server = assert(database.start(arg[1]))
  print(server.url, server.limit)
  repeat
    local line = io.read "l"
    local rows, children = (line or ""):match "^(%d+) *(%d*)$"
    if rows then server:fill(tonumber(rows), tonumber(children) or 0, true) end
    print(rows and "filled" or line and "a line is the number of people, and of addresses for each" or "stopping")
    io.stdout:flush()
  until not line
  server:stop()
end

return database
