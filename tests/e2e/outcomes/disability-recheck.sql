-- The half-yearly recheck of who draws a subsidy of disabled persons: nothing, a stop to be proposed, or something to look at.
WITH
one AS (SELECT d.id_no, p.* FROM declared d LEFT JOIN public_security.person p USING (id_no)),
home AS (
  SELECT hukou_area6 FROM public_security.household WHERE id_no = (SELECT id_no FROM declared) AND until IS NULL),
card AS (
  SELECT card_no FROM disabled_federation.card
   WHERE id_no = (SELECT id_no FROM declared) AND issued <= :today AND coalesce(valid_to, '9999') >= :today),
drawn AS (
  SELECT kind FROM disabled_federation.card JOIN disabled_federation.subsidy USING (card_no)
   WHERE id_no = (SELECT id_no FROM declared) AND month >= strftime('%Y-%m', :today, 'start of month', '-2 months')),
classes AS (
  SELECT class FROM civil_affairs.recognition
   WHERE id_no = (SELECT id_no FROM declared) AND :today BETWEEN valid_from AND coalesce(valid_to, '9999')),
half AS (  -- its first day, and the day to report by
  SELECT first, date(first, '+19 days', CASE strftime('%w', first, '+19 days') WHEN '6' THEN '+2 days'
                                                                              WHEN '0' THEN '+1 day' ELSE '+0 days' END) AS due
    FROM (SELECT CASE WHEN :today < strftime('%Y', :today) || '-07' THEN date(:today, 'start of year')
                      ELSE date(:today, 'start of year', '+6 months') END AS first)),
found AS (
  SELECT (SELECT status FROM one) <> 'alive'
         OR EXISTS (SELECT 1 FROM health.death_cert WHERE id_no = (SELECT id_no FROM declared)) AS dead,
         (SELECT CASE count(*) WHEN 1 THEN min(hukou_area6) NOT LIKE '11%' END FROM home) AS moved,
         EXISTS (SELECT 1 FROM public_security.custody WHERE id_no = (SELECT id_no FROM declared) AND kind = 'prison'
                  AND :today BETWEEN from_d AND coalesce(to_d, '9999')) AS imprisoned,
         NOT EXISTS (SELECT 1 FROM card)
         OR EXISTS (SELECT 1 FROM classes WHERE class = 'TEKUN')
         OR EXISTS (SELECT 1 FROM social_security.employee JOIN social_security.work_injury USING (aac001)
                     WHERE aac002 = (SELECT id_no FROM declared) AND care_cents > 0)
         OR (EXISTS (SELECT 1 FROM drawn WHERE kind = 'care')
             AND EXISTS (SELECT 1 FROM civil_affairs.allowance WHERE id_no = (SELECT id_no FROM declared)
                          AND kind IN ('courage', 'returned-youth', 'placement') AND coalesce(valid_to, '9999') >= :today))
         OR (EXISTS (SELECT 1 FROM drawn WHERE kind = 'living')
             AND (SELECT date(birth, '+16 years') <= :today AND date(birth, '+60 years') > :today FROM one)
             AND EXISTS (SELECT 1 FROM social_security.employee
                          WHERE aac002 = (SELECT id_no FROM declared) AND aac008 IN ('1', '4'))
             AND NOT EXISTS (SELECT 1 FROM education.student WHERE id_no = (SELECT id_no FROM declared)
                              AND status = 'active' AND mode = 'full')
             AND NOT EXISTS (SELECT 1 FROM classes WHERE class IN ('DIBAO', 'SINGLE', 'EDGE')))
         OR (julianday(:today) - julianday((SELECT due FROM half)) > 7
             AND NOT EXISTS (SELECT 1 FROM civil_affairs.subsidy_report
                              WHERE id_no = (SELECT id_no FROM declared) AND day >= (SELECT first FROM half))) AS other)
SELECT CASE WHEN dead OR moved OR imprisoned THEN 'STOP_PROPOSED'
            WHEN other THEN 'REVIEW'
            WHEN (SELECT name FROM one) IS NULL OR moved IS NULL THEN 'MANUAL'
            ELSE 'UNCHANGED' END AS class FROM found
