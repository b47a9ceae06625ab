-- Files made of a corpus say by this number which one it was.

INSERT INTO counters VALUES ('corpus', abs(random() / 2) + 1);
