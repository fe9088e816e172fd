#include "base/error.h"
#include "base/buffer.h"
#include <string.h>

static const char *const kind_names[] = {
#define ALCH_ERROR_KIND(symbol, name, base) name,
#include "base/error.def"
#undef ALCH_ERROR_KIND
};

static const uint8_t kind_bases[] = {
#define ALCH_ERROR_KIND(symbol, name, base) ALCH_ERROR_##base,
#include "base/error.def"
#undef ALCH_ERROR_KIND
};

_Static_assert(ALCH_COUNT(kind_names) == ALCH_ERROR_KIND_COUNT, "a name for each kind");
_Static_assert(ALCH_ERROR_KIND_COUNT <= UINT8_MAX, "bases are bytes");

/* A text's own size stands before it: texts may hold zero bytes, and allocators want the true size back. */
typedef struct error_text {
  size_t size;
  char text[];
} error_text;

static const alch_allocator *error_allocator(const alch_error *error) {
  return error->allocator ? error->allocator : &alch_allocator_standard;
}

static char *new_text(const alch_error *error, const char *text, size_t length) {
  if (length > SIZE_MAX - sizeof(error_text) - 1) return NULL;
  size_t size = sizeof(error_text) + length + 1;
  error_text *copy = alch_allocate(error_allocator(error), size);
  if (!copy) return NULL;
  copy->size = size;
  if (length > 0) memcpy(copy->text, text, length);
  copy->text[length] = '\0';
  return copy->text;
}

static void free_text(const alch_error *error, char *text) {
  if (!text) return;
  error_text *block = (error_text *)(void *)(text - offsetof(error_text, text));
  alch_free(error_allocator(error), block, block->size);
}

void alch_error_init(alch_error *error, const alch_allocator *allocator) {
  *error = (alch_error){ .allocator = allocator };
}

void alch_error_close(alch_error *error) {
  for (size_t i = 0; i < ALCH_ERROR_TEXT_COUNT; i++) free_text(error, error->texts[i]);
  alch_error_init(error, error->allocator);
}

alch_status alch_error_set(alch_error *error, alch_error_kind kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  alch_error_set_list(error, kind, format, arguments);
  va_end(arguments);
  return ALCH_ERROR;
}

/* The new message is made before the old texts go: it may quote them. */
alch_status alch_error_set_list(alch_error *error, alch_error_kind kind, const char *format, va_list arguments) {
  if (!error) return ALCH_ERROR;
  alch_buffer buffer;
  alch_buffer_init(&buffer, error_allocator(error));
  alch_buffer_add_format_list(&buffer, format, arguments);
  char *message = NULL;
  if (!alch_buffer_failed(&buffer)) message = new_text(error, alch_buffer_text(&buffer), buffer.length);
  alch_buffer_close(&buffer);
  alch_error_close(error);
  error->set = true;
  error->kind = message ? kind : ALCH_ERROR_OUT_OF_MEMORY;
  error->texts[ALCH_ERROR_MESSAGE] = message;
  return ALCH_ERROR;
}

alch_status alch_error_out_of_memory(alch_error *error) {
  if (!error) return ALCH_ERROR;
  alch_error_close(error);
  error->set = true;
  error->kind = ALCH_ERROR_OUT_OF_MEMORY;
  return ALCH_ERROR;
}

void alch_error_attach(alch_error *error, alch_error_text which, const char *text, size_t length) {
  if (!error || !error->set || !text) return;
  if (length == SIZE_MAX) length = strlen(text);
  char *copy = new_text(error, text, length);
  if (!copy) return;
  free_text(error, error->texts[which]);
  error->texts[which] = copy;
}

alch_status alch_error_copy(alch_error *to, const alch_error *from) {
  if (!to) return ALCH_ERROR;
  alch_error_set(to, from->kind, "%s", alch_error_message(from));
  to->disconnected = from->disconnected;
  to->retryable = from->retryable;
  to->outcome_unknown = from->outcome_unknown;
  to->code = from->code;
  to->row = from->row;
  memcpy(to->sqlstate, from->sqlstate, sizeof to->sqlstate);
  for (int i = ALCH_ERROR_MESSAGE + 1; i < ALCH_ERROR_TEXT_COUNT; i++)
    if (from->texts[i]) alch_error_attach(to, (alch_error_text)i, from->texts[i], SIZE_MAX);
  return ALCH_ERROR;
}

const char *alch_error_message(const alch_error *error) {
  if (!error || !error->set) return "";
  if (error->texts[ALCH_ERROR_MESSAGE]) return error->texts[ALCH_ERROR_MESSAGE];
  return error->kind == ALCH_ERROR_OUT_OF_MEMORY ? "out of memory" : alch_error_kind_name(error->kind);
}

static bool kind_known(alch_error_kind kind) {
  return (unsigned)kind < ALCH_ERROR_KIND_COUNT;
}

const char *alch_error_kind_name(alch_error_kind kind) {
  return kind_names[kind_known(kind) ? kind : ALCH_ERROR_BASE];
}

alch_error_kind alch_error_kind_base(alch_error_kind kind) {
  return (alch_error_kind)kind_bases[kind_known(kind) ? kind : ALCH_ERROR_BASE];
}

bool alch_error_kind_is(alch_error_kind kind, alch_error_kind ancestor) {
  while (kind != ancestor && kind != ALCH_ERROR_BASE) kind = alch_error_kind_base(kind);
  return kind == ancestor;
}

int alch_error_kind_find(const char *name) {
  for (int i = 0; i < ALCH_ERROR_KIND_COUNT; i++)
    if (strcmp(kind_names[i], name) == 0) return i;
  return -1;
}
