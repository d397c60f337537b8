-- 住建. title.seq 1 is the first-named holder; family_file is the register's own list of families.
CREATE TABLE dwelling (unit_no TEXT PRIMARY KEY, area_m2 REAL, use_m2 REAL, kind TEXT, addr12 TEXT,
  built INTEGER);
CREATE TABLE title (unit_no TEXT, owner_id TEXT, seq INTEGER, share INTEGER, from_d TEXT, to_d TEXT);
CREATE TABLE family_file (family_no TEXT, id_no TEXT, members INTEGER);
CREATE TABLE prh_queue (case_no TEXT PRIMARY KEY, head_id TEXT, members INTEGER, rank INTEGER, filed TEXT,
  state TEXT);
CREATE TABLE prh_contract (cno TEXT PRIMARY KEY, case_no TEXT, unit TEXT, from_d TEXT, to_d TEXT,
  rent INTEGER, subsidy_pct INTEGER);
CREATE TABLE gjj_account (acct TEXT PRIMARY KEY, id_no TEXT, base_cents INTEGER, balance INTEGER,
  status TEXT, sealed_date TEXT, payout_enc BLOB);
CREATE TABLE gjj_deposit (acct TEXT, month TEXT, cents INTEGER);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX title_by_owner ON title (owner_id);
CREATE INDEX title_by_unit ON title (unit_no);
CREATE INDEX family_by_id ON family_file (id_no);
CREATE INDEX family_by_no ON family_file (family_no);
CREATE INDEX queue_by_head ON prh_queue (head_id);
CREATE INDEX contract_by_case ON prh_contract (case_no);
CREATE INDEX gjj_by_id ON gjj_account (id_no);
CREATE INDEX gjj_deposit_by_acct ON gjj_deposit (acct);
