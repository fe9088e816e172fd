/* The names of types (SQLAlchemy: PGTypeCompiler in dialects/postgresql/base.py). */
#include "base/buffer.h"
#include "sql/compile.h"
#include "sql/dialects/postgresql.h"

static const char *const words[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_DOUBLE] = "DOUBLE PRECISION", [ALCH_TYPE_DATETIME] = "TIMESTAMP", [ALCH_TYPE_INTERVAL] = "INTERVAL", [ALCH_TYPE_LARGE_BINARY] = "BYTEA",
  [ALCH_TYPE_JSON_INDEX] = "INT",          [ALCH_TYPE_JSON_PATH] = "TEXT[]",   [ALCH_TYPE_HSTORE] = "HSTORE",
};

/* FLOAT(53), VARCHAR of no length, TIME and TIMESTAMP with their zone; a key that numbers itself is SERIAL in place of its type. */
static alch_status write_moment(const alch_type *type, alch_buffer *out) {
  alch_buffer_add(out, type->family == ALCH_TYPE_TIME ? "TIME" : "TIMESTAMP");
  if (type->precision >= 0) alch_buffer_add_format(out, "(%d)", (int)type->precision);
  alch_buffer_add(out, type->timezone ? " WITH TIME ZONE" : " WITHOUT TIME ZONE");
  return ALCH_OK;
}

static alch_status write_enum(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  if (!type->native) return alch_type_name_write(words, type, out, error);
  if (!type->name) return alch_error_set(error, ALCH_ERROR_COMPILE, "PostgreSQL ENUM type requires a name: Enum{ \"a\", \"b\", name = \"…\" }");
  alch_quote_identifier(dialect, type->name, 0, out);
  return ALCH_OK;
}

/* A column whose numbers a sequence gives that comes with it. */
static const char *serial_word(const alch_type *type, const alch_column *column) {
  if (!column || !column->primary_key || column->identity || column->insert_default.kind != ALCH_DEFAULT_NONE) return NULL;
  if (alch_table_autoincrement(column->table) != column) return NULL;
  switch (type->family) {
    case ALCH_TYPE_BIG_INTEGER: return "BIGSERIAL";
    case ALCH_TYPE_SMALL_INTEGER: return "SMALLSERIAL";
    default: return "SERIAL";
  }
}

alch_status alch_postgresql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  const char *serial = serial_word(type, column);
  if (serial) {
    alch_buffer_add(out, serial);
    return ALCH_OK;
  }
  switch (type->family) {
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: return write_moment(type, out);
    case ALCH_TYPE_ENUM: return write_enum(dialect, type, out, error);
    case ALCH_TYPE_FLOAT:
      alch_buffer_add(out, "FLOAT");
      if (type->precision > 0) alch_buffer_add_format(out, "(%d)", (int)type->precision);
      return ALCH_OK;
    case ALCH_TYPE_UUID:
      alch_buffer_add(out, type->native ? "UUID" : "CHAR(32)");
      return ALCH_OK;
    default: return alch_type_name_write(words, type, out, error);
  }
}

/* Not where the server knows it from the column; these it would take for text, as SQLAlchemy has found. */
alch_status alch_postgresql_placeholder_cast(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  bool wanted = type->family == ALCH_TYPE_JSON || type->family == ALCH_TYPE_RANGE || (type->family == ALCH_TYPE_UUID && type->native);
  if (!wanted) return ALCH_OK;
  alch_buffer_add(out, "::");
  return alch_postgresql_type_name(dialect, type, NULL, out, error);
}

bool alch_postgresql_takes_subscripts(const alch_dialect *dialect, const alch_type *type) {
  return alch_postgresql_since(dialect, 14) && type->family == ALCH_TYPE_HSTORE;
}
