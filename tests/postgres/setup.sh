#!/usr/bin/env bash
# Installs PostgreSQL where apt can: the tests of the shared store start a server of their own. Does nothing when one is
# there, in the path or where Debian keeps it.
set -euo pipefail
if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install() { DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql >/dev/null; }
    install || { apt-get update >/dev/null && install; }
  else
    echo "tests/postgres: PostgreSQL is missing and cannot be installed here; install it (Debian: postgresql)" >&2
    exit 1
  fi
fi
