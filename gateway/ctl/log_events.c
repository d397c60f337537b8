#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/command.h"

/* Lists of one kind: refusals with what came after them, emergencies, changes at the node. */

#define AFTER_MS (24 * INT64_C(3600000))

struct events {
    struct lb_ctl_officer officer;
    int64_t days;
};

/* --- refusals --- */

static lb_status find_later(struct events *events, const struct lb_audit_row *row,
                            const char **out_text)
{
    const struct lb_audit_filter filter = {
        .from_index = row->index + 1,
        .until_ms = row->time_ms + AFTER_MS,
        .decision = LB_AUDIT_ALLOW,
        .actor = row->actor,
        .subjects = row->subject,
        .num_subjects = 1,
    };
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *later = NULL;
    LB_TRY(lb_audit_scan_open(events->officer.index, &filter, &scan));
    lb_status status = lb_audit_scan_next(scan, &later);
    if (status == LB_OK && later != NULL) {
        bool changed = strcmp(later->purpose, row->purpose) != 0;
        *out_text = lb_arena_printf(
            events->officer.arena, "%s %llu%s%s",
            lb_ctl_pick(events->officer.env, "其后获准，条目", "then allowed: entry"),
            (unsigned long long)later->index,
            !changed ? "" : lb_ctl_pick(events->officer.env, "，目的改为 ", ", purpose changed to "),
            changed ? later->purpose : "");
        status = *out_text != NULL ? LB_OK : LB_FAULT(LB_NO_MEMORY, "arena is full");
    }
    lb_audit_scan_close(scan);
    return status;
}

/* The same operator got the same person's data within a day of being refused. */
static lb_status after_denial(void *ctx, const struct lb_audit_row *row, const char **out_text)
{
    struct events *events = ctx;
    if (!row->has_subject || row->actor[0] == 0)
        return LB_OK;
    return find_later(events, row, out_text);
}

static lb_status run_denials(struct events *events)
{
    const struct lb_ctl_remark remark = {after_denial, events};
    LB_TRY(lb_ctl_officer_open(&events->officer, "denials", NULL));
    return lb_ctl_access_print(&events->officer, &remark);
}

int lb_ctl_log_denials(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log denials --index tax-index --officer officer.yaml --since 2026-07-01", NULL};
    struct events events = {.officer = {.env = env, .command = "log denials", .kind = "DENIALS"}};
    const struct lb_ctl_option options[] = {
        {.name = "operator", .value = "PSEUDONYM", .text = &events.officer.filter.actor,
         .en = "of this operator only", .zh = "只看此经办人"},
        {.name = "code", .value = "CODE", .text = &events.officer.filter.code,
         .en = "with this code only", .zh = "只看此代码"},
        {.name = "newest", .flag = &events.officer.filter.newest_first, .en = "newest first",
         .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log denials", .examples = examples,
        .en = "refusals, each with what the same operator got about the same person within a day",
        .zh = "被拒绝的请求，以及同一经办人一日内就同一人获准的情况",
    };
    int exit_code = lb_ctl_officer_args(&events.officer, &usage, options, 3, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    events.officer.filter.decision = LB_AUDIT_DENY;
    return lb_ctl_officer_finish(&events.officer, run_denials(&events));
}

/* --- emergencies --- */

static lb_status follow_up(void *ctx, const struct lb_audit_row *row, const char **out_text)
{
    struct events *events = ctx;
    const struct lb_ctl_env *env = events->officer.env;
    int64_t due = row->time_ms + events->days * 24 * INT64_C(3600000);
    bool over = lb_clock_unix_ms(env->clock) >= due;
    *out_text = lb_arena_printf(events->officer.arena, "%s", over
                    ? lb_ctl_pick(env, "事后补正期限已过，应核查同意服务机构的补正记录",
                                  "follow-up is over its term: check the consent office's record")
                    : lb_ctl_pick(env, "事后补正期限内", "follow-up still within its term"));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status run_emergencies(struct events *events)
{
    const struct lb_ctl_remark remark = {follow_up, events};
    LB_TRY(lb_ctl_officer_open(&events->officer, "emergencies", NULL));
    return lb_ctl_access_print(&events->officer, &remark);
}

int lb_ctl_log_emergencies(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log emergencies --index health-index --officer officer.yaml", NULL};
    struct events events = {
        .officer = {.env = env, .command = "log emergencies", .kind = "EMERGENCIES"}, .days = 3};
    const struct lb_ctl_option options[] = {
        {.name = "days", .value = "N", .number = &events.days, .min = 1, .max = 365,
         .en = "term of the follow-up; default 3", .zh = "补正期限（日），默认 3"},
        {.name = "newest", .flag = &events.officer.filter.newest_first, .en = "newest first",
         .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log emergencies", .examples = examples,
        .en = "answers on the basis `emergency`, with who issued the grant and the follow-up",
        .zh = "以紧急情况为依据的查询、签发方与补正期限",
    };
    int exit_code = lb_ctl_officer_args(&events.officer, &usage, options, 2, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    events.officer.filter.decision = LB_AUDIT_EMERGENCY;
    return lb_ctl_officer_finish(&events.officer, run_emergencies(&events));
}

/* --- changes at the node --- */

static lb_status run_admin(struct events *events)
{
    static const enum lb_leaf_type types[] = {LB_LEAF_ADMIN, LB_LEAF_POLICY, LB_LEAF_ERASURE,
                                              LB_LEAF_SHARD, LB_LEAF_RECOVERY, LB_LEAF_REVIEW};
    struct lb_ctl_officer *officer = &events->officer;
    struct lb_ctl_sheet sheet;
    bool more = false, any_more = false;
    uint64_t next = 0;
    LB_TRY(lb_ctl_officer_open(officer, "admin", NULL));
    lb_ctl_access_sheet(officer, &sheet);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        officer->filter.type = types[i];
        LB_TRY(lb_ctl_access_list(officer, &sheet, NULL, &more, &next));
        any_more = any_more || more;
    }
    lb_ctl_sheet_number(&sheet, "num_rows", "行数", "rows", (int64_t)sheet.num_rows);
    if (any_more)
        lb_ctl_sheet_fact(&sheet, "more", "未列完", "not all",
                          lb_ctl_pick(officer->env, "缩短 --since/--until 或提高 --limit",
                                      "narrow --since and --until, or raise --limit"));
    lb_ctl_officer_facts(officer, &sheet, NULL);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}

int lb_ctl_log_admin(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log admin --index tax-index --officer officer.yaml --newest", NULL};
    struct events events = {.officer = {.env = env, .command = "log admin", .kind = "CHANGES"}};
    const struct lb_ctl_option options[] = {
        {.name = "newest", .flag = &events.officer.filter.newest_first, .en = "newest first",
         .zh = "由新到旧"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log admin", .examples = examples,
        .en = "starts, stops, policy, keys, lists, erasures, recoveries and officers' own queries",
        .zh = "启停、策略、密钥、名单、删除、恢复以及安全员自身的查询",
    };
    int exit_code = lb_ctl_officer_args(&events.officer, &usage, options, 1, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_officer_finish(&events.officer, run_admin(&events));
}
