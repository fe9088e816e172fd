/* date.h - dates, times, timestamps and intervals on the proleptic Gregorian calendar, years 1 to 9999.
   Text follows ISO 8601 as SQLite and PostgreSQL write it: 2024-02-29, 13:14:15.000001, 2024-02-29 13:14:15.5+02:00. */
#ifndef ALCH_DATE_H
#define ALCH_DATE_H

#include "base/error.h"

#define ALCH_MICROSECONDS_PER_SECOND INT64_C(1000000)
#define ALCH_MICROSECONDS_PER_DAY INT64_C(86400000000)

/* 0001-01-01 and 9999-12-31: whoever computes with days or microseconds checks the result against these. */
#define ALCH_DAYS_MIN INT64_C(-719162)
#define ALCH_DAYS_MAX INT64_C(2932896)
#define ALCH_MICROSECONDS_MIN (ALCH_DAYS_MIN * ALCH_MICROSECONDS_PER_DAY)
#define ALCH_MICROSECONDS_MAX ((ALCH_DAYS_MAX + 1) * ALCH_MICROSECONDS_PER_DAY - 1)

typedef struct alch_civil {
  int year, month, day;            /* 1..9999, 1..12, 1..31 */
  int hour, minute, second;        /* 0..23, 0..59, 0..59 */
  int microsecond;                 /* 0..999999 */
  int offset;                      /* minutes east of UTC */
  bool has_offset;
} alch_civil;

/* Is this a date (and time) that exists? */
bool alch_civil_valid(const alch_civil *civil);
int64_t alch_days_from_civil(int year, int month, int day);
/* The time is midnight. Any day works whose year an int holds; beyond that all fields are 0, which is no valid date. */
void alch_civil_from_days(int64_t days, alch_civil *out);
/* Microseconds since the epoch of the wall clock time; the offset is not applied. */
int64_t alch_microseconds_from_civil(const alch_civil *civil);
void alch_civil_from_microseconds(int64_t microseconds, alch_civil *out);
int alch_day_of_week(int64_t days);   /* 1 Monday .. 7 Sunday (ISO) */
int alch_day_of_year(int64_t days);   /* 1 .. 366 */

/* Parsers take the whole text or fail; *out is unaltered then. Date-time accepts a space or T between, an absent time (midnight), fractions of 1 to 6
   digits (more digits only when they are zeros: nothing is rounded silently), and a zone Z, +hh, +hhmm, +hh:mm. */
bool alch_date_parse(const char *text, size_t length, int64_t *days);
bool alch_time_parse(const char *text, size_t length, int64_t *microseconds);
bool alch_datetime_parse(const char *text, size_t length, alch_civil *out);
/* ISO 8601 durations (P1DT2H3M4.5S, days at most: no months or years; each part may have a sign, as PostgreSQL's iso_8601 style has it)
   and [-][d day[s] ]hh:mm:ss[.ffffff], with any number of hours; d day[s] may stand alone. A sign in front counts for the whole, unless the time has one of its own
   (-1 days +02:00:00): that is how PostgreSQL writes them. */
bool alch_interval_parse(const char *text, size_t length, int64_t *microseconds);

/* Printers write at most 40 bytes with the zero and answer the length. Fractions have six digits, or none when they are zero (always_fraction: six always).
   Negative intervals have a sign at the days and one at the time (-1 days -02:00:00), which is the only form that PostgreSQL and alch_interval_parse read alike. */
size_t alch_date_print(int64_t days, char *out);
size_t alch_time_print(int64_t microseconds, bool always_fraction, char *out);
size_t alch_datetime_print(int64_t microseconds, bool always_fraction, char *out);
size_t alch_interval_print(int64_t microseconds, char *out);

#endif
