#!/bin/sh
# Make sure a Chromium is there for the browser tests; install Debian's when allowed to.
set -u
find_browser() { for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do [ -n "$name" ] && command -v "$name" && return 0; done; return 1; }
find_browser >/dev/null && exit 0
command -v apt-get >/dev/null || { echo "No Chromium found, and no apt-get to install it: set CHROMIUM to a browser's path." >&2; exit 1; }
sudo=""; [ "$(id -u)" = 0 ] || sudo="sudo -n"
echo "Installing chromium for the browser tests" >&2
{ $sudo apt-get -qq update && DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y --no-install-recommends chromium fonts-liberation >/dev/null; } \
  || { echo "Could not install 'chromium' with apt-get: are the Debian packages reachable, and may this user install them?" >&2; exit 1; }
find_browser >/dev/null
