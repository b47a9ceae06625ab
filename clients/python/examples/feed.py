"""Takes in JSON Lines, and prints what of it is news."""

import json
import sys

from copydesk import Client, Verdict, document

with Client() as desk:
    articles = (document(**json.loads(line)) for line in sys.stdin)
    for article in desk.ingest_many(articles):
        if article.error is not None:
            print(article.document.document_id, "is refused:", article.error.message)
            continue
        verdict = article.result().verdict
        if verdict.verdict == Verdict.VERDICT_NEW:
            print(article.document.document_id, "is new")
        else:
            print(
                article.document.document_id,
                "is",
                Verdict.Name(verdict.verdict),
                "of",
                verdict.canonical_document_id,
            )
