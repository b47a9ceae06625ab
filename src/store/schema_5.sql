-- Indices that answer by themselves where a text stands, and who said first what another
-- document says.

DROP INDEX passages_by_content;
CREATE INDEX passages_by_content ON passages (content, doc) WHERE content IS NOT NULL;
DROP INDEX documents_by_reporting;
CREATE INDEX documents_by_reporting ON documents (reporting_hash, published_at, doc);
