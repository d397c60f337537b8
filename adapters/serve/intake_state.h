#ifndef ADAPTERS_SERVE_INTAKE_STATE_H
#define ADAPTERS_SERVE_INTAKE_STATE_H

#include <pthread.h>

#include "adapters/serve/intake.h"
#include "adapters/serve/intake_key.h"
#include "adapters/serve/intake_rows.h"
#include "adapters/serve/intake_words.h"
#include "adapters/serve/job.h"

/*
 * The inside of the intake:
 *
 *   intake_open.c    a parcel: shape, sender, seal
 *   intake_judge.c   what is in it, against the department's policy
 *   intake_part.c    the part by itself
 *   intake.c         the entry and the row
 *   intake_say.c     a word, and what it is said of
 *   intake_post.c    the words' way out
 *   intake_pull.c    what the department takes out
 *   intake_program.c what a program takes out in their place
 *   intake_keep.c    the end of what was kept long enough
 */
struct lb_intake_post;    /* intake_post.h */
struct lb_intake_runner;  /* intake_program.h */

struct lb_intake {
    struct lb_serve *serve;
    struct lb_intake_key key;
    struct lb_workers *workers;
    pthread_mutex_t pull_lock;       /* held from finding a part to its being leased */
    struct lb_intake_post *post;     /* NULL without a key */
    struct lb_intake_runner *runner; /* NULL without a program */
    struct lb_intake_rows rows;      /* on the sequencer only, as the next two */
    struct lb_intake_words words;
    int64_t next_purge_unix_s;
    int64_t next_look_ms;            /* of the post's thread only */
    pthread_mutex_t reader_lock;     /* of what follows: what is committed */
    struct lb_store *reader;
    struct lb_intake_rows read_rows;
    struct lb_intake_words read_words;
};

/* lb_intake_new loads the key and opens the reader; with an empty policy it refuses every parcel.
 * FILE_FAILED or CONFIG_INVALID with a sentence in diag; LOG_UNAVAILABLE, STORE_FAILED. */
LB_MUST lb_status lb_intake_new(struct lb_serve *serve, struct lb_diag *diag,
                                struct lb_intake **out_intake);
/* lb_intake_free runs what is queued. NULL is allowed. */
void lb_intake_free(struct lb_intake *intake);
/* lb_intake_erase is the part of an erasure, on the sequencer in its transaction. */
LB_MUST lb_status lb_intake_erase(struct lb_intake *intake, struct lb_store *store,
                                  const struct lb_epoch_names *names);

struct lb_intake_batch;  /* intake.c */

/* A parcel on its way in. */
struct lb_intake_job {
    struct lb_intake *intake;
    struct lb_intake_batch *batch;
    struct lb_arena *arena;
    const Lianban__V1__Parcel *wire;
    struct lb_directory *directory;
    const char *organization;            /* the sender's; NULL until it was found listed */
    struct lb_span plain;                /* the SealedParcel's bytes; empty until opened */
    Lianban__V1__SealedParcel *parcel;   /* NULL until opened */
    const Lianban__V1__Part *part;       /* NULL until it was judged by itself */
    struct lb_operator operator_claims;  /* person NULL until verified */
    bool judged;                         /* may be stored */
    struct lb_epoch_names names[LB_MAX_HOUSEHOLD];
    struct lb_intake_row row;
    struct lb_log_entry entry;
    lb_status outcome;                   /* of the entry */
    bool repeat;                         /* it was taken before: row.entry */
    bool of_signal;                      /* it is about a signal, which it leaves in: */
    enum lb_intake_state signal_state;
};

/* lb_intake_open_parcel judges what can be judged of a parcel without its content, and opens it.
 * MALFORMED, TOO_LARGE, PEER_UNLISTED, KEY_RETIRED, SEAL_BROKEN, VERSION_UNSUPPORTED. */
LB_MUST lb_status lb_intake_open_parcel(struct lb_intake_job *job);
/* lb_intake_judge judges the content: MALFORMED, PARCEL_EXPIRED, INTAKE_CLOSED, KEY_CHANGED,
 * VIEW_CLOSED, FORM_UNKNOWN, PART_UNKNOWN, OPERATOR_TOKEN_INVALID, ISSUER_UNKNOWN, ISSUER_INERT. */
LB_MUST lb_status lb_intake_judge(struct lb_intake_job *job);
/* lb_intake_prepare fills the row. */
LB_MUST lb_status lb_intake_prepare(struct lb_intake_job *job);

/* lb_intake_purge empties and forgets what is over, on the sequencer, at most once a minute.
 * lb_intake_empty does so by an entry of its own when there is anything to empty; it asks once a
 * minute. */
LB_MUST lb_status lb_intake_purge(struct lb_intake *intake, struct lb_store *store);
LB_MUST lb_status lb_intake_empty(struct lb_intake *intake);
/* lb_intake_post_kick has the words' way out looked at now. */
void lb_intake_post_kick(struct lb_intake *intake);

/* lb_intake_reader locks and gives the reader's connection; lb_intake_reader_done ends that. */
struct lb_store *lb_intake_reader(struct lb_intake *intake);
void lb_intake_reader_done(struct lb_intake *intake);

#endif
