#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/officer/officer.h"
#include "adapters/serve/serve.h"
#include "adapters/sources/config.h"
#include "adapters/sources/wants.h"
#include "gateway/base/file.h"
#include "gateway/base/wipe.h"
#include "gateway/mains/attach.h"
#include "gateway/mains/auditor.h"
#include "gateway/mains/drills.h"
#include "gateway/mains/node.h"
#include "gateway/mains/node_metrics.h"
#include "gateway/mains/seal_keys.h"
#include "gateway/services/adapter_service.h"
#include "gateway/services/intake_service.h"
#include "gateway/services/station_service.h"

/* lianban-adapter: a department's gate in front of its own database. */

#define READ_QUEUE 4096
#define LIST_QUEUE 32
/* For the last answers to be taken, and leave. */
#define LEAVE_MS 1000
/* Reads that wait for the officer's station at once; of its stations that wait, two: each holds a
 * worker of the server's. */
#define OFFICER_ASKS 4
#define OFFICER_STATIONS 2
#define OFFICER_PRESENT_MS 10000
#define OFFICER_AGAIN_MS 3000
#define DAY_S (INT64_C(24) * 3600)
/* Who gave personal information to another keeps the record for three years (网络数据安全管理条例,
 * article 12). */
#define MIN_KEEP_DAYS 1096
#define MAX_KEEP_DAYS 36600

struct adapter_role {
    struct lb_node_program *node;
    struct lb_serve_policy *policy;
    struct lb_sources_config source;
    struct lb_sources_config made_up;  /* for drills; plugin NULL without */
    struct lb_node_drills drills;
    struct lb_seal_ring *ring;
    struct lb_seal_ring *share_ring;
    const uint8_t *pseudonym_key;
    const char *pseudonym_folder;
    struct lb_serve_secrets secrets;
    const char *seen_folder;
    const char *closures;        /* what the department has shut */
    struct lb_seen *seen;
    int64_t keep_details_days;
    struct lb_attach attach;
    bool asks_officer;           /* the policy has views of the officer's station */
    struct lb_officer_questions *questions;
    struct lb_source_plugin officer;
    struct lb_station_service station;
    struct lb_workers *workers;
    struct lb_workers *lists;    /* for what ends grants: a withdrawal waits for no database */
    struct lb_serve *serve;
    struct lb_adapter_service service;
    struct lb_intake_service intake;
};

static lb_status read_source(struct adapter_role *role)
{
    struct lb_node_program *node = role->node;
    const struct lb_yaml_node *source = NULL;
    LB_TRY(lb_yaml_need(node->root, "source", &node->diag, &source));
    return lb_sources_read(source, node->config_path, node->arena, &node->diag, &role->source);
}

/* Made-up people stand in a database of their own, never in the department's. */
static lb_status read_made_up(struct adapter_role *role, const struct lb_yaml_node *map)
{
    static const char *const keys[] = {"source", NULL};
    struct lb_node_program *node = role->node;
    const struct lb_yaml_node *source = NULL;
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    LB_TRY(lb_yaml_need(map, "source", &node->diag, &source));
    LB_TRY(lb_sources_read(source, node->config_path, node->arena, &node->diag, &role->made_up));
    if (role->made_up.plugin == role->source.plugin &&
        strcmp(role->made_up.options.location, role->source.options.location) == 0)
        return lb_yaml_fail(source, &node->diag,
                            "drills ask made-up people: give `drills` a database of its own");
    return lb_node_drills_allow(node, &role->drills);
}

static lb_status read_drills(struct adapter_role *role)
{
    struct lb_node_program *node = role->node;
    const struct lb_yaml_node *map = lb_yaml_get(node->root, "drills");
    if (map != NULL)
        LB_TRY(read_made_up(role, map));
    for (size_t i = 0; i < role->policy->num_views; i++) {
        if (role->policy->views[i]->source == LB_VIEW_DRILL && role->drills.path == NULL)
            return lb_yaml_fail(node->root, &node->diag,
                                "the policy has a view with `source: drill`, which needs `drills`");
    }
    return LB_OK;
}

/* Who looked is told from details, which only an officer's key opens. */
static lb_status read_officer(struct adapter_role *role)
{
    struct lb_node_program *node = role->node;
    for (size_t i = 0; i < role->policy->num_views; i++)
        role->asks_officer |= role->policy->views[i]->source == LB_VIEW_OFFICER;
    if (role->asks_officer && lb_yaml_get(node->root, "officer_key") == NULL &&
        lb_yaml_get(node->root, "officer_key_file") == NULL)
        return lb_yaml_fail(node->root, &node->diag,
                            "the policy has a view with `source: officer`, which needs officer_key "
                            "or officer_key_file");
    return LB_OK;
}

static lb_status read_config(struct adapter_role *role)
{
    struct lb_node_program *node = role->node;
    const char *path = NULL;
    LB_TRY(lb_node_need_path(node, node->root, "policy", &path));
    LB_TRY(lb_serve_policy_load(path, &node->diag, &role->policy));
    LB_TRY(read_source(role));
    LB_TRY(read_drills(role));
    LB_TRY(lb_node_seal_keys(node, &role->ring));
    LB_TRY(lb_node_share_keys(node, &role->share_ring));
    LB_TRY(lb_node_need_secret(node, node->root, "pseudonym_key", &role->pseudonym_key));
    LB_TRY(lb_yaml_opt_int(node->root, "keep_details_days", MIN_KEEP_DAYS, MAX_KEEP_DAYS,
                           MIN_KEEP_DAYS, &node->diag, &role->keep_details_days));
    if (lb_yaml_get(node->root, "pseudonym_folder") != NULL)
        LB_TRY(lb_node_need_path(node, node->root, "pseudonym_folder", &role->pseudonym_folder));
    LB_TRY(lb_attach_read(&role->attach, node, role->policy));
    LB_TRY(read_officer(role));
    role->seen_folder = lb_arena_printf(node->arena, "%s/seen", node->state);
    role->closures = lb_arena_printf(node->arena, "%s/closed.yaml", node->state);
    LB_ENSURE(role->seen_folder != NULL && role->closures != NULL, LB_NO_MEMORY,
              "configuration is too large");
    return LB_OK;
}

/* --check opens the database as well: a view that does not fit it is a mistake of the
 * configuration. Otherwise that is seen at the start, which does not need a database that is up. */
static lb_status check_source(struct adapter_role *role, const struct lb_sources_config *config,
                              enum lb_view_source kind)
{
    const struct lb_source_plugin *plugin = config->plugin;
    struct lb_node_program *node = role->node;
    struct lb_source *source = NULL;
    LB_TRY(plugin->open(plugin->ctx, &config->options, &node->diag, &source));
    lb_status status = LB_OK;
    for (size_t i = 0; i < role->policy->num_views && status == LB_OK; i++) {
        const struct lb_view *view = role->policy->views[i];
        struct lb_source_stmt *rows = NULL;
        struct lb_source_stmt *as_of = NULL;
        struct lb_diag diag = {""};
        if (view->source != kind)
            continue;
        status = lb_sources_prepare(plugin, source, view, node->arena, &diag, &rows, &as_of);
        if (status != LB_OK)
            lb_diag_set(&node->diag, "view %s: %.900s", view->id, diag.text);
    }
    plugin->close(source);
    return status;
}

static lb_status prepare(struct lb_node_program *node, void **out_role)
{
    struct adapter_role *role = calloc(1, sizeof(*role));
    LB_ENSURE(role != NULL, LB_NO_MEMORY, "adapter");
    role->node = node;
    *out_role = role;
    LB_TRY(read_config(role));
    if (!node->check)
        return LB_OK;
    LB_TRY(check_source(role, &role->source, LB_VIEW_DATABASE));
    return role->drills.path == NULL ? LB_OK
                                     : check_source(role, &role->made_up, LB_VIEW_DRILL);
}

_Static_assert(LB_SERVE_MAX_NAMES <= LB_REVIEW_MAX_NAMES, "an officer is told every name");

static size_t names_of(void *own, const char id_no[19], uint8_t (*out_names)[32])
{
    struct adapter_role *role = own;
    return lb_serve_names(role->serve, id_no, out_names);
}

static lb_status start_officer(struct adapter_role *role)
{
    const struct lb_officer_limits limits = {OFFICER_ASKS, OFFICER_STATIONS, OFFICER_PRESENT_MS,
                                             OFFICER_AGAIN_MS};
    if (!role->asks_officer)
        return LB_OK;
    LB_TRY(lb_officer_questions_new(&limits, &role->questions));
    role->officer = lb_source_officer(role->questions);
    role->station = (struct lb_station_service){role->node->organization, role->node->log,
                                                role->node->trust, role->questions};
    return LB_OK;
}

/* As many workers as connections would let a hung database stop refusals too; and at any moment
 * some of them wait for their answer's time (adapters/serve/pace.h). */
static lb_status start_workers(struct adapter_role *role)
{
    size_t num = role->source.num_connections + 8 + (role->asks_officer ? OFFICER_ASKS : 0) +
                 (role->drills.path != NULL ? LB_SERVE_MAX_DRILLED : 0);
    LB_TRY(lb_workers_new(num, READ_QUEUE, &role->workers));
    return lb_workers_new(1, LIST_QUEUE, &role->lists);
}

static lb_status start_service(struct adapter_role *role, struct lb_rpc_method *methods,
                               size_t *out_num)
{
    role->service = (struct lb_adapter_service){
        .organization = role->node->organization,
        .serve = role->serve,
        .log = role->node->log,
        .trust = role->node->trust,
        .workers = role->lists,
        .policy = role->policy,
        .seen = role->seen,
    };
    lb_frames_set_init(&role->service.links);
    lb_adapter_service_methods(&role->service, methods);
    role->intake = (struct lb_intake_service){role->node->organization, role->serve,
                                              role->node->log, role->node->trust, role->policy};
    lb_intake_service_methods(&role->intake, methods + LB_ADAPTER_METHODS);
    *out_num = LB_ADAPTER_METHODS + LB_INTAKE_METHODS;
    if (!role->asks_officer)
        return LB_OK;
    lb_station_service_methods(&role->station, methods + *out_num);
    *out_num += LB_STATION_METHODS;
    return LB_OK;
}

static lb_status start(void *own, struct lb_rpc_method *methods, size_t *out_num)
{
    struct adapter_role *role = own;
    struct lb_node_program *node = role->node;
    LB_TRY(start_officer(role));
    LB_TRY(start_workers(role));
    LB_TRY(lb_node_drills_start(node, &role->drills));
    const struct lb_serve_options options = {
        .self = node->spiffe,
        .organization = node->organization,
        .trust = node->trust,
        .log = node->log,
        .log_folder = node->state,
        .meter = node->meter,
        .keep_details_s = role->keep_details_days * DAY_S,
        .recovered_unix_s = node->recovered_unix_s,
        .workers = role->workers,
        .clock = lb_clock_system(),
        .policy = role->policy,
        .plugin = role->source.plugin,
        .database = role->source.options,
        .num_connections = role->source.num_connections,
        .officer = role->asks_officer ? &role->officer : NULL,
        .num_officer = OFFICER_ASKS,
        .drill_plugin = role->made_up.plugin,
        .drill_database = role->made_up.options,
        .drill = role->drills.watch,
        .ring = role->ring,
        .share_ring = role->share_ring,
        .pseudonym_key = role->pseudonym_key,
        .pseudonym_folder = role->pseudonym_folder,
        .secrets = &role->secrets,
        .closures = role->closures,
    };
    LB_TRY(lb_serve_secrets_load(node->state, node->init, node->arena, &node->diag,
                                 &role->secrets));
    LB_TRY(lb_file_mkdirs(role->seen_folder));
    LB_TRY(lb_seen_new(role->seen_folder, &role->seen));
    LB_TRY(lb_serve_new(&options, &node->diag, &role->serve));
    node->names = (struct lb_review_names){names_of, role};
    node->lists = (struct lb_held_lists){&role->service, lb_adapter_service_lists};
    node->links = lb_adapter_service_links;
    node->links_ctx = &role->service;
    lb_node_metrics_queue(node, "reads", role->workers);
    lb_node_metrics_queue(node, "lists", role->lists);
    return start_service(role, methods, out_num);
}

static lb_status serving(void *own)
{
    struct adapter_role *role = own;
    role->attach.service = &role->service;
    return lb_attach_dial(&role->attach);
}

static void tick(void *own)
{
    struct adapter_role *role = own;
    lb_seal_ring_tick(role->ring);
    lb_seal_ring_tick(role->share_ring);
    lb_serve_tick(role->serve);
    lb_drill_watch_tick(role->drills.watch);
    lb_status_ignore(lb_attach_dial(&role->attach)); /* said in the operator's log */
}

/* What was taken on is answered; then the brokers are told, so that they don't take us for dead. */
static void drain(void *own)
{
    struct adapter_role *role = own;
    lb_serve_drain(role->serve, LB_DRAIN_MS);
    if (role->serve == NULL)
        return;
    lb_frames_set_leave(&role->service.links);
    lb_attach_leave(&role->attach);
    lb_adapter_service_wait(&role->service, LEAVE_MS);
}

static void quiesce(void *own)
{
    struct adapter_role *role = own;
    if (role->questions != NULL)
        lb_officer_questions_stop(role->questions);
    lb_serve_stop_sources(role->serve);
    if (role->serve != NULL)
        lb_frames_set_stop(&role->service.links);
    lb_attach_stop(&role->attach);
}

static void stop(void *own)
{
    struct adapter_role *role = own;
    /* What is queued still needs the use case, and what it holds the links. */
    lb_workers_free(role->lists);
    lb_workers_free(role->workers);
    lb_serve_free(role->serve);
    lb_node_drills_stop(&role->drills);
    lb_officer_questions_free(role->questions);
    lb_seen_free(role->seen);
    lb_seal_ring_free(role->ring);
    lb_seal_ring_free(role->share_ring);
    lb_serve_policy_free(role->policy);
    lb_wipe(role, sizeof(*role));
    free(role);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"policy",        "source",           "seal_keys",
                                       "seal_folder",   "share_keys",       "share_folder",
                                       "pseudonym_key", "pseudonym_folder", "attach",
                                       "keep_details_days", "drills", NULL};
    static const struct lb_node_role role = {
        .program = "lianban-adapter",
        .summary = "serves a department's consented, minimized views of its own database",
        .keys_help =
            "  policy: FILE                        views, rule set, whom and what is accepted\n"
            "  source: {plugin: sqlite, location: FILE, connections: N}\n"
            "  source: {plugin: postgres, location: \"host=H dbname=D user=U\",\n"
            "           password_file: FILE, connections: N}\n"
            "  source: {plugin: odbc, location: \"Driver={D};Server=H;Database=D;UID=U\", ...,\n"
            "           read_only_checked: \"WHO, WHEN\"}\n"
            "  seal_keys: [{id: ID, file: FILE}]   X25519 keys as the directory lists them\n"
            "  seal_folder: FOLDER                 further ones (`lianban keys rotate`)\n"
            "  share_keys: [{id: ID, file: FILE}]  likewise, for blind household sums\n"
            "  share_folder: FOLDER                further ones (`keys rotate --kind share`)\n"
            "  pseudonym_key: FILE                 64 hex digits, for subjects in the evidence\n"
            "  pseudonym_folder: FOLDER            keys that came after that one, `<name>.key`\n"
            "  drills: {source: {plugin: P, location: FILE}}  made-up people, see docs/DRILLS.md\n"
            "  attach: [SPIFFE id]                 brokers to dial when there is no inbound port\n"
            "  keep_details_days: N                before an erasure; 1096 or more\n",
        .keys = keys,
        .kind = LB_NODE_ADAPTER,
        .other = &lb_auditor_role,
        .keeps_log = true,
        .migrations = lb_serve_migrations,
        .prepare = prepare,
        .start = start,
        .serving = serving,
        .tick = tick,
        .drain = drain,
        .quiesce = quiesce,
        .stop = stop,
    };
    return lb_node_main(argc, argv, &role);
}
