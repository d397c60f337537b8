-- 残联. card_no: identity number, type (1 视 2 听 3 言 4 肢 5 智 6 精 7 多重), level 1..4.
CREATE TABLE card (card_no TEXT PRIMARY KEY, id_no TEXT, type TEXT, level TEXT, issued TEXT,
  valid_to TEXT, multi TEXT);
CREATE TABLE subsidy (card_no TEXT, kind TEXT, month TEXT, cents INTEGER);
CREATE TABLE rehab (card_no TEXT, item TEXT, date TEXT, own_cents INTEGER);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX card_by_id ON card (id_no);
CREATE INDEX subsidy_by_card ON subsidy (card_no);
CREATE INDEX rehab_by_card ON rehab (card_no);
