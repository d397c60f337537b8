#include "gateway/ctl/log_keys.h"

#include "gateway/crypto/sign.h"
#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/say.h"
#include "gateway/evidence/inspect.h"
#include "gateway/trust/keys.h"

#define MAX_SIGNERS 32

void lb_ctl_log_keys_options(struct lb_ctl_log_keys *keys,
                             struct lb_ctl_option out[LB_CTL_LOG_KEYS_OPTIONS])
{
    out[0] = (struct lb_ctl_option){
        .name = "vkey", .value = "VKEY", .list = &keys->vkeys,
        .en = "a log's public key; once for each log", .zh = "日志公钥，每个日志一个"};
    out[1] = (struct lb_ctl_option){
        .name = "directory", .value = "NOTE", .text = &keys->directory_path,
        .en = "take the keys from this signed directory", .zh = "从已签名的成员目录取公钥"};
    out[2] = (struct lb_ctl_option){
        .name = "signer", .value = "VKEY", .list = &keys->signers,
        .en = "who may sign the directory", .zh = "成员目录的签署公钥"};
}

int lb_ctl_log_keys_check(const struct lb_ctl_env *env, const char *command,
                          const struct lb_ctl_log_keys *keys)
{
    bool directory = keys->directory_path != NULL;
    if (directory == (keys->vkeys.num > 0) || directory != (keys->signers.num > 0))
        return lb_ctl_usage_error(env, command,
                                  "give either --vkey, or --directory with its --signer");
    if (keys->signers.num > MAX_SIGNERS)
        return lb_ctl_usage_error(env, command, "at most %d signers", MAX_SIGNERS);
    return LB_CTL_GO;
}

lb_status lb_ctl_log_keys_open(struct lb_ctl_log_keys *keys, const struct lb_ctl_env *env,
                               struct lb_arena *arena, struct lb_diag *diag)
{
    struct lb_note_verifier verifiers[MAX_SIGNERS];
    struct lb_span note = LB_SPAN_EMPTY;
    size_t num = 0;
    if (keys->directory_path == NULL)
        return LB_OK;
    lb_status status =
        lb_ctl_read(env, keys->directory_path, LB_MAX_DIRECTORY_BYTES, arena, diag, &note);
    for (; status == LB_OK && num < keys->signers.num; num++) {
        status = lb_note_verifier_parse(lb_span_str(keys->signers.items[num]), &verifiers[num]);
        if (status != LB_OK) {
            lb_diag_set(diag, "--signer %zu is no key of the form name+id+base64", num + 1);
            break;
        }
    }
    if (status == LB_OK)
        status = lb_directory_open(note, verifiers, num, lb_clock_unix_s(env->clock), diag,
                                   &keys->directory);
    while (num > 0)
        lb_note_verifier_cleanup(&verifiers[--num]);
    return status;
}

static lb_status find_vkey(const struct lb_ctl_list *vkeys, const char *origin,
                           struct lb_note_verifier *out)
{
    for (size_t i = 0; i < vkeys->num; i++) {
        struct lb_note_verifier verifier;
        LB_TRY(lb_note_verifier_parse(lb_span_str(vkeys->items[i]), &verifier));
        if (strcmp(verifier.name, origin) == 0) {
            *out = verifier;
            return LB_OK;
        }
        lb_note_verifier_cleanup(&verifier);
    }
    LB_FAIL(LB_ABSENT, "no key is known for this log");
}

static lb_status find_listed(const struct lb_directory *directory, const char *origin,
                             struct lb_note_verifier *out)
{
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->log_origin != NULL && strcmp(node->log_origin, origin) == 0)
            return lb_note_verifier_init(origin, node->log_key, out);
        /* A log that was lost is still read as far as it was kept. */
        for (size_t k = 0; k < node->num_recoveries; k++) {
            const struct lb_recovery *recovery = &node->recoveries[k];
            if (strcmp(recovery->lost_origin, origin) == 0)
                return lb_note_verifier_parse(lb_span_str(recovery->lost->lost_key), out);
        }
    }
    LB_FAIL(LB_ABSENT, "no key is known for this log");
}

lb_status lb_ctl_log_keys_find(const struct lb_ctl_log_keys *keys, const char *origin,
                               struct lb_diag *diag, struct lb_note_verifier *out)
{
    lb_status status = keys->directory != NULL ? find_listed(keys->directory, origin, out)
                                               : find_vkey(&keys->vkeys, origin, out);
    if (status != LB_OK)
        lb_diag_set(diag, "no key is known for a log called %s; %s", origin,
                    keys->directory != NULL ? "the directory lists no such log"
                                            : "give its --vkey");
    return status;
}

const struct lb_recovery *lb_ctl_log_keys_recovery(const struct lb_ctl_log_keys *keys,
                                                   const char *origin)
{
    size_t num = keys->directory == NULL ? 0 : keys->directory->num_nodes;
    for (size_t i = 0; i < num; i++) {
        const struct lb_node *node = &keys->directory->nodes[i];
        for (size_t k = 0; k < node->num_recoveries; k++) {
            if (strcmp(node->recoveries[k].log_origin, origin) == 0)
                return &node->recoveries[k];
        }
    }
    return NULL;
}

/* What the log in the state calls itself, as long as it is a log of this node's. */
static lb_status own_origin(const struct lb_doctor_config *config, struct lb_arena *arena,
                            struct lb_diag *diag, const char **out)
{
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    const char *first = lb_spiffe_log_origin(config->node);
    *out = first;
    if (lb_log_reader_open(config->state, diag, &reader) != LB_OK)
        return LB_OK; /* copying will say why */
    lb_status status = lb_log_reader_origin(reader, arena, out);
    if (lb_status_code(status) == LB_NO_MEMORY)
        return status;
    if (status != LB_OK || lb_spiffe_log_number(config->node, *out) < 0)
        *out = first;
    return LB_OK;
}

lb_status lb_ctl_log_keys_own(const struct lb_doctor_config *config, struct lb_arena *arena,
                              struct lb_diag *diag, struct lb_note_verifier *out)
{
    const char *origin = NULL;
    struct lb_sign_key *key = NULL;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    lb_status status = config->log_key == NULL
                           ? LB_FAULT(LB_CONFIG_INVALID, "no log key")
                           : lb_keys_load_sign(config->log_key, LB_SIGN_ED25519, &key);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: its `log_key` cannot be read by this account, so the copy could not "
                          "be verified; run this as the node's account",
                    config->path);
    LB_TRY(status);
    (void)lb_sign_key_public(key, public_key);
    lb_sign_key_free(key);
    LB_TRY(own_origin(config, arena, diag, &origin));
    return lb_note_verifier_init(origin, public_key, out);
}

void lb_ctl_log_keys_close(struct lb_ctl_log_keys *keys)
{
    if (keys->directory != NULL)
        lb_directory_unref(keys->directory);
    keys->directory = NULL;
}
