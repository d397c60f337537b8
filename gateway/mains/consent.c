#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/mains/forms.h"
#include "gateway/mains/seal_keys.h"
#include "gateway/services/desk_service.h"

/* lianban-consent: shows the notice, takes the citizen's decision, issues and revokes grants. */

#define PUSH_EVERY_S 5
/* Every withdrawal at every broker, and the push of every few seconds. */
#define RELAY_QUEUE 1024
#define ALERT_EVERY_S 60
#define MAX_EMERGENCIES 1000  /* a day; beyond that nobody means to cap them */

struct push_job {
    struct lb_job job;
    struct consent_role *role;
};

struct consent_role {
    struct lb_node_program *node;
    struct lb_node_forms forms;
    struct lb_issuer_keys *issuer;
    const char *status_uri;
    int64_t status_life_s;
    const uint8_t *pseudonym_key;
    const char *store_path;
    int64_t per_officer, per_day;
    struct lb_consent *consent;
    char brokers[LB_CONSENT_MAX_BROKERS][LB_MAX_SPIFFE_BYTES];
    struct lb_consent_service service;
    struct lb_workers *pusher;
    struct push_job push;
    bool pushing;             /* one push at a time */
    int64_t next_push_s;
    int64_t next_alert_s;
    bool failing;             /* a broker can't be told; said already */
};

/* Without a word about them an office grants a few emergencies a day; 0 allows none. */
static lb_status read_emergencies(struct lb_node_program *node, struct consent_role *role)
{
    static const char *const keys[] = {"per_officer", "per_day", NULL};
    const struct lb_yaml_node *map = lb_yaml_get(node->root, "emergencies");
    role->per_officer = 3;
    role->per_day = 10;
    if (map == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    LB_TRY(lb_yaml_need_int(map, "per_officer", 0, MAX_EMERGENCIES, &node->diag,
                            &role->per_officer));
    return lb_yaml_need_int(map, "per_day", 0, MAX_EMERGENCIES, &node->diag, &role->per_day);
}

static lb_status prepare(struct lb_node_program *node, void **out_role)
{
    struct consent_role *role = calloc(1, sizeof(*role));
    LB_ENSURE(role != NULL, LB_NO_MEMORY, "consent office");
    role->node = node;
    *out_role = role;
    LB_TRY(lb_node_forms_read(node, &role->forms));
    LB_TRY(lb_node_issuer_keys(node, "issuer", &role->issuer));
    LB_TRY(lb_node_need_text(node, node->root, "status_uri", &role->status_uri));
    LB_TRY(lb_yaml_opt_int(node->root, "status_life_s", 10, 86400, 900, &node->diag,
                           &role->status_life_s));
    LB_TRY(lb_node_need_secret(node, node->root, "pseudonym_key", &role->pseudonym_key));
    LB_TRY(read_emergencies(node, role));
    role->store_path = lb_arena_printf(node->arena, "%s/consent.db", node->state);
    LB_ENSURE(role->store_path != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static bool is_open(const struct consent_role *role, const char *spiffe)
{
    for (size_t i = 0; i < role->service.num_brokers; i++) {
        if (strcmp(role->brokers[i], spiffe) == 0)
            return true;
    }
    return false;
}

static lb_status open_broker(struct consent_role *role, const char *spiffe)
{
    struct lb_rpc_channel *channel = NULL;
    size_t num = role->service.num_brokers;
    LB_ENSURE(num < LB_CONSENT_MAX_BROKERS, LB_TOO_LARGE, "too many brokers");
    LB_TRY(lb_node_channel(role->node, spiffe, &channel));
    (void)snprintf(role->brokers[num], sizeof(role->brokers[num]), "%s", spiffe);
    return lb_consent_service_add_broker(&role->service, channel);
}

/* One that a newer directory lists is told without a restart. */
static lb_status open_brokers(struct consent_role *role)
{
    struct lb_directory *directory = lb_trust_directory(role->node->trust);
    lb_status status = LB_OK;
    for (size_t i = 0; i < directory->num_nodes && status == LB_OK; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind == LB_NODE_BROKER && !is_open(role, node->spiffe) &&
            role->service.num_brokers < LB_CONSENT_MAX_BROKERS)
            status = open_broker(role, node->spiffe);
    }
    lb_directory_unref(directory);
    return status;
}

static size_t names_of(void *own, const char id_no[19], uint8_t (*out_names)[32])
{
    const struct consent_role *role = own;
    lb_hmac_sha256(lb_span_of(role->pseudonym_key, 32), lb_span_str(id_no), out_names[0]);
    return 1;
}

static lb_status start(void *own, struct lb_rpc_method *methods, size_t *out_num)
{
    struct consent_role *role = own;
    struct lb_node_program *node = role->node;
    const struct lb_consent_options options = {
        .self = node->spiffe,
        .organization = node->organization,
        .trust = node->trust,
        .log = node->log,
        .clock = lb_clock_system(),
        .forms = role->forms.forms,
        .num_forms = role->forms.num,
        .issuer = role->issuer,
        .status_uri = role->status_uri,
        .status_life_s = role->status_life_s,
        .store_path = role->store_path,
        .pseudonym_key = role->pseudonym_key,
        .emergencies_per_officer = role->per_officer,
        .emergencies_per_day = role->per_day,
    };
    LB_TRY(lb_consent_new(&options, &node->diag, &role->consent));
    node->names = (struct lb_review_names){names_of, role};
    role->service = (struct lb_consent_service){
        .consent = role->consent,
        .log = node->log,
        .trust = node->trust,
    };
    lb_consent_service_methods(&role->service, methods);
    lb_desk_service_methods(&role->service, methods + LB_CONSENT_METHODS);
    *out_num = LB_CONSENT_METHODS + LB_DESK_METHODS;
    LB_TRY(lb_workers_new(LB_CONSENT_MAX_BROKERS, RELAY_QUEUE, &role->service.relays));
    LB_TRY(open_brokers(role));
    return lb_workers_new(1, 1, &role->pusher);
}

/* Told every minute for as long as it lasts: the office can grant no emergency until then. */
static void alert(struct consent_role *role, int64_t now_s)
{
    int64_t overdue = 0;
    if (now_s < role->next_alert_s)
        return;
    role->next_alert_s = now_s + ALERT_EVERY_S;
    lb_status status = lb_consent_overdue(role->consent, &overdue);
    lb_log_failure("overdue_not_counted", status);
    if (status == LB_OK && overdue > 0)
        lb_log_event(LB_LOG_WARN, "emergency_supplement_overdue", "\"number\":%lld",
                     (long long)overdue);
}

static void push(struct lb_job *job)
{
    struct consent_role *role = ((struct push_job *)job)->role;
    lb_status status = lb_consent_service_push(&role->service);
    /* A broker that is away is no news every few seconds; it says so in its own log. */
    if (status != LB_OK && status->code != LB_UNAVAILABLE)
        lb_log_failure("status_push_failed", status);
    __atomic_store_n(&role->pushing, false, __ATOMIC_RELEASE);
}

/* Pushed again and again, so that a broker or adapter that was away has the list within seconds,
 * and no list runs out while the office is up. */
static void tick(void *own)
{
    struct consent_role *role = own;
    lb_issuer_keys_tick(role->issuer);
    int64_t now = lb_clock_monotonic_ms(lb_clock_system()) / 1000;
    alert(role, now);
    lb_status opened = open_brokers(role);
    if (opened != LB_OK && !role->failing)
        lb_log_failure("broker_not_told", opened);
    role->failing = opened != LB_OK;
    if (now < role->next_push_s || __atomic_load_n(&role->pushing, __ATOMIC_ACQUIRE))
        return;
    role->next_push_s = now + PUSH_EVERY_S;
    role->push = (struct push_job){.job = {.run = push}, .role = role};
    __atomic_store_n(&role->pushing, true, __ATOMIC_RELEASE);
    if (lb_workers_submit(role->pusher, &role->push.job) != LB_OK)
        __atomic_store_n(&role->pushing, false, __ATOMIC_RELEASE);
}

static void quiesce(void *own)
{
    struct consent_role *role = own;
    lb_workers_free(role->pusher);
    role->pusher = NULL;
}

static void stop(void *own)
{
    struct consent_role *role = own;
    lb_workers_free(role->pusher);
    lb_workers_free(role->service.relays);
    for (size_t i = 0; i < role->service.num_brokers; i++)
        lb_rpc_channel_free(role->service.brokers[i]);
    lb_consent_free(role->consent);
    lb_node_forms_free(&role->forms);
    lb_issuer_keys_free(role->issuer);
    free(role);
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"forms",         "issuer",        "status_uri",
                                       "status_life_s", "pseudonym_key", "emergencies", NULL};
    static const struct lb_node_role role = {
        .program = "lianban-consent",
        .summary = "shows the notice, takes the citizen's decision, issues and revokes grants",
        .keys_help = "  forms: [FILE]               the forms that citizens may be asked for\n"
                     "  issuer: {kid: ID, key: FILE, folder: FOLDER}  the P-256 key of grants;\n"
                     "                              the folder is for later ones (`keys use`)\n"
                     "  status_uri: URI             name of the status list\n"
                     "  status_life_s: SECONDS      how long a list is good for (default 900)\n"
                     "  pseudonym_key: FILE         64 hex digits\n"
                     "  emergencies: {per_officer: N, per_day: N}  grants without consent a day,"
                     " default 3 and 10\n",
        .keys = keys,
        .kind = LB_NODE_CONSENT,
        .keeps_log = true,
        .must_listen = true,
        .prepare = prepare,
        .start = start,
        .tick = tick,
        .quiesce = quiesce,
        .stop = stop,
    };
    return lb_node_main(argc, argv, &role);
}
