#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/detect_rules.h"
#include "gateway/base/limits.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"

/* Reading the rules' file. */

#define MAX_PATH_BYTES 4096
#define MAX_COUNT 1000000
#define MAX_DAYS 3650

struct range {
    int64_t min, max;
};

static const struct range ranges[LB_DETECT_NUM_PARAMS] = {
    [LB_DETECT_WINDOW_MINUTES] = {1, LB_DETECT_MAX_WINDOW_MINUTES},
    [LB_DETECT_RECORDS] = {1, LB_DETECT_MAX_WINDOW_ROWS},
    [LB_DETECT_SUBJECTS] = {2, LB_DETECT_MAX_WINDOW_ROWS},
    [LB_DETECT_MISSES] = {2, LB_DETECT_MAX_WINDOW_ROWS},
    [LB_DETECT_OFFICES] = {2, 1000},
    [LB_DETECT_DAYS] = {1, MAX_DAYS},
    [LB_DETECT_DENIALS] = {1, LB_DETECT_MAX_DENIALS},
    [LB_DETECT_MIN_CLASS] = {1, 4},
    [LB_DETECT_LEARN_DAYS] = {0, MAX_DAYS},
    [LB_DETECT_LEARN_RECORDS] = {0, MAX_COUNT},
    [LB_DETECT_PERCENT] = {50, 100},
    [LB_DETECT_FACTOR_PERCENT] = {100, 10000},
    [LB_DETECT_PEER_FACTOR_PERCENT] = {100, 10000},
    [LB_DETECT_MIN_RECORDS] = {1, MAX_COUNT},
    [LB_DETECT_HISTORY_DAYS] = {1, 366},
    [LB_DETECT_MIN_DAYS] = {1, 366},
};

/* --- words --- */

/* Braces must name a number of the kind: a typing error would stand in every alert. */
static lb_status check_braces(const struct lb_yaml_node *node, const struct lb_detect_rule *rule,
                              const char *words, struct lb_diag *diag)
{
    for (const char *at = strchr(words, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t len = strcspn(at + 1, "}");
        struct lb_span name = lb_span_of(at + 1, len);
        bool known = at[1 + len] == '}' && lb_span_is(name, "count");
        for (int i = 0; i < LB_DETECT_NUM_PARAMS && at[1 + len] == '}'; i++)
            known = known || (lb_detect_takes(rule->kind, (enum lb_detect_param)i) &&
                              lb_span_is(name, lb_detect_param_name((enum lb_detect_param)i)));
        if (!known)
            return lb_yaml_fail(node, diag,
                                "{%.*s} is no number of kind %s; use {count} or its parameters",
                                (int)(len > 40 ? 40 : len), at + 1,
                                lb_detect_kind_name(rule->kind));
    }
    return LB_OK;
}

static lb_status read_words(const struct lb_yaml_node *entry, const char *key,
                            const struct lb_detect_rule *rule, struct lb_diag *diag,
                            const char **out_zh, const char **out_en)
{
    static const char *const keys[] = {"zh", "en", NULL};
    const struct lb_yaml_node *node = NULL;
    LB_TRY(lb_yaml_need(entry, key, diag, &node));
    LB_TRY(lb_yaml_only(node, keys, diag));
    LB_TRY(lb_yaml_need_text(node, "zh", diag, out_zh));
    LB_TRY(lb_yaml_need_text(node, "en", diag, out_en));
    if (strlen(*out_zh) > LB_DETECT_WORDS_BYTES || strlen(*out_en) > LB_DETECT_WORDS_BYTES ||
        (*out_zh)[0] == 0 || (*out_en)[0] == 0)
        return lb_yaml_fail(node, diag, "%s is empty or longer than %d bytes", key,
                            LB_DETECT_WORDS_BYTES);
    LB_TRY(check_braces(node, rule, *out_zh, diag));
    return check_braces(node, rule, *out_en, diag);
}

/* --- parameters --- */

static lb_status read_codes(const struct lb_yaml_node *with, struct lb_diag *diag,
                            struct lb_detect_rule *rule)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(with, "codes", diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) == 0 ||
        lb_yaml_len(list) > LB_DETECT_MAX_CODES)
        return lb_yaml_fail(list, diag, "codes is a list of 1 to %d", LB_DETECT_MAX_CODES);
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        enum lb_code code;
        LB_TRY(lb_yaml_text(item, diag, &rule->codes[i]));
        if (!lb_code_by_name(rule->codes[i], strlen(rule->codes[i]), &code))
            return lb_yaml_fail(item, diag, "\"%.40s\" is no code; docs/PROTOCOL.md has them all",
                                rule->codes[i]);
    }
    rule->num_codes = lb_yaml_len(list);
    return LB_OK;
}

static lb_status read_relations(const struct lb_yaml_node *with, struct lb_diag *diag,
                                struct lb_detect_rule *rule)
{
    static const char *const names[] = {"self", "relative", "colleague"};
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(with, "relations", diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) == 0)
        return lb_yaml_fail(list, diag, "relations is a list of self, relative, colleague");
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const char *text = NULL;
        unsigned bit = 0;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), diag, &text));
        for (unsigned k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            bit = strcmp(text, names[k]) == 0 ? 1U << k : bit;
        if (bit == 0)
            return lb_yaml_fail(lb_yaml_item(list, i), diag,
                                "this is no relation; write self, relative or colleague");
        rule->relations |= bit;
    }
    return LB_OK;
}

static lb_status read_list(const struct lb_yaml_node *with, struct lb_diag *diag,
                           struct lb_detect_rule *rule)
{
    const struct lb_yaml_node *node = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_need(with, "list", diag, &node));
    LB_TRY(lb_yaml_text(node, diag, &text));
    if (strcmp(text, "protected") == 0)
        rule->list = LB_DETECT_PROTECTED;
    else if (strcmp(text, "honey") == 0)
        rule->list = LB_DETECT_HONEY;
    else
        return lb_yaml_fail(node, diag, "this is no list; write protected or honey");
    return LB_OK;
}

static lb_status read_params(const struct lb_yaml_node *entry, struct lb_diag *diag,
                             struct lb_detect_rule *rule)
{
    const char *keys[LB_DETECT_NUM_PARAMS + 4] = {NULL};
    size_t num = 0;
    for (int i = 0; i < LB_DETECT_NUM_PARAMS; i++)
        if (lb_detect_takes(rule->kind, (enum lb_detect_param)i))
            keys[num++] = lb_detect_param_name((enum lb_detect_param)i);
    size_t numbers = num;
    if (rule->kind == LB_DETECT_DENY_THEN_ALLOW)
        keys[num++] = "codes";
    if (rule->kind == LB_DETECT_KIN)
        keys[num++] = "relations";
    if (rule->kind == LB_DETECT_LISTED)
        keys[num++] = "list";
    const struct lb_yaml_node *with = lb_yaml_get(entry, "with");
    if (num == 0 && with == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_need(entry, "with", diag, &with));
    LB_TRY(lb_yaml_only(with, keys, diag));
    for (int i = 0; numbers > 0 && i < LB_DETECT_NUM_PARAMS; i++) {
        if (!lb_detect_takes(rule->kind, (enum lb_detect_param)i))
            continue;
        LB_TRY(lb_yaml_need_int(with, lb_detect_param_name((enum lb_detect_param)i),
                                ranges[i].min, ranges[i].max, diag, &rule->param[i]));
    }
    if (rule->kind == LB_DETECT_DENY_THEN_ALLOW)
        LB_TRY(read_codes(with, diag, rule));
    if (rule->kind == LB_DETECT_KIN)
        LB_TRY(read_relations(with, diag, rule));
    return rule->kind == LB_DETECT_LISTED ? read_list(with, diag, rule) : LB_OK;
}

/* --- a rule --- */

static lb_status read_kind(const struct lb_yaml_node *entry, struct lb_diag *diag,
                           struct lb_detect_rule *rule)
{
    const struct lb_yaml_node *node = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_need(entry, "kind", diag, &node));
    LB_TRY(lb_yaml_text(node, diag, &text));
    for (int i = 0; i < LB_DETECT_NUM_KINDS; i++) {
        if (strcmp(text, lb_detect_kind_name((enum lb_detect_kind)i)) != 0)
            continue;
        rule->kind = (enum lb_detect_kind)i;
        return LB_OK;
    }
    return lb_yaml_fail(node, diag, "kind \"%.40s\" is not known; docs/OFFICERS.md lists the kinds",
                        text);
}

static bool is_id(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= LB_MAX_NAME_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static lb_status read_rule(const struct lb_yaml_node *entry, struct lb_diag *diag,
                           struct lb_detect_rule *rule)
{
    static const char *const keys[] = {"id", "kind", "severity", "with", "title", "why", NULL};
    const struct lb_yaml_node *id = NULL, *severity = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_only(entry, keys, diag));
    LB_TRY(lb_yaml_need(entry, "id", diag, &id));
    LB_TRY(lb_yaml_text(id, diag, &rule->id));
    if (!is_id(rule->id) || strcmp(rule->id, "sample") == 0)
        return lb_yaml_fail(id, diag, "an id is a-z, 0-9 and '-', and not \"sample\"");
    LB_TRY(read_kind(entry, diag, rule));
    LB_TRY(lb_yaml_need(entry, "severity", diag, &severity));
    LB_TRY(lb_yaml_text(severity, diag, &text));
    if (!lb_detect_severity_by_name(text, &rule->severity))
        return lb_yaml_fail(severity, diag, "write low, medium, high or critical");
    LB_TRY(read_params(entry, diag, rule));
    LB_TRY(read_words(entry, "title", rule, diag, &rule->title_zh, &rule->title_en));
    return read_words(entry, "why", rule, diag, &rule->why_zh, &rule->why_en);
}

static lb_status read_rules(const struct lb_yaml_node *root, struct lb_diag *diag,
                            struct lb_detect_rules *rules)
{
    const struct lb_yaml_node *list = NULL;
    bool has_volume = false;
    LB_TRY(lb_yaml_need(root, "rules", diag, &list));
    size_t num = lb_yaml_len(list);
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || num == 0 || num > LB_DETECT_MAX_RULES)
        return lb_yaml_fail(list, diag, "rules is a list of 1 to %d", LB_DETECT_MAX_RULES);
    rules->rules = calloc(num, sizeof(*rules->rules));
    LB_ENSURE(rules->rules != NULL, LB_NO_MEMORY, "rules");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_rule(lb_yaml_item(list, i), diag, &rules->rules[i]));
        for (size_t k = 0; k < i; k++)
            if (strcmp(rules->rules[i].id, rules->rules[k].id) == 0)
                return lb_yaml_fail(lb_yaml_item(list, i), diag, "id %s stands twice; rename one",
                                    rules->rules[i].id);
        bool volume = rules->rules[i].kind == LB_DETECT_VOLUME;
        if (volume && has_volume)
            return lb_yaml_fail(lb_yaml_item(list, i), diag, "kind volume may stand once");
        has_volume = has_volume || volume;
    }
    rules->num = num;
    return LB_OK;
}

static lb_status read_due(const struct lb_yaml_node *root, struct lb_diag *diag,
                          struct lb_detect_rules *rules)
{
    static const char *const keys[] = {"low", "medium", "high", "critical", NULL};
    const struct lb_yaml_node *map = NULL;
    LB_TRY(lb_yaml_need(root, "due_days", diag, &map));
    LB_TRY(lb_yaml_only(map, keys, diag));
    for (int i = LB_DETECT_LOW; i < LB_DETECT_SEVERITY_END; i++)
        LB_TRY(lb_yaml_need_int(map, lb_detect_severity_name((enum lb_detect_severity)i), 1, 366,
                                diag, &rules->due_days[i]));
    return LB_OK;
}

static lb_status load_calendar(const char *path, const struct lb_yaml_node *root,
                               struct lb_diag *diag, struct lb_detect_rules *rules)
{
    char full[MAX_PATH_BYTES];
    const char *name = NULL;
    LB_TRY(lb_yaml_need_text(root, "calendar", diag, &name));
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL || name[0] == '/' ? 0 : (int)(slash - path) + 1;
    int len = snprintf(full, sizeof(full), "%.*s%s", folder, path, name);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(full), LB_CONFIG_INVALID, "path is too long");
    return lb_work_calendar_load(full, diag, &rules->calendar);
}

lb_status lb_detect_rules_load(const char *path, struct lb_diag *diag,
                               struct lb_detect_rules **out_rules)
{
    static const char *const keys[] = {"detection", "version", "calendar", "due_days", "rules",
                                       NULL};
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = calloc(1, sizeof(*rules));
    const char *name = NULL;
    int64_t version = 0;
    LB_ENSURE(rules != NULL, LB_NO_MEMORY, "rules");
    LB_TRY(lb_yaml_load_file(path, diag, &rules->yaml));
    const struct lb_yaml_node *root = lb_yaml_root(rules->yaml);
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(lb_yaml_need_text(root, "detection", diag, &name));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, diag, &version));
    LB_TRY(read_due(root, diag, rules));
    LB_TRY(read_rules(root, diag, rules));
    LB_TRY(load_calendar(path, root, diag, rules));
    lb_sha256(lb_yaml_bytes(rules->yaml), rules->sha256);
    *out_rules = rules;
    rules = NULL;
    return LB_OK;
}
