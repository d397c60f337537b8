-- 人社. aac001 person id, aac002 citizen number, aac003 name, aac004 sex, aac006 birth, aac008 status
-- (1 employed, 2 unemployed, 3 retired, 4 flexible), aab001/aab004 unit, aab301 region,
-- aac012 post of an employee (1 worker, 2 manager or professional), aae140 insurance kind,
-- aaz500 card number, aae002 the month a payment belongs to.
CREATE TABLE employee (aac001 TEXT PRIMARY KEY, aac002 TEXT, aac003 TEXT, aac004 TEXT, aac006 TEXT,
  aac008 TEXT, aac012 TEXT, aab001 TEXT, aab004 TEXT, aab301 TEXT);
CREATE TABLE contribution (aac001 TEXT, aae140 TEXT, month TEXT, base_cents INTEGER,
  person_cents INTEGER, unit_cents INTEGER, paid INTEGER);
CREATE TABLE carried (aac001 TEXT, months INTEGER);
CREATE TABLE pension (aac001 TEXT, start_month TEXT, cents_month INTEGER, kind TEXT);
CREATE TABLE unemployment (aac001 TEXT, reg_date TEXT, benefit_from TEXT, benefit_to TEXT,
  cents_month INTEGER);
CREATE TABLE work_injury (aac001 TEXT, level TEXT, care_cents INTEGER);
CREATE TABLE card (aaz500 TEXT PRIMARY KEY, aac002 TEXT, bank_acct_enc BLOB);
CREATE TABLE job_help (aac001 TEXT, program TEXT, from_m TEXT, to_m TEXT, cents INTEGER);
CREATE TABLE period (aae002 TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX employee_by_citizen ON employee (aac002);
CREATE INDEX contribution_by_person ON contribution (aac001, month);
CREATE INDEX carried_by_person ON carried (aac001);
CREATE INDEX pension_by_person ON pension (aac001);
CREATE INDEX unemployment_by_person ON unemployment (aac001);
CREATE INDEX work_injury_by_person ON work_injury (aac001);
CREATE INDEX card_by_citizen ON card (aac002);
CREATE INDEX job_help_by_person ON job_help (aac001);
