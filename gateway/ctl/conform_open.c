#include "gateway/ctl/conform.h"

#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/log.h"
#include "gateway/trust/keys.h"

/* Reads the rehearsal's folder and connects to the adapter. */

static const char *path_of(struct lb_ctl_kit *kit, const char *name)
{
    return lb_arena_printf(kit->arena, "%s/%s", kit->folder, name);
}

lb_status lb_ctl_kit_file(struct lb_ctl_kit *kit, const char *name, struct lb_span *out)
{
    const char *path = path_of(kit, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = lb_file_read(path, LB_MAX_PEM_BYTES, kit->check_arena, out);
    if (status != LB_OK)
        lb_diag_set(&kit->diag, "%s: cannot be read; make the folder with prepare.sh", path);
    return status;
}

static lb_status load_sign(struct lb_ctl_kit *kit, const char *name, enum lb_sign_alg alg,
                           struct lb_sign_key **out)
{
    const char *path = path_of(kit, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = lb_keys_load_sign(path, alg, out);
    if (status != LB_OK)
        lb_diag_set(&kit->diag, "%s: no usable key (mode 0600); make the folder with prepare.sh",
                    path);
    return status;
}

static lb_status load_seal(struct lb_ctl_kit *kit, const char *name, struct lb_x25519_key *out)
{
    const char *path = path_of(kit, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = lb_keys_load_x25519(path, out);
    if (status != LB_OK)
        lb_diag_set(&kit->diag, "%s: no usable key (mode 0600); make the folder with prepare.sh",
                    path);
    return status;
}

static lb_status load_keys(struct lb_ctl_kit *kit)
{
    LB_TRY(load_sign(kit, "broker/log.pem", LB_SIGN_ED25519, &kit->log_key));
    LB_TRY(load_sign(kit, "window/issuer.pem", LB_SIGN_ES256, &kit->window_key));
    LB_TRY(load_sign(kit, "office/issuer.pem", LB_SIGN_ES256, &kit->office_key));
    LB_TRY(load_sign(kit, "stranger/issuer.pem", LB_SIGN_ES256, &kit->stranger_key));
    LB_TRY(load_seal(kit, "window/seal.key", &kit->window_seal));
    return load_seal(kit, "other/seal.key", &kit->other_seal);
}

static lb_status open_trust(struct lb_ctl_kit *kit)
{
    struct lb_span vkey = LB_SPAN_EMPTY;
    LB_TRY(lb_ctl_kit_file(kit, "directory.vkey", &vkey));
    while (vkey.len > 0 && vkey.ptr[vkey.len - 1] == '\n')
        vkey.len--;
    const char *vkeys[] = {lb_arena_str(kit->arena, vkey)};
    const struct lb_trust_options options = {
        .directory_path = path_of(kit, "directory.note"),
        .directory_vkeys = vkeys,
        .num_directory_vkeys = 1,
        .ca_path = path_of(kit, "pki/ca.pem"),
        .crl_path = path_of(kit, "pki/crl.pem"),
        .state_folder = path_of(kit, "state/trust"),
        .clock = kit->env->clock,
    };
    LB_ENSURE(vkeys[0] != NULL && options.state_folder != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_file_mkdirs(options.state_folder));
    LB_TRY(lb_trust_new(&options, &kit->diag, &kit->trust));
    kit->directory = lb_trust_directory(kit->trust);
    return LB_OK;
}

static const struct lb_node *find_adapter(const struct lb_directory *directory)
{
    for (size_t i = 0; i < directory->num_nodes; i++) {
        if (directory->nodes[i].kind == LB_NODE_ADAPTER)
            return &directory->nodes[i];
    }
    return NULL;
}

static lb_status find_names(struct lb_ctl_kit *kit)
{
    const struct lb_node *adapter = find_adapter(kit->directory);
    const struct lb_listed *form =
        lb_listed_find(kit->directory->forms, kit->directory->num_forms, "conformance", 1);
    if (adapter == NULL || adapter->log_origin == NULL || form == NULL ||
        strncmp(adapter->spiffe, LB_CTL_KIT_FEDERATION, strlen(LB_CTL_KIT_FEDERATION)) != 0)
        lb_diag_set(&kit->diag, "%s: no directory of a rehearsal; make the folder with prepare.sh",
                    kit->folder);
    LB_ENSURE(kit->diag.text[0] == 0, LB_CONFIG_INVALID, "directory");
    kit->adapter = adapter->spiffe;
    kit->department = adapter->organization;
    kit->seal_key =
        lb_node_seal_key(adapter, NULL, lb_clock_unix_s(kit->env->clock));
    if (kit->seal_key == NULL)
        lb_diag_set(&kit->diag, "the adapter's sealing key is over; make the folder anew");
    LB_ENSURE(kit->seal_key != NULL, LB_KEY_RETIRED, "directory");
    memcpy(kit->form_sha256, form->sha256, sizeof(kit->form_sha256));
    kit->view = lb_arena_printf(kit->arena, "%s.conformance", kit->department);
    kit->few_view = lb_arena_printf(kit->arena, "%s.conformance-few", kit->department);
    LB_ENSURE(kit->view != NULL && kit->few_view != NULL, LB_NO_MEMORY, "arena is full");
    return lb_watch_init(&kit->watch, adapter->log_origin, adapter->log_key, 0, NULL);
}

/* Names that no other run has. */
static lb_status name_run(struct lb_ctl_kit *kit)
{
    uint8_t raw[16];
    char hex[33] = "";
    LB_TRY(lb_crypto_random(raw, sizeof(raw)));
    for (size_t i = 0; i < sizeof(raw); i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", raw[i]);
    kit->person = lb_arena_str(kit->arena, lb_span_str(hex));
    kit->case_id = lb_arena_printf(kit->arena, "conformance-%.12s", hex);
    LB_ENSURE(kit->person != NULL && kit->case_id != NULL, LB_NO_MEMORY, "arena is full");
    /* Rises from run to run, whatever became of the folder in between. */
    kit->status_seq = (uint64_t)lb_clock_unix_ms(kit->env->clock);
    return LB_OK;
}

static lb_status open_log(struct lb_ctl_kit *kit)
{
    const char *folder = path_of(kit, "state/broker");
    const char *file = path_of(kit, "state/broker/evidence.db");
    LB_ENSURE(folder != NULL && file != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_file_mkdirs(folder));
    const struct lb_log_options options = {
        .folder = folder,
        .origin = lb_spiffe_log_origin(LB_CTL_KIT_BROKER_ID),
        .key = kit->log_key,
        .clock = kit->env->clock,
        .create = access(file, F_OK) != 0,
    };
    return lb_log_open(&options, &kit->diag, &kit->log);
}

static lb_status connect_to(struct lb_ctl_kit *kit)
{
    const char *ca = path_of(kit, "pki/ca.pem");
    const struct lb_ctl_kit_options options = {
        .adapter = kit->adapter,
        .address = kit->address,
        .trust = kit->trust,
        .log = kit->log,
        .members = {[LB_CTL_KIT_BROKER] = {path_of(kit, "broker/cert.pem"),
                                           path_of(kit, "broker/key.pem"), ca},
                    [LB_CTL_KIT_WINDOW] = {path_of(kit, "window/cert.pem"),
                                           path_of(kit, "window/key.pem"), ca}},
    };
    LB_ENSURE(ca != NULL && options.members[LB_CTL_KIT_WINDOW].key != NULL, LB_NO_MEMORY,
              "arena is full");
    return kit->env->remote->open_kit(kit->env->remote->ctx, &options, &kit->diag, &kit->port);
}

lb_status lb_ctl_kit_open(struct lb_ctl_kit *kit)
{
    LB_TRY(load_keys(kit));
    LB_TRY(open_trust(kit));
    LB_TRY(find_names(kit));
    LB_TRY(name_run(kit));
    LB_TRY(open_log(kit));
    return connect_to(kit);
}

void lb_ctl_kit_close(struct lb_ctl_kit *kit)
{
    if (kit->port.close != NULL)
        kit->port.close(kit->port.ctx);
    lb_log_close(kit->log);
    lb_watch_cleanup(&kit->watch);
    lb_directory_unref(kit->directory);
    lb_trust_free(kit->trust);
    lb_sign_key_free(kit->log_key);
    lb_sign_key_free(kit->window_key);
    lb_sign_key_free(kit->office_key);
    lb_sign_key_free(kit->stranger_key);
    lb_wipe(&kit->window_seal, sizeof(kit->window_seal));
    lb_wipe(&kit->other_seal, sizeof(kit->other_seal));
}
