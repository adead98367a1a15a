//! The contract suite: what every adapter of the ports must do.
//!
//! An adapter runs it with one line in a test file,
//! `exit3_testkit::repository_contract!(harness().await);`, where `harness` is
//! an async function that returns a [`Harness`] over a fresh, migrated, empty
//! database. Each rule becomes a test of its own.

#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod api_keys;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod cancellation;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod clients;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod concurrency;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_counts;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_filters;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_pages;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_search;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod lead_walks;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod leads;
mod model;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod staff;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod subscriber_lists;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod subscribers;
#[allow(missing_docs, reason = "the names of the rules say what holds")]
pub mod transfer;

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use exit3_ports::{Repositories, Transfer};

use crate::builders::at;

/// The time limit of a rule; one that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The repositories of one fresh, empty database.
pub struct Harness {
    /// The repositories that the use cases need. Rules access them directly on the harness.
    pub repositories: Repositories,
    /// Reads and writes the whole database.
    pub transfer: Arc<dyn Transfer>,
    /// Kept as long as the repositories are used; removes the database on drop.
    pub guard: Box<dyn Any>,
}

impl Deref for Harness {
    type Target = Repositories;

    fn deref(&self) -> &Repositories {
        &self.repositories
    }
}

/// Stores rows in every table.
pub async fn fill(harness: &Harness) {
    leads::fill(harness).await;
    subscribers::fill(harness).await;
    api_keys::fill(harness).await;
    clients::fill(harness).await;
    staff::fill(harness).await;
    transfer::fill_memory(harness).await;
    harness.backups.note_backup(at(9)).await.unwrap();
}

/// Runs one rule with a time limit.
pub async fn hold(rule: impl Future<Output = ()>) {
    tokio::time::timeout(PATIENCE, rule).await.expect("the rule comes to an end");
}

/// Generates one test per rule. The expression is evaluated once per test and must return a
/// [`Harness`].
#[macro_export]
macro_rules! repository_contract {
    ($harness:expr) => {
        $crate::repository_contract! { @rules $harness;
            api_keys {
                returns_what_it_stored,
                finds_keys_only_by_prefix,
                lists_the_newest_first,
                two_of_a_name_live_side_by_side,
                refuses_a_second_of_the_same_prefix,
                revokes_all_of_a_name,
                revokes_one_by_its_prefix,
                revokes_once,
                notes_the_latest_use,
                ignores_uses_of_missing_keys,
            }
            clients {
                returns_what_it_stored,
                keeps_every_category,
                refuses_texts_that_are_too_long_or_have_nul,
                a_lead_is_one_client_at_most,
                refuses_a_lead_that_is_not_there,
                finds_by_lead,
                outlives_its_lead,
                a_lead_outlives_its_client,
                lists_the_newest_first,
                an_empty_list_has_one_empty_page,
                an_update_replaces_all_details,
                refuses_to_update_or_delete_missing_rows,
                never_reuses_an_id,
            }
            leads {
                returns_what_it_stored,
                keeps_the_difference_between_empty_and_missing,
                keeps_every_choice,
                keeps_times_to_the_microsecond,
                keeps_huge_texts_of_wide_characters,
                keeps_texts_that_look_like_code,
                counts_lengths_in_characters,
                refuses_texts_that_are_too_long_for_any_lead,
                refuses_texts_with_nul,
                finds_nothing_under_an_unknown_id,
                never_reuses_an_id,
                replaces_the_details_and_nothing_else,
                updated_at_increases_even_if_the_clock_does_not,
                refuses_to_update_a_row_that_has_changed,
                refuses_to_update_or_delete_missing_rows,
                a_refused_update_changes_nothing,
                deletes_one_lead_only,
                stores_many_leads_with_their_times,
                stores_many_leads_or_none,
                stores_no_leads_at_all_when_given_none,
                stores_more_leads_at_once_than_a_statement_has_room_for,
                a_usable_database_says_so,
            }
            lead_counts {
                counts_exactly_under_every_combination_of_choices,
                counts_exactly_after_updates_and_deletes,
                counts_exactly_after_refused_writes,
                counts_exactly_under_filters_that_are_not_kept_count_of,
                counts_include_the_callers_own_write_at_once,
                counts_exactly_after_concurrent_writes,
                count_and_rows_are_of_the_same_moment,
            }
            lead_filters {
                filters_by_each_choice,
                any_of_several_choices_matches,
                no_choice_matches_nothing,
                filters_combine,
                agrees_where_the_newest_are_all_of_one_kind,
                walks_on_from_a_row_that_the_filter_leaves_out,
                created_after_includes_its_moment_and_created_before_does_not,
                takes_bounds_beyond_the_reach_of_any_database,
            }
            lead_pages {
                an_empty_list_has_one_empty_page,
                pages_cut_the_list_without_overlap,
                a_page_past_the_end_does_not_exist,
                a_page_beyond_all_integers_does_not_exist,
                page_zero_does_not_exist,
                the_last_page_is_found_without_its_number,
                the_last_page_of_an_exact_multiple_is_full,
                every_order_is_that_of_the_reference,
                texts_sort_by_code_point,
                an_unknown_company_sorts_as_the_empty_text,
                ties_go_by_id_in_the_same_direction,
                a_status_list_goes_by_time_within_a_status,
            }
            lead_search {
                finds_parts_of_name_company_email_and_phone,
                does_not_look_elsewhere,
                finds_in_any_case,
                finds_with_and_without_accents,
                wildcards_and_quotes_are_plain_characters,
                finds_single_characters_and_emoji,
                every_word_must_occur,
                a_word_does_not_span_two_fields,
                blank_fields_match_nothing,
                an_update_changes_what_is_found,
                a_word_with_nul_matches_nothing,
                many_words_are_no_trouble,
                searches_combine_with_filters_orders_and_pages,
            }
            lead_walks {
                a_walk_through_nothing_ends_at_once,
                a_walk_forward_equals_the_list_in_every_order,
                a_walk_backward_equals_the_list_in_every_order,
                a_filtered_walk_equals_the_filtered_list,
                a_walk_turns_round,
                a_walk_goes_on_from_a_row_that_was_deleted,
                a_walk_past_either_end_is_empty,
                a_walk_neither_skips_nor_repeats_while_others_write,
            }
            staff {
                returns_what_it_stored,
                refuses_texts_that_are_too_long_or_have_nul,
                names_of_accounts_are_unique,
                finds_by_the_very_name,
                lists_by_name,
                an_empty_list_has_one_empty_page,
                an_update_changes_only_the_profile,
                replaces_the_password_that_was_seen,
                notes_the_latest_login,
                missing_accounts_are_not_found,
            }
            subscribers {
                returns_what_it_stored,
                refuses_a_second_subscription_of_the_same_address,
                refuses_a_second_subscription_in_another_case,
                refuses_a_second_subscription_in_another_case_beyond_ascii,
                stores_addresses_in_lower_case,
                one_mailbox_is_one_subscription_in_any_spelling,
                an_address_in_another_spelling_is_not_subscribed_again,
                an_address_in_another_spelling_can_be_changed,
                distinguishes_addresses_that_only_look_alike,
                counts_lengths_in_characters,
                finds_nothing_under_an_unknown_id,
                finds_by_address_in_any_case,
                never_reuses_an_id,
                changes_only_the_given_fields,
                an_empty_change_changes_nothing,
                an_address_may_be_changed_to_itself,
                refuses_to_take_over_the_address_of_another,
                refuses_to_change_or_delete_missing_rows,
                an_address_is_free_again_after_a_delete,
                ensure_stores_what_is_new,
                ensure_reactivates_a_subscription_but_never_ends_one,
                ensure_by_fifty_at_once_stores_one,
                create_many_skips_existing_addresses,
                create_many_leaves_out_repetitions,
                create_many_stores_all_or_none,
                create_many_takes_more_than_a_statement_has_room_for,
            }
            subscriber_lists {
                an_empty_list_has_one_empty_page,
                lists_the_newest_first,
                every_order_is_that_of_the_reference,
                pages_cut_the_list_without_overlap,
                a_page_past_the_end_does_not_exist,
                the_last_page_is_found_without_its_number,
                filters_by_subscription,
                counts_exactly_after_every_kind_of_write,
                search_finds_parts_of_the_address,
                search_finds_addresses_without_their_accents,
                wildcards_are_plain_characters,
                a_changed_address_is_found_under_its_new_text_only,
                walks_equal_the_list_in_every_order,
                a_walk_turns_round,
                a_walk_neither_skips_nor_repeats_while_others_write,
            }
            transfer {
                a_snapshot_has_all_tables_and_columns,
                a_snapshot_has_every_row_as_it_was_stored,
                rows_come_by_id_and_so_many_at_a_time,
                no_more_rows_come_at_once_than_fit,
                a_snapshot_holds_no_writer_up_and_sees_nothing_of_it,
                loaded_rows_keep_their_ids_and_are_found,
                copying_rows_twice_gives_the_same_rows,
                a_load_that_is_dropped_has_not_happened,
                a_row_that_the_database_refuses_undoes_the_load,
                a_row_that_is_replaced_keeps_what_refers_to_it,
                a_row_that_is_replaced_keeps_the_columns_that_are_not_named,
                removes_the_rows_that_are_named,
                an_id_that_was_ever_given_is_not_given_again,
                an_older_archive_lacks_columns,
                remembers_when_backups_were_made_and_tried,
            }
            concurrency {
                concurrent_creates_are_all_stored_with_distinct_ids,
                one_of_fifty_writers_of_an_address_wins,
                one_of_fifty_writers_of_an_address_in_different_cases_wins,
                concurrent_create_manys_of_the_same_addresses_store_each_once,
                one_of_two_updates_of_the_same_lead_wins,
                updates_in_turns_lose_nothing,
                an_update_and_a_delete_agree_on_what_happened,
            }
            cancellation {
                an_abandoned_create_happens_wholly_or_not_at_all,
                an_abandoned_create_many_happens_wholly_or_not_at_all,
                an_abandoned_update_happens_wholly_or_not_at_all,
                an_abandoned_delete_happens_wholly_or_not_at_all,
                abandoned_reads_leave_the_repository_usable,
                abandoned_subscriptions_happen_wholly_or_not_at_all,
                many_abandoned_at_once_leave_the_repository_usable,
            }
        }
    };
    (@rules $harness:expr; $($module:ident { $($rule:ident),* $(,)? })*) => {
        $(
            mod $module {
                #[allow(unused_imports, reason = "the harness may come from anywhere")]
                use super::*;

                $(
                    #[tokio::test(flavor = "multi_thread")]
                    async fn $rule() {
                        $crate::contract::hold($crate::contract::$module::$rule(&$harness)).await;
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    /// A rule without a test would check nothing.
    #[test]
    fn every_rule_is_part_of_the_suite() {
        let (mut suite, mut module) = (HashSet::new(), "");
        for line in include_str!("contract.rs").lines() {
            match line.strip_prefix("            ").unwrap_or_default().strip_prefix("    ") {
                Some(rule) => drop(suite.insert((module, rule.trim_end_matches(',')))),
                None => module = line.trim().strip_suffix(" {").unwrap_or(module),
            }
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/contract");
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            let module = file.file_stem().unwrap().to_str().unwrap();
            for line in std::fs::read_to_string(&file).unwrap().lines() {
                if let Some(rule) = line.strip_prefix("pub async fn ") {
                    let (name, _) = rule.split_once('(').unwrap();
                    assert!(suite.contains(&(module, name)), "{module} {{ {name} }} is missing");
                    count += 1;
                }
            }
        }
        assert!(count > 100, "{count}");
    }
}
