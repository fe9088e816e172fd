/* Parameters: what the server is told of their types, and their values, in binary where a value is a number, a truth, a moment or bytes, else as text (https://www.postgresql.org/docs/current/protocol-overview.html,
   "Formats and Format Codes"). */
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "engine/drivers/postgresql_private.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 64   /* bytes that a value without text of its own takes */

/* ---- types ---- */

typedef struct word_row {
  const char *word;
  Oid type;
} word_row;

/* Exact names of which the family says less. */
static const word_row exact_words[] = {
  { "VARCHAR", PG_VARCHAR }, { "TEXT", PG_TEXT }, { "CHAR", PG_BPCHAR }, { "NVARCHAR", PG_VARCHAR }, { "NCHAR", PG_BPCHAR }, { "CLOB", PG_TEXT }, { "REAL", PG_FLOAT4 }, { "OID", PG_OID },
  { "JSONB", PG_JSONB }, { "JSON", PG_JSON }, { "INET", PG_INET }, { "CIDR", PG_CIDR }, { "MACADDR", PG_MACADDR }, { "MACADDR8", PG_MACADDR8 },
  { "INT4RANGE", PG_INT4RANGE }, { "INT8RANGE", PG_INT8RANGE }, { "NUMRANGE", PG_NUMRANGE }, { "TSRANGE", PG_TSRANGE }, { "TSTZRANGE", PG_TSTZRANGE }, { "DATERANGE", PG_DATERANGE },
  { "INT4MULTIRANGE", PG_INT4MULTIRANGE }, { "INT8MULTIRANGE", PG_INT8MULTIRANGE }, { "NUMMULTIRANGE", PG_NUMMULTIRANGE }, { "TSMULTIRANGE", PG_TSMULTIRANGE },
  { "TSTZMULTIRANGE", PG_TSTZMULTIRANGE }, { "DATEMULTIRANGE", PG_DATEMULTIRANGE },
};

static const word_row *find_word(const char *word) {
  for (size_t i = 0; i < ALCH_COUNT(exact_words); i++)
    if (strcasecmp(exact_words[i].word, word) == 0) return &exact_words[i];
  return NULL;
}

static const Oid family_types[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_INTEGER] = PG_INT4, [ALCH_TYPE_SMALL_INTEGER] = PG_INT2, [ALCH_TYPE_BIG_INTEGER] = PG_INT8, [ALCH_TYPE_FLOAT] = PG_FLOAT8, [ALCH_TYPE_DOUBLE] = PG_FLOAT8, [ALCH_TYPE_NUMERIC] = PG_NUMERIC,
  [ALCH_TYPE_STRING] = PG_VARCHAR, [ALCH_TYPE_TEXT] = PG_TEXT, [ALCH_TYPE_UNICODE] = PG_VARCHAR, [ALCH_TYPE_UNICODE_TEXT] = PG_TEXT, [ALCH_TYPE_BOOLEAN] = PG_BOOL, [ALCH_TYPE_DATE] = PG_DATE,
  [ALCH_TYPE_TIME] = PG_TIME, [ALCH_TYPE_DATETIME] = PG_TIMESTAMP, [ALCH_TYPE_INTERVAL] = PG_INTERVAL, [ALCH_TYPE_LARGE_BINARY] = PG_BYTEA, [ALCH_TYPE_UUID] = PG_UUID, [ALCH_TYPE_ENUM] = PG_VARCHAR,
  [ALCH_TYPE_JSON] = PG_JSON, [ALCH_TYPE_JSON_PATH] = 1009,
};

static bool is_text_family(uint8_t family) {
  return family >= ALCH_TYPE_STRING && family <= ALCH_TYPE_UNICODE_TEXT;
}

Oid alch_postgresql_type_number(const alch_type *given) {
  if (!given) return PG_UNKNOWN;
  const alch_type *type = alch_type_in(given, "postgresql");
  const word_row *row = type->word ? find_word(type->word) : NULL;
  if (row) return row->type;
  switch (type->family) {
    case ALCH_TYPE_ARRAY: return type->item ? alch_postgresql_array_of(alch_postgresql_type_number(type->item)) : PG_UNKNOWN;
    case ALCH_TYPE_ENUM: return type->native ? PG_UNKNOWN : PG_VARCHAR;
    case ALCH_TYPE_UUID: return type->native ? PG_UUID : PG_BPCHAR;
    case ALCH_TYPE_INTERVAL: return type->native ? PG_INTERVAL : PG_TIMESTAMP;
    case ALCH_TYPE_TIME: return type->timezone ? PG_TIMETZ : PG_TIME;
    case ALCH_TYPE_DATETIME: return type->timezone ? PG_TIMESTAMPTZ : PG_TIMESTAMP;
    case ALCH_TYPE_FLOAT: return type->precision > 0 && type->precision <= 24 ? PG_FLOAT4 : PG_FLOAT8;
    default: return is_text_family(type->family) && type->word ? PG_UNKNOWN : family_types[type->family];
  }
}

static bool fits(Oid type, int64_t integer) {
  switch (type) {
    case PG_INT2: return integer >= INT16_MIN && integer <= INT16_MAX;
    case PG_INT4: return integer >= INT32_MIN && integer <= INT32_MAX;
    case PG_OID: return integer >= 0 && integer <= UINT32_MAX;
    default: return true;
  }
}

/* Of a value whose type the statement does not know. A text is left to the server, which reads it as what its place wants. */
static Oid type_of_value(const alch_value *value) {
  static const Oid types[ALCH_VALUE_KIND_COUNT] = {
    [ALCH_INTEGER] = PG_INT4, [ALCH_REAL] = PG_FLOAT8, [ALCH_BOOLEAN] = PG_BOOL, [ALCH_BLOB] = PG_BYTEA, [ALCH_DECIMAL] = PG_NUMERIC, [ALCH_DATE] = PG_DATE, [ALCH_TIME] = PG_TIME,
    [ALCH_DATETIME] = PG_TIMESTAMP, [ALCH_INTERVAL] = PG_INTERVAL,
  };
  return types[value->kind];
}

static Oid settled(Oid declared, Oid now, const alch_value *value) {
  if (value->kind == ALCH_NULL) return now;
  Oid wanted = declared != PG_UNKNOWN ? now : type_of_value(value);
  if (value->kind == ALCH_INTEGER && wanted == PG_INT4 && now == PG_INT8) return now;
  return value->kind == ALCH_INTEGER && !fits(wanted, value->integer) ? PG_INT8 : wanted;
}

void alch_postgresql_settle(alch_driver_statement *statement, const alch_value *values, uint32_t sets, bool *changed) {
  *changed = false;
  for (uint32_t set = 0; set < sets; set++)
    for (uint32_t i = 0; i < statement->count; i++, values++) {
      Oid type = settled(statement->declared[i], statement->types[i], values);
      if (ALCH_LIKELY(type == statement->types[i])) continue;
      statement->types[i] = type;
      *changed = true;
    }
}

/* ---- values ---- */

/* Where the next bytes go, and what libpq is told of them. */
typedef struct parameter {
  const char *value;
  int length, format;
} parameter;

static void write_big_endian(char *to, uint64_t bits, int size) {
  for (int i = size - 1; i >= 0; i--, bits >>= 8) to[i] = (char)(bits & 0xff);
}

static size_t put_bits(parameter *p, char *to, uint64_t bits, int size) {
  write_big_endian(to, bits, size);
  *p = (parameter){ to, size, 1 };
  return (size_t)size;
}

static size_t put_real(parameter *p, char *to, double real, Oid type) {
  uint64_t bits;
  if (type == PG_FLOAT8) {
    memcpy(&bits, &real, sizeof bits);
    return put_bits(p, to, bits, 8);
  }
  size_t length = alch_real_print(real, to);
  if (!isfinite(real)) length = (size_t)snprintf(to, LONGEST, "%s", isnan(real) ? "NaN" : real < 0 ? "-Infinity" : "Infinity");
  *p = (parameter){ to, (int)length, 0 };
  return length + 1;
}

static size_t put_text(parameter *p, char *to, size_t length) {
  to[length] = '\0';
  *p = (parameter){ to, (int)length, 0 };
  return length + 1;
}

static size_t put_integer(parameter *p, char *to, int64_t integer, Oid type) {
  switch (type) {
    case PG_INT2: return put_bits(p, to, (uint64_t)integer, 2);
    case PG_INT4: case PG_OID: return put_bits(p, to, (uint64_t)integer, 4);
    case PG_INT8: return put_bits(p, to, (uint64_t)integer, 8);
    case PG_BOOL: if (integer == 0 || integer == 1) return put_bits(p, to, (uint64_t)integer, 1); break;
    default: break;
  }
  return put_text(p, to, (size_t)snprintf(to, LONGEST, "%lld", (long long)integer));
}

static size_t print_moment(const alch_value *value, char *to) {
  switch (value->kind) {
    case ALCH_DATE: return alch_date_print(value->integer, to);
    case ALCH_TIME: return alch_time_print(value->integer, false, to);
    case ALCH_DATETIME: return alch_datetime_print(value->integer, false, to);
    default: return alch_interval_print(value->integer, to);
  }
}

/* Days and their rest, as the server's own texts of them are read. */
static size_t put_interval(parameter *p, char *to, int64_t microseconds) {
  write_big_endian(to, (uint64_t)(microseconds % ALCH_MICROSECONDS_PER_DAY), 8);
  write_big_endian(to + 8, (uint64_t)(microseconds / ALCH_MICROSECONDS_PER_DAY), 4);
  write_big_endian(to + 12, 0, 4);
  *p = (parameter){ to, 16, 1 };
  return 16;
}

static size_t put_zoned_time(parameter *p, char *to, int64_t microseconds) {
  write_big_endian(to, (uint64_t)microseconds, 8);
  write_big_endian(to + 8, 0, 4);
  *p = (parameter){ to, 12, 1 };
  return 12;
}

/* A moment without a zone is one of UTC where the place has zones. */
static size_t put_moment(parameter *p, char *to, const alch_value *value, Oid type) {
  int64_t number = value->integer;
  bool stamp = type == PG_TIMESTAMP || type == PG_TIMESTAMPTZ;
  if (value->kind == ALCH_DATE && type == PG_DATE) return put_bits(p, to, (uint64_t)(number - ALCH_POSTGRESQL_EPOCH), 4);
  if (value->kind == ALCH_TIME && type == PG_TIME) return put_bits(p, to, (uint64_t)number, 8);
  if (value->kind == ALCH_TIME && type == PG_TIMETZ) return put_zoned_time(p, to, number);
  if (value->kind == ALCH_DATETIME && stamp) return put_bits(p, to, (uint64_t)(number - ALCH_POSTGRESQL_EPOCH * ALCH_MICROSECONDS_PER_DAY), 8);
  if (value->kind == ALCH_INTERVAL && type == PG_INTERVAL && number / ALCH_MICROSECONDS_PER_DAY <= INT32_MAX && number / ALCH_MICROSECONDS_PER_DAY >= INT32_MIN) return put_interval(p, to, number);
  size_t length = print_moment(value, to);
  if (type == PG_TIMESTAMPTZ || type == PG_TIMETZ) {
    memcpy(to + length, "+00", 3);
    length += 3;
  }
  return put_text(p, to, length);
}

static alch_status refuse(uint32_t place, alch_error *error, const char *why) {
  return alch_error_set(error, ALCH_ERROR_DATA, "parameter %u %s", place, why);
}

/* One value at `to`, where there is room for it; *used: bytes taken. */
static alch_status encode(const alch_value *value, Oid type, uint32_t place, char *to, parameter *p, size_t *used, alch_error *error) {
  *used = 0;
  switch (value->kind) {
    case ALCH_NULL: *p = (parameter){ NULL, 0, 0 }; return ALCH_OK;
    case ALCH_INTEGER: *used = put_integer(p, to, value->integer, type); return ALCH_OK;
    case ALCH_BOOLEAN:
      if (type == PG_BOOL) *used = put_bits(p, to, value->integer != 0, 1);
      else *used = put_text(p, to, (size_t)snprintf(to, LONGEST, "%s", value->integer ? "true" : "false"));
      return ALCH_OK;
    case ALCH_REAL: *used = put_real(p, to, value->real, type); return ALCH_OK;
    case ALCH_DATE: case ALCH_TIME: case ALCH_DATETIME: case ALCH_INTERVAL: *used = put_moment(p, to, value, type); return ALCH_OK;
    case ALCH_BLOB:
      if (value->length > INT32_MAX) return refuse(place, error, "is longer than 2 GiB");
      *p = (parameter){ value->text ? value->text : "", (int)value->length, 1 };
      return ALCH_OK;
    case ALCH_TEXT: case ALCH_DECIMAL:
      if (value->length > INT32_MAX) return refuse(place, error, "is longer than 2 GiB");
      if (value->length > 0 && memchr(value->text, '\0', value->length)) return refuse(place, error, "is a text with a zero byte in it, which PostgreSQL cannot store (bytes go into a LargeBinary)");
      if (value->length > 0) memcpy(to, value->text, value->length);
      *used = put_text(p, to, value->length);
      return ALCH_OK;
    default: return alch_error_set(error, ALCH_ERROR_INTERFACE, "parameter %u has the kind %s, which PostgreSQL cannot store", place, alch_value_kind_name(value->kind));
  }
}

static size_t room_for(const alch_value *values, size_t total) {
  size_t room = 1;
  for (size_t i = 0; i < total; i++) {
    if (values[i].kind == ALCH_TEXT || values[i].kind == ALCH_DECIMAL) room += (size_t)values[i].length + 1;
    else if (values[i].kind != ALCH_NULL && values[i].kind != ALCH_BLOB) room += LONGEST;
  }
  return room;
}

/* One array after the other, each with the capacity that it has got: what grew stays when the next one does not. */
bool alch_postgresql_make_places(alch_driver_statement *statement, size_t total) {
  const alch_allocator *allocator = statement->connection->allocator;
  if (total <= statement->capacity) return true;
  if (total > UINT32_MAX / 16) return false;
  uint32_t wanted = (uint32_t)total, old = statement->capacity;
  const char **values = alch_allocate(allocator, wanted * sizeof *values);
  int *lengths = alch_allocate(allocator, wanted * sizeof *lengths), *formats = alch_allocate(allocator, wanted * sizeof *formats);
  if (!values || !lengths || !formats) {
    alch_free(allocator, values, wanted * sizeof *values);
    alch_free(allocator, lengths, wanted * sizeof *lengths);
    alch_free(allocator, formats, wanted * sizeof *formats);
    return false;
  }
  alch_free(allocator, statement->values, old * sizeof *values);
  alch_free(allocator, statement->lengths, old * sizeof *lengths);
  alch_free(allocator, statement->formats, old * sizeof *formats);
  statement->values = values, statement->lengths = lengths, statement->formats = formats;
  statement->capacity = wanted;
  return true;
}

static bool grow_bytes(alch_driver_statement *statement, size_t room) {
  const alch_allocator *allocator = statement->connection->allocator;
  if (room <= statement->bytes_size) return true;
  char *bytes = alch_allocate(allocator, room);
  if (!bytes) return false;
  alch_free(allocator, statement->bytes, statement->bytes_size);
  statement->bytes = bytes;
  statement->bytes_size = room;
  return true;
}

enum { PACKED = 2 };   /* for the time being: the value is in `packed`, in binary */

/* What comes as text and has another form in binary: an array, a range, an address, a UUID. False: it goes as text, and the server reads it. */
static bool pack(alch_driver_statement *statement, size_t at, Oid type, const alch_value *value) {
  alch_buffer *packed = &statement->packed;
  alch_postgresql_form form;
  size_t start = packed->length;
  if (type == PG_UNKNOWN || type == PG_VARCHAR || type == PG_TEXT || (type != PG_UUID && !alch_postgresql_is_container(type)) || !alch_postgresql_form_of(type, &form)) return false;
  if (!form.write(&form, value, packed)) {
    packed->length = start;
    return false;
  }
  statement->lengths[at] = (int)(packed->length - start);
  statement->formats[at] = PACKED;
  return true;
}

static alch_status place_packed(alch_driver_statement *statement, size_t total, alch_error *error) {
  const char *at = statement->packed.text;
  if (alch_buffer_failed(&statement->packed)) return alch_error_out_of_memory(error);
  for (size_t i = 0; i < total && statement->packed.length > 0; i++) {
    if (statement->formats[i] != PACKED) continue;
    statement->values[i] = at;
    statement->formats[i] = 1;
    at += statement->lengths[i];
  }
  return ALCH_OK;
}

alch_status alch_postgresql_encode(alch_driver_statement *statement, const alch_value *values, uint32_t sets, alch_error *error) {
  size_t total = (size_t)statement->count * sets, at = 0;
  if (!alch_postgresql_make_places(statement, total) || !grow_bytes(statement, room_for(values, total))) return alch_error_out_of_memory(error);
  alch_buffer_clear(&statement->packed);
  for (size_t i = 0; i < total; i++) {
    parameter p = { NULL, 0, 0 };
    size_t used;
    uint32_t place = (uint32_t)(i % statement->count);
    if (values[i].kind == ALCH_TEXT && pack(statement, i, statement->types[place], &values[i])) continue;
    if (encode(&values[i], statement->types[place], place + 1, statement->bytes + at, &p, &used, error) != ALCH_OK) return ALCH_ERROR;
    statement->values[i] = p.value;
    statement->lengths[i] = p.length;
    statement->formats[i] = p.format;
    at += used;
  }
  return place_packed(statement, total, error);
}
