-- A child is born. Whatever the records do not settle is MANUAL; parents are never turned down for not being married.
WITH
mother AS (SELECT id_no FROM declared WHERE role = 'applicant'),
father AS (SELECT id_no FROM declared WHERE role = 'father'),
listed AS (  -- declared persons as public security has them
  SELECT d.id_no, p.status = 'alive' AND normal(p.name) = normal(d.name) AS good,
         (SELECT count(*) FROM public_security.household h WHERE h.id_no = d.id_no AND h.until IS NULL) AS homes,
         (SELECT min(h.hukou_area6) FROM public_security.household h WHERE h.id_no = d.id_no AND h.until IS NULL) AS area,
         (SELECT min(h.hkxz) FROM public_security.household h WHERE h.id_no = d.id_no AND h.until IS NULL) AS kind
    FROM declared d LEFT JOIN public_security.person p USING (id_no)),
theirs AS (  -- every certificate that names the applicant
  SELECT * FROM health.birth_cert WHERE (SELECT id_no FROM mother) IN (mother_id, father_id)),
certificate AS (  -- those of the last birth: twins have two, and nobody is born again within a month
  SELECT * FROM theirs WHERE julianday(date((SELECT max(born_at) FROM theirs))) - julianday(date(born_at)) < 31),
birth AS (
  SELECT count(*) AS children, count(DISTINCT baby_name) AS names, count(DISTINCT date(born_at)) AS days,
         count(DISTINCT reissue) AS issues, count(DISTINCT coalesce(mother_id, '') || '/' || coalesce(father_id, '')) AS couples
    FROM certificate),
paid AS (
  SELECT c.months FROM medical_insurance.insured i JOIN medical_insurance.counted c USING (psn_no)
   WHERE i.id_no = (SELECT id_no FROM mother) AND i.insutype = '310' AND i.status = '1'),
settled AS (
  SELECT 1 FROM medical_insurance.insured i JOIN medical_insurance.maternity m USING (psn_no)
   WHERE i.id_no = (SELECT id_no FROM mother) AND m.birth_date >= date(:today, '-1 year'))
SELECT CASE
  WHEN (SELECT count(*) FROM listed WHERE good) < (SELECT count(*) FROM declared) THEN 'MANUAL'
  WHEN (SELECT children = 0 OR couples > 1 OR days > 1 OR issues > 1 OR names < children FROM birth) THEN 'MANUAL'
  WHEN (SELECT mother_id FROM certificate) IS NOT (SELECT id_no FROM mother) THEN 'MANUAL'
  WHEN (SELECT father_id FROM certificate) IS NOT (SELECT id_no FROM father) THEN 'MANUAL'
  WHEN NOT EXISTS (SELECT 1 FROM civil_affairs.marriage
                    WHERE wife_id = (SELECT id_no FROM mother) AND husband_id = (SELECT id_no FROM father)
                      AND reg_date <= :today AND (end_date IS NULL OR end_date > :today)) THEN 'MANUAL'
  WHEN NOT EXISTS (SELECT 1 FROM listed WHERE homes = 1 AND kind IN ('urban', 'rural')) THEN 'MANUAL'
  WHEN (SELECT reissue FROM certificate) = 1
    OR date((SELECT born_at FROM certificate), '+1 year') <= :today THEN 'NONE'
  WHEN NOT EXISTS (SELECT 1 FROM listed WHERE homes = 1 AND area LIKE '11%')
    THEN CASE WHEN EXISTS (SELECT 1 FROM listed WHERE homes <> 1) THEN 'MANUAL' ELSE 'NONE' END
  WHEN (SELECT months FROM paid) >= 9 AND NOT EXISTS (SELECT 1 FROM settled) THEN 'FULL'
  ELSE 'BASIC'
END AS class, 43500 * (SELECT children FROM birth) AS insurance_fee
