/* The next value of a sequence, in the standard's words. */
#include "sql/compiler.h"

void alch_write_sequence_name(alch_compiler *compiler, const alch_sequence *sequence) {
  if (sequence->schema) {
    alch_quote_schema(compiler->dialect, sequence->schema, compiler->out);
    alch_write_char(compiler, '.');
  }
  alch_quote_identifier(compiler->dialect, sequence->name, sequence->quote, compiler->out);
}

alch_status alch_default_next_value(alch_compiler *compiler, const alch_node *node) {
  const alch_sequence *sequence = alch_catalog_sequence(compiler->catalog, node->a);
  if (!sequence) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "there is no sequence with the number %u", node->a);
  if (!alch_require(compiler, ALCH_CAPABILITY_SEQUENCES, "the next value of a sequence")) return compiler->status;
  alch_write(compiler, "NEXT VALUE FOR ");
  alch_write_sequence_name(compiler, sequence);
  return compiler->status;
}
