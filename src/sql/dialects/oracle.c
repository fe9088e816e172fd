/* Oracle 11 to 23, in SQLAlchemy's words for it (dialects/oracle/base.py). */
#include "sql/dialects/oracle.h"
#include "sql/ddl_part.h"

#define CAN(capability) ALCH_CAN(capability)

/* Those of the SQL Language Reference (appendix E), which are some more than SQLAlchemy's. */
static const char *const reserved_words[] = {
  "access", "add", "all", "alter", "and", "any", "as", "asc", "audit", "between", "by", "char", "check", "cluster", "column", "column_value", "comment",
  "compress", "connect", "create", "current", "date", "decimal", "default", "delete", "desc", "distinct", "drop", "else", "exclusive", "exists", "file",
  "float", "for", "from", "grant", "group", "having", "identified", "immediate", "in", "increment", "index", "initial", "insert", "integer", "intersect",
  "into", "is", "level", "like", "lock", "long", "maxextents", "minus", "mlslabel", "mode", "modify", "nested_table_id", "noaudit", "nocompress", "not",
  "nowait", "null", "number", "of", "offline", "on", "online", "option", "or", "order", "pctfree", "prior", "public", "raw", "rename", "resource",
  "revoke", "row", "rowid", "rownum", "rows", "select", "session", "set", "share", "size", "smallint", "start", "successful", "synonym", "sysdate",
  "table", "then", "to", "trigger", "uid", "union", "unique", "update", "user", "validate", "values", "varchar", "varchar2", "view", "whenever", "where",
  "with", NULL
};

/* A comment of hints stands right behind the first word. */
static const uint8_t select_clauses[] = { ALCH_NODE_WITH,   ALCH_NODE_HINTS,    ALCH_NODE_PREFIXES, ALCH_NODE_DISTINCT, ALCH_NODE_COLUMNS, ALCH_NODE_FROM,  ALCH_NODE_WHERE,      ALCH_NODE_GROUP_BY,
                                          ALCH_NODE_HAVING, ALCH_NODE_ORDER_BY, ALCH_NODE_LIMIT,    ALCH_NODE_OFFSET,   ALCH_NODE_FETCH,   ALCH_NODE_FOR_UPDATE, ALCH_NODE_SUFFIXES, 0 };

static const char *const operator_spellings[ALCH_OPERATOR_COUNT] = { [ALCH_OPERATOR_BITWISE_XOR] = "" };

static const struct alch_function_spelling functions[] = {
  { "now", "CURRENT_TIMESTAMP", true },
  { "current_date", "CURRENT_DATE", true },
  { "current_timestamp", "CURRENT_TIMESTAMP", true },
  { "localtimestamp", "LOCALTIMESTAMP", true },
  { "sysdate", "sysdate", true },
  { "systimestamp", "systimestamp", true },
  { "user", "USER", true },
  { "uid", "uid", true },
  { "current_user", "SYS_CONTEXT('USERENV', 'CURRENT_USER')", true },
  { "session_user", "SYS_CONTEXT('USERENV', 'SESSION_USER')", true },
  { "char_length", "LENGTH", false },
  { "octet_length", "LENGTHB", false },
  { "pow", "POWER", false },
  { "ceiling", "ceil", false },
  { "substring", "substr", false },
  { "ifnull", "nvl", false },
  { "random", "dbms_random.value", true },
  { "string_agg", "LISTAGG", false },
  { NULL, NULL, false },
};

static const uint8_t column_parts[] = { ALCH_DDL_PART_COLUMN_DEFAULT, ALCH_DDL_PART_COLUMN_COMPUTED, ALCH_DDL_PART_COLUMN_IDENTITY, ALCH_DDL_PART_COLUMN_NOT_NULL, 0 };

static const char *const compounds[] = { [ALCH_COMPOUND_EXCEPT] = " MINUS ", [ALCH_COMPOUND_EXCEPT_ALL] = NULL };
static const char *const compounds_before_21[] = { [ALCH_COMPOUND_INTERSECT_ALL] = "", [ALCH_COMPOUND_EXCEPT] = " MINUS ", [ALCH_COMPOUND_EXCEPT_ALL] = "" };

/* What every version has, and what came with each. */
enum { LONG_NAMES = 128, SHORT_NAMES = 30 };
#define SINCE_11                                                                                                                                                                      \
  (CAN(INSERT_RETURNING) | CAN(UPDATE_RETURNING) | CAN(DELETE_RETURNING) | CAN(DEFAULT_KEYWORD) | CAN(NAMED_DEFAULT) | CAN(CTE_FOLLOWS_INSERT) | CAN(MERGE) | CAN(MERGE_WHERE) |       \
   CAN(GROUPING_SETS) | CAN(CTE) | CAN(CTE_NESTED) | CAN(FOR_UPDATE) | CAN(ROW_VALUES) | CAN(OFFSET_ALONE) | CAN(COMPOUND_PARENTHESES) | CAN(FULL_JOIN) |           \
   CAN(WINDOWS) | CAN(ALTER_CONSTRAINT) | CAN(TABLE_FUNCTIONS) | CAN(EXPRESSION_INDEX) | CAN(COMMENTS) | CAN(CROSS_SCHEMA_KEYS) | CAN(SEQUENCES) | CAN(MATERIALIZED_VIEWS) |                  \
   CAN(REPLACE_VIEWS))
#define SINCE_12 (SINCE_11 | CAN(FETCH) | CAN(LATERAL) | CAN(IDENTITY))
#define SINCE_21 (SINCE_12 | CAN(WINDOW_GROUPS) | CAN(WINDOW_EXCLUDE))
#define SINCE_23 (SINCE_21 | CAN(NATIVE_BOOLEAN) | CAN(CONDITION_VALUES) | CAN(GROUP_LABELS) | CAN(VALUES_TABLE) | CAN(VALUES_QUERY) | CAN(MULTI_VALUES) | CAN(IF_EXISTS))

static const char *const server_words[] = { "Oracle", NULL };

/* A name without capitals is written without quotes, and the database has it in capitals then; not where it is a reserved word. */
#define SPELT(name) "CASE WHEN " name " = LOWER(" name ") THEN UPPER(" name ") ELSE " name " END"
#define HAS_OBJECT(kinds) \
  "SELECT 1 FROM (SELECT ? AS name, ? AS owner FROM DUAL) q JOIN all_objects o ON o.object_name IN (q.name, " SPELT("q.name") ") AND o.owner IN (q.owner, " \
  "NVL(" SPELT("q.owner") ", SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA'))) AND o.object_type IN (" kinds ")"

#define RECORD(symbol, major, minor, can, names, compound)                                                                                                                            \
  extern const alch_dialect alch_dialect_##symbol;                                                                                                                                    \
  const alch_dialect alch_dialect_##symbol = {                                                                                                                                        \
    .name = "oracle", .server_words = server_words, .has_table = HAS_OBJECT("'TABLE', 'VIEW', 'MATERIALIZED VIEW'"), .has_sequence = HAS_OBJECT("'SEQUENCE'"), .transactions = &alch_oracle_transactions, .version_major = major, .version_minor = minor, .capabilities = can, .quote_open = '"', .quote_close = '"', .placeholder = ALCH_PLACEHOLDER_QUESTION,           \
    .identifier_limit = names, .parameter_limit = 65535, .reserved_words = reserved_words, .reserved_word_count = ALCH_COUNT(reserved_words) - 1, .select_clauses = select_clauses,   \
    .quoted_initials = "_$", .compound_words = compound, .empty_from = " FROM DUAL", .empty_set = "SELECT % FROM DUAL WHERE 1!=1", .list_limit = 1000, .string_aggregate = "LISTAGG", .table_function = "TABLE ", .column_value = ".COLUMN_VALUE",                                \
    .list_item = "SELECT % FROM DUAL", .operator_spellings = operator_spellings, .renderers = alch_oracle_renderers, .functions = functions, .type_name = alch_oracle_type_name,      \
    .type_words = alch_oracle_type_words, .options = alch_oracle_options, .column_parts = column_parts, .ddl_parts = alch_oracle_ddl_parts,                                           \
    .to_database = alch_oracle_to_database, .from_database = alch_oracle_from_database, .literal = alch_oracle_literal, .converts = alch_oracle_converts,                              \
  }

RECORD(oracle, 23, 0, SINCE_23, LONG_NAMES, compounds);                   /* BOOLEAN, rows behind VALUES, IF EXISTS */
RECORD(oracle_21, 21, 0, SINCE_21, LONG_NAMES, compounds);                /* JSON, EXCEPT ALL, BITOR, GROUPS */
RECORD(oracle_19, 19, 0, SINCE_12, LONG_NAMES, compounds_before_21);      /* LISTAGG without an order, DISTINCT in it */
RECORD(oracle_12_2, 12, 2, SINCE_12, LONG_NAMES, compounds_before_21);    /* long names, COLLATE */
RECORD(oracle_12, 12, 1, SINCE_12, SHORT_NAMES, compounds_before_21);     /* FETCH FIRST, identity columns, LATERAL */
RECORD(oracle_11, 11, 0, SINCE_11, SHORT_NAMES, compounds_before_21);
