#ifndef GATEWAY_EXCHANGE_BREAKER_H
#define GATEWAY_EXCHANGE_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a department is asked at all: one that has let an organization's reads wait, or lost
 * them, several times without a good answer to anybody in between is not asked for a while, so that
 * its facts are unavailable at once and nobody waits for them until the deadline.
 *
 * It opens for the organization whose reads failed, and for all only when those of two did: whoever
 * asks what nobody can answer in time cuts off itself. One good answer to anybody closes it. After
 * a pause a few reads are let through: a probe that fails opens it again for whoever's it was, for
 * longer.
 *
 * Pure: time is told, the caller locks. Zeroed is closed.
 */
#define LB_BREAKER_ASKERS 16U      /* more organizations at a time are not remembered */
#define LB_BREAKER_FAILURES 5U     /* in a row, of one organization */
#define LB_BREAKER_APART_MS 200    /* what fails together counts once */
#define LB_BREAKER_FIRST_MS 2000   /* pauses: the first, and twice as long each time */
#define LB_BREAKER_LAST_MS 30000
#define LB_BREAKER_PROBES 16U      /* under way at a time */
#define LB_BREAKER_PROBES_EACH 8U  /* of these, of one organization */

enum lb_breaker_state { LB_BREAKER_CLOSED, LB_BREAKER_OPEN, LB_BREAKER_HALF_OPEN };

struct lb_breaker {
    enum lb_breaker_state state;
    bool for_all;                  /* what it is, or was before it was half-open */
    struct {
        uint64_t asker;            /* 0: free */
        unsigned failures;
        int64_t failed_ms;
        unsigned probes;           /* under way */
    } askers[LB_BREAKER_ASKERS];
    unsigned num_probes;
    int64_t pause_ms, until_ms;    /* open until then */
};

/* lb_breaker_asker is an organization's name in a breaker; never 0. */
uint64_t lb_breaker_asker(const char *organization);

/* lb_breaker_asks says whether a read of this organization goes on; *out_probe, that it is a probe,
 * whose end has to be told. Once a pause is over this makes it half-open. */
bool lb_breaker_asks(struct lb_breaker *breaker, uint64_t asker, int64_t now_ms, bool *out_probe);
/* The end of a read that went on: a good answer; a failure of the department's; or one that says
 * nothing of it. `probe` is what lb_breaker_asks said of it. */
void lb_breaker_good(struct lb_breaker *breaker);
void lb_breaker_bad(struct lb_breaker *breaker, uint64_t asker, int64_t now_ms, bool probe);
void lb_breaker_neither(struct lb_breaker *breaker, uint64_t asker, bool probe);
/* lb_breaker_retry ends the pause: there is a new connection. */
void lb_breaker_retry(struct lb_breaker *breaker, int64_t now_ms);
/* lb_breaker_state_name is "closed", "open" or "half-open". */
const char *lb_breaker_state_name(enum lb_breaker_state state);

#endif
