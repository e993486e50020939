#!/bin/bash
# The whole suite: on SQLite, on PostgreSQL and Redis where they can be had, and the journeys in a real browser.
# Everything runs even when a part fails; the end says what passed, what failed and what was skipped, and why.
set -uo pipefail
cd "$(dirname "$0")/.."
PY=.venv/bin/python
report=() status=0
workers=$(nproc 2>/dev/null || echo 2); [ "$workers" -gt 8 ] && workers=8
export TEST_RUN="${TEST_RUN:-make}"
rm -f .coverage .coverage.*

part() { # part NAME COMMAND...
  local name=$1; shift
  echo; echo "=== $name ==="
  local begun=$SECONDS
  if "$@"; then report+=("passed   $name ($((SECONDS - begun)) s)"); else report+=("FAILED   $name ($((SECONDS - begun)) s)"); status=1; fi
}

sh scripts/services.sh && have_services=yes || have_services=no
# Walking through every door takes minutes: once is enough, where more of the code runs, and coverage is measured there.
whole=(--cov --cov-report=) on_sqlite=("${whole[@]}")
[ "$have_services" = yes ] && on_sqlite=(-m "not sweep")
part "suite on SQLite" env -u TEST_DATABASE_URL -u TEST_REDIS_URL "$PY" -m pytest -n "$workers" --dist worksteal "${on_sqlite[@]}" "$@"
mv .coverage .coverage.sqlite 2>/dev/null
if [ "$have_services" = yes ]; then
  . var/services.env
  part "suite on PostgreSQL$([ -n "${TEST_REDIS_URL:-}" ] && echo ' and Redis')" "$PY" -m pytest -n "$workers" --dist worksteal "${whole[@]}" "$@"
  mv .coverage .coverage.postgres 2>/dev/null
else
  report+=("skipped  suite on PostgreSQL and Redis: neither reached nor installed here")
fi
if sh scripts/browser.sh; then
  part "journeys in a browser" env -u TEST_DATABASE_URL "$PY" -m pytest -n "$workers" --dist worksteal e2e
else
  report+=("FAILED   journeys in a browser: no browser could be had"); status=1
fi

echo; echo "=== coverage of marketplace ==="
.venv/bin/coverage combine -q .coverage.* && .venv/bin/coverage report --fail-under=90 | tail -n 40 || { report+=("FAILED   coverage below 90 %"); status=1; }
echo; echo "=== summary ==="; printf '%s\n' "${report[@]}"
exit $status
