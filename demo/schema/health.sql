-- 卫健.
CREATE TABLE birth_cert (cert_no TEXT PRIMARY KEY, baby_name TEXT, sex TEXT, born_at TEXT,
  weight_g INTEGER, weeks INTEGER, mother_id TEXT, father_id TEXT, hospital TEXT, issue_date TEXT,
  reissue INTEGER);
CREATE TABLE death_cert (cert_no TEXT PRIMARY KEY, id_no TEXT, died_at TEXT, natural INTEGER,
  icd10 TEXT, hospital TEXT);
CREATE TABLE vaccine_book (book_no TEXT PRIMARY KEY, child_id TEXT, guardian_id TEXT);
CREATE TABLE maternal_record (id_no TEXT, kind TEXT, date TEXT);
CREATE TABLE only_child (id_no TEXT, cert_no TEXT);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX birth_by_father ON birth_cert (father_id);
CREATE INDEX birth_by_mother ON birth_cert (mother_id);
CREATE INDEX death_by_id ON death_cert (id_no);
CREATE INDEX vaccine_by_child ON vaccine_book (child_id);
CREATE INDEX maternal_by_id ON maternal_record (id_no);
CREATE INDEX only_child_by_id ON only_child (id_no);
