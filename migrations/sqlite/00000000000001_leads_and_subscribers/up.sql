-- keeps rows
-- Times are microseconds since 1970, UTC, between the years 1 and 9999.
-- Texts compare by code point (the default collation, BINARY).
-- The program computes search_document, because SQLite folds the case of ASCII only.
CREATE TABLE leads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL
        CHECK (created_at BETWEEN -62135596800000000 AND 253402300799999999),
    updated_at INTEGER NOT NULL
        CHECK (updated_at BETWEEN -62135596800000000 AND 253402300799999999),
    status TEXT NOT NULL CHECK (
        status IN ('new', 'contacted', 'interested', 'not_interested', 'converted', 'closed')
    ),
    source TEXT NOT NULL CHECK (
        source IN ('website', 'referral', 'cold_call', 'linkedin', 'email_campaign', 'other')
    ),
    category TEXT NOT NULL CHECK (
        category IN (
            'web_dev', 'mobile_dev', 'automated_testing', 'social_media_auto',
            'ecommerce_auto', 'sales_auto'
        )
    ),
    full_name TEXT NOT NULL CHECK (length(full_name) <= 255),
    position TEXT NOT NULL CHECK (length(position) <= 255),
    company_name TEXT CHECK (length(company_name) <= 255),
    phone_number TEXT CHECK (length(phone_number) <= 20),
    email TEXT CHECK (length(email) <= 254),
    search_document TEXT NOT NULL,
    -- Unlimited: the replaced service had no limit in its table. This is the last column,
    -- so that SQLite reads overflow pages only when a query needs the notes.
    notes TEXT
) STRICT;

-- SQLite appends the id to every index, so each of these gives a total order.
CREATE INDEX leads_by_created_at ON leads (created_at);
CREATE INDEX leads_by_updated_at ON leads (updated_at);
CREATE INDEX leads_by_full_name ON leads (full_name);
CREATE INDEX leads_by_company_name ON leads (coalesce(company_name, ''));
CREATE INDEX leads_by_status ON leads (status, created_at);
CREATE INDEX leads_by_source ON leads (source, created_at);
CREATE INDEX leads_by_category ON leads (category, created_at);

CREATE TABLE subscribers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- In lower case: the program ensures it for all letters, this check for ASCII.
    email TEXT NOT NULL UNIQUE CHECK (length(email) <= 254 AND email = lower(email)),
    is_subscribed INTEGER NOT NULL CHECK (is_subscribed IN (0, 1)),
    search_document TEXT NOT NULL
) STRICT;

CREATE INDEX subscribers_by_is_subscribed ON subscribers (is_subscribed);
