#include "gateway/base/hex.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"
#include "policy/engine/form.h"

/* `form check` and `rules check`: files that whole federations share. */

static void put_head(const struct lb_ctl_env *env, const char *id, uint32_t version,
                     const uint8_t sha256[32])
{
    char hex[65];
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    (void)fprintf(env->out, "%s v%u sha256 %s\n", id, version, hex);
}

static struct lb_json *head_json(const char *id, uint32_t version, const uint8_t sha256[32])
{
    char hex[65];
    struct lb_json *out = lb_json_object();
    lb_hex_encode(lb_span_of(sha256, 32), hex);
    lb_json_set_cstr(out, "id", id);
    lb_json_set_int(out, "version", version);
    lb_json_set_cstr(out, "sha256", hex);
    return out;
}

/* --- forms --- */

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
    put_head(env, form->id, form->version, form->sha256);
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

static lb_status print_form_json(const struct lb_ctl_env *env, const struct lb_form *form)
{
    LB_DEFER(lb_json_freep) struct lb_json *root =
        head_json(form->id, form->version, form->sha256);
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
    return lb_ctl_print_json(env, root);
}

static void free_form(struct lb_form_compiled **form)
{
    lb_form_free(*form);
}

static void free_rules(struct lb_rules **rules)
{
    lb_rules_free(*rules);
}

static lb_status check_form(const struct lb_ctl_env *env, const char *path, const char *rules_path,
                            struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(free_rules) struct lb_rules *rules = NULL;
    LB_DEFER(free_form) struct lb_form_compiled *form = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_rules_load(rules_path, diag, &rules));
    LB_TRY(lb_form_load(path, rules, diag, &form));
    return env->json ? print_form_json(env, lb_form_of(form))
                     : print_form(env, lb_form_of(form), arena);
}

static int form_check(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban form check social-assistance.yaml --rules beijing-reference.yaml", NULL};
    struct lb_ctl_list files = {.num = 0};
    struct lb_diag diag = {.text = ""};
    const char *rules_path = NULL;
    const struct lb_ctl_option options[] = {
        {.name = "rules", .value = "RULES.yaml", .required = true, .text = &rules_path,
         .en = "the rule set whose thresholds it names", .zh = "表单引用的标准集"},
    };
    const struct lb_ctl_usage usage = {
        .command = "form check", .en = "check a form, compile its rules and summarize it",
        .zh = "检查表单并编译其规则",
        .operand = "FORM.yaml", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 1, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = check_form(env, files.items[0], rules_path, &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &diag);
}

int lb_ctl_form_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check a form and its rules", "检查表单", form_check},
        {"notice", "what citizens will be told", "生成告知书", lb_ctl_form_notice},
    };
    return lb_ctl_words(env, "form", words, 2, argc, argv);
}

/* --- rule sets --- */

static lb_status print_rules(const struct lb_ctl_env *env, const struct lb_rules *rules,
                             struct lb_arena *arena)
{
    static const char *const zh[] = {"标准", "值", "单位", "来源", NULL};
    static const char *const en[] = {"threshold", "value", "unit", "source", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < lb_rules_num_thresholds(rules); i++) {
        const struct lb_threshold *threshold = lb_rules_threshold_at(rules, i);
        const char *const cells[] = {
            threshold->name, lb_arena_printf(arena, "%lld", (long long)threshold->value),
            threshold->unit, threshold->source};
        lb_ctl_table_row(&table, cells);
    }
    put_head(env, lb_rules_id(rules), lb_rules_version(rules), lb_rules_sha256(rules));
    return lb_ctl_table_print(&table, env->out);
}

static lb_status check_rules(const struct lb_ctl_env *env, const char *path, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(free_rules) struct lb_rules *rules = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_rules_load(path, diag, &rules));
    if (!env->json)
        return print_rules(env, rules, arena);
    LB_DEFER(lb_json_freep) struct lb_json *root =
        head_json(lb_rules_id(rules), lb_rules_version(rules), lb_rules_sha256(rules));
    lb_json_set_int(root, "thresholds", (int64_t)lb_rules_num_thresholds(rules));
    return lb_ctl_print_json(env, root);
}

static int rules_check(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban rules check beijing-reference.yaml", NULL};
    struct lb_ctl_list files = {.num = 0};
    struct lb_diag diag = {.text = ""};
    const struct lb_ctl_usage usage = {
        .command = "rules check", .en = "check a rule set and list its thresholds",
        .zh = "检查标准集并列出各项标准",
        .operand = "RULES.yaml", .min_operands = 1, .max_operands = 1, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = check_rules(env, files.items[0], &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &diag);
}

int lb_ctl_rules_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check a rule set", "检查标准集", rules_check},
    };
    return lb_ctl_words(env, "rules", words, 1, argc, argv);
}
