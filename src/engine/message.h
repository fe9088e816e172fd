/* message.h - what a server says without being asked: notices beside the answer to a statement, and notifications of other sessions.
   A driver whose server does has the record (alch_driver.messages). What comes while other work goes on is kept until it is read. */
#ifndef ALCH_MESSAGE_H
#define ALCH_MESSAGE_H

#include "engine/engine.h"

/* NULL where nothing is said. */
typedef struct alch_notice { const char *severity, *sqlstate, *message, *detail, *hint; } alch_notice;
typedef struct alch_notification { const char *channel, *payload; int64_t process; } alch_notification;

typedef struct alch_messages {
  /* The next of the notices that were kept (the last of them, where there were too many); false: there is none. Texts are borrowed until the next call. */
  bool (*notice)(alch_driver_connection *connection, alch_notice *out);
  /* The next notification, or NULL where the database has no such thing, as are all that follow. ALCH_ROW: *out is filled, its texts borrowed until the next call; ALCH_WAIT: none has come yet. */
  alch_status (*notification)(alch_driver_connection *connection, alch_notification *out, alch_error *error);
  bool (*listens)(const alch_driver_connection *connection);    /* has the session asked for notifications, and not taken it back? */
  /* Statements: % is the channel as an identifier in quotes; and one for a channel and a payload as its parameters, as exec_driver_sql has them. */
  const char *listen, *unlisten, *unlisten_all, *notify;
} alch_messages;

const alch_messages *alch_connection_messages(const alch_connection *connection);    /* or NULL */
/* Waits for a notification until the moment (alch_clock_microseconds; INT64_MAX: for ever). ALCH_ROW; ALCH_DONE: it is past; ALCH_WAIT: the same call again after the wait, and nothing else meanwhile.
   INVALID_REQUEST where a transaction is open and none has come: the server sends them between transactions. */
alch_status alch_connection_notification(alch_connection *connection, int64_t until, alch_notification *out, alch_error *error);
/* Tells the engine's listener of every notice that has come (ALCH_ENGINE_NOTICE). */
alch_status alch_connection_tell_notices(alch_connection *connection, alch_error *error);

#endif
