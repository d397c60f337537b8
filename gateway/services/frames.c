#include "gateway/services/frames.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 1000
/* While the peer's own link stands, how often it is looked at. */
#define HELD_MS 1000

/* The lock is held while a link's end is being made, so that a frame that arrives at once waits for
 * it; making one takes no more than reading a small file. */
struct lb_frames {
    pthread_mutex_t lock;
    const struct lb_frames_end *ops;
    void *end;                      /* NULL until made */
    struct lb_rpc_stream *stream;
    struct lb_dialler *dialler;     /* NULL on a server */
    struct lb_frames_set *set;      /* NULL on a client; its lock guards the list */
    struct lb_frames *next;
};

struct lb_dialler {
    struct lb_dialler_options options;
    char peer[LB_MAX_SPIFFE_BYTES];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lb_frames *current;      /* the link that is up or coming up */
    struct lb_rpc_stream *stream;   /* its stream, with a reference of ours */
    bool got_frame;                 /* backoff starts anew after a link that worked */
    bool stopping;
    pthread_t thread;
};

static struct lb_frames *frames_new(const struct lb_frames_end *ops)
{
    struct lb_frames *frames = calloc(1, sizeof(*frames));
    if (frames == NULL)
        return NULL;
    (void)pthread_mutex_init(&frames->lock, NULL);
    frames->ops = ops;
    return frames;
}

static void frames_free(struct lb_frames *frames)
{
    (void)pthread_mutex_destroy(&frames->lock);
    free(frames);
}

void lb_frames_kick(void *port)
{
    struct lb_frames *frames = port;
    if (frames->stream != NULL)
        lb_rpc_stream_kick(frames->stream);
}

void lb_frames_fail(void *port, lb_status status)
{
    struct lb_frames *frames = port;
    if (frames->stream != NULL)
        lb_rpc_stream_cancel(frames->stream, status);
}

bool lb_frames_accepted(const void *port)
{
    const struct lb_frames *frames = port;
    return frames->dialler == NULL;
}

static void *wait_for_end(struct lb_frames *frames)
{
    (void)pthread_mutex_lock(&frames->lock);
    void *end = frames->end;
    (void)pthread_mutex_unlock(&frames->lock);
    return end;
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct lb_frames *frames = self;
    void *end = wait_for_end(frames);
    if (end == NULL)
        return;
    if (frames->dialler != NULL) {
        (void)pthread_mutex_lock(&frames->dialler->lock);
        frames->dialler->got_frame = true;
        (void)pthread_mutex_unlock(&frames->dialler->lock);
    }
    lb_status status = frames->ops->receive(end, bytes);
    if (status != LB_OK) {
        lb_log_failure("link_refused", status);
        lb_rpc_stream_cancel(stream, status);
    }
}

static void on_half_closed(void *self, struct lb_rpc_stream *stream)
{
    (void)self;
    lb_rpc_stream_finish(stream, LB_OK);
}

static bool on_fill(void *self, struct lb_rpc_stream *stream, struct lb_buf *out)
{
    struct lb_frames *frames = self;
    (void)stream;
    void *end = wait_for_end(frames);
    return end != NULL && frames->ops->fill(end, out);
}

static void tell_dialler(struct lb_dialler *dialler)
{
    (void)pthread_mutex_lock(&dialler->lock);
    dialler->current = NULL;
    (void)pthread_cond_broadcast(&dialler->changed);
    (void)pthread_mutex_unlock(&dialler->lock);
}

void lb_frames_set_init(struct lb_frames_set *set)
{
    *set = (struct lb_frames_set){.first = NULL};
    (void)pthread_mutex_init(&set->lock, NULL);
}

void lb_frames_set_leave(struct lb_frames_set *set)
{
    (void)pthread_mutex_lock(&set->lock);
    set->stopping = true;
    for (struct lb_frames *frames = set->first; frames != NULL; frames = frames->next)
        lb_rpc_stream_finish(frames->stream, LB_FAULT(LB_STOPPING, "stopping"));
    (void)pthread_mutex_unlock(&set->lock);
}

void lb_frames_set_stop(struct lb_frames_set *set)
{
    (void)pthread_mutex_lock(&set->lock);
    set->stopping = true;
    for (struct lb_frames *frames = set->first; frames != NULL; frames = frames->next)
        lb_rpc_stream_cancel(frames->stream, LB_FAULT(LB_STOPPING, "stopping"));
    (void)pthread_mutex_unlock(&set->lock);
}

/* Under lock. A peer has one link: on an older one it would show its log from a size that is
 * passed. */
static void end_older(struct lb_frames_set *set, const char *peer)
{
    for (struct lb_frames *frames = set->first; frames != NULL; frames = frames->next) {
        if (strcmp(lb_rpc_stream_peer(frames->stream)->spiffe, peer) == 0)
            lb_rpc_stream_cancel(frames->stream,
                                 LB_FAULT(LB_CANCELLED, "replaced by a newer link"));
    }
}

static bool join_set(struct lb_frames_set *set, struct lb_frames *frames, const char *peer)
{
    (void)pthread_mutex_lock(&set->lock);
    bool stopping = set->stopping;
    if (!stopping) {
        end_older(set, peer);
        frames->set = set;
        frames->next = set->first;
        set->first = frames;
    }
    (void)pthread_mutex_unlock(&set->lock);
    return !stopping;
}

static void leave_set(struct lb_frames *frames)
{
    if (frames->set == NULL)
        return;
    (void)pthread_mutex_lock(&frames->set->lock);
    struct lb_frames **at = &frames->set->first;
    while (*at != NULL && *at != frames)
        at = &(*at)->next;
    if (*at == frames)
        *at = frames->next;
    (void)pthread_mutex_unlock(&frames->set->lock);
}

/* Whoever dies, or is cut off, has no time for either. */
static bool is_leave(lb_status status)
{
    return status == LB_OK || status->code == LB_STOPPING;
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct lb_frames *frames = self;
    struct lb_dialler *dialler = frames->dialler;
    (void)stream;
    void *end = wait_for_end(frames);
    leave_set(frames);
    if (end != NULL)
        frames->ops->close(end, is_leave(status));
    if (frames->stream != NULL)
        lb_rpc_stream_unref(frames->stream);
    frames_free(frames);
    if (dialler != NULL) {
        lb_log_event(LB_LOG_INFO, "link_closed", "\"peer\":\"%s\",\"code\":\"%s\"", dialler->peer,
                     lb_code_name(lb_status_code(status)));
        tell_dialler(dialler);
    }
}

static const struct lb_rpc_stream_events events = {
    .message = on_message,
    .half_closed = on_half_closed,
    .fill = on_fill,
    .closed = on_closed,
};

lb_status lb_frames_accept(struct lb_frames_set *set, const struct lb_frames_end *ops, void *owner,
                           const struct lb_rpc_call_info *info, struct lb_rpc_stream *stream,
                           const struct lb_rpc_stream_events **out_events, void **out_self)
{
    struct lb_frames *frames = frames_new(ops);
    LB_ENSURE(frames != NULL, LB_NO_MEMORY, "link");
    frames->stream = stream;
    lb_status status = ops->open(owner, info->peer->spiffe, frames, &frames->end);
    if (status != LB_OK) {
        frames_free(frames);
        return status;
    }
    if (!join_set(set, frames, info->peer->spiffe)) {
        ops->close(frames->end, false);
        frames_free(frames);
        LB_FAIL(LB_STOPPING, "stopping");
    }
    lb_rpc_stream_ref(stream);
    lb_rpc_stream_kick(stream);
    *out_events = &events;
    *out_self = frames;
    return LB_OK;
}

/* --- dialling --- */

/* A stream whose end can't be made is cancelled; its `closed` then cleans up. */
static void dial(struct lb_dialler *dialler)
{
    struct lb_frames *frames = frames_new(dialler->options.end);
    if (frames == NULL)
        return;
    frames->dialler = dialler;
    (void)pthread_mutex_lock(&frames->lock);
    (void)pthread_mutex_lock(&dialler->lock);
    dialler->current = frames;
    dialler->got_frame = false;
    (void)pthread_mutex_unlock(&dialler->lock);
    lb_status status = lb_rpc_open(dialler->options.channel, dialler->options.method, NULL, 0, 0,
                                   &events, frames, &frames->stream);
    if (status != LB_OK) {
        (void)pthread_mutex_unlock(&frames->lock);
        frames_free(frames);
        tell_dialler(dialler);
        return;
    }
    struct lb_rpc_stream *stream = frames->stream;
    lb_rpc_stream_ref(stream); /* frames keeps the opener's reference, this one is the dialler's */
    status = dialler->options.end->open(dialler->options.owner, dialler->peer, frames,
                                        &frames->end);
    (void)pthread_mutex_unlock(&frames->lock);
    if (status == LB_OK) {
        lb_rpc_stream_kick(stream);
    } else {
        lb_log_failure("link_not_made", status);
        lb_rpc_stream_cancel(stream, status);
    }
    (void)pthread_mutex_lock(&dialler->lock);
    dialler->stream = stream;
    if (dialler->stopping)
        lb_rpc_stream_cancel(stream, LB_FAULT(LB_STOPPING, "stopping"));
    while (dialler->current != NULL)
        (void)pthread_cond_wait(&dialler->changed, &dialler->lock);
    dialler->stream = NULL;
    (void)pthread_mutex_unlock(&dialler->lock);
    lb_rpc_stream_unref(stream);
}

/* Somewhere between half of it and all. */
static int64_t by_chance(int64_t pause_ms)
{
    uint8_t dice = 0;
    lb_status_ignore(lb_crypto_random(&dice, sizeof(dice)));
    return pause_ms / 2 + pause_ms / 2 * dice / UINT8_MAX;
}

/* Returns false when it is time to stop. */
static bool pause_for(struct lb_dialler *dialler, int64_t pause_ms)
{
    const struct timespec until = lb_clock_after_ms(pause_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&dialler->lock);
    while (!dialler->stopping && waited == 0)
        waited = pthread_cond_timedwait(&dialler->changed, &dialler->lock, &until);
    bool go_on = !dialler->stopping;
    (void)pthread_mutex_unlock(&dialler->lock);
    return go_on;
}

static bool is_held(const struct lb_dialler *dialler)
{
    const struct lb_dialler_options *options = &dialler->options;
    return options->held != NULL && options->held(options->owner, dialler->peer);
}

static int64_t next_backoff(struct lb_dialler *dialler, int64_t backoff_ms)
{
    (void)pthread_mutex_lock(&dialler->lock);
    int64_t next_ms = dialler->got_frame ? BACKOFF_FIRST_MS : backoff_ms * 2;
    (void)pthread_mutex_unlock(&dialler->lock);
    return next_ms > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : next_ms;
}

static void *keep_up(void *arg)
{
    struct lb_dialler *dialler = arg;
    int64_t backoff_ms = BACKOFF_FIRST_MS / 2;
    bool go_on = true;
    while (go_on) {
        if (is_held(dialler)) {
            go_on = pause_for(dialler, by_chance(HELD_MS));
            continue;
        }
        dial(dialler);
        backoff_ms = next_backoff(dialler, backoff_ms);
        go_on = pause_for(dialler, by_chance(backoff_ms));
    }
    return NULL;
}

lb_status lb_dialler_new(const struct lb_dialler_options *options,
                         struct lb_dialler **out_dialler)
{
    LB_ENSURE(strlen(options->peer) < LB_MAX_SPIFFE_BYTES, LB_CONFIG_INVALID, "peer id too long");
    struct lb_dialler *dialler = calloc(1, sizeof(*dialler));
    LB_ENSURE(dialler != NULL, LB_NO_MEMORY, "dialler");
    dialler->options = *options;
    memcpy(dialler->peer, options->peer, strlen(options->peer) + 1);
    (void)pthread_mutex_init(&dialler->lock, NULL);
    lb_clock_cond_init(&dialler->changed);
    if (pthread_create(&dialler->thread, NULL, keep_up, dialler) != 0) {
        free(dialler);
        LB_FAIL(LB_NO_MEMORY, "the dialler's thread cannot be started");
    }
    *out_dialler = dialler;
    return LB_OK;
}

void lb_dialler_leave(struct lb_dialler *dialler)
{
    if (dialler == NULL)
        return;
    (void)pthread_mutex_lock(&dialler->lock);
    dialler->stopping = true;
    if (dialler->stream != NULL)
        lb_rpc_stream_finish(dialler->stream, LB_OK);
    (void)pthread_cond_broadcast(&dialler->changed);
    (void)pthread_mutex_unlock(&dialler->lock);
}

void lb_dialler_free(struct lb_dialler *dialler)
{
    if (dialler == NULL)
        return;
    (void)pthread_mutex_lock(&dialler->lock);
    dialler->stopping = true;
    if (dialler->stream != NULL)
        lb_rpc_stream_cancel(dialler->stream, LB_FAULT(LB_STOPPING, "stopping"));
    (void)pthread_cond_broadcast(&dialler->changed);
    (void)pthread_mutex_unlock(&dialler->lock);
    (void)pthread_join(dialler->thread, NULL);
    lb_rpc_channel_free(dialler->options.channel);
    (void)pthread_cond_destroy(&dialler->changed);
    (void)pthread_mutex_destroy(&dialler->lock);
    free(dialler);
}
