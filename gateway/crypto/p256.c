#include "gateway/crypto/p256.h"

#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/ossl.h"
#include "gateway/crypto/p256_map.h"

#define COORDINATE_BYTES 32
#define FIELD_BYTES 48 /* L of RFC 9380 §5.1: 256 bits and 128 more against bias */
#define EXPANDED_BYTES (2 * FIELD_BYTES)
#define BLOCK_BYTES 64 /* of SHA-256 */

struct lb_p256 {
    BN_CTX *ctx;
    EC_GROUP *group;
    EC_POINT *point, *other;
    struct lb_p256_map *map;
};

lb_status lb_p256_new(struct lb_p256 **out_p256)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_p256_freep) struct lb_p256 *p256 = calloc(1, sizeof(*p256));
    LB_ENSURE(p256 != NULL, LB_NO_MEMORY, "P-256");
    p256->ctx = BN_CTX_secure_new();
    p256->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    LB_ENSURE(p256->ctx != NULL && p256->group != NULL, LB_NO_MEMORY, "P-256");
    p256->point = EC_POINT_new(p256->group);
    p256->other = EC_POINT_new(p256->group);
    LB_ENSURE(p256->point != NULL && p256->other != NULL, LB_NO_MEMORY, "P-256");
    LB_TRY(lb_p256_map_new(p256->ctx, &p256->map));
    *out_p256 = p256;
    p256 = NULL;
    return LB_OK;
}

void lb_p256_free(struct lb_p256 *p256)
{
    if (p256 == NULL)
        return;
    lb_p256_map_free(p256->map);
    EC_POINT_clear_free(p256->point);
    EC_POINT_clear_free(p256->other);
    EC_GROUP_free(p256->group);
    BN_CTX_free(p256->ctx);
    free(p256);
}

void lb_p256_freep(struct lb_p256 **p256)
{
    lb_p256_free(*p256);
}

/* --- points as bytes --- */

/* The library refuses coordinates past the prime and points that are not on the curve. */
static lb_status read_point(struct lb_p256 *p256, const uint8_t bytes[LB_P256_POINT_BYTES])
{
    uint8_t encoded[1 + LB_P256_POINT_BYTES] = {0x04};
    memcpy(encoded + 1, bytes, LB_P256_POINT_BYTES);
    LB_ENSURE(EC_POINT_oct2point(p256->group, p256->point, encoded, sizeof(encoded), p256->ctx) ==
                  1,
              LB_MALFORMED, "not a point of the curve");
    return LB_OK;
}

static lb_status write_point(struct lb_p256 *p256, uint8_t out[LB_P256_POINT_BYTES])
{
    uint8_t encoded[1 + LB_P256_POINT_BYTES];
    size_t len = EC_POINT_point2oct(p256->group, p256->point, POINT_CONVERSION_UNCOMPRESSED,
                                    encoded, sizeof(encoded), p256->ctx);
    LB_ENSURE(len == sizeof(encoded), LB_CRYPTO_FAILED, "the point at infinity");
    memcpy(out, encoded + 1, LB_P256_POINT_BYTES);
    return LB_OK;
}

lb_status lb_p256_check(struct lb_p256 *p256, const uint8_t point[LB_P256_POINT_BYTES])
{
    LB_OSSL_BORDER();
    return read_point(p256, point);
}

/* --- hashing --- */

/* expand_message_xmd of RFC 9380 §5.3.1 with SHA-256, for exactly EXPANDED_BYTES. */
static void expand(struct lb_span dst, struct lb_span message, uint8_t out[EXPANDED_BYTES])
{
    static const uint8_t zeros[BLOCK_BYTES];
    static const uint8_t wanted[] = {0, EXPANDED_BYTES, 0};
    const uint8_t dst_len = (uint8_t)dst.len;
    uint8_t first[LB_SHA256_BYTES];
    const struct lb_span parts[] = {lb_span_of(zeros, sizeof(zeros)), message,
                                    lb_span_of(wanted, sizeof(wanted)), dst,
                                    lb_span_of(&dst_len, 1)};
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), first);
    for (uint8_t i = 0; i < EXPANDED_BYTES / LB_SHA256_BYTES; i++) {
        const uint8_t number = (uint8_t)(i + 1);
        uint8_t mixed[LB_SHA256_BYTES];
        memcpy(mixed, first, sizeof(mixed));
        for (size_t j = 0; i > 0 && j < sizeof(mixed); j++)
            mixed[j] ^= out[(size_t)(i - 1) * LB_SHA256_BYTES + j];
        const struct lb_span more[] = {lb_span_of(mixed, sizeof(mixed)), lb_span_of(&number, 1),
                                       dst, lb_span_of(&dst_len, 1)};
        lb_sha256_parts(more, sizeof(more) / sizeof(more[0]), out + (size_t)i * LB_SHA256_BYTES);
    }
    lb_wipe(first, sizeof(first));
}

/* One of the two field elements, mapped to the curve. */
static lb_status map_one(struct lb_p256 *p256, const uint8_t bytes[FIELD_BYTES], EC_POINT *out)
{
    BN_CTX_start(p256->ctx);
    BIGNUM *u = BN_CTX_get(p256->ctx);
    BIGNUM *x = BN_CTX_get(p256->ctx);
    BIGNUM *y = BN_CTX_get(p256->ctx);
    lb_status status = LB_FAULT(LB_CRYPTO_FAILED, "hash to the curve");
    if (y != NULL && BN_bin2bn(bytes, FIELD_BYTES, u) != NULL &&
        BN_nnmod(u, u, lb_p256_map_prime(p256->map), p256->ctx) == 1)
        status = lb_p256_map(p256->map, u, x, y);
    if (status == LB_OK &&
        EC_POINT_set_affine_coordinates(p256->group, out, x, y, p256->ctx) != 1)
        status = LB_FAULT(LB_CRYPTO_FAILED, "a mapped point is not on the curve");
    BN_CTX_end(p256->ctx);
    return status;
}

lb_status lb_p256_hash(struct lb_p256 *p256, struct lb_span dst, struct lb_span message,
                       uint8_t out[LB_P256_POINT_BYTES])
{
    LB_OSSL_BORDER();
    uint8_t uniform[EXPANDED_BYTES];
    LB_ENSURE(dst.len > 0 && dst.len <= LB_P256_MAX_DST_BYTES, LB_INTERNAL,
              "domain separation tag");
    expand(dst, message, uniform);
    lb_status status = map_one(p256, uniform, p256->point);
    if (status == LB_OK)
        status = map_one(p256, uniform + FIELD_BYTES, p256->other);
    lb_wipe(uniform, sizeof(uniform));
    LB_TRY(status);
    LB_ENSURE(EC_POINT_add(p256->group, p256->point, p256->point, p256->other, p256->ctx) == 1,
              LB_CRYPTO_FAILED, "adding two points");
    return write_point(p256, out);
}

/* --- multiplying --- */

lb_status lb_p256_scalar(struct lb_p256 *p256, const uint8_t seed[LB_P256_SCALAR_SEED_BYTES],
                         uint8_t out[LB_P256_SCALAR_BYTES])
{
    LB_OSSL_BORDER();
    BN_CTX_start(p256->ctx);
    BIGNUM *number = BN_CTX_get(p256->ctx);
    BIGNUM *below = BN_CTX_get(p256->ctx);
    bool done = below != NULL &&
                BN_bin2bn(seed, LB_P256_SCALAR_SEED_BYTES, number) != NULL &&
                BN_copy(below, EC_GROUP_get0_order(p256->group)) != NULL &&
                BN_sub_word(below, 1) == 1 && BN_nnmod(number, number, below, p256->ctx) == 1 &&
                BN_add_word(number, 1) == 1 &&
                BN_bn2binpad(number, out, LB_P256_SCALAR_BYTES) == LB_P256_SCALAR_BYTES;
    if (number != NULL)
        BN_clear(number);
    BN_CTX_end(p256->ctx);
    LB_ENSURE(done, LB_CRYPTO_FAILED, "secret number");
    return LB_OK;
}

static lb_status multiply(struct lb_p256 *p256, const BIGNUM *number)
{
    LB_ENSURE(!BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(p256->group)) < 0,
              LB_MALFORMED, "secret number out of range");
    LB_ENSURE(EC_POINT_mul(p256->group, p256->point, NULL, p256->point, number, p256->ctx) == 1,
              LB_CRYPTO_FAILED, "multiplying a point");
    return LB_OK;
}

lb_status lb_p256_multiply(struct lb_p256 *p256, const uint8_t scalar[LB_P256_SCALAR_BYTES],
                           const uint8_t point[LB_P256_POINT_BYTES],
                           uint8_t out[LB_P256_POINT_BYTES])
{
    LB_OSSL_BORDER();
    LB_TRY(read_point(p256, point));
    BN_CTX_start(p256->ctx);
    BIGNUM *number = BN_CTX_get(p256->ctx);
    lb_status status = LB_FAULT(LB_CRYPTO_FAILED, "secret number");
    if (number != NULL && BN_bin2bn(scalar, LB_P256_SCALAR_BYTES, number) != NULL)
        status = multiply(p256, number);
    if (number != NULL)
        BN_clear(number);
    BN_CTX_end(p256->ctx);
    LB_TRY(status);
    return write_point(p256, out);
}
