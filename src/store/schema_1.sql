-- Times are microseconds since 1970-01-01 UTC. Verdicts: 1 new, 2 exact duplicate,
-- 3 near duplicate, 4 update. Kinds: 1 body, 2 furniture.

CREATE TABLE models (
    model INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL,
    weights_sha256 TEXT NOT NULL,
    precision TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    UNIQUE (model_id, weights_sha256, precision)
) STRICT;

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('sequence', 0), ('family', 0);

CREATE TABLE documents (
    doc INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL UNIQUE,       -- grows with every stored body
    revision INTEGER NOT NULL,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    language TEXT NOT NULL,
    stated_published_at INTEGER,            -- NULL: nobody says
    published_at INTEGER NOT NULL,          -- stated, else when it first came in
    ingested_at INTEGER NOT NULL,           -- of the present body
    first_ingested_at INTEGER NOT NULL,
    body_hash BLOB NOT NULL,
    reporting_hash BLOB NOT NULL,
    words INTEGER NOT NULL,                 -- in its reporting
    family INTEGER NOT NULL,                -- copies and updates of one another
    relation INTEGER NOT NULL,              -- verdict beside the family's earliest
    skipped_copies INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX documents_by_family ON documents (family, published_at, doc);
CREATE INDEX documents_by_reporting ON documents (reporting_hash);
CREATE INDEX documents_by_source ON documents (source);
CREATE INDEX documents_by_url ON documents (url);
CREATE INDEX documents_by_publication ON documents (published_at);
CREATE INDEX documents_by_ingest ON documents (ingested_at);

CREATE TABLE labels (
    doc INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (doc, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (key, value);

CREATE TABLE paragraphs (
    doc INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    paragraph INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (doc, paragraph)
) STRICT;

-- One row for each distinct normalised text that is embedded.
CREATE TABLE contents (
    content INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE vectors (
    content INTEGER NOT NULL REFERENCES contents ON DELETE CASCADE,
    model INTEGER NOT NULL REFERENCES models,
    window INTEGER NOT NULL,
    vector BLOB NOT NULL,                   -- f32, little-endian, length 1
    PRIMARY KEY (content, model, window)
) STRICT;

CREATE TABLE passages (
    passage INTEGER PRIMARY KEY AUTOINCREMENT,
    doc INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    paragraph INTEGER NOT NULL,
    first INTEGER NOT NULL,                 -- code points in the paragraph
    last INTEGER NOT NULL,                  -- one past the last
    kind INTEGER NOT NULL,
    content INTEGER REFERENCES contents,    -- NULL for furniture
    text TEXT,                              -- NULL where it is the whole paragraph
    UNIQUE (doc, ordinal)
) STRICT;
CREATE INDEX passages_by_content ON passages (content) WHERE content IS NOT NULL;

-- Verdicts as they were when the document came in.
CREATE TABLE verdicts (
    doc INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    verdict INTEGER NOT NULL,
    canonical INTEGER REFERENCES documents ON DELETE SET NULL,
    probability REAL NOT NULL,
    duplicate_share REAL NOT NULL,
    novelty REAL NOT NULL,
    lexical_only INTEGER NOT NULL,
    model INTEGER NOT NULL REFERENCES models
) STRICT;
CREATE INDEX verdicts_by_canonical ON verdicts (canonical);

CREATE TABLE passage_verdicts (
    doc INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    probability REAL NOT NULL,
    novelty REAL NOT NULL,
    matched INTEGER REFERENCES passages ON DELETE SET NULL,
    exact INTEGER NOT NULL,
    cosine REAL,
    resemblance REAL NOT NULL,
    containment REAL NOT NULL,
    share_of_query REAL NOT NULL,
    share_of_match REAL NOT NULL,
    agreement REAL,
    PRIMARY KEY (doc, ordinal)
) STRICT;
CREATE INDEX passage_verdicts_by_match ON passage_verdicts (matched) WHERE matched IS NOT NULL;
