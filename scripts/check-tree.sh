#!/bin/sh
# No package registry's host in any tracked file, and none of the files that are never committed.
set -u
hosts="$(printf '%s|' 'pypi\.org' 'files\.pythonhosted' 'registry\.npmjs' 'registry\.yarnpkg' 'deb\.debian' | sed 's/|$//')"
found=$(git grep -nIE "$hosts" -- . ':!scripts/check-tree.sh') && { echo "a registry's host is named:"; echo "$found"; exit 1; }
found=$(git ls-files | grep -E '(^|/)(\.env|db\.sqlite3|__pycache__)(/|$)') && { echo "never commit:"; echo "$found"; exit 1; }
exit 0
