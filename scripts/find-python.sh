#!/bin/sh
# Print the path of a Python 3.12 or newer, the newest that is found.
try() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && "$1" -c 'import sys; print(sys.executable)' && exit 0; }
[ -n "$PYTHON" ] && try "$PYTHON"
for version in 3.14 3.13 3.12; do
  try "python$version"
  for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/$version*/bin/python3; do [ -x "$python" ] && try "$python"; done
done
try python3
exit 1
