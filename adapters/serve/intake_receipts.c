#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/intake_post.h"
#include "adapters/serve/link_state.h"
#include "gateway/base/log.h"
#include "gateway/evidence/link.h"
#include "gateway/wire/pb.h"

/* What brokers say of words. Only the agent's own entry, or time, ends one: what a broker says for
 * itself has the word wait, or try another. */

#define ARENA_BYTES (512 * 1024)

/* --- the end --- */

static lb_status end_word(struct lb_log_entry *entry, struct lb_store *store)
{
    struct lb_intake *intake = entry->owner;
    struct lb_intake_word word;
    bool found = false;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "word");
    LB_TRY(lb_intake_words_find(&intake->words, store, entry->leaf.txn, arena, &word, &found));
    entry->leaf.retry = !found || word.code[0] != 0;
    if (entry->leaf.retry)
        return LB_OK;
    return lb_intake_words_end(&intake->words, store, word.id, entry->leaf.code + strlen("ENDED_"),
                               lb_clock_unix_s(intake->serve->options.clock));
}

lb_status lb_intake_end(struct lb_intake *intake, const struct lb_intake_word *word,
                        const char *code, const struct lb_hash *peer)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "ENDED_%.24s", code);
    memcpy(entry->leaf.txn, word->name, sizeof(entry->leaf.txn));
    if (peer != NULL)
        memcpy(entry->leaf.peer_leaf, peer->bytes, sizeof(entry->leaf.peer_leaf));
    entry->guard = end_word;
    entry->owner = intake;
    lb_status status = lb_log_append_wait(intake->serve->options.log, entry);
    if (status == LB_OK)
        status = entry->refused;
    free(entry);
    return status;
}

/* --- the agent's own word for it --- */

static bool is_sealing(const struct lb_intake_word *word, const uint8_t hash[32])
{
    for (size_t i = 0; i + 32 <= word->hashes.len; i += 32) {
        if (memcmp(word->hashes.ptr + i, hash, 32) == 0)
            return true;
    }
    return false;
}

static lb_status check_entry(const struct lb_watch *watch,
                             const Lianban__V1__ParcelReceipt *receipt,
                             const struct lb_intake_word *word, struct lb_hash *out_leaf)
{
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    LB_TRY(lb_watch_check(watch, receipt->log, &checkpoint));
    LB_TRY(lb_link_verify(receipt->entry, &checkpoint, &leaf, out_leaf));
    LB_ENSURE(leaf.type == LB_LEAF_PARCEL && strcmp(leaf.code, receipt->code) == 0 &&
                  memcmp(leaf.txn, word->name, sizeof(leaf.txn)) == 0 &&
                  is_sealing(word, leaf.request_hash),
              LB_RECEIPT_INVALID, "the agent's entry is about something else");
    return LB_OK;
}

static lb_status check_with(const char *name, const uint8_t key[32],
                            const Lianban__V1__ParcelReceipt *receipt,
                            const struct lb_intake_word *word, struct lb_hash *out_leaf)
{
    struct lb_watch watch;
    LB_TRY(lb_watch_init(&watch, name, key, 0, NULL));
    lb_status status = check_entry(&watch, receipt, word, out_leaf);
    lb_watch_cleanup(&watch);
    return status;
}

/* Under the agent's key, or one that handed over to it: the receipt may have waited for us. */
static lb_status check_agent(const struct lb_intake *intake,
                             const Lianban__V1__ParcelReceipt *receipt,
                             const struct lb_intake_word *word, struct lb_hash *out_leaf)
{
    LB_ENSURE(receipt->log != NULL && receipt->entry != NULL, LB_RECEIPT_INVALID,
              "without the agent's entry");
    struct lb_directory *directory = lb_trust_directory(intake->serve->options.trust);
    const struct lb_node *node = lb_directory_node(directory, word->recipient);
    lb_status status = node == NULL || node->log_origin == NULL
                           ? LB_FAULT(LB_PEER_UNLISTED, "agent keeps no log")
                           : check_with(node->log_origin, node->log_key, receipt, word, out_leaf);
    for (size_t i = 0; node != NULL && i < node->num_former && status != LB_OK; i++)
        status = check_with(node->log_origin, node->former[i].raw, receipt, word, out_leaf);
    lb_directory_unref(directory);
    return status;
}

/* --- one receipt --- */

static bool is_final(const char *code)
{
    static const char *const finals[] = {
        LB_INTAKE_DELIVERED, "MALFORMED",      "TOO_LARGE",     "SEAL_BROKEN",
        "PARCEL_CHANGED",    "PARCEL_EXPIRED", "PEER_UNLISTED", "VERSION_UNSUPPORTED"};
    for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
        if (strcmp(code, finals[i]) == 0)
            return true;
    }
    return false;
}

static void note(struct lb_intake_post *post, const struct lb_adapter_link *link, int64_t id,
                 const char *code)
{
    (void)pthread_mutex_lock(&post->lock);
    struct lb_intake_flight *flight = lb_intake_flight_of(post, id);
    if (flight != NULL && strcmp(flight->broker, link->broker) == 0) {
        flight->held = strcmp(code, "HELD") == 0;
        flight->reseal = flight->reseal || strcmp(code, "KEY_RETIRED") == 0;
        flight->next_ms =
            lb_clock_monotonic_ms(post->intake->serve->options.clock) + LB_INTAKE_HELD_MS;
        if (!flight->held)
            lb_intake_flight_later(post, flight);
    }
    (void)pthread_mutex_unlock(&post->lock);
}

static lb_status take_receipt(struct lb_intake *intake, struct lb_adapter_link *link,
                              const Lianban__V1__ParcelReceipt *receipt)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_intake_word word;
    struct lb_hash leaf;
    bool found = false;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "receipt");
    LB_ENSURE(receipt->name.len == LB_PARCEL_NAME_BYTES, LB_MALFORMED, "name is not 16 bytes");
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_words_find(&intake->read_words, store, receipt->name.data, arena,
                                            &word, &found);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    if (found && word.code[0] == 0 && is_final(receipt->code) &&
        check_agent(intake, receipt, &word, &leaf) == LB_OK) {
        LB_TRY(lb_intake_end(intake, &word, receipt->code, &leaf));
        lb_link_send_ended(link, word.name);
    } else if (found && word.code[0] == 0) {
        note(intake->post, link, word.id, receipt->code);
    } else {
        lb_link_send_ended(link, receipt->name.data);
    }
    return LB_OK;
}

void lb_intake_receipts(struct lb_intake *intake, struct lb_adapter_link *link,
                        Lianban__V1__ParcelReceipt *const *receipts, size_t num)
{
    for (size_t i = 0; i < num && intake->post != NULL; i++) {
        lb_status status = take_receipt(intake, link, receipts[i]);
        if (status != LB_OK)
            lb_log_failure("receipt_not_taken", status);
    }
}
