#ifndef GATEWAY_BASE_ADMISSION_H
#define GATEWAY_BASE_ADMISSION_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/clock.h"
#include "gateway/base/later.h"
#include "gateway/base/limits.h"

/*
 * Who may begin, who waits for a place, and who had better come later: stands in front of work that
 * is dear, and costs next to nothing itself.
 *
 * In hand is as much as is done in `aim_ms` at the rate measured here (Little's law: places = rate
 * x time; rate.h), but never less than `min_places`, so that a rate measured in a quiet hour keeps
 * nobody out.
 * Behind the places waits what is done in `wait_ms`; what would wait longer, or would not be done
 * before its deadline, is refused at once and told when to come again.
 *
 * Those who wait are served in turn by whom they come from (deficit round robin, by weight), and
 * none is let to wait for more than its share: whoever asks too much makes itself wait, and nobody
 * else. Of one asker what finishes something begun goes before what begins something new, and what
 * begins is refused at half the wait.
 *
 * Any thread; nothing blocks but a mutex held for a few list operations.
 */
struct lb_admission;

enum lb_admit_kind {
    LB_ADMIT_BEGINS,    /* something new */
    LB_ADMIT_FINISHES,  /* the rest of what was begun */
    LB_ADMIT_NUM_KINDS
};

struct lb_admission_options {
    const struct lb_clock *clock;
    int64_t aim_ms;
    int64_t wait_ms;
    uint64_t min_places;  /* in weight */
    uint64_t max_places;  /* likewise: what bounds memory, or threads */
    size_t max_waiting;   /* tickets */
};

/* What asks for a place; embedded in the caller's own struct, and zeroed before its first use. Only
 * `begin` is the caller's to set. */
struct lb_ticket {
    /* Called once, outside all locks, by lb_admission_enter or by whoever gives back a place: with
     * LB_OK the work may begin and lb_admission_leave is due; otherwise its time ran out. */
    void (*begin)(struct lb_ticket *ticket, lb_status status);
    struct lb_ticket *next;
    void *flow;
    uint64_t weight;
    int64_t since_ms;   /* monotonic: it came, then: it began */
    int64_t until_ms;   /* monotonic: after that nobody wants it */
    enum { LB_TICKET_IDLE, LB_TICKET_WAITS, LB_TICKET_IN_HAND } state;
};

/* lb_admission_new: NO_MEMORY. lb_admission_free takes one with nobody in hand; NULL is allowed. */
LB_MUST lb_status lb_admission_new(const struct lb_admission_options *options,
                                   struct lb_admission **out_admission);
void lb_admission_free(struct lb_admission *admission);

/* lb_admission_who finds in a SPIFFE id whose it is: its organization; other text is itself. */
void lb_admission_who(const char *spiffe, char out[LB_MAX_NAME_BYTES + 1]);

/* lb_admission_enter asks for a place for `who` (an organization; at most LB_MAX_NAME_BYTES count).
 * weight is at least 1; left_ms is until the caller's deadline. LB_OK: begin has been or will be
 * called. Otherwise a BUSY of lb_later, and begin is not called. */
LB_MUST lb_status lb_admission_enter(struct lb_admission *admission, const char *who,
                                     enum lb_admit_kind kind, uint64_t weight, int64_t left_ms,
                                     struct lb_ticket *ticket);

/* lb_admission_peek says whether lb_admission_enter would refuse the lightest now; it counts as a
 * refusal then. */
LB_MUST lb_status lb_admission_peek(struct lb_admission *admission, const char *who,
                                    enum lb_admit_kind kind, int64_t left_ms);

/* lb_admission_leave gives the place back; once it is given back this does nothing. `served` says
 * that the work was done: what was given up tells nothing of the rate. */
void lb_admission_leave(struct lb_admission *admission, struct lb_ticket *ticket, bool served);

/* lb_admission_sweep ends the wait of those whose time is over, which otherwise happens when the
 * next place is given back; now and then, if nobody may ever give one back. */
void lb_admission_sweep(struct lb_admission *admission);

/* For the operator. */
struct lb_admission_view {
    uint64_t in_hand, places;  /* weight */
    size_t num_waiting, num_askers;
    uint64_t rate;             /* weight a second; 0: not measured yet */
    /* Since the start; the last waited in vain. */
    uint64_t num_admitted, num_refused, num_given_up;
};
void lb_admission_view(struct lb_admission *admission, struct lb_admission_view *out);

#endif
