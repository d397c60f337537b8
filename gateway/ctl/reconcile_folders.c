#include "gateway/ctl/reconcile_parcels.h"
#include "gateway/evidence/gather.h"

/* Logs that lie in folders: an auditor's copies, or the nodes' own. */

#define MINUTE_MS INT64_C(60000)
/* No range goes further back: an insider's entry of the year 1970 must not make it endless. */
#define MAX_RANGE_MINUTES (INT64_C(10) * 366 * 24 * 60)
#define MARGIN_MS (6 * MINUTE_MS)

static lb_status read_folder(struct lb_ctl_reconcile *reconcile, const char *folder,
                             struct lb_log_reader *reader, struct lb_ctl_reconcile_log *out)
{
    const char *origin = NULL;
    const char *federation = NULL;
    const char *organization = NULL;
    LB_TRY(lb_log_reader_origin(reader, reconcile->arena, &origin));
    const char *spiffe = lb_spiffe_of_log(origin, reconcile->arena);
    LB_ENSURE(spiffe != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (lb_spiffe_parse(spiffe, reconcile->arena, &federation, &out->kind, &organization) != LB_OK)
        LB_FAIL(LB_CONFIG_INVALID, "its log is no node's of a federation");
    out->folder = folder;
    out->spiffe = spiffe;
    int64_t from = reconcile->from_ms < MARGIN_MS ? 0 : reconcile->from_ms - MARGIN_MS;
    int64_t to = reconcile->to_ms > INT64_MAX - MARGIN_MS ? INT64_MAX
                                                          : reconcile->to_ms + MARGIN_MS;
    LB_TRY(lb_reconcile_gather_all(reader, from, to, &out->set));
    return reconcile->parcels == NULL
               ? LB_OK
               : lb_ctl_parcels_gather(reader, (size_t)(out - reconcile->logs),
                                       reconcile->parcels);
}

lb_status lb_ctl_reconcile_open(struct lb_ctl_reconcile *reconcile, const char *folder,
                                struct lb_ctl_reconcile_log *out)
{
    struct lb_log_reader *reader = NULL;
    LB_TRY(lb_log_reader_open(folder, &reconcile->diag, &reader));
    lb_status status = read_folder(reconcile, folder, reader, out);
    if (status != LB_OK && lb_log_reader_trouble(reader) != NULL)
        lb_diag_set(&reconcile->diag, "%s: %s", folder, lb_log_reader_trouble(reader));
    lb_log_reader_close(reader);
    if (lb_status_code(status) == LB_TOO_LARGE)
        lb_diag_set(&reconcile->diag, "%s: more entries than one run takes; give --since and"
                                      " --until", folder);
    else if (status != LB_OK)
        lb_diag_set(&reconcile->diag, "%s: %s; run `lianban log verify` on it", folder,
                    status->what);
    return status;
}

/* --- the range --- */

static void stretch(const struct lb_reconcile_set *set, int64_t *earliest, int64_t *latest)
{
    for (size_t i = 0; i < set->num; i++) {
        int64_t time_ms = set->entries[i].time_ms;
        *earliest = time_ms < *earliest ? time_ms : *earliest;
        *latest = time_ms > *latest ? time_ms : *latest;
    }
}

/* The range asked for, as far as there are entries. */
static void cut_range(struct lb_ctl_reconcile *reconcile)
{
    int64_t earliest = INT64_MAX;
    int64_t latest = 0;
    for (size_t i = 0; i < reconcile->folders.num; i++)
        stretch(&reconcile->logs[i].set, &earliest, &latest);
    int64_t tomorrow = reconcile->now_ms + INT64_C(24) * 60 * MINUTE_MS;
    latest = latest < tomorrow ? latest : tomorrow;
    if (reconcile->to_ms > latest)
        reconcile->to_ms = latest + MINUTE_MS;
    if (reconcile->from_ms < earliest && earliest <= latest)
        reconcile->from_ms = earliest;
    if (reconcile->to_ms - reconcile->from_ms > MAX_RANGE_MINUTES * MINUTE_MS)
        reconcile->from_ms = reconcile->to_ms - MAX_RANGE_MINUTES * MINUTE_MS;
}

/* --- what no adapter's log has to do with --- */

static bool is_at_an_adapter(const struct lb_ctl_reconcile *reconcile, const uint8_t txn[16])
{
    for (size_t i = 0; i < reconcile->folders.num; i++) {
        const struct lb_ctl_reconcile_log *log = &reconcile->logs[i];
        if (log->kind == LB_NODE_ADAPTER && lb_reconcile_has_txn(&log->set, txn))
            return true;
    }
    return false;
}

static bool goes_to_an_adapter(const struct lb_ctl_reconcile *reconcile,
                               const struct lb_reconcile_entry *route)
{
    for (size_t i = 0; i < reconcile->folders.num; i++) {
        struct lb_hash counterpart;
        if (reconcile->logs[i].kind != LB_NODE_ADAPTER)
            continue;
        lb_reconcile_counterpart(reconcile->logs[i].spiffe, &counterpart);
        if (memcmp(counterpart.bytes, route->peer_leaf, LB_HASH_BYTES) == 0)
            return true;
    }
    return false;
}

/* A read that was routed elsewhere is counted; one that was delivered and never routed is a
 * difference within the broker's own log. */
static void look_at_rest(struct lb_ctl_reconcile *reconcile, const struct lb_reconcile_set *broker,
                         size_t begin, size_t end)
{
    const struct lb_reconcile_entry *first = &broker->entries[begin];
    bool routed = false;
    for (size_t i = begin; i < end; i++) {
        const struct lb_reconcile_entry *entry = &broker->entries[i];
        if (entry->type == LB_LEAF_ROUTE && goes_to_an_adapter(reconcile, entry))
            return;
        routed = routed || entry->type == LB_LEAF_ROUTE;
    }
    if (first->time_ms < reconcile->from_ms || first->time_ms >= reconcile->to_ms)
        return;
    if (routed) {
        reconcile->num_not_compared++;
        return;
    }
    struct lb_reconcile_finding finding = {.class = LB_RECONCILE_MISSING_BROKER,
                                           .time_ms = first->time_ms,
                                           .has_broker = true,
                                           .broker_index = first->index};
    memcpy(finding.txn, first->txn, sizeof(finding.txn));
    if (!is_at_an_adapter(reconcile, first->txn))
        lb_ctl_reconcile_keep(reconcile, "", &finding);
}

/* --- the work --- */

/* The brokers' logs, and of each what has to do with one adapter. */
struct brokers {
    size_t num;
    const struct lb_ctl_reconcile_log *logs[LB_CTL_RECONCILE_BROKERS];
    const char *names[LB_CTL_RECONCILE_BROKERS];
    struct lb_reconcile_set parts[LB_CTL_RECONCILE_BROKERS];
};

static void drop_parts(struct brokers *brokers)
{
    for (size_t i = 0; i < brokers->num; i++)
        lb_reconcile_set_free(&brokers->parts[i]);
}

static lb_status compare_parts(struct lb_ctl_reconcile *reconcile, struct brokers *brokers,
                               const struct lb_ctl_reconcile_log *adapter)
{
    struct lb_reconcile_local locals[LB_CTL_RECONCILE_BROKERS];
    struct lb_reconcile_side sides[LB_CTL_RECONCILE_BROKERS];
    struct lb_hash counterpart;
    lb_reconcile_counterpart(adapter->spiffe, &counterpart);
    for (size_t i = 0; i < brokers->num; i++) {
        LB_TRY(lb_reconcile_set_part(&brokers->logs[i]->set, &counterpart, 1, &adapter->set,
                                     &brokers->parts[i]));
        locals[i] = (struct lb_reconcile_local){&brokers->parts[i], reconcile->now_ms};
        sides[i] = lb_reconcile_local_side(&locals[i]);
    }
    const struct lb_reconcile_local at_adapter = {&adapter->set, reconcile->now_ms};
    if (brokers->num > 1)
        return lb_ctl_reconcile_several(reconcile, brokers->names, sides, brokers->num,
                                        adapter->spiffe, lb_reconcile_local_side(&at_adapter));
    return lb_ctl_reconcile_add(reconcile, brokers->names[0], adapter->spiffe, sides[0],
                                lb_reconcile_local_side(&at_adapter));
}

static lb_status compare(struct lb_ctl_reconcile *reconcile, struct brokers *brokers,
                         const struct lb_ctl_reconcile_log *adapter)
{
    lb_status status = compare_parts(reconcile, brokers, adapter);
    drop_parts(brokers);
    return status;
}

static lb_status check_kinds(struct lb_ctl_reconcile *reconcile, struct brokers *out)
{
    size_t num_brokers = 0;
    size_t num_adapters = 0;
    size_t num_windows = 0;
    for (size_t i = 0; i < reconcile->folders.num; i++) {
        const struct lb_ctl_reconcile_log *log = &reconcile->logs[i];
        num_adapters += log->kind == LB_NODE_ADAPTER;
        num_windows += log->kind == LB_NODE_WINDOW;
        if (log->kind == LB_NODE_BROKER && num_brokers++ < LB_CTL_RECONCILE_BROKERS) {
            out->names[out->num] = log->spiffe;
            out->logs[out->num++] = log;
        }
    }
    bool fits = num_brokers > 0 && num_brokers <= LB_CTL_RECONCILE_BROKERS && num_adapters > 0;
    if (!fits || num_brokers + num_adapters + num_windows != reconcile->folders.num) {
        lb_diag_set(&reconcile->diag, "give the logs of brokers, at most %d, and those of"
                                      " adapters, windows' if you like; here are %zu and %zu of"
                                      " %zu",
                    LB_CTL_RECONCILE_BROKERS, num_brokers, num_adapters, reconcile->folders.num);
        LB_FAIL(LB_CONFIG_INVALID, "not a broker's log and adapters'");
    }
    return LB_OK;
}

static lb_status compare_all(struct lb_ctl_reconcile *reconcile)
{
    struct brokers brokers = {.num = 0};
    for (size_t i = 0; i < reconcile->folders.num; i++)
        LB_TRY(lb_ctl_reconcile_open(reconcile, reconcile->folders.items[i],
                                     &reconcile->logs[i]));
    LB_TRY(check_kinds(reconcile, &brokers));
    lb_ctl_parcels_judge(reconcile, reconcile->parcels);
    cut_range(reconcile);
    if (reconcile->from_ms >= reconcile->to_ms)
        return LB_OK;
    for (size_t i = 0; i < reconcile->folders.num; i++) {
        if (reconcile->logs[i].kind == LB_NODE_ADAPTER)
            LB_TRY(compare(reconcile, &brokers, &reconcile->logs[i]));
    }
    for (size_t i = 0; i < brokers.num; i++) {
        const struct lb_reconcile_set *set = &brokers.logs[i]->set;
        for (size_t begin = 0, end; begin < set->num; begin = end) {
            end = lb_reconcile_group(set, begin);
            look_at_rest(reconcile, set, begin, end);
        }
    }
    return LB_OK;
}

lb_status lb_ctl_reconcile_folders(struct lb_ctl_reconcile *reconcile)
{
    LB_DEFER(lb_ctl_parcels_free) struct lb_ctl_parcels parcels = {.entries = NULL};
    reconcile->parcels = &parcels;
    lb_status status = compare_all(reconcile);
    reconcile->parcels = NULL;
    return status;
}
