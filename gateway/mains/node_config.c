#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/x509.h"
#include "gateway/mains/node_config.h"
#include "gateway/mains/node_log.h"
#include "gateway/mains/node_metrics.h"
#include "gateway/mains/node_witness.h"
#include "gateway/mains/officer_key.h"
#include "gateway/mains/reconcile.h"
#include "gateway/note/note.h"
#include "gateway/trust/keys.h"

/* The part of a configuration that every node has. */

#define MAX_SIGNERS 8
#define MAX_KEYS 64

lb_status lb_node_refuse(struct lb_node_program *node, enum lb_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(node->diag.text, sizeof(node->diag.text), format, args);
    va_end(args);
    return lb_status_of(code);
}

lb_status lb_node_path(struct lb_node_program *node, const char *path, const char **out)
{
    const char *slash = strrchr(node->config_path, '/');
    int folder = slash == NULL || path[0] == '/' ? 0 : (int)(slash - node->config_path) + 1;
    char *full = lb_arena_printf(node->arena, "%.*s%s", folder, node->config_path, path);
    LB_ENSURE(full != NULL && strlen(full) < PATH_MAX, LB_CONFIG_INVALID, "path is too long");
    *out = full;
    return LB_OK;
}

lb_status lb_node_need_text(struct lb_node_program *node, const struct lb_yaml_node *map,
                            const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, &node->diag, &text));
    char *kept = lb_arena_str(node->arena, lb_span_str(text));
    LB_ENSURE(kept != NULL, LB_NO_MEMORY, "configuration is too large");
    *out = kept;
    return LB_OK;
}

lb_status lb_node_need_path(struct lb_node_program *node, const struct lb_yaml_node *map,
                            const char *key, const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, &node->diag, &text));
    return lb_node_path(node, text, out);
}

lb_status lb_node_need_secret(struct lb_node_program *node, const struct lb_yaml_node *map,
                              const char *key, const uint8_t **out)
{
    const char *path = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    LB_TRY(lb_node_need_path(node, map, key, &path));
    if (lb_file_read_secret(path, 66, node->arena, &text) != LB_OK)
        return lb_node_refuse(node, LB_FILE_FAILED,
                              "%s: cannot be read as a private file; it must belong to this user "
                              "with mode 0600", path);
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    uint8_t *secret = lb_arena_alloc(node->arena, 32);
    LB_ENSURE(secret != NULL, LB_NO_MEMORY, "configuration is too large");
    if (lb_hex_decode(text, secret, 32) != LB_OK)
        return lb_node_refuse(node, LB_CONFIG_INVALID,
                              "%s: must hold 64 hex digits; make one with `lianban keys secret`",
                              path);
    *out = secret;
    return LB_OK;
}

static lb_status read_identity(struct lb_node_program *node)
{
    static const char *const keys[] = {"cert", "key", "ca", NULL};
    const struct lb_yaml_node *identity = NULL;
    LB_TRY(lb_yaml_need(node->root, "identity", &node->diag, &identity));
    LB_TRY(lb_yaml_only(identity, keys, &node->diag));
    LB_TRY(lb_node_need_path(node, identity, "cert", &node->identity.cert_path));
    LB_TRY(lb_node_need_path(node, identity, "key", &node->identity.key_path));
    return lb_node_need_path(node, identity, "ca", &node->identity.ca_path);
}

/* The node's own certificate, since its peers would refuse an expired or foreign one without a word
 * here. That it can be read at all is for the server and the channels to judge. */
static lb_status check_certificate(struct lb_node_program *node)
{
    const char *path = node->identity.cert_path;
    struct lb_span pem = LB_SPAN_EMPTY;
    struct lb_cert_info info;
    if (lb_file_read(path, LB_MAX_PEM_BYTES, node->arena, &pem) != LB_OK)
        return lb_node_refuse(node, LB_FILE_FAILED,
                              "%s: the certificate cannot be read; check that the file exists and "
                              "that this user may read it", path);
    if (lb_x509_info(pem, &info) != LB_OK)
        return lb_node_refuse(node, LB_CONFIG_INVALID,
                              "%s: no certificate of this federation; make one with `lianban pki "
                              "issue`", path);
    if (strcmp(info.spiffe, node->spiffe) != 0)
        return lb_node_refuse(node, LB_CONFIG_INVALID,
                              "%s: the certificate is not this node's (%s); issue one for it", path,
                              node->spiffe);
    if (info.not_after_unix_s < lb_clock_unix_s(lb_clock_system()))
        return lb_node_refuse(node, LB_PEER_EXPIRED,
                              "%s: the certificate has expired; renew it with `lianban pki renew`",
                              path);
    return LB_OK;
}

static lb_status read_signer(struct lb_node_program *node, const struct lb_yaml_node *item,
                             const char **out)
{
    struct lb_note_verifier verifier;
    LB_TRY(lb_yaml_text(item, &node->diag, out));
    if (lb_note_verifier_parse(lb_span_str(*out), &verifier) != LB_OK)
        return lb_yaml_fail(item, &node->diag, "not a verifier key <name>+<id>+<base64>; take it "
                                               "from who signs the directory");
    lb_note_verifier_cleanup(&verifier);
    return LB_OK;
}

static lb_status read_signers(struct lb_node_program *node, const struct lb_yaml_node *directory,
                              const char **out_signers, size_t *out_num)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(directory, "signers", &node->diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) == 0 ||
        lb_yaml_len(list) > MAX_SIGNERS)
        return lb_yaml_fail(list, &node->diag, "signers must be a list of 1 to %d verifier keys",
                            MAX_SIGNERS);
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(read_signer(node, lb_yaml_item(list, i), &out_signers[i]));
    *out_num = lb_yaml_len(list);
    return LB_OK;
}

/* Names the file of a directory that is refused; what is said of other files names them already. */
static lb_status believe(struct lb_node_program *node, const struct lb_trust_options *options)
{
    static const char general[] = "directory: ";
    struct lb_diag diag = {""};
    lb_status status = lb_trust_new(options, &diag, &node->trust);
    bool named = strncmp(diag.text, general, strlen(general)) != 0;
    if (status != LB_OK)
        lb_diag_set(&node->diag, "%s%s%.900s", named ? "" : options->directory_path,
                    named ? "" : ": ", named ? diag.text : diag.text + strlen(general));
    return status;
}

static lb_status open_trust(struct lb_node_program *node)
{
    static const char *const keys[] = {"file", "signers", NULL};
    const struct lb_yaml_node *directory = NULL;
    const char *signers[MAX_SIGNERS];
    struct lb_trust_options options = {.ca_path = node->identity.ca_path,
                                       .directory_vkeys = signers,
                                       .clock = lb_clock_system()};
    LB_TRY(lb_yaml_need(node->root, "directory", &node->diag, &directory));
    LB_TRY(lb_yaml_only(directory, keys, &node->diag));
    LB_TRY(lb_node_need_path(node, directory, "file", &options.directory_path));
    LB_TRY(read_signers(node, directory, signers, &options.num_directory_vkeys));
    LB_TRY(lb_node_need_path(node, node->root, "crl", &options.crl_path));
    options.state_folder = lb_arena_printf(node->arena, "%s/trust", node->state);
    LB_ENSURE(options.state_folder != NULL, LB_NO_MEMORY, "configuration is too large");
    options.look_only = node->check;
    if (!node->check && lb_file_mkdirs(options.state_folder) != LB_OK)
        return lb_node_refuse(node, LB_FILE_FAILED, "%s: folder cannot be made",
                              options.state_folder);
    return believe(node, &options);
}

static lb_status read_name(struct lb_node_program *node)
{
    enum lb_node_kind kind;
    LB_TRY(lb_node_need_text(node, node->root, "node", &node->spiffe));
    lb_status parsed = lb_spiffe_parse(node->spiffe, node->arena, &node->federation, &kind,
                                       &node->organization);
    if (parsed == LB_OK && node->role->other != NULL && kind == node->role->other->kind)
        node->role = node->role->other;
    if (parsed != LB_OK || kind != node->role->kind)
        return lb_yaml_fail(lb_yaml_get(node->root, "node"), &node->diag,
                            "node must be spiffe://<federation>/%s/<organization>[/<name>]",
                            lb_node_kind_name(node->role->kind));
    return LB_OK;
}

static lb_status read_listen(struct lb_node_program *node)
{
    const char *listen = NULL;
    LB_TRY(lb_yaml_opt_text(node->root, "listen", NULL, &node->diag, &listen));
    if (listen == NULL) {
        if (node->role->must_listen)
            return lb_yaml_fail(node->root, &node->diag, "listen is missing; say host:port");
        return LB_OK;
    }
    if (strncmp(listen, "unix:", 5) == 0) {
        const char *path = NULL;
        LB_TRY(lb_node_path(node, listen + 5, &path));
        node->listen = lb_arena_printf(node->arena, "unix:%s", path);
    } else {
        node->listen = lb_arena_str(node->arena, lb_span_str(listen));
    }
    LB_ENSURE(node->listen != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

static lb_status read_log_key(struct lb_node_program *node)
{
    const char *path = NULL;
    LB_TRY(lb_node_need_path(node, node->root, "log_key", &path));
    if (lb_keys_load_sign(path, LB_SIGN_ED25519, &node->log_key) != LB_OK)
        return lb_node_refuse(node, LB_FILE_FAILED,
                              "%s: no usable Ed25519 key (mode 0600); make one with `lianban keys "
                              "log`", path);
    if (lb_yaml_get(node->root, "next_log_key") == NULL)
        return LB_OK;
    return lb_node_need_path(node, node->root, "next_log_key", &node->next_log_key_path);
}

static lb_status check_keys(struct lb_node_program *node)
{
    static const char *const common[] = {"node",      "listen", "identity", "crl",
                                         "directory", "state",  "log_key",  "next_log_key",
                                         "officer_key", "officer_key_file", "disk",
                                         "reconcile", "witness", "witnessed_by", "metrics"};
    const char *keys[MAX_KEYS] = {NULL};
    size_t num = 0;
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        keys[num++] = common[i];
    for (const char *const *key = node->role->keys; *key != NULL && num < MAX_KEYS - 1; key++)
        keys[num++] = *key;
    return lb_yaml_only(node->root, keys, &node->diag);
}

/* Who can write in a node's state can make it forget. */
static lb_status check_state(struct lb_node_program *node)
{
    struct stat info;
    if (stat(node->state, &info) != 0)
        return LB_OK; /* --check before the first start */
    if (!S_ISDIR(info.st_mode) || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0 ||
        (info.st_uid != geteuid() && info.st_uid != 0))
        return lb_node_refuse(node, LB_FILE_FAILED,
                              "%s: the state folder must belong to this user with mode 0700; chmod "
                              "700 it, and look who was in it", node->state);
    return LB_OK;
}

lb_status lb_node_configure(struct lb_node_program *node)
{
    LB_TRY(lb_yaml_load_file(node->config_path, &node->diag, &node->yaml));
    node->root = lb_yaml_root(node->yaml);
    LB_TRY(read_name(node));
    LB_TRY(check_keys(node));
    LB_TRY(read_listen(node));
    LB_TRY(lb_node_need_path(node, node->root, "state", &node->state));
    if (!node->check && lb_file_mkdirs(node->state) != LB_OK)
        return lb_node_refuse(node, LB_FILE_FAILED, "%s: folder cannot be made", node->state);
    LB_TRY(check_state(node));
    LB_TRY(read_identity(node));
    LB_TRY(check_certificate(node));
    LB_TRY(read_log_key(node));
    LB_TRY(lb_node_officer_read(node));
    LB_TRY(lb_node_read_disk(node));
    LB_TRY(lb_node_witness_read(node));
    LB_TRY(lb_node_reconcile_configure(node));
    LB_TRY(lb_node_metrics_read(node));
    LB_TRY(open_trust(node));
    return lb_node_name_log(node);
}
