#ifndef POLICY_ENGINE_FORM_RANGES_H
#define POLICY_ENGINE_FORM_RANGES_H

#include "gateway/store/expr_range.h"
#include "policy/engine/form_internal.h"

/*
 * A form's rules reckoned with ranges in place of values: all that a household of some people could
 * come to at once (expr_range.h). Inside policy/engine.
 */

/* So many people of one role, of whom nothing is said but the ranges of their facts. */
struct form_people {
    size_t role;
    int64_t min;
    int64_t max;
};

struct form_ranges {
    struct lb_form_compiled *form;
    size_t num_people;
    struct form_people people[LB_MAX_HOUSEHOLD]; /* the applicant first */
    struct lb_expr_range *rows;        /* one row of the form's names for each */
    struct lb_expr_range *conditions;
    struct lb_expr_range *classes;
    bool frozen;                       /* see lb_form_ranges_freeze */
    size_t num_texts;                  /* texts that stand in the rules */
    const char **texts;
    size_t num_marks;                  /* values of thresholds in the rules, rising */
    int64_t *marks;
};

/* lb_form_ranges_new makes room and collects texts and marks. CONFIG_INVALID without a rule set;
 * NO_MEMORY. */
LB_MUST lb_status lb_form_ranges_new(struct lb_form_compiled *form, struct lb_arena *arena,
                                     struct form_ranges **out_ranges);

/* lb_form_ranges_begin sets every fact, slot and the household's size to all that they can be. With
 * `known` facts and slots are known: what holds with something unknown holds with everything known
 * as well, since no rule makes a value of UNKNOWN. Otherwise nothing that is asked is known. */
void lb_form_ranges_begin(struct form_ranges *ranges, bool known);

/* lb_form_ranges_at is the range of a name (form_internal.h) for one entry of `people`. */
struct lb_expr_range *lb_form_ranges_at(const struct form_ranges *ranges, size_t people,
                                        size_t name);
/* lb_form_ranges_share sets a slot's or the household size's range for everybody. */
void lb_form_ranges_share(struct form_ranges *ranges, size_t name, struct lb_expr_range range);

/* lb_form_ranges_freeze makes what stands for all households: it narrows each household value that
 * rests on facts to what it can be, whoever answers what, and lets lb_form_ranges_run leave it
 * there; such values may then be cut like facts, as if they had nothing to do with each other. */
void lb_form_ranges_freeze(struct form_ranges *ranges);
/* lb_form_ranges_rests_on_facts says whether a household value is such a one. */
bool lb_form_ranges_rests_on_facts(const struct form_ranges *ranges, size_t value);

/* lb_form_ranges_cut gives the part-th part of a range that is known and not one; false when there
 * are no more parts. All parts make the whole. Numbers are cut at 0, then at the marks, then
 * anywhere; what is nearer to nothing goes first, except that `swapped` has the two parts of a
 * truth, and those beside a mark, the other way round. */
bool lb_form_ranges_cut(const struct form_ranges *ranges, const struct lb_expr_range *whole,
                        bool swapped, size_t part, struct lb_expr_range *out);

/* lb_form_ranges_run reckons the household values, conditions and classes, and _run_classes the
 * classes alone, by the conditions as they are. */
void lb_form_ranges_run(struct form_ranges *ranges);
void lb_form_ranges_run_classes(struct form_ranges *ranges);

#endif
