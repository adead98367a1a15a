-- drops sign_ins, invitations, staff.role, staff.language, staff.theme, staff.single_keys
DROP TABLE sign_ins;
DROP TABLE invitations;
ALTER TABLE staff DROP COLUMN role;
ALTER TABLE staff DROP COLUMN language;
ALTER TABLE staff DROP COLUMN theme;
ALTER TABLE staff DROP COLUMN single_keys;
