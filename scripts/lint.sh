#!/bin/bash
# Every check that needs no running product. All run; the exit status says whether one failed.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin status=0
export DJANGO_SETTINGS_MODULE=project.settings.testing

check() { # check NAME COMMAND...
  local name=$1; shift
  local out
  if out=$("$@" 2>&1); then printf 'ok      %s\n' "$name"; else printf 'FAILED  %s\n%s\n' "$name" "$out"; status=1; fi
}

check "formatting (ruff format)" $bin/ruff format --check .
check "rules (ruff check)" $bin/ruff check .
check "types (mypy)" $bin/mypy
check "import contracts (import-linter)" $bin/lint-imports
check "templates (djlint)" $bin/djlint templates --lint --quiet
check "migrations are up to date" $bin/python manage.py makemigrations --check --dry-run
check "Django's own checks" $bin/python manage.py check --fail-level WARNING
check "deployment checks" sh scripts/check-deploy.sh
check "translations" $bin/python scripts/check_messages.py
check "security rules (bandit)" $bin/bandit -q -r marketplace project tasks -c pyproject.toml
check "no registry's address, nothing secret" sh scripts/check-tree.sh
out=$($bin/python scripts/check_packages.py 2>&1)
case $? in
  0) echo "ok      packages without known weaknesses (pip-audit)" ;;
  75) echo "skipped packages without known weaknesses (pip-audit): $out" ;;
  *) printf 'FAILED  packages without known weaknesses (pip-audit)\n%s\n' "$out"; status=1 ;;
esac
if command -v npm >/dev/null; then check "built CSS is up to date" sh scripts/check-css.sh
else echo "skipped built CSS is up to date: Node is not installed"; fi
exit $status
