//! The list of all rules of the [contract](crate::contract).

/// Generates one test per rule. The expression is evaluated once per test and must return a
/// [`Harness`].
#[doc(hidden)]
#[macro_export]
macro_rules! repository_contract {
    ($harness:expr) => {
        $crate::lead_contract!($harness);
        $crate::repository_contract! { @rules $harness;
            api_keys {
                returns_what_it_stored,
                finds_keys_only_by_prefix,
                lists_the_newest_first,
                two_of_a_name_live_side_by_side,
                refuses_a_second_of_the_same_prefix,
                revokes_all_of_a_name,
                revokes_one_by_its_prefix,
                revokes_one_by_its_id,
                revokes_once,
                notes_the_latest_use,
                ignores_uses_of_missing_keys,
            }
            client_conversions {
                a_lead_becomes_a_client_and_is_converted,
                the_owner_of_a_conversion_owns_the_lead,
                counts_and_lists_know_that_a_lead_is_converted,
                a_lead_that_is_converted_already_does_not_change,
                the_time_of_a_converted_lead_never_goes_back,
                refuses_a_lead_that_has_changed_or_is_gone,
                refuses_a_lead_that_is_a_client_already,
                texts_that_cannot_be_stored_leave_the_lead_alone,
                one_of_two_conversions_wins,
                finds_leads_by_their_ids,
            }
            client_lists {
                an_empty_list_has_one_empty_page,
                every_order_and_filter_is_that_of_the_reference,
                walks_equal_the_list_in_every_order,
                totals_add_up_the_charges_of_a_list,
                search_finds_the_texts_of_a_client_and_of_its_lead,
                search_follows_every_change,
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
                refuses_to_update_or_delete_a_row_that_has_changed,
                restores_a_deleted_row_with_its_id,
                refuses_to_restore_what_its_lead_does_not_admit,
                never_reuses_an_id,
            }
            contract_files {
                returns_what_it_stored,
                keeps_long_and_odd_names,
                refuses_a_second_of_the_same_path,
                forgets_a_file_unless_a_client_has_it,
                a_file_that_no_client_has_is_doomed_after_its_time,
                a_file_on_the_way_to_its_client_is_left_alone,
                a_file_that_comes_back_is_not_doomed,
                a_file_is_unused_from_the_moment_a_client_loses_it,
                a_doomed_file_that_a_client_got_at_the_last_moment_is_needed,
                files_that_clients_lose_become_known,
                tells_which_files_nobody_needs,
                a_download_of_a_missing_client_is_not_noted,
            }
            erasure {
                removes_rows_and_jobs_and_the_values_of_events,
                removes_jobs_that_mention_the_person_anywhere,
                what_changes_between_two_searches_is_erased,
                a_person_who_comes_after_the_first_search_is_erased,
            }
            jobs {
                returns_what_it_stored,
                a_time_in_the_past_means_at_once,
                a_job_waits_for_its_time,
                refuses_texts_that_are_too_long_or_have_nul,
                an_unfinished_job_keeps_its_unique_key,
                fifty_writers_of_a_unique_key_store_one,
                hands_out_the_kinds_that_a_node_knows_and_no_more_than_it_has_room_for,
                fifty_claimers_get_each_job_once,
                a_job_whose_lease_has_ended_is_taken_over_and_the_late_runner_changes_nothing,
                a_lease_that_is_extended_does_not_end,
                a_failed_attempt_is_repeated_after_its_wait,
                a_job_that_is_given_up_is_kept_with_its_last_error,
                a_job_that_kills_its_runners_is_given_up,
                a_job_that_is_given_back_has_lost_no_attempt,
            }
            job_operations {
                a_running_job_can_be_cancelled,
                waiting_and_failed_jobs_can_be_cancelled_once,
                an_ended_job_can_be_tried_again,
                an_ended_job_is_not_tried_again_beside_another_of_its_key,
                lists_the_newest_first_and_filters,
                counts_by_kind_and_state_and_knows_the_oldest,
                counts_no_more_than_are_worth_counting,
                removes_jobs_that_ended_long_ago,
                numbers_that_no_runner_writes_stop_no_other_job,
            }
            schedules {
                one_of_fifty_nodes_enqueues_an_occurrence,
                the_next_occurrence_comes_when_it_was_announced,
                an_occurrence_is_left_out_while_the_job_before_is_unfinished,
                an_occurrence_with_a_wrong_text_is_not_noted,
                a_job_from_the_future_does_not_stop_its_schedule,
            }
            events {
                each_write_leaves_one_event_for_each_row,
                a_write_whose_event_cannot_be_stored_does_not_happen,
            }
            forms_once {
                of_twenty_sendings_at_once_one_is_carried_out,
                a_note_that_is_sent_again_is_refused,
            }
            lead_ids {
                a_reserved_id_belongs_to_no_other_lead,
                a_lead_gets_the_id_that_was_reserved_for_it,
                leads_with_ids_that_come_at_once_keep_theirs,
            }
            requests_once {
                of_twenty_requests_at_once_with_one_key_one_is_carried_out,
                a_key_makes_one_thing_whatever_the_request_says,
                a_request_may_leave_more_than_one_event,
            }
            unchanged {
                a_write_that_fails_leaves_no_event,
                a_write_that_changes_nothing_leaves_no_event,
                a_write_of_many_rows_that_fails_leaves_no_event,
                events_of_abandoned_writes_are_those_of_the_stored_rows,
            }
            event_lists {
                returns_what_it_stored,
                refuses_texts_with_nul,
                lists_by_each_filter,
                lists_the_newest_first_and_so_many_at_a_time,
                lists_from_positions_that_no_event_has,
                finds_nothing_under_an_unknown_id,
                removes_the_oldest_events,
                keeps_the_events_of_erasures,
                knows_the_last_stored_event_of_an_age,
                an_id_is_never_given_again,
                no_event_contains_a_secret,
            }
            outbox {
                unread_events_are_never_removed,
                a_new_consumer_begins_behind_what_is_there,
                a_consumer_reads_each_event_once_and_in_order,
                a_consumer_that_dies_before_noting_reads_again,
                one_of_two_nodes_moves_the_consumer,
                jobs_are_stored_with_the_position_or_not_at_all,
                loaded_events_are_not_told_again,
                a_copy_carries_what_consumers_have_not_read,
                consumers_do_not_disturb_each_other,
                a_consumer_that_is_forgotten_keeps_no_events,
                names_of_consumers_are_limited,
                events_of_fifty_writers_are_read_once_each_and_in_order,
                two_nodes_share_a_consumer_while_others_write,
            }
            undo {
                an_update_is_undone_and_undone_again,
                only_fields_that_nobody_has_changed_since_are_undone,
                an_update_that_everybody_has_changed_since_is_a_conflict,
                a_deletion_is_undone_with_id_and_times,
                a_deletion_is_not_undone_if_something_is_in_the_way,
                a_creation_and_a_restore_are_undone_if_nothing_followed,
                what_came_later_is_not_a_question_of_time,
                a_lead_keeps_a_way_to_reach_it,
                profiles_of_staff_are_undone_and_nothing_else_of_accounts,
            }
            undo_batches {
                a_batch_is_undone_newest_first_under_one_new_batch,
                a_conflict_does_not_stop_a_batch,
                a_batch_takes_back_what_belongs_together,
            }
            undo_clients {
                a_lead_that_comes_back_is_given_to_its_client_again,
                a_client_keeps_what_has_changed_when_its_lead_comes_back,
                each_lead_is_given_to_the_client_that_it_had_last,
                the_creation_of_a_lead_that_has_become_a_client_is_not_undone,
                a_conversion_is_taken_back_in_two_steps,
            }
            undo_quiet {
                a_deletion_is_not_undone_if_the_row_was_deleted_again,
                a_creation_is_not_undone_if_the_lead_has_changed_without_an_event,
                a_restore_is_not_undone_if_the_row_has_changed_without_an_event,
                a_batch_keeps_a_row_that_has_changed_without_an_event,
            }
            staff {
                returns_what_it_stored,
                refuses_texts_that_are_too_long_or_have_nul,
                names_of_accounts_are_unique,
                finds_by_the_very_name,
                lists_by_name,
                an_empty_list_has_one_empty_page,
                an_update_changes_only_the_profile,
                refuses_to_update_a_profile_that_has_changed,
                replaces_the_password_that_was_seen,
                missing_accounts_are_not_found,
                keeps_every_role_and_preference,
                refuses_preferences_that_were_not_seen,
            }
            staff_owners {
                the_last_active_owner_stays_one,
                of_owners_who_go_at_once_one_stays,
            }
            sign_ins {
                returns_what_it_stored,
                notes_the_latest_sign_in_in_the_account,
                refuses_texts_that_are_too_long_or_have_nul,
                only_active_accounts_begin_one,
                notes_the_latest_use,
                ends_one_or_all_but_one_or_all,
                a_new_password_ends_the_others,
                a_disabled_account_has_none,
                removes_what_has_ended,
                knows_when_a_person_left,
                a_restore_ends_all,
            }
            invitations {
                a_person_has_one_invitation_at_a_time,
                only_active_accounts_are_invited,
                an_account_is_stored_with_its_invitation,
                an_invitation_is_used_once,
                the_first_owner_is_made_once,
                an_owner_who_came_first_ends_the_invitation,
                of_fifty_who_accept_at_once_one_becomes_the_owner,
            }
            subscribers {
                returns_what_it_stored,
                refuses_a_second_subscription_of_the_same_address,
                refuses_a_second_subscription_in_another_case,
                refuses_a_second_subscription_in_another_case_beyond_ascii,
                stores_addresses_in_lower_case,
                distinguishes_addresses_that_only_look_alike,
                counts_lengths_in_characters,
                finds_nothing_under_an_unknown_id,
                finds_by_address_in_any_case,
                never_reuses_an_id,
                replaces_the_details_and_nothing_else,
                an_update_to_the_same_details_changes_nothing,
                an_address_may_be_changed_to_itself,
                refuses_to_take_over_the_address_of_another,
                refuses_to_change_or_delete_missing_rows,
                refuses_to_change_or_delete_a_row_that_has_changed,
                restores_a_deleted_row_with_its_id,
                an_address_is_free_again_after_a_delete,
                ensure_stores_what_is_new,
                ensure_reactivates_a_subscription_but_never_ends_one,
                ensure_by_fifty_at_once_stores_one,
                create_many_skips_existing_addresses,
                create_many_leaves_out_repetitions,
                create_many_stores_all_or_none,
                create_many_takes_more_than_a_statement_has_room_for,
            }
            subscriber_spellings {
                refuses_to_restore_an_address_that_is_taken_meanwhile,
                one_mailbox_is_one_subscription_in_any_spelling,
                an_address_in_another_spelling_is_not_subscribed_again,
                an_address_in_another_spelling_can_be_changed,
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
                a_glance_is_a_step_or_says_that_it_was_cut_short,
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
#[path = "rules_tests.rs"]
mod tests;
