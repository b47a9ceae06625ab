#!/usr/bin/env bash
# Usage: examples/python/run.sh [path to the copydesk binary, default target/release/copydesk]
set -euo pipefail

# A path that is given is meant from where the caller stands.
[[ $# -eq 0 || $1 == /* ]] || set -- "$PWD/$1"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

binary=${1:-$PWD/target/release/copydesk}
stubs=target/python/stubs
python=$(.ci/venv examples/python/requirements.txt)

# From nothing each time: a stub whose proto is gone would still be imported.
rm -rf "$stubs"
mkdir -p "$stubs"
"$python" -m grpc_tools.protoc --proto_path=proto \
    --python_out="$stubs" --pyi_out="$stubs" --grpc_python_out="$stubs" \
    proto/copydesk/v1/*.proto

for script in seeds overload; do
    PYTHONPATH=$stubs examples/with-server.sh "$binary" "$python" "examples/python/$script.py"
done
