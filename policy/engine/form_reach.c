#include "policy/engine/form_reach.h"

#include <string.h>

#include "policy/engine/form_search.h"

/*
 * An example is looked for among small households, in two steps: what the conditions must be for
 * the class to win, and facts that make them so. A proof looks at every household at once.
 */
#define NUM_ORDERS 6
#define MAX_SETTINGS 8         /* of conditions, for one make-up and order */
#define MAX_SETTING_STEPS 2000  /* looks for the facts of one setting */
#define MAX_PROOF_STEPS 20000

/* --- households to try --- */

static void add_people(struct form_ranges *ranges, size_t role, int64_t num)
{
    for (int64_t i = 0; i < num && ranges->num_people < LB_MAX_HOUSEHOLD; i++)
        ranges->people[ranges->num_people++] = (struct form_people){role, 1, 1};
}

/* The least household; then one of each further role beside it; then up to three of all. */
static bool make_up(struct form_ranges *ranges, size_t index)
{
    const struct lb_form *form = &ranges->form->form;
    size_t num_roles = form->num_roles;
    int64_t all = index < num_roles ? 0 : (int64_t)(index - num_roles) + 1;
    if (all > 3 || (num_roles == 1 && index > 0))
        return false;
    ranges->num_people = 0;
    int64_t owed = 0; /* to the roles that come yet */
    for (size_t r = 0; r < num_roles; r++)
        owed += form->roles[r].min;
    for (size_t r = 0; r < num_roles; r++) {
        const struct lb_form_role *role = &form->roles[r];
        int64_t room = LB_MAX_HOUSEHOLD - (int64_t)ranges->num_people - (owed -= role->min);
        int64_t num = all > role->min ? all : role->min;
        if (r > 0 && r == index)
            num++;
        num = num < role->max ? num : role->max;
        add_people(ranges, r, num < room ? num : room);
    }
    return true;
}

/* Every household at once: one applicant, and of each role as many as there may be. */
static void make_up_all(struct form_ranges *ranges)
{
    const struct lb_form *form = &ranges->form->form;
    ranges->num_people = form->num_roles;
    for (size_t r = 0; r < form->num_roles; r++)
        ranges->people[r] = (struct form_people){r, form->roles[r].min, form->roles[r].max};
}

/* --- an example --- */

static int64_t nearest_to_nothing(const struct lb_expr_range *range)
{
    if (range->min > 0)
        return range->min;
    return range->max < 0 ? range->max : 0;
}

static struct lb_fact fact_of(const struct lb_expr_range *range)
{
    struct lb_fact fact = {.state = LB_FACT_OK};
    if (range->kind == LB_EXPR_TRUTH && (range->yes || range->no)) {
        fact.kind = LB_FACT_TRUTH;
        fact.truth = !range->no;
    } else if (range->kind == LB_EXPR_NUMBER && range->known) {
        fact.kind = LB_FACT_NUMBER;
        fact.number = nearest_to_nothing(range);
    } else if (range->kind == LB_EXPR_TEXT && range->known) {
        fact.kind = LB_FACT_TEXT;
        fact.text = lb_span_str(range->text != NULL ? range->text : "other");
    }
    return fact;
}

static lb_status read_example(const struct form_ranges *ranges, struct lb_arena *arena,
                              struct lb_form_example *out)
{
    const struct lb_form_compiled *form = ranges->form;
    out->num_members = ranges->num_people;
    out->members = lb_arena_array(arena, ranges->num_people, sizeof(*out->members));
    out->totals = lb_arena_array(arena, form->form.num_shares, sizeof(*out->totals));
    LB_ENSURE(out->members != NULL && out->totals != NULL, LB_NO_MEMORY, "an example");
    for (size_t p = 0; p < ranges->num_people; p++) {
        struct lb_fact *facts =
            lb_arena_array(arena, form->form.num_facts, sizeof(*facts));
        LB_ENSURE(facts != NULL, LB_NO_MEMORY, "an example");
        for (size_t i = 0; i < form->form.num_facts; i++)
            if (lb_form_asks(&form->form.facts[i], ranges->people[p].role))
                facts[i] = fact_of(lb_form_ranges_at(ranges, p, i));
        out->members[p] = (struct lb_form_member){ranges->people[p].role, facts};
    }
    for (size_t i = 0; i < form->form.num_shares; i++)
        out->totals[i] = fact_of(lb_form_ranges_at(ranges, 0, lb_form_first_slot(form) + i));
    return LB_OK;
}

/* The engine itself has the last word. */
static lb_status confirm(const struct form_search *search, struct lb_arena *arena,
                         struct lb_form_example *out_example, bool *out_confirmed)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_form_compiled *form = search->ranges->form;
    struct lb_form_judgement judgement;
    const struct form_goal *goal = &search->goal;
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "an example");
    LB_TRY(read_example(search->ranges, arena, out_example));
    LB_TRY(lb_form_judge(form, out_example->members, out_example->num_members,
                         out_example->totals, scratch, &judgement));
    *out_confirmed = true;
    for (size_t i = 0; i < form->form.num_conditions; i++)
        *out_confirmed = *out_confirmed && (goal->want[i] == LB_UNKNOWN ||
                                            judgement.conditions[i] == goal->want[i]);
    for (size_t i = 0; i < goal->before; i++)
        *out_confirmed = *out_confirmed && judgement.classes[i] == LB_FALSE;
    if (goal->class_index < form->form.num_classes)
        *out_confirmed =
            *out_confirmed && judgement.classes[goal->class_index] == LB_TRUE;
    return LB_OK;
}

/* --- settings of conditions --- */

/* The conditions as they are before any of them is set, and how many settings may be tried yet. */
struct setting {
    struct form_search *search;
    struct lb_expr_range whole[LB_FORM_MAX_CONDITIONS];
    size_t left;
};

static void set_condition(const struct setting *setting, size_t condition, enum lb_truth want)
{
    struct lb_expr_range *range = &setting->search->ranges->conditions[condition];
    setting->search->goal.want[condition] = want;
    *range = setting->whole[condition];
    if (want != LB_UNKNOWN)
        *range = (struct lb_expr_range){
            .kind = LB_EXPR_TRUTH, .yes = want == LB_TRUE, .no = want == LB_FALSE};
}

/* The ranges of the conditions as set so far. */
static void show_setting(const struct setting *setting)
{
    const struct form_goal *goal = &setting->search->goal;
    for (size_t i = 0; i < setting->search->ranges->form->form.num_conditions; i++)
        set_condition(setting, i, goal->want[i]);
    lb_form_ranges_run_classes(setting->search->ranges);
}

/* A condition that is not set and decides about the goal's class or one before it; SIZE_MAX when
 * there is none. */
static size_t find_unset(const struct setting *setting)
{
    const struct form_search *search = setting->search;
    const struct lb_form_compiled *form = search->ranges->form;
    const struct form_goal *goal = &search->goal;
    for (size_t k = 0; k <= goal->before; k++) {
        size_t index = k == 0 ? goal->class_index : k - 1;
        if (index >= form->form.num_classes ||
            lb_expr_range_is_one(&search->ranges->classes[index]))
            continue;
        for (size_t i = 0; i < form->form.num_conditions; i++)
            if (goal->want[i] == LB_UNKNOWN && (setting->whole[i].yes || setting->whole[i].no) &&
                lb_expr_uses(form->whens[index].expr, i))
                return i;
    }
    return SIZE_MAX;
}

static void try_facts(struct setting *setting)
{
    if (setting->left == 0) {
        setting->search->cut_off = true;
        return;
    }
    setting->left--;
    lb_form_search(setting->search, MAX_SETTING_STEPS);
}

static void try_settings(struct setting *setting)
{
    struct form_search *search = setting->search;
    show_setting(setting);
    enum form_goal_state state = lb_form_goal_state(search);
    size_t unset = state == FORM_GOAL_OPEN ? find_unset(setting) : SIZE_MAX;
    if (state == FORM_GOAL_LOST)
        return;
    if (unset == SIZE_MAX) {
        try_facts(setting);
        return;
    }
    bool swapped = lb_form_search_draw(search);
    for (size_t i = 0; i < 2 && !search->found; i++) {
        bool yes = (i == 0) != swapped;
        if (yes ? !setting->whole[unset].yes : !setting->whole[unset].no)
            continue;
        search->goal.want[unset] = yes ? LB_TRUE : LB_FALSE;
        try_settings(setting);
        if (!search->found)
            search->goal.want[unset] = LB_UNKNOWN;
    }
}

/* Looks at the households of the make-up the ranges have. */
static void look_for_example(struct form_search *search, const struct form_goal *goal,
                             uint32_t order)
{
    const struct lb_form *form = &search->ranges->form->form;
    struct setting setting = {.search = search, .left = MAX_SETTINGS};
    search->goal = *goal;
    search->order = order;
    search->cut_off = search->found = false;
    lb_form_ranges_begin(search->ranges, true);
    lb_form_ranges_run(search->ranges);
    memcpy(setting.whole, search->ranges->conditions,
           form->num_conditions * sizeof(setting.whole[0]));
    try_settings(&setting);
}

static lb_status reach(struct lb_form_compiled *form, const struct form_goal *goal,
                       struct lb_arena *arena, enum lb_form_reach *out_reach,
                       struct lb_form_example *out_example)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct form_search search = {.goal = *goal};
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "a search");
    LB_TRY(lb_form_ranges_new(form, scratch, &search.ranges));
    for (size_t i = 0; make_up(search.ranges, i / NUM_ORDERS); i++) {
        bool confirmed = false;
        if (i % NUM_ORDERS > 0 && !search.cut_off)
            continue; /* looked at whole already */
        look_for_example(&search, goal, (uint32_t)(i % NUM_ORDERS));
        if (search.found)
            LB_TRY(confirm(&search, arena, out_example, &confirmed));
        *out_reach = LB_REACH_YES;
        if (confirmed)
            return LB_OK;
    }
    make_up_all(search.ranges);
    lb_form_ranges_begin(search.ranges, true);
    lb_form_ranges_freeze(search.ranges);
    search.goal = *goal;
    search.order = 0;
    search.cut_off = false;
    lb_form_search(&search, MAX_PROOF_STEPS);
    *out_reach = search.found || search.cut_off ? LB_REACH_UNDECIDED : LB_REACH_NEVER;
    return LB_OK;
}

static struct form_goal goal_of(size_t class_index, size_t before)
{
    struct form_goal goal = {.class_index = class_index, .before = before};
    for (size_t i = 0; i < LB_FORM_MAX_CONDITIONS; i++)
        goal.want[i] = LB_UNKNOWN;
    return goal;
}

lb_status lb_form_reach_class(struct lb_form_compiled *form, size_t class_index,
                              struct lb_arena *arena, enum lb_form_reach *out_reach,
                              struct lb_form_example *out_example)
{
    const struct form_goal goal = goal_of(class_index, class_index);
    return reach(form, &goal, arena, out_reach, out_example);
}

lb_status lb_form_reach_after(struct lb_form_compiled *form, size_t class_index, size_t before,
                              struct lb_arena *arena, enum lb_form_reach *out_reach)
{
    const struct form_goal goal = goal_of(class_index, before);
    struct lb_form_example example;
    return reach(form, &goal, arena, out_reach, &example);
}

lb_status lb_form_reach_condition(struct lb_form_compiled *form, size_t condition,
                                  struct lb_arena *arena, enum lb_form_reach *out_reach)
{
    struct form_goal goal = goal_of(SIZE_MAX, 0);
    struct lb_form_example example;
    goal.want[condition] = LB_TRUE;
    return reach(form, &goal, arena, out_reach, &example);
}

/* With nothing known only what holds anyway is TRUE; the household's size is always known. */
lb_status lb_form_always_holds(struct lb_form_compiled *form, size_t condition,
                               bool *out_always)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct form_ranges *ranges;
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "a search");
    LB_TRY(lb_form_ranges_new(form, scratch, &ranges));
    make_up_all(ranges);
    lb_form_ranges_begin(ranges, false);
    struct lb_expr_range size = *lb_form_ranges_at(ranges, 0, form->num_names - 1);
    *out_always = true;
    for (int64_t n = size.min; n <= size.max && *out_always; n++) {
        struct lb_expr_range one = size;
        one.min = one.max = n;
        lb_form_ranges_share(ranges, form->num_names - 1, one);
        lb_form_ranges_run(ranges);
        const struct lb_expr_range *range = &ranges->conditions[condition];
        *out_always = range->yes && !range->no && !range->unknown;
    }
    return LB_OK;
}
