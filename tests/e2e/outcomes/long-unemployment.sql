-- Registered as unemployed for a year, without benefit and without a wage.
WITH
window AS (SELECT strftime('%Y-%m', :today, 'start of month', '-12 months') AS first, substr(:today, 1, 7) AS this),
own AS (SELECT aac001, aac008 FROM social_security.employee JOIN declared ON aac002 = id_no),
seen AS (
  SELECT (SELECT aac008 FROM own) AS status,
         (SELECT substr(reg_date, 1, 7) FROM social_security.unemployment JOIN own USING (aac001)) AS since,
         EXISTS (SELECT 1 FROM social_security.unemployment JOIN own USING (aac001), window
                  WHERE this BETWEEN benefit_from AND benefit_to) AS paid,
         EXISTS (SELECT 1 FROM tax.wage JOIN declared USING (id_no), window WHERE month >= first AND month < this) AS earned)
SELECT CASE
  WHEN status IS NULL THEN 'MANUAL'
  WHEN status <> '2' OR paid OR earned THEN 'NONE'
  WHEN since IS NULL THEN 'MANUAL'
  WHEN since <= (SELECT first FROM window) THEN 'CANDIDATE'
  ELSE 'NONE'
END AS class FROM seen
