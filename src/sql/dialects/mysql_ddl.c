/* What tables and columns of MySQL and MariaDB have beyond the standard. */
#include "sql/ddl_part.h"
#include "sql/dialects/mysql.h"

static alch_status column_key(alch_ddl *d) {
  if (alch_ddl_numbers_itself(d, d->column)) alch_ddl_add(d, " AUTO_INCREMENT");
  return ALCH_OK;
}

const struct alch_ddl_override alch_mysql_ddl_parts[] = { { ALCH_DDL_PART_COLUMN_KEY, column_key }, { 0, NULL } };
