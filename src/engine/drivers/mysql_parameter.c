/* Values on their way to the server, in the binary forms that the library sends. Numbers and texts are bound where they are. */
#include "base/date.h"
#include "engine/drivers/mysql_private.h"
#include <math.h>
#include <string.h>

/* What a TIME may be (https://mariadb.com/kb/en/time/). */
#define TIME_MAX ((838 * INT64_C(3600) + 59 * 60 + 59) * ALCH_MICROSECONDS_PER_SECOND + 999999)

static alch_status refuse(uint32_t place, const char *what, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_DATA, "parameter %u is %s", place + 1, what);
}

static alch_status to_moment(int64_t microseconds, alch_mysql_time *out, uint32_t place, alch_error *error) {
  alch_civil civil;
  if (microseconds < ALCH_MICROSECONDS_MIN || microseconds > ALCH_MICROSECONDS_MAX) return refuse(place, "a date outside the years 1 to 9999", error);
  alch_civil_from_microseconds(microseconds, &civil);
  *out = (alch_mysql_time){
    .year = (unsigned)civil.year, .month = (unsigned)civil.month, .day = (unsigned)civil.day, .hour = (unsigned)civil.hour, .minute = (unsigned)civil.minute, .second = (unsigned)civil.second,
    .second_part = (unsigned long)civil.microsecond, .time_type = 1,
  };
  return ALCH_OK;
}

/* The protocol has days beside hours. */
static alch_status to_time(int64_t microseconds, alch_mysql_time *out, uint32_t place, alch_error *error) {
  if (microseconds > TIME_MAX || microseconds < -TIME_MAX) return refuse(place, "no TIME, which goes from -838:59:59.999999 to 838:59:59.999999", error);
  int64_t left = microseconds < 0 ? -microseconds : microseconds, seconds = left / ALCH_MICROSECONDS_PER_SECOND;
  *out = (alch_mysql_time){
    .day = (unsigned)(seconds / 86400), .hour = (unsigned)(seconds / 3600 % 24), .minute = (unsigned)(seconds / 60 % 60), .second = (unsigned)(seconds % 60),
    .second_part = (unsigned long)(left % ALCH_MICROSECONDS_PER_SECOND), .neg = microseconds < 0, .time_type = 2,
  };
  return ALCH_OK;
}

static alch_status bind_time(const alch_value *value, alch_mysql_bind *bind, alch_mysql_time *time, uint32_t place, alch_error *error) {
  bind->buffer = time;
  bind->buffer_type = value->kind == ALCH_DATE ? MYSQL_TYPE_DATE : value->kind == ALCH_DATETIME ? MYSQL_TYPE_DATETIME : MYSQL_TYPE_TIME;
  if (value->kind == ALCH_TIME || value->kind == ALCH_INTERVAL) return to_time(value->integer, time, place, error);
  if (value->kind == ALCH_DATETIME) return to_moment(value->integer, time, place, error);
  if (value->integer < ALCH_DAYS_MIN || value->integer > ALCH_DAYS_MAX) return refuse(place, "a date outside the years 1 to 9999", error);
  return to_moment(value->integer * ALCH_MICROSECONDS_PER_DAY, time, place, error);
}

static void bind_text(const alch_value *value, alch_mysql_bind *bind, unsigned long *length, int type) {
  bind->buffer_type = type;
  bind->buffer = (void *)(uintptr_t)(value->text ? value->text : "");
  bind->buffer_length = *length = value->length;
  bind->length = length;
}

static alch_status bind_value(alch_driver_statement *statement, uint32_t place, alch_error *error) {
  const alch_value *value = &statement->values[(size_t)statement->set * statement->count + place];
  alch_mysql_bind *bind = &statement->binds[place];
  memset(bind, 0, sizeof *bind);
  if (alch_value_has_text(value->kind)) statement->bytes += value->length;
  switch (value->kind) {
    case ALCH_NULL: bind->buffer_type = MYSQL_TYPE_NULL; return ALCH_OK;
    case ALCH_INTEGER: case ALCH_BOOLEAN:
      bind->buffer_type = MYSQL_TYPE_LONGLONG;
      bind->buffer = (void *)(uintptr_t)&value->integer;
      return ALCH_OK;
    case ALCH_REAL:
      if (!isfinite(value->real)) return refuse(place, "not a finite number, which no column of this database holds", error);
      bind->buffer_type = MYSQL_TYPE_DOUBLE;
      bind->buffer = (void *)(uintptr_t)&value->real;
      return ALCH_OK;
    case ALCH_TEXT: bind_text(value, bind, &statement->lengths[place], MYSQL_TYPE_STRING); return ALCH_OK;
    case ALCH_BLOB: bind_text(value, bind, &statement->lengths[place], MYSQL_TYPE_BLOB); return ALCH_OK;
    case ALCH_DECIMAL: bind_text(value, bind, &statement->lengths[place], MYSQL_TYPE_NEWDECIMAL); return ALCH_OK;
    case ALCH_DATE: case ALCH_TIME: case ALCH_DATETIME: case ALCH_INTERVAL: return bind_time(value, bind, &statement->times[place], place, error);
    default: return alch_error_set(error, ALCH_ERROR_INTERFACE, "parameter %u has the kind %s, which the driver cannot send", place + 1, alch_value_kind_name(value->kind));
  }
}

/* Three arrays with one capacity. */
static bool make_room(alch_driver_statement *statement, uint32_t count) {
  const alch_allocator *allocator = statement->connection->allocator;
  uint32_t before = statement->bind_capacity;
  if (count <= before) return true;
  alch_mysql_bind *binds = alch_allocate(allocator, count * sizeof *binds);
  alch_mysql_time *times = alch_allocate(allocator, count * sizeof *times);
  unsigned long *lengths = alch_allocate(allocator, count * sizeof *lengths);
  if (!binds || !times || !lengths) {
    alch_free(allocator, binds, count * sizeof *binds);
    alch_free(allocator, times, count * sizeof *times);
    alch_free(allocator, lengths, count * sizeof *lengths);
    return false;
  }
  alch_free(allocator, statement->binds, before * sizeof *binds);
  alch_free(allocator, statement->times, before * sizeof *times);
  alch_free(allocator, statement->lengths, before * sizeof *lengths);
  statement->binds = binds;
  statement->times = times;
  statement->lengths = lengths;
  statement->bind_capacity = count;
  return true;
}

static alch_status check_count(const alch_driver_statement *statement, alch_error *error) {
  unsigned long wanted = statement->connection->library->mysql_stmt_param_count(statement->handle);
  if (wanted == statement->count) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has %lu parameter%s, and %u value%s for them", wanted, wanted == 1 ? "" : "s", statement->count,
                        statement->count == 1 ? " is there" : "s are there");
}

static alch_status bind_set(alch_driver_statement *statement, alch_error *error) {
  for (uint32_t i = 0; i < statement->count; i++)
    if (bind_value(statement, i, error) != ALCH_OK) return ALCH_ERROR;
  return ALCH_OK;
}

alch_status alch_mysql_bind_values(alch_driver_statement *statement, alch_error *error) {
  if (check_count(statement, error) != ALCH_OK) return ALCH_ERROR;
  statement->bytes = 0;
  if (statement->count == 0) return ALCH_OK;
  if (!make_room(statement, statement->count)) return alch_error_out_of_memory(error);
  if (bind_set(statement, error) != ALCH_OK) return ALCH_ERROR;
  return statement->connection->library->mysql_stmt_bind_param(statement->handle, statement->binds) == 0 ? ALCH_OK : alch_mysql_fail(statement->connection, statement, error);
}

/* ---- many sets ---- */

/* The library reads them through pointers that are not to constants. */
static const char indicators[] = { STMT_INDICATOR_NONE, STMT_INDICATOR_NULL };

static char *indicator_of(bool is_null) { return (char *)(uintptr_t)&indicators[is_null]; }

/* How values travel that need no looking at; 0: the others. */
static const uint8_t plain_types[] = { [ALCH_NULL] = MYSQL_TYPE_NULL, [ALCH_INTEGER] = MYSQL_TYPE_LONGLONG, [ALCH_BOOLEAN] = MYSQL_TYPE_LONGLONG, [ALCH_TEXT] = MYSQL_TYPE_STRING, [ALCH_BLOB] = MYSQL_TYPE_BLOB,
                                       [ALCH_DECIMAL] = MYSQL_TYPE_NEWDECIMAL };

/* Where the value lies that goes out; those that have another form there have it made in `time`. */
static void *find_value(const alch_value *value, alch_mysql_bind *bind, alch_mysql_time *time, uint32_t place) {
  switch (value->kind) {
    case ALCH_INTEGER: case ALCH_BOOLEAN: return (void *)(uintptr_t)&value->integer;
    case ALCH_REAL: return (void *)(uintptr_t)&value->real;
    case ALCH_DATE: case ALCH_TIME: case ALCH_DATETIME: case ALCH_INTERVAL: return bind_time(value, bind, time, place, NULL) == ALCH_OK ? bind->buffer : NULL;
    default: return (void *)(uintptr_t)(value->text ? value->text : "");
  }
}

/* The library asks for one set after the other while it writes its message; the types went before, and every value was looked at. */
static char give_set(void *given, alch_mysql_bind *binds, unsigned int set) {
  alch_driver_statement *statement = given;
  const alch_value *values = statement->values + (size_t)set * statement->count;
  for (uint32_t i = 0; i < statement->count; i++) {
    const alch_value *value = &values[i];
    bool is_null = value->kind == ALCH_NULL;
    binds[i].u.indicator = indicator_of(is_null);
    if (is_null) continue;
    binds[i].buffer = find_value(value, &statement->binds[i], &statement->times[i], i);
    if (!binds[i].buffer) return 1;
    if (alch_value_has_text(value->kind)) binds[i].buffer_length = statement->lengths[i] = value->length;
  }
  return 0;
}

/* The type that a value goes out with; the others are tried, so that giving them cannot fail. */
static alch_status find_type(alch_driver_statement *statement, uint32_t place, const alch_value *value, int *type, alch_error *error) {
  bool finite = value->kind == ALCH_REAL && isfinite(value->real);
  *type = finite ? MYSQL_TYPE_DOUBLE : value->kind < ALCH_COUNT(plain_types) ? plain_types[value->kind] : 0;
  if (ALCH_LIKELY(*type != 0)) {
    if (alch_value_has_text(value->kind)) statement->bytes += value->length;
    return ALCH_OK;
  }
  alch_status status = bind_value(statement, place, error);
  *type = statement->binds[place].buffer_type;
  return status;
}

/* The one type of each column, left in statement->binds. */
static alch_status find_types(alch_driver_statement *statement, int *types, bool *alike, alch_error *error) {
  *alike = true;
  statement->bytes = 0;
  for (uint32_t i = 0; i < statement->count; i++) types[i] = MYSQL_TYPE_NULL;
  const alch_value *value = statement->values;
  for (statement->set = 0; statement->set < statement->sets; statement->set++) {
    for (uint32_t i = 0; i < statement->count; i++, value++) {
      int type;
      if (find_type(statement, i, value, &type, error) != ALCH_OK) return ALCH_ERROR;
      if (type == MYSQL_TYPE_NULL || type == types[i]) continue;
      if (types[i] != MYSQL_TYPE_NULL) *alike = false;
      types[i] = type;
    }
  }
  statement->set = 0;
  for (uint32_t i = 0; i < statement->count; i++) {
    statement->binds[i] = (alch_mysql_bind){ .buffer_type = types[i] == MYSQL_TYPE_NULL ? MYSQL_TYPE_STRING : types[i], .length = &statement->lengths[i], .u.indicator = indicator_of(false) };
    statement->binds[i].buffer = &statement->times[i];
  }
  return ALCH_OK;
}

static alch_status set_array(alch_driver_statement *statement, unsigned int size, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  char (*callback)(void *, alch_mysql_bind *, unsigned int) = size > 0 ? give_set : NULL;
  void *address;
  memcpy(&address, &callback, sizeof address);
  bool failed = library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_ARRAY_SIZE, &size) != 0 || library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_CB_USER_DATA, statement) != 0 ||
                library->mysql_stmt_attr_set(statement->handle, STMT_ATTR_CB_PARAM, address) != 0;
  statement->arrayed = size > 0;
  return failed ? alch_mysql_fail(statement->connection, statement, error) : ALCH_OK;
}

alch_status alch_mysql_unbind_sets(alch_driver_statement *statement, alch_error *error) {
  return statement->arrayed ? set_array(statement, 0, error) : ALCH_OK;
}

alch_status alch_mysql_bind_sets(alch_driver_statement *statement, bool *done, alch_error *error) {
  const alch_libmariadb *library = statement->connection->library;
  const alch_allocator *allocator = statement->connection->allocator;
  *done = false;
  if (check_count(statement, error) != ALCH_OK) return ALCH_ERROR;
  bool possible = library->mariadb_connection(statement->connection->handle) && (statement->inserts || library->mysql_stmt_field_count(statement->handle) == 0);
  if (statement->sets < 2 || statement->count == 0) return alch_mysql_unbind_sets(statement, error);
  int *types = alch_allocate(allocator, statement->count * sizeof *types);
  if (!types || !make_room(statement, statement->count)) {
    alch_free(allocator, types, statement->count * sizeof *types);
    return alch_error_out_of_memory(error);
  }
  alch_status status = find_types(statement, types, done, error);
  alch_free(allocator, types, statement->count * sizeof *types);
  *done = *done && possible;
  if (status == ALCH_OK) status = *done ? set_array(statement, statement->sets, error) : alch_mysql_unbind_sets(statement, error);
  if (status == ALCH_OK && *done && library->mysql_stmt_bind_param(statement->handle, statement->binds) != 0) status = alch_mysql_fail(statement->connection, statement, error);
  return status;
}
