#ifndef ADAPTERS_SERVE_INTAKE_PULL_H
#define ADAPTERS_SERVE_INTAKE_PULL_H

#include "adapters/serve/intake.h"
#include "adapters/serve/intake_states.h"
#include "lianban/v1/intake.pb-c.h"

/*
 * What the department takes out: a list, the oldest part with a lease, one part, and the word that
 * it has it. Whatever shows a person's data is an entry first, under that person's pseudonym.
 */
#define LB_INTAKE_LIST_MAX 100

/* A part as it is handed out. */
struct lb_intake_item {
    int64_t n;
    struct lb_span json;   /* in the arena */
    uint64_t index;        /* of the entry */
};

/* lb_intake_list gives at most LB_INTAKE_LIST_MAX of those behind a number; with `all` those too
 * that were acknowledged. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_intake_list(struct lb_intake *intake, int64_t after, bool all,
                                 struct lb_arena *arena, Lianban__V1__ListPartsResponse *out);

/* lb_intake_next hands the oldest part that waits and is nobody's to the clerk `by`, for the
 * policy's lease; of a department with a program only what that has given up. *out_found is false
 * when there is none. What lb_log_append_wait says. */
LB_MUST lb_status lb_intake_next(struct lb_intake *intake, const char *by, struct lb_arena *arena,
                                 struct lb_intake_item *out, bool *out_found);
/* lb_intake_show shows one with all that was said of it. PARCEL_UNKNOWN, also once its content was
 * emptied; what lb_log_append_wait says. */
LB_MUST lb_status lb_intake_show(struct lb_intake *intake, const char *by, int64_t n,
                                 struct lb_arena *arena, struct lb_intake_item *out);
/* lb_intake_ack says that the department has it: it is kept for the policy's keep_days from then
 * on. Once more is fine. PARCEL_UNKNOWN; what lb_log_append_wait says. */
LB_MUST lb_status lb_intake_ack(struct lb_intake *intake, const char *by, int64_t n,
                                uint64_t *out_index);

/* A part as the program is given it. */
struct lb_intake_taken {
    struct lb_intake_item item;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    Lianban__V1__Part__Kind kind;
    enum lb_intake_state state;
    int64_t about;   /* n of the submission; 0 for none */
    int64_t tries;   /* that failed */
};

/* lb_intake_take_for_program gives the oldest part that waits for the program, with its entry.
 * *out_found is false when there is none. lb_intake_tried records that the program failed over it,
 * and has the next try wait. What lb_log_append_wait says. */
LB_MUST lb_status lb_intake_take_for_program(struct lb_intake *intake, struct lb_arena *arena,
                                             struct lb_intake_taken *out, bool *out_found);
LB_MUST lb_status lb_intake_tried(struct lb_intake *intake, int64_t n, const char *why,
                                  int64_t wait_s);

#endif
