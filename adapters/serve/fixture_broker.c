#include "adapters/serve/fixture_broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_parcel.h"
#include "gateway/base/file.h"
#include "gateway/wire/pb.h"

static void ignore_kick(void *ctx)
{
    (void)ctx;
}

static void note_failure(void *ctx, lb_status status)
{
    ((struct fx_played *)ctx)->failed = status;
}

static struct lb_seen *new_seen(struct fx_played *played, const char *name)
{
    struct lb_seen *seen = NULL;
    const char *folder = fed_path(&played->fx.fed, name);
    assert_ok(lb_file_mkdirs(folder));
    assert_ok(lb_seen_new(folder, &seen));
    return seen;
}

static void open_session(struct fx_played *played)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(played->fx.adapter.log_key, raw);
    assert_ok(lb_session_init(&played->session, played->log, lb_spiffe_log_origin(FX_ADAPTER), raw,
                              played->broker_seen));
}

static void open_broker(struct fx_played *played)
{
    struct lb_diag diag = {""};
    const struct lb_log_options options = {
        .folder = fed_path(&played->fx.fed, "broker"),
        .origin = lb_spiffe_log_origin(FX_BROKER),
        .key = played->fx.broker.log_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &played->log));
    played->broker_seen = new_seen(played, "broker-seen");
    open_session(played);
}

static void open_link(struct fx_played *played)
{
    const struct lb_adapter_link_options options = {
        .serve = played->fx.serve,
        .log = played->fx.log,
        .trust = played->fx.fed.trust,
        .workers = played->fx.workers,
        .policy = played->fx.policy,
        .broker = FX_BROKER,
        .seen = played->seen,
        .port = {played, ignore_kick, note_failure},
    };
    assert_ok(lb_adapter_link_new(&options, &played->link));
}

Lianban__V1__Frame *fx_next_frame(struct fx_played *played)
{
    struct lb_buf buf;
    Lianban__V1__Frame *frame = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    for (int i = 0; i < 300 && frame == NULL; i++) {
        if (lb_adapter_link_fill(played->link, &buf))
            assert_ok(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&buf),
                                   played->fx.arena, &frame));
        else
            (void)usleep(10000);
    }
    lb_buf_cleanup(&buf);
    return frame;
}

static struct fx_played *begin(void)
{
    static struct fx_played played;
    memset(&played, 0, sizeof(played));
    fx_setup(&played.fx);
    open_broker(&played);
    played.seen = new_seen(&played, "seen");
    return &played;
}

void fx_greet(struct fx_played *played)
{
    struct lb_span hello = LB_SPAN_EMPTY;
    Lianban__V1__Frame *frame = fx_next_frame(played);
    assert_non_null(frame);
    assert_ok(lb_session_greet(&played->session, frame->hello));
    assert_ok(lb_session_hello(&played->session, played->fx.arena, &hello));
    assert_ok(lb_adapter_link_receive(played->link, hello));
}

void fx_reconnect(struct fx_played *played)
{
    lb_adapter_link_close(played->link);
    lb_session_cleanup(&played->session);
    open_session(played);
    open_link(played);
    fx_greet(played);
}

int fx_played_setup(void **state)
{
    struct fx_played *played = begin();
    open_link(played);
    fx_greet(played);
    *state = played;
    return 0;
}

int fx_played_strange_setup(void **state)
{
    struct fx_played *played = begin();
    fx_open_intake(&played->fx, "");
    open_link(played);
    *state = played;
    return 0;
}

int fx_played_teardown(void **state)
{
    struct fx_played *played = *state;
    lb_adapter_link_close(played->link);
    lb_workers_free(played->fx.workers);
    played->fx.workers = NULL;
    lb_serve_free(played->fx.serve);
    played->fx.serve = NULL;
    lb_session_cleanup(&played->session);
    lb_seen_free(played->broker_seen);
    lb_seen_free(played->seen);
    lb_log_close(played->log);
    fx_teardown(&played->fx);
    return 0;
}
