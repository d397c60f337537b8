#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "policy/engine/operator.h"

/* A department opens what it sealed: the account that a requester held without reading it. */

#define HEX_CHARS (2 * LB_OP_KEY_BYTES)

struct opening {
    struct lb_ctl_env *env;
    struct lb_arena *arena;
    struct lb_diag diag;
    const char *key_path;
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
    struct lb_span text = LB_SPAN_EMPTY;
    lb_status status =
        lb_file_read_secret(opening->key_path, HEX_CHARS + 2, opening->arena, &text);
    if (status == LB_OK)
        status = lb_hex_decode(without_newline(text), opening->key, sizeof(opening->key));
    if (status == LB_OK)
        return LB_OK;
    lb_diag_set(&opening->diag, "%s: must hold 64 hex digits, mode 0600; it is token.key of the "
                                "adapter's state folder", opening->key_path);
    LB_FAIL(LB_FILE_FAILED, "no usable key");
}

static lb_status print(struct opening *opening, struct lb_span value)
{
    struct lb_ctl_env *env = opening->env;
    const char *text = lb_arena_str(opening->arena, value);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    if (!env->json) {
        lb_ctl_put(env->out, text);
        (void)fputc('\n', env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    lb_json_set_cstr(root, "value", text);
    return lb_ctl_print_json(env, root);
}

static lb_status run(struct opening *opening)
{
    struct lb_span token = LB_SPAN_EMPTY, value = LB_SPAN_EMPTY;
    struct lb_op_secrets secrets = {
        .token_key = opening->key,
        .now_unix_s = lb_clock_unix_s(opening->env->clock),
    };
    opening->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(opening->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(read_key(opening));
    LB_TRY(lb_ctl_read(opening->env, "-", LB_MAX_VALUE_BYTES + 2, opening->arena, &opening->diag,
                       &token));
    LB_TRY(lb_op_token_bind(&opening->use, opening->arena, &secrets.token_bind));
    LB_TRY(lb_op_token_open(without_newline(token), &secrets, opening->arena, &value));
    return print(opening, value);
}

int lb_ctl_view_open_token(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view open-token --key state/token.key --provider finance --requester street-office"
        " --purpose social-assistance --view finance.account --field number < token",
        NULL,
    };
    struct opening opening = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "key", .value = "FILE", .required = true, .text = &opening.key_path,
         .en = "token.key of the adapter's state folder", .zh = "适配器状态目录中的 token.key"},
        {.name = "provider", .value = "ORG", .required = true, .text = &opening.use.provider,
         .en = "the department that sealed it", .zh = "密封的部门"},
        {.name = "requester", .value = "ORG", .required = true, .text = &opening.use.requester,
         .en = "the organization it was given to", .zh = "获得凭据的单位"},
        {.name = "purpose", .value = "PURPOSE", .required = true, .text = &opening.use.purpose,
         .en = "the purpose of the read", .zh = "查询目的"},
        {.name = "view", .value = "VIEW", .required = true, .text = &opening.use.view,
         .en = "the view", .zh = "视图"},
        {.name = "field", .value = "FIELD", .required = true, .text = &opening.use.field,
         .en = "its field", .zh = "字段"},
    };
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
    lb_status status = run(&opening);
    exit_code = status == LB_OK ? LB_CTL_OK
                                : lb_ctl_fail(env, usage.command, status, &opening.diag);
    lb_wipe(opening.key, sizeof(opening.key));
    lb_arena_free(opening.arena);
    return exit_code;
}
