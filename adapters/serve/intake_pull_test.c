#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_parcel.h"
#include "adapters/serve/intake_pull.h"
#include "adapters/serve/intake_say.h"
#include "gateway/json/json.h"

/* What a department's clerks take out. */

static struct fixture fx;
static struct lb_intake *intake;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    fx_open_intake(&fx, "  keep_days: 0\n");
    intake = lb_serve_intake(fx.serve);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static void hand_in(const char *case_id)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    fx_parcel_honest(&fx, &parcel);
    parcel.part.case_id = (char *)(uintptr_t)case_id;
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
}

static int64_t next(const char *by)
{
    struct lb_intake_item item = {.n = 0};
    bool found = false;
    assert_ok(lb_intake_next(intake, by, fx.arena, &item, &found));
    return found ? item.n : 0;
}

/* As if the lease were over. */
static void end_leases(void)
{
    fx_execute_state(&fx, "UPDATE intake SET leased = 0");
}

static void two_clerks_never_get_the_same(void **state)
{
    (void)state;
    hand_in("c-1");
    hand_in("c-2");
    hand_in("c-3");
    assert_int_equal(next(FX_CLERK), 1);
    assert_int_equal(next(FX_OTHER_CLERK), 2);
    assert_int_equal(next(FX_CLERK), 3);
    assert_int_equal(next(FX_CLERK), 0);
    end_leases();
    assert_int_equal(next(FX_OTHER_CLERK), 1); /* the first one's clerk never came back */
    uint64_t index = 0;
    assert_ok(lb_intake_ack(intake, FX_OTHER_CLERK, 1, &index));
    assert_string_equal(fx_leaf(&fx, index).code, "ACKED");
    assert_ok(lb_intake_ack(intake, FX_OTHER_CLERK, 1, &index)); /* once more is fine */
    end_leases();
    assert_int_equal(next(FX_CLERK), 2);
    assert_code(lb_status_code(lb_intake_ack(intake, FX_CLERK, 99, &index)), LB_PARCEL_UNKNOWN);
}

static const struct lb_json *object_at(const struct lb_json *json, const char *key)
{
    const struct lb_json *list = NULL;
    assert_ok(lb_json_get_array(json, key, &list));
    assert_int_equal(lb_json_len(list), 1);
    return lb_json_at(list, 0);
}

static void assert_text(const struct lb_json *json, const char *key, const char *want)
{
    struct lb_span text = LB_SPAN_EMPTY;
    assert_ok(lb_json_get_str(json, key, &text));
    assert_true(lb_span_eq(text, lb_span_str(want)));
}

static void a_part_is_shown_with_an_entry_about_its_person(void **state)
{
    struct lb_intake_item item = {.n = 0};
    struct lb_json *json = NULL;
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    int64_t number = 0;
    uint64_t index = 0;
    (void)state;
    word.kind = LIANBAN__V1__WORD__KIND__ACCEPTED;
    word.reference = (char *)(uintptr_t)"A-1";
    const struct lb_intake_saying saying = {2, FX_CLERK, &word, true};
    assert_ok(lb_intake_say(intake, &saying, &number, &index));
    const char *said = fx_detail(&fx, index);
    assert_non_null(strstr(said, FX_CLERK));
    assert_ok(lb_intake_show(intake, FX_CLERK, 2, fx.arena, &item));
    struct lb_leaf leaf = fx_leaf(&fx, item.index);
    assert_int_equal(leaf.type, LB_LEAF_PARCEL);
    assert_string_equal(leaf.code, "SHOWN");
    assert_non_null(strstr(fx_detail(&fx, item.index), FX_CLERK));
    assert_ok(lb_json_parse(item.json, &json));
    assert_text(json, "case", "c-2");
    assert_text(json, "kind", "submission");
    assert_text(json, "state", "accepted");
    assert_text(object_at(json, "people"), "id_no", FX_ADULT);
    assert_text(object_at(json, "facts"), "shown", "12,000.00");
    assert_text(object_at(json, "papers"), "title", "户口簿");
    assert_text(object_at(json, "words"), "reference", "A-1");
    assert_null(strstr((const char *)item.json.ptr, "operator_token"));
    lb_json_free(json);
}

static void the_list_names_nobody(void **state)
{
    Lianban__V1__ListPartsResponse list = LIANBAN__V1__LIST_PARTS_RESPONSE__INIT;
    (void)state;
    assert_ok(lb_intake_list(intake, 0, true, fx.arena, &list));
    assert_int_equal(list.n_parts, 3);
    assert_false(list.more);
    assert_string_equal(list.parts[1]->state, "accepted");
    assert_string_equal(list.parts[2]->case_id, "c-3");
    assert_true(list.parts[2]->waiting);
    assert_ok(lb_intake_list(intake, 0, false, fx.arena, &list));
    assert_int_equal(list.n_parts, 1); /* two were acknowledged */
    assert_ok(lb_intake_list(intake, 3, true, fx.arena, &list));
    assert_int_equal(list.n_parts, 0);
}

/* keep_days: 0, so what was taken out goes at the next purge, and its name stays. */
static void what_was_taken_out_is_not_kept(void **state)
{
    struct lb_intake_item item = {.n = 0};
    (void)state;
    fx_restart(&fx);
    intake = lb_serve_intake(fx.serve);
    for (int i = 0; i < 3000 && fx_count(&fx, "SELECT count(*) FROM intake"
                                              " WHERE sealed IS NOT NULL") > 1; i++)
        (void)usleep(10000);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE sealed IS NOT NULL"), 1);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake"), 3);
    assert_code(lb_status_code(lb_intake_show(intake, FX_CLERK, 1, fx.arena, &item)),
                LB_PARCEL_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clerks_never_get_the_same),
        cmocka_unit_test(a_part_is_shown_with_an_entry_about_its_person),
        cmocka_unit_test(the_list_names_nobody),
        cmocka_unit_test(what_was_taken_out_is_not_kept),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
