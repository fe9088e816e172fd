/* SQLite 3.35 and later, in SQLAlchemy's words for it (dialects/sqlite/base.py). */
#include "sql/dialects/sqlite.h"
#include "sql/block.h"
#include "sql/ddl_part.h"
#include <string.h>

extern const alch_dialect alch_dialect_sqlite;

#define CAN(capability) ALCH_CAN(capability)

static const char *const reserved_words[] = {
  "add", "after", "all", "alter", "analyze", "and", "as", "asc", "attach", "autoincrement", "before", "begin", "between", "by", "cascade", "case",
  "cast", "check", "collate", "column", "commit", "conflict", "constraint", "create", "cross", "current_date", "current_time", "current_timestamp",
  "database", "default", "deferrable", "deferred", "delete", "desc", "detach", "distinct", "drop", "each", "else", "end", "escape", "except",
  "exclusive", "exists", "explain", "fail", "false", "for", "foreign", "from", "full", "glob", "group", "having", "if", "ignore", "immediate", "in",
  "index", "indexed", "initially", "inner", "insert", "instead", "intersect", "into", "is", "isnull", "join", "key", "left", "like", "limit", "match",
  "natural", "not", "nothing", "notnull", "null", "of", "offset", "on", "or", "order", "outer", "plan", "pragma", "primary", "query", "raise", "references",
  "reindex", "rename", "replace", "restrict", "returning", "right", "rollback", "row", "select", "set", "table", "temp", "temporary", "then", "to", "transaction",
  "trigger", "true", "union", "unique", "update", "using", "vacuum", "values", "view", "virtual", "when", "where", NULL
};

static const uint8_t select_clauses[] = { ALCH_NODE_WITH,   ALCH_NODE_PREFIXES, ALCH_NODE_DISTINCT, ALCH_NODE_COLUMNS, ALCH_NODE_FROM,   ALCH_NODE_WHERE,
                                          ALCH_NODE_GROUP_BY, ALCH_NODE_HAVING, ALCH_NODE_ORDER_BY, ALCH_NODE_LIMIT,   ALCH_NODE_OFFSET, ALCH_NODE_FETCH,  ALCH_NODE_HINTS,  ALCH_NODE_SUFFIXES, 0 };

static const char *const operator_spellings[ALCH_OPERATOR_COUNT] = {
  [ALCH_OPERATOR_IS_DISTINCT] = " IS NOT ",
  [ALCH_OPERATOR_IS_NOT_DISTINCT] = " IS ",
};

static const struct alch_function_spelling functions[] = {
  { "now", "CURRENT_TIMESTAMP", true },
  { "current_date", "CURRENT_DATE", true },
  { "current_time", "CURRENT_TIME", true },
  { "current_timestamp", "CURRENT_TIMESTAMP", true },
  { "localtimestamp", "DATETIME(CURRENT_TIMESTAMP, 'localtime')", true },
  { "char_length", "length", false },
  { "string_agg", "group_concat", false },
  { "greatest", "max", false },
  { "least", "min", false },
  { NULL, NULL, false },
};

static const struct alch_option_name options[] = {
  { ALCH_SCOPE_TABLE, "sqlite_autoincrement" },
  { ALCH_SCOPE_TABLE, "sqlite_with_rowid" },
  { ALCH_SCOPE_TABLE, "sqlite_strict" },
  { ALCH_SCOPE_COLUMN, "sqlite_on_conflict_primary_key" },
  { ALCH_SCOPE_COLUMN, "sqlite_on_conflict_not_null" },
  { ALCH_SCOPE_COLUMN, "sqlite_on_conflict_unique" },
  { ALCH_SCOPE_CONSTRAINT, "sqlite_on_conflict" },
  { ALCH_SCOPE_INDEX, "sqlite_where" },
  { ALCH_SCOPE_VIEW, "sqlite_if_not_exists" },
  { 0, NULL },
};

static const char *const compound_words[ALCH_COMPOUND_EXCEPT_ALL + 1] = { [ALCH_COMPOUND_INTERSECT_ALL] = "", [ALCH_COMPOUND_EXCEPT_ALL] = "" };

static const uint8_t column_parts[] = { ALCH_DDL_PART_COLUMN_DEFAULT, ALCH_DDL_PART_COLUMN_NOT_NULL, ALCH_DDL_PART_COLUMN_KEY, ALCH_DDL_PART_COLUMN_COMPUTED, 0 };

static const uint8_t if_exists_parts[] = { ALCH_DDL_PART_CREATE_TABLE, ALCH_DDL_PART_DROP_TABLE, ALCH_DDL_PART_CREATE_INDEX, ALCH_DDL_PART_DROP_INDEX, ALCH_DDL_PART_CREATE_VIEW,
                                           ALCH_DDL_PART_DROP_VIEW,    ALCH_DDL_PART_CREATE_TABLE_AS, 0 };

/* A STRICT table knows these names only (https://www.sqlite.org/stricttables.html). ANY keeps an integer and a real as they are. */
static const char *const strict_words[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_INTEGER] = "INTEGER", [ALCH_TYPE_SMALL_INTEGER] = "INTEGER", [ALCH_TYPE_BIG_INTEGER] = "INTEGER", [ALCH_TYPE_BOOLEAN] = "INTEGER",
  [ALCH_TYPE_FLOAT] = "REAL",      [ALCH_TYPE_DOUBLE] = "REAL",           [ALCH_TYPE_NUMERIC] = "ANY",         [ALCH_TYPE_LARGE_BINARY] = "BLOB",
  [ALCH_TYPE_STRING] = "TEXT",     [ALCH_TYPE_TEXT] = "TEXT",             [ALCH_TYPE_UNICODE] = "TEXT",        [ALCH_TYPE_UNICODE_TEXT] = "TEXT",
  [ALCH_TYPE_DATE] = "TEXT",       [ALCH_TYPE_TIME] = "TEXT",             [ALCH_TYPE_DATETIME] = "TEXT",       [ALCH_TYPE_INTERVAL] = "TEXT",
  [ALCH_TYPE_UUID] = "TEXT",       [ALCH_TYPE_ENUM] = "TEXT",             [ALCH_TYPE_JSON] = "TEXT",
};

static alch_status type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, alch_buffer *out, alch_error *error) {
  (void)dialect;
  /* Only INTEGER PRIMARY KEY is the rowid, which numbers itself; BIGINT would be a plain column (https://www.sqlite.org/lang_createtable.html#rowid). */
  if (column && alch_type_is_integer(type->family) && alch_table_autoincrement(column->table) == column) {
    alch_buffer_add(out, "INTEGER");
    return ALCH_OK;
  }
  if (!column || alch_option_truth(alch_option_find(&column->table->options, "sqlite_strict")) != 1 || !strict_words[type->family]) return alch_type_name_write(NULL, type, out, error);
  alch_type bare = ALCH_TYPE_PLAIN(type->family);
  bare.collation = type->collation;
  return alch_type_name_write(strict_words, &bare, out, error);
}

static const char *const server_words[] = { "SQLite", NULL };

/* What versions have: https://www.sqlite.org/changes.html */
#define SINCE_3_30 \
  (CAN(LAST_INSERT_ID) | CAN(MULTI_VALUES) | CAN(DEFAULT_VALUES) | CAN(ON_CONFLICT) | CAN(CONDITION_VALUES) | CAN(TABLE_ALIAS_AS) | CAN(ORDER_LABELS) | \
   CAN(GROUP_LABELS) | CAN(RECURSIVE_WORD) | CAN(CTE) | CAN(VALUES_QUERY) | CAN(CTE_NESTED) | CAN(DML_CTE) | CAN(ROW_VALUES) | CAN(TUPLE_VALUES) | \
   CAN(FILTER) | CAN(WINDOW_GROUPS) | CAN(WINDOW_EXCLUDE) | CAN(AGGREGATE_ORDER) | CAN(WINDOWS) | CAN(EMPTY_SET_SELECT) | CAN(INLINE_CYCLES) | CAN(TRANSACTIONAL_DDL) | \
   CAN(TABLE_FUNCTIONS) | CAN(IF_EXISTS) | CAN(PARTIAL_INDEX) | CAN(EXPRESSION_INDEX) | CAN(DEFAULT_PARENTHESES) | CAN(INDEX_SCHEMA))
#define SINCE_3_35 (SINCE_3_30 | CAN(INSERT_RETURNING) | CAN(UPDATE_RETURNING) | CAN(DELETE_RETURNING) | CAN(UPDATE_FROM) | CAN(CTE_MATERIALIZED))
#define SINCE_3_39 (SINCE_3_35 | CAN(FULL_JOIN))

#define RECORD(symbol, minor, can) \
  extern const alch_dialect alch_dialect_##symbol; \
  const alch_dialect alch_dialect_##symbol = { \
    .name = "sqlite", \
    .server_words = server_words, \
    .has_table = "SELECT 1 FROM pragma_table_info(?, ?) LIMIT 1", \
    .version_major = 3, \
    .version_minor = minor, \
    .transactions = &alch_sqlite_transactions, \
    .capabilities = can, \
    .quote_open = '"', \
    .quote_close = '"', \
    .placeholder = ALCH_PLACEHOLDER_QUESTION, \
    .parameter_limit = 32766, \
    .reserved_words = reserved_words, \
    .reserved_word_count = ALCH_COUNT(reserved_words) - 1, \
    .select_clauses = select_clauses, \
    .compound_words = compound_words, \
    .string_aggregate = "group_concat", \
    .empty_set = "SELECT % FROM (SELECT %) WHERE 1!=1", \
    .operator_spellings = operator_spellings, \
    .renderers = alch_sqlite_renderers, \
    .type_name = type_name, \
    .functions = functions, \
    .options = options, \
    .column_parts = column_parts, \
    .ddl_parts = alch_sqlite_ddl_parts, \
    .if_exists_parts = if_exists_parts, \
    .literal = alch_sqlite_literal, \
    .to_database = alch_sqlite_to_database, \
    .from_database = alch_sqlite_from_database, \
    .to_column = alch_sqlite_to_column, \
    .converts = alch_sqlite_converts, \
  }

RECORD(sqlite, 39, SINCE_3_39);
RECORD(sqlite_3_35, 35, SINCE_3_35);
RECORD(sqlite_3_30, 30, SINCE_3_30);
