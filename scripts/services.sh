#!/bin/sh
# Find or start PostgreSQL and Redis for the tests, and write where they are to var/services.env.
# Reached ones are used as they are; else servers of this machine are started in var/, on ports of their own.
set -u
cd "$(dirname "$0")/.."
mkdir -p var
PY=.venv/bin/python
: > var/services.env
say() { printf '%s\n' "$*" >&2; }

answers() { # answers HOST PORT
  "$PY" - "$1" "$2" <<'PYTHON' 2>/dev/null
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
PYTHON
}
postgres_works() { # postgres_works URL
  "$PY" - "$1" <<'PYTHON' 2>/dev/null
import sys, psycopg
with psycopg.connect(sys.argv[1], connect_timeout=3) as db:
    rights = db.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
sys.exit(0 if rights[0] else 1)
PYTHON
}

find_postgres() {
  for url in "${TEST_DATABASE_URL:-}" "postgresql://postgres@127.0.0.1:5432/postgres" "postgresql://postgres:postgres@127.0.0.1:5432/postgres" "postgresql://postgres@127.0.0.1:54329/postgres"; do
    [ -n "$url" ] && postgres_works "$url" && { echo "$url"; return 0; }
  done
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$bin" ] || { [ "$(command -v initdb)" ] && bin=$(dirname "$(command -v initdb)"); }
  [ -n "$bin" ] || return 1
  run=sh
  if [ "$(id -u)" = 0 ]; then id postgres >/dev/null 2>&1 || return 1; run="su postgres -s /bin/sh"; fi
  data=${TMPDIR:-/tmp}/wibestore-postgres
  $run -c "[ -d '$data/base' ] || '$bin/initdb' -D '$data' -U postgres -A trust -E UTF8 --no-sync; '$bin/pg_ctl' -D '$data' -w -t 30 -l '$data/log' -o '-p 54329 -k /tmp -c fsync=off' start" >/dev/null 2>&1
  url="postgresql://postgres@127.0.0.1:54329/postgres"
  postgres_works "$url" && echo "$url"
}
find_redis() {
  answers 127.0.0.1 6379 && { echo "redis://127.0.0.1:6379"; return 0; }
  answers 127.0.0.1 63799 && { echo "redis://127.0.0.1:63799"; return 0; }
  command -v redis-server >/dev/null || return 1
  redis-server --port 63799 --bind 127.0.0.1 --save "" --appendonly no --daemonize yes >/dev/null && sleep 1
  answers 127.0.0.1 63799 && echo "redis://127.0.0.1:63799"
}

if [ -n "${TEST_REDIS_URL:-}" ]; then redis=$TEST_REDIS_URL; else redis=$(find_redis); fi
if postgres=$(find_postgres) && [ -n "$postgres" ]; then
  echo "export TEST_DATABASE_URL='$postgres'" >> var/services.env
else say "PostgreSQL was neither reached nor could be started here."; fi
if [ -n "$redis" ]; then echo "export TEST_REDIS_URL='$redis'" >> var/services.env
else say "Redis was neither reached nor could be started here."; fi
grep -q TEST_DATABASE_URL var/services.env
