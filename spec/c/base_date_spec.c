#include "base/date.h"
#include "check.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

CASE("every day of the calendar agrees with gmtime_r and timegm") {
  for (int64_t day = ALCH_DAYS_MIN; day <= ALCH_DAYS_MAX; day++) {
    time_t seconds = (time_t)(day * 86400);
    struct tm tm;
    alch_civil civil;
    gmtime_r(&seconds, &tm);
    alch_civil_from_days(day, &civil);
    bool same = civil.year == tm.tm_year + 1900 && civil.month == tm.tm_mon + 1 && civil.day == tm.tm_mday;
    bool placed = alch_day_of_week(day) == (tm.tm_wday + 6) % 7 + 1 && alch_day_of_year(day) == tm.tm_yday + 1;
    if (!CHECK(same && placed) || !CHECK(alch_civil_valid(&civil))) return;
    if (!CHECK_INT(alch_days_from_civil(civil.year, civil.month, civil.day), day)) return;
    if (day % 97 == 0 && !CHECK_INT(alch_days_from_civil(civil.year, civil.month, civil.day), timegm(&tm) / 86400)) return;
  }
}

static int64_t random_microseconds(void) {
  uint64_t span = (uint64_t)(ALCH_MICROSECONDS_MAX - ALCH_MICROSECONDS_MIN) + 1;
  return ALCH_MICROSECONDS_MIN + (int64_t)check_random_below(span);
}

CASE("random moments agree with gmtime_r") {
  for (int i = 0; i < 200000; i++) {
    int64_t moment = random_microseconds();
    int64_t seconds = moment / ALCH_MICROSECONDS_PER_SECOND - (moment % ALCH_MICROSECONDS_PER_SECOND < 0);
    time_t time = (time_t)seconds;
    struct tm tm;
    alch_civil civil;
    gmtime_r(&time, &tm);
    alch_civil_from_microseconds(moment, &civil);
    if (!CHECK(civil.hour == tm.tm_hour && civil.minute == tm.tm_min && civil.second == tm.tm_sec)) return;
    if (!CHECK_INT(civil.microsecond, moment - seconds * ALCH_MICROSECONDS_PER_SECOND)) return;
    if (!CHECK_INT(alch_microseconds_from_civil(&civil), moment)) return;
  }
}

/* The length that a printer tells is the text's own and below 40. */
static void check_length(size_t length, const char *text) {
  CHECK_INT(length, strlen(text));
  CHECK(length < 40);
}

CASE("any integer is safe to ask for") {
  static const int64_t odd[] = { INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1, INT64_C(-700000000000), INT64_C(700000000000) };
  char text[40];
  for (size_t i = 0; i < ALCH_COUNT(odd); i++) {
    size_t length;
    alch_civil civil;
    alch_civil_from_days(odd[i], &civil);
    alch_civil_from_microseconds(odd[i], &civil);
    length = alch_date_print(odd[i], text);
    check_length(length, text);
    length = alch_time_print(odd[i], true, text);
    check_length(length, text);
    length = alch_datetime_print(odd[i], true, text);
    check_length(length, text);
    length = alch_interval_print(odd[i], text);
    check_length(length, text);
    CHECK(alch_day_of_week(odd[i]) >= 1 && alch_day_of_week(odd[i]) <= 7);
  }
}

static bool valid_date(int year, int month, int day) {
  alch_civil civil = { .year = year, .month = month, .day = day };
  return alch_civil_valid(&civil);
}

CASE("days and times that do not exist are not valid") {
  CHECK(valid_date(2024, 2, 29) && !valid_date(2023, 2, 29) && !valid_date(1900, 2, 29) && valid_date(2000, 2, 29));
  CHECK(!valid_date(0, 1, 1) && valid_date(1, 1, 1) && valid_date(9999, 12, 31) && !valid_date(10000, 1, 1));
  CHECK(!valid_date(2024, 0, 1) && !valid_date(2024, 13, 1) && !valid_date(2024, 4, 31) && !valid_date(2024, 4, 0));
  alch_civil civil = { .year = 2024, .month = 1, .day = 1, .hour = 24 };
  CHECK(!alch_civil_valid(&civil));
  civil.hour = 23;
  civil.second = 60;
  CHECK(!alch_civil_valid(&civil));
  civil.second = 59;
  civil.microsecond = 1000000;
  CHECK(!alch_civil_valid(&civil));
  civil.microsecond = 0;
  civil.has_offset = true;
  civil.offset = -1440;
  CHECK(!alch_civil_valid(&civil));
}

CASE("what is printed is read back") {
  char text[64];
  for (int i = 0; i < 100000; i++) {
    int64_t moment = random_microseconds(), day = 0, back = 0;
    if (i % 3 == 0) moment -= moment % ALCH_MICROSECONDS_PER_SECOND;
    alch_civil civil;
    size_t length = alch_datetime_print(moment, i % 2, text);
    if (!CHECK(length < 40 && alch_datetime_parse(text, length, &civil))) return;
    if (!CHECK_INT(alch_microseconds_from_civil(&civil), moment) || !CHECK(!civil.has_offset)) return;
    if (!CHECK(alch_date_parse(text, 10, &day)) || !CHECK(alch_time_parse(text + 11, length - 11, &back))) return;
    if (!CHECK_INT(day * ALCH_MICROSECONDS_PER_DAY + back, moment)) return;
    length = alch_time_print(back, i % 2, text);
    if (!CHECK(alch_time_parse(text, length, &day)) || !CHECK_INT(day, back)) return;
  }
}

static void check_moment(const char *text, const char *expected, int offset, bool has_offset) {
  alch_civil civil;
  char printed[40];
  if (!CHECK(alch_datetime_parse(text, strlen(text), &civil))) {
    CHECK_TEXT(text, "read");
    return;
  }
  alch_datetime_print(alch_microseconds_from_civil(&civil), false, printed);
  CHECK_TEXT(printed, expected);
  CHECK_INT(civil.offset, offset);
  CHECK_INT(civil.has_offset, has_offset);
}

CASE("date-times come in the databases' spellings") {
  check_moment("2024-02-29", "2024-02-29 00:00:00", 0, false);
  check_moment("2024-02-29 13:14", "2024-02-29 13:14:00", 0, false);
  check_moment("2024-02-29T13:14:15", "2024-02-29 13:14:15", 0, false);
  check_moment("2024-02-29 13:14:15.5+02:00", "2024-02-29 13:14:15.500000", 120, true);
  check_moment("2024-02-29 13:14:15.000001-0330", "2024-02-29 13:14:15.000001", -210, true);
  check_moment("2024-02-29 13:14:15.123456000-08", "2024-02-29 13:14:15.123456", -480, true);
  check_moment("2024-02-29T13:14Z", "2024-02-29 13:14:00", 0, true);
  check_moment("0001-01-01 00:00:00", "0001-01-01 00:00:00", 0, false);
  check_moment("9999-12-31 23:59:59.999999+23:59", "9999-12-31 23:59:59.999999", 1439, true);
}

CASE("what is no date-time is refused and nothing is written") {
  static const char *const bad[] = {
    "", "2024", "2024-2-29", "2023-02-29", "2024-02-30", "0000-01-01", "24-02-29", "2024-02-29 ", "2024-02-29T", "2024-02-29 24:00", "2024-02-29 13",
    "2024-02-29 13:60", "2024-02-29 13:14:60", "2024-02-29 13:14:15.", "2024-02-29 13:14:15.1234567", "2024-02-29 13:14:15.1234560001",
    "2024-02-29 13:14:15 ", "2024-02-29 13:14:15+", "2024-02-29 13:14:15+2", "2024-02-29 13:14:15+02:", "2024-02-29 13:14:15+02:60",
    "2024-02-29 13:14:15+24", "2024-02-29 13:14:15+02:00:00", "2024-02-29Z", "2024-02-29 13:14:15ZZ", "+2024-02-29", "2024/02/29", "2024-02-29  13:14", "12024-02-29",
  };
  for (size_t i = 0; i < ALCH_COUNT(bad); i++) {
    alch_civil civil = { .year = 7 };
    if (!CHECK(!alch_datetime_parse(bad[i], strlen(bad[i]), &civil))) CHECK_TEXT(bad[i], "refused");
    CHECK_INT(civil.year, 7);
  }
  int64_t out = 7;
  CHECK(!alch_date_parse("2024-02-29 ", 11, &out) && !alch_date_parse("2024-02-299", 11, &out));
  CHECK(!alch_time_parse("13:14:15Z", 9, &out) && !alch_time_parse("1:14:15", 7, &out) && !alch_time_parse("", 0, &out));
  CHECK_INT(out, 7);
}

/* Every prefix and every changed byte is refused or valid, and never read past its end (the sanitizer watches a copy of that length). */
CASE("damaged texts do no harm") {
  static const char *const texts[] = { "2024-02-29 13:14:15.123456+02:30", "P1DT2H3M4.567S", "-12 days +13:14:15.000001" };
  for (int i = 0; i < 60000; i++) {
    const char *text = texts[i % 3];
    size_t length = check_random_below(strlen(text) + 1);
    char *copy = memcpy((char[40]){ 0 }, text, length);
    if (length > 0 && i % 2) copy[check_random_below(length)] = "0123456789:-+.TPDHMSZ day"[check_random_below(25)];
    alch_civil civil;
    int64_t out;
    if (alch_datetime_parse(copy, length, &civil)) CHECK(alch_civil_valid(&civil));
    alch_interval_parse(copy, length, &out);
  }
}

#define SECONDS(n) (INT64_C(n) * ALCH_MICROSECONDS_PER_SECOND)

CASE("intervals come in both spellings") {
  static const struct { const char *text; int64_t value; } good[] = {
    { "P1DT2H3M4.5S", SECONDS(93784) + 500000 }, { "PT0S", 0 }, { "P3D", SECONDS(259200) }, { "PT90M", SECONDS(5400) }, { "-PT1.000001S", -1000001 },
    { "P-1DT-2H", SECONDS(-93600) }, { "P1DT-2H", SECONDS(79200) }, { "-P1DT-2H", SECONDS(-79200) }, { "PT-0.5S", -500000 },
    { "00:00:00", 0 }, { "1 day 02:03:04", SECONDS(93784) }, { "-1 day 02:00:00", SECONDS(-93600) }, { "-1 days -02:00:00", SECONDS(-93600) },
    { "-1 days +02:00:00", SECONDS(-79200) }, { "1 day -02:00:00", SECONDS(79200) }, { "100:00:00.25", SECONDS(360000) + 250000 },
    { "-00:00:00.000001", -1 }, { "3 days", SECONDS(259200) }, { "-1 days", SECONDS(-86400) }, { "+01:00:00", SECONDS(3600) },
    { "106751991 days 04:00:54.775807", INT64_MAX }, { "-106751991 days -04:00:54.775808", INT64_MIN }, { "-106751991 days 04:00:54.775808", INT64_MIN },
    { "-2562047788:00:54.775808", INT64_MIN },
  };
  for (size_t i = 0; i < ALCH_COUNT(good); i++) {
    int64_t value = 0;
    if (!CHECK(alch_interval_parse(good[i].text, strlen(good[i].text), &value)) || !CHECK_INT(value, good[i].value)) CHECK_TEXT(good[i].text, "read");
  }
}

CASE("what is no interval is refused") {
  static const char *const bad[] = {
    "", "-", "P", "PT", "P1", "P1DT", "P1Y", "P1M", "P1W", "P1H", "PT1D", "PT1S2H", "PT1H1H", "PT1.5H", "P1.5D", "PT1.S", "PT1.1234567S", "1 day ", "1 dayz",
    "1 month", "00:00", "00:60:00", "00:00:60", "1 day 00:00", "day", "1day", "--1 days", "P1D ", "106751991 days 04:00:54.775808", "106751992 days",
    "99999999999999999999 days", "PT9223372036855S", "-106751991 days -04:00:54.775809", "1 day +-01:00:00",
  };
  for (size_t i = 0; i < ALCH_COUNT(bad); i++) {
    int64_t value = 7;
    if (!CHECK(!alch_interval_parse(bad[i], strlen(bad[i]), &value))) CHECK_TEXT(bad[i], "refused");
    CHECK_INT(value, 7);
  }
}

CASE("random intervals are read back") {
  char text[64];
  for (int i = 0; i < 100000; i++) {
    int64_t value = (int64_t)check_random() >> check_random_below(63), back = 0;
    size_t length = alch_interval_print(value, text);
    if (!CHECK(length < 40 && alch_interval_parse(text, length, &back)) || !CHECK_INT(back, value)) return;
  }
  alch_interval_print(SECONDS(-93784), text);
  CHECK_TEXT(text, "-1 days -02:03:04");
  alch_interval_print(SECONDS(93784) + 5, text);
  CHECK_TEXT(text, "1 day 02:03:04.000005");
}
