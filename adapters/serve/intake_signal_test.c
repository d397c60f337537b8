#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture_parcel.h"
#include "adapters/serve/intake_pull.h"
#include "adapters/serve/intake_say.h"
#include "adapters/serve/intake_states.h"

/* A trigger's signals: whom to reach, what may be said of it, and how one ends. */

#define FIRST_OUTREACH LB_INTAKE_TO_CONTACT
#define FIRST_WORD LIANBAN__V1__WORD__KIND__CONTACTED

static struct fixture fx;
static struct lb_intake *intake;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    fx_open_signals(&fx, "");
    intake = lb_serve_intake(fx.serve);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static void hand_in(struct fx_parcel *parcel, const char *code)
{
    struct lb_intake_receipt receipt;
    assert_string_equal(fx_hand_in(&fx, parcel, &receipt), code);
}

static int64_t signal_one(struct fx_parcel *parcel)
{
    fx_parcel_signal(&fx, parcel);
    hand_in(parcel, "DELIVERED");
    return fx_count(&fx, "SELECT max(n) FROM intake");
}

static lb_status say(int64_t n, Lianban__V1__Word__Kind kind)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    const struct lb_intake_saying saying = {.n = n, .by = FX_CLERK, .word = &word, .ack = true};
    int64_t number = 0;
    uint64_t index = 0;
    word.kind = kind;
    return lb_intake_say(intake, &saying, &number, &index);
}

static const char *state_of(int64_t n)
{
    Lianban__V1__ListPartsResponse list = LIANBAN__V1__LIST_PARTS_RESPONSE__INIT;
    assert_ok(lb_intake_list(intake, n - 1, true, fx.arena, &list));
    assert_true(list.n_parts >= 1 && list.parts[0]->number == n);
    return list.parts[0]->state;
}

/* --- what is taken --- */

static void a_signal_is_a_task(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_item item;
    bool found = false;
    (void)state;
    int64_t n = signal_one(&parcel);
    assert_string_equal(state_of(n), "to_contact");
    assert_ok(lb_intake_next(intake, FX_CLERK, fx.arena, &item, &found));
    assert_true(found && item.n == n);
    assert_non_null(memmem(item.json.ptr, item.json.len, "\"kind\": \"signal\"", 16));
    assert_non_null(memmem(item.json.ptr, item.json.len, "\"due\": \"2026-12-01\"", 19));
    assert_ok(say(n, LIANBAN__V1__WORD__KIND__CONTACTED));
    assert_string_equal(state_of(n), "contacted");
    assert_ok(say(n, LIANBAN__V1__WORD__KIND__APPLIED));
    assert_string_equal(state_of(n), "applied");
}

/* Whatever would say more of the person, or be something else than a signal. */
static void nothing_more_is_taken(void **state)
{
    struct fx_parcel parcel;
    static const Lianban__V1__Part__Kind kinds[] = {LIANBAN__V1__PART__KIND__SUBMISSION,
                                                    LIANBAN__V1__PART__KIND__CORRECTION_REQUEST};
    (void)state;
    int64_t before = fx_count(&fx, "SELECT count(*) FROM intake");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.n_facts = 1;
    hand_in(&parcel, "MALFORMED");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.n_papers = 1;
    hand_in(&parcel, "MALFORMED");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.n_people = 2;
    hand_in(&parcel, "MALFORMED");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.note = (char *)(uintptr_t)"he drinks";
    hand_in(&parcel, "MALFORMED");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.class_id = (char *)(uintptr_t)"NONE";
    hand_in(&parcel, "MALFORMED");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.decided_class = (char *)(uintptr_t)"CANDIDATE";
    hand_in(&parcel, "MALFORMED");
    fx_parcel_signal(&fx, &parcel);
    parcel.part.emergency = true;
    hand_in(&parcel, "MALFORMED");
    for (size_t i = 0; i < 2; i++) {
        fx_parcel_honest(&fx, &parcel);
        parcel.part.kind = kinds[i];
        if (i == 1)
            parcel.part.part = (char *)(uintptr_t)"";
        hand_in(&parcel, "PART_UNKNOWN");
    }
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake"), before);
    fx_open_intake(&fx, ""); /* a form that is no trigger */
    intake = lb_serve_intake(fx.serve);
    fx_parcel_signal(&fx, &parcel);
    hand_in(&parcel, "PART_UNKNOWN");
    fx_open_signals(&fx, "");
    intake = lb_serve_intake(fx.serve);
}

/* --- what may be said --- */

/* From a signal no word leads to anything that is against the person, whatever is said in whatever
 * order; and of a submission none of a signal's words is said. */
static void walk_words(Lianban__V1__Part__Kind part, int from)
{
    for (int kind = 0; kind <= LIANBAN__V1__WORD__KIND__NOT_REACHED + 1; kind++) {
        enum lb_intake_state to = LB_INTAKE_NOTED;
        if (lb_intake_after_word(part, (enum lb_intake_state)from, (Lianban__V1__Word__Kind)kind,
                                 &to) != LB_OK)
            continue;
        assert_int_equal(from >= (int)FIRST_OUTREACH, kind >= (int)FIRST_WORD);
        assert_int_equal(from >= (int)FIRST_OUTREACH, to >= FIRST_OUTREACH);
    }
}

static void no_word_is_adverse(void **state)
{
    (void)state;
    for (int from = 0; from < LB_NUM_INTAKE_STATES; from++) {
        for (int part = 0; part <= LIANBAN__V1__PART__KIND__SIGNAL; part++)
            walk_words((Lianban__V1__Part__Kind)part, from);
        for (int kind = 0; kind <= LIANBAN__V1__PART__KIND__SIGNAL + 1; kind++) {
            enum lb_intake_state to = LB_INTAKE_NOTED;
            if (lb_intake_after_part((enum lb_intake_state)from, (Lianban__V1__Part__Kind)kind,
                                     &to) != LB_OK)
                continue;
            assert_int_equal(from >= (int)FIRST_OUTREACH, to >= FIRST_OUTREACH);
            assert_true(from < (int)FIRST_OUTREACH || kind == LIANBAN__V1__PART__KIND__WITHDRAWAL);
        }
    }
}

/* Nor has such a word room for one. */
static void words_of_signals_have_no_text(void **state)
{
    (void)state;
    for (int kind = FIRST_WORD; kind <= LIANBAN__V1__WORD__KIND__NOT_REACHED; kind++) {
        for (int field = 0; field < 6; field++) {
            Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
            char **const texts[] = {&word.text_zh, &word.text_en, &word.law, &word.reference};
            word.kind = (Lianban__V1__Word__Kind)kind;
            assert_ok(lb_intake_word_check(&word));
            if (field < 4)
                *texts[field] = (char *)(uintptr_t)"more";
            else if (field == 4)
                word.until = (char *)(uintptr_t)"2026-12-31";
            else
                word.outcome = LIANBAN__V1__WORD__OUTCOME__REFUSED;
            bool number = field == 3 && kind == LIANBAN__V1__WORD__KIND__APPLIED;
            assert_int_equal(lb_status_code(lb_intake_word_check(&word)),
                             number ? LB_CODE_OK : LB_MALFORMED);
        }
    }
}

/* --- how it ends --- */

static void a_withdrawal_closes_who_was_not_contacted(void **state)
{
    struct fx_parcel parcel, withdrawal;
    struct lb_intake_item item;
    bool found = false;
    (void)state;
    fx_execute_state(&fx, "UPDATE intake SET acked = 1 WHERE acked IS NULL");
    int64_t n = signal_one(&parcel);
    fx_parcel_about(&fx, &withdrawal, &parcel, LIANBAN__V1__PART__KIND__WITHDRAWAL);
    hand_in(&withdrawal, "DELIVERED");
    assert_string_equal(state_of(n), "closed");
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE acked IS NULL"), 0);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE sealed IS NOT NULL"
                                   " AND n >= (SELECT max(about) FROM intake)"), 0);
    assert_code(lb_status_code(lb_intake_show(intake, FX_CLERK, n, fx.arena, &item)),
                LB_PARCEL_UNKNOWN);
    assert_ok(lb_intake_next(intake, FX_CLERK, fx.arena, &item, &found));
    assert_false(found);
    assert_code(lb_status_code(say(n, LIANBAN__V1__WORD__KIND__CONTACTED)), LB_CASE_STATE);
    hand_in(&withdrawal, "DELIVERED"); /* the same once more */
    hand_in(&parcel, "DELIVERED");
    assert_string_equal(state_of(n), "closed");
}

/* Who was told already goes on by their own will. */
static void a_withdrawal_leaves_who_was(void **state)
{
    struct fx_parcel parcel, withdrawal;
    (void)state;
    int64_t n = signal_one(&parcel);
    assert_ok(say(n, LIANBAN__V1__WORD__KIND__CONTACTED));
    fx_parcel_about(&fx, &withdrawal, &parcel, LIANBAN__V1__PART__KIND__WITHDRAWAL);
    hand_in(&withdrawal, "DELIVERED");
    assert_string_equal(state_of(n), "contacted");
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE acked IS NULL"), 0);
    fx_parcel_about(&fx, &withdrawal, &parcel, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    hand_in(&withdrawal, "PART_UNKNOWN");
    assert_ok(say(n, LIANBAN__V1__WORD__KIND__DECLINED));
    assert_code(lb_status_code(say(n, LIANBAN__V1__WORD__KIND__APPLIED)), LB_CASE_STATE);
}

/* A department's program answers cases; whom to reach is a clerk's to see. */
static void no_program_is_given_one(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_taken taken;
    struct lb_intake_item item;
    bool found = true;
    (void)state;
    fx_open_signals(&fx, "  program: {path: /bin/false}\n");
    intake = lb_serve_intake(fx.serve);
    fx_execute_state(&fx, "UPDATE intake SET acked = 1 WHERE acked IS NULL");
    int64_t n = signal_one(&parcel);
    assert_ok(lb_intake_take_for_program(intake, fx.arena, &taken, &found));
    assert_false(found);
    assert_ok(lb_intake_next(intake, FX_CLERK, fx.arena, &item, &found));
    assert_true(found && item.n == n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_is_a_task),
        cmocka_unit_test(nothing_more_is_taken),
        cmocka_unit_test(no_word_is_adverse),
        cmocka_unit_test(words_of_signals_have_no_text),
        cmocka_unit_test(a_withdrawal_closes_who_was_not_contacted),
        cmocka_unit_test(a_withdrawal_leaves_who_was),
        cmocka_unit_test(no_program_is_given_one),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
