#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/date.h"
#include "policy/engine/rules_private.h"
#include "policy/engine/words.h"

static lb_status need_source(const struct lb_yaml_node *entry, struct lb_diag *diag,
                             const char **out_source)
{
    return lb_word_need(entry, "source", LB_WORD_TEXT, diag, out_source);
}

static lb_status read_unit(const struct lb_yaml_node *entry, struct lb_diag *diag,
                           const char **out_unit)
{
    static const char *const units[] = {"cents", "count", "years", "bp",
                                        "m2",    "months", "date"};
    const struct lb_yaml_node *node = NULL;
    const char *unit = NULL;
    LB_TRY(lb_yaml_need(entry, "unit", diag, &node));
    LB_TRY(lb_yaml_text(node, diag, &unit));
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i]) != 0)
            continue;
        *out_unit = unit;
        return LB_OK;
    }
    return lb_yaml_fail(node, diag,
                        "unit \"%.40s\" is not known; write cents, count, years, bp, m2, "
                        "months or date",
                        unit);
}

/* A day is written as one number, YYYYMMDD. */
static bool is_day(int64_t value)
{
    const struct lb_date date = {(int)(value / 10000 % 10000), (int)(value / 100 % 100),
                                 (int)(value % 100)};
    return value < 100000000 && lb_date_valid(&date);
}

static lb_status read_threshold(const struct lb_yaml_node *entry, struct lb_diag *diag,
                                struct lb_threshold *out)
{
    static const char *const keys[] = {"value", "unit", "source", "verified", NULL};
    LB_TRY(lb_yaml_only(entry, keys, diag));
    LB_TRY(lb_yaml_need_int(entry, "value", 0, LB_RULES_MAX_VALUE, diag, &out->value));
    LB_TRY(read_unit(entry, diag, &out->unit));
    if (strcmp(out->unit, "date") == 0 && !is_day(out->value))
        return lb_yaml_fail(lb_yaml_get(entry, "value"), diag,
                            "the value is no day; write it as YYYYMMDD");
    LB_TRY(lb_yaml_opt_bool(entry, "verified", true, diag, &out->verified));
    return need_source(entry, diag, &out->source);
}

/* Forms write a threshold's dots and dashes as '_', so two names may not become one. */
static bool same_in_forms(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char left = *a == '.' || *a == '-' ? '_' : *a;
        char right = *b == '.' || *b == '-' ? '_' : *b;
        if (left != right)
            return false;
    }
    return *a == *b;
}

static lb_status refuse_lookalike(const struct lb_rules *rules, size_t num, const char *name,
                                  const struct lb_yaml_node *entry, struct lb_diag *diag)
{
    for (size_t i = 0; i < num; i++)
        if (same_in_forms(rules->thresholds[i].name, name))
            return lb_yaml_fail(entry, diag, "threshold %s reads like %s in a form; rename one",
                                name, rules->thresholds[i].name);
    return LB_OK;
}

static lb_status read_thresholds(const struct lb_yaml_node *map, struct lb_diag *diag,
                                 struct lb_rules *rules)
{
    LB_TRY(lb_word_map(map, LB_WORD_NAME, LB_RULES_MAX_ENTRIES, diag));
    size_t num = lb_yaml_len(map);
    rules->thresholds = lb_arena_array(rules->arena, num, sizeof(rules->thresholds[0]));
    LB_ENSURE(rules->thresholds != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        struct lb_threshold *threshold = &rules->thresholds[i];
        const struct lb_yaml_node *entry = lb_yaml_member(map, i, &threshold->name);
        LB_TRY(refuse_lookalike(rules, i, threshold->name, entry, diag));
        LB_TRY(read_threshold(entry, diag, threshold));
    }
    rules->num_thresholds = num;
    return LB_OK;
}

static int compare_codes(const void *a, const void *b)
{
    return strcmp(((const struct lb_rules_code *)a)->code, ((const struct lb_rules_code *)b)->code);
}

static lb_status sort_codes(struct lb_rules_codes *codes, struct lb_diag *diag)
{
    qsort(codes->codes, codes->num_codes, sizeof(codes->codes[0]), compare_codes);
    for (size_t i = 1; i < codes->num_codes; i++)
        if (strcmp(codes->codes[i - 1].code, codes->codes[i].code) == 0)
            return lb_yaml_fail(codes->codes[i].node, diag,
                                "code \"%.64s\" stands twice in %s; remove one",
                                codes->codes[i].code, codes->name);
    return LB_OK;
}

static lb_status read_set(const struct lb_yaml_node *entry, struct lb_arena *arena,
                          struct lb_diag *diag, struct lb_rules_codes *out)
{
    static const char *const keys[] = {"codes", "source", NULL};
    const struct lb_yaml_node *list = NULL;
    const char *source = NULL;
    LB_TRY(lb_yaml_only(entry, keys, diag));
    LB_TRY(need_source(entry, diag, &source));
    LB_TRY(lb_yaml_need(entry, "codes", diag, &list));
    LB_TRY(lb_word_list(list, LB_RULES_MAX_CODES, diag));
    out->num_codes = lb_yaml_len(list);
    out->codes = lb_arena_array(arena, out->num_codes, sizeof(out->codes[0]));
    LB_ENSURE(out->codes != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < out->num_codes; i++) {
        out->codes[i].node = lb_yaml_item(list, i);
        LB_TRY(lb_word_of(out->codes[i].node, LB_WORD_TEXT, diag, &out->codes[i].code));
    }
    return sort_codes(out, diag);
}

static lb_status read_table(const struct lb_yaml_node *entry, struct lb_arena *arena,
                            struct lb_diag *diag, struct lb_rules_codes *out)
{
    static const char *const keys[] = {"map", "source", NULL};
    const struct lb_yaml_node *map = NULL;
    const char *source = NULL;
    LB_TRY(lb_yaml_only(entry, keys, diag));
    LB_TRY(need_source(entry, diag, &source));
    LB_TRY(lb_yaml_need(entry, "map", diag, &map));
    LB_TRY(lb_word_map(map, LB_WORD_TEXT, LB_RULES_MAX_CODES, diag));
    out->num_codes = lb_yaml_len(map);
    out->codes = lb_arena_array(arena, out->num_codes, sizeof(out->codes[0]));
    LB_ENSURE(out->codes != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < out->num_codes; i++) {
        struct lb_rules_code *code = &out->codes[i];
        code->node = lb_yaml_member(map, i, &code->code);
        LB_TRY(lb_word_of(code->node, LB_WORD_NAME, diag, &code->to));
    }
    return sort_codes(out, diag);
}

/* How the entries of `sets` and of `tables` are read. */
typedef lb_status read_codes_fn(const struct lb_yaml_node *entry, struct lb_arena *arena,
                                struct lb_diag *diag, struct lb_rules_codes *out);

static lb_status read_all_codes(const struct lb_yaml_node *map, read_codes_fn *read_one,
                                struct lb_arena *arena, struct lb_diag *diag,
                                struct lb_rules_codes **out, size_t *out_num)
{
    LB_TRY(lb_word_map(map, LB_WORD_NAME, LB_RULES_MAX_ENTRIES, diag));
    size_t num = lb_yaml_len(map);
    struct lb_rules_codes *all = lb_arena_array(arena, num, sizeof(*all));
    LB_ENSURE(all != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *entry = lb_yaml_member(map, i, &all[i].name);
        LB_TRY(read_one(entry, arena, diag, &all[i]));
    }
    *out = all;
    *out_num = num;
    return LB_OK;
}

static lb_status read_edges(const struct lb_yaml_node *entry, struct lb_arena *arena,
                            struct lb_diag *diag, struct lb_rules_edges *out)
{
    static const char *const keys[] = {"edges", "source", NULL};
    const struct lb_yaml_node *list = NULL;
    const char *source = NULL;
    LB_TRY(lb_yaml_only(entry, keys, diag));
    LB_TRY(need_source(entry, diag, &source));
    LB_TRY(lb_yaml_need(entry, "edges", diag, &list));
    LB_TRY(lb_word_list(list, LB_RULES_MAX_EDGES, diag));
    out->num_edges = lb_yaml_len(list);
    out->edges = lb_arena_array(arena, out->num_edges, sizeof(out->edges[0]));
    LB_ENSURE(out->edges != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < out->num_edges; i++) {
        const struct lb_yaml_node *edge = lb_yaml_item(list, i);
        LB_TRY(lb_yaml_int(edge, -LB_RULES_MAX_VALUE, LB_RULES_MAX_VALUE, diag, &out->edges[i]));
        if (i > 0 && out->edges[i] <= out->edges[i - 1])
            return lb_yaml_fail(edge, diag, "edges must rise; sort them and remove doubles");
    }
    return LB_OK;
}

static lb_status read_all_edges(const struct lb_yaml_node *map, struct lb_diag *diag,
                                struct lb_rules *rules)
{
    LB_TRY(lb_word_map(map, LB_WORD_NAME, LB_RULES_MAX_ENTRIES, diag));
    size_t num = lb_yaml_len(map);
    rules->edges = lb_arena_array(rules->arena, num, sizeof(rules->edges[0]));
    LB_ENSURE(rules->edges != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *entry = lb_yaml_member(map, i, &rules->edges[i].name);
        LB_TRY(read_edges(entry, rules->arena, diag, &rules->edges[i]));
    }
    rules->num_edges = num;
    return LB_OK;
}

static lb_status read_head(const struct lb_yaml_node *root, struct lb_diag *diag,
                           struct lb_rules *rules)
{
    int64_t version = 0;
    const struct lb_yaml_node *node = NULL;
    const char *in_force = NULL;
    const char *zh = NULL;
    const char *en = NULL;
    struct lb_date date;
    LB_TRY(lb_word_need(root, "rules", LB_WORD_ORG, diag, &rules->id));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, diag, &version));
    LB_TRY(lb_word_title(root, diag, &zh, &en));
    LB_TRY(lb_yaml_need(root, "in_force", diag, &node));
    LB_TRY(lb_yaml_text(node, diag, &in_force));
    if (!lb_date_parse(lb_span_str(in_force), &date))
        return lb_yaml_fail(node, diag, "in_force is not a date; write YYYY-MM-DD");
    rules->version = (uint32_t)version;
    return LB_OK;
}

static lb_status read_rules(const struct lb_yaml_node *root, struct lb_diag *diag,
                            struct lb_rules *rules)
{
    static const char *const keys[] = {"rules", "version", "in_force", "title", "thresholds",
                                       "sets", "tables", "edges", NULL};
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(read_head(root, diag, rules));
    const struct lb_yaml_node *thresholds = lb_yaml_get(root, "thresholds");
    const struct lb_yaml_node *sets = lb_yaml_get(root, "sets");
    const struct lb_yaml_node *tables = lb_yaml_get(root, "tables");
    const struct lb_yaml_node *edges = lb_yaml_get(root, "edges");
    if (thresholds != NULL)
        LB_TRY(read_thresholds(thresholds, diag, rules));
    if (sets != NULL)
        LB_TRY(read_all_codes(sets, read_set, rules->arena, diag, &rules->sets, &rules->num_sets));
    if (tables != NULL)
        LB_TRY(read_all_codes(tables, read_table, rules->arena, diag, &rules->tables,
                              &rules->num_tables));
    if (edges != NULL)
        LB_TRY(read_all_edges(edges, diag, rules));
    lb_sha256(lb_yaml_bytes(rules->yaml), rules->sha256);
    return LB_OK;
}

/* Takes the file over, also when it fails. */
static lb_status build_rules(struct lb_yaml *yaml, struct lb_diag *diag,
                             struct lb_rules **out_rules)
{
    struct lb_rules *rules = calloc(1, sizeof(*rules));
    if (rules == NULL) {
        lb_yaml_free(yaml);
        LB_FAIL(LB_NO_MEMORY, "no memory for a rule set");
    }
    rules->yaml = yaml;
    rules->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    lb_status status = LB_FAULT(LB_NO_MEMORY, "no memory for a rule set");
    if (rules->arena != NULL)
        status = read_rules(lb_yaml_root(yaml), diag, rules);
    if (status != LB_OK) {
        lb_rules_free(rules);
        return status;
    }
    *out_rules = rules;
    return LB_OK;
}

lb_status lb_rules_load(const char *path, struct lb_diag *diag, struct lb_rules **out_rules)
{
    struct lb_yaml *yaml = NULL;
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    return build_rules(yaml, diag, out_rules);
}

lb_status lb_rules_load_text(struct lb_span text, const char *name, struct lb_diag *diag,
                             struct lb_rules **out_rules)
{
    struct lb_yaml *yaml = NULL;
    LB_TRY(lb_yaml_load_text(text, name, diag, &yaml));
    return build_rules(yaml, diag, out_rules);
}
