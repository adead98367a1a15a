-- keeps rows
-- Customers of the agency. Amounts of money are in hundredths, in the range of
-- numeric(10, 2). The domain rejects negative charges, so that older data can stay.
CREATE TABLE clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The lead that became this client. The client stays if the lead is deleted.
    lead_id INTEGER UNIQUE REFERENCES leads (id) ON DELETE SET NULL,
    team_id TEXT NOT NULL CHECK (length(team_id) <= 100),
    monthly_charge INTEGER CHECK (monthly_charge BETWEEN -9999999999 AND 9999999999),
    one_time_charge INTEGER CHECK (one_time_charge BETWEEN -9999999999 AND 9999999999),
    -- A path below CONTRACT_DIR.
    contract_file TEXT CHECK (length(contract_file) <= 100),
    short_description TEXT NOT NULL,
    category TEXT NOT NULL CHECK (
        category IN (
            'web_dev', 'mobile_dev', 'automated_testing', 'social_media_auto',
            'ecommerce_auto', 'sales_auto'
        )
    )
) STRICT;
