#!/bin/sh
# Rebuild static/ in a copy and compare with what is committed.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir "$work/tree" && tar -cf - --exclude=node_modules --exclude=__pycache__ tailwind static templates marketplace | tar -xf - -C "$work/tree"
[ -d .venv ] && ln -s "$PWD/.venv" "$work/tree/.venv"
cd "$work/tree/tailwind" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && npm run --silent build >/dev/null
cd - >/dev/null && diff -rq static "$work/tree/static" || { echo "static/ differs from what tailwind/ builds: run 'make css' and commit"; exit 1; }
