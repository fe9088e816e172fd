#include "engine/private.h"
#include <stdio.h>
#include <string.h>

alch_link *alch_link_new(alch_engine *engine, alch_error *error) {
  alch_link *link = alch_allocate_zeroed(engine->allocator, sizeof *link);
  if (!link) {
    alch_error_out_of_memory(error);
    return NULL;
  }
  *link = (alch_link){ .engine = engine, .driver = engine->driver, .allocator = engine->allocator, .users = 1, .thread = pthread_self(), .process = alch_process_serial() };
  link->shared = engine->pool.kind == ALCH_POOL_STATIC;
  alch_buffer_init(&link->conversion, engine->allocator);
  if (alch_prepared_cache_open(link, engine->options.prepared_size, error) == ALCH_OK) return link;
  alch_free(engine->allocator, link, sizeof *link);
  return NULL;
}

alch_status alch_link_connect(alch_link *link, alch_error *error) {
  alch_status status;
  if (link->connected) return ALCH_OK;
  if (!link->driver_connection) status = link->driver->connect(link->driver, &link->engine->url, link->allocator, &link->driver_connection, error);
  else status = link->driver->connect_poll(link->driver_connection, error);
  link->connected = status == ALCH_OK;
  if (link->connected) link->connected_at = link->used_at = alch_clock_microseconds();
  return status;
}

bool alch_link_is_foreign(const alch_link *link) {
  return link->let_go || link->process != alch_process_serial();
}

alch_status alch_link_ping(alch_link *link, alch_error *error) {
  const char *from = link->dialect->empty_from;
  char sql[64];
  if (link->driver->ping) return link->driver->ping(link->driver_connection, error);
  snprintf(sql, sizeof sql, "SELECT 1%s", from ? from : "");
  return alch_link_control(link, sql, error);
}

void alch_link_give_up(alch_link *link) {
  link->broken = true;
  alch_prepared_drop(link);
  if (link->control && !alch_link_is_foreign(link)) link->driver->finish(link->control->statement);
  link->control = NULL;
  link->busy = NULL;
}

static void end_session(alch_link *link) {
  const alch_engine *engine = link->engine;
  alch_engine_event event = { .kind = link->detached ? ALCH_ENGINE_CLOSE_DETACHED : ALCH_ENGINE_CLOSE };
  if (engine->listener && link->connected) engine->listener(engine->listener_context, &event);
  link->driver->close(link->driver_connection);
}

void alch_link_free(alch_link *link) {
  if (link->control) alch_link_give_up(link);
  alch_prepared_cache_close(link);
  if (link->driver_connection && !alch_link_is_foreign(link)) end_session(link);
  else if (link->driver_connection && link->driver->abandon) link->driver->abandon(link->driver_connection);
  alch_buffer_close(&link->conversion);
  alch_free(link->allocator, link, sizeof *link);
}

static alch_status start_control(alch_link *link, const char *sql, alch_error *error) {
  alch_status status = alch_prepared_take_text(link, sql, strlen(sql), 0, &link->control, error);
  return status == ALCH_OK ? link->driver->start(link->control->statement, NULL, 0, error) : status;
}

static alch_status end_control(alch_link *link, alch_status status, alch_error *error) {
  if (status < 0 && link->control) alch_error_attach(error, ALCH_ERROR_SQL, link->control->sql, link->control->sql_length);
  if (link->control) {
    link->driver->finish(link->control->statement);
    alch_prepared_give_back(link, link->control);
    link->control = NULL;
  }
  alch_prepared_drop(link);
  link->busy = NULL;
  return status < 0 ? status : ALCH_OK;
}

alch_status alch_link_control(alch_link *link, const char *sql, alch_error *error) {
  alch_status status = link->control ? ALCH_OK : start_control(link, sql, error);
  if (status == ALCH_OK) {
    do status = link->driver->poll(link->control->statement, error);
    while (status == ALCH_ROW);
  }
  if (status != ALCH_WAIT) return end_control(link, status, error);
  link->busy = link;
  return status;
}

alch_status alch_link_wait(alch_link *link, alch_error *error) {
  alch_wait wait;
  link->driver->waits_for(link->driver_connection, &wait);
  return alch_wait_for(&wait, error);
}

alch_status alch_link_control_blocking(alch_link *link, const char *sql, alch_error *error) {
  alch_status status;
  while ((status = alch_link_control(link, sql, error)) == ALCH_WAIT) {
    status = alch_link_wait(link, error);
    if (status != ALCH_OK) return end_control(link, status, error);
  }
  return status;
}

bool alch_link_end_control(alch_link *link) {
  if (!link->control) {   /* not even prepared */
    end_control(link, ALCH_OK, NULL);
    return true;
  }
  return alch_link_control_blocking(link, "", NULL) == ALCH_OK;
}
