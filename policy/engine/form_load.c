#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "policy/engine/form_internal.h"

#define MAX_GRANT_DAYS 365
#define MIN_ANSWER_BYTES 256
#define MAX_USES 100

static lb_status read_title(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    int64_t version;
    LB_TRY(lb_word_need(root, "form", LB_WORD_ORG, loader->diag, &form->id));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, loader->diag, &version));
    form->version = (uint32_t)version;
    LB_TRY(lb_form_read_text(loader, root, "title", &form->title));
    LB_TRY(lb_word_need(root, "purpose", LB_WORD_ORG, loader->diag, &form->purpose));
    LB_TRY(lb_word_need(root, "lead", LB_WORD_ORG, loader->diag, &form->lead));
    LB_TRY(lb_form_read_laws(loader, root, 1, &form->num_laws, &form->laws));
    LB_TRY(lb_word_need(root, "rules", LB_WORD_ORG, loader->diag, &form->rules_id));
    return lb_yaml_need_int(root, "grant_days", 1, MAX_GRANT_DAYS, loader->diag,
                            &form->grant_days);
}

static lb_status read_notice(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"why", "keep", "withdraw", "refuse", NULL};
    struct lb_form_notice *notice = &loader->form->form.notice;
    const struct lb_yaml_node *node;
    LB_TRY(lb_yaml_need(root, "notice", loader->diag, &node));
    LB_TRY(lb_yaml_only(node, keys, loader->diag));
    LB_TRY(lb_form_read_text(loader, node, "why", &notice->why));
    LB_TRY(lb_form_read_text(loader, node, "keep", &notice->keep));
    LB_TRY(lb_form_read_text(loader, node, "withdraw", &notice->withdraw));
    return lb_form_read_text(loader, node, "refuse", &notice->refuse);
}

static lb_status read_role(struct form_loader *loader, const struct lb_yaml_node *node,
                           const char *name, struct lb_form_role *role)
{
    static const char *const keys[] = {"min", "max", "minor", "outside", "deceased", NULL};
    role->name = name;
    LB_TRY(lb_yaml_only(node, keys, loader->diag));
    LB_TRY(lb_yaml_need_int(node, "min", 0, LB_MAX_HOUSEHOLD, loader->diag, &role->min));
    LB_TRY(lb_yaml_need_int(node, "max", 1, LB_MAX_HOUSEHOLD, loader->diag, &role->max));
    LB_TRY(lb_yaml_opt_bool(node, "minor", false, loader->diag, &role->minor));
    LB_TRY(lb_yaml_opt_bool(node, "outside", false, loader->diag, &role->outside));
    LB_TRY(lb_yaml_opt_bool(node, "deceased", false, loader->diag, &role->deceased));
    if (role->minor + role->outside + role->deceased > 1)
        return lb_yaml_fail(node, loader->diag,
                            "role `%s` is more than one of minor, outside and deceased; keep one",
                            name);
    if (role->min > role->max)
        return lb_yaml_fail(node, loader->diag, "`min` of role `%s` is above its `max`; swap them",
                            name);
    return LB_OK;
}

/* The applicant signs for the case, so there is one, of age, and everything starts from it. */
static lb_status check_roles(struct form_loader *loader, const struct lb_yaml_node *items)
{
    const struct lb_form *form = &loader->form->form;
    const struct lb_form_role *first = &form->roles[0];
    const char *name;
    const struct lb_yaml_node *node = lb_yaml_member(items, 0, &name);
    if (strcmp(name, "applicant") != 0)
        return lb_yaml_fail(node, loader->diag,
                            "the first role is `%s`; the first one must be `applicant`", name);
    bool is_plain = !first->minor && !first->outside && !first->deceased;
    if (first->min != 1 || first->max != 1 || !is_plain)
        return lb_yaml_fail(node, loader->diag,
                            "there is exactly one applicant, of age, of the household and alive; "
                            "write {min: 1, max: 1, minor: false}");
    int64_t least = 0;
    for (size_t i = 0; i < form->num_roles; i++)
        least += form->roles[i].min;
    if (least > LB_MAX_HOUSEHOLD)
        return lb_yaml_fail(items, loader->diag,
                            "the roles' `min` add up to more than a household of %d; lower them",
                            LB_MAX_HOUSEHOLD);
    return LB_OK;
}

static lb_status read_roles(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *items;
    LB_TRY(lb_yaml_need(root, "roles", loader->diag, &items));
    LB_TRY(lb_word_map(items, LB_WORD_NAME, LB_FORM_MAX_ROLES, loader->diag));
    size_t num = lb_yaml_len(items);
    struct lb_form_role *roles = lb_arena_array(loader->arena, num, sizeof(*roles));
    LB_ENSURE(roles != NULL, LB_NO_MEMORY, "a form's roles");
    for (size_t i = 0; i < num; i++) {
        const char *name;
        const struct lb_yaml_node *node = lb_yaml_member(items, i, &name);
        LB_TRY(read_role(loader, node, name, &roles[i]));
    }
    form->roles = roles;
    form->num_roles = num;
    return check_roles(loader, items);
}

static lb_status read_section(struct form_loader *loader, const struct lb_yaml_node *node,
                              const char *department, struct lb_form_section *section)
{
    static const char *const keys[] = {"basis", "law", "answer_bytes", "uses", "late", NULL};
    const char *basis;
    int64_t answer_bytes;
    section->department = department;
    LB_TRY(lb_yaml_only(node, keys, loader->diag));
    LB_TRY(lb_yaml_need_text(node, "basis", loader->diag, &basis));
    if (lb_basis_parse(lb_span_str(basis), &section->basis) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(node, "basis"), loader->diag,
                            "`%.80s` is no basis; use consent, separate_consent, mandate or "
                            "emergency",
                            basis);
    LB_TRY(lb_yaml_need_int(node, "answer_bytes", MIN_ANSWER_BYTES, LB_MAX_ANSWER_BYTES,
                            loader->diag, &answer_bytes));
    section->answer_bytes = (uint32_t)answer_bytes;
    LB_TRY(lb_yaml_need_int(node, "uses", 1, MAX_USES, loader->diag, &section->uses));
    LB_TRY(lb_yaml_opt_bool(node, "late", false, loader->diag, &section->late));
    bool asks_no_consent =
        section->basis == LB_BASIS_MANDATE || section->basis == LB_BASIS_EMERGENCY;
    return lb_form_read_laws(loader, node, asks_no_consent ? 1 : 0, &section->num_laws,
                             &section->laws);
}

static lb_status read_sections(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *items;
    LB_TRY(lb_yaml_need(root, "sections", loader->diag, &items));
    LB_TRY(lb_word_map(items, LB_WORD_ORG, LB_FORM_MAX_SECTIONS, loader->diag));
    size_t num = lb_yaml_len(items), num_late = 0;
    struct lb_form_section *sections = lb_arena_array(loader->arena, num, sizeof(*sections));
    LB_ENSURE(sections != NULL, LB_NO_MEMORY, "a form's sections");
    for (size_t i = 0; i < num; i++) {
        const char *department;
        const struct lb_yaml_node *node = lb_yaml_member(items, i, &department);
        LB_TRY(read_section(loader, node, department, &sections[i]));
        num_late += sections[i].late ? 1 : 0;
    }
    if (num_late == num)
        return lb_yaml_fail(items, loader->diag,
                            "every section is `late`, so nothing is asked first; leave it out "
                            "of one");
    form->sections = sections;
    form->num_sections = num;
    return LB_OK;
}

/* A form is a drill's through and through, or not at all. */
static lb_status check_drill(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    bool drill = strcmp(form->purpose, LB_PURPOSE_DRILL) == 0;
    for (size_t i = 0; i < form->num_facts; i++) {
        if (lb_view_is_drill(form->facts[i].view) != drill)
            return lb_yaml_fail(lb_yaml_get(root, "facts"), loader->diag,
                                "fact %s: a form with the purpose `drill`, and no other, asks "
                                "views that are called <department>.drill-<name>",
                                form->facts[i].name);
    }
    return LB_OK;
}

static lb_status read_all(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"form",      "version",    "title",   "purpose",
                                       "lead",      "law",        "rules",   "grant_days",
                                       "roles",     "sections",   "facts",   "shares",
                                       "household", "conditions", "classes", "otherwise",
                                       "amounts",   "parts",      "asks",    "trigger",
                                       "notice",    "decision",   NULL};
    LB_TRY(lb_yaml_only(root, keys, loader->diag));
    LB_TRY(read_title(loader, root));
    LB_TRY(read_roles(loader, root));
    LB_TRY(read_sections(loader, root));
    LB_TRY(lb_form_read_facts(loader, root));
    LB_TRY(check_drill(loader, root));
    LB_TRY(lb_form_read_shares(loader, root));
    LB_TRY(lb_form_read_rules(loader, root));
    LB_TRY(lb_form_read_amounts(loader, root));
    LB_TRY(lb_form_read_parts(loader, root));
    LB_TRY(lb_form_read_asks(loader, root));
    LB_TRY(lb_form_read_trigger(loader, root));
    LB_TRY(read_notice(loader, root));
    LB_TRY(lb_form_read_decision(loader, root));
    if (loader->rules == NULL)
        return LB_OK;
    return lb_form_compile(loader, root);
}

static lb_status fill(struct lb_form_compiled *form, const struct lb_rules *rules,
                      struct lb_diag *diag)
{
    form->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(form->arena != NULL, LB_NO_MEMORY, "a form");
    struct form_loader loader = {
        .form = form, .arena = form->arena, .rules = rules, .diag = diag};
    size_t max_names = LB_FORM_MAX_FACTS + LB_FORM_MAX_SHARES + LB_FORM_MAX_VALUES +
                       LB_FORM_MAX_CONDITIONS + LB_FORM_MAX_AMOUNTS + LB_FORM_MAX_ASKS;
    loader.taken = lb_arena_array(loader.arena, max_names, sizeof(*loader.taken));
    LB_ENSURE(loader.taken != NULL, LB_NO_MEMORY, "a form's names");
    form->form.content = lb_yaml_bytes(form->yaml);
    lb_sha256(form->form.content, form->form.sha256);
    return read_all(&loader, lb_yaml_root(form->yaml));
}

/* make_form takes over the file, also when it fails. */
static lb_status make_form(struct lb_yaml *yaml, const struct lb_rules *rules,
                           struct lb_diag *diag, struct lb_form_compiled **out_form)
{
    struct lb_form_compiled *form = calloc(1, sizeof(*form));
    if (form == NULL) {
        lb_yaml_free(yaml);
        LB_FAIL(LB_NO_MEMORY, "a form");
    }
    form->yaml = yaml;
    lb_status status = fill(form, rules, diag);
    if (status != LB_OK) {
        lb_form_free(form);
        return status;
    }
    *out_form = form;
    return LB_OK;
}

lb_status lb_form_load(const char *path, const struct lb_rules *rules, struct lb_diag *diag,
                       struct lb_form_compiled **out_form)
{
    struct lb_yaml *yaml;
    LB_TRY(lb_yaml_load_file(path, diag, &yaml));
    return make_form(yaml, rules, diag, out_form);
}

lb_status lb_form_load_text(struct lb_span text, const char *name, const struct lb_rules *rules,
                            struct lb_diag *diag, struct lb_form_compiled **out_form)
{
    struct lb_yaml *yaml;
    LB_TRY(lb_yaml_load_text(text, name, diag, &yaml));
    return make_form(yaml, rules, diag, out_form);
}

void lb_form_free(struct lb_form_compiled *form)
{
    if (form == NULL)
        return;
    for (size_t i = 0; i < form->num_values; i++)
        lb_expr_free(form->values[i].expr);
    for (size_t i = 0; i < form->form.num_conditions; i++)
        lb_expr_free(form->tests[i].expr);
    for (size_t i = 0; i < form->form.num_classes; i++)
        lb_expr_free(form->whens[i].expr);
    for (size_t i = 0; i < form->form.num_amounts; i++)
        lb_expr_free(form->sums[i].expr);
    lb_expr_env_free(form->env);
    lb_arena_free(form->arena);
    lb_yaml_free(form->yaml);
    free(form);
}
