#include "adapters/serve/intake_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/intake_child.h"
#include "adapters/serve/intake_pull.h"
#include "adapters/serve/intake_say.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"

#define ROUND_MS 250
#define BY "program"
#define EXIT_TAKEN 0
#define EXIT_RETURNED 3
#define FIRST_WAIT_S 10
#define MAX_DOUBLINGS 9

struct lb_intake_runner {
    struct lb_intake *intake;
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t wake;  /* monotonic */
};

/* One call. */
struct calling {
    struct lb_intake_runner *runner;
    struct lb_arena *arena;
    struct lb_intake_taken taken;
    struct lb_span answer;
    int code;
    char why[LB_MAX_NAME_BYTES + 1];
};

/* --- what it answers --- */

static lb_status text_of(struct calling *calling, const struct lb_json *json, const char *key,
                         char **out)
{
    struct lb_span text = LB_SPAN_EMPTY;
    lb_status status = lb_json_get_str(json, key, &text);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    *out = lb_arena_str(calling->arena, text);
    LB_ENSURE(*out != NULL, LB_MALFORMED, "a text with a zero byte");
    return LB_OK;
}

static lb_status read_taken(struct calling *calling, const struct lb_json *json,
                            Lianban__V1__Word *word)
{
    static const char *const keys[] = {"reference", NULL};
    word->kind = LIANBAN__V1__WORD__KIND__ACCEPTED;
    LB_TRY(lb_json_only(json, keys));
    return text_of(calling, json, "reference", &word->reference);
}

/* Whoever does not do what a correction request asks for keeps the data. */
static lb_status read_returned(struct calling *calling, const struct lb_json *json,
                               Lianban__V1__Word *word)
{
    static const char *const keys[] = {"law", "text", NULL};
    static const char *const texts[] = {"zh", "en", NULL};
    const struct lb_json *text = NULL;
    word->kind = LIANBAN__V1__WORD__KIND__RETURNED;
    if (calling->taken.kind == LIANBAN__V1__PART__KIND__CORRECTION_REQUEST) {
        word->kind = LIANBAN__V1__WORD__KIND__DECIDED;
        word->outcome = LIANBAN__V1__WORD__OUTCOME__DATA_KEPT;
    }
    LB_TRY(lb_json_only(json, keys));
    LB_TRY(text_of(calling, json, "law", &word->law));
    LB_TRY(lb_json_get_object(json, "text", &text));
    LB_TRY(lb_json_only(text, texts));
    LB_TRY(text_of(calling, text, "zh", &word->text_zh));
    return text_of(calling, text, "en", &word->text_en);
}

static bool is_matter(const struct calling *calling)
{
    return calling->taken.state != LB_INTAKE_NOTED;
}

static lb_status read_word(struct calling *calling, Lianban__V1__Word *word)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    if (!is_matter(calling)) {
        LB_ENSURE(calling->code == EXIT_TAKEN, LB_MALFORMED, "what is behind can't be returned");
        word->kind = LIANBAN__V1__WORD__KIND__WITHDRAWN;
        return LB_OK;
    }
    LB_TRY(lb_json_parse(calling->answer, &json));
    LB_TRY(calling->code == EXIT_TAKEN ? read_taken(calling, json, word)
                                       : read_returned(calling, json, word));
    return lb_intake_word_check(word);
}

/* --- what follows from it --- */

/* Said and acknowledged in one; where it may not be said any more, a clerk or the citizen was
 * faster, and the part was taken out all the same. */
static lb_status settle(struct calling *calling, const Lianban__V1__Word *word)
{
    struct lb_intake *intake = calling->runner->intake;
    const struct lb_intake_taken *taken = &calling->taken;
    bool says = is_matter(calling) || taken->kind == LIANBAN__V1__PART__KIND__WITHDRAWAL;
    const struct lb_intake_saying saying = {is_matter(calling) ? taken->item.n : taken->about, BY,
                                            word, is_matter(calling)};
    int64_t number = 0;
    uint64_t index = 0;
    lb_status status = says ? lb_intake_say(intake, &saying, &number, &index) : LB_OK;
    if (lb_status_code(status) != LB_CASE_STATE)
        LB_TRY(status);
    if (status == LB_OK && is_matter(calling))
        return LB_OK;
    return lb_intake_ack(intake, BY, taken->item.n, &index);
}

static lb_status fail(struct calling *calling)
{
    int64_t doublings = calling->taken.tries < MAX_DOUBLINGS ? calling->taken.tries : MAX_DOUBLINGS;
    return lb_intake_tried(calling->runner->intake, calling->taken.item.n, calling->why,
                           (int64_t)FIRST_WAIT_S << doublings);
}

static void note(struct calling *calling, const char *why)
{
    (void)snprintf(calling->why, sizeof(calling->why), "%s", why);
}

/* True when it answered as it should; else `why` says what it did. */
static bool ask(struct calling *calling, Lianban__V1__Word *word)
{
    const struct lb_intake_program *program =
        &calling->runner->intake->serve->options.policy->intake->program;
    char key[2 * LB_PARCEL_NAME_BYTES + 1];
    lb_hex_encode(lb_span_of(calling->taken.name, sizeof(calling->taken.name)), key);
    const struct lb_intake_child child = {
        .path = program->path,
        .arguments = program->arguments,
        .num_arguments = program->num_arguments,
        .key = key,
        .input = calling->taken.item.json,
        .timeout_ms = program->timeout_s * 1000,
        .stop = &calling->runner->stop,
    };
    lb_status status =
        lb_intake_child_run(&child, calling->arena, &calling->answer, &calling->code);
    if (status != LB_OK) {
        note(calling, lb_code_name(status->code));
        return false;
    }
    if (calling->code != EXIT_TAKEN && calling->code != EXIT_RETURNED) {
        (void)snprintf(calling->why, sizeof(calling->why), "exit %d", calling->code);
        return false;
    }
    if (read_word(calling, word) == LB_OK)
        return true;
    note(calling, "answer is not as documented");
    return false;
}

static lb_status call(struct calling *calling)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    bool answered = ask(calling, &word);
    if (atomic_load(&calling->runner->stop) && !answered)
        return LB_OK; /* it was ended by us; it is called again after the next start */
    if (answered) {
        lb_status status = settle(calling, &word);
        if (status == LB_OK)
            return LB_OK;
        note(calling, lb_code_name(status->code));
    }
    return fail(calling);
}

/* --- the thread --- */

static lb_status run_one(struct lb_intake_runner *runner, bool *out_found)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct calling calling = {.runner = runner, .arena = arena};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "program");
    LB_TRY(lb_intake_take_for_program(runner->intake, arena, &calling.taken, out_found));
    return *out_found ? call(&calling) : LB_OK;
}

static void *run(void *ctx)
{
    struct lb_intake_runner *runner = ctx;
    while (!atomic_load(&runner->stop)) {
        bool found = false;
        lb_status status = run_one(runner, &found);
        lb_log_failure("intake_program_failed", status);
        if (found && status == LB_OK)
            continue;
        const struct timespec until = lb_clock_after_ms(ROUND_MS);
        (void)pthread_mutex_lock(&runner->lock);
        if (!atomic_load(&runner->stop))
            (void)pthread_cond_timedwait(&runner->wake, &runner->lock, &until);
        (void)pthread_mutex_unlock(&runner->lock);
    }
    return NULL;
}

lb_status lb_intake_runner_new(struct lb_intake *intake, struct lb_intake_runner **out_runner)
{
    struct lb_intake_runner *runner = calloc(1, sizeof(*runner));
    LB_ENSURE(runner != NULL, LB_NO_MEMORY, "program");
    runner->intake = intake;
    atomic_init(&runner->stop, false);
    (void)pthread_mutex_init(&runner->lock, NULL);
    lb_clock_cond_init(&runner->wake);
    if (pthread_create(&runner->thread, NULL, run, runner) != 0) {
        (void)pthread_cond_destroy(&runner->wake);
        (void)pthread_mutex_destroy(&runner->lock);
        free(runner);
        LB_FAIL(LB_NO_MEMORY, "program's thread");
    }
    *out_runner = runner;
    return LB_OK;
}

void lb_intake_runner_free(struct lb_intake_runner *runner)
{
    if (runner == NULL)
        return;
    (void)pthread_mutex_lock(&runner->lock);
    atomic_store(&runner->stop, true);
    (void)pthread_cond_signal(&runner->wake);
    (void)pthread_mutex_unlock(&runner->lock);
    (void)pthread_join(runner->thread, NULL);
    (void)pthread_cond_destroy(&runner->wake);
    (void)pthread_mutex_destroy(&runner->lock);
    free(runner);
}
