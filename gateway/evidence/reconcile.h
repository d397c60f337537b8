#ifndef GATEWAY_EVIDENCE_RECONCILE_H
#define GATEWAY_EVIDENCE_RECONCILE_H

#include "gateway/base/arena.h"
#include "gateway/evidence/leaf.h"
#include "gateway/evidence/merkle.h"

/*
 * Comparing a broker's log with an adapter's, entry by entry, without a word about persons. Of each
 * read the broker holds a ROUTE entry and one that closes it (DELIVER or FAILURE), the adapter a
 * READ entry; READ names the ROUTE entry's leaf hash and DELIVER the READ entry's. So whichever
 * side rewrites, removes or invents an entry, the other side's says so, however well the own log is
 * signed.
 *
 * Minutes are compared by digests first (digests.h), and only what differs is looked at one by one.
 */

/* What a side knows of one read. */
struct lb_reconcile_entry {
    uint64_t index;
    struct lb_hash hash;       /* its RFC 6962 leaf hash */
    enum lb_leaf_type type;    /* READ, ROUTE, DELIVER or FAILURE */
    int64_t time_ms;
    uint8_t txn[16];
    uint8_t views_hash[32];    /* SHA-256 of the views' text */
    uint8_t policy_hash[32];
    uint8_t request_hash[32];
    uint8_t answer_hash[32];
    uint8_t peer_leaf[32];
    char code[LB_MAX_CODE_BYTES];
};

/* Entries of one log; sorted by txn, then index, once lb_reconcile_set_sort has run. */
struct lb_reconcile_set {
    struct lb_reconcile_entry *entries;
    size_t num;
    size_t capacity;
};

/* lb_reconcile_set_add takes a leaf if it is about a read that crossed a link, and drops any other.
 * TOO_LARGE past LB_RECONCILE_MAX_ENTRIES, NO_MEMORY. */
LB_MUST lb_status lb_reconcile_set_add(struct lb_reconcile_set *set, uint64_t index,
                                       const struct lb_leaf *leaf, const struct lb_hash *hash);
/* lb_reconcile_set_sort brings a set into order and drops what came twice. MALFORMED when two
 * different entries claim one index. */
LB_MUST lb_status lb_reconcile_set_sort(struct lb_reconcile_set *set);
/* lb_reconcile_set_free empties a set; fits LB_DEFER. */
void lb_reconcile_set_free(struct lb_reconcile_set *set);

/* lb_reconcile_counterpart is what a ROUTE entry says of the adapter it goes to, in its peer_leaf:
 * SHA-256("lianban counterpart v1" || the adapter's SPIFFE id). */
void lb_reconcile_counterpart(const char *spiffe, struct lb_hash *out);

/* lb_reconcile_set_part copies from a sorted broker's set what has to do with an adapter: each txn
 * that was routed to one of `counterparts`. With `adapter` (sorted, may be NULL) also what names no
 * counterpart, because its ROUTE entry is gone, and is in the adapter's set. Both as they were
 * sorted. TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_reconcile_set_part(const struct lb_reconcile_set *broker,
                                        const struct lb_hash *counterparts, size_t num_counterparts,
                                        const struct lb_reconcile_set *adapter,
                                        struct lb_reconcile_set *out);

/* lb_reconcile_set_reach adds from a sorted set all entries of every txn with an entry in a minute.
 * TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_reconcile_set_reach(const struct lb_reconcile_set *set, int64_t minute,
                                         struct lb_reconcile_set *into);
/* lb_reconcile_group returns the end of the txn that begins at entry `begin` of a sorted set. */
size_t lb_reconcile_group(const struct lb_reconcile_set *set, size_t begin);
/* lb_reconcile_has_txn says whether a sorted set has entries of a txn; NULL is an empty set. */
bool lb_reconcile_has_txn(const struct lb_reconcile_set *set, const uint8_t txn[16]);
/* lb_reconcile_minute is the minute since 1970 that a time lies in. */
static inline int64_t lb_reconcile_minute(int64_t time_ms)
{
    return time_ms / 60000;
}

enum lb_reconcile_class {
    LB_RECONCILE_MATCH,
    LB_RECONCILE_MISSING_BROKER,   /* the adapter has an entry, the broker has none for it */
    LB_RECONCILE_MISSING_ADAPTER,  /* the broker relayed an answer, the adapter has no entry */
    LB_RECONCILE_FIELD_DIFF,       /* code, views or request differ */
    LB_RECONCILE_DIGEST_DIFF,      /* the answer, or a leaf that the other side names, differs */
    LB_RECONCILE_POLICY_DIFF,      /* the policy differs */
    LB_RECONCILE_CLOCK_SKEW,       /* the same, at times that cannot be */
    LB_RECONCILE_UNCLOSED,         /* routed, and neither delivered nor failed past its time */
    LB_RECONCILE_NUM_CLASSES
};

/* lb_reconcile_class_name returns "MATCH", "MISSING_BROKER" ...; _en and _zh say what it means and
 * what to do. Never NULL. */
const char *lb_reconcile_class_name(enum lb_reconcile_class class);
const char *lb_reconcile_class_en(enum lb_reconcile_class class);
const char *lb_reconcile_class_zh(enum lb_reconcile_class class);

/* What differs, as bits. */
enum lb_reconcile_field {
    LB_RECONCILE_CODE = 1U << 0,
    LB_RECONCILE_VIEWS = 1U << 1,
    LB_RECONCILE_REQUEST = 1U << 2,
    LB_RECONCILE_ANSWER = 1U << 3,
    LB_RECONCILE_POLICY = 1U << 4,
    LB_RECONCILE_READ_LEAF = 1U << 5,   /* the READ entry is not the one that was relayed */
    LB_RECONCILE_ROUTE_LEAF = 1U << 6,  /* the ROUTE entry is not the one that was answered */
    LB_RECONCILE_TIME = 1U << 7,
};
#define LB_RECONCILE_NUM_FIELDS 8
/* lb_reconcile_field_name returns "code", "views" ... for bit 0, 1 ... */
const char *lb_reconcile_field_name(unsigned bit);

struct lb_reconcile_finding {
    enum lb_reconcile_class class;
    uint8_t txn[16];
    int64_t time_ms;           /* of the DELIVER entry, or else of what there is */
    bool has_broker;
    bool has_adapter;
    uint64_t broker_index;     /* of DELIVER, or of ROUTE when there is none */
    uint64_t adapter_index;    /* of READ */
    unsigned fields;           /* bits of enum lb_reconcile_field */
};

struct lb_reconcile_tally {
    uint64_t counts[LB_RECONCILE_NUM_CLASSES];
    uint64_t late;             /* of the matches: answered, but too late to be relayed */
    uint64_t open;             /* still within its time */
};

/* What is judged: two sorted sets, the broker's being only what has to do with this adapter. */
struct lb_reconcile_case {
    const struct lb_reconcile_set *broker;
    const struct lb_reconcile_set *adapter;
    /* Only what happened in these minutes is told, the rest is there to compare with: wanted[i]
     * says it of minute first_minute + i. */
    int64_t first_minute;
    size_t num_minutes;
    const bool *wanted;
    int64_t now_ms;            /* decides what is unclosed */
    void (*found)(void *arg, const struct lb_reconcile_finding *finding);  /* all but MATCH */
    void *arg;
    struct lb_reconcile_tally tally;
};

/* lb_reconcile_judge compares the sets, calls `found` for every difference and adds to the tally.
 * NO_MEMORY. */
LB_MUST lb_status lb_reconcile_judge(struct lb_reconcile_case *judged);

/* lb_reconcile_is_overdue says whether a ROUTE entry of this time should be closed by now: past the
 * latest deadline it can have and LB_UNCLOSED_GRACE_S. */
bool lb_reconcile_is_overdue(int64_t route_ms, int64_t now_ms);

#endif
