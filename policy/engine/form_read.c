#include <string.h>

#include "gateway/base/utf8.h"
#include "policy/engine/form_internal.h"

/* Words that mean something in an expression, or are refused there; told here at their own line. */
static const char *const reserved_words[] = {
    "abs", "and", "as_number", "between", "case", "cast", "ceil", "ceil_div", "coalesce", "collate",
    "distinct", "else", "end", "escape", "exists", "false", "floor_div", "from", "glob", "ifnull",
    "iif", "in", "is", "isnull", "like", "match", "max", "min", "n", "not", "notnull", "null",
    "nullif", "or", "raise", "regexp", "select", "then", "true", "union", "unknown", "values",
    "when", "with",
};

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz"
#define NAME_OTHERS NAME_LETTERS "0123456789_"
#define CLASS_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define CLASS_OTHERS CLASS_LETTERS "0123456789_"

static bool is_made_of(const char *name, const char *first, const char *others)
{
    size_t len = strnlen(name, LB_MAX_NAME_BYTES);
    return len > 0 && len < LB_MAX_NAME_BYTES && strspn(name, first) > 0 &&
           strspn(name, others) == len;
}

lb_status lb_form_read_class(struct form_loader *loader, const struct lb_yaml_node *map,
                             const char **out_id)
{
    const char *id;
    LB_TRY(lb_yaml_need_text(map, "class", loader->diag, &id));
    if (!is_made_of(id, CLASS_LETTERS, CLASS_OTHERS))
        return lb_yaml_fail(lb_yaml_get(map, "class"), loader->diag,
                            "`%.80s` cannot be a class; use upper-case letters, digits and `_`, a "
                            "letter first, at most 63",
                            id);
    *out_id = id;
    return LB_OK;
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof(reserved_words) / sizeof(reserved_words[0]); i++)
        if (strcmp(reserved_words[i], name) == 0)
            return true;
    return false;
}

lb_status lb_form_take_key(struct form_loader *loader, const char *name,
                           const struct lb_yaml_node *node)
{
    if (!is_made_of(name, NAME_LETTERS, NAME_OTHERS))
        return lb_yaml_fail(node, loader->diag,
                            "`%.80s` cannot be a name in expressions; use lower-case letters, "
                            "digits and `_`, a letter first, at most 63",
                            name);
    if (is_reserved(name))
        return lb_yaml_fail(node, loader->diag,
                            "`%s` has a meaning in expressions; choose another name", name);
    for (size_t i = 0; i < loader->num_taken; i++)
        if (strcmp(loader->taken[i].name, name) == 0)
            return lb_yaml_fail(node, loader->diag,
                                "the name `%s` stands for something else since line %d; a name of "
                                "facts, household and conditions is used once",
                                name, lb_yaml_line(loader->taken[i].node));
    loader->taken[loader->num_taken++] = (struct form_taken){name, node};
    return LB_OK;
}

lb_status lb_form_take_name(struct form_loader *loader, const struct lb_yaml_node *map,
                            const char *key, const char **out_name)
{
    const char *name;
    LB_TRY(lb_yaml_need_text(map, key, loader->diag, &name));
    LB_TRY(lb_form_take_key(loader, name, lb_yaml_get(map, key)));
    *out_name = name;
    return LB_OK;
}

/* Control characters, line and paragraph separators, and marks that reorder what is read. */
static bool is_steering(int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

bool lb_form_is_one_line(struct lb_span text)
{
    size_t offset = 0;
    while (offset < text.len)
        if (is_steering(lb_utf8_next(text, &offset)))
            return false;
    return true;
}

lb_status lb_form_read_line(struct form_loader *loader, const struct lb_yaml_node *map,
                            const char *key, const char **out_line)
{
    const struct lb_yaml_node *node;
    const char *text;
    LB_TRY(lb_yaml_need(map, key, loader->diag, &node));
    LB_TRY(lb_yaml_text(node, loader->diag, &text));
    size_t len = strlen(text);
    /* a folded block ends with one line break */
    if (len > 0 && text[len - 1] == '\n') {
        text = lb_arena_str(loader->arena, lb_span_of(text, --len));
        LB_ENSURE(text != NULL, LB_NO_MEMORY, "a form's text");
    }
    if (len == 0)
        return lb_yaml_fail(node, loader->diag, "`%s` is empty; people read this, write it", key);
    if (len > LB_FORM_MAX_TEXT_BYTES)
        return lb_yaml_fail(node, loader->diag, "`%s` is longer than %d bytes; shorten it", key,
                            LB_FORM_MAX_TEXT_BYTES);
    if (!lb_form_is_one_line(lb_span_of(text, len)))
        return lb_yaml_fail(node, loader->diag,
                            "`%s` has a line break or control character; write one line, or fold "
                            "it with `>-`",
                            key);
    *out_line = text;
    return LB_OK;
}

lb_status lb_form_read_text(struct form_loader *loader, const struct lb_yaml_node *map,
                            const char *key, struct lb_form_text *out_text)
{
    static const char *const keys[] = {"zh", "en", NULL};
    const struct lb_yaml_node *node;
    struct lb_form_text text;
    LB_TRY(lb_yaml_need(map, key, loader->diag, &node));
    LB_TRY(lb_yaml_only(node, keys, loader->diag));
    LB_TRY(lb_form_read_line(loader, node, "zh", &text.zh));
    LB_TRY(lb_form_read_line(loader, node, "en", &text.en));
    *out_text = text;
    return LB_OK;
}

lb_status lb_form_need_list(struct form_loader *loader, const struct lb_yaml_node *map,
                            const char *key, size_t max, const struct lb_yaml_node **out_list)
{
    const struct lb_yaml_node *list;
    LB_TRY(lb_yaml_need(map, key, loader->diag, &list));
    LB_TRY(lb_word_list(list, max, loader->diag));
    *out_list = list;
    return LB_OK;
}

static lb_status read_law(struct form_loader *loader, const struct lb_yaml_node *list,
                          size_t index, const char **laws)
{
    const struct lb_yaml_node *item = lb_yaml_item(list, index);
    LB_TRY(lb_word_of(item, LB_WORD_LAW, loader->diag, &laws[index]));
    for (size_t i = 0; i < index; i++)
        if (strcmp(laws[i], laws[index]) == 0)
            return lb_yaml_fail(item, loader->diag, "`%s` stands here twice; remove one",
                                laws[index]);
    return LB_OK;
}

lb_status lb_form_read_laws(struct form_loader *loader, const struct lb_yaml_node *map,
                            size_t min, size_t *out_num, const char *const **out_laws)
{
    const struct lb_yaml_node *list = NULL;
    size_t num = 0;
    if (lb_yaml_get(map, "law") != NULL) {
        LB_TRY(lb_form_need_list(loader, map, "law", LB_FORM_MAX_LAWS, &list));
        num = lb_yaml_len(list);
    }
    if (num < min)
        return lb_yaml_fail(map, loader->diag,
                            "no `law` is named; list the law this rests on, such as [SAL41]");
    const char **laws = lb_arena_array(loader->arena, num, sizeof(*laws));
    LB_ENSURE(laws != NULL, LB_NO_MEMORY, "a form's laws");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_law(loader, list, i, laws));
    *out_num = num;
    *out_laws = laws;
    return LB_OK;
}
