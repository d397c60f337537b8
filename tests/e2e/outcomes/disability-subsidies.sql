-- Two subsidies of disabled persons, person by person, then added up.
WITH
people AS (
  SELECT d.id_no, d.role, p.status = 'alive' AND normal(p.name) = normal(d.name) AS good, p.sex,
         (strftime('%Y%m%d', :today) - strftime('%Y%m%d', p.birth)) / 10000 AS age,
         (SELECT CASE count(*) WHEN 1 THEN min(hukou_area6) LIKE '11%' END FROM public_security.household h
           WHERE h.id_no = d.id_no AND h.until IS NULL) AS here
    FROM declared d LEFT JOIN public_security.person p USING (id_no)),
children AS (
  SELECT p.id_no FROM public_security.kin k JOIN public_security.person p ON p.id_no = k.b_id
   WHERE k.relation = 'child' AND k.a_id = (SELECT id_no FROM declared WHERE role = 'applicant')
     AND p.status = 'alive' AND date(p.birth, '+18 years') > :today),
cards AS (
  SELECT id_no, type, CAST(level AS INTEGER) AS level,
         CASE WHEN type = '7' THEN multi LIKE '%5%' OR multi LIKE '%6%' ELSE type IN ('5', '6') END AS mind,
         CASE WHEN type = '7' THEN multi LIKE '%1%' OR multi LIKE '%4%' ELSE type IN ('1', '4') END AS body
    FROM disabled_federation.card WHERE issued <= :today AND coalesce(valid_to, '9999') >= :today),
facts AS (
  SELECT q.*, c.type, c.level, c.mind, c.body,
         (body AND level <= 2) OR (mind AND level <= 3) AS severe,
         CASE WHEN level = 1 AND (body OR mind) THEN 30000
              WHEN level = 2 AND type = '7' AND mind THEN 30000
              WHEN level <= 2 OR (level = 3 AND mind) THEN 10000 ELSE 0 END AS care,
         EXISTS (SELECT 1 FROM civil_affairs.recognition r WHERE r.id_no = q.id_no AND r.class IN ('DIBAO', 'SINGLE')
                  AND :today BETWEEN r.valid_from AND coalesce(r.valid_to, '9999')) AS dibao,
         EXISTS (SELECT 1 FROM civil_affairs.recognition r WHERE r.id_no = q.id_no AND r.class = 'EDGE'
                  AND :today BETWEEN r.valid_from AND coalesce(r.valid_to, '9999')) AS low,
         EXISTS (SELECT 1 FROM civil_affairs.recognition r WHERE r.id_no = q.id_no AND r.class = 'TEKUN'
                  AND :today BETWEEN r.valid_from AND coalesce(r.valid_to, '9999'))
         OR EXISTS (SELECT 1 FROM social_security.employee e JOIN social_security.work_injury USING (aac001)
                     WHERE e.aac002 = q.id_no AND care_cents > 0)
         OR EXISTS (SELECT 1 FROM finance.payout f WHERE f.id_no = q.id_no AND item = 'disability-subsidy'
                     AND state = 'paid' AND month = substr(:today, 1, 7)) AS neither,
         EXISTS (SELECT 1 FROM civil_affairs.child_welfare w WHERE w.id_no = q.id_no AND kind = 'distressed'
                  AND valid_to >= :today) AS distressed,
         EXISTS (SELECT 1 FROM civil_affairs.allowance a WHERE a.id_no = q.id_no AND c.type IS NOT NULL
                  AND kind IN ('elder-living', 'elder-care', 'work-disabled', 'retired-cadre')
                  AND coalesce(valid_to, '9999') >= :today) AS choosing,
         EXISTS (SELECT 1 FROM civil_affairs.allowance a WHERE a.id_no = q.id_no
                  AND kind IN ('courage', 'returned-youth', 'placement')
                  AND coalesce(valid_to, '9999') >= :today) AS cared,
         EXISTS (SELECT 1 FROM education.student s WHERE s.id_no = q.id_no AND status = 'active' AND mode = 'full') AS student,
         EXISTS (SELECT 1 FROM social_security.employee e WHERE e.aac002 = q.id_no AND aac008 IN ('1', '4')) AS works,
         coalesce((SELECT sum(cents_month) FROM social_security.pension JOIN social_security.employee e USING (aac001)
                    WHERE e.aac002 = q.id_no AND start_month <= substr(:today, 1, 7)), 0)
         + coalesce((SELECT sum(base_cents) FROM social_security.contribution k JOIN social_security.employee e USING (aac001)
                      WHERE e.aac002 = q.id_no AND aae140 = '110'
                        AND k.month = strftime('%Y-%m', :today, 'start of month', '-1 month')), 0) AS income
    FROM people q LEFT JOIN cards c USING (id_no)),
due AS (
  SELECT *, type IS NOT NULL AND here AND NOT neither AS may,
         CASE WHEN dibao THEN CASE WHEN severe THEN 40000 ELSE 32000 END
              WHEN low THEN CASE WHEN severe THEN 145000 ELSE 30000 END
              WHEN age < 16 THEN CASE WHEN severe THEN 30000 ELSE 20000 END
              WHEN student OR (age < 60 AND NOT works AND income = 0)
                THEN CASE WHEN severe THEN 145000 ELSE 20000 END
              WHEN severe AND age >= CASE sex WHEN '2' THEN 55 ELSE 60 END AND income < 145000 THEN 145000 - income
              ELSE 0 END AS living
    FROM facts),
total AS (
  SELECT sum(CASE WHEN may AND NOT distressed THEN living ELSE 0 END) AS living,
         sum(CASE WHEN may AND NOT cared THEN care ELSE 0 END) AS care FROM due)
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM people WHERE good IS NOT 1 OR here IS NULL) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM cards JOIN declared USING (id_no) GROUP BY id_no HAVING count(*) > 1) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM cards JOIN declared USING (id_no) WHERE level NOT BETWEEN 1 AND 4) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM declared WHERE role = 'child')
   AND (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared WHERE role = 'child' ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT DISTINCT id_no FROM children ORDER BY 1)) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM facts WHERE choosing) THEN 'MANUAL'
  WHEN living > 0 AND care > 0 THEN 'BOTH' WHEN living > 0 THEN 'LIVING' WHEN care > 0 THEN 'CARE' ELSE 'NONE'
END AS class, living AS living_month, care AS care_month FROM total
