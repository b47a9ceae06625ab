-- What editors said of two documents. It outlives every recomputation.

CREATE TABLE editor_verdicts (
    doc INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,  -- the earlier one
    verdict INTEGER NOT NULL,
    PRIMARY KEY (doc, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX editor_verdicts_by_other ON editor_verdicts (other);

-- Fingerprints of the reporting of each document, u32, little-endian: what the index of
-- shingles is made of. Derived: a document without them gets them when the corpus is opened.
CREATE TABLE fingerprints (
    doc INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    hashes BLOB NOT NULL
) STRICT;
