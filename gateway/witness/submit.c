#include "gateway/witness/submit.h"

#include <stdlib.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/witness/submit_state.h"

#define ROUND_ARENA_BYTES (2 * 1024 * 1024)
#define TICK_MS 500

/* --- life --- */

/* Time without witnesses goes on while the node is down: a restart does not begin it anew. */
static lb_status recall(struct lb_submitter *submitter, struct lb_diag *diag)
{
    const struct lb_submit_options *options = &submitter->options;
    struct lb_cosigned_row row;
    struct lb_log_head head;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ROUND_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "submitter");
    submitter->witnessed_ms = lb_clock_monotonic_ms(options->clock);
    lb_status status = lb_cosigned_newest(submitter->cosigned, true, arena, &row);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    LB_TRY(lb_log_head(options->log, arena, &head));
    if (row.size > head.size) {
        lb_diag_set(diag, "%s: witnesses have cosigned %llu entries of this log and here are %llu; "
                          "it is an old copy: restore the newest one, do not go on with this",
                    options->folder, (unsigned long long)row.size, (unsigned long long)head.size);
        LB_FAIL(LB_LOG_BEHIND, "shorter than what was cosigned");
    }
    int64_t age_s = lb_clock_unix_s(options->clock) - row.unix_s;
    submitter->witnessed_ms -= age_s > 0 ? age_s * 1000 : 0;
    submitter->view.witnessed_size = row.size;
    return LB_OK;
}

lb_status lb_submitter_new(const struct lb_submit_options *options, struct lb_diag *diag,
                           struct lb_submitter **out_submitter)
{
    struct lb_submitter *submitter = calloc(1, sizeof(*submitter));
    LB_ENSURE(submitter != NULL, LB_NO_MEMORY, "submitter");
    submitter->options = *options;
    (void)pthread_mutex_init(&submitter->lock, NULL);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&submitter->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    diag->text[0] = 0;
    lb_status status = lb_cosigned_open(options->folder, &submitter->cosigned);
    if (status == LB_OK)
        status = recall(submitter, diag);
    if (status != LB_OK) {
        if (diag->text[0] == 0)
            lb_diag_set(diag, "%s/" LB_COSIGNED_DATABASE ": cosignatures can't be kept (%s): %s; "
                              "it may be moved away, witnesses are asked again",
                        options->folder, lb_code_name(status->code), status->what);
        lb_submitter_free(submitter);
        return status;
    }
    *out_submitter = submitter;
    return LB_OK;
}

void lb_submitter_stop(struct lb_submitter *submitter)
{
    (void)pthread_mutex_lock(&submitter->lock);
    submitter->stopping = true;
    (void)pthread_cond_signal(&submitter->wake);
    (void)pthread_mutex_unlock(&submitter->lock);
    if (submitter->running)
        (void)pthread_join(submitter->thread, NULL);
    submitter->running = false;
}

void lb_submitter_free(struct lb_submitter *submitter)
{
    if (submitter == NULL)
        return;
    lb_submitter_stop(submitter);
    lb_cosigned_close(submitter->cosigned);
    (void)pthread_mutex_destroy(&submitter->lock);
    (void)pthread_cond_destroy(&submitter->wake);
    free(submitter);
}

/* --- rounds --- */

static void take_over(struct lb_submitter *submitter, const struct lb_submit_round *round,
                      int64_t began_ms)
{
    bool met = lb_witness_policy_met(submitter->options.policy, round->cosigned);
    submitter->round_size = round->head.size;
    submitter->round_ms = began_ms;
    submitter->round_met = met;
    if (!met)
        return;
    (void)pthread_mutex_lock(&submitter->lock);
    submitter->witnessed_ms = began_ms;
    submitter->view.witnessed_size = round->head.size;
    (void)pthread_mutex_unlock(&submitter->lock);
}

static lb_status make_round(struct lb_submitter *submitter, struct lb_submit_round *round)
{
    int64_t began_ms = lb_clock_monotonic_ms(submitter->options.clock);
    LB_TRY(lb_submit_round(round));
    take_over(submitter, round, began_ms);
    return LB_OK;
}

/* A checkpoint that is not witnessed yet, and not asked about within the interval. */
static bool is_due(struct lb_submitter *submitter, int64_t now, uint64_t size)
{
    if (submitter->round_ms == 0)
        return true;
    bool wanted = size > submitter->round_size || !submitter->round_met;
    return wanted && now - submitter->round_ms >= submitter->options.interval_ms;
}

static lb_status round_if_due(struct lb_submitter *submitter, uint64_t *out_size)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ROUND_ARENA_BYTES);
    struct lb_submit_round round = {.submitter = submitter, .arena = arena};
    struct lb_log_head head;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "round");
    LB_TRY(lb_log_head(submitter->options.log, arena, &head));
    *out_size = head.size;
    if (!is_due(submitter, lb_clock_monotonic_ms(submitter->options.clock), head.size))
        return LB_OK;
    return make_round(submitter, &round);
}

/* --- limits --- */

static enum lb_submit_state judge(struct lb_submitter *submitter, uint64_t size,
                                  struct lb_submit_view *out_view)
{
    const struct lb_submit_options *options = &submitter->options;
    int64_t now = lb_clock_monotonic_ms(options->clock);
    (void)pthread_mutex_lock(&submitter->lock);
    enum lb_submit_state before = submitter->view.state;
    /* A log all of which is witnessed waits for nobody. */
    if (submitter->round_met && size <= submitter->view.witnessed_size)
        submitter->witnessed_ms = now;
    int64_t age = now - submitter->witnessed_ms;
    submitter->view.unwitnessed_ms = age;
    submitter->view.state = age > options->stop_ms    ? LB_SUBMIT_STOPPED
                            : age > options->alert_ms ? LB_SUBMIT_LATE
                                                      : LB_SUBMIT_WITNESSED;
    *out_view = submitter->view;
    (void)pthread_mutex_unlock(&submitter->lock);
    return before;
}

/* That reads stop and go on again is evidence too. */
static void record_change(struct lb_submitter *submitter, const char *code)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return;
    entry->leaf.type = LB_LEAF_ADMIN;
    entry->leaf.count = 1;
    memcpy(entry->leaf.code, code, strlen(code));
    lb_log_failure("witnessing_not_recorded",
                   lb_log_append_wait(submitter->options.log, entry));
    free(entry);
}

static void keep_limits(struct lb_submitter *submitter, uint64_t size)
{
    static const char *const events[] = {"log_witnessed", "log_unwitnessed", "log_held"};
    struct lb_submit_view view;
    enum lb_submit_state before = judge(submitter, size, &view);
    if (view.state == before)
        return;
    lb_log_hold(submitter->options.log, view.state == LB_SUBMIT_STOPPED);
    lb_log_event(view.state == LB_SUBMIT_WITNESSED ? LB_LOG_INFO : LB_LOG_ERROR,
                 events[view.state], "\"size\":%llu,\"witnessed\":%llu,\"seconds\":%lld",
                 (unsigned long long)size, (unsigned long long)view.witnessed_size,
                 (long long)(view.unwitnessed_ms / 1000));
    if (view.state == LB_SUBMIT_STOPPED)
        record_change(submitter, "UNWITNESSED");
    else if (before == LB_SUBMIT_STOPPED)
        record_change(submitter, "WITNESSED_AGAIN");
}

void lb_submitter_tick(struct lb_submitter *submitter)
{
    uint64_t size = 0;
    lb_status status = round_if_due(submitter, &size);
    if (status != LB_OK)
        lb_log_failure("checkpoint_not_submitted", status);
    keep_limits(submitter, size);
}

/* --- before the start --- */

static void say_conflict(const struct lb_submit_round *round, struct lb_diag *diag)
{
    const struct lb_submit_options *options = &round->submitter->options;
    const char *name = options->policy->witnesses[round->conflict_witness].cosigner.name;
    unsigned long long ours = (unsigned long long)round->head.size;
    if (round->conflict->code == LB_LOG_BEHIND)
        lb_diag_set(diag, "%s: the witness %s has cosigned %llu entries of this log and here are "
                          "%llu; it is an old copy or was cut short: restore the newest one, do "
                          "not go on with this",
                    options->folder, name, (unsigned long long)round->conflict_size, ours);
    else
        lb_diag_set(diag, "%s: the witness %s has cosigned another history of this log than these "
                          "%llu entries; it was written anew: find out who did, do not go on with "
                          "this",
                    options->folder, name, ours);
}

lb_status lb_submitter_ask(struct lb_submitter *submitter, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ROUND_ARENA_BYTES);
    struct lb_submit_round round = {.submitter = submitter, .arena = arena};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "round");
    round.until_ms = lb_clock_monotonic_ms(submitter->options.clock) + LB_SUBMIT_ASK_MS;
    lb_status status = make_round(submitter, &round);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: the witnesses' answers can't be kept: %s",
                    submitter->options.folder, status->what);
        return status;
    }
    if (round.conflict != LB_OK)
        say_conflict(&round, diag);
    return round.conflict;
}

/* --- the thread --- */

static bool wait_a_tick(struct lb_submitter *submitter)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&submitter->lock);
    int waited = 0;
    while (!submitter->stopping && waited == 0)
        waited = pthread_cond_timedwait(&submitter->wake, &submitter->lock, &until);
    bool go_on = !submitter->stopping;
    (void)pthread_mutex_unlock(&submitter->lock);
    return go_on;
}

static void *submit_on_and_on(void *arg)
{
    struct lb_submitter *submitter = arg;
    while (wait_a_tick(submitter))
        lb_submitter_tick(submitter);
    return NULL;
}

lb_status lb_submitter_start(struct lb_submitter *submitter)
{
    /* Past the limit already, nothing is released before the first round either. */
    lb_submitter_tick(submitter);
    LB_ENSURE(pthread_create(&submitter->thread, NULL, submit_on_and_on, submitter) == 0,
              LB_NO_MEMORY, "the submitting thread cannot be started");
    submitter->running = true;
    return LB_OK;
}

void lb_submitter_view(struct lb_submitter *submitter, struct lb_submit_view *out_view)
{
    (void)pthread_mutex_lock(&submitter->lock);
    *out_view = submitter->view;
    (void)pthread_mutex_unlock(&submitter->lock);
}
