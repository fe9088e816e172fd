/* Values on their way to the database: by the kind of each, and where that says too little (NULL) by the type that the statement knows. */
#include "base/date.h"
#include "base/decimal.h"
#include "base/utf8.h"
#include "engine/drivers/odbc_private.h"
#include <stdio.h>
#include <string.h>

#define ARRAY_BYTES ((size_t)8 << 20)   /* of one execution of an array */
#define LONG_TEXT 4000                  /* characters; beyond, the standard's long types are meant */
#define LONG_BLOB 8000

/* ---- one value ---- */

static SQLSMALLINT null_type(const alch_type *type) {
  static const SQLSMALLINT types[ALCH_TYPE_FAMILY_COUNT] = {
    [ALCH_TYPE_INTEGER] = SQL_INTEGER, [ALCH_TYPE_SMALL_INTEGER] = SQL_SMALLINT, [ALCH_TYPE_BIG_INTEGER] = SQL_BIGINT, [ALCH_TYPE_FLOAT] = SQL_DOUBLE, [ALCH_TYPE_DOUBLE] = SQL_DOUBLE,
    [ALCH_TYPE_NUMERIC] = SQL_DECIMAL, [ALCH_TYPE_STRING] = SQL_WVARCHAR, [ALCH_TYPE_TEXT] = SQL_WVARCHAR, [ALCH_TYPE_UNICODE] = SQL_WVARCHAR, [ALCH_TYPE_UNICODE_TEXT] = SQL_WVARCHAR,
    [ALCH_TYPE_BOOLEAN] = SQL_BIT, [ALCH_TYPE_DATE] = SQL_TYPE_DATE, [ALCH_TYPE_DATETIME] = SQL_TYPE_TIMESTAMP, [ALCH_TYPE_LARGE_BINARY] = SQL_VARBINARY,
  };
  SQLSMALLINT found = type ? types[type->family] : 0;
  return found ? found : SQL_VARCHAR;
}

static SQLULEN null_size(SQLSMALLINT sql_type) {
  switch (sql_type) {
    case SQL_TYPE_DATE: return 10;
    case SQL_TYPE_TIMESTAMP: return 26;
    case SQL_DECIMAL: return 38;
    default: return 1;
  }
}

static void give_null(const alch_type *type, alch_odbc_parameter *out) {
  out->c_type = SQL_C_CHAR;
  out->sql_type = null_type(type);
  out->size = null_size(out->sql_type);
  out->digits = out->sql_type == SQL_TYPE_TIMESTAMP ? 6 : 0;
  if (out->sql_type == SQL_VARBINARY) out->c_type = SQL_C_BINARY;
  out->length = SQL_NULL_DATA;
}

/* Short texts that are ASCII: numbers and moments. */
static void give_inlined(alch_odbc_parameter *out, SQLSMALLINT sql_type, size_t length) {
  out->c_type = SQL_C_CHAR;
  out->sql_type = sql_type;
  out->size = length;
  out->length = (SQLLEN)length;
}

static void give_integer(const alch_odbc_quirks *quirks, int64_t integer, alch_odbc_parameter *out) {
  if (quirks->integers_as_text) {
    give_inlined(out, SQL_DECIMAL, (size_t)snprintf(out->inlined.text, sizeof out->inlined.text, "%lld", (long long)integer));
    out->size = 38;
    return;
  }
  *out = (alch_odbc_parameter){ .c_type = SQL_C_SBIGINT, .sql_type = SQL_BIGINT, .size = 19, .length = sizeof integer, .inlined.integer = integer };
}

static alch_status refuse_text(alch_error *error) { return alch_error_set(error, ALCH_ERROR_DATA, "a text that is stored must be UTF-8, and this one is not"); }

static alch_status give_utf8(const alch_value *value, alch_odbc_parameter *out, alch_error *error) {
  if (value->length > 0 && alch_utf8_check(value->text, value->length) < value->length) return refuse_text(error);
  out->c_type = SQL_C_CHAR;
  out->sql_type = value->length > LONG_TEXT ? SQL_LONGVARCHAR : SQL_VARCHAR;
  out->bytes = value->text ? value->text : "";
  out->length = (SQLLEN)value->length;
  out->size = value->length ? value->length : 1;
  return ALCH_OK;
}

static alch_status give_text(alch_driver_statement *statement, const alch_value *value, alch_odbc_parameter *out, alch_error *error) {
  if (statement->connection->quirks->utf8_texts) return give_utf8(value, out, error);
  out->c_type = SQL_C_WCHAR;
  out->wide = true;
  out->offset = statement->wide.length;
  if (!alch_odbc_widen(value->text ? value->text : "", value->length, &statement->wide)) return refuse_text(error);
  out->length = (SQLLEN)(statement->wide.length - out->offset);
  SQLWCHAR end = 0;
  alch_buffer_add_bytes(&statement->wide, &end, sizeof end);   /* so that an empty text has an address, and for drivers that look further than they are told */
  SQLULEN units = (SQLULEN)out->length / sizeof(SQLWCHAR);
  out->sql_type = units > LONG_TEXT ? SQL_WLONGVARCHAR : SQL_WVARCHAR;
  out->size = units ? units : 1;
  return alch_buffer_failed(&statement->wide) ? alch_error_out_of_memory(error) : ALCH_OK;
}

static void give_blob(const alch_value *value, alch_odbc_parameter *out) {
  out->c_type = SQL_C_BINARY;
  out->sql_type = value->length > LONG_BLOB ? SQL_LONGVARBINARY : SQL_VARBINARY;
  out->bytes = value->text ? value->text : "";
  out->length = (SQLLEN)value->length;
  out->size = value->length ? value->length : 1;
}

static alch_status give_decimal(const alch_value *value, alch_odbc_parameter *out, alch_error *error) {
  const char *point = value->length ? memchr(value->text, '.', value->length) : NULL;
  size_t digits = value->length - (point != NULL) - (value->length && *value->text == '-');
  if (value->length >= ALCH_DECIMAL_TEXT_SIZE) return alch_error_set(error, ALCH_ERROR_DATA, "a decimal number of %u characters is too long", value->length);
  out->bytes = value->text;
  give_inlined(out, SQL_DECIMAL, value->length);
  out->size = digits;
  out->digits = point ? (SQLSMALLINT)(value->text + value->length - point - 1) : 0;
  return ALCH_OK;
}

static alch_status give_date(int64_t days, alch_odbc_parameter *out, alch_error *error) {
  alch_civil civil;
  if (days < ALCH_DAYS_MIN || days > ALCH_DAYS_MAX) return alch_error_set(error, ALCH_ERROR_DATA, "a date outside the years 1 to 9999 cannot be stored");
  alch_civil_from_days(days, &civil);
  *out = (alch_odbc_parameter){ .c_type = SQL_C_TYPE_DATE, .sql_type = SQL_TYPE_DATE, .size = 10, .length = sizeof(alch_odbc_date) };
  out->inlined.date = (alch_odbc_date){ (SQLSMALLINT)civil.year, (SQLUSMALLINT)civil.month, (SQLUSMALLINT)civil.day };
  return ALCH_OK;
}

/* The structure of the standard knows no zone: a moment that has one goes as the clock of UTC, which is the session's (odbc_quirks.c), or what the database takes a moment without offset for. */
static alch_status give_moment(int64_t microseconds, alch_odbc_parameter *out, alch_error *error) {
  alch_civil civil;
  if (microseconds < ALCH_MICROSECONDS_MIN || microseconds > ALCH_MICROSECONDS_MAX) return alch_error_set(error, ALCH_ERROR_DATA, "a moment outside the years 1 to 9999 cannot be stored");
  alch_civil_from_microseconds(microseconds, &civil);
  *out = (alch_odbc_parameter){ .c_type = SQL_C_TYPE_TIMESTAMP, .sql_type = SQL_TYPE_TIMESTAMP, .size = 26, .digits = 6, .length = sizeof(alch_odbc_timestamp) };
  out->inlined.timestamp = (alch_odbc_timestamp){ (SQLSMALLINT)civil.year, (SQLUSMALLINT)civil.month, (SQLUSMALLINT)civil.day, (SQLUSMALLINT)civil.hour, (SQLUSMALLINT)civil.minute, (SQLUSMALLINT)civil.second,
                                                  (uint32_t)civil.microsecond * 1000 };
  return ALCH_OK;
}

static alch_status give_real(const alch_odbc_quirks *quirks, double real, alch_odbc_parameter *out, alch_error *error) {
  if (real != real && quirks->nan_is_null) return alch_error_set(error, ALCH_ERROR_DATA, "a value is not a number, which the database would store as NULL");
  *out = (alch_odbc_parameter){ .c_type = SQL_C_DOUBLE, .sql_type = SQL_DOUBLE, .size = 53, .length = sizeof(double), .inlined.real = real };
  return ALCH_OK;
}

static alch_status describe_value(alch_driver_statement *statement, const alch_type *type, const alch_value *value, alch_odbc_parameter *out, alch_error *error) {
  *out = (alch_odbc_parameter){ .c_type = SQL_C_CHAR };
  switch (value->kind) {
    case ALCH_NULL: give_null(type, out); return ALCH_OK;
    case ALCH_INTEGER: give_integer(statement->connection->quirks, value->integer, out); return ALCH_OK;
    case ALCH_REAL: return give_real(statement->connection->quirks, value->real, out, error);
    case ALCH_BOOLEAN: *out = (alch_odbc_parameter){ .c_type = SQL_C_BIT, .sql_type = SQL_BIT, .size = 1, .length = 1, .inlined.bit = value->integer != 0 }; return ALCH_OK;
    case ALCH_TEXT: return give_text(statement, value, out, error);
    case ALCH_BLOB: give_blob(value, out); return ALCH_OK;
    case ALCH_DECIMAL: return give_decimal(value, out, error);
    case ALCH_DATE: return give_date(value->integer, out, error);
    case ALCH_TIME: give_inlined(out, SQL_VARCHAR, alch_time_print(value->integer, false, out->inlined.text)); return ALCH_OK;
    case ALCH_DATETIME: return give_moment(value->integer, out, error);
    case ALCH_INTERVAL: give_inlined(out, SQL_VARCHAR, alch_interval_print(value->integer, out->inlined.text)); return ALCH_OK;
    default: return alch_error_set(error, ALCH_ERROR_INTERFACE, "a value of the kind %s cannot go through ODBC", alch_value_kind_name(value->kind));
  }
}

static void *bytes_of(alch_driver_statement *statement, alch_odbc_parameter *parameter) {
  if (parameter->wide) return statement->wide.text + parameter->offset;
  return parameter->bytes ? (void *)(uintptr_t)parameter->bytes : (void *)&parameter->inlined;
}

static uint32_t source(const alch_driver_statement *statement, uint32_t placeholder) {
  return statement->order ? statement->order[placeholder] : placeholder;
}

static const alch_type *type_of(const alch_driver_statement *statement, uint32_t value) {
  return value < statement->type_count ? statement->types[value] : NULL;
}

static alch_status bind_failed(alch_driver_statement *statement, alch_error *error) {
  return alch_odbc_fail(statement->connection, SQL_HANDLE_STMT, statement->handle, error);
}

alch_status alch_odbc_bind(alch_driver_statement *statement, const alch_value *values, uint32_t count, alch_error *error) {
  const alch_odbc_library *library = statement->connection->library;
  alch_buffer_clear(&statement->wide);
  for (uint32_t i = 0; i < statement->placeholders; i++) {
    uint32_t value = source(statement, i);
    if (value >= count) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has a placeholder for value %u, and %u values are there", value + 1, count);
    if (alch_odbc_is_output(statement, i)) continue;
    if (describe_value(statement, type_of(statement, value), &values[value], &statement->parameters[i], error) != ALCH_OK) return ALCH_ERROR;
  }
  for (uint32_t i = 0; i < statement->placeholders; i++) {
    alch_odbc_parameter *p = &statement->parameters[i];
    if (alch_odbc_is_output(statement, i)) continue;
    SQLRETURN code = library->SQLBindParameter(statement->handle, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, p->c_type, p->sql_type, p->size, p->digits, bytes_of(statement, p), p->length > 0 ? p->length : 0, &p->length);
    if (!alch_odbc_succeeded(code)) return bind_failed(statement, error);
  }
  return alch_odbc_bind_outputs(statement, error);
}

/* ---- arrays: all values of a placeholder one behind the other ---- */

bool alch_odbc_fits_array(const alch_odbc_quirks *quirks, const alch_value *values, uint32_t count, uint32_t sets) {
  for (uint32_t i = 0; i < count; i++) {
    uint8_t kind = ALCH_NULL;
    for (uint32_t set = 0; set < sets; set++) {
      uint8_t next = values[(size_t)set * count + i].kind;
      if (next == ALCH_NULL) continue;
      if ((kind != ALCH_NULL && kind != next) || (next == ALCH_BLOB && quirks->single_blobs)) return false;
      kind = next;
    }
  }
  return true;
}

typedef struct array_call {
  alch_driver_statement *statement;
  const alch_value *values;
  uint32_t count, sets;
  alch_odbc_parameter *cells;   /* of one placeholder */
  alch_arena arena;
  SQLUSMALLINT *states;
  SQLULEN processed;
  alch_error *error;
} array_call;

/* The description of a whole column: that of its first value, as wide as its widest. */
static alch_status describe_column(array_call *call, uint32_t placeholder, alch_odbc_parameter *out, size_t *width) {
  uint32_t value = source(call->statement, placeholder);
  bool found = false;
  if (value >= call->count) return alch_error_set(call->error, ALCH_ERROR_PROGRAMMING, "the statement has a placeholder for value %u, and %u values are there", value + 1, call->count);
  alch_buffer_clear(&call->statement->wide);
  *width = 1;
  for (uint32_t set = 0; set < call->sets; set++) {
    alch_odbc_parameter *cell = &call->cells[set];
    if (describe_value(call->statement, type_of(call->statement, value), &call->values[(size_t)set * call->count + value], cell, call->error) != ALCH_OK) return ALCH_ERROR;
    if (cell->length == SQL_NULL_DATA && (found || set > 0)) continue;
    if (cell->length != SQL_NULL_DATA && !found) *out = *cell, found = true;
    else if (!found) *out = *cell;
    if (cell->length > (SQLLEN)*width) *width = (size_t)cell->length;
    if (cell->size > out->size) out->size = cell->size;
    if (cell->digits > out->digits) out->digits = cell->digits;
    if (cell->sql_type == SQL_WLONGVARCHAR || cell->sql_type == SQL_LONGVARCHAR || cell->sql_type == SQL_LONGVARBINARY) out->sql_type = cell->sql_type;
  }
  if (out->sql_type == SQL_DECIMAL) out->size = 38;
  /* those of a fixed size stand one behind the other */
  bool sized = out->c_type == SQL_C_WCHAR || out->c_type == SQL_C_CHAR || out->c_type == SQL_C_BINARY;
  if (sized) *width = (*width + sizeof(SQLWCHAR) + 7) & ~(size_t)7;
  return ALCH_OK;
}

static alch_status bind_column(array_call *call, uint32_t placeholder) {
  alch_odbc_parameter column = { 0 };
  size_t width = 0;
  if (describe_column(call, placeholder, &column, &width) != ALCH_OK) return ALCH_ERROR;
  char *bytes = alch_arena_allocate(&call->arena, width * call->sets);
  SQLLEN *indicators = alch_arena_allocate(&call->arena, call->sets * sizeof *indicators);
  if (!bytes || !indicators) return alch_error_out_of_memory(call->error);
  for (uint32_t set = 0; set < call->sets; set++) {
    alch_odbc_parameter *cell = &call->cells[set];
    indicators[set] = cell->length;
    if (cell->length > 0) memcpy(bytes + set * width, bytes_of(call->statement, cell), (size_t)cell->length);
  }
  SQLRETURN code = call->statement->connection->library->SQLBindParameter(call->statement->handle, (SQLUSMALLINT)(placeholder + 1), SQL_PARAM_INPUT, column.c_type, column.sql_type, column.size, column.digits, bytes,
                                                                          (SQLLEN)width, indicators);
  return alch_odbc_succeeded(code) ? ALCH_OK : bind_failed(call->statement, call->error);
}

static bool set_attribute(alch_driver_statement *statement, SQLINTEGER attribute, void *value) {
  return alch_odbc_succeeded(statement->connection->library->SQLSetStmtAttr(statement->handle, attribute, value, 0));
}

/* One after the other; a driver may be content although some sets failed, which the states tell. */
static alch_status execute_sets(array_call *call) {
  alch_driver_statement *statement = call->statement;
  const alch_odbc_library *library = statement->connection->library;
  SQLLEN changes = 0;
  alch_odbc_set_running(statement->connection, statement->handle);
  SQLRETURN code = library->SQLExecute(statement->handle);
  alch_odbc_set_running(statement->connection, NULL);
  if (!alch_odbc_succeeded(code) && code != SQL_NO_DATA) return bind_failed(statement, call->error);
  for (uint32_t set = 0; set < call->sets; set++)
    if (call->states[set] == SQL_PARAM_ERROR || (code == SQL_SUCCESS_WITH_INFO && call->states[set] == SQL_PARAM_UNUSED)) return bind_failed(statement, call->error);
  if (call->processed != call->sets) return alch_error_set(call->error, ALCH_ERROR_OPERATIONAL, "the driver has run %zu of %u sets of values", (size_t)call->processed, call->sets);
  /* some count each set as a result of its own, some all of them at once */
  int64_t total = 0;
  do {
    if (alch_odbc_succeeded(library->SQLRowCount(statement->handle, &changes)) && changes > 0) total += changes;
  } while (alch_odbc_succeeded(library->SQLMoreResults(statement->handle)));
  statement->changes += total;
  return ALCH_OK;
}

static alch_status execute_chunk(array_call *call) {
  alch_driver_statement *statement = call->statement;
  call->cells = alch_arena_allocate(&call->arena, call->sets * sizeof *call->cells);
  call->states = alch_arena_allocate(&call->arena, call->sets * sizeof *call->states);
  if (!call->cells || !call->states) return alch_error_out_of_memory(call->error);
  if (!set_attribute(statement, SQL_ATTR_PARAMSET_SIZE, (void *)(uintptr_t)call->sets) || !set_attribute(statement, SQL_ATTR_PARAM_STATUS_PTR, call->states) ||
      !set_attribute(statement, SQL_ATTR_PARAMS_PROCESSED_PTR, &call->processed))
    return bind_failed(statement, call->error);
  for (uint32_t i = 0; i < statement->placeholders; i++)
    if (bind_column(call, i) != ALCH_OK) return ALCH_ERROR;
  return execute_sets(call);
}

/* How many sets one call may take: widths count for the widest of them. */
static uint32_t chunk_size(const alch_value *values, uint32_t count, uint32_t sets) {
  size_t width = 0;
  for (uint32_t set = 0; set < sets; set++) {
    const alch_value *row = &values[(size_t)set * count];
    size_t one = 0;
    for (uint32_t i = 0; i < count; i++) one += alch_value_has_text(row[i].kind) ? (size_t)row[i].length * 2 + 16 : 32;
    if (one > width) width = one;
    if (width * (set + 1) > ARRAY_BYTES) return set > 0 ? set : 1;
  }
  return sets;
}

alch_status alch_odbc_execute_array(alch_driver_statement *statement, const alch_value *values, uint32_t count, uint32_t sets, alch_error *error) {
  alch_status status = ALCH_OK;
  statement->changes = 0;
  while (sets > 0 && status == ALCH_OK) {
    array_call call = { .statement = statement, .values = values, .count = count, .sets = chunk_size(values, count, sets), .error = error };
    alch_arena_init(&call.arena, statement->connection->allocator);
    status = execute_chunk(&call);
    statement->connection->library->SQLFreeStmt(statement->handle, SQL_CLOSE);
    statement->connection->library->SQLFreeStmt(statement->handle, SQL_RESET_PARAMS);
    set_attribute(statement, SQL_ATTR_PARAM_STATUS_PTR, NULL);
    set_attribute(statement, SQL_ATTR_PARAMS_PROCESSED_PTR, NULL);
    set_attribute(statement, SQL_ATTR_PARAMSET_SIZE, (void *)(uintptr_t)1);
    alch_arena_clear(&call.arena);
    values += (size_t)call.sets * count;
    sets -= call.sets;
  }
  return status;
}
