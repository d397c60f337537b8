-- 财政. bank_query is the answer of the banks, each balance with its own date; insurance_query that of the insurers.
CREATE TABLE onecard (id_no TEXT, acct_enc BLOB, bank TEXT);
CREATE TABLE payout (pay_id TEXT PRIMARY KEY, id_no TEXT, dept TEXT, item TEXT, month TEXT,
  cents INTEGER, state TEXT);
CREATE TABLE fund (item TEXT, year INTEGER, budget INTEGER, used INTEGER, idle_days INTEGER);
CREATE TABLE bank_query (id_no TEXT, bank TEXT, balance_cents INTEGER, as_of TEXT);
CREATE TABLE insurance_query (id_no TEXT, insurer TEXT, policies INTEGER, as_of TEXT);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX onecard_by_id ON onecard (id_no);
CREATE INDEX payout_by_id ON payout (id_no, month);
CREATE INDEX bank_by_id ON bank_query (id_no);
CREATE INDEX insurance_by_id ON insurance_query (id_no);
