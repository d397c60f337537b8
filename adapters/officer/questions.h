#ifndef ADAPTERS_OFFICER_QUESTIONS_H
#define ADAPTERS_OFFICER_QUESTIONS_H

#include "gateway/base/arena.h"
#include "gateway/base/status.h"

/*
 * What the security officer's station is asked and what it answers. The node has only the public
 * half of the officer's key, so it cannot tell who looked at a person's data; the station can. It
 * takes questions and gives answers from its own side (Evidence.NextAccessQuestion and
 * AnswerAccessQuestion), while whoever asks waits here.
 *
 * Bounded in every direction: so many questions at once, so many stations waiting, so many lines
 * and bytes in an answer. A question is handed to one station, and to another when the first has
 * not answered within `again_ms`; the first answer counts. Nothing outlives its asker.
 */
struct lb_officer_questions;

#define LB_OFFICER_MAX_OPEN 16
#define LB_OFFICER_ID_BYTES 16
#define LB_OFFICER_SUBJECT_BYTES 32

struct lb_officer_limits {
    size_t max_open;      /* questions at once, 1 to LB_OFFICER_MAX_OPEN */
    size_t max_stations;  /* that wait at once */
    int64_t present_ms;   /* a station that was here so lately is there still */
    int64_t again_ms;     /* a question that was handed out so long ago is handed out again */
};

/* One question, with what lets the station judge for itself whether it is covered by a grant. All
 * is borrowed. */
struct lb_officer_question {
    uint8_t id[LB_OFFICER_ID_BYTES];  /* set by lb_officer_ask */
    struct lb_span txn;
    struct lb_span view;
    struct lb_span purpose;
    struct lb_span grant;             /* the issuer-signed part */
    struct lb_span section;           /* this department's disclosure */
    struct lb_span subjects;          /* every pseudonym of the person, 32 bytes each */
    size_t max_lines;
    size_t max_bytes;                 /* of all lines, a line feed for each */
    int64_t left_ms;                  /* until the asker gives up; when it is handed out */
};

/* What came back: lines in the asker's arena. */
struct lb_officer_answer {
    size_t num_lines;
    const struct lb_span *lines;
};

/* lb_officer_questions_new; NO_MEMORY. */
LB_MUST lb_status lb_officer_questions_new(const struct lb_officer_limits *limits,
                                           struct lb_officer_questions **out);
/* lb_officer_questions_stop ends every wait on either side; nothing is asked any more. */
void lb_officer_questions_stop(struct lb_officer_questions *questions);
/* lb_officer_questions_free: nobody may be waiting. NULL is allowed. */
void lb_officer_questions_free(struct lb_officer_questions *questions);

/* One asker, who has at most one question at a time. */
struct lb_officer_asker;
LB_MUST lb_status lb_officer_asker_new(struct lb_officer_questions *questions,
                                       struct lb_officer_asker **out);
void lb_officer_asker_free(struct lb_officer_asker *asker);

/* lb_officer_ask asks and waits. SOURCE_UNAVAILABLE at once when no station is there or too many
 * questions are open, and as soon as the last station has gone, or the station refuses;
 * SOURCE_TIMEOUT after timeout_ms or when cancelled; NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_officer_ask(struct lb_officer_asker *asker,
                                 const struct lb_officer_question *question, int64_t timeout_ms,
                                 struct lb_arena *arena, struct lb_officer_answer *out_answer);
/* lb_officer_cancel ends the asker's wait, from another thread; no effect when it has none. */
void lb_officer_cancel(struct lb_officer_asker *asker);

/* lb_officer_next waits at most wait_ms for a question, which is copied into the arena. ABSENT when
 * none came; BUSY when enough stations wait; STOPPING; NO_MEMORY. */
LB_MUST lb_status lb_officer_next(struct lb_officer_questions *questions, int64_t wait_ms,
                                  struct lb_arena *arena,
                                  struct lb_officer_question *out_question);

/* lb_officer_give hands an answer to whoever waits for it. QUESTION_GONE when nobody does: an
 * unknown id, one that was never handed out or was answered before, an asker who has gone.
 * TOO_LARGE past the question's limits or LB_MAX_LIST_LINE_BYTES in a line, MALFORMED for an empty
 * line; then the question stays open. */
LB_MUST lb_status lb_officer_give(struct lb_officer_questions *questions, struct lb_span id,
                                  const struct lb_officer_answer *answer);
/* lb_officer_refuse tells that the station will not answer. QUESTION_GONE as above. */
LB_MUST lb_status lb_officer_refuse(struct lb_officer_questions *questions, struct lb_span id);

#endif
