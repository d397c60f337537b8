#ifndef GATEWAY_WINDOW_CASE_H
#define GATEWAY_WINDOW_CASE_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/trace.h"
#include "gateway/json/json.h"
#include "gateway/share/share.h"
#include "gateway/window/events.h"
#include "gateway/window/records.h"
#include "gateway/window/window.h"
#include "lianban/v1/kept.pb-c.h"

/*
 * Inside gateway/window: a case in memory. It lives on the heap, reference-counted by the table,
 * and holds identities, grants and answers, so everything is wiped when it goes.
 */

#define LB_CASE_ID_BYTES 35     /* "c-", 32 hex digits, NUL */
#define LB_CASE_PERSON_BYTES 33 /* 32 hex digits, NUL */
#define LB_CASE_RID_BYTES 16
#define LB_CASE_SALT_BYTES 16
#define LB_CASE_DATE_BYTES 11   /* YYYY-MM-DD, NUL */
#define LB_CASE_MAX_TICKET_BYTES 128

/* A form as the window uses it; a compiled form serves one thread at a time. */
struct lb_case_form {
    const struct lb_form *form;
    struct lb_form_compiled *compiled;
    const struct lb_rules *rules;
    pthread_mutex_t judging;
};

/* One fact about one member as it stands. */
struct lb_case_fact {
    struct lb_fact value;              /* state 0: nothing has come yet; its text is `text` */
    char *text;                        /* NULL when there is none */
    enum lb_code code;                 /* behind a state other than ok, else LB_CODE_OK */
    int64_t again_unix_s;              /* when it is worth asking again; 0: nobody said */
    char as_of[LB_CASE_DATE_BYTES];    /* "" when the source does not say */
    bool receipt_ok;
    uint8_t share_set[LB_SHARE_SET_BYTES];  /* of a share: what its mask was made for */
    uint8_t txn[16];                   /* of the read that brought it */
    uint64_t order;                    /* in which facts came, from 1 */
};

/* A grant as it is kept: the SD-JWT and the salt of its commitment to the subject. A mandate that
 * is issued anew keeps its salt, since a run of a blind sum names the persons by their
 * commitments. */
struct lb_case_grant {
    char *sd_jwt;  /* NULL when there is none */
    bool salted;
    uint8_t salt[LB_CASE_SALT_BYTES];
};

/* The logical request to one department about one member. */
struct lb_case_rid {
    bool made;
    uint8_t bytes[LB_CASE_RID_BYTES];
};

/* The run of a blind household sum that the case asks for. */
struct lb_case_share {
    uint32_t runs;       /* begun so far; 0: there is none */
    uint8_t nonce[LB_SHARE_NONCE_BYTES];
    int64_t started_unix_s;
    uint8_t persons[32]; /* hash of the commitments to its persons */
};

/* Of a case that is a watch: its looks (look.h). */
struct lb_case_look {
    int64_t begun_unix_s;  /* the last one; 0: there was none */
    int64_t asked_unix_s;  /* when departments were asked last */
    bool done;             /* the last one has ended */
    bool over;             /* there will be no other */
};

struct lb_case_member {
    size_t role;                    /* index in the form */
    char id_no[19];
    char *name;
    char *relation;                 /* "" when not stated */
    char *representative;           /* base64 of a message; NULL when there is none */
    char *ticket_id;                /* NULL until a grant was requested */
    char *ticket_code;
    struct lb_case_grant consent;
    struct lb_case_grant mandate;
    struct lb_case_rid *rids;       /* one per section of the form */
    struct lb_case_fact *facts;     /* one per fact of the form */
};

struct lb_window_case {
    struct lb_window *window;
    struct lb_case_form *form;
    char id[LB_CASE_ID_BYTES];

    /* under the window's lock */
    struct lb_window_case *next;
    size_t refs;
    bool collecting;
    bool closed;

    pthread_mutex_t asking;  /* held while the consent office is asked; before `lock` */
    unsigned put_off;        /* under `asking`: looks for withdrawals that waited for a listener */
    struct lb_feed *feed;

    pthread_mutex_t lock;    /* holds what follows */
    char person[LB_CASE_PERSON_BYTES];  /* keyed hash of the operator */
    char *unit;
    char approver[LB_CASE_PERSON_BYTES];  /* likewise of who approved; "" for nobody */
    char *approver_unit;
    int64_t opened_unix_s;   /* 0 in a case of an older version */
    struct lb_case_records records;
    size_t num_members;
    struct lb_case_member members[LB_MAX_HOUSEHOLD];
    struct lb_case_share *shares;       /* one per share of the form */
    struct lb_case_look look;
    uint64_t last_order;
    uint32_t receipts_checked, receipts_failed;
    uint64_t puts;           /* how often it was written */
    _Atomic bool behind;     /* the store has it but for what it can find out again (behind.c) */
    bool unkept;             /* what has to be on disk before a read goes out, and is not: a rid, a
                              * mandate, a run of a sum */
    bool decided;            /* a collect has ended: the members below are set */
    const char *class_id;    /* of the form, or "MANUAL" */
    struct lb_form_text class_text;
    enum lb_truth *conditions;  /* one per condition of the form */
    struct lb_form_sum *amounts;  /* one per amount of the form */
    uint32_t thresholds_version;
    uint32_t millis;
    struct lb_trace trace;       /* of the collect under way, or of the last one */
    struct lb_trace next_trace;  /* what the next one was asked under; none */
};

/* lb_case_new makes an empty case of num_members members with no reference; NO_MEMORY. */
LB_MUST lb_status lb_case_new(struct lb_window *window, struct lb_case_form *form,
                              size_t num_members, struct lb_window_case **out_case);
/* lb_case_free wipes and frees; NULL is allowed. */
void lb_case_free(struct lb_window_case *entry);
void lb_case_freep(struct lb_window_case **entry);  /* for LB_DEFER */

/* lb_case_text replaces a heap text by a copy; the old one is wiped. NO_MEMORY leaves the old one,
 * MALFORMED for a NUL inside. lb_case_text_drop wipes it away. */
LB_MUST lb_status lb_case_text(char **slot, struct lb_span text);
void lb_case_text_drop(char **slot);

/* lb_case_set_fact puts a new outcome in a fact's place and numbers it; NO_MEMORY leaves the old
 * one. `fact.text` is ignored, value.text is copied. */
LB_MUST lb_status lb_case_set_fact(struct lb_window_case *entry, struct lb_case_fact *place,
                                   const struct lb_case_fact *fact);
/* lb_case_day is the day of a time by this machine's own calendar, as offices and adapters
 * count. */
void lb_case_day(int64_t unix_s, char out[LB_CASE_DATE_BYTES]);
/* lb_case_asked says whether a fact is asked of a member at all; one of a late section is once it
 * was planned. */
bool lb_case_asked(const struct lb_window_case *entry, size_t member, size_t fact);
/* lb_case_final says whether a state stands; others are asked for again. */
bool lb_case_final(enum lb_fact_state state);

/* --- the case as the store keeps it: case_write.c, case_read.c, case_json.c --- */

#define LB_CASE_VERSION 3    /* cases of each are kept in kept/, and never changed */
#define LB_CASE_LAST_JSON 2  /* 1 was without records, and without the time it was opened at */

/* lb_case_write packs the whole case into the arena; TOO_LARGE past LB_MAX_CASE_BYTES, NO_MEMORY.
 */
LB_MUST lb_status lb_case_write(const struct lb_window_case *entry, struct lb_arena *arena,
                                struct lb_span *out_bytes);
/* lb_case_read reads a case back, of any version. FORM_UNKNOWN when its form is not among the
 * window's, VERSION_UNSUPPORTED for a version newer than ours, STORE_FAILED when it is damaged,
 * NO_MEMORY. */
LB_MUST lb_status lb_case_read(struct lb_window *window, struct lb_span bytes,
                               struct lb_arena *arena, struct lb_window_case **out_case);
/* lb_case_json_read makes of a case kept as JSON what it would be kept as today; the message
 * borrows from `root`. MALFORMED, ABSENT, NO_MEMORY. */
LB_MUST lb_status lb_case_json_read(const struct lb_json *root, struct lb_arena *arena,
                                    Lianban__V1__KeptCase *out);

#endif
