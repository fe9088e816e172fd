/* A database server for a C spec: started by tools/servers.sh with the first case that asks, stopped when the program is gone. */
#ifndef SPEC_SERVER_H
#define SPEC_SERVER_H

#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its folder; NULL when it is not there: the case is skipped then, or has failed where CI is set. */
static inline const char *server_folder(const char *kind) {
  static char folder[128];
  static bool asked;
  if (!asked) {
    char command[128];
    asked = true;
    snprintf(command, sizeof command, "tools/servers.sh start %s %ld", kind, (long)getpid());
    FILE *pipe = popen(command, "r");
    if (pipe && !fgets(folder, sizeof folder, pipe)) folder[0] = '\0';
    int status = pipe ? pclose(pipe) : -1;
    folder[strcspn(folder, "\n")] = '\0';
    bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 69 && !getenv("CI");
    if (!folder[0] && !missing) CHECK_TEXT(kind, "a server that starts");
  }
  if (!folder[0]) check_skip("the server is not installed");
  return folder[0] ? folder : NULL;
}

#endif
