/* The statements that the unit of work writes by. Where values come as arrays, rows that are made are SELECT unnest($1), unnest($2); rows that are there already stand beside
   such a SELECT: UPDATE t SET x = v.p0 FROM (SELECT unnest($1) AS p0, unnest($2) AS p1) AS v WHERE t.id = v.p1. The lists of a SELECT are unnested as the rows are made, where FROM unnest($1, $2) would
   first store them all. */
#include "orm/writer.h"
#include <stdio.h>

const alch_table *alch_writer_table(const alch_writing *writing) { return writing->relationship != NULL ? writing->relationship->secondary : writing->mapper->table; }

static bool makes_rows(const alch_writing *writing) { return writing->kind == ALCH_STEP_INSERT || writing->kind == ALCH_STEP_LINK; }

/* ---- which columns ---- */

uint32_t alch_writer_column_limit(const alch_writing *writing) {
  if (writing->relationship != NULL) return writing->relationship->pair_count + writing->relationship->remote_pair_count;
  return writing->mapper->attribute_count + writing->mapper->key_count;
}

static uint32_t link_columns(const alch_writing *writing, alch_source *out) {
  uint32_t count = 0;
  const alch_relationship *relationship = writing->relationship;
  for (uint32_t i = 0; i < relationship->pair_count; i++) out[count++] = (alch_source){ .slot = relationship->pairs[i].local, .column = relationship->pairs[i].link };
  for (uint32_t i = 0; !writing->whole && i < relationship->remote_pair_count; i++)
    out[count++] = (alch_source){ .slot = relationship->remote_pairs[i].remote, .column = relationship->remote_pairs[i].link, .child = true };
  return count;
}

uint32_t alch_writer_columns(const alch_writing *writing, alch_source *out) {
  uint32_t count = 0;
  const alch_mapper *mapper = writing->mapper;
  if (writing->relationship != NULL) return link_columns(writing, out);
  for (uint32_t i = 0; writing->mask != NULL && i < mapper->attribute_count; i++)
    if (writing->mask[i]) out[count++] = (alch_source){ .slot = i, .column = mapper->attributes[i].column };
  for (uint32_t i = 0; writing->kind != ALCH_STEP_INSERT && i < mapper->key_count; i++)
    out[count++] = (alch_source){ .slot = mapper->key_slots[i], .column = mapper->attributes[mapper->key_slots[i]].column, .key = true };
  return count;
}

/* ---- blocks ---- */

/* What a statement is built with. */
typedef struct statement {
  alch_builder *builder;
  const alch_writer *writer;
  uint32_t arrays;               /* id of the source that the arrays are; 0: there is none */
} statement;

static void column_leaf(const statement *s, const alch_column *column) { alch_builder_leaf(s->builder, ALCH_NODE_COLUMN, 0, column->table->id, column->index); }

/* An array's items come as texts where they have no form of their own there. */
static alch_type_id type_of_item(const alch_source *source) { return source->form == ALCH_ARRAY_TEXT ? ALCH_TYPE_TEXT : source->column->type; }

static void put_bind(alch_builder *builder, alch_type_id type) {
  alch_value none = ALCH_VALUE_NULL;
  alch_builder_bind(builder, type, 0, NULL, &none, NULL);
}

/* (SELECT $1) */
static void put_hidden_bind(alch_builder *builder, alch_type_id type) {
  alch_builder_open(builder, ALCH_NODE_SCALAR, 0, 0, type);
  alch_builder_open(builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  put_bind(builder, type);
  alch_builder_close(builder);
  alch_builder_close(builder);
  alch_builder_close(builder);
}

static void put_unnested(alch_builder *builder, const alch_source *source, bool hidden) {
  alch_type_id type = type_of_item(source);
  alch_builder_open_text(builder, ALCH_NODE_FUNCTION, 0, 0, type, "unnest", strlen("unnest"));
  if (hidden) put_hidden_bind(builder, type);
  else put_bind(builder, type);
  alch_builder_close(builder);
}

/* The value of listed column number `index`. */
static void put_value(const statement *s, uint32_t index) {
  const alch_source *source = &s->writer->listed[index];
  if (s->writer->writing.way != ALCH_WAY_ARRAYS) {
    put_bind(s->builder, source->column->type);
    return;
  }
  if (source->form == ALCH_ARRAY_TEXT) alch_builder_open(s->builder, ALCH_NODE_CAST, 0, 0, source->column->type);
  if (s->arrays != 0) alch_builder_leaf(s->builder, ALCH_NODE_COLUMN, 0, s->arrays, index);
  else put_unnested(s->builder, source, false);
  if (source->form == ALCH_ARRAY_TEXT) alch_builder_close(s->builder);
}

static void put_equal(const statement *s, uint32_t index) {
  alch_builder_open(s->builder, ALCH_NODE_BINARY, ALCH_OPERATOR_EQ, 0, ALCH_TYPE_BOOLEAN);
  column_leaf(s, s->writer->listed[index].column);
  put_value(s, index);
  alch_builder_close(s->builder);
}

/* The key lies between the lowest and the highest of those that are written: so the database may read the rows there in one go and join them, in place of looking for each. */
static void put_span(const statement *s) {
  const alch_source *bounds = &s->writer->listed[s->writer->listed_count];
  alch_builder_open(s->builder, ALCH_NODE_BETWEEN, ALCH_OPERATOR_BETWEEN, 0, ALCH_TYPE_BOOLEAN);
  column_leaf(s, bounds->column);
  for (uint32_t i = 0; i < s->writer->shared; i++) put_bind(s->builder, bounds[i].column->type);
  alch_builder_close(s->builder);
}

/* All listed columns from `first` on. */
static void put_where(const statement *s, uint32_t first) {
  alch_builder_open(s->builder, ALCH_NODE_WHERE, 0, 0, 0);
  for (uint32_t i = first; i < s->writer->listed_count; i++) put_equal(s, i);
  if (s->writer->shared > 0) put_span(s);
  alch_builder_close(s->builder);
}

/* SELECT unnest($1), unnest($2): a row of the first items, then one of the second, and so on
   (https://www.postgresql.org/docs/current/xfunc-sql.html, "SQL Functions Returning Sets"). What the database makes for each row, it makes in that order; keys that do not rise from row to row are refused. */
static void put_array_rows(const statement *s) {
  alch_builder_open(s->builder, ALCH_NODE_ROWS, 1, 0, 0);
  alch_builder_open(s->builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(s->builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  for (uint32_t i = 0; i < s->writer->listed_count; i++) put_value(s, i);
  alch_builder_close(s->builder);
  alch_builder_close(s->builder);
  alch_builder_close(s->builder);
}

static void put_rows(const statement *s) {
  uint32_t rows = s->writer->writing.way == ALCH_WAY_ROWS ? s->writer->writing.rows : 1;
  alch_builder_open(s->builder, ALCH_NODE_ROWS, 0, 0, 0);
  for (uint32_t row = 0; row < rows; row++) {
    alch_builder_open(s->builder, ALCH_NODE_ROW, 0, 0, 0);
    for (uint32_t i = 0; i < s->writer->listed_count; i++) put_value(s, i);
    alch_builder_close(s->builder);
  }
  alch_builder_close(s->builder);
}

static void put_returning(const statement *s) {
  const alch_mapper *mapper = s->writer->writing.mapper;
  alch_builder_open(s->builder, ALCH_NODE_RETURNING, 0, 0, 0);
  for (uint32_t i = 0; i < mapper->key_count; i++) column_leaf(s, mapper->attributes[mapper->key_slots[i]].column);
  alch_builder_close(s->builder);
}

static void build_insert(const statement *s) {
  alch_builder_open(s->builder, ALCH_NODE_INSERT, 0, alch_writer_table(&s->writer->writing)->id, 0);
  if (s->writer->listed_count > 0) {
    alch_builder_open(s->builder, ALCH_NODE_INTO, 0, 0, 0);
    for (uint32_t i = 0; i < s->writer->listed_count; i++) column_leaf(s, s->writer->listed[i].column);
    alch_builder_close(s->builder);
    if (s->writer->writing.way == ALCH_WAY_ARRAYS) put_array_rows(s);
    else put_rows(s);
  }
  if (s->writer->fetches_key) put_returning(s);
  alch_builder_close(s->builder);
}

static void build_update(const statement *s) {
  const alch_writer *writer = s->writer;
  uint32_t table = writer->writing.mapper->table->id, written = writer->listed_count - writer->writing.mapper->key_count;
  alch_builder_open(s->builder, ALCH_NODE_UPDATE, 0, table, 0);
  alch_builder_open(s->builder, ALCH_NODE_SET, 0, 0, 0);
  for (uint32_t i = 0; i < written; i++) {
    alch_builder_open(s->builder, ALCH_NODE_ASSIGN, 0, table, writer->listed[i].column->index);
    put_value(s, i);
    alch_builder_close(s->builder);
  }
  alch_builder_close(s->builder);
  put_where(s, written);
  alch_builder_close(s->builder);
}

static void build_delete(const statement *s) {
  alch_builder_open(s->builder, ALCH_NODE_DELETE, 0, alch_writer_table(&s->writer->writing)->id, 0);
  put_where(s, 0);
  alch_builder_close(s->builder);
}

static void (*const builds[])(const statement *) = {
  [ALCH_STEP_UPDATE] = build_update, [ALCH_STEP_INSERT] = build_insert, [ALCH_STEP_LINK] = build_insert, [ALCH_STEP_UNLINK] = build_delete, [ALCH_STEP_DELETE] = build_delete,
};

static alch_status write_block(const alch_writer *writer, alch_builder *builder, alch_block **out, size_t *size, alch_error *error) {
  alch_status status = alch_builder_finish(builder, size, error);
  *out = status == ALCH_OK ? alch_allocate(writer->allocator, *size) : NULL;
  if (status != ALCH_OK) return status;
  if (*out == NULL) return alch_error_out_of_memory(error);
  alch_builder_write(builder, *out);
  return ALCH_OK;
}

/* A row for each object. Where rows are to be found one by one, the arrays are hidden in (SELECT $1): a planner that knows how long they are, as it does when it plans for the values at hand, would rather read
   all of a table that is a few times as long. Where their keys lie close together it is to know. */
static void put_arrays(alch_builder *builder, const alch_writer *writer) {
  alch_builder_open(builder, ALCH_NODE_SELECT, 0, 0, 0);
  alch_builder_open(builder, ALCH_NODE_COLUMNS, 0, 0, 0);
  for (uint32_t i = 0; i < writer->listed_count; i++) {
    char name[16];
    snprintf(name, sizeof name, "p%u", i);
    alch_builder_open_text(builder, ALCH_NODE_LABEL, 0, 0, 0, name, strlen(name));
    put_unnested(builder, &writer->listed[i], !writer->writing.span.close);
    alch_builder_close(builder);
  }
  alch_builder_close(builder);
  alch_builder_close(builder);
}

/* Begins a build with the source that the arrays are. */
static alch_status define_arrays(statement *s, alch_session *session, alch_error *error) {
  alch_block *element;
  size_t size;
  alch_builder_start(s->builder);
  put_arrays(s->builder, s->writer);
  alch_status status = write_block(s->writer, s->builder, &element, &size, error);
  if (status != ALCH_OK) return status;
  s->arrays = alch_catalog_anonymous(session->catalog);
  alch_builder_start(s->builder);
  alch_builder_define(s->builder, s->arrays, ALCH_DEFINITION_SUBQUERY, NULL, element, 0);
  alch_free(s->writer->allocator, element, size);
  return ALCH_OK;
}

alch_status alch_writer_compile(alch_writer *writer, alch_session *session, alch_error *error) {
  alch_builder builder;
  alch_block *block = NULL;
  size_t size = 0;
  statement s = { .builder = &builder, .writer = writer };
  alch_status status = ALCH_OK;
  alch_builder_init(&builder, writer->allocator);
  if (writer->writing.way == ALCH_WAY_ARRAYS && !makes_rows(&writer->writing)) status = define_arrays(&s, session, error);
  else alch_builder_start(&builder);
  if (status == ALCH_OK) builds[writer->writing.kind](&s);
  if (status == ALCH_OK) status = write_block(writer, &builder, &block, &size, error);
  if (status == ALCH_OK) status = alch_engine_compile(writer->writing.engine, session->catalog, block, NULL, NULL, NULL, &writer->compiled, error);
  alch_free(writer->allocator, block, size);
  alch_builder_destroy(&builder);
  return status;
}
