#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/calendar.h"
#include "adapters/serve/fixture.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"
#include "gateway/wire/pb.h"

static void a_granted_read_is_answered_and_recorded(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_honest(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    assert_int_equal(answer.sealed.len, 1024);
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    assert_string_equal(opened->code, "OK");
    assert_int_equal(opened->n_facts, 1);
    assert_int_equal(opened->facts[0]->state, LIANBAN__V1__FACT__STATE__OK);
    assert_int_equal(opened->facts[0]->kind, LIANBAN__V1__FACT__KIND__NUMBER);
    assert_int_equal(opened->facts[0]->number, 12 * 100000);
    assert_int_equal(opened->facts[0]->rules_version, 3);
    assert_int_equal(strlen(opened->facts[0]->as_of), 10);

    struct lb_leaf leaf;
    uint8_t digest[32];
    assert_ok(lb_leaf_decode(answer.leaf, &leaf));
    assert_int_equal(leaf.type, LB_LEAF_READ);
    assert_string_equal(leaf.code, "ANSWERED");
    assert_string_equal(leaf.views, "tax.wage");
    assert_memory_equal(leaf.txn, ask.txn, 16);
    lb_sha256(answer.sealed, digest);
    assert_memory_equal(leaf.answer_hash, digest, 32);
    lb_sha256(built.ciphertext, digest);
    assert_memory_equal(leaf.request_hash, digest, 32);
    assert_int_equal(leaf.peer_leaf[0], 1);
}

static void every_outcome_has_the_same_size_and_leaf_code(void **state)
{
    struct fixture *fx = *state;
    const struct {
        const char *asked, *granted, *code;
    } cases[] = {
        {FX_ADULT, FX_ADULT, "OK"},
        {FX_OTHER_ADULT, FX_ADULT, "SUBJECT_MISMATCH"},
        {"990101198001012011", FX_ADULT, "ID_INVALID"},
        {FX_CHILD, FX_CHILD, "GUARDIAN_NEEDED"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fx_ask ask;
        struct fx_built built;
        struct lb_serve_answer answer;
        struct lb_leaf leaf;
        fx_ask_consent(fx, &ask);
        ask.id_no = cases[i].asked;
        ask.granted_id = cases[i].granted;
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
        assert_int_equal(answer.sealed.len, 1024);
        assert_string_equal(fx_open(fx, &built, &answer)->code, cases[i].code);
        assert_ok(lb_leaf_decode(answer.leaf, &leaf));
        assert_string_equal(leaf.code, "ANSWERED");
    }
}

static void the_same_bytes_again_are_a_replay(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_honest(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
    assert_code(fx_send(fx, &built, &answer), LB_REPLAY);
    assert_int_equal(answer.sealed.len, 0);
    assert_true(answer.recorded);
}

static void a_retry_uses_nothing_and_ends_after_three(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    struct lb_leaf leaf;
    fx_ask_honest(fx, &ask);
    ask.section.max_uses = 1;
    for (int i = 0; i <= LB_MAX_RETRIES + 1; i++) {
        assert_ok(lb_crypto_random(ask.txn, sizeof(ask.txn)));
        fx_build(fx, &ask, &built);
        enum lb_code code = fx_send(fx, &built, &answer);
        assert_code(code, i <= LB_MAX_RETRIES ? LB_ANSWERED : LB_RETRY_EXHAUSTED);
        assert_ok(lb_leaf_decode(answer.leaf, &leaf));
        assert_int_equal(leaf.retry, i > 0 && i <= LB_MAX_RETRIES);
    }
}

static void a_rid_serves_one_question_only(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_consent(fx, &ask);
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_ANSWERED);
    ask.name = "another person";
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, NULL), LB_REQUEST_CHANGED);
}

static void uses_are_counted(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(fx, &ask);
    for (int i = 0; i < 3; i++) {
        assert_ok(lb_crypto_random(ask.rid, sizeof(ask.rid)));
        assert_ok(lb_crypto_random(ask.txn, sizeof(ask.txn)));
        fx_build(fx, &ask, &built);
        assert_code(fx_send(fx, &built, NULL), i < 2 ? LB_ANSWERED : LB_USE_EXHAUSTED);
    }
}

static void the_officer_reads_what_the_leaf_hides(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    struct lb_log_reader *reader = NULL;
    struct lb_span detail = LB_SPAN_EMPTY;
    struct lb_diag diag = {""};
    fx_ask_consent(fx, &ask);
    ask.id_no = FX_OTHER_ADULT;
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    assert_ok(lb_log_reader_open(fed_path(&fx->fed, "state"), &diag, &reader));
    assert_ok(lb_log_reader_detail(reader, answer.index, &fx->officer, fx->arena, &detail));
    lb_log_reader_close(reader);
    const char *text = lb_arena_str(fx->arena, detail);
    assert_non_null(strstr(text, "\"code\":\"SUBJECT_MISMATCH\""));
    assert_non_null(strstr(text, "\"purpose\":\"social-assistance\""));
    assert_non_null(strstr(text, "\"case\":\"c-1\""));
    assert_null(strstr(text, FX_OTHER_ADULT));
    assert_null(strstr(text, "王小明"));
}

static void a_missing_database_is_unavailable_not_empty(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    /* Staleness stands in for a source that answers but can't be trusted. */
    struct lb_store *store = NULL;
    const struct lb_store_options options = {.path = fed_path(&fx->fed, "tax.db"),
                                             .busy_timeout_ms = 1000};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, "UPDATE data_as_of SET as_of = date('now', '-60 days')"));
    fx_ask_honest(fx, &ask);
    ask.section.case_id = "c-stale";
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    assert_int_equal(opened->facts[0]->state, LIANBAN__V1__FACT__STATE__STALE);
    assert_int_equal(opened->facts[0]->kind, LIANBAN__V1__FACT__KIND__KIND_UNKNOWN);

    assert_ok(lb_store_exec(store, "DELETE FROM data_as_of"));
    fx_ask_honest(fx, &ask);
    ask.section.case_id = "c-stale";
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    opened = fx_open(fx, &built, &answer);
    assert_int_equal(opened->facts[0]->state, LIANBAN__V1__FACT__STATE__UNAVAILABLE);
    assert_ok(lb_store_exec(store, "INSERT INTO data_as_of VALUES(date('now'))"));
    lb_store_close(store);
}

static void months_and_days_cross_years(void **state)
{
    (void)state;
    char month[LB_MONTH_BYTES];
    int64_t days = 0;
    lb_calendar_month("2026-01-31", 0, month);
    assert_string_equal(month, "2026-01");
    lb_calendar_month("2026-01-31", 12, month);
    assert_string_equal(month, "2025-01");
    lb_calendar_month("2026-03-01", 3, month);
    assert_string_equal(month, "2025-12");
    assert_true(lb_calendar_days(lb_span_str("2024-02-28"), "2024-03-01", &days));
    assert_int_equal(days, 2);
    assert_true(lb_calendar_days(lb_span_str("2025-12-31"), "2026-01-01", &days));
    assert_int_equal(days, 1);
    assert_false(lb_calendar_days(lb_span_str("2025-13-01"), "2026-01-01", &days));
    assert_false(lb_calendar_days(lb_span_str("2025-1-01"), "2026-01-01", &days));
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_granted_read_is_answered_and_recorded),
        cmocka_unit_test(every_outcome_has_the_same_size_and_leaf_code),
        cmocka_unit_test(the_same_bytes_again_are_a_replay),
        cmocka_unit_test(a_retry_uses_nothing_and_ends_after_three),
        cmocka_unit_test(a_rid_serves_one_question_only),
        cmocka_unit_test(uses_are_counted),
        cmocka_unit_test(the_officer_reads_what_the_leaf_hides),
        cmocka_unit_test(a_missing_database_is_unavailable_not_empty),
        cmocka_unit_test(months_and_days_cross_years),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
