-- An employee retires. The age rises by the official table: men (to 63) and women who retired at 55 (to 58) a month
-- for every four months of birth, women who retired at 50 (to 55) a month for every two, from January 2025 on.
WITH
person AS (
  SELECT p.id_no, p.birth, p.sex, p.status = 'alive' AND normal(p.name) = normal(d.name) AS good
    FROM declared d JOIN public_security.person p USING (id_no)),
employee AS (SELECT e.* FROM social_security.employee e JOIN declared d ON d.id_no = e.aac002),
kind AS (
  SELECT CASE WHEN sex = '1' THEN 'man' WHEN aac012 = '2' THEN 'manager' WHEN aac012 IS NOT NULL THEN 'worker' END AS kind
    FROM person, employee),
old AS (  -- the month in which the age of before is reached, as a date
  SELECT date(substr(birth, 1, 7) || '-01',
              CASE kind WHEN 'man' THEN '+60 years' WHEN 'manager' THEN '+55 years' ELSE '+50 years' END) AS month
    FROM person, kind),
waves AS (  -- every wave of delay: the first month of the old age it is for
  WITH RECURSIVE w(kind, wave, first) AS (
    SELECT kind, 1, '2025-01-01' FROM kind
    UNION ALL
    SELECT kind, wave + 1, date(first, CASE kind WHEN 'worker' THEN '+2 months' ELSE '+4 months' END) FROM w
     WHERE wave < CASE kind WHEN 'worker' THEN 60 ELSE 36 END)
  SELECT * FROM w),
retires AS (
  SELECT date(month, '+' || coalesce((SELECT max(wave) FROM waves WHERE first <= month), 0) || ' months') AS month
    FROM old),
paid AS (
  SELECT (SELECT coalesce(sum(months), 0) FROM social_security.carried JOIN employee USING (aac001))
         + (SELECT CASE WHEN sum(k.paid IS NULL) THEN NULL ELSE coalesce(sum(k.paid), 0) END
              FROM social_security.contribution k JOIN employee USING (aac001) WHERE k.aae140 = '110') AS months),
least AS (
  SELECT 180 + 6 * CASE WHEN y < 2030 THEN 0 WHEN y > 2039 THEN 10 ELSE y - 2029 END AS months,
         180 + 6 * CASE WHEN now < 2030 THEN 0 WHEN now > 2039 THEN 10 ELSE now - 2029 END AS months_now
    FROM (SELECT CAST(strftime('%Y', month) AS INTEGER) AS y, CAST(strftime('%Y', :today) AS INTEGER) AS now FROM retires))
SELECT CASE
  WHEN (SELECT good FROM person) IS NOT 1 OR (SELECT count(*) FROM employee) <> 1 THEN 'MANUAL'
  WHEN (SELECT aab301 FROM employee) NOT LIKE '11%' THEN 'MANUAL'
  WHEN EXISTS (SELECT 1 FROM social_security.pension JOIN employee USING (aac001)
                WHERE start_month <= substr(:today, 1, 7)) THEN 'DRAWING'
  WHEN (SELECT kind FROM kind) IS NULL THEN 'MANUAL'
  WHEN (SELECT month FROM retires) <= :today
    THEN CASE WHEN (SELECT months FROM paid) IS NULL THEN 'MANUAL'
              WHEN (SELECT months FROM paid) >= (SELECT months FROM least) THEN 'ELIGIBLE' ELSE 'SHORT' END
  WHEN (SELECT month FROM old) <= :today AND date((SELECT month FROM retires), '-36 months') <= :today
    THEN CASE WHEN (SELECT months FROM paid) IS NULL THEN 'MANUAL'
              WHEN (SELECT months FROM paid) >= (SELECT months_now FROM least) THEN 'EARLY' ELSE 'NOT_YET' END
  ELSE 'NOT_YET'
END AS class,
(SELECT CAST(strftime('%Y', month) AS INTEGER) * 12 + CAST(strftime('%m', month) AS INTEGER) - 1 FROM retires) AS retirement_month,
(SELECT months FROM paid) AS months_paid,
(SELECT months FROM least) AS months_needed,
(SELECT months FROM least) - (SELECT months FROM paid) AS months_short
