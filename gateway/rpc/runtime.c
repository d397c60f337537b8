#include "gateway/rpc/runtime.h"

#include <errno.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/rpc/core.h"
#include "gateway/rpc/credentials.h"
#include "gateway/rpc/account.h"
#include "gateway/rpc/stream.h"

/* The C surface of gRPC changes between minor versions; 29 is the core of the 1.51 series. */
#define CORE_VERSION "29."
#define MAX_POLLERS 64U
/* So that a poller without work is told from one that hangs. */
#define IDLE_ROUND_MS 1000

/* Below TLS 1.3 only ECDHE with AEAD. This is the core's own default, set so that the environment
 * can't loosen it. */
#define CIPHERS                                                                                    \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"                  \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                                 \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"

static gpr_timespec in_ms(int64_t ms)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

static void *poll_queue(void *arg)
{
    struct lb_rpc_poller *poller = arg;
    for (;;) {
        atomic_store(&poller->came_round, true);
        grpc_event event = grpc_completion_queue_next(
            poller->queue, in_ms(IDLE_ROUND_MS), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE) {
            struct lb_rpc_tag *tag = event.tag;
            tag->done(tag, event.success != 0);
        }
    }
}

/* The core's own messages may quote a peer, so only the place that wrote one is kept. */
static void log_core(gpr_log_func_args *args)
{
    if (args->severity < GPR_LOG_SEVERITY_ERROR)
        return;
    const char *slash = strrchr(args->file, '/');
    lb_log_event(LB_LOG_WARN, "grpc", "\"at\":\"%s:%d\"", slash == NULL ? args->file : slash + 1,
                 args->line);
}

static void sweep_one(struct lb_rpc_stream *stream, void *arg)
{
    (void)arg;
    lb_rpc_stream_check(stream);
}

/* Sleeps until the next sweep; false when the runtime stops. */
static bool sleep_until_sweep(struct lb_rpc_runtime *runtime)
{
    struct timespec next = lb_rpc_after_ms(LB_PEER_SWEEP_MS);
    int rc = 0;
    (void)pthread_mutex_lock(&runtime->lock);
    while (!runtime->stopping && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&runtime->wake_sweeper, &runtime->lock, &next);
    bool stopping = runtime->stopping;
    (void)pthread_mutex_unlock(&runtime->lock);
    return !stopping;
}

static void *sweep(void *arg)
{
    struct lb_rpc_runtime *runtime = arg;
    while (sleep_until_sweep(runtime)) {
        lb_rpc_live_each(runtime, NULL, sweep_one, NULL);
        lb_rpc_account_look(runtime);
    }
    return NULL;
}

static size_t pollers_wanted(size_t num_pollers)
{
    if (num_pollers > 0)
        return num_pollers < MAX_POLLERS ? num_pollers : MAX_POLLERS;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1)
        return 1;
    return (size_t)cores < MAX_POLLERS ? (size_t)cores : MAX_POLLERS;
}

struct timespec lb_rpc_after_ms(int64_t ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

void lb_rpc_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static lb_status start_threads(struct lb_rpc_runtime *runtime, size_t num_pollers)
{
    while (runtime->num_pollers < num_pollers) {
        struct lb_rpc_poller *poller = &runtime->pollers[runtime->num_pollers];
        poller->queue = grpc_completion_queue_create_for_next(NULL);
        if (pthread_create(&poller->thread, NULL, poll_queue, poller) != 0) {
            grpc_completion_queue_shutdown(poller->queue);
            grpc_completion_queue_destroy(poller->queue);
            LB_FAIL(LB_NO_MEMORY, "a poller thread cannot be started");
        }
        runtime->num_pollers++;
    }
    LB_ENSURE(pthread_create(&runtime->sweeper, NULL, sweep, runtime) == 0, LB_NO_MEMORY,
              "the sweep thread cannot be started");
    runtime->has_sweeper = true;
    return LB_OK;
}

lb_status lb_rpc_runtime_new(size_t num_pollers, struct lb_rpc_runtime **out_runtime)
{
    LB_ENSURE(strncmp(grpc_version_string(), CORE_VERSION, strlen(CORE_VERSION)) == 0,
              LB_VERSION_UNSUPPORTED, "the linked gRPC core is not of the 1.51 series");
    size_t wanted = pollers_wanted(num_pollers);
    struct lb_rpc_runtime *runtime =
        calloc(1, sizeof(*runtime) + wanted * sizeof(runtime->pollers[0]));
    LB_ENSURE(runtime != NULL, LB_NO_MEMORY, "runtime");
    (void)setenv("GRPC_SSL_CIPHER_SUITES", CIPHERS, 1);
    gpr_set_log_function(log_core);
    (void)pthread_mutex_init(&runtime->lock, NULL);
    lb_rpc_cond_init(&runtime->wake_sweeper);
    grpc_init();
    lb_status status = start_threads(runtime, wanted);
    if (status != LB_OK) {
        lb_rpc_runtime_free(runtime);
        return status;
    }
    *out_runtime = runtime;
    return LB_OK;
}

void lb_rpc_runtime_free(struct lb_rpc_runtime *runtime)
{
    if (runtime == NULL)
        return;
    (void)pthread_mutex_lock(&runtime->lock);
    runtime->stopping = true;
    (void)pthread_cond_broadcast(&runtime->wake_sweeper);
    (void)pthread_mutex_unlock(&runtime->lock);
    if (runtime->has_sweeper)
        (void)pthread_join(runtime->sweeper, NULL);
    for (size_t i = 0; i < runtime->num_pollers; i++)
        grpc_completion_queue_shutdown(runtime->pollers[i].queue);
    for (size_t i = 0; i < runtime->num_pollers; i++) {
        (void)pthread_join(runtime->pollers[i].thread, NULL);
        grpc_completion_queue_destroy(runtime->pollers[i].queue);
    }
    lb_rpc_files_free(runtime->files);
    /* The waiting form, so that nothing of the core runs on after the program's own end. */
    grpc_shutdown_blocking();
    (void)pthread_cond_destroy(&runtime->wake_sweeper);
    (void)pthread_mutex_destroy(&runtime->lock);
    free(runtime);
}

struct lb_rpc_poller *lb_rpc_next_poller(struct lb_rpc_runtime *runtime)
{
    return &runtime->pollers[atomic_fetch_add(&runtime->turn, 1) % runtime->num_pollers];
}

bool lb_rpc_runtime_progress(struct lb_rpc_runtime *runtime)
{
    for (size_t i = 0; i < runtime->num_pollers; i++) {
        if (!atomic_load(&runtime->pollers[i].came_round))
            return false;
    }
    for (size_t i = 0; i < runtime->num_pollers; i++)
        atomic_store(&runtime->pollers[i].came_round, false);
    return true;
}

bool lb_rpc_on_poller(const struct lb_rpc_runtime *runtime)
{
    for (size_t i = 0; i < runtime->num_pollers; i++) {
        if (pthread_equal(pthread_self(), runtime->pollers[i].thread))
            return true;
    }
    return false;
}

void lb_rpc_live_add(struct lb_rpc_runtime *runtime, struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&runtime->lock);
    stream->live_next = runtime->live;
    stream->live_link = &runtime->live;
    if (runtime->live != NULL)
        runtime->live->live_link = &stream->live_next;
    runtime->live = stream;
    runtime->num_live++;
    (void)pthread_mutex_unlock(&runtime->lock);
}

void lb_rpc_live_remove(struct lb_rpc_runtime *runtime, struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&runtime->lock);
    *stream->live_link = stream->live_next;
    if (stream->live_next != NULL)
        stream->live_next->live_link = stream->live_link;
    runtime->num_live--;
    (void)pthread_mutex_unlock(&runtime->lock);
}

/* Takes a reference to each call, so that a slow visit holds up neither new calls nor old. */
static struct lb_rpc_stream **hold_live(struct lb_rpc_runtime *runtime, const void *owner,
                                        size_t *out_num)
{
    size_t num = 0;
    (void)pthread_mutex_lock(&runtime->lock);
    struct lb_rpc_stream **held = calloc(runtime->num_live + 1, sizeof(struct lb_rpc_stream *));
    if (held != NULL) {
        for (struct lb_rpc_stream *at = runtime->live; at != NULL; at = at->live_next) {
            if (owner != NULL && at->owner != owner)
                continue;
            lb_rpc_stream_ref(at);
            held[num++] = at;
        }
    }
    (void)pthread_mutex_unlock(&runtime->lock);
    *out_num = num;
    return held;
}

void lb_rpc_live_each(struct lb_rpc_runtime *runtime, const void *owner,
                      void (*visit)(struct lb_rpc_stream *stream, void *arg), void *arg)
{
    size_t num = 0;
    struct lb_rpc_stream **held = hold_live(runtime, owner, &num);
    for (size_t i = 0; i < num; i++) {
        visit(held[i], arg);
        lb_rpc_stream_unref(held[i]);
    }
    free(held);
}
