-- Just enough reading of C for the lint: the files of a tree, comments and strings taken out, functions
-- and where they end. What is taken out leaves its newlines, so that line numbers stay true.

local csource = {}

function csource.lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

function csource.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- The files under root/folder with these endings, as paths from root, in a fixed order.
function csource.files(root, folder, ...)
  local names = {}
  for _, ending in ipairs { ... } do names[#names + 1] = ("-name '*.%s'"):format(ending) end
  return csource.lines_of(("cd '%s' && find %s -type f \\( %s \\) 2>/dev/null | LC_ALL=C sort"):format(
    root, folder, table.concat(names, " -o ")))
end

local function blank(text)
  return (text:gsub("[^\n]+", " "))
end

local function end_of_literal(text, start, quote)
  local at = start + 1
  while at <= #text do
    local byte = text:sub(at, at)
    if byte == quote or byte == "\n" then return at end
    at = at + (byte == "\\" and 2 or 1)
  end
  return #text
end

-- The text without its comments, and the same without the contents of its strings as well.
function csource.strip(text)
  local code, bare, at = {}, {}, 1
  local function keep(piece, in_bare)
    code[#code + 1] = piece
    bare[#bare + 1] = in_bare or piece
  end
  while true do
    local start = text:find("[/\"']", at)
    if not start then break end
    keep(text:sub(at, start - 1))
    local two, first = text:sub(start, start + 1), text:sub(start, start)
    local stop
    if two == "/*" then
      stop = select(2, text:find("*/", start + 2, true)) or #text
      keep(blank(text:sub(start, stop)))
    elseif two == "//" then
      stop = (text:find("\n", start, true) or #text + 1) - 1
      keep " "
    elseif first == "/" then
      stop = start
      keep "/"
    else
      stop = end_of_literal(text, start, first)
      local literal = text:sub(start, stop)
      keep(literal, first .. blank(literal:sub(2, -2)) .. first)
    end
    at = stop + 1
  end
  keep(text:sub(at))
  return table.concat(code), table.concat(bare)
end

-- Calls visit(line, number) for each line.
function csource.each_line(text, visit)
  local number = 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    visit(line, number)
  end
end

local function without_directives(bare)
  local kept, continued = {}, false
  csource.each_line(bare, function(line)
    local directive = continued or line:find "^%s*#"
    continued = directive and line:find "\\$"
    kept[#kept + 1] = directive and "" or line
  end)
  return table.concat(kept, "\n")
end

-- The functions of a file's bare text, as { name, first, last } with line numbers; nil when braces do
-- not match, which is what an #if round half a block looks like.
function csource.functions(bare)
  local found, depth, header, current = {}, 0, "", nil
  csource.each_line(without_directives(bare), function(line, number)
    for piece, mark in (line .. " "):gmatch "([^{};]*)([{};]?)" do
      if depth == 0 then header = header .. piece .. " " end
      if mark == "{" then
        if depth == 0 and header:find "%)%s*$" then
          current = { name = header:match "([%w_]+)%s*%b()" or "?", first = number }
          found[#found + 1] = current
        end
        depth = depth + 1
      elseif mark == "}" then
        depth = depth - 1
        if depth == 0 and current then current.last, current = number, nil end
      end
      if mark ~= "" and depth == 0 then header = "" end
    end
  end)
  return depth == 0 and found or nil
end

return csource
