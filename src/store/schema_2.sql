-- A corpus can hold vectors of several models while it changes from one to another.
-- The one that answers is in counters; vectors of retired ones are on their way out.

ALTER TABLE models ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;

-- The name of a model says its precision, too: it is part of what its vectors are.
UPDATE models SET model_id = model_id || '/' || precision;

INSERT INTO counters SELECT 'model', coalesce(max(model), 0) FROM models;
