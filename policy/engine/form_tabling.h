#ifndef POLICY_ENGINE_FORM_TABLING_H
#define POLICY_ENGINE_FORM_TABLING_H

#include "gateway/base/buf.h"
#include "policy/engine/form_ranges.h"
#include "policy/engine/form_reach.h"

/* What the parts of lb_form_table share. Inside policy/engine. */
struct form_tabling {
    struct lb_form_compiled *form;
    struct form_ranges *ranges;
    struct lb_arena *arena;
    struct lb_buf *out;
};

/* lb_form_table_answers prints what follows from each answer of the example of a class. Statuses as
 * lb_form_table. */
LB_MUST lb_status lb_form_table_answers(struct form_tabling *tabling, size_t class_index,
                                        const struct lb_form_example *example);

/* lb_form_class_id is a class's id, of `otherwise` past the others. */
const char *lb_form_class_id(const struct lb_form *form, size_t index);

#endif
