/* A driver manager of ODBC that plays a database by a script: it stands in for libodbc.so.2, so that what the project's ODBC driver says to databases that are not here can be seen, and what they would answer be given.
   ODBC_SCRIPT names the script, lines of fields with tabs between them; the first rule whose text is in the statement answers:
     on <text>  times <n>  changes <n>  out <values of placeholders that are written into>  columns <name:number of type …>  row <values>  fail <state> <number> <message>
   \N is NULL. ODBC_LOG names a file that gets what was said: statements, and values behind them. */
#include "engine/drivers/odbc_library.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 16, RULES = 64, ROWS = 16, PARAMETERS = 32, LINES = 256, LINE_BYTES = 1024 };

typedef struct rule {
  char *text, *out[FIELDS], *columns[FIELDS], *rows[ROWS][FIELDS], *fail[FIELDS];
  int times, out_count, column_count, row_count, fail_count;
  long changes;
} rule;

typedef struct place { SQLSMALLINT direction, c_type; void *value; SQLLEN room, *indicator; } place;

/* Environments and connections need no more of it than its address. */
typedef struct handle {
  char text[4096];
  place parameters[PARAMETERS], cells[FIELDS];
  const rule *answer;
  int row, asked;
  SQLULEN array, rows_wanted, *processed, *fetched;
  SQLUSMALLINT *states, *row_states;
} handle;

static rule rules[RULES];
static int rule_count;
static const rule *failure;   /* what SQLGetDiagRec tells */

static int split(char *line, char **fields) {
  int count = 0;
  line[strcspn(line, "\n")] = '\0';
  for (char *field = line; field && count < FIELDS; count++) {
    fields[count] = field;
    char *tab = strchr(field, '\t');
    if (tab) *tab++ = '\0';
    field = tab;
  }
  return count;
}

static void take_line(char **fields, int count) {
  rule *last = rule_count ? &rules[rule_count - 1] : NULL;
  size_t bytes = (size_t)(count - 1) * sizeof *fields;
  if (strcmp(fields[0], "on") == 0) rules[rule_count++] = (rule){ .text = fields[1], .times = -1, .changes = 1 };
  else if (!last) return;
  else if (strcmp(fields[0], "times") == 0) last->times = atoi(fields[1]);
  else if (strcmp(fields[0], "changes") == 0) last->changes = atol(fields[1]);
  else if (strcmp(fields[0], "out") == 0) memcpy(last->out, fields + 1, bytes), last->out_count = count - 1;
  else if (strcmp(fields[0], "columns") == 0) memcpy(last->columns, fields + 1, bytes), last->column_count = count - 1;
  else if (strcmp(fields[0], "row") == 0) memcpy(last->rows[last->row_count++], fields + 1, bytes);
  else if (strcmp(fields[0], "fail") == 0) memcpy(last->fail, fields + 1, bytes), last->fail_count = count - 1;
}

static void read_script(void) {
  static char lines[LINES][LINE_BYTES];
  char *fields[FIELDS];
  FILE *file = getenv("ODBC_SCRIPT") ? fopen(getenv("ODBC_SCRIPT"), "r") : NULL;
  for (int i = 0; file && i < LINES && fgets(lines[i], LINE_BYTES, file); i++) {
    int count = split(lines[i], fields);
    if (count > 1) take_line(fields, count);
  }
  if (file) fclose(file);
}

static void say(const char *text) {
  FILE *file = getenv("ODBC_LOG") ? fopen(getenv("ODBC_LOG"), "a") : NULL;
  if (!file) return;
  fprintf(file, "%s\n", text);
  fclose(file);
}

static void narrow(const SQLWCHAR *wide, SQLLEN length, char *out, size_t room) {
  size_t at = 0;
  for (SQLLEN i = 0; (length < 0 ? wide[i] != 0 : i < length) && at + 1 < room; i++) out[at++] = wide[i] < 0x80 ? (char)wide[i] : '?';
  out[at] = '\0';
}

static SQLSMALLINT widen(const char *text, SQLWCHAR *out, SQLSMALLINT room) {
  SQLSMALLINT length = 0;
  for (; text[length] && length + 1 < room; length++) out[length] = (unsigned char)text[length];
  if (room > 0) out[length] = 0;
  return (SQLSMALLINT)strlen(text);
}

/* ---- values ---- */

static void print_value(const place *one, SQLULEN set, char *out, size_t room) {
  const char *bytes = (const char *)one->value + set * (size_t)one->room;
  SQLLEN length = one->indicator ? one->indicator[set] : -3;
  const alch_odbc_timestamp *moment = (const void *)bytes;
  if (one->direction == SQL_PARAM_OUTPUT) snprintf(out, room, "(out)");
  else if (length == SQL_NULL_DATA) snprintf(out, room, "NULL");
  else if (one->c_type == SQL_C_CHAR) snprintf(out, room, "%.*s", (int)length, bytes);
  else if (one->c_type == SQL_C_WCHAR) narrow((const SQLWCHAR *)(const void *)bytes, length / 2, out, room);
  else if (one->c_type == SQL_C_SBIGINT) snprintf(out, room, "%lld", (long long)*(const int64_t *)(const void *)bytes);
  else if (one->c_type == SQL_C_DOUBLE) snprintf(out, room, "%.17g", *(const double *)(const void *)bytes);
  else if (one->c_type == SQL_C_TYPE_TIMESTAMP) snprintf(out, room, "%04d-%02u-%02u %02u:%02u:%02u", moment->year, moment->month, moment->day, moment->hour, moment->minute, moment->second);
  else snprintf(out, room, "(type %d, %ld bytes)", one->c_type, (long)length);
}

static SQLRETURN write_value(const char *text, const place *one, SQLULEN row) {
  char *bytes = (char *)one->value + row * (size_t)one->room;
  SQLLEN *indicator = one->indicator ? &one->indicator[row] : NULL, length = (SQLLEN)strlen(text);
  alch_odbc_timestamp *moment = (void *)bytes;
  if (strcmp(text, "\\N") == 0) length = SQL_NULL_DATA;
  else if (one->c_type == SQL_C_CHAR) snprintf(bytes, (size_t)one->room, "%s", text);
  else if (one->c_type == SQL_C_WCHAR) length = 2 * widen(text, (SQLWCHAR *)(void *)bytes, (SQLSMALLINT)(one->room / 2));
  else if (one->c_type == SQL_C_SBIGINT) *(int64_t *)(void *)bytes = atoll(text), length = 8;
  else if (one->c_type == SQL_C_DOUBLE) *(double *)(void *)bytes = strtod(text, NULL), length = 8;
  else if (one->c_type == SQL_C_TYPE_TIMESTAMP) {
    *moment = (alch_odbc_timestamp){ 0 };
    sscanf(text, "%hd-%hu-%hu %hu:%hu:%hu", &moment->year, &moment->month, &moment->day, &moment->hour, &moment->minute, &moment->second);
    length = sizeof *moment;
  }
  if (indicator) *indicator = length;
  return SQL_SUCCESS;
}

/* ---- connections ---- */

SQLRETURN SQLAllocHandle(SQLSMALLINT kind, SQLHANDLE parent, SQLHANDLE *out) {
  (void)parent;
  if (kind == SQL_HANDLE_ENV && rule_count == 0) read_script();
  *out = calloc(1, sizeof(handle));
  return *out ? SQL_SUCCESS : -1;
}

SQLRETURN SQLFreeHandle(SQLSMALLINT kind, SQLHANDLE one) {
  (void)kind;
  free(one);
  return SQL_SUCCESS;
}

SQLRETURN SQLSetEnvAttr(SQLHANDLE environment, SQLINTEGER attribute, void *value, SQLINTEGER length) {
  (void)environment, (void)attribute, (void)value, (void)length;
  return SQL_SUCCESS;
}

static const rule *find_rule(const char *text) {
  for (int i = 0; i < rule_count; i++) {
    if (rules[i].times == 0 || !strstr(text, rules[i].text)) continue;
    if (rules[i].times > 0) rules[i].times--;
    return &rules[i];
  }
  return NULL;
}

static SQLRETURN answer(const rule *found) {
  failure = found && found->fail_count ? found : NULL;
  return failure ? -1 : SQL_SUCCESS;
}

SQLRETURN SQLDriverConnectW(SQLHANDLE connection, void *window, SQLWCHAR *in, SQLSMALLINT in_length, SQLWCHAR *out, SQLSMALLINT out_size, SQLSMALLINT *out_length, SQLUSMALLINT completion) {
  char text[1024] = "CONNECT ";
  (void)connection, (void)window, (void)out, (void)out_size, (void)completion;
  narrow(in, in_length, text + 8, sizeof text - 8);
  if (out_length) *out_length = 0;
  say(text);
  return answer(find_rule(text));
}

SQLRETURN SQLDisconnect(SQLHANDLE connection) {
  (void)connection;
  say("DISCONNECT");
  return SQL_SUCCESS;
}

SQLRETURN SQLSetConnectAttr(SQLHANDLE connection, SQLINTEGER attribute, void *value, SQLINTEGER length) {
  char text[64];
  (void)connection, (void)length;
  snprintf(text, sizeof text, "%s %ld", attribute == SQL_ATTR_AUTOCOMMIT ? "AUTOCOMMIT" : attribute == SQL_ATTR_TXN_ISOLATION ? "ISOLATION" : "ATTRIBUTE", (long)(intptr_t)value);
  if (attribute != SQL_ATTR_LOGIN_TIMEOUT) say(text);
  return SQL_SUCCESS;
}

SQLRETURN SQLGetConnectAttr(SQLHANDLE connection, SQLINTEGER attribute, void *value, SQLINTEGER size, SQLINTEGER *length) {
  (void)connection, (void)attribute, (void)size, (void)length;
  *(uint32_t *)value = 0;   /* SQL_CD_FALSE: it lives */
  return SQL_SUCCESS;
}

/* Behaviours of cursors, and what there is of names, in the narrow and the wide form. */
SQLRETURN SQLGetInfo(SQLHANDLE connection, SQLUSMALLINT what, void *value, SQLSMALLINT size, SQLSMALLINT *length) {
  const rule *found = find_rule(what == 17 ? "DBMS_NAME" : what == 18 ? "DBMS_VER" : "INFO");
  (void)connection;
  if (what != 17 && what != 18) *(SQLUSMALLINT *)value = 2;
  else if (length) *length = (SQLSMALLINT)snprintf(value, (size_t)size, "%s", found && found->row_count ? found->rows[0][0] : "");
  return SQL_SUCCESS;
}

SQLRETURN SQLGetInfoW(SQLHANDLE connection, SQLUSMALLINT what, void *value, SQLSMALLINT size, SQLSMALLINT *length) {
  char text[128] = "";
  SQLSMALLINT narrow_length = 0;
  if (what != 17 && what != 18) return SQLGetInfo(connection, what, value, size, length);
  SQLGetInfo(connection, what, text, sizeof text, &narrow_length);
  narrow_length = widen(text, value, size / 2);
  if (length) *length = (SQLSMALLINT)(2 * narrow_length);
  return SQL_SUCCESS;
}

SQLRETURN SQLEndTran(SQLSMALLINT kind, SQLHANDLE connection, SQLSMALLINT how) {
  (void)kind, (void)connection;
  say(how == SQL_COMMIT ? "COMMIT" : "ROLLBACK");
  return answer(find_rule(how == SQL_COMMIT ? "COMMIT" : "ROLLBACK"));
}

/* ---- statements ---- */

SQLRETURN SQLPrepareW(SQLHANDLE statement, SQLWCHAR *text, SQLINTEGER length) {
  handle *h = statement;
  narrow(text, length, h->text, sizeof h->text);
  return SQL_SUCCESS;
}

SQLRETURN SQLPrepare(SQLHANDLE statement, unsigned char *text, SQLINTEGER length) {
  handle *h = statement;
  (void)length;
  snprintf(h->text, sizeof h->text, "%s", (const char *)text);
  return SQL_SUCCESS;
}

SQLRETURN SQLNumParams(SQLHANDLE statement, SQLSMALLINT *count) {
  const handle *h = statement;
  *count = 0;
  for (const char *c = h->text; *c; c++) *count = (SQLSMALLINT)(*count + (*c == '?'));
  return SQL_SUCCESS;
}

SQLRETURN SQLBindParameter(SQLHANDLE statement, SQLUSMALLINT number, SQLSMALLINT direction, SQLSMALLINT c_type, SQLSMALLINT sql_type, SQLULEN size, SQLSMALLINT digits, void *value, SQLLEN length, SQLLEN *indicator) {
  handle *h = statement;
  (void)sql_type, (void)size, (void)digits;
  if (number > PARAMETERS) return -1;
  h->parameters[number - 1] = (place){ direction, c_type, value, length, indicator };
  return SQL_SUCCESS;
}

static void say_values(const handle *h, SQLSMALLINT count, SQLULEN set) {
  char line[1024] = " ", value[256];
  for (SQLSMALLINT i = 0; i < count; i++) {
    print_value(&h->parameters[i], set, value, sizeof value);
    snprintf(line + strlen(line), sizeof line - strlen(line), " %s", value);
  }
  if (count > 0) say(line);
}

SQLRETURN SQLExecute(SQLHANDLE statement) {
  handle *h = statement;
  SQLSMALLINT count;
  int written = 0;
  SQLNumParams(h, &count);
  say(h->text);
  for (SQLULEN set = 0; set < (h->array ? h->array : 1); set++) {
    say_values(h, count, set);
    if (h->states) h->states[set] = SQL_PARAM_SUCCESS;
  }
  if (h->processed) *h->processed = h->array;
  h->answer = find_rule(h->text);
  h->row = -1;
  for (SQLSMALLINT i = 0; h->answer && i < count; i++)
    if (h->parameters[i].direction == SQL_PARAM_OUTPUT && written < h->answer->out_count) write_value(h->answer->out[written++], &h->parameters[i], 0);
  return answer(h->answer);
}

SQLRETURN SQLNumResultCols(SQLHANDLE statement, SQLSMALLINT *count) {
  const handle *h = statement;
  *count = (SQLSMALLINT)(h->answer ? h->answer->column_count : 0);
  return SQL_SUCCESS;
}

SQLRETURN SQLDescribeColW(SQLHANDLE statement, SQLUSMALLINT number, SQLWCHAR *name, SQLSMALLINT room, SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size, SQLSMALLINT *digits, SQLSMALLINT *nullable) {
  const handle *h = statement;
  char text[128];
  snprintf(text, sizeof text, "%s", h->answer->columns[number - 1]);
  char *colon = strchr(text, ':');
  *type = (SQLSMALLINT)(colon ? atoi(colon + 1) : SQL_WVARCHAR);
  if (colon) *colon = '\0';
  *length = widen(text, name, room);
  *size = 50;
  *digits = 0;
  *nullable = 1;
  return SQL_SUCCESS;
}

SQLRETURN SQLColAttributeW(SQLHANDLE statement, SQLUSMALLINT number, SQLUSMALLINT field, void *text, SQLSMALLINT room, SQLSMALLINT *length, SQLLEN *value) {
  (void)statement, (void)number, (void)field, (void)text, (void)room, (void)length;
  *value = 0;
  return SQL_SUCCESS;
}

SQLRETURN SQLBindCol(SQLHANDLE statement, SQLUSMALLINT number, SQLSMALLINT c_type, void *value, SQLLEN room, SQLLEN *indicator) {
  handle *h = statement;
  h->cells[number - 1] = (place){ 0, c_type, value, room, indicator };
  return SQL_SUCCESS;
}

SQLRETURN SQLFetch(SQLHANDLE statement) {
  handle *h = statement;
  SQLULEN given = 0, wanted = h->rows_wanted ? h->rows_wanted : 1;
  while (given < wanted && h->answer && h->row + 1 < h->answer->row_count) {
    h->row++;
    for (int i = 0; i < h->answer->column_count && h->rows_wanted; i++)
      if (h->cells[i].value) write_value(h->answer->rows[h->row][i], &h->cells[i], given);
    if (h->row_states) h->row_states[given] = 0;
    given++;
  }
  if (h->fetched) *h->fetched = given;
  return given ? SQL_SUCCESS : SQL_NO_DATA;
}

SQLRETURN SQLGetData(SQLHANDLE statement, SQLUSMALLINT number, SQLSMALLINT c_type, void *value, SQLLEN room, SQLLEN *indicator) {
  handle *h = statement;
  return write_value(h->answer->rows[h->row][number - 1], &(place){ 0, c_type, value, room, indicator }, 0);
}

SQLRETURN SQLRowCount(SQLHANDLE statement, SQLLEN *count) {
  const handle *h = statement;
  *count = h->answer ? h->answer->changes : 1;
  if (h->array > 1) *count = (SQLLEN)h->array;
  return SQL_SUCCESS;
}

SQLRETURN SQLMoreResults(SQLHANDLE statement) {
  (void)statement;
  return SQL_NO_DATA;
}

SQLRETURN SQLSetStmtAttr(SQLHANDLE statement, SQLINTEGER attribute, void *value, SQLINTEGER length) {
  handle *h = statement;
  (void)length;
  switch (attribute) {
    case SQL_ATTR_PARAMSET_SIZE: h->array = (SQLULEN)(uintptr_t)value; break;
    case SQL_ATTR_PARAM_STATUS_PTR: h->states = value; break;
    case SQL_ATTR_PARAMS_PROCESSED_PTR: h->processed = value; break;
    case SQL_ATTR_ROW_ARRAY_SIZE: h->rows_wanted = (SQLULEN)(uintptr_t)value; break;
    case SQL_ATTR_ROWS_FETCHED_PTR: h->fetched = value; break;
    case SQL_ATTR_ROW_STATUS_PTR: h->row_states = value; break;
    default: break;
  }
  return SQL_SUCCESS;
}

SQLRETURN SQLFreeStmt(SQLHANDLE statement, SQLUSMALLINT what) {
  handle *h = statement;
  if (what == SQL_UNBIND) memset(h->cells, 0, sizeof h->cells);
  return SQL_SUCCESS;
}

SQLRETURN SQLCancel(SQLHANDLE statement) {
  (void)statement;
  return SQL_SUCCESS;
}

SQLRETURN SQLGetDiagRecW(SQLSMALLINT kind, SQLHANDLE one, SQLSMALLINT number, SQLWCHAR *state, SQLINTEGER *native, SQLWCHAR *message, SQLSMALLINT room, SQLSMALLINT *length) {
  (void)kind, (void)one;
  if (number != 1 || !failure) return SQL_NO_DATA;
  widen(failure->fail[0], state, 6);
  *native = failure->fail_count > 1 ? atoi(failure->fail[1]) : 0;
  *length = widen(failure->fail_count > 2 ? failure->fail[2] : "", message, room);
  return SQL_SUCCESS;
}
