#include <stdlib.h>
#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/mains/doors.h"
#include "gateway/mains/forms.h"
#include "gateway/mains/seal_keys.h"
#include "gateway/note/note.h"
#include "gateway/services/window_service.h"
#include "gateway/window/parts.h"
#include "gateway/window/withdrawn.h"

/* lianban-window: the agent beside a window system. */

#define CASE_WORKERS 64
#define CASE_QUEUE 1024
#define LOOK_EVERY_S 5

struct look_job {
    struct lb_job job;
    struct window_role *role;
};

struct window_role {
    struct lb_node_program *node;
    size_t num_forms;
    struct lb_rules *rules[LB_MAX_FORMS];
    struct lb_window_form forms[LB_MAX_FORMS];
    struct lb_seal_ring *ring;
    struct lb_issuer_keys *issuer;
    const uint8_t *case_key;
    const char *operators_folder;
    struct lb_register *operators;
    size_t num_brokers;
    const char *brokers[LB_WINDOW_MAX_BROKERS];
    const char *consent;
    const char *store_path;
    int64_t deadline_ms, wait_ms;
    int64_t end_days;
    struct lb_catalogue *catalogue;  /* NULL: none */
    struct lb_workers *workers;
    struct lb_window_peers peers;
    struct lb_window *window;
    struct lb_work_calendar *calendar;  /* NULL: the configuration names none */
    struct lb_courier *courier;
    struct lb_withdrawn *withdrawn;
    struct lb_workers *looker;
    struct look_job look;
    bool looking;             /* one look at a time */
    int64_t next_look_s;
    struct lb_workers *prober;
    struct look_job probe;
    bool probing;             /* likewise */
    struct lb_doors doors;
    bool failing;
};

static lb_status read_form(struct window_role *role, const struct lb_yaml_node *item)
{
    static const char *const keys[] = {"form", "rules", NULL};
    struct lb_node_program *node = role->node;
    const char *form_path = NULL, *rules_path = NULL;
    struct lb_form_compiled *form = NULL;
    size_t i = role->num_forms;
    LB_TRY(lb_yaml_only(item, keys, &node->diag));
    LB_TRY(lb_node_need_path(node, item, "form", &form_path));
    LB_TRY(lb_node_need_path(node, item, "rules", &rules_path));
    LB_TRY(lb_rules_load(rules_path, &node->diag, &role->rules[i]));
    role->num_forms++;
    LB_TRY(lb_form_load(form_path, role->rules[i], &node->diag, &form));
    lb_node_form_waivers(lb_form_of(form));
    role->forms[i] = (struct lb_window_form){form, role->rules[i]};
    return LB_OK;
}

static lb_status read_forms(struct window_role *role)
{
    struct lb_node_program *node = role->node;
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(node->root, "forms", &node->diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) > LB_MAX_FORMS)
        return lb_yaml_fail(list, &node->diag, "forms must list at most %d {form, rules}",
                            LB_MAX_FORMS);
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(read_form(role, lb_yaml_item(list, i)));
    return LB_OK;
}

/* Without one no deadline of a part is known, and the window system is told none. */
static lb_status read_calendar(struct window_role *role)
{
    struct lb_node_program *node = role->node;
    const char *path = NULL;
    if (lb_yaml_get(node->root, "calendar") == NULL)
        return LB_OK;
    LB_TRY(lb_node_need_path(node, node->root, "calendar", &path));
    return lb_work_calendar_load(path, &node->diag, &role->calendar);
}

static lb_status add_broker(struct window_role *role, const struct lb_yaml_node *item)
{
    struct lb_node_program *node = role->node;
    const char *text = NULL;
    LB_TRY(lb_yaml_text(item, &node->diag, &text));
    for (size_t i = 0; i < role->num_brokers; i++) {
        if (strcmp(role->brokers[i], text) == 0)
            return lb_yaml_fail(item, &node->diag, "this broker is named twice");
    }
    role->brokers[role->num_brokers] = lb_arena_str(node->arena, lb_span_str(text));
    LB_ENSURE(role->brokers[role->num_brokers] != NULL, LB_NO_MEMORY, "configuration is too large");
    role->num_brokers++;
    return LB_OK;
}

/* One by `broker`, or several by `brokers`. */
static lb_status read_brokers(struct window_role *role)
{
    struct lb_node_program *node = role->node;
    const struct lb_yaml_node *one = lb_yaml_get(node->root, "broker");
    const struct lb_yaml_node *list = lb_yaml_get(node->root, "brokers");
    if ((one == NULL) == (list == NULL))
        return lb_yaml_fail(list == NULL ? node->root : list, &node->diag,
                            "say either broker or brokers");
    if (one != NULL)
        return add_broker(role, one);
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) == 0 ||
        lb_yaml_len(list) > LB_WINDOW_MAX_BROKERS)
        return lb_yaml_fail(list, &node->diag, "brokers must list 1 to %d of them",
                            LB_WINDOW_MAX_BROKERS);
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(add_broker(role, lb_yaml_item(list, i)));
    return LB_OK;
}

/* The person key is for `lianban operator`; that it is private is our business too. */
static lb_status read_operators(struct window_role *role)
{
    struct lb_node_program *node = role->node;
    const uint8_t *person_key = NULL;
    LB_TRY(lb_node_need_secret(node, node->root, "person_key", &person_key));
    LB_TRY(lb_node_need_path(node, node->root, "operators", &role->operators_folder));
    if (node->check)
        return LB_OK;
    return lb_register_open(role->operators_folder, true, &node->diag, &role->operators);
}

static lb_status read_policies(struct window_role *role)
{
    struct lb_node_program *node = role->node;
    const char *path = NULL;
    if (lb_yaml_get(node->root, "policies") == NULL)
        return LB_OK;
    LB_TRY(lb_node_need_path(node, node->root, "policies", &path));
    return lb_catalogue_load(path, &node->diag, &role->catalogue);
}

static lb_status prepare(struct lb_node_program *node, void **out_role)
{
    struct window_role *role = calloc(1, sizeof(*role));
    LB_ENSURE(role != NULL, LB_NO_MEMORY, "window agent");
    role->node = node;
    *out_role = role;
    /* It answers whoever can open its socket, so that must be this account on this machine; who has
     * another way in shows the secret of `local`. */
    if (strncmp(node->listen, "unix:", 5) != 0)
        return lb_yaml_fail(lb_yaml_get(node->root, "listen"), &node->diag,
                            "the window agent listens on a Unix socket only; say unix:<path>");
    LB_TRY(read_forms(role));
    LB_TRY(read_policies(role));
    LB_TRY(read_calendar(role));
    LB_TRY(lb_node_seal_keys(node, &role->ring));
    LB_TRY(lb_node_issuer_keys(node, "issuer", &role->issuer));
    LB_TRY(lb_node_need_secret(node, node->root, "case_key", &role->case_key));
    LB_TRY(read_operators(role));
    LB_TRY(read_brokers(role));
    LB_TRY(lb_node_need_text(node, node->root, "consent", &role->consent));
    LB_TRY(lb_yaml_opt_int(node->root, "deadline_ms", 100, LB_MAX_DEADLINE_MS,
                           LB_CASE_DEADLINE_MS, &node->diag, &role->deadline_ms));
    LB_TRY(lb_yaml_opt_int(node->root, "wait_ms", 100, LB_MAX_DEADLINE_MS, LB_WINDOW_WAIT_MS,
                           &node->diag, &role->wait_ms));
    LB_TRY(lb_yaml_opt_int(node->root, "end_days", 1, LB_CASE_MAX_END_DAYS, LB_CASE_END_DAYS,
                           &node->diag, &role->end_days));
    LB_TRY(lb_doors_read(node, &role->doors));
    role->store_path = lb_arena_printf(node->arena, "%s/cases.db", node->state);
    LB_ENSURE(role->store_path != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static lb_status record(void *ctx, const char *code, struct lb_span detail, uint64_t *out_index)
{
    const struct window_role *role = ctx;
    return lb_node_record(role->node, code, detail, out_index);
}

static lb_status sign_note(void *ctx, struct lb_span text, struct lb_arena *arena,
                           struct lb_span *out_note)
{
    const struct lb_node_program *node = ((const struct window_role *)ctx)->node;
    return lb_note_sign(text, false, node->log_origin, node->log_key, arena, out_note);
}

/* One that the directory does not list, not yet or no more, keeps nobody from asking the others; it
 * is asked once it is listed. Returns the last failure when there is nobody to ask. */
static lb_status open_brokers(struct window_role *role)
{
    lb_status failed = LB_OK;
    bool any = false;
    for (size_t i = 0; i < role->num_brokers; i++) {
        struct lb_rpc_channel *channel = role->peers.brokers[i];
        lb_status status =
            channel != NULL ? LB_OK : lb_node_channel(role->node, role->brokers[i], &channel);
        if (status != LB_OK) {
            failed = status;
            continue;
        }
        any = true;
        __atomic_store_n(&role->peers.brokers[i], channel, __ATOMIC_RELEASE);
    }
    return any ? LB_OK : failed;
}

static lb_status start(void *own, struct lb_rpc_method *methods, size_t *out_num)
{
    struct window_role *role = own;
    struct lb_node_program *node = role->node;
    LB_TRY(lb_workers_new(CASE_WORKERS, CASE_QUEUE, &role->workers));
    LB_TRY(open_brokers(role));
    LB_TRY(lb_node_channel(node, role->consent, &role->peers.consent));
    const struct lb_window_options options = {
        .self = node->spiffe,
        .organization = node->organization,
        .trust = node->trust,
        .workers = role->workers,
        .clock = lb_clock_system(),
        .forms = role->forms, .num_forms = role->num_forms,
        .ring = role->ring, .issuer = role->issuer,
        .brokers = role->brokers, .num_brokers = role->num_brokers,
        .store_path = role->store_path,
        .case_key = role->case_key,
        .operators = role->operators,
        .witness = {role, record, sign_note},
        .log = node->log,
        .calendar = role->calendar,
        .deadline_ms = role->deadline_ms, .wait_ms = role->wait_ms,
        .end_days = role->end_days, .max_collects = CASE_WORKERS,
        .port = lb_window_service_port(&role->peers),
        .catalogue = role->catalogue,
    };
    LB_TRY(lb_window_new(&options, &node->diag, &role->window));
    LB_TRY(lb_withdrawn_new(role->window, &role->withdrawn));
    LB_TRY(lb_courier_new(role->window, &role->courier));
    LB_TRY(lb_workers_new(1, 1, &role->looker));
    LB_TRY(lb_workers_new(1, 1, &role->prober));
    lb_window_service_methods(role->window, methods);
    *out_num = LB_WINDOW_METHODS;
    return LB_OK;
}

static void look(struct lb_job *job)
{
    struct window_role *role = ((struct look_job *)job)->role;
    lb_status status = lb_withdrawn_look(role->withdrawn);
    /* An office that is away is no news every few seconds. */
    if (status != LB_OK && status->code != LB_UNAVAILABLE)
        lb_log_failure("withdrawals_not_read", status);
    __atomic_store_n(&role->looking, false, __ATOMIC_RELEASE);
}

/* What was withdrawn is erased here within seconds. */
static void look_for_withdrawals(struct window_role *role)
{
    int64_t now = lb_clock_monotonic_ms(lb_clock_system()) / 1000;
    if (now < role->next_look_s || __atomic_load_n(&role->looking, __ATOMIC_ACQUIRE))
        return;
    role->next_look_s = now + LOOK_EVERY_S;
    role->look = (struct look_job){.job = {.run = look}, .role = role};
    __atomic_store_n(&role->looking, true, __ATOMIC_RELEASE);
    if (lb_workers_submit(role->looker, &role->look.job) != LB_OK)
        __atomic_store_n(&role->looking, false, __ATOMIC_RELEASE);
}

static void probe(struct lb_job *job)
{
    struct window_role *role = ((struct look_job *)job)->role;
    lb_window_probe(role->window);
    __atomic_store_n(&role->probing, false, __ATOMIC_RELEASE);
}

static void probe_brokers(struct window_role *role)
{
    if (role->num_brokers < 2 || __atomic_load_n(&role->probing, __ATOMIC_ACQUIRE))
        return;
    role->probe = (struct look_job){.job = {.run = probe}, .role = role};
    __atomic_store_n(&role->probing, true, __ATOMIC_RELEASE);
    if (lb_workers_submit(role->prober, &role->probe.job) != LB_OK)
        __atomic_store_n(&role->probing, false, __ATOMIC_RELEASE);
}

/* What `lianban operator` changed becomes evidence within a second, also while nobody serves. */
static void tick(void *own)
{
    struct window_role *role = own;
    lb_seal_ring_tick(role->ring);
    lb_issuer_keys_tick(role->issuer);
    lb_status status = lb_window_tick(role->window);
    if (status != LB_OK && !role->failing)
        lb_log_failure("operators_not_recorded", status);
    role->failing = status != LB_OK;
    look_for_withdrawals(role);
    lb_status_ignore(open_brokers(role));
    probe_brokers(role);
}

static lb_status serving(void *own)
{
    struct window_role *role = own;
    return lb_doors_open(&role->doors, role->node, role->window);
}

static void quiesce(void *own)
{
    struct window_role *role = own;
    lb_workers_free(role->looker);
    lb_workers_free(role->prober);
    role->looker = role->prober = NULL;
    lb_courier_free(role->courier);
    role->courier = NULL;
    lb_doors_close(&role->doors);
}

static void stop(void *own)
{
    struct window_role *role = own;
    lb_workers_free(role->looker);
    lb_workers_free(role->prober);
    lb_withdrawn_free(role->withdrawn);
    lb_courier_free(role->courier);
    lb_window_free(role->window);
    lb_register_close(role->operators);
    lb_workers_free(role->workers);
    for (size_t i = 0; i < role->num_brokers; i++)
        lb_rpc_channel_free(role->peers.brokers[i]);
    lb_rpc_channel_free(role->peers.consent);
    for (size_t i = 0; i < role->num_forms; i++) {
        lb_form_free(role->forms[i].form);
        lb_rules_free(role->rules[i]);
    }
    lb_catalogue_free(role->catalogue);
    lb_work_calendar_free(role->calendar);
    lb_seal_ring_free(role->ring);
    lb_issuer_keys_free(role->issuer);
    lb_wipe(role, sizeof(*role));
    free(role);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"forms",    "seal_keys",   "seal_folder", "issuer",
                                       "case_key", "person_key",  "operators",   "broker",
                                       "brokers",  "consent",     "deadline_ms", "local",
                                       "calendar", "policies",    "end_days",    "wait_ms", NULL};
    static const struct lb_node_role role = {
        .program = "lianban-window",
        .summary = "the agent beside a window system: seals, opens, checks receipts, judges",
        .keys_help =
            "  forms: [{form: FILE, rules: FILE}]\n"
            "  calendar: FILE                      working days, for the deadlines of parts\n"
            "  seal_keys: [{id: ID, file: FILE}]   the requester's X25519 keys\n"
            "  seal_folder: FOLDER                 further ones (`lianban keys rotate`)\n"
            "  issuer: {kid: ID, key: FILE, folder: FOLDER}  P-256: mandates, operator tokens;\n"
            "                                      the folder is for later ones (`keys use`)\n"
            "  case_key: FILE                      64 hex digits; cases are kept encrypted\n"
            "  person_key: FILE                    64 hex digits; keyed hash of operators\n"
            "  operators: FOLDER                   their register (see `lianban operator`)\n"
            "  broker: SPIFFE id                   or, the one to ask first before the others:\n"
            "  brokers: [SPIFFE id]\n"
            "  consent: SPIFFE id\n"
            "  deadline_ms: MILLISECONDS           of one collect (default 15000)\n"
            "  wait_ms: MILLISECONDS               for its turn (3000); more come again\n"
            "  end_days: DAYS                      a case that is over is erased so long after\n"
            "                                      the time to object (default 30, at most 366)\n"
            "  policies: FILE                      a policy catalogue's index, for the calculator\n"
            "  local: {http: 127.0.0.1:PORT, grpc: 127.0.0.1:PORT, secret: FILE}\n"
            "                                      for window systems without Unix sockets; the\n"
            "                                      file's 64 hex digits are their bearer secret\n",
        .keys = keys,
        .kind = LB_NODE_WINDOW,
        .keeps_log = true,
        .must_listen = true,
        .prepare = prepare,
        .start = start,
        .tick = tick,
        .serving = serving,
        .quiesce = quiesce,
        .stop = stop,
    };
    return lb_node_main(argc, argv, &role);
}
