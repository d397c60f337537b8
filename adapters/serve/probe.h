#ifndef ADAPTERS_SERVE_PROBE_H
#define ADAPTERS_SERVE_PROBE_H

#include "adapters/serve/epochs.h"
#include "adapters/serve/sql.h"
#include "gateway/base/arena.h"
#include "lianban/v1/read.pb-c.h"
#include "policy/engine/view.h"

/*
 * What keeps a person's values from being searched out (promise 10): the same question in the same
 * case is answered from memory for a day, so that nobody sees the data change; a field is asked
 * under only so many names of the rule set, whatever the cases; and a claim may be wrong only so
 * often. The limits are the view's own (view.h).
 *
 * Two rows, sealed with AES-256-GCM under a random key of the subject: the history of the subject's
 * fields, and the answers of one case. The key itself lies wrapped in the history's row, under a
 * key made of the department's pseudonym key: without that file nothing in the store says whom or
 * what it is about, and once the row is deleted nobody can tell. Row names are HMACs.
 *
 * What lies under the key of an older epoch is found there, and moved under the newest one.
 *
 * Everything is judged and written in the transaction of the entry. The work is the same whatever
 * comes out, and for a person who is refused as well, since time must not tell (promise 1).
 */
struct lb_serve_probes {
    struct lb_serve_sql sql;
    const struct lb_serve_epochs *epochs;
    int64_t next_purge_unix_s;
};

/* lb_serve_probes_init makes a memory without statements, under the keys of the epochs (borrowed).
 * It needs no end of its own. */
void lb_serve_probes_init(struct lb_serve_probes *probes, const struct lb_serve_epochs *epochs);

#define LB_PROBE_ID_BYTES 16 /* a truncated SHA-256, unique within one sealed row */
#define LB_PROBE_MAX_PARTS 32   /* of one hash */

/* One question about the subject, with the answer that the database gives now. */
struct lb_probe_want {
    uint8_t question[LB_PROBE_ID_BYTES]; /* of view, field, operator, claims, rule set */
    uint8_t field[LB_PROBE_ID_BYTES];    /* of view and field */
    uint8_t names[LB_PROBE_ID_BYTES];    /* of the names it takes from the rule set, and that */
    bool has_names;
    bool has_claim;
    const struct lb_probing *limits;
    Lianban__V1__Fact *fact;             /* in and out: as remembered when it was asked before */
};

struct lb_probe_ask {
    const struct lb_epoch_names *names;  /* of the subject */
    const char *requester;               /* organization */
    const char *case_id;
    bool refused;                        /* the person was: nothing is kept and no fact changes */
    size_t num_wants;
    const struct lb_probe_want *wants;
};

/* lb_probe_id shortens the hash of parts, each ended by its length. */
void lb_probe_id(const struct lb_span *parts, size_t num, uint8_t out[LB_PROBE_ID_BYTES]);

/* lb_serve_probes_judge puts remembered answers in place of the facts and remembers new ones. Runs
 * on the sequencer inside an open transaction. PROBE_LIMIT: nothing may be released, and nothing of
 * this request is remembered. STORE_FAILED also for a row that was tampered with; NO_MEMORY,
 * CRYPTO_FAILED. */
LB_MUST lb_status lb_serve_probes_judge(struct lb_serve_probes *probes, struct lb_store *store,
                                        int64_t now_unix_s, const struct lb_probe_ask *ask,
                                        struct lb_arena *arena);

/* lb_serve_probes_erase forgets a subject for good: what was remembered can't be opened any more.
 * Runs on the sequencer inside an open transaction. */
LB_MUST lb_status lb_serve_probes_erase(struct lb_serve_probes *probes, struct lb_store *store,
                                        const struct lb_epoch_names *names);

#endif
