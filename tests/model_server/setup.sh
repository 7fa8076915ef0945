#!/usr/bin/env bash
# Makes the Python environment of the model server: the SDKs whose types judge our requests and build its replies.
# Does nothing when the environment is there and up to date.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
venv=$target/model_server_venv
if cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  exit 0
fi
python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
# Written last: a broken installation is made anew.
cp "$here/requirements.txt" "$venv/requirements.txt"
