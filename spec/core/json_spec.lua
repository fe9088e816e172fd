-- JSON of the library's own: what goes out comes back, what is none is refused. The seed is printed with a failure: SEED=… runs it again.
-- luacheck: no max line length
local la = require "lualchemy"
local core = require "lualchemy.core"
local world = dofile "spec/core/world.lua"
local values = dofile "spec/suite/type_values.lua"
local fails = world.fails
local encode, decode = core.json_encode, core.json_decode

local function json_kind()
  for _, kind in ipairs(values.kinds) do
    if kind.name == "JSON" then return kind end
  end
end

describe("JSON", function()
  it("comes back as it went", function()
    local kind = json_kind()
    for _, value in ipairs(values.some(kind, 2000)) do
      local text = encode(value)
      assert(kind.same(value, decode(text)), ("%s became %s (SEED=%d)"):format(values.shown(value), text:sub(1, 300), values.seed))
    end
  end)

  it("is written as it is read by others", function()
    local forms = {
      { 1, "1" }, { -1, "-1" }, { 1.0, "1.0" }, { 0.1, "0.1" }, { 1e300, "1e+300" }, { -0.0, "-0.0" }, { 1e18, "1000000000000000000.0" }, { -1.4442852028034835e17, "-144428520280348350.0" }, { 1e19, "1e+19" }, { math.mininteger, "-9223372036854775808" },
      { "a\"\\/\b\f\n\r\t\1\127", '"a\\"\\\\/\\b\\f\\n\\r\\t\\u0001\127"' }, { "\0", '"\\u0000"' }, { { 1, la.null, "x" }, '[1,null,"x"]' }, { {}, "{}" },
      { la.json_list {}, "[]" }, { { a = la.json_list {} }, '{"a":[]}' }, { la.null, "null" }, { la.decimal "1.50", "1.50" }, { "\u{1F600}", '"\u{1F600}"' },
    }
    for _, form in ipairs(forms) do assert.equal(form[2], encode(form[1])) end
    assert.equal("null", encode(nil))
  end)

  it("is read as others write it", function()
    assert.same({ 1, 2 }, decode " [ 1 ,\t2\r\n] ")
    assert.equal("\u{1F600}\u{e9}A/", decode '"\\ud83d\\ude00\\u00E9\\u0041\\/"')
    assert.equal("a\0b", decode '"a\\u0000b"')
    assert.equal("float", math.type(decode "1.0"))
    assert.equal("integer", math.type(decode "-0"))
    assert.equal(1e-5, decode "1E-5")
    assert.equal(100.0, decode "1e2")
    assert.equal(5e-324, decode "4.9e-324")
    assert.equal(2, decode '{"a":1,"a":2}'.a)
    assert.equal(la.null, decode "null")
    assert.equal("[]", encode(decode "[ ]"))
    assert.equal("{}", encode(decode "{ }"))
  end)

  it("keeps integers beyond 64 bits, as the doubles that they are written for or as decimals", function()
    assert.equal("18446744073709551615", tostring(decode "18446744073709551615"))
    assert.equal(1e20, decode "100000000000000000000")
    assert.equal(-1e23, decode "-100000000000000000000000")
    assert.equal(1e300, decode("1" .. ("0"):rep(300)))
    assert.equal(1.7976931348623157e308, decode("17976931348623157" .. ("0"):rep(292)))
    assert.equal(5e-324, decode("0." .. ("0"):rep(323) .. "5"))
    assert.equal(2.0 ^ 63, decode "9223372036854776000")
    assert.equal("9223372036854775808", tostring(decode "9223372036854775808"))
    assert.equal("[99999999999999999999999999999999999999]", encode { decode(("9"):rep(38)) })
  end)

  it("is refused where it is none, with the place", function()
    local broken = {
      "", " ", "nul", "tru", "[1,]", "[1", "[1 2]", "{", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "{1:2}", "01", "-", "1.", ".5", "1e", "+1", "0x10", "NaN", "Infinity",
      '"', '"a', '"\\x"', '"\\u12"', '"\\ud83d"', '"\\ud83dx"', '"\\ud83d\\u0041"', '"\\ude00"', '"\n"', "'a'", "1 2", "[]]", "1e999", "1" .. ("0"):rep(309), "\0", "[1]\0",
    }
    for _, text in ipairs(broken) do fails("DataError", function() decode(text) end, "JSON cannot be read") end
    fails("DataError", function() decode "[1, x]" end, "byte 5", "before 'x]'")
  end)

  it("is refused where there is no form for a value", function()
    local circle = {}
    circle[1] = circle
    local refused = {
      { circle, "itself inside" }, { { [1.5] = 1 }, "keys" }, { { 1, a = 2 }, "keys" }, { { [3] = 1 }, "keys" }, { print, "no form" }, { { la.date "2024-02-29" }, "no form" },
      { 0 / 0, "NaN" }, { { -math.huge }, "infinite" }, { "\xff", "byte 1" }, { { ["\xc3"] = 1 }, "byte 1" },
    }
    for _, one in ipairs(refused) do fails("DataError", function() encode(one[1]) end, one[2]) end
  end)

  it("has an end to its depth", function()
    assert.is_table(decode(("["):rep(200) .. ("]"):rep(200)))
    fails("DataError", function() decode(("["):rep(100000)) end, "deeper")
    local deep = {}
    for _ = 1, 300 do deep = { deep } end
    fails("DataError", function() encode(deep) end, "deeper")
  end)

  it("that is a number alone is SQLite's number, bit for bit, however it is written, and is compared as before", function()
    local engine = la.create_engine "sqlite://"
    local metadata = la.MetaData()
    local docs = la.Table { "docs", metadata, la.Column { "id", la.Integer, primary_key = true }, la.Column { "data", la.JSON } }
    metadata:create_all(engine)
    local number = -1.8863689330435201e-300   -- SQLite 3.40 reads a neighbour from these digits
    engine:begin(function(connection)
      connection:execute(docs:insert(), { { id = 1, data = number }, { id = 2, data = 2.0 }, { id = 3, data = { x = 2.0, y = 2.5 } } })
      connection:copy_from(docs, { { 4, number }, { 5, 0.5 } })
      connection:execute(docs:insert(), { id = 6, data = 7 })
      connection:execute(docs:update():where(docs.c.id:eq(6)):values { data = number })
      for _, id in ipairs { 1, 4, 6 } do assert.equal(number, connection:scalar(la.select(docs.c.data):where(docs.c.id:eq(id)))) end
      local two = connection:scalar(la.select(docs.c.data):where(docs.c.id:eq(2)))
      assert.equal("integer", math.type(two))
      assert.equal(2, two)
      local function ids(condition) return connection:scalars(la.select(docs.c.id):where(condition)):all() end
      assert.same({ 3 }, ids(la.and_(docs.c.data:get "x":eq(2.0), docs.c.data:get "y":eq(2.5))))
      assert.same({ 2 }, ids(docs.c.data:eq(2.0)))
      assert.same({ 5 }, ids(docs.c.data:eq(0.5)))
      fails("DataError", function() connection:execute(docs:insert(), { id = 9, data = la.decimal "18446744073709551615" }) end, "18446744073709551615 alone", "list or an object")
      connection:execute(docs:insert(), { id = 9, data = { la.decimal "18446744073709551615" } })
      assert.equal("18446744073709551615", tostring(connection:scalar(la.select(docs.c.data):where(docs.c.id:eq(9)))[1]))
    end)
    engine:dispose()
  end)
end)
