-- What each department gives out for social-assistance, by PostgreSQL's own means: one masking view a
-- department, `given.facts` (id_no, fact, value, as_of), with the fields and operators that the form asks of
-- an applicant and no others. The account of the front database may read this view and nothing else: the
-- schema `form`, with the rest, is closed to it.
--
-- postgres_fdw has every query parsed and planned anew at the department, and planning `form.kept`, which
-- makes the facts, takes longer than running it. So it is run inside a function, which plans once a session;
-- the view that is given out takes whom the department knows (form.known) to that function.
--
-- No row means 0 or FALSE where the department's register is complete (as in `complete: true` of
-- demo/departments), unknown elsewhere. EQ takes what the citizen states, and a view takes nothing: so a
-- digest of number and value is given out, and compared by the asker.

--department: before
CREATE SCHEMA form;
CREATE FUNCTION form.this_month() RETURNS text STABLE LANGUAGE sql
  AS $$ SELECT to_char(current_date, 'YYYY-MM') $$;
CREATE FUNCTION form.from_month() RETURNS text STABLE LANGUAGE sql
  AS $$ SELECT to_char(date_trunc('month', current_date) - interval '12 months', 'YYYY-MM') $$;
CREATE FUNCTION form.today() RETURNS text STABLE LANGUAGE sql
  AS $$ SELECT to_char(current_date, 'YYYY-MM-DD') $$;
CREATE FUNCTION form.born_before(years integer) RETURNS text STABLE LANGUAGE sql
  AS $$ SELECT to_char(current_date - make_interval(years => years), 'YYYY-MM-DD') $$;
CREATE FUNCTION form.digest(id_no text, value text) RETURNS text IMMUTABLE LANGUAGE sql
  AS $$ SELECT encode(sha256(convert_to(id_no || '|' || value, 'UTF8')), 'hex') $$;
-- TRUE if any row is; unknown if none is and one cannot be told; else FALSE.
CREATE FUNCTION form.any_of(is_true boolean, told bigint, num bigint) RETURNS text IMMUTABLE LANGUAGE sql
  AS $$ SELECT CASE WHEN is_true THEN '1' WHEN told = num THEN '0' END $$;
-- A total of which no addend may be missing.
CREATE FUNCTION form.total(amount numeric, told bigint, num bigint) RETURNS text IMMUTABLE LANGUAGE sql
  AS $$ SELECT CASE WHEN told = num THEN amount::text END $$;

--department: public-security
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT p.id_no, f.fact, f.value
    FROM person AS p
   CROSS JOIN LATERAL (VALUES
     ('alive', (p.status IN ('alive'))::int::text),
     ('name_same', form.digest(p.id_no, translate(p.name, '•・･　', '···'))),
     ('elder', (p.birth <= form.born_before(60))::int::text),
     ('adult', (p.birth <= form.born_before(18))::int::text)) AS f (fact, value)
  UNION ALL
  SELECT id_no, 'local', (hukou_area6 IN
      ('110101', '110102', '110105', '110106', '110107', '110108', '110109', '110111', '110112', '110113',
       '110114', '110115', '110116', '110117', '110118', '110119'))::int::text
    FROM household WHERE until IS NULL
  UNION ALL
  SELECT own.id_no, 'household_same', form.digest(own.id_no, string_agg(m.id_no, ',' ORDER BY m.id_no))
    FROM household AS own JOIN household AS m ON m.hh = own.hh
   WHERE own.until IS NULL AND m.until IS NULL GROUP BY own.id_no
  UNION ALL
  SELECT owner_id, 'vehicles', least(count(*), 1)::text
    FROM vehicle WHERE disabled_flag = 0 AND scrap_date IS NULL GROUP BY owner_id
  UNION ALL
  SELECT k.a_id, 'obligors', least(count(*), 1)::text
    FROM kin AS k LEFT JOIN person AS p ON p.id_no = k.b_id
   WHERE k.relation IN ('spouse', 'parent', 'child')
     AND (p.id_no IS NULL OR (p.status = 'alive' AND p.birth <= form.born_before(18)))
     AND NOT EXISTS (SELECT 1 FROM household AS own JOIN household AS other ON other.hh = own.hh
                      WHERE own.id_no = k.a_id AND own.until IS NULL
                        AND other.id_no = k.b_id AND other.until IS NULL)
   GROUP BY k.a_id) AS u;

--department: civil-affairs
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT id_no, 'aid_drawn' AS fact,
         form.any_of(bool_or(aid_kind IN ('TEKUN', 'DIBAO')), count(aid_kind), count(*)) AS value
    FROM aid_payment
   WHERE month >= to_char(date_trunc('month', current_date) - interval '2 months', 'YYYY-MM')
   GROUP BY id_no
  UNION ALL
  SELECT id_no, 'recognised', least(count(*), 1)::text
    FROM recognition
   WHERE valid_from <= form.today() AND (valid_to IS NULL OR valid_to >= form.today())
   GROUP BY id_no) AS u;

--department: social-security
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT e.aac002 AS id_no, 'pension12' AS fact,
         form.total(sum(b.cents_month), count(b.cents_month), count(*)) AS value
    FROM employee AS e
    JOIN pension AS b ON b.aac001 = e.aac001
    JOIN period AS p ON p.aae002 >= b.start_month
                    AND p.aae002 >= form.from_month() AND p.aae002 < form.this_month()
   GROUP BY e.aac002
  UNION ALL
  SELECT e.aac002, 'unemployment12', form.total(sum(u.cents_month), count(u.cents_month), count(*))
    FROM employee AS e
    JOIN unemployment AS u ON u.aac001 = e.aac001
    JOIN period AS p ON p.aae002 >= u.benefit_from AND p.aae002 <= u.benefit_to
                    AND p.aae002 >= form.from_month() AND p.aae002 < form.this_month()
   GROUP BY e.aac002
  UNION ALL
  SELECT aac002, 'in_work', form.any_of(bool_or(aac008 IN ('1', '4')), count(aac008), count(*))
    FROM employee GROUP BY aac002) AS u;

--department: medical-insurance
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT i.id_no, 'own_medical12' AS fact,
         form.total(sum(s.psn_part_amt), count(s.psn_part_amt), count(*)) AS value
    FROM insured AS i JOIN settlement AS s ON s.psn_no = i.psn_no
   WHERE s.setl_time >= form.from_month() AND s.setl_time < form.this_month()
   GROUP BY i.id_no
  UNION ALL
  SELECT i.id_no, 'major_disease',
         form.any_of(bool_or(c.disease_code IN ('C16', 'C18', 'C22', 'C34', 'C50', 'C91', 'C92', 'D61', 'G20',
                                                'I21', 'I61', 'N18', 'Z94')),
                     count(c.disease_code), count(*))
    FROM insured AS i JOIN chronic AS c ON c.psn_no = i.psn_no
   WHERE c.from_d <= form.today() AND (c.to_d IS NULL OR c.to_d >= form.today())
   GROUP BY i.id_no) AS u;

--department: health
CREATE VIEW form.kept AS
SELECT id_no, 'deceased'::text AS fact, least(count(*), 1)::text AS value,
       (SELECT as_of FROM data_as_of) AS as_of
  FROM death_cert GROUP BY id_no;

--department: education
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT id_no, 'student' AS fact, least(count(*), 1)::text AS value
    FROM student
   WHERE status = 'active' AND mode = 'full'
     AND stage IN ('primary', 'junior', 'senior', 'vocational', 'college', 'bachelor')
   GROUP BY id_no
  UNION ALL
  SELECT s.id_no, 'fees12', form.total(sum(f.public_cents), count(f.public_cents), count(*))
    FROM student AS s JOIN fee AS f ON f.roll_no = s.roll_no
   WHERE f.month >= form.from_month() AND f.month < form.this_month()
   GROUP BY s.id_no) AS u;

--department: housing
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT t.owner_id AS id_no, 'homes' AS fact, least(count(*), 2)::text AS value
    FROM title AS t JOIN dwelling AS d ON d.unit_no = t.unit_no
   WHERE t.seq = 1 AND t.to_d IS NULL AND d.kind = 'home'
   GROUP BY t.owner_id
  UNION ALL
  SELECT t.owner_id, 'premises', least(count(*), 1)::text
    FROM title AS t JOIN dwelling AS d ON d.unit_no = t.unit_no
   WHERE t.seq = 1 AND t.to_d IS NULL AND d.kind <> 'home'
   GROUP BY t.owner_id
  UNION ALL
  SELECT own.id_no, 'small_home',
         (trunc((SELECT coalesce(sum(d.area_m2), 0)
                   FROM family_file AS m
                   JOIN title AS t ON t.owner_id = m.id_no AND t.seq = 1 AND t.to_d IS NULL
                   JOIN dwelling AS d ON d.unit_no = t.unit_no AND d.kind = 'home'
                  WHERE m.family_no = own.family_no) / own.members) < 34)::int::text
    FROM family_file AS own) AS u;

--department: tax
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT id_no, 'wage12' AS fact, form.total(sum(income_cents), count(income_cents), count(*)) AS value
    FROM wage WHERE month >= form.from_month() AND month < form.this_month() GROUP BY id_no
  UNION ALL
  SELECT id_no, 'other12', form.total(sum(cents), count(cents), count(*))
    FROM other_income WHERE month >= form.from_month() AND month < form.this_month() GROUP BY id_no
  UNION ALL
  SELECT legal_id, f.fact, f.value
    FROM (SELECT legal_id, CASE WHEN count(*) = count(capital_cents) THEN sum(capital_cents) END AS capital
            FROM business WHERE status = 'active' GROUP BY legal_id) AS b
   CROSS JOIN LATERAL (VALUES
     ('represents', '1'),
     ('capital_band', (CASE WHEN b.capital >= 100000000 THEN 2 WHEN b.capital >= 10000000 THEN 1
                            WHEN b.capital >= 0 THEN 0 WHEN b.capital < 0 THEN -1 END)::text)) AS f (fact, value)
  ) AS u;

--department: disabled-federation
CREATE VIEW form.kept AS
SELECT c.id_no, f.fact, f.value, (SELECT as_of FROM data_as_of) AS as_of
  FROM (SELECT id_no, count(*) AS num, count(type || level) AS told,
               bool_or(type || level IN ('11', '12', '21', '22', '31', '32', '41', '42', '51', '52', '53', '61',
                                         '62', '63', '71', '72')) AS severe,
               bool_or(type || level IN ('11', '12', '41', '42', '51', '52', '53', '61', '62', '63')) AS unfit
          FROM card
         WHERE issued <= form.today() AND (valid_to IS NULL OR valid_to >= form.today())
         GROUP BY id_no) AS c
 CROSS JOIN LATERAL (VALUES
   ('severe', form.any_of(c.severe, c.told, c.num)),
   ('unfit', form.any_of(c.unfit, c.told, c.num))) AS f (fact, value);

--department: finance
CREATE VIEW form.kept AS
SELECT u.id_no, u.fact, u.value, (SELECT as_of FROM data_as_of) AS as_of FROM (
  SELECT id_no, 'deposits' AS fact,
         CASE WHEN min(as_of) >= to_char(current_date - 45, 'YYYY-MM-DD')
              THEN form.total(sum(balance_cents), count(balance_cents), count(*)) END AS value
    FROM bank_query GROUP BY id_no
  UNION ALL
  SELECT id_no, 'transfers12', form.total(sum(cents), count(cents), count(*))
    FROM payout
   WHERE state = 'paid' AND month >= form.from_month() AND month < form.this_month()
     AND item NOT IN ('social-aid', 'veteran-honour', 'scholarship', 'family-planning', 'bravery',
                      'disability-subsidy')
   GROUP BY id_no) AS u;

--department: after
CREATE TABLE form.known AS SELECT DISTINCT id_no FROM form.kept;
CREATE UNIQUE INDEX known_by_id ON form.known (id_no);
CREATE FUNCTION form.facts_of(who text) RETURNS TABLE (fact text, value text, as_of text)
  STABLE SECURITY DEFINER ROWS 4 LANGUAGE plpgsql
  AS $$ BEGIN RETURN QUERY SELECT k.fact, k.value, k.as_of FROM form.kept AS k WHERE k.id_no = who; END $$;
CREATE SCHEMA given;
CREATE VIEW given.facts WITH (security_barrier) AS
SELECT k.id_no, f.fact, f.value, f.as_of FROM form.known AS k CROSS JOIN LATERAL form.facts_of(k.id_no) AS f;
