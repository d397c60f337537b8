#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture_share.h"
#include "gateway/wire/pb.h"

/* A blind household sum is what the department's own policy says, with whom it says. */

/* --- what is not the approved set --- */

struct spoil {
    const char *name;
    enum lb_code code;
    void (*apply)(struct fx_run *run, struct fx_ask *ask);
};

static void other_slot(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    run->wire.slot = (char *)(uintptr_t) "income6";
}

static void no_run(struct fx_run *run, struct fx_ask *ask)
{
    (void)run;
    ask->share = NULL;
}

static void run_for_a_sum(struct fx_run *run, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"income", "SUM(12)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    (void)run;
    ask->section.views = views;
    ask->operator_name = "SUM";
}

static void short_nonce(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    run->wire.nonce.len = 15;
}

static void short_person(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    run->wires[1].len = 31;
}

static void nobody(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    run->wire.n_persons = 0;
}

static void thirteen_persons(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    for (size_t i = 2; i <= LB_MAX_HOUSEHOLD; i++) {
        memset(run->persons[i], (int)i, 32);
        run->wires[i] = lb_pb_bytes(lb_span_of(run->persons[i], 32));
    }
    run->wire.n_persons = LB_MAX_HOUSEHOLD + 1;
}

static void index_past_the_end(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    run->wire.index = 2;
}

static void place_of_another(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    run->wire.index = 1;
}

static void one_person_twice(struct fx_run *run, struct fx_ask *ask)
{
    (void)ask;
    memcpy(run->persons[1], run->persons[0], 32);
}

static void a_child(struct fx_run *run, struct fx_ask *ask)
{
    (void)run;
    ask->section.role = "child";
}

static void other_months(struct fx_run *run, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"income", "SHARE(11)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    (void)run;
    ask->section.views = views;
    ask->arg = "11";
}

static void what_is_not_the_approved_sum_is_refused(void **state)
{
    static const struct spoil spoils[] = {
        {"another slot", LB_SHARE_INERT, other_slot},
        {"a share without a run", LB_MALFORMED, no_run},
        {"a run without a share", LB_MALFORMED, run_for_a_sum},
        {"nonce of 15 bytes", LB_MALFORMED, short_nonce},
        {"commitment of 31 bytes", LB_MALFORMED, short_person},
        {"nobody", LB_SHARE_SET, nobody},
        {"thirteen persons", LB_SHARE_SET, thirteen_persons},
        {"index past the end", LB_SHARE_SET, index_past_the_end},
        {"the place of another", LB_SHARE_SET, place_of_another},
        {"one commitment twice", LB_SHARE_SET, one_person_twice},
        {"a role that is not added up", LB_SHARE_SET, a_child},
        {"other months", LB_OPERATOR_TOO_WEAK, other_months},
    };
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        struct fx_run run;
        struct fx_ask ask;
        struct fx_share got;
        fx_run_begin(&run, fx_couple, 2);
        fx_share_ask(fx, &ask, &run, 0, FX_ADULT);
        spoils[i].apply(&run, &ask);
        fx_share_send(fx, &ask, &got);
        if (got.outer != spoils[i].code)
            fail_msg("%s: %s", spoils[i].name, lb_code_name(got.outer));
    }
}

/* --- keys --- */

static void put_policy(struct fixture *fx, const char *from, const char *to)
{
    const char *text = fx_policy_text(fx);
    const char *at = strstr(text, from);
    assert_non_null(at);
    const char *changed = lb_arena_printf(fx->arena, "%.*s%s%s", (int)(at - text), text, to,
                                          at + strlen(from));
    fed_write(&fx->fed, "policy.yaml", lb_span_str(changed));
}

/* The directory alone cannot put another department's key in place. */
static void a_participant_under_another_identity_key(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_share got;
    put_policy(fx, fed_party_vkey(&fx->finance, FX_FINANCE, fx->arena),
               fed_party_vkey(&fx->other, FX_FINANCE, fx->arena));
    fx_start_again(fx);
    fx_run_begin(&run, fx_couple, 2);
    fx_share_get(fx, &run, 0, FX_ADULT, &got);
    assert_code(got.outer, LB_SHARE_PEER);
}

static void a_participant_that_is_not_listed(void **state)
{
    struct fixture *fx = *state;
    struct fx_run run;
    struct fx_share got;
    put_policy(fx, "spiffe: \"" FX_FINANCE, "spiffe: \"" FX_FINANCE "/two");
    fx_start_again(fx);
    fx_run_begin(&run, fx_couple, 2);
    fx_share_get(fx, &run, 0, FX_ADULT, &got);
    assert_code(got.outer, LB_SHARE_PEER);
}

static void bad_policies(void **state)
{
    static const char *const swaps[][3] = {
        {"slot: income12", "slots: income12", "unknown key"},
        {"    version: 1\n    roles", "    version: 2\n    roles", "is not accepted"},
        {"runs: 4", "runs: 0", "runs"},
        {"days: 30", "days: 6", "days"},
        {"persons: 12", "persons: 13", "persons"},
        {"[applicant, member]", "[]", "roles must be a list"},
        {"{department: finance, view: finance.payout, field: paid, months: 12}",
         "{department: tax, view: tax.business, field: owned, months: 12}",
         "contributes nothing"},
        {"{department: finance, view: finance.payout, field: paid, months: 12}",
         "{department: tax, view: tax.wage, field: income, months: 6}", "stands here twice"},
        {"{department: finance, view", "{department: housing, view", "not among the adapters"},
        {"department: finance, spiffe", "department: tax, spiffe", "takes part once"},
        {"spiffe: \"" FX_FINANCE, "spiffe: \"" FX_ADAPTER, "takes part once"},
        {"months: 12}\n      - ", "months: 121}\n      - ", "months"},
    };
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
        struct lb_serve_policy *policy = NULL;
        struct lb_diag diag = {""};
        put_policy(fx, swaps[i][0], swaps[i][1]);
        lb_status status =
            lb_serve_policy_load(fed_path(&fx->fed, "policy.yaml"), &diag, &policy);
        if (lb_status_code(status) != LB_CONFIG_INVALID || strstr(diag.text, swaps[i][2]) == NULL)
            fail_msg("\"%s\": wanted \"%s\", got \"%s\"", swaps[i][1], swaps[i][2], diag.text);
    }
    fed_write(&fx->fed, "policy.yaml", lb_span_str(fx_policy_text(fx)));
}

/* Two slots that differ by one addend would tell it. */
static void two_slots_with_a_field_in_common(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_policy *policy = NULL;
    struct lb_diag diag = {""};
    const char *text = fx_policy_text(fx);
    const char *shares = strstr(text, "  - slot:");
    const char *tail = lb_arena_printf(fx->arena, "  - slot: other12%s",
                                       shares + strlen("  - slot: income12"));
    fed_write(&fx->fed, "policy.yaml", lb_span_str(lb_arena_printf(fx->arena, "%s%s", text, tail)));
    assert_code(lb_status_code(
                    lb_serve_policy_load(fed_path(&fx->fed, "policy.yaml"), &diag, &policy)),
                LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "have a field in common"));
    fed_write(&fx->fed, "policy.yaml",
              lb_span_str(lb_arena_printf(fx->arena, "%s%s", text, shares)));
    assert_code(lb_status_code(
                    lb_serve_policy_load(fed_path(&fx->fed, "policy.yaml"), &diag, &policy)),
                LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "stands here twice for one form"));
    fed_write(&fx->fed, "policy.yaml", lb_span_str(text));
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
        TEST(what_is_not_the_approved_sum_is_refused),
        TEST(a_participant_under_another_identity_key),
        TEST(a_participant_that_is_not_listed),
        TEST(bad_policies),
        TEST(two_slots_with_a_field_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
