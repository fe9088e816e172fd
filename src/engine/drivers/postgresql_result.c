/* Values of results, from the server's text and binary formats to the kinds that rows have here (https://www.postgresql.org/docs/current/datatype.html; binary: the server's *_send functions).
   What has no kind (infinite moments, years before 1 or after 9999, intervals with months, numbers that are none) comes as the server's text: whoever wants more of it refuses it by name. */
#include "base/date.h"
#include "base/real.h"
#include "engine/drivers/postgresql_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_TO_2000 ALCH_POSTGRESQL_EPOCH
#define MICROSECONDS_TO_2000 (DAYS_TO_2000 * ALCH_MICROSECONDS_PER_DAY)
#define MICROSECONDS_PER_MINUTE (60 * ALCH_MICROSECONDS_PER_SECOND)
#define MOMENT_SIZE 80                 /* of any moment's or interval's text */
#define DECIMAL_DIGITS 38
#define GROUP_SIZE 8                   /* of four digits and a zero byte, whatever the server sends */
#define PART_SIZE 24                   /* of one part of a moment's or interval's text */

enum { NUMERIC_NEGATIVE = 0x4000, NUMERIC_NAN = 0xC000, NUMERIC_INFINITE = 0xD000, NUMERIC_MINUS_INFINITE = 0xF000 };

typedef alch_status (*value_reader)(alch_driver_statement *statement, const char *bytes, uint32_t length, alch_value *out, alch_error *error);

/* Compilers make one instruction of each of these. */
static inline uint32_t read_bits_32(const char *at) {
  const unsigned char *bytes = (const unsigned char *)at;
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint64_t read_bits_64(const char *at) { return (uint64_t)read_bits_32(at) << 32 | read_bits_32(at + 4); }

static uint64_t read_big_endian(const char *bytes, int size) {
  uint64_t bits = 0;
  for (int i = 0; i < size; i++) bits = bits << 8 | (unsigned char)bytes[i];
  return bits;
}

static int16_t read_16(const char *bytes) { return (int16_t)read_big_endian(bytes, 2); }
static int32_t read_32(const char *bytes) { return (int32_t)read_bits_32(bytes); }
static int64_t read_64(const char *bytes) { return (int64_t)read_bits_64(bytes); }

static alch_status give(alch_value *out, uint8_t kind, int64_t integer) {
  *out = (alch_value){ .kind = kind, .integer = integer };
  return ALCH_OK;
}

static alch_status give_text(alch_value *out, uint8_t kind, const char *text, size_t length) {
  *out = (alch_value){ .kind = kind, .length = (uint32_t)length, .text = text };
  return ALCH_OK;
}

/* Room in the scratch text, which was made large enough for the whole row before. */
static char *room(alch_driver_statement *statement) {
  return statement->scratch.text + statement->scratch.length;
}

static alch_status give_own(alch_driver_statement *statement, alch_value *out, uint8_t kind, size_t length) {
  give_text(out, kind, room(statement), length);
  statement->scratch.length += length + 1;
  return ALCH_OK;
}

#define READER(name) \
  static alch_status name(alch_driver_statement *statement, const char *bytes, uint32_t length, alch_value *out, alch_error *error)
#define UNUSED_READER_PARTS (void)statement, (void)length, (void)error

READER(read_text) {
  UNUSED_READER_PARTS;
  return give_text(out, ALCH_TEXT, bytes, length);
}

/* ---- numbers ---- */

READER(read_integer_text) {
  UNUSED_READER_PARTS;
  return give(out, ALCH_INTEGER, strtoll(bytes, NULL, 10));
}

READER(read_int2) { UNUSED_READER_PARTS; return give(out, ALCH_INTEGER, read_16(bytes)); }
READER(read_int4) { UNUSED_READER_PARTS; return give(out, ALCH_INTEGER, read_32(bytes)); }
READER(read_int8) { UNUSED_READER_PARTS; return give(out, ALCH_INTEGER, read_64(bytes)); }
READER(read_oid) { UNUSED_READER_PARTS; return give(out, ALCH_INTEGER, (int64_t)read_big_endian(bytes, 4)); }
READER(read_boolean_text) { UNUSED_READER_PARTS; return give(out, ALCH_BOOLEAN, *bytes == 't'); }
READER(read_boolean) { UNUSED_READER_PARTS; return give(out, ALCH_BOOLEAN, *bytes != 0); }

READER(read_real_text) {
  UNUSED_READER_PARTS;
  double real;
  if (!alch_real_parse(bytes, length, &real)) return give_text(out, ALCH_TEXT, bytes, length);
  *out = alch_value_real(real);
  return ALCH_OK;
}

READER(read_float8) {
  UNUSED_READER_PARTS;
  uint64_t bits = read_bits_64(bytes);
  double real;
  memcpy(&real, &bits, sizeof real);
  *out = alch_value_real(real);
  return ALCH_OK;
}

/* The shortest digits that give this float, as the server's text has them; the locale's point is not looked at. */
static double shortest(float number) {
  char printed[40], text[48];
  double real = number;
  for (int digits = 5; digits <= 8; digits++) {
    size_t length = 0;
    snprintf(printed, sizeof printed, "%.*e", digits, (double)number);
    const char *exponent = strchr(printed, 'e');
    if (!exponent) return number;
    bool point = false;
    for (const char *c = printed; c < exponent; c++) {
      if ((*c >= '0' && *c <= '9') || *c == '-') text[length++] = *c;
      else if (!point) text[length++] = '.', point = true;
    }
    size_t tail = strlen(exponent);
    memcpy(text + length, exponent, tail);
    if (alch_real_parse(text, length + tail, &real) && (float)real == number) return real;
  }
  return number;
}

READER(read_float4) {
  UNUSED_READER_PARTS;
  uint32_t bits = (uint32_t)read_big_endian(bytes, 4);
  float number;
  memcpy(&number, &bits, sizeof number);
  *out = alch_value_real(number == number && number - number == 0 ? shortest(number) : (double)number);
  return ALCH_OK;
}

/* Decimals have 38 digits at most; what has more, or is no number, is text. */
static uint8_t numeric_kind(const char *text, size_t length) {
  size_t digits = 0;
  for (size_t i = 0; i < length; i++)
    if (text[i] >= '0' && text[i] <= '9') digits++;
    else if (text[i] != '-' && text[i] != '.') return ALCH_TEXT;
  return digits <= DECIMAL_DIGITS ? ALCH_DECIMAL : ALCH_TEXT;
}

READER(read_numeric_text) {
  UNUSED_READER_PARTS;
  return give_text(out, numeric_kind(bytes, length), bytes, length);
}

/* The group of four digits at this place, as counted from the point. */
static int group_at(const char *bytes, int count, int weight, int place) {
  int index = weight - place;
  return index >= 0 && index < count ? read_16(bytes + 8 + 2 * index) & INT16_MAX : 0;
}

static size_t print_fraction(const char *bytes, int count, int weight, int scale, char *to) {
  size_t length = 0;
  for (int digit = 0; digit < scale; digit++) {
    static const int divisors[] = { 1000, 100, 10, 1 };
    int group = group_at(bytes, count, weight, -1 - digit / 4);
    to[length++] = (char)('0' + group / divisors[digit % 4] % 10);
  }
  return length;
}

/* Groups of four decimal digits, the first of them weight groups before the point; the scale says how many digits stand behind it. */
static size_t print_numeric(const char *bytes, char *to) {
  int count = read_16(bytes), weight = read_16(bytes + 2), sign = (int)read_big_endian(bytes + 4, 2), scale = read_16(bytes + 6);
  size_t length = 0;
  if (sign == NUMERIC_NEGATIVE) to[length++] = '-';
  if (weight < 0) to[length++] = '0';
  for (int place = weight; place >= 0; place--) length += (size_t)snprintf(to + length, GROUP_SIZE, place == weight ? "%d" : "%04d", group_at(bytes, count, weight, place));
  if (scale > 0) {
    to[length++] = '.';
    length += print_fraction(bytes, count, weight, scale, to + length);
  }
  return length;
}

READER(read_numeric) {
  (void)error;
  int sign = length >= 8 ? (int)read_big_endian(bytes + 4, 2) : NUMERIC_NAN;
  if (sign == NUMERIC_NAN) return give_text(out, ALCH_TEXT, "NaN", 3);
  if (sign == NUMERIC_INFINITE) return give_text(out, ALCH_TEXT, "Infinity", 8);
  if (sign == NUMERIC_MINUS_INFINITE) return give_text(out, ALCH_TEXT, "-Infinity", 9);
  size_t printed = print_numeric(bytes, room(statement));
  return give_own(statement, out, numeric_kind(room(statement), printed), printed);
}

/* ---- bytes ---- */

READER(read_bytes) { UNUSED_READER_PARTS; return give_text(out, ALCH_BLOB, bytes, length); }

static int hexadecimal(char c) {
  return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* \x00ff, or the older form with escapes, which the library reads. */
READER(read_bytes_text) {
  char *to = room(statement);
  if (length >= 2 && bytes[0] == '\\' && bytes[1] == 'x') {
    for (uint32_t i = 2; i + 1 < length; i += 2) *to++ = (char)(hexadecimal(bytes[i]) << 4 | hexadecimal(bytes[i + 1]));
    return give_own(statement, out, ALCH_BLOB, (length - 2) / 2);
  }
  const alch_libpq *library = statement->connection->library;
  size_t size = 0;
  unsigned char *plain = library->PQunescapeBytea((const unsigned char *)bytes, &size);
  if (!plain) return alch_error_out_of_memory(error);
  if (size > 0) memcpy(to, plain, size);
  library->PQfreemem(plain);
  return give_own(statement, out, ALCH_BLOB, size);
}

READER(read_uuid) {
  (void)error;
  static const char digits[] = "0123456789abcdef";
  char *to = room(statement);
  for (uint32_t i = 0; i < 16 && i < length; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    *to++ = digits[(unsigned char)bytes[i] >> 4];
    *to++ = digits[bytes[i] & 15];
  }
  return give_own(statement, out, ALCH_TEXT, (size_t)(to - room(statement)));
}

/* A version in front of the text. */
READER(read_jsonb) { UNUSED_READER_PARTS; return give_text(out, ALCH_TEXT, bytes + 1, length > 0 ? length - 1 : 0); }

/* ---- dates and times ---- */

READER(read_date_text) {
  UNUSED_READER_PARTS;
  int64_t days;
  return alch_date_parse(bytes, length, &days) ? give(out, ALCH_DATE, days) : give_text(out, ALCH_TEXT, bytes, length);
}

READER(read_time_text) {
  UNUSED_READER_PARTS;
  int64_t microseconds;
  return alch_time_parse(bytes, length, &microseconds) ? give(out, ALCH_TIME, microseconds) : give_text(out, ALCH_TEXT, bytes, length);
}

static int64_t to_utc(const alch_civil *civil) {
  return alch_microseconds_from_civil(civil) - (civil->has_offset ? civil->offset * MICROSECONDS_PER_MINUTE : 0);
}

static int64_t within_day(int64_t microseconds) {
  int64_t rest = microseconds % ALCH_MICROSECONDS_PER_DAY;
  return rest < 0 ? rest + ALCH_MICROSECONDS_PER_DAY : rest;
}

READER(read_timetz_text) {
  UNUSED_READER_PARTS;
  char text[MOMENT_SIZE];
  alch_civil civil;
  int printed = snprintf(text, sizeof text, "1970-01-02 %.*s", (int)length, bytes);
  if (printed >= (int)sizeof text || !alch_datetime_parse(text, (size_t)printed, &civil)) return give_text(out, ALCH_TEXT, bytes, length);
  return give(out, ALCH_TIME, within_day(to_utc(&civil)));
}

READER(read_timestamp_text) {
  UNUSED_READER_PARTS;
  alch_civil civil;
  return alch_datetime_parse(bytes, length, &civil) ? give(out, ALCH_DATETIME, to_utc(&civil)) : give_text(out, ALCH_TEXT, bytes, length);
}

READER(read_interval_text) {
  UNUSED_READER_PARTS;
  int64_t microseconds;
  return alch_interval_parse(bytes, length, &microseconds) ? give(out, ALCH_INTERVAL, microseconds) : give_text(out, ALCH_TEXT, bytes, length);
}

/* 4713-01-01 BC, 294276-12-31 */
static int print_far_date(int64_t days, char *to, const char **era) {
  alch_civil civil;
  alch_civil_from_days(days, &civil);
  *era = civil.year > 0 ? "" : " BC";
  return snprintf(to, PART_SIZE, "%04d-%02d-%02d", civil.year > 0 ? civil.year : 1 - civil.year, civil.month, civil.day);
}

READER(read_date) {
  (void)length, (void)error;
  int32_t given = read_32(bytes);
  int64_t days = given + DAYS_TO_2000;
  const char *era;
  if (given == INT32_MAX) return give_text(out, ALCH_TEXT, "infinity", 8);
  if (given == INT32_MIN) return give_text(out, ALCH_TEXT, "-infinity", 9);
  if (days >= ALCH_DAYS_MIN && days <= ALCH_DAYS_MAX) return give(out, ALCH_DATE, days);
  int printed = print_far_date(days, room(statement), &era);
  printed += snprintf(room(statement) + printed, PART_SIZE, "%s", era);
  return give_own(statement, out, ALCH_TEXT, (size_t)printed);
}

static int print_clock(int64_t microseconds, char *to) {
  int64_t seconds = microseconds / ALCH_MICROSECONDS_PER_SECOND;
  int fraction = (int)(microseconds % ALCH_MICROSECONDS_PER_SECOND), digits = 6;
  int printed = snprintf(to, PART_SIZE, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
  if (fraction == 0) return printed;
  for (; fraction % 10 == 0; fraction /= 10) digits--;
  return printed + snprintf(to + printed, PART_SIZE, ".%0*d", digits, fraction);
}

READER(read_time) {
  (void)length, (void)error;
  int64_t microseconds = read_64(bytes);
  if (microseconds < ALCH_MICROSECONDS_PER_DAY) return give(out, ALCH_TIME, microseconds);
  return give_own(statement, out, ALCH_TEXT, (size_t)print_clock(microseconds, room(statement)));
}

/* The zone is in seconds west of Greenwich. */
READER(read_timetz) {
  (void)statement, (void)length, (void)error;
  return give(out, ALCH_TIME, within_day(read_64(bytes) + read_32(bytes + 8) * ALCH_MICROSECONDS_PER_SECOND));
}

static alch_status read_moment(alch_driver_statement *statement, const char *bytes, const char *zone, alch_value *out) {
  int64_t given = read_64(bytes);
  const char *era;
  if (given == INT64_MAX) return give_text(out, ALCH_TEXT, "infinity", 8);
  if (given == INT64_MIN) return give_text(out, ALCH_TEXT, "-infinity", 9);
  if (given >= ALCH_MICROSECONDS_MIN - MICROSECONDS_TO_2000 && given <= ALCH_MICROSECONDS_MAX - MICROSECONDS_TO_2000) return give(out, ALCH_DATETIME, given + MICROSECONDS_TO_2000);
  int64_t clock = within_day(given), days = (given - clock) / ALCH_MICROSECONDS_PER_DAY + DAYS_TO_2000;
  char *to = room(statement);
  int printed = print_far_date(days, to, &era);
  to[printed++] = ' ';
  printed += print_clock(clock, to + printed);
  printed += snprintf(to + printed, PART_SIZE, "%s%s", zone, era);
  return give_own(statement, out, ALCH_TEXT, (size_t)printed);
}

READER(read_timestamp) {
  (void)length, (void)error;
  return read_moment(statement, bytes, "", out);
}

READER(read_timestamptz) {
  (void)length, (void)error;
  return read_moment(statement, bytes, "+00", out);
}

/* One part of an interval, in the server's style: behind one that is negative, one that is not has a plus sign. */
static int print_part(int number, const char *unit, bool *negative, char *to) {
  int printed = number == 0 ? 0 : snprintf(to, PART_SIZE, "%s%d %s%s ", *negative && number > 0 ? "+" : "", number, unit, number == 1 ? "" : "s");
  if (number != 0) *negative = number < 0;
  return printed;
}

static int print_months(int months, int days, int64_t microseconds, char *to) {
  bool negative = false;
  int printed = print_part(months / 12, "year", &negative, to);
  printed += print_part(months % 12, "mon", &negative, to + printed);
  printed += print_part(days, "day", &negative, to + printed);
  if (microseconds == 0) return printed - 1;
  if (microseconds < 0 || negative) to[printed++] = microseconds < 0 ? '-' : '+';
  return printed + print_clock(microseconds < 0 ? -microseconds : microseconds, to + printed);
}

READER(read_interval) {
  (void)length, (void)error;
  int64_t microseconds = read_64(bytes), total;
  int32_t days = read_32(bytes + 8), months = read_32(bytes + 12);
  bool counts = !__builtin_mul_overflow((int64_t)days, ALCH_MICROSECONDS_PER_DAY, &total) && !__builtin_add_overflow(total, microseconds, &total);
  if (months == 0 && counts) return give(out, ALCH_INTERVAL, total);
  return give_own(statement, out, ALCH_TEXT, (size_t)print_months(months, days, microseconds, room(statement)));
}

/* ---- types ---- */

static const struct type_row {
  Oid type;
  value_reader text, binary;
  uint8_t size;              /* of the binary form, or the least of it */
} types[] = {
  { PG_INT4, read_integer_text, read_int4, 4 },
  { PG_INT8, read_integer_text, read_int8, 8 },
  { PG_VARCHAR, read_text, read_text, 0 },
  { PG_TEXT, read_text, read_text, 0 },
  { PG_FLOAT8, read_real_text, read_float8, 8 },
  { PG_BOOL, read_boolean_text, read_boolean, 1 },
  { PG_TIMESTAMP, read_timestamp_text, read_timestamp, 8 },
  { PG_TIMESTAMPTZ, read_timestamp_text, read_timestamptz, 8 },
  { PG_DATE, read_date_text, read_date, 4 },
  { PG_NUMERIC, read_numeric_text, read_numeric, 8 },
  { PG_INT2, read_integer_text, read_int2, 2 },
  { PG_FLOAT4, read_real_text, read_float4, 4 },
  { PG_BYTEA, read_bytes_text, read_bytes, 0 },
  { PG_BPCHAR, read_text, read_text, 0 },
  { PG_NAME, read_text, read_text, 0 },
  { PG_CHAR, read_text, read_text, 0 },
  { PG_TIME, read_time_text, read_time, 8 },
  { PG_TIMETZ, read_timetz_text, read_timetz, 12 },
  { PG_INTERVAL, read_interval_text, read_interval, 16 },
  { PG_UUID, read_text, read_uuid, 16 },
  { PG_JSON, read_text, read_text, 0 },
  { PG_JSONB, read_text, read_jsonb, 1 },
  { PG_XML, read_text, read_text, 0 },
  { PG_OID, read_integer_text, read_oid, 4 },
  { PG_JSONPATH, read_text, read_jsonb, 1 },
};

static const struct type_row *find_type(Oid type) {
  for (size_t i = 0; i < ALCH_COUNT(types); i++)
    if (types[i].type == type) return &types[i];
  return NULL;
}

bool alch_postgresql_has_binary(const alch_driver_connection *connection, Oid type) {
  const alch_postgresql_learned *learned = alch_postgresql_learned_of(connection, type);
  return learned ? learned->print != NULL : find_type(type) != NULL || alch_postgresql_is_container(type);
}

alch_postgresql_column alch_postgresql_column_of(const alch_driver_connection *connection, Oid type, bool binary) {
  const struct type_row *row = find_type(type);
  const alch_postgresql_learned *learned = alch_postgresql_learned_of(connection, type);
  if (!row) return (alch_postgresql_column){ .type = type, .binary = binary, .read = read_text, .container = binary && (learned ? !learned->text : alch_postgresql_is_container(type)) };
  return (alch_postgresql_column){ .type = type, .binary = binary, .size = binary ? row->size : 0, .read = binary ? row->binary : row->text };
}

/* ---- rows ---- */

size_t alch_postgresql_scratch_of(const alch_postgresql_column *column, const char *bytes, size_t length) {
  if (column->type == PG_BYTEA) return column->binary ? 0 : length + 1;
  if (!column->binary) return 0;
  switch (column->type) {
    case PG_NUMERIC: return length < 8 ? 0 : (size_t)(5 * (abs(read_16(bytes + 2)) + 2) + (uint16_t)read_16(bytes + 6) + 8);
    case PG_UUID: case PG_DATE: case PG_TIME: case PG_TIMESTAMP: case PG_TIMESTAMPTZ: case PG_INTERVAL: return MOMENT_SIZE;
    default: return 0;
  }
}

static alch_status wrong_bytes(uint32_t column, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_INTERFACE, "the server sent bytes for the value of column %u that are none of its type", column + 1);
}

static alch_status wrong_inside(alch_driver_statement *statement, uint32_t column, alch_error *error) {
  Oid type = statement->columns[column].type;
  return alch_postgresql_learned_of(statement->connection, type) ? alch_postgresql_learn_again(statement, column, type, error) : wrong_bytes(column, error);
}

alch_status alch_postgresql_make_inside(alch_driver_statement *statement, uint32_t at, const char *bytes, uint32_t length, alch_error *error) {
  alch_postgresql_column *column = &statement->columns[at];
  column->text_at = statement->inside.length;
  if (!alch_postgresql_print(statement, column->type, bytes, length, &statement->inside) && !statement->inside.failed) return wrong_inside(statement, at, error);
  column->text_length = (uint32_t)(statement->inside.length - column->text_at);
  return statement->inside.failed ? alch_error_out_of_memory(error) : ALCH_OK;
}

/* The texts of arrays and their like come first: making them uses the scratch text. */
static alch_status make_insides(alch_driver_statement *statement, const PGresult *result, uint32_t first, uint32_t end, alch_error *error) {
  const alch_libpq *library = statement->connection->library;
  alch_status status = ALCH_OK;
  int row = statement->row;
  alch_buffer_clear(&statement->inside);
  for (uint32_t i = first; i < end && status == ALCH_OK; i++) {
    if (!statement->columns[i].container || library->PQgetisnull(result, row, (int)i)) continue;
    status = alch_postgresql_make_inside(statement, i, library->PQgetvalue(result, row, (int)i), (uint32_t)library->PQgetlength(result, row, (int)i), error);
  }
  return status;
}

static alch_status reserve(alch_driver_statement *statement, const PGresult *result, uint32_t first, uint32_t end, alch_error *error) {
  const alch_libpq *library = statement->connection->library;
  size_t room_needed = 1;
  if (statement->has_inside && make_insides(statement, result, first, end, error) != ALCH_OK) return ALCH_ERROR;
  alch_buffer_clear(&statement->scratch);
  for (uint32_t i = first; i < end; i++)
    room_needed += alch_postgresql_scratch_of(&statement->columns[i], library->PQgetvalue(result, statement->row, (int)i), (size_t)library->PQgetlength(result, statement->row, (int)i));
  return room_needed == 1 || alch_buffer_reserve(&statement->scratch, room_needed) ? ALCH_OK : alch_error_out_of_memory(error);
}

static alch_status wrong_size(uint32_t column, uint32_t length, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_INTERFACE, "the server sent %u bytes for the value of column %u, which is too few for its type", length, column + 1);
}

alch_status alch_postgresql_cells(alch_driver_statement *statement, alch_value *out, uint32_t first, uint32_t count, alch_error *error) {
  const alch_libpq *library = statement->connection->library;
  const PGresult *result = statement->results[statement->result_at];
  int row = statement->row;
  if (statement->own_texts && reserve(statement, result, first, first + count, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = first; i < first + count; i++, out++) {
    const alch_postgresql_column *column = &statement->columns[i];
    uint32_t length = (uint32_t)library->PQgetlength(result, row, (int)i);
    if (length == 0 && library->PQgetisnull(result, row, (int)i)) {
      *out = ALCH_VALUE_NULL;
      continue;
    }
    if (ALCH_UNLIKELY(column->container)) {
      give_text(out, ALCH_TEXT, statement->inside.text + column->text_at, column->text_length);
      continue;
    }
    const char *bytes = library->PQgetvalue(result, row, (int)i);
    if (ALCH_UNLIKELY(length < column->size)) return wrong_size(i, length, error);
    /* the two that most columns have, without a call */
    if (column->read == read_text) give_text(out, ALCH_TEXT, bytes, length);
    else if (column->read == read_int4) give(out, ALCH_INTEGER, read_32(bytes));
    else if (ALCH_UNLIKELY(column->read(statement, bytes, length, out, error) != ALCH_OK)) return ALCH_ERROR;
  }
  return ALCH_OK;
}

alch_status alch_postgresql_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) {
  if (ALCH_UNLIKELY(statement->out != NULL) && alch_postgresql_copies_out(statement)) return alch_postgresql_row_out(statement, out, count, error);
  return alch_postgresql_cells(statement, out, 0, count, error);
}

bool alch_postgresql_own_texts(const alch_postgresql_column *column) {
  if (column->container) return true;
  switch (column->type) {
    case PG_BYTEA: return !column->binary;
    case PG_NUMERIC: case PG_UUID: case PG_DATE: case PG_TIME: case PG_TIMESTAMP: case PG_TIMESTAMPTZ: case PG_INTERVAL: return column->binary;
    default: return false;
  }
}
