/* The dialect of no database: for printing statements, as SQLAlchemy prints them without an engine. */
#include "sql/compiler.h"
#include "sql/ddl_part.h"

extern const alch_dialect alch_dialect_default;

#define CAN(capability) ALCH_CAN(capability)

static const char *const reserved_words[] = {
  "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between", "binary", "both", "case", "cast",
  "check", "collate", "column", "constraint", "create", "cross", "current_date", "current_role", "current_time", "current_timestamp", "current_user",
  "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "for", "foreign", "freeze", "from", "full", "grant", "group",
  "having", "ilike", "in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "leading", "left", "like", "limit", "localtime",
  "localtimestamp", "natural", "new", "not", "notnull", "null", "off", "offset", "old", "on", "only", "or", "order", "outer", "overlaps", "placing",
  "primary", "references", "right", "select", "session_user", "set", "similar", "some", "symmetric", "table", "then", "to", "trailing", "true",
  "union", "unique", "user", "using", "verbose", "when", "where", NULL
};

static const uint8_t select_clauses[] = { ALCH_NODE_WITH,     ALCH_NODE_PREFIXES, ALCH_NODE_DISTINCT, ALCH_NODE_COLUMNS, ALCH_NODE_FROM,       ALCH_NODE_WHERE, ALCH_NODE_GROUP_BY,
                                          ALCH_NODE_HAVING,   ALCH_NODE_ORDER_BY, ALCH_NODE_LIMIT,    ALCH_NODE_OFFSET,  ALCH_NODE_FETCH,      ALCH_NODE_FOR_UPDATE, ALCH_NODE_HINTS, ALCH_NODE_SUFFIXES, 0 };

static const char *const operator_spellings[ALCH_OPERATOR_COUNT] = { [ALCH_OPERATOR_REGEXP] = " <regexp> ", [ALCH_OPERATOR_NOT_REGEXP] = " <not regexp> ", [ALCH_OPERATOR_REGEXP_REPLACE] = "<regexp replace>",
  [ALCH_OPERATOR_CONTAINS] = " @> ", [ALCH_OPERATOR_CONTAINED_BY] = " <@ ", [ALCH_OPERATOR_OVERLAP] = " && ", [ALCH_OPERATOR_HAS_KEY] = " ? ", [ALCH_OPERATOR_HAS_ALL] = " ?& ", [ALCH_OPERATOR_HAS_ANY] = " ?| ",
  [ALCH_OPERATOR_PATH_EXISTS] = " @? ", [ALCH_OPERATOR_PATH_MATCH] = " @@ ", [ALCH_OPERATOR_DELETE_PATH] = " #- ", [ALCH_OPERATOR_STRICTLY_LEFT_OF] = " << ", [ALCH_OPERATOR_STRICTLY_RIGHT_OF] = " >> ",
  [ALCH_OPERATOR_NOT_EXTEND_RIGHT_OF] = " &< ", [ALCH_OPERATOR_NOT_EXTEND_LEFT_OF] = " &> ", [ALCH_OPERATOR_ADJACENT_TO] = " -|- " };

static const struct alch_renderer_override renderers[] = { { 0, NULL } };

static const struct alch_function_spelling functions[] = { { NULL, NULL, false } };

static alch_status source_hint(alch_compiler *compiler, const alch_node *words, bool before) {
  if (before) return compiler->status;
  alch_write(compiler, " [");
  alch_render_words(compiler, words);
  alch_write_char(compiler, ']');
  return compiler->status;
}

static const struct alch_option_name options[] = { { 0, NULL } };

static const uint8_t column_parts[] = { ALCH_DDL_PART_COLUMN_DEFAULT, ALCH_DDL_PART_COLUMN_COMPUTED, ALCH_DDL_PART_COLUMN_IDENTITY, ALCH_DDL_PART_COLUMN_NOT_NULL, 0 };

static alch_status type_name(const alch_dialect *dialect, const alch_type *type, const alch_column *column, struct alch_buffer *out, alch_error *error) {
  static const char *const words[ALCH_TYPE_FAMILY_COUNT] = { [ALCH_TYPE_NULL] = "NULL" };
  (void)dialect, (void)column;
  if (type->family == ALCH_TYPE_ARRAY && type->item) {
    alch_status status = alch_type_write(dialect, type->item, NULL, out, error);
    for (int i = 0; i < (type->dimensions > 0 ? type->dimensions : 1) && status == ALCH_OK; i++) alch_buffer_add(out, "[]");
    return status;
  }
  return alch_type_name_write(words, type, out, error);
}

static bool converts(const alch_type *type, bool to_database) {
  (void)type, (void)to_database;
  return false;
}

const alch_dialect alch_dialect_default = {
  .name = "default",
  .capabilities = CAN(INSERT_RETURNING) | CAN(UPDATE_RETURNING) | CAN(DELETE_RETURNING) | CAN(MULTI_VALUES) | CAN(DEFAULT_VALUES) | CAN(ON_CONFLICT) | CAN(NATIVE_BOOLEAN) | CAN(CONDITION_VALUES) | CAN(TABLE_ALIAS_AS) | CAN(ORDER_LABELS) | CAN(GROUP_LABELS) | CAN(RECURSIVE_WORD) | CAN(CTE) | CAN(CTE_WRITES) | CAN(CTE_NESTED) | CAN(CTE_MATERIALIZED) | CAN(VALUES_TABLE) | CAN(VALUES_QUERY) | CAN(TABLESAMPLE) | CAN(ORDINALITY) | CAN(DML_CTE) |
                  CAN(FOR_UPDATE) | CAN(ROW_VALUES) | CAN(OFFSET_ALONE) | CAN(COMPOUND_PARENTHESES) | CAN(FULL_JOIN) | CAN(LATERAL) | CAN(FILTER) | CAN(WINDOW_GROUPS) | CAN(WINDOW_EXCLUDE) | CAN(AGGREGATE_ORDER) | CAN(WINDOWS) |
                  CAN(DISTINCT_ON) | CAN(UPDATE_FROM) | CAN(DELETE_USING) | CAN(FETCH) | CAN(BETWEEN_SYMMETRIC) | CAN(TRY_CAST) | CAN(GROUPING_SETS) | CAN(REGEXP_FLAGS) | CAN(ALTER_CONSTRAINT) | CAN(TABLE_FUNCTIONS) | CAN(IF_EXISTS) | CAN(PARTIAL_INDEX) | CAN(EXPRESSION_INDEX) |
                  CAN(SCHEMAS) | CAN(IDENTITY) | CAN(CROSS_SCHEMA_KEYS) | CAN(ARRAYS) | CAN(COMMENTS) | CAN(SEQUENCES) | CAN(MATERIALIZED_VIEWS) | CAN(REPLACE_VIEWS),
  .quote_open = '"',
  .quote_close = '"',
  .placeholder = ALCH_PLACEHOLDER_COLON,
  .parameter_limit = 32766,
  .reserved_words = reserved_words,
  .reserved_word_count = ALCH_COUNT(reserved_words) - 1,
  .select_clauses = select_clauses,
  .operator_spellings = operator_spellings,
  .renderers = renderers,
  .type_name = type_name,
  .any_type = true,
  .functions = functions,
  .source_hint = source_hint,
  .options = options,
  .column_parts = column_parts,
  .converts = converts,
};
