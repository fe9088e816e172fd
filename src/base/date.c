#include "base/date.h"
#include <string.h>

#define SECOND ALCH_MICROSECONDS_PER_SECOND
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY ALCH_MICROSECONDS_PER_DAY
#define DAYS_PER_ERA 146097        /* 400 years */
#define DAYS_TO_EPOCH 719468       /* from 0000-03-01 */
#define DAYS_BEYOND INT64_C(700000000000)

static bool leap_year(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month) {
  static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  return month == 2 && leap_year(year) ? 29 : days[month - 1];
}

static bool date_valid(int year, int month, int day) {
  return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month);
}

static bool within(int number, int limit) {
  return number >= 0 && number < limit;
}

bool alch_civil_valid(const alch_civil *civil) {
  if (!date_valid(civil->year, civil->month, civil->day)) return false;
  if (!within(civil->hour, 24) || !within(civil->minute, 60) || !within(civil->second, 60)) return false;
  if (!within(civil->microsecond, 1000000)) return false;
  return !civil->has_offset || (civil->offset > -24 * 60 && civil->offset < 24 * 60);
}

static int64_t floor_divide(int64_t number, int64_t by) {
  return number / by - (number % by < 0);
}

/* Years that start in March put the leap day at their end (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
int64_t alch_days_from_civil(int year, int month, int day) {
  int64_t from_march = (int64_t)year - (month <= 2);
  int64_t era = floor_divide(from_march, 400);
  int64_t year_of_era = from_march - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

void alch_civil_from_days(int64_t days, alch_civil *out) {
  *out = (alch_civil){ .year = 0 };
  if (days > DAYS_BEYOND || days < -DAYS_BEYOND) return;
  days += DAYS_TO_EPOCH;
  int64_t era = floor_divide(days, DAYS_PER_ERA);
  int64_t day_of_era = days - era * DAYS_PER_ERA;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  out->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
  out->month = (int)(month < 10 ? month + 3 : month - 9);
  out->year = (int)(year_of_era + era * 400 + (out->month <= 2));
}

static int64_t time_of_day(const alch_civil *civil) {
  return civil->hour * HOUR + civil->minute * MINUTE + civil->second * SECOND + civil->microsecond;
}

int64_t alch_microseconds_from_civil(const alch_civil *civil) {
  return alch_days_from_civil(civil->year, civil->month, civil->day) * DAY + time_of_day(civil);
}

void alch_civil_from_microseconds(int64_t microseconds, alch_civil *out) {
  int64_t days = floor_divide(microseconds, DAY);
  /* Not microseconds - days * DAY: the product has no place at the far end. */
  int64_t rest = microseconds % DAY;
  if (rest < 0) rest += DAY;
  alch_civil_from_days(days, out);
  out->hour = (int)(rest / HOUR);
  out->minute = (int)(rest / MINUTE % 60);
  out->second = (int)(rest / SECOND % 60);
  out->microsecond = (int)(rest % SECOND);
}

/* 1970-01-01 was a Thursday. */
int alch_day_of_week(int64_t days) {
  int64_t rest = days % 7;
  return (int)((rest + 10) % 7) + 1;
}

int alch_day_of_year(int64_t days) {
  alch_civil civil;
  alch_civil_from_days(days, &civil);
  return (int)(days - alch_days_from_civil(civil.year, 1, 1)) + 1;
}

/* What is left to read. */
typedef struct cursor {
  const char *at, *end;
} cursor;

static bool more(const cursor *in) {
  return in->at < in->end;
}

static bool take(cursor *in, char c) {
  if (!more(in) || *in->at != c) return false;
  in->at++;
  return true;
}

static bool at_digit(const cursor *in) {
  return more(in) && *in->at >= '0' && *in->at <= '9';
}

static bool take_digits(cursor *in, int count, int *out) {
  int number = 0;
  for (; count > 0; count--) {
    if (!at_digit(in)) return false;
    number = number * 10 + (*in->at++ - '0');
  }
  *out = number;
  return true;
}

/* As many digits as there are; false for none or for more than the longest interval has. */
static bool take_number(cursor *in, int64_t *out) {
  int64_t number = 0;
  if (!at_digit(in)) return false;
  while (at_digit(in)) {
    if (number > INT64_MAX / 10 - 1) return false;
    number = number * 10 + (*in->at++ - '0');
  }
  *out = number;
  return true;
}

/* Behind the point: digits past the sixth only when they are zeros. */
static bool take_fraction(cursor *in, int *microsecond) {
  int number = 0, digits = 0;
  if (!at_digit(in)) return false;
  for (; at_digit(in); in->at++, digits++) {
    if (digits < 6) number = number * 10 + (*in->at - '0');
    else if (*in->at != '0') return false;
  }
  for (; digits < 6; digits++) number *= 10;
  *microsecond = number;
  return true;
}

static bool take_date(cursor *in, alch_civil *out) {
  return take_digits(in, 4, &out->year) && take(in, '-') && take_digits(in, 2, &out->month) && take(in, '-') &&
         take_digits(in, 2, &out->day) && date_valid(out->year, out->month, out->day);
}

static bool take_seconds(cursor *in, alch_civil *out) {
  if (!take_digits(in, 2, &out->second) || out->second > 59) return false;
  return !take(in, '.') || take_fraction(in, &out->microsecond);
}

static bool take_time(cursor *in, alch_civil *out) {
  if (!take_digits(in, 2, &out->hour) || out->hour > 23) return false;
  if (!take(in, ':') || !take_digits(in, 2, &out->minute) || out->minute > 59) return false;
  return !take(in, ':') || take_seconds(in, out);
}

static bool take_zone(cursor *in, alch_civil *out) {
  out->has_offset = true;
  if (take(in, 'Z')) return true;
  bool west = take(in, '-');
  if (!west && !take(in, '+')) return false;
  int hours, minutes = 0;
  if (!take_digits(in, 2, &hours) || hours > 23) return false;
  bool colon = take(in, ':');
  if ((colon || more(in)) && (!take_digits(in, 2, &minutes) || minutes > 59)) return false;
  out->offset = (hours * 60 + minutes) * (west ? -1 : 1);
  return true;
}

bool alch_date_parse(const char *text, size_t length, int64_t *days) {
  cursor in = { text, text + length };
  alch_civil civil = { 0 };
  if (!take_date(&in, &civil) || more(&in)) return false;
  *days = alch_days_from_civil(civil.year, civil.month, civil.day);
  return true;
}

bool alch_time_parse(const char *text, size_t length, int64_t *microseconds) {
  cursor in = { text, text + length };
  alch_civil civil = { 0 };
  if (!take_time(&in, &civil) || more(&in)) return false;
  *microseconds = time_of_day(&civil);
  return true;
}

bool alch_datetime_parse(const char *text, size_t length, alch_civil *out) {
  cursor in = { text, text + length };
  alch_civil civil = { 0 };
  if (!take_date(&in, &civil)) return false;
  if (more(&in)) {
    if (!take(&in, ' ') && !take(&in, 'T')) return false;
    if (!take_time(&in, &civil)) return false;
    if (more(&in) && !take_zone(&in, &civil)) return false;
  }
  if (more(&in)) return false;
  *out = civil;
  return true;
}

/* total += number * unit, or false when that has no place. The total runs below zero, where the integers reach one further. */
static bool subtract_units(int64_t *total, int64_t number, int64_t unit) {
  if (number > INT64_MAX / unit) return false;
  int64_t amount = number * unit;
  if (*total < INT64_MIN + amount) return false;
  *total -= amount;
  return true;
}

static bool apply_sign(int64_t below_zero, bool negative, int64_t *out) {
  if (!negative && below_zero == INT64_MIN) return false;
  *out = negative ? below_zero : -below_zero;
  return true;
}

static bool add_signed(int64_t *total, int64_t below_zero, bool negative) {
  int64_t amount;
  if (!apply_sign(below_zero, negative, &amount)) return false;
  if (amount > 0 ? *total > INT64_MAX - amount : *total < INT64_MIN - amount) return false;
  *total += amount;
  return true;
}

static bool take_sign(cursor *in) {
  if (take(in, '-')) return true;
  take(in, '+');
  return false;
}

/* The unit that a designator names; they come in this order, each at most once, D before T and the others behind it. */
static int64_t duration_unit(char designator, bool behind_t, int *rank) {
  static const struct { char name; int64_t unit; } units[] = { { 'D', DAY }, { 'H', HOUR }, { 'M', MINUTE }, { 'S', SECOND } };
  for (int i = *rank; i < (int)ALCH_COUNT(units); i++) {
    if (units[i].name != designator || (i > 0) != behind_t) continue;
    *rank = i + 1;
    return units[i].unit;
  }
  return 0;
}

static bool take_duration_part(cursor *in, bool behind_t, int *rank, bool negative, int64_t *total) {
  bool sign = take_sign(in) != negative;
  int64_t number, amount = 0;
  int fraction = 0;
  if (!take_number(in, &number)) return false;
  bool point = take(in, '.');
  if ((point && !take_fraction(in, &fraction)) || !more(in)) return false;
  char designator = *in->at++;
  int64_t unit = duration_unit(designator, behind_t, rank);
  if (unit == 0 || (point && designator != 'S')) return false;
  if (!subtract_units(&amount, number, unit) || !subtract_units(&amount, fraction, 1)) return false;
  return add_signed(total, amount, sign);
}

static bool take_duration(cursor *in, bool negative, int64_t *total) {
  int rank = 0;
  bool behind_t = false, part = false;
  while (more(in)) {
    if (!behind_t && take(in, 'T')) {
      behind_t = true;
      part = false;
    }
    if (!take_duration_part(in, behind_t, &rank, negative, total)) return false;
    part = true;
  }
  return part;
}

static bool take_word(cursor *in, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
  in->at += length;
  return true;
}

static bool take_clock(cursor *in, int64_t hours, bool negative, int64_t *total) {
  int64_t amount = 0;
  alch_civil civil = { 0 };
  if (!take(in, ':') || !take_digits(in, 2, &civil.minute) || civil.minute > 59) return false;
  if (!take(in, ':') || !take_seconds(in, &civil)) return false;
  if (!subtract_units(&amount, hours, HOUR) || !subtract_units(&amount, time_of_day(&civil), 1)) return false;
  return add_signed(total, amount, negative);
}

static bool take_clock_behind_days(cursor *in, bool negative, int64_t *total) {
  if (!more(in)) return true;
  if (!take(in, ' ') || !more(in)) return false;
  if (*in->at == '-' || *in->at == '+') negative = take_sign(in);
  int64_t hours;
  return take_number(in, &hours) && take_clock(in, hours, negative, total);
}

static bool take_interval(cursor *in, int64_t *total) {
  bool negative = take_sign(in);
  if (take(in, 'P')) return take_duration(in, negative, total);
  int64_t number, amount = 0;
  if (!take_number(in, &number)) return false;
  if (!take_word(in, " day")) return take_clock(in, number, negative, total);
  take(in, 's');
  if (!subtract_units(&amount, number, DAY) || !add_signed(total, amount, negative)) return false;
  return take_clock_behind_days(in, negative, total);
}

bool alch_interval_parse(const char *text, size_t length, int64_t *microseconds) {
  cursor in = { text, text + length };
  int64_t total = 0;
  if (!take_interval(&in, &total) || more(&in)) return false;
  *microseconds = total;
  return true;
}

static char *put_number(char *out, uint64_t number, int width) {
  char digits[24];
  int count = 0;
  for (; number > 0 || count < width; number /= 10) digits[count++] = (char)('0' + number % 10);
  while (count > 0) *out++ = digits[--count];
  return out;
}

static char *put_text(char *out, const char *text) {
  size_t length = strlen(text);
  memcpy(out, text, length);
  return out + length;
}

static size_t finish(char *out, char *end) {
  *end = '\0';
  return (size_t)(end - out);
}

static char *put_date(char *out, const alch_civil *civil) {
  int64_t year = civil->year;
  if (year < 0) *out++ = '-';
  out = put_number(out, (uint64_t)(year < 0 ? -year : year), 4);
  *out++ = '-';
  out = put_number(out, (uint64_t)civil->month, 2);
  *out++ = '-';
  return put_number(out, (uint64_t)civil->day, 2);
}

static char *put_clock(char *out, uint64_t microseconds, bool always_fraction) {
  out = put_number(out, microseconds / HOUR, 2);
  *out++ = ':';
  out = put_number(out, microseconds / MINUTE % 60, 2);
  *out++ = ':';
  out = put_number(out, microseconds / SECOND % 60, 2);
  uint64_t fraction = microseconds % SECOND;
  if (fraction == 0 && !always_fraction) return out;
  *out++ = '.';
  return put_number(out, fraction, 6);
}

static uint64_t magnitude_of(int64_t number) {
  return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

size_t alch_date_print(int64_t days, char *out) {
  alch_civil civil;
  alch_civil_from_days(days, &civil);
  return finish(out, put_date(out, &civil));
}

size_t alch_time_print(int64_t microseconds, bool always_fraction, char *out) {
  char *end = out;
  if (microseconds < 0) *end++ = '-';
  return finish(out, put_clock(end, magnitude_of(microseconds), always_fraction));
}

size_t alch_datetime_print(int64_t microseconds, bool always_fraction, char *out) {
  alch_civil civil;
  alch_civil_from_microseconds(microseconds, &civil);
  char *end = put_date(out, &civil);
  *end++ = ' ';
  return finish(out, put_clock(end, (uint64_t)time_of_day(&civil), always_fraction));
}

size_t alch_interval_print(int64_t microseconds, char *out) {
  const char *sign = microseconds < 0 ? "-" : "";
  uint64_t magnitude = magnitude_of(microseconds), days = magnitude / DAY;
  char *end = put_text(out, sign);
  if (days > 0) {
    end = put_number(end, days, 1);
    end = put_text(end, days == 1 && microseconds > 0 ? " day " : " days ");
    end = put_text(end, sign);
  }
  return finish(out, put_clock(end, magnitude % DAY, false));
}
