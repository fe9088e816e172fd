#include "schema/option.h"
#include "schema/record.h"
#include <string.h>
#include <strings.h>

const alch_option *alch_option_find(const alch_options *options, const char *name) {
  for (const alch_option *option = options->first; option; option = option->next)
    if (strcmp(option->name, name) == 0) return option;
  return NULL;
}

static bool is_false_word(const char *text) {
  return strcasecmp(text, "false") == 0 || strcasecmp(text, "no") == 0 || strcasecmp(text, "off") == 0 || strcmp(text, "0") == 0;
}

int alch_option_truth(const alch_option *option) {
  if (!option) return -1;
  if (option->kind != ALCH_OPTION_VALUE) return 1;
  switch (option->value.kind) {
    case ALCH_BOOLEAN: case ALCH_INTEGER: return option->value.integer != 0;
    case ALCH_TEXT: return !is_false_word(option->value.text);
    default: return 1;
  }
}

const char *alch_option_text(const alch_option *option) {
  return option && option->kind == ALCH_OPTION_VALUE && option->value.kind == ALCH_TEXT ? option->value.text : NULL;
}

static bool copy_items(alch_catalog *catalog, alch_option *option) {
  if (option->count == 0) return true;
  alch_option_item *items = alch_arena_copy(&catalog->arena, option->items, option->count * sizeof *items);
  if (!items) return false;
  for (uint32_t i = 0; i < option->count; i++)
    if (!alch_record_text(catalog, &items[i].name) || !alch_record_value(catalog, &items[i].value)) return false;
  option->items = items;
  return true;
}

alch_status alch_options_set(alch_catalog *catalog, alch_options *options, const alch_option *given, alch_error *error) {
  alch_option *there = (alch_option *)(uintptr_t)alch_option_find(options, given->name);
  alch_option copy = *given;
  copy.next = there ? there->next : NULL;
  if (!alch_record_text(catalog, &copy.name) || !alch_record_value(catalog, &copy.value) || !copy_items(catalog, &copy)) return alch_error_out_of_memory(error);
  if (there) {
    *there = copy;
    return ALCH_OK;
  }
  alch_option *kept = alch_arena_copy(&catalog->arena, &copy, sizeof copy);
  if (!kept) return alch_error_out_of_memory(error);
  if (options->last) options->last->next = kept;
  else options->first = kept;
  options->last = kept;
  return ALCH_OK;
}
