/* What MariaDB has beside the types that it shares with MySQL. */
#include "schema/type.h"

extern const alch_exact_type alch_mariadb_types[];

#define TAKES(option) ALCH_TAKES(option)
#define KNOWN "mariadb"

const alch_exact_type alch_mariadb_types[] = {
  { "INET4", "INET4", ALCH_TYPE_STRING, 0, KNOWN },
  { "INET6", "INET6", ALCH_TYPE_STRING, 0, KNOWN },
  { NULL, NULL, 0, 0, NULL },
};
