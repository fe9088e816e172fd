-- luacheck: no max line length
-- MariaDB by TLS, with Connector/C.
local declare = assert(loadfile("spec/server_tls.lua", "t", _ENV))()
local fails = dofile("spec/core/world.lua").fails

local function authority(secure) return "ssl_ca=" .. secure.authority .. ".pem" end

describe("TLS to MariaDB", function()
  declare {
    server = "mariadb", open = "mariadb://%s@%s:%d/spec?%s", verified = authority,
    cipher = "SHOW STATUS LIKE 'Ssl_cipher'",
    rows = "SELECT seq AS n, repeat('x', %d) AS filler FROM seq_1_to_%d",
    patience = "read_timeout=1", greeting = 250, endless = "SELECT sum(a.seq * b.seq) FROM seq_1_to_100000 a, seq_1_to_100000 b",
    enough = function(secure)
      return { "ssl=1", authority(secure) .. "&ssl_verify_cert=1", authority(secure) .. "&ssl_verify_cert=0", "tls_version=TLSv1.2", "tls_version=TLSv1.2,TLSv1.3" }
    end,
    refused = {
      { options = authority, host = "127.0.0.1", "Validation", "another host", "ssl_verify_cert=0" },
      { options = function(secure) return "ssl_ca=" .. secure.stranger .. ".pem" end, "certificate", "ssl_ca names" },
      { options = function(secure) return "ssl_verify_cert=0&ssl_ca=" .. secure.stranger .. ".pem" end, "certificate", "ssl_ca names" },
      { options = function() return "ssl_verify_cert=1" end, "certificate", "ssl_ca names" },
      { options = function() return "ssl_ca=/nowhere.pem" end, "HINT:  ssl_ca" },
    },
    unknown = {
      ["ssl_mode=REQUIRED"] = { "no option 'ssl_mode'", "ssl=1 (encrypted)" }, ["sslrootcert=/x"] = { "ssl_ca" }, ["tls=1"] = { "ssl=1" },
      ["ssl=maybe"] = { "1 or 0" }, ["ssl=0&ssl_ca=/x"] = { "contradict", "leave out ssl=0" }, ["ssl_verify_cert=1&ssl=0"] = { "contradict" },
      ["tls_version=TLSv9"] = { "TLSv1.3" }, ["tls_version="] = { "TLSv1.2" },
    },
    certified = function(secure) return ("%s&ssl_cert=%s.pem&ssl_key=%s.key"):format(authority(secure), secure.client, secure.client) end,
    uncertified = { "Access denied" },
    before = function(here, cipher)
      assert.equal("", cipher(here.url))
      assert.equal("", cipher(here.url .. "&ssl=0"))
      for _, options in ipairs { "ssl=1", "ssl_verify_cert=1", "ssl_ca=/x", "tls_version=TLSv1.2", "ssl_ca=/x&ssl_verify_cert=0" } do
        fails("OperationalError", function() cipher(here.url .. "&" .. options) end, "TLS has to be set up at the server")
      end
    end,
  }
end)
