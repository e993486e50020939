#!/bin/sh
# Start Redis with an administrator besides the user of the site: with a password of this start only, which stays in this
# container. Options follow those of redis.conf.
set -eu
umask 077
password=$(cat /proc/sys/kernel/random/uuid)
printf %s "$password" >"${TMPDIR:-/tmp}/redis-admin"
exec redis-server "$(dirname "$0")/redis.conf" \
  --user admin reset on "#$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)" '~*' '&*' +@all "$@"
