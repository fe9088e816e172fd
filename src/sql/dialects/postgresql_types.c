/* PostgreSQL's own types (its manual, chapter 8), with the values that they have here; what goes through as text is not taken apart. */
#include "base/buffer.h"
#include "sql/compile.h"
#include "sql/dialects/postgresql.h"
#include <string.h>
#include <strings.h>

extern const alch_exact_type alch_postgresql_types[];

#define TAKES(option) ALCH_TAKES(option)
#define KNOWN "postgresql"

const alch_exact_type alch_postgresql_types[] = {
  { "BYTEA", "BYTEA", ALCH_TYPE_LARGE_BINARY, 0, KNOWN },
  { "BIT", "BIT", ALCH_TYPE_STRING, TAKES(LENGTH) | TAKES(VARYING), KNOWN },
  { "INET", "INET", ALCH_TYPE_STRING, 0, KNOWN },
  { "CIDR", "CIDR", ALCH_TYPE_STRING, 0, KNOWN },
  { "MACADDR", "MACADDR", ALCH_TYPE_STRING, 0, KNOWN },
  { "MACADDR8", "MACADDR8", ALCH_TYPE_STRING, 0, KNOWN },
  { "MONEY", "MONEY", ALCH_TYPE_STRING, 0, KNOWN },
  { "OID", "OID", ALCH_TYPE_BIG_INTEGER, 0, KNOWN },
  { "REGCLASS", "REGCLASS", ALCH_TYPE_STRING, 0, KNOWN },
  { "REGCONFIG", "REGCONFIG", ALCH_TYPE_STRING, 0, KNOWN },
  { "TSVECTOR", "TSVECTOR", ALCH_TYPE_STRING, 0, KNOWN },
  { "TSQUERY", "TSQUERY", ALCH_TYPE_STRING, 0, KNOWN },
  { "JSONPATH", "JSONPATH", ALCH_TYPE_STRING, 0, KNOWN },
  { "XML", "XML", ALCH_TYPE_STRING, 0, KNOWN },
  { "POINT", "POINT", ALCH_TYPE_STRING, 0, KNOWN },
  { "LINE", "LINE", ALCH_TYPE_STRING, 0, KNOWN },
  { "LSEG", "LSEG", ALCH_TYPE_STRING, 0, KNOWN },
  { "BOX", "BOX", ALCH_TYPE_STRING, 0, KNOWN },
  { "PATH", "PATH", ALCH_TYPE_STRING, 0, KNOWN },
  { "POLYGON", "POLYGON", ALCH_TYPE_STRING, 0, KNOWN },
  { "CIRCLE", "CIRCLE", ALCH_TYPE_STRING, 0, KNOWN },
  { "PG_LSN", "PG_LSN", ALCH_TYPE_STRING, 0, KNOWN },
  { "LTREE", "LTREE", ALCH_TYPE_STRING, 0, KNOWN },
  { "TIMESTAMP", "TIMESTAMP", ALCH_TYPE_DATETIME, TAKES(TIMEZONE) | TAKES(PRECISION), KNOWN },
  { "TIME", "TIME", ALCH_TYPE_TIME, TAKES(TIMEZONE) | TAKES(PRECISION), KNOWN },
  { "INTERVAL", "INTERVAL", ALCH_TYPE_INTERVAL, TAKES(PRECISION) | TAKES(FIELDS), KNOWN },
  { "CITEXT", "CITEXT", ALCH_TYPE_TEXT, TAKES(COLLATION), KNOWN },
  { "HSTORE", "HSTORE", ALCH_TYPE_HSTORE, 0, KNOWN },
  { "JSON", "JSON", ALCH_TYPE_JSON, TAKES(NONE_AS_NULL), KNOWN },
  { "JSONB", "JSONB", ALCH_TYPE_JSON, TAKES(NONE_AS_NULL), KNOWN },
  { "ENUM", NULL, ALCH_TYPE_ENUM, TAKES(NAME) | TAKES(SCHEMA) | TAKES(METADATA) | TAKES(INHERIT_SCHEMA) | TAKES(ITEMS), KNOWN },
  { "DOMAIN", NULL, ALCH_TYPE_NULL, TAKES(NAME) | TAKES(SCHEMA) | TAKES(COLLATION) | TAKES(DEFINITION), KNOWN },
  { "INT4RANGE", "INT4RANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "INT8RANGE", "INT8RANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "NUMRANGE", "NUMRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "DATERANGE", "DATERANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "TSRANGE", "TSRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "TSTZRANGE", "TSTZRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "INT4MULTIRANGE", "INT4MULTIRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "INT8MULTIRANGE", "INT8MULTIRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "NUMMULTIRANGE", "NUMMULTIRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "DATEMULTIRANGE", "DATEMULTIRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "TSMULTIRANGE", "TSMULTIRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { "TSTZMULTIRANGE", "TSTZMULTIRANGE", ALCH_TYPE_RANGE, 0, KNOWN },
  { NULL, NULL, 0, 0, NULL },
};

/* ---- their names (SQLAlchemy: PGTypeCompiler in dialects/postgresql/base.py) ---- */

/* The standard's names that the server does not know. */
const struct alch_type_word alch_postgresql_type_words[] = {
  { "BLOB", "BYTEA" }, { "BINARY", "BYTEA" },     { "VARBINARY", "BYTEA" },         { "CLOB", "TEXT" },
  { "NVARCHAR", "VARCHAR" }, { "DATETIME", "TIMESTAMP" }, { "DOUBLE", "DOUBLE PRECISION" }, { NULL, NULL },
};

static const char *const words[ALCH_TYPE_FAMILY_COUNT] = { [ALCH_TYPE_DOUBLE] = "DOUBLE PRECISION", [ALCH_TYPE_JSON_INDEX] = "INT", [ALCH_TYPE_JSON_PATH] = "TEXT[]", [ALCH_TYPE_HSTORE] = "HSTORE" };

/* SQLAlchemy's ischema_names, whose types would hide one of the same name. */
static const char *const known_names[] = {
  "bigint", "bit", "boolean", "bytea", "character", "cidr", "citext", "date", "datemultirange", "daterange", "float", "hstore", "inet", "int4multirange", "int4range", "int8multirange",
  "int8range", "integer", "interval", "json", "jsonb", "macaddr", "macaddr8", "money", "name", "numeric", "nummultirange", "numrange", "oid", "real", "regclass", "smallint", "text",
  "time", "timestamp", "tsmultirange", "tsrange", "tstzmultirange", "tstzrange", "tsvector", "uuid",
};

static alch_status write_plain(const char *word, alch_buffer *out) {
  alch_buffer_add(out, word);
  return ALCH_OK;
}

static alch_status write_moment(const alch_type *type, alch_buffer *out) {
  alch_buffer_add(out, type->family == ALCH_TYPE_TIME ? "TIME" : "TIMESTAMP");
  if (type->precision >= 0) alch_buffer_add_format(out, "(%d)", (int)type->precision);
  return write_plain(type->timezone ? " WITH TIME ZONE" : " WITHOUT TIME ZONE", out);
}

/* A generic one has the digits of its seconds as scale, an exact one as precision. */
static alch_status write_interval(const alch_type *type, alch_buffer *out) {
  int digits = type->exact ? type->precision : type->scale;
  if (!type->native) return write_plain("TIMESTAMP WITHOUT TIME ZONE", out);
  alch_buffer_add(out, "INTERVAL");
  if (type->detail) alch_buffer_add_format(out, " %s", type->detail);
  if (digits >= 0) alch_buffer_add_format(out, " (%d)", digits);
  return ALCH_OK;
}

alch_status alch_postgresql_own_name(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  if (!type->name) return alch_error_set(error, ALCH_ERROR_COMPILE, "PostgreSQL ENUM type requires a name: Enum{ \"a\", \"b\", name = \"…\" }");
  for (size_t i = 0; i < ALCH_COUNT(known_names) && !type->schema; i++)
    if (strcmp(known_names[i], type->name) == 0)
      return alch_error_set(error, ALCH_ERROR_COMPILE, "the type has the name '%s' of one that the server has; give it another name, or a schema", type->name);
  if (type->schema) {
    alch_quote_identifier(dialect, type->schema, 0, out);
    alch_buffer_add_char(out, '.');
  }
  alch_quote_identifier(dialect, type->name, 0, out);
  return ALCH_OK;
}

/* The length of a text without limit, or of bytes, is only for other databases. */
static alch_status write_unsized(const alch_type *type, alch_buffer *out, alch_error *error) {
  alch_type bare = *type;
  bare.length = 0;
  return alch_type_name_write(words, &bare, out, error);
}

static alch_status write_bits(const alch_type *type, alch_buffer *out) {
  bool varying = type->words & ALCH_TAKES(VARYING);
  alch_buffer_add(out, varying ? "BIT VARYING" : "BIT");
  if (type->length > 0) alch_buffer_add_format(out, "(%d)", (int)type->length);
  else if (!varying) alch_buffer_add(out, "(1)");
  return ALCH_OK;
}

/* The brackets stand between the name of what is in it and its collation. */
static alch_status write_array(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  if (!type->item) return alch_error_set(error, ALCH_ERROR_COMPILE, "Can't generate DDL for an ARRAY of unknown items; write ARRAY(Integer) or the like");
  const alch_type *item = alch_type_in(type->item, dialect->name);
  alch_type bare = *item;
  bare.collation = NULL;
  bare.variant_count = 0;
  if (alch_type_write(dialect, &bare, NULL, out, error) != ALCH_OK) return ALCH_ERROR;
  for (int i = 0; i < (type->dimensions > 0 ? type->dimensions : 1); i++) alch_buffer_add(out, "[]");
  if (!item->collation) return ALCH_OK;
  alch_buffer_add(out, " COLLATE ");
  alch_quote_identifier(dialect, item->collation, 0, out);
  return ALCH_OK;
}

static bool is_called(const alch_type *type, const char *word) { return type->word && strcasecmp(type->word, word) == 0; }

static alch_status write_range(const alch_dialect *dialect, const alch_type *type, alch_buffer *out, alch_error *error) {
  if (!type->word) return alch_error_set(error, ALCH_ERROR_COMPILE, "Can't generate DDL for a range of unknown kind; write postgresql.INT4RANGE or the like");
  if (strstr(type->word, "MULTI") && !alch_postgresql_since(dialect, 14))
    return alch_error_set(error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "the type %s is not supported by the dialect 'postgresql' before version 14", type->word);
  return write_plain(type->word, out);
}

alch_status alch_postgresql_type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  (void)column;
  if (is_called(type, "BIT")) return write_bits(type, out);
  switch (type->family) {
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: return write_moment(type, out);
    case ALCH_TYPE_INTERVAL: return write_interval(type, out);
    case ALCH_TYPE_ENUM: return type->native ? alch_postgresql_own_name(dialect, type, out, error) : alch_type_name_write(words, type, out, error);
    case ALCH_TYPE_ARRAY: return write_array(dialect, type, out, error);
    case ALCH_TYPE_RANGE: return write_range(dialect, type, out, error);
    case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE_TEXT: return write_unsized(type, out, error);
    case ALCH_TYPE_LARGE_BINARY: return write_plain("BYTEA", out);
    case ALCH_TYPE_UUID: return write_plain(type->native ? "UUID" : "CHAR(32)", out);
    case ALCH_TYPE_FLOAT:
      alch_buffer_add(out, type->word ? type->word : "FLOAT");
      if (type->precision > 0 && !is_called(type, "REAL")) alch_buffer_add_format(out, "(%d)", (int)type->precision);
      return ALCH_OK;
    default: return alch_type_name_write(words, type, out, error);
  }
}

/* ---- what a type says of how it is written in expressions ---- */

bool alch_postgresql_is_cast_array(const alch_type *type) {
  const alch_type *item = type->family == ALCH_TYPE_ARRAY ? type->item : NULL;
  bool own = item && !item->exact && (item->family == ALCH_TYPE_INTEGER || item->family == ALCH_TYPE_BOOLEAN || item->family == ALCH_TYPE_TEXT || item->family == ALCH_TYPE_UNICODE_TEXT);
  return item && item->family != ALCH_TYPE_NULL && !own;
}

/* A cast to bits of a length fills up and cuts off. */
static void unsize_bits(alch_type *type) {
  if (!is_called(type, "BIT")) return;
  type->words |= ALCH_TAKES(VARYING);
  type->length = 0;
}

/* Without lengths and digits: a cast would cut off and round, in silence, what the column itself refuses. */
alch_status alch_postgresql_cast(const alch_dialect *dialect, const alch_type *given, alch_buffer *out, alch_error *error) {
  alch_type type = *alch_type_in(given, dialect->name), item;
  alch_buffer_add(out, "::");
  unsize_bits(&type);
  if (type.family == ALCH_TYPE_ARRAY && type.item) {
    item = *alch_type_in(type.item, dialect->name);
    bool sized = item.family >= ALCH_TYPE_STRING && item.family <= ALCH_TYPE_UNICODE_TEXT;
    unsize_bits(&item);
    if (sized) item.length = 0;
    if (item.family == ALCH_TYPE_NUMERIC) item.precision = item.scale = -1;
    item.collation = NULL;
    item.variant_count = 0;
    type.item = &item;
  }
  return alch_type_write(dialect, &type, NULL, out, error);
}

/* Not where the server knows it from the column; these it would take for text, as SQLAlchemy has found. */
alch_status alch_postgresql_placeholder_cast(const alch_dialect *dialect, const alch_type *given, alch_buffer *out, alch_error *error) {
  const alch_type *type = alch_type_in(given, dialect->name);
  bool wanted = type->family == ALCH_TYPE_JSON || (type->family == ALCH_TYPE_RANGE && type->word) || (type->family == ALCH_TYPE_UUID && type->native) || is_called(type, "BIT");
  return wanted ? alch_postgresql_cast(dialect, type, out, error) : ALCH_OK;
}

/* Exact types without lengths, of which a CAST makes what the column would have made of the text. */
static bool is_cast(const alch_type *type) {
  static const char *const words[] = { "UUID", "JSON", "JSONB", "INET", "CIDR", "MACADDR", "MACADDR8", "TSVECTOR", "TSQUERY", "CITEXT", NULL };
  if (type->length > 0) return false;
  for (const char *const *word = words; *word; word++)
    if (is_called(type, *word)) return true;
  return type->family == ALCH_TYPE_HSTORE || type->family == ALCH_TYPE_RANGE;
}

/* Exact types whose arrays are arrays of the generic type. */
static bool is_plain(const alch_type *type) {
  static const char *const words[] = { "INTEGER", "SMALLINT", "BIGINT", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "DOUBLE PRECISION", "DOUBLE", "VARCHAR", "TEXT", "CHAR", "BYTEA", "REAL", "NUMERIC", "DECIMAL", NULL };
  for (const char *const *word = words; *word; word++)
    if (is_called(type, *word)) return true;
  return false;
}

/* A cast to VARCHAR(20)[] would cut off what the column refuses. */
static uint8_t form_of_array(const alch_type *type) {
  const alch_type *item = type->item;
  bool bare = item && item->length <= 0 && item->precision < 0 && item->family != ALCH_TYPE_NULL && !item->exact;
  return bare ? ALCH_ARRAY_TEXT : ALCH_ARRAY_NONE;
}

uint8_t alch_postgresql_array_form(const alch_dialect *dialect, const alch_type *given) {
  const alch_type *type = alch_type_in(given, dialect->name);
  if (type->bind_expression || type->family == ALCH_TYPE_NULL) return ALCH_ARRAY_NONE;
  if (type->word) return is_plain(type) ? ALCH_ARRAY_ITEMS : is_cast(type) ? ALCH_ARRAY_TEXT : ALCH_ARRAY_NONE;
  switch (type->family) {
    case ALCH_TYPE_ARRAY: return form_of_array(type);
    case ALCH_TYPE_JSON: case ALCH_TYPE_HSTORE: return ALCH_ARRAY_TEXT;
    case ALCH_TYPE_UUID: case ALCH_TYPE_ENUM: return type->native ? ALCH_ARRAY_TEXT : ALCH_ARRAY_ITEMS;
    case ALCH_TYPE_RANGE: case ALCH_TYPE_JSON_INDEX: case ALCH_TYPE_JSON_PATH: return ALCH_ARRAY_NONE;
    default: return ALCH_ARRAY_ITEMS;
  }
}

bool alch_postgresql_takes_subscripts(const alch_dialect *dialect, const alch_type *given) {
  const alch_type *type = alch_type_in(given, dialect->name);
  return alch_postgresql_since(dialect, 14) && (type->family == ALCH_TYPE_HSTORE || is_called(type, "JSONB"));
}
