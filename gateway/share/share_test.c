#include "gateway/share/pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"

#define TAX "spiffe://test.gov/adapter/tax"
#define FINANCE "spiffe://test.gov/adapter/finance"
#define MAX_ADAPTERS 4
#define HOUSEHOLDS 1000
#define SAMPLES 4096

#define assert_code(status_, want_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(want_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

/* A run with the private keys of all its departments, as no member has them. */
struct world {
    struct lb_share_run run;
    struct lb_share_part parts[LB_MAX_SHARE_CONTRIBUTIONS];
    size_t owners[LB_MAX_SHARE_CONTRIBUTIONS];
    uint8_t persons[LB_MAX_HOUSEHOLD][32];
    struct lb_x25519_key keys[MAX_ADAPTERS];
    uint8_t set[LB_SHARE_SET_BYTES];
    struct lb_share_pairs *pairs;  /* NULL: every key anew */
    uint64_t random;
};

/* Reproducible: xorshift64*. */
static uint64_t draw(struct world *world)
{
    world->random ^= world->random >> 12;
    world->random ^= world->random << 25;
    world->random ^= world->random >> 27;
    return world->random * UINT64_C(2685821657736338717);
}

static void make_key(uint8_t seed, struct lb_x25519_key *out)
{
    uint8_t private_key[32];
    memset(private_key, seed, sizeof(private_key));
    assert_ok(lb_x25519_from_private(private_key, out));
}

static void set_part(struct world *world, size_t index, size_t owner, const char *view,
                     const char *field)
{
    static const char *const adapters[MAX_ADAPTERS] = {
        TAX, FINANCE, "spiffe://test.gov/adapter/social-security",
        "spiffe://test.gov/adapter/civil-affairs"};
    struct lb_share_part *part = &world->parts[index];
    *part = (struct lb_share_part){.spiffe = adapters[owner], .key_id = owner == 1 ? "m7" : "m1",
                                   .view = view, .field = field, .months = 12};
    memcpy(part->public_key, world->keys[owner].public_key, sizeof(part->public_key));
    world->owners[index] = owner;
}

/* Two persons; wages and other income from tax, transfers from finance between them. */
static void make_world(struct world *world)
{
    static const char *const names[] = {"one", "two"};
    memset(world, 0, sizeof(*world));
    world->random = 42;
    for (size_t i = 0; i < MAX_ADAPTERS; i++)
        make_key((uint8_t)(i + 1), &world->keys[i]);
    set_part(world, 0, 0, "tax.wage", "income");
    set_part(world, 1, 1, "finance.payout", "paid");
    set_part(world, 2, 0, "tax.other", "income");
    for (size_t i = 0; i < 2; i++)
        lb_sha256(lb_span_str(names[i]), world->persons[i]);
    struct lb_share_run *run = &world->run;
    *run = (struct lb_share_run){
        .form = "social-assistance",
        .form_version = 2,
        .slot = "income12",
        .started_unix_s = 1800000000,
        .num_parts = 3,
        .parts = world->parts,
        .num_persons = 2,
        .persons = (const uint8_t (*)[32])world->persons,
    };
    lb_sha256(lb_span_str("the form"), run->form_sha256);
    for (size_t i = 0; i < sizeof(run->nonce); i++)
        run->nonce[i] = (uint8_t)i;
    assert_ok(lb_share_set(run, world->set));
}

static uint64_t mask_of(const struct world *world, size_t person, size_t part)
{
    uint64_t mask = 0;
    const struct lb_share_place place = {person, part};
    assert_ok(lb_share_mask(&world->run, world->set, &place, &world->keys[world->owners[part]],
                            world->pairs, &mask));
    return mask;
}

/* The numbers come from another implementation, tests/interop/share.py. */
static void the_bytes_are_the_protocol_s(void **state)
{
    static const uint64_t masks[] = {
        UINT64_C(0x171e7d6bb16dd120), UINT64_C(0x922afc85b46b54cb), UINT64_C(0x2ff43229b004979c),
        UINT64_C(0x9e1f7b5f3a4bc33f), UINT64_C(0xd60999695ae8b31c), UINT64_C(0xb2993f1c54edcc1e)};
    static const uint8_t set[] = {0x58, 0x2b, 0x21, 0x8a, 0xce, 0x61, 0x63, 0x32,
                                  0xaa, 0x3f, 0xf6, 0xbf, 0xa5, 0x65, 0x4b, 0x07,
                                  0x6b, 0xd4, 0x1c, 0x78, 0xf2, 0x2d, 0x04, 0xdf,
                                  0xfb, 0x12, 0x3f, 0x38, 0x1c, 0x37, 0x1e, 0x3e};
    struct world world;
    (void)state;
    make_world(&world);
    assert_memory_equal(world.set, set, sizeof(set));
    for (size_t i = 0; i < 6; i++)
        assert_true(mask_of(&world, i / 3, i % 3) == masks[i]);
}

/* --- the total is the plain sum --- */

static void new_household(struct world *world, size_t index)
{
    size_t adapters = 2 + draw(world) % (MAX_ADAPTERS - 1);
    world->run.num_parts = adapters + draw(world) % 3;
    world->run.num_persons = 1 + draw(world) % 4;
    for (size_t i = 0; i < world->run.num_parts; i++)
        set_part(world, i, i % adapters, i < adapters ? "d.first" : "d.second", "paid");
    for (size_t i = 0; i < world->run.num_persons; i++) {
        const uint64_t name[] = {index, draw(world)};
        lb_sha256(lb_span_of(name, sizeof(name)), world->persons[i]);
    }
    for (size_t i = 0; i < sizeof(world->run.nonce); i++)
        world->run.nonce[i] = (uint8_t)draw(world);
    assert_ok(lb_share_set(&world->run, world->set));
}

static void a_thousand_households_come_to_their_plain_sum(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    assert_ok(lb_share_pairs_new(&world.pairs));
    for (size_t h = 0; h < HOUSEHOLDS; h++) {
        uint64_t shares[64];
        int64_t plain = 0, total = -1;
        new_household(&world, h);
        size_t num = world.run.num_persons * world.run.num_parts;
        for (size_t i = 0; i < num; i++) {
            int64_t value = (int64_t)(draw(&world) % 20000000); /* up to 200,000.00 */
            plain += value;
            shares[i] = (uint64_t)value +
                        mask_of(&world, i / world.run.num_parts, i % world.run.num_parts);
        }
        assert_ok(lb_share_total(shares, num, &total));
        assert_true(total == plain);
    }
    lb_share_pairs_free(world.pairs);
}

/* Keys kept from before give the masks that keys made anew give, also when there are more pairs
 * than places for them. */
static void kept_keys_are_the_same(void **state)
{
    struct world world;
    (void)state;
    make_world(&world);
    assert_ok(lb_share_pairs_new(&world.pairs));
    struct lb_share_pairs *pairs = world.pairs;
    for (unsigned id = 0; id < 100; id++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "k%u", id % 80);
        world.parts[1].key_id = name;
        world.pairs = pairs;
        uint64_t kept = mask_of(&world, 1, 2);
        world.pairs = NULL;
        assert_true(mask_of(&world, 1, 2) == kept);
    }
    lb_share_pairs_free(pairs);
    lb_share_pairs_free(NULL);
}

/* --- and nothing else comes out --- */

/* All proper subsets of the participants: what is left of the masks is never nothing. */
static void no_subset_adds_up(void **state)
{
    struct world world;
    uint64_t masks[6];
    (void)state;
    make_world(&world);
    for (size_t i = 0; i < 6; i++)
        masks[i] = mask_of(&world, i / 3, i % 3);
    for (unsigned subset = 1; subset < 1U << 6; subset++) {
        uint64_t sum = 0;
        int64_t total = 0;
        for (size_t i = 0; i < 6; i++)
            sum += (subset >> i & 1U) != 0 ? masks[i] : 0;
        assert_int_equal(sum == 0, subset == (1U << 6) - 1);
        /* Amounts are far below 2^40, so a total would be as well. */
        assert_int_equal(lb_share_total(&sum, 1, &total) == LB_OK && total < INT64_C(1) << 40,
                         subset == (1U << 6) - 1);
    }
}

/* Chi-square over the values of one byte: 255 degrees of freedom, mean 255, deviation 22.6. */
static double chi_square(const unsigned counts[256])
{
    double sum = 0;
    for (size_t i = 0; i < 256; i++) {
        double off = (double)counts[i] - (double)SAMPLES / 256;
        sum += off * off / ((double)SAMPLES / 256);
    }
    return sum;
}

/* A share of nothing, and the sum of all shares but one, look like noise in every byte. */
static void shares_and_partial_sums_are_uniform(void **state)
{
    static unsigned share_counts[8][256], part_counts[8][256];
    struct world world;
    (void)state;
    make_world(&world);
    assert_ok(lb_share_pairs_new(&world.pairs));
    memset(share_counts, 0, sizeof(share_counts));
    memset(part_counts, 0, sizeof(part_counts));
    world.run.num_persons = 1;
    for (size_t n = 0; n < SAMPLES; n++) {
        for (size_t i = 0; i < sizeof(world.run.nonce); i++)
            world.run.nonce[i] = (uint8_t)draw(&world);
        assert_ok(lb_share_set(&world.run, world.set));
        uint64_t share = mask_of(&world, 0, 0);
        uint64_t partial = share + mask_of(&world, 0, 1);
        for (size_t b = 0; b < 8; b++) {
            share_counts[b][share >> (8 * b) & 0xff]++;
            part_counts[b][partial >> (8 * b) & 0xff]++;
        }
    }
    for (size_t b = 0; b < 8; b++) {
        assert_true(chi_square(share_counts[b]) < 370 && chi_square(share_counts[b]) > 150);
        assert_true(chi_square(part_counts[b]) < 370 && chi_square(part_counts[b]) > 150);
    }
    lb_share_pairs_free(world.pairs);
}

/* Whatever a run is about changes every mask, so shares of two runs have nothing in common. */
static void every_part_of_a_run_is_in_the_masks(void **state)
{
    struct world world, other;
    (void)state;
    for (int change = 0; change < 11; change++) {
        make_world(&world);
        make_world(&other);
        struct lb_share_run *run = &other.run;
        switch (change) {
        case 0: run->nonce[15] ^= 1; break;
        case 1: run->started_unix_s++; break;
        case 2: run->slot = "income13"; break;
        case 3: run->form = "housing"; break;
        case 4: run->form_version = 3; break;
        case 5: run->form_sha256[31] ^= 1; break;
        case 6: other.persons[1][0] ^= 1; break;
        case 7: other.parts[2].view = "tax.third"; break;
        case 8: other.parts[1].key_id = "m8"; break;
        case 9: other.parts[1].months = 6; break;
        default: run->num_persons = 1; break;
        }
        assert_ok(lb_share_set(run, other.set));
        assert_int_equal(memcmp(world.set, other.set, sizeof(world.set)) == 0, change <= 1);
        for (size_t i = 0; i < 3; i++)
            assert_true(mask_of(&world, 0, i) != mask_of(&other, 0, i));
    }
}

/* Order is part of the set: swapped persons or contributions are another run. */
static void order_counts(void **state)
{
    struct world world, other;
    uint8_t first[32];
    (void)state;
    make_world(&world);
    make_world(&other);
    memcpy(first, other.persons[0], sizeof(first));
    memcpy(other.persons[0], other.persons[1], sizeof(first));
    memcpy(other.persons[1], first, sizeof(first));
    assert_ok(lb_share_set(&other.run, other.set));
    assert_memory_not_equal(world.set, other.set, sizeof(world.set));
    assert_true(mask_of(&world, 0, 0) != mask_of(&other, 1, 0));
}

static void only_the_part_s_own_key_makes_its_mask(void **state)
{
    struct world world;
    uint64_t mask = 77;
    (void)state;
    make_world(&world);
    const struct lb_share_place first = {0, 0}, third_person = {2, 0}, fourth_part = {0, 3};
    const struct lb_x25519_key *own = &world.keys[0];
    assert_code(lb_share_mask(&world.run, world.set, &first, &world.keys[1], NULL, &mask),
                LB_INTERNAL);
    assert_code(lb_share_mask(&world.run, world.set, &third_person, own, NULL, &mask),
                LB_INTERNAL);
    assert_code(lb_share_mask(&world.run, world.set, &fourth_part, own, NULL, &mask), LB_INTERNAL);
    memset(world.parts[1].public_key, 0, 32);
    assert_code(lb_share_mask(&world.run, world.set, &first, own, NULL, &mask), LB_CRYPTO_FAILED);
    world.run.num_parts = LB_MAX_SHARE_CONTRIBUTIONS + 1;
    assert_code(lb_share_set(&world.run, world.set), LB_TOO_LARGE);
    world.run.num_parts = 3;
    world.run.num_persons = LB_MAX_HOUSEHOLD + 1;
    assert_code(lb_share_set(&world.run, world.set), LB_TOO_LARGE);
    world.run.num_persons = 0;
    assert_code(lb_share_set(&world.run, world.set), LB_TOO_LARGE);
    assert_true(mask == 77);
}

static void totals_have_bounds(void **state)
{
    static const uint64_t wrapped[] = {UINT64_MAX, 8}, most[] = {UINT64_C(1) << 53},
                          more[] = {UINT64_C(1) << 53, 1}, less[] = {UINT64_MAX};
    int64_t total = -1;
    (void)state;
    assert_ok(lb_share_total(wrapped, 2, &total));
    assert_true(total == 7);
    assert_ok(lb_share_total(most, 1, &total));
    assert_true(total == LB_MAX_SHARE_VALUE);
    assert_code(lb_share_total(more, 2, &total), LB_MALFORMED);
    assert_code(lb_share_total(less, 1, &total), LB_MALFORMED);
    assert_true(total == LB_MAX_SHARE_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_the_protocol_s),
        cmocka_unit_test(a_thousand_households_come_to_their_plain_sum),
        cmocka_unit_test(kept_keys_are_the_same),
        cmocka_unit_test(no_subset_adds_up),
        cmocka_unit_test(shares_and_partial_sums_are_uniform),
        cmocka_unit_test(every_part_of_a_run_is_in_the_masks),
        cmocka_unit_test(order_counts),
        cmocka_unit_test(only_the_part_s_own_key_makes_its_mask),
        cmocka_unit_test(totals_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
