/* PostgreSQL 12 and later, in SQLAlchemy's words for it (dialects/postgresql/base.py). */
#include "sql/dialects/postgresql.h"
#include "sql/block.h"
#include "sql/ddl_part.h"

#define CAN(capability) ALCH_CAN(capability)

/* SQLAlchemy's list, and four words that the server reserves as well: collation, concurrently, lateral, tablesample. */
static const char *const reserved_words[] = {
  "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between", "binary", "both", "case", "cast",
  "check", "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
  "current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except",
  "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in", "initially", "inner", "intersect", "into",
  "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime", "localtimestamp", "natural", "new", "not", "notnull", "null",
  "of", "off", "offset", "old", "on", "only", "or", "order", "outer", "over", "overlaps", "placing", "primary", "references", "returning", "right",
  "select", "session_user", "similar", "some", "symmetric", "table", "tablesample", "then", "to", "trailing", "true", "union", "unique", "user",
  "using", "variadic", "verbose", "when", "where", "window", "with", NULL
};

static const uint8_t select_clauses[] = { ALCH_NODE_WITH,   ALCH_NODE_PREFIXES, ALCH_NODE_DISTINCT, ALCH_NODE_COLUMNS, ALCH_NODE_FROM,  ALCH_NODE_WHERE,      ALCH_NODE_GROUP_BY,
                                          ALCH_NODE_HAVING, ALCH_NODE_ORDER_BY, ALCH_NODE_LIMIT,    ALCH_NODE_OFFSET,  ALCH_NODE_FETCH, ALCH_NODE_FOR_UPDATE, ALCH_NODE_HINTS, ALCH_NODE_SUFFIXES,
                                          0 };

static const char *const operator_spellings[ALCH_OPERATOR_COUNT] = {
  [ALCH_OPERATOR_REGEXP] = " ~ ",
  [ALCH_OPERATOR_NOT_REGEXP] = " !~ ",
  [ALCH_OPERATOR_CONTAINS] = " @> ",
  [ALCH_OPERATOR_CONTAINED_BY] = " <@ ",
  [ALCH_OPERATOR_OVERLAP] = " && ",
  [ALCH_OPERATOR_HAS_KEY] = " ? ",
  [ALCH_OPERATOR_HAS_ALL] = " ?& ",
  [ALCH_OPERATOR_HAS_ANY] = " ?| ",
  [ALCH_OPERATOR_PATH_EXISTS] = " @? ",
  [ALCH_OPERATOR_PATH_MATCH] = " @@ ",
  [ALCH_OPERATOR_DELETE_PATH] = " #- ",
  [ALCH_OPERATOR_STRICTLY_LEFT_OF] = " << ",
  [ALCH_OPERATOR_STRICTLY_RIGHT_OF] = " >> ",
  [ALCH_OPERATOR_NOT_EXTEND_RIGHT_OF] = " &< ",
  [ALCH_OPERATOR_NOT_EXTEND_LEFT_OF] = " &> ",
  [ALCH_OPERATOR_ADJACENT_TO] = " -|- ",
};

static const struct alch_function_spelling functions[] = {
  { "current_date", "CURRENT_DATE", true },
  { "current_time", "CURRENT_TIME", true },
  { "current_timestamp", "CURRENT_TIMESTAMP", true },
  { "current_user", "CURRENT_USER", true },
  { "localtime", "LOCALTIME", true },
  { "localtimestamp", "LOCALTIMESTAMP", true },
  { "session_user", "SESSION_USER", true },
  { "user", "USER", true },
  { "pow", "power", false },
  { NULL, NULL, false },
};

static const uint8_t column_parts[] = { ALCH_DDL_PART_COLUMN_DEFAULT, ALCH_DDL_PART_COLUMN_COMPUTED, ALCH_DDL_PART_COLUMN_IDENTITY, ALCH_DDL_PART_COLUMN_NOT_NULL, 0 };

#define CAPABILITIES \
  (CAN(INSERT_RETURNING) | CAN(UPDATE_RETURNING) | CAN(DELETE_RETURNING) | CAN(MULTI_VALUES) | CAN(DEFAULT_VALUES) | CAN(DEFAULT_KEYWORD) | CAN(ON_CONFLICT) | CAN(NATIVE_BOOLEAN) | \
   CAN(CONDITION_VALUES) | CAN(TABLE_ALIAS_AS) | CAN(ORDER_LABELS) | CAN(GROUP_LABELS) | CAN(RECURSIVE_WORD) | CAN(CTE) | CAN(DML_CTE) | CAN(FOR_UPDATE) | CAN(ROW_VALUES) | CAN(OFFSET_ALONE) | \
   CAN(COMPOUND_PARENTHESES) | CAN(FULL_JOIN) | CAN(LATERAL) | CAN(FILTER) | CAN(WINDOWS) | CAN(DISTINCT_ON) | CAN(ARRAYS) | CAN(ILIKE) | CAN(UPDATE_FROM) | CAN(DELETE_USING) | \
   CAN(FETCH) | CAN(ALTER_CONSTRAINT) | CAN(TRANSACTIONAL_DDL) | CAN(TABLE_FUNCTIONS) | CAN(IF_EXISTS) | CAN(PARTIAL_INDEX) | CAN(EXPRESSION_INDEX) | CAN(COMMENTS) | CAN(SCHEMAS) | \
   CAN(NATIVE_ENUM) | CAN(IDENTITY) | CAN(CROSS_SCHEMA_KEYS) | CAN(DOLLAR_QUOTES) | CAN(SEQUENCES) | CAN(OPTIONAL_SEQUENCES) | \
   CAN(CONSTRAINT_COMMENTS) | CAN(EXCLUDE_CONSTRAINTS) | CAN(MATERIALIZED_VIEWS) | CAN(REPLACE_VIEWS))

/* CockroachDB tells the version of PostgreSQL that it imitates, 13.0.0. YugabyteDB tells that of which it is made, 11.2-YB-2.20.1.0-b97 or 15.2-YB-2.25.0.0-b489, and what is written for 12 is nearest to
   the older one. */
extern const alch_dialect alch_dialect_postgresql_15, alch_dialect_postgresql_yugabyte;
static const char *const server_words[] = { "PostgreSQL", "CockroachDB", "YugabyteDB", NULL };
static const struct alch_dialect_guest guests[] = { { "-YB-", &alch_dialect_postgresql_15 }, { "-YB-", &alch_dialect_postgresql_yugabyte }, { NULL, NULL } };

/* What stands at $1 and $2: a name, and a schema or NULL, which is where the search path leads. */
#define IN_SCHEMA(visible) "(n.nspname = $2::text OR ($2::text IS NULL AND " visible ")) LIMIT 1"
#define HAS_RELATION(kinds) \
  "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1::text AND c.relkind IN (" kinds ") AND " IN_SCHEMA("pg_catalog.pg_table_is_visible(c.oid)")
#define HAS_TYPE \
  "SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = $1::text AND t.typtype IN ('e', 'd', 'c', 'r', 'b') AND " \
  IN_SCHEMA("pg_catalog.pg_type_is_visible(t.oid)")

/* One record for each server version from which on the text may be another; the renderers ask alch_postgresql_since. */
#define RECORD(symbol, major) \
  extern const alch_dialect alch_dialect_##symbol; \
  const alch_dialect alch_dialect_##symbol = { \
    .name = "postgresql", \
    .transactions = &alch_postgresql_transactions, \
    .version_major = major, \
    .server_words = server_words, \
    .has_table = HAS_RELATION("'r', 'p', 'v', 'm', 'f'"), \
    .has_sequence = HAS_RELATION("'S'"), \
    .has_type = HAS_TYPE, \
    .guests = guests, \
    .capabilities = CAPABILITIES | CAN(CTE_WRITES) | CAN(CTE_NESTED) | CAN(CTE_MATERIALIZED) | CAN(VALUES_TABLE) | CAN(VALUES_QUERY) | CAN(TRUNCATES_NAMES) | CAN(TABLESAMPLE) | CAN(ORDINALITY) | CAN(BETWEEN_SYMMETRIC) | CAN(GROUPING_SETS) | CAN(AGGREGATE_ORDER) | CAN(WINDOW_GROUPS) | CAN(WINDOW_EXCLUDE), \
    .string_aggregate = "string_agg", \
    .quote_open = '"', \
    .quote_close = '"', \
    .placeholder = ALCH_PLACEHOLDER_DOLLAR, \
    .identifier_limit = 63, \
    .parameter_limit = 65535, \
    .reserved_words = reserved_words, \
    .reserved_word_count = ALCH_COUNT(reserved_words) - 1, \
    .select_clauses = select_clauses, \
    .operator_spellings = operator_spellings, \
    .renderers = alch_postgresql_renderers, \
    .type_name = alch_postgresql_type_name, \
    .type_words = alch_postgresql_type_words, \
    .functions = functions, \
    .source_hint = alch_postgresql_source_hint, \
    .options = alch_postgresql_options, \
    .ddl_parts = alch_postgresql_ddl_parts, \
    .names_type = alch_postgresql_names_type, \
    .part_of = alch_postgresql_part_of, \
    .column_parts = column_parts, \
    .to_database = alch_postgresql_to_database, \
    .from_database = alch_postgresql_from_database, \
    .literal = alch_postgresql_literal, \
    .placeholder_cast = alch_postgresql_placeholder_cast, \
    .converts = alch_postgresql_converts, \
    .array_form = alch_postgresql_array_form, \
  }

RECORD(postgresql, 18);       /* virtual generated columns */
RECORD(postgresql_15, 15);    /* NULLS NOT DISTINCT */
RECORD(postgresql_14, 14);    /* subscripts of JSON and HSTORE, multiranges */
RECORD(postgresql_13, 13);    /* FETCH … WITH TIES */
RECORD(postgresql_12, 12);
RECORD(postgresql_yugabyte, 11);
