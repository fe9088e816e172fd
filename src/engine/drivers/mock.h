/* mock.h - a driver without a database: it keeps what it was told to execute, answers from a script, waits on a real pipe, and fails where it is told to.
   It imitates any dialect: mock+<dialect>://. Two ways to it: engines opened with options.driver = alch_mock_driver(mock) share the script of `mock`, from the first connect on; an engine opened
   by URL alone gives each connection a mock of its own. A mock belongs to one thread; it owns copies of all that it is given. */
#ifndef ALCH_MOCK_H
#define ALCH_MOCK_H

#include "engine/driver.h"

typedef struct alch_mock alch_mock;

/* NULL when there is no memory. */
alch_mock *alch_mock_open(const alch_allocator *allocator);
/* Engines that use it are gone by then. */
void alch_mock_close(alch_mock *mock);
const alch_driver *alch_mock_driver(alch_mock *mock);

/* ---- the script ---- */
typedef struct alch_mock_answer {
  const char *pattern;                 /* answers the next statement whose text contains this; NULL: any */
  const char *const *columns;          /* names; none: a statement without rows */
  uint32_t column_count;
  const alch_value *cells;             /* row after row */
  uint32_t row_count;
  int64_t changes;
} alch_mock_answer;
/* Answers are used once each, the first that fits; where none does, a statement has no rows and changes 1. False: no memory. */
bool alch_mock_add(alch_mock *mock, const alch_mock_answer *answer);

/* Each connect, start or row answers ALCH_WAIT this many times before it goes on. */
typedef enum alch_mock_point { ALCH_MOCK_CONNECT, ALCH_MOCK_START, ALCH_MOCK_ROW, ALCH_MOCK_POINT_COUNT } alch_mock_point;
void alch_mock_wait(alch_mock *mock, alch_mock_point point, uint32_t times);
/* Each statement takes so long from its start on, and only time is waited for. */
void alch_mock_sleep(alch_mock *mock, int64_t microseconds);

/* The n-th call from now (1: the next) of those that can fail (connect, ping, prepare, start, poll, row) fails, once; 0: none. `ends_transaction`: as a full disk or a deadlock does. */
void alch_mock_fail(alch_mock *mock, uint64_t call, alch_error_kind kind, bool disconnected, bool ends_transaction);
/* The server ends all sessions that there are: each finds out with its next call (its error says so), and is alive until then. */
void alch_mock_kill(alch_mock *mock);
/* From here on the driver takes several sets of values at once, and arrays; a record then has the values of all sets. With arrays it asks about keys: SELECT 1 FROM scattered. */
void alch_mock_take_many(alch_mock *mock, bool sets, bool arrays);
/* The SQLSTATE of the failures to come, five characters; "": none. */
void alch_mock_set_sqlstate(alch_mock *mock, const char *sqlstate);
/* How many connections were asked for a sign of life, told goodbye, let go of without one; how many calls answered ALCH_WAIT. */
typedef struct alch_mock_counts { uint32_t pings, closed, abandoned, waits; } alch_mock_counts;
alch_mock_counts alch_mock_count_calls(const alch_mock *mock);
/* What servers say of themselves from now on: connections that are made afterwards hear it. NULL: nothing, as at first. Copied. */
void alch_mock_set_server(alch_mock *mock, const char *product, const char *version);

/* ---- the record: statements in the order in which they were started ---- */
uint32_t alch_mock_count(const alch_mock *mock);
const char *alch_mock_sql(const alch_mock *mock, uint32_t index);
const alch_value *alch_mock_values(const alch_mock *mock, uint32_t index, uint32_t *count);
void alch_mock_forget(alch_mock *mock);              /* empties the record */
uint32_t alch_mock_open_connections(const alch_mock *mock);
uint32_t alch_mock_open_statements(const alch_mock *mock);

#endif
