/* Building and compiling with their first, second, … allocation failing: nothing leaks, and the error says that there was no memory. */
#include "base_faults.h"
#include "compile_world.h"

#define U(name) c(w.users, name)

static bool compiles(X statement, const char *dialect, const alch_compile_options *options) {
  alch_compiled *compiled = compiled_as(statement, dialect, options);
  bool passed = compiled != NULL;
  alch_compiled_release(compiled);
  return passed;
}

static bool finish(bool passed) {
  if (!passed) CHECK_INT(w.failed ? w.failure : w.error.kind, ALCH_ERROR_OUT_OF_MEMORY);
  world_close();
  return passed;
}

static bool select_body(const alch_allocator *allocator) {
  world_open_with(allocator);
  X base = recursive(SELECT(U("id")), NULL);
  X grown = redefine(base, NULL, compound(ALCH_COMPOUND_UNION_ALL, SELECT(U("id")), SELECT(add(at(base, 0), i(1)))));
  X counts = subquery(GROUP_BY(SELECT(c(w.addresses, "user_id"), label(func("count"), "n")), c(w.addresses, "user_id")), NULL);
  X column = at(counts, 1);
  X condition = AND(gt(column, i(2)), in(U("id"), LIST(INTEGER(1), INTEGER(2))), pattern(ALCH_PATTERN_CONTAINS, U("name"), s("x%"), true));
  X joined = join(t(w.users), counts);
  X statement = WHERE(FROM(SELECT(entity(w.users), column, at(grown, 0), exists(WHERE(SELECT(star()), eq(c(w.addresses, "user_id"), U("id"))))), joined), condition);
  statement = limit(ORDER_BY(statement, desc(U("name"))), 3);
  return finish(compiles(statement, "sqlite", NULL) && compiles(statement, "default", NULL));
}

static bool write_body(const alch_allocator *allocator) {
  static const char *const names[] = { "age" };
  const alch_compile_options options = { .parameter_names = names, .parameter_count = 1 };
  world_open_with(allocator);
  X rows = ROWS(INTO(insert(w.users), U("id"), U("name")), ROW(i(1), s("one")), ROW(i(2), s("two")));
  X targets = NODE(TARGETS, 0, 0, 0, U("id"));
  X set = NODE(SET, 0, 0, 0, assign(w.users, "name", leaf(ALCH_NODE_EXCLUDED, w.users->id, 1)));
  X upsert = RETURNING(clause_of(rows, ALCH_NODE_ON_CONFLICT, 1, (X[]){ targets, set }, 2), entity(w.users));
  X change = WHERE(SET(update(w.users), assign(w.users, "name", s("x"))), eq(U("id"), i(1)));
  X words = text("SELECT :a, :b");
  return finish(compiles(upsert, "sqlite", &options) && compiles(upsert, "default", NULL) && compiles(change, "sqlite", &options) && compiles(words, "sqlite", NULL));
}

static bool literal_body(const alch_allocator *allocator) {
  const alch_compile_options options = { .literal_binds = true };
  world_open_with(allocator);
  X statement = WHERE(SELECT(U("id")), eq(U("name"), s("x")), in(U("age"), LIST(INTEGER(1), INTEGER(2))), eq(U("born"), s("2024-01-01")));
  return finish(compiles(statement, "sqlite", &options));
}

static bool error_body(const alch_allocator *allocator) {
  world_open_with(allocator);
  X joined = join(t(w.users), t(w.orders));
  alch_compiled *compiled = compiled_as(joined, "sqlite", NULL);
  CHECK(compiled == NULL);
  bool passed = w.error.kind == ALCH_ERROR_NO_FOREIGN_KEYS;
  return finish(passed);
}

CASE("select: every allocation may fail") { survive_faults(select_body); }
CASE("insert, update, text: every allocation may fail") { survive_faults(write_body); }
CASE("literals: every allocation may fail") { survive_faults(literal_body); }
CASE("errors: every allocation may fail") { survive_faults(error_body); }
