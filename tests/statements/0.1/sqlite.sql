DELETE FROM `clients` WHERE (`clients`.`id` = ?)
DELETE FROM `leads` WHERE (`leads`.`id` = ?)
DELETE FROM `subscribers` WHERE (`subscribers`.`id` = ?)
INSERT INTO `api_keys` (`name`, `prefix`, `digest`, `scopes`, `origins`, `rate`, `forwards_visitors`, `created_at`, `expires_at`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING `id`, `name`, `prefix`, `digest`, `scopes`, `origins`, `rate`, `forwards_visitors`, `created_at`, `expires_at`, `revoked_at`, `last_used_at`
INSERT INTO `clients` (`lead_id`, `team_id`, `monthly_charge`, `one_time_charge`, `contract_file`, `short_description`, `category`) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING `id`, `lead_id`, `team_id`, `monthly_charge`, `one_time_charge`, `contract_file`, `short_description`, `category`
INSERT INTO `leads` (`status`, `source`, `category`, `full_name`, `position`, `company_name`, `phone_number`, `email`, `search_document`, `notes`, `created_at`, `updated_at`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING `id`
INSERT INTO `staff` (`username`, `first_name`, `last_name`, `email`, `is_staff`, `is_active`, `is_superuser`, `password`, `date_joined`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING `id`, `username`, `first_name`, `last_name`, `email`, `is_staff`, `is_active`, `is_superuser`, `password`, `date_joined`, `last_login`
INSERT INTO `subscribers` (`email`, `is_subscribed`, `search_document`) VALUES (?, ?, ?) RETURNING `id`, `email`, `is_subscribed`
INSERT INTO subscribers (email, is_subscribed, search_document) VALUES (?, ?, ?) ON CONFLICT (email) DO NOTHING
INSERT INTO subscribers (email, is_subscribed, search_document) VALUES (?, ?, ?) ON CONFLICT (email) DO UPDATE SET email = excluded.email
SELECT COUNT(*) FROM `clients`
SELECT COUNT(*) FROM `staff`
SELECT COUNT(*) FROM `staff` WHERE (`staff`.`id` = ?)
SELECT `api_keys`.`id`, `api_keys`.`name`, `api_keys`.`prefix`, `api_keys`.`digest`, `api_keys`.`scopes`, `api_keys`.`origins`, `api_keys`.`rate`, `api_keys`.`forwards_visitors`, `api_keys`.`created_at`, `api_keys`.`expires_at`, `api_keys`.`revoked_at`, `api_keys`.`last_used_at` FROM `api_keys` ORDER BY `api_keys`.`id` DESC
SELECT `api_keys`.`id`, `api_keys`.`name`, `api_keys`.`prefix`, `api_keys`.`digest`, `api_keys`.`scopes`, `api_keys`.`origins`, `api_keys`.`rate`, `api_keys`.`forwards_visitors`, `api_keys`.`created_at`, `api_keys`.`expires_at`, `api_keys`.`revoked_at`, `api_keys`.`last_used_at` FROM `api_keys` WHERE (`api_keys`.`prefix` = ?) LIMIT ?
SELECT `clients`.`id`, `clients`.`lead_id`, `clients`.`team_id`, `clients`.`monthly_charge`, `clients`.`one_time_charge`, `clients`.`contract_file`, `clients`.`short_description`, `clients`.`category` FROM `clients` ORDER BY `clients`.`id` ASC LIMIT ? OFFSET ?
SELECT `clients`.`id`, `clients`.`lead_id`, `clients`.`team_id`, `clients`.`monthly_charge`, `clients`.`one_time_charge`, `clients`.`contract_file`, `clients`.`short_description`, `clients`.`category` FROM `clients` ORDER BY `clients`.`id` DESC LIMIT ? OFFSET ?
SELECT `clients`.`id`, `clients`.`lead_id`, `clients`.`team_id`, `clients`.`monthly_charge`, `clients`.`one_time_charge`, `clients`.`contract_file`, `clients`.`short_description`, `clients`.`category` FROM `clients` WHERE (`clients`.`id` = ?) LIMIT ?
SELECT `clients`.`id`, `clients`.`lead_id`, `clients`.`team_id`, `clients`.`monthly_charge`, `clients`.`one_time_charge`, `clients`.`contract_file`, `clients`.`short_description`, `clients`.`category` FROM `clients` WHERE (`clients`.`lead_id` = ?) LIMIT ?
SELECT `leads`.`id` FROM `leads` WHERE (`leads`.`id` = ?) LIMIT ?
SELECT `leads`.`id`, `leads`.`created_at`, `leads`.`updated_at`, `leads`.`status`, `leads`.`source`, `leads`.`category`, `leads`.`full_name`, `leads`.`position`, `leads`.`company_name`, `leads`.`phone_number`, `leads`.`email`, `leads`.`notes` FROM `leads` WHERE (`leads`.`id` = ?) LIMIT ?
SELECT `staff`.`id`, `staff`.`username`, `staff`.`first_name`, `staff`.`last_name`, `staff`.`email`, `staff`.`is_staff`, `staff`.`is_active`, `staff`.`is_superuser`, `staff`.`password`, `staff`.`date_joined`, `staff`.`last_login` FROM `staff` ORDER BY `staff`.`username` ASC LIMIT ? OFFSET ?
SELECT `staff`.`id`, `staff`.`username`, `staff`.`first_name`, `staff`.`last_name`, `staff`.`email`, `staff`.`is_staff`, `staff`.`is_active`, `staff`.`is_superuser`, `staff`.`password`, `staff`.`date_joined`, `staff`.`last_login` FROM `staff` ORDER BY `staff`.`username` DESC LIMIT ? OFFSET ?
SELECT `staff`.`id`, `staff`.`username`, `staff`.`first_name`, `staff`.`last_name`, `staff`.`email`, `staff`.`is_staff`, `staff`.`is_active`, `staff`.`is_superuser`, `staff`.`password`, `staff`.`date_joined`, `staff`.`last_login` FROM `staff` WHERE (`staff`.`id` = ?) LIMIT ?
SELECT `staff`.`id`, `staff`.`username`, `staff`.`first_name`, `staff`.`last_name`, `staff`.`email`, `staff`.`is_staff`, `staff`.`is_active`, `staff`.`is_superuser`, `staff`.`password`, `staff`.`date_joined`, `staff`.`last_login` FROM `staff` WHERE (`staff`.`username` = ?) LIMIT ?
SELECT `subscribers`.`id`, `subscribers`.`email`, `subscribers`.`is_subscribed` FROM `subscribers` WHERE (`subscribers`.`email` = ?) LIMIT ?
SELECT `subscribers`.`id`, `subscribers`.`email`, `subscribers`.`is_subscribed` FROM `subscribers` WHERE (`subscribers`.`id` = ?) LIMIT ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source = ? AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source = ? AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source = ? AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source = ? AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN () AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN () AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN () AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN () AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?, ?, ?, ?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?, ?, ?, ?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source = ? AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source = ? AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source = ? AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source = ? AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN () AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN () AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN () AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN () AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source = ? AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source = ? AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source = ? AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source = ? AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN () AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN () AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN () AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN () AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?, ?, ?, ?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?, ?, ?, ?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN () AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source = ? AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source = ? AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN () AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN () AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN () AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN () AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN () AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN () AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN () AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN () AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category = ?
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN ()
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?)
SELECT coalesce(sum(n), 0) FROM lead_counts WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?)
SELECT coalesce(sum(n), 0) FROM subscriber_counts WHERE 1
SELECT coalesce(sum(n), 0) FROM subscriber_counts WHERE 1 AND is_subscribed = ?
SELECT count(*) FROM leads WHERE 1 AND created_at < ? AND in_time()
SELECT count(*) FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND in_time()
SELECT count(*) FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM leads WHERE 1 AND created_at >= ? AND in_time()
SELECT count(*) FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM sqlite_schema
SELECT count(*) FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time()
SELECT count(*) FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time()
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (coalesce(company_name, ''), id) < (?, ?) ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (coalesce(company_name, ''), id) > (?, ?) ORDER BY coalesce(company_name, ''), id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (full_name, id) < (?, ?) ORDER BY full_name DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (full_name, id) > (?, ?) ORDER BY full_name, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (status, created_at, id) < (?, ?, ?) ORDER BY status DESC, created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (status, created_at, id) > (?, ?, ?) ORDER BY status, created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (updated_at, id) < (?, ?) ORDER BY updated_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND (updated_at, id) > (?, ?) ORDER BY updated_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category = ? AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?) AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source = ? AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status = ? AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (coalesce(company_name, ''), id) < (?, ?) ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (coalesce(company_name, ''), id) > (?, ?) ORDER BY coalesce(company_name, ''), id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (full_name, id) < (?, ?) ORDER BY full_name DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (full_name, id) > (?, ?) ORDER BY full_name, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (status, created_at, id) < (?, ?, ?) ORDER BY status DESC, created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (status, created_at, id) > (?, ?, ?) ORDER BY status, created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (updated_at, id) < (?, ?) ORDER BY updated_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() AND (updated_at, id) > (?, ?) ORDER BY updated_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY full_name DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY full_name, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY status, created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND +created_at < ? AND in_time() ORDER BY updated_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +source IN (?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +source IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +source IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +source IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND created_at >= ? AND created_at < ? AND in_time() AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND created_at >= ? AND created_at < ? AND in_time() AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?) AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +source IN (?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +source IN (?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +source IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +source IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +source IN (?, ?, ?, ?, ?, ?) AND +category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND +source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND +status IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category = ? AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND category IN (?, ?) AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at < ? AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at < ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND created_at >= ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (coalesce(company_name, ''), id) < (?, ?) ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (coalesce(company_name, ''), id) > (?, ?) ORDER BY coalesce(company_name, ''), id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (full_name, id) < (?, ?) ORDER BY full_name DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (full_name, id) > (?, ?) ORDER BY full_name, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (status, created_at, id) < (?, ?, ?) ORDER BY status DESC, created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (status, created_at, id) > (?, ?, ?) ORDER BY status, created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (updated_at, id) < (?, ?) ORDER BY updated_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (updated_at, id) > (?, ?) ORDER BY updated_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY full_name DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY full_name, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY status, created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY updated_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source = ? AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source IN (?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source IN (?, ?) AND category IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND source IN (?, ?, ?, ?, ?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND created_at < ? AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+coalesce(company_name, ''), +id) < (?, ?) ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+coalesce(company_name, ''), +id) > (?, ?) ORDER BY +coalesce(company_name, ''), +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+full_name, +id) < (?, ?) ORDER BY +full_name DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+full_name, +id) > (?, ?) ORDER BY +full_name, +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+status, +created_at, +id) < (?, ?, ?) ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+status, +created_at, +id) > (?, ?, ?) ORDER BY +status, +created_at, +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+updated_at, +id) < (?, ?) ORDER BY +updated_at DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (+updated_at, +id) > (?, ?) ORDER BY +updated_at, +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +full_name, +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +status, +created_at, +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +updated_at, +id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source = ? AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source = ? AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source = ? AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?) AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status = ? AND source IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND category IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND created_at >= ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?) AND in_time() ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND created_at >= ? AND created_at < ? AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND created_at >= ? AND created_at < ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?) AND instr(search_document, ?) > 0 AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +coalesce(company_name, '') DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +coalesce(company_name, ''), +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +full_name DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +full_name, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +status DESC, +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +status, +created_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +updated_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?) AND in_time() ORDER BY +updated_at, +id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category IN (?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND category IN (?, ?, ?, ?, ?, ?) AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?) AND category IN (?, ?) AND in_time() ORDER BY +created_at DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 AND status IN (?, ?, ?, ?, ?, ?) AND source IN (?, ?, ?, ?, ?, ?) AND category = ? AND in_time() ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY coalesce(company_name, '') DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY coalesce(company_name, ''), id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY coalesce(company_name, ''), id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY full_name DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY full_name DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY full_name, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY full_name, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY status DESC, created_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY status DESC, created_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY status, created_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY status, created_at, id LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY updated_at DESC, id DESC LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY updated_at DESC, id DESC LIMIT ? OFFSET ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY updated_at, id LIMIT ?
SELECT id, created_at, updated_at, status, source, category, full_name, position, company_name, phone_number, email, notes FROM leads WHERE 1 ORDER BY updated_at, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND (email, id) < (?, ?) ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND (email, id) > (?, ?) ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND (id) < (?) ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND (id) > (?) ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND (is_subscribed, id) < (?, ?) ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND (is_subscribed, id) > (?, ?) ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND (email, id) < (?, ?) ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND (email, id) > (?, ?) ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() AND (email, id) < (?, ?) ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() AND (email, id) > (?, ?) ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY email DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY email, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? ORDER BY email DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND +is_subscribed = ? ORDER BY email, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (email, id) < (?, ?) ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (email, id) > (?, ?) ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (id) < (?) ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (id) > (?) ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (is_subscribed, id) < (?, ?) ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() AND (is_subscribed, id) > (?, ?) ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +email DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +email, +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +is_subscribed DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY +is_subscribed, +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY email DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY email, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND (+email, +id) < (?, ?) ORDER BY +email DESC, +id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND (+email, +id) > (?, ?) ORDER BY +email, +id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND (id) < (?) ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND (id) > (?) ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND (is_subscribed, id) < (?, ?) ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND (is_subscribed, id) > (?, ?) ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() AND (id) < (?) ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() AND (id) > (?) ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() AND (is_subscribed, id) < (?, ?) ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() AND (is_subscribed, id) > (?, ?) ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +email DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +email, +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +is_subscribed DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY +is_subscribed, +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? AND instr(search_document, ?) > 0 AND in_time() ORDER BY is_subscribed, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY +email DESC, +id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY +email DESC, +id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY +email, +id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY +email, +id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY is_subscribed DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 AND is_subscribed = ? ORDER BY is_subscribed, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY email DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY email DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY email, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY email, id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY id LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY is_subscribed DESC, id DESC LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY is_subscribed DESC, id DESC LIMIT ? OFFSET ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY is_subscribed, id LIMIT ?
SELECT id, email, is_subscribed FROM subscribers WHERE 1 ORDER BY is_subscribed, id LIMIT ? OFFSET ?
UPDATE `api_keys` SET `last_used_at` = ? WHERE ((`api_keys`.`id` = ?) AND ((`api_keys`.`last_used_at` IS NULL) OR (`api_keys`.`last_used_at` < ?)))
UPDATE `api_keys` SET `revoked_at` = ? WHERE (((`api_keys`.`name` = ?) OR (`api_keys`.`prefix` = ?)) AND (`api_keys`.`revoked_at` IS NULL)) RETURNING `id`, `name`, `prefix`, `digest`, `scopes`, `origins`, `rate`, `forwards_visitors`, `created_at`, `expires_at`, `revoked_at`, `last_used_at`
UPDATE `clients` SET `lead_id` = ?, `team_id` = ?, `monthly_charge` = ?, `one_time_charge` = ?, `contract_file` = ?, `short_description` = ?, `category` = ? WHERE (`clients`.`id` = ?) RETURNING `id`, `lead_id`, `team_id`, `monthly_charge`, `one_time_charge`, `contract_file`, `short_description`, `category`
UPDATE `leads` SET `status` = ?, `source` = ?, `category` = ?, `full_name` = ?, `position` = ?, `company_name` = ?, `phone_number` = ?, `email` = ?, `search_document` = ?, `notes` = ?, `updated_at` = ? WHERE ((`leads`.`id` = ?) AND (`leads`.`updated_at` = ?)) RETURNING `created_at`
UPDATE `staff` SET `last_login` = ? WHERE ((`staff`.`id` = ?) AND ((`staff`.`last_login` IS NULL) OR (`staff`.`last_login` < ?)))
UPDATE `staff` SET `password` = ? WHERE ((`staff`.`id` = ?) AND (`staff`.`password` = ?))
UPDATE `staff` SET `username` = ?, `first_name` = ?, `last_name` = ?, `email` = ?, `is_staff` = ?, `is_active` = ?, `is_superuser` = ? WHERE (`staff`.`id` = ?) RETURNING `id`, `username`, `first_name`, `last_name`, `email`, `is_staff`, `is_active`, `is_superuser`, `password`, `date_joined`, `last_login`
UPDATE `subscribers` SET `email` = ?, `is_subscribed` = ?, `search_document` = ? WHERE (`subscribers`.`id` = ?) RETURNING `id`, `email`, `is_subscribed`
