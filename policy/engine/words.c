#include "policy/engine/words.h"

#include "gateway/base/limits.h"

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_org(struct lb_span text)
{
    if (text.len == 0 || !is_lower(text.ptr[0]))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_lower(text.ptr[i]) && !is_digit(text.ptr[i]) && text.ptr[i] != '-')
            return false;
    return true;
}

static bool is_view(struct lb_span text)
{
    const uint8_t *dot = text.len == 0 ? NULL : memchr(text.ptr, '.', text.len);
    if (dot == NULL)
        return false;
    size_t head = (size_t)(dot - text.ptr);
    return is_org(lb_span_of(text.ptr, head)) &&
           is_org(lb_span_of(dot + 1, text.len - head - 1));
}

static bool is_cite(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool mark = c == '.' || c == '_' || c == '-';
        if (!is_lower(c) && !upper && !is_digit(c) && !mark)
            return false;
    }
    return text.len > 0;
}

static bool is_name(struct lb_span text)
{
    if (text.len == 0 || !is_lower(text.ptr[0]) || !is_cite(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return false;
    return true;
}

static bool is_prose(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7F)
            return false;
    return text.len > 0 && text.len <= LB_MAX_VALUE_BYTES;
}

bool lb_word_is(struct lb_span text, enum lb_word_shape shape)
{
    if (shape == LB_WORD_TEXT)
        return is_prose(text);
    if (text.len > LB_MAX_NAME_BYTES)
        return false;
    switch (shape) {
    case LB_WORD_NAME:
        return is_name(text);
    case LB_WORD_ORG:
        return is_org(text);
    case LB_WORD_VIEW:
        return is_view(text);
    case LB_WORD_LAW:
        return is_cite(text);
    case LB_WORD_TEXT:
    default:
        return false;
    }
}

bool lb_word_count(struct lb_span text, int64_t max, int64_t *out_value)
{
    if (text.len == 0 || text.len > 18 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]))
            return false;
        value = value * 10 + (text.ptr[i] - '0');
    }
    if (value > max)
        return false;
    *out_value = value;
    return true;
}

static const char *shape_text(enum lb_word_shape shape)
{
    switch (shape) {
    case LB_WORD_NAME:
        return "lower-case letters, digits, '.', '_' and '-', beginning with a letter, at most 64 "
               "bytes";
    case LB_WORD_ORG:
        return "lower-case letters, digits and '-', beginning with a letter, at most 64 bytes";
    case LB_WORD_VIEW:
        return "<department>.<name> in lower-case letters, digits and '-', at most 64 bytes";
    case LB_WORD_LAW:
        return "letters, digits, '.', '_' and '-', at most 64 bytes";
    case LB_WORD_TEXT:
    default:
        return "one line of text, at most 512 bytes";
    }
}

lb_status lb_word_of(const struct lb_yaml_node *node, enum lb_word_shape shape,
                     struct lb_diag *diag, const char **out_text)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_text(node, diag, &text));
    if (!lb_word_is(lb_span_str(text), shape))
        return lb_yaml_fail(node, diag, "\"%.80s\" is not of the expected form; write %s", text,
                            shape_text(shape));
    *out_text = text;
    return LB_OK;
}

lb_status lb_word_need(const struct lb_yaml_node *map, const char *key, enum lb_word_shape shape,
                       struct lb_diag *diag, const char **out_text)
{
    const struct lb_yaml_node *node = NULL;
    LB_TRY(lb_yaml_need(map, key, diag, &node));
    return lb_word_of(node, shape, diag, out_text);
}

lb_status lb_word_title(const struct lb_yaml_node *map, struct lb_diag *diag, const char **out_zh,
                        const char **out_en)
{
    static const char *const keys[] = {"zh", "en", NULL};
    const struct lb_yaml_node *title = NULL;
    const char *zh = NULL;
    const char *en = NULL;
    LB_TRY(lb_yaml_need(map, "title", diag, &title));
    LB_TRY(lb_yaml_only(title, keys, diag));
    LB_TRY(lb_word_need(title, "zh", LB_WORD_TEXT, diag, &zh));
    LB_TRY(lb_word_need(title, "en", LB_WORD_TEXT, diag, &en));
    *out_zh = zh;
    *out_en = en;
    return LB_OK;
}

lb_status lb_word_list(const struct lb_yaml_node *node, size_t max, struct lb_diag *diag)
{
    if (lb_yaml_kind_of(node) != LB_YAML_LIST)
        return lb_yaml_fail(node, diag,
                            "a list is expected here; write [a, b] or lines of \"- a\"");
    size_t num = lb_yaml_len(node);
    if (num == 0 || num > max)
        return lb_yaml_fail(node, diag, "the list has %zu entries; write 1 to %zu", num, max);
    return LB_OK;
}

lb_status lb_word_map(const struct lb_yaml_node *node, enum lb_word_shape shape, size_t max,
                      struct lb_diag *diag)
{
    if (lb_yaml_kind_of(node) != LB_YAML_MAP)
        return lb_yaml_fail(node, diag, "a map is expected here; write lines of \"name: ...\"");
    size_t num = lb_yaml_len(node);
    if (num == 0 || num > max)
        return lb_yaml_fail(node, diag, "there are %zu entries; write 1 to %zu", num, max);
    for (size_t i = 0; i < num; i++) {
        const char *key = NULL;
        const struct lb_yaml_node *member = lb_yaml_member(node, i, &key);
        if (!lb_word_is(lb_span_str(key), shape))
            return lb_yaml_fail(member, diag, "\"%.80s\" can't be a name here; write %s", key,
                                shape_text(shape));
    }
    return LB_OK;
}
