#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_parcel.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"

/* Parcels against a department whose policy names one window and what it may hand in. */

#define ROWS "SELECT count(*) FROM intake"
#define BOUNDS "  waiting: {parcels: 40, per_requester: 30}\n"

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    fx_open_intake(&fx, BOUNDS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static void what_is_handed_in_is_stored_with_its_entry(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    uint8_t digest[32];
    (void)state;
    fx_parcel_honest(&fx, &parcel);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
    assert_true(receipt.recorded);
    struct lb_leaf leaf = fx_leaf(&fx, receipt.index);
    assert_int_equal(leaf.type, LB_LEAF_PARCEL);
    assert_string_equal(leaf.code, "DELIVERED");
    assert_memory_equal(leaf.txn, parcel.name, 16);
    lb_sha256(parcel.ciphertext, digest);
    assert_memory_equal(leaf.request_hash, digest, 32);
    const char *detail = fx_detail(&fx, receipt.index);
    assert_non_null(strstr(detail, "\"subject\""));
    assert_non_null(strstr(detail, "\"case\":\"c-1\""));
    assert_null(strstr(detail, FX_ADULT));
    assert_int_equal(fx_count(&fx, ROWS " WHERE acked IS NULL"), 1);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake_person"), 1);
}

/* --- once and only once --- */

static void the_same_again_gets_the_first_receipt(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt first, again;
    int64_t before = fx_count(&fx, ROWS);
    (void)state;
    fx_parcel_honest(&fx, &parcel);
    assert_string_equal(fx_hand_in(&fx, &parcel, &first), "DELIVERED");
    parcel.key_id = "s1";
    for (int i = 0; i < 2; i++) {
        assert_string_equal(fx_hand_in(&fx, &parcel, &again), "DELIVERED");
        assert_int_equal(again.index, first.index);
        assert_int_equal(again.leaf_len, first.leaf_len);
        assert_memory_equal(again.leaf, first.leaf, first.leaf_len);
        if (i == 0)
            fx_restart(&fx);
    }
    assert_int_equal(fx_count(&fx, ROWS), before + 1);
    /* Whatever the policy says by now. */
    fed_write(&fx.fed, "policy.yaml", lb_span_str(fx_policy_of(&fx, "wage.yaml")));
    fx_start_again(&fx);
    assert_string_equal(fx_hand_in(&fx, &parcel, &again), "DELIVERED");
    assert_int_equal(again.index, first.index);
    fx_open_intake(&fx, BOUNDS);
}

static void another_content_is_refused(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    fx_parcel_honest(&fx, &parcel);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
    parcel.part.note = (char *)(uintptr_t)"else";
    parcel.plain = LB_SPAN_EMPTY;
    int64_t before = fx_count(&fx, ROWS);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "PARCEL_CHANGED");
    assert_int_equal(fx_count(&fx, ROWS), before);
}

static void one_frame_with_the_same_twice_stores_it_once(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_routed routed[8];
    struct lb_intake_receipt receipts[8];
    int64_t before = fx_count(&fx, ROWS);
    (void)state;
    fx_parcel_honest(&fx, &parcel);
    for (size_t i = 0; i < 8; i++)
        routed[i] = (struct lb_intake_routed){.parcel = fx_seal_parcel(&fx, &parcel)};
    lb_intake_take(lb_serve_intake(fx.serve), routed, 8, receipts);
    for (size_t i = 0; i < 8; i++) {
        assert_string_equal(receipts[i].code, "DELIVERED");
        assert_int_equal(receipts[i].index, receipts[0].index);
    }
    assert_int_equal(fx_count(&fx, ROWS), before + 1);
}

/* --- what is behind a submission --- */

static void a_part_is_about_the_same_case_of_the_same_sender(void **state)
{
    struct fx_parcel submission, parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    fx_parcel_honest(&fx, &submission);
    assert_string_equal(fx_hand_in(&fx, &submission, &receipt), "DELIVERED");
    fx_parcel_about(&fx, &parcel, &submission, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    parcel.part.case_id = (char *)(uintptr_t)"c-2";
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "PART_UNKNOWN");
    fx_parcel_about(&fx, &parcel, &submission, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    parcel.part.part = (char *)(uintptr_t)"tax.other";
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "PART_UNKNOWN");
    fx_parcel_about(&fx, &parcel, &submission, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
    /* A supplement is no submission. */
    struct fx_parcel behind;
    fx_parcel_about(&fx, &behind, &parcel, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    assert_string_equal(fx_hand_in(&fx, &behind, &receipt), "PART_UNKNOWN");
    fx_parcel_about(&fx, &parcel, &submission, LIANBAN__V1__PART__KIND__WITHDRAWAL);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
    fx_parcel_about(&fx, &parcel, &submission, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "PART_UNKNOWN");
}

static void a_citizen_may_ask_for_a_correction(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    fx_parcel_honest(&fx, &parcel);
    parcel.part.kind = LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    parcel.part.part = (char *)(uintptr_t)"";
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
}

static void who_takes_no_part_hears_of_its_data(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    fx_open_corrections(&fx);
    fx_parcel_honest(&fx, &parcel);
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "PART_UNKNOWN");
    fx_parcel_honest(&fx, &parcel);
    parcel.part.kind = LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    parcel.part.part = (char *)(uintptr_t)"";
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
}

/* --- bounds, keeping, erasing --- */

static void what_waits_is_bounded(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    const char *code = "DELIVERED";
    for (int n = 0; n < 31 && strcmp(code, "DELIVERED") == 0; n++) {
        fx_parcel_honest(&fx, &parcel);
        code = fx_hand_in(&fx, &parcel, &receipt);
    }
    assert_string_equal(code, "INTAKE_FULL");
    assert_int_equal(fx_count(&fx, ROWS " WHERE acked IS NULL"), 30);
}

static bool holds(const char *name, const char *needle)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_ok(lb_file_read(fed_path(&fx.fed, name), LB_FILE_ARENA_BYTES / 2, arena, &bytes));
    return memmem(bytes.ptr, bytes.len, needle, strlen(needle)) != NULL;
}

static void nothing_lies_open_and_erasing_empties(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    fx_erase(&fx, FX_ADULT); /* what waits from before */
    fx_parcel_honest(&fx, &parcel);
    parcel.part.note = (char *)(uintptr_t)"a sentence to be looked for";
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
    static const char *const files[] = {"state/evidence.db", "state/evidence.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        assert_false(holds(files[i], "a sentence to be looked for"));
        assert_false(holds(files[i], FX_ADULT));
        assert_false(holds(files[i], "王小明"));
    }
    int64_t before = fx_count(&fx, ROWS);
    fx_erase(&fx, FX_ADULT);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE sealed IS NOT NULL"), 0);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake_person"), 0);
    assert_int_equal(fx_count(&fx, ROWS), before); /* its name is still known */
    assert_string_equal(fx_hand_in(&fx, &parcel, &receipt), "DELIVERED");
}

static void another_key_is_refused_at_the_start(void **state)
{
    const char *path = fed_path(&fx.fed, "state/intake.key");
    struct lb_diag diag = {""};
    struct lb_serve *serve = NULL;
    (void)state;
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    /* A second one on the same log is enough to see what a start says. */
    const struct lb_serve_options options = {
        .self = FX_ADAPTER, .organization = "tax", .trust = fx.fed.trust, .log = fx.log,
        .log_folder = fed_path(&fx.fed, "state"), .workers = fx.workers,
        .clock = lb_clock_system(), .policy = fx.policy, .plugin = fx.plugin,
        .database = {.location = fx.database}, .num_connections = 1, .ring = fx.ring,
        .pseudonym_key = fx.pseudonym_key, .pseudonym_folder = fed_path(&fx.fed, "pseudonyms"),
        .secrets = &fx.secrets, .closures = fed_path(&fx.fed, "state/closed.yaml"),
    };
    assert_code(lb_status_code(lb_serve_new(&options, &diag, &serve)), LB_FILE_FAILED);
    assert_non_null(strstr(diag.text, "intake.key"));
    fed_write(&fx.fed, "state/intake.key",
              lb_span_str("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"));
    assert_code(lb_status_code(lb_serve_new(&options, &diag, &serve)), LB_CONFIG_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_handed_in_is_stored_with_its_entry),
        cmocka_unit_test(the_same_again_gets_the_first_receipt),
        cmocka_unit_test(another_content_is_refused),
        cmocka_unit_test(one_frame_with_the_same_twice_stores_it_once),
        cmocka_unit_test(a_part_is_about_the_same_case_of_the_same_sender),
        cmocka_unit_test(a_citizen_may_ask_for_a_correction),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(nothing_lies_open_and_erasing_empties),
        cmocka_unit_test(who_takes_no_part_hears_of_its_data),
        cmocka_unit_test(another_key_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
