#include "compile_check.h"
#include "sql/hook.h"

/* Hooks of the compiler, without any host. */

static alch_status swapped(void *context, alch_hook_call *call) {
  alch_buffer text;
  alch_buffer_init(&text, &alch_allocator_standard);
  alch_buffer_add(&text, context);
  alch_buffer_add_char(&text, '(');
  alch_hook_process(call, alch_node_nth(call->node, 1), &text);
  alch_buffer_add(&text, ", ");
  alch_hook_process(call, alch_node_nth(call->node, 0), &text);
  alch_buffer_add_char(&text, ')');
  alch_status status = alch_hook_write(call, alch_buffer_text(&text), text.length);
  alch_buffer_close(&text);
  return status;
}

static alch_status marked(void *context, alch_hook_call *call) {
  alch_buffer text;
  (void)context;
  alch_buffer_init(&text, &alch_allocator_standard);
  alch_buffer_add(&text, "<");
  alch_hook_default(call, &text);
  alch_buffer_add(&text, ">");
  alch_status status = alch_hook_write(call, alch_buffer_text(&text), text.length);
  alch_buffer_close(&text);
  return status;
}

static alch_status failing(void *context, alch_hook_call *call) {
  (void)context, (void)call;
  return ALCH_HOST_ERROR;
}

/* Two arguments of a construct of this name. */
static X construct(const char *name) {
  alch_value one = alch_value_integer(1), two = alch_value_integer(2);
  alch_builder_start(&w.builder);
  alch_builder_open_text(&w.builder, ALCH_NODE_CONSTRUCT, 0, 0, ALCH_TYPE_INTEGER, name, strlen(name));
  alch_builder_bind(&w.builder, ALCH_TYPE_INTEGER, 0, "one", &one, NULL);
  alch_builder_bind(&w.builder, ALCH_TYPE_INTEGER, 0, "two", &two, NULL);
  alch_builder_close(&w.builder);
  return taken(ALCH_OK);
}

CASE("a construct's text is its hook's, the dialect's own before the one for all") {
  spec_open();
  uint64_t serial = w.catalog->serial;
  CHECK_INT(alch_hook_add(w.catalog, &(alch_hook){ .kind = ALCH_NODE_CONSTRUCT, .name = "swap", .render = swapped, .context = "swap" }, &w.error), ALCH_OK);
  CHECK(w.catalog->serial != serial);
  SQL(construct("swap"), "swap(:two, :one)");
  CHECK_INT(alch_hook_add(w.catalog, &(alch_hook){ .kind = ALCH_NODE_CONSTRUCT, .name = "swap", .dialect = "sqlite", .render = swapped, .context = "other" }, &w.error), ALCH_OK);
  SQL2(construct("swap"), "swap(:two, :one)", "other(?, ?)");
  CHECK_INT(alch_hook_add(w.catalog, &(alch_hook){ .kind = ALCH_NODE_CONSTRUCT, .name = "swap", .render = swapped, .context = "again" }, &w.error), ALCH_OK);
  SQL2(construct("swap"), "again(:two, :one)", "other(?, ?)");
  spec_close();
}

CASE("a hook may stand before the core's own renderer") {
  spec_open();
  CHECK_INT(alch_hook_add(w.catalog, &(alch_hook){ .kind = ALCH_NODE_BETWEEN, .dialect = "sqlite", .render = marked }, &w.error), ALCH_OK);
  SQL2(OP(BETWEEN, c(w.users, "age"), i(1), i(2)), "users.age BETWEEN :age_1 AND :age_2", "<users.age BETWEEN ? AND ?>");
  spec_close();
}

CASE("what fails in a hook comes out") {
  spec_open();
  alch_compiled *compiled = NULL;
  CHECK_INT(alch_hook_add(w.catalog, &(alch_hook){ .kind = ALCH_NODE_CONSTRUCT, .name = "bad", .render = failing }, &w.error), ALCH_OK);
  X bad = construct("bad"), unknown = construct("unknown");
  CHECK_INT(alch_compile(w.catalog, alch_dialect_find("default"), bad.block, NULL, w.allocator, &compiled, &w.error), ALCH_HOST_ERROR);
  CHECK_INT(alch_compile(w.catalog, alch_dialect_find("default"), unknown.block, NULL, w.allocator, &compiled, &w.error), ALCH_ERROR);
  CHECK_INT(w.error.kind, ALCH_ERROR_UNSUPPORTED_COMPILATION);
  spec_close();
}
