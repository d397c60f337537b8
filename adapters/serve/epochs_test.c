#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/epochs.h"
#include "adapters/serve/fixture_people.h"
#include "adapters/serve/fixture_share.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"

/* The department replaces its pseudonym key, and somebody waits for that: all limits that hang on
 * the name of a person must still be there, and an erasure must reach what was written before.
 * Persons are used once each, and epochs go on from test to test. */

static void write_key(struct fixture *fx, const char *name)
{
    uint8_t key[32];
    char text[65];
    assert_ok(lb_crypto_random(key, sizeof(key)));
    lb_hex_encode(lb_span_of(key, sizeof(key)), text);
    fed_write(&fx->fed, lb_arena_printf(fx->arena, "pseudonyms/%s.key", name), lb_span_str(text));
}

static void next_epoch(struct fixture *fx, const char *name)
{
    write_key(fx, name);
    lb_serve_tick(fx->serve);
}

/* The inner code, or yes or no. */
static const char *ask(struct fixture *fx, const struct fx_question *question, uint64_t *out_index)
{
    struct fx_ask asked;
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_ask_people(fx, question, &asked);
    fx_build(fx, &asked, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    if (out_index != NULL)
        *out_index = answer.index;
    const Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    if (opened->n_facts == 0)
        return opened->code;
    assert_int_equal(opened->facts[0]->state, LIANBAN__V1__FACT__STATE__OK);
    return opened->facts[0]->truth ? "yes" : "no";
}

static struct lb_leaf last_leaf(struct fixture *fx)
{
    struct lb_log_head head;
    struct lb_span bytes;
    struct lb_leaf leaf;
    assert_ok(lb_log_head(fx->log, fx->arena, &head));
    assert_ok(lb_log_leaf(fx->log, head.size - 1, fx->arena, &bytes));
    assert_ok(lb_leaf_decode(bytes, &leaf));
    return leaf;
}

static void limits_outlive_a_new_key(void **state)
{
    struct fixture *fx = *state;
    char case_id[32], arg[32];
    struct fx_question question = {.person = 100, .case_id = case_id, .view = "tax.people",
                                   .field = "income", .operator_name = "CMP", .arg = arg};
    for (int i = 1; i <= 8; i++) {
        (void)snprintf(case_id, sizeof(case_id), "t-%d", i);
        (void)snprintf(arg, sizeof(arg), "<,t.%d", i);
        if (i == 5)
            next_epoch(fx, "one");
        assert_string_equal(ask(fx, &question, NULL), "yes");
    }
    assert_string_equal(last_leaf(fx).code, "ANSWERED");
    next_epoch(fx, "two");
    assert_string_equal(last_leaf(fx).code, "PSEUDONYM_KEY");
    (void)snprintf(case_id, sizeof(case_id), "t-9");
    (void)snprintf(arg, sizeof(arg), "<,t.9");
    assert_string_equal(ask(fx, &question, NULL), "PROBE_LIMIT");
    fx_restart(fx);
    next_epoch(fx, "a-name-that-sorts-first");
    assert_string_equal(ask(fx, &question, NULL), "PROBE_LIMIT");
    (void)snprintf(arg, sizeof(arg), "<,t.3"); /* asked before */
    assert_string_equal(ask(fx, &question, NULL), "yes");
}

static void wrong_claims_stay_counted(void **state)
{
    struct fixture *fx = *state;
    char claim[32];
    struct fx_question question = {.person = 101, .case_id = "n-1", .view = "tax.people",
                                   .field = "name", .operator_name = "EQ", .claim = claim};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(claim, sizeof(claim), "王%d", i);
        assert_string_equal(ask(fx, &question, NULL), "no");
    }
    next_epoch(fx, "three");
    question.claim = fx_person_name(fx, 101);
    assert_string_equal(ask(fx, &question, NULL), "PROBE_LIMIT");
}

static void what_was_told_stays_told(void **state)
{
    struct fixture *fx = *state;
    struct fx_question question = {.person = 102, .case_id = "w-1", .view = "tax.people",
                                   .field = "code", .operator_name = "IN", .arg = "s.1"};
    assert_string_equal(ask(fx, &question, NULL), "yes");
    fx_execute(fx, "UPDATE people SET code = '2' WHERE cents = 102000");
    next_epoch(fx, "four");
    assert_string_equal(ask(fx, &question, NULL), "yes");
    question.case_id = "w-2";
    assert_string_equal(ask(fx, &question, NULL), "no");
}

/* Asked for by one officer in one epoch, approved by another in the next. */
static void erase(struct fixture *fx, const char *by, const char *id_no, bool approve)
{
    Lianban__V1__EraseSubjectRequest request = LIANBAN__V1__ERASE_SUBJECT_REQUEST__INIT;
    struct lb_serve_ack ack;
    request.id_no = (char *)(uintptr_t)id_no;
    request.basis = (char *)(uintptr_t) "court_order";
    request.reason = (char *)(uintptr_t) "judgement 5";
    request.approve = approve;
    assert_ok(lb_serve_erase(fx->serve, by, &request, fx->arena, &ack));
}

static void assert_detail(struct fixture *fx, uint64_t index, enum lb_code code)
{
    struct lb_log_reader *reader = NULL;
    struct lb_diag diag;
    struct lb_span detail;
    assert_ok(lb_log_reader_open(fed_path(&fx->fed, "state"), &diag, &reader));
    lb_status status =
        lb_log_reader_detail(reader, index, &fx->officer, fx->arena, &detail);
    assert_code(lb_status_code(status), code);
    lb_log_reader_close(reader);
}

/* In every epoch there are data keys under a name of its own. */
static void an_erasure_reaches_every_epoch(void **state)
{
    struct fixture *fx = *state;
    uint64_t index[3], other = 0;
    struct fx_question question = {.person = 110, .case_id = "e-1", .view = "tax.people",
                                   .field = "code", .operator_name = "IN", .arg = "s.1"};
    assert_string_equal(ask(fx, &question, &index[0]), "yes");
    next_epoch(fx, "five");
    question.case_id = "e-2";
    assert_string_equal(ask(fx, &question, &index[1]), "yes");
    next_epoch(fx, "six");
    question.person = 112;
    assert_string_equal(ask(fx, &question, &other), "yes");
    question.person = 110;
    question.case_id = "e-3";
    assert_string_equal(ask(fx, &question, &index[2]), "yes");
    for (int i = 0; i < 3; i++)
        assert_detail(fx, index[i], LB_CODE_OK);
    erase(fx, "spiffe://test.gov/officer/tax/li", fx_person(fx, 110), false);
    next_epoch(fx, "between");
    erase(fx, "spiffe://test.gov/officer/tax/wu", fx_person(fx, 110), true);
    for (int i = 0; i < 3; i++)
        assert_detail(fx, index[i], LB_ABSENT);
    assert_detail(fx, other, LB_CODE_OK);
    fx_execute(fx, "UPDATE people SET code = '2' WHERE cents = 110000");
    assert_string_equal(ask(fx, &question, NULL), "no"); /* it was forgotten, too */
}

static void households_stay_households(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run, other;
    struct fx_ask asked;
    struct fx_share first, again;
    fx_run_begin(&run, fx_couple, 2);
    fx_share_ask(fx, &asked, &run, 0, FX_ADULT);
    fx_share_send(fx, &asked, &first);
    assert_string_equal(first.inner, "OK");
    next_epoch(fx, "seven");
    fx_run_begin(&other, fx_couple, 1);
    fx_share_inner(fx, &other, 0, FX_ADULT, LB_SHARE_HOUSEHOLD); /* alone, to tell by difference */
    fx_execute(fx, "UPDATE wage SET income_cents = income_cents + 1");
    fx_share_send(fx, &asked, &again);
    assert_true(first.fact->number == again.fact->number);
    fx_share_inner(fx, &run, 0, FX_ADULT, LB_SHARE_REPEATED);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
}

static void *change_keys(void *arg)
{
    static const char *const names[] = {"x1", "x2", "x3"};
    struct fixture *fx = arg;
    for (int i = 0; i < 3; i++) {
        (void)usleep(2000);
        lb_serve_tick(fx->serve);
        assert_int_equal(rename(fed_path(&fx->fed, lb_arena_printf(fx->arena, "%s", names[i])),
                                fed_path(&fx->fed, lb_arena_printf(fx->arena, "pseudonyms/%s.key",
                                                                   names[i]))), 0);
        lb_serve_tick(fx->serve);
    }
    return NULL;
}

/* Guesses that are on their way while keys change: no more get through than otherwise. */
static void no_guess_slips_between_two_epochs(void **state)
{
    struct fixture *fx = *state;
    enum { NUM = 24 };
    static struct fx_ask asks[NUM];
    static struct fx_built built[NUM];
    static struct lb_serve_answer answer[NUM];
    pthread_t thread;
    for (int i = 0; i < NUM; i++) {
        const struct fx_question question = {
            .person = 120, .view = "tax.people", .field = "name", .operator_name = "EQ",
            .case_id = "g-1", .claim = lb_arena_printf(fx->arena, "赵%d", i)};
        fx_ask_people(fx, &question, &asks[i]);
        fx_build(fx, &asks[i], &built[i]);
    }
    write_key(fx, "../x1");
    write_key(fx, "../x2");
    write_key(fx, "../x3");
    for (int i = 1; i <= 3; i++)
        assert_int_equal(rename(fed_path(&fx->fed, lb_arena_printf(fx->arena, "x%d.key", i)),
                                fed_path(&fx->fed, lb_arena_printf(fx->arena, "x%d", i))), 0);
    assert_int_equal(pthread_create(&thread, NULL, change_keys, fx), 0);
    fx_send_all(fx, built, NUM, answer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    int told = 0;
    for (int i = 0; i < NUM; i++) {
        assert_code(answer[i].code, LB_ANSWERED);
        told += strcmp(fx_open(fx, &built[i], &answer[i])->code, "OK") == 0;
    }
    assert_int_equal(told, 3);
}

/* --- the keys and the store --- */

static lb_status begin(const uint8_t first[32], const char *folder, struct lb_store *store,
                       struct lb_epoch_names *out)
{
    struct lb_diag diag;
    struct lb_serve_epochs *epochs = NULL;
    assert_ok(lb_serve_epochs_new(first, folder, &diag, &epochs));
    lb_status status = lb_serve_epochs_begin(epochs, store);
    lb_serve_epochs_names(epochs, lb_span_str("who"), out);
    lb_serve_epochs_free(epochs);
    return status;
}

/* The attack, or the mistake: an old key goes, or another one stands in its place. */
static void no_key_may_be_missing(void **state)
{
    struct fixture *fx = *state;
    static const uint8_t first[32] = {1}, other[32] = {2};
    const char *folder = fed_path(&fx->fed, "pseudonyms");
    struct lb_epoch_names names = {.num = 0}, again = {.num = 0};
    struct lb_store *store = NULL;
    const struct lb_store_options options = {
        .path = ":memory:", .migrations = lb_serve_migrations, .create = true};
    assert_ok(lb_store_open(&options, &store));
    assert_ok(begin(first, NULL, store, &names));
    assert_int_equal(names.num, 1);
    assert_code(lb_status_code(begin(other, NULL, store, &again)), LB_CONFIG_INVALID);
    assert_int_equal(again.num, 0);
    assert_ok(begin(first, folder, store, &again));
    assert_true(again.num > 8);
    assert_memory_equal(again.names[again.num - 1], names.names[0], 32);
    assert_code(lb_status_code(begin(first, NULL, store, &names)), LB_CONFIG_INVALID);
    assert_ok(begin(first, folder, store, &names));
    assert_memory_equal(&names, &again, sizeof(names));
    lb_store_close(store);
}

static void what_is_no_key_is_refused(void **state)
{
    struct fixture *fx = *state;
    static const uint8_t first[32] = {1};
    static const char too_long[] = "0000000000000000000000000000000000000000"
                                   "000000000000000000000000000000";
    static const char *const texts[] = {"", "00", "zz", too_long};
    const char *folder = fed_path(&fx->fed, "strange");
    struct lb_serve_epochs *epochs = NULL;
    struct lb_diag diag;
    assert_code(lb_status_code(lb_serve_epochs_new(first, folder, &diag, &epochs)),
                LB_CONFIG_INVALID);
    assert_ok(lb_file_mkdirs(folder));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fed_write(&fx->fed, "strange/k.key", lb_span_str(texts[i]));
        assert_code(lb_status_code(lb_serve_epochs_new(first, folder, &diag, &epochs)),
                    LB_CONFIG_INVALID);
        assert_non_null(strstr(diag.text, "k.key"));
    }
    assert_null(epochs);
    /* Beside a running adapter it changes nothing. */
    struct lb_log_head before, after;
    fed_write(&fx->fed, "pseudonyms/zz.key", lb_span_str("zz"));
    assert_ok(lb_log_head(fx->log, fx->arena, &before));
    lb_serve_tick(fx->serve);
    assert_ok(lb_log_head(fx->log, fx->arena, &after));
    assert_int_equal(before.size, after.size);
    assert_int_equal(unlink(fed_path(&fx->fed, "pseudonyms/zz.key")), 0);
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
        cmocka_unit_test(limits_outlive_a_new_key),
        cmocka_unit_test(wrong_claims_stay_counted),
        cmocka_unit_test(what_was_told_stays_told),
        cmocka_unit_test(an_erasure_reaches_every_epoch),
        cmocka_unit_test(households_stay_households),
        cmocka_unit_test(no_guess_slips_between_two_epochs),
        cmocka_unit_test(no_key_may_be_missing),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
