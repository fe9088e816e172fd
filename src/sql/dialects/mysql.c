/* MySQL 5.7 and later, in SQLAlchemy's words for it (dialects/mysql/base.py), and what MariaDB shares with it. */
#include "sql/dialects/mysql.h"
#include "sql/block.h"
#include "sql/ddl_part.h"

extern const alch_dialect alch_dialect_mysql, alch_dialect_mysql_8_0, alch_dialect_mysql_5_7, alch_dialect_mariadb, alch_dialect_mariadb_10_5;

#define CAN(capability) ALCH_CAN(capability)

/* What all of them can. */
#define CAPABILITIES                                                                                                                                                                  \
  (CAN(LAST_INSERT_ID) | CAN(BOOLEAN_WORDS) | CAN(BACKSLASH_ESCAPES) | CAN(AGGREGATE_ORDER) | CAN(COMMENTS) | CAN(INLINE_COMMENTS) | CAN(REPLACE_VIEWS) | CAN(MULTI_VALUES) | CAN(DEFAULT_KEYWORD) | CAN(CONDITION_VALUES) | CAN(TABLE_ALIAS_AS) | CAN(ORDER_LABELS) | CAN(GROUP_LABELS) | CAN(RECURSIVE_WORD) | CAN(FOR_UPDATE) | CAN(ROW_VALUES) |            \
   CAN(COMPOUND_PARENTHESES) | CAN(UPDATE_TABLES) | CAN(DELETE_USING) | CAN(DML_FROM_TARGET) | CAN(CTE_FOLLOWS_INSERT) | CAN(ALTER_CONSTRAINT) | CAN(IF_EXISTS) |   \
   CAN(SCHEMAS) | CAN(NATIVE_ENUM) | CAN(CROSS_SCHEMA_KEYS))

/* Of MySQL 8.4; a word that an older server does not reserve may be quoted there as well. */
static const char *const reserved_words[] = {
  "accessible", "add", "admin", "all", "alter", "analyze", "and", "array", "as", "asc", "asensitive", "before", "between", "bigint", "binary", "blob",
  "both", "by", "call", "cascade", "case", "change", "char", "character", "check", "collate", "column", "condition", "constraint", "continue",
  "convert", "create", "cross", "cube", "cume_dist", "current_date", "current_time", "current_timestamp", "current_user", "cursor", "database",
  "databases", "day_hour", "day_microsecond", "day_minute", "day_second", "dec", "decimal", "declare", "default", "delayed", "delete", "dense_rank",
  "desc", "describe", "deterministic", "distinct", "distinctrow", "div", "double", "drop", "dual", "each", "else", "elseif", "empty", "enclosed",
  "escaped", "except", "exists", "exit", "explain", "false", "fetch", "first_value", "float", "float4", "float8", "for", "force", "foreign", "from",
  "fulltext", "function", "general", "generated", "get", "get_master_public_key", "grant", "group", "grouping", "groups", "having", "high_priority",
  "hour_microsecond", "hour_minute", "hour_second", "if", "ignore", "ignore_server_ids", "in", "index", "infile", "inner", "inout", "insensitive",
  "insert", "int", "int1", "int2", "int3", "int4", "int8", "integer", "intersect", "interval", "into", "io_after_gtids", "io_before_gtids", "is",
  "iterate", "join", "json_table", "key", "keys", "kill", "lag", "last_value", "lateral", "lead", "leading", "leave", "left", "like", "limit",
  "linear", "lines", "load", "localtime", "localtimestamp", "lock", "long", "longblob", "longtext", "loop", "low_priority", "master_bind",
  "master_heartbeat_period", "master_ssl_verify_server_cert", "match", "maxvalue", "mediumblob", "mediumint", "mediumtext", "member", "middleint",
  "minute_microsecond", "minute_second", "mod", "modifies", "natural", "no_write_to_binlog", "not", "nth_value", "ntile", "null", "numeric", "of",
  "on", "optimize", "optimizer_costs", "option", "optionally", "or", "order", "out", "outer", "outfile", "over", "parallel", "parse_gcol_expr",
  "partition", "percent_rank", "persist", "persist_only", "precision", "primary", "procedure", "purge", "qualify", "range", "rank", "read",
  "read_write", "reads", "real", "recursive", "references", "regexp", "release", "rename", "repeat", "replace", "require", "resignal", "restrict",
  "return", "revoke", "right", "rlike", "role", "row", "row_number", "rows", "schema", "schemas", "second_microsecond", "select", "sensitive",
  "separator", "set", "show", "signal", "slow", "smallint", "spatial", "specific", "sql", "sql_after_gtids", "sql_before_gtids", "sql_big_result",
  "sql_calc_found_rows", "sql_small_result", "sqlexception", "sqlstate", "sqlwarning", "ssl", "starting", "stored", "straight_join", "system",
  "table", "terminated", "then", "tinyblob", "tinyint", "tinytext", "to", "trailing", "trigger", "true", "undo", "union", "unique", "unlock",
  "unsigned", "update", "usage", "use", "using", "utc_date", "utc_time", "utc_timestamp", "values", "varbinary", "varchar", "varcharacter", "varying",
  "virtual", "when", "where", "while", "window", "with", "write", "xor", "year_month", "zerofill", NULL
};

const uint8_t alch_mysql_select_clauses[] = { ALCH_NODE_WITH,     ALCH_NODE_PREFIXES, ALCH_NODE_DISTINCT, ALCH_NODE_COLUMNS, ALCH_NODE_FROM,  ALCH_NODE_WHERE,      ALCH_NODE_GROUP_BY,
                                              ALCH_NODE_HAVING,   ALCH_NODE_ORDER_BY, ALCH_NODE_LIMIT,    ALCH_NODE_OFFSET,  ALCH_NODE_FETCH, ALCH_NODE_FOR_UPDATE, ALCH_NODE_HINTS,
                                              ALCH_NODE_SUFFIXES, 0 };

const uint8_t alch_mysql_update_clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_SET, ALCH_NODE_WHERE, ALCH_NODE_SUFFIXES, ALCH_NODE_RETURNING, 0 };
const uint8_t alch_mysql_delete_clauses[] = { ALCH_NODE_PREFIXES, ALCH_NODE_TABLE, ALCH_NODE_FROM, ALCH_NODE_WHERE, ALCH_NODE_SUFFIXES, ALCH_NODE_RETURNING, 0 };

const char *const alch_mysql_operator_spellings[ALCH_OPERATOR_COUNT] = {
  [ALCH_OPERATOR_BITWISE_XOR] = " ^ ",
  [ALCH_OPERATOR_IS_NOT_DISTINCT] = " <=> ",
};

/* USER and SESSION_USER without parentheses would be columns. */
const struct alch_function_spelling alch_mysql_functions[] = {
  { "current_date", "CURRENT_DATE", true },
  { "current_time", "CURRENT_TIME", true },
  { "current_timestamp", "CURRENT_TIMESTAMP", true },
  { "current_user", "CURRENT_USER", true },
  { "localtime", "LOCALTIME", true },
  { "localtimestamp", "LOCALTIMESTAMP", true },
  { "random", "rand", false },
  { "session_user", "SESSION_USER()", true },
  { "sysdate", "SYSDATE()", true },
  { "user", "USER()", true },
  { NULL, NULL, false },
};

const uint8_t alch_mysql_column_parts[] = { ALCH_DDL_PART_COLUMN_COMPUTED, ALCH_DDL_PART_COLUMN_NOT_NULL, ALCH_DDL_PART_COLUMN_COMMENT, ALCH_DDL_PART_COLUMN_KEY, ALCH_DDL_PART_COLUMN_DEFAULT, 0 };

/* Indexes and constraints have no IF EXISTS. */
static const uint8_t if_exists_parts[] = { ALCH_DDL_PART_CREATE_TABLE, ALCH_DDL_PART_DROP_TABLE, ALCH_DDL_PART_CREATE_TABLE_AS, ALCH_DDL_PART_DROP_VIEW, ALCH_DDL_PART_CREATE_SCHEMA, ALCH_DDL_PART_DROP_SCHEMA, 0 };

const struct alch_option_name alch_mysql_options[] = {
  { ALCH_SCOPE_TABLE, "mysql_auto_increment" }, { ALCH_SCOPE_TABLE, "mysql_autoextend_size" }, { ALCH_SCOPE_TABLE, "mysql_avg_row_length" },
  { ALCH_SCOPE_TABLE, "mysql_character_set" }, { ALCH_SCOPE_TABLE, "mysql_charset" }, { ALCH_SCOPE_TABLE, "mysql_checksum" }, { ALCH_SCOPE_TABLE, "mysql_collate" },
  { ALCH_SCOPE_TABLE, "mysql_comment" }, { ALCH_SCOPE_TABLE, "mysql_compression" }, { ALCH_SCOPE_TABLE, "mysql_connection" },
  { ALCH_SCOPE_TABLE, "mysql_data_directory" }, { ALCH_SCOPE_TABLE, "mysql_default_character_set" }, { ALCH_SCOPE_TABLE, "mysql_default_charset" },
  { ALCH_SCOPE_TABLE, "mysql_default_collate" }, { ALCH_SCOPE_TABLE, "mysql_delay_key_write" }, { ALCH_SCOPE_TABLE, "mysql_encryption" },
  { ALCH_SCOPE_TABLE, "mysql_engine" }, { ALCH_SCOPE_TABLE, "mysql_engine_attribute" }, { ALCH_SCOPE_TABLE, "mysql_index_directory" },
  { ALCH_SCOPE_TABLE, "mysql_insert_method" }, { ALCH_SCOPE_TABLE, "mysql_key_block_size" }, { ALCH_SCOPE_TABLE, "mysql_max_rows" },
  { ALCH_SCOPE_TABLE, "mysql_min_rows" }, { ALCH_SCOPE_TABLE, "mysql_pack_keys" }, { ALCH_SCOPE_TABLE, "mysql_partition_by" }, { ALCH_SCOPE_TABLE, "mysql_partitions" },
  { ALCH_SCOPE_TABLE, "mysql_password" }, { ALCH_SCOPE_TABLE, "mysql_row_format" }, { ALCH_SCOPE_TABLE, "mysql_secondary_engine" },
  { ALCH_SCOPE_TABLE, "mysql_secondary_engine_attribute" }, { ALCH_SCOPE_TABLE, "mysql_stats_auto_recalc" }, { ALCH_SCOPE_TABLE, "mysql_stats_persistent" },
  { ALCH_SCOPE_TABLE, "mysql_stats_sample_pages" }, { ALCH_SCOPE_TABLE, "mysql_subpartition_by" }, { ALCH_SCOPE_TABLE, "mysql_subpartitions" },
  { ALCH_SCOPE_TABLE, "mysql_tablespace" }, { ALCH_SCOPE_TABLE, "mysql_union" }, { ALCH_SCOPE_INDEX, "mysql_length" }, { ALCH_SCOPE_INDEX, "mysql_prefix" },
  { ALCH_SCOPE_INDEX, "mysql_with_parser" }, { ALCH_SCOPE_INDEX | ALCH_SCOPE_PRIMARY_KEY, "mysql_using" }, { ALCH_SCOPE_WRITING, "mysql_limit" }, { 0, NULL },
};

#define SINCE_5_7 (ALCH_MYSQL_JSON_TYPE | ALCH_MYSQL_COMPUTED_NOT_NULL)
#define SINCE_8_0 (SINCE_5_7 | ALCH_MYSQL_FOR_SHARE | ALCH_MYSQL_LOCK_WAITS | ALCH_MYSQL_REGEXP_FUNCTIONS)
#define SINCE_8_0_31 (SINCE_8_0 | ALCH_MYSQL_ROW_ALIAS | ALCH_MYSQL_FLOAT_CAST | ALCH_MYSQL_DEFAULT_EXPRESSIONS | ALCH_MYSQL_VALUES_ROW | ALCH_MYSQL_DROP_CHECK)
#define SINCE_10_5 (ALCH_MYSQL_LOCK_WAITS | ALCH_MYSQL_FLOAT_CAST | ALCH_MYSQL_DEFAULT_EXPRESSIONS | ALCH_MYSQL_REGEXP_INLINE_FLAGS | ALCH_MYSQL_WITHIN_GROUP)
#define SINCE_10_7 (SINCE_10_5 | ALCH_MYSQL_FETCH | ALCH_MYSQL_NATIVE_UUID)

static const struct { const alch_dialect *dialect; uint32_t traits; } traits[] = {
  { &alch_dialect_mysql, SINCE_8_0_31 },
  { &alch_dialect_mysql_8_0, SINCE_8_0 | ALCH_MYSQL_NO_CHECK },
  { &alch_dialect_mysql_5_7, SINCE_5_7 | ALCH_MYSQL_NO_CHECK },
  { &alch_dialect_mariadb, SINCE_10_7 },
  { &alch_dialect_mariadb_10_5, SINCE_10_5 },
  { &alch_dialect_mysql_mariadb, SINCE_10_7 },
  { &alch_dialect_mysql_mariadb_10_5, SINCE_10_5 },
};

bool alch_mysql_has(const alch_dialect *dialect, alch_mysql_trait trait) {
  for (size_t i = 0; i < ALCH_COUNT(traits); i++)
    if (traits[i].dialect == dialect) return traits[i].traits & trait;
  return false;
}

/* INTERSECT and EXCEPT came with 8.0.31. */
static const char *const old_compound_words[ALCH_COMPOUND_EXCEPT_ALL + 1] = { [ALCH_COMPOUND_INTERSECT] = "", [ALCH_COMPOUND_INTERSECT_ALL] = "", [ALCH_COMPOUND_EXCEPT] = "", [ALCH_COMPOUND_EXCEPT_ALL] = "" };

static const char *const server_words[] = { "MySQL", "TiDB", "Percona", NULL };
static const struct alch_dialect_guest guests[] = { { "MariaDB", &alch_dialect_mysql_mariadb }, { "MariaDB", &alch_dialect_mysql_mariadb_10_5 }, { NULL, NULL } };

#define RECORD(symbol, major, minor, patch, words, more)                                                                                                                                            \
  const alch_dialect alch_dialect_##symbol = {                                                                                                                                        \
    .name = "mysql", .transactions = &alch_mysql_transactions, .version_major = major, .version_minor = minor, .version_patch = patch, .server_words = server_words, .guests = guests, .has_table = ALCH_MYSQL_HAS_TABLE, .capabilities = CAPABILITIES | (more), .quote_open = '`', .quote_close = '`',                                     \
    .placeholder = ALCH_PLACEHOLDER_QUESTION, .identifier_limit = 255, .parameter_limit = 65535, .compound_words = words, .reserved_words = reserved_words,                                                     \
    .reserved_word_count = ALCH_COUNT(reserved_words) - 1, .select_clauses = alch_mysql_select_clauses, .update_clauses = alch_mysql_update_clauses,                          \
    .delete_clauses = alch_mysql_delete_clauses, .source_hint = alch_mysql_source_hint, .operator_spellings = alch_mysql_operator_spellings,                          \
    .renderers = alch_mysql_renderers, .type_name = alch_mysql_type_name, .type_words = alch_mysql_type_words, .functions = alch_mysql_functions, .options = alch_mysql_options, .column_parts = alch_mysql_column_parts, \
    .ddl_parts = alch_mysql_ddl_parts, .if_exists_parts = if_exists_parts, .name_limit = 64, .string_aggregate = "group_concat", .string_separator = " SEPARATOR ", .literal = alch_mysql_literal, .to_database = alch_mysql_to_database, .from_database = alch_mysql_from_database,                   \
    .converts = alch_mysql_converts,                                                                                                                                                  \
  }

#define CAN_8_0 (CAN(CTE) | CAN(CTE_NESTED) | CAN(DML_CTE) | CAN(WINDOWS))
RECORD(mysql, 8, 0, 31, NULL, CAN_8_0 | CAN(VALUES_TABLE) | CAN(VALUES_QUERY) | CAN(LATERAL) | CAN(EXPRESSION_INDEX));    /* and 8.4 */
RECORD(mysql_8_0, 8, 0, 0, old_compound_words, CAN_8_0);    /* what all of 8.0 has, and TiDB, which calls itself 8.0.11 */
RECORD(mysql_5_7, 5, 7, 0, old_compound_words, 0);
