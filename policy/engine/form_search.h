#ifndef POLICY_ENGINE_FORM_SEARCH_H
#define POLICY_ENGINE_FORM_SEARCH_H

#include "policy/engine/form_ranges.h"

/* The search of form_reach.h for facts under which a form comes to something. Inside
 * policy/engine. */

/* A class is to be TRUE after `before` classes are FALSE, and conditions are to be what is wanted
 * of them. */
struct form_goal {
    size_t class_index;  /* num_classes: none, those before it FALSE; SIZE_MAX: no class matters */
    size_t before;
    enum lb_truth want[LB_FORM_MAX_CONDITIONS];  /* UNKNOWN: anything */
};

struct form_search {
    struct form_ranges *ranges;
    struct form_goal goal;
    uint32_t order;      /* 0 and 1: parts as they are cut, or always swapped; else what is drawn
                          * next */
    size_t steps_left;
    bool cut_off;        /* something was left that may have the goal */
    bool found;
};

/* lb_form_search looks at most max_steps times below the ranges as they are, and adds to cut_off.
 * When it finds the goal the ranges are left where every value of theirs has it; else they are as
 * they were. */
void lb_form_search(struct form_search *search, size_t max_steps);

/* lb_form_search_draw is a bit after the other by the order: the same each time. */
bool lb_form_search_draw(struct form_search *search);

enum form_goal_state { FORM_GOAL_LOST, FORM_GOAL_OPEN, FORM_GOAL_WON };

/* lb_form_goal_state says what the classes, as their ranges are, mean for the goal. */
enum form_goal_state lb_form_goal_state(const struct form_search *search);

#endif
