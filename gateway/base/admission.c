#include "gateway/base/admission.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/rate.h"

/* What a turn allows one asker; a heavier ticket waits for several. */
#define QUANTUM 16U

struct flow {
    struct flow *next;             /* in the ring of those who wait, or in hand */
    char who[LB_MAX_NAME_BYTES + 1];
    struct lb_ticket *first[LB_ADMIT_NUM_KINDS], **last[LB_ADMIT_NUM_KINDS];
    uint64_t waiting;              /* weight */
    uint64_t in_hand;
    uint64_t deficit;
};

struct lb_admission {
    struct lb_admission_options options;
    pthread_mutex_t lock;
    struct flow *flows;            /* the first is the next in turn */
    uint64_t in_hand, waiting;     /* weight */
    size_t num_waiting;
    struct lb_rate rate;           /* weight */
    int64_t took_ms;               /* a place is held so long, smoothed */
    uint64_t num_admitted, num_refused, num_given_up;
};

lb_status lb_admission_new(const struct lb_admission_options *options,
                           struct lb_admission **out_admission)
{
    *out_admission = calloc(1, sizeof(**out_admission));
    LB_ENSURE(*out_admission != NULL, LB_NO_MEMORY, "admission");
    (*out_admission)->options = *options;
    (void)pthread_mutex_init(&(*out_admission)->lock, NULL);
    return LB_OK;
}

void lb_admission_free(struct lb_admission *admission)
{
    if (admission == NULL)
        return;
    while (admission->flows != NULL) {
        struct flow *flow = admission->flows;
        admission->flows = flow->next;
        free(flow);
    }
    (void)pthread_mutex_destroy(&admission->lock);
    free(admission);
}

void lb_admission_who(const char *spiffe, char out[LB_MAX_NAME_BYTES + 1])
{
    static const char scheme[] = "spiffe://";
    const char *at = spiffe;
    if (strncmp(spiffe, scheme, sizeof(scheme) - 1) == 0) {
        at += sizeof(scheme) - 1;
        for (int parts = 0; parts < 2 && strchr(at, '/') != NULL; parts++)
            at = strchr(at, '/') + 1;
    }
    (void)snprintf(out, LB_MAX_NAME_BYTES + 1, "%.*s", (int)strcspn(at, "/"), at);
}

/* --- what is measured; all under lock from here on --- */

static uint64_t places(const struct lb_admission *admission)
{
    const struct lb_admission_options *options = &admission->options;
    uint64_t num = lb_rate_per_1000_s(&admission->rate) * (uint64_t)options->aim_ms / 1000000;
    num = num < options->min_places ? options->min_places : num;
    return num > options->max_places ? options->max_places : num;
}

/* How long so much takes; a rate that nobody knows yet is what the fewest places are meant for. */
static int64_t time_for(const struct lb_admission *admission, uint64_t weight)
{
    const struct lb_admission_options *options = &admission->options;
    uint64_t rate = lb_rate_per_1000_s(&admission->rate);
    if (rate == 0)
        rate = options->min_places * 1000000 / (uint64_t)options->aim_ms;
    return (int64_t)(weight * 1000000 / (rate > 0 ? rate : 1));
}

/* --- askers --- */

static struct flow *find_flow(struct lb_admission *admission, const char *who)
{
    struct flow *flow = admission->flows;
    while (flow != NULL && strncmp(flow->who, who, LB_MAX_NAME_BYTES) != 0)
        flow = flow->next;
    return flow;
}

/* The last in turn. */
static struct flow *add_flow(struct lb_admission *admission, const char *who)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    struct flow **at = &admission->flows;
    if (flow == NULL)
        return NULL;
    (void)snprintf(flow->who, sizeof(flow->who), "%.*s", LB_MAX_NAME_BYTES, who);
    for (size_t i = 0; i < LB_ADMIT_NUM_KINDS; i++)
        flow->last[i] = &flow->first[i];
    while (*at != NULL)
        at = &(*at)->next;
    *at = flow;
    return flow;
}

static void drop_flow(struct lb_admission *admission, struct flow *flow)
{
    struct flow **at = &admission->flows;
    if (flow->in_hand > 0 || flow->waiting > 0)
        return;
    while (*at != flow)
        at = &(*at)->next;
    *at = flow->next;
    free(flow);
}

static size_t count_waiting_flows(const struct lb_admission *admission)
{
    size_t num = 0;
    for (const struct flow *flow = admission->flows; flow != NULL; flow = flow->next)
        num += flow->waiting > 0;
    return num;
}

static struct lb_ticket *first_of(const struct flow *flow, enum lb_admit_kind *out_kind)
{
    *out_kind = flow->first[LB_ADMIT_FINISHES] != NULL ? LB_ADMIT_FINISHES : LB_ADMIT_BEGINS;
    return flow->first[*out_kind];
}

static struct lb_ticket *unqueue_first(struct lb_admission *admission, struct flow *flow)
{
    enum lb_admit_kind kind;
    struct lb_ticket *ticket = first_of(flow, &kind);
    flow->first[kind] = ticket->next;
    if (flow->first[kind] == NULL)
        flow->last[kind] = &flow->first[kind];
    flow->waiting -= ticket->weight;
    admission->waiting -= ticket->weight;
    admission->num_waiting--;
    ticket->next = NULL;
    return ticket;
}

static void rotate(struct lb_admission *admission)
{
    struct flow *first = admission->flows;
    struct flow **at = &admission->flows;
    admission->flows = first->next;
    first->next = NULL;
    while (*at != NULL)
        at = &(*at)->next;
    *at = first;
}

/* --- giving out places --- */

static void take_place(struct lb_admission *admission, struct flow *flow, struct lb_ticket *ticket,
                       int64_t now)
{
    if (admission->in_hand == 0)
        lb_rate_busy(&admission->rate, now);
    admission->in_hand += ticket->weight;
    admission->num_admitted++;
    flow->in_hand += ticket->weight;
    ticket->since_ms = now;
    ticket->flow = flow;
    ticket->state = LB_TICKET_IN_HAND;
}

static bool has_room(const struct lb_admission *admission, uint64_t weight)
{
    return admission->in_hand == 0 || admission->in_hand + weight <= places(admission);
}

/* The asker whose turn it is, with enough saved up for its first; NULL when nobody waits. A turn
 * that is too short for it is saved. */
static struct flow *next_in_turn(struct lb_admission *admission)
{
    enum lb_admit_kind kind;
    if (admission->num_waiting == 0)
        return NULL;
    for (;;) {
        struct flow *flow = admission->flows;
        const struct lb_ticket *first = first_of(flow, &kind);
        if (first != NULL && flow->deficit >= first->weight)
            return flow;
        flow->deficit = first == NULL ? 0 : flow->deficit + QUANTUM;
        if (first == NULL || flow->deficit < first->weight)
            rotate(admission);
    }
}

/* Those whose time is over go first, whoever's turn it is. Returns the list's end. */
static struct lb_ticket **expire(struct lb_admission *admission, int64_t now,
                                 struct lb_ticket **last)
{
    enum lb_admit_kind kind;
    struct flow *flow = admission->flows;
    while (flow != NULL && admission->num_waiting > 0) {
        struct flow *next = flow->next;
        while (flow->waiting > 0 && first_of(flow, &kind)->until_ms <= now) {
            struct lb_ticket *ticket = unqueue_first(admission, flow);
            ticket->state = LB_TICKET_IDLE;
            admission->num_given_up++;
            *last = ticket;
            last = &ticket->next;
        }
        drop_flow(admission, flow);
        flow = next;
    }
    return last;
}

/* Who may begin now, and whose time is over, in a list. Its state says which. */
static struct lb_ticket *dispatch(struct lb_admission *admission, int64_t now)
{
    struct lb_ticket *list = NULL, **last = expire(admission, now, &list);
    enum lb_admit_kind kind;
    struct flow *flow;
    while ((flow = next_in_turn(admission)) != NULL &&
           has_room(admission, first_of(flow, &kind)->weight)) {
        struct lb_ticket *ticket = unqueue_first(admission, flow);
        flow->deficit -= ticket->weight;
        take_place(admission, flow, ticket, now);
        rotate(admission);
        *last = ticket;
        last = &ticket->next;
    }
    return list;
}

/* Unlocks, and tells them. */
static void let_go(struct lb_admission *admission, struct lb_ticket *list)
{
    lb_status late = lb_later(time_for(admission, admission->waiting));
    (void)pthread_mutex_unlock(&admission->lock);
    while (list != NULL) {
        struct lb_ticket *ticket = list;
        list = ticket->next;
        ticket->next = NULL;
        bool begins = ticket->state == LB_TICKET_IN_HAND;
        ticket->begin(ticket, begins ? LB_OK : late);
    }
}

/* --- coming and going --- */

/* How long it would wait: by its own line and the others' turns, but never longer than for all. */
static int64_t wait_of(const struct lb_admission *admission, const struct flow *flow,
                       uint64_t weight)
{
    uint64_t askers = count_waiting_flows(admission) + (flow->waiting == 0);
    uint64_t turns = (flow->waiting + weight) * askers;
    uint64_t all = admission->waiting + weight;
    return time_for(admission, turns < all ? turns : all);
}

static lb_status refuse(struct lb_admission *admission, int64_t retry_ms)
{
    admission->num_refused++;
    return lb_later(retry_ms);
}

/* LB_OK when a ticket of this weight may wait; how long at most is in *out_most. */
static lb_status may_wait(struct lb_admission *admission, const struct flow *flow,
                          enum lb_admit_kind kind, uint64_t weight, int64_t left_ms,
                          int64_t *out_most)
{
    int64_t wait = wait_of(admission, flow, weight);
    int64_t most = admission->options.wait_ms / (kind == LB_ADMIT_FINISHES ? 1 : 2);
    if (wait > most || wait + admission->took_ms > left_ms ||
        admission->num_waiting >= admission->options.max_waiting)
        return refuse(admission, wait);
    *out_most = most;
    return LB_OK;
}

static lb_status join(struct lb_admission *admission, struct flow *flow, enum lb_admit_kind kind,
                      struct lb_ticket *ticket, int64_t left_ms, int64_t now)
{
    int64_t most = 0;
    LB_TRY(may_wait(admission, flow, kind, ticket->weight, left_ms, &most));
    /* What has waited twice as long as it was meant to is not what was counted on. */
    int64_t patience = left_ms - admission->took_ms;
    patience = patience > 2 * most ? 2 * most : patience;
    ticket->since_ms = now;
    ticket->until_ms = now + patience;
    ticket->state = LB_TICKET_WAITS;
    *flow->last[kind] = ticket;
    flow->last[kind] = &ticket->next;
    flow->waiting += ticket->weight;
    admission->waiting += ticket->weight;
    admission->num_waiting++;
    return LB_OK;
}

lb_status lb_admission_enter(struct lb_admission *admission, const char *who,
                             enum lb_admit_kind kind, uint64_t weight, int64_t left_ms,
                             struct lb_ticket *ticket)
{
    int64_t now = lb_clock_monotonic_ms(admission->options.clock);
    lb_status status = LB_OK;
    *ticket = (struct lb_ticket){.begin = ticket->begin, .weight = weight > 0 ? weight : 1};
    (void)pthread_mutex_lock(&admission->lock);
    struct flow *flow = find_flow(admission, who);
    if (flow == NULL)
        flow = add_flow(admission, who);
    bool at_once = admission->num_waiting == 0 && has_room(admission, ticket->weight);
    if (flow == NULL || left_ms <= 0)
        status = refuse(admission, 0);
    else if (at_once)
        take_place(admission, flow, ticket, now);
    else
        status = join(admission, flow, kind, ticket, left_ms, now);
    struct lb_ticket *list = status == LB_OK && !at_once ? dispatch(admission, now) : NULL;
    if (flow != NULL && status != LB_OK)
        drop_flow(admission, flow);
    let_go(admission, list);
    if (status == LB_OK && at_once)
        ticket->begin(ticket, LB_OK);
    return status;
}

lb_status lb_admission_peek(struct lb_admission *admission, const char *who,
                            enum lb_admit_kind kind, int64_t left_ms)
{
    static const struct flow nobody = {.waiting = 0};
    int64_t most = 0;
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&admission->lock);
    const struct flow *flow = find_flow(admission, who);
    if (left_ms <= 0)
        status = refuse(admission, 0);
    else if (admission->num_waiting > 0 || !has_room(admission, 1))
        status = may_wait(admission, flow != NULL ? flow : &nobody, kind, 1, left_ms, &most);
    (void)pthread_mutex_unlock(&admission->lock);
    return status;
}

void lb_admission_leave(struct lb_admission *admission, struct lb_ticket *ticket, bool served)
{
    int64_t now = lb_clock_monotonic_ms(admission->options.clock);
    (void)pthread_mutex_lock(&admission->lock);
    struct lb_ticket *list = NULL;
    if (ticket->state == LB_TICKET_IN_HAND) {
        struct flow *flow = ticket->flow;
        ticket->state = LB_TICKET_IDLE;
        ticket->flow = NULL;
        admission->in_hand -= ticket->weight;
        flow->in_hand -= ticket->weight;
        if (served) {
            lb_rate_done(&admission->rate, ticket->weight);
            admission->took_ms = (7 * admission->took_ms + now - ticket->since_ms) / 8;
        }
        lb_rate_look(&admission->rate, now, admission->in_hand == 0);
        drop_flow(admission, flow);
        list = dispatch(admission, now);
    }
    let_go(admission, list);
}

void lb_admission_sweep(struct lb_admission *admission)
{
    int64_t now = lb_clock_monotonic_ms(admission->options.clock);
    (void)pthread_mutex_lock(&admission->lock);
    struct lb_ticket *list = dispatch(admission, now);
    let_go(admission, list);
}

void lb_admission_view(struct lb_admission *admission, struct lb_admission_view *out)
{
    (void)pthread_mutex_lock(&admission->lock);
    *out = (struct lb_admission_view){
        .in_hand = admission->in_hand,
        .places = places(admission),
        .num_waiting = admission->num_waiting,
        .rate = lb_rate_per_1000_s(&admission->rate) / 1000,
        .num_admitted = admission->num_admitted,
        .num_refused = admission->num_refused,
        .num_given_up = admission->num_given_up,
    };
    for (const struct flow *flow = admission->flows; flow != NULL; flow = flow->next)
        out->num_askers++;
    (void)pthread_mutex_unlock(&admission->lock);
}
