#!/usr/bin/env bash
# Usage: clients/python/check.sh [path to the copydesk binary, default target/release/copydesk]
set -euo pipefail

# A path that is given is meant from where the caller stands.
[[ $# -eq 0 || $1 == /* ]] || set -- "$PWD/$1"
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD/../..
export COPYDESK_BINARY=${1:-$root/target/release/copydesk}

python=$("$root/.ci/venv" clients/python/requirements.txt)
"$python" generate.py --check
for folder in . ../../book; do
    "$python" -m ruff format --check --quiet --config pyproject.toml "$folder"
    "$python" -m ruff check --quiet --config pyproject.toml "$folder"
done
"$python" -m mypy
"$python" -m pytest --quiet
