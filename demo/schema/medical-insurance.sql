-- 医保. National names of the settlement record; amounts in cents. counted: an employee's months paid and in
-- arrears, as the register counts them. psn_part_amt is the person's own
-- share (acct_pay from the personal account, psn_cash_pay in cash) after every fund. commercial: what commercial insurers
-- paid of it, as they report when bills are settled.
CREATE TABLE insured (psn_no TEXT PRIMARY KEY, id_no TEXT, insutype TEXT, status TEXT, from_m TEXT,
  to_m TEXT, area6 TEXT);
CREATE TABLE contribution (psn_no TEXT, year TEXT, month TEXT, paid INTEGER, base_cents INTEGER);
CREATE TABLE counted (psn_no TEXT, months INTEGER, arrears INTEGER);
CREATE TABLE settlement (setl_id TEXT PRIMARY KEY, mdtrt_id TEXT, psn_no TEXT, med_type TEXT,
  setl_time TEXT, medfee_sumamt INTEGER, inscp_scp_amt INTEGER, fulamt_ownpay_amt INTEGER,
  act_pay_dedc INTEGER, hifp_pay INTEGER, hifmi_pay INTEGER, hifob_pay INTEGER, maf_pay INTEGER,
  fund_pay_sumamt INTEGER, psn_part_amt INTEGER, acct_pay INTEGER, psn_cash_pay INTEGER,
  dx_icd10 TEXT, fixmedins_code TEXT);
CREATE TABLE commercial (psn_no TEXT, month TEXT, cents INTEGER);
CREATE TABLE chronic (psn_no TEXT, disease_code TEXT, from_d TEXT, to_d TEXT);
CREATE TABLE account (psn_no TEXT, balance INTEGER);
CREATE TABLE maternity (psn_no TEXT, birth_date TEXT, claim_cents INTEGER, allowance_cents INTEGER);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX insured_by_id ON insured (id_no);
CREATE INDEX contribution_by_person ON contribution (psn_no);
CREATE INDEX counted_by_person ON counted (psn_no);
CREATE INDEX settlement_by_person ON settlement (psn_no, setl_time);
CREATE INDEX commercial_by_person ON commercial (psn_no);
CREATE INDEX chronic_by_person ON chronic (psn_no);
CREATE INDEX account_by_person ON account (psn_no);
CREATE INDEX maternity_by_person ON maternity (psn_no);
