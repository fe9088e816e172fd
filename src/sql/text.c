#include "sql/compiler.h"
#include <stdio.h>
#include <string.h>

/* SQL as a user wrote it. A :name is a parameter, unless it stands in quotes or a comment, or beside another colon or a word (a::type, 12:30); \: is a colon.
   In a text as a driver has it a ? is a parameter, outside of quotes and comments, and all else is as it stands. */

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80; }

/* The end of what begins at `at` and is closed by `close`; an unclosed one goes on to the end of the text. */
static const char *closed_by(const char *at, const char *end, const char *close) {
  size_t length = strlen(close);
  for (; at + length <= end; at++)
    if (memcmp(at, close, length) == 0) return at + length;
  return end;
}

/* E'it\'s': behind a backslash anything is part of the text. */
static const char *escaped_end(const char *at, const char *end) {
  for (at++; at < end && *at != '\''; at++)
    if (*at == '\\') at++;
  return at < end ? at + 1 : end;
}

static bool is_escaped(const char *start, const char *at) { return at > start && (at[-1] == 'E' || at[-1] == 'e') && (at - 1 == start || !is_word(at[-2])); }

/* $tag$ … $tag$; NULL when no tag stands here. */
static const char *dollar_end(const char *at, const char *end) {
  char tag[66];
  const char *last = at + 1;
  while (last < end && is_word(*last)) last++;
  size_t length = (size_t)(last - at) + 1;
  bool number = at + 1 < end && at[1] >= '0' && at[1] <= '9';
  if (last == end || *last != '$' || number || length >= sizeof tag) return NULL;
  memcpy(tag, at, length);
  tag[length] = '\0';
  return closed_by(last + 1, end, tag);
}

/* Quotes that not every database has. */
static const char *dollar_quoted_end(const char *start, const char *at, const char *end) {
  if (*at == '\'' && is_escaped(start, at)) return escaped_end(at, end);
  return *at == '$' && (at == start || !is_word(at[-1])) ? dollar_end(at, end) : NULL;
}

static const char *common_quoted_end(const char *at, const char *end) {
  const char quote[2] = { *at, 0 };
  if (*at == '\'' || *at == '"' || *at == '`') return closed_by(at + 1, end, quote);
  if (end - at < 2) return NULL;
  if (at[0] == '-' && at[1] == '-') return closed_by(at + 2, end, "\n");
  if (at[0] == '/' && at[1] == '*') return closed_by(at + 2, end, "*/");
  return NULL;
}

/* The end of a quoted text or comment that begins here; NULL when none does. A doubled quote is read as two texts side by side. */
static const char *quoted_end(const alch_dialect *dialect, const char *start, const char *at, const char *end) {
  const char *after = alch_dialect_can(dialect, ALCH_CAPABILITY_DOLLAR_QUOTES) ? dollar_quoted_end(start, at, end) : NULL;
  if (!after && *at == '\'' && alch_dialect_can(dialect, ALCH_CAPABILITY_BACKSLASH_ESCAPES)) after = escaped_end(at, end);
  return after ? after : common_quoted_end(at, end);
}

/* The next ? that stands for a value; the end where there is none. */
static const char *next_mark(const alch_dialect *dialect, const char *start, const char *at, const char *end) {
  while (at < end && *at != '?') {
    while (at < end && !strchr("?'\"`-/$", *at)) at++;
    if (at == end || *at == '?') break;
    const char *after = quoted_end(dialect, start, at, end);
    at = after ? after : at + 1;
  }
  return at;
}

uint32_t alch_driver_marks(const alch_dialect *dialect, const char *sql, size_t length) {
  const char *end = sql + length;
  uint32_t count = 0;
  for (const char *at = sql; (at = next_mark(dialect, sql, at, end)) < end; at++) count++;
  return count;
}

static const char *name_end(const char *at, const char *end) {
  while (at < end && is_word(*at)) at++;
  return at;
}

/* Is the colon at `at` the beginning of a parameter? */
static bool is_parameter(const char *start, const char *at, const char *end) {
  if (*at != ':' || at + 1 == end || !is_word(at[1])) return false;
  if (at > start && (at[-1] == ':' || is_word(at[-1]))) return false;
  const char *after = name_end(at + 1, end);
  return after == end || *after != ':';
}

static const alch_node *bind_named(const alch_node *text, const char *name, size_t length) {
  for ALCH_EACH_CHILD(child, text)
    if (child->kind == ALCH_NODE_BIND && child->length == length && memcmp(alch_node_text(child), name, length) == 0) return child;
  return NULL;
}

/* A list without parentheses of its own gets them: IN :ids. */
static bool lacks_parenthesis(const alch_buffer *out) {
  size_t length = out->length;
  while (length > 0 && out->text[length - 1] == ' ') length--;
  return length == 0 || out->text[length - 1] != '(';
}

static void write_parameter(alch_compiler *compiler, const alch_node *text, const char *name, size_t length) {
  const alch_node *bind = bind_named(text, name, length);
  if (!bind) {
    alch_render_parameter(compiler, name, length, 0, NULL);
    return;
  }
  bool parentheses = (bind->op & ALCH_BIND_EXPANDING) && lacks_parenthesis(compiler->out);
  if (parentheses) alch_write_char(compiler, '(');
  alch_render_bind(compiler, bind, NULL);
  if (parentheses) alch_write_char(compiler, ')');
}

/* Writes what begins at `at` and answers where it ends. */
static const char *write_piece(alch_compiler *compiler, const alch_node *text, const char *start, const char *at, const char *end) {
  const char *after = quoted_end(compiler->dialect, start, at, end);
  if (after) {
    alch_buffer_add_bytes(compiler->out, at, (size_t)(after - at));
    return after;
  }
  if (is_parameter(start, at, end)) {
    after = name_end(at + 1, end);
    write_parameter(compiler, text, at + 1, (size_t)(after - at - 1));
    return after;
  }
  if (*at == '\\' && at + 1 < end && at[1] == ':') at++;
  alch_write_char(compiler, *at);
  return at + 1;
}

static alch_status write_driver_text(alch_compiler *compiler, const char *start, const char *end) {
  char name[16];
  const char *mark;
  uint32_t count = 0;
  for (const char *at = start; compiler->status == ALCH_OK; at = mark + 1) {
    mark = next_mark(compiler->dialect, start, at, end);
    alch_buffer_add_bytes(compiler->out, at, (size_t)(mark - at));
    if (mark == end) break;
    alch_render_parameter(compiler, name, (size_t)snprintf(name, sizeof name, "_%u", ++count), 0, NULL);
  }
  return compiler->status;
}

alch_status alch_default_text(alch_compiler *compiler, const alch_node *node) {
  const char *start = alch_node_text(node), *end = start + node->length;
  const char *at = start;
  if (node->op == ALCH_TEXT_MARKED) return write_driver_text(compiler, start, end);
  if (node->op == ALCH_TEXT_PLAIN) return alch_default_literal(compiler, node);
  /* Runs of plain text go over whole. */
  while (at < end && compiler->status == ALCH_OK) {
    size_t plain = 0;
    while (at + plain < end && !strchr("'\"`-/:\\$", at[plain])) plain++;
    alch_buffer_add_bytes(compiler->out, at, plain);
    at += plain;
    if (at < end) at = write_piece(compiler, node, start, at, end);
  }
  return compiler->status;
}

alch_status alch_default_literal(alch_compiler *compiler, const alch_node *node) {
  alch_buffer_add_bytes(compiler->out, alch_node_text(node), node->length);
  return compiler->status;
}
