#include <time.h>

#include "gateway/audit/totals.h"
#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/totals_rows.h"

/* `log totals`, `log first-use` and `log repeats`: the index counted by one or two columns. */

struct totals {
    struct lb_ctl_officer officer;
    const char *by;
    const char *decision;
    int64_t min_days;
    struct lb_audit_totals_options options;
};

static const struct {
    const char *name;
    enum lb_audit_key key;
} keys[] = {
    {"operator", LB_AUDIT_BY_OPERATOR}, {"office", LB_AUDIT_BY_OFFICE},
    {"unit", LB_AUDIT_BY_UNIT},         {"purpose", LB_AUDIT_BY_PURPOSE},
    {"basis", LB_AUDIT_BY_BASIS},       {"case", LB_AUDIT_BY_CASE},
    {"code", LB_AUDIT_BY_CODE},         {"inner", LB_AUDIT_BY_INNER},
    {"class", LB_AUDIT_BY_CLASS},       {"views", LB_AUDIT_BY_VIEWS},
    {"form", LB_AUDIT_BY_FORM},         {"decision", LB_AUDIT_BY_DECISION},
    {"day", LB_AUDIT_BY_DAY},           {"hour", LB_AUDIT_BY_HOUR},
};

static bool find_key(const char *name, size_t len, enum lb_audit_key *out)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strlen(keys[i].name) == len && memcmp(keys[i].name, name, len) == 0) {
            *out = keys[i].key;
            return true;
        }
    }
    return false;
}

/* "operator" or "operator,hour" */
static bool read_keys(const char *text, struct lb_audit_totals_options *options)
{
    size_t len = strcspn(text, ",");
    if (!find_key(text, len, &options->by))
        return false;
    return text[len] == 0 || find_key(text + len + 1, strlen(text + len + 1), &options->by2);
}

int64_t lb_ctl_zone_ms(const struct lb_clock *clock)
{
    time_t now = (time_t)lb_clock_unix_s(clock);
    struct tm local;
    return localtime_r(&now, &local) == NULL ? 0 : (int64_t)local.tm_gmtoff * 1000;
}

static lb_status run(struct totals *totals, const char *query)
{
    struct lb_ctl_officer *officer = &totals->officer;
    struct lb_audit_total *found = NULL;
    size_t num = 0;
    LB_TRY(lb_ctl_officer_open(officer, query, NULL));
    totals->options.filter = &officer->filter;
    totals->options.zone_ms = lb_ctl_zone_ms(officer->env->clock);
    totals->options.limit = (size_t)officer->limit;
    LB_TRY(lb_audit_totals(officer->index, &totals->options, officer->arena, &found, &num));
    return lb_ctl_totals_print(officer, &totals->options, found, num);
}

int lb_ctl_log_totals(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log totals --by operator --index tax-index --officer officer.yaml",
        "lianban log totals --by operator,hour --index tax-index --officer officer.yaml --since"
        " 2026-07-01 --csv", NULL};
    struct totals totals = {.officer = {.env = env, .command = "log totals", .kind = "TOTALS"}};
    const struct lb_ctl_option options[] = {
        {.name = "by", .value = "KEY[,KEY]", .required = true, .text = &totals.by,
         .en = "operator office unit purpose basis case code inner class views form decision day"
               " hour", .zh = "分组项，可用逗号给出两项"},
        {.name = "member", .value = "ORG|SPIFFE", .text = &totals.officer.filter.requester,
         .en = "only this one's", .zh = "只看此请求方"},
        {.name = "operator", .value = "PSEUDONYM", .text = &totals.officer.filter.actor,
         .en = "only this one's", .zh = "只看此经办人"},
        {.name = "decision", .value = "DECISION", .text = &totals.decision,
         .en = "allow, emergency, deny, error, event", .zh = "结论"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log totals", .examples = examples,
        .en = "counts of entries, persons, days, refusals", .zh = "按分组统计条数、人数、天数与拒绝",
    };
    int exit_code = lb_ctl_officer_args(&totals.officer, &usage, options, 4, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!read_keys(totals.by, &totals.options))
        return lb_ctl_usage_error(env, "log totals", "--by names one or two keys; see --help");
    if (totals.decision != NULL &&
        !lb_ctl_decision_parse(totals.decision, &totals.officer.filter.decision))
        return lb_ctl_usage_error(env, "log totals",
                                  "--decision is allow, emergency, deny, error or event");
    return lb_ctl_officer_finish(&totals.officer, run(&totals, totals.by));
}

int lb_ctl_log_first_use(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log first-use --index tax-index --officer officer.yaml --since 2026-07-01", NULL};
    struct totals totals = {
        .officer = {.env = env, .command = "log first-use", .kind = "FIRST_USE"},
        .options = {.by = LB_AUDIT_BY_OPERATOR, .by2 = LB_AUDIT_BY_VIEWS, .by_first = true}};
    bool office = false;
    int64_t class_min = 0;
    const struct lb_ctl_option options[] = {
        {.name = "office", .flag = &office, .en = "by office instead of operator",
         .zh = "按机关而非经办人"},
        {.name = "class", .value = "1..4", .number = &class_min, .min = 1, .max = 4,
         .en = "of fields of this class or above", .zh = "字段级别不低于"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log first-use", .examples = examples,
        .en = "who used which views for the first time since --since, newest first",
        .zh = "自 --since 以来首次使用某视图的经办人或机关",
    };
    int exit_code = lb_ctl_officer_args(&totals.officer, &usage, options, 2, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    struct lb_audit_filter *filter = &totals.officer.filter;
    totals.options.by = office ? LB_AUDIT_BY_OFFICE : LB_AUDIT_BY_OPERATOR;
    totals.options.first_since_ms = filter->since_ms; /* what was before must be seen to tell */
    filter->since_ms = 0;
    filter->type = LB_LEAF_READ;
    filter->class_min = (int)class_min;
    return lb_ctl_officer_finish(&totals.officer, run(&totals, "first use"));
}

int lb_ctl_log_repeats(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log repeats --index tax-index --officer officer.yaml --days 3", NULL};
    struct totals totals = {
        .officer = {.env = env, .command = "log repeats", .kind = "REPEATS"}, .min_days = 2,
        .options = {.by = LB_AUDIT_BY_OPERATOR, .by2 = LB_AUDIT_BY_SUBJECT}};
    const struct lb_ctl_option options[] = {
        {.name = "days", .value = "N", .number = &totals.min_days, .min = 1, .max = 1000,
         .en = "on at least so many days; default 2", .zh = "至少天数，默认 2"},
        {.name = "operator", .value = "PSEUDONYM", .text = &totals.officer.filter.actor,
         .en = "only this one", .zh = "只看此经办人"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log repeats", .examples = examples,
        .en = "one operator who looked up one person on several days",
        .zh = "同一经办人在多日内反复查询同一人",
    };
    int exit_code = lb_ctl_officer_args(&totals.officer, &usage, options, 2, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    totals.officer.filter.type = LB_LEAF_READ;
    totals.options.min_days = (uint64_t)totals.min_days;
    return lb_ctl_officer_finish(&totals.officer, run(&totals, "repeats"));
}
