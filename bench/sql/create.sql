-- The INSERT of a lead alone, for pgbench. The service stores the event of the lead in the same
-- statement; otherwise its statement is the same.
-- The values are bound parameters, from PARAMETERS in postgres.py.
INSERT INTO TABLE_NAME
  (full_name, position, company_name, phone_number, email, source, status, notes, created_at, updated_at, category, search_document)
VALUES
  (:full_name, :position, :company_name, :phone_number, :email, :source, :status, :notes, now(), now(), :category, :search_document)
RETURNING id, full_name, position, company_name, phone_number, email, source, status, notes, created_at, updated_at, category;
