-- 教育. student.mode full or part: full-time studies or not. fee.cents is what the school charges, fee.public_cents what a public school would.
CREATE TABLE student (roll_no TEXT PRIMARY KEY, id_no TEXT, school_code TEXT, stage TEXT, grade INTEGER,
  status TEXT, boarder INTEGER, enrol_date TEXT, mode TEXT);
CREATE TABLE aid (roll_no TEXT, term TEXT, item TEXT, tier TEXT, cents INTEGER, state TEXT);
CREATE TABLE school (school_code TEXT PRIMARY KEY, name TEXT, kind TEXT, area6 TEXT);
CREATE TABLE fee (roll_no TEXT, month TEXT, cents INTEGER, public_cents INTEGER);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX student_by_id ON student (id_no);
CREATE INDEX aid_by_roll ON aid (roll_no);
CREATE INDEX fee_by_roll ON fee (roll_no, month);
