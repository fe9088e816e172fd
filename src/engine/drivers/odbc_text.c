/* Texts: UTF-16 is what the standard calls wide, and what every driver takes whatever the process's locale is. Statements are gone through once, for their placeholders and for a second statement behind. */
#include "base/utf8.h"
#include "engine/drivers/odbc_private.h"
#include <string.h>
#include <strings.h>

/* ---- UTF-8 and UTF-16 ---- */

bool alch_odbc_widen(const char *text, size_t length, alch_buffer *out) {
  const char *at = text, *end = at + length;
  char *room = alch_buffer_reserve(out, length * sizeof(SQLWCHAR));   /* no character is longer in units than in bytes */
  if (!room) return true;
  SQLWCHAR *to = (SQLWCHAR *)(void *)room, *start = to;
  while (at < end) {
    uint32_t code = 0;
    size_t used = alch_utf8_read(at, end, &code);
    if (used == 0) return false;
    at += used;
    if (code < 0x10000) {
      *to++ = (SQLWCHAR)code;
    } else {
      *to++ = (SQLWCHAR)(0xd7c0 + (code >> 10));
      *to++ = (SQLWCHAR)(0xdc00 | (code & 0x3ff));
    }
  }
  out->length += (size_t)(to - start) * sizeof(SQLWCHAR);
  return true;
}

void alch_odbc_narrow(const SQLWCHAR *text, size_t count, alch_buffer *out) {
  char *start = alch_buffer_reserve(out, count * 3 + 4), *to = start;
  if (!start) return;
  for (size_t i = 0; i < count; i++) {
    uint32_t code = text[i];
    if ((code & 0xfc00) == 0xd800 && i + 1 < count && (text[i + 1] & 0xfc00) == 0xdc00) code = 0x10000 + ((code & 0x3ff) << 10) + (text[++i] & 0x3ff);
    else if ((code & 0xf800) == 0xd800) code = 0xfffd;
    to += alch_utf8_write(code, to);
  }
  out->length += (size_t)(to - start);
}

/* ---- what is a call and no statement ---- */

static const struct control_row { const char *words; uint8_t control; } controls[] = {
  { "BEGIN", ALCH_ODBC_BEGIN }, { "BEGIN TRANSACTION", ALCH_ODBC_BEGIN }, { "START TRANSACTION", ALCH_ODBC_BEGIN }, { "COMMIT", ALCH_ODBC_COMMIT },
  { "COMMIT TRANSACTION", ALCH_ODBC_COMMIT }, { "ROLLBACK", ALCH_ODBC_ROLLBACK }, { "ROLLBACK TRANSACTION", ALCH_ODBC_ROLLBACK },
};

/* The name behind the words, or NULL. */
static const char *behind(const char *sql, size_t length, const char *words) {
  size_t size = strlen(words);
  return length >= size && strncasecmp(sql, words, size) == 0 ? sql + size : NULL;
}

alch_odbc_control alch_odbc_control_of(const alch_odbc_quirks *quirks, const char *sql, size_t length, char *out, size_t room) {
  const struct { const char *standard, *own; } savepoints[] = {
    { "BEGIN ISOLATION", "SET TRANSACTION ISOLATION" }, { "BEGIN READ", "SET TRANSACTION READ" }, { "BEGIN DEFERRABLE", "SET TRANSACTION DEFERRABLE" },
    { "START TRANSACTION READ", "SET TRANSACTION READ" }, { "SAVEPOINT ", quirks->savepoint }, { "RELEASE SAVEPOINT ", quirks->release }, { "ROLLBACK TO SAVEPOINT ", quirks->rollback_to } };
  *out = '\0';
  while (length > 0 && strchr(" \t\r\n;", sql[length - 1])) length--;
  for (size_t i = 0; i < ALCH_COUNT(controls); i++)
    if (strlen(controls[i].words) == length && strncasecmp(controls[i].words, sql, length) == 0) return controls[i].control;
  for (size_t i = 0; i < ALCH_COUNT(savepoints); i++) {
    const char *own = savepoints[i].own, *name = own ? behind(sql, length, savepoints[i].standard) : NULL;
    size_t words = own ? strlen(own) : 0, rest = name ? (size_t)(sql + length - name) : 0;
    if (!name || words + rest >= room) continue;
    if (words == 0) return ALCH_ODBC_NOTHING;
    memcpy(out, own, words);
    memcpy(out + words, name, rest);
    out[words + rest] = '\0';
  }
  return ALCH_ODBC_STATEMENT;
}

/* https://mariadb.com/kb/en/xa-transactions/; what is prepared is no longer the session's. */
static const struct branch_row { const char *words; uint8_t branch; } branches[] = {
  { "XA START ", ALCH_ODBC_BRANCH_BEGINS }, { "XA BEGIN ", ALCH_ODBC_BRANCH_BEGINS }, { "XA PREPARE ", ALCH_ODBC_BRANCH_ENDS }, { "XA COMMIT ", ALCH_ODBC_BRANCH_ENDS }, { "XA ROLLBACK ", ALCH_ODBC_BRANCH_ENDS },
};

alch_odbc_branch alch_odbc_branch_of(const char *sql, size_t length) {
  for (size_t i = 0; i < ALCH_COUNT(branches); i++)
    if (behind(sql, length, branches[i].words)) return branches[i].branch;
  return ALCH_ODBC_BRANCH_NONE;
}

/* ---- going over a statement ---- */

typedef struct scan {
  const char *at, *end;
  bool dollars;
} scan;

static bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static void skip_quoted(scan *s, char close) {
  for (s->at++; s->at < s->end; s->at++)
    if (*s->at == close) {
      s->at++;
      return;
    }
}

static void skip_comment(scan *s, bool line) {
  const char *mark = line ? "\n" : "*/";
  size_t size = strlen(mark);
  for (s->at += 2; s->at < s->end; s->at++)
    if ((size_t)(s->end - s->at) >= size && memcmp(s->at, mark, size) == 0) {
      s->at += size;
      return;
    }
}

/* $tag$ … $tag$ */
static bool skip_dollar_text(scan *s) {
  const char *close = s->at + 1;
  while (close < s->end && is_word(*close)) close++;
  if (close == s->end || *close != '$') return false;
  size_t size = (size_t)(close - s->at) + 1;
  const char *next = close + 1;
  while ((size_t)(s->end - next) >= size && memcmp(next, s->at, size) != 0) next++;
  s->at = (size_t)(s->end - next) >= size ? next + size : s->end;
  return true;
}

/* Is there something that is no code: a text, a name in quotes, a comment? */
static bool skip_opaque(scan *s) {
  char c = *s->at, after = s->at + 1 < s->end ? s->at[1] : '\0';
  if (c == '\'' || c == '"' || c == '`') skip_quoted(s, c);
  else if (c == '-' && after == '-') skip_comment(s, true);
  else if (c == '/' && after == '*') skip_comment(s, false);
  else return c == '$' && s->dollars && !(after >= '0' && after <= '9') && skip_dollar_text(s);
  return true;
}

/* Blocks of procedures have statements inside. */
static bool may_have_several(const char *sql, const char *end) {
  static const char *const words[] = { "CREATE", "ALTER", "BEGIN", "DECLARE", "DO", "IF", "EXEC" };
  while (sql < end && strchr(" \t\r\n(", *sql)) sql++;
  for (size_t i = 0; i < ALCH_COUNT(words); i++) {
    size_t size = strlen(words[i]);
    if ((size_t)(end - sql) > size && strncasecmp(sql, words[i], size) == 0 && !is_word(sql[size])) return true;
  }
  return false;
}

static alch_status check_rest(scan rest, alch_error *error) {
  while (rest.at < rest.end) {
    bool comment = (*rest.at == '-' || *rest.at == '/') && skip_opaque(&rest);
    if (comment) continue;
    if (!strchr(" \t\r\n\f;", *rest.at)) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "a second statement follows the first: execute them one by one");
    rest.at++;
  }
  return ALCH_OK;
}

/* Reads $n; answers its number from 0. */
static uint32_t read_number(scan *s) {
  uint32_t number = 0;
  for (s->at++; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) number = number < 1000000 ? number * 10 + (uint32_t)(*s->at - '0') : number;
  return number - 1;
}

alch_status alch_odbc_scan(const alch_odbc_quirks *quirks, const char *sql, size_t length, alch_buffer *out, alch_buffer *order, alch_error *error) {
  scan s = { sql, sql + length, quirks->dollars };
  bool several = may_have_several(sql, s.end), blank = true;
  if (memchr(sql, '\0', length)) return alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement has a zero byte in it");
  while (s.at < s.end) {
    const char *from = s.at;
    bool digit = s.at + 1 < s.end && s.at[1] >= '0' && s.at[1] <= '9', inside_word = s.at > sql && is_word(s.at[-1]);
    if (*s.at == ';' && !several && check_rest(s, error) != ALCH_OK) return ALCH_ERROR;
    if (s.dollars && *s.at == '$' && digit && !inside_word) {
      uint32_t number = read_number(&s);
      alch_buffer_add_bytes(order, &number, sizeof number);
      alch_buffer_add_char(out, '?');
      continue;
    }
    bool opaque = skip_opaque(&s);
    if (!opaque) s.at++;
    blank = blank && (opaque ? *from == '-' || *from == '/' : strchr(" \t\r\n\f;", *from) != NULL);
    alch_buffer_add_bytes(out, from, (size_t)(s.at - from));
  }
  if (alch_buffer_failed(out) || alch_buffer_failed(order)) return alch_error_out_of_memory(error);
  return blank ? alch_error_set(error, ALCH_ERROR_PROGRAMMING, "the statement is empty") : ALCH_OK;
}
