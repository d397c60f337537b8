#include <string.h>

#include "gateway/base/buf.h"
#include "policy/engine/catalogue_internal.h"

/* Numbers in texts come from the threshold set, so that a text can't say another one than its test
 * compares with. */

const char *lb_threshold_format(const struct lb_threshold *threshold, struct lb_arena *arena)
{
    long long value = (long long)threshold->value;
    bool cents = strcmp(threshold->unit, "cents") == 0;
    if (cents || strcmp(threshold->unit, "bp") == 0) {
        if (value % 100 == 0)
            return lb_arena_printf(arena, "%lld", value / 100);
        return lb_arena_printf(arena, "%lld.%02lld", value / 100, value % 100);
    }
    if (strcmp(threshold->unit, "date") == 0)
        return lb_arena_printf(arena, "%04lld-%02lld-%02lld", value / 10000, value / 100 % 100,
                               value % 100);
    return lb_arena_printf(arena, "%lld", value);
}

static const struct lb_threshold *find_threshold(const struct lb_rules *rules, struct lb_span name)
{
    const struct lb_threshold *threshold = NULL;
    for (size_t i = 0; (threshold = lb_rules_threshold_at(rules, i)) != NULL; i++)
        if (lb_catalogue_threshold_name(threshold, name))
            return threshold;
    return NULL;
}

/* One `{name}` at *at, which is moved past it. */
static lb_status put_threshold(struct catalogue_loader *loader, const struct lb_yaml_node *node,
                               const char **at, struct lb_buf *out)
{
    struct form_loader *reader = &loader->reader;
    const char *end = strchr(*at, '}');
    if (end == NULL)
        return lb_yaml_fail(node, reader->diag, "a `{` has no `}`; write {threshold}");
    struct lb_span name = lb_span_of(*at + 1, (size_t)(end - *at) - 1);
    const struct lb_threshold *threshold = find_threshold(loader->catalogue->rules, name);
    if (threshold == NULL)
        return lb_yaml_fail(node, reader->diag,
                            "`{%.*s}` is no threshold of the set; write its name with `_`",
                            name.len > 64 ? 64 : (int)name.len, (const char *)name.ptr);
    const char *value = lb_threshold_format(threshold, reader->arena);
    LB_ENSURE(value != NULL, LB_NO_MEMORY, "a text");
    lb_buf_put_str(out, value);
    *at = end + 1;
    return LB_OK;
}

static bool mentions(const char *text, const struct lb_threshold *threshold)
{
    for (const char *at = text; (at = strchr(at, '{')) != NULL; at++) {
        const char *end = strchr(at, '}');
        if (end != NULL && lb_catalogue_threshold_name(
                               threshold, lb_span_of(at + 1, (size_t)(end - at) - 1)))
            return true;
    }
    return false;
}

/* What stands in no text that was read is told to be so, wherever it is told. */
static lb_status put_doubts(struct catalogue_loader *loader, const char *text, bool zh,
                            struct lb_buf *out)
{
    const struct lb_rules *rules = loader->catalogue->rules;
    const struct lb_threshold *threshold = NULL;
    for (size_t i = 0; (threshold = lb_rules_threshold_at(rules, i)) != NULL; i++) {
        if (threshold->verified || !mentions(text, threshold))
            continue;
        const char *value = lb_threshold_format(threshold, loader->reader.arena);
        LB_ENSURE(value != NULL, LB_NO_MEMORY, "a text");
        lb_buf_printf(out, zh ? "；%s为参考值，未与文件核对"
                              : "; %s is a reference value, not verified against a text", value);
    }
    return LB_OK;
}

static lb_status fill_one(struct catalogue_loader *loader, const struct lb_yaml_node *node,
                          const struct lb_policy_condition *condition, bool zh, const char **text)
{
    struct form_loader *reader = &loader->reader;
    LB_DEFER(lb_buf_cleanup) struct lb_buf out;
    lb_buf_init(&out, LB_FORM_MAX_TEXT_BYTES);
    for (size_t i = 0; condition != NULL && i < condition->num_thresholds; i++)
        if (!mentions(*text, condition->thresholds[i]))
            return lb_yaml_fail(node, reader->diag,
                                "the text does not say the threshold %s its test uses; write it "
                                "in braces",
                                condition->thresholds[i]->name);
    for (const char *at = *text; *at != '\0';) {
        if (*at == '{')
            LB_TRY(put_threshold(loader, node, &at, &out));
        else
            lb_buf_put_u8(&out, (uint8_t)*at++);
    }
    LB_TRY(put_doubts(loader, *text, zh, &out));
    LB_TRY(lb_buf_check(&out));
    *text = lb_arena_str(reader->arena, lb_buf_span(&out));
    LB_ENSURE(*text != NULL, LB_NO_MEMORY, "a text");
    return LB_OK;
}

lb_status lb_catalogue_fill(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                            const char *key, const struct lb_policy_condition *condition,
                            struct lb_form_text *text)
{
    struct lb_form_text filled;
    const struct lb_yaml_node *node = lb_yaml_get(map, key);
    LB_TRY(lb_form_read_text(&loader->reader, map, key, &filled));
    LB_TRY(fill_one(loader, lb_yaml_get(node, "zh"), condition, true, &filled.zh));
    LB_TRY(fill_one(loader, lb_yaml_get(node, "en"), condition, false, &filled.en));
    *text = filled;
    return LB_OK;
}
