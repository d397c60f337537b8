#include "policy/engine/closures.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "policy/engine/words.h"

static lb_status load_words(const struct lb_yaml_node *root, const char *key,
                            enum lb_word_shape shape, struct lb_arena *arena, struct lb_diag *diag,
                            const char **out, size_t *out_num)
{
    const struct lb_yaml_node *list = lb_yaml_get(root, key);
    if (list == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) > LB_MAX_CLOSURES)
        return lb_yaml_fail(list, diag, "%s is a list of at most %d names", key, LB_MAX_CLOSURES);
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const char *word = NULL;
        LB_TRY(lb_word_of(lb_yaml_item(list, i), shape, diag, &word));
        out[i] = lb_arena_str(arena, lb_span_str(word));
        LB_ENSURE(out[i] != NULL, LB_NO_MEMORY, "arena full");
    }
    *out_num = lb_yaml_len(list);
    return LB_OK;
}

static lb_status load(const struct lb_yaml_node *root, struct lb_arena *arena,
                      struct lb_diag *diag, struct lb_closures *out)
{
    static const char *const keys[] = {"department", "views", "requesters", "reason", NULL};
    const char *reason = "";
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(lb_yaml_opt_bool(root, "department", false, diag, &out->department));
    LB_TRY(load_words(root, "views", LB_WORD_VIEW, arena, diag, out->views, &out->num_views));
    LB_TRY(load_words(root, "requesters", LB_WORD_ORG, arena, diag, out->requesters,
                      &out->num_requesters));
    if (lb_yaml_get(root, "reason") != NULL)
        LB_TRY(lb_word_need(root, "reason", LB_WORD_TEXT, diag, &reason));
    out->reason = lb_arena_str(arena, lb_span_str(reason));
    LB_ENSURE(out->reason != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

lb_status lb_closures_load(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                           struct lb_closures *out_closures)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_closures closures = {.reason = ""};
    if (access(path, F_OK) == 0 || errno != ENOENT) {
        LB_TRY(lb_yaml_load_file(path, diag, &yaml));
        LB_TRY(load(lb_yaml_root(yaml), arena, diag, &closures));
    }
    *out_closures = closures;
    return LB_OK;
}

static void put_list(struct lb_buf *text, const char *key, const char *const *words, size_t num)
{
    lb_buf_printf(text, "%s: [", key);
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(text, "%s%s", i == 0 ? "" : ", ", words[i]);
    lb_buf_put_str(text, "]\n");
}

static void put_quoted(struct lb_buf *text, const char *key, const char *words)
{
    lb_buf_printf(text, "%s: \"", key);
    for (; *words != 0; words++) {
        if (*words == '"' || *words == '\\')
            lb_buf_put_u8(text, '\\');
        lb_buf_put_u8(text, (uint8_t)*words);
    }
    lb_buf_put_str(text, "\"\n");
}

#define MAX_TEXT_BYTES (64 * 1024)

lb_status lb_closures_text(const struct lb_closures *closures, struct lb_arena *arena,
                           const char **out_text)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_TEXT_BYTES);
    lb_buf_printf(&text, "department: %s\n", closures->department ? "true" : "false");
    put_list(&text, "views", closures->views, closures->num_views);
    put_list(&text, "requesters", closures->requesters, closures->num_requesters);
    if (closures->reason[0] != 0)
        put_quoted(&text, "reason", closures->reason);
    LB_TRY(lb_buf_check(&text));
    *out_text = lb_arena_str(arena, lb_buf_span(&text));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

static bool lists(const char *const *words, size_t num, const char *word)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static lb_status set(const char **words, size_t *num, const char *word, bool shut)
{
    size_t at = 0;
    while (at < *num && strcmp(words[at], word) != 0)
        at++;
    if (!shut && at < *num) {
        memmove(&words[at], &words[at + 1], (*num - at - 1) * sizeof(words[0]));
        (*num)--;
    }
    if (!shut || at < *num)
        return LB_OK;
    LB_ENSURE(*num < LB_MAX_CLOSURES, LB_TOO_LARGE, "too much is shut one by one; shut all");
    words[(*num)++] = word;
    return LB_OK;
}

lb_status lb_closures_set_view(struct lb_closures *closures, const char *view, bool shut)
{
    LB_ENSURE(lb_word_is(lb_span_str(view), LB_WORD_VIEW), LB_MALFORMED,
              "a view is called <department>.<name>");
    return set(closures->views, &closures->num_views, view, shut);
}

lb_status lb_closures_set_requester(struct lb_closures *closures, const char *organization,
                                    bool shut)
{
    LB_ENSURE(lb_word_is(lb_span_str(organization), LB_WORD_ORG), LB_MALFORMED,
              "a requester is an organization's id");
    return set(closures->requesters, &closures->num_requesters, organization, shut);
}

lb_status lb_closures_set_reason(struct lb_closures *closures, const char *reason)
{
    LB_ENSURE(lb_word_is(lb_span_str(reason), LB_WORD_TEXT), LB_MALFORMED,
              "a reason is one line of at most 512 bytes");
    closures->reason = reason;
    return LB_OK;
}

bool lb_closures_any(const struct lb_closures *closures)
{
    return closures->department || closures->num_views > 0 || closures->num_requesters > 0;
}

bool lb_closures_view(const struct lb_closures *closures, const char *view)
{
    return closures->department || lists(closures->views, closures->num_views, view);
}

bool lb_closures_requester(const struct lb_closures *closures, const char *organization)
{
    return closures->department ||
           lists(closures->requesters, closures->num_requesters, organization);
}
