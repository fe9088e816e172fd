local shell = dofile "spec/tooling/shell.lua"
local lua = os.getenv "LUA" or "lua5.4"

-- What the lint says of a tree with these files.
local function lint(files)
  local root = shell.tree(files)
  local output, code = shell.run(("%s tools/lint.lua '%s'"):format(lua, root))
  shell.remove(root)
  return output, code
end

local function says(files, ...)
  local output, code = lint(files)
  assert.equal(1, code, output)
  for _, expected in ipairs { ... } do assert.truthy(output:find(expected, 1, true), output) end
end

local function is_silent(files)
  local output, code = lint(files)
  assert.equal("", output)
  assert.equal(0, code)
end

describe("floors", function()
  it("lets includes go down and stay inside", function()
    is_silent {
      ["src/sql/a.c"] = '#include <stdio.h>\n#include "base/b.h"\n#include "sql/dialects/d.h"\n',
      ["src/sql/dialects/d.c"] = '#include "sql/a.h"\n',
      ["src/lua/l.c"] = '#include <lua.h>\n#include "orm/o.h"\n#include "migrate/m.h"\n',
      ["src/lualchemy.h"] = '#include "engine/e.h"\n',
    }
  end)

  it("stops includes that go up or sideways", function()
    says({ ["src/base/a.c"] = 'int a;\n#include "sql/b.h"\n' },
      "src/base/a.c:2: includes sql/b.h: that is a floor above")
    says({ ["src/orm/a.h"] = '  #  include "migrate/b.h"\n' }, "src/orm/a.h:1: includes migrate/b.h: the two share a floor")
    says({ ["src/migrate/a.def"] = '#include "orm/b.h"\n' }, "the two share a floor")
  end)

  it("keeps Lua in the binding, and the public header to itself", function()
    says({ ["src/orm/a.c"] = "#include <lauxlib.h>\n" }, "only src/lua includes Lua's headers")
    says({ ["src/engine/a.c"] = '#include "lualchemy.h"\n' }, "the public header is for users")
  end)

  it("knows every folder", function()
    says({ ["src/attic/a.c"] = "int a(void);\n" }, "src/attic/a.c: src/attic is on no floor")
    says({ ["src/sql/a.c"] = '#include "node.h"\n' }, "includes are written from src/ on")
  end)

  it("does not read comments", function()
    is_silent { ["src/base/a.c"] = '/*\n#include "sql/b.h"\n*/\n// \\"\n' }
  end)
end)

describe("names of databases", function()
  it("belong into their own files and the lists", function()
    is_silent {
      ["src/engine/drivers/sqlite.c"] = "#include <sqlite3.h>\n",
      ["src/engine/drivers/sqlite_bind.h"] = "void alch_sqlite_bind(void);\n",
      ["src/sql/dialects/mariadb.c"] = 'const char *like = "mysql";\n',
      ["src/sql/dialects/dialects.def"] = "DIALECT(sqlite)\nDIALECT(oracle)\n",
      ["src/engine/url.c"] = "/* as in sqlite:///app.db */ // or mysql\n",
    }
  end)

  it("are found in code and in strings elsewhere", function()
    says({ ["src/engine/url.c"] = '/* a\n * b */\nint x = f("sqlite");\n' }, "src/engine/url.c:3: names sqlite")
    says({ ["src/sql/dialects/sqlite.c"] = "int is_MySQL;\n" }, "names mysql")
    says({ ["src/sql/dialects/render.c"] = "PGSQL(POSTGRESQL)\n" }, "names postgres")
  end)
end)

describe("calls", function()
  it("that end, print or jump are refused", function()
    says({ ["src/base/a.c"] = "void f(void)\n{\n    if (x)\n        abort ();\n    printf(\"a\");\n    longjmp(b, 1);\n}\n" },
      "src/base/a.c:4: calls abort", "src/base/a.c:5: calls printf", "src/base/a.c:6: calls longjmp")
  end)

  it("that only look like these are not", function()
    is_silent { ["src/base/a.c"] = [[
void f(void)
{
    snprintf(b, 1, "exit(1)");
    d->signal(1); d.raise(2);
    goto exit;
exit:
    pool_exit(p);
}
]] }
  end)
end)

describe("sizes", function()
  local function lines(count)
    return ("    work();\n"):rep(count)
  end

  it("of functions have a limit", function()
    is_silent { ["src/base/a.c"] = "static int f(int a,\n             int b)\n{\n" .. lines(58) .. "}\n" }
    says({ ["src/base/a.c"] = "int ok(void) { return '{'; }\n\nint table[] = {\n" .. ("    1,\n"):rep(90)
      .. "};\nstatic struct a f(void (*g)(int))\n{\n    if (x) {\n" .. lines(58) .. "    }\n}\n" },
      "src/base/a.c:96: f is 62 lines long")
  end)

  it("of files have a limit", function()
    says({ ["src/base/a.h"] = ("int a(void);\n"):rep(801) }, "src/base/a.h: 801 lines")
    says({ ["lua/lualchemy/a.lua"] = ("-- a\n"):rep(801) }, "lua/lualchemy/a.lua: 801 lines")
  end)

  it("need blocks that end where they began", function()
    says({ ["src/base/a.c"] = "int f(void)\n{\n#if A\n    if (x) {\n#else\n    if (y) {\n#endif\n    }\n}\n" }, "braces do not match")
  end)
end)

describe("a build", function()
  it("has no variable and exports only the opener", function()
    local root = shell.tree {
      ["src/base/a.c"] = [[
static int counter;
int common = 3;
static const char *const names[] = { "a", "b" };
int alch_next(int i) { static int last; last += common; return counter++ + last + *names[i & 1]; }
]],
      ["src/lua/a.c"] = '__attribute__((visibility("default"))) int alch_next(int);\n'
        .. '__attribute__((visibility("default"))) int leaked(int a);\nint leaked(int a) { return alch_next(a); }\n',
    }
    shell.run(("cp -r Makefile tools '%s'"):format(root))
    local output, code = shell.run(("cd '%s' && make -s all && %s tools/lint.lua . build/release"):format(root, lua))
    shell.remove(root)
    assert.equal(1, code)
    for _, expected in ipairs { "counter", "common", "last", "core.so exports leaked" } do
      assert.truthy(output:find(expected, 1, true), output)
    end
    assert.falsy(output:find("names", 1, true), output)
  end)
end)
