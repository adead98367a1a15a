//! The tables of `migrations/sqlite`, as diesel sees them.

diesel::table! {
    leads (id) {
        id -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        status -> Text,
        source -> Text,
        category -> Text,
        full_name -> Text,
        position -> Text,
        company_name -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        email -> Nullable<Text>,
        search_document -> Text,
        notes -> Nullable<Text>,
    }
}

diesel::table! {
    subscribers (id) {
        id -> BigInt,
        email -> Text,
        is_subscribed -> Bool,
        search_document -> Text,
    }
}

diesel::table! {
    api_keys (id) {
        id -> BigInt,
        name -> Text,
        prefix -> Text,
        digest -> Binary,
        scopes -> Text,
        origins -> Text,
        rate -> Nullable<Text>,
        forwards_visitors -> Bool,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    clients (id) {
        id -> BigInt,
        lead_id -> Nullable<BigInt>,
        team_id -> Text,
        monthly_charge -> Nullable<BigInt>,
        one_time_charge -> Nullable<BigInt>,
        contract_file -> Nullable<Text>,
        short_description -> Text,
        category -> Text,
    }
}

diesel::table! {
    staff (id) {
        id -> BigInt,
        username -> Text,
        first_name -> Text,
        last_name -> Text,
        email -> Text,
        is_staff -> Bool,
        is_active -> Bool,
        is_superuser -> Bool,
        password -> Text,
        date_joined -> BigInt,
        last_login -> Nullable<BigInt>,
    }
}
