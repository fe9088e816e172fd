/* DDL, in the layout of SQLAlchemy's DDLCompiler (sql/compiler.py): the table of parts, and what their writers share. */
#include "base/digest.h"
#include "sql/ddl_part.h"
#include <string.h>

typedef alch_status (*writer)(alch_ddl *d);

static const writer default_writers[ALCH_DDL_PART_COUNT] = {
#define ALCH_DDL_PART(symbol, function) [ALCH_DDL_PART_##symbol] = alch_ddl_##function,
#include "sql/ddl_part.def"
#undef ALCH_DDL_PART
};

alch_status alch_ddl_write_default(alch_ddl *d, alch_ddl_part part) {
  return default_writers[part](d);
}

alch_status alch_ddl_write(alch_ddl *d, alch_ddl_part part) {
  for (const struct alch_ddl_override *one = d->dialect->ddl_parts; one && one->part; one++)
    if (one->part == part) return one->write(d);
  return default_writers[part](d);
}

/* ---- names ---- */

void alch_quote_table(const alch_dialect *dialect, const alch_table *table, bool with_schema, alch_buffer *out) {
  if (with_schema && table->schema) {
    alch_quote_schema(dialect, table->schema, out);
    alch_buffer_add_char(out, '.');
  }
  alch_quote_identifier(dialect, table->name, table->quote, out);
}

void alch_ddl_columns(alch_ddl *d, alch_column *const *columns, uint32_t count) {
  alch_buffer_add_char(d->out, '(');
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) alch_buffer_add(d->out, ", ");
    alch_ddl_column_name(d, columns[i]);
  }
  alch_buffer_add_char(d->out, ')');
}

alch_status alch_ddl_named_columns(alch_ddl *d, const char *words, const alch_table *table, const alch_option *option) {
  alch_column *column;
  if (!option || option->kind != ALCH_OPTION_LIST || option->count == 0) return ALCH_OK;
  alch_ddl_add(d, words);
  for (uint32_t i = 0; i < option->count; i++) {
    const char *name = option->items[i].value.kind == ALCH_TEXT ? option->items[i].value.text : "";
    if (alch_table_require_column(table, name, &column, d->error) != ALCH_OK) return ALCH_ERROR;
    alch_ddl_add(d, i > 0 ? ", " : "(");
    alch_ddl_column_name(d, column);
  }
  alch_buffer_add_char(d->out, ')');
  return ALCH_OK;
}

/* A name that nobody wrote may be cut; its hash tells it from others that begin alike. SQLAlchemy makes the same one. */
static void short_name(alch_ddl *d, const char *name, uint32_t limit) {
  char digest[33];
  alch_buffer cut;
  size_t kept = limit - 8;
  while (kept > 0 && ((unsigned char)name[kept] & 0xc0) == 0x80) kept--;
  alch_md5_text(name, strlen(name), digest);
  alch_buffer_init(&cut, d->out->allocator);
  alch_buffer_add_bytes(&cut, name, kept);
  alch_buffer_add_format(&cut, "_%s", digest + 28);
  if (alch_buffer_failed(&cut)) d->out->failed = true;
  else alch_ddl_quote(d, cut.text, 0);
  alch_buffer_close(&cut);
}

alch_status alch_ddl_name(alch_ddl *d, const char *name, bool made) {
  uint32_t limit = d->dialect->name_limit ? d->dialect->name_limit : d->dialect->identifier_limit;
  bool fits = limit == 0 || strlen(name) <= limit;
  if (!fits && !made)
    return alch_error_set(d->error, ALCH_ERROR_IDENTIFIER, "Identifier '%s' exceeds maximum length of %u characters; give it a shorter name", name, limit);
  if (fits) alch_ddl_quote(d, name, 0);
  else short_name(d, name, limit);
  return ALCH_OK;
}

alch_status alch_ddl_constraint_name(alch_ddl *d, const char *before, const char *behind, bool *named) {
  alch_buffer name;
  alch_buffer_init(&name, d->out->allocator);
  alch_status status = alch_constraint_name(d->constraint, &name, d->error);
  if (status == ALCH_OK && alch_buffer_failed(&name)) status = alch_error_out_of_memory(d->error);
  *named = status == ALCH_OK && name.length > 0;
  if (*named) {
    alch_ddl_add(d, before);
    status = alch_ddl_name(d, name.text, alch_constraint_name_is_made(d->constraint));
    alch_ddl_add(d, behind);
  }
  alch_buffer_close(&name);
  return status;
}

alch_status alch_ddl_index_name(alch_ddl *d, bool with_schema) {
  const alch_index *index = d->index;
  if (with_schema && index->table->schema) {
    alch_quote_schema(d->dialect, index->table->schema, d->out);
    alch_buffer_add_char(d->out, '.');
  }
  return alch_ddl_name(d, index->name, index->name_is_made);
}

/* ---- text ---- */

alch_status alch_ddl_literal(alch_ddl *d, const char *text) {
  const alch_type type = ALCH_TYPE_PLAIN(ALCH_TYPE_STRING);
  const alch_value value = text ? alch_value_text(text, strlen(text)) : ALCH_VALUE_NULL;
  return alch_render_literal(d->dialect, &type, &value, d->out, d->error);
}

alch_status alch_ddl_expression(alch_ddl *d, const alch_block *block) {
  return alch_compile_ddl_expression(d->catalog, d->dialect, block, d->out, d->error);
}

alch_status alch_ddl_value(alch_ddl *d, const alch_block *block) {
  return alch_compile_ddl_value(d->catalog, d->dialect, block, d->out, d->error);
}

alch_status alch_ddl_parenthesised(alch_ddl *d, const alch_block *block) {
  alch_buffer_add_char(d->out, '(');
  alch_status status = alch_ddl_expression(d, block);
  alch_buffer_add_char(d->out, ')');
  return status;
}

alch_status alch_ddl_query(alch_ddl *d, const alch_block *block) {
  static const alch_compile_options options = { .literal_binds = true };
  alch_compiled *compiled = NULL;
  alch_status status = alch_compile(d->catalog, d->dialect, block, &options, d->out->allocator, &compiled, d->error);
  if (status == ALCH_OK) alch_buffer_add_bytes(d->out, compiled->sql, compiled->sql_length);
  alch_compiled_release(compiled);
  return status;
}

static bool takes_if_exists(const alch_ddl *d, alch_ddl_part statement) {
  if (!alch_ddl_can(d, ALCH_CAPABILITY_IF_EXISTS)) return false;
  if (!d->dialect->if_exists_parts) return true;
  for (const uint8_t *part = d->dialect->if_exists_parts; *part; part++)
    if (*part == statement) return true;
  return false;
}

alch_status alch_ddl_if_exists(alch_ddl *d, alch_ddl_part statement, const char *words) {
  if (!d->if_exists) return ALCH_OK;
  if (!takes_if_exists(d, statement))
    return alch_error_set(d->error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "dialect '%s' has no %.*s in this statement; look first whether the thing is there", d->dialect->name,
                          (int)strlen(words) - 1, words);
  alch_ddl_add(d, words);
  return ALCH_OK;
}

alch_status alch_ddl_word(alch_ddl *d, const char *word) {
  for (const char *at = word; *at; at++) {
    bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == ' ';
    if (!plain) return alch_error_set(d->error, ALCH_ERROR_ARGUMENT, "'%s' cannot stand in DDL; a word of letters and digits is expected", word);
  }
  alch_ddl_add(d, word);
  return ALCH_OK;
}

/* ---- asking ---- */

static const alch_option *option_of(const alch_options *options, const char *dialect, const char *name) {
  size_t length = strlen(dialect);
  for (const alch_option *option = options->first; option; option = option->next)
    if (strncmp(option->name, dialect, length) == 0 && option->name[length] == '_' && strcmp(option->name + length + 1, name) == 0) return option;
  return NULL;
}

const alch_option *alch_ddl_option(const alch_ddl *d, const alch_options *options, const char *name) {
  const alch_option *option = option_of(options, d->dialect->name, name);
  return option || !d->dialect->option_fallback ? option : option_of(options, d->dialect->option_fallback, name);
}

const char *alch_ddl_option_text(const alch_ddl *d, const alch_options *options, const char *name) {
  return alch_option_text(alch_ddl_option(d, options, name));
}

int alch_ddl_option_truth(const alch_ddl *d, const alch_options *options, const char *name) {
  return alch_option_truth(alch_ddl_option(d, options, name));
}

bool alch_ddl_uses_sequence(const alch_dialect *dialect, const alch_sequence *sequence) {
  if (!alch_dialect_can(dialect, ALCH_CAPABILITY_SEQUENCES)) return false;
  return !sequence->optional || !alch_dialect_can(dialect, ALCH_CAPABILITY_OPTIONAL_SEQUENCES);
}

bool alch_ddl_numbers_itself(const alch_ddl *d, const alch_column *column) {
  const alch_default *given = &column->insert_default;
  if (column->identity && alch_ddl_can(d, ALCH_CAPABILITY_IDENTITY)) return false;
  if (given->kind == ALCH_DEFAULT_SEQUENCE && alch_ddl_uses_sequence(d->dialect, given->sequence)) return false;
  return alch_table_autoincrement(column->table) == column;
}

alch_status alch_ddl_wanted(const alch_catalog *catalog, const alch_dialect *dialect, const alch_condition *condition, const void *thing, bool *wanted, alch_error *error) {
  *wanted = condition->count == 0;
  for (uint32_t i = 0; i < condition->count; i++) *wanted = *wanted || strcmp(condition->dialects[i], dialect->name) == 0;
  if (!*wanted || condition->host == 0 || !catalog->condition) return ALCH_OK;
  return catalog->condition(catalog->condition_context, condition->host, thing, dialect->name, wanted, error);
}

alch_status alch_ddl_unsupported(alch_ddl *d, const char *construct, const char *mend) {
  return alch_error_set(d->error, ALCH_ERROR_UNSUPPORTED_COMPILATION, "dialect '%s' has no %s%s%s", d->dialect->name, construct, mend ? "; " : "", mend ? mend : "");
}

/* ---- statements ---- */

static const uint8_t statement_parts[ALCH_DDL_KIND_COUNT][2] = {
  [ALCH_DDL_TABLE] = { ALCH_DDL_PART_CREATE_TABLE, ALCH_DDL_PART_DROP_TABLE },
  [ALCH_DDL_INDEX] = { ALCH_DDL_PART_CREATE_INDEX, ALCH_DDL_PART_DROP_INDEX },
  [ALCH_DDL_CONSTRAINT] = { ALCH_DDL_PART_ADD_CONSTRAINT, ALCH_DDL_PART_DROP_CONSTRAINT },
  [ALCH_DDL_SEQUENCE] = { ALCH_DDL_PART_CREATE_SEQUENCE, ALCH_DDL_PART_DROP_SEQUENCE },
  [ALCH_DDL_SCHEMA] = { ALCH_DDL_PART_CREATE_SCHEMA, ALCH_DDL_PART_DROP_SCHEMA },
  [ALCH_DDL_TYPE] = { ALCH_DDL_PART_CREATE_TYPE, ALCH_DDL_PART_DROP_TYPE },
  [ALCH_DDL_TABLE_COMMENT] = { ALCH_DDL_PART_SET_TABLE_COMMENT, ALCH_DDL_PART_DROP_TABLE_COMMENT },
  [ALCH_DDL_COLUMN_COMMENT] = { ALCH_DDL_PART_SET_COLUMN_COMMENT, ALCH_DDL_PART_DROP_COLUMN_COMMENT },
  [ALCH_DDL_CONSTRAINT_COMMENT] = { ALCH_DDL_PART_SET_CONSTRAINT_COMMENT, ALCH_DDL_PART_DROP_CONSTRAINT_COMMENT },
  [ALCH_DDL_ATTACHMENT] = { ALCH_DDL_PART_ATTACH_TABLE, ALCH_DDL_PART_DETACH_TABLE },
};

static const alch_table *table_of(const alch_ddl_statement *statement) {
  if (statement->constraint) return statement->constraint->table;
  if (statement->index) return statement->index->table;
  return statement->column ? statement->column->table : statement->table;
}

alch_status alch_compile_ddl(const alch_catalog *catalog, const alch_dialect *dialect, const alch_ddl_statement *statement, alch_buffer *out, alch_error *error) {
  alch_ddl d = { .dialect = dialect, .catalog = catalog, .out = out, .error = error, .table = table_of(statement), .column = statement->column, .constraint = statement->constraint,
                 .index = statement->index, .sequence = statement->sequence, .type = statement->type, .schema = statement->schema, .omitted = statement->omitted,
                 .omitted_count = statement->omitted_count, .if_exists = statement->if_exists, .cascade = statement->cascade };
  uint8_t part = statement_parts[statement->kind][statement->action];
  if (d.table)
    for (alch_constraint *constraint = d.table->constraints; constraint; constraint = constraint->next)
      if (alch_foreign_key_resolve(constraint, error) != ALCH_OK) return ALCH_ERROR;
  if (statement->kind == ALCH_DDL_TABLE && d.table->view)
    part = statement->action == ALCH_DDL_DROP ? (d.table->view->of_rows ? ALCH_DDL_PART_DROP_TABLE : ALCH_DDL_PART_DROP_VIEW) :
           d.table->view->of_rows ? ALCH_DDL_PART_CREATE_TABLE_AS : ALCH_DDL_PART_CREATE_VIEW;
  alch_status status = alch_ddl_write(&d, part);
  return status == ALCH_OK ? alch_ddl_done(&d) : status;
}

alch_status alch_compile_table(const alch_dialect *dialect, alch_ddl_action action, const alch_table *table, bool if_exists, alch_buffer *out, alch_error *error) {
  const alch_ddl_statement statement = { .kind = ALCH_DDL_TABLE, .action = (uint8_t)action, .if_exists = if_exists, .table = table };
  return alch_compile_ddl(table->metadata->catalog, dialect, &statement, out, error);
}

alch_status alch_compile_index(const alch_dialect *dialect, alch_ddl_action action, const alch_index *index, bool if_exists, alch_buffer *out, alch_error *error) {
  const alch_ddl_statement statement = { .kind = ALCH_DDL_INDEX, .action = (uint8_t)action, .if_exists = if_exists, .index = index };
  return alch_compile_ddl(index->table->metadata->catalog, dialect, &statement, out, error);
}

alch_status alch_compile_constraint(const alch_dialect *dialect, alch_ddl_action action, const alch_constraint *constraint, alch_buffer *out, alch_error *error) {
  const alch_ddl_statement statement = { .kind = ALCH_DDL_CONSTRAINT, .action = (uint8_t)action, .constraint = constraint };
  return alch_compile_ddl(constraint->table->metadata->catalog, dialect, &statement, out, error);
}
