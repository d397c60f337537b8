#include "gateway/base/log.h"
#include "gateway/evidence/link.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/*
 * What became of a parcel. Only the department's own entry, proved against its own log and about a
 * ciphertext that we sent, says that it has it. What a broker says by itself is believed as far as
 * it costs little: that it holds something, or that it wants it no more.
 */

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

/* --- the department's own word --- */

static lb_status open_entry(const char *origin, const uint8_t *key,
                            const Lianban__V1__ParcelReceipt *receipt, struct lb_leaf *out_leaf)
{
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_hash hash;
    LB_TRY(lb_watch_init(&watch, origin, key, 0, NULL));
    lb_status status = lb_watch_check(&watch, receipt->log, &checkpoint);
    lb_watch_cleanup(&watch);
    LB_TRY(status);
    return lb_link_verify(receipt->entry, &checkpoint, out_leaf, &hash);
}

/* By its log's key, or one that handed over to it since. */
static lb_status open_receipt(const struct lb_node *node,
                              const Lianban__V1__ParcelReceipt *receipt, struct lb_leaf *out_leaf)
{
    LB_ENSURE(node != NULL && node->log_origin != NULL, LB_RECEIPT_INVALID,
              "the directory lists no such log");
    LB_ENSURE(receipt->entry != NULL && receipt->log != NULL, LB_RECEIPT_INVALID,
              "a receipt without proof");
    lb_status status = open_entry(node->log_origin, node->log_key, receipt, out_leaf);
    for (size_t i = 0; i < node->num_former && status != LB_OK; i++)
        status = open_entry(node->log_origin, node->former[i].raw, receipt, out_leaf);
    return status;
}

static bool was_sent(const Lianban__V1__KeptParcel *kept, const uint8_t sha256[32])
{
    for (size_t i = 0; i < kept->n_sealings; i++)
        if (lb_span_eq(lb_pb_span(kept->sealings[i]), lb_span_of(sha256, 32)))
            return true;
    return false;
}

static lb_status check_proof(const struct lb_window *window, const struct lb_parcel_row *row,
                             const Lianban__V1__ParcelReceipt *receipt)
{
    struct lb_leaf leaf;
    struct lb_directory *directory = lb_trust_directory(window->options.trust);
    lb_status status =
        open_receipt(lb_directory_node(directory, row->kept->recipient), receipt, &leaf);
    lb_directory_unref(directory);
    LB_TRY(status);
    LB_ENSURE(leaf.type == LB_LEAF_PARCEL && strcmp(leaf.code, receipt->code) == 0,
              LB_RECEIPT_INVALID, "the department's entry says something else");
    LB_ENSURE(memcmp(leaf.txn, row->name, sizeof(row->name)) == 0, LB_RECEIPT_INVALID,
              "the department's entry is about another parcel");
    LB_ENSURE(was_sent(row->kept, leaf.request_hash), LB_RECEIPT_INVALID,
              "the department's entry is about what we did not send");
    return LB_OK;
}

/* --- what it changes --- */

struct news {
    const struct lb_window *window;
    const Lianban__V1__ParcelReceipt *receipt;  /* NULL for our own */
    const char *broker;                         /* who said so; NULL for ourselves */
    enum lb_part_event event;
    const char *code;
    bool proved;
    bool only_here;                             /* out: another broker may do better */
    struct lb_arena *arena;
    bool is_new;                                /* out */
};

bool lb_parts_among(char *const *list, size_t num, const char *name)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static lb_status add_name(char ***list, size_t *num, const char *name, struct lb_arena *arena)
{
    if (lb_parts_among(*list, *num, name))
        return LB_OK;
    char **all = lb_arena_array(arena, *num + 1, sizeof(*all));
    LB_ENSURE(all != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < *num; i++)
        all[i] = (*list)[i];
    all[(*num)++] = text(name);
    *list = all;
    return LB_OK;
}

static void drop_name(char **list, size_t *num, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < *num; i++)
        if (strcmp(list[i], name) != 0)
            list[kept++] = list[i];
    *num = kept;
}

static void unseal(Lianban__V1__KeptParcel *kept)
{
    static const ProtobufCBinaryData none = {0, NULL};
    kept->key_id = text("");
    kept->enc = kept->sender_key = kept->ciphertext = none;
    kept->sent_entry = 0;
    kept->n_holders = 0;
}

/* A refusal without the department's proof is one broker's: it is final when no broker is left. */
static lb_status weigh_refusal(struct lb_parcel_row *row, struct news *news)
{
    const struct lb_window_brokers *brokers = &news->window->brokers;
    Lianban__V1__KeptParcel *kept = row->kept;
    if (news->proved || news->broker == NULL)
        return LB_OK;
    drop_name(kept->holders, &kept->n_holders, news->broker);
    LB_TRY(add_name(&kept->refused_by, &kept->n_refused_by, news->broker, news->arena));
    for (size_t i = 0; i < brokers->num; i++) {
        if (!lb_parts_among(kept->refused_by, kept->n_refused_by, brokers->names[i]))
            news->only_here = true;
    }
    if (news->only_here)
        news->event = kept->n_holders > 0 ? LB_PART_IS_HELD : LB_PART_IS_UNSEALED;
    return LB_OK;
}

static lb_status note_holder(struct lb_parcel_row *row, const struct news *news)
{
    Lianban__V1__KeptParcel *kept = row->kept;
    if (!lb_parts_among(kept->holders, kept->n_holders, news->broker))
        kept->tries = 0;
    LB_TRY(add_name(&kept->holders, &kept->n_holders, news->broker, news->arena));
    int64_t now_s = lb_clock_unix_s(news->window->options.clock);
    row->next_s = now_s + lb_parts_pause_s(kept);
    kept->next_try_unix_s = news->event == LB_PART_IS_AWAY ? news->receipt->next_try_unix_s : 0;
    return LB_OK;
}

static lb_status note_details(struct lb_parcel_row *row, struct news *news)
{
    Lianban__V1__KeptParcel *kept = row->kept;
    int64_t now_s = lb_clock_unix_s(news->window->options.clock);
    if (news->only_here) {
        row->next_s = now_s;
        return LB_OK;
    }
    switch (news->event) {
    case LB_PART_IS_HELD:
    case LB_PART_IS_AWAY:
        return note_holder(row, news);
    case LB_PART_IS_UNSEALED:
        unseal(kept);
        row->next_s = now_s + lb_parts_pause_s(kept);
        return LB_OK;
    case LB_PART_IS_DELIVERED:
        kept->receipt_leaf = news->receipt->entry->leaf;
        kept->receipt_index = news->receipt->entry->index;
        unseal(kept);
        return LB_OK;
    default:
        return LB_OK;
    }
}

static lb_status apply(struct lb_parcel_row *row, void *arg)
{
    struct news *news = arg;
    Lianban__V1__KeptParcel *kept = row->kept;
    enum lb_part_state before = lb_part_state_by_name(kept->state), after = before;
    if (before == LB_PART_DELIVERED)
        return LB_OK; /* late news */
    if (before == LB_PART_WITHDRAWN && news->event == LB_PART_IS_DELIVERED)
        before = LB_PART_DEAD; /* it was given up here, and is there after all */
    if (news->event == LB_PART_IS_REFUSED)
        LB_TRY(weigh_refusal(row, news));
    LB_TRY(lb_part_next(before, news->event, &after));
    LB_TRY(note_details(row, news));
    news->is_new = after != before || strcmp(kept->code, news->code) != 0;
    if (after != before)
        kept->since_unix_s = lb_clock_unix_s(news->window->options.clock);
    kept->state = text(lb_part_state_name(after));
    kept->code = text(after == LB_PART_HELD || after == LB_PART_DELIVERED ? "" : news->code);
    row->open = after == LB_PART_PREPARED || after == LB_PART_HELD || after == LB_PART_WAITING;
    return LB_OK;
}

static lb_status change(struct lb_window *window, const uint8_t *name, struct news *news)
{
    struct lb_parcel_row row;
    LB_TRY(lb_parcel_change(window->store, name, apply, news, news->arena, &row));
    if (news->is_new)
        lb_parts_push(window, &row);
    return LB_OK;
}

/* --- reading a receipt --- */

/* Refusals that are the same tomorrow (docs/PROTOCOL.md, section 11). */
static bool is_final(enum lb_code code)
{
    switch (code) {
    case LB_MALFORMED:
    case LB_TOO_LARGE:
    case LB_SEAL_BROKEN:
    case LB_PARCEL_CHANGED:
    case LB_PARCEL_EXPIRED:
    case LB_PEER_UNLISTED:
    case LB_INTAKE_CLOSED:
    case LB_FORM_UNKNOWN:
    case LB_PART_UNKNOWN:
    case LB_OPERATOR_TOKEN_INVALID:
    case LB_VERSION_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

static lb_status read_held(const Lianban__V1__ParcelReceipt *receipt, struct news *news)
{
    enum lb_code away = LB_CODE_OK;
    news->event = LB_PART_IS_HELD;
    news->code = "";
    if (receipt->away[0] == 0)
        return LB_OK;
    LB_ENSURE(lb_code_by_name(receipt->away, strlen(receipt->away), &away), LB_RECEIPT_INVALID,
              "no such reason to wait");
    news->event = LB_PART_IS_AWAY;
    news->code = lb_code_name(away);
    return LB_OK;
}

/* A DELIVERED that does not hold is a refusal of the one who brought it, and nothing else. */
static lb_status read_receipt(const struct lb_parcel_row *row, struct news *news)
{
    const Lianban__V1__ParcelReceipt *receipt = news->receipt;
    enum lb_code code = LB_CODE_OK;
    news->proved = check_proof(news->window, row, receipt) == LB_OK;
    if (strcmp(receipt->code, "HELD") == 0)
        return read_held(receipt, news);
    news->event = LB_PART_IS_REFUSED;
    if (strcmp(receipt->code, "DELIVERED") == 0) {
        news->event = news->proved ? LB_PART_IS_DELIVERED : LB_PART_IS_REFUSED;
        news->code = news->proved ? "" : lb_code_name(LB_RECEIPT_INVALID);
        return LB_OK;
    }
    LB_ENSURE(lb_code_by_name(receipt->code, strlen(receipt->code), &code), LB_RECEIPT_INVALID,
              "no such outcome of a parcel");
    news->code = lb_code_name(code);
    if (code == LB_KEY_RETIRED)
        news->event = LB_PART_IS_UNSEALED;
    else if (!is_final(code))
        return lb_status_of(code);
    return LB_OK;
}

lb_status lb_parts_receipt(struct lb_window *window, size_t broker,
                           const Lianban__V1__ParcelReceipt *receipt, bool *out_ended)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    struct lb_parcel_row row;
    struct news news = {.window = window, .receipt = receipt, .code = "",
                        .broker = window->brokers.names[broker], .arena = arena};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_ENSURE(receipt->name.len == LB_PARCEL_NAME_BYTES &&
                  strcmp(receipt->sender, window->options.self) == 0,
              LB_RECEIPT_INVALID, "a receipt for no parcel of ours");
    lb_status status = lb_parcel_get(window->store, receipt->name.data, arena, &row);
    *out_ended = lb_status_code(status) == LB_ABSENT; /* its case is over */
    if (*out_ended)
        return LB_OK;
    LB_TRY(status);
    LB_ENSURE(strcmp(receipt->recipient, row.kept->recipient) == 0, LB_RECEIPT_INVALID,
              "a receipt of another department");
    LB_TRY(read_receipt(&row, &news));
    bool refused = news.event == LB_PART_IS_REFUSED;
    status = change(window, row.name, &news);
    if (lb_status_code(status) != LB_ABSENT)
        LB_TRY(status);
    bool believed = !refused || news.proved || strcmp(news.code, "RECEIPT_INVALID") != 0;
    *out_ended = news.event == LB_PART_IS_DELIVERED || (refused && believed);
    LB_ENSURE(believed, LB_RECEIPT_INVALID, "a department's receipt does not hold");
    return LB_OK;
}

/* --- our own --- */

/* What a broker holds is waited for by its news. */
static lb_status note_code(struct lb_parcel_row *row, void *arg)
{
    struct news *news = arg;
    Lianban__V1__KeptParcel *kept = row->kept;
    news->is_new = kept->n_holders == 0 && row->open && strcmp(kept->code, news->code) != 0;
    if (news->is_new)
        kept->code = text(news->code);
    return LB_OK;
}

lb_status lb_parts_stuck(struct lb_window *window, const uint8_t *name, enum lb_code code)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    struct lb_parcel_row row;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    bool dead = code == LB_RETRY_EXHAUSTED || code == LB_TOO_LARGE || code == LB_PART_UNKNOWN;
    struct news news = {.window = window, .code = lb_code_name(code), .arena = arena,
                        .event = LB_PART_IS_REFUSED};
    lb_status status = lb_parcel_change(window->store, name, dead ? apply : note_code, &news,
                                        arena, &row);
    if (status == LB_OK && news.is_new)
        lb_parts_push(window, &row);
    return lb_status_code(status) == LB_ABSENT ? LB_OK : status;
}

/* Under the same name, so that whoever had it after all has it once. Another end needs another
 * seal. */
static lb_status revive(struct lb_parcel_row *row, void *arg)
{
    struct news *news = arg;
    Lianban__V1__KeptParcel *kept = row->kept;
    enum lb_part_state after;
    LB_TRY(lb_part_next(lb_part_state_by_name(kept->state), news->event, &after));
    news->is_new = true;
    kept->state = text(lb_part_state_name(after));
    kept->since_unix_s = lb_clock_unix_s(news->window->options.clock);
    row->open = after == LB_PART_PREPARED;
    row->next_s = 0;
    unseal(kept);
    kept->n_refused_by = 0;
    kept->tries = 0;
    kept->code = text("");
    if (kept->n_sealings > LB_PARTS_MAX_SEALINGS / 2) {
        kept->sealings += kept->n_sealings - LB_PARTS_MAX_SEALINGS / 2;
        kept->n_sealings = LB_PARTS_MAX_SEALINGS / 2;
    }
    return LB_OK;
}

lb_status lb_parts_revive(struct lb_window *window, const uint8_t *name, bool drop)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    struct lb_parcel_row row;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct news news = {.window = window, .arena = arena,
                        .event = drop ? LB_PART_IS_DROPPED : LB_PART_IS_RETRIED};
    LB_TRY(lb_parcel_change(window->store, name, revive, &news, arena, &row));
    lb_parts_push(window, &row);
    return LB_OK;
}
