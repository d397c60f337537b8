#include "gateway/ctl/args.h"
#include "gateway/ctl/check_head.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/form_files.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"
#include "policy/engine/form_check.h"

/* `form check`: a form, what it says, and what is wrong with it (policy/engine/form_check.h). */

static const char *pick_text(const struct lb_ctl_env *env, const struct lb_form_text *text)
{
    const char *picked = lb_ctl_pick(env, text->zh, text->en);
    return picked == NULL ? "" : picked;
}

static const char *join(struct lb_arena *arena, const char *const *words, size_t num)
{
    const char *joined = num == 0 ? "" : words[0];
    for (size_t i = 1; joined != NULL && i < num; i++)
        joined = lb_arena_printf(arena, "%s %s", joined, words[i]);
    return joined;
}

static size_t count_facts(const struct lb_form *form, const char *department)
{
    size_t num = 0;
    for (size_t i = 0; i < form->num_facts; i++)
        num += strcmp(form->facts[i].department, department) == 0 ? 1 : 0;
    return num;
}

static lb_status print_sections(const struct lb_ctl_env *env, const struct lb_form *form,
                                struct lb_arena *arena)
{
    static const char *const zh[] = {"部门", "依据", "法条", "查询", "事项数", NULL};
    static const char *const en[] = {"department", "basis", "laws", "asked", "facts", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < form->num_sections; i++) {
        const struct lb_form_section *section = &form->sections[i];
        const char *const cells[] = {
            lb_ctl_word(env, section->department),
            lb_ctl_word(env, lb_basis_name(section->basis)),
            join(arena, section->laws, section->num_laws),
            section->late ? lb_ctl_pick(env, "必要时", "if needed")
                          : lb_ctl_pick(env, "首先", "first"),
            lb_arena_printf(arena, "%zu", count_facts(form, section->department))};
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, env->out);
}

static lb_status print_facts(const struct lb_ctl_env *env, const struct lb_form *form,
                             struct lb_arena *arena)
{
    static const char *const zh[] = {"事项", "视图.字段", "算子", "显示", "名称", NULL};
    static const char *const en[] = {"fact", "view.field", "operator", "shown", "label", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        const char *const cells[] = {
            fact->name, lb_arena_printf(arena, "%s.%s", fact->view, fact->field),
            lb_op_format(&fact->call, arena),
            fact->show ? lb_ctl_pick(env, "是", "yes") : "-", pick_text(env, &fact->label)};
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, env->out);
}

/* What is added up blindly: a total that stands in the rules in place of its parts. */
static void print_shares(const struct lb_ctl_env *env, const struct lb_form *form)
{
    for (size_t s = 0; s < form->num_shares; s++) {
        const struct lb_form_share *share = &form->shares[s];
        (void)fprintf(env->out, "%s%s =", lb_ctl_pick(env, "盲合计 ", "blind sum "), share->slot);
        for (size_t i = 0; i < share->num_facts; i++)
            (void)fprintf(env->out, "%s %s", i == 0 ? "" : " +",
                          form->facts[share->facts[i]].name);
        (void)fputc('\n', env->out);
    }
    if (form->num_shares > 0)
        (void)fputc('\n', env->out);
}

static lb_status print_conditions(const struct lb_ctl_env *env, const struct lb_form *form,
                                  struct lb_arena *arena)
{
    static const char *const zh[] = {"条件", "说明", "依据", NULL};
    static const char *const en[] = {"condition", "what it means", "source", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < form->num_conditions; i++) {
        const struct lb_form_condition *condition = &form->conditions[i];
        const char *const cells[] = {condition->name, pick_text(env, &condition->text),
                                     condition->source};
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, env->out);
}

static void print_classes(const struct lb_ctl_env *env, const struct lb_form *form)
{
    (void)fputs(lb_ctl_pick(env, "类别（依次判定）：", "classes, in order: "), env->out);
    for (size_t i = 0; i < form->num_classes; i++) {
        (void)fprintf(env->out, "%s ", form->classes[i].id);
        lb_ctl_put(env->out, pick_text(env, &form->classes[i].text));
        (void)fputs(", ", env->out);
    }
    (void)fprintf(env->out, "%s ", form->otherwise.id);
    lb_ctl_put(env->out, pick_text(env, &form->otherwise.text));
    (void)fputc('\n', env->out);
}

static const char *amount_classes(const struct lb_form *form, const struct lb_form_amount *amount,
                                  struct lb_arena *arena)
{
    const char *ids = "";
    for (size_t i = 0; ids != NULL && i <= form->num_classes; i++) {
        const char *id = i < form->num_classes ? form->classes[i].id : form->otherwise.id;
        if ((amount->classes >> i & 1U) != 0)
            ids = lb_arena_printf(arena, "%s%s%s", ids, ids[0] == '\0' ? "" : " ", id);
    }
    return ids;
}

/* What is told with a class besides its name. */
static lb_status print_amounts(const struct lb_ctl_env *env, const struct lb_form *form,
                               struct lb_arena *arena)
{
    static const char *const zh[] = {"数额", "单位", "类别", "名称", NULL};
    static const char *const en[] = {"amount", "unit", "classes", "what it is", NULL};
    struct lb_ctl_table table;
    if (form->num_amounts == 0)
        return LB_OK;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < form->num_amounts; i++) {
        const struct lb_form_amount *amount = &form->amounts[i];
        const char *const cells[] = {amount->name, lb_form_unit_name(amount->unit),
                                     amount_classes(form, amount, arena),
                                     pick_text(env, &amount->text)};
        lb_ctl_table_row(&table, cells);
    }
    (void)fputc('\n', env->out);
    return lb_ctl_table_print(&table, env->out);
}

/* The ids of a part's classes; what goes in an emergency waits for none. */
static const char *part_classes(const struct lb_ctl_env *env, const struct lb_form *form,
                                const struct lb_form_part *part, struct lb_arena *arena)
{
    const char *ids = part->emergency ? lb_ctl_pick(env, "紧急情况", "emergency") : "";
    for (size_t i = 0; ids != NULL && i <= form->num_classes; i++) {
        const char *id = i < form->num_classes ? form->classes[i].id : form->otherwise.id;
        if (lb_form_hands_over(part, i))
            ids = lb_arena_printf(arena, "%s%s%s", ids, ids[0] == '\0' ? "" : " ", id);
    }
    return ids;
}

static lb_status print_parts(const struct lb_ctl_env *env, const struct lb_form *form,
                             struct lb_arena *arena)
{
    static const char *const zh[] = {"移交", "部门", "类别", "期限", "名称", "逾期报告", NULL};
    static const char *const en[] = {"part", "department", "classes", "days",
                                     "title", "when overdue", NULL};
    struct lb_ctl_table table;
    if (form->num_parts == 0)
        return LB_OK;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < form->num_parts; i++) {
        const struct lb_form_part *part = &form->parts[i];
        const char *const cells[] = {
            part->name, lb_ctl_word(env, part->department), part_classes(env, form, part, arena),
            lb_arena_printf(arena, "%lld", (long long)part->days), pick_text(env, &part->title),
            pick_text(env, &part->escalate)};
        lb_ctl_table_row(&table, cells);
    }
    (void)fputc('\n', env->out);
    return lb_ctl_table_print(&table, env->out);
}

static lb_status print_form(const struct lb_ctl_env *env, const struct lb_form *form,
                            struct lb_arena *arena)
{
    lb_ctl_put_head(env, form->id, form->version, form->sha256);
    lb_ctl_put(env->out, pick_text(env, &form->title));
    (void)fputs("\n\n", env->out);
    LB_TRY(print_sections(env, form, arena));
    (void)fputc('\n', env->out);
    LB_TRY(print_facts(env, form, arena));
    (void)fputc('\n', env->out);
    print_shares(env, form);
    LB_TRY(print_conditions(env, form, arena));
    (void)fputc('\n', env->out);
    print_classes(env, form);
    LB_TRY(print_amounts(env, form, arena));
    return print_parts(env, form, arena);
}

static struct lb_json *form_json(const struct lb_form *form)
{
    struct lb_json *root =
        lb_ctl_head_json(form->id, form->version, form->sha256);
    struct lb_json *classes = lb_json_array();
    for (size_t i = 0; i < form->num_classes; i++)
        lb_json_append_str(classes, lb_span_str(form->classes[i].id));
    lb_json_append_str(classes, lb_span_str(form->otherwise.id));
    lb_json_set_cstr(root, "purpose", form->purpose);
    lb_json_set_cstr(root, "rules", form->rules_id);
    lb_json_set_int(root, "sections", (int64_t)form->num_sections);
    lb_json_set_int(root, "facts", (int64_t)form->num_facts);
    lb_json_set_int(root, "shares", (int64_t)form->num_shares);
    lb_json_set_int(root, "conditions", (int64_t)form->num_conditions);
    lb_json_set(root, "classes", classes);
    lb_json_set_int(root, "parts", (int64_t)form->num_parts);
    lb_json_set_int(root, "asks", (int64_t)form->num_asks);
    return root;
}

/* --- what is wrong --- */

struct checking {
    struct lb_ctl_env *env;
    struct lb_ctl_list files;
    struct lb_ctl_form_files all;
    struct lb_json *json;
    size_t num_mistakes;
};

static void put_finding(struct checking *checking, const struct lb_form_finding *finding)
{
    static const char *const names[] = {
        [LB_FINDING_MISTAKE] = "mistake",
        [LB_FINDING_WAIVED] = "waived",
        [LB_FINDING_UNDECIDED] = "undecided",
    };
    static const char *const zh[] = {
        [LB_FINDING_MISTAKE] = "须更正",
        [LB_FINDING_WAIVED] = "已说明理由放行",
        [LB_FINDING_UNDECIDED] = "未能判定",
    };
    const struct lb_ctl_env *env = checking->env;
    bool mistake = finding->kind == LB_FINDING_MISTAKE;
    FILE *out = mistake ? env->err : env->out;
    checking->num_mistakes += mistake ? 1 : 0;
    if (env->json) {
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "kind", names[finding->kind]);
        lb_json_set_cstr(one, "text", finding->text);
        lb_json_append(checking->json, one);
    }
    if (env->json && !mistake)
        return;
    (void)fprintf(out, "%s%s: ", mistake ? "lianban form check: " : "",
                  lb_ctl_pick(env, zh[finding->kind], names[finding->kind]));
    lb_ctl_put(out, finding->text);
    (void)fputc('\n', out);
}

/* A form's summary and findings; as JSON an object of the list `forms`. */
static lb_status tell_form(struct checking *checking, size_t index, struct lb_json *forms)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    const struct lb_form_finding *findings = NULL;
    struct lb_form_registered registered = lb_ctl_form_files_registered(&checking->all);
    const struct lb_form *form = registered.forms[index];
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (!checking->env->json)
        LB_TRY(print_form(checking->env, form, arena));
    LB_TRY(lb_form_check(checking->all.forms[index], checking->all.rules, &registered, arena,
                         &findings, &num));
    checking->json = lb_json_array();
    for (size_t i = 0; i < num; i++)
        put_finding(checking, &findings[i]);
    if (!checking->env->json) {
        lb_json_free(checking->json);
        return LB_OK;
    }
    struct lb_json *one = form_json(form);
    lb_json_set(one, "findings", checking->json);
    lb_json_append(forms, one);
    return LB_OK;
}

static lb_status tell_forms(struct checking *checking)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *forms = lb_json_array();
    lb_json_set(root, "forms", forms);
    for (size_t i = 0; i < checking->all.num_forms; i++)
        LB_TRY(tell_form(checking, i, forms));
    if (checking->env->json)
        return lb_ctl_print_json(checking->env, root);
    if (checking->all.num_views == 0)
        (void)fprintf(checking->env->out, "\n%s\n",
                      lb_ctl_pick(checking->env,
                                  "未核对视图：请用 --views 给出各部门视图所在的文件夹",
                                  "views not checked: name their folders with --views"));
    return LB_OK;
}

static int form_check(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban form check social-assistance.yaml --rules beijing-reference.yaml",
        "lianban form check --rules rules.yaml --views tax/views --views health/views forms/*.yaml",
        "lianban form check --rules rules.yaml --json forms/*.yaml", NULL};
    struct checking checking = {.env = env};
    struct lb_ctl_list views = {.num = 0};
    struct lb_diag diag = {.text = ""};
    const char *rules_path = NULL;
    const struct lb_ctl_option options[] = {
        {.name = "rules", .value = "RULES.yaml", .required = true, .text = &rules_path,
         .en = "the rule set whose thresholds it names", .zh = "表单引用的标准集"},
        {.name = "views", .value = "FOLDER", .list = &views,
         .en = "a department's views, as a folder or a file; may be given again",
         .zh = "某部门的视图文件夹或文件，可重复给出"},
    };
    const struct lb_ctl_usage usage = {
        .command = "form check",
        .en = "check forms: that they load, that every class can be reached, that nothing is asked "
              "without need, or of the citizen when a department has it",
        .zh = "检查表单：规则可达、不过度查询、不要求群众提供部门已有的信息",
        .operand = "FORM.yaml...", .min_operands = 1, .max_operands = LB_CTL_MAX_ITEMS,
        .options = options, .num_options = 2, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &checking.files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status =
        lb_ctl_form_files_load(rules_path, &checking.files, &views, &diag, &checking.all);
    if (status == LB_OK)
        status = tell_forms(&checking);
    lb_ctl_form_files_cleanup(&checking.all);
    if (status != LB_OK)
        return lb_ctl_fail(env, usage.command, status, &diag);
    return checking.num_mistakes > 0 ? LB_CTL_FAILED : LB_CTL_OK;
}

int lb_ctl_form_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check forms, their rules and what they ask", "检查表单", form_check},
        {"notice", "what citizens will be told", "生成告知书", lb_ctl_form_notice},
        {"print", "the form on paper, to fill in and sign", "打印纸质申请表", lb_ctl_form_print},
        {"table", "what follows from which answers, to keep and compare", "输出决策表",
         lb_ctl_form_table},
    };
    return lb_ctl_words(env, "form", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
