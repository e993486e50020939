#!/bin/sh
# Make .tools (uv) and .venv. Called by make with: tools | base | dev.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }

case "$1" in
  tools)
    if python=$(sh scripts/find-python.sh); then own=yes; else
      own=no
      python=$(command -v python3) || { say "A Python is needed: install python3 (Debian: apt-get install python3 python3-venv)."; exit 1; }
    fi
    say "Preparing .tools with $python"
    "$python" -m venv --clear .tools || { say "Could not make a virtual environment with $python (Debian: apt-get install python3-venv)."; exit 1; }
    .tools/bin/pip install -q --disable-pip-version-check uv==0.13.8 \
      || { say "Could not fetch the installer 'uv' (0.13.8): is the Python package registry reachable?"; exit 1; }
    if [ "$own" = no ]; then
      .tools/bin/uv python install -q 3.13 \
        || { say "Python 3.12 or newer is needed, none was found, and 3.13 could not be fetched."; exit 1; }
      python=$(.tools/bin/uv python find 3.13)
    fi
    printf '%s\n' "$python" > .tools/python
    touch .tools/.ready
    ;;
  base | dev)
    [ -x .venv/bin/python ] || .tools/bin/uv venv -q --clear --no-config --python "$(cat .tools/python)" .venv
    say "Installing requirements/$1.txt"
    .tools/bin/uv pip install -q --no-config --python .venv --require-hashes --no-deps -r "requirements/$1.txt" \
      || { say "Could not fetch the packages of requirements/$1.txt: is the Python package registry reachable? What is missing is named above."; exit 1; }
    touch ".venv/.$1"
    ;;
esac
