#include "gateway/evidence/reconcile.h"

#include <stdlib.h>

/* Judging one txn after another, both sets sorted. */

struct class_text {
    const char *name;
    const char *en;
    const char *zh;
};

static const struct class_text CLASSES[LB_RECONCILE_NUM_CLASSES] = {
    [LB_RECONCILE_MATCH] = {"MATCH", "Both sides say the same.", "双方记录一致。"},
    [LB_RECONCILE_MISSING_BROKER] =
        {"MISSING_BROKER",
         "The department answered a read that the broker has no entry of. Verify the broker's log "
         "against its witnesses and the requester's receipt: an entry was removed there, or the "
         "department's was invented.",
         "部门答复过的查询在中转方没有记录。请对照见证方与请求方回执验证中转方日志：其记录被删除，"
         "或部门记录系伪造。"},
    [LB_RECONCILE_MISSING_ADAPTER] =
        {"MISSING_ADAPTER",
         "The broker relayed an answer that the department has no entry of. Verify the department's"
         " log against its witnesses: an entry was removed there, or the log was replaced or set "
         "back.",
         "中转方交付过的答复在部门没有记录。请对照见证方验证部门日志：记录被删除，或日志被替换、回退。"},
    [LB_RECONCILE_FIELD_DIFF] =
        {"FIELD_DIFF",
         "The two entries say different things about one read (code, views or request). Compare"
         " both with the requester's receipt: one side rewrote its entry.",
         "双方对同一查询的记录内容不同（代码、视图或请求）。请与请求方回执比对：有一方改写了记录。"},
    [LB_RECONCILE_DIGEST_DIFF] =
        {"DIGEST_DIFF",
         "An entry is no longer the one that the other side names by its hash, or the answer is "
         "another. Verify both logs against their witnesses: one side rewrote its entry.",
         "记录已不是对方以摘要指明的那一条，或答复不同。请对照见证方验证双方日志：有一方改写了记录。"},
    [LB_RECONCILE_POLICY_DIFF] =
        {"POLICY_DIFF",
         "The department's entry names another policy than the one it answered under. Ask the "
         "department for the policy of that time, and verify its log.",
         "部门记录所载策略与答复时的策略不同。请向部门索取当时的策略，并验证其日志。"},
    [LB_RECONCILE_CLOCK_SKEW] =
        {"CLOCK_SKEW",
         "The entries agree, but their times cannot both be right. Set both nodes' clocks by one "
         "source.",
         "记录一致但时间矛盾。请让双方时钟与同一时间源同步。"},
    [LB_RECONCILE_UNCLOSED] =
        {"UNCLOSED",
         "The broker routed a read and says neither that it was answered nor that it failed. Did"
         " the broker stop then? If not, an entry was removed from its log: verify it.",
         "中转方转发了查询，却既无交付也无失败记录。当时中转方是否停机？若否，其日志记录被删除，请验证。"},
};

const char *lb_reconcile_class_name(enum lb_reconcile_class class)
{
    return class < LB_RECONCILE_NUM_CLASSES ? CLASSES[class].name : "UNKNOWN";
}

const char *lb_reconcile_class_en(enum lb_reconcile_class class)
{
    return class < LB_RECONCILE_NUM_CLASSES ? CLASSES[class].en : "";
}

const char *lb_reconcile_class_zh(enum lb_reconcile_class class)
{
    return class < LB_RECONCILE_NUM_CLASSES ? CLASSES[class].zh : "";
}

const char *lb_reconcile_field_name(unsigned bit)
{
    static const char *const names[LB_RECONCILE_NUM_FIELDS] = {
        "code", "views", "request", "answer", "policy", "read_leaf", "route_leaf", "time"};
    return bit < LB_RECONCILE_NUM_FIELDS ? names[bit] : "";
}

bool lb_reconcile_is_overdue(int64_t route_ms, int64_t now_ms)
{
    return now_ms - route_ms > LB_MAX_DEADLINE_MS + LB_UNCLOSED_GRACE_S * INT64_C(1000);
}

/* --- one txn --- */

struct half {
    const struct lb_reconcile_entry *entry;
    bool used;
};

/* One txn's entries by kind: reads and routes by their hash, so that each is found by its name. */
struct txn {
    struct lb_reconcile_case *judged;
    struct half *reads;
    size_t num_reads;
    struct half *routes;
    size_t num_routes;
    struct half *closes;   /* DELIVER first, then FAILURE; each by index */
    size_t num_delivers;
    size_t num_failures;
    size_t next_unused;    /* no read before it is free */
};

static int by_hash(const void *left, const void *right)
{
    const struct half *a = left;
    const struct half *b = right;
    return memcmp(a->entry->hash.bytes, b->entry->hash.bytes, LB_HASH_BYTES);
}

/* Finds by hash among sorted halves; of several that are the same, the first that is free. */
static struct half *find(struct half *halves, size_t num, const uint8_t hash[32])
{
    size_t low = 0;
    size_t high = num;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(halves[middle].entry->hash.bytes, hash, LB_HASH_BYTES) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < num && memcmp(halves[low].entry->hash.bytes, hash, LB_HASH_BYTES) == 0; low++) {
        if (!halves[low].used)
            return &halves[low];
    }
    return NULL;
}

static enum lb_reconcile_class class_of(unsigned fields)
{
    if ((fields & (LB_RECONCILE_CODE | LB_RECONCILE_VIEWS | LB_RECONCILE_REQUEST)) != 0)
        return LB_RECONCILE_FIELD_DIFF;
    if ((fields & LB_RECONCILE_POLICY) != 0)
        return LB_RECONCILE_POLICY_DIFF;
    if ((fields & (LB_RECONCILE_ANSWER | LB_RECONCILE_READ_LEAF | LB_RECONCILE_ROUTE_LEAF)) != 0)
        return LB_RECONCILE_DIGEST_DIFF;
    return (fields & LB_RECONCILE_TIME) != 0 ? LB_RECONCILE_CLOCK_SKEW : LB_RECONCILE_MATCH;
}

static bool is_within(const struct lb_reconcile_case *judged, int64_t time_ms)
{
    int64_t at = lb_reconcile_minute(time_ms) - judged->first_minute;
    return at >= 0 && (uint64_t)at < judged->num_minutes && judged->wanted[at];
}

/* What was found, at the time of `at`, one of the two. */
static void report(struct txn *txn, enum lb_reconcile_class class, unsigned fields,
                   const struct lb_reconcile_entry *at, const struct lb_reconcile_entry *other)
{
    struct lb_reconcile_case *judged = txn->judged;
    const struct lb_reconcile_entry *adapter = at->type == LB_LEAF_READ ? at : other;
    const struct lb_reconcile_entry *broker = at->type == LB_LEAF_READ ? other : at;
    if (!is_within(judged, at->time_ms))
        return;
    judged->tally.counts[class]++;
    if (class == LB_RECONCILE_MATCH)
        return;
    struct lb_reconcile_finding finding = {
        .class = class,
        .time_ms = at->time_ms,
        .has_broker = broker != NULL,
        .has_adapter = adapter != NULL,
        .broker_index = broker != NULL ? broker->index : 0,
        .adapter_index = adapter != NULL ? adapter->index : 0,
        .fields = fields,
    };
    memcpy(finding.txn, at->txn, sizeof(finding.txn));
    judged->found(judged->arg, &finding);
}

static bool is_zero(const uint8_t hash[32])
{
    static const uint8_t zeros[32];
    return memcmp(hash, zeros, sizeof(zeros)) == 0;
}

static unsigned differing(const struct lb_reconcile_entry *deliver,
                          const struct lb_reconcile_entry *read)
{
    unsigned fields = 0;
    if (strcmp(deliver->code, read->code) != 0)
        fields |= LB_RECONCILE_CODE;
    if (memcmp(deliver->views_hash, read->views_hash, 32) != 0)
        fields |= LB_RECONCILE_VIEWS;
    if (memcmp(deliver->request_hash, read->request_hash, 32) != 0)
        fields |= LB_RECONCILE_REQUEST;
    if (memcmp(deliver->answer_hash, read->answer_hash, 32) != 0)
        fields |= LB_RECONCILE_ANSWER;
    if (!is_zero(deliver->policy_hash) && memcmp(deliver->policy_hash, read->policy_hash, 32) != 0)
        fields |= LB_RECONCILE_POLICY;
    if (memcmp(deliver->peer_leaf, read->hash.bytes, 32) != 0)
        fields |= LB_RECONCILE_READ_LEAF;
    if (read->time_ms > deliver->time_ms + LB_RECONCILE_SKEW_MS)
        fields |= LB_RECONCILE_TIME;
    return fields;
}

/* What an adapter's entry says of the broker's ROUTE entry. */
static unsigned route_of(struct txn *txn, const struct lb_reconcile_entry *read)
{
    struct half *route = find(txn->routes, txn->num_routes, read->peer_leaf);
    if (route == NULL)
        return LB_RECONCILE_ROUTE_LEAF;
    route->used = true;
    bool early = read->time_ms + LB_RECONCILE_SKEW_MS < route->entry->time_ms;
    return early ? LB_RECONCILE_TIME : 0;
}

static void judge_pair(struct txn *txn, const struct lb_reconcile_entry *deliver,
                       struct half *read)
{
    read->used = true;
    unsigned fields = differing(deliver, read->entry) | route_of(txn, read->entry);
    bool routed = txn->num_routes > 0;
    report(txn, routed ? class_of(fields) : LB_RECONCILE_MISSING_BROKER, fields, deliver,
           read->entry);
}

static struct half *next_free(struct txn *txn)
{
    while (txn->next_unused < txn->num_reads && txn->reads[txn->next_unused].used)
        txn->next_unused++;
    return txn->next_unused < txn->num_reads ? &txn->reads[txn->next_unused] : NULL;
}

static void judge_delivers(struct txn *txn)
{
    for (size_t i = 0; i < txn->num_delivers; i++) {
        struct half *close = &txn->closes[i];
        struct half *read = find(txn->reads, txn->num_reads, close->entry->peer_leaf);
        close->used = read != NULL;
        if (read != NULL)
            judge_pair(txn, close->entry, read);
    }
    for (size_t i = 0; i < txn->num_delivers; i++) {
        const struct lb_reconcile_entry *deliver = txn->closes[i].entry;
        if (txn->closes[i].used)
            continue;
        struct half *read = next_free(txn);
        if (read != NULL)
            judge_pair(txn, deliver, read);
        else
            report(txn, txn->num_routes > 0 ? LB_RECONCILE_MISSING_ADAPTER
                                            : LB_RECONCILE_MISSING_BROKER, 0, deliver, NULL);
    }
}

/* A read that was not relayed: its answer came too late, or never arrived, or is still awaited. */
static void judge_undelivered(struct txn *txn, const struct half *half)
{
    const struct lb_reconcile_entry *read = half->entry;
    const struct lb_reconcile_entry *route = txn->num_routes > 0 ? txn->routes[0].entry : NULL;
    unsigned fields = route_of(txn, read);
    if (route == NULL) {
        report(txn, LB_RECONCILE_MISSING_BROKER, 0, read, NULL);
    } else if ((fields & LB_RECONCILE_ROUTE_LEAF) != 0) {
        report(txn, LB_RECONCILE_DIGEST_DIFF, fields, read, route);
    } else if (txn->num_failures > 0) {
        txn->num_failures--;
        report(txn, class_of(fields), fields, read, route);
        txn->judged->tally.late += is_within(txn->judged, read->time_ms);
    }
}

static int by_index(const void *left, const void *right)
{
    const struct half *a = left;
    const struct half *b = right;
    return a->entry->index < b->entry->index ? -1 : a->entry->index > b->entry->index;
}

/* Each ROUTE entry has one that closes it; those left over, the newest first, are open. */
static void judge_open(struct txn *txn, size_t num_closes)
{
    qsort(txn->routes, txn->num_routes, sizeof(txn->routes[0]), by_index);
    for (size_t i = num_closes; i < txn->num_routes; i++) {
        const struct lb_reconcile_entry *route = txn->routes[i].entry;
        const struct half *read = txn->num_reads > 0 ? &txn->reads[0] : NULL;
        if (lb_reconcile_is_overdue(route->time_ms, txn->judged->now_ms))
            report(txn, LB_RECONCILE_UNCLOSED, 0, route, read == NULL ? NULL : read->entry);
        else if (is_within(txn->judged, route->time_ms))
            txn->judged->tally.open++;
    }
}

static void judge_txn(struct txn *txn)
{
    size_t num_closes = txn->num_delivers + txn->num_failures;
    qsort(txn->reads, txn->num_reads, sizeof(txn->reads[0]), by_hash);
    qsort(txn->routes, txn->num_routes, sizeof(txn->routes[0]), by_hash);
    judge_delivers(txn);
    for (size_t i = 0; i < txn->num_reads; i++) {
        if (!txn->reads[i].used)
            judge_undelivered(txn, &txn->reads[i]);
    }
    judge_open(txn, num_closes);
}

/* --- all of them --- */

/* Where the walk through both sets stands; the halves' arrays are as large as the sets. */
struct walk {
    struct lb_reconcile_case *judged;
    struct half *adapter;
    struct half *routes;
    struct half *closes;
};

static void free_walk(struct walk *walk)
{
    free(walk->adapter);
    free(walk->routes);
    free(walk->closes);
}

static void take_adapter(const struct walk *walk, size_t begin, size_t end, struct txn *txn)
{
    for (size_t i = begin; i < end; i++) {
        const struct lb_reconcile_entry *entry = &walk->judged->adapter->entries[i];
        if (entry->type == LB_LEAF_READ)
            txn->reads[txn->num_reads++] = (struct half){.entry = entry};
    }
}

static void take_closes(const struct lb_reconcile_set *set, size_t begin, size_t end,
                        enum lb_leaf_type type, struct half *closes, size_t *num)
{
    for (size_t i = begin; i < end; i++) {
        if (set->entries[i].type == type)
            closes[(*num)++] = (struct half){.entry = &set->entries[i]};
    }
}

static void take_broker(const struct walk *walk, size_t begin, size_t end, struct txn *txn)
{
    const struct lb_reconcile_set *set = walk->judged->broker;
    take_closes(set, begin, end, LB_LEAF_ROUTE, txn->routes, &txn->num_routes);
    take_closes(set, begin, end, LB_LEAF_DELIVER, txn->closes, &txn->num_delivers);
    take_closes(set, begin, end, LB_LEAF_FAILURE, txn->closes + txn->num_delivers,
                &txn->num_failures);
}

static int order_at(const struct lb_reconcile_case *judged, size_t broker, size_t adapter)
{
    if (broker == judged->broker->num)
        return 1;
    if (adapter == judged->adapter->num)
        return -1;
    return memcmp(judged->broker->entries[broker].txn, judged->adapter->entries[adapter].txn, 16);
}

static void run_walk(const struct walk *walk)
{
    const struct lb_reconcile_case *judged = walk->judged;
    size_t broker = 0;
    size_t adapter = 0;
    while (broker < judged->broker->num || adapter < judged->adapter->num) {
        struct txn txn = {.judged = walk->judged, .reads = walk->adapter,
                          .routes = walk->routes, .closes = walk->closes};
        int order = order_at(judged, broker, adapter);
        size_t broker_end = order <= 0 ? lb_reconcile_group(judged->broker, broker) : broker;
        size_t adapter_end = order >= 0 ? lb_reconcile_group(judged->adapter, adapter) : adapter;
        take_broker(walk, broker, broker_end, &txn);
        take_adapter(walk, adapter, adapter_end, &txn);
        judge_txn(&txn);
        broker = broker_end;
        adapter = adapter_end;
    }
}

lb_status lb_reconcile_judge(struct lb_reconcile_case *judged)
{
    LB_DEFER(free_walk) struct walk walk = {
        .judged = judged,
        .adapter = calloc(judged->adapter->num + 1, sizeof(struct half)),
        .routes = calloc(judged->broker->num + 1, sizeof(struct half)),
        .closes = calloc(judged->broker->num + 1, sizeof(struct half)),
    };
    LB_ENSURE(walk.adapter != NULL && walk.routes != NULL && walk.closes != NULL, LB_NO_MEMORY,
              "entries to compare");
    run_walk(&walk);
    return LB_OK;
}
