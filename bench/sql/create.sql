-- The service's INSERT, for pgbench. Keep it identical to the statement of the PostgreSQL adapter.
-- The values are bound parameters, from PARAMETERS in postgres.py.
INSERT INTO TABLE_NAME
  (full_name, position, company_name, phone_number, email, source, status, notes, created_at, updated_at, category, search_document)
VALUES
  (:full_name, :position, :company_name, :phone_number, :email, :source, :status, :notes, now(), now(), :category, :search_document)
RETURNING id, full_name, position, company_name, phone_number, email, source, status, notes, created_at, updated_at, category;
