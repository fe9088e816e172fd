/* Rows in the binary protocol, read where the library has them. */
#include "base/date.h"
#include "engine/drivers/mysql_private.h"
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOAT_DIGITS 6   /* those that any float keeps */

/* How a value stands in a row of the protocol (https://mariadb.com/kb/en/resultset-row/): numbers with their lowest byte first, all else with a length before it. */
typedef enum cell_form { FORM_BYTES, FORM_INTEGER, FORM_REAL, FORM_FLOAT, FORM_TIME, FORM_MOMENT } cell_form;

static const struct type_row {
  uint8_t type, form, size;
} types[] = {
  { MYSQL_TYPE_LONG, FORM_INTEGER, 4 },     { MYSQL_TYPE_LONGLONG, FORM_INTEGER, 8 }, { MYSQL_TYPE_DOUBLE, FORM_REAL, 8 }, { MYSQL_TYPE_TINY, FORM_INTEGER, 1 },     { MYSQL_TYPE_SHORT, FORM_INTEGER, 2 },
  { MYSQL_TYPE_INT24, FORM_INTEGER, 4 },    { MYSQL_TYPE_YEAR, FORM_INTEGER, 2 },     { MYSQL_TYPE_FLOAT, FORM_FLOAT, 4 }, { MYSQL_TYPE_DATETIME, FORM_MOMENT, 0 },  { MYSQL_TYPE_TIMESTAMP, FORM_MOMENT, 0 },
  { MYSQL_TYPE_DATE, FORM_MOMENT, 0 },      { MYSQL_TYPE_TIME, FORM_TIME, 0 },
};

/* ---- where rows go ---- */

/* Compilers make one instruction of it. */
static inline uint32_t read_32(const unsigned char *bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline uint64_t read_little_endian(const unsigned char *bytes, uint32_t size) {
  switch (size) {
    case 1: return bytes[0];
    case 2: return bytes[0] | (uint64_t)bytes[1] << 8;
    case 3: return bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16;
    case 4: return read_32(bytes);
    default: return read_32(bytes) | (uint64_t)read_32(bytes + 4) << 32;
  }
}

/* A length, and behind it what is so long (https://mariadb.com/kb/en/protocol-data-types/#length-encoded-integers). */
static uint64_t read_length(const unsigned char **at) {
  const unsigned char *bytes = *at;
  if (ALCH_LIKELY(*bytes < 251)) return *(*at)++;
  uint32_t size = *bytes == 252 ? 2 : *bytes == 253 ? 3 : 8;
  *at = bytes + 1 + size;
  return read_little_endian(bytes + 1, size);
}

/* The library gives each column of a row in turn, and has to be told where the next one begins. */
static void take_cell(void *given, unsigned int place, unsigned char **row) {
  alch_driver_statement *statement = given;
  if (place >= statement->column_count) return;
  alch_mysql_column *column = &statement->columns[place];
  column->at = NULL;
  if (!row) return;
  const unsigned char *at = *row;
  if (!statement->row) statement->row = at;
  column->length = column->size > 0 ? column->size : read_length(&at);
  column->at = at;
  statement->row_end = *row += (size_t)(at - *row) + column->length;
}

/* The library has something else where the row is as soon as another statement runs. */
alch_status alch_mysql_keep_row(alch_driver_statement *statement, alch_error *error) {
  if (!statement->row) return ALCH_OK;
  size_t size = (size_t)(statement->row_end - statement->row);
  alch_buffer_clear(&statement->kept);
  char *room = alch_buffer_reserve(&statement->kept, size + 1);
  if (!room) return alch_error_out_of_memory(error);
  memcpy(room, statement->row, size);
  for (uint32_t i = 0; i < statement->column_count; i++) {
    alch_mysql_column *column = &statement->columns[i];
    if (column->at) column->at = (const unsigned char *)room + (column->at - statement->row);
  }
  return ALCH_OK;
}

static void set_column(const alch_mysql_field *field, alch_mysql_column *column) {
  *column = (alch_mysql_column){ .type = field->type, .form = FORM_BYTES, .is_unsigned = (field->flags & UNSIGNED_FLAG) != 0 };
  column->is_binary = field->charsetnr == BINARY_CHARSET && field->type != MYSQL_TYPE_NEWDECIMAL && field->type != MYSQL_TYPE_DECIMAL && field->type != MYSQL_TYPE_JSON;
  for (size_t i = 0; i < ALCH_COUNT(types); i++) {
    if (types[i].type != field->type) continue;
    column->form = types[i].form;
    column->size = types[i].size;
  }
}

alch_status alch_mysql_bind_columns(alch_driver_statement *statement, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  uint32_t count = library->mysql_stmt_field_count(statement->handle);
  const alch_mysql_field *fields = library->mariadb_stmt_fetch_fields(statement->handle);
  alch_mysql_column *columns = alch_grow(statement->connection->allocator, statement->columns, &statement->column_capacity, count, sizeof *columns);
  if (!fields || !columns) return alch_error_out_of_memory(error);
  statement->columns = columns;
  statement->column_count = count;
  for (uint32_t i = 0; i < count; i++) set_column(&fields[i], &columns[i]);
  /* texts into it are handed out: it must not move */
  alch_buffer_clear(&statement->scratch);
  if (!alch_buffer_reserve(&statement->scratch, count * sizeof statement->digits)) return alch_error_out_of_memory(error);
  void (*callback)(void *, unsigned int, unsigned char **) = take_cell;
  void *address;
  memcpy(&address, &callback, sizeof address);
  bool failed = library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_CB_USER_DATA, statement) != 0 || library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_CB_RESULT, address) != 0;
  return failed ? alch_mysql_fail(statement->connection, statement, error) : ALCH_OK;
}

/* ---- what a cell holds ---- */

/* The shortest number that reads back as the same float: 0.1 and not 0.10000000149011612, as the server itself prints it. */
static double widen(float small) {
  char text[48];
  for (int digits = FLOAT_DIGITS; digits < FLT_DECIMAL_DIG; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)small);
    if (strtof(text, NULL) == small) return strtod(text, NULL);
  }
  return (double)small;
}

/* Beyond int64 an integer is its digits. */
static alch_status read_unsigned(alch_driver_statement *statement, uint64_t integer, alch_value *out, alch_error *error) {
  if (integer <= INT64_MAX) {
    *out = alch_value_integer((int64_t)integer);
    return ALCH_OK;
  }
  char *room = alch_buffer_reserve(&statement->scratch, sizeof statement->digits);
  if (!room) return alch_error_out_of_memory(error);
  int length = snprintf(room, sizeof statement->digits, "%llu", (unsigned long long)integer);
  statement->scratch.length += (size_t)length;
  *out = (alch_value){ .kind = ALCH_DECIMAL, .length = (uint32_t)length, .text = room };
  return ALCH_OK;
}

static alch_status read_integer(alch_driver_statement *statement, const alch_mysql_column *column, alch_value *out, alch_error *error) {
  uint64_t bits = read_little_endian(column->at, column->size);
  if (column->is_unsigned) return read_unsigned(statement, bits, out, error);
  uint32_t unused = 64 - 8u * column->size;
  *out = alch_value_integer((int64_t)(bits << unused) >> unused);
  return ALCH_OK;
}

static alch_status read_real(const alch_mysql_column *column, alch_value *out) {
  uint64_t bits = read_little_endian(column->at, sizeof bits);
  double real;
  memcpy(&real, &bits, sizeof real);
  *out = alch_value_real(real);
  return ALCH_OK;
}

static alch_status read_float(const alch_mysql_column *column, alch_value *out) {
  uint32_t bits = (uint32_t)read_little_endian(column->at, sizeof bits);
  float small;
  memcpy(&small, &bits, sizeof small);
  *out = alch_value_real(widen(small));
  return ALCH_OK;
}

/* Parts that are zero are left out from behind. */
static uint32_t part(const alch_mysql_column *column, uint32_t at, uint32_t size) {
  return column->length >= at + size ? (uint32_t)read_little_endian(column->at + at, size) : 0;
}

/* A sign, days, and the time of a day. */
static alch_status read_time(const alch_mysql_column *column, alch_value *out) {
  int64_t hours = (int64_t)part(column, 1, 4) * 24 + part(column, 5, 1), seconds = hours * 3600 + part(column, 6, 1) * 60 + part(column, 7, 1);
  int64_t microseconds = seconds * ALCH_MICROSECONDS_PER_SECOND + part(column, 8, 4);
  if (part(column, 0, 1)) microseconds = -microseconds;
  bool of_day = microseconds >= 0 && microseconds < ALCH_MICROSECONDS_PER_DAY;
  *out = (alch_value){ .kind = of_day ? ALCH_TIME : ALCH_INTERVAL, .integer = microseconds };
  return ALCH_OK;
}

static alch_status refuse_date(const alch_driver_statement *statement, uint32_t place, const alch_civil *civil, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_DATA, "column '%s' holds %04d-%02d-%02d, which is no day: select it as text (CAST AS CHAR), or write NULL where it stands",
                        statement->connection->library->mariadb_stmt_fetch_fields(statement->handle)[place].name, civil->year, civil->month, civil->day);
}

static alch_status read_moment(const alch_driver_statement *statement, uint32_t place, alch_value *out, alch_error *error) {
  const alch_mysql_column *column = &statement->columns[place];
  alch_civil civil = { .year = (int)part(column, 0, 2), .month = (int)part(column, 2, 1), .day = (int)part(column, 3, 1), .hour = (int)part(column, 4, 1), .minute = (int)part(column, 5, 1),
                       .second = (int)part(column, 6, 1), .microsecond = (int)part(column, 7, 4) };
  if (!alch_civil_valid(&civil)) return refuse_date(statement, place, &civil, error);
  if (column->type == MYSQL_TYPE_DATE) *out = (alch_value){ .kind = ALCH_DATE, .integer = alch_days_from_civil(civil.year, civil.month, civil.day) };
  else *out = (alch_value){ .kind = ALCH_DATETIME, .integer = alch_microseconds_from_civil(&civil) };
  return ALCH_OK;
}

static alch_status read_bits(alch_driver_statement *statement, const alch_mysql_column *column, alch_value *out, alch_error *error) {
  uint64_t bits = 0;
  for (uint64_t i = 0; i < column->length; i++) bits = bits << 8 | column->at[i];
  return read_unsigned(statement, bits, out, error);
}

static alch_status read_bytes(alch_driver_statement *statement, const alch_mysql_column *column, alch_value *out, alch_error *error) {
  if (ALCH_UNLIKELY(column->type == MYSQL_TYPE_BIT)) return read_bits(statement, column, out, error);
  if (ALCH_UNLIKELY(column->length > UINT32_MAX)) return alch_error_set(error, ALCH_ERROR_DATA, "a value of %llu bytes is longer than 4 GiB", (unsigned long long)column->length);
  *out = (alch_value){ .kind = column->is_binary ? ALCH_BLOB : ALCH_TEXT, .length = (uint32_t)column->length, .text = (const char *)column->at };
  if (ALCH_UNLIKELY(column->type == MYSQL_TYPE_NEWDECIMAL || column->type == MYSQL_TYPE_DECIMAL)) out->kind = ALCH_DECIMAL;
  return ALCH_OK;
}

static alch_status read_cell(alch_driver_statement *statement, uint32_t place, alch_value *out, alch_error *error) {
  const alch_mysql_column *column = &statement->columns[place];
  if (!column->at) {
    *out = ALCH_VALUE_NULL;
    return ALCH_OK;
  }
  switch ((cell_form)column->form) {
    case FORM_INTEGER: return read_integer(statement, column, out, error);
    case FORM_REAL: return read_real(column, out);
    case FORM_FLOAT: return read_float(column, out);
    case FORM_TIME: return read_time(column, out);
    case FORM_MOMENT: return read_moment(statement, place, out, error);
    default: return read_bytes(statement, column, out, error);
  }
}

alch_status alch_mysql_cells(alch_driver_statement *statement, alch_value *out, uint32_t first, uint32_t count, alch_error *error) {
  if (!statement->current) return alch_error_set(error, ALCH_ERROR_INTERFACE, "there is no row");
  alch_buffer_clear(&statement->scratch);
  for (uint32_t i = 0; i < count; i++)
    if (ALCH_UNLIKELY(read_cell(statement, first + i, &out[i], error) != ALCH_OK)) return ALCH_ERROR;
  return ALCH_OK;
}

alch_status alch_mysql_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) { return alch_mysql_cells(statement, out, 0, count, error); }
