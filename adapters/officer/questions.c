#include "adapters/officer/questions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"

enum state { IDLE, OPEN, HANDED, ANSWERED, REFUSED };

struct lb_officer_asker {
    struct lb_officer_questions *questions;
    enum state state;
    bool cancelled;
    int64_t until_ms;
    int64_t handed_ms;
    struct lb_officer_question question;
    struct lb_arena *arena;
    struct lb_officer_answer answer;
};

struct lb_officer_questions {
    struct lb_officer_limits limits;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    size_t num_waiting;  /* stations */
    bool seen;           /* a station was here */
    int64_t seen_ms;
    size_t num_open;
    struct lb_officer_asker *open[LB_OFFICER_MAX_OPEN]; /* in the order they asked */
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t earlier(int64_t left, int64_t right)
{
    return left < right ? left : right;
}

static void wait_until(struct lb_officer_questions *questions, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000L};
    (void)pthread_cond_timedwait(&questions->changed, &questions->lock, &until);
}

/* --- their life --- */

lb_status lb_officer_questions_new(const struct lb_officer_limits *limits,
                                   struct lb_officer_questions **out)
{
    pthread_condattr_t monotonic;
    struct lb_officer_questions *questions = calloc(1, sizeof(*questions));
    LB_ENSURE(questions != NULL, LB_NO_MEMORY, "questions");
    questions->limits = *limits;
    if (questions->limits.max_open > LB_OFFICER_MAX_OPEN)
        questions->limits.max_open = LB_OFFICER_MAX_OPEN;
    (void)pthread_mutex_init(&questions->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&questions->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    *out = questions;
    return LB_OK;
}

void lb_officer_questions_stop(struct lb_officer_questions *questions)
{
    (void)pthread_mutex_lock(&questions->lock);
    questions->stopping = true;
    (void)pthread_cond_broadcast(&questions->changed);
    (void)pthread_mutex_unlock(&questions->lock);
}

void lb_officer_questions_free(struct lb_officer_questions *questions)
{
    if (questions == NULL)
        return;
    (void)pthread_cond_destroy(&questions->changed);
    (void)pthread_mutex_destroy(&questions->lock);
    free(questions);
}

lb_status lb_officer_asker_new(struct lb_officer_questions *questions,
                               struct lb_officer_asker **out)
{
    struct lb_officer_asker *asker = calloc(1, sizeof(*asker));
    LB_ENSURE(asker != NULL, LB_NO_MEMORY, "asker");
    asker->questions = questions;
    *out = asker;
    return LB_OK;
}

void lb_officer_asker_free(struct lb_officer_asker *asker)
{
    free(asker);
}

/* --- asking; the lock is held --- */

static bool present(const struct lb_officer_questions *questions, int64_t now)
{
    return questions->num_waiting > 0 ||
           (questions->seen && now - questions->seen_ms < questions->limits.present_ms);
}

static lb_status enter(struct lb_officer_asker *asker)
{
    struct lb_officer_questions *questions = asker->questions;
    LB_ENSURE(!questions->stopping, LB_SOURCE_UNAVAILABLE, "the node is stopping");
    LB_ENSURE(present(questions, now_ms()), LB_SOURCE_UNAVAILABLE,
              "the officer's station is not connected");
    LB_ENSURE(questions->num_open < questions->limits.max_open, LB_SOURCE_UNAVAILABLE,
              "too many questions wait for the officer's station");
    asker->state = OPEN;
    asker->answer = (struct lb_officer_answer){0, NULL};
    asker->cancelled = false;
    questions->open[questions->num_open++] = asker;
    (void)pthread_cond_broadcast(&questions->changed);
    return LB_OK;
}

static void leave(struct lb_officer_asker *asker)
{
    struct lb_officer_questions *questions = asker->questions;
    size_t at = 0;
    while (questions->open[at] != asker)
        at++;
    questions->num_open--;
    memmove(&questions->open[at], &questions->open[at + 1],
            (questions->num_open - at) * sizeof(questions->open[0]));
    asker->state = IDLE;
    asker->arena = NULL;
}

static lb_status outcome(const struct lb_officer_asker *asker, int64_t now)
{
    const struct lb_officer_questions *questions = asker->questions;
    LB_ENSURE(asker->state != REFUSED, LB_SOURCE_UNAVAILABLE, "the officer's station refused");
    LB_ENSURE(!questions->stopping, LB_SOURCE_UNAVAILABLE, "the node is stopping");
    LB_ENSURE(!asker->cancelled && now < asker->until_ms, LB_SOURCE_TIMEOUT,
              "the officer's station did not answer in time");
    LB_FAIL(LB_SOURCE_UNAVAILABLE, "the officer's station has gone");
}

/* The last station's going is noticed when its time is over, so no wait is longer than that. */
static lb_status await(struct lb_officer_asker *asker)
{
    struct lb_officer_questions *questions = asker->questions;
    int64_t now = now_ms();
    while (asker->state != ANSWERED && asker->state != REFUSED && !asker->cancelled &&
           !questions->stopping && now < asker->until_ms && present(questions, now)) {
        wait_until(questions, earlier(asker->until_ms, now + questions->limits.present_ms));
        now = now_ms();
    }
    return asker->state == ANSWERED ? LB_OK : outcome(asker, now);
}

lb_status lb_officer_ask(struct lb_officer_asker *asker,
                         const struct lb_officer_question *question, int64_t timeout_ms,
                         struct lb_arena *arena, struct lb_officer_answer *out_answer)
{
    struct lb_officer_questions *questions = asker->questions;
    uint8_t id[LB_OFFICER_ID_BYTES];
    LB_TRY(lb_crypto_random(id, sizeof(id)));
    (void)pthread_mutex_lock(&questions->lock);
    asker->question = *question;
    memcpy(asker->question.id, id, sizeof(id));
    asker->until_ms = now_ms() + timeout_ms;
    asker->arena = arena;
    lb_status status = enter(asker);
    if (status == LB_OK) {
        status = await(asker);
        *out_answer = asker->answer;
        leave(asker);
    }
    (void)pthread_mutex_unlock(&questions->lock);
    return status;
}

void lb_officer_cancel(struct lb_officer_asker *asker)
{
    struct lb_officer_questions *questions = asker->questions;
    (void)pthread_mutex_lock(&questions->lock);
    asker->cancelled = true;
    (void)pthread_cond_broadcast(&questions->changed);
    (void)pthread_mutex_unlock(&questions->lock);
}

/* --- the station; the lock is held --- */

static struct lb_officer_asker *pick(const struct lb_officer_questions *questions, int64_t now)
{
    for (size_t i = 0; i < questions->num_open; i++) {
        struct lb_officer_asker *asker = questions->open[i];
        bool late = asker->state == HANDED &&
                    now - asker->handed_ms >= questions->limits.again_ms;
        if (!asker->cancelled && (asker->state == OPEN || late))
            return asker;
    }
    return NULL;
}

static lb_status copy_question(const struct lb_officer_question *from, struct lb_arena *arena,
                               struct lb_officer_question *out)
{
    struct lb_officer_question copy = *from;
    LB_TRY(lb_arena_copy(arena, from->txn, &copy.txn));
    LB_TRY(lb_arena_copy(arena, from->view, &copy.view));
    LB_TRY(lb_arena_copy(arena, from->purpose, &copy.purpose));
    LB_TRY(lb_arena_copy(arena, from->grant, &copy.grant));
    LB_TRY(lb_arena_copy(arena, from->section, &copy.section));
    LB_TRY(lb_arena_copy(arena, from->subjects, &copy.subjects));
    *out = copy;
    return LB_OK;
}

static lb_status hand_out(struct lb_officer_questions *questions, int64_t until_ms,
                          struct lb_arena *arena, struct lb_officer_question *out)
{
    int64_t now = now_ms();
    struct lb_officer_asker *asker = pick(questions, now);
    while (asker == NULL && !questions->stopping && now < until_ms) {
        wait_until(questions, earlier(until_ms, now + questions->limits.again_ms));
        now = now_ms();
        asker = pick(questions, now);
    }
    LB_ENSURE(!questions->stopping, LB_STOPPING, "the node is stopping");
    LB_ENSURE(asker != NULL, LB_ABSENT, "nothing is asked");
    LB_TRY(copy_question(&asker->question, arena, out));
    out->left_ms = asker->until_ms > now ? asker->until_ms - now : 0;
    asker->state = HANDED;
    asker->handed_ms = now;
    return LB_OK;
}

lb_status lb_officer_next(struct lb_officer_questions *questions, int64_t wait_ms,
                          struct lb_arena *arena, struct lb_officer_question *out_question)
{
    lb_status status = LB_FAULT(LB_BUSY, "enough stations are waiting");
    (void)pthread_mutex_lock(&questions->lock);
    if (questions->num_waiting < questions->limits.max_stations) {
        questions->num_waiting++;
        status = hand_out(questions, now_ms() + wait_ms, arena, out_question);
        questions->num_waiting--;
        questions->seen = true;
        questions->seen_ms = now_ms();
    }
    (void)pthread_mutex_unlock(&questions->lock);
    return status;
}

static struct lb_officer_asker *find(const struct lb_officer_questions *questions,
                                     struct lb_span id)
{
    for (size_t i = 0; i < questions->num_open; i++) {
        struct lb_officer_asker *asker = questions->open[i];
        if (asker->state == HANDED &&
            lb_span_eq(id, lb_span_of(asker->question.id, LB_OFFICER_ID_BYTES)))
            return asker;
    }
    return NULL;
}

static lb_status check_answer(const struct lb_officer_question *question,
                              const struct lb_officer_answer *answer)
{
    size_t bytes = 0;
    LB_ENSURE(answer->num_lines <= question->max_lines, LB_TOO_LARGE, "too many lines");
    for (size_t i = 0; i < answer->num_lines; i++) {
        size_t len = answer->lines[i].len;
        LB_ENSURE(len > 0, LB_MALFORMED, "an empty line");
        LB_ENSURE(len <= LB_MAX_LIST_LINE_BYTES, LB_TOO_LARGE, "a line is too long");
        bytes += len + 1;
    }
    LB_ENSURE(bytes <= question->max_bytes, LB_TOO_LARGE, "an answer is too long");
    return LB_OK;
}

/* Into the memory of the asker, who waits for this very lock. */
static lb_status copy_answer(struct lb_officer_asker *asker,
                             const struct lb_officer_answer *answer)
{
    struct lb_span *lines = lb_arena_array(asker->arena, answer->num_lines, sizeof(*lines));
    LB_ENSURE(lines != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < answer->num_lines; i++)
        LB_TRY(lb_arena_copy(asker->arena, answer->lines[i], &lines[i]));
    asker->answer = (struct lb_officer_answer){answer->num_lines, lines};
    return LB_OK;
}

static lb_status settle(struct lb_officer_questions *questions, struct lb_span id,
                        const struct lb_officer_answer *answer)
{
    struct lb_officer_asker *asker = find(questions, id);
    LB_ENSURE(asker != NULL, LB_QUESTION_GONE, "nobody waits for this answer");
    if (answer != NULL) {
        LB_TRY(check_answer(&asker->question, answer));
        LB_TRY(copy_answer(asker, answer));
    }
    asker->state = answer != NULL ? ANSWERED : REFUSED;
    (void)pthread_cond_broadcast(&questions->changed);
    return LB_OK;
}

static lb_status settle_locked(struct lb_officer_questions *questions, struct lb_span id,
                               const struct lb_officer_answer *answer)
{
    (void)pthread_mutex_lock(&questions->lock);
    lb_status status = settle(questions, id, answer);
    questions->seen = true;
    questions->seen_ms = now_ms();
    (void)pthread_mutex_unlock(&questions->lock);
    return status;
}

lb_status lb_officer_give(struct lb_officer_questions *questions, struct lb_span id,
                          const struct lb_officer_answer *answer)
{
    return settle_locked(questions, id, answer);
}

lb_status lb_officer_refuse(struct lb_officer_questions *questions, struct lb_span id)
{
    return settle_locked(questions, id, NULL);
}
