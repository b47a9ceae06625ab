#!/usr/bin/env bash
# Usage: examples/python/run.sh [path to the copydesk binary, default target/release/copydesk]
set -euo pipefail

# A path that is given is meant from where the caller stands.
[[ $# -eq 0 || $1 == /* ]] || set -- "$PWD/$1"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

binary=${1:-$PWD/target/release/copydesk}
requirements=examples/python/requirements.txt
environment=target/python
stubs=$environment/stubs
# A first start fetches the model.
ready_seconds=300
stop_seconds=30

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

[[ -f $binary && -x $binary ]] || fail "$binary is no program; build it with cargo build --release"

scratch=$(mktemp -d)
server=
cleanup() {
    local code=$?
    if [[ -n $server ]]; then
        # Its corpus goes with the folder: nothing is left to end in order.
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    if [[ $code -ne 0 && -s $scratch/stderr ]]; then
        echo "standard error of the server:" >&2
        cat "$scratch/stderr" >&2
    fi
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The copy is made last, so that an installation that was cut short is done again.
installed=$environment/requirements.txt
if ! cmp -s "$requirements" "$installed"; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --requirement "$requirements"
    cp "$requirements" "$installed"
fi

# From nothing each time: a stub whose proto is gone would still be imported.
rm -rf "$stubs"
mkdir -p "$stubs"
"$environment/bin/python" -m grpc_tools.protoc --proto_path=proto \
    --python_out="$stubs" --pyi_out="$stubs" --grpc_python_out="$stubs" \
    proto/copydesk/v1/*.proto

"$binary" serve --data "$scratch/data" --listen 127.0.0.1:0 \
    >"$scratch/stdout" 2>"$scratch/stderr" &
server=$!

address=
deadline=$((SECONDS + ready_seconds))
while [[ -z $address ]]; do
    kill -0 "$server" 2>/dev/null || fail "the server ended before it was ready"
    ((SECONDS < deadline)) || fail "the server was not ready within $ready_seconds s"
    sleep 0.1
    address=$(sed -n 's/^ready on //p' "$scratch/stdout")
done

# gRPC would take a call to this machine to a proxy, too, if the environment names one.
for script in seeds overload; do
    no_proxy=127.0.0.1 PYTHONPATH=$stubs \
        "$environment/bin/python" "examples/python/$script.py" --server "$address"
done

kill -TERM "$server"
deadline=$((SECONDS + stop_seconds))
while kill -0 "$server" 2>/dev/null; do
    ((SECONDS < deadline)) || fail "the server did not stop within $stop_seconds s"
    sleep 0.1
done
code=0
wait "$server" || code=$?
server=
[[ $code -eq 0 ]] || fail "the server ended with code $code"
echo
echo "The server stopped as it should."
