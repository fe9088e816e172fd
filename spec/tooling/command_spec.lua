local shell = dofile "spec/tooling/shell.lua"
local lua = os.getenv "LUA" or "lua5.4"

-- The command needs the sanitizers' library wherever the library under it does.
local function command(arguments)
  return shell.run(("%s bin/lualchemy %s"):format(lua, arguments), true)
end

describe("the lualchemy command", function()
  it("tells its version", function()
    local output, code = command "--version"
    assert.equal("lualchemy " .. require "lualchemy"._VERSION .. "\n", output)
    assert.equal(0, code)
  end)

  it("helps, also when nothing was asked", function()
    local output, code = command "--help"
    assert.truthy(output:find("usage: lualchemy", 1, true), output)
    assert.equal(0, code)
    assert.equal(output, (command ""))
  end)

  it("answers an unknown command with the nearest known one", function()
    local output, code = command "versoin"
    assert.truthy(output:find("unknown command 'versoin'; did you mean '--version'?", 1, true), output)
    assert.equal(2, code)
  end)
end)
