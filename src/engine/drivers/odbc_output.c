/* Placeholders that the database writes into (RETURNING … INTO, OUT parameters of procedures): their cells are read as if they were the one row of a result. */
#include "engine/drivers/odbc_private.h"
#include <string.h>

#define TEXT_UNITS 4000          /* the longest text that goes through such a placeholder: Oracle's VARCHAR2 */
#define BLOB_BYTES 2000          /* Oracle's RAW */

/* By the family of its type, what is told of a placeholder. Integers come as text: not every driver has 64 bits in binary. */
typedef struct output_row { uint8_t reader; SQLSMALLINT sql_type, digits; uint32_t size, width; } output_row;

static const output_row text_row = { ALCH_ODBC_READ_WIDE, SQL_WVARCHAR, 0, TEXT_UNITS, (TEXT_UNITS + 1) * sizeof(SQLWCHAR) };
static const output_row rows[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_INTEGER] = { ALCH_ODBC_READ_BIG, SQL_DECIMAL, 0, 38, 48 },          [ALCH_TYPE_SMALL_INTEGER] = { ALCH_ODBC_READ_BIG, SQL_DECIMAL, 0, 38, 48 },
  [ALCH_TYPE_BIG_INTEGER] = { ALCH_ODBC_READ_BIG, SQL_DECIMAL, 0, 38, 48 },      [ALCH_TYPE_BOOLEAN] = { ALCH_ODBC_READ_BIG, SQL_DECIMAL, 0, 38, 48 },
  [ALCH_TYPE_FLOAT] = { ALCH_ODBC_READ_REAL, SQL_DOUBLE, 0, 53, 8 },             [ALCH_TYPE_DOUBLE] = { ALCH_ODBC_READ_REAL, SQL_DOUBLE, 0, 53, 8 },
  [ALCH_TYPE_NUMERIC] = { ALCH_ODBC_READ_DECIMAL, SQL_VARCHAR, 0, 80, 88 },      [ALCH_TYPE_DATE] = { ALCH_ODBC_READ_MOMENT, SQL_TYPE_TIMESTAMP, 6, 26, sizeof(alch_odbc_timestamp) },
  [ALCH_TYPE_DATETIME] = { ALCH_ODBC_READ_MOMENT, SQL_TYPE_TIMESTAMP, 6, 26, sizeof(alch_odbc_timestamp) },
  [ALCH_TYPE_LARGE_BINARY] = { ALCH_ODBC_READ_BYTES, SQL_VARBINARY, 0, BLOB_BYTES, BLOB_BYTES },
};

static const output_row *row_of(const alch_driver_statement *statement, uint32_t value) {
  const alch_type *type = value < statement->type_count ? statement->types[value] : NULL;
  return type && rows[type->family].width ? &rows[type->family] : &text_row;
}

static alch_status make_column(alch_driver_statement *statement, uint32_t place, alch_odbc_column *out, alch_error *error) {
  const output_row *row = row_of(statement, statement->order ? statement->order[place] : place);
  *out = (alch_odbc_column){ .name = "", .reader = row->reader, .c_type = alch_odbc_reader_rows[row->reader].c_type, .width = row->width };
  out->cells = alch_arena_allocate(&statement->columns_arena, row->width);
  out->indicators = alch_arena_allocate(&statement->columns_arena, sizeof *out->indicators);
  return out->cells && out->indicators ? ALCH_OK : alch_error_out_of_memory(error);
}

alch_status alch_odbc_outputs(alch_driver_statement *statement, const uint32_t *places, uint32_t count, alch_error *error) {
  statement->outputs = alch_allocate(statement->connection->allocator, count * sizeof *places);
  if (!statement->outputs) return alch_error_out_of_memory(error);
  memcpy(statement->outputs, places, count * sizeof *places);
  statement->output_count = count;
  statement->columns = alch_arena_allocate(&statement->columns_arena, count * sizeof *statement->columns);
  if (!statement->columns) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < count; i++)
    if (make_column(statement, places[i], &statement->columns[i], error) != ALCH_OK) return ALCH_ERROR;
  statement->column_count = count;
  return ALCH_OK;
}

bool alch_odbc_is_output(const alch_driver_statement *statement, uint32_t placeholder) {
  for (uint32_t i = 0; i < statement->output_count; i++)
    if (statement->outputs[i] == placeholder) return true;
  return false;
}

alch_status alch_odbc_bind_outputs(alch_driver_statement *statement, alch_error *error) {
  if (statement->output_count == 0) return ALCH_OK;
  const alch_driver_connection *connection = statement->connection;
  for (uint32_t i = 0; i < statement->output_count; i++) {
    alch_odbc_column *column = &statement->columns[i];
    uint32_t place = statement->outputs[i];
    const output_row *row = row_of(statement, statement->order ? statement->order[place] : place);
    *column->indicators = SQL_NULL_DATA;
    SQLRETURN code = connection->library->SQLBindParameter(statement->handle, (SQLUSMALLINT)(place + 1), SQL_PARAM_OUTPUT, column->c_type, row->sql_type, row->size, row->digits, column->cells, (SQLLEN)column->width,
                                                           column->indicators);
    if (!alch_odbc_succeeded(code)) return alch_odbc_fail(statement->connection, SQL_HANDLE_STMT, statement->handle, error);
  }
  statement->rows_wanted = 1;
  statement->rows_there = statement->row = 0;
  return ALCH_OK;
}

alch_status alch_odbc_output_fetch(alch_driver_statement *statement) {
  if (statement->rows_there > 0 || statement->changes == 0) return ALCH_DONE;
  statement->rows_there = 1;
  return ALCH_ROW;
}

void alch_odbc_outputs_close(alch_driver_statement *statement) {
  alch_free(statement->connection->allocator, statement->outputs, statement->output_count * sizeof *statement->outputs);
}
