#ifndef ADAPTERS_SERVE_FIXTURE_SHARE_H
#define ADAPTERS_SERVE_FIXTURE_SHARE_H

#include "adapters/serve/fixture.h"

/* For tests of blind household sums: runs as a requester states them, and what comes of asking. */

/* The two adults with wages, in the order of their places. */
extern const char *const fx_couple[2];

struct fx_run {
    uint8_t nonce[16];
    uint8_t persons[LB_MAX_HOUSEHOLD + 1][32];
    ProtobufCBinaryData wires[LB_MAX_HOUSEHOLD + 1];
    Lianban__V1__ShareRun wire;
};

/* fx_run_begin makes a run for these persons, whose commitments have the usual salt; a test may
 * spoil any part of it. */
void fx_run_begin(struct fx_run *run, const char *const *ids, size_t num);

/* What came of one request for a share. */
struct fx_share {
    enum lb_code outer;
    const char *inner;              /* "" unless answered */
    const Lianban__V1__Fact *fact;  /* NULL unless there is one */
    struct lb_span set;
};

/* fx_share_ask fills an honest ask for one person's share; fx_share_send sends an ask, each time
 * sealed anew; fx_share_get does both. */
void fx_share_ask(struct fixture *fx, struct fx_ask *ask, struct fx_run *run, uint32_t index,
                  const char *id_no);
void fx_share_send(struct fixture *fx, struct fx_ask *ask, struct fx_share *out);
void fx_share_get(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no,
                  struct fx_share *out);
/* fx_share_need insists on a share; fx_share_inner and fx_share_outer on a refusal. */
uint64_t fx_share_need(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no);
void fx_share_inner(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no,
                    enum lb_code code);
void fx_share_outer(struct fixture *fx, struct fx_run *run, uint32_t index, const char *id_no,
                    enum lb_code code);

#endif
