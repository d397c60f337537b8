#ifndef GATEWAY_CONSENT_CONSENT_H
#define GATEWAY_CONSENT_CONSENT_H

#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/evidence/log.h"
#include "gateway/store/schema.h"
#include "gateway/trust/issuer_keys.h"
#include "gateway/trust/trust.h"
#include "lianban/v1/broker.pb-c.h"
#include "lianban/v1/consent.pb-c.h"
#include "policy/engine/form.h"

/*
 * The consent office's use cases: the notice, a window's request, the citizen's decision at the
 * office's own desk, the grant, its withdrawal and the status list. The office is never the
 * requester, and no window can decide in a citizen's name: Confirm and Revoke are for desks of this
 * very office.
 *
 * All calls block on the store; any thread.
 */
struct lb_consent;

struct lb_consent_options {
    const char *self;                        /* SPIFFE id */
    const char *organization;
    struct lb_trust *trust;
    struct lb_log *log;
    const struct lb_clock *clock;
    struct lb_form_compiled *const *forms;   /* loaded without rules */
    size_t num_forms;
    const struct lb_issuer_keys *issuer;     /* grants and status lists */
    const char *status_uri;
    int64_t status_life_s;                   /* exp - iat of a status list; default 900 */
    const char *store_path;                  /* requests, grants, consent records */
    const uint8_t *pseudonym_key;            /* 32 bytes */
    int64_t emergencies_per_officer;         /* a day; 0: none */
    int64_t emergencies_per_day;             /* of the whole office; 0: none */
};

/* lb_consent_new opens the store; FILE_FAILED, STATE_LOCKED, STORE_FAILED, VERSION_UNSUPPORTED, or
 * CONFIG_INVALID (no status URI, a life past a day) with a sentence in diag. What
 * options point at is borrowed for the office's life, but the pseudonym key, which is copied. That
 * key must never change under a store: withdrawals are proved against it. */
LB_MUST lb_status lb_consent_new(const struct lb_consent_options *options, struct lb_diag *diag,
                                 struct lb_consent **out_consent);
void lb_consent_free(struct lb_consent *consent);

/* lb_consent_notice renders the notice, the requester named as the directory names it in that
 * language; FORM_UNKNOWN, MALFORMED (language, variant, a requester that is no listed window). */
LB_MUST lb_status lb_consent_notice(struct lb_consent *consent,
                                    const Lianban__V1__NoticeRequest *request,
                                    struct lb_arena *arena, Lianban__V1__NoticeResponse **out);

/* lb_consent_request files a window's request: FORM_UNKNOWN, MALFORMED (role, sizes, a minor
 * without a guardian, an agent without a paper that still holds, anybody but a near relative for
 * the dead), ID_INVALID told as MALFORMED, ROLE_NOT_ALLOWED (a window of this very organization,
 * or of another than the trigger's source), WRONG_REQUESTER (the key is not one of the caller's in
 * the directory; for a trigger, a window without a log key). What could not be granted
 * is not asked: FORM_INERT (a department without a listed adapter), VIEW_UNKNOWN (a view the
 * directory does not list), MALFORMED (nothing that needs consent). BUSY past 100,000 pending
 * requests, or 20,000 of one window; one nobody decides is gone after 24 hours. Identity numbers
 * and names are used here and never stored. */
LB_MUST lb_status lb_consent_request(struct lb_consent *consent, const char *caller,
                                     const Lianban__V1__GrantRequest *request,
                                     struct lb_arena *arena, Lianban__V1__GrantTicket **out);

/* lb_consent_confirm records a desk's decision and, if agreed, issues the grant: one SD-JWT with a
 * section for every department of the form whose basis is a kind of consent, which is asked for the
 * role, and which was not refused. Of two officers (paper2) the first is only noted. The very same
 * decision by the same officer once more has the same outcome and decides nothing. ROLE_NOT_ALLOWED
 * unless the caller is a desk of this office (kind consent, same organization, not the office's own
 * server id); OPERATOR_TOKEN_INVALID, OPERATOR_TOKEN_EXPIRED (the officer's); GRANT_UNKNOWN;
 * CASE_STATE when something else was decided already, or recorded by the first officer; MALFORMED
 * when a document is not theirs who agree, the notice hash is not that of a notice of this form and
 * requester, method or level are out of range, the paper is missing or another, or what is refused
 * cannot be; PARTY_MISSING when one more has to agree; AGENT_EXPIRED; WRONG_REQUESTER when the
 * asking window or its key is not listed any more; FORM_UNKNOWN, FORM_INERT, VIEW_UNKNOWN when the
 * form or the directory changed meanwhile; BUSY when every status index is taken. Durable and in
 * the evidence before it returns: LOG_UNAVAILABLE, and nothing is decided. */
LB_MUST lb_status lb_consent_confirm(struct lb_consent *consent, const char *caller,
                                     const Lianban__V1__ConfirmRequest *request,
                                     struct lb_arena *arena, Lianban__V1__ConfirmResponse **out);

/* Of all that follow, for desks: ROLE_NOT_ALLOWED, the officer's OPERATOR_TOKEN_* where a token is
 * taken, and LOG_UNAVAILABLE where something is decided or somebody's record is read; then nothing
 * is. */

/* lb_consent_pending lists what waits for a decision. MALFORMED past 100 at once. */
LB_MUST lb_status lb_consent_pending(struct lb_consent *consent, const char *caller,
                                     const Lianban__V1__ListPendingRequest *request,
                                     struct lb_arena *arena,
                                     Lianban__V1__ListPendingResponse **out);

/* lb_consent_emergency grants a pending request on the basis of an emergency, for
 * LB_EMERGENCY_LIFE_S. GRANT_UNKNOWN, CASE_STATE, MALFORMED (reason, a trigger), EMERGENCY_CAPPED
 * (officer, office and day, or the person's case has one open), SUPPLEMENT_OVERDUE, and what
 * lb_consent_confirm says of window, form and directory. */
LB_MUST lb_status lb_consent_emergency(struct lb_consent *consent, const char *caller,
                                       const Lianban__V1__EmergencyRequest *request,
                                       struct lb_arena *arena,
                                       Lianban__V1__EmergencyResponse **out);
/* lb_consent_close_emergency writes what came of one; a refusal withdraws the grant. GRANT_UNKNOWN
 * (also when it is closed), MALFORMED (outcome, paper, document). */
LB_MUST lb_status lb_consent_close_emergency(struct lb_consent *consent, const char *caller,
                                             const Lianban__V1__CloseEmergencyRequest *request,
                                             struct lb_arena *arena);
/* lb_consent_due lists the open ones; lb_consent_overdue counts those that are late, for alerts. */
LB_MUST lb_status lb_consent_due(struct lb_consent *consent, const char *caller,
                                 struct lb_arena *arena, Lianban__V1__ListDueResponse **out);
LB_MUST lb_status lb_consent_overdue(struct lb_consent *consent, int64_t *out_num);

/* lb_consent_read_record hands out a grant's consent records. GRANT_UNKNOWN. */
LB_MUST lb_status lb_consent_read_record(struct lb_consent *consent, const char *caller,
                                         const Lianban__V1__RecordRequest *request,
                                         struct lb_arena *arena,
                                         Lianban__V1__RecordResponse **out);

/* lb_consent_slip writes a grant's slip for whoever's document decides on it; MALFORMED (document,
 * language), GRANT_UNKNOWN. */
LB_MUST lb_status lb_consent_slip(struct lb_consent *consent, const char *caller,
                                  const Lianban__V1__SlipRequest *request, struct lb_arena *arena,
                                  Lianban__V1__SlipResponse **out);
/* lb_consent_find_slip follows a code. GRANT_UNKNOWN for a wrong code and a wrong document alike,
 * TRIES_EXHAUSTED after five of a desk, or fifty of all, in ten minutes. */
LB_MUST lb_status lb_consent_find_slip(struct lb_consent *consent, const char *caller,
                                       const Lianban__V1__FindSlipRequest *request,
                                       struct lb_arena *arena, Lianban__V1__SlipStatus **out);

/* lb_consent_grant hands the outcome to the window that asked: GRANT_UNKNOWN (also for anybody
 * else), GRANT_PENDING, GRANT_REFUSED, GRANT_REVOKED. May be repeated for a day after the first
 * time. */
LB_MUST lb_status lb_consent_grant(struct lb_consent *consent, const char *caller,
                                   const Lianban__V1__GetGrantRequest *request,
                                   struct lb_arena *arena, Lianban__V1__GetGrantResponse **out);

/* A list on its way to the adapters. */
struct lb_consent_push {
    struct lb_span token;
    uint64_t seq;
    int64_t stops_by;         /* seconds; who has not heard stops by itself. 0 when nothing ends */
    int64_t started_unix_ms;  /* when it was sent off */
};

/* lb_consent_revoke withdraws a grant, suspends or resumes it, and makes the next status list, to
 * be pushed; GRANT_UNKNOWN, ROLE_NOT_ALLOWED, MALFORMED (the document is not the subject's or
 * guardian's, no such action), GRANT_REVOKED (a withdrawn grant stays so). What is so already
 * decides nothing new, and the list goes out again. LOG_UNAVAILABLE: nothing is changed. */
LB_MUST lb_status lb_consent_revoke(struct lb_consent *consent, const char *caller,
                                    const Lianban__V1__RevokeRequest *request,
                                    struct lb_arena *arena, struct lb_consent_push *out_push);

/* lb_consent_receipts begins an answer with every adapter of the directory, none stopped. */
LB_MUST lb_status lb_consent_receipts(struct lb_consent *consent, struct lb_arena *arena,
                                      Lianban__V1__RevokeResponse *out);
/* lb_consent_take_receipts adds what one broker reports. An adapter counts as stopped only by the
 * entry of its own log about the pushed list, or a newer one of ours, under a checkpoint that its
 * own key signed; the broker's word for it is RECEIPT_INVALID. */
LB_MUST lb_status lb_consent_take_receipts(struct lb_consent *consent,
                                           const struct lb_consent_push *push,
                                           const Lianban__V1__RelayStatusResponse *told,
                                           Lianban__V1__RevokeResponse *into);
/* lb_consent_keep_receipts makes the newly proved ones an entry of the office's own log when a
 * grant has changed since they last proved one. LOG_UNAVAILABLE and the store's failures. */
LB_MUST lb_status lb_consent_keep_receipts(struct lb_consent *consent,
                                           const struct lb_consent_push *push,
                                           const Lianban__V1__RevokeResponse *receipts,
                                           struct lb_arena *arena);

/* lb_consent_status_list returns the current signed list; a new one (seq + 1) is made when the
 * old one is LB_STATUS_TTL_S old, or half of its life is over, or a state has changed. */
LB_MUST lb_status lb_consent_status_list(struct lb_consent *consent, struct lb_arena *arena,
                                         struct lb_span *out_token);

/* lb_consent_current is lb_consent_status_list for a push, with nothing that ends by it. */
LB_MUST lb_status lb_consent_current(struct lb_consent *consent, struct lb_arena *arena,
                                     struct lb_consent_push *out_push);

/* The store of requests and grants, for who looks at all of a node's. */
extern const struct lb_store_schema lb_consent_schema;

#endif
