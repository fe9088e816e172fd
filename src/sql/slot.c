#include "sql/hook.h"
#include "sql/ddl.h"
#include <string.h>

/* Places for values: a placeholder with its slot, or the value itself where literals are wanted. */

static alch_slot *new_slot(alch_compiler *compiler) {
  if (compiler->status != ALCH_OK) return NULL;
  alch_slot *slots = alch_grow(compiler->scratch.allocator, compiler->slots, &compiler->slot_capacity, compiler->slot_count + 1, sizeof *slots);
  if (!slots) {
    alch_no_memory(compiler);
    return NULL;
  }
  compiler->slots = slots;
  alch_slot *slot = &slots[compiler->slot_count++];
  *slot = (alch_slot){ .ordinal = UINT32_MAX };
  return slot;
}

static const char *keep_text(alch_compiler *compiler, const char *text, size_t length) {
  const char *copy = alch_arena_text(&compiler->compiled->arena, text, length);
  if (!copy) alch_no_memory(compiler);
  return copy;
}

/* ---- placeholders ---- */

static const char *slot_label(alch_compiler *compiler, const char *name) {
  if (name) return name;
  const char *base = compiler->hint ? compiler->hint : "param";
  size_t length = compiler->hint ? compiler->hint_length : strlen("param");
  if (!compiler->hint_whole) base = alch_new_name(compiler, base, length), length = strlen(base);
  return keep_text(compiler, base, length);
}

static void write_placeholder(alch_compiler *compiler, alch_slot *slot) {
  slot->offset = compiler->out->length;
  switch (compiler->dialect->placeholder) {
    case ALCH_PLACEHOLDER_QUESTION: alch_write_char(compiler, '?'); break;
    case ALCH_PLACEHOLDER_DOLLAR:
      alch_write_char(compiler, '$');
      alch_buffer_add_integer(compiler->out, compiler->slot_count);
      break;
    case ALCH_PLACEHOLDER_COLON:
      if (!slot->label) slot->label = slot_label(compiler, slot->name);
      alch_write_char(compiler, ':');
      if (slot->label) alch_write(compiler, slot->label);
      break;
  }
  const alch_dialect *dialect = compiler->dialect;
  if (dialect->placeholder_cast && compiler->status == ALCH_OK) compiler->status = dialect->placeholder_cast(dialect, slot->type, compiler->out, compiler->error);
  slot->length = compiler->out->length - slot->offset;
}

static void finish_slot(alch_compiler *compiler, alch_slot *slot, alch_type_id type, const alch_column *column) {
  slot->type = alch_type_in(alch_catalog_type(compiler->catalog, type == 0 && column ? alch_column_type(column) : type), compiler->dialect->name);
  slot->column = column;
  slot->converts = compiler->dialect->converts(slot->type, true);
  if (slot->name || slot->kind == ALCH_SLOT_DEFAULT) compiler->compiled->has_values = true;
  if (slot->kind == ALCH_SLOT_EXPANDING || slot->kind == ALCH_SLOT_LITERAL) compiler->compiled->expands = true;
  size_t start = compiler->out->length;
  uint32_t number = compiler->slot_count - 1;
  const alch_block *round = slot->kind == ALCH_SLOT_OUT ? NULL : slot->type->bind_expression;
  write_placeholder(compiler, slot);
  if (ALCH_UNLIKELY(round != NULL)) alch_wrap(compiler, start, number, round);
}

void alch_slot_repeat(alch_compiler *compiler, const alch_slot *slot) {
  alch_slot *again = new_slot(compiler);
  if (!again) return;
  *again = *slot;
  write_placeholder(compiler, again);
}

/* ---- literals ---- */

static bool find_records(alch_compiler *compiler) {
  if (compiler->records) return true;
  const char **records = alch_arena_allocate(&compiler->scratch, compiler->bind_count * sizeof *records);
  if (!records) {
    alch_no_memory(compiler);
    return false;
  }
  alch_value_cursor cursor = alch_block_value_cursor(compiler->block);
  for (uint32_t i = 0; i < compiler->bind_count; i++) {
    records[i] = cursor.next;
    alch_value_cursor_skip(&cursor);
  }
  compiler->records = records;
  return true;
}

static void write_value(alch_compiler *compiler, alch_type_id type, const alch_value *value) {
  if (compiler->status != ALCH_OK) return;
  if (type == 0) type = alch_value_type(value->kind);
  const alch_type *seen = alch_type_in(alch_catalog_type(compiler->catalog, type), compiler->dialect->name);
  size_t start = compiler->out->length;
  compiler->status = alch_render_literal(compiler->dialect, seen, value, compiler->out, compiler->error);
  if (seen->bind_expression && compiler->status == ALCH_OK) alch_wrap(compiler, start, compiler->slot_count, seen->bind_expression);
}

static void write_tuples(alch_compiler *compiler, alch_type_id type, int64_t count, alch_value_cursor cursor) {
  alch_value item;
  uint16_t width = compiler->set_width;
  if (alch_can(compiler, ALCH_CAPABILITY_TUPLE_VALUES)) alch_write(compiler, "VALUES ");
  for (int64_t i = 0; i < count && alch_value_cursor_next(&cursor, &item); i++) {
    bool first = i % width == 0, last = (i + 1) % width == 0;
    if (i > 0) alch_write(compiler, ", ");
    if (first) alch_write_char(compiler, '(');
    write_value(compiler, type, &item);
    if (last) alch_write_char(compiler, ')');
  }
}

static void write_items(alch_compiler *compiler, alch_type_id type, int64_t count, alch_value_cursor cursor) {
  alch_value item;
  if (compiler->set_width > 0 && count > 0) {
    write_tuples(compiler, type, count, cursor);
    return;
  }
  for (int64_t i = 0; i < count && alch_value_cursor_next(&cursor, &item); i++) {
    alch_list_before(compiler->dialect, i, count, compiler->out);
    write_value(compiler, type, &item);
    alch_list_behind(compiler->dialect, count, compiler->out);
  }
  if (count == 0) alch_empty_set_write(compiler->dialect, compiler->set, compiler->set_width, compiler->out);
}

static alch_status write_literal(alch_compiler *compiler, const alch_node *bind, uint32_t ordinal, alch_type_id type) {
  if (!find_records(compiler)) return compiler->status;
  alch_value_cursor cursor = { compiler->records[ordinal], alch_block_values(compiler->block) + compiler->block->values };
  alch_value value;
  alch_value_cursor_next(&cursor, &value);
  if ((bind->op & ALCH_BIND_REQUIRED) && value.kind == ALCH_NULL)
    return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "bind parameter '%.*s' has no value to be written as a literal", (int)bind->length, alch_node_text(bind));
  if (value.kind == ALCH_LIST) write_items(compiler, type, value.integer, cursor);
  else write_value(compiler, type, &value);
  return compiler->status;
}

/* ---- binds ---- */

/* Binds are mostly asked for in their order, so the one behind the last is tried first. */
static uint32_t ordinal_of(alch_compiler *compiler, const alch_node *bind) {
  uint32_t offset = (uint32_t)((const char *)bind - (const char *)alch_block_first(compiler->block));
  uint32_t low = 0, high = compiler->bind_count, hint = compiler->bind_hint;
  if (hint >= high || compiler->binds[hint] != offset) {
    while (low + 1 < high) {
      uint32_t middle = (low + high) / 2;
      if (compiler->binds[middle] <= offset) low = middle;
      else high = middle;
    }
    hint = low;
  }
  compiler->bind_hint = hint + 1;
  return hint;
}

static uint8_t slot_kind(const alch_compiler *compiler, const alch_node *bind) {
  if ((bind->op & ALCH_BIND_LITERAL) || compiler->writes_values) return ALCH_SLOT_LITERAL;
  return bind->op & ALCH_BIND_EXPANDING ? ALCH_SLOT_EXPANDING : ALCH_SLOT_VALUE;
}

static alch_status render_bind(alch_compiler *compiler, const alch_node *bind, uint8_t kind, const alch_column *column) {
  if (compiler->status != ALCH_OK) return compiler->status;
  uint32_t ordinal = ordinal_of(compiler, bind);
  alch_type_id type = bind->a == 0 && column ? alch_column_type(column) : bind->a;
  if (compiler->literal_binds) return write_literal(compiler, bind, ordinal, type);
  alch_slot *slot = new_slot(compiler);
  if (!slot) return compiler->status;
  slot->kind = kind;
  slot->list = bind->op & ALCH_BIND_EXPANDING;
  slot->set = compiler->set;
  slot->width = compiler->set_width;
  slot->required = (bind->op & ALCH_BIND_REQUIRED) != 0;
  slot->ordinal = ordinal;
  if (bind->length > 0) slot->name = keep_text(compiler, alch_node_text(bind), bind->length);
  finish_slot(compiler, slot, type, column);
  return compiler->status;
}

alch_status alch_render_bind(alch_compiler *compiler, const alch_node *bind, const alch_column *column) { return render_bind(compiler, bind, slot_kind(compiler, bind), column); }

alch_status alch_render_bind_literal(alch_compiler *compiler, const alch_node *bind) { return render_bind(compiler, bind, ALCH_SLOT_LITERAL, NULL); }

alch_status alch_render_out(alch_compiler *compiler, alch_type_id type, const alch_column *column) {
  alch_slot *slot = new_slot(compiler);
  if (!slot) return compiler->status;
  slot->kind = ALCH_SLOT_OUT;
  finish_slot(compiler, slot, type, column);
  return compiler->status;
}

alch_status alch_render_parameter(alch_compiler *compiler, const char *name, size_t length, alch_type_id type, const alch_column *column) {
  if (compiler->literal_binds) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "bind parameter '%.*s' has no value to be written as a literal", (int)length, name);
  alch_slot *slot = new_slot(compiler);
  if (!slot) return compiler->status;
  slot->kind = ALCH_SLOT_VALUE;
  slot->required = true;
  slot->name = keep_text(compiler, name, length);
  finish_slot(compiler, slot, type, column);
  return compiler->status;
}

/* ---- defaults ---- */

static const alch_default *default_of(const alch_column *column, bool update) { return update ? &column->update_default : &column->insert_default; }

/* A sequence is a default for the databases that have them. */
static bool is_sql(const alch_compiler *compiler, const alch_default *given) {
  return given->kind == ALCH_DEFAULT_SQL || (given->kind == ALCH_DEFAULT_SEQUENCE && alch_ddl_uses_sequence(compiler->dialect, given->sequence));
}

bool alch_has_default(const alch_compiler *compiler, const alch_column *column, bool update) {
  const alch_default *given = default_of(column, update);
  return given->kind == ALCH_DEFAULT_VALUE || given->kind == ALCH_DEFAULT_HOST || is_sql(compiler, given);
}

alch_status alch_render_default_slot(alch_compiler *compiler, const alch_column *column, bool update) {
  const alch_default *given = default_of(column, update);
  if (compiler->literal_binds && given->kind == ALCH_DEFAULT_VALUE) {
    write_value(compiler, column->type, &given->value);
    return compiler->status;
  }
  if (compiler->literal_binds) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the default of column '%s' is a function, which has no value to be written as a literal", column->name);
  alch_slot *slot = new_slot(compiler);
  if (!slot) return compiler->status;
  slot->kind = ALCH_SLOT_DEFAULT;
  slot->update = update;
  compiler->hint = column->key;
  compiler->hint_length = (uint32_t)strlen(column->key);
  compiler->hint_whole = true;
  finish_slot(compiler, slot, column->type, column);
  compiler->hint = NULL;
  compiler->hint_whole = false;
  return compiler->status;
}

alch_status alch_render_column_default(alch_compiler *compiler, const alch_column *column, bool update) {
  const alch_default *given = default_of(column, update);
  if (!is_sql(compiler, given)) return alch_render_default_slot(compiler, column, update);
  return alch_render_foreign_block(compiler, given->block);
}
