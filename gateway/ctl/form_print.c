#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "policy/engine/form_paper.h"

/* `form print`: the form on paper, for who has no phone; from the form itself alone. */

static void free_form(struct lb_form_compiled **form)
{
    lb_form_free(*form);
}

struct wanted {
    const char *path;
    const char *requester;
    bool html;
};

static lb_status print(const struct lb_ctl_env *env, const struct wanted *wanted,
                       struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(free_form) struct lb_form_compiled *form = NULL;
    const struct lb_paper_options options = {.requester_name = wanted->requester,
                                             .language = env->chinese ? "zh" : "en",
                                             .html = wanted->html};
    struct lb_span text;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_form_load(wanted->path, NULL, diag, &form));
    LB_TRY(lb_form_paper(lb_form_of(form), &options, arena, &text));
    if (!env->json) {
        (void)fwrite(text.ptr, 1, text.len, env->out);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "form", lb_form_of(form)->id);
    lb_json_set_int(json, "version", lb_form_of(form)->version);
    lb_json_set_str(json, "text", text);
    return lb_ctl_print_json(env, json);
}

int lb_ctl_form_print(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban form print newborn.yaml --requester-name 街道办事处 --language zh",
        "lianban form print newborn.yaml --requester-name \"Street office\" --html > newborn.html",
        NULL,
    };
    struct lb_ctl_list files = {.num = 0};
    struct lb_diag diag = {.text = ""};
    struct wanted wanted = {.html = false};
    const struct lb_ctl_option options[] = {
        {.name = "requester-name", .value = "NAME", .required = true, .text = &wanted.requester,
         .en = "who asks, as the directory names it in that language", .zh = "查询方的名称"},
        {.name = "html", .flag = &wanted.html,
         .en = "a page of HTML to print, with nothing fetched from anywhere",
         .zh = "输出可打印的网页"},
    };
    const struct lb_ctl_usage usage = {
        .command = "form print",
        .en = "print the form on paper: everything in it, with boxes to tick and lines to sign",
        .zh = "打印纸质申请表：全部事项、告知书、勾选框和签名栏",
        .operand = "FORM.yaml", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 2, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    wanted.path = files.items[0];
    lb_status status = print(env, &wanted, &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &diag);
}
