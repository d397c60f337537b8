#ifndef ADAPTERS_SERVE_INTAKE_H
#define ADAPTERS_SERVE_INTAKE_H

#include "adapters/serve/serve.h"
#include "gateway/base/workers.h"
#include "gateway/seal/parcel.h"
#include "lianban/v1/parcel.pb-c.h"

/*
 * The department's side of submission: parcels that a broker brings are opened, judged by the
 * department's own policy and stored encrypted, in one transaction with the entry that says so.
 * docs/PROTOCOL.md section 11, docs/INTAKE.md.
 */
struct lb_intake;

#define LB_INTAKE_DELIVERED "DELIVERED"
#define LB_INTAKE_LIFE_S (INT64_C(90) * 86400)  /* of a parcel, at most */

/* lb_serve_intake borrows it; it lives as long as the serve. */
struct lb_intake *lb_serve_intake(struct lb_serve *serve);
/* lb_serve_self borrows this instance's SPIFFE id. */
const char *lb_serve_self(const struct lb_serve *serve);

/* A parcel with the RFC 6962 hash of the broker's verified HELD leaf. */
struct lb_intake_routed {
    const Lianban__V1__Parcel *parcel;
    struct lb_hash leaf;
};

/* What is said of it, with the own entry. */
struct lb_intake_receipt {
    const char *code;          /* DELIVERED, or the name of why not */
    bool recorded;             /* false: BUSY, STOPPING, LOG_FULL, LOG_UNAVAILABLE */
    uint64_t index;            /* of the entry; of a repeat that of the first */
    size_t leaf_len;
    uint8_t leaf[LB_MAX_LEAF_BYTES];
};

/* lb_intake_take takes parcels in, and returns when each of them is durable or refused; the k-th
 * receipt is about the k-th parcel. Opens seals and waits for the disk: not from a poller. */
void lb_intake_take(struct lb_intake *intake, const struct lb_intake_routed *routed, size_t num,
                    struct lb_intake_receipt *out);

struct lb_adapter_link;

/* lb_intake_join has words sent over a link from now on, until lb_intake_leave. */
void lb_intake_join(struct lb_intake *intake, struct lb_adapter_link *link);
void lb_intake_leave(struct lb_intake *intake, struct lb_adapter_link *link);
/* lb_intake_receipts takes what a broker says of words. Waits for the disk: not from a poller. */
void lb_intake_receipts(struct lb_intake *intake, struct lb_adapter_link *link,
                        Lianban__V1__ParcelReceipt *const *receipts, size_t num);

/* lb_intake_submit runs a job on the intake's own worker: one that calls lb_intake_take. BUSY,
 * STOPPING. */
LB_MUST lb_status lb_intake_submit(struct lb_intake *intake, struct lb_job *job);

#endif
