-- Somebody has died.
WITH
dead AS (SELECT id_no, name FROM declared WHERE role = 'deceased'),
applying AS (SELECT id_no FROM declared WHERE role <> 'deceased'),
heirs AS (
  SELECT DISTINCT k.b_id AS id_no FROM public_security.kin k LEFT JOIN public_security.person p ON p.id_no = k.b_id
   WHERE k.a_id = (SELECT id_no FROM dead) AND k.relation IN ('spouse', 'child', 'parent')
     AND coalesce(p.status, 'alive') = 'alive'),
names AS (
  SELECT d.role, p.status, normal(p.name) = normal(d.name) AS same FROM declared d LEFT JOIN public_security.person p USING (id_no)),
death AS (SELECT "natural" AS kind FROM health.death_cert WHERE id_no = (SELECT id_no FROM dead)),
accounts AS (
  SELECT aac002 FROM social_security.employee WHERE aac002 = (SELECT id_no FROM dead)
  UNION ALL SELECT id_no FROM medical_insurance.insured JOIN medical_insurance.account USING (psn_no)
             WHERE id_no = (SELECT id_no FROM dead)
  UNION ALL SELECT id_no FROM housing.gjj_account WHERE id_no = (SELECT id_no FROM dead) AND status <> 'closed'
  UNION ALL SELECT id_no FROM finance.bank_query WHERE id_no = (SELECT id_no FROM dead)
  UNION ALL SELECT id_no FROM finance.insurance_query WHERE id_no = (SELECT id_no FROM dead))
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM names WHERE same IS NOT 1) THEN 'MANUAL'
  WHEN (SELECT status FROM names WHERE role = 'applicant') <> 'alive' THEN 'MANUAL'
  WHEN EXISTS (SELECT id_no FROM heirs EXCEPT SELECT id_no FROM applying)
    OR EXISTS (SELECT id_no FROM applying EXCEPT SELECT id_no FROM heirs) THEN 'MANUAL'
  WHEN (SELECT count(*) FROM death) = 0 THEN 'NOT_YET'
  WHEN (SELECT count(*) FROM death) > 1 THEN 'MANUAL'
  WHEN (SELECT kind FROM death) = 0
   AND NOT EXISTS (SELECT 1 FROM public_security."release" WHERE id_no = (SELECT id_no FROM dead)) THEN 'HELD'
  WHEN EXISTS (SELECT 1 FROM accounts) THEN 'SETTLE' ELSE 'CLOSE'
END AS class
