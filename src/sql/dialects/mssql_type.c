/* The names of types on SQL Server. */
#include "base/buffer.h"
#include "sql/dialects/mssql.h"
#include <string.h>

/* VARCHAR and its kin without a length would be VARCHAR(1) in a table and VARCHAR(30) in a CAST: SQLAlchemy writes max. */
static void add_sized(alch_buffer *out, const char *word, int32_t length) {
  if (length > 0 && length != ALCH_LENGTH_MAX) alch_buffer_add_format(out, "%s(%d)", word, (int)length);
  else alch_buffer_add_format(out, "%s(max)", word);
}

/* TEXT, NTEXT and IMAGE are deprecated since 2012, where their (max) kin take their place; a length goes with those only. */
static void add_large(const alch_dialect *dialect, alch_buffer *out, const char *old_word, const char *word, const alch_type *type) {
  if (alch_mssql_since(dialect, ALCH_MSSQL_2012)) add_sized(out, word, type->length);
  else alch_buffer_add(out, old_word);
}

static void add_precision(alch_buffer *out, const char *word, int32_t precision) {
  alch_buffer_add(out, word);
  if (precision > 0) alch_buffer_add_format(out, "(%d)", (int)precision);
}

/* FLOAT(53); the others write no digits behind their words. */
static alch_status write_exact(const alch_type *type, alch_buffer *out, alch_error *error) {
  static const char *const sized[] = { "VARCHAR", "NVARCHAR", "VARBINARY" };
  alch_type exact = *type;
  for (size_t i = 0; i < ALCH_COUNT(sized); i++)
    if (exact.length <= 0 && strcmp(exact.word, sized[i]) == 0) exact.length = ALCH_LENGTH_MAX;
  if (strcmp(exact.word, "FLOAT") == 0 && exact.precision > 0) {
    add_precision(out, exact.word, exact.precision);
    return ALCH_OK;
  }
  if (strcmp(exact.word, "DATETIME") == 0 && exact.timezone) exact.word = "DATETIMEOFFSET";
  return alch_type_name_write(NULL, &exact, out, error);
}

/* The server takes the name of a collation as a bare word only. */
static alch_status add_collation(const alch_type *type, alch_buffer *out, alch_error *error) {
  for (const char *at = type->collation; *at; at++)
    if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_'))
      return alch_error_set(error, ALCH_ERROR_COMPILE, "'%s' is no name of a collation; expected letters, digits and underscores such as Latin1_General_CI_AS", type->collation);
  alch_buffer_add(out, " COLLATE ");
  alch_buffer_add(out, type->collation);
  return ALCH_OK;
}

/* Generic types keep whatever they are given: a DATETIME would round to three hundredths of a second, a NUMERIC without digits to a whole number. */
static bool is_written(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out) {
  switch (type->family) {
    case ALCH_TYPE_STRING: add_sized(out, "VARCHAR", type->length); break;
    case ALCH_TYPE_UNICODE: add_sized(out, "NVARCHAR", type->length); break;
    case ALCH_TYPE_TEXT: add_large(dialect, out, "TEXT", "VARCHAR", type); break;
    case ALCH_TYPE_UNICODE_TEXT: add_large(dialect, out, "NTEXT", "NVARCHAR", type); break;
    case ALCH_TYPE_LARGE_BINARY: add_large(dialect, out, "IMAGE", "VARBINARY", type); break;
    case ALCH_TYPE_JSON: alch_buffer_add(out, "NVARCHAR(max)"); break;
    case ALCH_TYPE_BOOLEAN: alch_buffer_add(out, "BIT"); break;
    case ALCH_TYPE_FLOAT: add_precision(out, "FLOAT", type->precision); break;
    case ALCH_TYPE_DOUBLE: alch_buffer_add(out, "DOUBLE PRECISION"); break;
    case ALCH_TYPE_DATETIME: alch_buffer_add(out, type->timezone ? "DATETIMEOFFSET" : "DATETIME2"); break;
    case ALCH_TYPE_INTERVAL: alch_buffer_add(out, "DATETIME2"); break;
    case ALCH_TYPE_NUMERIC:
      if (type->precision > 0 || !column) return false;   /* a quotient by so wide a number has few digits behind the point */
      alch_buffer_add_format(out, "NUMERIC(38, %d)", ALCH_MSSQL_NUMERIC_SCALE);
      break;
    case ALCH_TYPE_UUID: alch_buffer_add(out, type->native ? "UNIQUEIDENTIFIER" : "CHAR(32)"); break;
    default: return false;
  }
  return true;
}

alch_status alch_mssql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  alch_type bare = *type;
  bare.collation = NULL;
  if (type->word && write_exact(&bare, out, error) != ALCH_OK) return ALCH_ERROR;
  if (!type->word && !is_written(dialect, type, column, out) && alch_type_name_write(NULL, &bare, out, error) != ALCH_OK) return ALCH_ERROR;
  return type->collation ? add_collation(type, out, error) : ALCH_OK;
}
