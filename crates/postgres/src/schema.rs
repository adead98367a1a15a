//! The tables, as the migrations leave them.

diesel::table! {
    leads (id) {
        id -> BigInt,
        full_name -> Text,
        position -> Text,
        company_name -> Nullable<Text>,
        phone_number -> Nullable<Text>,
        email -> Nullable<Text>,
        source -> Text,
        status -> Text,
        notes -> Nullable<Text>,
        category -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        search_document -> Text,
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
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
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
        date_joined -> Timestamptz,
        last_login -> Nullable<Timestamptz>,
    }
}
