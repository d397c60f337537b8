#ifndef GATEWAY_WINDOW_WINDOW_H
#define GATEWAY_WINDOW_WINDOW_H

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/base/workers.h"
#include "gateway/evidence/log.h"
#include "gateway/register/register.h"
#include "gateway/store/schema.h"
#include "gateway/trust/issuer_keys.h"
#include "gateway/trust/seal_ring.h"
#include "gateway/trust/trust.h"
#include "lianban/v1/broker.pb-c.h"
#include "lianban/v1/consent.pb-c.h"
#include "lianban/v1/window.pb-c.h"
#include "policy/engine/catalogue.h"
#include "policy/engine/form.h"
#include "policy/engine/work_calendar.h"

/*
 * The requester's use cases, beside a window system: open a case, have the citizens asked, seal one
 * read per member and department, open the answers, check every receipt, and judge by the form's
 * rules. Knows no gRPC: the broker and the consent office are reached through a port.
 *
 * Cases are kept in one SQLite file, each encrypted under the agent's case key, so that a case
 * survives a power cut; closing a case erases it.
 */
struct lb_window;

/* One Collect at one broker. */
struct lb_window_collect_call {
    size_t broker;                     /* of the options' */
    bool has_other;                    /* another can be asked: give up on one that falls silent */
    struct lb_span operator_token;
    struct lb_span request;
    int64_t timeout_ms;
    /* Gets each CollectEvent's bytes, serially. */
    void (*on_event)(void *arg, struct lb_span event);
    void *arg;
};

/* One Follow at one broker. */
struct lb_window_follow_call {
    size_t broker;
    /* Gets each FollowEvent's bytes, serially; must not block. False ends the call. */
    bool (*on_event)(void *arg, struct lb_span event);
    bool (*go_on)(void *arg);          /* asked about once a second; false ends the call */
    void *arg;
};

/* How the agent reaches the others; calls block and come from workers. */
struct lb_window_port {
    void *ctx;
    lb_status (*notice)(void *ctx, const Lianban__V1__NoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__NoticeResponse **out);
    lb_status (*request_grant)(void *ctx, const Lianban__V1__GrantRequest *request,
                               struct lb_arena *arena, Lianban__V1__GrantTicket **out);
    lb_status (*get_grant)(void *ctx, const char *request_id, struct lb_arena *arena,
                           Lianban__V1__GetGrantResponse **out);
    /* Runs one Collect to its end. */
    lb_status (*collect)(void *ctx, const struct lb_window_collect_call *call);
    /* Asks a broker whether it serves; any failure is a no. */
    lb_status (*probe)(void *ctx, size_t broker);
    /* The consent office's current status list. */
    lb_status (*status_list)(void *ctx, struct lb_arena *arena, const char **out_token);
    /* Hands a broker a parcel; follows it until it ends; tells it what need not be kept. */
    lb_status (*submit)(void *ctx, size_t broker, const Lianban__V1__SubmitRequest *request,
                        struct lb_arena *arena, Lianban__V1__SubmitResponse **out);
    lb_status (*follow)(void *ctx, const struct lb_window_follow_call *call);
    lb_status (*take)(void *ctx, size_t broker, const Lianban__V1__TakeRequest *request);
};

/* Where the agent's own doings become evidence. */
struct lb_window_witness {
    void *ctx;
    /* Writes one entry and waits until it is durable. */
    lb_status (*record)(void *ctx, const char *code, struct lb_span detail, uint64_t *out_index);
    /* Signs a text as a note, by the log's key under the log's name. */
    lb_status (*sign)(void *ctx, struct lb_span text, struct lb_arena *arena,
                      struct lb_span *out_note);
};

struct lb_window_form {
    struct lb_form_compiled *form;   /* compiled with `rules` */
    const struct lb_rules *rules;
};

struct lb_window_options {
    const char *self;                       /* SPIFFE id */
    const char *organization;
    struct lb_trust *trust;
    struct lb_workers *workers;
    const struct lb_clock *clock;
    const struct lb_window_form *forms;
    size_t num_forms;
    struct lb_seal_ring *ring;              /* this requester's keys in the directory */
    const struct lb_issuer_keys *issuer;    /* mandates and operator tokens */
    /* SPIFFE ids, the one to ask first before the others; receipts are checked against the log of
     * the one that was asked. */
    const char *const *brokers;
    size_t num_brokers;
    const char *store_path;
    const uint8_t *case_key;                /* 32 bytes */
    struct lb_register *operators;          /* who may serve; others change it while we run */
    struct lb_window_witness witness;
    struct lb_log *log;                     /* the agent's own */
    const struct lb_work_calendar *calendar;  /* NULL: no deadline is known */
    int64_t deadline_ms;                    /* of one collect; default LB_CASE_DEADLINE_MS */
    size_t max_collects;                    /* at a time; 0: LB_WINDOW_MAX_COLLECTS */
    int64_t wait_ms;                        /* the others wait at most; 0: LB_WINDOW_WAIT_MS */
    struct lb_window_port port;
    struct lb_catalogue *catalogue;         /* of the policy calculator; NULL: there is none */
    int64_t end_days;                       /* after the time to object, a case that is over ends by
                                               itself; 0 is LB_CASE_END_DAYS */
};

#define LB_CASE_END_DAYS 30
#define LB_CASE_MAX_END_DAYS 366

#define LB_WINDOW_MAX_COLLECTS 64
#define LB_WINDOW_WAIT_MS 3000

#define LB_WINDOW_MAX_BROKERS 8
#define LB_WINDOW_MAX_CASES 4096  /* open at a time; closing one makes room */

/* lb_window_new opens the store and takes up the cases in it; options are borrowed for the window's
 * life. With a sentence in diag: FORM_UNKNOWN when the directory does not list a form by its hash,
 * or a stored case's form is not among the options'; CONFIG_INVALID when the directory lacks this
 * window, a sealing key of it or all brokers' logs, a form asks one thing twice of a role, or the
 * store was made under another case key; what lb_store_open says. */
LB_MUST lb_status lb_window_new(const struct lb_window_options *options, struct lb_diag *diag,
                                struct lb_window **out_window);
/* lb_window_free waits for collects in hand. */
void lb_window_free(struct lb_window *window);
/* lb_window_tick writes what changed in the operators' register and which cases ended into the
 * evidence, and wipes HPKE contexts past their life; once a second.
 * LOG_UNAVAILABLE, statuses of the register. */
LB_MUST lb_status lb_window_tick(struct lb_window *window);
/* lb_window_probe asks one broker that was down whether it serves again, if it is time to; it
 * blocks for as long as the port does. Until one answers it is asked last. */
void lb_window_probe(struct lb_window *window);

/* lb_window_open starts a case. MALFORMED: household against the form's roles, sizes, identity
 * numbers (check digit), ages, the same person twice, no operator. FORM_UNKNOWN. BADGE_UNKNOWN,
 * BADGE_SUSPENDED, BADGE_EXPIRED, DEVICE_UNPROVEN. BUSY when LB_WINDOW_MAX_CASES are open, and with
 * a time to come again (lb_later) while cases that are open wait long to be collected. */
LB_MUST lb_status lb_window_open(struct lb_window *window,
                                 const Lianban__V1__OpenCaseRequest *request,
                                 struct lb_arena *arena, Lianban__V1__OpenCaseResponse **out);
/* lb_window_notice fetches the notice for a case's form. CASE_UNKNOWN. */
LB_MUST lb_status lb_window_notice(struct lb_window *window,
                                   const Lianban__V1__GetNoticeRequest *request,
                                   struct lb_arena *arena, Lianban__V1__GetNoticeResponse **out);
/* lb_window_request_grants files one request per member; repeating it returns the same tickets. */
LB_MUST lb_status lb_window_request_grants(struct lb_window *window, const char *case_id,
                                           struct lb_arena *arena,
                                           Lianban__V1__RequestGrantsResponse **out);
/* lb_window_get returns the case as it stands. CASE_UNKNOWN. */
LB_MUST lb_status lb_window_get(struct lb_window *window, const char *case_id,
                                struct lb_arena *arena, Lianban__V1__CaseResult **out);
/* lb_window_close_case erases identities, grants, facts and parts, by destroying the case's key.
 * CASE_UNKNOWN; CASE_STATE while collecting, and while a part is on its way. */
LB_MUST lb_status lb_window_close_case(struct lb_window *window, const char *case_id);

/* lb_window_calculate_policies tells which policies fit what was entered. It needs no case, asks
 * nobody, and keeps, logs and traces nothing of the request. NO_METHOD without a catalogue.
 * ANSWER_INVALID; MALFORMED for a day that there is not; STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status
lb_window_calculate_policies(struct lb_window *window,
                             const Lianban__V1__CalculatePoliciesRequest *request,
                             struct lb_arena *arena,
                             Lianban__V1__CalculatePoliciesResponse **out);

/* lb_window_attest gives the agent's signed word that a closed case's key is destroyed (attest.c);
 * the entry about it is made first. CASE_UNKNOWN for a case that was not closed; what the log and
 * the key say. */
LB_MUST lb_status lb_window_attest(struct lb_window *window, const char *case_id,
                                   struct lb_arena *arena, struct lb_span *out_note);

/* A listener to a case's events. Events are numbered from 0; a listener pulls them one by one. */
struct lb_case_listener;

/* Neither may block or call back into the window. */
struct lb_listener_port {
    void *ctx;
    void (*kick)(void *ctx);                      /* an event is ready: call fill when possible */
    void (*finish)(void *ctx, lb_status status);  /* no more events will come */
};

/* lb_window_collect starts collecting what is missing (or joins a collect under way) and listens
 * from the first event of this collect. It does not block. Refuses at once: CASE_UNKNOWN, BUSY,
 * STOPPING. The listener ends with LB_OK after the event that carries the result; or, before any
 * department was asked, with GRANT_PENDING, GRANT_REFUSED or GRANT_EXPIRED when a member's grant is
 * not there (after GRANT_EXPIRED a new one can be requested), or with what kept the agent from
 * getting one; with BUSY and a time to come again (lb_later) when it could not be done in time here
 * or at the broker. */
LB_MUST lb_status lb_window_collect(struct lb_window *window, const char *case_id,
                                    const struct lb_listener_port *port,
                                    struct lb_case_listener **out_listener);
/* lb_window_watch listens only: first all events so far, then live; finishes when the case is
 * closed. */
LB_MUST lb_status lb_window_watch(struct lb_window *window, const char *case_id,
                                  const struct lb_listener_port *port,
                                  struct lb_case_listener **out_listener);
/* lb_case_listener_fill writes the next CaseEvent; false when none is ready. */
bool lb_case_listener_fill(struct lb_case_listener *listener, struct lb_buf *out);
/* lb_case_listener_close forgets the port. A collect under way goes on. */
void lb_case_listener_close(struct lb_case_listener *listener);

/* The store of cases, for who looks at all of a node's. */
extern const struct lb_store_schema lb_window_schema;

#endif
