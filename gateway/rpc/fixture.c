#include "gateway/rpc/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gateway/base/file.h"

#define SCRIPT "gateway/rpc/make_certs.sh"

/* Not TEST_TMPDIR: the path of a Unix socket has at most 107 bytes, and Bazel's folders are
 * deep. */
static char folder[] = "/tmp/lianban-rpc-XXXXXX";

const char *fixture_path(const char *name)
{
    static struct lb_arena *texts;
    if (texts == NULL)
        texts = lb_arena_new(LB_CALL_ARENA_BYTES);
    if (name == NULL) {
        lb_arena_free(texts);
        texts = NULL;
        return NULL;
    }
    return lb_arena_printf(texts, "%s/certs/%s", folder, name);
}

struct lb_rpc_identity fixture_identity(const char *name)
{
    char file[64];
    struct lb_rpc_identity identity;
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    identity.cert_path = fixture_path(file);
    (void)snprintf(file, sizeof(file), "%s.key", name);
    identity.key_path = fixture_path(file);
    identity.ca_path = fixture_path("ca.pem");
    return identity;
}

void fixture_copy(const char *from, const char *to)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span content;
    assert_null(lb_file_read(fixture_path(from), LB_MAX_PEM_BYTES, arena, &content));
    assert_null(lb_file_write(fixture_path(to), content, 0600));
    lb_arena_free(arena);
}

char *fixture_text(const char *name)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span text;
    assert_null(lb_file_read(fixture_path(name), LB_MAX_PEM_BYTES, arena, &text));
    char *copy = strndup((const char *)text.ptr, text.len);
    lb_arena_free(arena);
    return copy;
}

int64_t fixture_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void fixture_sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

int fixture_certs(void **state)
{
    (void)state;
    char command[512];
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(command, sizeof(command), "mkdir '%s/certs' && sh %s '%s/certs'", folder, SCRIPT,
                   folder);
    return system(command) == 0 ? 0 : -1;
}

int fixture_clean(void **state)
{
    (void)state;
    char command[64];
    (void)fixture_path(NULL);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command) == 0 ? 0 : -1;
}

static lb_status judge(void *ctx, const struct lb_rpc_peer *peer)
{
    struct fixture_judge *judge_state = ctx;
    (void)atomic_fetch_add(&judge_state->times, 1);
    if (judge_state->seen_spiffe_wanted != NULL &&
        strcmp(peer->spiffe, judge_state->seen_spiffe_wanted) != 0)
        LB_FAIL(LB_PEER_UNLISTED, "test: another peer");
    if (peer->chain_pem.len == 0 ||
        strncmp((const char *)peer->chain_pem.ptr, "-----BEGIN CERTIFICATE-----", 27) != 0)
        LB_FAIL(LB_PEER_UNVERIFIED, "test: no chain");
    const char *expired = atomic_load(&judge_state->expired_leaf);
    if (expired != NULL && peer->chain_pem.len >= strlen(expired) &&
        memcmp(peer->chain_pem.ptr, expired, strlen(expired)) == 0)
        LB_FAIL(LB_PEER_EXPIRED, "test: this certificate is over");
    if (atomic_load(&judge_state->code) != LB_CODE_OK &&
        atomic_fetch_sub(&judge_state->accept_next, 1) > 0)
        return LB_OK;
    return lb_status_of((enum lb_code)atomic_load(&judge_state->code));
}

struct lb_rpc_verifier fixture_verifier(struct fixture_judge *judge_state)
{
    return (struct lb_rpc_verifier){.ctx = judge_state, .verify = judge};
}

struct lb_rpc_channel *fixture_channel(struct fixture *fixture, const char *identity,
                                       const char *expected_spiffe)
{
    struct lb_rpc_identity files = fixture_identity(identity);
    struct lb_rpc_channel *channel = NULL;
    struct lb_rpc_channel_options options = {
        .runtime = fixture->runtime,
        .target = fixture->target,
        .identity = &files,
        .verifier = fixture_verifier(&fixture->client_judge),
        .expected_spiffe = expected_spiffe,
    };
    return lb_rpc_channel_new(&options, &channel) == LB_OK ? channel : NULL;
}

struct lb_rpc_server_options fixture_options(struct fixture *fixture,
                                             const struct lb_rpc_identity *identity)
{
    return (struct lb_rpc_server_options){
        .runtime = fixture->runtime,
        .listen = "127.0.0.1:0",
        .identity = identity,
        .verifier = fixture_verifier(&fixture->server_judge),
        .workers = fixture->workers,
        .methods = fixture->methods,
        .num_methods = fixture->num_methods,
        .max_calls = fixture->max_calls,
    };
}

void fixture_start(struct fixture *fixture, const struct lb_rpc_method *methods,
                   size_t num_methods, size_t max_calls)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->methods = methods;
    fixture->num_methods = num_methods;
    fixture->max_calls = max_calls;
    fixture->server_judge.seen_spiffe_wanted = FIXTURE_CLIENT_ID;
    fixture->client_judge.seen_spiffe_wanted = FIXTURE_SERVER_ID;
    assert_null(lb_rpc_runtime_new(2, &fixture->runtime));
    assert_null(lb_workers_new(4, 256, &fixture->workers));
    struct lb_rpc_identity files = fixture_identity("server");
    struct lb_rpc_server_options options = fixture_options(fixture, &files);
    lb_status status = lb_rpc_server_new(&options, &fixture->diag, &fixture->server);
    if (status != LB_OK)
        fail_msg("%s: %s", status->what, fixture->diag.text);
    (void)snprintf(fixture->target, sizeof(fixture->target), "127.0.0.1:%d",
                   lb_rpc_server_port(fixture->server));
    fixture->channel = fixture_channel(fixture, "client", FIXTURE_SERVER_ID);
    assert_non_null(fixture->channel);
}

void fixture_stop(struct fixture *fixture, int64_t grace_ms)
{
    lb_rpc_server_stop(fixture->server, grace_ms);
    lb_rpc_channel_free(fixture->channel);
    lb_workers_free(fixture->workers);
    lb_rpc_runtime_free(fixture->runtime);
}

enum lb_code fixture_call(struct lb_rpc_channel *channel, const char *method, const char *request,
                          int64_t timeout_ms, const char *wanted)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span reply = lb_span_str("untouched");
    lb_status status = lb_rpc_call(channel, method, NULL, 0, lb_span_str(request), timeout_ms,
                                   arena, &reply);
    if (status == LB_OK && wanted != NULL)
        assert_true(lb_span_is(reply, wanted));
    if (status != LB_OK)
        assert_true(lb_span_is(reply, "untouched"));
    lb_arena_free(arena);
    return lb_status_code(status);
}

/* --- recorder --- */

void recorder_init(struct recorder *recorder)
{
    memset(recorder, 0, sizeof(*recorder));
    (void)pthread_mutex_init(&recorder->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&recorder->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct recorder *recorder = self;
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->late = recorder->late || recorder->closed > 0;
    recorder->num_messages++;
    recorder->num_bytes += bytes.len;
    size_t keep = bytes.len < sizeof(recorder->last) - 1 ? bytes.len : sizeof(recorder->last) - 1;
    if (keep > 0)
        memcpy(recorder->last, bytes.ptr, keep);
    recorder->last[keep] = 0;
    if (recorder->pause_each)
        lb_rpc_stream_pause(stream);
    (void)pthread_cond_broadcast(&recorder->changed);
    (void)pthread_mutex_unlock(&recorder->lock);
}

static void on_half_closed(void *self, struct lb_rpc_stream *stream)
{
    (void)stream;
    struct recorder *recorder = self;
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->late = recorder->late || recorder->closed > 0;
    recorder->half_closed++;
    (void)pthread_cond_broadcast(&recorder->changed);
    (void)pthread_mutex_unlock(&recorder->lock);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    (void)stream;
    struct recorder *recorder = self;
    (void)pthread_mutex_lock(&recorder->lock);
    recorder->closed++;
    recorder->code = lb_status_code(status);
    (void)pthread_cond_broadcast(&recorder->changed);
    (void)pthread_mutex_unlock(&recorder->lock);
}

const struct lb_rpc_stream_events recorder_events = {
    .message = on_message,
    .half_closed = on_half_closed,
    .closed = on_closed,
};

enum lb_code recorder_open(struct recorder *recorder, struct lb_rpc_channel *channel,
                           const char *method, int64_t timeout_ms)
{
    recorder_init(recorder);
    return lb_status_code(lb_rpc_open(channel, method, NULL, 0, timeout_ms, &recorder_events,
                                      recorder, &recorder->stream));
}

static bool wait_for(struct recorder *recorder, size_t messages, unsigned closed, int64_t ms)
{
    int64_t until_ms = fixture_now_ms() + ms;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = (until_ms % 1000) * 1000000};
    int rc = 0;
    (void)pthread_mutex_lock(&recorder->lock);
    while ((recorder->num_messages < messages || recorder->closed < closed) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&recorder->changed, &recorder->lock, &until);
    bool result = recorder->num_messages >= messages && recorder->closed >= closed;
    (void)pthread_mutex_unlock(&recorder->lock);
    return result;
}

bool recorder_wait_messages(struct recorder *recorder, size_t num, int64_t ms)
{
    return wait_for(recorder, num, 0, ms);
}

bool recorder_wait_closed(struct recorder *recorder, int64_t ms)
{
    return wait_for(recorder, 0, 1, ms);
}

enum lb_code recorder_end(struct recorder *recorder)
{
    assert_true(recorder_wait_closed(recorder, 20000));
    assert_int_equal(recorder->closed, 1);
    assert_false(recorder->late);
    assert_int_equal(lb_status_code(lb_rpc_stream_send(recorder->stream, lb_span_str("late"))),
                     LB_CANCELLED);
    lb_rpc_stream_kick(recorder->stream);
    lb_rpc_stream_finish(recorder->stream, LB_OK);
    lb_rpc_stream_cancel(recorder->stream, LB_OK);
    lb_rpc_stream_resume(recorder->stream);
    lb_rpc_stream_unref(recorder->stream);
    (void)pthread_cond_destroy(&recorder->changed);
    (void)pthread_mutex_destroy(&recorder->lock);
    return recorder->code;
}
