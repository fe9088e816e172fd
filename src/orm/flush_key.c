/* The driver's question about a table: can the keys that the database makes be told by the order of rows? It is asked within the transaction, once for each step of a flush, and not remembered: triggers come
   and go. */
#include "orm/writer.h"

static alch_status compile(alch_flush *flush, const char *query, alch_error *error) {
  alch_session *session = flush->session;
  alch_builder builder;
  size_t size = 0;
  alch_builder_init(&builder, session->allocator);
  alch_builder_start(&builder);
  alch_builder_leaf_text(&builder, ALCH_NODE_TEXT, 0, 0, 0, query, strlen(query));
  alch_status status = alch_builder_finish(&builder, &size, error);
  alch_block *block = status == ALCH_OK ? alch_allocate(session->allocator, size) : NULL;
  if (status == ALCH_OK && block == NULL) status = alch_error_out_of_memory(error);
  if (block != NULL) {
    alch_builder_write(&builder, block);
    status = alch_engine_compile(flush->bind->engine, session->catalog, block, NULL, NULL, NULL, &flush->question, error);
    alch_free(session->allocator, block, size);
  }
  alch_builder_destroy(&builder);
  return status;
}

static alch_value text_or_null(const char *text) { return text != NULL ? alch_value_text(text, strlen(text)) : ALCH_VALUE_NULL; }

static alch_status start(alch_flush *flush, alch_connection *connection, const alch_column *column, alch_error *error) {
  alch_compiled *question = flush->question;
  alch_value *values = alch_arena_allocate(&flush->arena, (question->slot_count + 1) * sizeof *values);
  if (values == NULL) return alch_error_out_of_memory(error);
  for (uint32_t i = 0; i < question->slot_count; i++) {
    const char *name = question->slots[i].name;
    values[i] = text_or_null(strcmp(name, "schema") == 0 ? column->table->schema : strcmp(name, "column") == 0 ? column->name : column->table->name);
  }
  return alch_execution_run(&flush->execution, connection, question, values, question->slot_count, error);
}

static alch_status answer(alch_flush *flush, alch_error *error) {
  alch_status status = alch_execution_next(&flush->execution, error);
  if (status != ALCH_ROW && status != ALCH_DONE) return status;
  flush->keys_follow = status == ALCH_ROW ? ALCH_KEYS_SCATTER : ALCH_KEYS_FOLLOW;
  alch_execution_close(&flush->execution);
  alch_compiled_release(flush->question);
  flush->question = NULL;
  return ALCH_OK;
}

alch_status alch_flush_ask_keys(alch_flush *flush, const alch_column *column, alch_error *error) {
  alch_connection *connection;
  alch_status status = alch_session_connection(flush->session, flush->bind, &connection, error);
  if (status != ALCH_OK) return status;
  const char *query = alch_connection_scatters_keys(connection);
  if (query == NULL) {
    flush->keys_follow = ALCH_KEYS_SCATTER;
    return ALCH_OK;
  }
  if (flush->question == NULL) {
    status = compile(flush, query, error);
    if (status == ALCH_OK) status = start(flush, connection, column, error);
  } else if (flush->statement_open) {
    status = alch_execution_start_poll(&flush->execution, error);
  }
  flush->statement_open = status == ALCH_WAIT;
  return status == ALCH_OK ? answer(flush, error) : status;
}
