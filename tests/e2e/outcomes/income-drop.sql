-- Wages of three months that are half of the three before, or less.
WITH
bounds AS (
  SELECT strftime('%Y-%m', :today, 'start of month', '-6 months') AS first,
         strftime('%Y-%m', :today, 'start of month', '-3 months') AS middle, substr(:today, 1, 7) AS next),
wages AS (SELECT month, income_cents AS cents FROM tax.wage JOIN declared USING (id_no)),
sums AS (
  SELECT (SELECT coalesce(sum(cents), 0) FROM wages WHERE month >= first AND month < middle) AS before,
         (SELECT coalesce(sum(cents), 0) FROM wages WHERE month >= middle AND month < next) AS after,
         (SELECT count(*) - count(cents) FROM wages WHERE month >= first AND month < next) AS missing
    FROM bounds)
SELECT CASE
  WHEN missing > 0 OR before <= 0 THEN 'MANUAL'
  WHEN 2 * after <= before THEN 'CANDIDATE'
  ELSE 'NONE'
END AS class FROM sums
