#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/evidence/log.h"

/*
 * A log for readers in other languages: make_log FOLDER SIZE begins or continues one until it has
 * SIZE entries, and prints its verifier key. Entries differ in length, and some have a detail.
 */

#define ORIGIN "example/adapter/tax"
#define NUM_AT_ONCE 4096U

struct making {
    struct lb_log *log;
    struct lb_log_entry *entries;
    pthread_mutex_t lock;
    pthread_cond_t all;
    size_t num_done;
    bool failed;
};

static void done(struct lb_log_entry *entry, lb_status status)
{
    struct making *making = entry->owner;
    (void)pthread_mutex_lock(&making->lock);
    making->num_done++;
    making->failed = making->failed || status != LB_OK;
    (void)pthread_cond_signal(&making->all);
    (void)pthread_mutex_unlock(&making->lock);
}

static void fill(struct making *making, uint64_t index, struct lb_log_entry *entry)
{
    *entry = (struct lb_log_entry){
        .leaf = {.type = LB_LEAF_READ, .code = "ANSWERED", .views = "tax.wage"},
        .done = done,
        .owner = making,
    };
    memcpy(entry->leaf.txn, &index, sizeof(index));
    if (index % 3 == 0)
        (void)snprintf(entry->leaf.views, sizeof(entry->leaf.views), "tax.capital,tax.wage");
    if (index % 64 == 0)
        entry->detail = lb_span_str("{\"purpose\":\"social-assistance\"}");
}

static lb_status append(struct making *making, uint64_t from, size_t num)
{
    making->num_done = 0;
    for (size_t i = 0; i < num; i++) {
        fill(making, from + i, &making->entries[i]);
        LB_TRY(lb_log_append(making->log, &making->entries[i]));
    }
    (void)pthread_mutex_lock(&making->lock);
    while (making->num_done < num)
        (void)pthread_cond_wait(&making->all, &making->lock);
    (void)pthread_mutex_unlock(&making->lock);
    LB_ENSURE(!making->failed, LB_LOG_UNAVAILABLE, "an entry was not written");
    return LB_OK;
}

static lb_status grow(struct making *making, uint64_t size)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(65536);
    struct lb_log_head head;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_log_head(making->log, arena, &head));
    for (uint64_t at = head.size; at < size;) {
        size_t num = size - at < NUM_AT_ONCE ? (size_t)(size - at) : NUM_AT_ONCE;
        LB_TRY(append(making, at, num));
        at += num;
    }
    return LB_OK;
}

static lb_status print_key(const struct lb_sign_key *key)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4096);
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    (void)lb_sign_key_public(key, public_key);
    LB_TRY(lb_note_verifier_init(ORIGIN, public_key, &verifier));
    (void)printf("%s\n", lb_note_verifier_format(&verifier, arena));
    return LB_OK;
}

static lb_status make(struct making *making, const char *folder, uint64_t size,
                      struct lb_diag *diag)
{
    static const uint8_t seed[32] = {0x71};
    static const uint8_t officer[32] = {9}; /* the base point: a key like any other here */
    struct lb_sign_key *key = NULL;
    LB_TRY(lb_sign_key_from_seed(seed, &key));
    const struct lb_log_options options = {
        .folder = folder, .origin = ORIGIN, .key = key, .clock = lb_clock_system(),
        .create = true, .officer_key = officer,
    };
    lb_status status = lb_log_open(&options, diag, &making->log);
    if (status == LB_OK)
        status = grow(making, size);
    lb_log_close(making->log);
    if (status == LB_OK)
        status = print_key(key);
    lb_sign_key_free(key);
    return status;
}

int main(int argc, char **argv)
{
    struct lb_diag diag = {.text = ""};
    struct making making = {
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .all = PTHREAD_COND_INITIALIZER,
        .entries = calloc(NUM_AT_ONCE, sizeof(struct lb_log_entry)),
    };
    if (argc != 3 || making.entries == NULL) {
        (void)fprintf(stderr, "usage: make_log FOLDER SIZE\n");
        return 2;
    }
    lb_status status = make(&making, argv[1], strtoull(argv[2], NULL, 10), &diag);
    free(making.entries);
    if (status == LB_OK)
        return 0;
    (void)fprintf(stderr, "%s: %s %s\n", lb_code_name(status->code), status->what, diag.text);
    return 1;
}
