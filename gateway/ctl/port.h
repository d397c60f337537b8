#ifndef GATEWAY_CTL_PORT_H
#define GATEWAY_CTL_PORT_H

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/base/limits.h"
#include "gateway/note/note.h"
#include "lianban/v1/adapter.pb-c.h"
#include "lianban/v1/consent.pb-c.h"
#include "lianban/v1/evidence.pb-c.h"
#include "lianban/v1/link.pb-c.h"
#include "lianban/v1/window.pb-c.h"

/*
 * How the commands reach other processes. They know no gRPC: who implements these functions
 * connects, packs and waits. Replies are in the caller's arena; failures carry the other side's
 * named code.
 */

/* The window agent beside the window system. */
struct lb_ctl_window_port {
    void *ctx;
    lb_status (*open_case)(void *ctx, const Lianban__V1__OpenCaseRequest *request,
                           struct lb_arena *arena, Lianban__V1__OpenCaseResponse **out);
    lb_status (*notice)(void *ctx, const Lianban__V1__GetNoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__GetNoticeResponse **out);
    lb_status (*request_grants)(void *ctx, const char *case_id, struct lb_arena *arena,
                                Lianban__V1__RequestGrantsResponse **out);
    lb_status (*get_case)(void *ctx, const char *case_id, struct lb_arena *arena,
                          Lianban__V1__CaseResult **out);
    lb_status (*close_case)(void *ctx, const char *case_id);
    /* Runs one Collect or Watch to its end; on_event gets each CaseEvent's bytes, one at a time
     * and on a thread of the port's, while the caller waits. */
    lb_status (*collect)(void *ctx, const char *case_id,
                         void (*on_event)(void *arg, struct lb_span event), void *arg);
    lb_status (*watch)(void *ctx, const char *case_id,
                       void (*on_event)(void *arg, struct lb_span event), void *arg);
    /* Any other method of the agent's, by its name: `out` points to a pointer to the reply. */
    lb_status (*ask)(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out);
    void (*close)(void *ctx);
};

/* A form as the directory lists it. */
struct lb_ctl_form_id {
    char id[LB_MAX_NAME_BYTES + 1];
    uint32_t version;
};

/* What an adapter did for its officer, as its own log has it. */
struct lb_ctl_entry {
    uint64_t index;
    int64_t at_unix_ms;
    uint32_t count;  /* of an erasure: the keys destroyed */
};

/* The entry of an officer's query, and whom it is about. */
#define LB_CTL_MAX_NAMES 16
struct lb_ctl_reviewed {
    uint64_t entry;
    int64_t at_unix_ms;
    size_t num_names;  /* 0: about nobody */
    uint8_t names[LB_CTL_MAX_NAMES][32];  /* every pseudonym of theirs, newest first */
};

/* The consent office, as one of its own desks sees it; or an adapter, as its own officer does. */
struct lb_ctl_desk_port {
    void *ctx;
    /* The newest version of a form in the directory; with id NULL the only form there is.
     * FORM_UNKNOWN, also when several would do. */
    lb_status (*find_form)(void *ctx, const char *id, struct lb_ctl_form_id *out);
    lb_status (*notice)(void *ctx, const Lianban__V1__NoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__NoticeResponse **out);
    lb_status (*confirm)(void *ctx, const Lianban__V1__ConfirmRequest *request,
                         struct lb_arena *arena, Lianban__V1__ConfirmResponse **out);
    lb_status (*revoke)(void *ctx, const Lianban__V1__RevokeRequest *request,
                        struct lb_arena *arena, Lianban__V1__RevokeResponse **out);
    /* For an officer, whose other side is an adapter: ends a grant there. RECEIPT_INVALID when the
     * adapter does not show the entry for it. */
    lb_status (*stop_grant)(void *ctx, const Lianban__V1__StopGrantRequest *request,
                            struct lb_arena *arena, struct lb_ctl_entry *out);
    /* For an officer: makes a query an entry of the other side's log before it runs.
     * RECEIPT_INVALID when no entry for this very query is shown. */
    lb_status (*record_review)(void *ctx, const Lianban__V1__RecordReviewRequest *request,
                               struct lb_arena *arena, struct lb_ctl_reviewed *out);
    /* For an officer: asks for a person's erasure, or approves it. RECEIPT_INVALID as above. */
    lb_status (*erase)(void *ctx, const Lianban__V1__EraseSubjectRequest *request,
                       struct lb_arena *arena, struct lb_ctl_entry *out);
    /* Any other method of the office's, or of the adapter's, by its name: `out` points to a pointer
     * to the reply. */
    lb_status (*ask)(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out);
    /* For an officer: any method of the Evidence service, likewise. */
    lb_status (*ask_evidence)(void *ctx, const char *method, const void *request,
                              const ProtobufCMessageDescriptor *reply_kind,
                              struct lb_arena *arena, void *out);
    void (*close)(void *ctx);
};

/* Another node's evidence, as an auditor or an officer reads it. */
struct lb_ctl_log_port {
    void *ctx;
    struct lb_note_verifier verifier;  /* of the log's key in the directory */
    /* Any method of the Evidence service, by its name: `out` points to a pointer to the reply. */
    lb_status (*ask)(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out);
    void (*close)(void *ctx);
};

/*
 * A desk's own settings (YAML; paths are relative to the file):
 *   node: spiffe://<federation>/consent/<organization>/<desk>
 *   identity: {cert: cert.pem, key: key.pem, ca: ca.pem}
 *   crl: crl.pem
 *   directory: {file: directory.note, signers: ["<vkey>"]}
 *   consent: spiffe://<federation>/consent/<organization>     # the office
 *   state: state               # what the desk has seen of directories
 *   requester: spiffe://...                                   # optional: the usual window
 *   form: social-assistance                                   # optional: the usual form
 * A department's officer has `adapter: spiffe://...` in place of `consent`, the operator's has
 * `broker: spiffe://...`, an auditor none of them.
 */
#define LB_CTL_MAX_SIGNERS 16

struct lb_ctl_desk_profile {
    const char *node;
    const char *cert;
    const char *key;
    const char *ca;
    const char *crl;
    const char *directory;
    const char *signers[LB_CTL_MAX_SIGNERS];
    size_t num_signers;
    const char *consent;    /* NULL for another member's officer or an auditor */
    const char *adapter;    /* NULL for a desk */
    const char *address;    /* host:port or unix:/path of an adapter inside the house; NULL: the
                               directory's */
    const char *broker;     /* NULL but for the operator's officer */
    const char *state;
    const char *requester;  /* NULL when not set */
    const char *form;       /* NULL when not set */
};

/* lb_ctl_desk_profile_load reads a profile; texts are in the arena. CONFIG_INVALID, FILE_FAILED,
 * TOO_LARGE, NO_MEMORY with file, line and advice in diag. */
LB_MUST lb_status lb_ctl_desk_profile_load(const char *path, struct lb_arena *arena,
                                           struct lb_diag *diag, struct lb_ctl_desk_profile *out);

/* Other members' logs, as far as an officer's certificate shows them. */
struct lb_ctl_evidence_port {
    void *ctx;
    /* The brokers that the directory lists, in the arena. */
    lb_status (*brokers)(void *ctx, struct lb_arena *arena, const char *const **out, size_t *num);
    /* GetDigests and GetDigestEntries of a member; replies as they came, in the arena. */
    lb_status (*digests)(void *ctx, const char *member, int64_t from, int64_t to,
                         struct lb_arena *arena, struct lb_span *out);
    lb_status (*entries)(void *ctx, const char *member, int64_t minute, uint64_t from_index,
                         struct lb_arena *arena, struct lb_span *out);
    void (*close)(void *ctx);
};

struct lb_log;
struct lb_trust;

/* An adapter that is tried out, as a broker and a window of its rehearsal reach it. */
enum lb_ctl_kit_member { LB_CTL_KIT_BROKER, LB_CTL_KIT_WINDOW, LB_CTL_KIT_NUM_MEMBERS };

struct lb_ctl_kit_options {
    const char *adapter;  /* SPIFFE id */
    const char *address;  /* host:port */
    struct lb_trust *trust;
    struct lb_log *log;   /* the broker's */
    struct {
        const char *cert, *key, *ca;
    } members[LB_CTL_KIT_NUM_MEMBERS];
};

struct lb_ctl_kit_port {
    void *ctx;
    /* Any bytes to any method; the other side's code. */
    lb_status (*call)(void *ctx, enum lb_ctl_kit_member as, const char *method,
                      struct lb_span request, struct lb_arena *arena, struct lb_span *out_reply);
    /* Links up as the broker, hands on one status list and waits for what is said of it. */
    lb_status (*push)(void *ctx, const char *token, struct lb_arena *arena,
                      Lianban__V1__StatusAck **out_ack);
    void (*close)(void *ctx);
};

/* Opens the ports; a sentence in diag when that fails. The caller closes what was opened. */
struct lb_ctl_remote {
    void *ctx;
    lb_status (*open_window)(void *ctx, const char *agent, struct lb_diag *diag,
                             struct lb_ctl_window_port *out);
    lb_status (*open_desk)(void *ctx, const struct lb_ctl_desk_profile *profile,
                           const struct lb_clock *clock, struct lb_diag *diag,
                           struct lb_ctl_desk_port *out);
    /* The log of any node in the directory. */
    lb_status (*open_log)(void *ctx, const struct lb_ctl_desk_profile *profile, const char *spiffe,
                          const struct lb_clock *clock, struct lb_diag *diag,
                          struct lb_ctl_log_port *out);
    lb_status (*open_evidence)(void *ctx, const struct lb_ctl_desk_profile *profile,
                               const struct lb_clock *clock, struct lb_diag *diag,
                               struct lb_ctl_evidence_port *out);
    /* What the options point at must outlive the port. */
    lb_status (*open_kit)(void *ctx, const struct lb_ctl_kit_options *options,
                          struct lb_diag *diag, struct lb_ctl_kit_port *out);
};

#endif
