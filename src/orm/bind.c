/* The databases of a session: found, met, connected to. */
#include "orm/bind.h"

#include "engine/url.h"
#include "orm/load.h"
#include "sql/source.h"

/* ---- the list ---- */

alch_status alch_bind_enrol(alch_session *session, alch_engine *engine, alch_bind **out, alch_error *error) {
  alch_bind **at = &session->binds;
  uint32_t place = 0;
  for (; *at != NULL; at = &(*at)->next, place++)
    if ((*at)->engine == engine) break;
  if (*at == NULL) {
    alch_bind *bind = alch_allocate_zeroed(session->allocator, sizeof *bind);
    if (bind == NULL) return alch_error_out_of_memory(error);
    bind->engine = engine;
    bind->place = place;
    alch_engine_hold(engine);
    *at = bind;
    if (session->awaited == NULL) session->awaited = bind;
  }
  *out = *at;
  return ALCH_OK;
}

void alch_bind_free_all(alch_session *session) {
  alch_bind *next;
  for (alch_bind *bind = session->binds; bind != NULL; bind = next) {
    next = bind->next;
    alch_engine_release(bind->engine);
    alch_free(session->allocator, bind->levels, bind->level_capacity * sizeof *bind->levels);
    alch_free(session->allocator, bind, sizeof *bind);
  }
  session->binds = session->bind = session->awaited = NULL;
}

void alch_bind_print(const alch_bind *bind, alch_buffer *out) { alch_url_print(alch_engine_url(bind->engine), true, out); }

/* ---- which ---- */

alch_status alch_bind_find(alch_session *session, const alch_mapper *mapper, const alch_table *table, bool writes, alch_bind **out, alch_error *error) {
  *out = session->bind;
  return ALCH_LIKELY(!session->routed) ? ALCH_OK : session->host->find_bind(session->host, session, mapper, table, writes, out, error);
}

static alch_status refuse_two(const alch_session *session, const alch_bind *bind, const alch_bind *other, const alch_table *table, alch_error *error) {
  alch_buffer text;
  alch_buffer_init(&text, session->allocator);
  alch_bind_print(other, &text);
  alch_buffer_add(&text, ", the statement goes to ");
  alch_bind_print(bind, &text);
  alch_error_set(error, ALCH_ERROR_INVALID_REQUEST,
                 "one statement cannot go to two databases: the table '%s' is in %s. Load it by a statement of its own: a relationship with la.selectinload, or when it is touched, in place of la.joinedload and join",
                 table->full_name, alch_buffer_text(&text));
  alch_buffer_close(&text);
  return ALCH_ERROR;
}

/* Nobody may have said where a table is: NULL. */
static alch_status bind_of_table(alch_session *session, const alch_table *table, alch_bind **out, alch_error *error) {
  *out = NULL;
  return session->host->find_bind(session->host, session, NULL, table, false, out, error);
}

alch_status alch_bind_find_related(alch_session *session, const alch_relationship *relationship, alch_bind **out, alch_error *error) {
  alch_status status = alch_bind_find(session, relationship->target, NULL, false, out, error);
  if (ALCH_LIKELY(!session->routed) || status != ALCH_OK || relationship->secondary == NULL) return status;
  alch_bind *other;
  status = bind_of_table(session, relationship->secondary, &other, error);
  return status == ALCH_OK && other != NULL && other != *out ? refuse_two(session, *out, other, relationship->secondary, error) : status;
}

alch_status alch_bind_check_block(alch_session *session, const alch_bind *bind, const alch_block *block, alch_error *error) {
  const alch_table *before = NULL, *elsewhere = NULL;
  alch_bind *other, *found = NULL;
  bool here = false;
  alch_status status = ALCH_OK;
  const char *end = alch_block_values(block);
  for (const alch_node *node = alch_block_first(block); (const char *)node < end && status == ALCH_OK; node = alch_node_child(node)) {
    const alch_table *table = alch_node_table(session->catalog, block, node);
    if (table == NULL || table == before) continue;
    before = table;
    status = bind_of_table(session, table, &other, error);
    if (other == bind) here = true;
    else if (other != NULL) elsewhere = table, found = other;
  }
  /* A statement that the user has sent to another database altogether is his affair. */
  return status == ALCH_OK && here && found != NULL ? refuse_two(session, bind, found, elsewhere, error) : status;
}

/* ---- connections ---- */

static alch_status tell_begin(alch_session *session, alch_bind *bind) {
  if (!(session->events >> ALCH_SESSION_AFTER_BEGIN & 1)) return ALCH_OK;
  session->begun = bind;
  alch_status status = session->host->session_event(session->host, ALCH_SESSION_AFTER_BEGIN, session);
  session->begun = NULL;
  return status;
}

/* One id for all databases, with a number each: some keep the ids of several databases in one place. */
static alch_status begin_twophase(alch_session *session, alch_bind *bind, uint32_t *level, alch_error *error) {
  alch_xid xid;
  if (session->xid[0] == '\0') alch_xid_invent(session, session->xid, sizeof session->xid);
  alch_bind_xid(session, bind, xid);
  return alch_connection_begin_twophase(bind->connection, xid, level, error);
}

static alch_status open_level(alch_session *session, alch_bind *bind, alch_error *error) {
  uint32_t place = bind->level_count;
  uint32_t *levels = alch_grow(session->allocator, bind->levels, &bind->level_capacity, place + 1, sizeof *levels);
  if (levels == NULL) return alch_error_out_of_memory(error);
  bind->levels = levels;
  bool begins = place == 0 && alch_connection_depth(bind->connection) == 0;
  alch_status status = !begins                    ? alch_connection_savepoint(bind->connection, &levels[place], error)
                       : session->options.twophase ? begin_twophase(session, bind, &levels[place], error)
                                                  : alch_connection_begin(bind->connection, &levels[place], error);
  if (status != ALCH_OK) return status;
  bind->level_count++;
  return begins ? tell_begin(session, bind) : ALCH_OK;
}

alch_status alch_bind_connect(alch_session *session, alch_bind *bind, alch_error *error) {
  alch_status status = ALCH_OK;
  session->awaited = bind;
  if (bind->connection == NULL) {
    if (session->options.twophase && (status = alch_engine_check_twophase(bind->engine, error)) != ALCH_OK) return status;
    if ((status = alch_engine_connect(bind->engine, &bind->connecting, error)) != ALCH_OK) return status;
    bind->connection = bind->connecting;
    bind->connecting = NULL;
  }
  while (status == ALCH_OK && bind->connection != NULL && session->frame != NULL && bind->level_count <= session->frame->depth) status = open_level(session, bind, error);
  return status;
}
