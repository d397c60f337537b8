#ifndef GATEWAY_PSI_PSI_H
#define GATEWAY_PSI_PSI_H

#include "gateway/base/arena.h"
#include "gateway/crypto/p256.h"
#include "gateway/crypto/x25519.h"

/*
 * Who is on two departments' lists, without either showing its list (docs/DUPLICATES.md). The asker
 * learns the answer, the answerer nothing but the padded size of the asker's list.
 *
 *   asker                                    answerer
 *   P(x)^a of every x, sorted      ------>
 *                                  <------   tag(P(x)^ab) of each, P(y)^b of every y, sorted
 *   tag(P(y)^ba): where it is among the asker's own tags, both have the person
 *
 * P(x) = hash_to_curve(HMAC-SHA-256(prehash, x)) with a key made for the run that only the two
 * have; a and b are secret numbers made for the run. Sorting by the blinded bytes shuffles: they
 * say nothing of the person. In mode list the tags stand in the order of the points that came, in
 * mode count they are sorted too, so that no tag belongs to a point any more.
 *
 * Lists are filled up with points of nobody to a size that tells little. Both sides keep to the
 * protocol; what one learns that does not is in docs/SECURITY.md.
 */
#define LB_PSI_MAX_ELEMENTS (128U * 1024)
#define LB_PSI_MIN_PADDED 64U
#define LB_PSI_MIN_COUNT 10U      /* a smaller count is not told, whatever was agreed */
#define LB_PSI_RUN_BYTES 16
#define LB_PSI_SEED_BYTES 32
#define LB_PSI_PREHASH_BYTES 32
#define LB_PSI_TAG_BYTES 32
#define LB_PSI_NOBODY UINT32_MAX  /* whose point it is that fills up a list */

enum lb_psi_mode { LB_PSI_COUNT, LB_PSI_LIST };

/* What one side has of one run. All but the prehash stays with it; the holder wipes it. */
struct lb_psi_side {
    uint8_t run[LB_PSI_RUN_BYTES];
    uint8_t prehash[LB_PSI_PREHASH_BYTES];
    uint8_t scalar[LB_P256_SCALAR_BYTES];
    uint8_t filler[32];
};

/* A list, blinded: sorted, without doubles. */
struct lb_psi_points {
    size_t num;
    uint8_t (*points)[LB_P256_POINT_BYTES];
    uint32_t *whose;  /* the element's number, or LB_PSI_NOBODY */
};

/* lb_psi_prehash_of derives the key that the asker shares, lb_psi_side_of the rest, from a seed:
 * the same seed gives the same points, so a step may be done again and shows nothing new.
 * CRYPTO_FAILED. */
void lb_psi_prehash_of(const uint8_t seed[LB_PSI_SEED_BYTES], const uint8_t run[LB_PSI_RUN_BYTES],
                       uint8_t out[LB_PSI_PREHASH_BYTES]);
LB_MUST lb_status lb_psi_side_of(struct lb_p256 *p256, const uint8_t seed[LB_PSI_SEED_BYTES],
                                 const uint8_t run[LB_PSI_RUN_BYTES],
                                 const uint8_t prehash[LB_PSI_PREHASH_BYTES],
                                 struct lb_psi_side *out);
/* lb_psi_reply_key_of derives the asker's key of the run, to which the answer is sealed. */
LB_MUST lb_status lb_psi_reply_key_of(const uint8_t seed[LB_PSI_SEED_BYTES],
                                      const uint8_t run[LB_PSI_RUN_BYTES],
                                      struct lb_x25519_key *out);
void lb_psi_side_wipe(struct lb_psi_side *side);  /* for LB_DEFER */

/* lb_psi_padded is the size to which a list of `num` is filled up: at least LB_PSI_MIN_PADDED, and
 * at most an eighth more. */
size_t lb_psi_padded(size_t num);

/* lb_psi_blind blinds a list of canonical identity numbers. TOO_LARGE past LB_PSI_MAX_ELEMENTS;
 * MALFORMED for the same one twice; CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_psi_blind(struct lb_p256 *p256, const struct lb_psi_side *side,
                               const struct lb_span *elements, size_t num, struct lb_arena *arena,
                               struct lb_psi_points *out);

/* lb_psi_tags blinds the other side's points again; out has a tag for each, in their order.
 * MALFORMED for what is no point; CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_psi_tags(struct lb_p256 *p256, const struct lb_psi_side *side,
                              const uint8_t (*points)[LB_P256_POINT_BYTES], size_t num,
                              struct lb_arena *arena, uint8_t (**out)[LB_PSI_TAG_BYTES]);
/* lb_psi_sort sorts tags, which is what mode count sends. */
void lb_psi_sort(uint8_t (*tags)[LB_PSI_TAG_BYTES], size_t num);

/* lb_psi_match finds the numbers of the tags in `own` (as the answerer gave them) that are in
 * `theirs` (as made of the answerer's points), ascending. MALFORMED for a tag that stands in a list
 * twice; NO_MEMORY. `theirs` is sorted by it. */
LB_MUST lb_status lb_psi_match(const uint8_t (*own)[LB_PSI_TAG_BYTES], size_t num_own,
                               uint8_t (*theirs)[LB_PSI_TAG_BYTES], size_t num_theirs,
                               struct lb_arena *arena, const uint32_t **out, size_t *out_num);

#endif
