-- Aid for a student of age, by the own identities and, where the parents are named, by theirs.
WITH
people AS (
  SELECT d.*, p.status = 'alive' AND normal(p.name) = normal(d.name) AS good, p.birth
    FROM declared d LEFT JOIN public_security.person p USING (id_no)),
own AS (
  SELECT id_no FROM declared WHERE role = 'applicant'
  UNION
  SELECT p.id_no FROM public_security.kin k JOIN public_security.person p ON p.id_no = k.b_id
   WHERE k.a_id = (SELECT id_no FROM declared WHERE role = 'applicant') AND p.status = 'alive' AND k.relation = 'parent'),
roll AS (
  SELECT roll_no, stage FROM education.student JOIN people USING (id_no)
   WHERE role = 'applicant' AND education.student.status = 'active' AND mode = 'full'),
term AS (
  SELECT CASE WHEN m >= 9 THEN y || '-autumn' WHEN m = 1 THEN (y - 1) || '-autumn' ELSE y || '-spring' END AS term
    FROM (SELECT CAST(substr(:today, 1, 4) AS INTEGER) AS y, CAST(substr(:today, 6, 2) AS INTEGER) AS m)),
classes AS (
  SELECT class FROM civil_affairs.recognition JOIN people USING (id_no)
   WHERE role = 'applicant' AND :today BETWEEN valid_from AND coalesce(valid_to, '9999')),
kinds AS (
  SELECT kind FROM civil_affairs.child_welfare JOIN people USING (id_no) WHERE role = 'applicant' AND valid_to >= :today),
who AS (
  SELECT EXISTS (SELECT 1 FROM kinds WHERE kind IN ('orphan', 'de-facto', 'martyr', 'police')) AS first,
         EXISTS (SELECT 1 FROM kinds WHERE kind = 'veteran')
         OR EXISTS (SELECT 1 FROM classes WHERE class IN ('DIBAO', 'SINGLE', 'TEKUN')) AS poor,
         EXISTS (SELECT 1 FROM classes) AS needy,
         EXISTS (SELECT 1 FROM disabled_federation.card JOIN declared USING (id_no)
                  WHERE issued <= :today AND coalesce(valid_to, '9999') >= :today) AS disabled),
due AS (
  SELECT CASE
      WHEN stage = 'senior' AND first THEN 300000
      WHEN stage = 'senior' AND (poor OR needy OR disabled) THEN 200000
      WHEN stage = 'vocational' AND (first OR poor) THEN 250000
      WHEN stage = 'vocational' AND (needy OR disabled) THEN 180000
      WHEN stage IN ('college', 'bachelor') AND (first OR poor OR (needy AND disabled)) THEN 450000
      WHEN stage IN ('college', 'bachelor') AND (needy OR disabled) THEN 280000
      WHEN stage NOT IN ('kindergarten', 'primary', 'junior', 'senior', 'vocational', 'college', 'bachelor')
       AND (first OR poor OR needy OR disabled) THEN NULL
      ELSE 0 END AS cents
    FROM roll, who)
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM people WHERE good IS NOT 1) THEN 'MANUAL'
  WHEN (SELECT count(*) FROM declared) > 1
   AND (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT id_no FROM own ORDER BY 1)) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM education.aid JOIN roll USING (roll_no)
                WHERE state = 'paid' AND term = (SELECT term FROM term)) THEN 'DRAWN'
  WHEN (SELECT count(*) FROM roll) = 0 THEN 'NONE'
  WHEN (SELECT count(*) FROM roll) > 1 OR (SELECT cents FROM due) IS NULL THEN 'MANUAL'
  WHEN (SELECT cents FROM due) > 0 THEN 'AID' ELSE 'NONE'
END AS class, (SELECT cents FROM due) AS year
