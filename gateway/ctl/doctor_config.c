#include "gateway/ctl/doctor_config.h"

#include "gateway/config/yaml.h"

#define MB (UINT64_C(1024) * 1024)
#define MAX_MB (1024 * 1024 * 1024)
/* The usual limits of a node (docs/EVIDENCE.md, "Witnesses"). */
#define UNWITNESSED_ALERT_S 900
#define UNWITNESSED_STOP_S 14400
#define MAX_LIMIT_S (30 * 86400)

struct reading {
    const char *path;
    struct lb_arena *arena;
    struct lb_diag *diag;
    const struct lb_yaml_node *root;
    struct lb_doctor_config *out;
};

static lb_status keep(const struct reading *reading, const char *text, const char **out)
{
    *out = lb_arena_str(reading->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static lb_status resolve(const struct reading *reading, const char *text, const char **out)
{
    const char *slash = strrchr(reading->path, '/');
    if (text[0] == '/' || slash == NULL)
        return keep(reading, text, out);
    *out = lb_arena_printf(reading->arena, "%.*s%s", (int)(slash - reading->path) + 1,
                           reading->path, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static lb_status need_path(const struct reading *reading, const struct lb_yaml_node *map,
                           const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, reading->diag, &text));
    return resolve(reading, text, out);
}

static const struct lb_yaml_node *member(const struct lb_yaml_node *map, const char *key)
{
    return map == NULL ? NULL : lb_yaml_get(map, key);
}

/* What is missing or no text stays NULL. */
static const char *text_of(const struct lb_yaml_node *map, const char *key)
{
    struct lb_diag unused;
    const char *text = NULL;
    const struct lb_yaml_node *node = member(map, key);
    return node != NULL && lb_yaml_text(node, &unused, &text) == LB_OK ? text : NULL;
}

static lb_status opt_path(const struct reading *reading, const struct lb_yaml_node *map,
                          const char *key, const char **out)
{
    const char *text = text_of(map, key);
    return text == NULL ? LB_OK : resolve(reading, text, out);
}

static lb_status read_identity(const struct reading *reading)
{
    struct lb_doctor_config *out = reading->out;
    const struct lb_yaml_node *identity = NULL;
    LB_TRY(lb_yaml_need(reading->root, "identity", reading->diag, &identity));
    LB_TRY(need_path(reading, identity, "cert", &out->cert));
    LB_TRY(need_path(reading, identity, "key", &out->key));
    LB_TRY(need_path(reading, identity, "ca", &out->ca));
    return need_path(reading, reading->root, "crl", &out->crl);
}

static lb_status read_directory(const struct reading *reading)
{
    struct lb_doctor_config *out = reading->out;
    const struct lb_yaml_node *directory = NULL, *signers = NULL;
    LB_TRY(lb_yaml_need(reading->root, "directory", reading->diag, &directory));
    LB_TRY(need_path(reading, directory, "file", &out->directory));
    LB_TRY(lb_yaml_need(directory, "signers", reading->diag, &signers));
    for (size_t i = 0; i < lb_yaml_len(signers) && i < LB_DOCTOR_MAX_SIGNERS; i++) {
        const char *text = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(signers, i), reading->diag, &text));
        LB_TRY(keep(reading, text, &out->signers[out->num_signers++]));
    }
    return LB_OK;
}

static lb_status read_node(const struct reading *reading)
{
    struct lb_doctor_config *out = reading->out;
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(reading->root, "node", reading->diag, &text));
    LB_TRY(keep(reading, text, &out->node));
    if (lb_spiffe_parse(out->node, reading->arena, &out->federation, &out->kind,
                        &out->organization) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(reading->root, "node"), reading->diag,
                            "node must be spiffe://<federation>/<kind>/<organization>[/<name>]");
    return LB_OK;
}

static lb_status read_listen(const struct reading *reading)
{
    const char *text = text_of(reading->root, "listen");
    if (text == NULL)
        return LB_OK;
    if (strncmp(text, "unix:", 5) != 0)
        return keep(reading, text, &reading->out->listen);
    const char *path = NULL;
    LB_TRY(resolve(reading, text + 5, &path));
    reading->out->listen = lb_arena_printf(reading->arena, "unix:%s", path);
    LB_ENSURE(reading->out->listen != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static uint64_t mark_of(const struct lb_yaml_node *map, const char *key, uint64_t usual)
{
    struct lb_diag unused;
    int64_t mb = 0;
    const struct lb_yaml_node *node = member(map, key);
    if (node == NULL || lb_yaml_int(node, 0, MAX_MB, &unused, &mb) != LB_OK)
        return usual;
    return (uint64_t)mb * MB;
}

static void read_disk(const struct reading *reading)
{
    const struct lb_yaml_node *map = lb_yaml_get(reading->root, "disk");
    reading->out->marks = (struct lb_disk_marks){
        .alert_bytes = mark_of(map, "alert_mb", LB_DISK_ALERT_BYTES),
        .stop_bytes = mark_of(map, "stop_mb", LB_DISK_STOP_BYTES),
        .reserve_bytes = mark_of(map, "reserve_mb", LB_DISK_RESERVE_BYTES),
    };
}

static int64_t seconds_of(const struct lb_yaml_node *map, const char *key, int64_t usual)
{
    struct lb_diag unused;
    int64_t seconds = usual;
    const struct lb_yaml_node *node = member(map, key);
    if (node == NULL || lb_yaml_int(node, 1, MAX_LIMIT_S, &unused, &seconds) != LB_OK)
        return usual;
    return seconds;
}

static lb_status read_witnessed(const struct reading *reading)
{
    const struct lb_yaml_node *map = lb_yaml_get(reading->root, "witnessed_by");
    reading->out->unwitnessed_alert_s = seconds_of(map, "alert_s", UNWITNESSED_ALERT_S);
    reading->out->unwitnessed_stop_s = seconds_of(map, "stop_s", UNWITNESSED_STOP_S);
    return opt_path(reading, map, "policy", &reading->out->witness_policy);
}

static lb_status read_source(const struct reading *reading)
{
    const char *plugin = text_of(lb_yaml_get(reading->root, "source"), "plugin");
    LB_TRY(opt_path(reading, reading->root, "policy", &reading->out->policy));
    return plugin == NULL ? LB_OK : keep(reading, plugin, &reading->out->plugin);
}

static lb_status name_one(const struct reading *reading, const struct lb_yaml_node *node)
{
    struct lb_diag unused;
    struct lb_doctor_config *out = reading->out;
    const char *text = NULL;
    if (node == NULL || out->num_named == LB_DOCTOR_MAX_NAMED ||
        lb_yaml_text(node, &unused, &text) != LB_OK)
        return LB_OK;
    return keep(reading, text, &out->named[out->num_named++]);
}

/* One name, or a list of them. */
static lb_status read_named(const struct reading *reading, const char *key)
{
    const struct lb_yaml_node *node = lb_yaml_get(reading->root, key);
    if (node == NULL || lb_yaml_kind_of(node) != LB_YAML_LIST)
        return name_one(reading, node);
    for (size_t i = 0; i < lb_yaml_len(node); i++)
        LB_TRY(name_one(reading, lb_yaml_item(node, i)));
    return LB_OK;
}

static lb_status read_all(const struct reading *reading)
{
    struct lb_doctor_config *out = reading->out;
    LB_TRY(keep(reading, reading->path, &out->path));
    LB_TRY(read_node(reading));
    LB_TRY(read_identity(reading));
    LB_TRY(read_directory(reading));
    LB_TRY(need_path(reading, reading->root, "state", &out->state));
    LB_TRY(read_listen(reading));
    LB_TRY(opt_path(reading, reading->root, "log_key", &out->log_key));
    read_disk(reading);
    LB_TRY(read_source(reading));
    const char *drills = text_of(reading->root, "drills");
    out->drills = lb_yaml_get(reading->root, "drills") != NULL &&
                  (drills == NULL || strcmp(drills, "true") == 0);
    LB_TRY(read_witnessed(reading));
    LB_TRY(read_named(reading, "broker"));
    LB_TRY(read_named(reading, "brokers"));
    LB_TRY(read_named(reading, "consent"));
    return read_named(reading, "attach");
}

lb_status lb_doctor_config_load(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                                struct lb_doctor_config *out)
{
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_doctor_config config = {.num_signers = 0};
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    const struct reading reading = {path, arena, diag, lb_yaml_root(yaml), &config};
    LB_TRY(read_all(&reading));
    *out = config;
    return LB_OK;
}
