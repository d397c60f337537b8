#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "policy/engine/form_text.h"

/* `form notice`: what citizens will be told, from the form itself and without any office. */

static void free_form(struct lb_form_compiled **form)
{
    lb_form_free(*form);
}

struct asked {
    const char *path;
    const char *requester;
    const char *variant;
};

static lb_status render(const struct lb_ctl_env *env, const struct asked *asked,
                        struct lb_arena *arena, struct lb_diag *diag, struct lb_span *out)
{
    LB_DEFER(free_form) struct lb_form_compiled *form = NULL;
    struct lb_notice_options options = {
        .requester_name = asked->requester, .language = env->chinese ? "zh" : "en"};
    lb_status status = lb_notice_variant_parse(lb_span_str(asked->variant), &options.variant);
    if (status != LB_OK)
        lb_diag_set(diag, "there is no such variant; write plain, large or aloud");
    LB_ENSURE(status == LB_OK, LB_MALFORMED, "no such variant");
    LB_TRY(lb_form_load(asked->path, NULL, diag, &form));
    return lb_form_notice_text(lb_form_of(form), &options, arena, out);
}

static lb_status print(const struct lb_ctl_env *env, const struct asked *asked,
                       struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_span text;
    uint8_t digest[LB_SHA256_BYTES];
    char hex[2 * LB_SHA256_BYTES + 1];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(render(env, asked, arena, diag, &text));
    if (!env->json) {
        (void)fwrite(text.ptr, 1, text.len, env->out); /* the very bytes that are hashed */
        return LB_OK;
    }
    lb_sha256(text, digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "variant", asked->variant[0] != '\0' ? asked->variant : "plain");
    lb_json_set_cstr(json, "sha256", hex);
    lb_json_set_str(json, "text", text);
    return lb_ctl_print_json(env, json);
}

int lb_ctl_form_notice(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban form notice social-assistance.yaml --requester-name 街道办事处 --language zh",
        "lianban form notice social-assistance.yaml --requester-name 街道办事处 --language zh"
        " --variant large > notice.html",
        NULL,
    };
    struct lb_ctl_list files = {.num = 0};
    struct lb_diag diag = {.text = ""};
    struct asked asked = {.variant = ""};
    const struct lb_ctl_option options[] = {
        {.name = "requester-name", .value = "NAME", .required = true, .text = &asked.requester,
         .en = "who asks, as the directory names it in that language", .zh = "查询方的名称"},
        {.name = "variant", .value = "VARIANT", .text = &asked.variant,
         .en = "plain (default), large (a page of HTML to print) or aloud (for reading out)",
         .zh = "plain 普通（默认）、large 大字打印版、aloud 朗读稿"},
    };
    const struct lb_ctl_usage usage = {
        .command = "form notice", .en = "print the notice that citizens read before they agree",
        .zh = "生成告知书", .operand = "FORM.yaml", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 2, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    asked.path = files.items[0];
    lb_status status = print(env, &asked, &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &diag);
}
