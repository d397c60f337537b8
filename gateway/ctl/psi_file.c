#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/config/yaml.h"
#include "gateway/ctl/psi.h"
#include "gateway/ctl/say.h"
#include "gateway/seal/hpke.h"
#include "gateway/trust/seal_ring.h"

/* The files on their way: sealed to whom they are for, signed by the log key of whom they are from,
 * so that the way needs no trust. */

#define SEAL_LABEL "lianban psi seal v1"

/* What the seal binds besides the content: nobody can pass another's offer off as an own one. */
static lb_status bind(const struct lb_psi_file *file, struct lb_arena *arena, struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_SEALED_BYTES);
    lb_buf_put_str(&buf, SEAL_LABEL);
    lb_buf_put_u8(&buf, (uint8_t)file->kind);
    lb_buf_put_field16(&buf, lb_span_str(file->sender));
    lb_buf_put_field16(&buf, lb_span_str(file->recipient));
    lb_buf_put_field16(&buf, lb_span_str(file->key_id));
    lb_buf_put(&buf, lb_span_of(file->agreement, sizeof(file->agreement)));
    lb_buf_put(&buf, lb_span_of(file->run, sizeof(file->run)));
    LB_TRY(lb_buf_check(&buf));
    return lb_arena_copy(arena, lb_buf_span(&buf), out);
}

/* --- writing --- */

static lb_status sign(struct lb_ctl_psi *psi, struct lb_psi_file *file)
{
    struct lb_sign_key *key = NULL;
    struct lb_span message = LB_SPAN_EMPTY;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    LB_TRY(lb_psi_file_message(file, psi->arena, &message));
    LB_TRY(lb_ctl_node_log_key(&psi->node, &key));
    (void)lb_sign_key_public(key, public_key);
    lb_status status = lb_sign(key, message, file->signature);
    lb_sign_key_free(key);
    LB_TRY(status);
    bool own = memcmp(public_key, lb_ctl_psi_own(psi)->log_key, 32) == 0;
    if (!own)
        lb_diag_set(&psi->node.diag, "the agreement names another log key of this department than "
                                     "the adapter has; agree anew after a key was replaced");
    LB_ENSURE(own, LB_PSI_AGREEMENT, "another log key");
    return LB_OK;
}

lb_status lb_ctl_psi_file_put(struct lb_ctl_psi *psi, struct lb_psi_file *file,
                              const uint8_t recipient[32], struct lb_span plain)
{
    struct lb_span info = LB_SPAN_EMPTY, bytes = LB_SPAN_EMPTY;
    file->sender = lb_ctl_psi_own(psi)->spiffe;
    file->recipient = lb_ctl_psi_peer(psi)->spiffe;
    memcpy(file->agreement, psi->agreement->sha256, sizeof(file->agreement));
    LB_TRY(bind(file, psi->arena, &info));
    size_t len = plain.len + LB_HPKE_BASE_OVERHEAD;
    uint8_t *sealed = lb_arena_alloc(psi->arena, len);
    LB_ENSURE(sealed != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_hpke_seal_base(recipient, info, LB_SPAN_EMPTY, plain, sealed));
    file->sealed = lb_span_of(sealed, len);
    LB_TRY(sign(psi, file));
    LB_TRY(lb_psi_file_write(file, psi->arena, &bytes));
    lb_status status = lb_file_write(psi->out, bytes, 0600);
    if (status != LB_OK)
        lb_diag_set(&psi->node.diag, "%s: cannot be written", psi->out);
    return status;
}

/* --- reading --- */

static lb_status find_agreement(struct lb_ctl_psi *psi, const struct lb_psi_file *file)
{
    for (size_t i = 0; i < psi->num; i++) {
        const struct lb_ctl_psi_agreement *agreement = &psi->agreements[i];
        if (memcmp(agreement->sha256, file->agreement, sizeof(file->agreement)) == 0)
            psi->agreement = agreement;
    }
    bool ours = psi->agreement != NULL && psi->agreement->asks == (file->kind == LB_PSI_ANSWER) &&
                strcmp(file->sender, lb_ctl_psi_peer(psi)->spiffe) == 0 &&
                strcmp(file->recipient, lb_ctl_psi_own(psi)->spiffe) == 0;
    if (!ours)
        lb_diag_set(&psi->node.diag, "%s is under no agreement of this department's; compare "
                                     "`lianban psi show` on both sides, word for word", psi->in);
    LB_ENSURE(ours, LB_PSI_AGREEMENT, "no such agreement");
    return LB_OK;
}

static lb_status check_signature(const struct lb_ctl_psi *psi, const struct lb_psi_file *file)
{
    struct lb_verify_key *key = NULL;
    struct lb_span message = LB_SPAN_EMPTY;
    LB_TRY(lb_psi_file_message(file, psi->arena, &message));
    LB_TRY(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(lb_ctl_psi_peer(psi)->log_key, 32),
                             &key));
    lb_status status =
        lb_verify(key, message, lb_span_of(file->signature, sizeof(file->signature)));
    lb_verify_key_free(key);
    return status;
}

lb_status lb_ctl_psi_file_get(struct lb_ctl_psi *psi, enum lb_psi_kind kind,
                              struct lb_psi_file *out)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    struct lb_psi_file file;
    LB_TRY(lb_ctl_read(psi->node.env, psi->in, LB_PSI_MAX_FILE_BYTES, psi->arena,
                       &psi->node.diag, &bytes));
    LB_TRY(lb_psi_file_read(bytes, psi->arena, &file));
    if (file.kind != kind)
        lb_diag_set(&psi->node.diag, "%s is the other file of a run", psi->in);
    LB_ENSURE(file.kind == kind, LB_MALFORMED, "the other kind of file");
    LB_TRY(find_agreement(psi, &file));
    LB_TRY(check_signature(psi, &file));
    *out = file;
    return LB_OK;
}

lb_status lb_ctl_psi_file_open(const struct lb_ctl_psi *psi, const struct lb_psi_file *file,
                               const struct lb_x25519_key *key, struct lb_span *out)
{
    struct lb_span info = LB_SPAN_EMPTY;
    LB_ENSURE(file->sealed.len > LB_HPKE_BASE_OVERHEAD, LB_SEAL_BROKEN, "nothing is sealed");
    LB_TRY(bind(file, psi->arena, &info));
    size_t len = file->sealed.len - LB_HPKE_BASE_OVERHEAD;
    uint8_t *plain = lb_arena_alloc(psi->arena, len);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_hpke_open_base(key, info, LB_SPAN_EMPTY, file->sealed, plain));
    *out = lb_span_of(plain, len);
    return LB_OK;
}

/* --- the own sealing key --- */

/* A path of the adapter's configuration, which is relative to it. */
static lb_status resolve(struct lb_ctl_psi *psi, const char *text, const char **out)
{
    const char *slash = strrchr(psi->node.path, '/');
    *out = text[0] == '/' || slash == NULL
               ? lb_arena_str(psi->arena, lb_span_str(text))
               : lb_arena_printf(psi->arena, "%.*s%s", (int)(slash - psi->node.path) + 1,
                                 psi->node.path, text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_files(struct lb_ctl_psi *psi, const struct lb_yaml_node *root,
                            struct lb_seal_file *files, struct lb_seal_ring_options *options)
{
    struct lb_diag *diag = &psi->node.diag;
    const struct lb_yaml_node *list = lb_yaml_get(root, "seal_keys");
    const char *text = NULL;
    for (size_t i = 0; list != NULL && i < lb_yaml_len(list) && i < LB_SEAL_RING_MAX; i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        LB_TRY(lb_yaml_need_text(item, "id", diag, &text));
        files[i].id = lb_arena_str(psi->arena, lb_span_str(text));
        LB_TRY(lb_yaml_need_text(item, "file", diag, &text));
        LB_TRY(resolve(psi, text, &files[i].path));
        options->num_files = i + 1;
    }
    LB_TRY(lb_yaml_opt_text(root, "seal_folder", NULL, diag, &text));
    return text == NULL ? LB_OK : resolve(psi, text, &options->folder);
}

lb_status lb_ctl_psi_own_key(struct lb_ctl_psi *psi, const char *id, struct lb_x25519_key *out)
{
    struct lb_seal_file files[LB_SEAL_RING_MAX] = {{NULL, NULL}};
    struct lb_seal_ring_options options = {.self = psi->node.config.node,
                                           .trust = psi->node.trust,
                                           .clock = psi->node.env->clock,
                                           .files = files,
                                           .look_only = true};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    struct lb_seal_ring *ring = NULL;
    LB_TRY(lb_yaml_load_file(psi->node.path, &psi->node.diag, &yaml));
    LB_TRY(read_files(psi, lb_yaml_root(yaml), files, &options));
    LB_TRY(lb_seal_ring_new(&options, &psi->node.diag, &ring));
    lb_status status = lb_seal_ring_get(ring, psi->node.directory, id, &own);
    lb_seal_ring_free(ring);
    LB_TRY(status);
    *out = own.key;
    return LB_OK;
}
