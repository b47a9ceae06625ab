-- Stories: documents about the same events. A story that was merged leads to the other one.

CREATE TABLE stories (
    story INTEGER PRIMARY KEY AUTOINCREMENT,
    merged_into INTEGER REFERENCES stories ON DELETE CASCADE,
    change INTEGER NOT NULL,                -- grows with every change of any story
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX stories_by_change ON stories (change) WHERE merged_into IS NULL;
CREATE INDEX stories_by_successor ON stories (merged_into) WHERE merged_into IS NOT NULL;
INSERT INTO counters VALUES ('story_change', 0);

-- Families that came before there were stories are stories of their own.
ALTER TABLE documents ADD COLUMN story INTEGER NOT NULL DEFAULT 0;
INSERT INTO stories SELECT family, NULL, family, max(ingested_at) FROM documents GROUP BY family;
UPDATE documents SET story = family;
UPDATE counters SET value = (SELECT coalesce(max(family), 0) FROM documents) WHERE name = 'story_change';
CREATE INDEX documents_by_story ON documents (story, published_at, doc);

-- What editors said of the stories of two documents.
CREATE TABLE editor_stories (
    doc INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    other INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    same INTEGER NOT NULL,
    PRIMARY KEY (doc, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX editor_stories_by_other ON editor_stories (other);
