#include <stdlib.h>

#include "gateway/consent/inside.h"

/*
 * Those who come at once share one transaction, one entry of the log's batch and one wait for the
 * disk: who comes first takes all that wait, and whoever comes meanwhile waits for the next turn.
 * Each writes under a savepoint of its own: what one is refused undoes nothing of another's.
 * The order of what is made durable is that of a single decision (confirm.c): written but not
 * committed, then the entries, then the commit. Nobody is told before that.
 */

#define MAX_TOGETHER 32U

struct batch {
    struct lb_consent *consent;
    size_t num;
    struct lb_consent_job *jobs[MAX_TOGETHER];
};

/* Under a savepoint: nothing stays of what fails. */
static lb_status write_one(struct lb_consent_store *store, struct lb_consent_job *job)
{
    LB_TRY(lb_consent_store_savepoint(store));
    job->entry = NULL;
    job->status = job->write(job->self, &job->entry);
    return job->status == LB_OK ? lb_consent_store_release(store)
                                : lb_consent_store_undo(store);
}

static lb_status write_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->num; i++)
        LB_TRY(write_one(batch->consent->store, batch->jobs[i]));
    return LB_OK;
}

static bool has_entry(const struct lb_consent_job *job)
{
    return job->status == LB_OK && job->entry != NULL;
}

/* The log wants them side by side. */
static lb_status enter_all(const struct batch *batch)
{
    size_t num = 0;
    for (size_t i = 0; i < batch->num; i++)
        num += has_entry(batch->jobs[i]) ? 1 : 0;
    if (num == 0)
        return LB_OK;
    struct lb_log_entry *entries = calloc(num, sizeof(*entries));
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "entries");
    num = 0;
    for (size_t i = 0; i < batch->num; i++) {
        if (has_entry(batch->jobs[i]))
            entries[num++] = *batch->jobs[i]->entry;
    }
    lb_status status = lb_consent_enter_all(batch->consent, entries, num);
    free(entries);
    return status;
}

/* Whoever brought an entry fails with the log; the others are tried once more without them. */
static void drop_entered(struct batch *batch, lb_status status)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->num; i++) {
        struct lb_consent_job *job = batch->jobs[i];
        if (has_entry(job))
            job->status = status;
        else if (job->status == LB_OK)
            batch->jobs[kept++] = job;
    }
    batch->num = kept;
}

static void fail_all(struct batch *batch, lb_status status)
{
    for (size_t i = 0; i < batch->num; i++) {
        if (batch->jobs[i]->status == LB_OK)
            batch->jobs[i]->status = status;
    }
}

/* *out_again: the log took nothing, and some need it not. */
static lb_status try_all(struct batch *batch, bool *out_again)
{
    struct lb_consent_store *store = batch->consent->store;
    *out_again = false;
    LB_TRY(lb_consent_store_begin(store));
    LB_TRY(write_all(batch));
    lb_status entered = enter_all(batch);
    if (entered == LB_OK)
        return lb_consent_store_commit(store);
    lb_consent_store_rollback(store);
    drop_entered(batch, entered);
    *out_again = batch->num > 0;
    return LB_OK;
}

static void run(struct batch *batch)
{
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(batch->consent);
    bool again = true;
    (void)locked;
    while (again) {
        lb_status status = try_all(batch, &again);
        if (status != LB_OK) {
            fail_all(batch, status);
            return;
        }
    }
}

/* --- turns --- */

/* Under the turns' lock. */
static void take_waiting(struct lb_consent_turns *turns, struct batch *batch)
{
    while (turns->first != NULL && batch->num < MAX_TOGETHER) {
        struct lb_consent_job *job = turns->first;
        turns->first = job->next;
        batch->jobs[batch->num++] = job;
    }
    if (turns->first == NULL)
        turns->last = &turns->first;
}

/* Under the turns' lock, which is let go meanwhile. */
static void lead(struct lb_consent *consent)
{
    struct lb_consent_turns *turns = &consent->turns;
    struct lb_consent_job *taken[MAX_TOGETHER];
    struct batch batch = {.consent = consent};
    turns->led = true;
    take_waiting(turns, &batch);
    size_t num = batch.num;
    memcpy(taken, batch.jobs, num * sizeof(taken[0]));
    (void)pthread_mutex_unlock(&turns->lock);
    run(&batch);
    (void)pthread_mutex_lock(&turns->lock);
    for (size_t i = 0; i < num; i++)
        taken[i]->done = true;
    turns->led = false;
    (void)pthread_cond_broadcast(&turns->over);
}

void lb_consent_turns_init(struct lb_consent_turns *turns)
{
    *turns = (struct lb_consent_turns){.first = NULL};
    turns->last = &turns->first;
    (void)pthread_mutex_init(&turns->lock, NULL);
    (void)pthread_cond_init(&turns->over, NULL);
}

void lb_consent_turns_cleanup(struct lb_consent_turns *turns)
{
    (void)pthread_cond_destroy(&turns->over);
    (void)pthread_mutex_destroy(&turns->lock);
}

lb_status lb_consent_together(struct lb_consent *consent, struct lb_consent_job *job)
{
    struct lb_consent_turns *turns = &consent->turns;
    (void)pthread_mutex_lock(&turns->lock);
    job->next = NULL;
    job->done = false;
    *turns->last = job;
    turns->last = &job->next;
    while (!job->done) {
        if (turns->led)
            (void)pthread_cond_wait(&turns->over, &turns->lock);
        else
            lead(consent);
    }
    (void)pthread_mutex_unlock(&turns->lock);
    return job->status;
}
