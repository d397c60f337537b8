#ifndef GATEWAY_WINDOW_CORRECTIONS_H
#define GATEWAY_WINDOW_CORRECTIONS_H

#include "gateway/window/parts_inside.h"

/*
 * Inside gateway/window: citizens' requests that a department correct what it said (PIPL 46). A
 * request is a CORRECTION record and a parcel to that department; what the department answers comes
 * as a word, and is an ANSWER record behind it. Nothing of the case is rewritten for that. Under
 * the case's lock.
 *
 *   WAITING   --its day has passed-->                       OVERDUE, which still takes the answer
 *   WAITING   --forwarded to another department-->          FORWARDED, which is answered for it
 *   these     --an ANSWER record says so-->                 CORRECTED | KEPT
 */
enum lb_correction_state {
    LB_CORRECTION_WAITING,
    LB_CORRECTION_OVERDUE,
    LB_CORRECTION_FORWARDED,
    LB_CORRECTION_CORRECTED,
    LB_CORRECTION_KEPT
};

#define LB_CORRECTIONS_MAX 16U        /* requests of one case */
#define LB_CORRECTION_MAX_ANSWERS 4U  /* of a department to one request that become records */

/* --- corrections.c: as the records have them --- */

/* lb_correction_state_of tells it of a CORRECTION record, now; lb_correction_state_name is its
 * word. lb_correction_over says whether its answer is final. */
enum lb_correction_state lb_correction_state_of(const struct lb_window_case *entry, size_t number);
const char *lb_correction_state_name(enum lb_correction_state state);
bool lb_correction_over(const struct lb_window_case *entry, size_t number);
/* lb_correction_due is the department's last day; false where nobody knows it. */
bool lb_correction_due(const struct lb_window_case *entry, size_t number, struct lb_deadline *out);

/* lb_correction_of finds the request about a member's fact that is not over yet, and
 * lb_correction_answer the newest answer to a request; 0 for none. */
size_t lb_correction_of(const struct lb_window_case *entry, size_t member, const char *fact);
size_t lb_correction_answer(const struct lb_window_case *entry, size_t number);
/* lb_correction_says compares what a request says, but for its time. */
bool lb_correction_says(const struct lb_case_record *record, struct lb_span said);
/* lb_correction_behind is the newest ANSWER by which a department corrected what the case was
 * judged by, when nobody has decided since; 0 for none. */
size_t lb_correction_behind(const struct lb_window_case *entry);

/* lb_corrections_count counts those that are not over, and those of them past their day. */
void lb_corrections_count(const struct lb_window_case *entry, uint32_t *out_open,
                          uint32_t *out_overdue);
/* lb_corrections_write lists all of a case; NO_MEMORY, what the store says. */
LB_MUST lb_status lb_corrections_write(const struct lb_window_case *entry, struct lb_arena *arena,
                                       Lianban__V1__CaseCorrection ***out, size_t *out_num);

/* --- correction_post.c: on their way --- */

/* lb_correction_name is the name of a request's parcel, which follows from its record. */
void lb_correction_name(const struct lb_window_case *entry, size_t number,
                        uint8_t out[LB_PARCEL_NAME_BYTES]);
/* lb_corrections_post makes the parcels that are missing: of requests, and behind submissions that
 * have a fact which was corrected since. What there is stays as it is. What
 * lb_window_operators_token says of who asked; TOO_LARGE, what the store says. */
LB_MUST lb_status lb_corrections_post(struct lb_window_case *entry);
/* lb_corrections_retry sends off again what is dead, and says in *out_any whether anything was. */
LB_MUST lb_status lb_corrections_retry(struct lb_window_case *entry, bool *out_any);

/* --- correction_answer.c: what departments answer --- */

/* lb_correction_word_check judges whether a word's outcome is one of a request, or of a submission.
 * MALFORMED. */
LB_MUST lb_status lb_correction_word_check(const Lianban__V1__Word *word, bool of_request);
/* lb_corrections_catch_up makes records of answers that are on disk, and posts what is missing; it
 * takes the case's locks. BUSY while somebody else has the case; LB_OK when it is gone. */
LB_MUST lb_status lb_corrections_catch_up(struct lb_window *window, const char *case_id);
/* lb_corrections_catch_up_all does so for every case, after a start. */
LB_MUST lb_status lb_corrections_catch_up_all(struct lb_window *window);

#endif
