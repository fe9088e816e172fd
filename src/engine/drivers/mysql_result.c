/* Rows in the binary protocol: where the library puts them, and what they are here. */
#include "base/date.h"
#include "engine/drivers/mysql_private.h"
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SHORT_BYTES = 256,         /* room for a text at first; its column's length where that is less */
  LONG_BYTES = 1 << 16,      /* room beyond this is given back after each execution */
  FLOAT_DIGITS = 6           /* those that any float keeps */
};

/* ---- making room ---- */

typedef enum cell_form { FORM_INTEGER, FORM_REAL, FORM_FLOAT, FORM_TIME, FORM_BYTES } cell_form;

static cell_form form_of(int type) {
  switch (type) {
    case MYSQL_TYPE_TINY: case MYSQL_TYPE_SHORT: case MYSQL_TYPE_INT24: case MYSQL_TYPE_LONG: case MYSQL_TYPE_LONGLONG: case MYSQL_TYPE_YEAR: case MYSQL_TYPE_NULL: return FORM_INTEGER;
    case MYSQL_TYPE_DOUBLE: return FORM_REAL;
    case MYSQL_TYPE_FLOAT: return FORM_FLOAT;
    case MYSQL_TYPE_DATE: case MYSQL_TYPE_TIME: case MYSQL_TYPE_DATETIME: case MYSQL_TYPE_TIMESTAMP: return FORM_TIME;
    default: return FORM_BYTES;
  }
}

static bool make_bytes(const alch_allocator *allocator, alch_mysql_column *column, unsigned long wanted) {
  if (wanted <= column->capacity) return true;
  unsigned long capacity = SHORT_BYTES;
  while (capacity < wanted && capacity <= UINT32_MAX) capacity *= 2;
  char *bytes = alch_resize(allocator, column->bytes, column->capacity, capacity);
  if (!bytes) return false;
  column->bytes = bytes;
  column->capacity = capacity;
  return true;
}

static bool make_column(const alch_allocator *allocator, const alch_mysql_field *field, alch_mysql_column *column, alch_mysql_bind *bind) {
  static const int types[] = { [FORM_INTEGER] = MYSQL_TYPE_LONGLONG, [FORM_REAL] = MYSQL_TYPE_DOUBLE, [FORM_FLOAT] = MYSQL_TYPE_FLOAT, [FORM_BYTES] = MYSQL_TYPE_BLOB };
  cell_form form = form_of(field->type);
  column->type = field->type;
  column->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
  column->is_binary = field->charsetnr == BINARY_CHARSET && field->type != MYSQL_TYPE_NEWDECIMAL && field->type != MYSQL_TYPE_DECIMAL && field->type != MYSQL_TYPE_JSON;
  *bind = (alch_mysql_bind){ .length = &column->length, .is_null = &column->null, .error = &column->truncated, .is_unsigned = column->is_unsigned };
  bind->buffer_type = form == FORM_TIME ? field->type : types[form];
  bind->buffer = &column->cell;
  if (form != FORM_BYTES) return true;
  if (!make_bytes(allocator, column, field->length < SHORT_BYTES ? field->length : SHORT_BYTES)) return false;
  bind->buffer = column->bytes;
  bind->buffer_length = column->capacity;
  return true;
}

static bool make_columns(alch_driver_statement *statement, uint32_t count) {
  const alch_allocator *allocator = statement->connection->allocator;
  if (count <= statement->column_capacity) return true;
  alch_mysql_free_columns(statement, true);
  statement->columns = alch_allocate_zeroed(allocator, count * sizeof *statement->columns);
  statement->results = alch_allocate_zeroed(allocator, count * sizeof *statement->results);
  statement->column_capacity = count;
  return statement->columns && statement->results;
}

alch_status alch_mysql_bind_columns(alch_driver_statement *statement, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  uint32_t count = library->mysql_stmt_field_count(statement->handle);
  const alch_mysql_field *fields = library->mariadb_stmt_fetch_fields(statement->handle);
  if (!fields || !make_columns(statement, count)) return alch_error_out_of_memory(error);
  statement->column_count = count;
  for (uint32_t i = 0; i < count; i++)
    if (!make_column(statement->connection->allocator, &fields[i], &statement->columns[i], &statement->results[i])) return alch_error_out_of_memory(error);
  if (library->mysql_stmt_bind_result(statement->handle, statement->results) != 0) return alch_mysql_fail(statement->connection, statement, error);
  return ALCH_OK;
}

void alch_mysql_free_columns(alch_driver_statement *statement, bool all) {
  const alch_allocator *allocator = statement->connection->allocator;
  for (uint32_t i = 0; statement->columns && i < statement->column_capacity; i++) {
    alch_mysql_column *column = &statement->columns[i];
    if (!all && column->capacity <= LONG_BYTES) continue;
    alch_free(allocator, column->bytes, column->capacity);
    column->bytes = NULL;
    column->capacity = 0;
  }
  if (!all) return;
  alch_free(allocator, statement->columns, statement->column_capacity * sizeof *statement->columns);
  alch_free(allocator, statement->results, statement->column_capacity * sizeof *statement->results);
  statement->columns = NULL;
  statement->results = NULL;
  statement->column_capacity = 0;
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

static alch_status refuse_date(const alch_driver_statement *statement, uint32_t place, const alch_mysql_time *time, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_DATA, "column '%s' holds %04u-%02u-%02u, which is no day: select it as text (CAST AS CHAR), or write NULL where it stands",
                        statement->connection->library->mariadb_stmt_fetch_fields(statement->handle)[place].name, time->year, time->month, time->day);
}

/* The library has turned days into hours. */
static alch_status read_time(const alch_mysql_time *time, alch_value *out) {
  int64_t seconds = (int64_t)time->hour * 3600 + time->minute * 60 + time->second, microseconds = seconds * ALCH_MICROSECONDS_PER_SECOND + (int64_t)time->second_part;
  if (time->neg) microseconds = -microseconds;
  bool of_day = microseconds >= 0 && microseconds < ALCH_MICROSECONDS_PER_DAY;
  *out = (alch_value){ .kind = of_day ? ALCH_TIME : ALCH_INTERVAL, .integer = microseconds };
  return ALCH_OK;
}

static alch_status read_moment(const alch_driver_statement *statement, uint32_t place, alch_value *out, alch_error *error) {
  const alch_mysql_column *column = &statement->columns[place];
  const alch_mysql_time *time = &column->cell.time;
  alch_civil civil = { .year = (int)time->year, .month = (int)time->month, .day = (int)time->day, .hour = (int)time->hour, .minute = (int)time->minute, .second = (int)time->second,
                       .microsecond = (int)time->second_part };
  if (!alch_civil_valid(&civil)) return refuse_date(statement, place, time, error);
  int64_t microseconds = alch_microseconds_from_civil(&civil);
  if (column->type == MYSQL_TYPE_DATE) *out = (alch_value){ .kind = ALCH_DATE, .integer = alch_days_from_civil(civil.year, civil.month, civil.day) };
  else *out = (alch_value){ .kind = ALCH_DATETIME, .integer = microseconds };
  return ALCH_OK;
}

static alch_status read_bits(alch_driver_statement *statement, const alch_mysql_column *column, alch_value *out, alch_error *error) {
  uint64_t bits = 0;
  for (unsigned long i = 0; i < column->length; i++) bits = bits << 8 | (unsigned char)column->bytes[i];
  return read_unsigned(statement, bits, out, error);
}

static alch_status read_bytes(alch_driver_statement *statement, const alch_mysql_column *column, alch_value *out, alch_error *error) {
  if (column->type == MYSQL_TYPE_BIT) return read_bits(statement, column, out, error);
  *out = (alch_value){ .kind = column->is_binary ? ALCH_BLOB : ALCH_TEXT, .length = (uint32_t)column->length, .text = column->bytes ? column->bytes : "" };
  if (column->type == MYSQL_TYPE_NEWDECIMAL || column->type == MYSQL_TYPE_DECIMAL) out->kind = ALCH_DECIMAL;
  return ALCH_OK;
}

static alch_status read_cell(alch_driver_statement *statement, uint32_t place, alch_value *out, alch_error *error) {
  const alch_mysql_column *column = &statement->columns[place];
  if (column->null) {
    *out = ALCH_VALUE_NULL;
    return ALCH_OK;
  }
  switch (form_of(column->type)) {
    case FORM_INTEGER:
      if (column->is_unsigned) return read_unsigned(statement, (uint64_t)column->cell.integer, out, error);
      *out = alch_value_integer(column->cell.integer);
      return ALCH_OK;
    case FORM_REAL: *out = alch_value_real(column->cell.real); return ALCH_OK;
    case FORM_FLOAT: *out = alch_value_real(widen(column->cell.small)); return ALCH_OK;
    case FORM_TIME: return column->type == MYSQL_TYPE_TIME ? read_time(&column->cell.time, out) : read_moment(statement, place, out, error);
    default: return read_bytes(statement, column, out, error);
  }
}

/* What was longer than its room is fetched again. */
static alch_status fetch_long(alch_driver_statement *statement, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  bool grown = false;
  for (uint32_t i = 0; i < statement->column_count; i++) {
    alch_mysql_column *column = &statement->columns[i];
    if (column->null || form_of(column->type) != FORM_BYTES || column->length <= column->capacity) continue;
    if (column->length > UINT32_MAX || !make_bytes(statement->connection->allocator, column, column->length)) return alch_error_out_of_memory(error);
    statement->results[i].buffer = column->bytes;
    statement->results[i].buffer_length = column->capacity;
    alch_mysql_bind whole = statement->results[i];
    if (library->mysql_stmt_fetch_column(statement->handle, &whole, i, 0) != 0) return alch_mysql_fail(statement->connection, statement, error);
    grown = true;
  }
  if (grown && library->mysql_stmt_bind_result(statement->handle, statement->results) != 0) return alch_mysql_fail(statement->connection, statement, error);
  return ALCH_OK;
}

alch_status alch_mysql_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) {
  if (!statement->current) return alch_error_set(error, ALCH_ERROR_INTERFACE, "there is no row");
  alch_buffer_clear(&statement->scratch);
  /* texts into it are handed out: it must not move */
  if (!alch_buffer_reserve(&statement->scratch, count * sizeof statement->digits)) return alch_error_out_of_memory(error);
  if (fetch_long(statement, error) != ALCH_OK) return ALCH_ERROR;
  for (uint32_t i = 0; i < count; i++)
    if (read_cell(statement, i, &out[i], error) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}
