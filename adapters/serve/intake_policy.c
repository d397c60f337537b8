#include "adapters/serve/intake_policy.h"

#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/trust/directory.h"

#define MAX_FORMS 64
#define MAX_TEXTS 64
#define DAY_S (INT64_C(24) * 3600)
#define MEGABYTE (INT64_C(1024) * 1024)

struct reading {
    struct lb_serve_policy *policy;
    struct lb_diag *diag;
};

static lb_status keep(const struct reading *reading, const struct lb_yaml_node *node,
                      const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_text(node, reading->diag, &text));
    if (!lb_utf8_line(text, LB_MAX_VALUE_BYTES))
        return lb_yaml_fail(node, reading->diag, "must be one line of 1 to %d bytes",
                            LB_MAX_VALUE_BYTES);
    *out = lb_arena_str(reading->policy->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "policy is too large");
    return LB_OK;
}

static lb_status need_texts(const struct reading *reading, const struct lb_yaml_node *map,
                            const char *key, const char *const **out, size_t *out_num)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(map, key, reading->diag, &list));
    size_t num = lb_yaml_len(list);
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || num > MAX_TEXTS)
        return lb_yaml_fail(list, reading->diag, "%s must be a list of at most %d items", key,
                            MAX_TEXTS);
    const char **texts = lb_arena_array(reading->policy->arena, num, sizeof(*texts));
    LB_ENSURE(texts != NULL, LB_NO_MEMORY, "policy is too large");
    for (size_t i = 0; i < num; i++)
        LB_TRY(keep(reading, lb_yaml_item(list, i), &texts[i]));
    *out = texts;
    *out_num = num;
    return LB_OK;
}

static lb_status read_requesters(const struct reading *reading, const struct lb_yaml_node *item,
                                 struct lb_intake_form *out)
{
    const struct lb_yaml_node *list = lb_yaml_get(item, "requesters");
    LB_TRY(need_texts(reading, item, "requesters", &out->requesters, &out->num_requesters));
    for (size_t i = 0; i < out->num_requesters; i++) {
        if (lb_serve_policy_requester(reading->policy, out->requesters[i]) == NULL)
            return lb_yaml_fail(lb_yaml_item(list, i), reading->diag,
                                "is not among accept.requesters; name it there with its key");
    }
    return LB_OK;
}

static lb_status read_form(const struct reading *reading, const struct lb_yaml_node *item,
                           struct lb_intake_form *out)
{
    static const char *const keys[] = {"form",       "version",     "parts",
                                       "requesters", "corrections", "signals", NULL};
    const struct lb_yaml_node *form = NULL;
    int64_t version = 0;
    LB_TRY(lb_yaml_only(item, keys, reading->diag));
    LB_TRY(lb_yaml_need(item, "form", reading->diag, &form));
    LB_TRY(keep(reading, form, &out->form));
    LB_TRY(lb_yaml_need_int(item, "version", 1, INT32_MAX, reading->diag, &version));
    out->version = (uint32_t)version;
    if (lb_serve_policy_form(reading->policy, out->form, out->version) == NULL)
        return lb_yaml_fail(form, reading->diag,
                            "this version is not among accept.forms; name it there with its hash");
    LB_TRY(need_texts(reading, item, "parts", &out->parts, &out->num_parts));
    LB_TRY(read_requesters(reading, item, out));
    LB_TRY(lb_yaml_opt_bool(item, "corrections", false, reading->diag, &out->corrections));
    LB_TRY(lb_yaml_opt_bool(item, "signals", false, reading->diag, &out->signals));
    if (out->signals && out->corrections)
        return lb_yaml_fail(item, reading->diag,
                            "what citizens say of our data comes from their cases, never from a "
                            "trigger; leave `corrections` out");
    return LB_OK;
}

static lb_status read_forms(const struct reading *reading, const struct lb_yaml_node *map,
                            struct lb_intake_policy *out)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(map, "forms", reading->diag, &list));
    size_t num = lb_yaml_len(list);
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || num < 1 || num > MAX_FORMS)
        return lb_yaml_fail(list, reading->diag, "forms must be a list of 1 to %d items",
                            MAX_FORMS);
    struct lb_intake_form *forms = lb_arena_array(reading->policy->arena, num, sizeof(*forms));
    LB_ENSURE(forms != NULL, LB_NO_MEMORY, "policy is too large");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_form(reading, lb_yaml_item(list, i), &forms[i]));
        for (size_t k = 0; k < i; k++) {
            if (forms[i].version == forms[k].version && strcmp(forms[i].form, forms[k].form) == 0)
                return lb_yaml_fail(lb_yaml_item(list, i), reading->diag,
                                    "this form version stands here twice; join the two");
        }
    }
    out->forms = forms;
    out->num_forms = num;
    return LB_OK;
}

/* A clerk is a member like any other officer; the directory must list it as well. */
static lb_status read_clerks(const struct reading *reading, const struct lb_yaml_node *map,
                             struct lb_intake_policy *out)
{
    const struct lb_yaml_node *list = lb_yaml_get(map, "clerks");
    LB_TRY(need_texts(reading, map, "clerks", &out->clerks, &out->num_clerks));
    for (size_t i = 0; i < out->num_clerks; i++) {
        const char *federation = NULL, *organization = NULL;
        enum lb_node_kind kind = LB_NODE_BROKER;
        if (lb_spiffe_parse(out->clerks[i], reading->policy->arena, &federation, &kind,
                            &organization) != LB_OK ||
            kind != LB_NODE_OFFICER)
            return lb_yaml_fail(lb_yaml_item(list, i), reading->diag,
                                "must be a SPIFFE id of the kind officer");
    }
    return LB_OK;
}

static lb_status read_bounds(const struct reading *reading, const struct lb_yaml_node *map,
                             struct lb_intake_policy *out)
{
    static const char *const keys[] = {"parcels", "megabytes", "per_requester", NULL};
    const struct lb_yaml_node *waiting = lb_yaml_get(map, "waiting");
    int64_t megabytes = 256;
    out->max_parcels = 10000;
    out->max_of_requester = 5000;
    if (waiting != NULL) {
        LB_TRY(lb_yaml_only(waiting, keys, reading->diag));
        LB_TRY(lb_yaml_opt_int(waiting, "parcels", 1, 100000, out->max_parcels, reading->diag,
                               &out->max_parcels));
        LB_TRY(lb_yaml_opt_int(waiting, "megabytes", 1, 4096, megabytes, reading->diag,
                               &megabytes));
        LB_TRY(lb_yaml_opt_int(waiting, "per_requester", 1, 100000, out->max_of_requester,
                               reading->diag, &out->max_of_requester));
    }
    out->max_bytes = megabytes * MEGABYTE;
    return LB_OK;
}

static lb_status read_program(const struct reading *reading, const struct lb_yaml_node *map,
                              struct lb_intake_program *out)
{
    static const char *const keys[] = {"path", "arguments", "timeout_s", "tries", NULL};
    const struct lb_yaml_node *program = lb_yaml_get(map, "program");
    const struct lb_yaml_node *path = NULL;
    if (program == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(program, keys, reading->diag));
    LB_TRY(lb_yaml_need(program, "path", reading->diag, &path));
    LB_TRY(keep(reading, path, &out->path));
    if (out->path[0] != '/')
        return lb_yaml_fail(path, reading->diag, "path must be absolute");
    if (lb_yaml_get(program, "arguments") != NULL)
        LB_TRY(need_texts(reading, program, "arguments", &out->arguments, &out->num_arguments));
    LB_TRY(lb_yaml_opt_int(program, "timeout_s", 1, 600, 60, reading->diag, &out->timeout_s));
    return lb_yaml_opt_int(program, "tries", 1, 100, 8, reading->diag, &out->tries);
}

lb_status lb_intake_policy_read(struct lb_serve_policy *policy, const struct lb_yaml_node *root,
                                struct lb_diag *diag)
{
    static const char *const keys[] = {"forms",   "clerks",  "keep_days", "lease_minutes",
                                       "waiting", "program", NULL};
    const struct reading reading = {policy, diag};
    const struct lb_yaml_node *map = lb_yaml_get(root, "intake");
    int64_t days = 0, minutes = 0;
    if (map == NULL)
        return LB_OK;
    struct lb_intake_policy *intake = lb_arena_alloc(policy->arena, sizeof(*intake));
    LB_ENSURE(intake != NULL, LB_NO_MEMORY, "policy is too large");
    LB_TRY(lb_yaml_only(map, keys, diag));
    LB_TRY(read_forms(&reading, map, intake));
    LB_TRY(read_clerks(&reading, map, intake));
    LB_TRY(lb_yaml_opt_int(map, "keep_days", 0, 3660, 30, diag, &days));
    LB_TRY(lb_yaml_opt_int(map, "lease_minutes", 1, 1440, 15, diag, &minutes));
    LB_TRY(read_bounds(&reading, map, intake));
    LB_TRY(read_program(&reading, map, &intake->program));
    intake->keep_s = days * DAY_S;
    intake->lease_s = minutes * 60;
    policy->intake = intake;
    return LB_OK;
}

static bool has(const char *const *texts, size_t num, const char *text)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(texts[i], text) == 0)
            return true;
    }
    return false;
}

const struct lb_intake_form *lb_intake_policy_form(const struct lb_serve_policy *policy,
                                                   const char *form, uint32_t version,
                                                   const char *requester)
{
    const struct lb_intake_policy *intake = policy->intake;
    for (size_t i = 0; intake != NULL && i < intake->num_forms; i++) {
        const struct lb_intake_form *item = &intake->forms[i];
        if (item->version == version && strcmp(item->form, form) == 0 &&
            has(item->requesters, item->num_requesters, requester))
            return item;
    }
    return NULL;
}

bool lb_intake_form_has_part(const struct lb_intake_form *form, const char *part)
{
    return has(form->parts, form->num_parts, part);
}

bool lb_intake_policy_clerk(const struct lb_serve_policy *policy, const char *spiffe)
{
    const struct lb_intake_policy *intake = policy->intake;
    return intake != NULL && has(intake->clerks, intake->num_clerks, spiffe);
}
