#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture_parcel.h"
#include "gateway/store/store.h"
#include "gateway/wire/pb.h"

/* Parcels with one thing wrong at a time: each is refused by its code, recorded, and not stored. */

static struct fixture fx;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    fx_open_intake(&fx, "");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static void sender_unlisted(struct fx_parcel *parcel)
{
    parcel->sender = "spiffe://test.gov/window/nobody";
}

static void sender_a_department(struct fx_parcel *parcel)
{
    parcel->sender = FX_FINANCE;
    parcel->from = &fx.finance;
}

static void sender_not_named(struct fx_parcel *parcel)
{
    parcel->sender = FX_OTHER_WINDOW;
    parcel->from = &fx.other;
    parcel->token_org = "other-office";
    parcel->token_key = fx.other.issuer_key;
}

static void forged_sender(struct fx_parcel *parcel)
{
    parcel->from = &fx.other; /* in the window's name */
}

static void sealed_to_another(struct fx_parcel *parcel)
{
    parcel->to = fx.finance.seal.public_key;
}

static void retired_key(struct fx_parcel *parcel)
{
    parcel->key_id = "s0";
}

static void another_instance(struct fx_parcel *parcel)
{
    parcel->recipient = FX_FINANCE;
}

static void expired(struct fx_parcel *parcel)
{
    parcel->expires_unix_s = lb_clock_unix_s(lb_clock_system()) - 1;
}

static void ends_too_late(struct fx_parcel *parcel)
{
    parcel->expires_unix_s += 90 * 86400;
}

static void made_in_the_future(struct fx_parcel *parcel)
{
    parcel->sealed.made_unix_s += 600;
}

static void made_long_ago(struct fx_parcel *parcel)
{
    parcel->sealed.made_unix_s -= 91 * 86400;
}

static void newer_version(struct fx_parcel *parcel)
{
    parcel->sealed.version = 2;
}

static void a_word(struct fx_parcel *parcel)
{
    static Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    parcel->sealed.body_case = LIANBAN__V1__SEALED_PARCEL__BODY_WORD;
    parcel->sealed.word = &word;
}

static void not_a_message(struct fx_parcel *parcel)
{
    parcel->plain = lb_span_str("\xff\xff\xff");
}

static void token_of_another(struct fx_parcel *parcel)
{
    parcel->token_org = "other-office";
    parcel->token_key = fx.other.issuer_key;
}

static void token_forged(struct fx_parcel *parcel)
{
    parcel->token_key = fx.other.issuer_key;
}

static void token_over_when_made(struct fx_parcel *parcel)
{
    struct fx_parcel later;
    fx_parcel_honest(&fx, &later);
    (void)fx_seal_parcel(&fx, &later);
    parcel->sealed.made_unix_s -= 1000;
    parcel->part.operator_token = later.part.operator_token;
}

static void form_unlisted(struct fx_parcel *parcel)
{
    parcel->part.form = (char *)(uintptr_t)"nothing";
}

static void form_of_another_hash(struct fx_parcel *parcel)
{
    static uint8_t other[32];
    parcel->part.form_sha256 = lb_pb_bytes(lb_span_of(other, 32));
}

static void part_not_named(struct fx_parcel *parcel)
{
    parcel->part.part = (char *)(uintptr_t)"finance.payout";
}

static void kind_unknown(struct fx_parcel *parcel)
{
    parcel->part.kind = (Lianban__V1__Part__Kind)9;
}

static void about_itself(struct fx_parcel *parcel)
{
    parcel->part.about = lb_pb_bytes(lb_span_of(parcel->name, 16));
}

static void supplement_of_nothing(struct fx_parcel *parcel)
{
    parcel->part.kind = LIANBAN__V1__PART__KIND__SUPPLEMENT;
}

static void supplement_of_what_is_not_here(struct fx_parcel *parcel)
{
    static uint8_t other[16] = "another name";
    parcel->part.kind = LIANBAN__V1__PART__KIND__SUPPLEMENT;
    parcel->part.about = lb_pb_bytes(lb_span_of(other, 16));
}

static void nobody(struct fx_parcel *parcel)
{
    parcel->part.n_people = 0;
}

static void a_crowd(struct fx_parcel *parcel)
{
    parcel->part.n_people = LB_MAX_HOUSEHOLD + 1;
}

static void wrong_check_digit(struct fx_parcel *parcel)
{
    parcel->person.id_no = (char *)(uintptr_t)"990101198001012011";
}

static void two_lines(struct fx_parcel *parcel)
{
    parcel->part.note = (char *)(uintptr_t)"one\nother";
}

static void fact_about_nobody(struct fx_parcel *parcel)
{
    parcel->fact.person = 1;
}

static void too_many_facts(struct fx_parcel *parcel)
{
    parcel->part.n_facts = LB_INTAKE_MAX_FACTS + 1;
}

static void unknown_grade(struct fx_parcel *parcel)
{
    parcel->fact.grade = (char *)(uintptr_t)"E";
}

static void no_day(struct fx_parcel *parcel)
{
    parcel->part.due = (char *)(uintptr_t)"2026-02-30";
}

static const struct {
    void (*spoil)(struct fx_parcel *parcel);
    const char *code;
} ATTACKS[] = {
    {sender_unlisted, "PEER_UNLISTED"},
    {sender_a_department, "PEER_UNLISTED"},
    {sender_not_named, "INTAKE_CLOSED"},
    {forged_sender, "KEY_RETIRED"},
    {sealed_to_another, "SEAL_BROKEN"},
    {retired_key, "KEY_RETIRED"},
    {another_instance, "MALFORMED"},
    {expired, "PARCEL_EXPIRED"},
    {ends_too_late, "MALFORMED"},
    {made_in_the_future, "MALFORMED"},
    {made_long_ago, "PARCEL_EXPIRED"},
    {newer_version, "VERSION_UNSUPPORTED"},
    {a_word, "MALFORMED"},
    {not_a_message, "MALFORMED"},
    {token_of_another, "OPERATOR_TOKEN_INVALID"},
    {token_forged, "OPERATOR_TOKEN_INVALID"},
    {token_over_when_made, "OPERATOR_TOKEN_INVALID"},
    {form_unlisted, "FORM_UNKNOWN"},
    {form_of_another_hash, "FORM_UNKNOWN"},
    {part_not_named, "PART_UNKNOWN"},
    {kind_unknown, "MALFORMED"},
    {about_itself, "MALFORMED"},
    {supplement_of_nothing, "MALFORMED"},
    {supplement_of_what_is_not_here, "PARCEL_UNKNOWN"},
    {nobody, "MALFORMED"},
    {a_crowd, "MALFORMED"},
    {wrong_check_digit, "MALFORMED"},
    {two_lines, "MALFORMED"},
    {fact_about_nobody, "MALFORMED"},
    {too_many_facts, "MALFORMED"},
    {unknown_grade, "MALFORMED"},
    {no_day, "MALFORMED"},
};

static void attacks_are_refused_and_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ATTACKS) / sizeof(ATTACKS[0]); i++) {
        struct fx_parcel parcel;
        struct lb_intake_receipt receipt;
        fx_parcel_honest(&fx, &parcel);
        ATTACKS[i].spoil(&parcel);
        const char *code = fx_hand_in(&fx, &parcel, &receipt);
        if (strcmp(code, ATTACKS[i].code) != 0)
            fail_msg("attack %zu: %s, not %s", i, code, ATTACKS[i].code);
        assert_true(receipt.recorded);
        struct lb_leaf leaf = fx_leaf(&fx, receipt.index);
        assert_int_equal(leaf.type, LB_LEAF_PARCEL);
        assert_string_equal(leaf.code, ATTACKS[i].code);
    }
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake"), 0);
}

static void a_changed_byte_anywhere_opens_nothing(void **state)
{
    struct fx_parcel parcel;
    struct lb_intake_receipt receipt;
    (void)state;
    fx_parcel_honest(&fx, &parcel);
    struct lb_intake_routed routed = {.parcel = fx_seal_parcel(&fx, &parcel)};
    Lianban__V1__Parcel *wire = (Lianban__V1__Parcel *)(uintptr_t)routed.parcel;
    uint8_t *const bytes[] = {wire->name.data, wire->sealed->enc.data,
                              wire->sealed->ciphertext.data + 100};
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        *bytes[i] ^= 1;
        lb_intake_take(lb_serve_intake(fx.serve), &routed, 1, &receipt);
        assert_string_equal(receipt.code, "SEAL_BROKEN");
        *bytes[i] ^= 1;
    }
    /* Another's seal under the window's own key's name. */
    parcel.from = &fx.other;
    const struct lb_intake_routed forged = {.parcel = fx_seal_parcel(&fx, &parcel)};
    forged.parcel->sealed->sender_key =
        lb_pb_bytes(lb_span_of(fx.window.seal.public_key, LB_X25519_BYTES));
    lb_intake_take(lb_serve_intake(fx.serve), &forged, 1, &receipt);
    assert_string_equal(receipt.code, "SEAL_BROKEN");
    wire->expires_unix_s++;
    lb_intake_take(lb_serve_intake(fx.serve), &routed, 1, &receipt);
    assert_string_equal(receipt.code, "SEAL_BROKEN");
    wire->expires_unix_s--;
    wire->sealed->ciphertext.len -= 16;
    lb_intake_take(lb_serve_intake(fx.serve), &routed, 1, &receipt);
    assert_string_equal(receipt.code, "MALFORMED");
    wire->sealed->ciphertext.len = 0;
    lb_intake_take(lb_serve_intake(fx.serve), &routed, 1, &receipt);
    assert_string_not_equal(receipt.code, "DELIVERED");
    wire->sealed = NULL;
    lb_intake_take(lb_serve_intake(fx.serve), &routed, 1, &receipt);
    assert_string_equal(receipt.code, "MALFORMED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_are_refused_and_recorded),
        cmocka_unit_test(a_changed_byte_anywhere_opens_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
