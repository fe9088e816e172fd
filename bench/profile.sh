#!/bin/sh
# Where the instructions of one workload go: lualchemy's, and the limit's beside it.
#
#   bench/profile.sh WORKLOAD [SIZE [URL LIMIT]]        (after `make bench`, with LUA_PATH and LUA_CPATH as `make -s env` prints them)
#
# URL and LIMIT are what bench/database.lua prints, for the two sides; without them everything is in SQLite.
#
# Callgrind counts only the timed part. Counts repeat to a tenth of a percent, so they make a gate where times do not.
set -eu

workload=${1:?usage: bench/profile.sh WORKLOAD [SIZE [URL LIMIT]]}
size=${2:-10000}
url=${3:-}
case $url in
  "") program=limit_sqlite ;;
  postgresql:*) program=limit_pg ;;
  *) program=limit_mysql ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
output=$root/build/bench
lua=${LUA:-lua5.4}

case $workload in
  W1) file=insert ;;
  W2*) file=load ;;
  W3) file=rows ;;
  W4*) file=point ;;
  W5*) file=related ;;
  W6*) file=update ;;
  W7) file=family ;;
  W8*) file=statement ;;
  *) echo "profile.sh: no such workload: $workload" >&2; exit 1 ;;
esac

# Prints instructions a unit, then the functions that take most.
summary() {
  instructions=$(sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$1" | tail -n 1)
  echo "== $2: $workload, $size units, $((instructions / size)) instructions a unit"
  callgrind_annotate --show-percs=yes "$1" | grep -E '^ *[0-9,]+ \( *[0-9.]+%\)' | head -n "${LINES_SHOWN:-25}" |
    sed "s|$root/||; s| \[.*/| [|"
}

mkdir -p "$output"
rm -f "$output/callgrind.ours" "$output/callgrind.limit"

case $workload in
  W8* | W6.idle*) ;;
  *)
    limit=$workload
    [ "$workload" = W2.read ] && limit=W2
    valgrind --quiet --tool=callgrind --callgrind-out-file="$output/callgrind.limit" --toggle-collect='timed_*' \
      "$output/$program" "$limit" "$size" ${4:+"$4"} > /dev/null
    summary "$output/callgrind.limit" limit ;;
esac

BENCH_CALLGRIND=1 valgrind --quiet --tool=callgrind --callgrind-out-file="$output/callgrind.ours" --instr-atstart=no \
  "$lua" "$root/bench/workloads/$file.lua" "$workload" "$size" ${url:+"$url"} > /dev/null
summary "$output/callgrind.ours" lualchemy
