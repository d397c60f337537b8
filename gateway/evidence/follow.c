#include "gateway/evidence/follow.h"

#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/key_seal.h"
#include "gateway/evidence/tree.h"

/* A subject's entries come in runs. */
#define NUM_KEYS 4096U
#define HEAD_ARENA_BYTES (64U * 1024)

struct opened_key {
    uint64_t kid;  /* 0: empty */
    uint8_t key[LB_DETAIL_KEY_BYTES];
};

struct lb_follow {
    struct lb_log_reader *reader;
    struct lb_stmt *get_erased;
    struct lb_tree *tree;
    char origin[256];
    bool erasures;  /* there is one among what was proved last */
    struct opened_key keys[NUM_KEYS];
    struct lb_key_memo memo;
};

lb_status lb_follow_open(const char *folder, struct lb_diag *diag, struct lb_follow **out_follow)
{
    struct lb_follow *follow = calloc(1, sizeof(*follow));
    LB_ENSURE(follow != NULL, LB_NO_MEMORY, "follower");
    lb_status status = lb_log_reader_open(folder, diag, &follow->reader);
    if (status == LB_OK)
        status = lb_stmt_prepare(follow->reader->store,
                                 "SELECT erased_by, kid FROM detail_key"
                                 " WHERE erased_by >= ?1 AND erased_by < ?2",
                                 &follow->get_erased);
    if (status != LB_OK) {
        lb_follow_close(follow);
        return status;
    }
    *out_follow = follow;
    return LB_OK;
}

void lb_follow_close(struct lb_follow *follow)
{
    if (follow == NULL)
        return;
    lb_tree_free(follow->tree);
    lb_log_reader_close(follow->reader);
    lb_wipe(follow, sizeof(*follow));
    free(follow);
}

lb_status lb_follow_origin(struct lb_follow *follow, struct lb_arena *arena,
                           const char **out_origin)
{
    return lb_log_reader_origin(follow->reader, arena, out_origin);
}

/* --- what is new --- */

static lb_status read_head(struct lb_follow *follow, const struct lb_note_verifier *verifier,
                           struct lb_diag *diag, struct lb_checkpoint *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(HEAD_ARENA_BYTES);
    struct lb_records_checkpoint row;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "checkpoint");
    LB_TRY(lb_records_checkpoint(&follow->reader->records, arena, &row));
    lb_status status = lb_checkpoint_open(row.note, verifier, out);
    if (status != LB_OK)
        lb_diag_set(diag, "the log's checkpoint is not signed with the key of %s", verifier->name);
    return status;
}

/* A shard that is missing is no fork. */
static lb_status check_shard(const struct lb_follow *follow, lb_status status,
                             struct lb_diag *diag)
{
    const char *trouble = lb_log_reader_trouble(follow->reader);
    if (lb_status_code(status) != LB_LOG_BEHIND || trouble == NULL)
        return LB_OK;
    lb_diag_set(diag, "%s", trouble);
    return status;
}

/* The tree that the follower holds, out of the log's own tiles. */
static lb_status restore(struct lb_follow *follow, uint64_t size, const struct lb_hash *root,
                         struct lb_diag *diag)
{
    const struct lb_tree_source source = lb_records_source(&follow->reader->records);
    struct lb_hash now;
    lb_tree_free(follow->tree);
    follow->tree = NULL;
    LB_TRY(lb_tree_new(&source, &follow->tree));
    lb_status status = lb_tree_restore(follow->tree, size);
    if (status == LB_OK)
        status = lb_tree_root(follow->tree, size, &now);
    LB_TRY(check_shard(follow, status, diag));
    bool same = status == LB_OK &&
                (size == 0 || memcmp(now.bytes, root->bytes, sizeof(now.bytes)) == 0);
    if (!same)
        lb_diag_set(diag, "the log's first %llu entries are not those that were followed: another"
                          " log, or a fork", (unsigned long long)size);
    LB_ENSURE(same, LB_LOG_FORK, "the log does not extend what was followed");
    return LB_OK;
}

static lb_status add_leaves(struct lb_follow *follow, uint64_t from, uint64_t to,
                            struct lb_diag *diag)
{
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    struct lb_hash hash;
    for (uint64_t index = from; index < to; index++) {
        lb_status status = lb_records_leaf(&follow->reader->records, index, bytes, &len);
        LB_TRY(check_shard(follow, status, diag));
        if (status != LB_OK)
            lb_diag_set(diag, "entry %llu is missing or unreadable", (unsigned long long)index);
        LB_ENSURE(status == LB_OK, LB_LOG_FORK, "a gap between entries");
        lb_merkle_leaf(lb_span_of(bytes, len), &hash);
        LB_TRY(lb_tree_add(follow->tree, &hash, NULL));
        follow->erasures = follow->erasures || (len > 1 && bytes[1] == LB_LEAF_ERASURE);
    }
    return LB_OK;
}

lb_status lb_follow_advance(struct lb_follow *follow, const struct lb_note_verifier *verifier,
                            uint64_t size, const struct lb_hash *root, struct lb_diag *diag,
                            struct lb_checkpoint *out_head)
{
    struct lb_checkpoint head;
    struct lb_hash computed;
    LB_TRY(read_head(follow, verifier, diag, &head));
    if (head.size < size)
        lb_diag_set(diag, "the log has %llu entries, and %llu were followed before",
                    (unsigned long long)head.size, (unsigned long long)size);
    LB_ENSURE(head.size >= size, LB_LOG_BEHIND, "the log is shorter than what was followed");
    LB_TRY(restore(follow, size, root, diag));
    follow->erasures = false;
    LB_TRY(add_leaves(follow, size, head.size, diag));
    LB_TRY(lb_tree_root(follow->tree, head.size, &computed));
    bool same = memcmp(computed.bytes, head.root.bytes, sizeof(computed.bytes)) == 0;
    if (!same)
        lb_diag_set(diag, "entries %llu to %llu are not those that were signed; run `lianban log"
                          " verify`", (unsigned long long)size, (unsigned long long)head.size);
    LB_ENSURE(same, LB_LOG_FORK, "leaves differ from the signed root");
    memcpy(follow->origin, head.origin, sizeof(follow->origin));
    *out_head = head;
    return LB_OK;
}

lb_status lb_follow_root(struct lb_follow *follow, uint64_t size, struct lb_hash *out_root)
{
    LB_ENSURE(follow->tree != NULL, LB_ABSENT, "nothing was proved yet");
    return lb_tree_root(follow->tree, size, out_root);
}

/* --- one entry --- */

static lb_status data_key(struct lb_follow *follow, const struct lb_follow_keys *officer,
                          uint64_t kid, const struct lb_key_row *row,
                          const struct opened_key **out)
{
    struct opened_key *slot = &follow->keys[kid % NUM_KEYS];
    *out = slot;
    if (slot->kid == kid)
        return LB_OK;
    slot->kid = 0;
    lb_status status = LB_FAULT(LB_SEAL_BROKEN, "no key of the officer's");
    const struct lb_sealed_key sealed = {kid, row->subject, row->sealed};
    for (size_t i = 0; i < officer->num && status != LB_OK; i++)
        status = lb_key_seal_open(&officer->keys[i], follow->origin, &sealed, &follow->memo,
                                  slot->key);
    LB_TRY(status);
    slot->kid = kid;
    return LB_OK;
}

static lb_status find_row(struct lb_follow *follow, uint64_t index, struct lb_arena *arena,
                          struct lb_detail_row *out_row, bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    lb_status status = lb_reader_find_detail(follow->reader, index, &stmt);
    *out_found = status == LB_OK;
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    status = lb_reader_detail_row(stmt, 0, out_row);
    if (status == LB_OK)
        status = lb_arena_copy(arena, out_row->sealed, &out_row->sealed);
    lb_stmt_reset(stmt);
    return status;
}

static lb_status open_row(struct lb_follow *follow, const struct lb_follow_keys *officer,
                          const struct lb_detail_row *row, struct lb_arena *arena,
                          struct lb_follow_entry *entry)
{
    static const uint8_t own[LB_DETAIL_SUBJECT_BYTES];
    struct lb_key_row key;
    const struct opened_key *opened = NULL;
    LB_TRY(lb_reader_key(follow->reader, row->kid, &key));
    entry->state = key.erased ? LB_FOLLOW_ERASED : LB_FOLLOW_OPEN;
    if (key.erased)
        return LB_OK;
    LB_TRY(data_key(follow, officer, row->kid, &key, &opened));
    const struct lb_detail_place place = {follow->origin, entry->index, entry->leaf.txn,
                                          key.key_hash};
    LB_TRY(lb_detail_open(&place, opened->key, row, &entry->leaf, arena, &entry->detail));
    entry->has_subject = memcmp(key.subject, own, sizeof(own)) != 0;
    memcpy(entry->subject, key.subject, sizeof(entry->subject));
    return LB_OK;
}

/* What does not open is a state; only what stops every entry, or a shard that is missing, is a
 * failure. */
static lb_status read_detail(struct lb_follow *follow, const struct lb_follow_keys *officer,
                             struct lb_arena *arena, struct lb_follow_entry *entry)
{
    static const uint8_t none[LB_HASH_BYTES];
    struct lb_detail_row row;
    bool found = false;
    lb_status status = find_row(follow, entry->index, arena, &row, &found);
    if (status == LB_OK && !found) {
        bool committed = memcmp(entry->leaf.detail_hash, none, sizeof(none)) != 0;
        entry->state = committed ? LB_FOLLOW_BROKEN : LB_FOLLOW_NONE;
        return LB_OK;
    }
    if (status == LB_OK) {
        entry->kid = row.kid;
        status = open_row(follow, officer, &row, arena, entry);
    }
    if (lb_status_code(status) == LB_NO_MEMORY || lb_status_code(status) == LB_LOG_BEHIND)
        return status;
    if (status != LB_OK)
        entry->state = LB_FOLLOW_BROKEN;
    return LB_OK;
}

lb_status lb_follow_read(struct lb_follow *follow, uint64_t index,
                         const struct lb_follow_keys *officer, struct lb_arena *arena,
                         struct lb_follow_entry *out_entry)
{
    struct lb_follow_entry entry = {.index = index};
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    LB_TRY(lb_records_leaf(&follow->reader->records, index, bytes, &len));
    LB_TRY(lb_leaf_decode(lb_span_of(bytes, len), &entry.leaf));
    LB_TRY(read_detail(follow, officer, arena, &entry));
    *out_entry = entry;
    return LB_OK;
}

static lb_status visit_erased(struct lb_stmt *stmt, uint64_t from, uint64_t to,
                              const struct lb_follow_visit *visit)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)from));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)to));
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row) {
        LB_TRY(visit->erased(visit->ctx, (uint64_t)lb_stmt_int(stmt, 0),
                             (uint64_t)lb_stmt_int(stmt, 1)));
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return LB_OK;
}

lb_status lb_follow_erased(struct lb_follow *follow, uint64_t from, uint64_t to,
                           const struct lb_follow_visit *visit)
{
    if (!follow->erasures)
        return LB_OK;
    lb_status status = visit_erased(follow->get_erased, from, to, visit);
    lb_stmt_reset(follow->get_erased);
    return status;
}
