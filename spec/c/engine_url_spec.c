#include "check.h"
#include "engine/url.h"
#include <string.h>

static alch_status parse(alch_url *url, const char *text, alch_error *error) {
  alch_error_init(error, NULL);
  return alch_url_parse(url, text, strlen(text), &alch_allocator_standard, error);
}

static void check_round_trip(const char *text, const char *expected) {
  alch_url url, again;
  alch_error error;
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  if (CHECK_INT(parse(&url, text, &error), ALCH_OK)) {
    alch_url_print(&url, false, &out);
    CHECK_TEXT(alch_buffer_text(&out), expected);
    if (CHECK_INT(alch_url_parse(&again, alch_buffer_text(&out), out.length, &alch_allocator_standard, &error), ALCH_OK)) {
      CHECK_TEXT(again.user, url.user);
      CHECK_TEXT(again.password, url.password);
      CHECK_TEXT(again.host, url.host);
      CHECK_TEXT(again.database, url.database);
      CHECK_INT(again.port, url.port);
      CHECK_INT(again.option_count, url.option_count);
      alch_url_close(&again);
    }
  }
  alch_url_close(&url);
  alch_buffer_close(&out);
  alch_error_close(&error);
}

static void check_refused(const char *text, alch_error_kind kind, const char *part) {
  alch_url url;
  alch_error error;
  if (CHECK_INT(parse(&url, text, &error), ALCH_ERROR)) {
    CHECK_TEXT(alch_error_kind_name(error.kind), alch_error_kind_name(kind));
    if (!strstr(alch_error_message(&error), part)) CHECK_TEXT(alch_error_message(&error), part);
  }
  alch_url_close(&url);
  alch_error_close(&error);
}

CASE("takes a full URL apart and decodes its parts") {
  alch_url url;
  alch_error error;
  if (!CHECK_INT(parse(&url, "MOCK+sqlite://us%40er:p%3Aw@db.example:5432/my%20base?timeout=2.5&name=a+b%2Bc", &error), ALCH_OK)) return;
  CHECK_TEXT(url.dialect, "mock");
  CHECK_TEXT(url.driver, "sqlite");
  CHECK_TEXT(url.user, "us@er");
  CHECK_TEXT(url.password, "p:w");
  CHECK_TEXT(url.host, "db.example");
  CHECK_INT(url.port, 5432);
  CHECK_TEXT(url.database, "my base");
  CHECK_TEXT(alch_url_option_value(&url, "timeout"), "2.5");
  CHECK_TEXT(alch_url_option_value(&url, "name"), "a b+c");
  CHECK_TEXT(alch_url_option_value(&url, "other"), NULL);
  alch_url_close(&url);
}

CASE("tells memory, relative and absolute paths apart") {
  static const char *const cases[][2] = {
    { "sqlite://", NULL }, { "sqlite:///", NULL }, { "sqlite:///:memory:", ":memory:" }, { "sqlite:///a.db", "a.db" },
    { "sqlite:////a.db", "/a.db" }, { "sqlite:////tmp/x/a.db?mode=ro", "/tmp/x/a.db" }, { "sqlite://?mode=ro", NULL },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    alch_url url;
    alch_error error;
    if (CHECK_INT(parse(&url, cases[i][0], &error), ALCH_OK)) CHECK_TEXT(url.database, cases[i][1]);
    alch_url_close(&url);
  }
}

CASE("prints what it reads, and reads it alike again") {
  check_round_trip("sqlite://", "sqlite://");
  check_round_trip("sqlite:///:memory:", "sqlite:///:memory:");
  check_round_trip("sqlite:////a/b.db?mode=ro&cache=shared", "sqlite:////a/b.db?mode=ro&cache=shared");
  check_round_trip("mock+sqlite://u:p@h:1/d", "mock+sqlite://u:p@h:1/d");
  check_round_trip("mock+sqlite://a%2Fb:%40%3a@[::1]:80/x%3Fy%23?o=%26", "mock+sqlite://a%2Fb:%40%3A@[::1]:80/x%3Fy%23?o=%26");
  check_round_trip("mock+sqlite://one:1,two:2/d", "mock+sqlite://one:1,two:2/d");
  check_round_trip("mock+sqlite://u@/d", "mock+sqlite://u@/d");
  check_round_trip("mock+sqlite://:1/d", "mock+sqlite://:1/d");
  check_round_trip("sqlite:///d%C3%A9.db", "sqlite:///d\xc3\xa9.db");
}

CASE("hides a password") {
  alch_url url;
  alch_error error;
  alch_buffer out;
  alch_buffer_init(&out, &alch_allocator_standard);
  if (CHECK_INT(parse(&url, "mock+sqlite://u:secret@h/d", &error), ALCH_OK)) alch_url_print(&url, true, &out);
  CHECK_TEXT(alch_buffer_text(&out), "mock+sqlite://u:***@h/d");
  alch_buffer_close(&out);
  alch_url_close(&url);
}

CASE("says what is wrong with a bad one") {
  check_refused("", ALCH_ERROR_ARGUMENT, "'://' is missing");
  check_refused("a.db", ALCH_ERROR_ARGUMENT, "dialect[+driver]://");
  check_refused("sqlite:a.db", ALCH_ERROR_ARGUMENT, "'://' is missing");
  check_refused("://x", ALCH_ERROR_ARGUMENT, "scheme");
  check_refused("sq lite://", ALCH_ERROR_ARGUMENT, "scheme");
  check_refused("sqlit://", ALCH_ERROR_NO_SUCH_MODULE, "did you mean 'sqlite'?");
  check_refused("nosuchthing://", ALCH_ERROR_NO_SUCH_MODULE, "'nosuchthing'");
  check_refused("mock+sqlit://", ALCH_ERROR_NO_SUCH_MODULE, "did you mean 'sqlite'?");
  check_refused("mock+sqlite://h:x/d", ALCH_ERROR_ARGUMENT, "port");
  check_refused("mock+sqlite://h:0/d", ALCH_ERROR_ARGUMENT, "port");
  check_refused("mock+sqlite://h:70000/d", ALCH_ERROR_ARGUMENT, "port");
  check_refused("mock+sqlite://h:/d", ALCH_ERROR_ARGUMENT, "port");
  check_refused("sqlite:///a%zz", ALCH_ERROR_ARGUMENT, "%25");
  check_refused("sqlite:///a%4", ALCH_ERROR_ARGUMENT, "%25");
  check_refused("sqlite:///a%00b", ALCH_ERROR_ARGUMENT, "zero byte");
  check_refused("sqlite:///a.db?mode", ALCH_ERROR_ARGUMENT, "name=value");
  check_refused("sqlite:///a.db?=ro", ALCH_ERROR_ARGUMENT, "name=value");
  check_refused("sqlite:///a.db?mode=ro&", ALCH_ERROR_ARGUMENT, "name=value");
}

CASE("every failing allocation is an error, and nothing leaks") {
  static const char text[] = "mock+sqlite://user:pw@host:1/base?a=1&b=2";
  bool passed = false;
  for (uint64_t n = 1; !passed && n < 100; n++) {
    alch_fault_allocator fault;
    alch_error error;
    alch_url url;
    alch_fault_allocator_init(&fault);
    fault.fail_at = n;
    alch_error_init(&error, NULL);
    alch_status status = alch_url_parse(&url, text, sizeof text - 1, &fault.allocator, &error);
    passed = status == ALCH_OK;
    if (!passed) CHECK_INT(error.kind, ALCH_ERROR_OUT_OF_MEMORY);
    alch_url_close(&url);
    CHECK_INT(fault.live_blocks, 0);
    CHECK_INT(fault.wrong_sizes, 0);
    alch_error_close(&error);
  }
  CHECK(passed);
}

CASE("random bytes are refused or read, and never more") {
  for (int i = 0; i < 20000; i++) {
    char text[40] = "mock+sqlite://";
    size_t length = 14 + (size_t)check_random_below(25);
    for (size_t j = 14; j < length; j++) text[j] = ":/@?&=%[]a1,+"[check_random_below(13)];
    alch_url url;
    alch_error error;
    alch_error_init(&error, NULL);
    alch_url_parse(&url, text, length, &alch_allocator_standard, &error);
    alch_url_close(&url);
    alch_error_close(&error);
  }
}
