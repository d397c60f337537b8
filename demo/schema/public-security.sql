-- 公安. hh 户号, yhzgxdm 与户主关系代码, hkxz 户口性质, hukou_area6/addr12 区划代码.
CREATE TABLE person (id_no TEXT PRIMARY KEY, name TEXT, former_name TEXT, sex TEXT, nation TEXT,
  birth TEXT, status TEXT CHECK (status IN ('alive', 'dead', 'cancelled')), photo_hash BLOB);
CREATE TABLE household (hh TEXT NOT NULL, id_no TEXT NOT NULL, yhzgxdm TEXT, hkxz TEXT,
  hukou_area6 TEXT, addr12 TEXT, addr_text TEXT, since TEXT, until TEXT);
CREATE TABLE residence_permit (id_no TEXT, area12 TEXT, issued TEXT, valid_to TEXT);
CREATE TABLE vehicle (plate TEXT PRIMARY KEY, owner_id TEXT, kind TEXT, disabled_flag INTEGER,
  value_cents INTEGER, reg_date TEXT, scrap_date TEXT);
CREATE TABLE kin (a_id TEXT, b_id TEXT, relation TEXT, source TEXT);  -- b is the relation of a
CREATE TABLE licence (id_no TEXT, class TEXT, status TEXT);
CREATE TABLE release (id_no TEXT, date TEXT);
CREATE TABLE custody (id_no TEXT, kind TEXT, from_d TEXT, to_d TEXT);
CREATE TABLE data_as_of (as_of TEXT NOT NULL);
--
CREATE INDEX household_by_id ON household (id_no);
CREATE INDEX household_by_hh ON household (hh);
CREATE INDEX permit_by_id ON residence_permit (id_no);
CREATE INDEX vehicle_by_owner ON vehicle (owner_id);
CREATE INDEX kin_by_a ON kin (a_id);
CREATE INDEX release_by_id ON release (id_no);
CREATE INDEX custody_by_id ON custody (id_no);
CREATE INDEX licence_by_id ON licence (id_no);
