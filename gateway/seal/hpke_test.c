#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/hex.h"
#include "gateway/seal/hpke.h"
#include "gateway/seal/hpke_vectors.h"

static struct lb_span hex(const char *text, uint8_t *out)
{
    size_t len = strlen(text) / 2;
    assert_true(lb_hex_decode(lb_span_str(text), out, len) == LB_OK);
    return lb_span_of(out, len);
}

static struct lb_x25519_key key_of(const char *private_hex, const char *public_hex)
{
    uint8_t private_key[32];
    uint8_t public_key[32];
    struct lb_x25519_key key;
    hex(private_hex, private_key);
    hex(public_hex, public_key);
    assert_true(lb_x25519_from_private(private_key, &key) == LB_OK);
    assert_memory_equal(key.public_key, public_key, 32);
    return key;
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    uint8_t wanted[64];
    assert_int_equal(hex(expected, wanted).len, len);
    assert_memory_equal(bytes, wanted, len);
}

static void check_context(const struct vector *v, const struct lb_hpke_context *context)
{
    assert_hex(context->key, sizeof(context->key), v->key);
    assert_hex(context->base_nonce, sizeof(context->base_nonce), v->base_nonce);
    assert_hex(context->exporter_secret, sizeof(context->exporter_secret), v->exporter_secret);
    for (size_t i = 0; i < 3; i++) {
        uint8_t exporter[16];
        uint8_t value[32];
        lb_hpke_export(context, hex(v->exports[i].context, exporter), value, sizeof(value));
        assert_hex(value, sizeof(value), v->exports[i].value);
    }
}

static void check_encryptions(const struct vector *v, const struct lb_hpke_context *context)
{
    /* From the last to the first: the order does not matter. */
    for (size_t i = 6; i-- > 0;) {
        uint8_t sealed[SEALED_BYTES];
        uint8_t plain[PLAIN_BYTES];
        struct lb_span aad = lb_span_str(v->encryptions[i].aad);
        uint64_t seq = v->encryptions[i].seq;
        assert_true(lb_hpke_seal(context, seq, aad, lb_span_str(PLAIN), sealed) == LB_OK);
        assert_hex(sealed, sizeof(sealed), v->encryptions[i].sealed);
        assert_true(lb_hpke_open(context, seq, aad, lb_span_of(sealed, sizeof(sealed)), plain) ==
                    LB_OK);
        assert_memory_equal(plain, PLAIN, PLAIN_BYTES);
    }
}

static void check_vector(const struct vector *v)
{
    struct lb_x25519_key ephemeral = key_of(v->ephemeral_private, v->enc);
    struct lb_x25519_key recipient = key_of(v->recipient_private, v->recipient_public);
    struct lb_x25519_key sender = {.private_key = {0}};
    bool has_sender = v->sender_private != NULL;
    if (has_sender)
        sender = key_of(v->sender_private, v->sender_public);
    struct lb_hpke_context context;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    assert_true(lb_hpke_setup_sender_with(&ephemeral, recipient.public_key, lb_span_str(INFO),
                                          has_sender ? &sender : NULL, enc, &context) == LB_OK);
    assert_hex(enc, sizeof(enc), v->enc);
    check_context(v, &context);
    check_encryptions(v, &context);
    lb_hpke_context_wipe(&context);
    assert_true(lb_hpke_setup_recipient(&recipient, enc, lb_span_str(INFO),
                                        has_sender ? sender.public_key : NULL, &context) == LB_OK);
    check_context(v, &context);
    check_encryptions(v, &context);
}

static void base_mode_gives_a_1_1(void **state)
{
    (void)state;
    check_vector(&rfc_9180_a_1_1);
}

static void auth_mode_gives_a_1_3(void **state)
{
    (void)state;
    check_vector(&rfc_9180_a_1_3);
}

struct pair {
    struct lb_x25519_key sender;
    struct lb_x25519_key recipient;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    struct lb_hpke_context context;
    uint8_t sealed[SEALED_BYTES];
};

static struct pair make_pair(void)
{
    struct pair p;
    assert_true(lb_x25519_generate(&p.sender) == LB_OK);
    assert_true(lb_x25519_generate(&p.recipient) == LB_OK);
    assert_true(lb_hpke_setup_sender(p.recipient.public_key, lb_span_str(INFO), &p.sender, p.enc,
                                     &p.context) == LB_OK);
    assert_true(lb_hpke_seal(&p.context, 7, lb_span_str("aad"), lb_span_str(PLAIN), p.sealed) ==
                LB_OK);
    return p;
}

/* Sets up with what is given and opens the pair's message 7. */
static enum lb_code try_open(const struct pair *p, const struct lb_x25519_key *recipient,
                             const uint8_t *enc, const char *info, const uint8_t *sender)
{
    struct lb_hpke_context context;
    uint8_t plain[PLAIN_BYTES];
    lb_status status =
        lb_hpke_setup_recipient(recipient, enc, lb_span_str(info), sender, &context);
    if (status == LB_OK)
        status = lb_hpke_open(&context, 7, lb_span_str("aad"),
                              lb_span_of(p->sealed, sizeof(p->sealed)), plain);
    return lb_status_code(status);
}

static void only_the_right_keys_and_info_open(void **state)
{
    (void)state;
    struct pair p = make_pair();
    struct pair other = make_pair();
    const uint8_t *sender = p.sender.public_key;
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, sender), LB_CODE_OK);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, other.sender.public_key),
                     LB_SEAL_BROKEN);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, NULL), LB_SEAL_BROKEN);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, p.recipient.public_key),
                     LB_SEAL_BROKEN);
    assert_int_equal(try_open(&p, &other.recipient, p.enc, INFO, sender), LB_SEAL_BROKEN);
    assert_int_equal(try_open(&p, &p.recipient, other.enc, INFO, sender), LB_SEAL_BROKEN);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO ".", sender), LB_SEAL_BROKEN);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, "", sender), LB_SEAL_BROKEN);
    for (size_t bit = 0; bit < 8 * sizeof(p.enc); bit++) {
        p.enc[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, sender), LB_SEAL_BROKEN);
        p.enc[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* A base-mode message is not taken for an authenticated one of anybody. */
static void modes_do_not_mix(void **state)
{
    (void)state;
    struct pair p = make_pair();
    assert_true(lb_hpke_setup_sender(p.recipient.public_key, lb_span_str(INFO), NULL, p.enc,
                                     &p.context) == LB_OK);
    assert_true(lb_hpke_seal(&p.context, 7, lb_span_str("aad"), lb_span_str(PLAIN), p.sealed) ==
                LB_OK);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, NULL), LB_CODE_OK);
    assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, p.sender.public_key), LB_SEAL_BROKEN);
}

static enum lb_code open_at(const struct pair *p, uint64_t seq, const char *aad,
                            struct lb_span sealed)
{
    static const uint8_t zeros[PLAIN_BYTES];
    uint8_t plain[PLAIN_BYTES + 1];
    memset(plain, 0, sizeof(plain));
    lb_status status = lb_hpke_open(&p->context, seq, lb_span_str(aad), sealed, plain);
    if (status != LB_OK)
        assert_memory_equal(plain, zeros, PLAIN_BYTES);
    return lb_status_code(status);
}

static void wrong_number_aad_or_bytes_do_not_open(void **state)
{
    (void)state;
    struct pair p = make_pair();
    struct lb_span whole = lb_span_of(p.sealed, sizeof(p.sealed));
    assert_int_equal(open_at(&p, 7, "aad", whole), LB_CODE_OK);
    static const uint64_t wrong[] = {0, 6, 8, 7 + 256, UINT64_C(7) << 32, UINT64_MAX};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(open_at(&p, wrong[i], "aad", whole), LB_SEAL_BROKEN);
    assert_int_equal(open_at(&p, 7, "aae", whole), LB_SEAL_BROKEN);
    assert_int_equal(open_at(&p, 7, "", whole), LB_SEAL_BROKEN);
    for (size_t len = 0; len < sizeof(p.sealed); len++)
        assert_int_equal(open_at(&p, 7, "aad", lb_span_of(p.sealed, len)), LB_SEAL_BROKEN);
    for (size_t bit = 0; bit < 8 * sizeof(p.sealed); bit++) {
        p.sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(open_at(&p, 7, "aad", whole), LB_SEAL_BROKEN);
        p.sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void the_largest_number_works(void **state)
{
    (void)state;
    struct pair p = make_pair();
    uint8_t plain[PLAIN_BYTES];
    struct lb_span none = LB_SPAN_EMPTY;
    assert_true(lb_hpke_seal(&p.context, UINT64_MAX, none, lb_span_str(PLAIN), p.sealed) == LB_OK);
    assert_true(lb_hpke_open(&p.context, UINT64_MAX, none, lb_span_of(p.sealed, sizeof(p.sealed)),
                             plain) == LB_OK);
    assert_memory_equal(plain, PLAIN, PLAIN_BYTES);
}

static void keys_of_small_order_are_refused(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    struct pair p = make_pair();
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        uint8_t point[32];
        uint8_t enc[32];
        struct lb_hpke_context out;
        hex(points[i], point);
        assert_int_equal(try_open(&p, &p.recipient, point, INFO, p.sender.public_key),
                         LB_SEAL_BROKEN);
        assert_int_equal(try_open(&p, &p.recipient, p.enc, INFO, point), LB_SEAL_BROKEN);
        assert_int_equal(
            lb_status_code(lb_hpke_setup_sender(point, lb_span_str(INFO), NULL, enc, &out)),
            LB_CRYPTO_FAILED);
    }
}

static void contexts_are_fresh_and_wiped(void **state)
{
    (void)state;
    struct pair p = make_pair();
    struct lb_hpke_context again;
    static const struct lb_hpke_context empty;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    assert_true(lb_hpke_setup_sender(p.recipient.public_key, lb_span_str(INFO), &p.sender, enc,
                                     &again) == LB_OK);
    assert_memory_not_equal(enc, p.enc, sizeof(enc));
    assert_memory_not_equal(again.key, p.context.key, sizeof(again.key));
    lb_hpke_context_wipe(&again);
    assert_memory_equal(&again, &empty, sizeof(again));
}

static void one_shot_sealing_opens_only_whole(void **state)
{
    (void)state;
    struct lb_x25519_key key;
    struct lb_x25519_key other;
    uint8_t sealed[32 + LB_HPKE_BASE_OVERHEAD];
    uint8_t secret[32];
    uint8_t back[32];
    memset(secret, 0x5a, sizeof(secret));
    struct lb_span info = lb_span_str("detail key");
    struct lb_span aad = lb_span_str("subject");
    struct lb_span whole = lb_span_of(sealed, sizeof(sealed));
    assert_true(lb_x25519_generate(&key) == LB_OK);
    assert_true(lb_x25519_generate(&other) == LB_OK);
    assert_true(lb_hpke_seal_base(key.public_key, info, aad, lb_span_of(secret, 32), sealed) ==
                LB_OK);
    assert_true(lb_hpke_open_base(&key, info, aad, whole, back) == LB_OK);
    assert_memory_equal(back, secret, sizeof(back));
    assert_int_equal(lb_status_code(lb_hpke_open_base(&other, info, aad, whole, back)),
                     LB_SEAL_BROKEN);
    assert_int_equal(lb_status_code(lb_hpke_open_base(&key, aad, aad, whole, back)),
                     LB_SEAL_BROKEN);
    assert_int_equal(lb_status_code(lb_hpke_open_base(&key, info, info, whole, back)),
                     LB_SEAL_BROKEN);
    for (size_t len = 0; len < sizeof(sealed); len++) {
        struct lb_span cut = lb_span_of(sealed, len);
        assert_int_equal(lb_status_code(lb_hpke_open_base(&key, info, aad, cut, back)),
                         LB_SEAL_BROKEN);
    }
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 1;
        assert_int_equal(lb_status_code(lb_hpke_open_base(&key, info, aad, whole, back)),
                         LB_SEAL_BROKEN);
        sealed[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_mode_gives_a_1_1),
        cmocka_unit_test(auth_mode_gives_a_1_3),
        cmocka_unit_test(only_the_right_keys_and_info_open),
        cmocka_unit_test(modes_do_not_mix),
        cmocka_unit_test(wrong_number_aad_or_bytes_do_not_open),
        cmocka_unit_test(the_largest_number_works),
        cmocka_unit_test(keys_of_small_order_are_refused),
        cmocka_unit_test(contexts_are_fresh_and_wiped),
        cmocka_unit_test(one_shot_sealing_opens_only_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
