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

/* What the generic types take. */
static const uint64_t family_options[ALCH_TYPE_FAMILY_COUNT] = {
  [ALCH_TYPE_FLOAT] = ALCH_TAKES(PRECISION), [ALCH_TYPE_DOUBLE] = ALCH_TAKES(PRECISION),
  [ALCH_TYPE_NUMERIC] = ALCH_TAKES(PRECISION) | ALCH_TAKES(SCALE) | ALCH_TAKES(ASDECIMAL),
  [ALCH_TYPE_STRING] = ALCH_TAKES(LENGTH) | ALCH_TAKES(COLLATION), [ALCH_TYPE_TEXT] = ALCH_TAKES(LENGTH) | ALCH_TAKES(COLLATION),
  [ALCH_TYPE_UNICODE] = ALCH_TAKES(LENGTH) | ALCH_TAKES(COLLATION), [ALCH_TYPE_UNICODE_TEXT] = ALCH_TAKES(LENGTH) | ALCH_TAKES(COLLATION),
  [ALCH_TYPE_BOOLEAN] = ALCH_TAKES(CREATE_CONSTRAINT) | ALCH_TAKES(NAME),
  [ALCH_TYPE_TIME] = ALCH_TAKES(TIMEZONE), [ALCH_TYPE_DATETIME] = ALCH_TAKES(TIMEZONE),
  [ALCH_TYPE_INTERVAL] = ALCH_TAKES(NATIVE) | ALCH_TAKES(SECOND_PRECISION) | ALCH_TAKES(DAY_PRECISION),
  [ALCH_TYPE_LARGE_BINARY] = ALCH_TAKES(LENGTH), [ALCH_TYPE_UUID] = ALCH_TAKES(NATIVE_UUID),
  [ALCH_TYPE_ENUM] = ALCH_TAKES(NAME) | ALCH_TAKES(SCHEMA) | ALCH_TAKES(METADATA) | ALCH_TAKES(INHERIT_SCHEMA) | ALCH_TAKES(CREATE_CONSTRAINT) | ALCH_TAKES(NATIVE_ENUM) | ALCH_TAKES(LENGTH) | ALCH_TAKES(ITEMS),
  [ALCH_TYPE_JSON] = ALCH_TAKES(NONE_AS_NULL), [ALCH_TYPE_ARRAY] = ALCH_TAKES(DIMENSIONS),
};

uint64_t alch_type_options(const alch_type *type) { return type->exact ? type->exact->options : family_options[type->family]; }

static const struct { uint64_t option; const char *name; } option_names[] = {
#define ALCH_TYPE_OPTION(symbol, name, kind) { ALCH_TAKES(symbol), name },
#include "schema/type_option.def"
#undef ALCH_TYPE_OPTION
};

#define LENGTHS (ALCH_TAKES(LENGTH) | ALCH_TAKES(DISPLAY_WIDTH) | ALCH_TAKES(BINARY_PRECISION))
#define PRECISIONS (ALCH_TAKES(PRECISION) | ALCH_TAKES(FSP) | ALCH_TAKES(DAY_PRECISION))
#define SCALES (ALCH_TAKES(SCALE) | ALCH_TAKES(SECOND_PRECISION))
#define DETAILS (ALCH_TAKES(FIELDS) | ALCH_TAKES(CHARSET) | ALCH_TAKES(DEFINITION))
#define NATIVES (ALCH_TAKES(NATIVE) | ALCH_TAKES(NATIVE_ENUM) | ALCH_TAKES(NATIVE_UUID))

/* A precision of 0 means something where it counts the digits of seconds. */
static int32_t relevant_precision(const alch_type *type) {
  bool seconds = type->family >= ALCH_TYPE_TIME && type->family <= ALCH_TYPE_INTERVAL;
  return type->precision < 0 || (type->precision == 0 && !seconds) ? -1 : type->precision;
}

alch_type alch_type_relevant(const alch_type *type) {
  alch_type plain = ALCH_TYPE_PLAIN(type->family);
  uint64_t takes = alch_type_options(type);
  plain.host = type->host;
  plain.exact = type->exact;
  plain.word = type->word;
  plain.bind_expression = type->bind_expression;
  plain.column_expression = type->column_expression;
  if (type->variant_count > 0) plain.variants = type->variants, plain.variant_count = type->variant_count;
  if (takes & ALCH_TAKES(ITEMS)) plain.items = type->items, plain.item_count = type->item_count;
  if (type->family == ALCH_TYPE_ARRAY || (type->exact && !type->exact->word)) plain.item = type->item, plain.item_id = type->item_id;
  if (takes & LENGTHS) plain.length = type->length;
  if (takes & PRECISIONS) plain.precision = relevant_precision(type);
  if (takes & SCALES) plain.scale = type->scale < 0 ? -1 : type->scale;
  if (takes & NATIVES) plain.native = type->native;
  if (takes & ALCH_TAKES(ASDECIMAL)) plain.as_number = type->as_number;
  if (takes & ALCH_TAKES(COLLATION)) plain.collation = type->collation;
  if (takes & ALCH_TAKES(TIMEZONE)) plain.timezone = type->timezone;
  if (takes & ALCH_TAKES(NAME)) plain.name = type->name;
  if (takes & ALCH_TAKES(SCHEMA)) plain.schema = type->schema;
  if (takes & ALCH_TAKES(INHERIT_SCHEMA)) plain.inherit_schema = type->inherit_schema;
  if (takes & ALCH_TAKES(CREATE_CONSTRAINT)) plain.create_constraint = type->create_constraint;
  if (takes & ALCH_TAKES(NONE_AS_NULL)) plain.null_as_json = type->null_as_json;
  if (takes & ALCH_TAKES(DIMENSIONS)) plain.dimensions = type->dimensions;
  if (takes & DETAILS) plain.detail = type->detail;
  plain.words = type->words & takes & ALCH_TYPE_WORDS;
  return plain;
}

const alch_type *alch_type_variant_find(const alch_type *type, const char *dialect) {
  for (uint32_t i = 0; i < type->variant_count; i++)
    if (strcmp(type->variants[i].dialect, dialect) == 0) return type->variants[i].type;
  return type;
}

/* ---- printing ---- */

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

static void print_size(int32_t size, alch_buffer *out) {
  if (size == ALCH_LENGTH_MAX) alch_buffer_add(out, "\"max\"");
  else alch_buffer_add_integer(out, size);
}

/* May the length, the precision and the scale stand without their names? */
static bool has_bare_length(const alch_type *type) { return type->length != 0 && type->family != ALCH_TYPE_ENUM && (alch_type_options(type) & ALCH_TAKES(LENGTH)); }
static bool has_bare_precision(const alch_type *type) { return type->precision >= 0 && (alch_type_options(type) & ALCH_TAKES(PRECISION)); }
static bool has_bare_scale(const alch_type *type) { return has_bare_precision(type) && type->scale >= 0 && (alch_type_options(type) & ALCH_TAKES(SCALE)); }

static void print_positional(const alch_type *type, alch_buffer *out, bool *first) {
  for (uint32_t i = 0; i < type->item_count; i++) {
    separate(out, first);
    print_quoted(type->items[i], out);
  }
  if (type->item) {
    separate(out, first);
    alch_type_print(type->item, out);
  }
  const struct { bool there; int32_t size; } sizes[] = { { has_bare_length(type), type->length }, { has_bare_precision(type), type->precision }, { has_bare_scale(type), type->scale } };
  for (size_t i = 0; i < ALCH_COUNT(sizes); i++) {
    if (!sizes[i].there) continue;
    separate(out, first);
    print_size(sizes[i].size, out);
  }
}

static void print_key(const char *key, alch_buffer *out, bool *first) {
  separate(out, first);
  alch_buffer_add(out, key);
  alch_buffer_add(out, " = ");
}

/* The name under which the type takes one of these options. */
static const char *option_name(const alch_type *type, uint64_t options) {
  for (size_t i = 0; i < ALCH_COUNT(option_names); i++)
    if (alch_type_options(type) & options & option_names[i].option) return option_names[i].name;
  return "?";
}

static void print_named(const alch_type *type, alch_buffer *out, bool *first) {
  const struct { bool there; uint64_t option; const char *text; int64_t integer; } options[] = {
    { type->length != 0 && !has_bare_length(type), LENGTHS, NULL, type->length },
    { type->precision >= 0 && !has_bare_precision(type), PRECISIONS, NULL, type->precision },
    { type->scale >= 0 && !has_bare_scale(type), SCALES, NULL, type->scale },
    { type->dimensions > 0, ALCH_TAKES(DIMENSIONS), NULL, type->dimensions },
    { type->detail != NULL, DETAILS, type->detail, 0 },
    { type->collation != NULL, ALCH_TAKES(COLLATION), type->collation, 0 },
    { type->name != NULL, ALCH_TAKES(NAME), type->name, 0 },
    { type->schema != NULL, ALCH_TAKES(SCHEMA), type->schema, 0 },
  };
  const struct { bool there; uint64_t option; bool value; } switches[] = {
    { type->timezone, ALCH_TAKES(TIMEZONE), true }, { type->as_number, ALCH_TAKES(ASDECIMAL), false }, { !type->native, NATIVES, false },
    { type->create_constraint, ALCH_TAKES(CREATE_CONSTRAINT), true }, { type->inherit_schema, ALCH_TAKES(INHERIT_SCHEMA), true }, { type->null_as_json, ALCH_TAKES(NONE_AS_NULL), false },
  };
  for (size_t i = 0; i < ALCH_COUNT(options); i++) {
    if (!options[i].there) continue;
    print_key(option_name(type, options[i].option), out, first);
    if (options[i].text) print_quoted(options[i].text, out);
    else print_size((int32_t)options[i].integer, out);
  }
  for (size_t i = 0; i < ALCH_COUNT(switches); i++) {
    if (!switches[i].there) continue;
    print_key(option_name(type, switches[i].option), out, first);
    alch_buffer_add(out, switches[i].value ? "true" : "false");
  }
  for (size_t i = 0; i < ALCH_COUNT(option_names); i++) {
    if (!(type->words & option_names[i].option)) continue;
    print_key(option_names[i].name, out, first);
    alch_buffer_add(out, "true");
  }
  if (type->host == 0) return;
  print_key("host", out, first);
  alch_buffer_add_integer(out, type->host);
}

static bool has_named(const alch_type *type) {
  return (type->precision >= 0 && !has_bare_precision(type)) || (type->scale >= 0 && !has_bare_scale(type)) || (type->length != 0 && !has_bare_length(type)) || type->detail || type->collation ||
         type->name || type->schema || type->timezone || type->as_number || !type->native || type->create_constraint || type->inherit_schema || type->null_as_json || type->words != 0 ||
         type->dimensions > 0 || type->host != 0 || type->item_count > 0;
}

static void print_name(const alch_type *type, alch_buffer *out) {
  const alch_exact_type *exact = type->exact;
  if (exact && exact->dialects) {
    alch_buffer_add_bytes(out, exact->dialects, strcspn(exact->dialects, " "));
    alch_buffer_add_char(out, '.');
  }
  alch_buffer_add(out, exact ? exact->name : alch_type_family_name(type->family));
}

void alch_type_print(const alch_type *given, alch_buffer *out) {
  alch_type type = alch_type_relevant(given);
  bool first = true, named = has_named(&type);
  print_name(&type, out);
  if (named || has_bare_length(&type) || has_bare_precision(&type) || type.item) {
    alch_buffer_add(out, named ? "{ " : "(");
    print_positional(&type, out, &first);
    print_named(&type, out, &first);
    alch_buffer_add(out, named ? " }" : ")");
  }
  for (uint32_t i = 0; i < type.variant_count; i++) {
    alch_buffer_add(out, ":with_variant(");
    alch_type_print(type.variants[i].type, out);
    alch_buffer_add(out, ", ");
    print_quoted(type.variants[i].dialect, out);
    alch_buffer_add_char(out, ')');
  }
}

/* ---- exact names ---- */

#define TAKES(option) ALCH_TAKES(option)
const alch_exact_type alch_exact_types[] = {
#define ALCH_EXACT_TYPE(name, word, family, options) { name, word, ALCH_TYPE_##family, options, NULL },
#include "schema/exact.def"
#undef ALCH_EXACT_TYPE
  { NULL, NULL, 0, 0, NULL },
};

const alch_exact_type *alch_exact_find(const alch_exact_type *list, const char *name) {
  for (; list->name; list++)
    if (strcmp(list->name, name) == 0) return list;
  return NULL;
}

bool alch_exact_belongs(const alch_exact_type *exact, const char *dialect) {
  size_t length = strlen(dialect);
  for (const char *at = exact->dialects; at; at = strchr(at, ' ')) {
    at += *at == ' ';
    if (strncmp(at, dialect, length) == 0 && (at[length] == ' ' || at[length] == '\0')) return true;
  }
  return exact->dialects == NULL;
}
