#ifndef ADAPTERS_SERVE_INTAKE_ROWS_H
#define ADAPTERS_SERVE_INTAKE_ROWS_H

#include "adapters/serve/epochs.h"
#include "adapters/serve/intake_policy.h"
#include "adapters/serve/intake_states.h"
#include "adapters/serve/sql.h"
#include "gateway/base/limits.h"
#include "gateway/seal/parcel.h"

/*
 * What was handed in, as rows of the evidence store: changed on the sequencer only, in the
 * transaction of the entry that says so; read there, or over a reader's own connection. A row's
 * content goes when its time of keeping is over; its name stays for as long as it could come again.
 * Everything may return STORE_FAILED.
 */
struct lb_intake_rows {
    struct lb_serve_sql sql;
};

struct lb_intake_row {
    int64_t n;                 /* the department's own number of it, never used again */
    char sender[LB_MAX_SPIFFE_BYTES];
    uint8_t name[LB_PARCEL_NAME_BYTES];
    uint8_t digest[32];        /* keyed, of the content */
    uint8_t matter[32];        /* keyed, of case, form, version and part */
    Lianban__V1__Part__Kind kind;
    int64_t about;             /* n of the submission; 0 for none */
    int64_t came_unix_s, ends_unix_s;
    uint64_t entry;            /* its DELIVERED entry */
    enum lb_intake_state state;
    int64_t num_words;         /* said of it so far */
    int64_t bytes;             /* that it counts for */
    struct lb_span closed;     /* the content, encrypted (intake_key.h); empty once erased */
    int64_t leased_unix_s;     /* until then nobody else is given it */
    int64_t acked_unix_s;      /* 0: it waits */
    int64_t tries;             /* of the program */
    char failed[LB_MAX_NAME_BYTES + 1];  /* why the last one failed; "" for none */
};

/* lb_intake_rows_init names its statements; nothing is prepared yet. */
void lb_intake_rows_init(struct lb_intake_rows *rows);

/* Lookups; *out_found says whether there is one, whose content is in the arena. */
LB_MUST lb_status lb_intake_rows_find(struct lb_intake_rows *rows, struct lb_store *store,
                                      const char *sender, const uint8_t name[16],
                                      struct lb_arena *arena, struct lb_intake_row *out,
                                      bool *out_found);
LB_MUST lb_status lb_intake_rows_get(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                                     struct lb_arena *arena, struct lb_intake_row *out,
                                     bool *out_found);
/* lb_intake_rows_next is the oldest one that waits, is nobody's now, and failed at least so often;
 * lb_intake_rows_next_try one that failed less often and is behind none that waits itself. */
LB_MUST lb_status lb_intake_rows_next(struct lb_intake_rows *rows, struct lb_store *store,
                                      int64_t now_unix_s, int64_t at_least, struct lb_arena *arena,
                                      struct lb_intake_row *out, bool *out_found);
LB_MUST lb_status lb_intake_rows_next_try(struct lb_intake_rows *rows, struct lb_store *store,
                                          int64_t now_unix_s, int64_t below,
                                          struct lb_arena *arena, struct lb_intake_row *out,
                                          bool *out_found);
/* lb_intake_rows_list gives at most `max` of those behind n, in their order; with `waiting` only
 * what waits. */
LB_MUST lb_status lb_intake_rows_list(struct lb_intake_rows *rows, struct lb_store *store,
                                      int64_t after, bool waiting, size_t max,
                                      struct lb_arena *arena, struct lb_intake_row **out,
                                      size_t *out_num);

/* lb_intake_rows_room is INTAKE_FULL when the policy lets no more wait, in all or of this
 * sender's. */
LB_MUST lb_status lb_intake_rows_room(struct lb_intake_rows *rows, struct lb_store *store,
                                      const struct lb_intake_policy *policy, const char *sender,
                                      int64_t bytes);
/* lb_intake_rows_add stores one with the names of its people, and sets row->n. */
LB_MUST lb_status lb_intake_rows_add(struct lb_intake_rows *rows, struct lb_store *store,
                                     struct lb_intake_row *row, const uint8_t (*people)[32],
                                     size_t num_people);
LB_MUST lb_status lb_intake_rows_state(struct lb_intake_rows *rows, struct lb_store *store,
                                       int64_t n, enum lb_intake_state state, int64_t num_words,
                                       int64_t now_unix_s);
LB_MUST lb_status lb_intake_rows_lease(struct lb_intake_rows *rows, struct lb_store *store,
                                       int64_t n, int64_t until_unix_s);
/* lb_intake_rows_ack ends its waiting; one that does not wait stays as it is. */
LB_MUST lb_status lb_intake_rows_ack(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                                     int64_t now_unix_s);
/* lb_intake_rows_close empties one and all that is about it, and ends their waiting. */
LB_MUST lb_status lb_intake_rows_close(struct lb_intake_rows *rows, struct lb_store *store,
                                       int64_t n, int64_t now_unix_s);
/* lb_intake_rows_tried counts a failed try, and has the next one wait. */
LB_MUST lb_status lb_intake_rows_tried(struct lb_intake_rows *rows, struct lb_store *store,
                                       int64_t n, const char *why, int64_t again_unix_s);

/* lb_intake_rows_purge empties rows whose time of keeping is over, and forgets names that can't
 * come again and submissions nothing was said of for a year. */
LB_MUST lb_status lb_intake_rows_purge(struct lb_intake_rows *rows, struct lb_store *store,
                                       int64_t keep_s, int64_t now_unix_s);
/* lb_intake_rows_any_over says whether a row with content was taken out before a time. */
LB_MUST lb_status lb_intake_rows_any_over(struct lb_intake_rows *rows, struct lb_store *store,
                                          int64_t before_unix_s, bool *out_any);
/* lb_intake_rows_erase empties every row that has the person in it, and the words about them. */
LB_MUST lb_status lb_intake_rows_erase(struct lb_intake_rows *rows, struct lb_store *store,
                                       const struct lb_epoch_names *names, int64_t now_unix_s);

#endif
