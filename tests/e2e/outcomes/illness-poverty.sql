-- A household made poor by illness.
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
bills AS (  -- the own share, less what commercial insurers paid of it
  SELECT id_no, substr(setl_time, 1, 7) AS month, psn_part_amt - fulamt_ownpay_amt AS cents
    FROM declared JOIN medical_insurance.insured USING (id_no) JOIN medical_insurance.settlement USING (psn_no)
  UNION ALL SELECT id_no, month, -cents
    FROM declared JOIN medical_insurance.insured USING (id_no) JOIN medical_insurance.commercial USING (psn_no)),
spent AS (
  SELECT coalesce(sum(cents), 0) AS cents
    FROM (SELECT max(sum(cents), 0) AS cents FROM bills, window WHERE month >= first AND month < next GROUP BY id_no)),
last_year AS (
  SELECT coalesce(sum(cents), 0) AS cents
    FROM (SELECT max(sum(cents), 0) AS cents FROM bills
           WHERE substr(month, 1, 4) = strftime('%Y', :today, '-1 year') GROUP BY id_no)),
titles AS (
  SELECT d.kind FROM declared q JOIN housing.title t ON t.owner_id = q.id_no AND t.seq = 1 AND t.to_d IS NULL
    JOIN housing.dwelling d USING (unit_no)),
area AS (
  SELECT own.members, sum(w.area_m2) AS m2
    FROM housing.family_file own LEFT JOIN housing.family_file f ON f.family_no = own.family_no
    LEFT JOIN housing.title t ON t.owner_id = f.id_no AND t.seq = 1 AND t.to_d IS NULL
    LEFT JOIN housing.dwelling w ON w.unit_no = t.unit_no AND w.kind = 'home'
   WHERE own.id_no = (SELECT id_no FROM applicant)),
cash AS (SELECT coalesce(sum(balance_cents), 0) AS cents, max(as_of < date(:today, '-45 days')) AS old FROM finance.bank_query JOIN declared USING (id_no)),
size AS (SELECT count(*) AS n FROM declared),
verdicts AS (
  SELECT (SELECT cents FROM income) - (SELECT cents FROM spent) <= 254000 * 12 * n AS poor,
         (SELECT cents FROM cash) <= 24 * 254000 * n AS cash_ok,
         EXISTS (SELECT 1 FROM declared JOIN public_security.vehicle ON owner_id = id_no
                  WHERE disabled_flag = 0 AND scrap_date IS NULL)
         OR EXISTS (SELECT 1 FROM titles WHERE kind <> 'home') AS over,
         (SELECT count(*) FROM titles WHERE kind = 'home') AS homes,
         (SELECT count(*) FROM housing.family_file WHERE id_no = (SELECT id_no FROM applicant)) AS files,
         (SELECT CAST(m2 / members AS INTEGER) < 34 FROM area) AS small,
         (SELECT missing FROM income) > 0 OR coalesce((SELECT old FROM cash), 0) AS unclear
    FROM size)
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM people WHERE good IS NOT 1) THEN 'MANUAL'
  WHEN (SELECT count(*) FROM home) <> 1 OR (SELECT hukou_area6 FROM home) NOT LIKE '11%' THEN 'MANUAL'
  WHEN (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT id_no FROM public_security.household
                WHERE hh = (SELECT hh FROM home) AND until IS NULL ORDER BY 1)) THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM civil_affairs.recognition JOIN declared USING (id_no)
                WHERE :today BETWEEN valid_from AND coalesce(valid_to, '9999')) THEN 'COVERED'
  WHEN EXISTS (SELECT 1 FROM finance.payout JOIN declared USING (id_no) WHERE item = 'illness-aid' AND state = 'paid'
                AND substr(month, 1, 4) = substr(:today, 1, 4)) THEN 'DRAWN'
  WHEN (SELECT cents FROM last_year) = 0 OR over THEN 'NONE'
  WHEN (SELECT missing FROM income) = 0 AND NOT poor THEN 'NONE'
  WHEN coalesce((SELECT old FROM cash), 0) = 0 AND NOT cash_ok THEN 'NONE'
  WHEN homes > 1 AND files = 1 AND NOT small THEN 'NONE'
  WHEN unclear OR (homes > 1 AND files <> 1) THEN 'MANUAL'
  ELSE 'AID'
END AS class,
(SELECT min(15000000, (CASE WHEN cents <= 3000000 THEN cents * 30 WHEN cents <= 5000000 THEN 90000000 + (cents - 3000000) * 40
                            ELSE 170000000 + (cents - 5000000) * 50 END) / 100) FROM last_year) AS aid
FROM verdicts
