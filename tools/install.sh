#!/bin/sh
# Installs what is missing: `tools/install.sh run` for building and running, `test` for everything that
# is checked as well. With apt it says what it will install and why, and does it; elsewhere it names
# what is missing and stops.
set -eu
export LC_ALL=C # apt's words are read below

profile=${1:-run}

# package, what tells that it is there on a machine without dpkg, and what it is for. optional: what needs it will be skipped;
# either: optional as well, and the command is enough, wherever it comes from.
needed() {
  cat <<'LIST'
gcc                   command:cc        compiles the core
libc6-dev             header:stdlib.h   the C library's headers
make                  command:make      runs the build
lua5.4                command:lua5.4    runs the Lua
liblua5.4-dev         header:lua.h      the headers for the binding
libsqlite3-dev        header:sqlite3.h  the embedded database
LIST
  [ "$profile" = test ] && cat <<'LIST'
lua-busted            command:busted    runs the Lua specs
lua-check             command:luacheck  checks the Lua files
luarocks              command:luarocks  builds the rock
clang                 command:clang     the second compiler that must find nothing to warn of
libclang-rt-14-dev    optional          its sanitizers
valgrind              optional          checks memory without a special build
lua-luv               optional          an event loop to run under
lua-cqueues           optional          another one
lua-copas             optional          and one more
lua-sql-sqlite3       optional          a peer in the figures
postgresql            optional          a server that specs start for themselves, and its client
mariadb-server        optional          another one
mariadb-client        optional          and its client
openssl               optional          makes certificates for these
pgbouncer             optional          a pooler before PostgreSQL
unixodbc              optional          the driver manager of ODBC
odbc-postgresql       optional          a driver for it
odbc-mariadb          optional          another one
libsqliteodbc         optional          and a third
nodejs                either:node       runs parsers that judge SQL
npm                   either:npm        fetches them
python3-sqlalchemy    optional          the model that results are compared with
python3-psycopg2      optional          its driver for PostgreSQL, for the figures
python3-pymysql       optional          its driver for MariaDB, for the figures
libpq-dev             optional          the headers that a figure's limit on PostgreSQL is built with
libmariadb-dev        optional          the same for MariaDB
tzdata                optional          the time zones that an example reads
LIST
  true
}

has() {
  case $1 in
  command:*) command -v "${1#*:}" ;;
  header:lua.h) echo '#include <lua.h>' | cc -E -I/usr/include/lua5.4 -I/usr/local/include - ;;
  header:*) echo "#include <${1#*:}>" | cc -E - ;;
  esac >/dev/null 2>&1
}

# Parsers of SQL from npm, as spec/sql/grammar pins them; what needs them is skipped without.
parsers() {
  source=spec/sql/grammar target=build/grammar
  cmp -s "$source/package-lock.json" "$target/package-lock.json" && [ -d "$target/node_modules" ] && return
  command -v npm >/dev/null || return 0
  rm -rf "$target"
  mkdir -p "$target"
  echo "Installing with npm, in $target: parsers that judge the SQL of databases that are not here"
  cp "$source/package.json" "$source/package-lock.json" "$target"
  if (cd "$target" && npm ci --silent --ignore-scripts --no-audit --no-fund); then return; fi
  rm -rf "$target"
  echo "npm cannot fetch them here; what needs them will be skipped." >&2
}

finish() {
  [ "$profile" != test ] || parsers
  exit 0
}

installed() {
  dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed'
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  missing=$(needed | while read -r package probe why; do
    case $probe in optional | either:*) continue ;; esac
    has "$probe" || echo "  ${probe#*:}: $why (Debian calls it $package)"
  done)
  [ -z "$missing" ] && finish
  echo "This machine has no apt. Please install, with its own package manager, and run this again:" >&2
  echo "$missing" >&2
  exit 1
fi

missing=$(needed | while read -r package probe why; do
  case $probe in either:*) command -v "${probe#*:}" >/dev/null && continue ;; esac
  installed "$package" || echo "$package"
done)
[ -z "$missing" ] && finish

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  # shellcheck disable=SC2086 # a list of words
  echo "Missing, and only root can install it; please run: apt-get install" $missing >&2
  exit 1
fi

# Package lists are old or absent on a fresh machine; one that is up to date loses a second or two.
echo "Looking up what is missing with apt-get update ..."
$as_root apt-get -qq -o DPkg::Lock::Timeout=300 update

chosen=
for package in $missing; do
  if [ -n "$(apt-cache policy "$package" | sed -n '/Candidate: (none)/d; /Candidate:/p')" ]; then
    chosen="$chosen $package"
  elif needed | grep -Eq "^$package  *(optional|either)"; then
    echo "apt knows no $package here; what needs it will be skipped."
  else
    echo "apt knows no $package here; please install it in another way." >&2
    exit 1
  fi
done
[ -z "$chosen" ] && finish

echo "Installing with apt:"
for package in $chosen; do
  needed | sed -n "s/^\($package\)  *[^ ]*  *\(.*\)/  \1: \2/p"
done
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
  install --no-install-recommends $chosen >/dev/null
finish
