#ifndef GATEWAY_CONSENT_RECORDS_H
#define GATEWAY_CONSENT_RECORDS_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/store/store.h"

/*
 * Inside gateway/consent: what the office keeps, in one SQLite file that this process holds alone.
 *
 * No identity number and no name is ever written, not even while a decision is pending: a request
 * holds the keyed pseudonyms that the desk's document is compared with, and the commitment that the
 * sections will carry. Its salt is derived and not stored, so that nobody who gets the file can try
 * identity numbers against it.
 *
 *   request         one asking of a window; gone a day after its outcome was fetched
 *   grants          what was granted, until its end; the status lists are made from it
 *   status_list     the newest list by URI; its sequence never falls
 *   office          how far status indexes are drawn, and when the last list ends
 *   proved          which list each adapter has shown to be in force
 *   consent_record  one document per decision (ISO/IEC TS 27560)
 *   emergency       what was granted without anybody's consent, and until when that is supplemented
 *   slip_try        wrong codes of the last hour, by desk and officer
 *
 * Any function may return the store's failures. Not thread-safe: callers hold the office's lock.
 */
struct lb_consent_store;

enum lb_consent_request_state {
    LB_REQUEST_PENDING = 0,
    LB_REQUEST_GRANTED = 1,
    LB_REQUEST_REFUSED = 2,
    LB_REQUEST_REVOKED = 3,
};

/* Who has to agree. */
enum lb_consent_party {
    LB_PARTY_SELF = 0,
    LB_PARTY_GUARDIAN = 1,  /* of a child under 14 */
    LB_PARTY_BOTH = 2,      /* a minor from 14 on; the guardian too for what is sensitive */
    LB_PARTY_AGENT = 3,     /* an agent, or the subject in person */
    LB_PARTY_RELATIVE = 4,  /* of a dead person */
};

struct lb_consent_request_row {
    const char *id;
    enum lb_consent_request_state state;
    int64_t keep_until_unix_s;  /* the row is gone from then on; ends a pending request too */
    const char *caller;         /* the window, SPIFFE id */
    const char *form;
    uint32_t form_version;
    uint8_t form_sha256[32];
    const char *case_id;
    uint8_t requester_key[32];
    const char *role;
    const char *operator_hash;
    const char *relation;       /* of the other one; NULL when there is none */
    uint8_t subject[32];        /* pseudonym */
    uint8_t guardian[32];       /* pseudonym of the other one who agrees; zeros without */
    uint8_t commitment[32];
    const char *grant_id;       /* NULL unless granted */
    const char *sd_jwt;         /* NULL unless granted and not withdrawn */
    enum lb_consent_party party;
    const char *scope;          /* an agent's departments, between spaces; NULL without an agent */
    int64_t agent_until;
    uint8_t agent_document[32];
    const char *interest;       /* a relative's own; NULL without */
    const char *first_officer;  /* of two; NULL when there is none yet */
    uint8_t first_digest[32];   /* of what that one recorded */
    const char *decided_by;     /* NULL while pending, or when an older version decided */
    uint8_t digest[32];         /* of the decision as it was recorded */
};

struct lb_consent_grant_row {
    const char *id;
    const char *request;
    uint64_t status_index;
    int64_t state;              /* enum lb_grant_state */
    int64_t exp;
    const char *requester;      /* organization */
    const char *form;
    uint32_t form_version;
    uint8_t form_sha256[32];
    const char *case_id;
    const char *role;
    bool has_guardian;      /* somebody other than the subject may decide as well */
    uint8_t subject[32];
    uint8_t guardian[32];
    uint64_t changed_seq;       /* of the list that said its newest state; 0 when issued */
    int64_t stops_by;           /* who has not heard of that stops by itself; 0 when issued */
    uint8_t slip[32];       /* keyed hash of the slip's code; written, never read */
};

struct lb_consent_emergency_row {
    const char *grant_id;
    const char *request;
    const char *form;
    const char *case_id;
    const char *role;
    const char *requester;  /* organization */
    const char *reason;
    const char *desk;
    const char *officer;
    uint8_t subject[32];    /* pseudonym */
    uint8_t other[32];      /* pseudonym of who would have had to agree; zeros for the subject */
    int64_t issued_unix_s;
    int64_t due_unix_s;
};

struct lb_consent_list_row {
    uint64_t seq;               /* 0: no list yet */
    int64_t iat;
    uint64_t entries;
    struct lb_span token;
};

/* lb_consent_store_open opens or makes the file and keeps others out. FILE_FAILED, STATE_LOCKED,
 * STORE_FAILED, VERSION_UNSUPPORTED with a sentence in diag. */
LB_MUST lb_status lb_consent_store_open(const char *path, struct lb_diag *diag,
                                        struct lb_consent_store **out_store);
/* lb_consent_store_close drops an open transaction; NULL is allowed. */
void lb_consent_store_close(struct lb_consent_store *store);

/* Transactions, as gateway/store has them. */
LB_MUST lb_status lb_consent_store_begin(struct lb_consent_store *store);
LB_MUST lb_status lb_consent_store_commit(struct lb_consent_store *store);
void lb_consent_store_rollback(struct lb_consent_store *store);
/* One's own part of a transaction: kept, or dropped. */
LB_MUST lb_status lb_consent_store_savepoint(struct lb_consent_store *store);
LB_MUST lb_status lb_consent_store_release(struct lb_consent_store *store);
LB_MUST lb_status lb_consent_store_undo(struct lb_consent_store *store);

/* lb_consent_store_purge drops what is past its time, at most once a minute. */
LB_MUST lb_status lb_consent_store_purge(struct lb_consent_store *store, int64_t now_unix_s);

/* Requests. Rows are copied into the arena. */

/* lb_consent_request_count counts pending requests, all and the caller's own. */
LB_MUST lb_status lb_consent_request_count(struct lb_consent_store *store, const char *caller,
                                           int64_t *out_all, int64_t *out_own);
LB_MUST lb_status lb_consent_request_add(struct lb_consent_store *store,
                                         const struct lb_consent_request_row *row);
/* lb_consent_request_find: ABSENT when there is none or its time is past. */
LB_MUST lb_status lb_consent_request_find(struct lb_consent_store *store, const char *id,
                                          int64_t now_unix_s, struct lb_arena *arena,
                                          struct lb_consent_request_row *out_row);
/* lb_consent_request_decide writes state, keep_until, grant_id and sd_jwt of a pending request;
 * CASE_STATE when it is not pending any more. */
LB_MUST lb_status lb_consent_request_decide(struct lb_consent_store *store,
                                            const struct lb_consent_request_row *row);
/* lb_consent_request_shorten brings keep_until forward; it never moves it back. */
LB_MUST lb_status lb_consent_request_shorten(struct lb_consent_store *store, const char *id,
                                             int64_t keep_until_unix_s);

/* lb_consent_request_first writes first_officer and first_digest of a pending request; CASE_STATE
 * when it is not pending any more. */
LB_MUST lb_status lb_consent_request_first(struct lb_consent_store *store,
                                           const struct lb_consent_request_row *row);
/* lb_consent_request_waiting reads at most max pending requests whose ids come after one. */
LB_MUST lb_status lb_consent_request_waiting(struct lb_consent_store *store, const char *after,
                                             int64_t now_unix_s, size_t max,
                                             struct lb_arena *arena,
                                             struct lb_consent_request_row *rows,
                                             size_t *out_num);

/* Grants. */

/* lb_consent_grant_add: STORE_CONFLICT when the index is taken. */
LB_MUST lb_status lb_consent_grant_add(struct lb_consent_store *store,
                                       const struct lb_consent_grant_row *row);
/* lb_consent_grant_find: ABSENT. */
LB_MUST lb_status lb_consent_grant_find(struct lb_consent_store *store, const char *id,
                                        struct lb_arena *arena,
                                        struct lb_consent_grant_row *out_row);
/* lb_consent_grant_by_slip finds a grant by the keyed hash of its slip's code; ABSENT. */
LB_MUST lb_status lb_consent_grant_by_slip(struct lb_consent_store *store, const uint8_t slip[32],
                                           struct lb_arena *arena,
                                           struct lb_consent_grant_row *out_row);
/* lb_consent_grant_set_slip gives a grant of an older version its slip. */
LB_MUST lb_status lb_consent_grant_set_slip(struct lb_consent_store *store,
                                            const struct lb_consent_grant_row *row);
/* lb_consent_grant_change sets a grant's state; one that is INVALID has no copy for the window. */
LB_MUST lb_status lb_consent_grant_change(struct lb_consent_store *store,
                                          const struct lb_consent_grant_row *row);
/* lb_consent_grant_mark notes changed_seq and stops_by. */
LB_MUST lb_status lb_consent_grant_mark(struct lb_consent_store *store,
                                        const struct lb_consent_grant_row *row);
/* lb_consent_last_change is the number of the newest list that changed a grant's state. */
LB_MUST lb_status lb_consent_last_change(struct lb_consent_store *store, uint64_t *out_seq);
LB_MUST lb_status lb_consent_grant_count(struct lb_consent_store *store, int64_t *out_num);
LB_MUST lb_status lb_consent_grant_index_taken(struct lb_consent_store *store, uint64_t index,
                                               bool *out_taken);
/* lb_consent_grant_states writes the state of every grant that is not VALID to states[index];
 * STORE_FAILED when one has no place in it. */
LB_MUST lb_status lb_consent_grant_states(struct lb_consent_store *store, uint8_t *states,
                                          size_t num);
/* The capacity: status indexes are drawn below it. */
LB_MUST lb_status lb_consent_grant_capacity(struct lb_consent_store *store, uint64_t *out_capacity);
LB_MUST lb_status lb_consent_grant_set_capacity(struct lb_consent_store *store, uint64_t capacity);

/* Status lists. */
LB_MUST lb_status lb_consent_list_find(struct lb_consent_store *store, const char *uri,
                                       struct lb_arena *arena, struct lb_consent_list_row *out_row);
/* lb_consent_list_set: STORE_CONFLICT unless the sequence rises. */
LB_MUST lb_status lb_consent_list_set(struct lb_consent_store *store, const char *uri,
                                      const struct lb_consent_list_row *row);

/* When the last of all lists ever made ends, seconds since 1970; 0 before the first. It never moves
 * back. */
LB_MUST lb_status lb_consent_listed_until(struct lb_consent_store *store, int64_t *out_unix_s);
LB_MUST lb_status lb_consent_list_until(struct lb_consent_store *store, int64_t unix_s);
/* Which list an adapter has proved to have in force; 0 for none. */
LB_MUST lb_status lb_consent_proved_seq(struct lb_consent_store *store, const char *adapter,
                                        uint64_t *out_seq);
LB_MUST lb_status lb_consent_set_proved(struct lb_consent_store *store, const char *adapter,
                                        uint64_t seq);

/* Consent records. */
struct lb_consent_document {
    const char *id;
    const char *request;
    int64_t at_unix_s;
    int64_t keep_until_unix_s;
    struct lb_span text;  /* JSON */
};
LB_MUST lb_status lb_consent_document_add(struct lb_consent_store *store,
                                          const struct lb_consent_document *document);
/* lb_consent_document_first reads the text of the first record of a request, its decision;
 * ABSENT. */
LB_MUST lb_status lb_consent_document_first(struct lb_consent_store *store, const char *request,
                                            struct lb_arena *arena, struct lb_span *out_text);

/* lb_consent_document_all reads at most max records of a request, the decision first. */
LB_MUST lb_status lb_consent_document_all(struct lb_consent_store *store, const char *request,
                                          size_t max, struct lb_arena *arena,
                                          struct lb_span *texts, size_t *out_num);

/* Slips. */
#define LB_CONSENT_TRIES_KEPT_S 3600
LB_MUST lb_status lb_consent_try_add(struct lb_consent_store *store, const char *desk,
                                     const char *officer, int64_t now_unix_s);
struct lb_consent_tries {
    int64_t desk, officer, all;
};
/* lb_consent_try_count counts wrong codes since a time: at the desk, of the officer, of all. */
LB_MUST lb_status lb_consent_try_count(struct lb_consent_store *store, const char *desk,
                                       const char *officer, int64_t since_unix_s,
                                       struct lb_consent_tries *out_tries);

/* Emergencies. `day` is YYYY-MM-DD. */
#define LB_CONSENT_CLOSED_KEPT_S (3 * 366 * 86400)
LB_MUST lb_status lb_consent_emergency_add(struct lb_consent_store *store, const char *day,
                                           const struct lb_consent_emergency_row *row);
LB_MUST lb_status lb_consent_emergency_count(struct lb_consent_store *store, const char *day,
                                             const char *officer, int64_t *out_own,
                                             int64_t *out_all);
/* lb_consent_emergency_overdue counts open ones that were due before a time, _open those of one
 * person and case. */
LB_MUST lb_status lb_consent_emergency_overdue(struct lb_consent_store *store, int64_t now_unix_s,
                                               int64_t *out_num);
LB_MUST lb_status lb_consent_emergency_open(struct lb_consent_store *store,
                                            const uint8_t subject[32], const char *case_id,
                                            int64_t *out_num);
/* lb_consent_emergency_find finds an open one; ABSENT. */
LB_MUST lb_status lb_consent_emergency_find(struct lb_consent_store *store, const char *grant_id,
                                            struct lb_arena *arena,
                                            struct lb_consent_emergency_row *out_row);
/* lb_consent_emergency_list reads at most max open ones, the oldest first. */
LB_MUST lb_status lb_consent_emergency_list(struct lb_consent_store *store, size_t max,
                                            struct lb_arena *arena,
                                            struct lb_consent_emergency_row *rows,
                                            size_t *out_num);
/* lb_consent_emergency_close ends one; CASE_STATE when it is closed already. */
LB_MUST lb_status lb_consent_emergency_close(struct lb_consent_store *store, const char *grant_id,
                                             int64_t now_unix_s);
/* lb_consent_emergency_supplement ends those that an ordinary consent has made good: of the same
 * person, case, form and role. */
LB_MUST lb_status lb_consent_emergency_supplement(struct lb_consent_store *store,
                                                  const struct lb_consent_request_row *row,
                                                  int64_t now_unix_s);

/* Between the sources of the store. */
enum lb_consent_sql {
    LB_SQL_COUNT_PENDING,
    LB_SQL_COUNT_OWN,
    LB_SQL_ADD_REQUEST,
    LB_SQL_FIND_REQUEST,
    LB_SQL_DECIDE,
    LB_SQL_SHORTEN,
    LB_SQL_PURGE_REQUEST,
    LB_SQL_PURGE_GRANT,
    LB_SQL_PURGE_DOCUMENT,
    LB_SQL_ADD_GRANT,
    LB_SQL_FIND_GRANT,
    LB_SQL_CHANGE,
    LB_SQL_MARK,
    LB_SQL_LAST_CHANGE,
    LB_SQL_FORGET_COPY,
    LB_SQL_COUNT_GRANTS,
    LB_SQL_FIND_INDEX,
    LB_SQL_STATES,
    LB_SQL_GET_CAPACITY,
    LB_SQL_SET_CAPACITY,
    LB_SQL_FIND_LIST,
    LB_SQL_SET_LIST,
    LB_SQL_GET_UNTIL,
    LB_SQL_SET_UNTIL,
    LB_SQL_FIND_PROVED,
    LB_SQL_SET_PROVED,
    LB_SQL_ADD_DOCUMENT,
    LB_SQL_FIRST_DOCUMENT,
    LB_SQL_DOCUMENTS,
    LB_SQL_WAITING,
    LB_SQL_FIRST_OFFICER,
    LB_SQL_FIND_SLIP,
    LB_SQL_SET_SLIP,
    LB_SQL_ADD_TRY,
    LB_SQL_COUNT_TRIES,
    LB_SQL_PURGE_TRIES,
    LB_SQL_ADD_EMERGENCY,
    LB_SQL_COUNT_EMERGENCIES,
    LB_SQL_COUNT_OVERDUE,
    LB_SQL_COUNT_OPEN,
    LB_SQL_FIND_EMERGENCY,
    LB_SQL_LIST_OPEN,
    LB_SQL_CLOSE_EMERGENCY,
    LB_SQL_SUPPLEMENT,
    LB_SQL_PURGE_EMERGENCY,
    LB_NUM_SQL
};
/* lb_consent_stmt gives a prepared statement, rewound; it belongs to the store. */
struct lb_stmt *lb_consent_stmt(struct lb_consent_store *store, enum lb_consent_sql which);
/* lb_consent_changed says how many rows the last statement changed. */
int64_t lb_consent_changed(const struct lb_consent_store *store);
/* lb_consent_row steps a query to its only row: ABSENT when there is none. */
LB_MUST lb_status lb_consent_row(struct lb_stmt *stmt);
/* lb_consent_column_text copies a text column; NULL for SQL NULL stays NULL. */
LB_MUST lb_status lb_consent_column_text(const struct lb_stmt *stmt, int column,
                                         struct lb_arena *arena, const char **out_text);
/* lb_consent_bind_text and lb_consent_bind_32 bind NULL for NULL. */
LB_MUST lb_status lb_consent_bind_text(struct lb_stmt *stmt, int param, const char *text);
LB_MUST lb_status lb_consent_bind_32(struct lb_stmt *stmt, int param, const uint8_t *bytes);
/* lb_consent_two runs a query whose one row has two numbers. */
LB_MUST lb_status lb_consent_two(struct lb_stmt *stmt, int64_t *out_first, int64_t *out_second);
/* lb_consent_column_32 reads a blob of exactly 32 bytes; STORE_FAILED otherwise. */
LB_MUST lb_status lb_consent_column_32(const struct lb_stmt *stmt, int column, uint8_t out[32]);

#endif
