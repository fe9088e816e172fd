/* Sequences, and how they count. */
#include "base/buffer.h"
#include "schema/metadata.h"
#include "schema/record.h"
#include <string.h>

static bool has(const alch_counting *counting, alch_counting_number number) {
  return counting->given >> number & 1;
}

alch_status alch_counting_check(const alch_counting *counting, const char *what, alch_error *error) {
  const int64_t *numbers = counting->numbers;
  if (has(counting, ALCH_COUNTING_INCREMENT) && numbers[ALCH_COUNTING_INCREMENT] == 0)
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has the increment 0; it would never count", what);
  if (has(counting, ALCH_COUNTING_MINVALUE) && counting->nominvalue) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has minvalue and nominvalue; it can only have one of them", what);
  if (has(counting, ALCH_COUNTING_MAXVALUE) && counting->nomaxvalue) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has maxvalue and nomaxvalue; it can only have one of them", what);
  if (has(counting, ALCH_COUNTING_MINVALUE) && has(counting, ALCH_COUNTING_MAXVALUE) && numbers[ALCH_COUNTING_MINVALUE] >= numbers[ALCH_COUNTING_MAXVALUE])
    return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has a minvalue that is not less than its maxvalue", what);
  if (!has(counting, ALCH_COUNTING_START)) return ALCH_OK;
  bool low = has(counting, ALCH_COUNTING_MINVALUE) && numbers[ALCH_COUNTING_START] < numbers[ALCH_COUNTING_MINVALUE];
  bool high = has(counting, ALCH_COUNTING_MAXVALUE) && numbers[ALCH_COUNTING_START] > numbers[ALCH_COUNTING_MAXVALUE];
  if (low || high) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "%s has a start that is %s", what, low ? "less than its minvalue" : "greater than its maxvalue");
  return ALCH_OK;
}

alch_sequence *alch_catalog_sequence(const alch_catalog *catalog, uint32_t id) {
  return id < catalog->sequence_count ? catalog->sequences[id] : NULL;
}

static bool same_text(const char *left, const char *right) {
  return left && right ? strcmp(left, right) == 0 : left == right;
}

alch_status alch_sequence_join(alch_sequence *sequence, alch_metadata *metadata, alch_error *error) {
  if (sequence->metadata || !metadata) return ALCH_OK;
  for (const alch_sequence *other = metadata->sequences; other; other = other->next)
    if (strcmp(other->name, sequence->name) == 0 && same_text(other->schema, sequence->schema))
      return alch_error_set(error, ALCH_ERROR_INVALID_REQUEST, "Sequence '%s' is already defined for this MetaData instance; use the one that is there, or another name", sequence->name);
  sequence->metadata = metadata;
  if (metadata->last_sequence) metadata->last_sequence->next = sequence;
  else metadata->sequences = sequence;
  metadata->last_sequence = sequence;
  return ALCH_OK;
}

static alch_status check_counting(const alch_sequence *given, alch_catalog *catalog, alch_error *error) {
  alch_buffer what;
  alch_buffer_init(&what, catalog->allocator);
  alch_buffer_add_format(&what, "Sequence '%s'", given->name);
  alch_status status = alch_buffer_failed(&what) ? alch_error_out_of_memory(error) : alch_counting_check(&given->counting, what.text, error);
  alch_buffer_close(&what);
  return status;
}

/* Id 0 names no sequence. */
static bool enter(alch_catalog *catalog, alch_sequence *sequence) {
  uint32_t id = catalog->sequence_count > 0 ? catalog->sequence_count : 1;
  alch_sequence **sequences = alch_grow(catalog->allocator, catalog->sequences, &catalog->sequence_capacity, id + 1, sizeof *sequences);
  if (!sequences) return false;
  catalog->sequences = sequences;
  sequences[0] = NULL;
  sequence->id = id;
  sequences[id] = sequence;
  catalog->sequence_count = id + 1;
  return true;
}

alch_status alch_sequence_new(alch_catalog *catalog, alch_metadata *metadata, const alch_sequence *given, alch_sequence **out, alch_error *error) {
  if (!given->name || !*given->name) return alch_error_set(error, ALCH_ERROR_ARGUMENT, "a sequence needs a name: Sequence{ \"name\", start = 1 }");
  if (check_counting(given, catalog, error) != ALCH_OK) return ALCH_ERROR;
  alch_sequence *sequence = alch_arena_copy(&catalog->arena, given, sizeof *given);
  if (!sequence) return alch_error_out_of_memory(error);
  sequence->metadata = NULL;
  sequence->next = NULL;
  sequence->options = (alch_options){ NULL, NULL };
  if (!sequence->schema && metadata) sequence->schema = metadata->schema;
  if (sequence->schema && !*sequence->schema) sequence->schema = NULL;
  if (!alch_record_text(catalog, &sequence->name) || !alch_record_text(catalog, &sequence->schema)) return alch_error_out_of_memory(error);
  if (!enter(catalog, sequence)) return alch_error_out_of_memory(error);
  if (alch_sequence_join(sequence, metadata, error) != ALCH_OK) return ALCH_ERROR;
  *out = sequence;
  return ALCH_OK;
}
