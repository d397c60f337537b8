#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "policy/engine/form_table.h"

/* `form table`: a form's decision table, to keep beside it and to hold a changed form against. */

#define MAX_LINES 65536

static void free_form(struct lb_form_compiled **form)
{
    lb_form_free(*form);
}

static void free_rules(struct lb_rules **rules)
{
    lb_rules_free(*rules);
}

struct tabling {
    struct lb_ctl_env *env;
    const char *form_path;
    const char *rules_path;
    const char *old_path;  /* NULL: the table itself is printed */
    struct lb_arena *arena;
    bool differs;
};

/* The lines of a table, which are all different: each says what it is about. */
struct lines {
    size_t num;
    struct lb_span *at;
};

static lb_status split(struct lb_span text, struct lb_arena *arena, struct lines *out)
{
    size_t num = 0;
    for (size_t i = 0; i < text.len; i++)
        num += text.ptr[i] == '\n' ? 1 : 0;
    LB_ENSURE(num < MAX_LINES, LB_TOO_LARGE, "a table of too many lines");
    out->num = 0;
    out->at = lb_arena_array(arena, num + 1, sizeof(*out->at));
    LB_ENSURE(out->at != NULL, LB_NO_MEMORY, "memory is exhausted");
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.ptr);
        out->at[out->num++] = lb_span_of(text.ptr, len);
        len += end == NULL ? 0 : 1;
        text = lb_span_of(text.ptr + len, text.len - len);
    }
    return LB_OK;
}

static bool is_among(struct lb_span line, const struct lines *lines)
{
    for (size_t i = 0; i < lines->num; i++)
        if (lb_span_eq(line, lines->at[i]))
            return true;
    return false;
}

static void tell(struct tabling *tabling, struct lb_json *list, const char *sign,
                 struct lb_span line)
{
    const char *text = lb_arena_str(tabling->arena, line);
    tabling->differs = true;
    if (tabling->env->json) {
        lb_json_append_str(list, line);
        return;
    }
    (void)fputs(sign, tabling->env->out);
    lb_ctl_put(tabling->env->out, text == NULL ? "" : text);
    (void)fputc('\n', tabling->env->out);
}

/* What stands in one and not in the other, in the order of each. */
static lb_status compare(struct tabling *tabling, struct lb_span new_text, struct lb_diag *diag)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *gone = lb_json_array();
    struct lb_json *come = lb_json_array();
    struct lb_span old_text = LB_SPAN_EMPTY;
    struct lines before, now;
    lb_json_set(json, "gone", gone);
    lb_json_set(json, "new", come);
    LB_TRY(lb_ctl_read(tabling->env, tabling->old_path, LB_MAX_FORM_TABLE_BYTES, tabling->arena,
                       diag, &old_text));
    LB_TRY(split(old_text, tabling->arena, &before));
    LB_TRY(split(new_text, tabling->arena, &now));
    for (size_t i = 0; i < before.num; i++)
        if (!is_among(before.at[i], &now))
            tell(tabling, gone, "- ", before.at[i]);
    for (size_t i = 0; i < now.num; i++)
        if (!is_among(now.at[i], &before))
            tell(tabling, come, "+ ", now.at[i]);
    return tabling->env->json ? lb_ctl_print_json(tabling->env, json) : LB_OK;
}

static lb_status print(struct tabling *tabling, struct lb_span text)
{
    if (tabling->env->json) {
        LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
        lb_json_set_str(json, "table", text);
        return lb_ctl_print_json(tabling->env, json);
    }
    const char *lines = lb_arena_str(tabling->arena, text);
    LB_ENSURE(lines != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_ctl_put_lines(tabling->env->out, lines);
    return LB_OK;
}

static lb_status run(struct tabling *tabling, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * LB_FILE_ARENA_BYTES);
    LB_DEFER(free_rules) struct lb_rules *rules = NULL;
    LB_DEFER(free_form) struct lb_form_compiled *form = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    tabling->arena = arena;
    LB_TRY(lb_rules_load(tabling->rules_path, diag, &rules));
    LB_TRY(lb_form_load(tabling->form_path, rules, diag, &form));
    LB_TRY(lb_form_table(form, rules, arena, &text));
    return tabling->old_path == NULL ? print(tabling, text) : compare(tabling, text, diag);
}

int lb_ctl_form_table(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban form table retirement.yaml --rules beijing-reference.yaml > retirement.txt",
        "lianban form table retirement.yaml --rules beijing-reference.yaml --against kept.txt",
        NULL,
    };
    struct lb_ctl_list files = {.num = 0};
    struct lb_diag diag = {.text = ""};
    struct tabling tabling = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "rules", .value = "RULES.yaml", .required = true, .text = &tabling.rules_path,
         .en = "the rule set whose thresholds it names", .zh = "表单引用的标准集"},
        {.name = "against", .value = "OLD", .text = &tabling.old_path,
         .en = "print what differs from a table kept before; exit code 1 if anything does",
         .zh = "与留存的决策表比对，有差异时退出码为1"},
    };
    const struct lb_ctl_usage usage = {
        .command = "form table",
        .en = "print a form's decision table: per class an example, and what follows from every "
              "other answer in it",
        .zh = "输出表单的决策表：每个类别的示例，以及各项答复改变后的结果",
        .operand = "FORM.yaml", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 2, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    tabling.form_path = files.items[0];
    lb_status status = run(&tabling, &diag);
    if (status != LB_OK)
        return lb_ctl_fail(env, usage.command, status, &diag);
    return tabling.differs ? LB_CTL_FAILED : LB_CTL_OK;
}
