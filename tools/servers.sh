#!/bin/sh
# Database servers for specs: each in a folder of its own, reached by a socket in it, without network, password or the machine's
# own services, and never run by root.
#
#   tools/servers.sh start postgresql|mariadb [PID]   prints the folder; the server stops when process PID is gone
#   tools/servers.sh stop FOLDER                      stops the server and removes the folder
#   tools/servers.sh client FOLDER [ARGUMENT ...]     its command-line client, connected as user "spec" to database "spec"
#
# Exit code 69 (EX_UNAVAILABLE) of start: the server is not installed. The socket: FOLDER/.s.PGSQL.5432, FOLDER/mariadb.sock.
set -eu
unset LD_PRELOAD   # a spec may run with its sanitizers
export LC_ALL=C

fail() {
  echo "servers.sh: $2" >&2
  exit "$1"
}

# command ... : as an unprivileged user, in a folder that is readable to it
unprivileged() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u nobody -- env HOME=/nonexistent "$@")
  else
    (cd / && "$@")
  fi
}

# the newest of the versions that Debian keeps side by side, or what the path has
postgresql_program() {
  command -v "$1" || find /usr/lib/postgresql -path "*/bin/$1" 2>/dev/null | sort -V | tail -n 1
}

mariadb_program() {
  command -v "$1" || command -v "/usr/sbin/$1" || true
}

start_postgresql() {
  initdb=$(postgresql_program initdb) && pg_ctl=$(postgresql_program pg_ctl)
  if [ -z "$initdb" ] || [ -z "$pg_ctl" ]; then fail 69 "PostgreSQL is not installed (Debian: postgresql)"; fi
  unprivileged "$initdb" -D "$folder/data" -U spec -A trust --no-locale -E UTF8 --no-sync
  unprivileged "$pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 \
    -o "-k '$folder' -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_prepared_transactions=10 -c timezone=UTC" start
  unprivileged psql -X -q -h "$folder" -U spec -d postgres -c 'CREATE DATABASE spec'
}

stop_postgresql() {
  unprivileged "$(postgresql_program pg_ctl)" -D "$folder/data" -m immediate -w stop
}

start_mariadb() {
  install=$(mariadb_program mariadb-install-db) && server=$(mariadb_program mariadbd)
  if [ -z "$install" ] || [ -z "$server" ]; then fail 69 "MariaDB is not installed (Debian: mariadb-server)"; fi
  unprivileged "$install" --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve
  unprivileged "$server" --no-defaults --datadir="$folder/data" --socket="$folder/mariadb.sock" --pid-file="$folder/pid" --skip-networking \
    --log-error="$folder/log" --character-set-server=utf8mb4 --collation-server=utf8mb4_bin --default-time-zone=+00:00 \
    --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --innodb-buffer-pool-size=32M --skip-log-bin --skip-name-resolve &
  for _ in $(seq 300); do
    [ -S "$folder/mariadb.sock" ] && unprivileged mariadb --no-defaults -S "$folder/mariadb.sock" -u root -e 'CREATE DATABASE spec; CREATE USER spec@localhost;
      GRANT ALL ON *.* TO spec@localhost' && return
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  return 1
}

stop_mariadb() {
  pid=$(cat "$folder/pid") || return
  unprivileged kill "$pid"
  for _ in $(seq 300); do
    [ -e "$folder/pid" ] || return 0
    sleep 0.1
  done
  unprivileged kill -9 "$pid"
}

stop() {
  kind=$(cat "$folder/kind") || fail 1 "'$folder' is not a folder of mine"
  "stop_$kind" >>"$folder/log.servers" 2>&1 || true
  rm -rf "$folder"
}

# Waits for a process to go, and stops the server then; a session of its own, so that what kills the spec leaves it alone.
watch() {
  while [ -d "$folder" ] && kill -0 "$1" 2>/dev/null; do sleep 0.5; done
  [ -d "$folder" ] && stop
}

start() {
  kind=$1
  case $kind in postgresql | mariadb) ;; *) fail 64 "'$kind' is neither postgresql nor mariadb" ;; esac
  folder=$(mktemp -d "${TMPDIR:-/tmp}/servers.XXXXXX")
  echo "$kind" >"$folder/kind"
  chmod 755 "$folder"
  [ "$(id -u)" != 0 ] || chown nobody "$folder"
  # in a subshell and not in a condition, so that set -e holds within
  (set +e; ("start_$kind") >"$folder/log.servers" 2>&1; echo $? >"$folder/status")
  status=$(cat "$folder/status")
  if [ "$status" != 0 ]; then
    tail -n 20 "$folder/log.servers" "$folder/log" >&2 2>/dev/null || true
    stop
    exit "$status"
  fi
  [ -z "${2:-}" ] || setsid "$0" watch "$folder" "$2" </dev/null >/dev/null 2>&1 &
  echo "$folder"
}

client() {
  case $(cat "$folder/kind") in
  postgresql) exec psql -X -q -h "$folder" -U spec -d spec "$@" ;;
  mariadb) exec mariadb --no-defaults -S "$folder/mariadb.sock" -u spec --default-character-set=utf8mb4 -D spec "$@" ;;
  esac
}

command=${1:-}
case $command in
start) start "${2:-}" "${3:-}" ;;
stop | client | watch)
  folder=${2:?needs the folder that start printed}
  shift 2
  "$command" "$@"
  ;;
*) fail 64 "start, stop or client; see the head of the file" ;;
esac
