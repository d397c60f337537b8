#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/padded.h"
#include "gateway/seal/parcel.h"

#define SENDER "spiffe://f/window/hall"
#define RECIPIENT "spiffe://f/adapter/tax/1"
#define KEY_ID "k1"
#define ENDS INT64_C(1800000000)

struct world {
    struct lb_arena *arena;
    struct lb_x25519_key sender, recipient, stranger;
    struct lb_parcel_cover cover;
};

static int begin(void **state)
{
    static struct world world;
    world = (struct world){.arena = lb_arena_new(1 << 20),
                           .cover = {.sender = SENDER, .recipient = RECIPIENT, .key_id = KEY_ID,
                                     .expires_unix_s = ENDS}};
    memset(world.cover.name, 7, sizeof(world.cover.name));
    *state = &world;
    bool made = lb_x25519_generate(&world.sender) == LB_OK &&
                lb_x25519_generate(&world.recipient) == LB_OK &&
                lb_x25519_generate(&world.stranger) == LB_OK;
    return made && world.arena != NULL ? 0 : -1;
}

static int end(void **state)
{
    lb_arena_free(((struct world *)*state)->arena);
    return 0;
}

static void seal(struct world *world, struct lb_span message, struct lb_parcel_sealed *out)
{
    assert_true(lb_parcel_seal(&world->cover, world->recipient.public_key, &world->sender, message,
                               world->arena, out) == LB_OK);
}

static lb_status open_as(struct world *world, const struct lb_parcel_cover *cover,
                         const struct lb_parcel_sealed *sealed)
{
    struct lb_span message = LB_SPAN_EMPTY;
    lb_status status = lb_parcel_open(cover, &world->recipient, world->sender.public_key, sealed,
                                      world->arena, &message);
    assert_true(status == LB_OK || message.len == 0);
    return status;
}

/* The bytes of docs/PROTOCOL.md by hand, over HPKE as RFC 9180's vectors prove it. */
static void its_bytes_are_the_documented_ones(void **state)
{
    struct world *world = *state;
    static const char info[] = "lianban parcel v1"
                               "\x00\x16" SENDER "\x00\x18" RECIPIENT "\x00\x02" KEY_ID;
    static const char aad_input[] = "lianban parcel aad v1"
                                    "\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7\7"
                                    "\x00\x00\x00\x00\x6b\x49\xd2\x00";
    struct lb_parcel_sealed sealed;
    struct lb_hpke_context context;
    uint8_t aad[LB_SHA256_BYTES];
    static uint8_t plain[LB_PARCEL_STEP_BYTES];
    seal(world, lb_span_str("a part"), &sealed);
    assert_int_equal(sealed.ciphertext.len, LB_PARCEL_STEP_BYTES + 16);
    lb_sha256(lb_span_of(aad_input, sizeof(aad_input) - 1), aad);
    assert_true(lb_hpke_setup_recipient(&world->recipient, sealed.enc,
                                        lb_span_of(info, sizeof(info) - 1),
                                        world->sender.public_key, &context) == LB_OK);
    assert_true(lb_hpke_open(&context, 0, lb_span_of(aad, sizeof(aad)), sealed.ciphertext,
                             plain) == LB_OK);
    assert_memory_equal(plain, "\0\0\0\x06" "a part\0", 11);
}

static void what_is_sealed_opens_whatever_its_length(void **state)
{
    struct world *world = *state;
    static uint8_t message[LB_MAX_PARCEL_BYTES];
    memset(message, 'x', sizeof(message));
    static const size_t lengths[] = {0, 1, 4092, 4093, 8188,
                                     LB_MAX_PARCEL_BYTES - LB_PARCEL_STEP_BYTES - 4};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct lb_parcel_sealed sealed;
        struct lb_span opened;
        seal(world, lb_span_of(message, lengths[i]), &sealed);
        assert_int_equal(sealed.ciphertext.len % LB_PARCEL_STEP_BYTES, 16);
        assert_true(lb_parcel_open(&world->cover, &world->recipient, world->sender.public_key,
                                   &sealed, world->arena, &opened) == LB_OK);
        assert_true(lb_span_eq(opened, lb_span_of(message, lengths[i])));
    }
    struct lb_parcel_sealed sealed;
    size_t beyond = LB_MAX_PARCEL_BYTES - LB_PARCEL_STEP_BYTES - 3;
    assert_int_equal(lb_status_code(lb_parcel_seal(&world->cover, world->recipient.public_key,
                                                   &world->sender, lb_span_of(message, beyond),
                                                   world->arena, &sealed)),
                     LB_TOO_LARGE);
    assert_int_equal(lb_status_code(lb_parcel_seal(&world->cover, world->recipient.public_key,
                                                   &world->sender, lb_span_of(message, SIZE_MAX),
                                                   world->arena, &sealed)),
                     LB_TOO_LARGE);
}

static void nothing_of_its_cover_can_be_changed(void **state)
{
    struct world *world = *state;
    struct lb_parcel_sealed sealed;
    seal(world, lb_span_str("a part"), &sealed);
    struct lb_parcel_cover cover = world->cover;
    cover.sender = "spiffe://f/window/other";
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_SEAL_BROKEN);
    cover = world->cover;
    cover.recipient = "spiffe://f/adapter/tax/2";
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_SEAL_BROKEN);
    cover = world->cover;
    cover.key_id = "k2";
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_SEAL_BROKEN);
    cover = world->cover;
    cover.name[15] ^= 1;
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_SEAL_BROKEN);
    cover = world->cover;
    cover.expires_unix_s++;
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_SEAL_BROKEN);
    cover.expires_unix_s = -1;
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_MALFORMED);
    cover = world->cover;
    cover.key_id = "";
    assert_int_equal(lb_status_code(open_as(world, &cover, &sealed)), LB_MALFORMED);
}

static void nobody_else_seals_or_opens_it(void **state)
{
    struct world *world = *state;
    struct lb_parcel_sealed sealed;
    struct lb_span message;
    seal(world, lb_span_str("a part"), &sealed);
    assert_int_equal(lb_status_code(lb_parcel_open(&world->cover, &world->stranger,
                                                   world->sender.public_key, &sealed, world->arena,
                                                   &message)),
                     LB_SEAL_BROKEN);
    assert_true(lb_parcel_seal(&world->cover, world->recipient.public_key, &world->stranger,
                               lb_span_str("a part"), world->arena, &sealed) == LB_OK);
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &sealed)), LB_SEAL_BROKEN);
}

static void a_damaged_one_does_not_open(void **state)
{
    struct world *world = *state;
    struct lb_parcel_sealed sealed, cut;
    seal(world, lb_span_str("a part"), &sealed);
    cut = sealed;
    cut.ciphertext.len--;
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &cut)), LB_MALFORMED);
    cut.ciphertext.len = 16;
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &cut)), LB_MALFORMED);
    cut.ciphertext.len = 0;
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &cut)), LB_MALFORMED);
    cut.ciphertext.len = LB_MAX_PARCEL_BYTES + 1;
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &cut)), LB_TOO_LARGE);
    uint8_t *bytes = (uint8_t *)(uintptr_t)sealed.ciphertext.ptr;
    bytes[100] ^= 1;
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &sealed)), LB_SEAL_BROKEN);
    bytes[100] ^= 1;
    sealed.enc[0] ^= 1;
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &sealed)), LB_SEAL_BROKEN);
    memset(sealed.enc, 0, sizeof(sealed.enc));
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &sealed)), LB_SEAL_BROKEN);
}

/* A sender could say something with how much it pads. */
static void it_is_padded_in_one_way_only(void **state)
{
    struct world *world = *state;
    static const char info[] = "lianban parcel v1"
                               "\x00\x16" SENDER "\x00\x18" RECIPIENT "\x00\x02" KEY_ID;
    static uint8_t ciphertext[2 * LB_PARCEL_STEP_BYTES + 16];
    struct lb_parcel_sealed sealed = {
        .ciphertext = {ciphertext, sizeof(ciphertext)}};
    struct lb_hpke_context context;
    struct lb_span framed;
    uint8_t input[21 + 16 + 8] = "lianban parcel aad v1";
    uint8_t aad[LB_SHA256_BYTES];
    memcpy(input + 21, world->cover.name, 16);
    for (unsigned i = 0; i < 8; i++)
        input[37 + i] = (uint8_t)((uint64_t)ENDS >> (56 - 8 * i));
    lb_sha256(lb_span_of(input, sizeof(input)), aad);
    assert_true(lb_padded_wrap(lb_span_str("a part"), sizeof(ciphertext) - 16, world->arena,
                               &framed) == LB_OK);
    assert_true(lb_hpke_setup_sender(world->recipient.public_key,
                                     lb_span_of(info, sizeof(info) - 1), &world->sender,
                                     sealed.enc, &context) == LB_OK);
    assert_true(lb_hpke_seal(&context, 0, lb_span_of(aad, sizeof(aad)), framed, ciphertext) ==
                LB_OK);
    assert_int_equal(lb_status_code(open_as(world, &world->cover, &sealed)), LB_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_bytes_are_the_documented_ones, begin, end),
        cmocka_unit_test_setup_teardown(what_is_sealed_opens_whatever_its_length, begin, end),
        cmocka_unit_test_setup_teardown(nothing_of_its_cover_can_be_changed, begin, end),
        cmocka_unit_test_setup_teardown(nobody_else_seals_or_opens_it, begin, end),
        cmocka_unit_test_setup_teardown(a_damaged_one_does_not_open, begin, end),
        cmocka_unit_test_setup_teardown(it_is_padded_in_one_way_only, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
