#include "policy/engine/rules.h"

#include <stdlib.h>

#include "policy/engine/rules_private.h"

void lb_rules_free(struct lb_rules *rules)
{
    if (rules == NULL)
        return;
    lb_arena_free(rules->arena);
    lb_yaml_free(rules->yaml);
    free(rules);
}

const char *lb_rules_id(const struct lb_rules *rules)
{
    return rules->id;
}

uint32_t lb_rules_version(const struct lb_rules *rules)
{
    return rules->version;
}

const uint8_t *lb_rules_sha256(const struct lb_rules *rules)
{
    return rules->sha256;
}

size_t lb_rules_num_thresholds(const struct lb_rules *rules)
{
    return rules->num_thresholds;
}

const struct lb_threshold *lb_rules_threshold_at(const struct lb_rules *rules, size_t index)
{
    return index < rules->num_thresholds ? &rules->thresholds[index] : NULL;
}

const struct lb_threshold *lb_rules_threshold(const struct lb_rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->num_thresholds; i++)
        if (strcmp(rules->thresholds[i].name, name) == 0)
            return &rules->thresholds[i];
    return NULL;
}

static const struct lb_rules_codes *codes_named(const struct lb_rules_codes *all, size_t num,
                                                const char *name)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

static int compare_code(const void *key, const void *element)
{
    const struct lb_span *code = key;
    struct lb_span known = lb_span_str(((const struct lb_rules_code *)element)->code);
    size_t common = code->len < known.len ? code->len : known.len;
    int order = common == 0 ? 0 : memcmp(code->ptr, known.ptr, common);
    if (order != 0)
        return order;
    return (code->len > known.len) - (code->len < known.len);
}

static const struct lb_rules_code *find_code(const struct lb_rules_codes *codes,
                                             struct lb_span code)
{
    if (codes == NULL)
        return NULL;
    return bsearch(&code, codes->codes, codes->num_codes, sizeof(codes->codes[0]), compare_code);
}

bool lb_rules_has_set(const struct lb_rules *rules, const char *name)
{
    return codes_named(rules->sets, rules->num_sets, name) != NULL;
}

bool lb_rules_in_set(const struct lb_rules *rules, const char *name, struct lb_span code)
{
    return find_code(codes_named(rules->sets, rules->num_sets, name), code) != NULL;
}

bool lb_rules_has_table(const struct lb_rules *rules, const char *name)
{
    return codes_named(rules->tables, rules->num_tables, name) != NULL;
}

const char *lb_rules_map(const struct lb_rules *rules, const char *name, struct lb_span code)
{
    const struct lb_rules_code *found =
        find_code(codes_named(rules->tables, rules->num_tables, name), code);
    return found == NULL ? NULL : found->to;
}

const int64_t *lb_rules_edges(const struct lb_rules *rules, const char *name, size_t *out_num)
{
    for (size_t i = 0; i < rules->num_edges; i++) {
        if (strcmp(rules->edges[i].name, name) != 0)
            continue;
        *out_num = rules->edges[i].num_edges;
        return rules->edges[i].edges;
    }
    return NULL;
}
