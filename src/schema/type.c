#include "schema/type.h"
#include "base/buffer.h"
#include "schema/record.h"
#include <string.h>
#include <strings.h>

static const struct { const char *name; uint8_t value_kind; } families[ALCH_TYPE_FAMILY_COUNT] = {
#define ALCH_TYPE(symbol, name, value, comparison) [ALCH_TYPE_##symbol] = { name, ALCH_##value },
#include "schema/type.def"
#undef ALCH_TYPE
};

/* The statement trees write 0 for "no type known". */
_Static_assert(ALCH_TYPE_NULL == 0, "the plain type of family F has the id F");

const char *alch_type_family_name(uint8_t family) {
  return family < ALCH_TYPE_FAMILY_COUNT ? families[family].name : "?";
}

int alch_type_family_find(const char *name) {
  for (int family = 0; family < ALCH_TYPE_FAMILY_COUNT; family++)
    if (strcasecmp(families[family].name, name) == 0) return family;
  return -1;
}

uint8_t alch_type_value_kind(uint8_t family) {
  return family < ALCH_TYPE_FAMILY_COUNT ? families[family].value_kind : ALCH_NULL;
}

bool alch_type_is_integer(uint8_t family) {
  return family == ALCH_TYPE_INTEGER || family == ALCH_TYPE_SMALL_INTEGER || family == ALCH_TYPE_BIG_INTEGER;
}

static bool has_collation(uint8_t family) {
  switch (family) {
    case ALCH_TYPE_STRING: case ALCH_TYPE_TEXT: case ALCH_TYPE_UNICODE: case ALCH_TYPE_UNICODE_TEXT: return true;
    default: return false;
  }
}

alch_type alch_type_relevant(const alch_type *type) {
  alch_type plain = ALCH_TYPE_PLAIN(type->family);
  plain.host = type->host;
  switch (type->family) {
    case ALCH_TYPE_TIME: case ALCH_TYPE_DATETIME: plain.timezone = type->timezone; break;
    case ALCH_TYPE_NUMERIC:
      plain.as_number = type->as_number;
      plain.scale = type->scale < 0 ? -1 : type->scale;
      /* fall through */
    case ALCH_TYPE_FLOAT: case ALCH_TYPE_DOUBLE: plain.precision = type->precision <= 0 ? -1 : type->precision; break;
    case ALCH_TYPE_ENUM:
      plain.items = type->items;
      plain.item_count = type->item_count;
      plain.native = type->native;
      /* fall through */
    case ALCH_TYPE_BOOLEAN:
      plain.create_constraint = type->create_constraint;
      plain.name = type->name;
      break;
    case ALCH_TYPE_UUID: plain.native = type->native; break;
    case ALCH_TYPE_LARGE_BINARY: plain.length = type->length; break;
    default:
      if (has_collation(type->family)) {
        plain.length = type->length;
        plain.collation = type->collation;
      }
  }
  return plain;
}

/* As a Lua string, so that two different types never print alike. */
static void print_quoted(const char *text, alch_buffer *out) {
  alch_buffer_add_char(out, '"');
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') alch_buffer_add_char(out, '\\');
    alch_buffer_add_char(out, *text);
  }
  alch_buffer_add_char(out, '"');
}

static void separate(alch_buffer *out, bool *first) {
  if (!*first) alch_buffer_add(out, ", ");
  *first = false;
}

static void print_positional(const alch_type *type, alch_buffer *out, bool *first) {
  for (uint32_t i = 0; i < type->item_count; i++) {
    separate(out, first);
    print_quoted(type->items[i], out);
  }
  if (type->length != 0) {
    separate(out, first);
    alch_buffer_add_integer(out, type->length);
  }
  if (type->precision < 0) return;
  separate(out, first);
  alch_buffer_add_integer(out, type->precision);
  if (type->scale < 0) return;
  separate(out, first);
  alch_buffer_add_integer(out, type->scale);
}

static void print_named(const alch_type *type, alch_buffer *out, bool *first) {
  const struct { bool there; const char *key; const char *text; int64_t integer; } options[] = {
    { type->precision < 0 && type->scale >= 0, "scale", NULL, type->scale },
    { type->collation != NULL, "collation", type->collation, 0 },
    { type->name != NULL, "name", type->name, 0 },
    { type->timezone, "timezone = true", NULL, -1 },
    { type->as_number, "asdecimal = false", NULL, -1 },
    { !type->native, "native = false", NULL, -1 },
    { type->create_constraint, "create_constraint = true", NULL, -1 },
    { type->host != 0, "host", NULL, type->host },
  };
  for (size_t i = 0; i < ALCH_COUNT(options); i++) {
    if (!options[i].there) continue;
    separate(out, first);
    alch_buffer_add(out, options[i].key);
    if (options[i].text) {
      alch_buffer_add(out, " = ");
      print_quoted(options[i].text, out);
    } else if (options[i].integer != -1) {
      alch_buffer_add(out, " = ");
      alch_buffer_add_integer(out, options[i].integer);
    }
  }
}

static bool has_named(const alch_type *type) {
  return (type->precision < 0 && type->scale >= 0) || type->collation || type->name || type->timezone || type->as_number || !type->native ||
         type->create_constraint || type->host != 0 || type->item_count > 0;
}

void alch_type_print(const alch_type *given, alch_buffer *out) {
  alch_type type = alch_type_relevant(given);
  bool first = true, named = has_named(&type);
  alch_buffer_add(out, alch_type_family_name(type.family));
  if (!named && type.length == 0 && type.precision < 0) return;
  alch_buffer_add(out, named ? "{ " : "(");
  print_positional(&type, out, &first);
  print_named(&type, out, &first);
  alch_buffer_add(out, named ? " }" : ")");
}
