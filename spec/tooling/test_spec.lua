local shell = dofile "spec/tooling/shell.lua"

-- A tree with our build and these files, and what `make test` says of it.
local function test(files, arguments)
  files["src/base/add.h"] = "int alch_add(int a, int b);\n"
  files["src/base/add.c"] = files["src/base/add.c"] or '#include "base/add.h"\nint alch_add(int a, int b) { return a + b; }\n'
  local root = shell.tree(files)
  shell.run(("mkdir -p '%s/spec/c' && cp -r Makefile tools .busted '%s' && cp spec/c/check.* '%s/spec/c'"):format(root, root, root))
  local output, code = shell.run(("cd '%s' && make test %s"):format(root, arguments or ""))
  shell.remove(root)
  -- make's own complaint goes to the other stream, and may come last here
  return output:gsub("\nmake: [^\n]*", ""), code
end

local function ends_with(line, output)
  assert.equal(line, output:match "([^\n]*)\n*$", output)
end

local fine = '#include "check.h"\n#include "base/add.h"\nCASE("adds") { CHECK_INT(alch_add(1, 2), 3); }\n'

describe("make test", function()
  it("counts C and Lua cases, the latter in both builds", function()
    local output, code = test {
      ["spec/c/add_spec.c"] = fine .. 'CASE("skips") { check_skip("no need"); }\n',
      ["spec/a_spec.lua"] = 'it("is", function() end)\npending "later"\n',
    }
    ends_with("3 passed, 0 failed, 3 skipped", output)
    assert.equal(0, code)
  end)

  it("runs what T names, in the debug build alone", function()
    local files = { ["spec/c/add_spec.c"] = fine, ["spec/a_spec.lua"] = 'it("is", function() end)\n' }
    ends_with("1 passed, 0 failed, 0 skipped", (test(files, "T=a_spec.lua")))
    ends_with("1 passed, 0 failed, 0 skipped", (test(files, "T=add")))
    local output, code = test(files, "T=nothing")
    ends_with("0 passed, 0 failed, 0 skipped", output)
    assert.not_equal(0, code)
  end)

  it("shows what failed, with both values", function()
    local output, code = test {
      ["spec/c/add_spec.c"] = fine .. 'CASE("is wrong") { CHECK_TEXT("a\\n", "b"); CHECK_INT(alch_add(2, 2), 5); }\n',
      ["spec/a_spec.lua"] = 'it("differs", function() assert.equal(17, 42) end)\n',
    }
    ends_with("1 passed, 3 failed, 0 skipped", output)
    assert.not_equal(0, code)
    for _, expected in ipairs { 'add_spec.c:4: "a\\n" is',
      '"a\\x0a", not', "alch_add(2, 2) is 4, not 5", "not ok 2 - is wrong", "(number) 42" } do
      assert.truthy(output:find(expected, 1, true), output)
    end
  end)

  it("counts a crash, a leak and a silent end as failures", function()
    local output = test {
      ["spec/c/crash_spec.c"] = fine .. '#include <stdlib.h>\n'
        .. 'CASE("over") { char *p = malloc(3); volatile int i = 3; p[i] = 1; free(p); }\n',
      ["spec/c/leak_spec.c"] = '#include "check.h"\n#include <stdlib.h>\nCASE("leaks") { CHECK(malloc(3)); }\n',
      ["spec/c/fine_spec.c"] = fine,
      ["spec/end_spec.lua"] = 'it("is", function() end)\nit("ends", function() os.exit(0) end)\n',
      ["spec/empty_spec.lua"] = "\n",
      ["spec/syntax_spec.lua"] = "it(\n",
    }
    for _, expected in ipairs { "crash_spec.c: stopped after 1 cases", "leak_spec.c: a sanitizer reported", "LeakSanitizer",
      "end_spec.lua: stopped after 1 cases", "empty_spec.lua: holds no case", "unexpected symbol near" } do
      assert.truthy(output:find(expected, 1, true), output)
    end
    ends_with("5 passed, 8 failed, 0 skipped", output)
  end)

  it("goes on after a spec that does not compile, and not after a source that does not", function()
    ends_with("1 passed, 1 failed, 0 skipped", (test { ["spec/c/a_spec.c"] = "int x = ;\n", ["spec/c/fine_spec.c"] = fine }))
    local output, code = test { ["spec/c/fine_spec.c"] = fine, ["src/base/add.c"] = "int x = ;\n" }
    ends_with("0 passed, 1 failed, 0 skipped", output)
    assert.not_equal(0, code)
  end)
end)

describe("a seed", function()
  it("is printed, and gives the same numbers back", function()
    local files = { ["spec/c/seed_spec.c"] = '#include "check.h"\n'
      .. 'CASE("a") { CHECK_INT(check_random(), 0); }\nCASE("b") { CHECK_INT(check_random(), 0); }\n' }
    local output = test(files, "ALCH_SEED=7")
    assert.truthy(output:find("# ALCH_SEED=7", 1, true), output)
    local numbers = {}
    for number in output:gmatch "is (%-?%d+), not 0" do numbers[#numbers + 1] = number end
    assert.equal(2, #numbers)
    assert.equal(numbers[1], numbers[2])
    assert.equal(output, (test(files, "ALCH_SEED=7")))
  end)
end)
