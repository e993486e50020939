#!/bin/sh
# Renew the certificates between the containers; for cron, once a week (docs/deployment.md, "Between the parts").
# Nothing is touched until one of them was due. PostgreSQL, nginx and Redis read theirs again and go on; pages and
# workers read them for each connection anyway. Only the sockets start again, and browsers connect to them by themselves.
set -eu
cd "$(dirname "$0")/.."
made=$(docker compose run --rm -T --no-deps certificates)
[ -n "$made" ] || exit 0
echo "$made"
docker compose kill --signal HUP postgres nginx
docker compose exec -T redis sh /etc/wibestore/admin.sh
docker compose restart --no-deps ws
