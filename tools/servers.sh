#!/bin/sh
# Database servers for specs: each in a folder of its own, reached by a socket in it, without network (but where a verb says so),
# password or the machine's own services, and never run by root.
#
#   tools/servers.sh start postgresql|mariadb [PID]   prints the folder; the server stops when process PID is gone
#   tools/servers.sh replica FOLDER [PID]             a second server that follows the one of FOLDER, read only; prints its folder
#   tools/servers.sh promote FOLDER                   a replica becomes a server of its own
#   tools/servers.sh stop FOLDER                      stops the server and removes the folder
#   tools/servers.sh down FOLDER [fast|immediate]     stops the server (immediate: as a crash would) and keeps the folder
#   tools/servers.sh up FOLDER [ARGUMENT ...]         starts it again, with further arguments of the server
#   tools/servers.sh small FOLDER SIZE                a file system of so many bytes (8m) in FOLDER/small, which is soon full; needs root
#   tools/servers.sh tls FOLDER                       starts it again with TLS on 127.0.0.1, and prints the port. In FOLDER/tls: authority.pem, and
#                                                     server, client (CN certified), stranger (an authority that nobody knows) .pem and .key
#   tools/servers.sh bouncer FOLDER                   PgBouncer before it, which stops with it. Socket: FOLDER/.s.PGSQL.6432; databases:
#                                                     transaction and session, by the pool mode
#   tools/servers.sh client FOLDER [ARGUMENT ...]     its command-line client, connected as user "spec" to database "spec"
#
# Exit code 69 (EX_UNAVAILABLE): the server is not installed, or cannot do that. The socket: FOLDER/.s.PGSQL.5432, FOLDER/mariadb.sock.
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

make_postgresql() {
  initdb=$(postgresql_program initdb)
  if [ -z "$initdb" ] || [ -z "$(postgresql_program pg_ctl)" ]; then fail 69 "PostgreSQL is not installed (Debian: postgresql)"; fi
  unprivileged "$initdb" -D "$folder/data" -U spec -A trust --no-locale -E UTF8 --no-sync
  up_postgresql
  unprivileged psql -X -q -h "$folder" -U spec -d postgres -c 'CREATE DATABASE spec'
}

up_postgresql() {
  unprivileged "$(postgresql_program pg_ctl)" -D "$folder/data" -l "$folder/log" -w -t 60 \
    -o "-k '$folder' -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_prepared_transactions=10 -c timezone=UTC $(cat "$folder/arguments" 2>/dev/null) $*" start
}

down_postgresql() {
  unprivileged "$(postgresql_program pg_ctl)" -D "$folder/data" -m "${1:-immediate}" -w stop
}

replicate_postgresql() {
  unprivileged "$(postgresql_program pg_basebackup)" -h "$1" -U spec -D "$folder/data" -R -X stream -c fast --no-sync
  up_postgresql
}

promote_postgresql() {
  unprivileged "$(postgresql_program pg_ctl)" -D "$folder/data" -w promote
}

make_mariadb() {
  install=$(mariadb_program mariadb-install-db)
  if [ -z "$install" ] || [ -z "$(mariadb_program mariadbd)" ]; then fail 69 "MariaDB is not installed (Debian: mariadb-server)"; fi
  # temporary tables of its own: a server that starts removes whatever lies where it keeps such, and with it another server's
  unprivileged mkdir "$folder/tables"
  unprivileged "$install" --no-defaults --datadir="$folder/data" --tmpdir="$folder/tables" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve
  up_mariadb
  unprivileged mariadb --no-defaults -S "$folder/mariadb.sock" -u root -e 'CREATE DATABASE spec; CREATE USER spec@localhost; GRANT ALL ON *.* TO spec@localhost WITH GRANT OPTION'
}

up_mariadb() {
  unprivileged "$(mariadb_program mariadbd)" --no-defaults --datadir="$folder/data" --tmpdir="$folder/tables" --socket="$folder/mariadb.sock" --pid-file="$folder/pid" --skip-networking \
    --log-error="$folder/log" --character-set-server=utf8mb4 --collation-server=utf8mb4_bin --default-time-zone=+00:00 \
    --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --innodb-buffer-pool-size=32M --skip-log-bin --skip-name-resolve $(cat "$folder/arguments" 2>/dev/null) "$@" </dev/null &
  for _ in $(seq 600); do
    [ -S "$folder/mariadb.sock" ] && unprivileged mariadb --no-defaults -S "$folder/mariadb.sock" -u root -e 'SELECT 1' && return
    kill -0 $! 2>/dev/null || break
    sleep 0.05
  done
  return 1
}

down_mariadb() {
  pid=$(cat "$folder/pid") || return
  [ "${1:-fast}" = immediate ] || unprivileged kill "$pid"
  [ "${1:-fast}" = immediate ] && unprivileged kill -9 "$pid"
  for _ in $(seq 600); do
    if ! kill -0 "$pid" 2>/dev/null; then
      rm -f "$folder/pid"
      return
    fi
    sleep 0.05
  done
  unprivileged kill -9 "$pid"
}

administer_mariadb() {
  unprivileged mariadb --no-defaults -S "$1/mariadb.sock" -u root -e "$2"
}

# ARGUMENTS : starts the server again with them, PORT being the first that is free; $port
listen() {
  kind=$(cat "$folder/kind")
  "down_$kind" fast
  for port in $(seq $((20000 + $$ % 20000)) $((20200 + $$ % 20000))); do
    echo "$1" | sed "s/PORT/$port/" >"$folder/arguments"
    if "up_$kind"; then return; fi
  done
  return 1
}

# It is followed by TCP and by a log of what it does, so the primary starts again with both, on the first port that is free.
lead_mariadb() {
  listen "--skip-networking=0 --bind-address=127.0.0.1 --port=PORT --log-bin=$folder/data/log --server-id=1"
  administer_mariadb "$folder" "CREATE OR REPLACE USER follower@'127.0.0.1'; GRANT REPLICATION SLAVE ON *.* TO follower@'127.0.0.1'"
}

replicate_mariadb() {
  [ -f "$1/arguments" ] || (folder=$1 && lead_mariadb)
  port=$(sed 's/.*--port=\([0-9]*\).*/\1/' "$1/arguments")
  echo "--server-id=$(($$ % 65536 + 2))" >"$folder/arguments"
  make_mariadb
  unprivileged mariadb-dump --no-defaults -S "$1/mariadb.sock" -u root --gtid --master-data=1 --single-transaction spec >"$folder/dump"
  administer_mariadb "$folder" "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$port, MASTER_USER='follower', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos"
  unprivileged mariadb --no-defaults -S "$folder/mariadb.sock" -u root spec <"$folder/dump"
  administer_mariadb "$folder" "START SLAVE"
}

promote_mariadb() {
  administer_mariadb "$folder" "STOP SLAVE; RESET SLAVE ALL"
}

# NAME AUTHORITY SUBJECT [EXTENSION] : a key and a certificate that the authority has signed; of its own where it is NAME itself
certify() {
  key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $1.key"
  if [ "$1" = "$2" ]; then
    # shellcheck disable=SC2086 # a list of words
    openssl req -x509 $key -out "$1.pem" -days 2 -subj "/CN=$3"
    return
  fi
  # shellcheck disable=SC2086
  openssl req -new $key -out "$1.request" -subj "/CN=$3"
  echo "${4:-basicConstraints=CA:FALSE}" >"$1.extension"
  openssl x509 -req -in "$1.request" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" -days 2 -extfile "$1.extension"
}

make_certificates() {
  [ ! -d "$folder/tls" ] || return 0
  mkdir "$folder/tls"
  (cd "$folder/tls" && certify authority authority "the authority of a spec" && certify stranger stranger "a stranger" \
    && certify server authority server subjectAltName=DNS:localhost && certify client authority certified)
  chmod 600 "$folder/tls/"*.key
  # the client's keys are the spec's own, which may be run by root
  [ "$(id -u)" != 0 ] || chown nobody "$folder/tls" "$folder/tls/server.key"
}

# The user "certified" is the one of whom a certificate is asked, and "insistent" the one who may not come without TLS.
secure_postgresql() {
  printf '%s\n' "hostssl all certified all cert" "hostnossl all insistent all reject" | cat - "$folder/data/pg_hba.conf" >"$folder/hba"
  cat "$folder/hba" >"$folder/data/pg_hba.conf"
  echo "ssl = on" >>"$folder/data/postgresql.conf"
  listen "-c listen_addresses=127.0.0.1 -c port=PORT -c ssl_ca_file=$folder/tls/authority.pem -c ssl_cert_file=$folder/tls/server.pem -c ssl_key_file=$folder/tls/server.key"
  ln -sf ".s.PGSQL.$port" "$folder/.s.PGSQL.5432"
  unprivileged psql -X -q -h "$folder" -U spec -d spec -c 'CREATE ROLE certified LOGIN'
}

secure_mariadb() {
  listen "--skip-networking=0 --bind-address=127.0.0.1 --port=PORT --ssl-ca=$folder/tls/authority.pem --ssl-cert=$folder/tls/server.pem --ssl-key=$folder/tls/server.key"
  administer_mariadb "$folder" "CREATE USER certified REQUIRE SUBJECT '/CN=certified'; GRANT ALL ON *.* TO certified; CREATE USER spec@'127.0.0.1'; GRANT ALL ON *.* TO spec@'127.0.0.1'"
}

tls() {
  command -v openssl >/dev/null || fail 69 "nothing makes certificates here (Debian: openssl)"
  make_certificates >>"$folder/log.servers" 2>&1
  serve secure
  sed 's/.*port=\([0-9]*\).*/\1/' "$folder/arguments"
}

bouncer() {
  [ "$(cat "$folder/kind")" = postgresql ] || fail 69 "PgBouncer stands before PostgreSQL alone"
  program=$(command -v pgbouncer || command -v /usr/sbin/pgbouncer) || fail 69 "PgBouncer is not installed (Debian: pgbouncer)"
  {
    echo "[databases]"
    for mode in transaction session; do echo "$mode = host=$folder dbname=spec user=spec pool_mode=$mode"; done
    printf '%s\n' "[pgbouncer]" "unix_socket_dir = $folder" "listen_port = 6432" "auth_type = any" "logfile = $folder/log.bouncer" "pidfile = $folder/bouncer.pid" \
      "default_pool_size = 20" "server_reset_query = DISCARD ALL" "max_client_conn = 200" "admin_users = spec"
  } >"$folder/bouncer.ini"
  unprivileged "$program" -q -d "$folder/bouncer.ini" >>"$folder/log.servers" 2>&1 || fail 1 "PgBouncer does not start; see $folder/log.servers"
  for _ in $(seq 600); do
    [ -S "$folder/.s.PGSQL.6432" ] && return
    sleep 0.05
  done
  fail 1 "PgBouncer does not listen; see $folder/log.bouncer"
}

stop_bouncer() {
  pid=$(cat "$folder/bouncer.pid" 2>/dev/null) || return 0
  unprivileged kill "$pid" || return 0
  for _ in $(seq 600); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.05
  done
}

stop() {
  kind=$(cat "$folder/kind") || fail 1 "'$folder' is not a folder of mine"
  stop_bouncer >>"$folder/log.servers" 2>&1
  "down_$kind" >>"$folder/log.servers" 2>&1 || true
  if [ -d "$folder/small" ]; then umount "$folder/small" || true; fi
  rm -rf "$folder"
}

# Waits for a process to go, and stops the server then; a session of its own, so that what kills the spec leaves it alone.
watch() {
  while [ -d "$folder" ] && kill -0 "$1" 2>/dev/null; do sleep 0.5; done
  [ -d "$folder" ] && stop
}

# KIND PID COMMAND [ARGUMENT ...] : a new folder, in which the command makes a server
settle() {
  kind=$1 process=$2
  shift 2
  folder=$(mktemp -d "${TMPDIR:-/tmp}/servers.XXXXXX")
  echo "$kind" >"$folder/kind"
  chmod 755 "$folder"
  [ "$(id -u)" != 0 ] || chown nobody "$folder"
  # in a subshell and not in a condition, so that set -e holds within
  (set +e; (set -e; "$@") >"$folder/log.servers" 2>&1; echo $? >"$folder/status")
  status=$(cat "$folder/status")
  if [ "$status" != 0 ]; then
    tail -n 20 "$folder/log.servers" "$folder/log" >&2 2>/dev/null || true
    stop
    exit "$status"
  fi
  [ -z "$process" ] || setsid "$0" watch "$folder" "$process" </dev/null >/dev/null 2>&1 &
  echo "$folder"
}

start() {
  case $1 in postgresql | mariadb) ;; *) fail 64 "'$1' is neither postgresql nor mariadb" ;; esac
  settle "$1" "${2:-}" "make_$1"
}

replica() {
  primary=$folder
  kind=$(cat "$primary/kind")
  settle "$kind" "${1:-}" "replicate_$kind" "$primary"
}

# the verbs that are the server's own: promote, down, up
serve() {
  verb=$1 kind=$(cat "$folder/kind")
  shift
  # in a subshell: a function would leave a server that it starts a copy of what it writes to now
  ("${verb}_$kind" "$@") >>"$folder/log.servers" 2>&1 || fail $? "$verb of $kind has failed; see $folder/log.servers"
}

small() {
  [ "$(id -u)" = 0 ] || fail 69 "only root makes file systems"
  mkdir "$folder/small"
  mount -t tmpfs -o "size=$1,mode=700,uid=$(id -u nobody),gid=$(id -g nobody)" tmpfs "$folder/small" || fail 69 "no file system can be made here"
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
stop | client | watch | replica | small | tls | bouncer)
  folder=${2:?needs the folder that start printed}
  shift 2
  "$command" "$@"
  ;;
up | down | promote)
  folder=${2:?needs the folder that start printed}
  shift 2
  serve "$command" "$@"
  ;;
*) fail 64 "start, stop, client, …; see the head of the file" ;;
esac
