#ifndef GATEWAY_EVIDENCE_LEAF_H
#define GATEWAY_EVIDENCE_LEAF_H

#include "gateway/base/buf.h"
#include "gateway/base/limits.h"

/*
 * A leaf: the permanent half of an entry, without personal data. One deterministic encoding,
 * fixed order, big-endian, texts with a 16-bit length:
 *
 *   u8  version = 1        u8  type             u64 time_ms
 *   16  txn                text code            text subject-free `views` ("a,b", sorted)
 *   32  policy_hash        32  fields_hash      32  detail_hash
 *   32  request_hash       32  answer_hash      32  peer_leaf
 *   u32 count              u8  retry (0|1)
 *
 * Hashes that do not apply are 32 zero bytes; txn likewise. Texts are UTF-8 without control
 * characters; count is at least 1.
 */
enum lb_leaf_type {
    LB_LEAF_READ = 1,     /* adapter: one request answered, or refused with a code */
    LB_LEAF_ROUTE = 2,    /* broker: before a read is sent on */
    LB_LEAF_DELIVER = 3,  /* broker: before an answer is relayed */
    LB_LEAF_FAILURE = 4,  /* broker: a routed read that got no answer, and why */
    LB_LEAF_DENY = 5,     /* refused before it was routed (broker), or before any signature was
                             verified (count requests of one peer, code and second) */
    LB_LEAF_ADMIN = 6,    /* start, stop, configuration: the code says which */
    LB_LEAF_POLICY = 7,   /* the policy in force changed: policy_hash */
    LB_LEAF_CONSENT = 8,  /* consent office: granted, refused, revoked: the code says which */
    LB_LEAF_CANARY = 9,
    LB_LEAF_ERASURE = 10,
    LB_LEAF_SHARD = 11,
    LB_LEAF_RECOVERY = 12,
    LB_LEAF_REVIEW = 13,
    LB_LEAF_PARCEL = 14,  /* a parcel was sent, kept, delivered, ended: the code says which */
    LB_LEAF_TYPE_END
};

struct lb_leaf {
    enum lb_leaf_type type;
    int64_t time_ms;
    uint8_t txn[16];
    char code[LB_MAX_CODE_BYTES];    /* an outer code's name, or an event such as "STARTED" */
    char views[8 * (LB_MAX_NAME_BYTES + 1)];
    uint8_t policy_hash[32];    /* of the view files in force; in a DELIVER leaf as the adapter's
                                   entry has it; in a broker's HELD who sent the parcel
                                   (reconcile.h) */
    uint8_t fields_hash[32];    /* salted commitment to the detail's fields-and-operators text */
    uint8_t detail_hash[32];    /* covers the detail's salted text, its encrypted row and the row of
                                   its data key; detail.h gives the bytes */
    uint8_t request_hash[32];   /* SHA-256 of the sealed request's ciphertext; in an ERASURE leaf
                                   the commitment to the keys it destroyed (detail.h) */
    uint8_t answer_hash[32];    /* SHA-256 of the sealed answer; in a broker's HELD whom the parcel
                                   is for (reconcile.h) */
    uint8_t peer_leaf[32];      /* RFC 6962 leaf hash of the other side's entry; in a ROUTE leaf,
                                   before there is one, whose it will be (reconcile.h) */
    uint32_t count;             /* 1, or how many were aggregated */
    bool retry;                 /* a repeated rid: no second use */
};

/* lb_leaf_encode appends the bytes; MALFORMED for an impossible field (unknown type, text too
 * long). */
LB_MUST lb_status lb_leaf_encode(const struct lb_leaf *leaf, struct lb_buf *out);
/* lb_leaf_decode reads exactly one leaf; MALFORMED for anything else, VERSION_UNSUPPORTED for a
 * newer version. Every leaf has one encoding: decode then encode gives the same bytes. */
LB_MUST lb_status lb_leaf_decode(struct lb_span bytes, struct lb_leaf *out_leaf);
/* lb_leaf_type_name returns "READ", "ROUTE", ... */
const char *lb_leaf_type_name(enum lb_leaf_type type);

#endif
