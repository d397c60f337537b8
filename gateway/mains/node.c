#include "gateway/mains/node.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/heap.h"
#include "gateway/base/log.h"
#include "gateway/mains/node_config.h"
#include "gateway/mains/node_help.h"
#include "gateway/mains/node_log.h"
#include "gateway/mains/node_metrics.h"
#include "gateway/mains/node_witness.h"
#include "gateway/mains/notify.h"
#include "gateway/mains/officer_key.h"
#include "gateway/mains/reconcile.h"
#include "gateway/mains/version.h"
#include "gateway/services/access.h"
#include "gateway/services/evidence_service.h"
#include "gateway/trust/keys.h"

#define UNARY_WORKERS 8
#define UNARY_QUEUE 1024
/* Calls that are dear: so long takes what is in hand, and so long waits what is behind it. */
#define UNARY_AIM_MS 500
#define UNARY_WAIT_MS 3000
#define MAX_CALLS 4096
#define MAX_METHODS 32

/* Identities and answers must not end up in a core file. */
static void forbid_core_files(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Every thread inherits the mask, so that only the main loop takes these signals. */
static void block_signals(sigset_t *out)
{
    (void)sigemptyset(out);
    (void)sigaddset(out, SIGTERM);
    (void)sigaddset(out, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, out, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

lb_status lb_node_channel(struct lb_node_program *node, const char *spiffe,
                          struct lb_rpc_channel **out_channel)
{
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *peer = lb_directory_node(directory, spiffe);
    lb_status status;
    if (peer == NULL || peer->endpoint[0] == 0) {
        status = lb_node_refuse(node, LB_CONFIG_INVALID,
                                "%s: the directory lists no endpoint of this member", spiffe);
    } else {
        const struct lb_rpc_channel_options options = {
            .runtime = node->runtime,
            .target = peer->endpoint,
            .identity = &node->identity,
            .verifier = lb_access_counting_verifier(&node->access),
            .expected_spiffe = spiffe,
        };
        status = lb_rpc_channel_new(&options, out_channel);
    }
    lb_directory_unref(directory);
    return status;
}

static lb_status own_state(struct lb_node_program *node)
{
    if (node->role->keeps_log)
        return lb_node_open_log(node);
    lb_status status = lb_file_lock(node->state, &node->lock);
    if (status != LB_OK)
        return lb_node_refuse(node, status->code, "%s: %s", node->state,
                              status->code == LB_STATE_LOCKED
                                  ? "another process owns this state; stop it first"
                                  : "the lock file cannot be opened");
    return LB_OK;
}

static bool healthy(void *ctx)
{
    const struct lb_node_program *node = ctx;
    return node->log == NULL || (lb_log_healthy(node->log) && lb_node_witness_healthy(node));
}

/* Refused before anything of the request was looked at. */
static void count_refusal(void *ctx, const char *peer, enum lb_code code)
{
    const struct lb_node_program *node = ctx;
    if (node->log != NULL)
        lb_log_count_denial(node->log, peer, code);
}

static lb_status listen_on(struct lb_node_program *node, const struct lb_rpc_method *methods,
                           size_t num_methods)
{
    /* Whoever can open the window agent's socket may use it; at any other, callers show who they
     * are as on a network. */
    bool local = node->role->kind == LB_NODE_WINDOW;
    const struct lb_rpc_server_options options = {
        .runtime = node->runtime,
        .listen = node->listen,
        .identity = local ? NULL : &node->identity,
        .verifier = local ? (struct lb_rpc_verifier){NULL, NULL}
                          : lb_access_counting_verifier(&node->access),
        .workers = node->workers,
        .meter = node->meter,
        .methods = methods,
        .num_methods = num_methods,
        .max_calls = MAX_CALLS,
        .admission = node->admission,
        .refused = count_refusal,
        .refused_ctx = node,
        .healthy = healthy,
        .healthy_ctx = node,
    };
    return lb_rpc_server_new(&options, &node->diag, &node->server);
}

static lb_status start(struct lb_node_program *node, void *role)
{
    struct lb_rpc_method methods[MAX_METHODS];
    size_t num = 0;
    const struct lb_admission_options unary_admission = {
        .clock = lb_clock_system(), .aim_ms = UNARY_AIM_MS, .wait_ms = UNARY_WAIT_MS,
        .min_places = 2 * UNARY_WORKERS, .max_places = UNARY_QUEUE, .max_waiting = UNARY_QUEUE};
    LB_TRY(lb_workers_new(UNARY_WORKERS, UNARY_QUEUE, &node->workers));
    LB_TRY(lb_admission_new(&unary_admission, &node->admission));
    LB_TRY(node->role->start(role, methods, &num));
    if (node->log != NULL) {
        lb_evidence_service_methods(node->log, methods + num);
        num += LB_EVIDENCE_METHODS;
        node->review = (struct lb_review_service){node->organization, node->log, node->trust,
                                                  node->names, node->has_officer};
        lb_review_service_methods(&node->review, methods + num);
        num += LB_REVIEW_METHODS;
        node->tiles = (struct lb_tiles_service){node->log, node->trust, node->spiffe};
        lb_tiles_service_methods(&node->tiles, methods + num);
        num += LB_TILES_METHODS;
        LB_TRY(lb_node_reconcile_methods(node, methods, &num));
    }
    node->about = (struct lb_node_service){.organization = node->organization,
                                           .version = LB_VERSION,
                                           .trust = node->trust,
                                           .log = node->log,
                                           .clock = lb_clock_system(),
                                           .lists = node->lists,
                                           .drill = node->drill};
    lb_node_service_methods(&node->about, methods + num);
    num += LB_NODE_METHODS;
    lb_node_witness_methods(node, methods, &num);
    if (node->reflection != NULL)
        lb_reflection_service_list(node->reflection, methods, num);
    if (node->listen != NULL)
        LB_TRY(listen_on(node, methods, num));
    LB_TRY(lb_node_metrics_serve(node, methods, num));
    LB_TRY(lb_node_witness_serve(node));
    LB_TRY(lb_node_reconcile_start(node));
    return node->role->serving == NULL ? LB_OK : node->role->serving(role);
}

lb_status lb_node_record(struct lb_node_program *node, const char *code, struct lb_span detail,
                         uint64_t *out_index)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf.type = LB_LEAF_ADMIN;
    entry->leaf.count = 1;
    entry->detail = node->has_officer ? detail : LB_SPAN_EMPTY;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    lb_status status = lb_log_append_wait(node->log, entry);
    *out_index = entry->index;
    free(entry);
    return status;
}

/* An event of the process itself, such as its start and its stop. */
static lb_status record_admin(struct lb_node_program *node, const char *event)
{
    uint64_t index = 0;
    return node->log == NULL ? LB_OK : lb_node_record(node, event, LB_SPAN_EMPTY, &index);
}

static lb_status add_log_key(struct lb_node_program *node)
{
    struct lb_sign_key *key = NULL;
    LB_TRY(lb_keys_load_sign(node->next_log_key_path, LB_SIGN_ED25519, &key));
    lb_status status = lb_log_add_key(node->log, key);
    if (status != LB_OK) {
        lb_sign_key_free(key);
        return status;
    }
    node->next_log_key = key;
    /* One for each slot of the ratchet. */
    LB_TRY(record_admin(node, "LOG_KEY_ADDED"));
    return record_admin(node, "LOG_KEY_SIGNS");
}

/* The next log key may come at any time. */
static void look_for_log_key(struct lb_node_program *node)
{
    if (node->log == NULL || node->next_log_key_path == NULL || node->next_log_key != NULL ||
        access(node->next_log_key_path, F_OK) != 0)
        return;
    lb_status status = add_log_key(node);
    if (status == LB_OK)
        lb_log_event(LB_LOG_INFO, "log_key_added", "\"node\":\"%s\"", node->spiffe);
    else if (!node->next_log_key_failing)
        lb_log_failure("log_key_not_added", status);
    node->next_log_key_failing = status != LB_OK;
}

/* The service manager starts anew what no longer moves. */
static void tell_progress(const struct lb_node_program *node, struct lb_notify *notify)
{
    bool work = node->log == NULL || lb_log_progress(node->log);
    lb_notify_progress(notify, lb_clock_monotonic_ms(lb_clock_system()), work,
                       lb_rpc_runtime_progress(node->runtime));
}

static void serve(struct lb_node_program *node, void *role, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    struct lb_notify notify;
    struct lb_heap heap = {0};
    lb_notify_open(&notify);
    lb_log_event(LB_LOG_INFO, "serving", "\"node\":\"%s\",\"listen\":\"%s\"", node->spiffe,
                 node->listen == NULL ? "" : node->listen);
    lb_notify_ready(&notify);
    while (sigtimedwait(signals, NULL, &second) < 0) {
        lb_trust_reload(node->trust);
        look_for_log_key(node);
        lb_node_officer_look(node);
        if (node->role->tick != NULL)
            node->role->tick(role);
        tell_progress(node, &notify);
        (void)lb_heap_look(&heap, lb_clock_monotonic_ms(lb_clock_system()));
    }
    lb_notify_stopping(&notify);
    lb_notify_close(&notify);
    lb_log_event(LB_LOG_INFO, "stopping", "\"node\":\"%s\"", node->spiffe);
}

static void stop(struct lb_node_program *node, void *role)
{
    lb_rpc_server_shut(node->server);
    if (role != NULL && node->started && node->role->drain != NULL)
        node->role->drain(role);
    if (role != NULL && node->role->quiesce != NULL)
        node->role->quiesce(role);
    lb_node_metrics_stop(node);
    lb_node_witness_stop(node);
    lb_node_reconcile_stop(node);
    lb_rpc_server_stop(node->server, LB_STOP_GRACE_MS);
    lb_node_reconcile_free(node);
    if (role != NULL)
        node->role->stop(role);
    lb_workers_free(node->workers);
    lb_admission_free(node->admission);
    lb_node_witness_free(node);
    if (node->started)
        lb_log_failure("stop_not_recorded", record_admin(node, "STOPPED"));
    lb_log_close(node->log);
    lb_rpc_runtime_free(node->runtime);
    lb_node_metrics_free(node);
    lb_trust_free(node->trust);
    lb_sign_key_free(node->log_key);
    lb_sign_key_free(node->next_log_key);
    lb_yaml_free(node->yaml);
    lb_arena_free(node->arena);
    if (node->lock >= 0)
        (void)close(node->lock);
}

static int report(const struct lb_node_program *node, lb_status status)
{
    if (status == LB_OK)
        return 0;
    const char *sentence = node->diag.text[0] != 0 ? node->diag.text : status->what;
    (void)fprintf(stderr, "%s: %s: %s\n", node->role->program, lb_code_name(status->code),
                  sentence);
    return 1;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct lb_node_program *node)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
        {"init", no_argument, NULL, 'i'},         {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            node->config_path = optarg;
            break;
        case 'k':
            node->check = true;
            break;
        case 'i':
            node->init = true;
            break;
        case 'h':
            lb_node_print_help(node->role);
            return 0;
        case 'v':
            lb_node_print_version(node->role);
            return 0;
        default:
            return 2;
        }
    }
    if (node->config_path == NULL || optind != argc) {
        (void)fprintf(stderr, "usage: %s --config FILE [--check | --init]; see --help\n",
                      node->role->program);
        return 2;
    }
    return -1;
}

static lb_status run(struct lb_node_program *node, const sigset_t *signals, void **out_role)
{
    LB_TRY(lb_node_configure(node));
    LB_TRY(node->role->prepare(node, out_role));
    if (node->check)
        return LB_OK;
    LB_TRY(own_state(node));
    LB_TRY(lb_node_metrics_begin(node));
    node->access = (struct lb_access){node->trust, node->log, node->meter, node->sightings};
    LB_TRY(lb_rpc_runtime_new(0, &node->runtime));
    /* Before the first entry: a log that others know better must not grow into a fork. */
    LB_TRY(lb_node_witness_begin(node));
    LB_TRY(lb_node_officer_start(node));
    node->started = true;
    /* Whoever reads the newest directory knows only the next key; not even the first answer may
     * lack its signature. */
    look_for_log_key(node);
    LB_TRY(start(node, *out_role));
    serve(node, *out_role, signals);
    return LB_OK;
}

int lb_node_main(int argc, char **argv, const struct lb_node_role *role)
{
    struct lb_node_program node = {.role = role, .lock = -1};
    sigset_t signals;
    int exit_status = parse_options(argc, argv, &node);
    if (exit_status >= 0)
        return exit_status;
    lb_heap_limit_arenas();
    forbid_core_files();
    (void)umask(S_IRWXG | S_IRWXO); /* a socket is bound before its mode can be set */
    block_signals(&signals);
    node.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    void *own = NULL;
    lb_status status = node.arena == NULL ? LB_FAULT(LB_NO_MEMORY, "configuration")
                                          : run(&node, &signals, &own);
    exit_status = report(&node, status);
    if (status == LB_OK && node.check)
        (void)printf("%s: configuration is valid\n", node.config_path);
    stop(&node, own);
    return exit_status;
}
