#include "gateway/ctl/reconcile_parcels.h"

#include <stdlib.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define SCRATCH_BYTES (4 * LB_MAX_LEAF_BYTES)
#define FIRST_CAPACITY 1024U
#define NO_LOG SIZE_MAX

static const struct {
    const char *name, *en, *zh;
} classes[LB_PARCELS_NUM_CLASSES] = {
    [LB_PARCELS_MISSING_SENDER] =
        {"PARCEL_MISSING_SENDER",
         "A broker took a parcel that its sender has no SENT entry of, or of another ciphertext. "
         "Verify the sender's log against its witnesses: an entry was removed there, or the "
         "broker's was invented.",
         "中转方收下的件在发送方没有发出记录，或密文不同。请对照见证方验证发送方日志：记录被删除，"
         "或中转方记录系伪造。"},
    [LB_PARCELS_MISSING_BROKER] =
        {"PARCEL_MISSING_BROKER",
         "A parcel was taken in that no broker has a HELD entry of. Verify the brokers' logs "
         "against their witnesses: an entry was removed there, or the recipient's was invented.",
         "收件方收到的件在中转方没有保管记录。请对照见证方验证中转方日志：记录被删除，或收件方记录系伪造。"},
    [LB_PARCELS_MISSING_RECIPIENT] =
        {"PARCEL_MISSING_RECIPIENT",
         "A parcel is said to be taken in, and its recipient has no entry of it. Verify the "
         "recipient's log against its witnesses: an entry was removed there, or the log was "
         "replaced or set back.",
         "称已送达的件在收件方没有记录。请对照见证方验证收件方日志：记录被删除，或日志被替换、回退。"},
    [LB_PARCELS_CHANGED] =
        {"PARCEL_CHANGED_ENTRY",
         "An entry is there, but it is not the one that the other side names by its hash, or is "
         "about another ciphertext. Verify both logs against their witnesses.",
         "有记录，但不是对方以摘要指明的那一条，或密文不同。请对照见证方验证双方日志。"},
    [LB_PARCELS_UNCLOSED] =
        {"PARCEL_UNCLOSED",
         "A parcel was taken in a day ago, and the broker that brought it has no end of it. Has "
         "that broker been stopped since? If not, an entry was removed from its log: verify it.",
         "件已被收下一天以上，送件的中转方却无终结记录。该中转方此后是否停机？若否，其日志记录被删除，请验证。"},
};

const char *lb_ctl_parcel_class_name(enum lb_ctl_parcel_class class)
{
    return classes[class].name;
}

const char *lb_ctl_parcel_class_en(enum lb_ctl_parcel_class class)
{
    return classes[class].en;
}

const char *lb_ctl_parcel_class_zh(enum lb_ctl_parcel_class class)
{
    return classes[class].zh;
}

/* --- gathering --- */

void lb_ctl_parcels_free(struct lb_ctl_parcels *parcels)
{
    free(parcels->entries);
    *parcels = (struct lb_ctl_parcels){.entries = NULL};
}

static lb_status grow(struct lb_ctl_parcels *parcels)
{
    size_t capacity = parcels->capacity == 0 ? FIRST_CAPACITY : 2 * parcels->capacity;
    if (parcels->num < parcels->capacity)
        return LB_OK;
    LB_ENSURE(capacity <= LB_RECONCILE_MAX_ENTRIES, LB_TOO_LARGE, "too many entries");
    struct lb_ctl_parcel_entry *entries =
        realloc(parcels->entries, capacity * sizeof(*entries));
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "entries about parcels");
    parcels->entries = entries;
    parcels->capacity = capacity;
    return LB_OK;
}

/* Entries that can't be read are for `log verify`. */
lb_status lb_ctl_parcels_gather(struct lb_log_reader *reader, size_t log,
                                struct lb_ctl_parcels *parcels)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(SCRATCH_BYTES);
    uint64_t size = 0;
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_log_reader_size(reader, &size));
    for (uint64_t index = 0; index < size; index++) {
        struct lb_ctl_parcel_entry entry = {.log = log, .index = index};
        lb_arena_reset(scratch);
        lb_status status =
            lb_log_reader_leaf(reader, index, scratch, &entry.leaf, &entry.hash);
        enum lb_code code = lb_status_code(status);
        if (code == LB_ABSENT || code == LB_MALFORMED || code == LB_VERSION_UNSUPPORTED)
            continue;
        LB_TRY(status);
        if (entry.leaf.type != LB_LEAF_PARCEL)
            continue;
        LB_TRY(grow(parcels));
        parcels->entries[parcels->num++] = entry;
    }
    return LB_OK;
}

static int by_txn(const void *left, const void *right)
{
    const struct lb_ctl_parcel_entry *a = left, *b = right;
    int order = memcmp(a->leaf.txn, b->leaf.txn, sizeof(a->leaf.txn));
    if (order != 0)
        return order;
    if (a->log != b->log)
        return a->log < b->log ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* --- one parcel --- */

/* All entries under one name. */
struct parcel {
    struct lb_ctl_reconcile *reconcile;
    const struct lb_ctl_parcel_entry *entries;
    size_t num;
    size_t sender, recipient;  /* logs at hand; NO_LOG */
};

static bool is_zero(const uint8_t hash[32])
{
    static const uint8_t zeros[32];
    return memcmp(hash, zeros, sizeof(zeros)) == 0;
}

static bool is(const struct lb_ctl_parcel_entry *entry, const char *code)
{
    return strcmp(entry->leaf.code, code) == 0;
}

static bool is_at_broker(const struct parcel *parcel, const struct lb_ctl_parcel_entry *entry)
{
    return parcel->reconcile->logs[entry->log].kind == LB_NODE_BROKER;
}

static bool is_end(const struct lb_ctl_parcel_entry *entry)
{
    return is(entry, "HANDED") || strncmp(entry->leaf.code, "ENDED_", 6) == 0;
}

static size_t log_of(const struct lb_ctl_reconcile *reconcile, const uint8_t counterpart[32])
{
    for (size_t i = 0; i < reconcile->folders.num; i++) {
        struct lb_hash hash;
        lb_reconcile_counterpart(reconcile->logs[i].spiffe, &hash);
        if (memcmp(hash.bytes, counterpart, LB_HASH_BYTES) == 0)
            return i;
    }
    return NO_LOG;
}

/* `log` is whose entry is missing or another; NO_LOG when any of them could have it. */
static void report(const struct parcel *parcel, enum lb_ctl_parcel_class class, size_t log,
                   const struct lb_ctl_parcel_entry *said)
{
    struct lb_ctl_reconcile *reconcile = parcel->reconcile;
    const int64_t time_ms = said->leaf.time_ms;
    if (time_ms < reconcile->from_ms || time_ms >= reconcile->to_ms)
        return;
    reconcile->num_found++;
    if (reconcile->num_parcels_shown == LB_CTL_RECONCILE_SHOWN)
        return;
    struct lb_ctl_parcel_finding *finding =
        &reconcile->parcels_shown[reconcile->num_parcels_shown++];
    *finding = (struct lb_ctl_parcel_finding){
        .class = (int)class,
        .time_ms = time_ms,
        .at = log == NO_LOG ? "" : reconcile->logs[log].spiffe,
        .said_by = reconcile->logs[said->log].spiffe,
        .index = said->index,
    };
    memcpy(finding->txn, said->leaf.txn, sizeof(finding->txn));
}

static const struct lb_ctl_parcel_entry *named(const struct parcel *parcel,
                                               const struct lb_ctl_parcel_entry *by)
{
    for (size_t i = 0; i < parcel->num; i++)
        if (memcmp(parcel->entries[i].hash.bytes, by->leaf.peer_leaf, LB_HASH_BYTES) == 0)
            return &parcel->entries[i];
    return NULL;
}

static bool has_sent(const struct parcel *parcel, const uint8_t sha256[32])
{
    for (size_t i = 0; i < parcel->num; i++) {
        const struct lb_ctl_parcel_entry *entry = &parcel->entries[i];
        if (entry->log == parcel->sender && is(entry, "SENT") &&
            memcmp(entry->leaf.request_hash, sha256, 32) == 0)
            return true;
    }
    return false;
}

/* Any entry that says how a recipient received it. */
static bool is_receipt(const struct parcel *parcel, const struct lb_ctl_parcel_entry *entry)
{
    static const char *const others[] = {"SENT", "SAID", "PULLED", "SHOWN", "ACKED", "TRIED"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (is(entry, others[i]))
            return false;
    return !is_at_broker(parcel, entry) && !is_end(entry);
}

static bool recipient_has_any(const struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->num; i++)
        if (parcel->entries[i].log == parcel->recipient && is_receipt(parcel, &parcel->entries[i]))
            return true;
    return false;
}

static void judge_held(const struct parcel *parcel, const struct lb_ctl_parcel_entry *held)
{
    size_t sender = log_of(parcel->reconcile, held->leaf.policy_hash);
    if (sender != NO_LOG && !has_sent(parcel, held->leaf.request_hash))
        report(parcel, LB_PARCELS_MISSING_SENDER, sender, held);
}

/* A broker's, or a department's of its word: it names the recipient's entry. */
static void judge_end(const struct parcel *parcel, const struct lb_ctl_parcel_entry *end)
{
    if (is_zero(end->leaf.peer_leaf) || parcel->recipient == NO_LOG ||
        end->log == parcel->recipient)
        return;
    const struct lb_ctl_parcel_entry *entry = named(parcel, end);
    if (entry != NULL && entry->log == parcel->recipient)
        return;
    report(parcel, recipient_has_any(parcel) ? LB_PARCELS_CHANGED : LB_PARCELS_MISSING_RECIPIENT,
           parcel->recipient, end);
}

static bool broker_has(const struct parcel *parcel, size_t log, bool end)
{
    for (size_t i = 0; i < parcel->num; i++) {
        const struct lb_ctl_parcel_entry *entry = &parcel->entries[i];
        if (is_at_broker(parcel, entry) && (log == NO_LOG || entry->log == log) &&
            (end ? is_end(entry) : is(entry, "HELD")))
            return true;
    }
    return false;
}

/* The recipient's names what the broker held. */
static void judge_receipt(const struct parcel *parcel, const struct lb_ctl_parcel_entry *receipt)
{
    const struct lb_ctl_parcel_entry *held = named(parcel, receipt);
    if (is_zero(receipt->leaf.peer_leaf))
        return;
    if (held == NULL || !is_at_broker(parcel, held) || !is(held, "HELD")) {
        report(parcel, broker_has(parcel, NO_LOG, false) ? LB_PARCELS_CHANGED
                                                         : LB_PARCELS_MISSING_BROKER,
               NO_LOG, receipt);
        return;
    }
    if (memcmp(held->leaf.request_hash, receipt->leaf.request_hash, 32) != 0)
        report(parcel, LB_PARCELS_CHANGED, held->log, receipt);
    else if (!broker_has(parcel, held->log, true) &&
             receipt->leaf.time_ms + DAY_MS < parcel->reconcile->now_ms)
        report(parcel, LB_PARCELS_UNCLOSED, held->log, receipt);
}

static void judge(struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->num; i++) {
        const struct lb_ctl_parcel_entry *entry = &parcel->entries[i];
        if (!is_at_broker(parcel, entry) || !is(entry, "HELD"))
            continue;
        parcel->sender = log_of(parcel->reconcile, entry->leaf.policy_hash);
        parcel->recipient = log_of(parcel->reconcile, entry->leaf.answer_hash);
        break;
    }
    for (size_t i = 0; i < parcel->num; i++) {
        const struct lb_ctl_parcel_entry *entry = &parcel->entries[i];
        if (is_at_broker(parcel, entry) && is(entry, "HELD"))
            judge_held(parcel, entry);
        else if (is_end(entry))
            judge_end(parcel, entry);
        else if (is_receipt(parcel, entry))
            judge_receipt(parcel, entry);
    }
}

void lb_ctl_parcels_judge(struct lb_ctl_reconcile *reconcile, struct lb_ctl_parcels *parcels)
{
    if (parcels->num > 0)
        qsort(parcels->entries, parcels->num, sizeof(parcels->entries[0]), by_txn);
    for (size_t begin = 0, end; begin < parcels->num; begin = end) {
        for (end = begin + 1; end < parcels->num &&
                              memcmp(parcels->entries[begin].leaf.txn,
                                     parcels->entries[end].leaf.txn, 16) == 0;)
            end++;
        struct parcel parcel = {reconcile, &parcels->entries[begin], end - begin, NO_LOG, NO_LOG};
        judge(&parcel);
        reconcile->num_parcels++;
    }
}
