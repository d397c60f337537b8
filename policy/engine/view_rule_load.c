#include "policy/engine/view_private.h"

lb_status lb_view_copy(const struct lb_view_loader *loader, const char *text, const char **out)
{
    const char *copy = lb_arena_str(loader->arena, lb_span_str(text));
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "arena full");
    *out = copy;
    return LB_OK;
}

/* A list of words of one shape. */
static lb_status load_words(const struct lb_view_loader *loader, const struct lb_yaml_node *list,
                            enum lb_word_shape shape, const char *const **out, size_t *out_num)
{
    LB_TRY(lb_word_list(list, LB_VIEW_MAX_LIST, loader->diag));
    size_t num = lb_yaml_len(list);
    const char **words = lb_arena_array(loader->arena, num, sizeof(*words));
    LB_ENSURE(words != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const char *word = NULL;
        LB_TRY(lb_word_of(lb_yaml_item(list, i), shape, loader->diag, &word));
        LB_TRY(lb_view_copy(loader, word, &words[i]));
    }
    *out = words;
    *out_num = num;
    return LB_OK;
}

static lb_status need_words(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                            const char *key, const char *const **out, size_t *out_num)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(rule, key, loader->diag, &list));
    return load_words(loader, list, LB_WORD_ORG, out, out_num);
}

static lb_status load_bases(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                            unsigned *out_bases)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(rule, "bases", loader->diag, &list));
    LB_TRY(lb_word_list(list, LB_NUM_BASES, loader->diag));
    unsigned bases = 0;
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *name = NULL;
        enum lb_basis basis;
        LB_TRY(lb_yaml_text(item, loader->diag, &name));
        if (lb_basis_parse(lb_span_str(name), &basis) != LB_OK)
            return lb_yaml_fail(item, loader->diag,
                                "basis \"%.40s\" is not known; write consent, separate_consent, "
                                "mandate or emergency",
                                name);
        bases |= 1U << basis;
    }
    *out_bases = bases;
    return LB_OK;
}

static lb_status load_givers(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                             unsigned *out_givers)
{
    const struct lb_yaml_node *list = lb_yaml_get(rule, "given_by");
    unsigned givers = 0;
    if (list == NULL) {
        *out_givers = LB_VIEW_DEFAULT_GIVERS;
        return LB_OK;
    }
    LB_TRY(lb_word_list(list, LB_NUM_GIVERS, loader->diag));
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *name = NULL;
        enum lb_giver giver;
        LB_TRY(lb_yaml_text(item, loader->diag, &name));
        if (lb_giver_parse(lb_span_str(name), &giver) != LB_OK)
            return lb_yaml_fail(item, loader->diag,
                                "\"%.40s\" is nobody who agrees; write self, guardian, agent or "
                                "relative",
                                name);
        givers |= 1U << giver;
    }
    *out_givers = givers;
    return LB_OK;
}

static lb_status check_operator(const struct lb_view_loader *loader,
                                const struct lb_yaml_node *item, const struct lb_op_call *call,
                                const struct lb_view_field *field, bool many)
{
    lb_status status = lb_op_check(call, field->type, many, loader->rules);
    if (status != LB_OK)
        return lb_yaml_fail(item, loader->diag, "%s does not fit field %s: %s; choose another",
                            lb_op_name(call->op), field->name, status->what);
    if (lb_op_reads_denominator(call) && field->denominator == NULL)
        return lb_yaml_fail(item, loader->diag,
                            "a ratio needs the field's `denominator` column; add it");
    bool windowed = lb_op_reads_month(call);
    if (windowed && field->month == NULL)
        return lb_yaml_fail(item, loader->diag,
                            "a sum over months needs the field's `month` column; add it, or write "
                            "SUM(0) for all rows");
    if (lb_op_sums_all(call) && field->month != NULL)
        return lb_yaml_fail(item, loader->diag,
                            "%s(0) sums no month; write the number of months, or remove `month`",
                            lb_op_name(call->op));
    return LB_OK;
}

static lb_status load_operators(const struct lb_view_loader *loader,
                                const struct lb_yaml_node *rule, const struct lb_view_field *field,
                                bool many, struct lb_view_rule *out)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(rule, "operators", loader->diag, &list));
    LB_TRY(lb_word_list(list, LB_VIEW_MAX_LIST, loader->diag));
    size_t num = lb_yaml_len(list);
    struct lb_op_call *calls = lb_arena_array(loader->arena, num, sizeof(*calls));
    LB_ENSURE(calls != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *text = NULL;
        LB_TRY(lb_yaml_text(item, loader->diag, &text));
        lb_status status = lb_op_parse(lb_span_str(text), loader->arena, &calls[i]);
        if (lb_status_code(status) == LB_OPERATOR_UNKNOWN)
            return lb_yaml_fail(item, loader->diag,
                                "\"%.80s\" is no operator; write for example \"EXISTS\" or "
                                "\"CMP(<,std.dibao)\"",
                                text);
        LB_TRY(status);
        LB_TRY(check_operator(loader, item, &calls[i], field, many));
        if (calls[i].op == LB_OP_OMIT && num > 1)
            return lb_yaml_fail(item, loader->diag,
                                "OMIT releases nothing; let it stand alone, or remove it");
    }
    out->operators = calls;
    out->num_operators = num;
    return LB_OK;
}

static lb_status load_laws(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                           struct lb_view_rule *out)
{
    const struct lb_yaml_node *laws = lb_yaml_get(rule, "laws");
    if (laws != NULL)
        return load_words(loader, laws, LB_WORD_LAW, &out->laws, &out->num_laws);
    if ((out->bases & 1U << LB_BASIS_MANDATE) != 0)
        return lb_yaml_fail(rule, loader->diag,
                            "a mandate needs the law it rests on; add laws: [...]");
    return LB_OK;
}

/* PIPL 29: what is sensitive needs a consent of its own. */
static lb_status check_class(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                             const struct lb_view_field *field, unsigned bases)
{
    if (field->data_class < 4 || (bases & 1U << LB_BASIS_CONSENT) == 0)
        return LB_OK;
    return lb_yaml_fail(lb_yaml_get(rule, "bases"), loader->diag,
                        "field %s is G4, sensitive, and plain consent does not open it; write "
                        "separate_consent, or give another class",
                        field->name);
}

/* A citizen's accesses and a drill's made-up people are no matter of standing grants, and neither
 * is an emergency. */
static lb_status check_event(const struct lb_view_loader *loader, const struct lb_yaml_node *event,
                             const struct lb_view_rule *rule)
{
    static const char *const ordinary[] = {LB_PURPOSE_SUBJECT_ACCESS, LB_PURPOSE_OVERSIGHT,
                                           LB_PURPOSE_DRILL};
    for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++)
        if (strcmp(rule->purpose, ordinary[i]) == 0)
            return lb_yaml_fail(event, loader->diag,
                                "the purpose %s has no standing grants; remove `event`",
                                ordinary[i]);
    if ((rule->bases & 1U << LB_BASIS_EMERGENCY) != 0)
        return lb_yaml_fail(event, loader->diag,
                            "an emergency ends within a day; remove `event`, or the basis");
    return LB_OK;
}

static lb_status load_event(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                            struct lb_view_rule *out)
{
    static const char *const keys[] = {"triggers", "every_days", NULL};
    const struct lb_yaml_node *event = lb_yaml_get(rule, "event");
    if (event == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(event, keys, loader->diag));
    LB_TRY(need_words(loader, event, "triggers", &out->triggers, &out->num_triggers));
    LB_TRY(lb_yaml_need_int(event, "every_days", 1, LB_EVENT_MAX_DAYS, loader->diag,
                            &out->event_days));
    return check_event(loader, event, out);
}

static lb_status load_rule(const struct lb_view_loader *loader, const struct lb_yaml_node *rule,
                           const struct lb_view_field *field, bool many, struct lb_view_rule *out)
{
    static const char *const keys[] = {"purpose", "operators", "requesters", "bases",
                                       "issuers", "laws",      "min_level",  "dry_run",
                                       "given_by", "event",    NULL};
    const char *purpose = NULL;
    int64_t level = 0;
    LB_TRY(lb_yaml_only(rule, keys, loader->diag));
    LB_TRY(lb_word_need(rule, "purpose", LB_WORD_ORG, loader->diag, &purpose));
    LB_TRY(lb_view_copy(loader, purpose, &out->purpose));
    LB_TRY(load_operators(loader, rule, field, many, out));
    LB_TRY(need_words(loader, rule, "requesters", &out->requesters, &out->num_requesters));
    LB_TRY(load_bases(loader, rule, &out->bases));
    LB_TRY(check_class(loader, rule, field, out->bases));
    LB_TRY(need_words(loader, rule, "issuers", &out->issuers, &out->num_issuers));
    LB_TRY(load_laws(loader, rule, out));
    LB_TRY(load_givers(loader, rule, &out->givers));
    LB_TRY(load_event(loader, rule, out));
    LB_TRY(lb_yaml_need_int(rule, "min_level", 1, 4, loader->diag, &level));
    out->min_level = (int)level;
    return lb_yaml_opt_bool(rule, "dry_run", false, loader->diag, &out->dry_run);
}

lb_status lb_view_load_rules(const struct lb_view_loader *loader, const struct lb_yaml_node *list,
                             bool many, struct lb_view_field *field)
{
    LB_TRY(lb_word_list(list, LB_VIEW_MAX_RULES, loader->diag));
    size_t num = lb_yaml_len(list);
    struct lb_view_rule *rules = lb_arena_array(loader->arena, num, sizeof(*rules));
    LB_ENSURE(rules != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(load_rule(loader, lb_yaml_item(list, i), field, many, &rules[i]));
    field->rules = rules;
    field->num_rules = num;
    return LB_OK;
}
