#include "sql/compiler.h"
#include <string.h>

/* Words that a user puts into the text: prefixes, suffixes, hints. */

bool alch_words_apply(const alch_compiler *compiler, const alch_node *words) {
  if (words->kind != ALCH_NODE_WORDS) return true;
  const alch_node *dialect = alch_node_nth(words, 0);
  return !dialect || (dialect->length == strlen(compiler->dialect->name) && memcmp(alch_node_text(dialect), compiler->dialect->name, dialect->length) == 0);
}

alch_status alch_render_words(alch_compiler *compiler, const alch_node *words) {
  static const char place[] = "%(name)s";
  const char *at = alch_node_text(words), *end = at + words->length;
  while (at < end) {
    const char *next = words->a == 0 ? NULL : memchr(at, '%', (size_t)(end - at));
    bool name = next && (size_t)(end - next) >= sizeof place - 1 && memcmp(next, place, sizeof place - 1) == 0;
    size_t plain = next ? (size_t)(next - at) + !name : (size_t)(end - at);
    alch_buffer_add_bytes(compiler->out, at, plain);
    at += plain;
    if (!name) continue;
    alch_render_source_name(compiler, words->a);
    at += sizeof place - 1;
  }
  return compiler->status;
}

alch_status alch_default_words(alch_compiler *compiler, const alch_node *node) { return alch_render_words(compiler, node); }

alch_status alch_render_words_clause(alch_compiler *compiler, const alch_node *clause) {
  for ALCH_EACH_CHILD(words, clause) {
    if (!alch_words_apply(compiler, words) || (words->kind == ALCH_NODE_WORDS && words->a != 0)) continue;
    alch_write_char(compiler, ' ');
    alch_render(compiler, words);
  }
  return compiler->status;
}

alch_status alch_default_prefixes(alch_compiler *compiler, const alch_node *node) { return alch_render_words_clause(compiler, node); }
alch_status alch_default_suffixes(alch_compiler *compiler, const alch_node *node) { return alch_render_words_clause(compiler, node); }
alch_status alch_default_hints(alch_compiler *compiler, const alch_node *node) { return alch_render_words_clause(compiler, node); }

void alch_render_source_hints(alch_compiler *compiler, uint32_t source, bool before) {
  const alch_node *hints = compiler->scope && compiler->dialect->source_hint ? alch_node_clause(compiler->scope->statement, ALCH_NODE_HINTS) : NULL;
  if (!hints) return;
  for ALCH_EACH_CHILD(words, hints)
    if (words->a == source && source != 0 && alch_words_apply(compiler, words)) compiler->dialect->source_hint(compiler, words, before);
}
