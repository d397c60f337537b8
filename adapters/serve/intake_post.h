#ifndef ADAPTERS_SERVE_INTAKE_POST_H
#define ADAPTERS_SERVE_INTAKE_POST_H

#include "adapters/serve/intake_state.h"
#include "adapters/serve/link.h"
#include "gateway/evidence/checkpoint.h"

/*
 * Inside adapters/serve: what was said is sealed and sent by a thread of its own, over whichever
 * broker is linked, again and again until its end is known. What lies on disk says what is open;
 * who has it now is in memory only, so a start sends all that is open once more.
 *
 *   intake_post.c      the thread, and which word goes over which link
 *   intake_seal.c      sealing a word, now and whenever a key is replaced
 *   intake_receipts.c  what brokers say of words, and their ends
 */

/* A word under way. */
struct lb_intake_flight {
    int64_t id;
    char broker[LB_MAX_SPIFFE_BYTES];  /* the last one it was given to */
    uint64_t serial;                   /* over this link; 0: that is gone */
    bool held;                         /* that broker said it has it on disk */
    bool reseal;                       /* the agent's key was no longer the right one */
    unsigned tries;
    int64_t next_ms;                   /* monotonic: not before */
};

#define LB_INTAKE_MAX_LINKS 16
/* A broker that has a word on disk tells its end by itself; news that was lost is asked for. */
#define LB_INTAKE_HELD_MS 600000

struct lb_intake_post {
    struct lb_intake *intake;
    pthread_t thread;
    pthread_mutex_t lock;        /* of all below */
    pthread_cond_t wake;         /* monotonic */
    bool kicked, stopping;
    uint64_t next_serial;
    size_t num_links;
    struct {
        struct lb_adapter_link *link;
        uint64_t serial;
    } links[LB_INTAKE_MAX_LINKS];
    size_t num_flights, room;    /* rising by id */
    struct lb_intake_flight *flights;
};

/* lb_intake_post_new starts the thread; NO_MEMORY. lb_intake_post_free ends it; NULL is allowed. */
LB_MUST lb_status lb_intake_post_new(struct lb_intake *intake, struct lb_intake_post **out_post);
void lb_intake_post_free(struct lb_intake_post *post);

/* lb_intake_seal_stale says whether a word has to be sealed, for the first time or because one of
 * the two keys is no longer listed; with `newer` also when there are others to seal it with, since
 * a seal under the same keys again would help nobody. */
bool lb_intake_seal_stale(struct lb_intake *intake, const struct lb_intake_word *word,
                          bool newer);
/* lb_intake_seal seals it for the agent's newest key and makes that durable with its SENT entry;
 * *word is as stored then. PEER_UNLISTED or KEY_RETIRED while that can't be; what
 * lb_log_append_wait says. */
LB_MUST lb_status lb_intake_seal(struct lb_intake *intake, struct lb_arena *arena,
                                 struct lb_intake_word *word);
/* lb_intake_end makes a word's end durable with its entry, ENDED_<code>; peer is the hash of the
 * agent's entry, or NULL. */
LB_MUST lb_status lb_intake_end(struct lb_intake *intake, const struct lb_intake_word *word,
                                const char *code, const struct lb_hash *peer);

/* lb_intake_flight_of finds a word's flight, under the lock; NULL when it has none. */
struct lb_intake_flight *lb_intake_flight_of(struct lb_intake_post *post, int64_t id);
/* lb_intake_flight_later has it wait, longer each time. */
void lb_intake_flight_later(struct lb_intake_post *post, struct lb_intake_flight *flight);

#endif
