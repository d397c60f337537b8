#include "gateway/services/reconciler.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/services/reconcile_round.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

#define CALL_TIMEOUT_MS 5000
#define MAX_COUNTERPARTS 512
/* Whoever could not be asked for so long is told as loudly as a difference. */
#define ALARM_MINUTES (24 * 60)

struct lb_reconciler {
    struct lb_reconciler_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;  /* monotonic */
    bool stopping;
    pthread_t thread;
};

/* A counterpart while it is asked. */
struct asking {
    struct lb_reconciler *reconciler;
    struct lb_rpc_channel *channel;
};

static bool is_stopping(struct lb_reconciler *reconciler)
{
    (void)pthread_mutex_lock(&reconciler->lock);
    bool stopping = reconciler->stopping;
    (void)pthread_mutex_unlock(&reconciler->lock);
    return stopping;
}

/* --- asking --- */

static lb_status call(const struct asking *asking, const char *method, const void *message,
                      struct lb_arena *arena, struct lb_span *out_reply)
{
    struct lb_span request = LB_SPAN_EMPTY;
    LB_ENSURE(!is_stopping(asking->reconciler), LB_STOPPING, "the node is stopping");
    LB_TRY(lb_pb_pack(message, arena, &request));
    return lb_rpc_call(asking->channel, method, NULL, 0, request, CALL_TIMEOUT_MS, arena,
                       out_reply);
}

static lb_status ask_digests(void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                             struct lb_span *out_reply)
{
    Lianban__V1__GetDigestsRequest request = LIANBAN__V1__GET_DIGESTS_REQUEST__INIT;
    request.from_minute = from;
    request.to_minute = to;
    return call(ctx, "/lianban.v1.Evidence/GetDigests", &request, arena, out_reply);
}

static lb_status ask_entries(void *ctx, int64_t minute, uint64_t from_index,
                             struct lb_arena *arena, struct lb_span *out_reply)
{
    Lianban__V1__GetDigestEntriesRequest request =
        LIANBAN__V1__GET_DIGEST_ENTRIES_REQUEST__INIT;
    request.minute = minute;
    request.from_index = from_index;
    return call(ctx, "/lianban.v1.Evidence/GetDigestEntries", &request, arena, out_reply);
}

/* --- rounds --- */

static struct lb_reconcile_round round_with(struct lb_reconciler *reconciler,
                                            const char *counterpart,
                                            const struct lb_reconcile_remote *remote)
{
    const struct lb_reconciler_options *options = &reconciler->options;
    return (struct lb_reconcile_round){
        .folder = options->folder,
        .marks = options->marks,
        .log = options->log,
        .clock = options->clock,
        .counterpart = counterpart,
        .is_broker = options->is_broker,
        .remote = remote,
    };
}

static void tell(const struct lb_reconcile_round *round, lb_status status)
{
    if (status == LB_OK || status->code == LB_STOPPING)
        return;
    lb_log_event(round->behind_minutes > ALARM_MINUTES ? LB_LOG_ERROR : LB_LOG_WARN,
                 "not_reconciled", "\"counterpart\":\"%s\",\"code\":\"%s\",\"minutes\":%lld",
                 round->counterpart, lb_code_name(status->code), (long long)round->behind_minutes);
}

static lb_status open_way(struct lb_reconciler *reconciler, const struct lb_node *node,
                          struct asking *out)
{
    const struct lb_reconciler_options *options = &reconciler->options;
    const struct lb_rpc_channel_options channel = {
        .runtime = options->runtime,
        .target = node->endpoint,
        .identity = &options->identity,
        .verifier = options->verifier,
        .expected_spiffe = node->spiffe,
    };
    *out = (struct asking){.reconciler = reconciler};
    return lb_rpc_channel_new(&channel, &out->channel);
}

static void ask_one(struct lb_reconciler *reconciler, const struct lb_node *node)
{
    struct asking asking;
    const struct lb_reconcile_remote remote = {&asking, ask_digests, ask_entries};
    struct lb_reconcile_round round = round_with(reconciler, node->spiffe, &remote);
    lb_status status = open_way(reconciler, node, &asking);
    if (status == LB_OK)
        status = lb_reconcile_round_run(&round);
    tell(&round, status);
    lb_rpc_channel_free(asking.channel);
}

/* Several brokers: what one of them has nothing of may be another's. */
static void ask_together(struct lb_reconciler *reconciler, const struct lb_node *const *nodes,
                         size_t num)
{
    struct asking askings[LB_RECONCILE_MAX_PEERS];
    struct lb_reconcile_remote remotes[LB_RECONCILE_MAX_PEERS];
    struct lb_reconcile_peer peers[LB_RECONCILE_MAX_PEERS];
    struct lb_reconcile_round round = round_with(reconciler, LB_RECONCILE_ALL_BROKERS, NULL);
    lb_status status = LB_OK;
    for (size_t i = 0; i < num && status == LB_OK; i++) {
        status = open_way(reconciler, nodes[i], &askings[i]);
        remotes[i] = (struct lb_reconcile_remote){&askings[i], ask_digests, ask_entries};
        peers[i] = (struct lb_reconcile_peer){nodes[i]->spiffe, &remotes[i]};
        round.num_peers++;
    }
    round.peers = peers;
    if (status == LB_OK)
        status = lb_reconcile_round_several(&round);
    tell(&round, status);
    for (size_t i = 0; i < round.num_peers; i++)
        lb_rpc_channel_free(askings[i].channel);
}

static size_t list(const struct lb_directory *directory, enum lb_node_kind kind, size_t most,
                   const struct lb_node **out)
{
    size_t num = 0;
    for (size_t i = 0; i < directory->num_nodes && num < most; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind == kind && node->endpoint[0] != 0)
            out[num++] = node;
    }
    return num;
}

/* With one broker each side asks the other. With several the adapters ask all of them: they tell a
 * broker nothing, because their entries do not say which broker they are about. */
static void ask_all(struct lb_reconciler *reconciler, const struct lb_directory *directory)
{
    const struct lb_node *brokers[LB_RECONCILE_MAX_PEERS];
    const struct lb_node *adapters[MAX_COUNTERPARTS];
    size_t num_brokers = list(directory, LB_NODE_BROKER, LB_RECONCILE_MAX_PEERS, brokers);
    size_t num_adapters = list(directory, LB_NODE_ADAPTER, MAX_COUNTERPARTS, adapters);
    if (!reconciler->options.is_broker && num_brokers > 1)
        ask_together(reconciler, brokers, num_brokers);
    else if (!reconciler->options.is_broker && num_brokers == 1)
        ask_one(reconciler, brokers[0]);
    for (size_t i = 0; i < num_adapters; i++) {
        if (reconciler->options.is_broker && num_brokers < 2 && !is_stopping(reconciler))
            ask_one(reconciler, adapters[i]);
    }
}

static void run_rounds(struct lb_reconciler *reconciler)
{
    const struct lb_reconciler_options *options = &reconciler->options;
    struct lb_directory *directory = lb_trust_directory(options->trust);
    ask_all(reconciler, directory);
    lb_directory_unref(directory);
    if (options->is_broker && !is_stopping(reconciler)) {
        struct lb_reconcile_round round = round_with(reconciler, options->self, NULL);
        tell(&round, lb_reconcile_round_own(&round));
    }
}

/* --- the thread --- */

static struct timespec in_ms(int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return until;
}

static bool wait_for_round(struct lb_reconciler *reconciler)
{
    const struct timespec until = in_ms(reconciler->options.every_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&reconciler->lock);
    while (!reconciler->stopping && waited == 0)
        waited = pthread_cond_timedwait(&reconciler->changed, &reconciler->lock, &until);
    bool stopping = reconciler->stopping;
    (void)pthread_mutex_unlock(&reconciler->lock);
    return !stopping;
}

static void *run(void *arg)
{
    struct lb_reconciler *reconciler = arg;
    while (wait_for_round(reconciler))
        run_rounds(reconciler);
    return NULL;
}

static void destroy(struct lb_reconciler *reconciler)
{
    (void)pthread_mutex_destroy(&reconciler->lock);
    (void)pthread_cond_destroy(&reconciler->changed);
    free(reconciler);
}

lb_status lb_reconciler_new(const struct lb_reconciler_options *options,
                            struct lb_reconciler **out_reconciler)
{
    struct lb_reconciler *reconciler = calloc(1, sizeof(*reconciler));
    pthread_condattr_t attr;
    LB_ENSURE(reconciler != NULL, LB_NO_MEMORY, "reconciler");
    reconciler->options = *options;
    (void)pthread_mutex_init(&reconciler->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&reconciler->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (pthread_create(&reconciler->thread, NULL, run, reconciler) != 0) {
        destroy(reconciler);
        LB_FAIL(LB_NO_MEMORY, "the reconciler cannot be started");
    }
    *out_reconciler = reconciler;
    return LB_OK;
}

void lb_reconciler_free(struct lb_reconciler *reconciler)
{
    if (reconciler == NULL)
        return;
    (void)pthread_mutex_lock(&reconciler->lock);
    reconciler->stopping = true;
    (void)pthread_cond_broadcast(&reconciler->changed);
    (void)pthread_mutex_unlock(&reconciler->lock);
    (void)pthread_join(reconciler->thread, NULL);
    destroy(reconciler);
}
