#include "adapters/serve/secrets.h"

#include "adapters/serve/job.h"
#include "adapters/serve/key_file.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

#define PSEUDO_LABEL "lianban pseudonym key v1"
#define MAX_INFO_BYTES 4096
#define EPOCH_CHARS 4 /* of YYYY-MM-DD */

static lb_status load_key(const char *path, bool create, struct lb_arena *arena,
                          struct lb_diag *diag, uint8_t out[LB_OP_KEY_BYTES])
{
    _Static_assert(LB_OP_KEY_BYTES == LB_SERVE_KEY_BYTES, "keys of operators");
    if (lb_serve_key_file(path, create, arena, out) == LB_OK)
        return LB_OK;
    lb_diag_set(diag, "%s: must be there with 64 hex digits and mode 0600; restore it, or begin "
                      "with a new one by --init", path);
    LB_FAIL(LB_FILE_FAILED, "no usable key of the department");
}

lb_status lb_serve_secrets_load(const char *folder, bool create, struct lb_arena *arena,
                                struct lb_diag *diag, struct lb_serve_secrets *out)
{
    const char *pseudo = lb_arena_printf(arena, "%s/pseudo.key", folder);
    const char *token = lb_arena_printf(arena, "%s/token.key", folder);
    LB_ENSURE(pseudo != NULL && token != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(load_key(pseudo, create, arena, diag, out->pseudo));
    return load_key(token, create, arena, diag, out->token);
}

static lb_status derive_pseudo(const struct lb_read_job *job, const char *today,
                               struct lb_serve_op_keys *out)
{
    const struct lb_serve_options *options = &job->serve->options;
    char epoch[EPOCH_CHARS + 1] = "";
    LB_DEFER(lb_buf_cleanup) struct lb_buf info;
    memcpy(epoch, today, EPOCH_CHARS);
    const char *const parts[] = {PSEUDO_LABEL, options->organization, job->requester_org,
                                 job->section.purpose, epoch};
    lb_buf_init(&info, MAX_INFO_BYTES);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        lb_buf_put_field16(&info, lb_span_str(parts[i]));
    LB_TRY(lb_buf_check(&info));
    lb_hkdf_expand(options->secrets->pseudo, lb_buf_span(&info), out->pseudo_key,
                   LB_OP_KEY_BYTES);
    out->secrets.pseudo_key = out->pseudo_key;
    return LB_OK;
}

static lb_status derive_token(const struct lb_read_job *job, const struct lb_read_want *want,
                              struct lb_serve_op_keys *out)
{
    const struct lb_serve_options *options = &job->serve->options;
    const struct lb_op_token_use use = {options->organization, job->requester_org,
                                           job->section.purpose, want->wire->view,
                                           want->wire->field};
    LB_TRY(lb_op_token_bind(&use, job->arena, &out->secrets.token_bind));
    LB_TRY(lb_crypto_random(out->nonce, sizeof(out->nonce)));
    out->secrets.token_nonce = out->nonce;
    out->secrets.token_key = options->secrets->token;
    out->secrets.now_unix_s = lb_clock_unix_s(options->clock);
    return LB_OK;
}

lb_status lb_serve_op_keys(const struct lb_read_job *job, const struct lb_read_want *want,
                           const char *today, struct lb_serve_op_keys *out)
{
    if (job->serve->options.secrets == NULL)
        return LB_OK;
    if (want->call.op == LB_OP_PSEUDO)
        return derive_pseudo(job, today, out);
    return want->call.op == LB_OP_TOKEN ? derive_token(job, want, out) : LB_OK;
}

void lb_serve_wipe_op_keys(struct lb_serve_op_keys *keys)
{
    lb_wipe(keys, sizeof(*keys));
}
