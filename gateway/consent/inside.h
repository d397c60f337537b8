#ifndef GATEWAY_CONSENT_INSIDE_H
#define GATEWAY_CONSENT_INSIDE_H

#include <pthread.h>

#include "gateway/consent/consent.h"
#include "gateway/consent/records.h"
#include "gateway/json/json.h"
#include "gateway/token/grant.h"
#include "gateway/token/slip.h"
#include "gateway/token/status_list.h"
#include "policy/engine/form_text.h"

/* What the sources of the consent office share. */

#define LB_CONSENT_ID_BYTES 35       /* a letter, '-', 32 hex digits and a NUL */
#define LB_CONSENT_COPY_KEPT_S (24 * 3600)      /* after the window has fetched the outcome */
#define LB_CONSENT_PENDING_S (24 * 3600)        /* for the citizen to decide */
#define LB_CONSENT_REFUSAL_KEPT_S (30 * 86400)  /* when nobody fetches it */
#define LB_CONSENT_RECORD_KEPT_S (3 * 366 * 86400)  /* after the consent's end */
#define LB_CONSENT_MAX_PENDING 100000
#define LB_CONSENT_MAX_PENDING_PER_WINDOW 20000  /* one window can't lock out the others */
#define LB_CONSENT_MAX_REFUSED 128      /* facts or departments that one decision names */

/* The lists made last, so that an adapter's proof of a newer one than was sent is known. */
#define LB_CONSENT_RECENT_LISTS 256U

struct lb_consent_recent {
    uint64_t seq;
    uint8_t sha256[32];
};

/* together.c: something to be written to the store with what others write at the same time. */
struct lb_consent_job {
    /* Runs under the lock, inside a transaction; a failure undoes what it wrote and nothing else.
     * *out_entry is what has to be in the evidence before any of it counts: NULL for nothing. When
     * the log takes nothing, one without an entry runs once more. */
    lb_status (*write)(void *self, struct lb_log_entry **out_entry);
    void *self;

    struct lb_consent_job *next;  /* this and what follows are together.c's */
    struct lb_log_entry *entry;
    lb_status status;
    bool done;
};

/* Who writes, and who waits for the next turn. */
struct lb_consent_turns {
    pthread_mutex_t lock;         /* before the office's */
    pthread_cond_t over;
    bool led;
    struct lb_consent_job *first;
    struct lb_consent_job **last;
};

struct lb_consent {
    struct lb_consent_options options;
    struct lb_consent_turns turns;
    uint8_t pseudonym_key[32];
    uint8_t salt_key[32];
    uint8_t slip_key[32];
    uint8_t digest_key[32];

    pthread_mutex_t lock;           /* holds what follows */
    struct lb_consent_store *store;
    const struct lb_issuer_key *listed_by;  /* who signed the newest list of this life */
    bool has_listed;                /* a status list was made since this start */
    struct lb_consent_recent recent[LB_CONSENT_RECENT_LISTS];  /* by seq, modulo their number */
};

/* Who sits at the desk. */
struct lb_consent_officer {
    const char *desk;   /* SPIFFE id */
    const char *name;   /* "person <keyed hash>" by a token, else "desk <SPIFFE id>" */
    bool has_token;
};

/* What of a form is granted: all that needs consent, but for what is refused or out of scope. */
struct lb_consent_choice {
    bool emergency;             /* on that basis, whatever the form says */
    size_t num_departments;
    char *const *departments;   /* refused */
    size_t num_facts;
    char *const *facts;         /* refused */
    const char *scope;          /* " a b " of an agent; NULL: everything */
};

/* One decision on its way through confirm.c, issue.c and what records it. */
struct lb_consent_decision {
    struct lb_consent *consent;
    struct lb_arena *arena;
    struct lb_directory *directory;
    const struct lb_form *form;
    struct lb_consent_officer officer;
    const char *language;             /* of the notice that was shown */
    enum lb_notice_variant variant;
    const char *method;
    int level;
    uint8_t notice_sha256[32];
    uint8_t paper_sha256[32];         /* zeros without a paper */
    const char *reason;               /* of an emergency; else NULL */
    enum lb_giver giver;
    struct lb_consent_choice choice;
    bool agreed;
    bool has_subject_key;
    uint8_t subject_key[32];          /* commitment to the citizen's own key */
    int64_t now_unix_s;
    const struct lb_node *requester;  /* the window that asked */
    struct lb_consent_request_row row;

    /* set by lb_consent_issue */
    struct lb_consent_grant_row grant;
    uint8_t jwt_sha256[32];

    struct lb_log_entry *entry;       /* of the decision; NULL for one that was taken before */
};

/* What one entry of the evidence says. */
struct lb_consent_event {
    const char *code;                 /* GRANTED, REFUSED, REVOKED, ... */
    const char *desk;
    const char *officer;              /* NULL when it is the desk */
    const char *request_id;
    const char *grant_id;             /* NULL when there is none */
    const char *form;
    uint32_t form_version;
    const uint8_t *form_sha256;
    const char *case_id;
    const char *requester;            /* organization */
    const char *role;
    const char *method;               /* NULL for a withdrawal, as are the next two */
    int level;
    const uint8_t *notice_sha256;
    const uint8_t *subject;           /* pseudonym */
    const uint8_t *guardian;          /* pseudonym; NULL when there is none */
    const char *giver;                /* who agreed; NULL when nobody did */
    int64_t every_days;               /* of a standing grant's decision; else 0 */
    const char *reason;               /* of an emergency or its end; NULL */
    struct lb_span refused;           /* departments and facts, between spaces; may be empty */
    const uint8_t *paper_sha256;      /* NULL without a paper */
    struct lb_span fields;            /* view.field:operator lines; may be empty */
    const uint8_t *artefact_sha256;   /* of the grant or the status list; NULL when there is none */
};

/* --- office.c --- */

/* lb_consent_form finds a form by id and version; FORM_UNKNOWN. */
LB_MUST lb_status lb_consent_form(const struct lb_consent *consent, const char *id,
                                  uint32_t version, const struct lb_form **out_form);
/* lb_consent_need_desk: ROLE_NOT_ALLOWED unless the caller is a listed desk of this office. */
LB_MUST lb_status lb_consent_need_desk(const struct lb_consent *consent,
                                       const struct lb_directory *directory, const char *caller);
/* lb_consent_need_key: WRONG_REQUESTER unless it is a current sealing key of the node. */
LB_MUST lb_status lb_consent_need_key(const struct lb_node *node, struct lb_span key,
                                      int64_t now_unix_s);
/* lb_consent_pseudonym is HMAC-SHA256 under the office's key. */
void lb_consent_pseudonym(const struct lb_consent *consent, const char id_no[19],
                          uint8_t out[32]);
/* lb_consent_is_document says in constant time whether a document is that of the subject, or of the
 * guardian; MALFORMED when its number is not one. */
LB_MUST lb_status lb_consent_is_document(const struct lb_consent *consent, const char *id_no,
                                         const uint8_t pseudonym[32], bool *out_is);
/* lb_consent_salt derives a request's salt, the same every time; unpredictable without the key. */
void lb_consent_salt(const struct lb_consent *consent, const char *request_id, uint8_t out[16]);
/* lb_consent_random_id writes "<kind>-" and 32 random hex digits. */
LB_MUST lb_status lb_consent_random_id(char kind, char out[LB_CONSENT_ID_BYTES]);
/* lb_consent_text_ok: 1 to max bytes of UTF-8 without control characters. */
bool lb_consent_text_ok(const char *text, size_t max);
/* lb_consent_adapter_of finds an organization's first listed adapter; NULL when there is none. */
const struct lb_node *lb_consent_adapter_of(const struct lb_directory *directory,
                                            const char *organization);
/* lb_consent_notice_text renders the notice for an organization under its name in that language. */
LB_MUST lb_status lb_consent_notice_text(const struct lb_directory *directory,
                                         const struct lb_form *form, const char *organization,
                                         const char *language, enum lb_notice_variant variant,
                                         struct lb_arena *arena, struct lb_span *out_text);
/* lb_consent_listed says whether a word is in a list. */
bool lb_consent_listed(const char *word, const char *const *list, size_t num);
/* lb_consent_as_unknown turns ABSENT into GRANT_UNKNOWN: there is none for this caller. */
LB_MUST lb_status lb_consent_as_unknown(lb_status status);
/* lb_consent_count_denial puts a refusal into the evidence; failures of ours and "not yet" are
 * none. */
void lb_consent_count_denial(const struct lb_consent *consent, const char *caller,
                             lb_status status);
/* lb_consent_unref is lb_directory_unref for LB_DEFER. */
void lb_consent_unref(struct lb_directory **directory);
/* lb_consent_lock takes the lock and returns the office; lb_consent_unlock, for LB_DEFER on what it
 * returned, undoes an open transaction and gives the lock back. */
struct lb_consent *lb_consent_lock(struct lb_consent *consent);
void lb_consent_unlock(struct lb_consent **consent);

/* --- together.c --- */

/* lb_consent_turns_init begins without anybody; at lb_consent_turns_cleanup nobody may wait. */
void lb_consent_turns_init(struct lb_consent_turns *turns);
void lb_consent_turns_cleanup(struct lb_consent_turns *turns);
/* lb_consent_together runs a job, and returns when what it wrote is durable, with its entry. What
 * the job returned itself, what lb_consent_enter says of the log, or the store's failure. */
LB_MUST lb_status lb_consent_together(struct lb_consent *consent, struct lb_consent_job *job);

/* --- officer.c --- */

/* lb_consent_who finds who decides: ROLE_NOT_ALLOWED unless the caller is a desk of this office. An
 * organization that lists a key for operators' tokens demands one of its own on every decision:
 * OPERATOR_TOKEN_INVALID, OPERATOR_TOKEN_EXPIRED; without such a key the desk itself is the officer
 * and a token is refused. */
LB_MUST lb_status lb_consent_who(const struct lb_consent *consent,
                                 const struct lb_directory *directory, const char *caller,
                                 const char *token, struct lb_arena *arena,
                                 struct lb_consent_officer *out_officer);

/* --- people.c --- */

/* A request while it is read. */
struct lb_consent_asking {
    struct lb_consent *consent;
    struct lb_directory *directory;
    struct lb_arena *arena;
    const Lianban__V1__GrantRequest *request;
    const struct lb_form *form;
    size_t role;
    int64_t now_unix_s;
    struct lb_consent_request_row row;
};

/* lb_consent_read_people judges who the request is about and who has to agree (PIPL 31, 49), and
 * fills pseudonyms, commitment, party and the other one's papers. MALFORMED. */
LB_MUST lb_status lb_consent_read_people(struct lb_consent_asking *asking);
/* lb_consent_day writes the local date of a time as YYYY-MM-DD. */
LB_MUST lb_status lb_consent_day(int64_t unix_s, char out[11]);

/* --- present.c --- */

/* lb_consent_present judges the documents at the desk against who has to agree, and sets
 * decision->giver. MALFORMED for anybody else's document, PARTY_MISSING when one more is needed,
 * AGENT_EXPIRED. Form and choice are known. */
LB_MUST lb_status lb_consent_present(struct lb_consent_decision *decision,
                                     const Lianban__V1__ConfirmRequest *request);

/* --- choice.c --- */

/* lb_consent_choose reads what is refused: MALFORMED for what cannot be refused or is named twice,
 * or when nothing would be left to grant. */
LB_MUST lb_status lb_consent_choose(struct lb_consent_decision *decision,
                                    const Lianban__V1__ConfirmRequest *request);
/* lb_consent_needs says whether a form's fact is asked for the role under a basis that this office
 * answers for, which is any but a mandate. */
bool lb_consent_needs(const struct lb_form *form, const struct lb_form_fact *fact, size_t role);
/* lb_consent_grants says whether it is also granted; choice NULL stands for everything. */
bool lb_consent_grants(const struct lb_form *form, const struct lb_form_fact *fact, size_t role,
                       const struct lb_consent_choice *choice);
/* lb_consent_is_sensitive says whether anything granted needs separate consent. */
bool lb_consent_is_sensitive(const struct lb_form *form, size_t role,
                             const struct lb_consent_choice *choice);
/* lb_consent_refused writes what is refused, departments first, between spaces. */
LB_MUST lb_status lb_consent_refused(const struct lb_consent_choice *choice,
                                     struct lb_arena *arena, struct lb_span *out_text);

/* --- again.c --- */

/* lb_consent_digest is a keyed hash of what a desk recorded, documents included, so that a retry is
 * known from another decision. */
LB_MUST lb_status lb_consent_digest(const struct lb_consent *consent,
                                    const Lianban__V1__ConfirmRequest *request, uint8_t out[32]);
/* lb_consent_decided says what came of the very same decision by the same officer; CASE_STATE when
 * another was taken. */
LB_MUST lb_status lb_consent_decided(const struct lb_consent_decision *decision,
                                     const uint8_t digest[32]);
/* lb_consent_is_second judges the first of two officers: false, and the row is to be stored, when
 * this one is it. CASE_STATE when the first recorded something else, MALFORMED when only one of
 * them has a token. */
LB_MUST lb_status lb_consent_is_second(struct lb_consent_decision *decision,
                                       const uint8_t digest[32], bool *out_second);

/* --- slip.c --- */

/* lb_consent_slip_code derives a grant's code, the same every time, lb_consent_slip_hash what the
 * store finds it by. */
void lb_consent_slip_code(const struct lb_consent *consent, const char *grant_id,
                          char out[LB_SLIP_CODE_BYTES]);
void lb_consent_slip_hash(const struct lb_consent *consent, const char code[LB_SLIP_CODE_BYTES],
                          uint8_t out[32]);

/* --- issue.c --- */

/* lb_consent_plan makes the sections that a role needs consent for, with provider, audience, basis,
 * laws, views and limits; the rest is zero. FORM_INERT when a department has no listed adapter,
 * VIEW_UNKNOWN when the directory has no version of a view, MALFORMED when nothing is granted,
 * SECTION_INVALID past LB_MAX_VIEWS_PER_SECTION. */
struct lb_consent_plan {
    const struct lb_form *form;
    size_t role;
    const struct lb_directory *directory;
    const struct lb_consent_choice *choice;  /* NULL: everything */
};
LB_MUST lb_status lb_consent_plan(const struct lb_consent_plan *plan, struct lb_arena *arena,
                                  struct lb_section **out_sections, size_t *out_num);
/* lb_consent_issue signs the grant of a decision and sets row.grant_id, row.sd_jwt and the last
 * part of the decision. Called in the store's transaction. BUSY when every status index is
 * taken. */
LB_MUST lb_status lb_consent_issue(struct lb_consent_decision *decision);

/* --- record.c --- */

/* lb_consent_record writes the consent record of a decision and adds it to the store. */
LB_MUST lb_status lb_consent_record(const struct lb_consent_decision *decision);
/* lb_consent_record_change adds the record of a withdrawal, suspension or resumption (the row has
 * its new state), made from the decision's; `by` is the pseudonym of whose document was shown. */
LB_MUST lb_status lb_consent_record_change(struct lb_consent *consent,
                                           const struct lb_consent_grant_row *grant,
                                           const uint8_t by[32], const char *desk,
                                           int64_t now_unix_s, struct lb_arena *arena);
/* lb_consent_record_supplement adds the record of an emergency's end, made from the emergency's. */
LB_MUST lb_status lb_consent_record_supplement(struct lb_consent *consent,
                                               const struct lb_consent_emergency_row *emergency,
                                               const char *outcome, const char *desk,
                                               int64_t now_unix_s, struct lb_arena *arena);
/* lb_consent_grant_lookup finds a grant by its id; GRANT_UNKNOWN. The lock is held. */
LB_MUST lb_status lb_consent_grant_lookup(struct lb_consent *consent, const char *grant_id,
                                          struct lb_arena *arena,
                                          struct lb_consent_grant_row *out_grant);
/* lb_consent_record_json reads a stored record; STORE_FAILED when there is none. The caller frees
 * it. */
LB_MUST lb_status lb_consent_record_json(struct lb_consent *consent, const char *request,
                                         struct lb_arena *arena, struct lb_json **out_record);

/* --- entry.c --- */

/* lb_consent_fields writes one line "view.field:operator" for each granted fact; TOO_LARGE. */
LB_MUST lb_status lb_consent_fields(const struct lb_form *form, size_t role,
                                    const struct lb_consent_choice *choice,
                                    struct lb_arena *arena, struct lb_span *out_text);
/* lb_consent_event_of describes something that happened to a grant. */
struct lb_consent_event lb_consent_event_of(const struct lb_consent_grant_row *grant,
                                            const char *code, const char *desk);
/* lb_consent_entry writes the entry about an event; lb_consent_enter_all makes several durable, all
 * or none as far as anybody may be told: as lb_consent_enter. */
LB_MUST lb_status lb_consent_entry(const struct lb_consent_event *event, struct lb_arena *arena,
                                   struct lb_log_entry **out_entry);
LB_MUST lb_status lb_consent_enter_all(struct lb_consent *consent, struct lb_log_entry *entries,
                                       size_t num);
/* lb_consent_enter makes an event durable in the evidence; LOG_UNAVAILABLE, and then nothing may be
 * granted, refused or withdrawn. */
LB_MUST lb_status lb_consent_enter(struct lb_consent *consent,
                                   const struct lb_consent_event *event, struct lb_arena *arena);

/* --- revoke.c --- */

/* lb_consent_apply gives a grant a state and makes the list that says so. The lock is held and a
 * transaction open. */
LB_MUST lb_status lb_consent_apply(struct lb_consent *consent, struct lb_consent_grant_row *grant,
                                   enum lb_grant_state state, int64_t now_unix_s,
                                   struct lb_arena *arena, struct lb_consent_push *out_push);

/* --- status.c --- */

/* lb_consent_new_list makes the list after the current one and stores it; the lock is held and a
 * transaction open. */
LB_MUST lb_status lb_consent_new_list(struct lb_consent *consent, int64_t now_unix_s,
                                      struct lb_arena *arena, uint64_t *out_seq,
                                      struct lb_span *out_token);
/* lb_consent_take_index draws a free status index; BUSY when there is none. Called likewise. */
LB_MUST lb_status lb_consent_take_index(struct lb_consent *consent, uint64_t *out_index);

#endif
