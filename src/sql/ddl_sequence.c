/* Sequences, schemas, named types. */
#include "sql/ddl_part.h"

static void separate(alch_ddl *d, size_t start) {
  if (d->out->length > start) alch_buffer_add_char(d->out, ' ');
}

static void number(alch_ddl *d, alch_counting_number which, const char *words, size_t start) {
  if (!(d->counting->given >> which & 1)) return;
  separate(d, start);
  alch_ddl_add(d, words);
  alch_buffer_add_integer(d->out, d->counting->numbers[which]);
}

static void words(alch_ddl *d, bool said, const char *text, size_t start) {
  if (!said) return;
  separate(d, start);
  alch_ddl_add(d, text);
}

alch_status alch_ddl_counting(alch_ddl *d) {
  const alch_counting *counting = d->counting;
  size_t start = d->out->length;
  number(d, ALCH_COUNTING_INCREMENT, "INCREMENT BY ", start);
  number(d, ALCH_COUNTING_START, "START WITH ", start);
  number(d, ALCH_COUNTING_MINVALUE, "MINVALUE ", start);
  number(d, ALCH_COUNTING_MAXVALUE, "MAXVALUE ", start);
  words(d, counting->nominvalue, "NO MINVALUE", start);
  words(d, counting->nomaxvalue, "NO MAXVALUE", start);
  number(d, ALCH_COUNTING_CACHE, "CACHE ", start);
  words(d, counting->cycle != ALCH_UNSAID, counting->cycle == ALCH_YES ? "CYCLE" : "NO CYCLE", start);
  return ALCH_OK;
}

static void sequence_name(alch_ddl *d) {
  if (d->sequence->schema) {
    alch_quote_schema(d->dialect, d->sequence->schema, d->out);
    alch_buffer_add_char(d->out, '.');
  }
  alch_ddl_quote(d, d->sequence->name, d->sequence->quote);
}

alch_status alch_ddl_sequence_type(alch_ddl *d) {
  (void)d;
  return ALCH_OK;
}

static alch_status check_sequences(alch_ddl *d) {
  if (alch_ddl_can(d, ALCH_CAPABILITY_SEQUENCES)) return ALCH_OK;
  return alch_ddl_unsupported(d, "sequences", "let the key number itself");
}

alch_status alch_ddl_create_sequence(alch_ddl *d) {
  alch_status status = check_sequences(d);
  alch_ddl_add(d, "CREATE SEQUENCE ");
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_CREATE_SEQUENCE, "IF NOT EXISTS ");
  sequence_name(d);
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_SEQUENCE_TYPE);
  size_t before = d->out->length;
  alch_buffer_add_char(d->out, ' ');
  d->counting = &d->sequence->counting;
  if (status == ALCH_OK) status = alch_ddl_write(d, ALCH_DDL_PART_COUNTING);
  if (d->out->length == before + 1) d->out->length = before;
  return status;
}

alch_status alch_ddl_drop_sequence(alch_ddl *d) {
  alch_status status = check_sequences(d);
  alch_ddl_add(d, "DROP SEQUENCE ");
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_SEQUENCE, "IF EXISTS ");
  sequence_name(d);
  return status;
}

/* ---- schemas ---- */

static alch_status check_schemas(alch_ddl *d) {
  if (alch_ddl_can(d, ALCH_CAPABILITY_SCHEMAS)) return ALCH_OK;
  return alch_ddl_unsupported(d, "CREATE SCHEMA and DROP SCHEMA", NULL);
}

alch_status alch_ddl_create_schema(alch_ddl *d) {
  alch_status status = check_schemas(d);
  alch_ddl_add(d, "CREATE SCHEMA ");
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_CREATE_SCHEMA, "IF NOT EXISTS ");
  alch_quote_schema(d->dialect, d->schema, d->out);
  return status;
}

alch_status alch_ddl_drop_schema(alch_ddl *d) {
  alch_status status = check_schemas(d);
  alch_ddl_add(d, "DROP SCHEMA ");
  if (status == ALCH_OK) status = alch_ddl_if_exists(d, ALCH_DDL_PART_DROP_SCHEMA, "IF EXISTS ");
  alch_quote_schema(d->dialect, d->schema, d->out);
  if (d->cascade) alch_ddl_add(d, " CASCADE");
  return status;
}

/* ---- types: whoever has named ones writes them ---- */

alch_status alch_ddl_create_type(alch_ddl *d) {
  return alch_ddl_unsupported(d, "CREATE TYPE", "such a type stands in its column");
}

alch_status alch_ddl_drop_type(alch_ddl *d) {
  return alch_ddl_unsupported(d, "DROP TYPE", "such a type goes with its column");
}
