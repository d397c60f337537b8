#include <inttypes.h>
#include <string.h>

#include "gateway/config/yaml_node.h"

static bool is_left_out(const struct lb_yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; node->plain && i < sizeof(nulls) / sizeof(nulls[0]); i++) {
        if (strcmp(node->text, nulls[i]) == 0)
            return true;
    }
    return false;
}

lb_status lb_yaml_text(const struct lb_yaml_node *node, struct lb_diag *diag, const char **out)
{
    if (node->kind != LB_YAML_SCALAR)
        return lb_yaml_fail(node, diag, "%s must be a text, not a list or map; write one text",
                            lb_yaml_label(node));
    if (is_left_out(node))
        return lb_yaml_fail(node, diag, "%s has no value; write one (\"\" for an empty text)",
                            lb_yaml_label(node));
    *out = node->text;
    return LB_OK;
}

/* The digits of an integer in its one canonical form; false past 64 bits as well. */
static bool parse_int(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    const char *at = text + (negative ? 1 : 0);
    if (at[0] == 0 || (at[0] == '0' && (at[1] != 0 || negative)))
        return false;
    int64_t value = 0;
    for (; *at != 0; at++) {
        if (*at < '0' || *at > '9')
            return false;
        int64_t digit = negative ? '0' - *at : *at - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

lb_status lb_yaml_int(const struct lb_yaml_node *node, int64_t min, int64_t max,
                      struct lb_diag *diag, int64_t *out)
{
    int64_t value = 0;
    if (node->kind != LB_YAML_SCALAR || !node->plain || !parse_int(node->text, &value) ||
        value < min || value > max)
        return lb_yaml_fail(node, diag,
                            "%s must be a whole number from %" PRId64 " to %" PRId64
                            "; write its digits without quotes",
                            lb_yaml_label(node), min, max);
    *out = value;
    return LB_OK;
}

lb_status lb_yaml_bool(const struct lb_yaml_node *node, struct lb_diag *diag, bool *out)
{
    bool scalar = node->kind == LB_YAML_SCALAR && node->plain;
    if (scalar && strcmp(node->text, "true") == 0) {
        *out = true;
        return LB_OK;
    }
    if (scalar && strcmp(node->text, "false") == 0) {
        *out = false;
        return LB_OK;
    }
    return lb_yaml_fail(node, diag, "%s must be true or false; write one without quotes",
                        lb_yaml_label(node));
}

lb_status lb_yaml_need_text(const struct lb_yaml_node *map, const char *key, struct lb_diag *diag,
                            const char **out)
{
    const struct lb_yaml_node *node;
    LB_TRY(lb_yaml_need(map, key, diag, &node));
    return lb_yaml_text(node, diag, out);
}

lb_status lb_yaml_need_int(const struct lb_yaml_node *map, const char *key, int64_t min,
                           int64_t max, struct lb_diag *diag, int64_t *out)
{
    const struct lb_yaml_node *node;
    LB_TRY(lb_yaml_need(map, key, diag, &node));
    return lb_yaml_int(node, min, max, diag, out);
}

lb_status lb_yaml_opt_text(const struct lb_yaml_node *map, const char *key, const char *otherwise,
                           struct lb_diag *diag, const char **out)
{
    LB_TRY(lb_yaml_need_map(map, diag));
    const struct lb_yaml_node *node = lb_yaml_get(map, key);
    if (node != NULL)
        return lb_yaml_text(node, diag, out);
    *out = otherwise;
    return LB_OK;
}

lb_status lb_yaml_opt_int(const struct lb_yaml_node *map, const char *key, int64_t min, int64_t max,
                          int64_t otherwise, struct lb_diag *diag, int64_t *out)
{
    LB_TRY(lb_yaml_need_map(map, diag));
    const struct lb_yaml_node *node = lb_yaml_get(map, key);
    if (node != NULL)
        return lb_yaml_int(node, min, max, diag, out);
    *out = otherwise;
    return LB_OK;
}

lb_status lb_yaml_opt_bool(const struct lb_yaml_node *map, const char *key, bool otherwise,
                           struct lb_diag *diag, bool *out)
{
    LB_TRY(lb_yaml_need_map(map, diag));
    const struct lb_yaml_node *node = lb_yaml_get(map, key);
    if (node != NULL)
        return lb_yaml_bool(node, diag, out);
    *out = otherwise;
    return LB_OK;
}
