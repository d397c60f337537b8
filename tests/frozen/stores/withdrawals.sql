-- withdrawals.db, version 1, as version 0.1.0 of the programs left it. The rows are of the right form and nobody's.
PRAGMA foreign_keys=OFF;
CREATE TABLE told(sha256 BLOB NOT NULL, adapter TEXT NOT NULL, ack BLOB NOT NULL, PRIMARY KEY (sha256, adapter)) STRICT;
CREATE TABLE withdrawal(sha256 BLOB PRIMARY KEY, grant_jwt TEXT NOT NULL, token TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;
INSERT INTO "withdrawal" VALUES(X'1111111111111111111111111111111111111111111111111111111111111111','e30.e30.c2ln','e30.e30.c2ln',4102444800);
INSERT INTO "told" VALUES(X'1111111111111111111111111111111111111111111111111111111111111111','spiffe://demo.lianban/adapter/tax',X'0102');
PRAGMA user_version=1;
PRAGMA application_id=1279413072;
