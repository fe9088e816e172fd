#include "sql/expression.h"
#include <string.h>

const alch_operator_row alch_operator_rows[] = {
#define ALCH_OPERATOR(symbol, lua_name, spelling, precedence, associativity, negation, result) \
  { #symbol, lua_name, spelling, precedence, ALCH_ASSOCIATIVE_##associativity, ALCH_OPERATOR_##negation, ALCH_RESULT_##result },
#include "sql/operator.def"
#undef ALCH_OPERATOR
};
_Static_assert(ALCH_COUNT(alch_operator_rows) == ALCH_OPERATOR_COUNT, "one row an operator");

int alch_operator_find(const char *lua_name) {
  for (int i = 1; i < ALCH_OPERATOR_COUNT; i++)
    if (alch_operator_rows[i].lua_name[0] && strcmp(alch_operator_rows[i].lua_name, lua_name) == 0) return i;
  return -1;
}
