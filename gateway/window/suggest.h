#ifndef GATEWAY_WINDOW_SUGGEST_H
#define GATEWAY_WINDOW_SUGGEST_H

#include "gateway/window/inside.h"

/* Inside gateway/window: the record of what the rules suggest. */
struct lb_suggestion {
    const char *class_id;                 /* of the form, or MANUAL */
    const enum lb_truth *conditions;      /* one per condition of the form */
    const struct lb_form_sum *amounts;    /* one per amount of the form */
    const struct lb_form_member *members; /* what was judged by */
    const struct lb_fact *totals;
};

/* lb_suggest records a suggestion, unless the newest one says the same of the same facts. Under the
 * case's lock; statuses of lb_records_append. */
LB_MUST lb_status lb_suggest(struct lb_window_case *entry, const struct lb_suggestion *suggestion);

/* lb_truth_name is TRUE, FALSE or UNKNOWN. */
const char *lb_truth_name(enum lb_truth truth);

#endif
