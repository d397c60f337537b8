#include "adapters/serve/intake_post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/link_state.h"
#include "gateway/base/log.h"
#include "gateway/wire/pb.h"

/* Which word goes over which link. */

#define ROUND_MS 1000
#define PAGE 128
#define ARENA_BYTES (1024 * 1024)
/* A receipt comes within this, or the word is sent again. */
#define ANSWER_MS 60000
/* So long a broker that had the word may stay away before another gets it too. */
#define AWAY_MS 30000
#define FIRST_WAIT_MS 500
#define MAX_DOUBLINGS 11

/* --- flights --- */

struct lb_intake_flight *lb_intake_flight_of(struct lb_intake_post *post, int64_t id)
{
    size_t low = 0, high = post->num_flights;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (post->flights[middle].id == id)
            return &post->flights[middle];
        if (post->flights[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void lb_intake_flight_later(struct lb_intake_post *post, struct lb_intake_flight *flight)
{
    unsigned doublings = flight->tries < MAX_DOUBLINGS ? flight->tries : MAX_DOUBLINGS;
    flight->next_ms = lb_clock_monotonic_ms(post->intake->serve->options.clock) +
                      ((int64_t)FIRST_WAIT_MS << doublings);
}

/* Words rise by id, and so does what is kept of them: only the newest have none yet. */
static struct lb_intake_flight *add_flight(struct lb_intake_post *post, int64_t id)
{
    struct lb_intake_flight *known = lb_intake_flight_of(post, id);
    if (known != NULL)
        return known;
    if (post->num_flights > 0 && post->flights[post->num_flights - 1].id > id)
        return NULL;
    if (post->num_flights == post->room) {
        size_t room = post->room == 0 ? 64 : 2 * post->room;
        struct lb_intake_flight *larger = realloc(post->flights, room * sizeof(*larger));
        if (larger == NULL)
            return NULL;
        post->flights = larger;
        post->room = room;
    }
    struct lb_intake_flight *flight = &post->flights[post->num_flights++];
    *flight = (struct lb_intake_flight){.id = id};
    return flight;
}

/* --- links --- */

void lb_intake_join(struct lb_intake *intake, struct lb_adapter_link *link)
{
    struct lb_intake_post *post = intake->post;
    if (post == NULL)
        return;
    (void)pthread_mutex_lock(&post->lock);
    if (post->num_links < LB_INTAKE_MAX_LINKS) {
        lb_link_hold(link);
        post->links[post->num_links].link = link;
        post->links[post->num_links].serial = post->next_serial++;
        post->num_links++;
    }
    post->kicked = true;
    (void)pthread_cond_signal(&post->wake);
    (void)pthread_mutex_unlock(&post->lock);
}

static void forget_link(struct lb_intake_post *post, uint64_t serial)
{
    int64_t now = lb_clock_monotonic_ms(post->intake->serve->options.clock);
    for (size_t i = 0; i < post->num_flights; i++) {
        struct lb_intake_flight *flight = &post->flights[i];
        if (flight->serial != serial)
            continue;
        flight->serial = 0;
        flight->next_ms = flight->held ? now + AWAY_MS : 0;
    }
}

void lb_intake_leave(struct lb_intake *intake, struct lb_adapter_link *link)
{
    struct lb_intake_post *post = intake->post;
    bool joined = false;
    if (post == NULL)
        return;
    (void)pthread_mutex_lock(&post->lock);
    for (size_t i = 0; i < post->num_links && !joined; i++) {
        if (post->links[i].link != link)
            continue;
        joined = true;
        forget_link(post, post->links[i].serial);
        post->links[i] = post->links[--post->num_links];
    }
    (void)pthread_mutex_unlock(&post->lock);
    if (joined)
        lb_link_unref(link);
}

/* The link a word goes over now, by its index; false to leave it. Who had it on disk is asked
 * first; who did not take it, last. */
static bool choose_link(const struct lb_intake_post *post, const struct lb_intake_flight *flight,
                        int64_t now_ms, size_t *out_link)
{
    if (post->num_links == 0 || now_ms < flight->next_ms)
        return false;
    *out_link = flight->tries % post->num_links;
    for (size_t i = 0; i < post->num_links && flight->held; i++) {
        if (strcmp(post->links[i].link->broker, flight->broker) == 0)
            *out_link = i;
    }
    return true;
}

static bool is_due(struct lb_intake_post *post, int64_t id, bool *out_reseal)
{
    int64_t now = lb_clock_monotonic_ms(post->intake->serve->options.clock);
    size_t which = 0;
    (void)pthread_mutex_lock(&post->lock);
    struct lb_intake_flight *flight = add_flight(post, id);
    bool due = flight != NULL && choose_link(post, flight, now, &which);
    *out_reseal = flight != NULL && flight->reseal;
    (void)pthread_mutex_unlock(&post->lock);
    return due;
}

static void give(struct lb_intake_post *post, const struct lb_intake_word *word,
                 const struct lb_link_word *sending)
{
    int64_t now = lb_clock_monotonic_ms(post->intake->serve->options.clock);
    size_t which = 0;
    (void)pthread_mutex_lock(&post->lock);
    struct lb_intake_flight *flight = lb_intake_flight_of(post, word->id);
    if (flight != NULL && choose_link(post, flight, now, &which) &&
        lb_link_send_word(post->links[which].link, sending)) {
        (void)snprintf(flight->broker, sizeof(flight->broker), "%s",
                       post->links[which].link->broker);
        flight->serial = post->links[which].serial;
        flight->held = false;
        flight->tries++;
        flight->next_ms = now + ANSWER_MS;
    }
    (void)pthread_mutex_unlock(&post->lock);
}

/* --- one word --- */

static lb_status pack_word(const struct lb_intake *intake, const struct lb_intake_word *word,
                           struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__Parcel parcel = LIANBAN__V1__PARCEL__INIT;
    Lianban__V1__Sealed sealed = LIANBAN__V1__SEALED__INIT;
    sealed.key_id = (char *)(uintptr_t)word->key_id;
    sealed.enc = lb_pb_bytes(lb_span_of(word->enc, sizeof(word->enc)));
    sealed.sender_key = lb_pb_bytes(lb_span_of(word->sender_key, sizeof(word->sender_key)));
    sealed.ciphertext = lb_pb_bytes(word->ciphertext);
    parcel.name = lb_pb_bytes(lb_span_of(word->name, sizeof(word->name)));
    parcel.sender = (char *)(uintptr_t)intake->serve->options.self;
    parcel.recipient = (char *)(uintptr_t)word->recipient;
    parcel.sealed = &sealed;
    parcel.expires_unix_s = word->ends_unix_s;
    return lb_pb_pack(&parcel, arena, out);
}

static lb_status send(struct lb_intake_post *post, const struct lb_intake_word *word,
                      struct lb_arena *arena)
{
    struct lb_link_word sending = {.index = word->entry};
    memcpy(sending.name, word->name, sizeof(sending.name));
    /* A sealing whose entry is not public yet waits for the next round. */
    lb_status status = lb_log_leaf(post->intake->serve->options.log, word->entry, arena,
                                   &sending.leaf);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    LB_TRY(pack_word(post->intake, word, arena, &sending.parcel));
    give(post, word, &sending);
    return LB_OK;
}

/* The row as it is now: what a round knows of it may be old. */
static lb_status load(struct lb_intake *intake, const uint8_t name[16], struct lb_arena *arena,
                      struct lb_intake_word *out, bool *out_open)
{
    bool found = false;
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_words_find(&intake->read_words, store, name, arena, out, &found);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    *out_open = found && out->code[0] == 0;
    return LB_OK;
}

static void sealed_anew(struct lb_intake_post *post, int64_t id)
{
    (void)pthread_mutex_lock(&post->lock);
    struct lb_intake_flight *flight = lb_intake_flight_of(post, id);
    if (flight != NULL)
        flight->reseal = false;
    (void)pthread_mutex_unlock(&post->lock);
}

static void wait_longer(struct lb_intake_post *post, int64_t id)
{
    (void)pthread_mutex_lock(&post->lock);
    struct lb_intake_flight *flight = lb_intake_flight_of(post, id);
    if (flight != NULL) {
        flight->tries++;
        lb_intake_flight_later(post, flight);
    }
    (void)pthread_mutex_unlock(&post->lock);
}

static lb_status tend(struct lb_intake_post *post, const struct lb_intake_word *light)
{
    struct lb_intake *intake = post->intake;
    struct lb_intake_word word;
    bool open = false, reseal = false;
    bool over = light->ends_unix_s <= lb_clock_unix_s(intake->serve->options.clock);
    if (!over && !is_due(post, light->id, &reseal))
        return LB_OK;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "word");
    LB_TRY(load(intake, light->name, arena, &word, &open));
    if (!open)
        return LB_OK;
    if (over)
        return lb_intake_end(intake, &word, lb_code_name(LB_PARCEL_EXPIRED), NULL);
    if (lb_intake_seal_stale(intake, &word, reseal)) {
        lb_status status = lb_intake_seal(intake, arena, &word);
        if (status != LB_OK)
            wait_longer(post, word.id);
        LB_TRY(status);
        sealed_anew(post, word.id);
    }
    return send(post, &word, arena);
}

/* --- the thread --- */

/* Drops the flights of words that are no longer open; `open` rises by id. */
static void drop_flights(struct lb_intake_post *post, int64_t from,
                         const struct lb_intake_word *open, size_t num, int64_t to)
{
    size_t kept = 0, next = 0;
    (void)pthread_mutex_lock(&post->lock);
    for (size_t i = 0; i < post->num_flights; i++) {
        int64_t id = post->flights[i].id;
        while (next < num && open[next].id < id)
            next++;
        bool outside = id <= from || id > to;
        if (outside || (next < num && open[next].id == id))
            post->flights[kept++] = post->flights[i];
    }
    post->num_flights = kept;
    (void)pthread_mutex_unlock(&post->lock);
}

static lb_status page(struct lb_intake_post *post, int64_t *after, bool *out_more)
{
    struct lb_intake *intake = post->intake;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_intake_word *words = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "words");
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_words_open(&intake->read_words, store, *after, PAGE, arena, &words,
                                            &num);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    *out_more = num == PAGE;
    drop_flights(post, *after, words, num, *out_more ? words[num - 1].id : INT64_MAX);
    for (size_t i = 0; i < num; i++) {
        status = tend(post, &words[i]);
        if (status != LB_OK && lb_code_scope(status->code) == LB_SCOPE_LOCAL)
            lb_log_failure("word_not_sent", status);
        *after = words[i].id;
    }
    return LB_OK;
}

static bool is_stopping(struct lb_intake_post *post)
{
    (void)pthread_mutex_lock(&post->lock);
    bool stopping = post->stopping;
    (void)pthread_mutex_unlock(&post->lock);
    return stopping;
}

static void run_round(struct lb_intake_post *post)
{
    int64_t after = 0;
    bool more = true;
    while (more && !is_stopping(post)) {
        lb_status status = page(post, &after, &more);
        lb_log_failure("words_not_read", status);
        more = more && status == LB_OK;
    }
    lb_log_failure("intake_not_emptied", lb_intake_empty(post->intake));
}

static void *run(void *ctx)
{
    struct lb_intake_post *post = ctx;
    (void)pthread_mutex_lock(&post->lock);
    while (!post->stopping) {
        post->kicked = false;
        (void)pthread_mutex_unlock(&post->lock);
        run_round(post);
        const struct timespec until = lb_clock_after_ms(ROUND_MS);
        int waited = 0;
        (void)pthread_mutex_lock(&post->lock);
        while (!post->kicked && !post->stopping && waited == 0)
            waited = pthread_cond_timedwait(&post->wake, &post->lock, &until);
    }
    (void)pthread_mutex_unlock(&post->lock);
    return NULL;
}

void lb_intake_post_kick(struct lb_intake *intake)
{
    struct lb_intake_post *post = intake->post;
    if (post == NULL)
        return;
    (void)pthread_mutex_lock(&post->lock);
    post->kicked = true;
    (void)pthread_cond_signal(&post->wake);
    (void)pthread_mutex_unlock(&post->lock);
}

lb_status lb_intake_post_new(struct lb_intake *intake, struct lb_intake_post **out_post)
{
    struct lb_intake_post *post = calloc(1, sizeof(*post));
    LB_ENSURE(post != NULL, LB_NO_MEMORY, "post");
    post->intake = intake;
    post->next_serial = 1;
    (void)pthread_mutex_init(&post->lock, NULL);
    lb_clock_cond_init(&post->wake);
    if (pthread_create(&post->thread, NULL, run, post) != 0) {
        (void)pthread_cond_destroy(&post->wake);
        (void)pthread_mutex_destroy(&post->lock);
        free(post);
        LB_FAIL(LB_NO_MEMORY, "post's thread");
    }
    *out_post = post;
    return LB_OK;
}

void lb_intake_post_free(struct lb_intake_post *post)
{
    if (post == NULL)
        return;
    (void)pthread_mutex_lock(&post->lock);
    post->stopping = true;
    (void)pthread_cond_signal(&post->wake);
    (void)pthread_mutex_unlock(&post->lock);
    (void)pthread_join(post->thread, NULL);
    for (size_t i = 0; i < post->num_links; i++)
        lb_link_unref(post->links[i].link);
    free(post->flights);
    (void)pthread_cond_destroy(&post->wake);
    (void)pthread_mutex_destroy(&post->lock);
    free(post);
}
