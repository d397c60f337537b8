#include <stdio.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/window/case_key.h"
#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/*
 * Cases as they were kept: kept/<name>.json are cases of version 2 as earlier programs wrote them
 * (with an approver, a representative, a time to ask again and milliseconds put into `decided` by
 * hand), and in `first` one of version 1. They open, go on, and are kept as today's once something
 * happens to them. What is written today is what is read back, to the byte. How each form is read:
 * kept_form_test.c.
 */

#define DECIDED "c-598602fc7066de5fa1440f74c77471af"
#define SHARE "c-1148064e5c378dc4819594aad4a623bd"
#define WATCH "c-71fdf5c15d4d37d0b60161a98247b8e2"
#define FIRST "c-87f78b890e850790939aff3113e8799c"

/* Puts a row as an earlier program left it, and starts today's on it. */
static void keep(struct fixture *fx, const char *case_id, struct lb_span plain)
{
    struct lb_case_store *store = NULL;
    uint8_t key[LB_CASE_KEY_BYTES];
    struct lb_span sealed, id = lb_span_str(case_id);
    lb_window_free(fx->window);
    fx->window = NULL;
    assert_ok(lb_case_store_open(fx->store_path, fx->case_key, &fx->diag, &store));
    lb_status status = lb_case_key_get(store, case_id, key);
    if (lb_status_code(status) == LB_ABSENT)
        status = lb_case_key_make(store, case_id, key);
    assert_ok(status);
    assert_ok(lb_case_seal(key, id, plain, fx->arena, &sealed));
    assert_ok(lb_stmt_bind_text(store->put, 1, id));
    assert_ok(lb_stmt_bind_blob(store->put, 2, sealed));
    assert_ok(lb_stmt_run(store->put));
    lb_case_store_close(store);
}

static struct lb_window_case *hold(struct fixture *fx, const char *case_id)
{
    struct lb_window_case *entry = NULL;
    assert_ok(lb_window_hold(fx->window, case_id, &entry));
    return entry;
}

static struct lb_span kept_now(struct fixture *fx, const char *case_id)
{
    struct lb_case_store *store = NULL;
    uint8_t key[LB_CASE_KEY_BYTES];
    struct lb_span plain, sealed = fx_stored_case(fx, case_id);
    lb_window_free(fx->window);
    fx->window = NULL;
    assert_ok(lb_case_store_open(fx->store_path, fx->case_key, &fx->diag, &store));
    assert_ok(lb_case_key_get(store, case_id, key));
    assert_ok(lb_case_unseal(key, lb_span_str(case_id), sealed, fx->arena, &plain));
    lb_case_store_close(store);
    fx_restart(fx);
    return plain;
}

/* Written, read back and written again, and kept by the store. */
static void assert_goes_round(struct fixture *fx, const char *case_id)
{
    struct lb_window_case *entry = hold(fx, case_id), *again = NULL;
    struct lb_span first, second;
    assert_ok(lb_case_write(entry, fx->arena, &first));
    assert_ok(lb_case_read(fx->window, first, fx->arena, &again));
    assert_ok(lb_case_write(again, fx->arena, &second));
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.ptr, second.ptr, first.len);
    lb_case_free(again);
    assert_ok(lb_case_store_put(fx->window->store, entry));
    lb_window_let_go(&entry);
    second = kept_now(fx, case_id);
    assert_int_not_equal(second.ptr[0], '{');
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.ptr, second.ptr, first.len);
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    char hex[65];
    lb_hex_encode(lb_span_of(bytes, len), hex);
    assert_string_equal(hex, expected);
}

static const struct lb_case_fact *fact_of(const struct lb_window_case *entry, const char *name)
{
    return &entry->members[0].facts[lb_form_fact_index(entry->form->form, name)];
}

/* --- version 2 --- */

static void assert_decided_facts(const struct lb_window_case *entry)
{
    const struct lb_case_fact *fact = fact_of(entry, "same_person");
    assert_int_equal(fact->value.state, LB_FACT_OK);
    assert_int_equal(fact->value.kind, LB_FACT_TRUTH);
    assert_true(fact->value.truth && fact->receipt_ok);
    assert_string_equal(fact->as_of, "2027-01-14");
    assert_int_equal(fact->order, 1);
    assert_int_equal(fact->code, LB_CODE_OK);
    assert_hex(fact->txn, 16, "ba033881d136ae6ca7b0d3ca88d4e3f8");
    assert_string_equal(fact_of(entry, "region")->text, "110101");
    fact = fact_of(entry, "wage12");
    assert_int_equal(fact->value.state, LB_FACT_UNAVAILABLE);
    assert_int_equal(fact->code, LB_UNAVAILABLE);
    assert_int_equal(fact->again_unix_s, 1900000000);
    assert_false(fact->receipt_ok);
    assert_string_equal(fact->as_of, "");
    assert_int_equal(entry->last_order, 6);
}

static void assert_decided_member(const struct lb_case_member *member)
{
    assert_string_equal(member->id_no, "991101198001010111");
    assert_string_equal(member->name, "张三丰");
    assert_string_equal(member->relation, "");
    assert_string_equal(member->representative, "Cgh0aGUgY2xlcms=");
    assert_string_equal(member->ticket_id, "r-0");
    assert_string_equal(member->ticket_code, "0000");
    assert_int_equal(strncmp(member->consent.sd_jwt, "eyJ", 3), 0);
    assert_true(member->consent.salted && member->mandate.salted);
    assert_hex(member->consent.salt, 16, "09090900000000000000000000000000");
    assert_int_equal(strncmp(member->mandate.sd_jwt, "eyJ", 3), 0);
    assert_true(member->rids[0].made);
    assert_hex(member->rids[0].bytes, 16, "3dd405b1af51861f1f6667b9ad1f654e");
}

static void assert_decided(struct fixture *fx)
{
    struct lb_window_case *entry = hold(fx, DECIDED);
    assert_string_equal(entry->person, "e7ce4809672bedee2774a1b2fb48c225");
    assert_string_equal(entry->unit, "窗口3");
    assert_string_equal(entry->approver, "00112233445566778899aabbccddeeff");
    assert_string_equal(entry->approver_unit, "窗口9");
    assert_int_equal(entry->opened_unix_s, 1800000000);
    assert_int_equal(entry->receipts_checked, 2);
    assert_int_equal(entry->num_members, 1);
    assert_decided_member(&entry->members[0]);
    assert_decided_facts(entry);
    assert_int_equal(entry->records.num, 10);
    assert_null(entry->records.pending);
    assert_int_equal(lb_records_at(&entry->records, 10)->kind, LB_RECORD_DECIDED);
    assert_int_equal(lb_records_at(&entry->records, 10)->log_entry, 1009);
    assert_true(entry->decided);
    assert_string_equal(entry->class_id, "FULL");
    assert_int_equal(entry->conditions[0], LB_TRUE);
    assert_true(entry->amounts[0].told);
    assert_int_equal(entry->amounts[0].value, 1199994);
    assert_int_equal(entry->thresholds_version, 7);
    assert_int_equal(entry->millis, 5);
    lb_window_let_go(&entry);
}

static void decided_case_goes_on(void **state)
{
    struct fixture *fx = *state;
    keep(fx, DECIDED, fx_kept_text(fx, "decided"));
    fx_restart(fx);
    assert_decided(fx);
    assert_string_equal(fx_get(fx, DECIDED)->class_id, "FULL");
    assert_goes_round(fx, DECIDED);
    assert_decided(fx);
    assert_ok(lb_window_close_case(fx->window, DECIDED));
}

/* It died between the record and its entry in the log. */
static void pending_record_is_entered(void **state)
{
    struct fixture *fx = *state;
    keep(fx, SHARE, fx_kept_text(fx, "share"));
    fx_restart(fx);
    struct lb_window_case *entry = hold(fx, SHARE);
    assert_int_equal(fx->num_entered, 1);
    assert_int_equal(entry->records.num, 1);
    assert_null(entry->records.pending);
    assert_int_equal(entry->shares[0].runs, 1);
    assert_int_equal(entry->shares[0].started_unix_s, 1800000000);
    assert_hex(entry->shares[0].nonce, LB_SHARE_NONCE_BYTES, "fb4061b01ad9f384772d61ef35fb196d");
    assert_hex(entry->shares[0].persons, 32,
               "60e55533128673d9d4cefda9c027b07c53eb7a9edf07500bf3a42dcc3884a16d");
    assert_hex(fact_of(entry, "wage12")->share_set, 32,
               "71105dc4afb424a5bef789da71219e5cb2cf2480fa2a23f59d7feb68a6da4d63");
    assert_true(fact_of(entry, "wage12")->value.number == INT64_C(-1989236558656187109));
    assert_int_equal(fact_of(entry, "paid12")->code, LB_SHARE_PEER);
    lb_window_let_go(&entry);
    assert_goes_round(fx, SHARE);
    assert_int_equal(fx->num_entered, 1); /* once is enough */
}

static void watch_goes_on(void **state)
{
    struct fixture *fx = *state;
    keep(fx, WATCH, fx_kept_text(fx, "watch"));
    fx_restart(fx);
    struct lb_window_case *entry = hold(fx, WATCH);
    assert_int_equal(entry->look.begun_unix_s, 1800000010);
    assert_int_equal(entry->look.asked_unix_s, 1800000010);
    assert_false(entry->look.done || entry->look.over);
    assert_int_equal(entry->conditions[0], LB_UNKNOWN);
    assert_string_equal(entry->class_id, "MANUAL");
    lb_window_let_go(&entry);
    assert_goes_round(fx, WATCH);
}

/* --- version 1 --- */

static void first_version_goes_on(void **state)
{
    struct fixture *fx = *state;
    keep(fx, FIRST, fx_kept_text(fx, "first"));
    fx_restart(fx);
    struct lb_window_case *entry = hold(fx, FIRST);
    assert_int_equal(entry->opened_unix_s, 0);
    assert_int_equal(entry->num_members, 3);
    assert_string_equal(entry->members[2].name, "张小宝");
    assert_string_equal(entry->members[1].relation, "spouse");
    assert_null(entry->members[0].ticket_id);
    assert_null(entry->members[0].representative);
    assert_false(entry->members[0].rids[0].made || entry->decided);
    assert_int_equal(entry->records.num, 0);
    lb_window_let_go(&entry);
    assert_string_equal(fx_get(fx, FIRST)->state, "OPEN");
    assert_goes_round(fx, FIRST);
}

/* --- damage and size --- */

/* What is damaged is refused or, where only the end is missing, at least not misread. */
static void cut_message_does_no_harm(void **state)
{
    struct fixture *fx = *state;
    keep(fx, DECIDED, fx_kept_text(fx, "decided"));
    fx_restart(fx);
    struct lb_window_case *entry = hold(fx, DECIDED);
    struct lb_span whole;
    assert_ok(lb_case_write(entry, fx->arena, &whole));
    lb_window_let_go(&entry);
    for (size_t len = 0; len < whole.len; len++) {
        LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1U << 20);
        LB_DEFER(lb_case_freep) struct lb_window_case *part = NULL;
        lb_status status = lb_case_read(fx->window, lb_span_of(whole.ptr, len), arena, &part);
        assert_true(status == LB_OK || lb_status_code(status) == LB_STORE_FAILED ||
                    lb_status_code(status) == LB_FORM_UNKNOWN);
        assert_true(status == LB_OK ? part->num_members == 1 && part->records.num == 10
                                    : part == NULL);
    }
}

static void set_relation(struct lb_window_case *entry, size_t len)
{
    uint8_t *text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);
    assert_ok(lb_case_text(&entry->members[0].relation, lb_span_of(text, len)));
    free(text);
}

/* A case may be larger than any message, and not without end: what was kept before stays then. */
static void large_case_is_kept_or_refused(void **state)
{
    struct fixture *fx = *state;
    keep(fx, DECIDED, fx_kept_text(fx, "decided"));
    fx_restart(fx);
    struct lb_window_case *entry = hold(fx, DECIDED);
    set_relation(entry, 3 * LB_MAX_MESSAGE_BYTES);
    assert_ok(lb_case_store_put(fx->window->store, entry));
    set_relation(entry, LB_MAX_CASE_BYTES);
    assert_code(lb_case_store_put(fx->window->store, entry), LB_TOO_LARGE);
    lb_window_let_go(&entry);
    fx_restart(fx);
    entry = hold(fx, DECIDED);
    assert_int_equal(strlen(entry->members[0].relation), 3 * LB_MAX_MESSAGE_BYTES);
    assert_string_equal(entry->class_id, "FULL");
    lb_window_let_go(&entry);
}

/* A start on it says so, and what is there stays. */
static void newer_case_stops_the_start(void **state)
{
    struct fixture *fx = *state;
    static const uint8_t newer[] = {0x08, LB_CASE_VERSION + 1};
    struct lb_window *window = NULL;
    keep(fx, DECIDED, lb_span_of(newer, sizeof(newer)));
    assert_code(fx_new_window(fx, &window), LB_VERSION_UNSUPPORTED);
    assert_true(fx_stored_case(fx, DECIDED).len > 0);
    keep(fx, DECIDED, fx_kept_text(fx, "decided"));
    fx_restart(fx);
    assert_decided(fx);
}

#define TEST(name_, setup_) cmocka_unit_test_setup_teardown(name_, setup_, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(decided_case_goes_on, fx_setup),
        TEST(pending_record_is_entered, fx_setup_share),
        TEST(watch_goes_on, fx_setup_watch),
        TEST(first_version_goes_on, fx_setup),
        TEST(cut_message_does_no_harm, fx_setup),
        TEST(large_case_is_kept_or_refused, fx_setup),
        TEST(newer_case_stops_the_start, fx_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
