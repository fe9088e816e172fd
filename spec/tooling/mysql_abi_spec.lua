-- luacheck: no max line length
-- What the driver declares of Connector/C's ABI, against the library's own header (Debian: libmariadb-dev), by a C program for
-- each of them that prints sizes, offsets and numbers.
local folders = { os.getenv "MARIADB_INCLUDE" or "/usr/include/mariadb", "/usr/local/include/mariadb" }

local structures = {
  { "MYSQL_FIELD", "alch_mysql_field", "name org_name length max_length name_length def_length flags decimals charsetnr type extension" },
  { "MYSQL_BIND", "alch_mysql_bind", "length is_null buffer error u buffer_length offset length_value flags pack_length buffer_type error_value is_unsigned long_data_used is_null_value extension" },
  { "MYSQL_TIME", "alch_mysql_time", "year month day hour minute second second_part neg time_type" },
  { "MYSQL", "alch_mysql_head", "net net.buff net.read_pos", begins = true },   -- ours is how theirs begins
}

local constants = [[
  MYSQL_TYPE_DECIMAL MYSQL_TYPE_TINY MYSQL_TYPE_SHORT MYSQL_TYPE_LONG MYSQL_TYPE_FLOAT MYSQL_TYPE_DOUBLE MYSQL_TYPE_NULL MYSQL_TYPE_TIMESTAMP MYSQL_TYPE_LONGLONG MYSQL_TYPE_INT24
  MYSQL_TYPE_DATE MYSQL_TYPE_TIME MYSQL_TYPE_DATETIME MYSQL_TYPE_YEAR MYSQL_TYPE_NEWDATE MYSQL_TYPE_BIT MYSQL_TYPE_JSON MYSQL_TYPE_NEWDECIMAL MYSQL_TYPE_ENUM MYSQL_TYPE_SET
  MYSQL_TYPE_TINY_BLOB MYSQL_TYPE_MEDIUM_BLOB MYSQL_TYPE_LONG_BLOB MYSQL_TYPE_BLOB MYSQL_TYPE_VAR_STRING MYSQL_TYPE_STRING MYSQL_TYPE_GEOMETRY
  MYSQL_OPT_CONNECT_TIMEOUT MYSQL_OPT_COMPRESS MYSQL_INIT_COMMAND MYSQL_READ_DEFAULT_FILE MYSQL_READ_DEFAULT_GROUP MYSQL_SET_CHARSET_NAME MYSQL_OPT_LOCAL_INFILE MYSQL_OPT_PROTOCOL
  MYSQL_OPT_READ_TIMEOUT MYSQL_OPT_WRITE_TIMEOUT MYSQL_OPT_SSL_VERIFY_SERVER_CERT MYSQL_PLUGIN_DIR MYSQL_DEFAULT_AUTH MYSQL_OPT_BIND MYSQL_OPT_SSL_KEY MYSQL_OPT_SSL_CERT MYSQL_OPT_SSL_CA
  MYSQL_OPT_SSL_CAPATH MYSQL_OPT_SSL_CIPHER MYSQL_OPT_SSL_CRL MYSQL_OPT_SSL_CRLPATH MYSQL_SERVER_PUBLIC_KEY MYSQL_OPT_SSL_ENFORCE MYSQL_OPT_MAX_ALLOWED_PACKET MYSQL_OPT_TLS_VERSION
  MYSQL_OPT_NONBLOCK MYSQL_PROTOCOL_TCP MARIADB_CONNECTION_SERVER_STATUS STMT_ATTR_CURSOR_TYPE STMT_ATTR_PREFETCH_ROWS STMT_ATTR_ARRAY_SIZE STMT_ATTR_ROW_SIZE STMT_ATTR_CB_USER_DATA STMT_ATTR_CB_PARAM CURSOR_TYPE_NO_CURSOR
  CURSOR_TYPE_READ_ONLY STMT_INDICATOR_NONE STMT_INDICATOR_NULL STMT_INDICATOR_DEFAULT MYSQL_WAIT_READ MYSQL_WAIT_WRITE MYSQL_WAIT_EXCEPT MYSQL_WAIT_TIMEOUT MYSQL_NO_DATA
  MYSQL_DATA_TRUNCATED CLIENT_FOUND_ROWS SERVER_STATUS_IN_TRANS SERVER_STATUS_CURSOR_EXISTS SERVER_STATUS_IN_TRANS_READONLY UNSIGNED_FLAG CR_CONNECTION_ERROR CR_SERVER_GONE_ERROR
  CR_OUT_OF_MEMORY CR_SERVER_LOST CR_COMMANDS_OUT_OF_SYNC CR_SSL_CONNECTION_ERROR CR_NEW_STMT_METADATA
]]

local function header_folder()
  for _, folder in ipairs(folders) do
    local file = io.open(folder .. "/mysql.h")
    if file then file:close() return folder end
  end
end

local function program(includes, which)
  local lines = { "#include <stddef.h>", "#include <stdio.h>", includes, "int main(void) {" }
  for _, structure in ipairs(structures) do
    local name = structure[which]
    if not structure.begins then lines[#lines + 1] = ('printf("%s %%d\\n", (int)sizeof(%s));'):format(structure[1], name) end
    for member in structure[3]:gmatch "%S+" do
      lines[#lines + 1] = ('printf("%s.%s %%d\\n", (int)offsetof(%s, %s));'):format(structure[1], member, name, member)
    end
  end
  for constant in constants:gmatch "%S+" do lines[#lines + 1] = ('printf("%s %%d\\n", (int)%s);'):format(constant, constant) end
  lines[#lines + 1] = "return 0; }"
  return table.concat(lines, "\n") .. "\n"
end

local function output_of(text, options)
  local source, binary = os.tmpname(), os.tmpname()
  local file = assert(io.open(source, "w"))
  file:write(text)
  file:close()
  local pipe = assert(io.popen(("LD_PRELOAD= %s -x c %s %s -o %s 2>&1 && LD_PRELOAD= %s"):format(os.getenv "CC" or "cc", options, source, binary, binary)))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(source)
  os.remove(binary)
  return output
end

describe("the ABI of Connector/C", function()
  it("is what its header says", function()
    local folder = header_folder()
    if not folder then return pending "mysql.h is not installed (Debian: libmariadb-dev)" end
    local theirs = output_of(program("#include <mysql.h>\n#include <errmsg.h>", 1), "-I" .. folder)
    local ours = output_of(program('#include "engine/drivers/mysql_library.h"', 2), "-Isrc -std=c11")
    assert.is_truthy(ours:find "CR_NEW_STMT_METADATA 2057", ours)
    assert.equal(theirs, ours)
  end)
end)
