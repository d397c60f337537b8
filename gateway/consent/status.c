#include "gateway/base/limits.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

/*
 * The office's Token Status List. Indexes are drawn at random below a capacity that doubles once
 * half of it is taken, so that neighbours say nothing of each other. A list is four times as long
 * as the capacity: an adapter that has not seen the newest one still finds every index drawn since.
 * Indexes nobody was given are VALID, so a list doesn't show when a grant is issued, only when one
 * ends.
 */
#define MAX_DRAWS 64
#define ROOM 4
#define LIST_ARENA_BYTES (8 * 1024 * 1024)

static lb_status draw(uint64_t capacity, uint64_t *out_index)
{
    uint64_t random = 0;
    LB_TRY(lb_crypto_random((uint8_t *)&random, sizeof(random)));
    *out_index = random & (capacity - 1);
    return LB_OK;
}

static lb_status grow(struct lb_consent_store *store, uint64_t *out_capacity)
{
    uint64_t capacity = 0;
    int64_t taken = 0;
    LB_TRY(lb_consent_grant_capacity(store, &capacity));
    LB_TRY(lb_consent_grant_count(store, &taken));
    if ((uint64_t)taken >= capacity / 2 && capacity < LB_MAX_STATUS_ENTRIES) {
        capacity *= 2;
        LB_TRY(lb_consent_grant_set_capacity(store, capacity));
    }
    *out_capacity = capacity;
    return LB_OK;
}

lb_status lb_consent_take_index(struct lb_consent *consent, uint64_t *out_index)
{
    uint64_t capacity = 0;
    LB_TRY(grow(consent->store, &capacity));
    for (int i = 0; i < MAX_DRAWS; i++) {
        uint64_t index = 0;
        bool taken = true;
        LB_TRY(draw(capacity, &index));
        LB_TRY(lb_consent_grant_index_taken(consent->store, index, &taken));
        if (!taken) {
            *out_index = index;
            return LB_OK;
        }
    }
    LB_FAIL(LB_BUSY, "the status list is full");
}

static uint64_t wanted_entries(uint64_t capacity)
{
    uint64_t entries = capacity * ROOM;
    return entries < LB_MAX_STATUS_ENTRIES ? entries : LB_MAX_STATUS_ENTRIES;
}

static lb_status sign_list(const struct lb_consent *consent, struct lb_consent_list_row *row,
                           struct lb_arena *arena)
{
    const struct lb_consent_options *options = &consent->options;
    const struct lb_issuer_key *issuer = lb_issuer_keys_now(options->issuer);
    uint8_t *states = lb_arena_alloc(arena, row->entries);
    LB_ENSURE(states != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_consent_grant_states(consent->store, states, row->entries));
    return lb_status_list_sign(options->organization, issuer->kid, options->status_uri, row->seq,
                               row->iat, options->status_life_s, lb_span_of(states, row->entries),
                               issuer->key, arena, &row->token);
}

/* The sequence comes from the store alone. A store brought back from a backup therefore shows: its
 * next list is one that adapters have seen the like of, and they refuse it (STATUS_FORK,
 * STATUS_STALE) instead of taking withdrawn grants for valid ones. */
lb_status lb_consent_new_list(struct lb_consent *consent, int64_t now_unix_s,
                              struct lb_arena *arena, uint64_t *out_seq,
                              struct lb_span *out_token)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *work = lb_arena_new(LIST_ARENA_BYTES);
    LB_ENSURE(work != NULL, LB_NO_MEMORY, "a status list");
    struct lb_consent_list_row row;
    uint64_t capacity = 0;
    LB_TRY(lb_consent_list_find(consent->store, consent->options.status_uri, work, &row));
    LB_TRY(lb_consent_grant_capacity(consent->store, &capacity));
    row.seq++;
    row.iat = now_unix_s;
    row.entries = wanted_entries(capacity);
    const struct lb_issuer_key *issuer = lb_issuer_keys_now(consent->options.issuer);
    LB_TRY(sign_list(consent, &row, work));
    LB_TRY(lb_consent_list_until(consent->store, now_unix_s + consent->options.status_life_s));
    consent->listed_by = issuer;
    LB_TRY(lb_consent_list_set(consent->store, consent->options.status_uri, &row));
    LB_TRY(lb_arena_copy(arena, row.token, out_token));
    struct lb_consent_recent *recent = &consent->recent[row.seq % LB_CONSENT_RECENT_LISTS];
    recent->seq = row.seq;
    lb_sha256(row.token, recent->sha256);
    *out_seq = row.seq;
    return LB_OK;
}

/* An adapter may only release what is sensitive by a list of the last few minutes, so a new one is
 * made every LB_STATUS_TTL_S. A restart makes a new list; so does another key, since the old one
 * goes some day, and a clock that went back, under which the current one would not be valid yet. */
static bool is_due(const struct lb_consent *consent, const struct lb_consent_list_row *row,
                   uint64_t capacity, int64_t now_unix_s)
{
    if (consent->listed_by != lb_issuer_keys_now(consent->options.issuer))
        return true;
    if (!consent->has_listed || row->seq == 0 || row->entries < wanted_entries(capacity))
        return true;
    int64_t half = consent->options.status_life_s / 2;
    return now_unix_s >= row->iat + (half < LB_STATUS_TTL_S ? half : LB_STATUS_TTL_S) ||
           now_unix_s < row->iat - LB_CLOCK_SKEW_S;
}

lb_status lb_consent_current(struct lb_consent *consent, struct lb_arena *arena,
                             struct lb_consent_push *out_push)
{
    int64_t now = lb_clock_unix_s(consent->options.clock);
    struct lb_consent_list_row row;
    uint64_t capacity = 0;
    struct lb_consent_push push = {
        .started_unix_ms = lb_clock_unix_ms(consent->options.clock)};
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    LB_TRY(lb_consent_store_purge(locked->store, now));
    LB_TRY(lb_consent_list_find(locked->store, locked->options.status_uri, arena, &row));
    LB_TRY(lb_consent_grant_capacity(locked->store, &capacity));
    push.seq = row.seq;
    push.token = row.token;
    if (is_due(locked, &row, capacity, now)) {
        LB_TRY(lb_consent_store_begin(locked->store));
        LB_TRY(lb_consent_new_list(locked, now, arena, &push.seq, &push.token));
        LB_TRY(lb_consent_store_commit(locked->store));
        locked->has_listed = true;
    }
    *out_push = push;
    return LB_OK;
}

lb_status lb_consent_status_list(struct lb_consent *consent, struct lb_arena *arena,
                                 struct lb_span *out_token)
{
    struct lb_consent_push push;
    LB_TRY(lb_consent_current(consent, arena, &push));
    *out_token = push.token;
    return LB_OK;
}
