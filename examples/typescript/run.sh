#!/usr/bin/env bash
# Usage: examples/typescript/run.sh [path to the copydesk binary, default target/release/copydesk]
set -euo pipefail

# A path that is given is meant from where the caller stands.
[[ $# -eq 0 || $1 == /* ]] || set -- "$PWD/$1"
cd "$(dirname "${BASH_SOURCE[0]}")"
binary=${1:-$PWD/../../target/release/copydesk}

npm ci --silent --no-audit --no-fund
# The compiler, and the plugin that buf runs.
PATH=$PWD/node_modules/.bin:$PATH
../../.ci/buf generate
tsc
../with-server.sh "$binary" node dist/desk.js
