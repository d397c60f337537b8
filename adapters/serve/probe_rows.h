#ifndef ADAPTERS_SERVE_PROBE_ROWS_H
#define ADAPTERS_SERVE_PROBE_ROWS_H

#include "adapters/serve/probe.h"
#include "gateway/base/buf.h"

/* The two sealed rows behind probe.h. */

#define LB_PROBE_MAX_ANSWERS 256   /* questions of one person and case in a day */
#define LB_PROBE_MAX_EVENTS 1024   /* in one person's history */
#define LB_PROBE_ANSWER_KEEP_S (24 * 3600)
#define LB_PROBE_HISTORY_KEEP_S (366 * 24 * 3600)

/* An answer as it was given. Texts live in the arena. */
struct lb_probe_answer {
    uint8_t question[LB_PROBE_ID_BYTES];
    int64_t time;
    uint8_t state, kind;
    bool truth;
    int64_t number;
    uint32_t rules_version;
    struct lb_span text;
    struct lb_span as_of;
};

enum lb_probe_event_kind {
    LB_PROBE_NAME = 1,  /* a field was asked under a name of the rule set, last at `time` */
    LB_PROBE_CASE,      /* claims about a field were wrong `count` times in a case */
    LB_PROBE_MISMATCH,  /* a claim about a field was wrong at `time` */
};

struct lb_probe_event {
    enum lb_probe_event_kind kind;
    uint8_t field[LB_PROBE_ID_BYTES];
    uint8_t other[LB_PROBE_ID_BYTES];  /* the name, or the case */
    int64_t time;
    uint16_t count;
};

/* What is known of one subject and case; both lists have room for what one request may add. */
struct lb_probe_rows {
    size_t num_rows;                        /* one for each epoch */
    uint8_t subject_rows[LB_SERVE_MAX_EPOCHS][32];  /* names in the store, newest first */
    uint8_t case_row[32];
    uint8_t key[32];                        /* of the subject */
    uint8_t case_id[LB_PROBE_ID_BYTES];
    size_t num_wants;
    size_t num_answers;
    struct lb_probe_answer *answers;
    size_t num_events;
    struct lb_probe_event *events;
};

/* lb_probe_rows_read finds both rows, or begins them; what is too old is left out.
 * lb_probe_rows_write seals and stores both. STORE_FAILED, NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_probe_rows_read(struct lb_serve_probes *probes, struct lb_store *store,
                                     int64_t now, const struct lb_probe_ask *ask,
                                     struct lb_arena *arena, struct lb_probe_rows *out);
LB_MUST lb_status lb_probe_rows_write(struct lb_serve_probes *probes, struct lb_store *store,
                                      int64_t now, const struct lb_probe_rows *rows,
                                      struct lb_arena *arena);
/* lb_probe_rows_purge deletes what is too old, once a minute at most. */
LB_MUST lb_status lb_probe_rows_purge(struct lb_serve_probes *probes, struct lb_store *store,
                                      int64_t now);

/* lb_probe_rows_room_answers and _events make an empty list for so many and for what a request of
 * num_wants may add. NO_MEMORY. */
LB_MUST lb_status lb_probe_rows_room_answers(struct lb_probe_rows *rows, size_t num,
                                             struct lb_arena *arena);
LB_MUST lb_status lb_probe_rows_room_events(struct lb_probe_rows *rows, size_t num,
                                            struct lb_arena *arena);

/* How the lists look inside the seal; reading makes the lists, refuses more than their maxima and
 * leaves out what is older than they keep. MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_probe_answers_encode(const struct lb_probe_rows *rows, struct lb_buf *out);
LB_MUST lb_status lb_probe_answers_decode(struct lb_span bytes, int64_t now,
                                          struct lb_arena *arena, struct lb_probe_rows *rows);
LB_MUST lb_status lb_probe_events_encode(const struct lb_probe_rows *rows, struct lb_buf *out);
LB_MUST lb_status lb_probe_events_decode(struct lb_span bytes, int64_t now, struct lb_arena *arena,
                                         struct lb_probe_rows *rows);

#endif
