#include "adapters/serve/job.h"
#include "gateway/wire/pb.h"

/* What the department offers, as its policy has it; no data and no counts. */

static void *make(struct lb_arena *arena, size_t size, void (*init)(void *))
{
    void *message = lb_arena_alloc(arena, size);
    if (message != NULL)
        init(message);
    return message;
}

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static void init_use(void *message)
{
    lianban__v1__allowed_use__init(message);
}

static void init_field(void *message)
{
    lianban__v1__field_description__init(message);
}

static void init_view(void *message)
{
    lianban__v1__view_description__init(message);
}

static void init_response(void *message)
{
    lianban__v1__describe_response__init(message);
}

static lb_status describe_use(const struct lb_view_rule *rule, const struct lb_op_call *call,
                              struct lb_arena *arena, Lianban__V1__AllowedUse **out)
{
    Lianban__V1__AllowedUse *use = make(arena, sizeof(*use), init_use);
    LB_ENSURE(use != NULL, LB_NO_MEMORY, "arena is full");
    use->purpose = text(rule->purpose);
    use->dry_run = rule->dry_run;
    use->every_days = rule->event_days;
    use->n_triggers = rule->num_triggers;
    use->triggers = (char **)(uintptr_t)rule->triggers;
    use->operator_ = text(lb_op_name(call->op));
    use->n_args = call->num_args;
    use->args = (char **)(uintptr_t)call->args;
    use->bases = lb_arena_array(arena, LB_NUM_BASES, sizeof(char *));
    LB_ENSURE(use->bases != NULL, LB_NO_MEMORY, "arena is full");
    for (unsigned b = 0; b < LB_NUM_BASES; b++) {
        if ((rule->bases & 1U << b) != 0)
            use->bases[use->n_bases++] = text(lb_basis_name((enum lb_basis)b));
    }
    *out = use;
    return LB_OK;
}

/* OMIT stands alone in its rule. */
static bool leaves_out(const struct lb_view_rule *rule)
{
    return rule->operators[0].op == LB_OP_OMIT;
}

/* A field that every rule leaves out is not named either. */
static bool is_named(const struct lb_view_field *field)
{
    for (size_t r = 0; r < field->num_rules; r++)
        if (!leaves_out(&field->rules[r]))
            return true;
    return field->num_rules == 0;
}

static lb_status describe_field(const struct lb_view_field *field, struct lb_arena *arena,
                                Lianban__V1__FieldDescription **out)
{
    static const char *const classes[] = {"", "G1", "G2", "G3", "G4"};
    Lianban__V1__FieldDescription *wire = make(arena, sizeof(*wire), init_field);
    size_t num = 0;
    LB_ENSURE(wire != NULL, LB_NO_MEMORY, "arena is full");
    wire->field = text(field->name);
    wire->data_class = text(classes[field->data_class]);
    for (size_t r = 0; r < field->num_rules; r++)
        num += field->rules[r].num_operators;
    wire->uses = lb_arena_array(arena, num, sizeof(wire->uses[0]));
    LB_ENSURE(wire->uses != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t r = 0; r < field->num_rules; r++) {
        const struct lb_view_rule *rule = &field->rules[r];
        for (size_t o = 0; o < rule->num_operators && !leaves_out(rule); o++)
            LB_TRY(describe_use(rule, &rule->operators[o], arena, &wire->uses[wire->n_uses++]));
    }
    *out = wire;
    return LB_OK;
}

static lb_status describe_view(const struct lb_view *view, struct lb_arena *arena,
                               Lianban__V1__ViewDescription **out)
{
    Lianban__V1__ViewDescription *wire = make(arena, sizeof(*wire), init_view);
    LB_ENSURE(wire != NULL, LB_NO_MEMORY, "arena is full");
    wire->view = text(view->id);
    wire->version = view->version;
    wire->sha256 = lb_pb_bytes(lb_span_of(view->sha256, 32));
    wire->title_zh = text(view->title_zh);
    wire->title_en = text(view->title_en);
    wire->fields = lb_arena_array(arena, view->num_fields, sizeof(wire->fields[0]));
    LB_ENSURE(wire->fields != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t f = 0; f < view->num_fields; f++)
        if (is_named(&view->fields[f]))
            LB_TRY(describe_field(&view->fields[f], arena, &wire->fields[wire->n_fields++]));
    *out = wire;
    return LB_OK;
}

lb_status lb_serve_describe(struct lb_serve *serve, struct lb_arena *arena,
                            Lianban__V1__DescribeResponse **out)
{
    const struct lb_serve_policy *policy = serve->options.policy;
    Lianban__V1__DescribeResponse *wire = make(arena, sizeof(*wire), init_response);
    LB_ENSURE(wire != NULL, LB_NO_MEMORY, "arena is full");
    wire->adapter = text(serve->options.self);
    wire->rules_version = lb_rules_version(policy->rules);
    wire->views = lb_arena_array(arena, policy->num_views, sizeof(wire->views[0]));
    LB_ENSURE(wire->views != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t v = 0; v < policy->num_views; v++)
        LB_TRY(describe_view(policy->views[v], arena, &wire->views[wire->n_views++]));
    *out = wire;
    return LB_OK;
}
