#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/config/yaml.h"
#include "gateway/ctl/explain_view.h"

#define MAX_LAWS 64
#define DEFAULT_LIFE_HOURS 24
#define MAX_LIFE_HOURS (20 * 366 * 24)

struct reading {
    struct lb_arena *arena;
    struct lb_diag *diag;
};

static lb_status copy(const struct reading *reading, const char *text, const char **out)
{
    *out = lb_arena_str(reading->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status need(const struct reading *reading, const struct lb_yaml_node *map,
                      const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, reading->diag, &text));
    if (strlen(text) > LB_MAX_VALUE_BYTES)
        return lb_yaml_fail(lb_yaml_get(map, key), reading->diag, "%s is too long", key);
    return copy(reading, text, out);
}

static lb_status read_laws(const struct reading *reading, const struct lb_yaml_node *root,
                           struct lb_explain_request *out)
{
    const struct lb_yaml_node *list = lb_yaml_get(root, "law");
    if (list == NULL)
        return LB_OK;
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) > MAX_LAWS)
        return lb_yaml_fail(list, reading->diag, "law is a list of at most %d", MAX_LAWS);
    const char **laws = lb_arena_array(reading->arena, lb_yaml_len(list), sizeof(laws[0]));
    LB_ENSURE(laws != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const char *law = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), reading->diag, &law));
        LB_TRY(copy(reading, law, &laws[i]));
    }
    out->laws = laws;
    out->num_laws = lb_yaml_len(list);
    return LB_OK;
}

/* Without a word the subject agreed. */
static lb_status read_giver(const struct reading *reading, const struct lb_yaml_node *root,
                            struct lb_explain_request *out)
{
    const char *name = NULL;
    LB_TRY(lb_yaml_opt_text(root, "given_by", "self", reading->diag, &name));
    if (lb_giver_parse(lb_span_str(name), &out->giver) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(root, "given_by"), reading->diag,
                            "nobody agrees as that; write self, guardian, agent or relative");
    return LB_OK;
}

static lb_status read_level(const struct reading *reading, const struct lb_yaml_node *root,
                            struct lb_explain_request *out)
{
    static const struct {
        const char *name;
        int64_t reach;
    } methods[] = {{"none", 1}, {"document", 2}, {"paper2", 2}, {"face", 3}};
    const char *method = NULL;
    int64_t level = 0, reach = 4;
    LB_TRY(lb_yaml_opt_text(root, "method", NULL, reading->diag, &method));
    for (size_t i = 0; i < 4 && method != NULL; i++) {
        if (strcmp(methods[i].name, method) == 0)
            level = reach = methods[i].reach;
    }
    if (method != NULL && level == 0)
        return lb_yaml_fail(lb_yaml_get(root, "method"), reading->diag,
                            "method is none, document, paper2 or face");
    LB_TRY(lb_yaml_opt_int(root, "level", 1, 4, level == 0 ? 1 : level, reading->diag, &level));
    if (level > reach)
        return lb_yaml_fail(lb_yaml_get(root, "level"), reading->diag,
                            "the method does not reach this level; at most %d", (int)reach);
    out->level = (int)level;
    return LB_OK;
}

static lb_status read_wants(const struct reading *reading, const struct lb_yaml_node *root,
                            struct lb_explain_request *out)
{
    static const char *const keys[] = {"view", "field", "operator", NULL};
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(root, "wants", reading->diag, &list));
    size_t num = lb_yaml_len(list);
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || num < 1 || num > LB_MAX_FIELDS_PER_SECTION)
        return lb_yaml_fail(list, reading->diag, "wants is a list of 1 to %d",
                            LB_MAX_FIELDS_PER_SECTION);
    struct lb_explain_question *wants = lb_arena_array(reading->arena, num, sizeof(wants[0]));
    LB_ENSURE(wants != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        LB_TRY(lb_yaml_only(item, keys, reading->diag));
        LB_TRY(need(reading, item, "view", &wants[i].view));
        LB_TRY(need(reading, item, "field", &wants[i].field));
        LB_TRY(need(reading, item, "operator", &wants[i].operator_text));
    }
    out->wants = wants;
    out->num_wants = num;
    return LB_OK;
}

static lb_status read_request(const struct reading *reading, const struct lb_yaml_node *root,
                              struct lb_explain_request *out)
{
    static const char *const keys[] = {"requester", "issuer", "form",   "version", "purpose",
                                       "basis",     "law",    "level",  "method",  "wants",
                                       "given_by",  "life_hours", "every_days", NULL};
    int64_t version = 0, hours = 0;
    LB_TRY(lb_yaml_only(root, keys, reading->diag));
    LB_TRY(need(reading, root, "requester", &out->requester));
    LB_TRY(need(reading, root, "issuer", &out->issuer));
    LB_TRY(need(reading, root, "form", &out->form));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, reading->diag, &version));
    LB_TRY(need(reading, root, "purpose", &out->purpose));
    LB_TRY(need(reading, root, "basis", &out->basis));
    out->form_version = (uint32_t)version;
    LB_TRY(lb_yaml_opt_int(root, "life_hours", 1, MAX_LIFE_HOURS, DEFAULT_LIFE_HOURS,
                           reading->diag, &hours));
    out->life_s = hours * 3600;
    LB_TRY(lb_yaml_opt_int(root, "every_days", 1, LB_EVENT_MAX_DAYS, 0, reading->diag,
                           &out->event_days));
    LB_TRY(read_laws(reading, root, out));
    LB_TRY(read_level(reading, root, out));
    LB_TRY(read_giver(reading, root, out));
    return read_wants(reading, root, out);
}

lb_status lb_ctl_explain_read(struct lb_span text, const char *name, struct lb_arena *arena,
                              struct lb_diag *diag, struct lb_explain_request *out_request)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    const struct reading reading = {arena, diag};
    struct lb_explain_request request = {.level = 1};
    LB_TRY(lb_yaml_load_text(text, name, diag, &yaml));
    LB_TRY(read_request(&reading, lb_yaml_root(yaml), &request));
    *out_request = request;
    return LB_OK;
}
