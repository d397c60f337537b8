#include "gateway/psi/psi.h"

#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define DST "LIANBAN-PSI-V01-P256_XMD:SHA-256_SSWU_RO_"
#define TAG_LABEL "lianban psi tag v1"

/* --- secrets of a run --- */

static void derive(struct lb_span seed, const char *label, const uint8_t run[LB_PSI_RUN_BYTES],
                   uint8_t *out, size_t len)
{
    uint8_t prk[LB_SHA256_BYTES];
    const struct lb_span info[] = {lb_span_str(label), lb_span_of(run, LB_PSI_RUN_BYTES)};
    lb_hkdf_extract(LB_SPAN_EMPTY, seed, prk);
    lb_hkdf_expand_parts(prk, info, 2, out, len);
    lb_wipe(prk, sizeof(prk));
}

void lb_psi_prehash_of(const uint8_t seed[LB_PSI_SEED_BYTES], const uint8_t run[LB_PSI_RUN_BYTES],
                       uint8_t out[LB_PSI_PREHASH_BYTES])
{
    derive(lb_span_of(seed, LB_PSI_SEED_BYTES), "lianban psi prehash v1", run, out,
           LB_PSI_PREHASH_BYTES);
}

lb_status lb_psi_side_of(struct lb_p256 *p256, const uint8_t seed[LB_PSI_SEED_BYTES],
                         const uint8_t run[LB_PSI_RUN_BYTES],
                         const uint8_t prehash[LB_PSI_PREHASH_BYTES], struct lb_psi_side *out)
{
    const struct lb_span secret = lb_span_of(seed, LB_PSI_SEED_BYTES);
    uint8_t uniform[LB_P256_SCALAR_SEED_BYTES];
    derive(secret, "lianban psi scalar v1", run, uniform, sizeof(uniform));
    lb_status status = lb_p256_scalar(p256, uniform, out->scalar);
    lb_wipe(uniform, sizeof(uniform));
    LB_TRY(status);
    derive(secret, "lianban psi filler v1", run, out->filler, sizeof(out->filler));
    memcpy(out->run, run, sizeof(out->run));
    memcpy(out->prehash, prehash, sizeof(out->prehash));
    return LB_OK;
}

lb_status lb_psi_reply_key_of(const uint8_t seed[LB_PSI_SEED_BYTES],
                              const uint8_t run[LB_PSI_RUN_BYTES], struct lb_x25519_key *out)
{
    uint8_t private_key[LB_X25519_BYTES];
    derive(lb_span_of(seed, LB_PSI_SEED_BYTES), "lianban psi reply v1", run, private_key,
           sizeof(private_key));
    lb_status status = lb_x25519_from_private(private_key, out);
    lb_wipe(private_key, sizeof(private_key));
    return status;
}

void lb_psi_side_wipe(struct lb_psi_side *side)
{
    lb_wipe(side, sizeof(*side));
}

/* --- blinding --- */

size_t lb_psi_padded(size_t num)
{
    size_t step = 1;
    if (num <= LB_PSI_MIN_PADDED)
        return LB_PSI_MIN_PADDED;
    while (step * 2 <= num / 8)
        step *= 2;
    return (num + step - 1) / step * step;
}

/* Sorted together: a point and whose it is. */
struct blinded {
    uint8_t point[LB_P256_POINT_BYTES];
    uint32_t whose;
};

static int by_point(const void *left, const void *right)
{
    const struct blinded *a = left, *b = right;
    return memcmp(a->point, b->point, sizeof(a->point));
}

static lb_status blind_one(struct lb_p256 *p256, const struct lb_psi_side *side,
                           struct lb_span key, struct lb_span element,
                           uint8_t out[LB_P256_POINT_BYTES])
{
    uint8_t hashed[LB_SHA256_BYTES];
    lb_hmac_sha256(key, element, hashed);
    lb_status status =
        lb_p256_hash(p256, lb_span_str(DST), lb_span_of(hashed, sizeof(hashed)), out);
    lb_wipe(hashed, sizeof(hashed));
    LB_TRY(status);
    return lb_p256_multiply(p256, side->scalar, out, out);
}

static lb_status blind_all(struct lb_p256 *p256, const struct lb_psi_side *side,
                           const struct lb_span *elements, size_t num, struct blinded *all,
                           size_t num_all)
{
    for (size_t i = 0; i < num_all; i++) {
        bool real = i < num;
        uint8_t number[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                             (uint8_t)i};
        struct lb_span key = real ? lb_span_of(side->prehash, sizeof(side->prehash))
                                  : lb_span_of(side->filler, sizeof(side->filler));
        LB_TRY(blind_one(p256, side, key,
                         real ? elements[i] : lb_span_of(number, sizeof(number)), all[i].point));
        all[i].whose = real ? (uint32_t)i : LB_PSI_NOBODY;
    }
    return LB_OK;
}

lb_status lb_psi_blind(struct lb_p256 *p256, const struct lb_psi_side *side,
                       const struct lb_span *elements, size_t num, struct lb_arena *arena,
                       struct lb_psi_points *out)
{
    LB_ENSURE(num <= LB_PSI_MAX_ELEMENTS, LB_TOO_LARGE, "more people than one run takes");
    size_t padded = lb_psi_padded(num);
    struct blinded *all = lb_arena_array(arena, padded, sizeof(*all));
    struct lb_psi_points points = {
        .num = padded,
        .points = lb_arena_array(arena, padded, sizeof(*points.points)),
        .whose = lb_arena_array(arena, padded, sizeof(*points.whose)),
    };
    LB_ENSURE(all != NULL && points.points != NULL && points.whose != NULL, LB_NO_MEMORY,
              "arena is full");
    LB_TRY(blind_all(p256, side, elements, num, all, padded));
    qsort(all, padded, sizeof(*all), by_point);
    for (size_t i = 0; i < padded; i++) {
        LB_ENSURE(i == 0 || by_point(&all[i - 1], &all[i]) != 0, LB_MALFORMED,
                  "the same person twice");
        memcpy(points.points[i], all[i].point, sizeof(points.points[i]));
        points.whose[i] = all[i].whose;
    }
    *out = points;
    return LB_OK;
}

lb_status lb_psi_tags(struct lb_p256 *p256, const struct lb_psi_side *side,
                      const uint8_t (*points)[LB_P256_POINT_BYTES], size_t num,
                      struct lb_arena *arena, uint8_t (**out)[LB_PSI_TAG_BYTES])
{
    uint8_t(*tags)[LB_PSI_TAG_BYTES] = lb_arena_array(arena, num, sizeof(*tags));
    uint8_t twice[LB_P256_POINT_BYTES];
    LB_ENSURE(tags != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(lb_p256_multiply(p256, side->scalar, points[i], twice));
        const struct lb_span parts[] = {lb_span_str(TAG_LABEL),
                                        lb_span_of(side->run, sizeof(side->run)),
                                        lb_span_of(twice, sizeof(twice))};
        lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), tags[i]);
    }
    *out = tags;
    return LB_OK;
}

/* --- matching --- */

static int by_tag(const void *left, const void *right)
{
    return memcmp(left, right, LB_PSI_TAG_BYTES);
}

void lb_psi_sort(uint8_t (*tags)[LB_PSI_TAG_BYTES], size_t num)
{
    qsort(tags, num, sizeof(*tags), by_tag);
}

static lb_status no_doubles(uint8_t (*sorted)[LB_PSI_TAG_BYTES], size_t num)
{
    for (size_t i = 1; i < num; i++)
        LB_ENSURE(by_tag(sorted[i - 1], sorted[i]) != 0, LB_MALFORMED, "the same tag twice");
    return LB_OK;
}

lb_status lb_psi_match(const uint8_t (*own)[LB_PSI_TAG_BYTES], size_t num_own,
                       uint8_t (*theirs)[LB_PSI_TAG_BYTES], size_t num_theirs,
                       struct lb_arena *arena, const uint32_t **out, size_t *out_num)
{
    uint8_t(*sorted)[LB_PSI_TAG_BYTES] = lb_arena_array(arena, num_own, sizeof(*sorted));
    uint32_t *numbers = lb_arena_array(arena, num_own, sizeof(*numbers));
    size_t num = 0;
    LB_ENSURE(sorted != NULL && numbers != NULL, LB_NO_MEMORY, "arena is full");
    memcpy(sorted, own, num_own * sizeof(*sorted));
    lb_psi_sort(sorted, num_own);
    lb_psi_sort(theirs, num_theirs);
    LB_TRY(no_doubles(sorted, num_own));
    LB_TRY(no_doubles(theirs, num_theirs));
    for (size_t i = 0; i < num_own; i++) {
        if (bsearch(own[i], theirs, num_theirs, sizeof(*theirs), by_tag) != NULL)
            numbers[num++] = (uint32_t)i;
    }
    *out = numbers;
    *out_num = num;
    return LB_OK;
}
