#!/bin/sh
# redis-cli as the administrator, for whoever is inside the container: `admin.sh INFO`. `admin.sh` alone reads the certificates
# again, which ends no connection.
set -eu
here=${CERTIFICATES:-/certificates}
[ $# -gt 0 ] || set -- CONFIG SET tls-ca-cert-file "$here/ca.pem" tls-cert-file "$here/cert.pem" tls-key-file "$here/key.pem"
REDISCLI_AUTH=$(cat "${TMPDIR:-/tmp}/redis-admin")
export REDISCLI_AUTH
exec redis-cli -e --no-auth-warning -p "${REDIS_PORT:-6379}" --user admin \
  --tls --cacert "$here/ca.pem" --cert "$here/cert.pem" --key "$here/key.pem" "$@"
