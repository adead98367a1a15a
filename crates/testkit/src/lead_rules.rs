//! The list of the rules of leads, which are a part of the [contract](crate::contract).

/// Generates one test per rule of leads. [`repository_contract`](crate::repository_contract) uses it.
#[doc(hidden)]
#[macro_export]
macro_rules! lead_contract {
    ($harness:expr) => {
        $crate::repository_contract! { @rules $harness;
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
                refuses_to_delete_a_row_that_has_changed,
                restores_a_deleted_row_with_its_id_and_times,
                a_refused_update_changes_nothing,
                deletes_one_lead_only,
                stores_many_leads_with_their_times,
                stores_many_leads_or_none,
                stores_no_leads_at_all_when_given_none,
                stores_more_leads_at_once_than_a_statement_has_room_for,
                a_usable_database_says_so,
            }
            canaries {
                the_lead_of_a_canary_is_stored_nowhere,
                a_canary_is_taken_once,
                a_canary_that_is_left_over_goes_with_a_later_one,
                what_refuses_a_lead_refuses_a_canary,
                canaries_and_leads_do_not_disturb_each_other,
            }
            lead_work {
                returns_the_work_that_it_stored,
                a_new_lead_has_no_work_unless_it_is_given,
                an_update_replaces_the_work,
                an_update_of_the_details_keeps_the_work,
                events_name_the_work_that_changed,
                refuses_a_next_step_that_is_too_long_or_has_nul,
                a_deleted_lead_comes_back_with_its_work,
                the_work_is_undone_field_by_field,
                lists_by_owner_and_by_due_steps,
                leads_without_owner_are_counted_exactly,
                due_includes_its_moment,
                a_list_by_next_step_has_only_leads_with_one,
            }
            lead_notes {
                returns_what_it_stored,
                keeps_long_and_odd_texts,
                refuses_texts_that_no_note_has,
                refuses_a_note_about_a_lead_that_is_not_there,
                lists_the_newest_first_and_so_many_at_a_time,
                notes_outlive_their_lead_and_are_there_when_it_comes_back,
                removes_a_note_once,
                restores_a_removed_note_with_its_id,
                additions_and_removals_are_undone,
                notes_of_leads_that_are_gone_for_good_are_removed,
            }
            lead_intake {
                only_leads_that_came_through_keys_are_counted,
                leads_are_counted_by_hour_of_the_week,
                a_lead_that_is_gone_has_come_all_the_same,
                finds_the_last_lead_of_a_time,
                an_alarm_is_stored_once_for_each_last_lead,
            }
            lead_weeks {
                a_week_has_its_leads_from_monday_to_sunday,
                the_first_contact_is_the_end_of_being_new,
                a_contact_that_was_taken_back_is_none,
                a_clock_that_was_behind_makes_no_negative_wait,
                finds_the_weeks_of_leads,
                a_restore_leaves_no_numbers_of_before,
                counts_that_meet_agree_with_the_leads,
            }
            lead_counts {
                counts_by_status_and_source,
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
            lead_contacts {
                finds_leads_with_the_same_address_or_number,
                finds_an_address_in_both_spellings,
                the_same_name_elsewhere_is_another_person,
            }
            lead_glances {
                a_glance_is_a_step_of_the_list,
                neighbours_are_those_of_the_list,
                counts_of_a_page_are_right_as_far_as_they_say,
                a_short_word_is_looked_for_among_the_newest_rows,
            }
            lead_index {
                equals_a_scan_while_others_write_and_the_index_is_behind,
                forgets_what_a_lead_was_before,
                a_replaced_lead_is_found_by_what_it_is_now,
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
        }
    };
}
