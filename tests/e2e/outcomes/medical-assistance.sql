-- Medical assistance for who is recognised, person by person.
WITH
people AS (
  SELECT d.id_no, p.status = 'alive' AND normal(p.name) = normal(d.name)
         AND (SELECT count(*) = 1 AND min(hukou_area6) LIKE '11%' FROM public_security.household h
               WHERE h.id_no = d.id_no AND h.until IS NULL) AS good,
         EXISTS (SELECT 1 FROM medical_insurance.insured i WHERE i.id_no = d.id_no AND i.status = '1'
                  AND coalesce(i.to_m, '9999') >= substr(:today, 1, 7)) AS insured
    FROM declared d LEFT JOIN public_security.person p USING (id_no)),
rates AS (
  SELECT id_no, max(CASE class WHEN 'TEKUN' THEN 2 WHEN 'RIGID' THEN 0 ELSE 1 END) AS tier
    FROM civil_affairs.recognition WHERE :today BETWEEN valid_from AND coalesce(valid_to, '9999') GROUP BY id_no),
costs AS (
  SELECT i.id_no, coalesce(sum(CASE WHEN med_type <> '21' THEN psn_part_amt - fulamt_ownpay_amt END), 0) AS outside,
         coalesce(sum(CASE WHEN med_type = '21' THEN psn_part_amt - fulamt_ownpay_amt END), 0) AS inside
    FROM medical_insurance.insured i JOIN medical_insurance.settlement s USING (psn_no)
   WHERE strftime('%Y', s.setl_time) = strftime('%Y', :today) GROUP BY i.id_no),
children AS (
  SELECT DISTINCT p.id_no FROM public_security.kin k JOIN public_security.person p ON p.id_no = k.b_id
   WHERE k.relation = 'child' AND k.a_id = (SELECT id_no FROM declared WHERE role = 'applicant')
     AND p.status = 'alive' AND date(p.birth, '+18 years') > :today),
each AS (
  SELECT q.*, coalesce(r.tier, 0) AS tier,
         CASE WHEN NOT q.insured OR r.tier IS NULL OR c.id_no IS NULL THEN 0
              WHEN r.tier = 2 THEN outside + inside
              WHEN r.tier = 1 THEN min(800000, outside * 8 / 10) + min(16000000, inside * 85 / 100) ELSE 0 END AS due
    FROM people q LEFT JOIN rates r USING (id_no) LEFT JOIN costs c USING (id_no))
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM people WHERE good IS NOT 1) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM declared WHERE role = 'child')
   AND (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared WHERE role = 'child' ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT id_no FROM children ORDER BY 1)) THEN 'MANUAL'
  WHEN max(tier > 0 AND NOT insured) THEN 'INSURE'
  WHEN max(tier) > 0 THEN 'DIRECT' ELSE 'NOT_RECOGNISED'
END AS class, sum(due) AS aid_this_year FROM each
