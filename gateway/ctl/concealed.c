#include "gateway/ctl/concealed.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/hex.h"
#include "gateway/json/json.h"

#define MAX_ITEMS 1024
#define APPROVE_MS (7 * 24 * INT64_C(3600000))

/* --- acts --- */

/* What an officer's entry asked: the query is one JSON object, and who asked is its officer. */
struct act {
    struct lb_json *note;
    struct lb_json *query;
    struct lb_span officer;
};

static void close_act(struct act *act)
{
    lb_json_free(act->note);
    lb_json_free(act->query);
}

static bool open_act(const struct lb_audit_row *row, struct act *out)
{
    struct lb_span query = LB_SPAN_EMPTY;
    *out = (struct act){.note = NULL};
    return lb_json_parse(lb_span_str(row->note), &out->note) == LB_OK &&
           lb_json_get_str(out->note, "officer", &out->officer) == LB_OK &&
           lb_json_get_str(out->note, "query", &query) == LB_OK &&
           lb_json_parse(query, &out->query) == LB_OK && lb_json_is_object(out->query);
}

struct loading {
    int64_t since_ms;  /* 0: ever */
    struct lb_arena *arena;
    struct lb_ctl_concealments *list;
};

static lb_status copy(const struct loading *loading, struct lb_span text, const char **out)
{
    *out = lb_arena_str(loading->arena, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status take_asking(struct loading *loading, const struct lb_audit_row *row,
                             const struct act *act)
{
    struct lb_ctl_concealments *list = loading->list;
    struct lb_ctl_concealment item = {
        .entry = row->index, .asked_ms = row->time_ms, .approver = "", .lifted_by = ""};
    struct lb_span what = LB_SPAN_EMPTY, value = LB_SPAN_EMPTY, law = LB_SPAN_EMPTY;
    if (lb_json_get_str(act->query, "what", &what) != LB_OK ||
        lb_json_get_str(act->query, "value", &value) != LB_OK ||
        lb_json_get_str(act->query, "law", &law) != LB_OK ||
        lb_json_get_int(act->query, "until_ms", &item.until_ms) != LB_OK || value.len == 0 ||
        (item.until_ms > row->time_ms && item.until_ms - row->time_ms > LB_CTL_CONCEAL_MAX_MS))
        return LB_OK;
    LB_ENSURE(list->num < MAX_ITEMS, LB_TOO_LARGE, "more concealments than are kept track of");
    LB_TRY(copy(loading, act->officer, &item.officer));
    LB_TRY(copy(loading, what, &item.what));
    LB_TRY(copy(loading, value, &item.value));
    LB_TRY(copy(loading, law, &item.law));
    list->items[list->num++] = item;
    return LB_OK;
}

/* The act that an approval or a lifting is about; NULL when there was none before it. */
static struct lb_ctl_concealment *meant(const struct loading *loading,
                                        const struct lb_audit_row *row, const struct act *act)
{
    int64_t entry = -1;
    if (lb_json_get_int(act->query, "entry", &entry) != LB_OK || entry < 0 ||
        (uint64_t)entry >= row->index)
        return NULL;
    for (size_t i = 0; i < loading->list->num; i++) {
        if (loading->list->items[i].entry == (uint64_t)entry)
            return &loading->list->items[i];
    }
    return NULL;
}

/* Nobody approves what they asked for. */
static lb_status take_approval(struct loading *loading, const struct lb_audit_row *row,
                               const struct act *act)
{
    struct lb_ctl_concealment *item = meant(loading, row, act);
    if (item == NULL || item->approver[0] != 0 || lb_span_is(act->officer, item->officer) ||
        row->time_ms - item->asked_ms > APPROVE_MS)
        return LB_OK;
    return copy(loading, act->officer, &item->approver);
}

static lb_status take_lifting(struct loading *loading, const struct lb_audit_row *row,
                              const struct act *act)
{
    struct lb_ctl_concealment *item = meant(loading, row, act);
    return item == NULL ? LB_OK : copy(loading, act->officer, &item->lifted_by);
}

/* --- loading --- */

typedef lb_status take_act(struct loading *loading, const struct lb_audit_row *row,
                           const struct act *act);

static lb_status take_all(struct loading *loading, struct lb_audit_scan *scan, take_act *take)
{
    const struct lb_audit_row *row = NULL;
    LB_TRY(lb_audit_scan_next(scan, &row));
    while (row != NULL) {
        struct act act;
        lb_status status = open_act(row, &act) ? take(loading, row, &act) : LB_OK;
        close_act(&act);
        LB_TRY(status);
        LB_TRY(lb_audit_scan_next(scan, &row));
    }
    return LB_OK;
}

static lb_status load_kind(struct loading *loading, struct lb_audit_index *index, const char *kind,
                           take_act *take)
{
    const struct lb_audit_filter filter = {
        .type = LB_LEAF_REVIEW, .code = kind, .since_ms = loading->since_ms};
    struct lb_audit_scan *scan = NULL;
    LB_TRY(lb_audit_scan_open(index, &filter, &scan));
    lb_status status = take_all(loading, scan, take);
    lb_audit_scan_close(scan);
    return status;
}

lb_status lb_ctl_concealments_load(struct lb_audit_index *index, int64_t now_ms,
                                   struct lb_arena *arena, struct lb_ctl_concealments *out)
{
    bool long_ago = now_ms > LB_CTL_CONCEAL_MAX_MS;
    struct loading loading = {long_ago ? now_ms - LB_CTL_CONCEAL_MAX_MS : 0, arena, out};
    *out = (struct lb_ctl_concealments){0, lb_arena_array(arena, MAX_ITEMS, sizeof(out->items[0]))};
    LB_ENSURE(out->items != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(load_kind(&loading, index, LB_CTL_CONCEAL_ASKED, take_asking));
    LB_TRY(load_kind(&loading, index, LB_CTL_CONCEAL_APPROVED, take_approval));
    return load_kind(&loading, index, LB_CTL_CONCEAL_LIFTED, take_lifting);
}

/* --- asking --- */

enum lb_ctl_conceal_state lb_ctl_conceal_state_of(const struct lb_ctl_concealment *item,
                                                  int64_t now_ms)
{
    if (item->lifted_by[0] != 0)
        return LB_CTL_CONCEAL_RAISED;
    if (now_ms >= item->until_ms)
        return LB_CTL_CONCEAL_LAPSED;
    return item->approver[0] != 0 ? LB_CTL_CONCEAL_FORCE : LB_CTL_CONCEAL_OPEN;
}

static bool is_about(const struct lb_ctl_concealment *item, const struct lb_audit_row *row)
{
    char text[2 * sizeof(row->txn) + 1];
    if (strcmp(item->what, "case") == 0)
        return strcmp(item->value, row->case_no) == 0;
    if (strcmp(item->what, "txn") == 0) {
        lb_hex_encode(lb_span_of(row->txn, sizeof(row->txn)), text);
        return strcasecmp(item->value, text) == 0;
    }
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)row->index);
    return strcmp(item->what, "entry") == 0 && strcmp(item->value, text) == 0;
}

bool lb_ctl_conceals(const struct lb_ctl_concealments *list, const struct lb_audit_row *row,
                     int64_t now_ms)
{
    for (size_t i = 0; i < list->num; i++) {
        if (lb_ctl_conceal_state_of(&list->items[i], now_ms) == LB_CTL_CONCEAL_FORCE &&
            is_about(&list->items[i], row))
            return true;
    }
    return false;
}

const struct lb_ctl_concealment *lb_ctl_concealment_find(const struct lb_ctl_concealments *list,
                                                         uint64_t entry)
{
    for (size_t i = 0; i < list->num; i++) {
        if (list->items[i].entry == entry)
            return &list->items[i];
    }
    return NULL;
}
