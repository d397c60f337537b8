#include "gateway/ctl/totals_rows.h"

#include <stdlib.h>

#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

static const struct lb_ctl_column columns[] = {
    {"key", "group", "分组", LB_CTL_IN_TABLE, false},
    {"key2", "and", "二级分组", LB_CTL_IN_TABLE, false},
    {"rows", "entries", "条数", LB_CTL_IN_TABLE, true},
    {"requests", "requests", "请求数", LB_CTL_NOT_SHOWN, true},
    {"subjects", "persons", "人数", LB_CTL_IN_TABLE, true},
    {"days", "days", "天数", LB_CTL_IN_TABLE, true},
    {"denied", "refused", "拒绝", LB_CTL_IN_TABLE, true},
    {"emergencies", "emergency", "紧急", LB_CTL_IN_TABLE, true},
    {"class_max", "class", "级别", LB_CTL_IN_TABLE, true},
    {"first", "first (UTC)", "首次（UTC）", LB_CTL_IN_TABLE, false},
    {"last", "last (UTC)", "末次（UTC）", LB_CTL_IN_TABLE, false},
    {"first_index", "first entry", "首条", LB_CTL_IN_TABLE, true},
    {"last_index", "last entry", "末条", LB_CTL_NOT_SHOWN, true},
};

#define NUM_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char *key_text(const struct lb_ctl_officer *officer, enum lb_audit_key key,
                            const char *text)
{
    if (key == LB_AUDIT_BY_DECISION)
        return lb_ctl_decision_name((enum lb_audit_decision)strtol(text, NULL, 10));
    if (key == LB_AUDIT_BY_BASIS && !officer->env->json && !officer->csv)
        return lb_ctl_word(officer->env, text);
    return text;
}

static void add_row(const struct lb_ctl_officer *officer,
                    const struct lb_audit_totals_options *options,
                    const struct lb_audit_total *total, struct lb_ctl_sheet *sheet)
{
    const uint64_t numbers[] = {
        total->rows, total->requests, total->subjects, total->days, total->denied,
        total->emergencies, (uint64_t)total->class_max, total->first_index, total->last_index,
    };
    char text[sizeof(numbers) / sizeof(numbers[0])][24];
    char first[LB_CTL_TIME_BYTES], last[LB_CTL_TIME_BYTES];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)snprintf(text[i], sizeof(text[i]), "%llu", (unsigned long long)numbers[i]);
    lb_ctl_time(total->first_ms, first);
    lb_ctl_time(total->last_ms, last);
    const char *const cells[NUM_COLUMNS] = {
        key_text(officer, options->by, total->key), key_text(officer, options->by2, total->key2),
        text[0], text[1], text[2], text[3], text[4], text[5], text[6], first, last, text[7],
        text[8],
    };
    lb_ctl_sheet_row(sheet, cells);
}

lb_status lb_ctl_totals_print(const struct lb_ctl_officer *officer,
                              const struct lb_audit_totals_options *options,
                              const struct lb_audit_total *totals, size_t num)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, officer->env, officer->arena, columns, NUM_COLUMNS);
    for (size_t i = 0; i < num; i++)
        add_row(officer, options, &totals[i], &sheet);
    lb_ctl_sheet_number(&sheet, "num_rows", "行数", "rows", (int64_t)sheet.num_rows);
    if (num == options->limit)
        lb_ctl_sheet_fact(&sheet, "more", "可能未列完", "perhaps not all",
                          lb_ctl_pick(officer->env, "提高 --limit", "raise --limit"));
    lb_ctl_officer_facts(officer, &sheet, NULL);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}
