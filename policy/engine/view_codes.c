#include "policy/engine/view_private.h"

/* A department's codes in the form's words. A code that is not in the list is nobody's guess: the
 * field is refused until the department has looked. */

static bool is_key(const char *text)
{
    size_t len = strlen(text);
    struct lb_span span = lb_span_of(text, len);
    return len > 0 && len <= LB_MAX_NAME_BYTES && text[len - 1] != ' ' &&
           lb_word_is(span, LB_WORD_TEXT);
}

static lb_status load_code(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                           const char *key, struct lb_view_code *out)
{
    const char *word = NULL;
    LB_TRY(lb_word_of(node, LB_WORD_TEXT, loader->diag, &word));
    if (!is_key(key) || strlen(word) > LB_MAX_NAME_BYTES)
        return lb_yaml_fail(node, loader->diag,
                            "codes and words have at most %d bytes, no control characters and no "
                            "blank behind; mend this one", LB_MAX_NAME_BYTES);
    LB_TRY(lb_view_copy(loader, key, &out->code));
    return lb_view_copy(loader, word, &out->word);
}

static lb_status load_list(const struct lb_view_loader *loader, const struct lb_yaml_node *map,
                           struct lb_view_field *field)
{
    size_t num = lb_yaml_len(map);
    if (lb_yaml_kind_of(map) != LB_YAML_MAP || num == 0 || num > LB_VIEW_MAX_CODES)
        return lb_yaml_fail(map, loader->diag,
                            "codes is a map of 1 to %d of the department's codes, each with the "
                            "form's word for it", LB_VIEW_MAX_CODES);
    struct lb_view_code *codes = lb_arena_array(loader->arena, num, sizeof(*codes));
    LB_ENSURE(codes != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const char *key = NULL;
        const struct lb_yaml_node *node = lb_yaml_member(map, i, &key);
        LB_TRY(load_code(loader, node, key, &codes[i]));
    }
    field->codes = codes;
    field->num_codes = num;
    return LB_OK;
}

static lb_status load_empty(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                            struct lb_view_field *field)
{
    const char *word = NULL;
    LB_TRY(lb_word_of(node, LB_WORD_TEXT, loader->diag, &word));
    return lb_view_copy(loader, word, &field->empty);
}

lb_status lb_view_load_codes(const struct lb_view_loader *loader, const struct lb_yaml_node *node,
                             struct lb_view_field *field)
{
    const struct lb_yaml_node *codes = lb_yaml_get(node, "codes");
    const struct lb_yaml_node *empty = lb_yaml_get(node, "empty");
    const struct lb_yaml_node *null = lb_yaml_get(node, "null_is_empty");
    const struct lb_yaml_node *first = codes != NULL ? codes : empty != NULL ? empty : null;
    if (first != NULL && field->type != LB_FIELD_CODE)
        return lb_yaml_fail(first, loader->diag,
                            "only a field of type code has codes, empty and null_is_empty; remove "
                            "it");
    if (codes != NULL)
        LB_TRY(load_list(loader, codes, field));
    if (empty != NULL)
        LB_TRY(load_empty(loader, empty, field));
    if (null == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_bool(null, loader->diag, &field->null_is_empty));
    if (field->null_is_empty && field->empty == NULL)
        return lb_yaml_fail(null, loader->diag,
                            "null_is_empty needs the word for both in `empty`; add it");
    return LB_OK;
}

/* The form's word; NULL when there is none. */
static const char *word_for(const struct lb_view_field *field, struct lb_span code)
{
    if (code.len == 0)
        return field->empty;
    for (size_t i = 0; i < field->num_codes; i++)
        if (lb_span_is(code, field->codes[i].code))
            return field->codes[i].word;
    return NULL;
}

lb_status lb_view_map_codes(const struct lb_view_field *field, const struct lb_rows *rows,
                            size_t column, struct lb_arena *arena, struct lb_rows *out)
{
    size_t num = rows->num_rows * rows->num_columns;
    struct lb_cell *cells = lb_arena_array(arena, num, sizeof(*cells));
    LB_ENSURE(cells != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        cells[i] = rows->cells[i];
        if (i % rows->num_columns != column || cells[i].kind == LB_CELL_NULL)
            continue;
        LB_ENSURE(cells[i].kind == LB_CELL_TEXT, LB_CODE_UNMAPPED, "a code that is a number");
        if (field->num_codes == 0 && cells[i].text.len > 0)
            continue;
        const char *word = word_for(field, cells[i].text);
        LB_ENSURE(word != NULL, LB_CODE_UNMAPPED, "a code that the view has no word for");
        cells[i].text = lb_span_str(word);
    }
    *out = *rows;
    out->cells = cells;
    return LB_OK;
}
