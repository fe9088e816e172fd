/* Arrays, ranges, multiranges and addresses: the server's binary formats (array_recv, range_recv, multirange_recv, inet_recv and their *_send) to the texts that it has for them, and back. What a text is cannot be told
   from here where it is not as the server writes it: such a one goes as text, and the server judges. */
#include "engine/drivers/postgresql_private.h"
#include "schema/array_text.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DIMENSIONS 6
#define WORD_EMPTY "empty"

enum { RANGE_EMPTY = 1, RANGE_LOWER_INCLUSIVE = 2, RANGE_UPPER_INCLUSIVE = 4, RANGE_LOWER_INFINITE = 8, RANGE_UPPER_INFINITE = 16 };
enum { FAMILY_4 = 2, FAMILY_6 = 3 };

/* ---- arrays: texts to binary ---- */

typedef struct array_shape {
  int depth;                    /* of the items; 0: there are none */
  int64_t sizes[DIMENSIONS + 1];
  bool nulls;
} array_shape;

typedef struct array_walk {
  int depth;
  int64_t counts[DIMENSIONS + 1];
} array_walk;

static bool open_level(array_walk *walk, const array_shape *shape) {
  if (walk->depth == DIMENSIONS || (shape->depth > 0 && walk->depth >= shape->depth)) return false;
  walk->counts[walk->depth++]++;
  walk->counts[walk->depth] = 0;
  return true;
}

static bool close_level(array_walk *walk, array_shape *shape) {
  if (walk->depth == 0) return false;
  int64_t count = walk->counts[walk->depth], *size = &shape->sizes[walk->depth];
  walk->depth--;
  if (*size < 0) *size = count;
  return *size == count;
}

static bool count_item(array_walk *walk, array_shape *shape, const alch_value *item) {
  if (shape->depth == 0) shape->depth = walk->depth;
  walk->counts[walk->depth]++;
  shape->nulls = shape->nulls || item->kind == ALCH_NULL;
  return walk->depth > 0 && walk->depth == shape->depth;
}

/* False for what is no array with as many items in each of its parts, and for one with bounds of its own. */
static bool measure(const alch_value *value, alch_buffer *text, array_shape *shape) {
  array_walk walk = { 0 };
  alch_array_cursor cursor = alch_array_cursor_at(value->text, value->length);
  alch_value item;
  alch_array_token token;
  bool well = value->length > 1 && *value->text == '{';
  *shape = (array_shape){ .sizes = { -1, -1, -1, -1, -1, -1, -1 } };
  while (well && (token = alch_array_next(&cursor, text, &item)) != ALCH_ARRAY_END) {
    if (token == ALCH_ARRAY_OPEN) well = open_level(&walk, shape);
    else if (token == ALCH_ARRAY_CLOSE) well = close_level(&walk, shape);
    else well = count_item(&walk, shape, &item);
  }
  return well && walk.depth == 0;
}

static bool add_items(const alch_value *value, const alch_postgresql_form *form, alch_buffer *text, alch_buffer *out) {
  alch_array_cursor cursor = alch_array_cursor_at(value->text, value->length);
  alch_value item;
  alch_array_token token;
  while ((token = alch_array_next(&cursor, text, &item)) != ALCH_ARRAY_END)
    if (token == ALCH_ARRAY_ITEM && !alch_postgresql_add_field(form, &item, out)) return false;
  return true;
}

bool alch_postgresql_write_array(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out) {
  alch_postgresql_form item;
  array_shape shape;
  alch_buffer text;
  if (value->kind != ALCH_TEXT) return false;
  if (!alch_postgresql_form_of(form->item, &item)) item = alch_postgresql_text_form(form->item, PG_UNKNOWN);
  alch_buffer_init(&text, out->allocator);
  bool well = measure(value, &text, &shape);
  if (well) {
    alch_postgresql_add_bits(out, (uint64_t)shape.depth, 4);
    alch_postgresql_add_bits(out, shape.nulls, 4);
    alch_postgresql_add_bits(out, form->item, 4);
    for (int i = 1; i <= shape.depth; i++) alch_postgresql_add_bits(out, (uint64_t)shape.sizes[i], 4), alch_postgresql_add_bits(out, 1, 4);
    well = shape.depth == 0 || add_items(value, &item, &text, out);
  }
  alch_buffer_close(&text);
  return well;
}

/* ---- ranges: texts to binary ---- */

/* One bound, from its first character on; *next: the character that ends it. *given: it is not left out. False: the text ends within it. */
static bool read_bound(const char *at, const char *end, alch_buffer *out, bool *given, const char **next) {
  bool quoted = false;
  *given = false;
  for (; at < end; at++) {
    if (!quoted && strchr(",)]", *at) && *at) break;
    *given = true;
    if (*at == '"' && quoted && at + 1 < end && at[1] == '"') alch_buffer_add_char(out, *at++);
    else if (*at == '"') quoted = !quoted;
    else {
      if (*at == '\\' && at + 1 < end) at++;
      alch_buffer_add_char(out, *at);
    }
  }
  *next = at;
  return at < end && !quoted;
}

static bool add_bound(const alch_postgresql_form *form, bool given, const alch_buffer *text, alch_buffer *out) {
  alch_value value = alch_value_text(alch_buffer_text(text), text->length);
  return !given || alch_postgresql_add_field(form, &value, out);
}

/* [lower,upper), with the characters that open and close it. */
static bool add_range(const alch_postgresql_form *form, const char *at, const char *end, alch_buffer *text, alch_buffer *out) {
  bool lower, upper, well;
  const char *next;
  size_t flags = out->length;
  int bits = *at == '[' ? RANGE_LOWER_INCLUSIVE : 0;
  if (*at != '[' && *at != '(') return false;
  alch_buffer_add_char(out, 0);
  alch_buffer_clear(text);
  well = read_bound(at + 1, end, text, &lower, &next) && *next == ',' && add_bound(form, lower, text, out);
  alch_buffer_clear(text);
  well = well && read_bound(next + 1, end, text, &upper, &next) && *next != ',' && next + 1 == end && add_bound(form, upper, text, out);
  if (!well) return false;
  if (*next == ']') bits |= RANGE_UPPER_INCLUSIVE;
  if (!lower) bits = (bits & ~RANGE_LOWER_INCLUSIVE) | RANGE_LOWER_INFINITE;
  if (!upper) bits = (bits & ~RANGE_UPPER_INCLUSIVE) | RANGE_UPPER_INFINITE;
  if (!out->failed) out->text[flags] = (char)bits;
  return true;
}

static bool is_empty_word(const char *at, size_t length) { return length == strlen(WORD_EMPTY) && strncasecmp(at, WORD_EMPTY, length) == 0; }

static bool range_of_text(const alch_postgresql_form *form, const char *at, const char *end, alch_buffer *out) {
  alch_postgresql_form bound;
  alch_buffer text;
  if (is_empty_word(at, (size_t)(end - at))) {
    alch_buffer_add_char(out, RANGE_EMPTY);
    return true;
  }
  if (at == end || !alch_postgresql_form_of(form->item, &bound)) return false;
  alch_buffer_init(&text, out->allocator);
  bool well = add_range(&bound, at, end, &text, out);
  alch_buffer_close(&text);
  return well;
}

bool alch_postgresql_write_range(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out) {
  return value->kind == ALCH_TEXT && range_of_text(form, value->text, value->text + value->length, out);
}

/* Where the range that begins here ends; NULL: nowhere. */
static const char *end_of_range(const char *at, const char *end) {
  bool quoted = false;
  for (; at < end; at++) {
    if (*at == '\\') at++;
    else if (*at == '"') quoted = !quoted;
    else if (!quoted && (*at == ']' || *at == ')')) return at + 1;
  }
  return NULL;
}

bool alch_postgresql_write_multirange(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out) {
  alch_postgresql_form range;
  const char *at = value->text, *end = at + value->length, *stop;
  size_t start = out->length;
  uint32_t count = 0;
  if (value->kind != ALCH_TEXT || value->length < 2 || *at != '{' || end[-1] != '}' || !alch_postgresql_form_of(form->item, &range)) return false;
  alch_postgresql_add_bits(out, 0, 4);
  for (at++, end--; at < end; at = stop, count++) {
    while (at < end && (*at == ',' || *at == ' ')) at++;
    stop = end_of_range(at, end);
    size_t field = out->length;
    alch_postgresql_add_bits(out, 0, 4);
    if (!stop || !range_of_text(&range, at, stop, out)) return false;
    if (!out->failed) alch_postgresql_put(out->text + field, out->length - field - 4, 4);
  }
  if (!out->failed) alch_postgresql_put(out->text + start, count, 4);
  return true;
}

/* ---- addresses ---- */

bool alch_postgresql_write_address(const alch_postgresql_form *form, const alch_value *value, alch_buffer *out) {
  char text[64], address[16];
  int bits = -1;
  if (value->kind != ALCH_TEXT || value->length >= sizeof text) return false;
  memcpy(text, value->text, value->length);
  text[value->length] = '\0';
  char *slash = strchr(text, '/');
  if (slash) {
    char after;
    *slash = '\0';
    if (!isdigit((unsigned char)slash[1]) || sscanf(slash + 1, "%3d%c", &bits, &after) != 1) return false;
  }
  int size = inet_pton(AF_INET, text, address) == 1 ? 4 : inet_pton(AF_INET6, text, address) == 1 ? 16 : 0;
  if (size == 0 || bits > size * 8) return false;
  alch_buffer_add_char(out, size == 4 ? FAMILY_4 : FAMILY_6);
  alch_buffer_add_char(out, (char)(bits < 0 ? size * 8 : bits));
  alch_buffer_add_char(out, form->type == PG_CIDR);
  alch_buffer_add_char(out, (char)size);
  alch_buffer_add_bytes(out, address, (size_t)size);
  return true;
}

static bool print_address(const char *bytes, uint32_t length, alch_buffer *out) {
  char text[64];
  int size = length >= 4 ? (unsigned char)bytes[3] : 0, bits = length >= 4 ? (unsigned char)bytes[1] : 0;
  if ((size != 4 && size != 16) || length < 4 + (uint32_t)size) return false;
  if (!inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes + 4, text, sizeof text)) return false;
  alch_buffer_add(out, text);
  if (bits != size * 8 || bytes[2]) alch_buffer_add_format(out, "/%d", bits);
  return true;
}

static bool print_hardware(const char *bytes, uint32_t length, alch_buffer *out) {
  for (uint32_t i = 0; i < length; i++) alch_buffer_add_format(out, "%s%02x", i > 0 ? ":" : "", (unsigned char)bytes[i]);
  return true;
}

static bool print_bits(const char *bytes, uint32_t length, alch_buffer *out) {
  uint32_t count = length >= 4 ? alch_postgresql_get(bytes) : 0;
  if (length < 4 || (count + 7) / 8 > length - 4) return false;
  for (uint32_t i = 0; i < count; i++) alch_buffer_add_char(out, bytes[4 + i / 8] >> (7 - i % 8) & 1 ? '1' : '0');
  return true;
}

/* ---- binary to texts ---- */

/* Bytes that are read one part after the other; `well` turns false where they end too early. */
typedef struct bytes_reader {
  const char *at, *end;
  bool well;
} bytes_reader;

static uint32_t read_number(bytes_reader *reader) {
  reader->well = reader->well && reader->end - reader->at >= 4;
  if (!reader->well) return 0;
  reader->at += 4;
  return alch_postgresql_get(reader->at - 4);
}

/* A value with its length in front; NULL: it is NULL, or not there. */
static const char *read_field(bytes_reader *reader, uint32_t *length) {
  *length = read_number(reader);
  if (!reader->well || *length == UINT32_MAX) return NULL;
  reader->well = (uint64_t)(reader->end - reader->at) >= *length;
  if (!reader->well) return NULL;
  reader->at += *length;
  return reader->at - *length;
}

/* What was written from `start` on goes in quotes where its characters would be taken for more than they are. */
static void quote(alch_buffer *out, size_t start, const char *special, char escape) {
  size_t length = out->length - start, escaped = 2;
  bool needed = length == 0 || (length == 4 && escape != '"' && strncasecmp(out->text + start, "NULL", 4) == 0);
  for (size_t i = start; i < out->length; i++) {
    char c = out->text[i];
    if (c == '"' || c == '\\') escaped++;
    needed = needed || isspace((unsigned char)c) || (c && strchr(special, c));
  }
  if (!needed || !alch_buffer_reserve(out, escaped)) return;
  size_t to = out->length + escaped;
  out->text[--to] = '"';
  for (size_t i = out->length; i > start; i--) {
    char c = out->text[i - 1];
    out->text[--to] = c;
    if (c == '"' || c == '\\') out->text[--to] = c == '"' ? escape : '\\';
  }
  out->text[--to] = '"';
  out->length += escaped;
}

static void print_separator(const int64_t *sizes, int depth, int64_t at, bool open, alch_buffer *out) {
  int64_t part = 1;
  int levels = 0;
  for (int i = depth - 1; i >= 0; i--) {
    part *= sizes[i];
    if (at % part == 0) levels++;
  }
  if (open && at > 0) alch_buffer_add_char(out, ',');
  for (int i = 0; i < levels; i++) alch_buffer_add_char(out, open ? '{' : '}');
}

/* [2:4]= where the counting does not begin with 1. */
static bool read_sizes(bytes_reader *reader, int depth, int64_t *sizes, int64_t *total, alch_buffer *out) {
  size_t start = out->length;
  bool plain = true;
  *total = depth > 0;
  for (int i = 0; i < depth; i++) {
    sizes[i] = (int32_t)read_number(reader);
    int32_t first = (int32_t)read_number(reader);
    if (sizes[i] < 1 || sizes[i] > reader->end - reader->at) return false;
    *total *= sizes[i];
    if (*total > (reader->end - reader->at) / 4) return false;
    plain = plain && first == 1;
    alch_buffer_add_format(out, "[%d:%lld]", first, (long long)first + sizes[i] - 1);
  }
  if (plain) out->length = start;
  else alch_buffer_add_char(out, '=');
  return reader->well;
}

static bool print_array(alch_driver_statement *statement, Oid part, const char *bytes, uint32_t length, alch_buffer *out) {
  (void)part;   /* it is told with the items */
  bytes_reader reader = { bytes, bytes + length, true };
  int64_t sizes[DIMENSIONS], total;
  uint32_t depth = read_number(&reader);
  read_number(&reader);
  Oid item = read_number(&reader);
  if (!reader.well || depth > DIMENSIONS || !read_sizes(&reader, (int)depth, sizes, &total, out)) return false;
  for (int64_t i = 0; i < total && reader.well; i++) {
    uint32_t size;
    const char *field = read_field(&reader, &size);
    print_separator(sizes, (int)depth, i, true, out);
    size_t start = out->length;
    if (!field) alch_buffer_add(out, "NULL");
    else if (!alch_postgresql_print(statement, item, field, size, out)) return false;
    else quote(out, start, "\"\\{},", '\\');
    print_separator(sizes, (int)depth, i + 1, false, out);
  }
  if (depth == 0) alch_buffer_add(out, "{}");
  return reader.well;
}

static bool print_bound(alch_driver_statement *statement, bytes_reader *reader, Oid type, alch_buffer *out) {
  uint32_t size;
  size_t start = out->length;
  const char *field = read_field(reader, &size);
  if (!field || !alch_postgresql_print(statement, type, field, size, out)) return false;
  quote(out, start, "\"\\()[],", '"');
  return true;
}

static bool print_range(alch_driver_statement *statement, Oid item, const char *bytes, uint32_t length, alch_buffer *out) {
  bytes_reader reader = { bytes + 1, bytes + length, length > 0 };
  int flags = length > 0 ? *bytes : RANGE_EMPTY;
  if (flags & RANGE_EMPTY) {
    alch_buffer_add(out, WORD_EMPTY);
    return reader.well;
  }
  alch_buffer_add_char(out, flags & RANGE_LOWER_INCLUSIVE ? '[' : '(');
  if (!(flags & RANGE_LOWER_INFINITE) && !print_bound(statement, &reader, item, out)) return false;
  alch_buffer_add_char(out, ',');
  if (!(flags & RANGE_UPPER_INFINITE) && !print_bound(statement, &reader, item, out)) return false;
  alch_buffer_add_char(out, flags & RANGE_UPPER_INCLUSIVE ? ']' : ')');
  return true;
}

static bool print_multirange(alch_driver_statement *statement, Oid range, const char *bytes, uint32_t length, alch_buffer *out) {
  bytes_reader reader = { bytes, bytes + length, true };
  uint32_t count = read_number(&reader);
  alch_buffer_add_char(out, '{');
  for (uint32_t i = 0; i < count && reader.well; i++) {
    uint32_t size;
    const char *field = read_field(&reader, &size);
    if (i > 0) alch_buffer_add_char(out, ',');
    if (!field || !alch_postgresql_print(statement, range, field, size, out)) return false;
  }
  alch_buffer_add_char(out, '}');
  return reader.well;
}

/* (1,"a b",) */
static bool print_record(alch_driver_statement *statement, Oid part, const char *bytes, uint32_t length, alch_buffer *out) {
  bytes_reader reader = { bytes, bytes + length, true };
  uint32_t count = read_number(&reader);
  (void)part;   /* each tells its own */
  alch_buffer_add_char(out, '(');
  for (uint32_t i = 0; i < count && reader.well; i++) {
    uint32_t size;
    Oid type = read_number(&reader);
    const char *field = read_field(&reader, &size);
    if (i > 0) alch_buffer_add_char(out, ',');
    size_t start = out->length;
    if (!field) continue;
    if (!alch_postgresql_print(statement, type, field, size, out)) return false;
    quote(out, start, "\"\\(),", '"');
  }
  alch_buffer_add_char(out, ')');
  return reader.well;
}

static void add_quoted(const char *text, uint32_t length, alch_buffer *out) {
  alch_buffer_add_char(out, '"');
  for (uint32_t i = 0; i < length; i++) {
    if (text[i] == '"' || text[i] == '\\') alch_buffer_add_char(out, '\\');
    alch_buffer_add_char(out, text[i]);
  }
  alch_buffer_add_char(out, '"');
}

/* "a"=>"1", "b"=>NULL */
static bool print_pairs(alch_driver_statement *statement, Oid part, const char *bytes, uint32_t length, alch_buffer *out) {
  bytes_reader reader = { bytes, bytes + length, true };
  uint32_t count = read_number(&reader);
  (void)statement, (void)part;
  for (uint32_t i = 0; i < count && reader.well; i++) {
    uint32_t key_size, size;
    const char *key = read_field(&reader, &key_size), *value = read_field(&reader, &size);
    if (!key) return false;
    if (i > 0) alch_buffer_add(out, ", ");
    add_quoted(key, key_size, out);
    alch_buffer_add(out, "=>");
    if (value) add_quoted(value, size, out);
    else alch_buffer_add(out, "NULL");
  }
  return reader.well;
}

static bool print_text(alch_driver_statement *statement, Oid part, const char *bytes, uint32_t length, alch_buffer *out) {
  (void)statement, (void)part;
  if (length > 0) alch_buffer_add_bytes(out, bytes, length);
  return true;
}

/* A version in front of the text. */
static bool print_versioned(alch_driver_statement *statement, Oid part, const char *bytes, uint32_t length, alch_buffer *out) {
  return length > 0 && print_text(statement, part, bytes + 1, length - 1, out);
}

/* Functions of the server (pg_proc.prosrc) that send values of types that users and extensions make. */
static const struct sender_row {
  const char *name;
  alch_postgresql_printer print;
} senders[] = {
  { "enum_send", print_text }, { "textsend", print_text }, { "varcharsend", print_text }, { "array_send", print_array }, { "record_send", print_record }, { "range_send", print_range },
  { "multirange_send", print_multirange }, { "hstore_send", print_pairs }, { "domain", alch_postgresql_print },
  { "ltree_send", print_versioned }, { "lquery_send", print_versioned }, { "ltxtq_send", print_versioned },
};

alch_postgresql_printer alch_postgresql_printer_of(const char *send, bool *text) {
  *text = false;
  for (size_t i = 0; i < ALCH_COUNT(senders); i++) {
    if (strcmp(senders[i].name, send) != 0) continue;
    *text = senders[i].print == print_text;
    return senders[i].print;
  }
  return NULL;
}

bool alch_postgresql_is_container(Oid type) {
  alch_postgresql_form form;
  if (!alch_postgresql_form_of(type, &form)) return false;
  return form.item != PG_UNKNOWN || form.write == alch_postgresql_write_address || type == PG_MACADDR || type == PG_MACADDR8 || type == PG_BIT || type == PG_VARBIT;
}

/* A plain value, by way of its reader: its own text has room in the scratch text only for itself. */
static bool print_plain(alch_driver_statement *statement, Oid type, const char *bytes, uint32_t length, alch_buffer *out) {
  alch_postgresql_column column = alch_postgresql_column_of(statement->connection, type, true);
  alch_value value;
  alch_buffer_clear(&statement->scratch);
  if (length < column.size || !alch_buffer_reserve(&statement->scratch, alch_postgresql_scratch_of(&column, bytes, length) + 1)) return false;
  if (column.read(statement, bytes, length, &value, NULL) != ALCH_OK) return false;
  alch_postgresql_add_text(&value, type, out);
  return true;
}

bool alch_postgresql_print(alch_driver_statement *statement, Oid type, const char *bytes, uint32_t length, alch_buffer *out) {
  alch_postgresql_form form;
  const alch_postgresql_learned *learned = alch_postgresql_learned_of(statement->connection, type);
  if (learned) return learned->print && learned->print(statement, learned->part, bytes, length, out);
  if (!alch_postgresql_form_of(type, &form)) return false;
  if (form.write == alch_postgresql_write_array) return print_array(statement, form.item, bytes, length, out);
  if (form.write == alch_postgresql_write_range) return print_range(statement, form.item, bytes, length, out);
  if (form.write == alch_postgresql_write_multirange) return print_multirange(statement, form.item, bytes, length, out);
  if (form.write == alch_postgresql_write_address) return print_address(bytes, length, out);
  if (type == PG_MACADDR || type == PG_MACADDR8) return print_hardware(bytes, length, out);
  if (type == PG_BIT || type == PG_VARBIT) return print_bits(bytes, length, out);
  return print_plain(statement, type, bytes, length, out);
}
