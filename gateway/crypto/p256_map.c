#include "gateway/crypto/p256_map.h"

#include <stdlib.h>

#include "gateway/crypto/ossl.h"

/*
 * RFC 9380, appendix F.2 (the map) and F.2.1.2 (the square root of a fraction, for primes that are
 * 3 modulo 4), with the parameters of §8.2: A = -3, B, Z = -10. Numbers of the field are in
 * Montgomery's form throughout, so that one is `one`, and zero is zero.
 */
#define PRIME "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"
#define CURVE_B "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B"

struct lb_p256_map {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *prime;
    BIGNUM *one, *a, *b, *z;
    BIGNUM *root_exponent;     /* (p - 3) / 4 */
    BIGNUM *inverse_exponent;  /* p - 2 */
    BIGNUM *root_of_minus_z;
};

/* A number of the field; false once anything has failed, which is looked at once at the end. */
static bool multiply(const struct lb_p256_map *map, BIGNUM *out, const BIGNUM *a, const BIGNUM *b)
{
    return BN_mod_mul_montgomery(out, a, b, map->mont, map->ctx) == 1;
}

static bool add(const struct lb_p256_map *map, BIGNUM *out, const BIGNUM *a, const BIGNUM *b)
{
    return BN_mod_add_quick(out, a, b, map->prime) == 1;
}

static bool negate(const struct lb_p256_map *map, BIGNUM *out, const BIGNUM *a)
{
    return BN_is_zero(a) ? BN_copy(out, a) != NULL : BN_sub(out, map->prime, a) == 1;
}

/* The library's exponentiation takes and gives plain numbers. */
static bool raise(const struct lb_p256_map *map, BIGNUM *out, const BIGNUM *base,
                  const BIGNUM *exponent)
{
    return BN_from_montgomery(out, base, map->mont, map->ctx) == 1 &&
           BN_mod_exp_mont(out, out, exponent, map->prime, map->ctx, map->mont) == 1 &&
           BN_to_montgomery(out, out, map->mont, map->ctx) == 1;
}

static bool small(const struct lb_p256_map *map, BIGNUM *out, BN_ULONG value)
{
    return BN_set_word(out, value) == 1 &&
           BN_to_montgomery(out, out, map->mont, map->ctx) == 1;
}

/* --- constants --- */

static bool make_numbers(struct lb_p256_map *map)
{
    map->one = BN_new();
    map->a = BN_new();
    map->z = BN_new();
    map->root_exponent = BN_new();
    map->inverse_exponent = BN_new();
    map->root_of_minus_z = BN_new();
    map->mont = BN_MONT_CTX_new();
    return BN_hex2bn(&map->prime, PRIME) > 0 && BN_hex2bn(&map->b, CURVE_B) > 0 &&
           map->one != NULL && map->a != NULL && map->z != NULL && map->root_exponent != NULL &&
           map->inverse_exponent != NULL && map->root_of_minus_z != NULL && map->mont != NULL &&
           BN_MONT_CTX_set(map->mont, map->prime, map->ctx) == 1;
}

static bool set_numbers(struct lb_p256_map *map)
{
    BIGNUM *root = map->root_of_minus_z;
    return small(map, map->one, 1) && small(map, map->a, 3) && negate(map, map->a, map->a) &&
           small(map, map->z, 10) && negate(map, map->z, map->z) &&
           BN_to_montgomery(map->b, map->b, map->mont, map->ctx) == 1 &&
           BN_rshift(map->root_exponent, map->prime, 2) == 1 && /* p is 3 modulo 4 */
           BN_copy(map->inverse_exponent, map->prime) != NULL &&
           BN_sub_word(map->inverse_exponent, 2) == 1 && BN_set_word(root, 10) == 1 &&
           BN_mod_sqrt(root, root, map->prime, map->ctx) != NULL &&
           BN_to_montgomery(root, root, map->mont, map->ctx) == 1;
}

lb_status lb_p256_map_new(BN_CTX *ctx, struct lb_p256_map **out_map)
{
    LB_OSSL_BORDER();
    struct lb_p256_map *map = calloc(1, sizeof(*map));
    LB_ENSURE(map != NULL, LB_NO_MEMORY, "map to the curve");
    map->ctx = ctx;
    if (!make_numbers(map) || !set_numbers(map)) {
        lb_p256_map_free(map);
        LB_FAIL(LB_NO_MEMORY, "map to the curve");
    }
    *out_map = map;
    return LB_OK;
}

void lb_p256_map_free(struct lb_p256_map *map)
{
    if (map == NULL)
        return;
    BIGNUM *const numbers[] = {map->prime, map->one, map->a, map->b, map->z, map->root_exponent,
                               map->inverse_exponent, map->root_of_minus_z};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        BN_free(numbers[i]);
    BN_MONT_CTX_free(map->mont);
    free(map);
}

const BIGNUM *lb_p256_map_prime(const struct lb_p256_map *map)
{
    return map->prime;
}

/* --- the map --- */

/* What one mapping goes through; named as in the RFC's listing. */
struct steps {
    BIGNUM *u, *tv1, *tv2, *tv3, *tv4, *tv5, *tv6, *x, *y, *y1;
};

static bool take_steps(const struct lb_p256_map *map, struct steps *steps)
{
    BIGNUM **const numbers[] = {&steps->u,   &steps->tv1, &steps->tv2, &steps->tv3, &steps->tv4,
                                &steps->tv5, &steps->tv6, &steps->x,   &steps->y,   &steps->y1};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        *numbers[i] = BN_CTX_get(map->ctx);
        if (*numbers[i] == NULL)
            return false;
    }
    return true;
}

/* sqrt_ratio(u, v): out is the root of u / v, or of Z * u / v when that one is no square. */
static bool root_of_ratio(const struct lb_p256_map *map, const BIGNUM *u, const BIGNUM *v,
                          BIGNUM *out, bool *square)
{
    BN_CTX_start(map->ctx);
    BIGNUM *tv1 = BN_CTX_get(map->ctx);
    BIGNUM *tv2 = BN_CTX_get(map->ctx);
    bool done = tv2 != NULL && multiply(map, tv1, v, v) && multiply(map, tv2, u, v) &&
                multiply(map, tv1, tv1, tv2) && raise(map, out, tv1, map->root_exponent) &&
                multiply(map, out, out, tv2) && multiply(map, tv1, out, out) &&
                multiply(map, tv1, tv1, v);
    *square = done && BN_cmp(tv1, u) == 0;
    done = done && (*square || multiply(map, out, out, map->root_of_minus_z));
    BN_CTX_end(map->ctx);
    return done;
}

/* Lines 1 to 16: the fraction tv3 / tv4 is the first candidate for x, tv2 / tv6 its g(x). */
static bool first_candidate(const struct lb_p256_map *map, struct steps *s)
{
    return multiply(map, s->tv1, s->u, s->u) && multiply(map, s->tv1, map->z, s->tv1) &&
           multiply(map, s->tv2, s->tv1, s->tv1) && add(map, s->tv2, s->tv2, s->tv1) &&
           add(map, s->tv3, s->tv2, map->one) && multiply(map, s->tv3, map->b, s->tv3) &&
           (BN_is_zero(s->tv2) ? BN_copy(s->tv4, map->z) != NULL : negate(map, s->tv4, s->tv2)) &&
           multiply(map, s->tv4, map->a, s->tv4) && multiply(map, s->tv2, s->tv3, s->tv3) &&
           multiply(map, s->tv6, s->tv4, s->tv4) && multiply(map, s->tv5, map->a, s->tv6) &&
           add(map, s->tv2, s->tv2, s->tv5) && multiply(map, s->tv2, s->tv2, s->tv3) &&
           multiply(map, s->tv6, s->tv6, s->tv4) && multiply(map, s->tv5, map->b, s->tv6) &&
           add(map, s->tv2, s->tv2, s->tv5);
}

/* Lines 17 to 22: that candidate, or the other one when its g(x) is no square. */
static bool choose(const struct lb_p256_map *map, struct steps *s)
{
    bool square = false;
    return multiply(map, s->x, s->tv1, s->tv3) &&
           root_of_ratio(map, s->tv2, s->tv6, s->y1, &square) &&
           multiply(map, s->y, s->tv1, s->u) && multiply(map, s->y, s->y, s->y1) &&
           (!square || (BN_copy(s->x, s->tv3) != NULL && BN_copy(s->y, s->y1) != NULL));
}

/* Lines 23 to 25, and back from Montgomery's form: y has the sign of u. */
static bool finish(const struct lb_p256_map *map, struct steps *s, const BIGNUM *u, BIGNUM *out_x,
                   BIGNUM *out_y)
{
    return raise(map, s->tv4, s->tv4, map->inverse_exponent) &&
           multiply(map, s->x, s->x, s->tv4) &&
           BN_from_montgomery(out_x, s->x, map->mont, map->ctx) == 1 &&
           BN_from_montgomery(out_y, s->y, map->mont, map->ctx) == 1 &&
           (BN_is_odd(out_y) == BN_is_odd(u) || negate(map, out_y, out_y));
}

lb_status lb_p256_map(struct lb_p256_map *map, const BIGNUM *u, BIGNUM *out_x, BIGNUM *out_y)
{
    LB_OSSL_BORDER();
    struct steps steps;
    BN_CTX_start(map->ctx);
    bool done = take_steps(map, &steps) &&
                BN_to_montgomery(steps.u, u, map->mont, map->ctx) == 1 &&
                first_candidate(map, &steps) && choose(map, &steps) &&
                finish(map, &steps, u, out_x, out_y);
    BN_CTX_end(map->ctx);
    LB_ENSURE(done, LB_CRYPTO_FAILED, "map to the curve");
    return LB_OK;
}
