#ifndef GATEWAY_AUDIT_INDEX_H
#define GATEWAY_AUDIT_INDEX_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/evidence/leaf.h"
#include "gateway/evidence/merkle.h"

/*
 * The query index: what a security officer asks of its own member's log, in one SQLite file (mode
 * 0600) in the officer's own folder. It belongs to the officer because details are sealed to the
 * officer's key, and the node has only its public half. It is no evidence: everything in it follows
 * from the log and can be made anew. It is filled behind the log, on the officer's side, never on
 * the write path, and says how far behind it is.
 *
 * It is bound to one log: every step begins from a checkpoint that the log's key has signed, whose
 * tree is rebuilt from the very leaves that are read, and the checkpoint the step before ended with
 * must be of the same tree. Another log, a fork, or a log cut short is refused.
 *
 * What came out of a detail leaves the index with the detail: an ERASURE leaf clears the columns of
 * the subject's rows that the leaf itself does not have, and overwrites them in the file. An index
 * that followed the log equals one that is built anew.
 *
 * Tables. Names and sets of fields that come again and again stand once.
 *
 *   word(id INTEGER PRIMARY KEY, text TEXT UNIQUE)
 *   subject(id INTEGER PRIMARY KEY, pseudonym BLOB UNIQUE)        32 bytes
 *   subject_key(kid INTEGER PRIMARY KEY, subject)                 which erasure clears whose rows
 *   field_set(id INTEGER PRIMARY KEY, sha256 BLOB UNIQUE)
 *   set_field(field_set, seq, view, field, operator, state)       words
 *   access(idx INTEGER PRIMARY KEY, time_ms, type, decision, code, views, count, retry,
 *          txn BLOB|NULL, policy, peer,                           -- of the leaf
 *          detail, inner, requester, org, actor, unit, purpose, basis, role, issuer, on_behalf_of,
 *          form, grant_id TEXT, case_no TEXT, subject, class_max, verified, field_set, note TEXT,
 *          every_days)
 *                                                                 -- of the detail, NULL without
 *   indexes: (subject, time_ms), (actor, time_ms), (code, time_ms), (case_no), (txn), (decision,
 *            time_ms) over emergencies, denials and errors, (type, time_ms) over events; times
 *            never fall with idx, so a time range is a range of idx
 *   source(origin, log, size, root, last_ms, built_ms, copy)      one row: what it was built from
 */
struct lb_audit_index;

/* How a row was decided. */
enum lb_audit_decision {
    LB_AUDIT_EVENT = 1,     /* nothing was decided: ADMIN, POLICY, CANARY, ... and the broker's
                               ROUTE and DELIVER */
    LB_AUDIT_ALLOW = 2,     /* an answer left */
    LB_AUDIT_EMERGENCY = 3, /* an answer left on the basis `emergency` (break-glass) */
    LB_AUDIT_DENY = 4,      /* refused, with an outer or an inner code */
    LB_AUDIT_ERROR = 5,     /* FAILURE: routed and not answered */
};

/* What became of the row's detail. */
enum lb_audit_detail {
    LB_AUDIT_DETAIL_NONE = 0,   /* the entry never had one */
    LB_AUDIT_DETAIL_OPEN = 1,
    LB_AUDIT_DETAIL_ERASED = 2,
    LB_AUDIT_DETAIL_BROKEN = 3, /* another officer's key, or damage */
};

/* One row. Texts are never NULL: "" where there is none. */
struct lb_audit_row {
    uint64_t index;
    int64_t time_ms;
    uint8_t txn[16];            /* zeros for none */
    enum lb_leaf_type type;
    enum lb_audit_decision decision;
    const char *code;           /* the leaf's: an outer code or an event */
    const char *views;          /* "a,b" */
    uint32_t count;             /* 1, or how many were aggregated */
    bool retry;
    uint8_t policy_hash[32];    /* zeros for none */
    bool has_peer;              /* the leaf names an entry of the other side */

    enum lb_audit_detail detail;
    const char *inner;          /* "OK", or why nothing was released */
    const char *requester;      /* SPIFFE id; a peer's in a DENY leaf */
    const char *organization;   /* of the requester */
    const char *actor;          /* the operator's pseudonym; a desk, an officer elsewhere */
    const char *unit;
    const char *purpose;
    const char *basis;          /* consent, separate_consent, mandate, emergency */
    const char *role;
    const char *issuer;
    const char *grant;
    const char *case_no;
    const char *on_behalf_of;   /* "guardian:...", "agent:...", "relative:..." */
    const char *form;
    bool has_subject;
    uint8_t subject[32];        /* pseudonym */
    int class_max;              /* 1..4 of the fields asked; 0 where the detail does not say */
    bool verified;              /* the grant was: else the requester is as it stated itself */
    int64_t every_days;         /* of a standing grant: used once in so many days; 0 of another */
    const char *note;           /* reasons and changes of events, JSON or a sentence; bounded */
};

struct lb_audit_field {
    const char *view;
    const char *field;
    const char *operator_text;
    const char *state;          /* "ok", "not_found", "dry_run", ...; "" when nothing was judged;
                                   "refused" for the want that a denial names */
};

/* --- opening --- */

/* What an index was built from and how far behind its log it is. */
struct lb_audit_state {
    char origin[256];
    uint64_t size;              /* entries in the index */
    struct lb_hash root;        /* of the log at that size */
    int64_t last_ms;            /* time of the last entry in it; 0 for none */
    int64_t built_ms;           /* when it last followed the log */
    bool copy;                  /* built from a copy of a log, which no node serves */
    char log[1024];             /* the folder it was built from */
};

/* How far an index is behind its log. */
struct lb_audit_lag {
    bool known;                 /* the log's folder can be read */
    uint64_t entries;
    int64_t seconds;            /* from the last entry here to the last one there */
};

/* lb_audit_index_open opens an index for reading: `folder`/index.db. FILE_FAILED when it is missing
 * or open to others, STORE_FAILED, VERSION_UNSUPPORTED, with a sentence in diag. */
LB_MUST lb_status lb_audit_index_open(const char *folder, struct lb_diag *diag,
                                      struct lb_audit_index **out_index);
/* lb_audit_index_close releases; NULL is allowed. */
void lb_audit_index_close(struct lb_audit_index *index);
/* lb_audit_index_state says what it was built from. STORE_FAILED. */
LB_MUST lb_status lb_audit_index_state(struct lb_audit_index *index, struct lb_audit_state *out);
/* lb_audit_index_lag compares with the log's folder as it now stands; never fails, but may not
 * know. */
void lb_audit_index_lag(const struct lb_audit_state *state, struct lb_audit_lag *out);

/* --- reading --- */

#define LB_AUDIT_MAX_SUBJECTS 16

/* Which rows; what is not set lets everything pass. Texts match exactly. */
struct lb_audit_filter {
    uint64_t from_index;        /* not before this entry (or not after it, newest first) */
    bool newest_first;
    int64_t since_ms;           /* not before; 0: any */
    int64_t until_ms;           /* before; 0: any */
    enum lb_leaf_type type;     /* 0: any */
    enum lb_audit_decision decision; /* 0: any */
    const char *code;           /* the outer or the inner code */
    const char *requester;      /* a SPIFFE id, or an organization */
    const char *unit;
    const char *actor;
    const char *purpose;
    const char *basis;
    const char *case_no;
    const char *form;
    const char *grant;
    const char *view;           /* of the leaf's views */
    const char *field;          /* "field" or "view.field" of the detail */
    int class_min;              /* 0: any */
    const uint8_t *subjects;    /* any of these pseudonyms, 32 bytes each */
    size_t num_subjects;        /* 0: anybody; at most LB_AUDIT_MAX_SUBJECTS */
    const uint8_t *txn;         /* 16 bytes; NULL: any */
};

/* A run over rows in the log's order (or newest first); one at a time per index is not demanded. */
struct lb_audit_scan;

/* lb_audit_scan_open begins; the filter's texts are copied. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_audit_scan_open(struct lb_audit_index *index,
                                     const struct lb_audit_filter *filter,
                                     struct lb_audit_scan **out_scan);
/* lb_audit_scan_next gives the next row, borrowed until the next call; *out_row is NULL at the end.
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_audit_scan_next(struct lb_audit_scan *scan,
                                     const struct lb_audit_row **out_row);
/* lb_audit_scan_fields gives the fields of the row scan_next gave last, borrowed as it is. */
LB_MUST lb_status lb_audit_scan_fields(struct lb_audit_scan *scan,
                                       const struct lb_audit_field **out_fields, size_t *out_num);
/* lb_audit_scan_close ends it; NULL is allowed. Close scans before their index. */
void lb_audit_scan_close(struct lb_audit_scan *scan);

#endif
