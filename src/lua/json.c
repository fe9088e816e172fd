/* json.c - JSON columns: Lua values as JSON and back (RFC 8259), so that nothing changes on the way. Integers keep their 64 bits, floats the shortest digits that they are read from again and a point or
   a size that tells them from integers, an empty list is told from an empty object, and null stands in tables as la.null. */
#include "base/decimal.h"
#include "base/real.h"
#include "base/utf8.h"
#include "lua/expression.h"
#include <math.h>
#include <string.h>

#define DEPTH_MAX 200

/* ---- writing ---- */

typedef struct writer {
  lua_State *L;
  binding *b;
  alch_buffer *out;
  int depth;
} writer;

static void write_value(writer *w, int index);

static void write_escape(unsigned char c, alch_buffer *out) {
  static const char short_of[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
  if (c == '"' || c == '\\') alch_buffer_add_format(out, "\\%c", c);
  else if (c < sizeof short_of && short_of[c]) alch_buffer_add_format(out, "\\%c", short_of[c]);
  else alch_buffer_add_format(out, "\\u%04x", c);
}

static void write_text(writer *w, const char *text, size_t length) {
  size_t from = 0, sound = alch_utf8_check(text, length);
  if (sound < length) binding_error(w->L, w->b, ALCH_ERROR_DATA, "JSON is UTF-8, which a text is not from byte %zu (0x%02x) on", sound + 1, (unsigned)(unsigned char)text[sound]);
  alch_buffer_add_char(w->out, '"');
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    alch_buffer_add_bytes(w->out, text + from, i - from);
    write_escape(c, w->out);
    from = i + 1;
  }
  alch_buffer_add_bytes(w->out, text + from, length - from);
  alch_buffer_add_char(w->out, '"');
}

static void write_number(writer *w, int index) {
  char text[ALCH_REAL_TEXT_SIZE];
  if (lua_isinteger(w->L, index)) {
    alch_buffer_add_integer(w->out, lua_tointeger(w->L, index));
    return;
  }
  double real = lua_tonumber(w->L, index);
  if (!isfinite(real)) binding_error(w->L, w->b, ALCH_ERROR_DATA, "JSON has no number that is %s: write a text, or la.null", isnan(real) ? "NaN" : "infinite");
  alch_buffer_add_bytes(w->out, text, alch_real_print_whole(real, text));
}

/* A list says so by its metatable, __jsontype = "array"; or it is a table of the keys 1, 2, … and of no others. */
static bool is_marked(lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__jsontype") == LUA_TNIL) return false;
  bool marked = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "array") == 0;
  lua_pop(L, 1);
  return marked;
}

static bool is_list(lua_State *L, int index) {
  lua_Integer length = (lua_Integer)lua_rawlen(L, index);
  if (length == 0) return is_marked(L, index);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    bool inside = lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= length;
    if (inside) continue;
    lua_pop(L, 1);
    return false;
  }
  return true;
}

static void write_list(writer *w, int index) {
  lua_Integer length = (lua_Integer)lua_rawlen(w->L, index);
  alch_buffer_add_char(w->out, '[');
  for (lua_Integer i = 1; i <= length; i++) {
    if (i > 1) alch_buffer_add_char(w->out, ',');
    lua_rawgeti(w->L, index, i);
    write_value(w, lua_gettop(w->L));
    lua_pop(w->L, 1);
  }
  alch_buffer_add_char(w->out, ']');
}

static void write_object(writer *w, int index) {
  bool first = true;
  alch_buffer_add_char(w->out, '{');
  lua_pushnil(w->L);
  while (lua_next(w->L, index)) {
    size_t length;
    if (lua_type(w->L, -2) != LUA_TSTRING)
      binding_error(w->L, w->b, ALCH_ERROR_DATA, "a table in JSON has text as its keys, or is a list (1, 2, 3 …), and this one has %s among others", binding_describe(w->L, w->b, -2));
    if (!first) alch_buffer_add_char(w->out, ',');
    first = false;
    const char *key = lua_tolstring(w->L, -2, &length);
    write_text(w, key, length);
    alch_buffer_add_char(w->out, ':');
    write_value(w, lua_gettop(w->L));
    lua_pop(w->L, 1);
  }
  alch_buffer_add_char(w->out, '}');
}

static void write_table(writer *w, int index) {
  luaL_checkstack(w->L, 8, "JSON that is too deep");
  if (++w->depth > DEPTH_MAX) binding_error(w->L, w->b, ALCH_ERROR_DATA, "a table in JSON is deeper than %d, or has itself inside", DEPTH_MAX);
  if (is_list(w->L, index)) write_list(w, index);
  else write_object(w, index);
  w->depth--;
}

static void write_value(writer *w, int index) {
  size_t length;
  const char *text;
  char digits[ALCH_DECIMAL_TEXT_SIZE];
  const alch_decimal *decimal = binding_test(w->L, w->b, index, BINDING_DECIMAL);
  switch (lua_type(w->L, index)) {
    case LUA_TNIL: alch_buffer_add(w->out, "null"); return;
    case LUA_TBOOLEAN: alch_buffer_add(w->out, lua_toboolean(w->L, index) ? "true" : "false"); return;
    case LUA_TNUMBER: write_number(w, index); return;
    case LUA_TSTRING:
      text = lua_tolstring(w->L, index, &length);
      write_text(w, text, length);
      return;
    case LUA_TTABLE: write_table(w, index); return;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(w->L, index)) break;
      alch_buffer_add(w->out, "null");
      return;
    default: break;
  }
  if (!decimal) binding_error(w->L, w->b, ALCH_ERROR_DATA, "JSON has no form for %s: write a table, a text or a number", binding_describe(w->L, w->b, index));
  alch_buffer_add_bytes(w->out, digits, alch_decimal_print(decimal, digits));
}

/* json_encode(value): a string */
static int json_encode(lua_State *L) {
  binding *b = BINDING(L);
  lua_settop(L, 1);
  writer w = { L, b, binding_push_buffer(L, b), 0 };
  write_value(&w, 1);
  if (alch_buffer_failed(w.out)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  lua_pushlstring(L, alch_buffer_text(w.out), w.out->length);
  return 1;
}

/* ---- reading ---- */

typedef struct reader {
  lua_State *L;
  binding *b;
  const char *text, *at, *end;
  alch_buffer *scratch;   /* of a text with escapes */
  int depth;
} reader;

static void read_value(reader *r);

static void refuse(reader *r, const char *expected) {
  if (r->at >= r->end) binding_error(r->L, r->b, ALCH_ERROR_DATA, "JSON cannot be read: it ends where %s was expected", expected);
  binding_error(r->L, r->b, ALCH_ERROR_DATA, "JSON cannot be read: %s was expected at byte %zu, before '%.20s'", expected, (size_t)(r->at - r->text) + 1, r->at);
}

static void skip_blanks(reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool take(reader *r, char c) {
  skip_blanks(r);
  if (r->at >= r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static bool take_word(reader *r, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
  r->at += length;
  return true;
}

static uint32_t read_four(reader *r) {
  uint32_t code = 0;
  for (int i = 0; i < 4; i++, r->at++) {
    char c = r->at < r->end ? *r->at : ' ';
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) refuse(r, "a hexadecimal digit");
    code = code << 4 | (uint32_t)digit;
  }
  return code;
}

/* Behind \u; a character beyond U+FFFF is two of them. */
static void read_code(reader *r) {
  char text[4];
  uint32_t code = read_four(r), low;
  if ((code & 0xfc00) == 0xd800 && take_word(r, "\\u")) {
    low = read_four(r);
    if ((low & 0xfc00) != 0xdc00) refuse(r, "the second half of a surrogate pair");
    code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
  }
  if ((code & 0xfffff800) == 0xd800) refuse(r, "a character, not half of a surrogate pair,");
  alch_buffer_add_bytes(r->scratch, text, alch_utf8_write(code, text));
}

static void read_escape(reader *r) {
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  char c = r->at < r->end ? *r->at++ : '\0';
  if (c == 'u') {
    read_code(r);
    return;
  }
  for (size_t i = 0; c && i + 1 < sizeof escapes; i += 2)
    if (escapes[i] == c) {
      alch_buffer_add_char(r->scratch, escapes[i + 1]);
      return;
    }
  r->at--;
  refuse(r, "an escape such as \\n");
}

/* Behind the quote; pushes the text. */
static void read_text(reader *r) {
  const char *from = r->at;
  alch_buffer_clear(r->scratch);
  for (;;) {
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (unsigned char)*r->at >= 0x20) r->at++;
    if (r->at >= r->end || (unsigned char)*r->at < 0x20) refuse(r, "a quote at the end of a text");
    bool last = *r->at == '"';
    if (last && r->scratch->length == 0) lua_pushlstring(r->L, from, (size_t)(r->at - from));
    else alch_buffer_add_bytes(r->scratch, from, (size_t)(r->at - from));
    r->at++;
    if (last) break;
    read_escape(r);
    from = r->at;
  }
  if (r->scratch->length > 0) lua_pushlstring(r->L, alch_buffer_text(r->scratch), r->scratch->length);
}

static double read_real(reader *r, const char *text, size_t length) {
  double real = 0;
  alch_real_parse(text, length, &real);
  if (!isfinite(real)) binding_error(r->L, r->b, ALCH_ERROR_DATA, "JSON cannot be read: the number at byte %zu is larger than any double", (size_t)(text - r->text) + 1);
  return real;
}

/* An integer beyond 64 bits is the double that it is written for, or a decimal. */
static void push_large(reader *r, const char *text, size_t length) {
  alch_decimal decimal = { 0 };
  int64_t integer;
  bool exact = alch_decimal_parse(&decimal, text, length, NULL) == ALCH_OK;
  if (exact && alch_decimal_to_integer(&decimal, &integer)) {
    lua_pushinteger(r->L, integer);
    return;
  }
  double real = read_real(r, text, length);
  if (!exact || alch_real_has_digits(real, text, length)) lua_pushnumber(r->L, real);
  else *(alch_decimal *)binding_new(r->L, r->b, BINDING_DECIMAL, sizeof decimal, 0) = decimal;
}

static void skip_digits(reader *r) {
  const char *from = r->at;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
  if (r->at == from) refuse(r, "a digit");
}

static void read_number(reader *r) {
  const char *from = r->at;
  if (*r->at == '-') r->at++;
  bool zero = r->at < r->end && *r->at == '0';
  const char *first = r->at;
  skip_digits(r);
  if (zero && r->at - first > 1) refuse(r, "a number without a leading zero");
  const char *whole = r->at;
  if (r->at < r->end && *r->at == '.') r->at++, skip_digits(r);
  if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
    r->at++;
    if (r->at < r->end && (*r->at == '+' || *r->at == '-')) r->at++;
    skip_digits(r);
  }
  if (r->at == whole) {
    push_large(r, from, (size_t)(r->at - from));
    return;
  }
  lua_pushnumber(r->L, read_real(r, from, (size_t)(r->at - from)));
}

/* An empty list is told from an empty object by its metatable, which is there once a state. */
static void mark_list(lua_State *L) {
  if (luaL_newmetatable(L, "lualchemy.list")) {
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__jsontype");
  }
  lua_setmetatable(L, -2);
}

static void read_list(reader *r) {
  lua_Integer count = 0;
  lua_newtable(r->L);
  if (take(r, ']')) {
    mark_list(r->L);
    return;
  }
  do {
    read_value(r);
    lua_rawseti(r->L, -2, ++count);
  } while (take(r, ','));
  if (!take(r, ']')) refuse(r, "a comma or ]");
}

static void read_object(reader *r) {
  lua_newtable(r->L);
  if (take(r, '}')) return;
  do {
    if (!take(r, '"')) refuse(r, "a key in quotes");
    read_text(r);
    if (!take(r, ':')) refuse(r, "a colon");
    read_value(r);
    lua_rawset(r->L, -3);
  } while (take(r, ','));
  if (!take(r, '}')) refuse(r, "a comma or }");
}

static void read_nested(reader *r, void (*read)(reader *r)) {
  luaL_checkstack(r->L, 8, "JSON that is too deep");
  if (++r->depth > DEPTH_MAX) binding_error(r->L, r->b, ALCH_ERROR_DATA, "JSON cannot be read: it is deeper than %d", DEPTH_MAX);
  read(r);
  r->depth--;
}

static void read_value(reader *r) {
  if (take(r, '"')) read_text(r);
  else if (take(r, '{')) read_nested(r, read_object);
  else if (take(r, '[')) read_nested(r, read_list);
  else if (take_word(r, "null")) binding_push_null(r->L);
  else if (take_word(r, "true")) lua_pushboolean(r->L, 1);
  else if (take_word(r, "false")) lua_pushboolean(r->L, 0);
  else if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))) read_number(r);
  else refuse(r, "a value");
}

/* json_decode(text) */
static int json_decode(lua_State *L) {
  binding *b = BINDING(L);
  size_t length;
  const char *text = binding_text(L, b, 1, &length, "JSON as a string", "json_decode");
  lua_settop(L, 1);
  reader r = { L, b, text, text, text + length, binding_push_buffer(L, b), 0 };
  read_value(&r);
  skip_blanks(&r);
  if (r.at < r.end) refuse(&r, "the end");
  if (alch_buffer_failed(r.scratch)) binding_must(L, b, alch_error_out_of_memory(&b->error));
  return 1;
}

/* json_list(table): the table, which is a list in JSON even when it is empty */
static int json_list(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  mark_list(L);
  return 1;
}

void binding_open_json(lua_State *L, binding *b) {
  static const luaL_Reg functions[] = { { "json_encode", json_encode }, { "json_decode", json_decode }, { "json_list", json_list }, { NULL, NULL } };
  lua_rawgetp(L, LUA_REGISTRYINDEX, b);
  luaL_setfuncs(L, functions, 1);
}
