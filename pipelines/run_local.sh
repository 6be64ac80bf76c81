#!/usr/bin/env bash
# Runs one stage here: LOG COMMAND…  Its progress goes to the log; one line says what was done, the log's end what went wrong.
set -u
log=$1
shift
start=$(date +%s)
"$@" >/dev/null 2>"$log"
code=$?
if [ "$code" -eq 0 ]; then
  printf '%4d s  %s%s\n' "$(($(date +%s) - start))" "$(dirname "$log")" "${log##*/log}" >&2
else
  printf 'failed (exit code %d): %s\n' "$code" "$*" >&2
  tail -n 20 "$log" >&2
fi
exit "$code"
