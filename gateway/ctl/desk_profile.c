#include "gateway/config/yaml.h"
#include "gateway/ctl/port.h"
#include "gateway/trust/directory.h"

#define MAX_PATH_BYTES 4096

/* One profile while it is read. */
struct reading {
    const char *path;
    struct lb_arena *arena;
    struct lb_diag *diag;
};

static lb_status keep(const struct reading *reading, const char *text, const char **out)
{
    *out = lb_arena_str(reading->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status need_text(const struct reading *reading, const struct lb_yaml_node *map,
                           const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, reading->diag, &text));
    if (text[0] == 0)
        return lb_yaml_fail(lb_yaml_get(map, key), reading->diag, "`%s` is empty; fill it in", key);
    return keep(reading, text, out);
}

static lb_status opt_text(const struct reading *reading, const struct lb_yaml_node *map,
                          const char *key, const char **out)
{
    if (lb_yaml_get(map, key) == NULL) {
        *out = NULL;
        return LB_OK;
    }
    return need_text(reading, map, key, out);
}

static lb_status need_path(const struct reading *reading, const struct lb_yaml_node *map,
                           const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(need_text(reading, map, key, &text));
    const char *slash = strrchr(reading->path, '/');
    if (text[0] == '/' || slash == NULL) {
        *out = text;
        return LB_OK;
    }
    size_t folder = (size_t)(slash - reading->path) + 1;
    if (folder + strlen(text) >= MAX_PATH_BYTES)
        return lb_yaml_fail(lb_yaml_get(map, key), reading->diag, "`%s` is too long a path", key);
    *out = lb_arena_printf(reading->arena, "%.*s%s", (int)folder, reading->path, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_identity(const struct reading *reading, const struct lb_yaml_node *root,
                               struct lb_ctl_desk_profile *profile)
{
    static const char *const keys[] = {"cert", "key", "ca", NULL};
    const struct lb_yaml_node *identity = NULL;
    LB_TRY(lb_yaml_need(root, "identity", reading->diag, &identity));
    LB_TRY(lb_yaml_only(identity, keys, reading->diag));
    LB_TRY(need_path(reading, identity, "cert", &profile->cert));
    LB_TRY(need_path(reading, identity, "key", &profile->key));
    return need_path(reading, identity, "ca", &profile->ca);
}

static lb_status read_directory(const struct reading *reading, const struct lb_yaml_node *root,
                                struct lb_ctl_desk_profile *profile)
{
    static const char *const keys[] = {"file", "signers", NULL};
    const struct lb_yaml_node *directory = NULL, *signers = NULL;
    LB_TRY(lb_yaml_need(root, "directory", reading->diag, &directory));
    LB_TRY(lb_yaml_only(directory, keys, reading->diag));
    LB_TRY(need_path(reading, directory, "file", &profile->directory));
    LB_TRY(lb_yaml_need(directory, "signers", reading->diag, &signers));
    size_t num = lb_yaml_kind_of(signers) == LB_YAML_LIST ? lb_yaml_len(signers) : 0;
    if (num == 0 || num > LB_CTL_MAX_SIGNERS)
        return lb_yaml_fail(signers, reading->diag, "`signers` is a list of 1 to %d keys",
                            LB_CTL_MAX_SIGNERS);
    for (size_t i = 0; i < num; i++) {
        const char *text = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(signers, i), reading->diag, &text));
        LB_TRY(keep(reading, text, &profile->signers[i]));
    }
    profile->num_signers = num;
    return LB_OK;
}

/* An auditor reads the logs of all and is at home with none. */
static bool is_auditor(const struct reading *reading, const char *node)
{
    const char *federation = NULL;
    const char *organization = NULL;
    enum lb_node_kind kind = LB_NODE_BROKER;
    return lb_spiffe_parse(node, reading->arena, &federation, &kind, &organization) == LB_OK &&
           kind == LB_NODE_AUDITOR;
}

static lb_status read_profile(const struct reading *reading, const struct lb_yaml_node *root,
                              struct lb_ctl_desk_profile *profile)
{
    static const char *const keys[] = {"node",    "identity", "crl",     "directory",
                                       "consent", "adapter",  "address", "broker",
                                       "state",   "form",     "requester", NULL};
    LB_TRY(lb_yaml_only(root, keys, reading->diag));
    LB_TRY(need_text(reading, root, "node", &profile->node));
    LB_TRY(read_identity(reading, root, profile));
    LB_TRY(need_path(reading, root, "crl", &profile->crl));
    LB_TRY(read_directory(reading, root, profile));
    LB_TRY(opt_text(reading, root, "adapter", &profile->adapter));
    LB_TRY(opt_text(reading, root, "broker", &profile->broker));
    LB_TRY(opt_text(reading, root, "consent", &profile->consent));
    int num = (profile->adapter != NULL) + (profile->broker != NULL) + (profile->consent != NULL);
    if (num > 1 || (num == 0 && !is_auditor(reading, profile->node)))
        return lb_yaml_fail(root, reading->diag, "say one of `consent`, `adapter`, `broker`");
    LB_TRY(opt_text(reading, root, "address", &profile->address));
    if (profile->address != NULL && profile->adapter == NULL)
        return lb_yaml_fail(lb_yaml_get(root, "address"), reading->diag,
                            "`address` is that of an `adapter`; the directory has all others'");
    LB_TRY(need_path(reading, root, "state", &profile->state));
    LB_TRY(opt_text(reading, root, "requester", &profile->requester));
    return opt_text(reading, root, "form", &profile->form);
}

lb_status lb_ctl_desk_profile_load(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                                   struct lb_ctl_desk_profile *out)
{
    const struct reading reading = {path, arena, diag};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_ctl_desk_profile profile = {.num_signers = 0};
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    LB_TRY(read_profile(&reading, lb_yaml_root(yaml), &profile));
    *out = profile;
    return LB_OK;
}
