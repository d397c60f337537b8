#include "gateway/mains/node_witness.h"

#include <stdlib.h>

#include "gateway/services/witness_service.h"
#include "gateway/trust/keys.h"
#include "gateway/witness/submit.h"

#define MAX_LOGS 64
#define INTERVAL_S 10
#define ALERT_S 900
#define STOP_S 14400
#define MAX_LIMIT_S (30 * 86400)

struct lb_node_witness {
    struct lb_node_program *node;
    /* the witness */
    struct lb_sign_key *key;  /* NULL: this node is none */
    const char *members[MAX_LOGS];
    size_t num_members;
    struct lb_witness *witness;
    struct lb_witness_service service;
    /* the log */
    struct lb_witness_policy *policy;  /* NULL: nobody cosigns this log */
    int64_t interval_s, alert_s, stop_s;
    struct lb_note_verifier *keys;  /* of this log, now and before */
    size_t num_keys;
    struct lb_rpc_channel *channels[LB_POLICY_MAX_WITNESSES];
    struct lb_submitter *submitter;
};

/* --- configuration: the witness --- */

static lb_status read_member(struct lb_node_witness *own, const struct lb_yaml_node *item)
{
    struct lb_node_program *node = own->node;
    const char *spiffe = NULL, *federation = NULL, *organization = NULL;
    enum lb_node_kind kind;
    LB_TRY(lb_yaml_text(item, &node->diag, &spiffe));
    if (lb_spiffe_parse(spiffe, node->arena, &federation, &kind, &organization) != LB_OK ||
        strcmp(federation, node->federation) != 0)
        return lb_yaml_fail(item, &node->diag, "not the SPIFFE id of a member");
    if (strcmp(spiffe, node->spiffe) == 0)
        return lb_yaml_fail(item, &node->diag, "nobody witnesses its own log");
    for (size_t i = 0; i < own->num_members; i++) {
        if (strcmp(own->members[i], spiffe) == 0)
            return lb_yaml_fail(item, &node->diag, "the member is listed twice");
    }
    own->members[own->num_members] = lb_arena_str(node->arena, lb_span_str(spiffe));
    LB_ENSURE(own->members[own->num_members] != NULL, LB_NO_MEMORY, "configuration is too large");
    own->num_members++;
    return LB_OK;
}

static lb_status read_witness_key(struct lb_node_witness *own, const struct lb_yaml_node *map)
{
    struct lb_node_program *node = own->node;
    const char *path = NULL;
    uint8_t mine[LB_P256_PUBLIC_BYTES], logs[LB_P256_PUBLIC_BYTES];
    LB_TRY(lb_node_need_path(node, map, "key", &path));
    if (lb_keys_load_sign(path, LB_SIGN_ED25519, &own->key) != LB_OK)
        return lb_node_refuse(node, LB_FILE_FAILED,
                              "%s: no usable Ed25519 key (mode 0600); make one with `lianban keys "
                              "witness`", path);
    (void)lb_sign_key_public(own->key, mine);
    (void)lb_sign_key_public(node->log_key, logs);
    if (memcmp(mine, logs, LB_ED25519_PUBLIC_BYTES) == 0)
        return lb_node_refuse(node, LB_CONFIG_INVALID,
                              "%s: a witness's key must not be the log's; make one with `lianban "
                              "keys witness`", path);
    return LB_OK;
}

static lb_status read_duties(struct lb_node_witness *own, const struct lb_yaml_node *map)
{
    static const char *const keys[] = {"key", "logs", NULL};
    struct lb_node_program *node = own->node;
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    LB_TRY(read_witness_key(own, map));
    LB_TRY(lb_yaml_need(map, "logs", &node->diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) == 0 ||
        lb_yaml_len(list) > MAX_LOGS)
        return lb_yaml_fail(list, &node->diag, "logs must list 1 to %d members", MAX_LOGS);
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(read_member(own, lb_yaml_item(list, i)));
    if (node->listen == NULL || strncmp(node->listen, "unix:", 5) == 0)
        return lb_yaml_fail(map, &node->diag, "a witness must listen on a network address");
    return LB_OK;
}

/* --- configuration: the log --- */

static bool is_own_log(const struct lb_node_program *node, const struct lb_note_verifier *verifier)
{
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(node->log_key, public_key);
    return lb_spiffe_log_number(node->spiffe, verifier->name) >= 0 &&
           memcmp(verifier->public_key, public_key, LB_ED25519_PUBLIC_BYTES) == 0;
}

static lb_status check_logs(const struct lb_node_witness *own, const char *path)
{
    bool named = own->policy->num_logs == 0;
    for (size_t i = 0; i < own->policy->num_logs; i++)
        named = named || is_own_log(own->node, &own->policy->logs[i].verifier);
    if (!named)
        return lb_node_refuse(own->node, LB_CONFIG_INVALID,
                              "%s: the policy is for other logs; add a log line with this node's "
                              "key, or leave out all of them", path);
    return LB_OK;
}

/* Who is asked must be a member, and those who are asked must be enough. */
static lb_status check_witnesses(const struct lb_node_witness *own, const char *path)
{
    struct lb_node_program *node = own->node;
    uint32_t asked = 0;
    for (size_t i = 0; i < own->policy->num_witnesses; i++) {
        const struct lb_policy_witness *witness = &own->policy->witnesses[i];
        const char *federation = NULL, *organization = NULL;
        enum lb_node_kind kind;
        if (witness->url[0] == 0)
            continue;
        if (lb_spiffe_parse(witness->url, node->arena, &federation, &kind, &organization) != LB_OK)
            return lb_node_refuse(node, LB_CONFIG_INVALID,
                                  "%s: witness %s: its url must be its SPIFFE id", path,
                                  witness->name);
        if (strcmp(witness->url, node->spiffe) == 0)
            return lb_node_refuse(node, LB_CONFIG_INVALID,
                                  "%s: witness %s: nobody witnesses its own log", path,
                                  witness->name);
        asked |= UINT32_C(1) << i;
    }
    if (!lb_witness_policy_met(own->policy, asked))
        return lb_node_refuse(node, LB_CONFIG_INVALID,
                              "%s: the quorum can't be met by the witnesses that have a url", path);
    return LB_OK;
}

static lb_status read_policy(struct lb_node_witness *own, const struct lb_yaml_node *map)
{
    static const char *const keys[] = {"policy", "interval_s", "alert_s", "stop_s", NULL};
    struct lb_node_program *node = own->node;
    struct lb_diag *diag = &node->diag;
    const char *path = NULL;
    LB_TRY(lb_yaml_only(map, keys, diag));
    LB_TRY(lb_node_need_path(node, map, "policy", &path));
    LB_TRY(lb_yaml_opt_int(map, "interval_s", 1, 3600, INTERVAL_S, diag, &own->interval_s));
    LB_TRY(lb_yaml_opt_int(map, "alert_s", 1, MAX_LIMIT_S, ALERT_S, diag, &own->alert_s));
    LB_TRY(lb_yaml_opt_int(map, "stop_s", 1, MAX_LIMIT_S, STOP_S, diag, &own->stop_s));
    if (own->alert_s > own->stop_s)
        return lb_yaml_fail(map, diag, "stop_s must not be before alert_s");
    LB_TRY(lb_witness_policy_load(path, diag, &own->policy));
    LB_TRY(check_logs(own, path));
    return check_witnesses(own, path);
}

lb_status lb_node_witness_read(struct lb_node_program *node)
{
    const struct lb_yaml_node *duties = lb_yaml_get(node->root, "witness");
    const struct lb_yaml_node *by = lb_yaml_get(node->root, "witnessed_by");
    if (duties == NULL && by == NULL)
        return LB_OK;
    node->witness = calloc(1, sizeof(*node->witness));
    LB_ENSURE(node->witness != NULL, LB_NO_MEMORY, "witnessing");
    node->witness->node = node;
    if (duties != NULL)
        LB_TRY(read_duties(node->witness, duties));
    return by == NULL ? LB_OK : read_policy(node->witness, by);
}

/* --- reaching a witness --- */

static lb_status connect_to(struct lb_node_witness *own, size_t i)
{
    struct lb_node_program *node = own->node;
    const char *spiffe = own->policy->witnesses[i].url;
    struct lb_directory *directory = lb_trust_directory(node->trust);
    const struct lb_node *peer = lb_directory_node(directory, spiffe);
    lb_status status;
    if (peer == NULL || peer->endpoint[0] == 0) {
        status = LB_FAULT(LB_UNAVAILABLE, "the directory lists no endpoint of this witness");
    } else {
        const struct lb_rpc_channel_options options = {
            .runtime = node->runtime,
            .target = peer->endpoint,
            .identity = &node->identity,
            .verifier = lb_access_counting_verifier(&node->access),
            .expected_spiffe = spiffe,
        };
        status = lb_rpc_channel_new(&options, &own->channels[i]);
    }
    lb_directory_unref(directory);
    return status;
}

static lb_status send_body(void *ctx, size_t i, struct lb_span body, int64_t timeout_ms,
                           struct lb_arena *arena, struct lb_submit_reply *out_reply)
{
    struct lb_node_witness *own = ctx;
    if (own->channels[i] == NULL)
        LB_TRY(connect_to(own, i));
    lb_status status = lb_witness_call(own->channels[i], body, timeout_ms, arena, out_reply);
    if (status == LB_OK)
        return LB_OK;
    /* The next try looks the endpoint up anew. */
    lb_rpc_channel_free(own->channels[i]);
    own->channels[i] = NULL;
    return status;
}

/* --- life --- */

static lb_status open_witness(struct lb_node_witness *own)
{
    struct lb_node_program *node = own->node;
    const struct lb_witness_options options = {
        .folder = node->state,
        .name = lb_spiffe_log_origin(node->spiffe),
        .key = own->key,
        .clock = lb_clock_system(),
        .log = node->log,
        .keeps_entries = node->role->kind == LB_NODE_AUDITOR,
        .seals_detail = node->has_officer,
    };
    LB_TRY(lb_witness_open(&options, &node->diag, &own->witness));
    own->service = (struct lb_witness_service){
        .trust = node->trust,
        .log = node->log,
        .witness = own->witness,
        .num_members = own->num_members,
        .members = own->members,
    };
    return LB_OK;
}

static lb_status add_key(struct lb_node_witness *own, const uint8_t public_key[32])
{
    LB_TRY(lb_note_verifier_init(own->node->log_origin, public_key, &own->keys[own->num_keys]));
    own->num_keys++;
    return LB_OK;
}

/* The key in use and whatever the directory has for this log. */
static lb_status add_keys(struct lb_node_witness *own, const struct lb_node *listed)
{
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    bool logs = listed != NULL && listed->log_origin != NULL;
    own->keys = calloc(2 + (logs ? listed->num_former : 0), sizeof(*own->keys));
    LB_ENSURE(own->keys != NULL, LB_NO_MEMORY, "log keys");
    (void)lb_sign_key_public(own->node->log_key, public_key);
    LB_TRY(add_key(own, public_key));
    if (logs)
        LB_TRY(add_key(own, listed->log_key));
    for (size_t i = 0; logs && i < listed->num_former; i++)
        LB_TRY(add_key(own, listed->former[i].raw));
    return LB_OK;
}

static lb_status find_keys(struct lb_node_witness *own)
{
    struct lb_directory *directory = lb_trust_directory(own->node->trust);
    lb_status status = add_keys(own, lb_directory_node(directory, own->node->spiffe));
    lb_directory_unref(directory);
    return status;
}

static lb_status open_submitter(struct lb_node_witness *own)
{
    struct lb_node_program *node = own->node;
    LB_TRY(find_keys(own));
    const struct lb_submit_options options = {
        .folder = node->state,
        .log = node->log,
        .keys = own->keys,
        .num_keys = own->num_keys,
        .policy = own->policy,
        .port = {own, send_body},
        .clock = lb_clock_system(),
        .interval_ms = own->interval_s * 1000,
        .alert_ms = own->alert_s * 1000,
        .stop_ms = own->stop_s * 1000,
    };
    LB_TRY(lb_submitter_new(&options, &node->diag, &own->submitter));
    return lb_submitter_ask(own->submitter, &node->diag);
}

lb_status lb_node_witness_begin(struct lb_node_program *node)
{
    struct lb_node_witness *own = node->witness;
    if (own == NULL)
        return LB_OK;
    if (own->key != NULL)
        LB_TRY(open_witness(own));
    return own->policy == NULL ? LB_OK : open_submitter(own);
}

void lb_node_witness_methods(struct lb_node_program *node, struct lb_rpc_method *methods,
                             size_t *num)
{
    if (!lb_node_witness_duties(node))
        return;
    lb_witness_service_methods(&node->witness->service, methods + *num);
    *num += LB_WITNESS_METHODS;
}

lb_status lb_node_witness_serve(struct lb_node_program *node)
{
    if (node->witness == NULL || node->witness->submitter == NULL)
        return LB_OK;
    return lb_submitter_start(node->witness->submitter);
}

bool lb_node_witness_duties(const struct lb_node_program *node)
{
    return node->witness != NULL && node->witness->key != NULL;
}

bool lb_node_witness_healthy(const struct lb_node_program *node)
{
    struct lb_submit_view view = {.state = LB_SUBMIT_WITNESSED};
    if (node->witness != NULL && node->witness->submitter != NULL)
        lb_submitter_view(node->witness->submitter, &view);
    return view.state != LB_SUBMIT_STOPPED;
}

void lb_node_witness_stop(struct lb_node_program *node)
{
    struct lb_node_witness *own = node->witness;
    if (own == NULL)
        return;
    if (own->submitter != NULL)
        lb_submitter_stop(own->submitter);
    for (size_t i = 0; i < LB_POLICY_MAX_WITNESSES; i++) {
        lb_rpc_channel_free(own->channels[i]);
        own->channels[i] = NULL;
    }
}

void lb_node_witness_free(struct lb_node_program *node)
{
    struct lb_node_witness *own = node->witness;
    if (own == NULL)
        return;
    lb_submitter_free(own->submitter);
    lb_witness_close(own->witness);
    lb_sign_key_free(own->key);
    lb_witness_policy_free(own->policy);
    for (size_t i = 0; i < own->num_keys; i++)
        lb_note_verifier_cleanup(&own->keys[i]);
    free(own->keys);
    free(own);
    node->witness = NULL;
}
