#!/usr/bin/env bash
# Makes what the editor tests need: a Python environment with a language client, and Neovim where apt can install it.
# Does nothing when both are there and up to date.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
venv=$target/editor_venv
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  # Written last: a broken installation is made anew.
  cp "$here/requirements.txt" "$venv/requirements.txt"
fi
if ! command -v nvim >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install --yes --no-install-recommends neovim >/dev/null ||
      { apt-get update >/dev/null && apt-get install --yes --no-install-recommends neovim >/dev/null; }
  else
    echo "tests/editor: nvim is missing and cannot be installed here; install neovim 0.7 or newer" >&2
    exit 1
  fi
fi
