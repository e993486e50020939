#!/bin/sh
# Migrate, seed and serve. Usage: demo.sh HOST PORT
set -eu
cd "$(dirname "$0")/.."
export DJANGO_SETTINGS_MODULE="${DJANGO_SETTINGS_MODULE:-project.settings.development}"
export DEBUG="${DEBUG:-false}"
export SITE_URL="${SITE_URL:-http://$1:$2}"
mkdir -p var
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py seed
# The status page shows the books from the first moment on.
.venv/bin/python manage.py reconcile >/dev/null
exec .venv/bin/python manage.py serve --host "$1" --port "$2"
