/* What tables and columns of MySQL and MariaDB have beyond the standard. */
#include "base/buffer.h"
#include "sql/compile.h"
#include "sql/dialects/mysql.h"

alch_status alch_mysql_column_key(const alch_column *column, bool *is_key, alch_buffer *out, alch_error *error) {
  (void)error;
  *is_key = false;
  if (alch_table_autoincrement(column->table) == column) alch_buffer_add(out, " AUTO_INCREMENT");
  return ALCH_OK;
}

alch_status alch_mysql_table_suffix(const alch_table *table, alch_buffer *out, alch_error *error) {
  (void)table, (void)out, (void)error;
  return ALCH_OK;
}
