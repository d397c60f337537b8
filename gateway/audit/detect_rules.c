#include "gateway/audit/detect_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/config/yaml.h"

#define BIT(param_) (1U << (param_))

static const char *const kind_names[LB_DETECT_NUM_KINDS] = {
    [LB_DETECT_CASE_LESS] = "case_less",
    [LB_DETECT_AFTER_HOURS] = "after_hours",
    [LB_DETECT_BULK] = "bulk",
    [LB_DETECT_ENUMERATION] = "enumeration",
    [LB_DETECT_MANY_OFFICES] = "many_offices",
    [LB_DETECT_KIN] = "kin",
    [LB_DETECT_LISTED] = "listed",
    [LB_DETECT_DORMANT] = "dormant",
    [LB_DETECT_DENY_THEN_ALLOW] = "deny_then_allow",
    [LB_DETECT_FIRST_CLASS] = "first_class",
    [LB_DETECT_SHARED_CREDENTIAL] = "shared_credential",
    [LB_DETECT_VOLUME] = "volume",
};

static const char *const param_names[LB_DETECT_NUM_PARAMS] = {
    [LB_DETECT_WINDOW_MINUTES] = "window_minutes",
    [LB_DETECT_RECORDS] = "records",
    [LB_DETECT_SUBJECTS] = "subjects",
    [LB_DETECT_MISSES] = "misses",
    [LB_DETECT_OFFICES] = "offices",
    [LB_DETECT_DAYS] = "days",
    [LB_DETECT_DENIALS] = "denials",
    [LB_DETECT_MIN_CLASS] = "min_class",
    [LB_DETECT_LEARN_DAYS] = "learn_days",
    [LB_DETECT_LEARN_RECORDS] = "learn_records",
    [LB_DETECT_PERCENT] = "percent",
    [LB_DETECT_FACTOR_PERCENT] = "factor_percent",
    [LB_DETECT_PEER_FACTOR_PERCENT] = "peer_factor_percent",
    [LB_DETECT_MIN_RECORDS] = "min_records",
    [LB_DETECT_HISTORY_DAYS] = "history_days",
    [LB_DETECT_MIN_DAYS] = "min_days",
};

static const unsigned kind_params[LB_DETECT_NUM_KINDS] = {
    [LB_DETECT_AFTER_HOURS] = BIT(LB_DETECT_RECORDS) | BIT(LB_DETECT_WINDOW_MINUTES),
    [LB_DETECT_BULK] = BIT(LB_DETECT_SUBJECTS) | BIT(LB_DETECT_WINDOW_MINUTES),
    [LB_DETECT_ENUMERATION] = BIT(LB_DETECT_MISSES) | BIT(LB_DETECT_WINDOW_MINUTES),
    [LB_DETECT_MANY_OFFICES] = BIT(LB_DETECT_OFFICES) | BIT(LB_DETECT_WINDOW_MINUTES),
    [LB_DETECT_DORMANT] = BIT(LB_DETECT_DAYS),
    [LB_DETECT_DENY_THEN_ALLOW] = BIT(LB_DETECT_DENIALS) | BIT(LB_DETECT_WINDOW_MINUTES),
    [LB_DETECT_FIRST_CLASS] =
        BIT(LB_DETECT_MIN_CLASS) | BIT(LB_DETECT_LEARN_DAYS) | BIT(LB_DETECT_LEARN_RECORDS),
    [LB_DETECT_SHARED_CREDENTIAL] = BIT(LB_DETECT_WINDOW_MINUTES),
    [LB_DETECT_VOLUME] = BIT(LB_DETECT_PERCENT) | BIT(LB_DETECT_FACTOR_PERCENT) |
                         BIT(LB_DETECT_PEER_FACTOR_PERCENT) | BIT(LB_DETECT_MIN_RECORDS) |
                         BIT(LB_DETECT_HISTORY_DAYS) | BIT(LB_DETECT_MIN_DAYS),
};

static const char *const severity_names[LB_DETECT_SEVERITY_END] = {
    [LB_DETECT_LOW] = "low",
    [LB_DETECT_MEDIUM] = "medium",
    [LB_DETECT_HIGH] = "high",
    [LB_DETECT_CRITICAL] = "critical",
};

const char *lb_detect_kind_name(enum lb_detect_kind kind)
{
    return kind_names[kind];
}

const char *lb_detect_param_name(enum lb_detect_param param)
{
    return param_names[param];
}

bool lb_detect_takes(enum lb_detect_kind kind, enum lb_detect_param param)
{
    return (kind_params[kind] & BIT(param)) != 0;
}

const char *lb_detect_severity_name(enum lb_detect_severity severity)
{
    return severity_names[severity];
}

bool lb_detect_severity_by_name(const char *name, enum lb_detect_severity *out)
{
    for (int i = LB_DETECT_LOW; i < LB_DETECT_SEVERITY_END; i++) {
        if (strcmp(severity_names[i], name) != 0)
            continue;
        *out = (enum lb_detect_severity)i;
        return true;
    }
    return false;
}

/* --- the words of an alert --- */

static bool number_named(const struct lb_detect_rule *rule, struct lb_span name, int64_t count,
                         int64_t *out)
{
    if (lb_span_is(name, "count")) {
        *out = count;
        return true;
    }
    for (int i = 0; i < LB_DETECT_NUM_PARAMS; i++) {
        if (!lb_detect_takes(rule->kind, (enum lb_detect_param)i) ||
            !lb_span_is(name, param_names[i]))
            continue;
        *out = rule->param[i];
        return true;
    }
    return false;
}

void lb_detect_why(const struct lb_detect_rule *rule, const char *words, int64_t count,
                   char out[LB_DETECT_WHY_BYTES])
{
    size_t used = 0;
    while (words[0] != 0) {
        char number[24];
        struct lb_span piece = lb_span_of(words, 1);
        size_t name_len = words[0] == '{' ? strcspn(words + 1, "}") : 0;
        int64_t value = 0;
        size_t taken = 1;
        if (words[0] == '{' &&
            number_named(rule, lb_span_of(words + 1, name_len), count, &value)) {
            int len = snprintf(number, sizeof(number), "%lld", (long long)value);
            piece = lb_span_of(number, (size_t)len);
            taken = name_len + 2;
        }
        if (used + piece.len + 1 > LB_DETECT_WHY_BYTES)
            break;
        memcpy(out + used, piece.ptr, piece.len);
        used += piece.len;
        words += taken;
    }
    out[used] = 0;
}

void lb_detect_rules_free(struct lb_detect_rules *rules)
{
    if (rules == NULL)
        return;
    lb_work_calendar_free(rules->calendar);
    lb_yaml_free(rules->yaml);
    free(rules->rules);
    free(rules);
}

void lb_detect_rules_freep(struct lb_detect_rules **rules)
{
    lb_detect_rules_free(*rules);
}
