/* DDL of MySQL and MariaDB (SQLAlchemy: MySQLDDLCompiler in dialects/mysql/base.py). */
#include "sql/block.h"
#include "sql/ddl_part.h"
#include "sql/dialects/mysql.h"
#include <string.h>
#include <strings.h>

/* ---- options: MariaDB's index options are MySQL's where it has none of its own ---- */

static const alch_option *shared_option(const alch_ddl *d, const alch_options *options, const char *own, const char *shared) {
  const alch_option *option = alch_ddl_option(d, options, own);
  return option ? option : alch_option_find(options, shared);
}

/* ---- columns ---- */

static bool is_timestamp(const alch_ddl *d, const alch_column *column) {
  const alch_type *type = alch_type_in(alch_catalog_type(d->catalog, column->type), d->dialect->name);
  return type->word && strcmp(type->word, "TIMESTAMP") == 0;
}

/* A TIMESTAMP is NOT NULL unless it says otherwise. Where a generated column cannot be NOT NULL, one whose nullability was not said is let be. */
static alch_status column_not_null(alch_ddl *d) {
  const alch_column *column = d->column;
  bool open = column->computed && !alch_mysql_has(d->dialect, ALCH_MYSQL_COMPUTED_NOT_NULL);
  if (open && column->primary_key) return alch_ddl_unsupported(d, "primary key on a generated column", "make it a plain column that a trigger fills, or a unique one");
  if (open && column->nullable_given && !column->nullable) return alch_ddl_unsupported(d, "NOT NULL on a generated column", "leave nullable out, and check the columns that it is reckoned from");
  if (!column->nullable && !open) alch_ddl_add(d, " NOT NULL");
  else if (is_timestamp(d, column)) alch_ddl_add(d, " NULL");
  return ALCH_OK;
}

static alch_status column_comment(alch_ddl *d) {
  if (!d->column->comment) return ALCH_OK;
  alch_ddl_add(d, " COMMENT ");
  return alch_ddl_literal(d, d->column->comment);
}

static alch_status column_key(alch_ddl *d) {
  if (alch_ddl_numbers_itself(d, d->column)) alch_ddl_add(d, " AUTO_INCREMENT");
  return ALCH_OK;
}

/* ---- defaults ---- */

static bool begins_with(const char *text, const char *word) { return strncasecmp(text, word, strlen(word)) == 0; }

/* now(6) and its like, and what follows ON UPDATE, stand without parentheses; so does a single word. */
static bool is_plain_default(const char *text) {
  static const char *const moments[] = { "now(", "current_timestamp(" };
  for (size_t i = 0; i < ALCH_COUNT(moments); i++) {
    size_t length = strlen(moments[i]);
    if (begins_with(text, moments[i]) && text[length] >= '0' && text[length] <= '9') return true;
  }
  for (const char *at = text; *at; at++) {
    if (begins_with(at, "on update")) return true;
    bool word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' || (unsigned char)*at >= 0x80;
    if (!word && !strcasestr(at, "on update")) return false;
  }
  return true;
}

/* Before 8.0.13 a default is a constant, or the present moment. */
static bool is_constant_default(const char *text) {
  static const char *const moments[] = { "now(", "current_timestamp", "localtime", "localtimestamp", "null", "true", "false", "b'", "x'" };
  for (size_t i = 0; i < ALCH_COUNT(moments); i++)
    if (begins_with(text, moments[i])) return true;
  return (*text >= '0' && *text <= '9') || *text == '\'' || *text == '"' || *text == '-' || *text == '+';
}

/* Digits behind the second that the column keeps; 0: none, or it is no moment. */
static int moment_digits(const alch_ddl *d) {
  const alch_type *type = alch_type_in(alch_catalog_type(d->catalog, d->column->type), d->dialect->name);
  if (type->family != ALCH_TYPE_DATETIME) return 0;
  return !type->word ? 6 : type->precision > 0 ? type->precision : 0;
}

static bool take(const char **at, const char *word) {
  const char *from = *at + strspn(*at, " ");
  if (!begins_with(from, word)) return false;
  *at = from + strlen(word);
  return true;
}

/* now() or CURRENT_TIMESTAMP, with as many digits as the column has. */
static bool take_moment(const char **at, int digits, alch_buffer *out) {
  bool now = take(at, "now"), brackets;
  if (!now && !take(at, "current_timestamp")) return false;
  brackets = take(at, "(");
  if (brackets ? !take(at, ")") : now) return false;
  alch_buffer_add_format(out, "%s(%d)", now ? "now" : "CURRENT_TIMESTAMP", digits);
  return true;
}

/* The default of a moment with digits must say as many: CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6). MySQL refuses another number, and a clock of whole seconds is not what was asked for. */
static bool write_moment_default(const char *text, int digits, alch_buffer *out) {
  if (!take_moment(&text, digits, out)) return false;
  if (take(&text, "on update")) {
    alch_buffer_add(out, " ON UPDATE ");
    if (!take_moment(&text, digits, out)) return false;
  }
  return text[strspn(text, " ")] == '\0';
}

static bool replace_moment(alch_ddl *d, size_t start) {
  int digits = moment_digits(d);
  alch_buffer written;
  alch_buffer_init(&written, d->out->allocator);
  bool replaced = digits > 0 && write_moment_default(d->out->text + start, digits, &written);
  if (replaced) {
    d->out->length = start;
    alch_buffer_add(d->out, alch_buffer_text(&written));
  }
  alch_buffer_close(&written);
  return replaced;
}

static alch_status wrap_default(alch_ddl *d, size_t start) {
  const char *text = d->out->text + start + strspn(d->out->text + start, " ");
  if (alch_buffer_failed(d->out)) return alch_ddl_done(d);
  if (replace_moment(d, start)) return ALCH_OK;
  if (!alch_mysql_has(d->dialect, ALCH_MYSQL_DEFAULT_EXPRESSIONS))
    return is_constant_default(text) ? ALCH_OK : alch_ddl_unsupported(d, "expressions as DEFAULT", "they came with version 8.0; set the value with a client-side default, or a trigger");
  if (strchr("'\"(", *text) || is_plain_default(text)) return ALCH_OK;
  alch_buffer_insert(d->out, start, "(", 1);
  alch_buffer_add_char(d->out, ')');
  return ALCH_OK;
}

/* A long text and a JSON value have no constant as their default, but an expression. */
static bool wants_expression(const alch_ddl *d) {
  const alch_type *type = alch_type_in(alch_catalog_type(d->catalog, d->column->type), d->dialect->name);
  if (!alch_mysql_has(d->dialect, ALCH_MYSQL_JSON_TYPE)) return false;
  return type->family == ALCH_TYPE_TEXT || type->family == ALCH_TYPE_UNICODE_TEXT || type->family == ALCH_TYPE_JSON || (type->family == ALCH_TYPE_LARGE_BINARY && !(type->word && strstr(type->word, "BINARY")));
}

static alch_status constant_default(alch_ddl *d) {
  const alch_default *given = &d->column->server_default;
  bool expression = wants_expression(d);
  if (expression && !alch_mysql_has(d->dialect, ALCH_MYSQL_DEFAULT_EXPRESSIONS)) return alch_ddl_unsupported(d, "default of a TEXT, BLOB or JSON column", "it came with version 8.0; make it a String, or set the value with a client-side default");
  if (expression) alch_buffer_add_char(d->out, '(');
  alch_status status = given->kind == ALCH_DEFAULT_TEXT ? alch_ddl_literal(d, given->text) : alch_render_literal(d->dialect, alch_catalog_type(d->catalog, d->column->type), &given->value, d->out, d->error);
  if (expression) alch_buffer_add_char(d->out, ')');
  return status;
}

static alch_status column_default(alch_ddl *d) {
  const alch_default *given = &d->column->server_default;
  if (given->kind != ALCH_DEFAULT_VALUE && given->kind != ALCH_DEFAULT_TEXT && given->kind != ALCH_DEFAULT_SQL) return ALCH_OK;
  if (d->column->primary_key && alch_ddl_numbers_itself(d, d->column)) return ALCH_OK;
  alch_ddl_add(d, " DEFAULT ");
  if (given->kind != ALCH_DEFAULT_SQL) return constant_default(d);
  size_t start = d->out->length;
  alch_status status = alch_ddl_value(d, given->block);
  return status == ALCH_OK ? wrap_default(d, start) : status;
}

/* ---- options of tables ---- */

/* How they are written: name and value with a sign between; texts in quotes; those of partitions behind all others, in their own order. */
static const struct table_option { const char *name, *words; bool text; } table_options[] = {
  { "character_set", "CHARACTER SET ", false },
  { "collate", "COLLATE ", false },
  { "comment", "COMMENT=", true },
  { "connection", "CONNECTION=", true },
  { "data_directory", "DATA DIRECTORY=", true },
  { "default_character_set", "DEFAULT CHARACTER SET ", false },
  { "default_charset", "DEFAULT CHARSET=", false },
  { "default_collate", "DEFAULT COLLATE=", false },
  { "index_directory", "INDEX DIRECTORY=", true },
  { "password", "PASSWORD=", true },
  { "tablespace", "TABLESPACE ", false },
};

static const char *const partition_options[][2] = {
  { "partition_by", "PARTITION BY " }, { "partitions", "PARTITIONS " }, { "subpartition_by", "SUBPARTITION BY " }, { "subpartitions", "SUBPARTITIONS " },
};

/* The part of an option's name behind the dialect's; NULL when it is another dialect's. */
static const char *own_name(const alch_ddl *d, const alch_option *option) {
  size_t length = strlen(d->dialect->name);
  bool own = strncmp(option->name, d->dialect->name, length) == 0 && option->name[length] == '_';
  return own ? option->name + length + 1 : NULL;
}

static bool is_partition_option(const char *name) {
  for (size_t i = 0; i < ALCH_COUNT(partition_options); i++)
    if (strcmp(partition_options[i][0], name) == 0) return true;
  return false;
}

static alch_status write_value(alch_ddl *d, const alch_option *option, bool text) {
  const char *given = alch_option_text(option);
  if (given && text) return alch_ddl_literal(d, given);
  if (given) alch_ddl_add(d, given);
  else alch_buffer_add_integer(d->out, option->value.integer);
  return ALCH_OK;
}

static void separate(alch_ddl *d, bool *first) {
  if (!*first) alch_buffer_add_char(d->out, ' ');
  *first = false;
}

static void write_upper(alch_ddl *d, const char *name) {
  for (; *name; name++) alch_buffer_add_char(d->out, *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
}

static alch_status write_option(alch_ddl *d, const char *name, const alch_option *option, bool *first) {
  separate(d, first);
  for (size_t i = 0; i < ALCH_COUNT(table_options); i++) {
    if (strcmp(table_options[i].name, name) != 0) continue;
    alch_ddl_add(d, table_options[i].words);
    return write_value(d, option, table_options[i].text);
  }
  write_upper(d, name);
  alch_buffer_add_char(d->out, '=');
  return write_value(d, option, false);
}

/* The engine, then by name: the options come in no order of their own. */
static bool is_before(const char *left, const char *right) {
  bool engine = strcmp(left, "engine") == 0, other = strcmp(right, "engine") == 0;
  return engine != other ? engine : strcmp(left, right) < 0;
}

static const alch_option *next_option(const alch_ddl *d, const char *last) {
  const alch_option *next = NULL;
  for (const alch_option *option = d->table->options.first; option; option = option->next) {
    const char *name = own_name(d, option);
    if (name && (!last || is_before(last, name)) && (!next || is_before(name, own_name(d, next)))) next = option;
  }
  return next;
}

/* The collation belongs to the character set that stands before it. */
static alch_status write_options(alch_ddl *d, bool *first) {
  const alch_option *collation = NULL, *option;
  alch_status status = ALCH_OK;
  for (const char *name = NULL; status == ALCH_OK && (option = next_option(d, name)) != NULL;) {
    name = own_name(d, option);
    if (is_partition_option(name) || (d->table->comment && strcmp(name, "comment") == 0)) continue;
    if (strcmp(name, "collate") == 0) collation = option;
    else status = write_option(d, name, option, first);
  }
  if (d->table->comment && status == ALCH_OK) {
    separate(d, first);
    alch_ddl_add(d, "COMMENT=");
    status = alch_ddl_literal(d, d->table->comment);
  }
  return collation && status == ALCH_OK ? write_option(d, "collate", collation, first) : status;
}

static alch_status table_suffix(alch_ddl *d) {
  bool first = true;
  alch_status status = write_options(d, &first);
  for (size_t i = 0; i < ALCH_COUNT(partition_options) && status == ALCH_OK; i++) {
    const alch_option *option = alch_ddl_option(d, &d->table->options, partition_options[i][0]);
    if (!option) continue;
    separate(d, &first);
    alch_ddl_add(d, partition_options[i][1]);
    status = write_value(d, option, false);
  }
  return status;
}

/* ---- indexes ---- */

static alch_status index_words(alch_ddl *d) {
  const char *prefix = alch_ddl_option_text(d, &d->index->options, "prefix");
  if (!prefix) return ALCH_OK;
  alch_status status = alch_ddl_word(d, prefix);
  alch_buffer_add_char(d->out, ' ');
  return status;
}

/* How many of a column's characters are in the index: one number for all columns, or one for each by name. */
static void write_length(alch_ddl *d, const alch_column *column) {
  const alch_option *option = alch_ddl_option(d, &d->index->options, "length");
  if (option && option->kind == ALCH_OPTION_VALUE) alch_buffer_add_format(d->out, "(%lld)", (long long)option->value.integer);
  if (!option || option->kind != ALCH_OPTION_MAP) return;
  for (uint32_t i = 0; i < option->count; i++)
    if (strcmp(option->items[i].name, column->key) == 0 || strcmp(option->items[i].name, column->name) == 0) alch_buffer_add_format(d->out, "(%lld)", (long long)option->items[i].value.integer);
}

static const alch_column *column_at(const alch_ddl *d, const alch_node *node) {
  const alch_table *table = node->kind == ALCH_NODE_COLUMN ? alch_catalog_table(d->catalog, node->a) : NULL;
  return table && node->b < table->column_count ? table->columns[node->b] : NULL;
}

static const char *direction_of(const alch_node *node) {
  if (node->kind != ALCH_NODE_UNARY) return NULL;
  return node->op == ALCH_OPERATOR_DESC ? " DESC" : node->op == ALCH_OPERATOR_ASC ? " ASC" : NULL;
}

/* An expression stands in parentheses of its own; the direction behind them, as behind a column. */
static alch_status write_expression(alch_ddl *d, const alch_block *block) {
  const alch_node *root = alch_block_root(block);
  if (!alch_ddl_can(d, ALCH_CAPABILITY_EXPRESSION_INDEX)) return alch_ddl_unsupported(d, "indexes on expressions", "make it a generated column and index that");
  if (root->kind == ALCH_NODE_TEXT || root->kind == ALCH_NODE_LITERAL || root->kind == ALCH_NODE_GROUPING) return alch_ddl_expression(d, block);
  const char *direction = direction_of(root);
  size_t start = d->out->length, length = direction ? strlen(direction) : 0;
  alch_status status = alch_ddl_expression(d, block);
  if (status != ALCH_OK || alch_buffer_failed(d->out)) return status;
  alch_buffer_insert(d->out, start, "(", 1);
  alch_buffer_insert(d->out, d->out->length - length, ")", 1);
  return ALCH_OK;
}

static alch_status index_place(alch_ddl *d) {
  const alch_column *column = d->index->columns[d->place];
  const alch_block *block = column ? NULL : d->index->expressions[d->place];
  const char *direction = block ? direction_of(alch_block_root(block)) : NULL;
  if (direction) column = column_at(d, alch_node_child(alch_block_root(block)));
  if (!column) return write_expression(d, block);
  alch_ddl_column_name(d, column);
  write_length(d, column);
  if (direction) alch_ddl_add(d, direction);
  return ALCH_OK;
}

static alch_status write_using(alch_ddl *d, const alch_options *options) {
  const char *method = alch_option_text(shared_option(d, options, "using", "mysql_using"));
  if (!method) return ALCH_OK;
  alch_ddl_add(d, " USING ");
  alch_ddl_quote(d, method, 0);
  return ALCH_OK;
}

static alch_status index_suffix(alch_ddl *d) {
  const char *parser = alch_option_text(shared_option(d, &d->index->options, "with_parser", "mysql_with_parser"));
  if (parser) {
    alch_ddl_add(d, " WITH PARSER ");
    if (alch_ddl_word(d, parser) != ALCH_OK) return ALCH_ERROR;
  }
  return write_using(d, &d->index->options);
}

static alch_status drop_index(alch_ddl *d) {
  alch_ddl_add(d, "DROP INDEX ");
  alch_status status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_INDEX, "IF EXISTS ");
  if (status == ALCH_OK) status = alch_ddl_index_name(d, false);
  alch_ddl_add(d, " ON ");
  alch_ddl_table_name(d, d->index->table, true);
  return status;
}

/* ---- constraints ---- */

static alch_status key_suffix(alch_ddl *d) { return d->constraint->kind == ALCH_CONSTRAINT_PRIMARY_KEY ? write_using(d, &d->constraint->options) : ALCH_OK; }

static alch_status foreign_match(alch_ddl *d) {
  return d->constraint->match ? alch_ddl_unsupported(d, "MATCH of a foreign key", "it would be ignored, and ON UPDATE and ON DELETE with it; leave it out") : ALCH_OK;
}

/* What is checked at once says so nowhere. */
static alch_status deferrability(alch_ddl *d) {
  const alch_constraint *constraint = d->constraint;
  bool deferred = constraint->initially && strcasecmp(constraint->initially, "DEFERRED") == 0;
  return deferred || constraint->deferrable == 1 ? alch_ddl_unsupported(d, "deferrable constraints", "leave deferrable and initially out") : ALCH_OK;
}

static alch_status drop_constraint(alch_ddl *d) {
  static const char *const words[] = { [ALCH_CONSTRAINT_PRIMARY_KEY] = " DROP PRIMARY KEY", [ALCH_CONSTRAINT_FOREIGN_KEY] = " DROP FOREIGN KEY ", [ALCH_CONSTRAINT_UNIQUE] = " DROP INDEX ",
                                       [ALCH_CONSTRAINT_CHECK] = " DROP CONSTRAINT ", [ALCH_CONSTRAINT_EXCLUDE] = " DROP CONSTRAINT " };
  bool named = true, check = d->constraint->kind == ALCH_CONSTRAINT_CHECK;
  if (d->cascade) return alch_ddl_unsupported(d, "CASCADE of DROP CONSTRAINT", "drop what hangs on it first");
  if (check && alch_mysql_has(d->dialect, ALCH_MYSQL_NO_CHECK)) return alch_ddl_unsupported(d, "checks that are kept", "there is none to be dropped");
  alch_ddl_add(d, "ALTER TABLE ");
  alch_ddl_table_name(d, d->constraint->table, true);
  alch_ddl_add(d, check && alch_mysql_has(d->dialect, ALCH_MYSQL_DROP_CHECK) ? " DROP CHECK " : words[d->constraint->kind]);
  if (d->constraint->kind == ALCH_CONSTRAINT_PRIMARY_KEY) return ALCH_OK;
  alch_status status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_CONSTRAINT, "IF EXISTS ");
  if (status == ALCH_OK) status = alch_ddl_constraint_name(d, "", "", &named);
  if (status != ALCH_OK || named) return status;
  return alch_error_set(d->error, ALCH_ERROR_COMPILE, "Can't emit DROP CONSTRAINT for a constraint of table '%s' that has no name; give it one, or the MetaData a naming_convention",
                        d->constraint->table->full_name);
}

/* ---- comments: parts of the table and of the column ---- */

static alch_status alter_comment(alch_ddl *d, const char *comment) {
  alch_ddl_add(d, "ALTER TABLE ");
  alch_ddl_table_name(d, d->table, true);
  alch_ddl_add(d, " COMMENT ");
  return alch_ddl_literal(d, comment);
}

static alch_status set_table_comment(alch_ddl *d) { return alter_comment(d, d->table->comment ? d->table->comment : ""); }
static alch_status drop_table_comment(alch_ddl *d) { return alter_comment(d, ""); }

/* A column's comment is changed with the whole column. */
static alch_status change_column(alch_ddl *d, bool comment) {
  alch_ddl_add(d, "ALTER TABLE ");
  alch_ddl_table_name(d, d->column->table, true);
  alch_ddl_add(d, " CHANGE ");
  alch_ddl_column_name(d, d->column);
  alch_buffer_add_char(d->out, ' ');
  alch_ddl_column_name(d, d->column);
  alch_status status = alch_ddl_write(d, ALCH_DDL_PART_COLUMN_TYPE);
  for (const uint8_t *part = d->dialect->column_parts; *part && status == ALCH_OK; part++) {
    if (*part == ALCH_DDL_PART_COLUMN_KEY && !d->column->primary_key) continue;
    if (*part != ALCH_DDL_PART_COLUMN_COMMENT || comment) status = alch_ddl_write(d, *part);
  }
  return status;
}

static alch_status set_column_comment(alch_ddl *d) { return change_column(d, true); }
static alch_status drop_column_comment(alch_ddl *d) { return change_column(d, false); }

/* ---- sequences, schemas, views ---- */

static alch_status counting(alch_ddl *d) {
  alch_counting without = *d->counting;
  size_t start = d->out->length;
  alch_choice cycle = without.cycle;
  without.cycle = ALCH_UNSAID;
  d->counting = &without;
  alch_status status = alch_ddl_write_default(d, ALCH_DDL_PART_COUNTING);
  d->counting = NULL;
  if (without.order != ALCH_UNSAID && status == ALCH_OK) return alch_ddl_unsupported(d, "ORDER of a sequence", "leave it out");
  if (cycle == ALCH_UNSAID) return status;
  if (d->out->length > start) alch_buffer_add_char(d->out, ' ');
  alch_ddl_add(d, cycle == ALCH_YES ? "CYCLE" : "NOCYCLE");
  return status;
}

static alch_status drop_schema(alch_ddl *d) {
  if (d->cascade) return alch_ddl_unsupported(d, "CASCADE of DROP SCHEMA", "leave it out: all that is in the schema goes with it");
  return alch_ddl_write_default(d, ALCH_DDL_PART_DROP_SCHEMA);
}

static alch_status create_view(alch_ddl *d) {
  if (d->table->view->temporary) return alch_ddl_unsupported(d, "temporary views", "write CreateTableAs with temporary = true for a copy of the rows");
  return alch_ddl_write_default(d, ALCH_DDL_PART_CREATE_VIEW);
}

const struct alch_ddl_override alch_mysql_ddl_parts[] = {
  { ALCH_DDL_PART_COLUMN_NOT_NULL, column_not_null },
  { ALCH_DDL_PART_COLUMN_COMMENT, column_comment },
  { ALCH_DDL_PART_COLUMN_KEY, column_key },
  { ALCH_DDL_PART_COLUMN_DEFAULT, column_default },
  { ALCH_DDL_PART_TABLE_SUFFIX, table_suffix },
  { ALCH_DDL_PART_INDEX_WORDS, index_words },
  { ALCH_DDL_PART_INDEX_PLACE, index_place },
  { ALCH_DDL_PART_INDEX_SUFFIX, index_suffix },
  { ALCH_DDL_PART_DROP_INDEX, drop_index },
  { ALCH_DDL_PART_KEY_SUFFIX, key_suffix },
  { ALCH_DDL_PART_FOREIGN_MATCH, foreign_match },
  { ALCH_DDL_PART_DEFERRABILITY, deferrability },
  { ALCH_DDL_PART_DROP_CONSTRAINT, drop_constraint },
  { ALCH_DDL_PART_SET_TABLE_COMMENT, set_table_comment },
  { ALCH_DDL_PART_DROP_TABLE_COMMENT, drop_table_comment },
  { ALCH_DDL_PART_SET_COLUMN_COMMENT, set_column_comment },
  { ALCH_DDL_PART_DROP_COLUMN_COMMENT, drop_column_comment },
  { ALCH_DDL_PART_COUNTING, counting },
  { ALCH_DDL_PART_DROP_SCHEMA, drop_schema },
  { ALCH_DDL_PART_CREATE_VIEW, create_view },
  { 0, NULL },
};
