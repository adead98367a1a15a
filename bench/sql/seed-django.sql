-- Leads for the Django service, spread over all choices and over a year.
INSERT INTO common_lead
  (full_name, position, company_name, phone_number, email, source, status, notes, created_at, updated_at, category)
SELECT
  'Person Number ' || n, 'Engineer', 'Company ' || n % 5000 || ' d.o.o.', '+38591' || lpad((n % 10000000)::text, 7, '0'),
  'person.' || n || '@example.com',
  (ARRAY['website','referral','cold_call','linkedin','email_campaign','other'])[1 + n % 6],
  (ARRAY['new','contacted','interested','not_interested','converted','closed'])[1 + n / 6 % 6],
  'Asked about a web shop, number ' || n || '.',
  now() - (:leads - n) * (interval '365 days' / :leads), now() - (:leads - n) * (interval '365 days' / :leads),
  (ARRAY['web_dev','mobile_dev','automated_testing','social_media_auto','ecommerce_auto','sales_auto'])[1 + n / 36 % 6]
FROM generate_series(1, :leads) AS n
