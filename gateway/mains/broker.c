#include <stdlib.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/mains/drills.h"
#include "gateway/mains/forms.h"
#include "gateway/mains/node_metrics.h"
#include "gateway/mains/version.h"
#include "gateway/services/broker_service.h"
#include "gateway/services/channels_service.h"
#include "gateway/services/status_service.h"

/* lianban-broker: relays sealed reads between windows and departments. */

#define MAX_ADAPTERS 256
#define COLLECT_WORKERS 4
#define COLLECT_QUEUE 4096

struct broker_role {
    struct lb_node_program *node;
    struct lb_node_forms forms;
    struct lb_offered_form offered[LB_MAX_FORMS];
    const char *seen_folder;
    const char *kept_path;
    int64_t wait_ms;
    const char *log_path;
    struct lb_node_drills drills;
    struct lb_workers *workers;
    struct lb_outbox *outbox;
    struct lb_exchange *exchange;
    struct lb_broker_service service;
    struct lb_status_service status;
    struct lb_channels_service channels;
    struct lb_schema *schema;
    struct lb_reflection_service reflection;
    size_t num_diallers;
    char dialled[MAX_ADAPTERS][LB_MAX_SPIFFE_BYTES];
    struct lb_dialler *diallers[MAX_ADAPTERS];
};

/* The broker offers a form as its file stands. */
static void offer_forms(struct broker_role *role)
{
    for (size_t i = 0; i < role->forms.num; i++) {
        const struct lb_form *form = lb_form_of(role->forms.forms[i]);
        struct lb_offered_form *offered = &role->offered[i];
        *offered = (struct lb_offered_form){
            .id = form->id,
            .version = form->version,
            .title_zh = form->title.zh,
            .title_en = form->title.en,
            .content = form->content,
        };
        memcpy(offered->sha256, form->sha256, sizeof(offered->sha256));
    }
}

static lb_status prepare(struct lb_node_program *node, void **out_role)
{
    struct broker_role *role = calloc(1, sizeof(*role));
    LB_ENSURE(role != NULL, LB_NO_MEMORY, "broker");
    role->node = node;
    bool drills = false;
    node->notes_peers = true;
    *out_role = role;
    LB_TRY(lb_node_forms_read(node, &role->forms));
    LB_TRY(lb_yaml_opt_bool(node->root, "drills", false, &node->diag, &drills));
    LB_TRY(lb_yaml_opt_int(node->root, "wait_ms", 100, LB_MAX_DEADLINE_MS, LB_EXCHANGE_WAIT_MS,
                           &node->diag, &role->wait_ms));
    if (drills)
        LB_TRY(lb_node_drills_allow(node, &role->drills));
    offer_forms(role);
    role->seen_folder = lb_arena_printf(node->arena, "%s/seen", node->state);
    role->kept_path = lb_arena_printf(node->arena, "%s/withdrawals.db", node->state);
    role->log_path = lb_arena_printf(node->arena, "%s/evidence.db", node->state);
    LB_ENSURE(role->seen_folder != NULL && role->kept_path != NULL && role->log_path != NULL,
              LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

/* What the operator is told of members, connections and methods. */
static lb_status start_operations(struct broker_role *role, struct lb_rpc_method *methods,
                                  size_t *num)
{
    struct lb_node_program *node = role->node;
    LB_TRY(lb_schema_new(lb_span_of(lb_schema_contract, lb_schema_contract_len), &role->schema));
    role->status = (struct lb_status_service){
        .self = node->spiffe,
        .organization = node->organization,
        .version = LB_VERSION,
        .exchange = role->exchange,
        .outbox = role->outbox,
        .log = node->log,
        .trust = node->trust,
        .sightings = node->sightings,
        .drill = role->drills.watch,
        .clock = lb_clock_system(),
    };
    role->channels = (struct lb_channels_service){
        .self = node->spiffe,
        .organization = node->organization,
        .runtime = node->runtime,
        .log = node->log,
        .trust = node->trust,
        .clock = lb_clock_system(),
        .queues = {{"calls", node->workers}, {"collects", role->workers}},
        .num_queues = 2,
    };
    role->reflection = (struct lb_reflection_service){.organization = node->organization,
                                                      .log = node->log,
                                                      .trust = node->trust,
                                                      .schema = role->schema};
    node->links = lb_status_service_links;
    node->links_ctx = &role->status;
    node->outbox = role->outbox;
    node->reflection = &role->reflection;
    lb_node_metrics_queue(node, "collects", role->workers);
    lb_status_service_methods(&role->status, methods + *num);
    *num += LB_STATUS_METHODS;
    lb_status_service_parcels(&role->status, methods + *num);
    *num += LB_STATUS_PARCEL_METHODS;
    lb_channels_service_methods(&role->channels, methods + *num);
    *num += LB_CHANNELS_METHODS;
    lb_reflection_service_methods(&role->reflection, methods + *num);
    *num += LB_REFLECTION_METHODS;
    return LB_OK;
}

static lb_status start_outbox(struct broker_role *role)
{
    const struct lb_outbox_options options = {
        .trust = role->node->trust,
        .log = role->node->log,
        .store_path = role->log_path,
        .meter = role->node->meter,
        .clock = lb_clock_system(),
    };
    return lb_outbox_new(&options, &role->outbox);
}

static lb_status start(void *own, struct lb_rpc_method *methods, size_t *out_num)
{
    struct broker_role *role = own;
    struct lb_node_program *node = role->node;
    LB_TRY(lb_file_mkdirs(role->seen_folder));
    LB_TRY(lb_workers_new(COLLECT_WORKERS, COLLECT_QUEUE, &role->workers));
    LB_TRY(lb_node_drills_start(node, &role->drills));
    LB_TRY(start_outbox(role));
    const struct lb_exchange_options options = {
        .self = node->spiffe,
        .trust = node->trust,
        .log = node->log,
        .meter = node->meter,
        .workers = role->workers,
        .clock = lb_clock_system(),
        .outbox = role->outbox,
        .drill = role->drills.watch,
        .forms = role->offered,
        .num_forms = role->forms.num,
        .seen_folder = role->seen_folder,
        .kept_path = role->kept_path,
        .wait_ms = role->wait_ms,
    };
    LB_TRY(lb_exchange_new(&options, &role->exchange));
    role->service = (struct lb_broker_service){
        .exchange = role->exchange,
        .outbox = role->outbox,
        .log = node->log,
        .trust = node->trust,
        .clock = lb_clock_system(),
    };
    lb_frames_set_init(&role->service.links);
    lb_broker_service_methods(&role->service, methods);
    *out_num = LB_BROKER_METHODS;
    return start_operations(role, methods, out_num);
}

static bool is_dialled(const struct broker_role *role, const char *spiffe)
{
    for (size_t i = 0; i < role->num_diallers; i++) {
        if (strcmp(role->dialled[i], spiffe) == 0)
            return true;
    }
    return false;
}

static lb_status dial(struct broker_role *role, const char *spiffe)
{
    size_t len = strlen(spiffe);
    LB_ENSURE(role->num_diallers < MAX_ADAPTERS && len < LB_MAX_SPIFFE_BYTES, LB_TOO_LARGE,
              "too many adapters");
    struct lb_dialler_options options = {
        .end = &lb_broker_service_end,
        .owner = &role->service,
        .method = "/lianban.v1.Adapter/Link",
        .peer = spiffe,
        .held = lb_broker_service_held,
    };
    LB_TRY(lb_node_channel(role->node, spiffe, &options.channel));
    lb_status status = lb_dialler_new(&options, &role->diallers[role->num_diallers]);
    if (status != LB_OK) {
        lb_rpc_channel_free(options.channel);
        return status;
    }
    memcpy(role->dialled[role->num_diallers++], spiffe, len + 1);
    return LB_OK;
}

/* An adapter that a newer directory lists is dialled without a restart. */
static void dial_new(void *own)
{
    struct broker_role *role = own;
    struct lb_directory *directory = lb_trust_directory(role->node->trust);
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind != LB_NODE_ADAPTER || node->endpoint[0] == 0 ||
            is_dialled(role, node->spiffe))
            continue;
        lb_log_failure("adapter_not_dialled", dial(role, node->spiffe));
    }
    lb_directory_unref(directory);
}

static lb_status serving(void *own)
{
    dial_new(own);
    return LB_OK;
}

/* Agents are told to come back; forms under way are answered, and the links to the departments
 * stand until then. */
static void drain(void *own)
{
    struct broker_role *role = own;
    if (role->outbox != NULL)
        lb_outbox_leave(role->outbox);
    if (role->exchange != NULL)
        lb_exchange_drain(role->exchange, LB_DRAIN_MS);
}

static void tick(void *own)
{
    struct broker_role *role = own;
    dial_new(own);
    lb_drill_watch_tick(role->drills.watch);
}

static void quiesce(void *own)
{
    struct broker_role *role = own;
    if (role->exchange != NULL)
        lb_frames_set_stop(&role->service.links);
    for (size_t i = 0; i < role->num_diallers; i++)
        lb_dialler_free(role->diallers[i]);
    role->num_diallers = 0;
}

static void stop(void *own)
{
    struct broker_role *role = own;
    lb_workers_free(role->workers);
    lb_exchange_free(role->exchange);
    lb_outbox_free(role->outbox);
    lb_node_drills_stop(&role->drills);
    lb_schema_free(role->schema);
    lb_node_forms_free(&role->forms);
    free(role);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"forms", "drills", "wait_ms", NULL};
    static const struct lb_node_role role = {
        .program = "lianban-broker",
        .summary = "relays sealed reads between windows and departments without reading them",
        .keys_help = "  forms: [FILE]   the forms that windows may use\n"
                     "  drills: true    it takes part in drills, see docs/DRILLS.md\n"
                     "  wait_ms: MILLISECONDS  a form waits at most for its turn (default 3000);\n"
                     "                  more are told to come again\n",
        .keys = keys,
        .kind = LB_NODE_BROKER,
        .keeps_log = true,
        .must_listen = true,
        .migrations = lb_outbox_migrations,
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
