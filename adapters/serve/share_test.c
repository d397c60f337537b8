#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture_share.h"
#include "gateway/crypto/hash.h"
#include "gateway/share/share.h"
#include "gateway/wire/pb.h"

/* A department's part in a blind household sum: what comes out, and what an active requester who
 * wants one person's amount gets instead. */

#define WAGES INT64_C(1200000) /* of either adult, twelve months */

/* What finance would answer: its mask, since its amount is stated by the test. */
static uint64_t finance_share(struct fixture *fx, const struct fx_run *run, size_t person,
                              int64_t value, const struct fx_share *like)
{
    int64_t age_s = lb_clock_unix_s(lb_clock_system()) - run->wire.started;
    bool before = age_s > FED_SHARE_AGE_S;
    const char *key_id = before ? "m0" : "m1";
    const struct fed_party *tax = &fx->adapter, *finance = &fx->finance;
    const struct lb_x25519_key *own = before ? &finance->share_before : &finance->share;
    const struct lb_x25519_key *peer = before ? &tax->share_before : &tax->share;
    struct lb_share_part parts[] = {
        {.spiffe = FX_ADAPTER, .key_id = key_id, .view = "tax.wage", .field = "income",
         .months = 12},
        {.spiffe = FX_FINANCE, .key_id = key_id, .view = "finance.payout", .field = "paid",
         .months = 12},
    };
    struct lb_share_run made = {
        .form = "social-assistance",
        .form_version = 1,
        .slot = "income12",
        .started_unix_s = run->wire.started,
        .num_parts = 2,
        .parts = parts,
        .num_persons = run->wire.n_persons,
        .persons = run->persons,
    };
    uint8_t set[LB_SHARE_SET_BYTES];
    uint64_t mask = 0;
    memcpy(parts[0].public_key, peer->public_key, 32);
    memcpy(parts[1].public_key, own->public_key, 32);
    memcpy(made.form_sha256, fx->form_sha256, 32);
    memcpy(made.nonce, run->nonce, sizeof(made.nonce));
    assert_ok(lb_share_set(&made, set));
    assert_true(lb_span_eq(like->set, lb_span_of(set, sizeof(set))));
    const struct lb_share_place place = {person, 1};
    assert_ok(lb_share_mask(&made, set, &place, own, NULL, &mask));
    return (uint64_t)value + mask;
}

static void all_shares_together_are_the_total(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_share got;
    uint64_t shares[4];
    int64_t total = 0;
    fx_run_begin(&run, fx_couple, 2);
    for (uint32_t i = 0; i < 2; i++) {
        fx_share_get(fx, &run, i, fx_couple[i], &got);
        shares[i] = (uint64_t)got.fact->number;
        shares[2 + i] = finance_share(fx, &run, i, 700 + i, &got);
        assert_true(got.fact->number != WAGES);
    }
    assert_ok(lb_share_total(shares, 4, &total));
    assert_true(total == 2 * WAGES + 1401);
    /* Without one of them nothing is there. */
    int64_t partial = 0;
    assert_true(lb_share_total(shares, 3, &partial) != LB_OK || partial > INT64_C(1) << 40);
}

/* Departments have new share keys, and a run that began before goes on under the old ones: no sum
 * fails because one of its answers came before and one after. */
static void a_run_goes_on_under_the_keys_of_its_start(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_share got;
    uint64_t shares[4];
    int64_t total = 0;
    fx_run_begin(&run, fx_couple, 2);
    run.wire.started -= FED_SHARE_AGE_S + 60;
    for (uint32_t i = 0; i < 2; i++) {
        fx_share_get(fx, &run, i, fx_couple[i], &got);
        shares[i] = (uint64_t)got.fact->number;
        shares[2 + i] = finance_share(fx, &run, i, 700 + i, &got);
    }
    assert_ok(lb_share_total(shares, 4, &total));
    assert_true(total == 2 * WAGES + 1401);
}

static void a_retry_gets_the_very_same_share(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_ask ask;
    struct fx_share first, again;
    fx_run_begin(&run, fx_couple, 2);
    fx_share_ask(fx, &ask, &run, 0, FX_ADULT);
    fx_share_send(fx, &ask, &first);
    fx_execute(fx, "UPDATE wage SET income_cents = income_cents + 1");
    fx_share_send(fx, &ask, &again);
    assert_string_equal(again.inner, "OK");
    assert_true(first.fact->number == again.fact->number);
    fx_start_again(fx);
    fx_share_send(fx, &ask, &again);
    assert_true(first.fact->number == again.fact->number);
    /* Under a grant issued anew the rid is what counts. */
    ask.grant.jti = "g-anew";
    ask.jwt = LB_SPAN_EMPTY;
    fx_share_send(fx, &ask, &again);
    assert_true(first.fact->number == again.fact->number);
    /* Another rid would be a second answer. */
    fx_share_inner(fx, &run, 0, FX_ADULT, LB_SHARE_REPEATED);
    assert_ok(lb_crypto_random(ask.rid, sizeof(ask.rid)));
    fx_share_send(fx, &ask, &again);
    assert_string_equal(again.inner, "SHARE_REPEATED");
}

static void what_is_unknown_gets_no_share(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_ask ask;
    struct fx_share got;
    fx_run_begin(&run, fx_couple, 2);
    fx_execute(fx, "UPDATE wage SET income_cents = NULL WHERE id_no = '" FX_ADULT "'");
    fx_share_ask(fx, &ask, &run, 0, FX_ADULT);
    fx_share_send(fx, &ask, &got);
    assert_int_equal(got.fact->state, LIANBAN__V1__FACT__STATE__OK);
    assert_int_equal(got.fact->kind, LIANBAN__V1__FACT__KIND__KIND_UNKNOWN);
    assert_int_equal(got.fact->number, 0);
    fx_execute(fx, "UPDATE wage SET income_cents = 100000");
    fx_share_send(fx, &ask, &got);
    assert_int_equal(got.fact->kind, LIANBAN__V1__FACT__KIND__NUMBER);
}

/* --- one nonce, one run --- */

static void a_nonce_stands_for_one_run(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run, other;
    struct fx_ask ask;
    struct fx_share got;
    fx_run_begin(&run, fx_couple, 2);
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
    fx_share_ask(fx, &ask, &run, 1, FX_OTHER_ADULT);
    ask.section.case_id = "c-2";
    fx_share_send(fx, &ask, &got);
    assert_code(got.outer, LB_SHARE_RUN);
    run.wire.started--;
    fx_share_get(fx, &run, 1, FX_OTHER_ADULT, &got);
    assert_code(got.outer, LB_SHARE_RUN);
    run.wire.started++;
    fx_run_begin(&other, fx_couple, 1);
    memcpy(other.nonce, run.nonce, sizeof(other.nonce));
    other.wire.started = run.wire.started;
    fx_share_get(fx, &other, 0, FX_ADULT, &got);
    assert_code(got.outer, LB_SHARE_RUN);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
}

static void a_run_has_its_time(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_share got;
    static const int64_t off[] = {LB_CLOCK_SKEW_S + 5, -LB_SHARE_RUN_LIFE_S, -(INT64_C(1) << 40)};
    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        fx_run_begin(&run, fx_couple, 2);
        run.wire.started += off[i];
        fx_share_get(fx, &run, 0, FX_ADULT, &got);
        assert_code(got.outer, LB_SHARE_RUN);
    }
    fx_run_begin(&run, fx_couple, 2);
    run.wire.started -= LB_SHARE_RUN_LIFE_S - 60;
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
}

/* --- second runs --- */

static void a_smaller_household_afterwards(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run, alone;
    fx_run_begin(&run, fx_couple, 2);
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
    fx_run_begin(&alone, fx_couple, 1);
    fx_share_inner(fx, &alone, 0, FX_ADULT, LB_SHARE_HOUSEHOLD);
    fx_start_again(fx);
    fx_share_inner(fx, &alone, 0, FX_ADULT, LB_SHARE_HOUSEHOLD);
    fx_run_begin(&alone, fx_couple + 1, 1);
    fx_share_inner(fx, &alone, 0, FX_OTHER_ADULT, LB_SHARE_HOUSEHOLD);
    /* The same persons once more: nothing new comes out. */
    fx_run_begin(&run, fx_couple, 2);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
}

static void one_of_them_with_somebody_else(void **state)
{
    static const char *const others[] = {FX_ADULT, FX_ELDER};
    static const char *const swapped[] = {FX_ELDER, FX_ADULT};
    struct fixture *fx = *state;
    struct fx_run run, other;
    fx_run_begin(&run, fx_couple, 2);
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
    fx_run_begin(&other, others, 2);
    /* Who else the run is about shows when that person comes; until then a share is noise. */
    (void)fx_share_need(fx, &other, 0, FX_ADULT);
    fx_share_inner(fx, &other, 1, FX_ELDER, LB_SHARE_HOUSEHOLD);
    fx_run_begin(&other, swapped, 2);
    (void)fx_share_need(fx, &other, 0, FX_ELDER);
    fx_share_inner(fx, &other, 1, FX_ADULT, LB_SHARE_HOUSEHOLD);
}

/* A run that was left incomplete cannot be completed once its other person is known elsewhere. */
static void two_halves_of_two_runs(void **state)
{
    static const char *const others[] = {FX_ADULT, FX_ELDER};
    struct fixture *fx = *state;
    struct fx_run run, other;
    fx_run_begin(&run, fx_couple, 2);
    fx_run_begin(&other, others, 2);
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
    (void)fx_share_need(fx, &other, 0, FX_ADULT);
    (void)fx_share_need(fx, &other, 1, FX_ELDER);
    fx_share_inner(fx, &run, 1, FX_OTHER_ADULT, LB_SHARE_HOUSEHOLD);
}

/* A set is fixed with its nonce: no place can be given to somebody else later. */
static void another_set_under_the_same_nonce(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    fx_run_begin(&run, fx_couple, 2);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
    memcpy(run.persons[0], run.persons[1], 32);
    memset(run.persons[1], 7, 32);
    fx_share_outer(fx, &run, 0, FX_OTHER_ADULT, LB_SHARE_RUN);
}

/* Two commitments, one person: what looks like a couple would be a household of one. */
static void one_adult_at_both_places(void **state)
{
    static const uint8_t salt[16] = "another sixteen.";
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_ask ask;
    struct fx_share got;
    fx_run_begin(&run, fx_couple, 2);
    lb_subject_commitment(salt, FX_ADULT, run.persons[1]);
    (void)fx_share_need(fx, &run, 0, FX_ADULT);
    fx_share_ask(fx, &ask, &run, 1, FX_ADULT);
    memcpy(ask.salt, salt, sizeof(ask.salt));
    fx_share_send(fx, &ask, &got);
    assert_string_equal(got.inner, "SHARE_REPEATED");
}

static void four_runs_and_no_more(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    for (int i = 0; i < 4; i++) {
        fx_run_begin(&run, fx_couple, 2);
        (void)fx_share_need(fx, &run, 0, FX_ADULT);
    }
    fx_run_begin(&run, fx_couple, 2);
    fx_share_inner(fx, &run, 0, FX_ADULT, LB_SHARE_BUDGET);
    fx_start_again(fx);
    fx_share_inner(fx, &run, 0, FX_ADULT, LB_SHARE_BUDGET);
    (void)fx_share_need(fx, &run, 1, FX_OTHER_ADULT);
}

static int setup(void **state)
{
    static struct fixture fixture;
    fx_setup(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_shares_together_are_the_total),
        TEST(a_run_goes_on_under_the_keys_of_its_start),
        TEST(a_retry_gets_the_very_same_share),
        TEST(what_is_unknown_gets_no_share),
        TEST(a_nonce_stands_for_one_run),
        TEST(a_run_has_its_time),
        TEST(a_smaller_household_afterwards),
        TEST(one_of_them_with_somebody_else),
        TEST(two_halves_of_two_runs),
        TEST(another_set_under_the_same_nonce),
        TEST(one_adult_at_both_places),
        TEST(four_runs_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
