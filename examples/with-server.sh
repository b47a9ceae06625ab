#!/usr/bin/env bash
# Usage: examples/with-server.sh BINARY COMMAND [ARGUMENT]...
# Starts the copydesk binary over an empty corpus, runs COMMAND ... --server HOST:PORT, and stops it.
set -euo pipefail

binary=$1
shift
# A first start fetches the model.
ready_seconds=300
stop_seconds=30

fail() {
    echo "with-server.sh: $*" >&2
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
no_proxy=127.0.0.1 "$@" --server "$address"

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
