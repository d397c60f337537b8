#ifndef GATEWAY_SHARE_SHARE_H
#define GATEWAY_SHARE_SHARE_H

#include "gateway/base/limits.h"
#include "gateway/crypto/x25519.h"

/*
 * The blind household sum. Departments answer with masked numbers whose masks cancel when all of
 * them are added: the requester learns the total and no addend (docs/PROTOCOL.md, section 9).
 *
 * The participants of a run are all pairs of a person and a contribution (a field of one
 * department), in one order: participant number = person * contributions + contribution. Any two of
 * them have a mask in common, which the earlier one adds and the later one subtracts. Any proper
 * subset of the shares is uniform to everybody who lacks the departments' keys.
 */
#define LB_SHARE_NONCE_BYTES 16
#define LB_SHARE_SET_BYTES 32

/* A field of one department, and the share key under which its adapter takes part. */
struct lb_share_part {
    const char *spiffe;  /* of the adapter */
    const char *key_id;
    uint8_t public_key[LB_X25519_BYTES];
    const char *view;
    const char *field;
    uint32_t months;
};

struct lb_share_run {
    const char *form;
    uint32_t form_version;
    uint8_t form_sha256[32];
    const char *slot;
    uint8_t nonce[LB_SHARE_NONCE_BYTES];
    int64_t started_unix_s;
    size_t num_parts;                 /* at most LB_MAX_SHARE_CONTRIBUTIONS */
    const struct lb_share_part *parts;
    size_t num_persons;               /* at most LB_MAX_HOUSEHOLD */
    const uint8_t (*persons)[32];     /* commitments to them */
};

/* One participant. */
struct lb_share_place {
    size_t person;
    size_t part;
};

struct lb_share_pairs; /* pairs.h */

/* lb_share_set computes the digest of everything the masks depend on but nonce and start. TOO_LARGE
 * past the maxima above or a name past LB_MAX_SPIFFE_BYTES; NO_MEMORY. */
LB_MUST lb_status lb_share_set(const struct lb_share_run *run, uint8_t out_set[LB_SHARE_SET_BYTES]);

/* lb_share_mask computes the mask of one participant, which only the holder of the part's private
 * key can; the share is value + mask modulo 2^64. `pairs` keeps keys for the next time and may be
 * NULL. INTERNAL when `own` is not the key of the part or a number is out of range; CRYPTO_FAILED
 * for another part's key of small order; NO_MEMORY. */
LB_MUST lb_status lb_share_mask(const struct lb_share_run *run,
                                const uint8_t set[LB_SHARE_SET_BYTES],
                                const struct lb_share_place *place,
                                const struct lb_x25519_key *own, struct lb_share_pairs *pairs,
                                uint64_t *out_mask);

/* lb_share_total adds the shares of all participants of a run. MALFORMED when the total is not
 * within 0 and LB_MAX_SHARE_VALUE: then they do not belong together, or somebody lied. */
LB_MUST lb_status lb_share_total(const uint64_t *shares, size_t num, int64_t *out_total);

#endif
