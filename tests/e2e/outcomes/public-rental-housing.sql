-- Public rental housing: may the family apply, and before others.
WITH
window AS (SELECT strftime('%Y-%m', :today, 'start of month', '-12 months') AS first, substr(:today, 1, 7) AS next),
people AS (
  SELECT d.*, p.status = 'alive' AND normal(p.name) = normal(d.name) AS good FROM declared d
    LEFT JOIN public_security.person p USING (id_no)),
applicant AS (SELECT id_no FROM declared WHERE role = 'applicant'),
home AS (
  SELECT hh, hukou_area6 FROM public_security.household WHERE id_no = (SELECT id_no FROM applicant) AND until IS NULL),
months AS (  -- everything that is counted as income of the adults, NULL where an amount is missing
  SELECT month, income_cents AS cents FROM tax.wage JOIN declared d USING (id_no) WHERE d.role <> 'child'
  UNION ALL SELECT month, cents FROM tax.other_income JOIN declared d USING (id_no) WHERE d.role <> 'child'
  UNION ALL SELECT aae002, cents_month FROM social_security.employee e JOIN declared d ON d.id_no = e.aac002
              JOIN social_security.pension USING (aac001) JOIN social_security.period ON aae002 >= start_month
             WHERE d.role <> 'child'
  UNION ALL SELECT aae002, cents_month FROM social_security.employee e JOIN declared d ON d.id_no = e.aac002
              JOIN social_security.unemployment USING (aac001)
              JOIN social_security.period ON aae002 BETWEEN benefit_from AND benefit_to WHERE d.role <> 'child'
  UNION ALL SELECT month, cents FROM finance.payout JOIN declared d USING (id_no)
             WHERE d.role <> 'child' AND state = 'paid' AND item NOT IN ('social-aid', 'veteran-honour', 'scholarship',
                   'family-planning', 'bravery', 'disability-subsidy')),
income AS (
  SELECT coalesce(sum(cents), 0) AS cents, count(*) - count(cents) AS missing FROM months, window
   WHERE month >= first AND month < next),
use AS (  -- of the family's own file
  SELECT f.members, coalesce((SELECT sum(w.use_m2) FROM housing.family_file g
           JOIN housing.title t ON t.owner_id = g.id_no AND t.seq = 1 AND t.to_d IS NULL
           JOIN housing.dwelling w ON w.unit_no = t.unit_no AND w.kind = 'home' WHERE g.family_no = f.family_no), 0) AS m2
    FROM housing.family_file f WHERE f.id_no = (SELECT id_no FROM applicant)),
own AS (
  SELECT (SELECT hukou_area6 LIKE '11%' FROM home) AS here,
         (SELECT hkxz = 'urban' FROM public_security.household WHERE id_no = (SELECT id_no FROM applicant) AND until IS NULL) AS town,
         (SELECT CASE WHEN count(*) = 1 THEN max(m2) <= 15 * max(members) END FROM use) AS narrow,
         (SELECT count(*) FROM declared JOIN housing.title t ON t.owner_id = id_no AND t.seq = 1 AND t.to_d IS NULL
            JOIN housing.dwelling USING (unit_no) WHERE kind = 'home') AS homes,
         EXISTS (SELECT 1 FROM housing.prh_queue WHERE head_id = (SELECT id_no FROM applicant) AND state = 'waiting') AS waits,
         EXISTS (SELECT 1 FROM housing.prh_queue q JOIN housing.prh_contract USING (case_no) JOIN declared ON head_id = id_no
                  WHERE role <> 'child' AND :today BETWEEN from_d AND coalesce(to_d, '9999')) AS rents,
         (SELECT max(CASE WHEN class IN ('DIBAO', 'TEKUN') THEN 95 WHEN class = 'EDGE' THEN 90 ELSE 0 END)
            FROM civil_affairs.recognition WHERE id_no = (SELECT id_no FROM applicant)
             AND :today BETWEEN valid_from AND coalesce(valid_to, '9999')) AS share,
         EXISTS (SELECT 1 FROM social_security.employee WHERE aac002 = (SELECT id_no FROM applicant)
                  AND aac008 IN ('1', '4')) AS works,
         (SELECT coalesce((SELECT sum(months) FROM social_security.carried c WHERE c.aac001 = e.aac001), 0)
                 + (SELECT coalesce(sum(paid), 0) FROM social_security.contribution k WHERE k.aac001 = e.aac001 AND aae140 = '110')
            FROM social_security.employee e WHERE e.aac002 = (SELECT id_no FROM applicant)) AS months,
         EXISTS (SELECT 1 FROM people JOIN public_security.person USING (id_no)
                  WHERE role <> 'child' AND date(birth, '+60 years') <= :today)
         OR EXISTS (SELECT 1 FROM disabled_federation.card JOIN declared USING (id_no)
                     WHERE (level IN ('1', '2') OR (level = '3' AND type IN ('5', '6')))
                       AND :today BETWEEN issued AND coalesce(valid_to, '9999'))
         OR EXISTS (SELECT 1 FROM medical_insurance.chronic JOIN medical_insurance.insured USING (psn_no) JOIN declared USING (id_no)
                     WHERE disease_code IN ('C16', 'C18', 'C22', 'C34', 'C50', 'C91', 'C92', 'D61', 'G20', 'I21', 'I61', 'N18', 'Z94')
                       AND :today BETWEEN from_d AND coalesce(to_d, '9999')) AS first,
         (SELECT CASE WHEN coalesce(sum(class IN ('DIBAO', 'TEKUN', 'EDGE')), 0) > 0 THEN 1 END FROM civil_affairs.recognition
           WHERE id_no = (SELECT id_no FROM applicant) AND :today BETWEEN valid_from AND coalesce(valid_to, '9999')) AS known,
         (SELECT CASE WHEN missing = 0 THEN cents <= CASE WHEN (SELECT count(*) FROM declared) >= 4 THEN 13000000 ELSE 10000000 END END
            FROM income) AS modest),
ways AS (SELECT *, (here AND town AND narrow) OR (NOT here AND works AND months >= 12 AND homes = 0) AS way, known IS 1 OR modest AS within FROM own)
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM people WHERE good IS NOT 1) THEN 'MANUAL'
  WHEN (SELECT count(*) FROM home) <> 1 THEN 'MANUAL'
  WHEN (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT id_no FROM public_security.household
                WHERE hh = (SELECT hh FROM home) AND until IS NULL ORDER BY 1)) THEN 'MANUAL'
  WHEN rents THEN 'HOUSED'
  WHEN waits OR (way AND within) THEN CASE WHEN first THEN 'PRIORITY' ELSE 'ELIGIBLE' END
  WHEN way = 0 OR within = 0 THEN 'NONE'
  ELSE 'MANUAL'
END AS class, coalesce(share, 0) AS subsidy_share FROM ways
