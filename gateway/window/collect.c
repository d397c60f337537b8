#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/window/look.h"
#include "gateway/window/places.h"
#include "gateway/wire/pb.h"

/* One collect from its start to its result, on a worker. */

/* The broker tells what is late at the deadline itself; that news needs a moment to arrive. */
#define NEWS_MS 2000
/* A third of the time may go into waiting for a broker or a department that is started anew. */
#define PATIENCE_SHARE 3
#define FIRST_PAUSE_MS 100
#define LAST_PAUSE_MS 500

/* --- asking the broker --- */

static lb_status pack_request(struct lb_collect_run *run, struct lb_span *out)
{
    const struct lb_form *form = run->entry->form->form;
    Lianban__V1__CollectRequest request = LIANBAN__V1__COLLECT_REQUEST__INIT;
    request.form = (char *)(uintptr_t)form->id;
    request.form_version = form->version;
    request.form_sha256 = lb_pb_bytes(lb_span_of(form->sha256, sizeof(form->sha256)));
    request.together = true;
    request.reads = lb_arena_array(run->arena, run->num_reads, sizeof(request.reads[0]));
    LB_ENSURE(request.reads != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < run->num_reads; i++) {
        if (run->reads[i].open)
            request.reads[request.n_reads++] = run->reads[i].request;
    }
    return lb_pb_pack(&request, run->arena, out);
}

static void on_event(void *arg, struct lb_span event)
{
    struct lb_collect_run *run = arg;
    (void)pthread_mutex_lock(&run->entry->lock);
    run->spoke = run->heard = true;
    lb_log_failure("collect_event_failed", lb_collect_event(run, event));
    (void)pthread_mutex_unlock(&run->entry->lock);
}

static int64_t left_ms(const struct lb_collect_run *run)
{
    return run->deadline_unix_ms - lb_clock_unix_ms(run->window->options.clock);
}

bool lb_collect_has_other(const struct lb_collect_run *run)
{
    unsigned tried = run->tried | 1U << run->broker;
    return tried != (1U << run->window->options.num_brokers) - 1 && left_ms(run) > 0;
}

bool lb_collect_may_wait(const struct lb_collect_run *run)
{
    return run->patience_ms >= run->pause_ms && left_ms(run) > run->pause_ms;
}

/* One that has answered and is only busy, or lacks a form, is not down. */
static void note_health(struct lb_collect_run *run, enum lb_code code, bool was_down)
{
    struct lb_window_brokers *brokers = &run->window->brokers;
    bool refused = code == LB_BUSY || code == LB_FORM_UNKNOWN || code == LB_ISSUER_UNKNOWN ||
                   code == LB_WRONG_AUDIENCE;
    if (lb_window_is_broker_trouble(code) && !refused && !(run->spoke && code == LB_DEADLINE))
        lb_window_brokers_failed(brokers, run->broker);
    else if (was_down)
        lb_window_brokers_answered(brokers, run->broker);
}

static lb_status ask_broker(struct lb_collect_run *run)
{
    const struct lb_window_options *options = &run->window->options;
    struct lb_window_collect_call call = {
        .broker = run->broker,
        .has_other = lb_collect_has_other(run),
        .operator_token = lb_span_str(run->operator_token),
        .timeout_ms = left_ms(run) + NEWS_MS,
        .on_event = on_event,
        .arg = run,
    };
    LB_ENSURE(left_ms(run) > 0, LB_DEADLINE, "no time is left to ask");
    LB_TRY(pack_request(run, &call.request));
    run->spoke = false;
    bool was_down = lb_window_brokers_is_down(&run->window->brokers, run->broker);
    lb_status status = options->port.collect(options->port.ctx, &call);
    note_health(run, lb_status_code(status), was_down);
    return status;
}

/* --- rounds --- */

/* Under the case's lock. One read that cannot be sealed does not keep the others back. */
static lb_status seal_due(struct lb_collect_run *run, size_t *out_num)
{
    *out_num = 0;
    for (size_t i = 0; i < run->num_reads; i++) {
        struct lb_collect_read *read = &run->reads[i];
        if (!read->due)
            continue;
        read->due = false;
        lb_status status = lb_collect_seal(run, read);
        if (status != LB_OK) {
            lb_log_failure("read_not_sealed", status);
            LB_TRY(lb_collect_settle(run, read, LB_FACT_UNAVAILABLE, lb_code_outer(status->code),
                                     false));
            continue;
        }
        read->open = true;
        (*out_num)++;
    }
    return LB_OK;
}

/* A broker that cannot be reached, or has stopped in the middle. */
static bool is_away(enum lb_code code)
{
    return code == LB_UNAVAILABLE || code == LB_STOPPING || code == LB_CANCELLED;
}

/* Under the case's lock: nobody said anything about these. They are asked once more through
 * another broker, or the same one when it is back: where one was answered, and the answer was lost
 * with its broker, the department answers it again without a second use. */
static lb_status settle_silent(struct lb_collect_run *run, lb_status asked)
{
    enum lb_code code = asked == LB_OK ? LB_UNAVAILABLE : lb_code_outer(asked->code);
    enum lb_fact_state state = code == LB_DEADLINE ? LB_FACT_TIMEOUT : LB_FACT_UNAVAILABLE;
    bool full = lb_places_refused(run, asked);
    bool later = asked != LB_OK && (is_away(code) || full) && lb_collect_may_wait(run);
    bool again = later || (lb_window_is_broker_trouble(code) && lb_collect_has_other(run));
    if (full && !again && !run->heard && !lb_case_is_watch(run->entry))
        return asked; /* nobody was asked anything: the window is told, and nothing has changed */
    for (size_t i = 0; i < run->num_reads; i++) {
        struct lb_collect_read *read = &run->reads[i];
        if (!read->open)
            continue;
        read->open = false;
        read->due = again;
        run->again = run->again || again;
        if (!again)
            LB_TRY(lb_collect_settle(run, read, state, code, false));
    }
    return LB_OK;
}

/* What has to be known after a crash is on disk before anything is sent: a rid that went out must
 * not be forgotten, nor the mandate it went with. A grant that was fetched just now the office
 * still has. */
static lb_status run_round(struct lb_collect_run *run, bool first, size_t *out_num)
{
    struct lb_window_case *entry = run->entry;
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = first ? lb_collect_plan(run) : LB_OK;
    if (status == LB_OK)
        status = seal_due(run, out_num);
    if (status == LB_OK && first && (entry->unkept || lb_case_is_watch(entry)))
        status = lb_case_store_put(run->window->store, entry);
    (void)pthread_mutex_unlock(&entry->lock);
    if (status != LB_OK || *out_num == 0)
        return status;
    lb_status asked = ask_broker(run);
    lb_log_failure("collect_failed", asked);
    (void)pthread_mutex_lock(&entry->lock);
    status = settle_silent(run, asked);
    (void)pthread_mutex_unlock(&entry->lock);
    return status;
}

static void wait_a_moment(struct lb_collect_run *run)
{
    const struct timespec pause = {.tv_sec = run->pause_ms / 1000,
                                   .tv_nsec = run->pause_ms % 1000 * 1000000L};
    (void)nanosleep(&pause, NULL);
    run->patience_ms -= run->pause_ms;
    run->pause_ms = run->pause_ms * 2 > LAST_PAUSE_MS ? LAST_PAUSE_MS : run->pause_ms * 2;
}

/* Whoever failed is not asked again before all others were, and a pause is over. */
static void next_broker(struct lb_collect_run *run)
{
    struct lb_window_brokers *brokers = &run->window->brokers;
    run->again = false;
    run->tried |= 1U << run->broker;
    size_t next = lb_window_brokers_pick(brokers, run->tried);
    if (next == run->window->options.num_brokers) {
        wait_a_moment(run);
        run->tried = 0;
        next = lb_window_brokers_pick(brokers, 0);
    }
    run->broker = next;
}

/* It ends: what has to be sealed anew is so once, and of brokers and patience there is an end. */
static lb_status run_rounds(struct lb_collect_run *run)
{
    size_t sent = 1;
    run->broker = lb_window_brokers_pick(&run->window->brokers, 0);
    for (bool first = true; sent > 0; first = false) {
        LB_TRY(run_round(run, first, &sent));
        if (run->again)
            next_broker(run);
    }
    return LB_OK;
}

/* What is not needed is not asked: the late sections only when no class stands without them. */
static lb_status run_late(struct lb_collect_run *run, int64_t deadline_ms)
{
    struct lb_window_case *entry = run->entry;
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = lb_window_needs_late(entry, &run->late);
    (void)pthread_mutex_unlock(&entry->lock);
    if (status != LB_OK || !run->late)
        return status;
    run->tried = 0;
    run->deadline_unix_ms = lb_clock_unix_ms(run->window->options.clock) + deadline_ms;
    return run_rounds(run);
}

/* When the suggestion went on record the case was written with the record pending, and by that the
 * result is found again: what is new since then is written in its own time. */
static lb_status judge_and_tell(struct lb_window_case *entry)
{
    uint64_t puts = entry->puts;
    LB_TRY(lb_window_judge(entry));
    if (entry->puts == puts)
        LB_TRY(lb_case_store_put(entry->window->store, entry));
    return lb_window_push_result(entry);
}

static lb_status judge_and_conclude(struct lb_window_case *entry)
{
    LB_TRY(lb_window_judge(entry));
    return lb_look_conclude(entry);
}

static lb_status conclude(struct lb_collect_run *run)
{
    struct lb_window_case *entry = run->entry;
    int64_t millis = lb_clock_monotonic_ms(run->window->options.clock) - run->started_ms;
    (void)pthread_mutex_lock(&entry->lock);
    entry->millis = (uint32_t)(millis < 0 ? 0 : millis);
    lb_status status = lb_case_is_watch(entry) ? judge_and_conclude(entry) : judge_and_tell(entry);
    (void)pthread_mutex_unlock(&entry->lock);
    return status;
}

static lb_status take_tokens(struct lb_collect_run *run)
{
    const struct lb_window_case *entry = run->entry;
    const struct lb_window_options *options = &run->window->options;
    LB_TRY(lb_window_operators_token(run->window->operators, options, entry->unit, entry->person,
                                     run->arena, &run->operator_token));
    if (entry->approver[0] == 0)
        return LB_OK;
    return lb_window_operators_token(run->window->operators, options, entry->approver_unit,
                                     entry->approver, run->arena, &run->approver_token);
}

static lb_status run_all(struct lb_collect_run *run)
{
    const struct lb_window_options *options = &run->window->options;
    int64_t deadline_ms = options->deadline_ms > 0 ? options->deadline_ms : LB_CASE_DEADLINE_MS;
    if (deadline_ms > LB_MAX_DEADLINE_MS)
        deadline_ms = LB_MAX_DEADLINE_MS;
    run->started_ms = lb_clock_monotonic_ms(options->clock);
    LB_TRY(lb_look_may(run->entry));
    run->grants = lb_arena_array(run->arena, run->entry->num_members, sizeof(run->grants[0]));
    LB_ENSURE(run->grants != NULL, LB_NO_MEMORY, "arena is full");
    lb_status granted =
        lb_window_fetch_grants(run->entry, run->directory, run->arena, run->grants);
    if (granted != LB_OK)
        return lb_look_without(run->entry, granted);
    lb_look_begin(run->entry);
    run->deadline_unix_ms = lb_clock_unix_ms(options->clock) + deadline_ms;
    run->patience_ms = deadline_ms / PATIENCE_SHARE;
    run->pause_ms = FIRST_PAUSE_MS;
    LB_TRY(take_tokens(run));
    LB_TRY(run_rounds(run));
    LB_TRY(run_late(run, deadline_ms));
    return conclude(run);
}

/* --- the job --- */

static void end_collect(struct lb_window_case *entry, lb_status status)
{
    struct lb_window *window = entry->window;
    lb_window_trace_end(entry, status);
    (void)pthread_mutex_lock(&window->lock);
    entry->collecting = false;
    entry->refs--; /* the job's; the table's stays, since no case closes while it collects */
    lb_feed_end(entry->feed, status);
    window->num_collects--;
    (void)pthread_cond_broadcast(&window->idle);
    (void)pthread_mutex_unlock(&window->lock);
}

static lb_status run_collect(struct lb_window_case *entry)
{
    struct lb_collect_run *run = calloc(1, sizeof(*run));
    LB_ENSURE(run != NULL, LB_NO_MEMORY, "collect");
    run->window = entry->window;
    run->entry = entry;
    run->arena = lb_arena_new(LB_WINDOW_ARENA_BYTES);
    run->directory = lb_trust_directory(entry->window->options.trust);
    lb_status status = run->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "collect arena") : run_all(run);
    lb_receipts_cleanup(&run->receipts);
    lb_directory_unref(run->directory);
    lb_arena_free(run->arena);
    lb_wipe(run, sizeof(*run));
    free(run);
    return status;
}

/* Under the window's lock, so that nobody else begins it as well; lb_place_ask follows. */
static lb_status begin_collect(struct lb_window_case *entry, struct lb_place **out_place)
{
    LB_TRY(lb_place_new(entry, run_collect, end_collect, out_place));
    entry->collecting = true;
    entry->refs++;
    entry->window->num_collects++;
    return LB_OK;
}

/* Under the window's lock. */
static lb_status join(struct lb_window_case *entry, const struct lb_listener_port *port,
                      struct lb_case_listener **out_listener, struct lb_place **out_place)
{
    LB_ENSURE(!entry->window->stopping, LB_STOPPING, "the window is stopping");
    LB_ENSURE(!entry->closed, LB_CASE_UNKNOWN, "the case is being closed");
    if (!entry->collecting)
        lb_feed_begin(entry->feed);
    LB_TRY(lb_feed_listen(entry->feed, LB_FEED_COLLECT, port, out_listener));
    return entry->collecting ? LB_OK : begin_collect(entry, out_place);
}

lb_status lb_window_collect(struct lb_window *window, const char *case_id,
                            const struct lb_listener_port *port,
                            struct lb_case_listener **out_listener)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    LB_TRY(lb_window_hold(window, case_id, &entry));
    struct lb_case_listener *listener = NULL;
    struct lb_place *place = NULL;
    (void)pthread_mutex_lock(&window->lock);
    lb_status status = join(entry, port, &listener, &place);
    (void)pthread_mutex_unlock(&window->lock);
    if (status != LB_OK) {
        if (listener != NULL)
            lb_case_listener_close(listener);
        return status;
    }
    /* The owner must find its listener before the first event wakes it. */
    *out_listener = listener;
    lb_feed_start(listener);
    if (place != NULL)
        lb_place_ask(place);
    return LB_OK;
}

lb_status lb_window_watch(struct lb_window *window, const char *case_id,
                          const struct lb_listener_port *port,
                          struct lb_case_listener **out_listener)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    LB_TRY(lb_window_hold(window, case_id, &entry));
    struct lb_case_listener *listener = NULL;
    LB_TRY(lb_feed_listen(entry->feed, LB_FEED_FIRST, port, &listener));
    *out_listener = listener;
    lb_feed_start(listener);
    return LB_OK;
}
