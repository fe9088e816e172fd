/* Rows on their way back. Columns whose size is sure and short are bound, many rows at a time; where one column is not, all cells of the result are read one by one, long ones in pieces. */
#include "base/date.h"
#include "base/decimal.h"
#include "engine/drivers/odbc_private.h"
#include <string.h>

#define NAME_UNITS 256
#define BOUND_UNITS 512          /* characters of a text that is bound, bytes of a blob */
#define BLOCK_BYTES 131072       /* of one fetch into bound columns */
#define BLOCK_ROWS 256
#define DECIMAL_ROOM 100         /* beyond the digits that are told, which are a guess where the column has no precision */
#define PIECE 2048               /* bytes first asked for of a cell of unknown length */
#define PIECE_MAX 65536

const alch_odbc_reader alch_odbc_reader_rows[] = {
  [ALCH_ODBC_READ_WIDE] = { SQL_C_WCHAR, 0 }, [ALCH_ODBC_READ_UTF8] = { SQL_C_CHAR, 0 }, [ALCH_ODBC_READ_CHARACTERS] = { SQL_C_CHAR, 128 }, [ALCH_ODBC_READ_UUID] = { SQL_C_CHAR, 40 }, [ALCH_ODBC_READ_INTEGER] = { SQL_C_SBIGINT, 8 }, [ALCH_ODBC_READ_BIG] = { SQL_C_CHAR, 32 }, [ALCH_ODBC_READ_REAL] = { SQL_C_DOUBLE, 8 },
  [ALCH_ODBC_READ_BIT] = { SQL_C_BIT, 1 }, [ALCH_ODBC_READ_DECIMAL] = { SQL_C_CHAR, 0 }, [ALCH_ODBC_READ_DATE] = { SQL_C_TYPE_DATE, sizeof(alch_odbc_date) }, [ALCH_ODBC_READ_TIME] = { SQL_C_CHAR, 64 },
  [ALCH_ODBC_READ_MOMENT] = { SQL_C_TYPE_TIMESTAMP, sizeof(alch_odbc_timestamp) }, [ALCH_ODBC_READ_BYTES] = { SQL_C_BINARY, 0 },
};

static const struct type_row { SQLSMALLINT sql_type; uint8_t reader; } types[] = {
  { SQL_INTEGER, ALCH_ODBC_READ_INTEGER }, { SQL_SMALLINT, ALCH_ODBC_READ_INTEGER }, { SQL_TINYINT, ALCH_ODBC_READ_INTEGER }, { SQL_BIGINT, ALCH_ODBC_READ_INTEGER }, { SQL_REAL, ALCH_ODBC_READ_REAL }, { SQL_FLOAT, ALCH_ODBC_READ_REAL }, { SQL_DOUBLE, ALCH_ODBC_READ_REAL },
  { SQL_NUMERIC, ALCH_ODBC_READ_DECIMAL }, { SQL_DECIMAL, ALCH_ODBC_READ_DECIMAL }, { SQL_BIT, ALCH_ODBC_READ_BIT }, { SQL_TYPE_DATE, ALCH_ODBC_READ_DATE }, { SQL_TYPE_TIME, ALCH_ODBC_READ_TIME }, { SQL_TYPE_TIMESTAMP, ALCH_ODBC_READ_MOMENT },
  { SQL_BINARY, ALCH_ODBC_READ_BYTES }, { SQL_VARBINARY, ALCH_ODBC_READ_BYTES }, { SQL_LONGVARBINARY, ALCH_ODBC_READ_BYTES }, { SQL_GUID, ALCH_ODBC_READ_UUID }, { SQL_SS_TIME2, ALCH_ODBC_READ_TIME }, { SQL_SS_TIMESTAMPOFFSET, ALCH_ODBC_READ_CHARACTERS },
};

static uint8_t reader_of(const alch_odbc_quirks *quirks, SQLSMALLINT sql_type) {
  size_t i = 0;
  while (i < ALCH_COUNT(types) && types[i].sql_type != sql_type) i++;
  uint8_t text = quirks->utf8_texts ? ALCH_ODBC_READ_UTF8 : ALCH_ODBC_READ_WIDE;
  if (i == ALCH_COUNT(types)) return text;
  uint8_t reader = types[i].reader;
  if (!quirks->few_kinds) return reader;
  if (reader == ALCH_ODBC_READ_BIT) return ALCH_ODBC_READ_INTEGER;
  return reader == ALCH_ODBC_READ_DATE || reader == ALCH_ODBC_READ_TIME || reader == ALCH_ODBC_READ_MOMENT ? text : reader;
}

static alch_status failed(alch_driver_statement *statement, alch_error *error) {
  return alch_odbc_fail(statement->connection, SQL_HANDLE_STMT, statement->handle, error);
}

static bool set_attribute(alch_driver_statement *statement, SQLINTEGER attribute, void *value) {
  return alch_odbc_succeeded(statement->connection->library->SQLSetStmtAttr(statement->handle, attribute, value, 0));
}

/* ---- describing ---- */

static uint32_t width_of(const alch_odbc_quirks *quirks, uint8_t reader, SQLSMALLINT sql_type, SQLULEN size) {
  if (alch_odbc_reader_rows[reader].bytes) return alch_odbc_reader_rows[reader].bytes;
  if (reader == ALCH_ODBC_READ_UTF8) size *= 4;
  if (reader == ALCH_ODBC_READ_DECIMAL) return size > 0 && size <= 200 ? (uint32_t)size + DECIMAL_ROOM : 0;
  bool long_type = sql_type == SQL_LONGVARCHAR || sql_type == SQL_WLONGVARCHAR || sql_type == SQL_LONGVARBINARY;
  if (!quirks->trusts_sizes || long_type || size == 0 || size > BOUND_UNITS) return 0;
  return reader == ALCH_ODBC_READ_WIDE ? ((uint32_t)size * 2 + 1) * (uint32_t)sizeof(SQLWCHAR) : (uint32_t)size;
}

static alch_status describe_column(alch_driver_statement *statement, SQLUSMALLINT number, alch_odbc_column *out, alch_error *error) {
  const alch_driver_connection *connection = statement->connection;
  SQLWCHAR name[NAME_UNITS];
  SQLSMALLINT length = 0, type = 0, digits = 0, nullable = 0;
  SQLULEN size = 0;
  SQLLEN is_unsigned = 0;
  if (!alch_odbc_succeeded(connection->library->SQLDescribeColW(statement->handle, number, name, NAME_UNITS, &length, &type, &size, &digits, &nullable))) return failed(statement, error);
  if (length >= NAME_UNITS) length = NAME_UNITS - 1;
  alch_buffer_clear(&statement->raw);
  alch_odbc_narrow(name, length > 0 ? (size_t)length : 0, &statement->raw);
  out->name = alch_arena_text(&statement->columns_arena, alch_buffer_text(&statement->raw), statement->raw.length);
  if (!out->name) return alch_error_out_of_memory(error);
  out->reader = reader_of(connection->quirks, type);
  if (type == SQL_BIGINT && alch_odbc_succeeded(connection->library->SQLColAttributeW(statement->handle, number, SQL_DESC_UNSIGNED, NULL, 0, NULL, &is_unsigned)) && is_unsigned) out->reader = ALCH_ODBC_READ_BIG;
  out->c_type = alch_odbc_reader_rows[out->reader].c_type;
  out->width = width_of(connection->quirks, out->reader, type, size);
  return ALCH_OK;
}

/* As many rows as a block has room for; 0: some column has no sure size. */
static SQLULEN rows_of_block(const alch_driver_statement *statement) {
  size_t row = 0;
  for (uint32_t i = 0; i < statement->column_count; i++) {
    if (statement->columns[i].width == 0) return 0;
    row += ((statement->columns[i].width + 7u) & ~7u) + sizeof(SQLLEN);
  }
  size_t rows = row ? BLOCK_BYTES / row : 0;
  return rows > BLOCK_ROWS ? BLOCK_ROWS : rows;
}

static alch_status bind_columns(alch_driver_statement *statement, SQLULEN rows, alch_error *error) {
  const alch_odbc_library *library = statement->connection->library;
  statement->row_states = alch_arena_allocate(&statement->columns_arena, rows * sizeof *statement->row_states);
  if (!statement->row_states) return alch_error_out_of_memory(error);
  if (!set_attribute(statement, SQL_ATTR_ROW_ARRAY_SIZE, (void *)rows) || !set_attribute(statement, SQL_ATTR_ROWS_FETCHED_PTR, &statement->rows_there) || !set_attribute(statement, SQL_ATTR_ROW_STATUS_PTR, statement->row_states))
    return failed(statement, error);
  for (uint32_t i = 0; i < statement->column_count; i++) {
    alch_odbc_column *column = &statement->columns[i];
    /* drivers set cells of a fixed size one behind the other, whatever width they are told */
    if (alch_odbc_reader_rows[column->reader].c_type == SQL_C_CHAR || !alch_odbc_reader_rows[column->reader].bytes) column->width = (column->width + 7u) & ~7u;
    column->cells = alch_arena_allocate(&statement->columns_arena, column->width * rows);
    column->indicators = alch_arena_allocate(&statement->columns_arena, rows * sizeof(SQLLEN));
    if (!column->cells || !column->indicators) return alch_error_out_of_memory(error);
    if (!alch_odbc_succeeded(library->SQLBindCol(statement->handle, (SQLUSMALLINT)(i + 1), column->c_type, column->cells, (SQLLEN)column->width, column->indicators))) return failed(statement, error);
  }
  statement->rows_wanted = rows;
  return ALCH_OK;
}

alch_status alch_odbc_describe(alch_driver_statement *statement, bool bind, alch_error *error) {
  SQLSMALLINT count = 0;
  if (!alch_odbc_succeeded(statement->connection->library->SQLNumResultCols(statement->handle, &count))) return failed(statement, error);
  alch_arena_clear(&statement->columns_arena);
  statement->columns = NULL;
  statement->column_count = count > 0 ? (uint32_t)count : 0;
  statement->rows_wanted = statement->rows_there = statement->row = 0;
  if (statement->column_count == 0) return ALCH_OK;
  statement->columns = alch_arena_allocate(&statement->columns_arena, statement->column_count * sizeof *statement->columns);
  if (!statement->columns) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < statement->column_count; i++)
    if (describe_column(statement, (SQLUSMALLINT)(i + 1), &statement->columns[i], error) != ALCH_OK) return ALCH_ERROR;
  SQLULEN rows = bind ? rows_of_block(statement) : 0;
  return rows > 1 ? bind_columns(statement, rows, error) : ALCH_OK;
}

void alch_odbc_result_end(alch_driver_statement *statement) {
  const alch_odbc_library *library = statement->connection->library;
  library->SQLFreeStmt(statement->handle, SQL_CLOSE);
  if (statement->rows_wanted == 0 || statement->output_count > 0) return;
  library->SQLFreeStmt(statement->handle, SQL_UNBIND);
  set_attribute(statement, SQL_ATTR_ROW_STATUS_PTR, NULL);
  set_attribute(statement, SQL_ATTR_ROWS_FETCHED_PTR, NULL);
  set_attribute(statement, SQL_ATTR_ROW_ARRAY_SIZE, (void *)(uintptr_t)1);
  statement->rows_wanted = 0;
}

/* ---- fetching ---- */

alch_status alch_odbc_fetch(alch_driver_statement *statement, alch_error *error) {
  if (statement->output_count > 0) return alch_odbc_output_fetch(statement);
  if (statement->rows_wanted && statement->row + 1 < statement->rows_there) {
    statement->row++;
    return statement->row_states[statement->row] == SQL_ROW_ERROR ? failed(statement, error) : ALCH_ROW;
  }
  alch_odbc_set_running(statement->connection, statement->handle);
  SQLRETURN code = statement->connection->library->SQLFetch(statement->handle);
  alch_odbc_set_running(statement->connection, NULL);
  statement->row = 0;
  if (code == SQL_NO_DATA || (alch_odbc_succeeded(code) && statement->rows_wanted && statement->rows_there == 0)) return ALCH_DONE;
  return alch_odbc_succeeded(code) ? ALCH_ROW : failed(statement, error);
}

/* ---- one cell ---- */

static alch_status bad_cell(const alch_odbc_column *column, const char *what, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_DATA, "the column '%s' came as what is no %s", column->name, what);
}

/* A canonical decimal, an integer where it is one and has room; what is neither (NaN) stays text. */
static void read_number(const char *text, size_t length, bool integer, alch_value *out, alch_buffer *cells) {
  char printed[ALCH_DECIMAL_TEXT_SIZE];
  alch_decimal decimal = { 0 };
  int64_t whole;
  *out = alch_value_text(text, length);
  if (alch_decimal_parse(&decimal, text, length, NULL) == ALCH_OK) {
    if (integer && alch_decimal_to_integer(&decimal, &whole)) {
      *out = alch_value_integer(whole);
      return;
    }
    out->kind = ALCH_DECIMAL;
    out->length = (uint32_t)alch_decimal_print(&decimal, printed);
    text = printed;
  }
  out->integer = (int64_t)cells->length;
  alch_buffer_add_bytes(cells, text, out->length);
}

static alch_status read_moment(const alch_odbc_column *column, const alch_odbc_timestamp *moment, alch_value *out, alch_error *error) {
  alch_civil civil = { .year = moment->year, .month = moment->month, .day = moment->day, .hour = moment->hour, .minute = moment->minute, .second = moment->second, .microsecond = (int)(moment->nanoseconds / 1000) };
  if (!alch_civil_valid(&civil)) return bad_cell(column, "moment of the years 1 to 9999", error);
  *out = (alch_value){ .kind = ALCH_DATETIME, .integer = alch_microseconds_from_civil(&civil) };
  return ALCH_OK;
}

static alch_status read_date(const alch_odbc_column *column, const alch_odbc_date *date, alch_value *out, alch_error *error) {
  alch_civil civil = { .year = date->year, .month = date->month, .day = date->day };
  if (!alch_civil_valid(&civil)) return bad_cell(column, "date of the years 1 to 9999", error);
  *out = (alch_value){ .kind = ALCH_DATE, .integer = alch_days_from_civil(civil.year, civil.month, civil.day) };
  return ALCH_OK;
}

static void keep_text(alch_value *out, uint8_t kind, size_t from, const alch_buffer *cells) {
  *out = (alch_value){ .kind = kind, .length = (uint32_t)(cells->length - from), .integer = (int64_t)from };
}

/* Texts go behind `cells`; out->integer is their place there until the row is whole, since the buffer moves. */
static alch_status read_bytes(const alch_odbc_column *column, const char *bytes, size_t length, alch_buffer *cells, alch_value *out, alch_error *error) {
  size_t from = cells->length;
  int64_t time;
  double real;
  switch (column->reader) {
    case ALCH_ODBC_READ_INTEGER: memcpy(&time, bytes, sizeof time); *out = alch_value_integer(time); return ALCH_OK;
    case ALCH_ODBC_READ_REAL: memcpy(&real, bytes, sizeof real); *out = alch_value_real(real); return ALCH_OK;
    case ALCH_ODBC_READ_BIT: *out = alch_value_boolean(*bytes != 0 && *bytes != '0'); return ALCH_OK;
    case ALCH_ODBC_READ_BIG: case ALCH_ODBC_READ_DECIMAL: read_number(bytes, length, column->reader == ALCH_ODBC_READ_BIG, out, cells); return ALCH_OK;
    case ALCH_ODBC_READ_DATE: return read_date(column, (const alch_odbc_date *)(const void *)bytes, out, error);
    case ALCH_ODBC_READ_MOMENT: return read_moment(column, (const alch_odbc_timestamp *)(const void *)bytes, out, error);
    case ALCH_ODBC_READ_TIME:
      if (alch_time_parse(bytes, length, &time)) {
        *out = (alch_value){ .kind = ALCH_TIME, .integer = time };
        return ALCH_OK;
      }
      break;
    case ALCH_ODBC_READ_WIDE:
      alch_odbc_narrow((const SQLWCHAR *)(const void *)bytes, length / sizeof(SQLWCHAR), cells);
      keep_text(out, ALCH_TEXT, from, cells);
      return ALCH_OK;
    default: break;
  }
  alch_buffer_add_bytes(cells, bytes, length);
  for (size_t i = from; column->reader == ALCH_ODBC_READ_UUID && i < cells->length; i++)
    if (cells->text[i] >= 'A' && cells->text[i] <= 'F') cells->text[i] |= 0x20;   /* drivers differ; databases write small letters */
  keep_text(out, column->reader == ALCH_ODBC_READ_BYTES ? ALCH_BLOB : ALCH_TEXT, from, cells);
  return ALCH_OK;
}

static alch_status read_bound(alch_driver_statement *statement, const alch_odbc_column *column, alch_value *out, alch_error *error) {
  SQLLEN length = column->indicators[statement->row];
  size_t end = column->c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : column->c_type == SQL_C_CHAR ? 1 : 0;
  *out = ALCH_VALUE_NULL;
  if (length == SQL_NULL_DATA) return ALCH_OK;
  if (length < 0 || (size_t)length + end > column->width)
    return alch_error_set(error, ALCH_ERROR_DATA, "the column '%s' has a value that is longer than the driver said its values are", column->name);
  return read_bytes(column, column->cells + statement->row * column->width, (size_t)length, &statement->cells, out, error);
}

/* The whole cell into `raw`; *null tells NULL. A driver may know the length (*indicator) or not, and gives a zero behind each piece of a text. */
static alch_status get_pieces(alch_driver_statement *statement, SQLUSMALLINT number, const alch_odbc_column *column, bool *null, alch_error *error) {
  const alch_odbc_library *library = statement->connection->library;
  size_t end = column->c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : column->c_type == SQL_C_CHAR ? 1 : 0, piece = PIECE;
  alch_buffer_clear(&statement->raw);
  for (;;) {
    SQLLEN indicator = 0;
    char *room = alch_buffer_reserve(&statement->raw, piece + 2 * sizeof(SQLWCHAR));
    if (!room) return alch_error_out_of_memory(error);
    SQLRETURN code = library->SQLGetData(statement->handle, number, column->c_type, room, (SQLLEN)piece, &indicator);
    if (code == SQL_NO_DATA) return ALCH_OK;
    if (!alch_odbc_succeeded(code)) return failed(statement, error);
    *null = indicator == SQL_NULL_DATA;
    if (*null) return ALCH_OK;
    bool more = code == SQL_SUCCESS_WITH_INFO && (indicator == SQL_NO_TOTAL || indicator > (SQLLEN)(piece - end));
    statement->raw.length += more ? piece - end : (size_t)indicator;
    if (!more) return ALCH_OK;
    size_t left = indicator == SQL_NO_TOTAL ? piece * 2 : (size_t)indicator - (piece - end) + end;
    piece = left > PIECE_MAX && indicator == SQL_NO_TOTAL ? PIECE_MAX : (left + 1) & ~(size_t)1;
    if (piece < 16) piece = 16;
  }
}

static alch_status read_unbound(alch_driver_statement *statement, uint32_t index, alch_value *out, alch_error *error) {
  const alch_odbc_column *column = &statement->columns[index];
  bool null = false;
  *out = ALCH_VALUE_NULL;
  if (get_pieces(statement, (SQLUSMALLINT)(index + 1), column, &null, error) != ALCH_OK) return ALCH_ERROR;
  if (null) return ALCH_OK;
  return read_bytes(column, alch_buffer_text(&statement->raw), statement->raw.length, &statement->cells, out, error);
}

alch_status alch_odbc_row(alch_driver_statement *statement, alch_value *out, uint32_t count, alch_error *error) {
  alch_buffer_clear(&statement->cells);
  for (uint32_t i = 0; i < count; i++) {
    alch_status status = statement->rows_wanted ? read_bound(statement, &statement->columns[i], &out[i], error) : read_unbound(statement, i, &out[i], error);
    if (status != ALCH_OK) return status;
  }
  if (alch_buffer_failed(&statement->cells)) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < count; i++)
    if (alch_value_has_text(out[i].kind)) out[i].text = alch_buffer_text(&statement->cells) + out[i].integer;
  return ALCH_OK;
}
