#ifndef GATEWAY_WINDOW_ACT_H
#define GATEWAY_WINDOW_ACT_H

#include "gateway/window/inside.h"

/*
 * Inside gateway/window: what an operator does to a case that was judged. The operator is admitted
 * as who opens a case is; the case rests meanwhile: it is held, both its locks are taken, and
 * nothing collects or closes it.
 */
struct lb_act {
    struct lb_window *window;
    struct lb_window_case *entry;
    bool locked;
    struct lb_register_entry who;
    struct lb_arena *arena;          /* the caller's */
    struct lb_buf body;              /* of the record that is being made */
};

/* What is asked, before anything is known of it. */
struct lb_act_request {
    const char *method;              /* of the service, which the device's proof names */
    const char *case_id;
    const Lianban__V1__CaseActor *actor;
    const struct lb_span *values;    /* the request's, in the order of their field numbers */
    size_t num_values;
};

/* lb_act_begin admits the operator and takes the case. CASE_UNKNOWN; CASE_STATE when it collects or
 * was never judged; MALFORMED without an operator; what lb_window_operators_admit says; TOO_LARGE
 * when the case has had too many acts; what judging says that a crash had put off. Always ended by
 * lb_act_end, which fits LB_DEFER. */
LB_MUST lb_status lb_act_begin(struct lb_window *window, const struct lb_act_request *request,
                               struct lb_arena *arena, struct lb_act *act);
void lb_act_end(struct lb_act *act);

/* lb_act_line adds a line to the record's body; MALFORMED when the value is no single readable line
 * of at most max_bytes. lb_act_sign adds who it was. */
LB_MUST lb_status lb_act_line(struct lb_act *act, const char *key, const char *value,
                              size_t max_bytes);
void lb_act_sign(struct lb_act *act);

/* lb_act_again says whether a record says just what this act's would: the request was repeated. */
bool lb_act_again(const struct lb_act *act, size_t number);

/* lb_act_record makes the record and keeps the case; lb_act_judge judges the case anew, keeps it
 * and tells listeners. */
LB_MUST lb_status lb_act_record(struct lb_act *act, enum lb_record_kind kind, size_t follows);
LB_MUST lb_status lb_act_judge(struct lb_act *act);

/* lb_act_answer writes the answer: a record, and the case as it stands now. */
LB_MUST lb_status lb_act_answer(struct lb_act *act, size_t number,
                                Lianban__V1__ActResponse **out);

/* lb_act_fact finds a fact of the form that was asked of a member; MALFORMED. */
LB_MUST lb_status lb_act_fact(const struct lb_act *act, uint32_t member, const char *fact,
                              size_t *out_fact);

/* lb_record_message writes a record as the service hands it out; NO_MEMORY. */
LB_MUST lb_status lb_record_message(const struct lb_window_case *entry, size_t number,
                                    struct lb_arena *arena, Lianban__V1__CaseRecord **out);

#endif
