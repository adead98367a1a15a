-- drops nothing
-- Search documents keep their part without accents. Earlier releases can search these
-- documents too.
DROP INDEX leads_choices_created_at;
DROP INDEX leads_choices_updated_at;
DROP INDEX leads_choices_full_name;
DROP INDEX leads_choices_company_name;
DROP INDEX subscribers_choice_email;
DROP INDEX leads_with_accents;
DROP INDEX subscribers_with_accents;
