-- 税务. business also keeps the legal representation and capital of the business register.
CREATE TABLE taxpayer (id_no TEXT PRIMARY KEY, tin TEXT, area6 TEXT);
CREATE TABLE wage (id_no TEXT, month TEXT, payer_uscc TEXT, income_cents INTEGER, tax_cents INTEGER);
CREATE TABLE other_income (id_no TEXT, month TEXT, kind TEXT, cents INTEGER);
CREATE TABLE business (uscc TEXT PRIMARY KEY, legal_id TEXT, name TEXT, capital_cents INTEGER,
  status TEXT, year INTEGER, revenue INTEGER, profit INTEGER);
CREATE TABLE deduction (id_no TEXT, year INTEGER, kind TEXT, cents INTEGER);
CREATE TABLE si_fee (id_no TEXT, kind TEXT, month TEXT, due INTEGER, paid INTEGER);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX wage_by_id ON wage (id_no, month);
CREATE INDEX other_by_id ON other_income (id_no, month);
CREATE INDEX business_by_legal ON business (legal_id);
CREATE INDEX deduction_by_id ON deduction (id_no);
CREATE INDEX si_fee_by_id ON si_fee (id_no);
