-- 民政. recognition.class TEKUN DIBAO SINGLE EDGE RIGID; aid_payment.aid_kind one of the 8+1 kinds.
CREATE TABLE marriage (reg_no TEXT PRIMARY KEY, husband_id TEXT, wife_id TEXT, reg_date TEXT,
  end_date TEXT, kind TEXT);
CREATE TABLE cremation (cert_no TEXT PRIMARY KEY, id_no TEXT, date TEXT);
CREATE TABLE recognition (rid TEXT PRIMARY KEY, hh_key TEXT, id_no TEXT, class TEXT, valid_from TEXT,
  valid_to TEXT, area6 TEXT, amount_month INTEGER, rule_ver TEXT);
CREATE TABLE aid_payment (pid TEXT PRIMARY KEY, id_no TEXT, aid_kind TEXT, month TEXT, cents INTEGER,
  batch TEXT);
CREATE TABLE child_welfare (id_no TEXT, kind TEXT, valid_to TEXT);
CREATE TABLE allowance (id_no TEXT, kind TEXT, valid_to TEXT);
CREATE TABLE subsidy_report (id_no TEXT, day TEXT);
CREATE TABLE case_log (case_no TEXT PRIMARY KEY, state TEXT, opened TEXT, due TEXT, closed TEXT);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX marriage_by_husband ON marriage (husband_id);
CREATE INDEX marriage_by_wife ON marriage (wife_id);
CREATE INDEX cremation_by_id ON cremation (id_no);
CREATE INDEX recognition_by_id ON recognition (id_no);
CREATE INDEX aid_by_id ON aid_payment (id_no, month);
CREATE INDEX allowance_by_id ON allowance (id_no);
CREATE INDEX subsidy_report_by_id ON subsidy_report (id_no);
CREATE INDEX child_welfare_by_id ON child_welfare (id_no);
