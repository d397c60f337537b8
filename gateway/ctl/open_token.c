#include <sys/stat.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "policy/engine/operator.h"

/* A department opens what it sealed: the account that a requester held without reading it. Or who
 * pays in its place does, with the key of that one use, which the department gave out. */

#define HEX_CHARS (2 * LB_OP_KEY_BYTES)

struct opening {
    struct lb_ctl_env *env;
    struct lb_arena *arena;
    struct lb_diag diag;
    const char *key_path, *use_key_path, *out_path;
    struct lb_op_token_use use;
    uint8_t key[LB_OP_KEY_BYTES];
};

static struct lb_span without_newline(struct lb_span text)
{
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    return text;
}

static lb_status read_key(struct opening *opening)
{
    const char *path = opening->key_path != NULL ? opening->key_path : opening->use_key_path;
    struct lb_span text = LB_SPAN_EMPTY;
    lb_status status = lb_file_read_secret(path, HEX_CHARS + 2, opening->arena, &text);
    if (status == LB_OK)
        status = lb_hex_decode(without_newline(text), opening->key, sizeof(opening->key));
    if (status == LB_OK)
        return LB_OK;
    lb_diag_set(&opening->diag, "%s: must hold 64 hex digits, mode 0600; it is token.key of the "
                                "adapter's state folder, or a key of one use", path);
    LB_FAIL(LB_FILE_FAILED, "no usable key");
}

static lb_status print(struct lb_ctl_env *env, const char *name, const char *text)
{
    if (!env->json) {
        lb_ctl_put(env->out, text);
        (void)fputc('\n', env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    lb_json_set_cstr(root, name, text);
    return lb_ctl_print_json(env, root);
}

static lb_status run(struct opening *opening)
{
    struct lb_span token = LB_SPAN_EMPTY, value = LB_SPAN_EMPTY;
    bool own = opening->key_path != NULL;
    struct lb_op_secrets secrets = {
        .token_key = own ? opening->key : NULL,
        .token_use_key = own ? NULL : opening->key,
        .now_unix_s = lb_clock_unix_s(opening->env->clock),
    };
    opening->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(opening->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(read_key(opening));
    LB_TRY(lb_ctl_read(opening->env, "-", LB_MAX_VALUE_BYTES + 2, opening->arena, &opening->diag,
                       &token));
    if (own)
        LB_TRY(lb_op_token_bind(&opening->use, opening->arena, &secrets.token_bind));
    LB_TRY(lb_op_token_open(without_newline(token), &secrets, opening->arena, &value));
    const char *text = lb_arena_str(opening->arena, value);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    return print(opening->env, "value", text);
}

/* --- the key of one use --- */

static lb_status give_out(struct opening *opening)
{
    struct lb_span bind = LB_SPAN_EMPTY;
    uint8_t key[LB_OP_KEY_BYTES];
    char text[HEX_CHARS + 1];
    opening->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(opening->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(read_key(opening));
    LB_TRY(lb_op_token_bind(&opening->use, opening->arena, &bind));
    lb_op_token_use_key(opening->key, bind, key);
    lb_hex_encode(lb_span_of(key, sizeof(key)), text);
    lb_wipe(key, sizeof(key));
    lb_status status = lb_file_write(opening->out_path, lb_span_str(text), S_IRUSR | S_IWUSR);
    lb_wipe(text, sizeof(text));
    return status == LB_OK ? print(opening->env, "file", opening->out_path) : status;
}

/* --- commands --- */

static int finish(struct opening *opening, const char *command, lb_status status)
{
    int exit_code = status == LB_OK ? LB_CTL_OK
                                    : lb_ctl_fail(opening->env, command, status, &opening->diag);
    lb_wipe(opening->key, sizeof(opening->key));
    lb_arena_free(opening->arena);
    return exit_code;
}

#define NUM_USE_OPTIONS 5

/* What a token was made for; all of it or nothing. */
static void use_options(struct opening *opening, bool required, struct lb_ctl_option *out)
{
    const struct lb_ctl_option options[NUM_USE_OPTIONS] = {
        {.name = "provider", .value = "ORG", .required = required, .text = &opening->use.provider,
         .en = "the department that sealed it", .zh = "密封的部门"},
        {.name = "requester", .value = "ORG", .required = required,
         .text = &opening->use.requester, .en = "the organization it was given to",
         .zh = "获得凭据的单位"},
        {.name = "purpose", .value = "PURPOSE", .required = required,
         .text = &opening->use.purpose, .en = "the purpose of the read", .zh = "查询目的"},
        {.name = "view", .value = "VIEW", .required = required, .text = &opening->use.view,
         .en = "the view", .zh = "视图"},
        {.name = "field", .value = "FIELD", .required = required, .text = &opening->use.field,
         .en = "its field", .zh = "字段"},
    };
    memcpy(out, options, sizeof(options));
}

/* The provider's key and the whole use, or the key of the use and nothing else. */
static bool is_complete(const struct opening *opening)
{
    const struct lb_op_token_use *use = &opening->use;
    const char *const words[] = {use->provider, use->requester, use->purpose, use->view,
                                 use->field};
    bool all = true, any = false;
    for (size_t i = 0; i < NUM_USE_OPTIONS; i++) {
        all = all && words[i] != NULL;
        any = any || words[i] != NULL;
    }
    return opening->key_path != NULL ? all && opening->use_key_path == NULL
                                     : !any && opening->use_key_path != NULL;
}

int lb_ctl_view_open_token(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view open-token --key state/token.key --provider finance --requester street-office"
        " --purpose social-assistance --view finance.account --field number < token",
        "lianban view open-token --use-key newborn-card.key < token",
        NULL,
    };
    struct opening opening = {.env = env};
    struct lb_ctl_option options[NUM_USE_OPTIONS + 2] = {
        {.name = "key", .value = "FILE", .text = &opening.key_path,
         .en = "token.key of the adapter's state folder; the use goes with it",
         .zh = "适配器状态目录中的 token.key，须同时给出用途"},
        {.name = "use-key", .value = "FILE", .text = &opening.use_key_path,
         .en = "or the key of one use, by `view token-key`", .zh = "或由 view token-key 给出的用途密钥"},
    };
    use_options(&opening, false, options + 2);
    const struct lb_ctl_usage usage = {
        .command = "view open-token",
        .en = "open a token of TOKEN, given on standard input, and print what it holds",
        .zh = "打开标准输入给出的 TOKEN 凭据并输出其内容",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!is_complete(&opening))
        return lb_ctl_usage_error(env, usage.command,
                                  "give --key with the whole use, or --use-key alone");
    return finish(&opening, usage.command, run(&opening));
}

int lb_ctl_view_token_key(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view token-key --key state/token.key --provider social-security --requester"
        " street-office --purpose newborn --view social-security.card --field account"
        " --out newborn-card.key",
        NULL,
    };
    struct opening opening = {.env = env};
    struct lb_ctl_option options[NUM_USE_OPTIONS + 2] = {
        {.name = "key", .value = "FILE", .required = true, .text = &opening.key_path,
         .en = "token.key of the adapter's state folder", .zh = "适配器状态目录中的 token.key"},
        {.name = "out", .value = "FILE", .required = true, .text = &opening.out_path,
         .en = "where the key of this use goes, mode 0600", .zh = "用途密钥文件，权限 0600"},
    };
    use_options(&opening, true, options + 2);
    const struct lb_ctl_usage usage = {
        .command = "view token-key",
        .en = "give out the key that opens the tokens of one use, for who pays in one's place",
        .zh = "导出只能打开一种用途凭据的密钥，交给代为付款的部门",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : finish(&opening, usage.command, give_out(&opening));
}
