/* Values in the server's text format, in which libpq sends parameters and gives results. */
#include "base/buffer.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/real.h"
#include "sql/dialects/postgresql.h"
#include <string.h>

alch_status alch_postgresql_to_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  (void)type, (void)value, (void)scratch, (void)error;
  return ALCH_OK;
}

alch_status alch_postgresql_from_database(const alch_type *type, alch_value *value, alch_buffer *scratch, alch_error *error) {
  (void)type, (void)value, (void)scratch, (void)error;
  return ALCH_OK;
}

bool alch_postgresql_converts(const alch_type *type, bool to_database) {
  (void)type, (void)to_database;
  return false;
}
