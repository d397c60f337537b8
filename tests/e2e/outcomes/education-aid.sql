-- Aid for pupils, child by child, then added up; the highest identity of a stage.
WITH
people AS (
  SELECT d.*, p.status = 'alive' AND normal(p.name) = normal(d.name) AS good
    FROM declared d LEFT JOIN public_security.person p USING (id_no)),
own AS (  -- who is of the family by the register
  SELECT id_no FROM declared WHERE role = 'applicant'
  UNION
  SELECT p.id_no FROM public_security.kin k JOIN public_security.person p ON p.id_no = k.b_id
   WHERE k.a_id = (SELECT id_no FROM declared WHERE role = 'applicant') AND p.status = 'alive'
     AND (k.relation = 'spouse' OR (k.relation = 'child' AND date(p.birth, '+18 years') > :today))),
cards AS (SELECT id_no FROM disabled_federation.card WHERE issued <= :today AND coalesce(valid_to, '9999') >= :today),
classes AS (
  SELECT id_no, class FROM civil_affairs.recognition WHERE :today BETWEEN valid_from AND coalesce(valid_to, '9999')),
term AS (
  SELECT CASE WHEN m >= 9 THEN y || '-autumn' WHEN m = 1 THEN (y - 1) || '-autumn' ELSE y || '-spring' END AS term
    FROM (SELECT CAST(substr(:today, 1, 4) AS INTEGER) AS y, CAST(substr(:today, 6, 2) AS INTEGER) AS m)),
pupils AS (
  SELECT d.id_no, s.stage, s.boarder,
         (SELECT count(*) FROM education.student t WHERE t.id_no = d.id_no AND t.status = 'active' AND t.mode = 'full') AS rolls,
         EXISTS (SELECT 1 FROM education.aid a WHERE a.roll_no = s.roll_no AND a.state = 'paid'
                  AND a.term = (SELECT term FROM term)) AS paid,
         EXISTS (SELECT 1 FROM classes c WHERE c.id_no = d.id_no AND class IN ('DIBAO', 'SINGLE')) AS dibao,
         EXISTS (SELECT 1 FROM classes c WHERE c.id_no = d.id_no AND class IN ('DIBAO', 'SINGLE', 'TEKUN')) AS poor,
         EXISTS (SELECT 1 FROM classes c WHERE c.id_no = d.id_no) AS needy,
         EXISTS (SELECT 1 FROM civil_affairs.child_welfare w WHERE w.id_no = d.id_no AND kind NOT IN ('distressed', 'veteran')
                  AND valid_to >= :today) AS alone,
         EXISTS (SELECT 1 FROM civil_affairs.child_welfare w WHERE w.id_no = d.id_no AND kind = 'veteran'
                  AND valid_to >= :today) AS honoured,
         d.id_no IN cards AS disabled,
         EXISTS (SELECT 1 FROM declared q WHERE q.role <> 'child' AND q.id_no IN cards) AS parent_disabled
    FROM declared d LEFT JOIN education.student s ON s.id_no = d.id_no AND s.status = 'active' AND s.mode = 'full'
   WHERE d.role = 'child'),
due AS (
  SELECT *, CASE
      WHEN stage IN ('primary', 'junior') AND (dibao OR disabled) THEN 30000 + boarder * 240000
      WHEN stage = 'senior' AND alone THEN 300000
      WHEN stage = 'senior' AND (honoured OR needy OR disabled OR parent_disabled) THEN 200000
      WHEN stage = 'vocational' AND (alone OR honoured OR poor) THEN 250000
      WHEN stage = 'vocational' AND (needy OR disabled OR parent_disabled) THEN 180000
      WHEN stage IN ('college', 'bachelor') AND (alone OR honoured OR poor OR (needy AND (disabled OR parent_disabled))) THEN 450000
      WHEN stage IN ('college', 'bachelor') AND (needy OR disabled OR parent_disabled) THEN 280000
      ELSE 0 END AS cents
    FROM pupils),
total AS (SELECT sum(CASE WHEN paid THEN 0 ELSE cents END) AS cents, sum(NOT paid AND cents > 0) AS pupils, max(paid) AS drawn FROM due)
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM people WHERE good IS NOT 1) THEN 'MANUAL'
  WHEN (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT id_no FROM own ORDER BY 1)) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM pupils WHERE rolls > 1) THEN 'MANUAL'
  WHEN pupils > 0 THEN 'AID' WHEN drawn THEN 'DRAWN' ELSE 'NONE'
END AS class, cents AS year, pupils AS pupils_aided FROM total
