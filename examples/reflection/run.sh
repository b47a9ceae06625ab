#!/usr/bin/env bash
# Usage: examples/reflection/run.sh [path to the copydesk binary, default target/release/copydesk]
#    or: examples/reflection/run.sh ask --server HOST:PORT
# Asks a server from a shell, with `buf curl`: the server tells what it understands by reflection, so
# that no file of the contract is needed.
set -euo pipefail

# A path that is given is meant from where the caller stands.
[[ $# -eq 0 || $1 == /* || $1 == ask ]] || set -- "$PWD/$1"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [[ ${1-} != ask ]]; then
    exec examples/with-server.sh "${1:-target/release/copydesk}" examples/reflection/run.sh ask
fi

curl=(.ci/buf curl --protocol grpc --http2-prior-knowledge)
desk=http://$3

# fails_with CODE COMMAND...
fails_with() {
    local code=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "answered, and should have failed with $code" >&2
        exit 1
    fi
    echo "$said"
    grep -qF "\"$code\"" <<< "$said"
}

echo "What does it understand?"
"${curl[@]}" --list-services "$desk" | grep -F copydesk.v1.
"${curl[@]}" --list-methods "$desk" | grep -F CorpusService/IngestDocument

echo "Is it well?"
"${curl[@]}" --data '{}' "$desk/grpc.health.v1.Health/Check" | grep -F SERVING

echo "Take this in, and say whether it is new."
text='The central bank raised its key interest rate by half a percentage point to 5.5 pct on Monday.'
ingest=$desk/copydesk.v1.CorpusService/IngestDocument
"${curl[@]}" --data "{\"document\": {\"documentId\": \"one\", \"text\": \"$text\"}}" "$ingest" |
    grep -F VERDICT_NEW
"${curl[@]}" --data "{\"document\": {\"documentId\": \"two\", \"text\": \"$text\"}}" "$ingest" |
    grep -F VERDICT_EXACT_DUPLICATE

echo "Who says the same? In a stream, two at once."
"${curl[@]}" --data "{\"text\": \"$text\"}" "$desk/copydesk.v1.SimilarityService/FindDuplicates" |
    grep -F '"passageId": "one#0"'
stream='{"requestId": "1", "ingest": {"document": {"documentId": "three", "text": "Corn prices fell."}}}
{"requestId": "2", "ingest": {"document": {"documentId": "four", "text": " "}}}'
answers=$("${curl[@]}" --data @- "$desk/copydesk.v1.CorpusService/IngestDocuments" <<< "$stream")
grep -F '"outcome": "INGEST_OUTCOME_CREATED"' <<< "$answers"
grep -F '"field": "document.text"' <<< "$answers"

echo "What is refused says why."
fails_with not_found "${curl[@]}" --data '{"documentId": "five"}' \
    "$desk/copydesk.v1.CorpusService/GetDocument"
fails_with invalid_argument "${curl[@]}" --data '{}' "$ingest"
