#include "adapters/serve/policy_shares.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/intake_policy.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/config/yaml.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/note.h"
#include "policy/engine/view_limits.h"

#define MAX_LISTED 256
#define MAX_STATUS_AGE_S (24 * 3600)
#define SENSITIVE_CLASS 3

/* What loading needs at every step. */
struct loader {
    struct lb_serve_policy *policy;
    const char *path;
    struct lb_diag *diag;
};

static lb_status keep_text(struct loader *loader, const char *text, const char **out)
{
    char *kept = lb_arena_str(loader->policy->arena, lb_span_str(text));
    LB_ENSURE(kept != NULL, LB_NO_MEMORY, "policy is too large");
    *out = kept;
    return LB_OK;
}

static lb_status need_text(struct loader *loader, const struct lb_yaml_node *map, const char *key,
                           const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, loader->diag, &text));
    return keep_text(loader, text, out);
}

static lb_status need_hash(struct loader *loader, const struct lb_yaml_node *map, const char *key,
                           uint8_t out[32])
{
    const struct lb_yaml_node *node = NULL;
    const char *text = NULL;
    LB_TRY(lb_yaml_need(map, key, loader->diag, &node));
    LB_TRY(lb_yaml_text(node, loader->diag, &text));
    if (lb_hex_decode(lb_span_str(text), out, 32) != LB_OK)
        return lb_yaml_fail(node, loader->diag, "%s must be 64 hex digits", key);
    return LB_OK;
}

/* A path in the file is relative to the file's own folder. */
static lb_status beside(const struct loader *loader, const char *name, char out[PATH_MAX])
{
    const char *slash = strrchr(loader->path, '/');
    size_t folder = slash == NULL || name[0] == '/' ? 0 : (size_t)(slash - loader->path) + 1;
    size_t len = strlen(name);
    LB_ENSURE(folder + len < PATH_MAX, LB_CONFIG_INVALID, "path is too long");
    memcpy(out, loader->path, folder);
    memcpy(out + folder, name, len + 1);
    return LB_OK;
}

/* A list of at most MAX_LISTED items becomes an array; each item is read by `read`. */
typedef lb_status (*read_item)(struct loader *loader, const struct lb_yaml_node *item, void *out);

static lb_status read_list(struct loader *loader, const struct lb_yaml_node *map, const char *key,
                           size_t item_size, read_item read, void *out_items, size_t *out_num)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(map, key, loader->diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST)
        return lb_yaml_fail(list, loader->diag, "%s must be a list", key);
    size_t num = lb_yaml_len(list);
    if (num > MAX_LISTED)
        return lb_yaml_fail(list, loader->diag, "%s has more than %d items", key, MAX_LISTED);
    uint8_t *items = lb_arena_array(loader->policy->arena, num, item_size);
    LB_ENSURE(items != NULL, LB_NO_MEMORY, "policy is too large");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read(loader, lb_yaml_item(list, i), items + i * item_size));
    *(void **)out_items = items;
    *out_num = num;
    return LB_OK;
}

static lb_status read_name(struct loader *loader, const struct lb_yaml_node *item, void *out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_text(item, loader->diag, &text));
    return keep_text(loader, text, out);
}

static lb_status read_requester(struct loader *loader, const struct lb_yaml_node *item, void *out)
{
    static const char *const keys[] = {"spiffe", "log", NULL};
    struct lb_accepted_requester *requester = out;
    const char *vkey = NULL;
    LB_TRY(lb_yaml_only(item, keys, loader->diag));
    LB_TRY(need_text(loader, item, "spiffe", &requester->spiffe));
    LB_TRY(lb_yaml_need_text(item, "log", loader->diag, &vkey));
    struct lb_note_verifier verifier;
    if (lb_note_verifier_parse(lb_span_str(vkey), &verifier) != LB_OK)
        return lb_yaml_fail(item, loader->diag, "log must be a verifier key <name>+<id>+<key>");
    memcpy(requester->log_key, verifier.public_key, sizeof(requester->log_key));
    lb_note_verifier_cleanup(&verifier);
    return LB_OK;
}

static lb_status read_issuer(struct loader *loader, const struct lb_yaml_node *item, void *out)
{
    static const char *const keys[] = {"organization", "kid", "key_sha256", NULL};
    struct lb_accepted_issuer *issuer = out;
    LB_TRY(lb_yaml_only(item, keys, loader->diag));
    LB_TRY(need_text(loader, item, "organization", &issuer->organization));
    LB_TRY(need_text(loader, item, "kid", &issuer->kid));
    return need_hash(loader, item, "key_sha256", issuer->key_sha256);
}

static lb_status read_form(struct loader *loader, const struct lb_yaml_node *item, void *out)
{
    static const char *const keys[] = {"form", "version", "sha256", NULL};
    struct lb_accepted_form *form = out;
    int64_t version = 0;
    LB_TRY(lb_yaml_only(item, keys, loader->diag));
    LB_TRY(need_text(loader, item, "form", &form->form));
    LB_TRY(lb_yaml_need_int(item, "version", 1, INT32_MAX, loader->diag, &version));
    form->version = (uint32_t)version;
    return need_hash(loader, item, "sha256", form->sha256);
}

static lb_status read_view(struct loader *loader, const struct lb_yaml_node *item, void *out)
{
    const char *name = NULL;
    char path[PATH_MAX];
    LB_TRY(lb_yaml_text(item, loader->diag, &name));
    LB_TRY(beside(loader, name, path));
    return lb_view_load(path, loader->policy->rules, loader->policy->arena, loader->diag, out);
}

static lb_status read_accept(struct loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"brokers", "requesters", "issuers", "forms", NULL};
    struct lb_serve_policy *policy = loader->policy;
    const struct lb_yaml_node *accept = NULL;
    LB_TRY(lb_yaml_need(root, "accept", loader->diag, &accept));
    LB_TRY(lb_yaml_only(accept, keys, loader->diag));
    LB_TRY(read_list(loader, accept, "brokers", sizeof(char *), read_name, &policy->brokers,
                     &policy->num_brokers));
    LB_TRY(read_list(loader, accept, "requesters", sizeof(struct lb_accepted_requester),
                     read_requester, &policy->requesters, &policy->num_requesters));
    LB_TRY(read_list(loader, accept, "issuers", sizeof(struct lb_accepted_issuer), read_issuer,
                     &policy->issuers, &policy->num_issuers));
    return read_list(loader, accept, "forms", sizeof(struct lb_accepted_form), read_form,
                     &policy->forms, &policy->num_forms);
}

static lb_status read_status_ages(struct loader *loader, const struct lb_yaml_node *root)
{
    static const char *const classes[] = {"G1", "G2", "G3", "G4", NULL};
    const struct lb_yaml_node *ages = lb_yaml_get(root, "status_max_age_s");
    if (ages == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(ages, classes, loader->diag));
    for (size_t i = 0; classes[i] != NULL; i++)
        LB_TRY(lb_yaml_opt_int(ages, classes[i], 1, MAX_STATUS_AGE_S, 0, loader->diag,
                               &loader->policy->status_max_age_s[i + 1]));
    return LB_OK;
}

static lb_status check_views(struct loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_serve_policy *policy = loader->policy;
    const struct lb_yaml_node *list = lb_yaml_get(root, "views");
    for (size_t i = 0; i < policy->num_views; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(policy->views[i]->id, policy->views[k]->id) == 0)
                return lb_yaml_fail(lb_yaml_item(list, i), loader->diag,
                                    "view %s is listed twice; remove one", policy->views[i]->id);
        }
    }
    return LB_OK;
}

/* So that a trigger's question is never answered under an ordinary grant (view.h). */
static lb_status check_events(struct loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_serve_policy *policy = loader->policy;
    const struct lb_yaml_node *list = lb_yaml_get(root, "views");
    for (size_t i = 0; i < policy->num_views; i++) {
        for (size_t k = 0; k < policy->num_views; k++) {
            const char *purpose = lb_view_event_clash(policy->views[i], policy->views[k]);
            if (purpose != NULL)
                return lb_yaml_fail(lb_yaml_item(list, i), loader->diag,
                                    "the purpose %s is for standing grants in view %s and for "
                                    "ordinary ones in view %s; give one of them another purpose",
                                    purpose, policy->views[i]->id, policy->views[k]->id);
        }
    }
    return LB_OK;
}

static void hash_policy(struct lb_serve_policy *policy, struct lb_span file)
{
    struct lb_span parts[MAX_LISTED + 2];
    uint8_t own[32];
    lb_sha256(file, own);
    parts[0] = lb_span_of(own, sizeof(own));
    parts[1] = lb_span_of(lb_rules_sha256(policy->rules), 32);
    for (size_t i = 0; i < policy->num_views; i++)
        parts[2 + i] = lb_span_of(policy->views[i]->sha256, 32);
    lb_sha256_parts(parts, 2 + policy->num_views, policy->sha256);
}

static lb_status read_policy(struct loader *loader, const struct lb_yaml *yaml)
{
    static const char *const keys[] = {"policy", "rules",  "views",            "budgets",
                                       "accept", "shares", "status_max_age_s", "intake", NULL};
    struct lb_serve_policy *policy = loader->policy;
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    const char *rules = NULL;
    char path[PATH_MAX];
    LB_TRY(lb_yaml_only(root, keys, loader->diag));
    LB_TRY(need_text(loader, root, "policy", &policy->id));
    LB_TRY(lb_yaml_need_text(root, "rules", loader->diag, &rules));
    LB_TRY(beside(loader, rules, path));
    LB_TRY(lb_rules_load(path, loader->diag, &policy->rules));
    LB_TRY(read_list(loader, root, "views", sizeof(struct lb_view *), read_view, &policy->views,
                     &policy->num_views));
    LB_TRY(check_views(loader, root));
    LB_TRY(check_events(loader, root));
    LB_TRY(lb_view_load_budgets(root, loader->diag, &policy->budgets));
    LB_TRY(read_accept(loader, root));
    LB_TRY(read_status_ages(loader, root));
    LB_TRY(lb_serve_policy_read_shares(policy, root, loader->diag));
    LB_TRY(lb_intake_policy_read(policy, root, loader->diag));
    hash_policy(policy, lb_yaml_bytes(yaml));
    return LB_OK;
}

lb_status lb_serve_policy_load(const char *path, struct lb_diag *diag,
                               struct lb_serve_policy **out_policy)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    struct lb_serve_policy *policy = calloc(1, sizeof(*policy));
    LB_ENSURE(policy != NULL, LB_NO_MEMORY, "policy");
    policy->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct loader loader = {policy, path, diag};
    lb_status status = policy->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "policy")
                                             : read_policy(&loader, yaml);
    if (status != LB_OK) {
        lb_serve_policy_free(policy);
        return status;
    }
    *out_policy = policy;
    return LB_OK;
}

void lb_serve_policy_free(struct lb_serve_policy *policy)
{
    if (policy == NULL)
        return;
    lb_rules_free(policy->rules);
    lb_arena_free(policy->arena);
    free(policy);
}

const struct lb_view *lb_serve_policy_view(const struct lb_serve_policy *policy, const char *id)
{
    for (size_t i = 0; i < policy->num_views; i++) {
        if (strcmp(policy->views[i]->id, id) == 0)
            return policy->views[i];
    }
    return NULL;
}

bool lb_serve_policy_broker(const struct lb_serve_policy *policy, const char *spiffe)
{
    for (size_t i = 0; i < policy->num_brokers; i++) {
        if (strcmp(policy->brokers[i], spiffe) == 0)
            return true;
    }
    return false;
}

const struct lb_accepted_requester *lb_serve_policy_requester(
    const struct lb_serve_policy *policy, const char *spiffe)
{
    for (size_t i = 0; i < policy->num_requesters; i++) {
        if (strcmp(policy->requesters[i].spiffe, spiffe) == 0)
            return &policy->requesters[i];
    }
    return NULL;
}

const struct lb_accepted_issuer *lb_serve_policy_issuer(const struct lb_serve_policy *policy,
                                                        const char *organization,
                                                        const char *kid)
{
    for (size_t i = 0; i < policy->num_issuers; i++) {
        const struct lb_accepted_issuer *issuer = &policy->issuers[i];
        if (strcmp(issuer->organization, organization) == 0 && strcmp(issuer->kid, kid) == 0)
            return issuer;
    }
    return NULL;
}

const struct lb_accepted_form *lb_serve_policy_form(const struct lb_serve_policy *policy,
                                                    const char *form, uint32_t version)
{
    for (size_t i = 0; i < policy->num_forms; i++) {
        if (policy->forms[i].version == version && strcmp(policy->forms[i].form, form) == 0)
            return &policy->forms[i];
    }
    return NULL;
}

int64_t lb_serve_policy_status_age(const struct lb_serve_policy *policy, int data_class,
                                   int64_t ttl_s)
{
    int64_t usual = INT64_MAX;
    if (data_class >= SENSITIVE_CLASS && ttl_s < INT64_MAX / LB_STATUS_MAX_TTLS)
        usual = LB_STATUS_MAX_TTLS * ttl_s;
    int64_t own = policy->status_max_age_s[data_class];
    return own > 0 && own < usual ? own : usual;
}
