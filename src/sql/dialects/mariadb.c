/* MariaDB 10.5 and later (SQLAlchemy: dialects/mysql/_mariadb_shim.py). */
#include "sql/block.h"
#include "sql/ddl_part.h"
#include "sql/dialects/mysql.h"

extern const alch_dialect alch_dialect_mariadb, alch_dialect_mariadb_10_5;

#define CAN(capability) ALCH_CAN(capability)

/* With the words that it reserves in its Oracle mode. */
static const char *const reserved_words[] = {
  "accessible", "add", "all", "alter", "analyze", "and", "as", "asc", "asensitive", "before", "between", "bigint", "binary", "blob", "body", "both",
  "by", "call", "cascade", "case", "change", "char", "character", "check", "collate", "column", "condition", "constraint", "continue", "convert",
  "create", "cross", "current_date", "current_role", "current_time", "current_timestamp", "current_user", "cursor", "database", "databases",
  "day_hour", "day_microsecond", "day_minute", "day_second", "dec", "decimal", "declare", "default", "delayed", "delete", "desc", "describe",
  "deterministic", "distinct", "distinctrow", "div", "do_domain_ids", "double", "drop", "dual", "each", "else", "elseif", "elsif", "enclosed",
  "escaped", "except", "exists", "exit", "explain", "false", "fetch", "float", "float4", "float8", "for", "force", "foreign", "from", "fulltext",
  "general", "goto", "grant", "group", "having", "high_priority", "history", "hour_microsecond", "hour_minute", "hour_second", "if", "ignore",
  "ignore_domain_ids", "ignore_server_ids", "in", "index", "infile", "inner", "inout", "insensitive", "insert", "int", "int1", "int2", "int3", "int4",
  "int8", "integer", "intersect", "interval", "into", "is", "iterate", "join", "key", "keys", "kill", "leading", "leave", "left", "like", "limit",
  "linear", "lines", "load", "localtime", "localtimestamp", "lock", "long", "longblob", "longtext", "loop", "low_priority", "master_heartbeat_period",
  "master_ssl_verify_server_cert", "match", "maxvalue", "mediumblob", "mediumint", "mediumtext", "middleint", "minute_microsecond", "minute_second",
  "mod", "modifies", "natural", "no_write_to_binlog", "not", "null", "numeric", "offset", "on", "optimize", "option", "optionally", "or", "order",
  "others", "out", "outer", "outfile", "over", "package", "page_checksum", "parse_vcol_expr", "partition", "period", "position", "precision",
  "primary", "procedure", "purge", "raise", "range", "read", "read_write", "reads", "real", "recursive", "ref_system_id", "references", "regexp",
  "release", "rename", "repeat", "replace", "require", "resignal", "restrict", "return", "returning", "revoke", "right", "rlike", "row_number",
  "rows", "rowtype", "schema", "schemas", "second_microsecond", "select", "sensitive", "separator", "set", "show", "signal", "slow", "smallint",
  "spatial", "specific", "sql", "sql_big_result", "sql_calc_found_rows", "sql_small_result", "sqlexception", "sqlstate", "sqlwarning", "ssl",
  "starting", "stats_auto_recalc", "stats_persistent", "stats_sample_pages", "straight_join", "system", "system_time", "table", "terminated", "then",
  "tinyblob", "tinyint", "tinytext", "to", "trailing", "trigger", "true", "undo", "union", "unique", "unlock", "unsigned", "update", "usage", "use",
  "using", "utc_date", "utc_time", "utc_timestamp", "values", "varbinary", "varchar", "varcharacter", "varying", "versioning", "when", "where",
  "while", "window", "with", "without", "write", "xor", "year_month", "zerofill", NULL
};

static const struct alch_option_name options[] = {
  { ALCH_SCOPE_TABLE, "mariadb_auto_increment" }, { ALCH_SCOPE_TABLE, "mariadb_avg_row_length" }, { ALCH_SCOPE_TABLE, "mariadb_character_set" },
  { ALCH_SCOPE_TABLE, "mariadb_charset" }, { ALCH_SCOPE_TABLE, "mariadb_checksum" }, { ALCH_SCOPE_TABLE, "mariadb_collate" }, { ALCH_SCOPE_TABLE, "mariadb_comment" },
  { ALCH_SCOPE_TABLE, "mariadb_connection" }, { ALCH_SCOPE_TABLE, "mariadb_data_directory" }, { ALCH_SCOPE_TABLE, "mariadb_default_character_set" },
  { ALCH_SCOPE_TABLE, "mariadb_default_charset" }, { ALCH_SCOPE_TABLE, "mariadb_default_collate" }, { ALCH_SCOPE_TABLE, "mariadb_delay_key_write" },
  { ALCH_SCOPE_TABLE, "mariadb_encrypted" }, { ALCH_SCOPE_TABLE, "mariadb_encryption" }, { ALCH_SCOPE_TABLE, "mariadb_encryption_key_id" },
  { ALCH_SCOPE_TABLE, "mariadb_engine" }, { ALCH_SCOPE_TABLE, "mariadb_ietf_quotes" }, { ALCH_SCOPE_TABLE, "mariadb_index_directory" },
  { ALCH_SCOPE_TABLE, "mariadb_insert_method" }, { ALCH_SCOPE_TABLE, "mariadb_key_block_size" }, { ALCH_SCOPE_TABLE, "mariadb_max_rows" },
  { ALCH_SCOPE_TABLE, "mariadb_min_rows" }, { ALCH_SCOPE_TABLE, "mariadb_pack_keys" }, { ALCH_SCOPE_TABLE, "mariadb_page_checksum" },
  { ALCH_SCOPE_TABLE, "mariadb_page_compressed" }, { ALCH_SCOPE_TABLE, "mariadb_page_compression_level" }, { ALCH_SCOPE_TABLE, "mariadb_partition_by" },
  { ALCH_SCOPE_TABLE, "mariadb_partitions" }, { ALCH_SCOPE_TABLE, "mariadb_password" }, { ALCH_SCOPE_TABLE, "mariadb_row_format" },
  { ALCH_SCOPE_TABLE, "mariadb_sequence" }, { ALCH_SCOPE_TABLE, "mariadb_stats_auto_recalc" }, { ALCH_SCOPE_TABLE, "mariadb_stats_persistent" },
  { ALCH_SCOPE_TABLE, "mariadb_stats_sample_pages" }, { ALCH_SCOPE_TABLE, "mariadb_subpartition_by" }, { ALCH_SCOPE_TABLE, "mariadb_subpartitions" },
  { ALCH_SCOPE_TABLE, "mariadb_transactional" }, { ALCH_SCOPE_TABLE, "mariadb_union" }, { ALCH_SCOPE_INDEX, "mariadb_length" }, { ALCH_SCOPE_INDEX, "mariadb_prefix" },
  { ALCH_SCOPE_INDEX, "mariadb_with_parser" }, { ALCH_SCOPE_INDEX | ALCH_SCOPE_PRIMARY_KEY, "mariadb_using" }, { ALCH_SCOPE_WRITING, "mariadb_limit" }, { 0, NULL },
};

static const char *const server_words[] = { "MariaDB", NULL };

#define CAPABILITIES \
  (CAN(INSERT_RETURNING) | CAN(ORDERED_RETURNING) | CAN(DELETE_RETURNING) | CAN(LAST_INSERT_ID) | CAN(BOOLEAN_WORDS) | CAN(BACKSLASH_ESCAPES) | CAN(AGGREGATE_ORDER) | \
   CAN(FRAME_LITERALS) | CAN(COMMENTS) | CAN(INLINE_COMMENTS) | CAN(REPLACE_VIEWS) | CAN(SEQUENCES) | CAN(OPTIONAL_SEQUENCES) | CAN(MULTI_VALUES) | \
   CAN(DEFAULT_KEYWORD) | CAN(CONDITION_VALUES) | CAN(TABLE_ALIAS_AS) | CAN(ORDER_LABELS) | CAN(GROUP_LABELS) | CAN(RECURSIVE_WORD) | \
   CAN(NAMELESS_COLUMN_CHECKS) | CAN(CTE) | CAN(VALUES_QUERY) | CAN(CTE_NESTED) | CAN(FOR_UPDATE) | CAN(ROW_VALUES) | CAN(COMPOUND_PARENTHESES) | \
   CAN(UPDATE_TABLES) | CAN(DELETE_USING) | CAN(DML_FROM_TARGET) | CAN(CTE_FOLLOWS_INSERT) | CAN(WINDOWS) | CAN(ALTER_CONSTRAINT) | \
   CAN(IF_EXISTS) | CAN(SCHEMAS) | CAN(NATIVE_ENUM) | CAN(CROSS_SCHEMA_KEYS))

/* Replication to servers that think two digits too many was once kept alive by "5.5.5-" before the version. */
#define RECORD(symbol, called, major, minor, its_options, store) \
  const alch_dialect alch_dialect_##symbol = { \
    .name = called, \
    .transactions = &alch_mysql_transactions, \
    .version_major = major, \
    .version_minor = minor, \
    .version_prefix = "5.5.5-", \
    .server_words = server_words, \
    .has_table = ALCH_MYSQL_HAS_TABLE " AND table_type <> 'SEQUENCE'", \
    .has_sequence = ALCH_MYSQL_HAS_TABLE " AND table_type = 'SEQUENCE'", \
    .options = its_options, \
    .to_database = store, \
    .capabilities = CAPABILITIES, \
    .quote_open = '`', \
    .quote_close = '`', \
    .placeholder = ALCH_PLACEHOLDER_QUESTION, \
    .identifier_limit = 255, \
    .name_limit = 64, \
    .string_aggregate = "group_concat", \
    .string_separator = " SEPARATOR ", \
    .parameter_limit = 65535, \
    .reserved_words = reserved_words, \
    .reserved_word_count = ALCH_COUNT(reserved_words) - 1, \
    .select_clauses = alch_mysql_select_clauses, \
    .update_clauses = alch_mysql_update_clauses, \
    .delete_clauses = alch_mysql_delete_clauses, \
    .source_hint = alch_mysql_source_hint, \
    .operator_spellings = alch_mysql_operator_spellings, \
    .renderers = alch_mysql_renderers, \
    .type_name = alch_mysql_type_name, \
    .type_words = alch_mariadb_type_words, \
    .functions = alch_mysql_functions, \
    .column_parts = alch_mysql_column_parts, \
    .ddl_parts = alch_mysql_ddl_parts, \
    .literal = alch_mysql_literal, \
    .from_database = alch_mysql_from_database, \
    .converts = alch_mysql_converts, \
  }

RECORD(mariadb, "mariadb", 10, 7, options, alch_mariadb_to_database);        /* UUID */
RECORD(mariadb_10_5, "mariadb", 10, 5, options, alch_mysql_to_database);     /* RETURNING */

/* The same servers under the name of MySQL, with its options and its variants of types: what mysql:// becomes at a MariaDB. */
RECORD(mysql_mariadb, "mysql", 10, 7, alch_mysql_options, alch_mariadb_to_database);
RECORD(mysql_mariadb_10_5, "mysql", 10, 5, alch_mysql_options, alch_mysql_to_database);
