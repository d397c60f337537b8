#include "gateway/services/reconcile_round.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/gather.h"
#include "gateway/json/json.h"

#define MINUTE_MS INT64_C(60000)
#define MARK_BYTES 8
#define MAX_PATH_BYTES 4096
#define MAX_ROUND_MINUTES LB_RECONCILE_MAX_MINUTES
/* What is gathered besides, on either side of the range. */
#define MARGIN_MINUTES 6
#define DETAIL_ARENA_BYTES (64U * 1024)

/* What a round has found, kept until it is over: what a lying peer said halfway is no finding. */
struct found {
    struct lb_reconcile_finding shown[LB_RECONCILE_SHOWN];
    const char *shown_of[LB_RECONCILE_SHOWN];  /* the counterpart */
    size_t num_shown;
    uint32_t rest[LB_RECONCILE_NUM_CLASSES];  /* past those shown */
    uint64_t num;
    bool unclosed_only;
    bool but_unclosed;
};

struct noting {
    struct found *found;
    const char *counterpart;
};

static void note(void *arg, const struct lb_reconcile_finding *finding)
{
    const struct noting *noting = arg;
    struct found *found = noting->found;
    bool unclosed = finding->class == LB_RECONCILE_UNCLOSED;
    if (unclosed ? found->but_unclosed : found->unclosed_only)
        return;
    found->num++;
    if (found->num_shown == LB_RECONCILE_SHOWN) {
        found->rest[finding->class]++;
        return;
    }
    found->shown_of[found->num_shown] = noting->counterpart;
    found->shown[found->num_shown++] = *finding;
}

/* --- how far it came --- */

static lb_status mark_path(const struct lb_reconcile_round *round, const char *counterpart,
                           char *out, size_t size)
{
    uint8_t digest[32];
    char hex[65];
    lb_sha256(lb_span_str(counterpart), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    int len = snprintf(out, size, "%s/%s", round->marks, hex);
    LB_ENSURE(len > 0 && (size_t)len < size, LB_FILE_FAILED, "path is too long");
    return LB_OK;
}

static lb_status load_mark(const char *path, int64_t *out_minute)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4096);
    struct lb_span content = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_file_read(path, MARK_BYTES, arena, &content));
    struct lb_cursor cursor = lb_cursor_of(content);
    uint64_t minute = lb_cursor_u64(&cursor);
    LB_TRY(lb_cursor_end(&cursor));
    LB_ENSURE(minute <= INT64_MAX / MINUTE_MS, LB_FILE_FAILED, "how far it came is out of range");
    *out_minute = (int64_t)minute;
    return LB_OK;
}

static lb_status write_mark(const char *path, int64_t minute)
{
    uint8_t bytes[MARK_BYTES];
    for (size_t i = 0; i < MARK_BYTES; i++)
        bytes[i] = (uint8_t)((uint64_t)minute >> (8 * (MARK_BYTES - 1 - i)));
    return lb_file_write(path, lb_span_of(bytes, sizeof(bytes)), 0600);
}

/* Of several, each for itself too, so that those who are left go on from there when one leaves. */
static lb_status save_mark(const struct lb_reconcile_round *round, int64_t minute)
{
    char path[MAX_PATH_BYTES];
    for (size_t i = 0; i < round->num_peers; i++) {
        LB_TRY(mark_path(round, round->peers[i].spiffe, path, sizeof(path)));
        LB_TRY(write_mark(path, minute));
    }
    LB_TRY(mark_path(round, round->counterpart, path, sizeof(path)));
    return write_mark(path, minute);
}

/* How far it came with this counterpart; with several that were never compared together, how far
 * with the one that is furthest behind. ABSENT when it was never compared at all. */
static lb_status find_mark(const struct lb_reconcile_round *round, int64_t *out_minute)
{
    char path[MAX_PATH_BYTES];
    bool any = false;
    LB_TRY(mark_path(round, round->counterpart, path, sizeof(path)));
    if (access(path, F_OK) == 0)
        return load_mark(path, out_minute);
    for (size_t i = 0; i < round->num_peers; i++) {
        int64_t minute = 0;
        LB_TRY(mark_path(round, round->peers[i].spiffe, path, sizeof(path)));
        if (access(path, F_OK) != 0)
            continue;
        LB_TRY(load_mark(path, &minute));
        *out_minute = any && *out_minute < minute ? *out_minute : minute;
        any = true;
    }
    LB_ENSURE(any, LB_ABSENT, "never compared");
    return LB_OK;
}

/* --- telling --- */

static void add_fields(const struct lb_reconcile_finding *finding, struct lb_json *detail)
{
    struct lb_json *fields = lb_json_array();
    for (unsigned bit = 0; bit < LB_RECONCILE_NUM_FIELDS; bit++) {
        if ((finding->fields & 1U << bit) != 0)
            lb_json_append_str(fields, lb_span_str(lb_reconcile_field_name(bit)));
    }
    lb_json_set(detail, "fields", fields);
}

static lb_status write_detail(const char *counterpart, const struct lb_reconcile_finding *finding,
                              struct lb_arena *arena, struct lb_span *out)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "counterpart", counterpart);
    lb_json_set_int(detail, "at_ms", finding->time_ms);
    if (finding->has_broker)
        lb_json_set_int(detail, "broker_index", (int64_t)finding->broker_index);
    if (finding->has_adapter)
        lb_json_set_int(detail, "adapter_index", (int64_t)finding->adapter_index);
    add_fields(finding, detail);
    return lb_json_dump(detail, LB_JSON_COMPACT, arena, out);
}

/* An entry about a counterpart, for the caller to complete. */
static struct lb_log_entry *entry_about(const char *counterpart)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    struct lb_hash hash;
    if (entry == NULL)
        return NULL;
    lb_reconcile_counterpart(counterpart, &hash);
    entry->leaf.type = LB_LEAF_REVIEW;
    memcpy(entry->leaf.peer_leaf, hash.bytes, LB_HASH_BYTES);
    return entry;
}

static lb_status append(const struct lb_reconcile_round *round, enum lb_reconcile_class class,
                        struct lb_log_entry *entry)
{
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s",
                   lb_reconcile_class_name(class));
    lb_status status = lb_log_append_wait(round->log, entry);
    free(entry);
    return status;
}

static lb_status tell(const struct lb_reconcile_round *round, const char *counterpart,
                      const struct lb_reconcile_finding *finding)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(DETAIL_ARENA_BYTES);
    struct lb_span detail = LB_SPAN_EMPTY;
    char txn[33];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_hex_encode(lb_span_of(finding->txn, sizeof(finding->txn)), txn);
    lb_log_event(LB_LOG_ERROR, "reconcile_difference",
                 "\"class\":\"%s\",\"counterpart\":\"%s\",\"txn\":\"%s\",\"broker_index\":%lld,"
                 "\"adapter_index\":%lld",
                 lb_reconcile_class_name(finding->class), counterpart, txn,
                 finding->has_broker ? (long long)finding->broker_index : -1,
                 finding->has_adapter ? (long long)finding->adapter_index : -1);
    LB_TRY(write_detail(counterpart, finding, arena, &detail));
    struct lb_log_entry *entry = entry_about(counterpart);
    if (entry != NULL) {
        entry->leaf.count = 1;
        memcpy(entry->leaf.txn, finding->txn, sizeof(entry->leaf.txn));
        entry->detail = detail;
    }
    return append(round, finding->class, entry);
}

static lb_status tell_all(const struct lb_reconcile_round *round, const struct found *found)
{
    for (size_t i = 0; i < found->num_shown; i++)
        LB_TRY(tell(round, found->shown_of[i], &found->shown[i]));
    for (int class = 0; class < LB_RECONCILE_NUM_CLASSES; class++) {
        if (found->rest[class] == 0)
            continue;
        lb_log_event(LB_LOG_ERROR, "reconcile_differences",
                     "\"class\":\"%s\",\"counterpart\":\"%s\",\"count\":%u",
                     lb_reconcile_class_name((enum lb_reconcile_class)class), round->counterpart,
                     found->rest[class]);
        struct lb_log_entry *entry = entry_about(round->counterpart);
        if (entry != NULL)
            entry->leaf.count = found->rest[class];
        LB_TRY(append(round, (enum lb_reconcile_class)class, entry));
    }
    return LB_OK;
}

/* --- comparing --- */

static lb_status gather(const struct lb_reconcile_round *round, int64_t from, int64_t to,
                        bool part, struct lb_reconcile_set *out)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set all = {.entries = NULL};
    struct lb_log_reader *reader = NULL;
    struct lb_diag diag;
    struct lb_hash counterpart;
    LB_TRY(lb_log_reader_open(round->folder, &diag, &reader));
    lb_status status = lb_reconcile_gather(reader, (from - MARGIN_MINUTES) * MINUTE_MS,
                                           (to + MARGIN_MINUTES) * MINUTE_MS, &all);
    lb_log_reader_close(reader);
    LB_TRY(status);
    if (part) {
        lb_reconcile_counterpart(round->counterpart, &counterpart);
        return lb_reconcile_set_part(&all, &counterpart, 1, NULL, out);
    }
    *out = all;
    all.entries = NULL;
    return LB_OK;
}

static lb_status compare(const struct lb_reconcile_round *round, int64_t from, int64_t to,
                         struct found *found)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set set = {.entries = NULL};
    LB_TRY(gather(round, from, to, round->is_broker, &set));
    const struct lb_reconcile_local local = {&set, lb_clock_unix_ms(round->clock)};
    struct noting noting = {found, round->counterpart};
    struct lb_reconcile_run run = {
        .broker = lb_reconcile_local_side(&local),
        .adapter = lb_reconcile_remote_side(round->remote),
        .from_minute = from,
        .to_minute = to,
        .now_ms = local.now_ms,
        .found = note,
        .arg = &noting,
    };
    if (!round->is_broker) {
        run.broker = lb_reconcile_remote_side(round->remote);
        run.adapter = lb_reconcile_local_side(&local);
    }
    return lb_reconcile_compare(&run);
}

static lb_status compare_several(const struct lb_reconcile_round *round, int64_t from, int64_t to,
                                 struct found *found)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set set = {.entries = NULL};
    struct lb_reconcile_side brokers[LB_RECONCILE_MAX_PEERS];
    struct lb_reconcile_run runs[LB_RECONCILE_MAX_PEERS];
    struct noting notings[LB_RECONCILE_MAX_PEERS];
    LB_TRY(gather(round, from, to, false, &set));
    const struct lb_reconcile_local local = {&set, lb_clock_unix_ms(round->clock)};
    for (size_t i = 0; i < round->num_peers; i++) {
        notings[i] = (struct noting){found, round->peers[i].spiffe};
        brokers[i] = lb_reconcile_remote_side(round->peers[i].remote);
        runs[i] = (struct lb_reconcile_run){.found = note, .arg = &notings[i]};
    }
    const struct lb_reconcile_several several = {
        .adapter = lb_reconcile_local_side(&local),
        .brokers = brokers,
        .num_brokers = round->num_peers,
        .from_minute = from,
        .to_minute = to,
        .now_ms = local.now_ms,
        .runs = runs,
    };
    return lb_reconcile_several_run(&several);
}

static lb_status look_for_unclosed(const struct lb_reconcile_round *round, int64_t from,
                                   int64_t to, struct found *found)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set set = {.entries = NULL};
    const struct lb_reconcile_set nothing = {.entries = NULL};
    bool all[MAX_ROUND_MINUTES];
    struct noting noting = {found, round->counterpart};
    memset(all, true, sizeof(all));
    LB_TRY(gather(round, from, to, false, &set));
    struct lb_reconcile_case judged = {
        .broker = &set,
        .adapter = &nothing,
        .first_minute = from,
        .num_minutes = (size_t)(to - from),
        .wanted = all,
        .now_ms = lb_clock_unix_ms(round->clock),
        .found = note,
        .arg = &noting,
    };
    return lb_reconcile_judge(&judged);
}

typedef lb_status look(const struct lb_reconcile_round *round, int64_t from, int64_t to,
                       struct found *found);

/* Looks at as much as fits: where too much was logged for one piece, at less of it. */
static lb_status look_at(struct lb_reconcile_round *round, look *how, int64_t from, int64_t *to,
                         struct found *found)
{
    const struct found fresh = *found;
    for (;;) {
        lb_status status = how(round, from, *to, found);
        if (lb_status_code(status) != LB_TOO_LARGE || *to == from + 1)
            return status;
        *found = fresh;
        *to = from + (*to - from + 7) / 8;
    }
}

static lb_status run(struct lb_reconcile_round *round, look *how, struct found *found)
{
    int64_t from = 0;
    int64_t now = lb_reconcile_minute(lb_clock_unix_ms(round->clock));
    round->num_found = 0;
    round->behind_minutes = 0;
    lb_status known = find_mark(round, &from);
    if (lb_status_code(known) == LB_ABSENT)
        return save_mark(round, now);
    LB_TRY(known);
    int64_t to = now - LB_RECONCILE_SETTLE_MINUTES;
    if (from >= to)
        return LB_OK;
    round->behind_minutes = to - from;
    if (to - from > MAX_ROUND_MINUTES)
        to = from + MAX_ROUND_MINUTES;
    LB_TRY(look_at(round, how, from, &to, found));
    round->num_found = found->num;
    LB_TRY(tell_all(round, found));
    round->behind_minutes -= to - from;
    return save_mark(round, to);
}

static lb_status run_with(struct lb_reconcile_round *round, look *how, bool unclosed_only)
{
    struct found *found = calloc(1, sizeof(*found));
    LB_ENSURE(found != NULL, LB_NO_MEMORY, "what is found");
    found->unclosed_only = unclosed_only;
    found->but_unclosed = !unclosed_only && round->is_broker;
    lb_status status = run(round, how, found);
    free(found);
    return status;
}

lb_status lb_reconcile_round_run(struct lb_reconcile_round *round)
{
    return run_with(round, compare, false);
}

lb_status lb_reconcile_round_several(struct lb_reconcile_round *round)
{
    LB_ENSURE(!round->is_broker && round->num_peers > 0 &&
                  round->num_peers <= LB_RECONCILE_MAX_PEERS,
              LB_TOO_LARGE, "too many brokers to compare with");
    round->counterpart = LB_RECONCILE_ALL_BROKERS;
    return run_with(round, compare_several, false);
}

lb_status lb_reconcile_round_own(struct lb_reconcile_round *round)
{
    return run_with(round, look_for_unclosed, true);
}
