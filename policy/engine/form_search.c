#include "policy/engine/form_search.h"

/*
 * A search looks at a household of ranges. What is out of range of the goal is left; where the goal
 * is certain, any values of the ranges are an example; else one range that matters is cut, and its
 * parts are looked at.
 */
#define MAX_DEPTH 2000

/* Where a range stands: one person's fact, or what is the same for all. */
struct place {
    size_t people;
    size_t name;
};

/* --- the goal --- */

static bool is_only(const struct lb_expr_range *range, bool truth)
{
    return !range->unknown && range->yes == truth && range->no == !truth;
}

static bool can_win(const struct form_search *search)
{
    const struct form_ranges *ranges = search->ranges;
    size_t won = search->goal.class_index;
    if (won == SIZE_MAX)
        return true;
    for (size_t i = 0; i < search->goal.before; i++)
        if (!ranges->classes[i].no)
            return false;
    return won == ranges->form->form.num_classes || ranges->classes[won].yes;
}

static bool has_won(const struct form_search *search)
{
    const struct form_ranges *ranges = search->ranges;
    size_t won = search->goal.class_index;
    if (won == SIZE_MAX)
        return true;
    for (size_t i = 0; i < search->goal.before; i++)
        if (!is_only(&ranges->classes[i], false))
            return false;
    return won == ranges->form->form.num_classes || is_only(&ranges->classes[won], true);
}

static bool is_possible(const struct form_search *search)
{
    const struct form_ranges *ranges = search->ranges;
    for (size_t i = 0; i < ranges->form->form.num_conditions; i++) {
        enum lb_truth want = search->goal.want[i];
        if ((want == LB_TRUE && !ranges->conditions[i].yes) ||
            (want == LB_FALSE && !ranges->conditions[i].no))
            return false;
    }
    return can_win(search);
}

/* Whether a condition is still to become what is wanted. */
static bool is_owed(const struct form_search *search, size_t condition)
{
    enum lb_truth want = search->goal.want[condition];
    return want != LB_UNKNOWN &&
           !is_only(&search->ranges->conditions[condition], want == LB_TRUE);
}

static bool is_certain(const struct form_search *search)
{
    for (size_t i = 0; i < search->ranges->form->form.num_conditions; i++)
        if (is_owed(search, i))
            return false;
    return has_won(search);
}

enum form_goal_state lb_form_goal_state(const struct form_search *search)
{
    if (!can_win(search))
        return FORM_GOAL_LOST;
    return has_won(search) ? FORM_GOAL_WON : FORM_GOAL_OPEN;
}

/* --- which range to cut --- */

/* What is smallest is cut first: it ends soonest, and says most. */
struct choice {
    const struct form_search *search;
    struct place place;
    uint64_t width;   /* 0: none yet */
    bool seen[LB_FORM_MAX_VALUES];
};

static uint64_t width_of(const struct form_ranges *ranges, const struct lb_expr_range *range)
{
    if (range->kind == LB_EXPR_NUMBER)
        return (uint64_t)range->max - (uint64_t)range->min;
    return range->kind == LB_EXPR_TEXT ? ranges->num_texts : 1;
}

static void consider(struct choice *choice, size_t people, size_t name)
{
    const struct lb_expr_range *range =
        lb_form_ranges_at(choice->search->ranges, people, name);
    uint64_t width = width_of(choice->search->ranges, range);
    if (lb_expr_range_is_one(range) || (choice->width != 0 && choice->width <= width))
        return;
    choice->place = (struct place){people, name};
    choice->width = width;
}

static void look_into(struct choice *choice, const struct lb_expr *expr, size_t first);

/* The facts of a household value and what stands in it besides; or itself, where it is cut. */
static void look_into_value(struct choice *choice, size_t index)
{
    const struct form_ranges *ranges = choice->search->ranges;
    const struct lb_form_compiled *form = ranges->form;
    const struct form_value *value = &form->values[index];
    size_t name = lb_form_first_value(form) + index;
    size_t num = value->fold == FOLD_APPLICANT ? 1 : ranges->num_people;
    if (choice->seen[index] || lb_expr_range_is_one(lb_form_ranges_at(ranges, 0, name)))
        return;
    choice->seen[index] = true;
    if (ranges->frozen && lb_form_ranges_rests_on_facts(ranges, index)) {
        consider(choice, 0, name);
        return;
    }
    for (size_t p = 0; p < num; p++)
        for (size_t i = 0; i < form->form.num_facts; i++)
            if (lb_expr_uses(value->expr, i))
                consider(choice, p, i);
    look_into(choice, value->expr, 0);
}

/* Slots, the size and household values; `first` is the place of the expression's first name. */
static void look_into(struct choice *choice, const struct lb_expr *expr, size_t first)
{
    const struct lb_form_compiled *form = choice->search->ranges->form;
    size_t first_value = lb_form_first_value(form);
    for (size_t name = lb_form_first_slot(form); name < form->num_names; name++) {
        if (!lb_expr_uses(expr, name - first))
            continue;
        if (name >= first_value && name + 1 < form->num_names)
            look_into_value(choice, name - first_value);
        else
            consider(choice, 0, name);
    }
}

static void look_into_condition(struct choice *choice, size_t condition)
{
    const struct form_ranges *ranges = choice->search->ranges;
    if (!lb_expr_range_is_one(&ranges->conditions[condition]))
        look_into(choice, ranges->form->tests[condition].expr, ranges->form->form.num_facts);
}

static void look_into_class(struct choice *choice, size_t index)
{
    const struct form_ranges *ranges = choice->search->ranges;
    if (lb_expr_range_is_one(&ranges->classes[index]))
        return;
    for (size_t i = 0; i < ranges->form->form.num_conditions; i++)
        if (lb_expr_uses(ranges->form->whens[index].expr, i))
            look_into_condition(choice, i);
}

/* What is wanted of conditions comes first; then the class that is to win, then those before it. */
static bool find_place(const struct form_search *search, struct place *out)
{
    const struct form_goal *goal = &search->goal;
    const struct lb_form *form = &search->ranges->form->form;
    struct choice choice = {.search = search};
    for (size_t i = 0; i < form->num_conditions; i++)
        if (is_owed(search, i))
            look_into_condition(&choice, i);
    if (choice.width == 0 && goal->class_index < form->num_classes)
        look_into_class(&choice, goal->class_index);
    for (size_t i = 0; i < goal->before && choice.width == 0; i++)
        look_into_class(&choice, i);
    *out = choice.place;
    return choice.width != 0;
}

/* --- the search --- */

static void put(const struct form_search *search, const struct place *place,
                struct lb_expr_range range)
{
    if (place->name >= search->ranges->form->form.num_facts)
        lb_form_ranges_share(search->ranges, place->name, range);
    else
        *lb_form_ranges_at(search->ranges, place->people, place->name) = range;
}

bool lb_form_search_draw(struct form_search *search)
{
    if (search->order < 2)
        return search->order == 1;
    search->order = search->order * 1664525U + 1013904223U;
    return (search->order >> 31 & 1U) != 0;
}

static void look(struct form_search *search, size_t depth)
{
    struct place place;
    struct lb_expr_range part;
    if (search->steps_left == 0 || depth == MAX_DEPTH) {
        search->cut_off = true;
        return;
    }
    search->steps_left--;
    lb_form_ranges_run(search->ranges);
    if (!is_possible(search))
        return;
    search->found = is_certain(search);
    if (search->found)
        return;
    if (!find_place(search, &place)) {
        search->cut_off = true;
        return;
    }
    struct lb_expr_range whole = *lb_form_ranges_at(search->ranges, place.people, place.name);
    bool swapped = lb_form_search_draw(search);
    for (size_t i = 0; lb_form_ranges_cut(search->ranges, &whole, swapped, i, &part); i++) {
        put(search, &place, part);
        look(search, depth + 1);
        if (search->found || search->steps_left == 0)
            break;
    }
    if (!search->found)
        put(search, &place, whole);
}

void lb_form_search(struct form_search *search, size_t max_steps)
{
    search->steps_left = max_steps;
    search->found = false;
    look(search, 0);
}
