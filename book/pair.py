"""Prints pairs of newswire stories of the evaluation data, as JSON Lines.

python book/pair.py 4 10     # by the numbers that they have in ../shared/data/reuters_pairs
"""

import json
import sys
from pathlib import Path

PAIRS = Path(__file__).resolve().parents[2] / "shared/data/reuters_pairs/dev.jsonl"

wanted = {int(number) for number in sys.argv[1:]}
for line in PAIRS.read_text(encoding="utf-8").splitlines():
    pair = json.loads(line)
    if pair["pair"] in wanted:
        print(json.dumps(pair["a"]), json.dumps(pair["b"]), sep="\n")
