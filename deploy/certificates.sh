#!/bin/sh
# The certificates by which the parts of WibeStore know each other, from an authority of their own (docs/deployment.md,
# "Between the parts"). Usage: certificates.sh FOLDER [PART=OWNER[:HOST,HOST...] ...]
#
# FOLDER/authority keeps the key that signs: no part may read it. FOLDER/PART gets ca.pem, cert.pem and key.pem, for the user who
# runs that part: OWNER (a name or number; without one the user of its container), if root runs this. HOST: names it is reached
# by besides its own. Run again it makes only what is missing, ends within 30 days, or no longer fits, and prints a line for each.
set -eu
umask 077
folder=${1:?Usage: certificates.sh FOLDER [PART=OWNER[:HOST,HOST...] ...]}
shift
days=${CERTIFICATE_DAYS:-90}
authority=$folder/authority
mkdir -p "$authority"
chmod 700 "$authority"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Nothing of this machine's own openssl.cnf.
printf '[req]\ndistinguished_name = none\nprompt = no\n[none]\n' >"$work/openssl.cnf"

make() { # make SUBJECT DAYS OPTION... : cert.pem and key.pem in $work; ECDSA on P-256
  subject=$1 lasts=$2
  shift 2
  openssl req -x509 -config "$work/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days "$lasts" \
    -subj "/CN=$subject" -keyout "$work/key.pem" -out "$work/cert.pem" "$@" 2>"$work/said" || { cat "$work/said" >&2; exit 1; }
}

if [ ! -s "$authority/key.pem" ]; then
  # For ten years; a new one ends the trust in all that the old one signed.
  make "WibeStore authority" 3650 -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign
  mv "$work/cert.pem" "$authority/ca.pem"
  mv "$work/key.pem" "$authority/key.pem"
  echo "made the authority"
fi

fits() { # fits CERTIFICATE HOST... : signed by this authority, for a month at least, for each of these names
  openssl verify -no-CApath -no-CAstore -CAfile "$authority/ca.pem" "$1" >/dev/null 2>&1 || return 1
  openssl x509 -in "$1" -noout -checkend 2592000 >/dev/null || return 1
  certificate=$1
  shift
  for host in "$@"; do
    openssl x509 -in "$certificate" -noout -checkhost "$host" | grep -q 'does match' || return 1
  done
}

part() { # part NAME OWNER USES [HOST...]
  name=$1 owner=$2 uses=$3
  shift 3
  for said in $given; do
    [ "${said%%=*}" = "$name" ] || continue
    said=${said#*=}
    owner=${said%%:*}
    case $said in *:*) set -- "$@" $(echo "${said#*:}" | tr , ' ') ;; esac
  done
  mine=$folder/$name
  mkdir -p "$mine"
  if ! { [ -s "$mine/key.pem" ] && cmp -s "$authority/ca.pem" "$mine/ca.pem" && fits "$mine/cert.pem" "$name" "$@"; }; then
    names=DNS:$name
    for host in "$@"; do names=$names,DNS:$host; done
    # Its own health check asks it by the machine's own address.
    case $uses in *serverAuth*) names=$names,IP:127.0.0.1 ;; esac
    make "$name" "$days" -CA "$authority/ca.pem" -CAkey "$authority/key.pem" -addext basicConstraints=critical,CA:FALSE \
      -addext keyUsage=critical,digitalSignature -addext "extendedKeyUsage=$uses" -addext "subjectAltName=$names"
    cp "$authority/ca.pem" "$work/ca.pem"
    chmod 644 "$work/ca.pem" "$work/cert.pem"
    # Copied beside and renamed: whoever reads now sees the old or the new, never a half.
    for file in ca.pem key.pem cert.pem; do
      cp -p "$work/$file" "$mine/.$file"
      if [ "$(id -u)" = 0 ]; then chown "$owner" "$mine/.$file"; fi
      mv "$mine/.$file" "$mine/$file"
    done
    rm "$work/key.pem"
    echo "made $name"
  fi
  if [ "$(id -u)" = 0 ]; then chown "$owner" "$mine" "$mine"/*.pem; fi
  chmod 700 "$mine"
}

given=$*
# The name is the certificate's CN: deploy/postgres/pg_ident.conf gives it its role.
part postgres 999 serverAuth
part redis 999 serverAuth,clientAuth
part web 10001 serverAuth,clientAuth
part ws 10001 serverAuth,clientAuth
part worker 10001 clientAuth
part beat 10001 clientAuth
part migrate 10001 clientAuth
part nginx 101 clientAuth
part prometheus 65534 clientAuth
