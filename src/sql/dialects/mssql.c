/* SQL Server 2008 and later, in SQLAlchemy's words for it (dialects/mssql/base.py). */
#include "sql/dialects/mssql.h"
#include "sql/block.h"
#include "sql/ddl_part.h"
#include "sql/ddl_part.h"
#include <string.h>

#define CAN(capability) ALCH_CAN(capability)

/* SQLAlchemy's list, and five words that the server reserves as well (https://learn.microsoft.com/sql/t-sql/language-elements/reserved-keywords-transact-sql):
   try_convert, within, and those that begin with semantic. */
static const char *const reserved_words[] = {
  "add", "all", "alter", "and", "any", "as", "asc", "authorization", "backup", "begin", "between", "break", "browse", "bulk", "by", "cascade", "case", "check",
  "checkpoint", "close", "clustered", "coalesce", "collate", "column", "commit", "compute", "constraint", "contains", "containstable", "continue", "convert",
  "create", "cross", "current", "current_date", "current_time", "current_timestamp", "current_user", "cursor", "database", "dbcc", "deallocate", "declare",
  "default", "delete", "deny", "desc", "disk", "distinct", "distributed", "double", "drop", "dump", "else", "end", "errlvl", "escape", "except", "exec",
  "execute", "exists", "exit", "external", "fetch", "file", "fillfactor", "for", "foreign", "freetext", "freetexttable", "from", "full", "function", "goto",
  "grant", "group", "having", "holdlock", "identity", "identity_insert", "identitycol", "if", "in", "index", "inner", "insert", "intersect", "into", "is",
  "join", "key", "kill", "left", "like", "lineno", "load", "merge", "national", "nocheck", "nonclustered", "not", "null", "nullif", "of", "off", "offsets",
  "on", "open", "opendatasource", "openquery", "openrowset", "openxml", "option", "or", "order", "outer", "over", "percent", "pivot", "plan", "precision",
  "primary", "print", "proc", "procedure", "public", "raiserror", "read", "readtext", "reconfigure", "references", "replication", "restore", "restrict",
  "return", "revert", "revoke", "right", "rollback", "rowcount", "rowguidcol", "rule", "save", "schema", "securityaudit", "select", "semantickeyphrasetable",
  "semanticsimilaritydetailstable", "semanticsimilaritytable", "session_user", "set", "setuser", "shutdown", "some", "statistics", "system_user", "table",
  "tablesample", "textsize", "then", "to", "top", "tran", "transaction", "trigger", "truncate", "try_convert", "tsequal", "union", "unique", "unpivot",
  "update", "updatetext", "use", "user", "values", "varying", "view", "waitfor", "when", "where", "while", "with", "within", "writetext", NULL
};

/* The renderer of COLUMNS writes TOP, and that of ORDER BY what OFFSET and FETCH say: they are its parts here. */
static const uint8_t select_clauses[] = { ALCH_NODE_WITH,   ALCH_NODE_PREFIXES, ALCH_NODE_DISTINCT, ALCH_NODE_COLUMNS, ALCH_NODE_FROM,  ALCH_NODE_WHERE, ALCH_NODE_GROUP_BY,
                                          ALCH_NODE_HAVING, ALCH_NODE_ORDER_BY, ALCH_NODE_HINTS,    ALCH_NODE_SUFFIXES, 0 };

static const char *const compound_words[] = {
  [ALCH_COMPOUND_UNION] = NULL, [ALCH_COMPOUND_INTERSECT_ALL] = "", [ALCH_COMPOUND_EXCEPT] = NULL, [ALCH_COMPOUND_EXCEPT_ALL] = "",
};

/* OUTPUT stands before what gives the rows. */
static const uint8_t insert_clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_INTO, ALCH_NODE_RETURNING, ALCH_NODE_ROWS, ALCH_NODE_ON_CONFLICT, ALCH_NODE_ON_DUPLICATE_KEY, 0 };
static const uint8_t update_clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_SET, ALCH_NODE_RETURNING, ALCH_NODE_FROM, ALCH_NODE_WHERE, ALCH_NODE_HINTS, 0 };
static const uint8_t delete_clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_RETURNING, ALCH_NODE_FROM, ALCH_NODE_WHERE, ALCH_NODE_HINTS, 0 };

static const char *const operator_spellings[ALCH_OPERATOR_COUNT] = {
  [ALCH_OPERATOR_CONCAT] = " + ",
  [ALCH_OPERATOR_BITWISE_XOR] = " ^ ",
};

/* TIMESTAMP is the number of a row's version here. */
static const struct alch_type_word type_words[] = {
  { "DOUBLE", "DOUBLE PRECISION" }, { "TIMESTAMP", "DATETIME2" }, { "BLOB", NULL }, { "CLOB", NULL }, { "BOOLEAN", NULL }, { "UUID", NULL }, { NULL, NULL },
};

/* The standard's names that the server has not, under its own. */
static const struct alch_function_spelling functions[] = {
  { "now", "CURRENT_TIMESTAMP", true },
  { "current_timestamp", "CURRENT_TIMESTAMP", true },
  { "localtimestamp", "CURRENT_TIMESTAMP", true },
  { "current_date", "CAST(GETDATE() AS DATE)", true },
  { "current_time", "CAST(GETDATE() AS TIME)", true },
  { "localtime", "CAST(GETDATE() AS TIME)", true },
  { "current_user", "CURRENT_USER", true },
  { "session_user", "SESSION_USER", true },
  { "user", "USER", true },
  { "length", "LEN", false },
  { "char_length", "LEN", false },
  { "octet_length", "DATALENGTH", false },
  { "pow", "POWER", false },
  { "ceil", "CEILING", false },
  { "substr", "SUBSTRING", false },
  { "random", "RAND", false },
  { "group_concat", "string_agg", false },
  { NULL, NULL, false },
};

static const struct alch_renderer_override renderers[] = {
  { ALCH_NODE_BINARY, alch_mssql_binary },
  { ALCH_NODE_UNARY, alch_mssql_unary },
  { ALCH_NODE_FUNCTION, alch_mssql_function },
  { ALCH_NODE_CAST, alch_mssql_cast },
  { ALCH_NODE_EXTRACT, alch_mssql_extract },
  { ALCH_NODE_COLLATE, alch_mssql_collate },
  { ALCH_NODE_OVER, alch_mssql_over },
  { ALCH_NODE_FRAME, alch_mssql_frame },
  { ALCH_NODE_WITHIN_GROUP, alch_mssql_within_group },
  { ALCH_NODE_REGEXP, alch_mssql_regexp },
  { ALCH_NODE_NEXT_VALUE, alch_mssql_next_value },
  { ALCH_NODE_SUBSCRIPT, alch_mssql_subscript },
  { ALCH_NODE_SELECT, alch_mssql_select },
  { ALCH_NODE_COMPOUND, alch_mssql_compound },
  { ALCH_NODE_MEMBERS, alch_mssql_members },
  { ALCH_NODE_COLUMNS, alch_mssql_columns },
  { ALCH_NODE_FROM, alch_mssql_from },
  { ALCH_NODE_JOIN, alch_mssql_join },
  { ALCH_NODE_ORDER_BY, alch_mssql_order_by },
  { ALCH_NODE_HINTS, alch_mssql_hints },
  { ALCH_NODE_LIMIT, alch_default_nothing },
  { ALCH_NODE_OFFSET, alch_default_nothing },
  { ALCH_NODE_FETCH, alch_default_nothing },
  { ALCH_NODE_RETURNING, alch_mssql_returning },
  { 0, NULL },
};

/* A part of a name, without the brackets that it may have. */
static void add_part(const alch_dialect *dialect, const char *start, const char *end, alch_buffer *out) {
  char name[256];
  if (end - start >= 2 && *start == '[' && end[-1] == ']') start++, end--;
  size_t length = (size_t)(end - start) < sizeof name ? (size_t)(end - start) : sizeof name - 1;
  memcpy(name, start, length);
  name[length] = '\0';
  alch_quote_identifier(dialect, name, 0, out);
}

/* database.owner. What stands in brackets is one part; several of those before the owner are taken as they are. */
static void schema_name(const alch_dialect *dialect, const char *schema, alch_buffer *out) {
  const char *last = NULL, *end = schema + strlen(schema);
  bool inside = false, several = false;
  for (const char *at = schema; at < end; at++) {
    if (*at == '[' || *at == ']') inside = *at == '[';
    if (*at != '.' || inside) continue;
    several = several || (last && at > schema && at[-1] == ']');
    last = at;
  }
  if (last && several) alch_buffer_add_bytes(out, schema, (size_t)(last - schema));
  else if (last) add_part(dialect, schema, last, out);
  if (last) alch_buffer_add_char(out, '.');
  add_part(dialect, last ? last + 1 : schema, end, out);
}

static const struct alch_option_name options[] = {
  { ALCH_SCOPE_COLUMN, "mssql_identity_start" },
  { ALCH_SCOPE_COLUMN, "mssql_identity_increment" },
  { ALCH_SCOPE_PRIMARY_KEY | ALCH_SCOPE_UNIQUE | ALCH_SCOPE_INDEX, "mssql_clustered" },
  { ALCH_SCOPE_INDEX, "mssql_columnstore" },
  { ALCH_SCOPE_INDEX, "mssql_include" },
  { ALCH_SCOPE_INDEX, "mssql_where" },
  { 0, NULL },
};

/* Nothing is created with IF NOT EXISTS. */
static const uint8_t if_exists_parts[] = { ALCH_DDL_PART_DROP_TABLE, ALCH_DDL_PART_DROP_VIEW, ALCH_DDL_PART_DROP_INDEX, ALCH_DDL_PART_DROP_CONSTRAINT, ALCH_DDL_PART_DROP_SEQUENCE, ALCH_DDL_PART_DROP_SCHEMA, 0 };

static const uint8_t column_parts[] = { ALCH_DDL_PART_COLUMN_COMPUTED, ALCH_DDL_PART_COLUMN_NOT_NULL, ALCH_DDL_PART_COLUMN_IDENTITY, ALCH_DDL_PART_COLUMN_DEFAULT, 0 };

#define CAPABILITIES                                                                                                         \
  (CAN(INSERT_RETURNING) | CAN(UPDATE_RETURNING) | CAN(DELETE_RETURNING) | CAN(MULTI_VALUES) | CAN(DEFAULT_VALUES) |         \
   CAN(DEFAULT_KEYWORD) | CAN(TABLE_ALIAS_AS) | CAN(ORDER_LABELS) | CAN(CTE) | CAN(TABLE_FUNCTIONS) | CAN(DML_CTE) | CAN(OFFSET_ALONE) |            \
   CAN(COMPOUND_PARENTHESES) | CAN(FULL_JOIN) | CAN(WINDOWS) | CAN(UPDATE_FROM) | CAN(DML_FROM_TARGET) |                     \
   CAN(ROW_VALUES) | CAN(TUPLE_VALUES) | CAN(LATERAL) | CAN(APPLY) | CAN(MERGE) | CAN(ALTER_CONSTRAINT) |                    \
   CAN(TRANSACTIONAL_DDL) | CAN(PARTIAL_INDEX) | CAN(BIT_BOOLEAN) | CAN(COMMENTS) | CAN(OPTIONAL_SEQUENCES) | CAN(SCHEMAS) | CAN(CROSS_SCHEMA_KEYS))

static const char *const server_words[] = { "SQL Server", NULL };

#define HAS_OBJECT(types) "SELECT 1 FROM sys.all_objects AS o WHERE o.name = ? AND o.schema_id = SCHEMA_ID(COALESCE(?, SCHEMA_NAME())) AND o.type IN (" types ")"

/* One record for each server version from which on the text may be another; the renderers ask alch_mssql_since. */
#define RECORD(symbol, major, more)                                                                                          \
  extern const alch_dialect alch_dialect_##symbol;                                                                           \
  const alch_dialect alch_dialect_##symbol = {                                                                               \
    .name = "mssql",                                                                                                         \
    .transactions = &alch_mssql_transactions,                                                                                \
    .version_major = major,                                                                                                  \
    .server_words = server_words,                                                                                            \
    .has_table = HAS_OBJECT("'U', 'V'"),                                                                                    \
    .has_sequence = HAS_OBJECT("'SO'"),                                                                                      \
    .capabilities = CAPABILITIES | CAN(VALUES_TABLE) | CAN(TABLESAMPLE) | CAN(SAMPLE_LITERALS) | CAN(GROUPING_SETS) | CAN(TRY_CAST) | CAN(FRAME_LITERALS) | (more),                                                             \
    .quote_open = '[',                                                                                                       \
    .quote_close = ']',                                                                                                      \
    .placeholder = ALCH_PLACEHOLDER_QUESTION,                                                                                \
    .identifier_limit = 128,                                                                                                 \
    .parameter_limit = 2099,                                                                                                 \
    .reserved_words = reserved_words,                                                                                        \
    .reserved_word_count = ALCH_COUNT(reserved_words) - 1,                                                                   \
    .select_clauses = select_clauses,                                                                                        \
    .insert_clauses = insert_clauses,                                                                                        \
    .update_clauses = update_clauses,                                                                                        \
    .delete_clauses = delete_clauses,                                                                                        \
    .schema_name = schema_name,                                                                                              \
    .compound_words = compound_words,                                                                                        \
    .string_aggregate = "string_agg",                                                                                        \
    .merge_hint = " WITH (HOLDLOCK)",                                                                                        \
    .merge_end = ";",                                                                                                        \
    .operator_spellings = operator_spellings,                                                                                \
    .renderers = renderers,                                                                                                  \
    .type_name = alch_mssql_type_name,                                                                                       \
    .type_words = type_words,                                                                                                \
    .functions = functions,                                                                                                  \
    .source_hint = alch_mssql_source_hint,                                                                                   \
    .options = options,                                                                                                      \
    .column_parts = column_parts,                                                                                            \
    .ddl_parts = alch_mssql_ddl_parts,                                                                                       \
    .if_exists_parts = if_exists_parts,                                                                                      \
    .to_database = alch_mssql_to_database,                                                                                   \
    .from_database = alch_mssql_from_database,                                                                               \
    .literal = alch_mssql_literal,                                                                                           \
    .converts = alch_mssql_converts,                                                                                         \
  }

RECORD(mssql, ALCH_MSSQL_2022, CAN(SEQUENCES) | CAN(IF_EXISTS));         /* << and >> */
RECORD(mssql_2017, ALCH_MSSQL_2017, CAN(SEQUENCES) | CAN(IF_EXISTS));    /* STRING_AGG; parameters as JSON paths */
RECORD(mssql_2016, ALCH_MSSQL_2016, CAN(SEQUENCES) | CAN(IF_EXISTS));    /* JSON, DROP IF EXISTS */
RECORD(mssql_2012, ALCH_MSSQL_2012, CAN(SEQUENCES));                 /* OFFSET and FETCH, TRY_CAST, sequences, VARCHAR(max) for Text */
RECORD(mssql_2008, ALCH_MSSQL_2008, 0);

bool alch_mssql_require(alch_compiler *compiler, uint16_t major, const char *construct, const char *year) {
  if (alch_mssql_since(compiler->dialect, major)) return true;
  alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "%s is not supported by the dialect '%s' before SQL Server %s", construct, compiler->dialect->name, year);
  return false;
}
