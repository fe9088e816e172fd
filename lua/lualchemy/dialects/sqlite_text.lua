--- What CREATE TABLE and CREATE INDEX say in the text that SQLite keeps of them (sqlite_schema.sql), and no pragma tells: names of
-- constraints, checks, collations, ON CONFLICT, AUTOINCREMENT, deferred keys, expressions. A parser of the grammar of
-- https://www.sqlite.org/lang_createtable.html and lang_createindex.html; SQLite has checked the texts already, so nothing is
-- refused here that it took, and what is not understood is an answer of nil.
local text = {}

-- Tokens ------------------------------------------------------------------------------------------

local closes = { ['"'] = '"', ["`"] = "`", ["["] = "]", ["'"] = "'" }

-- The place behind a quoted text that opens at `at`; the quote itself stands twice within.
local function quoted_end(sql, at)
  local close = closes[sql:sub(at, at)]
  local from = at + 1
  while true do
    local found = sql:find(close, from, true)
    if not found then return #sql + 1 end
    if close == "]" or sql:sub(found + 1, found + 1) ~= close then return found + 1 end
    from = found + 2
  end
end

local function unquoted(sql, from, to)
  local close = closes[sql:sub(from, from)]
  local inner = sql:sub(from + 1, to - 1)
  if close == "]" then return inner end
  return (inner:gsub(close .. close, close))
end

-- The first place from `at` on that is neither white space nor comment.
local function skip_space(sql, at)
  while true do
    local from = at
    at = sql:match("^%s*()", at)
    if sql:sub(at, at + 1) == "--" then
      at = (sql:find("\n", at, true) or #sql) + 1
    elseif sql:sub(at, at + 1) == "/*" then
      local _, close = sql:find("*/", at + 2, true)
      at = (close or #sql) + 1
    end
    if at == from then return at end
  end
end

-- Words may have letters of any language, which are bytes from 128 on.
local word_pattern = "^[%a_$\128-\255][%w_$\128-\255]*()"

-- One token: { kind = "word" | "name" | "string" | "number" | "mark", value, from, to }; words are in capitals as .word.
local function token_at(sql, at)
  local first = sql:sub(at, at)
  if closes[first] then
    local after = quoted_end(sql, at)
    return { kind = first == "'" and "string" or "name", value = unquoted(sql, at, after - 1), from = at, to = after - 1 }
  end
  if first:find "[xX]" and sql:sub(at + 1, at + 1) == "'" then
    return { kind = "string", value = "", from = at, to = quoted_end(sql, at + 1) - 1 }
  end
  local after = sql:match(word_pattern, at)
  if after then
    local value = sql:sub(at, after - 1)
    return { kind = "word", value = value, word = value:upper(), from = at, to = after - 1 }
  end
  after = sql:match("^%.?%d[%w_.]*()", at)
  if after and sql:sub(after - 1, after - 1):find "[eE]" and sql:sub(at, at + 1):lower() ~= "0x" then
    after = sql:match("^[+-]%d+()", after) or after
  end
  if after then return { kind = "number", value = sql:sub(at, after - 1), from = at, to = after - 1 } end
  return { kind = "mark", value = first, from = at, to = at }
end

local function tokens_of(sql)
  local tokens, at = {}, skip_space(sql, 1)
  while at <= #sql do
    local token = token_at(sql, at)
    tokens[#tokens + 1] = token
    at = skip_space(sql, token.to + 1)
  end
  return tokens
end

-- A reader of tokens ------------------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

-- What is not understood leaves the parser; text.table and text.index catch it.
local not_understood = {}

local nothing = { kind = "end" }

function Reader:peek(ahead) return self.tokens[self.at + (ahead or 0)] or nothing end

function Reader:mark(value)
  local token = self:peek()
  if token.kind ~= "mark" or token.value ~= value then return false end
  self.at = self.at + 1
  return true
end

--- Takes these words, if all of them come.
function Reader:words(...)
  for i = 1, select("#", ...) do
    if self:peek(i - 1).word ~= select(i, ...) then return false end
  end
  self.at = self.at + select("#", ...)
  return true
end

function Reader:name()
  local token = self:peek()
  if token.kind ~= "word" and token.kind ~= "name" and token.kind ~= "string" then error(not_understood) end
  self.at = self.at + 1
  return token.value
end

--- schema.name or name: the last of them.
function Reader:full_name()
  local name = self:name()
  if self:mark "." then name = self:name() end
  return name
end

--- The text between a parenthesis and the one that closes it, and its tokens' first and last place.
function Reader:group()
  if not self:mark "(" then error(not_understood) end
  local first, depth = self.at, 1
  while depth > 0 do
    local token = self:peek()
    if token.kind == "end" then error(not_understood) end
    if token.kind == "mark" then
      depth = depth + (token.value == "(" and 1 or token.value == ")" and -1 or 0)
    end
    self.at = self.at + 1
  end
  local last = self.at - 2
  return self:text(first, last), first, last
end

--- What is written from one token to another.
function Reader:text(first, last)
  if last < first then return "" end
  return self.sql:sub(self.tokens[first].from, self.tokens[last].to)
end

-- Parts that columns and tables share -------------------------------------------------------------

function Reader:conflict()
  return self:words("ON", "CONFLICT") and self:name():upper() or nil
end

local function action(self)
  if self:words("SET", "NULL") then return "SET NULL" end
  if self:words("SET", "DEFAULT") then return "SET DEFAULT" end
  if self:words("NO", "ACTION") then return "NO ACTION" end
  return self:name():upper()
end

--- [NOT] DEFERRABLE [INITIALLY …], into the key that it stands behind.
function Reader:deferred(key)
  local refused = self:words("NOT", "DEFERRABLE")
  if not refused and not self:words "DEFERRABLE" then return false end
  key.deferrable = not refused
  if self:words "INITIALLY" then key.initially = self:name():upper() end
  return true
end

-- The first names of the items between parentheses: (a, b COLLATE x DESC).
function Reader:column_list()
  local columns = {}
  local _, first, last = self:group()
  local depth, starts = 0, true
  for place = first, last do
    local token = self.tokens[place]
    if starts then columns[#columns + 1] = token.value end
    starts = false
    if token.kind == "mark" then
      depth = depth + (token.value == "(" and 1 or token.value == ")" and -1 or 0)
      starts = depth == 0 and token.value == ","
    elseif token.word == "AUTOINCREMENT" then
      columns.autoincrement = true
    end
  end
  return columns
end

--- REFERENCES …, from behind that word.
function Reader:references(key)
  key.table = self:name()
  if self:peek().value == "(" and self:peek().kind == "mark" then key.referred = self:column_list() end
  while true do
    if self:words("ON", "DELETE") then key.ondelete = action(self)
    elseif self:words("ON", "UPDATE") then key.onupdate = action(self)
    elseif self:words "MATCH" then key.match = self:name():upper()
    elseif not self:deferred(key) then return key end
  end
end

-- Constraints are in a list of their kind, and all together in the order of the text.
local function add(made, kind, one)
  one.kind = kind
  made[kind][#made[kind] + 1] = one
  made.order[#made.order + 1] = one
end

-- Columns -----------------------------------------------------------------------------------------

local function default(self)
  local token = self:peek()
  if token.kind == "mark" and token.value == "(" then
    self:group()
    return
  end
  if token.kind == "mark" then self.at = self.at + 1 end   -- a sign
  self.at = self.at + 1
end

-- Each takes what comes behind its first words: (self, definition of the table, column, name of the constraint).
local column_constraints = {
  { { "PRIMARY", "KEY" }, function(self, made, column, name)
    local _ = self:words "ASC" or self:words "DESC"
    made.primary_key = { name = name, columns = { column.name }, conflict = self:conflict(), of_column = true }
    made.autoincrement = self:words "AUTOINCREMENT" or made.autoincrement
  end },
  { { "NOT", "NULL" }, function(self, _, column) column.not_null_conflict = self:conflict() end },
  { { "NULL" }, function(self) self:conflict() end },
  { { "UNIQUE" }, function(self, made, column, name)
    add(made, "unique", { name = name, columns = { column.name }, conflict = self:conflict() })
  end },
  { { "CHECK" }, function(self, made, _, name)
    add(made, "checks", { name = name, sqltext = self:group(), conflict = self:conflict() })
  end },
  { { "DEFAULT" }, default },
  { { "COLLATE" }, function(self, _, column) column.collation = self:name() end },
  { { "REFERENCES" }, function(self, made, column, name)
    add(made, "foreign_keys", self:references { name = name, columns = { column.name } })
  end },
  { { "GENERATED", "ALWAYS", "AS" }, function(self, _, column)
    column.computed = self:group()
    column.persisted = self:words "STORED"
    self:words "VIRTUAL"
  end },
}
column_constraints[#column_constraints + 1] = { { "AS" }, column_constraints[#column_constraints][2] }

local unpack = table.unpack or unpack   -- luacheck: ignore

local function column_constraint(self, made, column, name)
  for _, row in ipairs(column_constraints) do
    if self:words(unpack(row[1])) then
      row[2](self, made, column, name)
      return true
    end
  end
  return self:deferred(made.foreign_keys[#made.foreign_keys] or {})
end

local function begins_constraint(self)
  local word = self:peek().word
  if word == "GENERATED" then return self:peek(1).word == "ALWAYS" end
  return word == "CONSTRAINT" or word == "PRIMARY" or word == "NOT" or word == "NULL" or word == "UNIQUE" or word == "CHECK"
    or word == "DEFAULT" or word == "COLLATE" or word == "REFERENCES" or word == "AS" or word == "DEFERRABLE"
end

local function ends_item(self)
  local token = self:peek()
  if token.kind == "end" then error(not_understood) end
  return token.kind == "mark" and (token.value == "," or token.value == ")")
end

local function column(self, made)
  local one = { name = self:name() }
  made.columns[#made.columns + 1] = one
  made.column[one.name:lower()] = one
  while not ends_item(self) and not begins_constraint(self) do   -- the type, which a pragma tells
    if self:peek().kind == "mark" then self:group() else self.at = self.at + 1 end
  end
  while not ends_item(self) do
    local name = self:words "CONSTRAINT" and self:name() or nil
    if not column_constraint(self, made, one, name) and not name then error(not_understood) end
  end
end

-- Tables ------------------------------------------------------------------------------------------

local table_constraints = {
  { { "PRIMARY", "KEY" }, function(self, made, name)
    local columns = self:column_list()
    made.primary_key = { name = name, columns = columns, conflict = self:conflict() }
    made.autoincrement = columns.autoincrement or made.autoincrement
  end },
  { { "UNIQUE" }, function(self, made, name)
    add(made, "unique", { name = name, columns = self:column_list(), conflict = self:conflict() })
  end },
  { { "CHECK" }, function(self, made, name)
    add(made, "checks", { name = name, sqltext = self:group(), conflict = self:conflict() })
  end },
  { { "FOREIGN", "KEY" }, function(self, made, name)
    local key = { name = name, columns = self:column_list() }
    if not self:words "REFERENCES" then error(not_understood) end
    add(made, "foreign_keys", self:references(key))
  end },
}

-- Constraints of a table may stand side by side without a comma. Answers whether there was one.
local function table_constraint(self, made)
  local named = self:words "CONSTRAINT"
  local name = named and self:name() or nil
  for _, row in ipairs(table_constraints) do
    if self:words(unpack(row[1])) then
      row[2](self, made, name)
      return true
    end
  end
  return named
end

local function table_options(self, made)
  while self:peek().kind ~= "end" do
    if self:words("WITHOUT", "ROWID") then made.without_rowid = true
    elseif self:words "STRICT" then made.strict = true
    else self.at = self.at + 1 end
  end
end

local function create_table(self)
  local made = { columns = {}, column = {}, unique = {}, checks = {}, foreign_keys = {}, order = {} }
  if not self:words "CREATE" then error(not_understood) end
  local _ = self:words "TEMP" or self:words "TEMPORARY"
  made.virtual = self:words "VIRTUAL"
  if not self:words "TABLE" then error(not_understood) end
  self:words("IF", "NOT", "EXISTS")
  made.name = self:full_name()
  if made.virtual then return made end
  if not self:mark "(" then error(not_understood) end
  repeat
    if not table_constraint(self, made) then
      column(self, made)
    else
      while table_constraint(self, made) do end   -- luacheck: ignore
    end
  until not self:mark ","
  if not self:mark ")" then error(not_understood) end
  table_options(self, made)
  return made
end

-- Indexes -----------------------------------------------------------------------------------------

-- A term as it is written, without the direction, which a pragma tells.
local function term(self, first, last)
  local word = self.tokens[last].word
  if last > first and (word == "ASC" or word == "DESC") then last = last - 1 end
  return self:text(first, last)
end

local function index_terms(self)
  local terms = {}
  local _, first, last = self:group()
  local depth, from = 0, first
  for place = first, last do
    local token = self.tokens[place]
    if token.kind == "mark" then
      if token.value == "," and depth == 0 then
        terms[#terms + 1] = term(self, from, place - 1)
        from = place + 1
      end
      depth = depth + (token.value == "(" and 1 or token.value == ")" and -1 or 0)
    end
  end
  terms[#terms + 1] = term(self, from, last)
  return terms
end

local function create_index(self)
  if not self:words "CREATE" then error(not_understood) end
  self:words "UNIQUE"
  if not self:words "INDEX" then error(not_understood) end
  self:words("IF", "NOT", "EXISTS")
  local made = { name = self:full_name() }
  if not self:words "ON" then error(not_understood) end
  made.table = self:name()
  made.terms = index_terms(self)
  if self:words "WHERE" then made.where = self:text(self.at, #self.tokens) end
  return made
end

local function parsed(sql, parse)
  local ok, made = pcall(parse, setmetatable({ sql = sql, tokens = tokens_of(sql), at = 1 }, Reader))
  if ok then return made end
  if made ~= not_understood then error(made, 0) end
  return nil
end

--- A CREATE TABLE: { name, columns = { { name, collation, computed, persisted, not_null_conflict }, … }, column = the same by
-- name in small letters, primary_key = { name, columns, conflict }, autoincrement, unique = { … }, checks = { { name, sqltext }, … },
-- foreign_keys = { { name, columns, table, referred, ondelete, onupdate, match, deferrable, initially }, … }, strict,
-- without_rowid, virtual, order = those of the last three lists }; each list is in the order of the text. nil when it is not understood.
function text.table(sql) return parsed(sql, create_table) end

--- A CREATE INDEX: { name, table, terms = { "lower(name)", … }, where }; nil when it is not understood.
function text.index(sql) return parsed(sql, create_index) end

--- The same without comments, its words one space apart.
function text.plain(sql)
  local words = {}
  for i, token in ipairs(tokens_of(sql)) do words[i] = sql:sub(token.from, token.to) end
  return table.concat(words, " ")
end

--- Is it one literal, with a sign or without: what DEFAULT takes without parentheses?
function text.is_literal(sql)
  local tokens = tokens_of(sql)
  local signed = #tokens == 2 and tokens[1].kind == "mark" and tokens[1].value:find "[+-]" and tokens[2].kind == "number"
  return signed or #tokens == 1
end

return text
