-- register.db, version 1, as version 0.1.0 of the programs left it.
PRAGMA foreign_keys=OFF;
CREATE TABLE change (  seq INTEGER PRIMARY KEY AUTOINCREMENT,  at INTEGER NOT NULL,  badge TEXT NOT NULL REFERENCES person (badge),  what TEXT NOT NULL,  who TEXT NOT NULL,  evidence INTEGER) STRICT;
INSERT INTO "change" VALUES(1,1795351639,'W-0017','OPERATOR_ADDED','root',1);
INSERT INTO "change" VALUES(2,1795351639,'W-1','OPERATOR_ADDED','root',2);
CREATE TABLE person (  badge TEXT PRIMARY KEY,  unit TEXT NOT NULL,  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 32),  device BLOB CHECK (device IS NULL OR length(device) = 64),  not_before INTEGER NOT NULL,  not_after INTEGER NOT NULL CHECK (not_after > not_before),  suspended INTEGER NOT NULL CHECK (suspended IN (0, 1))) STRICT;
INSERT INTO "person" VALUES('W-0017','street-office-01','f26dae7e70e5c4a1f0bf76c2a0ad5278',NULL,1795351639,1826887639,0);
INSERT INTO "person" VALUES('W-1','u-1','5ac11299ea18bfc77f559dae5a0138d3',NULL,1795351639,1826887639,0);
CREATE TABLE relative (  badge TEXT NOT NULL REFERENCES person (badge),  hash TEXT NOT NULL CHECK (length(hash) = 32),  PRIMARY KEY (badge, hash)) STRICT, WITHOUT ROWID;
CREATE INDEX change_pending ON change (seq) WHERE evidence IS NULL;
PRAGMA user_version=1;
PRAGMA application_id=1279414096;
