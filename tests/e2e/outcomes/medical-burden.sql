-- A household with own medical costs above 30 % of its income of twelve months.
WITH
window AS (SELECT strftime('%Y-%m', :today, 'start of month', '-12 months') AS first, substr(:today, 1, 7) AS next),
home AS (SELECT hh FROM public_security.household
          WHERE id_no = (SELECT id_no FROM declared WHERE role = 'applicant') AND until IS NULL),
months AS (
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
spent AS (
  SELECT coalesce(sum(psn_part_amt - fulamt_ownpay_amt), 0) AS cents
    FROM declared JOIN medical_insurance.insured USING (id_no) JOIN medical_insurance.settlement USING (psn_no), window
   WHERE substr(setl_time, 1, 7) >= first AND substr(setl_time, 1, 7) < next)
SELECT CASE
  WHEN (SELECT group_concat(id_no) FROM (SELECT id_no FROM declared ORDER BY 1))
       IS NOT (SELECT group_concat(id_no) FROM (SELECT id_no FROM public_security.household
                WHERE hh = (SELECT hh FROM home) AND until IS NULL ORDER BY 1)) THEN 'MANUAL'
  WHEN (SELECT missing FROM income) > 0 THEN 'MANUAL'
  WHEN (SELECT cents FROM spent) * 100 > (SELECT cents FROM income) * 30 THEN 'CANDIDATE'
  ELSE 'NONE'
END AS class
