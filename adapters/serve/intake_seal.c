#include <stdio.h>
#include <string.h>

#include "adapters/serve/intake_post.h"
#include "gateway/crypto/hash.h"

/* A word is sealed when it leaves, not when it is said: both keys may be replaced meanwhile. */

struct sealing {
    struct lb_intake *intake;
    struct lb_intake_word *word;
};

static const struct lb_seal_key_entry *agent_key(const struct lb_intake *intake,
                                                 const struct lb_directory *directory,
                                                 const char *agent, const char *id)
{
    const struct lb_node *node = lb_directory_node(directory, agent);
    if (node == NULL || node->kind != LB_NODE_WINDOW)
        return NULL;
    return lb_node_seal_key(node, id, lb_clock_unix_s(intake->serve->options.clock));
}

static bool is_own(const struct lb_intake *intake, struct lb_directory *directory,
                   const uint8_t public_key[LB_X25519_BYTES], bool newest)
{
    struct lb_own_key keys[LB_SEAL_RING_MAX];
    bool own = false;
    size_t num = lb_seal_ring_list(intake->serve->options.ring, directory, keys);
    for (size_t i = 0; i < num; i++) {
        if (i == 0 || !newest)
            own = own || memcmp(keys[i].key.public_key, public_key, LB_X25519_BYTES) == 0;
        lb_own_key_wipe(&keys[i]);
    }
    return own;
}

bool lb_intake_seal_stale(struct lb_intake *intake, const struct lb_intake_word *word, bool newer)
{
    if (word->ciphertext.len == 0)
        return true;
    struct lb_directory *directory = lb_trust_directory(intake->serve->options.trust);
    const struct lb_seal_key_entry *known =
        agent_key(intake, directory, word->recipient, word->key_id);
    const struct lb_seal_key_entry *newest = agent_key(intake, directory, word->recipient, NULL);
    bool stale = known == NULL || (newer && known != newest) ||
                 !is_own(intake, directory, word->sender_key, newer);
    lb_directory_unref(directory);
    return stale;
}

/* --- the seal --- */

static lb_status own_key(struct lb_intake *intake, struct lb_directory *directory,
                         struct lb_own_key *out)
{
    struct lb_own_key keys[LB_SEAL_RING_MAX];
    size_t num = lb_seal_ring_list(intake->serve->options.ring, directory, keys);
    if (num > 0)
        *out = keys[0];
    for (size_t i = 0; i < num; i++)
        lb_own_key_wipe(&keys[i]);
    LB_ENSURE(num > 0, LB_KEY_RETIRED, "the directory lists no sealing key of ours");
    return LB_OK;
}

static lb_status seal_with(struct lb_intake *intake, struct lb_directory *directory,
                           struct lb_arena *arena, const struct lb_own_key *own,
                           struct lb_intake_word *word)
{
    const struct lb_seal_key_entry *key = agent_key(intake, directory, word->recipient, NULL);
    LB_ENSURE(key != NULL, LB_PEER_UNLISTED, "the directory lists no sealing key of the agent");
    struct lb_parcel_cover cover = {
        .sender = intake->serve->options.self,
        .recipient = word->recipient,
        .key_id = key->id,
        .expires_unix_s = word->ends_unix_s,
    };
    struct lb_parcel_sealed sealed;
    struct lb_span plain = LB_SPAN_EMPTY;
    memcpy(cover.name, word->name, sizeof(cover.name));
    LB_TRY(lb_intake_key_open(&intake->key, "word", word->name, word->closed, arena, &plain));
    LB_TRY(lb_parcel_seal(&cover, key->public_key, &own->key, plain, arena, &sealed));
    (void)snprintf(word->key_id, sizeof(word->key_id), "%s", key->id);
    memcpy(word->enc, sealed.enc, sizeof(word->enc));
    memcpy(word->sender_key, own->key.public_key, sizeof(word->sender_key));
    word->ciphertext = sealed.ciphertext;
    return LB_OK;
}

/* The agent's receipt is about the sealing that it saw first, which need not be the newest. */
static lb_status add_hash(struct lb_arena *arena, struct lb_intake_word *word, uint8_t digest[32])
{
    struct lb_span old = word->hashes;
    if (old.len >= 32 * LB_INTAKE_MAX_SEALINGS)
        old = lb_span_of(old.ptr + 32, old.len - 32);
    uint8_t *hashes = lb_arena_alloc(arena, old.len + 32);
    LB_ENSURE(hashes != NULL, LB_NO_MEMORY, "arena is full");
    if (old.len > 0)
        memcpy(hashes, old.ptr, old.len);
    memcpy(hashes + old.len, digest, 32);
    word->hashes = lb_span_of(hashes, old.len + 32);
    return LB_OK;
}

/* --- the entry --- */

static lb_status store_sealing(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct sealing *sealing = entry->owner;
    sealing->word->entry = entry->index;
    return lb_intake_words_seal(&sealing->intake->words, store, sealing->word,
                                lb_clock_unix_s(sealing->intake->serve->options.clock));
}

static lb_status record(struct sealing *sealing, struct lb_arena *arena, const uint8_t digest[32])
{
    const struct lb_intake_word *word = sealing->word;
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .code = "SENT", .count = 1,
                                   .retry = word->hashes.len > 32};
    memcpy(entry->leaf.txn, word->name, sizeof(entry->leaf.txn));
    memcpy(entry->leaf.request_hash, digest, 32);
    entry->guard = store_sealing;
    entry->owner = sealing;
    lb_json_set_cstr(detail, "recipient", word->recipient);
    lb_json_set_int(detail, "about", word->about);
    lb_json_set_int(detail, "number", word->number);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail));
    LB_TRY(lb_log_append_wait(sealing->intake->serve->options.log, entry));
    return entry->refused;
}

lb_status lb_intake_seal(struct lb_intake *intake, struct lb_arena *arena,
                         struct lb_intake_word *word)
{
    struct sealing sealing = {intake, word};
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    uint8_t digest[32];
    struct lb_directory *directory = lb_trust_directory(intake->serve->options.trust);
    lb_status status = own_key(intake, directory, &own);
    if (status == LB_OK)
        status = seal_with(intake, directory, arena, &own, word);
    lb_directory_unref(directory);
    LB_TRY(status);
    lb_sha256(word->ciphertext, digest);
    LB_TRY(add_hash(arena, word, digest));
    return record(&sealing, arena, digest);
}
