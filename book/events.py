"""Prints the reports of a topic of ECB+ as JSON Lines, each with its event as a label.

python book/events.py 1      # reads ../shared/data/ecbplus
"""

import json
import sys
from pathlib import Path

REPORTS = Path(__file__).resolve().parents[2] / "shared/data/ecbplus/docs.jsonl"

topic = int(sys.argv[1])
for line in REPORTS.read_text(encoding="utf-8").splitlines():
    report = json.loads(line)
    if report["topic"] == topic:
        document = {
            "document_id": report["id"],
            "paragraphs": report["sentences"],
            "labels": {"event": report["event"]},
        }
        print(json.dumps(document))
