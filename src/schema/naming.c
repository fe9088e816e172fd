/* Naming conventions: names for constraints and indexes that were given none.
   https://docs.sqlalchemy.org/en/20/core/constraints.html#configuring-constraint-naming-conventions */
#include "base/buffer.h"
#include "schema/metadata.h"
#include "schema/record.h"
#include <string.h>

static const char *const kinds[] = {
  [ALCH_CONSTRAINT_PRIMARY_KEY] = "pk",
  [ALCH_CONSTRAINT_FOREIGN_KEY] = "fk",
  [ALCH_CONSTRAINT_UNIQUE] = "uq",
  [ALCH_CONSTRAINT_CHECK] = "ck",
  [ALCH_CONSTRAINT_EXCLUDE] = "ex",
};

static const char default_index_template[] = "ix_%(column_0_label)s";

typedef enum token_kind { TOKEN_TABLE, TOKEN_REFERRED_TABLE, TOKEN_CONSTRAINT, TOKEN_COLUMN, TOKEN_REFERRED_COLUMN } token_kind;
typedef enum token_part { PART_NAME, PART_KEY, PART_LABEL } token_part;

typedef struct token {
  token_kind kind;
  token_part part;
  bool all;                /* column_0N_: every column */
  const char *separator;
  uint32_t place;
} token;

/* Moves past `word` when the text starts with it. */
static bool eat(const char **at, const char *end, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(end - *at) < length || memcmp(*at, word, length) != 0) return false;
  *at += length;
  return true;
}

static bool is_whole(const char *at, const char *end, const char *word) {
  return eat(&at, end, word) && at == end;
}

static bool parse_place(const char **at, const char *end, token *out) {
  const char *start = *at;
  for (out->place = 0; *at < end && **at >= '0' && **at <= '9' && out->place < 10000; (*at)++) out->place = out->place * 10 + (uint32_t)(**at - '0');
  if (*at == start) return false;
  out->separator = "";
  out->all = eat(at, end, "N_");
  if (!out->all && eat(at, end, "_N_")) {
    out->all = true;
    out->separator = "_";
  }
  return out->all ? out->place == 0 : eat(at, end, "_");
}

static bool parse_column(const char *at, const char *end, token *out) {
  out->kind = eat(&at, end, "referred_") ? TOKEN_REFERRED_COLUMN : TOKEN_COLUMN;
  if (!eat(&at, end, "column_") || !parse_place(&at, end, out)) return false;
  out->part = is_whole(at, end, "key") ? PART_KEY : is_whole(at, end, "label") ? PART_LABEL : PART_NAME;
  return out->part != PART_NAME ? out->kind == TOKEN_COLUMN : is_whole(at, end, "name");
}

static bool parse_token(const char *at, const char *end, token *out) {
  *out = (token){ .separator = "" };
  if (is_whole(at, end, "table_name")) out->kind = TOKEN_TABLE;
  else if (is_whole(at, end, "referred_table_name")) out->kind = TOKEN_REFERRED_TABLE;
  else if (is_whole(at, end, "constraint_name")) out->kind = TOKEN_CONSTRAINT;
  else return parse_column(at, end, out);
  return true;
}

/* The next piece of a template: plain text, or a token when *is_token. False at the end; `bad` is set where the text is no template. */
typedef struct piece { const char *text, *end; bool is_token, bad; } piece;

static bool next_piece(const char **at, piece *out) {
  const char *start = *at;
  *out = (piece){ .text = start };
  if (!*start) return false;
  if (start[0] != '%') {
    out->end = start + strcspn(start, "%");
  } else if (start[1] == '%') {
    out->text = start + 1;
    out->end = start + 2;
  } else {
    const char *close = start[1] == '(' ? strstr(start, ")s") : NULL;
    out->is_token = close != NULL;
    out->bad = !close;
    out->text = start + 2;
    out->end = close ? close : start;
    *at = close ? close + 2 : start + 1;
    return true;
  }
  *at = out->end;
  return true;
}

static alch_status refuse_token(const char *kind, const piece *one, alch_error *error) {
  static const char *const tokens[] = { "table_name", "referred_table_name", "constraint_name", "column_0_name", "column_0_key", "column_0_label", "column_0N_name",
                                        "column_0_N_name", "column_0N_key", "column_0_N_key", "column_0N_label", "column_0_N_label", "referred_column_0_name",
                                        "referred_column_0N_name", "referred_column_0_N_name" };
  char word[64];
  size_t length = one->bad ? 0 : (size_t)(one->end - one->text);
  if (one->bad) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "naming convention '%s': a %% stands before no token; write %%(table_name)s, or %%%% for a percent sign", kind);
  if (length >= sizeof word) length = sizeof word - 1;
  memcpy(word, one->text, length);
  word[length] = '\0';
  const char *nearest = alch_nearest(word, tokens, ALCH_COUNT(tokens));
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "naming convention '%s' has no token '%s'; %s '%s'", kind, word, nearest ? "did you mean" : "there is for example",
                        nearest ? nearest : tokens[0]);
}

alch_status alch_metadata_set_naming(alch_metadata *metadata, const char *kind, const char *template_text, alch_error *error) {
  const char *at = template_text;
  bool known = strcmp(kind, "ix") == 0;
  piece one;
  token parsed;
  for (size_t i = 0; i < ALCH_COUNT(kinds); i++) known = known || strcmp(kind, kinds[i]) == 0;
  if (!known) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "there is no naming convention for '%s'; the kinds are ix, uq, ck, fk, pk, ex", kind);
  while (next_piece(&at, &one))
    if (one.bad || (one.is_token && !parse_token(one.text, one.end, &parsed))) return refuse_token(kind, &one, error);
  if (!alch_record_text(metadata->catalog, &template_text) || !alch_map_put_text(&metadata->naming, kind, (void *)(uintptr_t)template_text)) return alch_error_out_of_memory(error);
  return ALCH_OK;
}

static const char *convention(const alch_table *table, const char *kind) {
  const char *template_text = alch_map_get_text(&table->metadata->naming, kind);
  return template_text || strcmp(kind, "ix") != 0 ? template_text : default_index_template;
}

bool alch_record_has_convention(const alch_table *table, const char *kind, const char *given) {
  const char *template_text = convention(table, kind);
  return template_text && (!given || strstr(template_text, "%(constraint_name)s"));
}

static void append_column(const alch_naming *naming, const token *wanted, const alch_column *column, uint32_t place, alch_buffer *out) {
  const alch_table *table = naming->table;
  if (wanted->kind == TOKEN_REFERRED_COLUMN) {
    alch_target target = alch_record_target(naming->foreign_key->targets[place]);
    alch_column **referred = naming->foreign_key->referred;
    alch_buffer_add(out, referred ? referred[place]->name : target.column ? target.column : column->key);
    return;
  }
  if (wanted->part == PART_LABEL && table->schema) {
    for (const char *at = table->schema; *at; at++) alch_buffer_add_char(out, *at == '.' ? '_' : *at);
    alch_buffer_add_char(out, '_');
  }
  if (wanted->part == PART_LABEL) {
    alch_buffer_add(out, table->name);
    alch_buffer_add_char(out, '_');
  }
  alch_buffer_add(out, wanted->part == PART_KEY ? column->key : column->name);
}

/* Places count the plain columns; one that is not there gives nothing, as in SQLAlchemy. */
static void append_columns(const alch_naming *naming, const token *wanted, alch_buffer *out) {
  uint32_t place = 0;
  if (wanted->kind == TOKEN_REFERRED_COLUMN && !naming->foreign_key) return;
  for (uint32_t i = 0; i < naming->column_count; i++) {
    if (!naming->columns[i]) continue;
    if (wanted->all && place > 0) alch_buffer_add(out, wanted->separator);
    if (wanted->all || place == wanted->place) append_column(naming, wanted, naming->columns[i], i, out);
    place++;
  }
}

static void append_referred_table(const alch_naming *naming, alch_buffer *out) {
  if (!naming->foreign_key) return;
  alch_target target = alch_record_target(naming->foreign_key->targets[0]);
  const char *end = target.table + target.table_length, *start = end;
  while (start > target.table && start[-1] != '.') start--;
  alch_buffer_add_bytes(out, start, (size_t)(end - start));
}

static alch_status append_token(const alch_naming *naming, const token *wanted, alch_buffer *out, alch_error *error) {
  switch (wanted->kind) {
    case TOKEN_TABLE: alch_buffer_add(out, naming->table->name); return ALCH_OK;
    case TOKEN_REFERRED_TABLE: append_referred_table(naming, out); return ALCH_OK;
    case TOKEN_COLUMN: case TOKEN_REFERRED_COLUMN: append_columns(naming, wanted, out); return ALCH_OK;
    default: break;
  }
  if (!naming->given)
    return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "Table '%s': the naming convention '%s' makes use of constraint_name, so the constraint%s%s needs a name of its own",
                          naming->table->full_name, naming->kind, naming->column_count > 0 ? " on column " : "", naming->column_count > 0 ? naming->columns[0]->name : "");
  alch_buffer_add(out, naming->given);
  return ALCH_OK;
}

alch_status alch_record_conventional_name(const alch_naming *naming, alch_buffer *out, alch_error *error) {
  const char *at = convention(naming->table, naming->kind);
  piece one;
  token parsed;
  while (at && next_piece(&at, &one)) {
    if (!one.is_token) alch_buffer_add_bytes(out, one.text, (size_t)(one.end - one.text));
    else if (!parse_token(one.text, one.end, &parsed)) return refuse_token(naming->kind, &one, error);
    else if (append_token(naming, &parsed, out, error) != ALCH_OK) return ALCH_ERROR;
  }
  return ALCH_OK;
}

bool alch_constraint_name_is_made(const alch_constraint *constraint) {
  return !constraint->name_is_final && alch_record_has_convention(constraint->table, kinds[constraint->kind], constraint->name);
}

alch_status alch_constraint_name(const alch_constraint *constraint, alch_buffer *out, alch_error *error) {
  const alch_naming naming = { .table = constraint->table,
                               .kind = kinds[constraint->kind],
                               .given = constraint->name,
                               .columns = constraint->columns,
                               .column_count = constraint->column_count,
                               .foreign_key = constraint->kind == ALCH_CONSTRAINT_FOREIGN_KEY ? constraint : NULL };
  if (alch_constraint_name_is_made(constraint)) return alch_record_conventional_name(&naming, out, error);
  if (constraint->name) alch_buffer_add(out, constraint->name);
  return ALCH_OK;
}
