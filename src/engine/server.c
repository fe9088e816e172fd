/* Which server there is: the engine speaks the record of its dialect that the first connection's server wants, as SQLAlchemy's dialects look at theirs on first connect. */
#include "engine/private.h"
#include <stdio.h>
#include <string.h>

/* Who was interrupted by a fork has not met the server yet. */
static void lock(alch_engine *engine) {
  if (alch_lock_take(&engine->meeting) == ALCH_LOCK_TORN) engine->met = engine->options.server_version != NULL;
}

static alch_engine *speaker(const alch_engine *engine) {
  alch_engine *root = alch_engine_root(engine);
  return root->primary ? root->primary : root;
}

const alch_dialect *alch_engine_dialect(const alch_engine *engine) {
  return speaker(engine)->dialect;
}

bool alch_engine_is_met(const alch_engine *engine) {
  return atomic_load_explicit(&speaker(engine)->met, memory_order_acquire);
}

uint32_t alch_engine_server_version(const alch_engine *engine, uint16_t numbers[ALCH_SERVER_NUMBERS], char *text, size_t size) {
  alch_engine *root = speaker(engine);
  lock(root);
  memcpy(numbers, root->server.numbers, sizeof root->server.numbers);
  uint32_t count = root->server.count;
  if (text) snprintf(text, size, "%s", root->server_version);
  alch_lock_leave(&root->meeting);
  return count;
}

/* ---- what the options say ---- */

static alch_status refuse_statement_of_version(const char *version, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_ARGUMENT, "server_version is what the server says of itself, such as \"8.0.36\", not '%s'", version);
}

alch_status alch_engine_state_server(alch_engine *engine, const alch_dialect *named, alch_error *error) {
  const alch_server server = { .version = engine->options.server_version };
  engine->named = named;
  engine->dialect = named;
  if (!server.version) return ALCH_OK;
  alch_status status = alch_server_find(named, &server, &engine->server, error);
  if (status != ALCH_OK) return status;
  if (engine->server.count == 0) return refuse_statement_of_version(server.version, error);
  snprintf(engine->server_version, sizeof engine->server_version, "%s", server.version);
  engine->dialect = engine->server.dialect;
  engine->met = true;
  engine->options.server_version = engine->server_version;   /* the caller's text may go */
  return ALCH_OK;
}

/* ---- what a server says ---- */

static const char *or_nothing(const char *text) {
  return text ? text : "";
}

static alch_status refuse_old(const alch_engine *engine, const alch_server *said, const alch_server_record *found, alch_error *error) {
  const alch_dialect *oldest = found->dialect;
  return alch_error_set(error, ALCH_ERROR_NOT_SUPPORTED,
                        "the server is %s %s, and the oldest that statements are written for is %u.%u; with server_version = \"%u.%u\" as an option of create_engine it gets these all the same",
                        found->guest ? found->guest : engine->named->name, or_nothing(said->version), oldest->version_major, oldest->version_minor, oldest->version_major, oldest->version_minor);
}

static alch_status refuse_other(const alch_engine *engine, const alch_server *said, const alch_server_record *found, alch_error *error) {
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the engine has met a %s %s, and this server is a %s %s: an engine has one kind of server",
                        engine->server.guest ? engine->server.guest : engine->named->name, engine->server_version, found->guest ? found->guest : engine->named->name, or_nothing(said->version));
}

/* Under the lock. Statements for an older server are understood by a newer one, so the oldest decides. */
static void adopt(alch_engine *engine, const alch_server *said, const alch_server_record *found) {
  if (engine->met && !alch_dialect_is_older(found->dialect, engine->server.dialect)) return;
  engine->server = *found;
  snprintf(engine->server_version, sizeof engine->server_version, "%s", or_nothing(said->version));
  engine->dialect = found->dialect;
}

static bool is_same_kind(const alch_server_record *first, const alch_server_record *second) {
  return first->guest && second->guest ? strcmp(first->guest, second->guest) == 0 : first->guest == second->guest;
}

static alch_status introduce(alch_engine *engine, alch_link *link, const alch_server *said, const alch_server_record *found, alch_error *error) {
  alch_status status = ALCH_OK;
  lock(engine);
  if (engine->met && !is_same_kind(found, &engine->server)) status = refuse_other(engine, said, found, error);
  else adopt(engine, said, found);
  if (status == ALCH_OK) atomic_store_explicit(&engine->met, true, memory_order_release);
  alch_lock_leave(&engine->meeting);
  link->dialect = found->dialect;
  return status;
}

alch_status alch_engine_meet(alch_link *link, alch_error *error) {
  alch_engine *engine = speaker(link->engine);
  alch_server said = { .version = NULL };
  alch_server_record found = { .dialect = engine->named };
  link->dialect = engine->dialect;
  if (engine->options.server_version) return ALCH_OK;
  if (link->driver->server) link->driver->server(link->driver_connection, &said);
  alch_status status = link->driver->server ? alch_server_find(engine->named, &said, &found, error) : ALCH_OK;
  if (status != ALCH_OK) return status;
  return found.too_old ? refuse_old(engine, &said, &found, error) : introduce(engine, link, &said, &found, error);
}

/* ---- what was compiled before ---- */

/* A record serves the newer servers of its kind as well. */
static bool serves(const alch_dialect *compiled, const alch_dialect *server) {
  return strcmp(compiled->name, server->name) == 0 && compiled->server_words == server->server_words && alch_dialect_is_older(compiled, server);
}

alch_status alch_link_check_dialect(const alch_link *link, const alch_compiled *compiled, alch_error *error) {
  if (ALCH_LIKELY(compiled->dialect == link->dialect) || serves(compiled->dialect, link->dialect)) return ALCH_OK;
  return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "the statement was compiled for %s from %u.%u on, before the server said that it is another: compile it again, now that there is a connection",
                        compiled->dialect->name, compiled->dialect->version_major, compiled->dialect->version_minor);
}
