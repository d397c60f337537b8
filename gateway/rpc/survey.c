#include "gateway/rpc/survey.h"

#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/rpc/account.h"
#include "gateway/rpc/stream.h"

static int64_t now_ms(void)
{
    return lb_clock_unix_ms(lb_clock_system());
}

/* Under the runtime's lock. */
static void look_at(struct lb_rpc_account *account)
{
    enum lb_rpc_state state = account->state(account->owner);
    if (state == account->seen)
        return;
    account->seen = state;
    account->since_unix_ms = now_ms();
}

void lb_rpc_account_add(struct lb_rpc_runtime *runtime, struct lb_rpc_account *account)
{
    (void)pthread_mutex_lock(&runtime->lock);
    account->seen = account->state(account->owner);
    account->since_unix_ms = now_ms();
    account->next = runtime->accounts;
    account->link = &runtime->accounts;
    if (account->next != NULL)
        account->next->link = &account->next;
    runtime->accounts = account;
    (void)pthread_mutex_unlock(&runtime->lock);
}

void lb_rpc_account_remove(struct lb_rpc_runtime *runtime, struct lb_rpc_account *account)
{
    (void)pthread_mutex_lock(&runtime->lock);
    if (account->link != NULL) {
        *account->link = account->next;
        if (account->next != NULL)
            account->next->link = account->link;
        account->link = NULL;
    }
    (void)pthread_mutex_unlock(&runtime->lock);
}

void lb_rpc_account_began(struct lb_rpc_account *account)
{
    (void)atomic_fetch_add_explicit(&account->started, 1, memory_order_relaxed);
}

void lb_rpc_account_over(struct lb_rpc_account *account, lb_status status)
{
    if (status == LB_OK) {
        (void)atomic_fetch_add_explicit(&account->succeeded, 1, memory_order_relaxed);
        return;
    }
    atomic_store_explicit(&account->last_failure, (int)lb_status_code(status),
                          memory_order_relaxed);
    atomic_store_explicit(&account->last_failed_ms, now_ms(), memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&account->failed, 1, memory_order_relaxed);
}

void lb_rpc_account_look(struct lb_rpc_runtime *runtime)
{
    (void)pthread_mutex_lock(&runtime->lock);
    for (struct lb_rpc_account *at = runtime->accounts; at != NULL; at = at->next)
        look_at(at);
    (void)pthread_mutex_unlock(&runtime->lock);
}

/* --- the survey --- */

struct survey {
    struct lb_rpc_standing *out;
    size_t num;
    const void *owners[LB_RPC_MAX_SURVEYED];
};

static void describe(struct lb_rpc_account *account, struct lb_rpc_standing *out)
{
    look_at(account);
    /* What has ended has begun: read in this order, a call is never counted as ended alone. */
    uint64_t failed = atomic_load(&account->failed), succeeded = atomic_load(&account->succeeded);
    *out = (struct lb_rpc_standing){
        .state = account->seen, .since_unix_ms = account->since_unix_ms,
        .started = atomic_load(&account->started), .succeeded = succeeded, .failed = failed,
        .last_failure = (enum lb_code)atomic_load(&account->last_failure),
        .last_failed_unix_ms = atomic_load(&account->last_failed_ms)};
    (void)snprintf(out->peer, sizeof(out->peer), "%s", account->peer == NULL ? "" : account->peer);
    (void)snprintf(out->target, sizeof(out->target), "%s", account->target);
}

static void add_queue(struct lb_rpc_stream *stream, void *arg)
{
    struct survey *survey = arg;
    size_t i = 0;
    while (i < survey->num && survey->owners[i] != stream->owner)
        i++;
    if (i == survey->num)
        return;
    (void)pthread_mutex_lock(&stream->lock);
    survey->out[i].queued_messages += stream->num_queued;
    survey->out[i].queued_bytes += stream->queued_bytes;
    (void)pthread_mutex_unlock(&stream->lock);
}

size_t lb_rpc_survey(struct lb_rpc_runtime *runtime, struct lb_rpc_standing *out, size_t max)
{
    struct survey survey = {.out = out};
    size_t all = 0;
    max = max < LB_RPC_MAX_SURVEYED ? max : LB_RPC_MAX_SURVEYED;
    (void)pthread_mutex_lock(&runtime->lock);
    for (struct lb_rpc_account *at = runtime->accounts; at != NULL; at = at->next, all++) {
        if (survey.num == max)
            continue;
        survey.owners[survey.num] = at->owner;
        describe(at, &out[survey.num++]);
    }
    (void)pthread_mutex_unlock(&runtime->lock);
    lb_rpc_live_each(runtime, NULL, add_queue, &survey);
    return all;
}
