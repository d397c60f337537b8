#ifndef ADAPTERS_SERVE_ERASURES_H
#define ADAPTERS_SERVE_ERASURES_H

#include "adapters/serve/sql.h"

/*
 * Erasures that one officer has asked for and no other has approved yet: one for each person, the
 * newest, for 7 days. On the sequencer, within the entry's transaction.
 */
#define LB_ERASE_BY_COURT "court_order"
#define LB_ERASURE_ASKED_S (INT64_C(7) * 86400)

struct lb_serve_erasures {
    struct lb_serve_sql sql;
};

/* lb_serve_erasures_init names its statements; nothing is prepared yet. */
void lb_serve_erasures_init(struct lb_serve_erasures *erasures);
/* lb_serve_erasures_ask remembers who asked for it and on which basis, in place of an older one.
 * STORE_FAILED. */
LB_MUST lb_status lb_serve_erasures_ask(struct lb_serve_erasures *erasures,
                                        struct lb_store *store, const uint8_t subject[32],
                                        const char *by, const char *basis, int64_t now_unix_s);
/* lb_serve_erasures_approve is ERASURE_NOT_ASKED when nobody but `by` has asked for it
 * on this basis in the last 7 days; STORE_FAILED. */
LB_MUST lb_status lb_serve_erasures_approve(struct lb_serve_erasures *erasures,
                                            struct lb_store *store, const uint8_t subject[32],
                                            const char *by, const char *basis, int64_t now_unix_s);
/* lb_serve_erasures_done takes it out: one request is one erasure. STORE_FAILED. */
LB_MUST lb_status lb_serve_erasures_done(struct lb_serve_erasures *erasures,
                                         struct lb_store *store, const uint8_t subject[32]);

#endif
