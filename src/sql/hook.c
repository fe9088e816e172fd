#include "sql/hook.h"
#include <string.h>

#define MARK_OPEN '\1'
#define MARK_CLOSE '\2'

/* ---- declaring ---- */

static bool same(const char *left, const char *right) { return left && right ? strcmp(left, right) == 0 : left == right; }

static bool copy_text(alch_catalog *catalog, const char **text) {
  if (*text) *text = alch_arena_text(&catalog->arena, *text, strlen(*text));
  return *text != NULL;
}

alch_status alch_hook_add(alch_catalog *catalog, const alch_hook *hook, alch_error *error) {
  alch_hook *known = catalog->hooks;
  while (known && !(known->kind == hook->kind && same(known->name, hook->name) && same(known->dialect, hook->dialect))) known = known->next;
  if (!known) {
    alch_hook *copy = alch_arena_copy(&catalog->arena, hook, sizeof *hook);
    if (!copy || (hook->name && !copy_text(catalog, &copy->name)) || (hook->dialect && !copy_text(catalog, &copy->dialect))) return alch_error_out_of_memory(error);
    copy->next = catalog->hooks;
    catalog->hooks = copy;
  } else {
    known->render = hook->render;
    known->context = hook->context;
  }
  alch_catalog_renew(catalog);
  return ALCH_OK;
}

static bool fits(const alch_hook *hook, uint8_t kind, const char *name, size_t length) {
  return hook->kind == kind && (!hook->name || (strlen(hook->name) == length && memcmp(hook->name, name, length) == 0));
}

/* The dialect's own before one for all. */
static const alch_hook *find(const alch_catalog *catalog, uint8_t kind, const char *name, size_t length, const char *dialect) {
  const alch_hook *found = NULL;
  for (const alch_hook *hook = catalog->hooks; hook; hook = hook->next) {
    if (!fits(hook, kind, name, length)) continue;
    if (hook->dialect && strcmp(hook->dialect, dialect) == 0) return hook;
    if (!hook->dialect && !found) found = hook;
  }
  return found;
}

bool alch_hook_exists(const alch_catalog *catalog, uint8_t kind, const char *dialect) { return find(catalog, kind, "", 0, dialect) != NULL; }

/* ---- marked text ---- */

static uint32_t keep_slot(alch_hook_call *call, const alch_slot *slot) {
  if (call->slot_count == call->slot_capacity) {
    uint32_t capacity = call->slot_capacity ? call->slot_capacity * 2 : 8;
    alch_slot *slots = alch_arena_allocate(&call->compiler->scratch, capacity * sizeof *slots);
    if (!slots) {
      alch_no_memory(call->compiler);
      return 0;
    }
    if (call->slot_count > 0) memcpy(slots, call->slots, call->slot_count * sizeof *slots);
    call->slots = slots;
    call->slot_capacity = capacity;
  }
  call->slots[call->slot_count] = *slot;
  return call->slot_count++;
}

/* Takes back what was written since `start`, with its slots, and appends it to `out`. */
static alch_status take_back(alch_hook_call *call, size_t start, uint32_t first, alch_buffer *out) {
  alch_compiler *compiler = call->compiler;
  alch_buffer *text = compiler->out;
  if (compiler->status != ALCH_OK) return compiler->status;
  if (alch_buffer_failed(text)) return alch_no_memory(compiler);
  size_t at = start;
  for (uint32_t i = first; i < compiler->slot_count; i++) {
    const alch_slot *slot = &compiler->slots[i];
    alch_buffer_add_bytes(out, text->text + at, slot->offset - at);
    alch_buffer_add_format(out, "%c%u%c", MARK_OPEN, (unsigned)keep_slot(call, slot), MARK_CLOSE);
    at = slot->offset + slot->length;
  }
  alch_buffer_add_bytes(out, text->text + at, text->length - at);
  compiler->slot_count = first;
  if (text->length > start) {
    text->length = start;
    text->text[start] = '\0';
  }
  return alch_buffer_failed(out) ? alch_no_memory(compiler) : compiler->status;
}

static const char *write_mark(alch_hook_call *call, const char *at, const char *end) {
  uint32_t number = 0;
  for (at++; at < end && *at >= '0' && *at <= '9'; at++) number = number * 10 + (uint32_t)(*at - '0');
  if (at < end && *at == MARK_CLOSE && number < call->slot_count) alch_slot_repeat(call->compiler, &call->slots[number]);
  else alch_compile_error(call->compiler, ALCH_ERROR_COMPILE, "the text of a hook holds a control character");
  return at + 1;
}

alch_status alch_hook_write(alch_hook_call *call, const char *text, size_t length) {
  const char *end = text + length;
  if (length > 0 && memchr(text, 0, length)) return alch_compile_error(call->compiler, ALCH_ERROR_COMPILE, "SQL text cannot hold a zero byte");
  while (text < end && call->compiler->status == ALCH_OK) {
    const char *mark = memchr(text, MARK_OPEN, (size_t)(end - text)), *stop = mark ? mark : end;
    alch_buffer_add_bytes(call->compiler->out, text, (size_t)(stop - text));
    text = mark ? write_mark(call, mark, end) : end;
  }
  return call->compiler->status;
}

/* ---- for hooks ---- */

alch_status alch_hook_process(alch_hook_call *call, const alch_node *part, alch_buffer *out) {
  size_t start = call->compiler->out->length;
  uint32_t first = call->compiler->slot_count;
  alch_render(call->compiler, part);
  return take_back(call, start, first, out);
}

alch_status alch_hook_default(alch_hook_call *call, alch_buffer *out) {
  alch_compiler *compiler = call->compiler;
  size_t start = compiler->out->length;
  uint32_t first = compiler->slot_count;
  const struct alch_renderer_override *override = compiler->dialect->renderers;
  while (override && override->kind && override->kind != call->node->kind) override++;
  alch_status status = override && override->kind ? override->render(compiler, call->node) : alch_render_default(compiler, call->node);
  if (status < 0 && compiler->status == ALCH_OK) compiler->status = status;
  return take_back(call, start, first, out);
}

static alch_status no_hook(alch_compiler *compiler, const alch_node *node) {
  return alch_compile_error(compiler, ALCH_ERROR_UNSUPPORTED_COMPILATION, "the construct '%.*s' is not supported by the dialect '%s'; give it a function of that name, or default", (int)node->length,
                            alch_node_text(node), compiler->dialect->name);
}

alch_status alch_render_hooked(alch_compiler *compiler, const alch_node *node) {
  const alch_hook *hook = find(compiler->catalog, node->kind, alch_node_text(node), node->length, compiler->dialect->name);
  if (!hook) return no_hook(compiler, node);
  alch_hook_call call = { compiler, node, NULL, 0, 0 };
  alch_status status = hook->render(hook->context, &call);
  if (status < 0 && compiler->status == ALCH_OK) compiler->status = status;
  return compiler->status;
}

/* ---- the SQL of types ---- */

typedef struct alch_operand_text { alch_hook_call call; alch_buffer text; uint32_t uses; } alch_operand_text;

alch_status alch_default_operand(alch_compiler *compiler, const alch_node *node) {
  alch_operand_text *operand = compiler->operand;
  (void)node;
  if (!operand) return alch_compile_error(compiler, ALCH_ERROR_COMPILE, "the operand of a type's expression stands outside of it");
  operand->uses++;
  return alch_hook_write(&operand->call, alch_buffer_text(&operand->text), operand->text.length);
}

static const char *keep(alch_compiler *compiler, size_t start, size_t end) {
  const char *copy = alch_arena_text(&compiler->compiled->arena, compiler->out->text + start, end - start);
  if (!copy) alch_no_memory(compiler);
  return copy;
}

/* Of a list each item has the text before and behind it: the slot takes the whole place. */
static void spread(alch_compiler *compiler, size_t start, uint32_t first) {
  alch_slot *slot = &compiler->slots[first];
  slot->before = keep(compiler, start, slot->offset);
  slot->behind = keep(compiler, slot->offset + slot->length, compiler->out->length);
  slot->offset = start;
  slot->length = compiler->out->length - start;
}

alch_status alch_wrap(alch_compiler *compiler, size_t start, uint32_t first, const alch_block *round) {
  alch_operand_text operand = { .call = { compiler, NULL, NULL, 0, 0 } }, *outer = compiler->operand;
  alch_buffer_init(&operand.text, compiler->scratch.allocator);
  take_back(&operand.call, start, first, &operand.text);
  compiler->operand = &operand;
  if (compiler->status == ALCH_OK) alch_render_foreign_block(compiler, round);
  compiler->operand = outer;
  bool list = compiler->status == ALCH_OK && operand.call.slot_count == 1 && operand.call.slots[0].list;
  if (list && operand.uses != 1) alch_compile_error(compiler, ALCH_ERROR_COMPILE, "an expression of a type that uses its operand %u times cannot stand round a list", (unsigned)operand.uses);
  else if (list) spread(compiler, start, first);
  alch_buffer_close(&operand.text);
  return compiler->status;
}
