#include <stdlib.h>

#include "gateway/audit/totals.h"
#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/totals_rows.h"

/* `log did`: what one operator did, and beside each number the median of their peers, who are the
 * other operators of the same unit. */

#define MAX_PEERS 10000

struct did {
    struct lb_ctl_officer officer;
    bool newest;
};

/* One number about the operator and the peers' median of it. */
struct measure {
    const char *id, *zh, *en;
    const char *median_id, *median_zh, *median_en;
    uint64_t (*of)(const struct lb_audit_total *total);
};

static uint64_t rows_of(const struct lb_audit_total *total)
{
    return total->rows;
}

static uint64_t subjects_of(const struct lb_audit_total *total)
{
    return total->subjects;
}

static uint64_t denied_of(const struct lb_audit_total *total)
{
    return total->denied;
}

static uint64_t daily_of(const struct lb_audit_total *total)
{
    return total->days == 0 ? 0 : total->rows / total->days;
}

static const struct measure measures[] = {
    {"entries", "查询条数", "entries", "median_entries", "同侪中位数·条数",
     "peers' median of entries", rows_of},
    {"persons", "涉及人数", "persons", "median_persons", "同侪中位数·人数",
     "peers' median of persons", subjects_of},
    {"per_day", "每活动日条数", "entries per active day", "median_per_day", "同侪中位数·每日条数",
     "peers' median per active day", daily_of},
    {"refused", "被拒绝", "refused", "median_refused", "同侪中位数·被拒绝",
     "peers' median of refusals", denied_of},
};

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static uint64_t median(const struct lb_audit_total *peers, size_t num,
                       uint64_t (*of)(const struct lb_audit_total *total), uint64_t *scratch)
{
    for (size_t i = 0; i < num; i++)
        scratch[i] = of(&peers[i]);
    qsort(scratch, num, sizeof(*scratch), compare);
    return num == 0 ? 0 : scratch[num / 2];
}

/* The operator's own line moves out of the peers. */
static size_t take_own(struct lb_audit_total *totals, size_t num, const char *actor,
                       struct lb_audit_total *own)
{
    size_t kept = 0;
    for (size_t i = 0; i < num; i++) {
        if (strcmp(totals[i].key, actor) == 0)
            *own = totals[i];
        else if (totals[i].key[0] != 0)
            totals[kept++] = totals[i];
    }
    return kept;
}

/* The unit in which the operator was seen last. */
static lb_status find_unit(struct did *did, const char **out_unit)
{
    struct lb_audit_filter filter = did->officer.filter;
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *row = NULL;
    filter.newest_first = true;
    filter.from_index = 0;
    LB_TRY(lb_audit_scan_open(did->officer.index, &filter, &scan));
    lb_status status = lb_audit_scan_next(scan, &row);
    if (status == LB_OK) {
        *out_unit = lb_arena_str(did->officer.arena, lb_span_str(row == NULL ? "" : row->unit));
        status = *out_unit != NULL ? LB_OK : LB_FAULT(LB_NO_MEMORY, "arena is full");
    }
    lb_audit_scan_close(scan);
    return status;
}

static lb_status compare_peers(struct did *did, struct lb_ctl_sheet *sheet)
{
    struct lb_ctl_officer *officer = &did->officer;
    struct lb_audit_total own = {.key = ""};
    struct lb_audit_total *totals = NULL;
    const char *unit = "";
    size_t num = 0;
    LB_TRY(find_unit(did, &unit));
    const struct lb_audit_filter peers = {
        .since_ms = officer->filter.since_ms, .until_ms = officer->filter.until_ms,
        .type = LB_LEAF_READ, .unit = unit[0] != 0 ? unit : NULL,
    };
    const struct lb_audit_totals_options options = {
        .filter = &peers, .by = LB_AUDIT_BY_OPERATOR, .limit = MAX_PEERS,
        .zone_ms = lb_ctl_zone_ms(officer->env->clock),
    };
    LB_TRY(lb_audit_totals(officer->index, &options, officer->arena, &totals, &num));
    num = take_own(totals, num, officer->filter.actor, &own);
    uint64_t *scratch = lb_arena_array(officer->arena, num + 1, sizeof(*scratch));
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "arena is full");
    lb_ctl_sheet_fact(sheet, "unit", "单位", "unit", unit);
    lb_ctl_sheet_number(sheet, "peers", "同侪人数", "peers", (int64_t)num);
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
        const struct measure *m = &measures[i];
        lb_ctl_sheet_number(sheet, m->id, m->zh, m->en, (int64_t)m->of(&own));
        lb_ctl_sheet_number(sheet, m->median_id, m->median_zh, m->median_en,
                            (int64_t)median(totals, num, m->of, scratch));
    }
    return LB_OK;
}

static lb_status run(struct did *did)
{
    struct lb_ctl_officer *officer = &did->officer;
    struct lb_ctl_sheet sheet;
    bool more = false;
    uint64_t next = 0;
    const char *query = officer->filter.actor;
    LB_TRY(lb_ctl_officer_open(officer, query, NULL));
    lb_ctl_access_sheet(officer, &sheet);
    LB_TRY(compare_peers(did, &sheet));
    officer->filter.newest_first = did->newest;
    LB_TRY(lb_ctl_access_list(officer, &sheet, NULL, &more, &next));
    lb_ctl_sheet_number(&sheet, "num_rows", "行数", "rows", (int64_t)sheet.num_rows);
    lb_ctl_officer_facts(officer, &sheet, more ? &next : NULL);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}

int lb_ctl_log_did(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log did 3f9c... --index tax-index --officer officer.yaml --since 2026-07-01",
        NULL};
    struct did did = {.officer = {.env = env, .command = "log did", .kind = "DID"}};
    struct lb_ctl_list operands = {.num = 0};
    const struct lb_ctl_option options[] = {
        {.name = "newest", .flag = &did.newest, .en = "newest first", .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log did", .examples = examples,
        .en = "what one operator did, with the median of the other operators of the unit",
        .zh = "某经办人的全部查询，并列出同单位其他经办人的中位数",
        .operand = "OPERATOR", .min_operands = 1, .max_operands = 1,
    };
    int exit_code = lb_ctl_officer_args(&did.officer, &usage, options, 1, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    did.officer.filter.actor = operands.items[0];
    return lb_ctl_officer_finish(&did.officer, run(&did));
}
