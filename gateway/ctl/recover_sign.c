#include "gateway/base/file.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/node.h"
#include "gateway/ctl/recover.h"
#include "gateway/ctl/say.h"
#include "gateway/note/note.h"
#include "gateway/trust/keys.h"

/* `node recover show` and `sign`: by anybody who has the directory, away from the node. */

#define SIGN_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)

struct signing {
    struct lb_ctl_env *env;
    const char *command;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_log_keys keys;
    struct lb_ctl_list file;
    const char *as, *key;  /* of who signs; NULL for `show` */
    struct lb_ctl_recovery own;
    struct lb_span note;
};

static lb_status refuse(struct signing *signing, const char *about, const char *sentence)
{
    lb_diag_set(&signing->diag, "%s: %s", about, sentence);
    LB_FAIL(LB_CONFIG_INVALID, "this officer does not sign this");
}

static void free_key(struct lb_sign_key **key)
{
    lb_sign_key_free(*key);
}

static lb_status find_self(struct signing *signing, const struct lb_recovery_officer **out)
{
    for (size_t i = 0; i < LB_RECOVERY_OFFICERS; i++) {
        *out = &signing->own.recovery.officers[i];
        if (strcmp((*out)->spiffe, signing->as) == 0)
            return LB_OK;
    }
    return refuse(signing, "--as", "is neither of the two officers it names");
}

static lb_status add_signature(struct signing *signing, const struct lb_recovery_officer *self,
                               const struct lb_sign_key *key, struct lb_span *out_note)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, public_key);
    LB_TRY(lb_note_verifier_parse(lb_span_str(self->key), &verifier));
    if (memcmp(verifier.public_key, public_key, sizeof(verifier.public_key)) != 0)
        return refuse(signing, signing->key, "is not the key the directory lists for this officer");
    bool begun = lb_recovery_text(signing->note).len < signing->note.len;
    lb_status status =
        lb_note_sign(signing->note, begun, verifier.name, key, signing->arena, out_note);
    if (status != LB_OK)
        lb_diag_set(&signing->diag, "%s: %s", signing->file.items[0], status->what);
    return status;
}

static lb_status sign(struct signing *signing)
{
    const struct lb_recovery_officer *self = NULL;
    LB_DEFER(free_key) struct lb_sign_key *key = NULL;
    struct lb_span note;
    LB_TRY(find_self(signing, &self));
    if (lb_keys_load_sign(signing->key, LB_SIGN_ED25519, &key) != LB_OK)
        return refuse(signing, signing->key, "is no Ed25519 key of mode 0600");
    LB_TRY(add_signature(signing, self, key, &note));
    lb_status status = lb_file_write(signing->file.items[0], note, 0644);
    if (status != LB_OK)
        lb_diag_set(&signing->diag, "%s: cannot be written", signing->file.items[0]);
    LB_TRY(status);
    return lb_ctl_recovery_load(&signing->own, signing->file.items[0], &signing->note);
}

/* Nobody signs, and nobody is shown as true, what the directory does not bear out. */
static lb_status work(struct signing *signing)
{
    signing->arena = lb_arena_new(SIGN_ARENA_BYTES);
    LB_ENSURE(signing->arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_ctl_log_keys_open(&signing->keys, signing->env, signing->arena, &signing->diag));
    signing->own = (struct lb_ctl_recovery){.env = signing->env, .arena = signing->arena,
                                            .diag = &signing->diag,
                                            .directory = signing->keys.directory};
    LB_TRY(lb_ctl_recovery_load(&signing->own, signing->file.items[0], &signing->note));
    LB_TRY(lb_ctl_recovery_check(&signing->own));
    if (signing->as != NULL)
        LB_TRY(sign(signing));
    return lb_ctl_recovery_print(&signing->own);
}

static int run(struct signing *signing)
{
    if (signing->keys.directory_path == NULL || signing->keys.signers.num == 0 ||
        signing->keys.vkeys.num > 0)
        return lb_ctl_usage_error(signing->env, signing->command,
                                  "give --directory with its --signer");
    lb_status status = work(signing);
    int exit_code = status == LB_OK ? LB_CTL_OK
                                    : lb_ctl_fail(signing->env, signing->command, status,
                                                  &signing->diag);
    lb_ctl_log_keys_close(&signing->keys);
    lb_arena_free(signing->arena);
    return exit_code;
}

int lb_ctl_recover_show(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban node recover show recovery.note --directory directory.note --signer VKEY",
        NULL,
    };
    struct signing signing = {.env = env, .command = "node recover show"};
    struct lb_ctl_option options[LB_CTL_LOG_KEYS_OPTIONS];
    const struct lb_ctl_usage usage = {
        .command = "node recover show",
        .en = "tell what a draft or a recovery says, and verify every signature but those missing",
        .zh = "显示恢复书内容并核验其中各方签名",
        .operand = "FILE", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = LB_CTL_LOG_KEYS_OPTIONS, .examples = examples,
    };
    lb_ctl_log_keys_options(&signing.keys, options);
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &signing.file);
    return exit_code == LB_CTL_GO ? run(&signing) : exit_code;
}

int lb_ctl_recover_sign(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban node recover sign recovery.note --as spiffe://F/officer/tax/li --key li.pem"
        " --directory directory.note --signer VKEY",
        NULL,
    };
    struct signing signing = {.env = env, .command = "node recover sign"};
    struct lb_ctl_option options[LB_CTL_LOG_KEYS_OPTIONS + 2] = {
        [LB_CTL_LOG_KEYS_OPTIONS] = {.name = "as", .value = "SPIFFE", .text = &signing.as,
                                     .required = true, .en = "who signs", .zh = "签署人"},
        {.name = "key", .value = "FILE", .text = &signing.key, .required = true,
         .en = "the officer's own key, as the directory lists it",
         .zh = "安全员本人密钥，与成员目录所列一致"},
    };
    const struct lb_ctl_usage usage = {
        .command = "node recover sign",
        .en = "verify a draft, show it and sign it as one of its two officers; the file is "
              "replaced by the signed one",
        .zh = "核验并显示恢复书，以其中一名安全员的身份签署；原文件替换为已签署的文件",
        .operand = "FILE", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = LB_CTL_LOG_KEYS_OPTIONS + 2, .examples = examples,
    };
    lb_ctl_log_keys_options(&signing.keys, options);
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &signing.file);
    return exit_code == LB_CTL_GO ? run(&signing) : exit_code;
}
