-- review.db, version 1, as version 0.1.0 of the programs left it. The rows are of the right form and nobody's.
PRAGMA foreign_keys=OFF;
CREATE TABLE act (  seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, alert INTEGER NOT NULL,  what TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,  hash BLOB NOT NULL CHECK (length(hash) = 32), leaf INTEGER) STRICT;
CREATE TABLE alert (  id INTEGER PRIMARY KEY, key BLOB NOT NULL, round INTEGER NOT NULL, rule TEXT NOT NULL,  severity INTEGER NOT NULL, state INTEGER NOT NULL, title_zh TEXT NOT NULL,  title_en TEXT NOT NULL, why_zh TEXT NOT NULL, why_en TEXT NOT NULL, actor TEXT NOT NULL,  organization TEXT NOT NULL, unit TEXT NOT NULL, first_ms INTEGER NOT NULL,  last_ms INTEGER NOT NULL, num_entries INTEGER NOT NULL, most INTEGER NOT NULL,  opened_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,  rules BLOB NOT NULL, assignee TEXT NOT NULL DEFAULT '',  explanation TEXT NOT NULL DEFAULT '', explained_by TEXT NOT NULL DEFAULT '',  outcome INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',  UNIQUE (key, round)) STRICT;
CREATE TABLE day (  actor TEXT NOT NULL, day INTEGER NOT NULL, peers TEXT NOT NULL,  records INTEGER NOT NULL, usual INTEGER NOT NULL,  PRIMARY KEY (actor, day)) STRICT, WITHOUT ROWID;
INSERT INTO "day" VALUES('street-office-01 0123456789abcdef',20780,'street-office-01',3,3);
CREATE TABLE entry (  alert INTEGER NOT NULL REFERENCES alert (id), idx INTEGER NOT NULL,  PRIMARY KEY (alert, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE person (  actor TEXT PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,  records INTEGER NOT NULL, class_max INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "person" VALUES('street-office-01 0123456789abcdef',1795351639000,1795351640000,3,4);
CREATE TABLE recent (  idx INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, subject BLOB,  place TEXT NOT NULL, org TEXT NOT NULL, purpose TEXT NOT NULL, basis TEXT NOT NULL,  case_no TEXT NOT NULL, code TEXT NOT NULL, missed INTEGER NOT NULL,  denied INTEGER NOT NULL, off INTEGER NOT NULL) STRICT;
CREATE TABLE scan (  id INTEGER PRIMARY KEY CHECK (id = 1),  origin TEXT NOT NULL, next INTEGER NOT NULL, last_ms INTEGER NOT NULL) STRICT;
INSERT INTO "scan" VALUES(1,'demo.lianban/adapter/tax',12,1795351639000);
CREATE INDEX day_peers ON day (peers, day);
CREATE INDEX recent_actor ON recent (actor, time_ms);
CREATE INDEX recent_subject ON recent (subject, time_ms) WHERE subject IS NOT NULL;
CREATE INDEX entry_idx ON entry (idx);
CREATE INDEX act_alert ON act (alert);
PRAGMA user_version=1;
PRAGMA application_id=1279414870;
