#ifndef GATEWAY_WINDOW_CASEWORK_H
#define GATEWAY_WINDOW_CASEWORK_H

#include "gateway/window/window.h"

/*
 * What persons do with a case: results are suggestions (PIPL 24), and a person decides, with
 * reasons (Social Assistance Law 45). Each act is a signed record, in the evidence log before it
 * stands; the same act asked again makes no second record.
 *
 * Who acts is admitted as who opens a case is. Common to all acts: CASE_UNKNOWN; CASE_STATE when
 * the case collects or was never judged; MALFORMED for values out of place, too long, or with
 * control characters; BADGE_UNKNOWN, BADGE_SUSPENDED, BADGE_EXPIRED, DEVICE_UNPROVEN; TOO_LARGE
 * when the case has had too many; LOG_UNAVAILABLE and the like, when nothing was done.
 */

/* lb_window_list gives a page of the cases, the oldest first, as a filter has them. MALFORMED for a
 * state, turn or place that there is not. */
LB_MUST lb_status lb_window_list(struct lb_window *window,
                                 const Lianban__V1__ListCasesRequest *request,
                                 struct lb_arena *arena, Lianban__V1__ListCasesResponse **out);

/* lb_window_add_fact adds a fact that no department answered, and judges anew. FACT_ANSWERED when
 * one has; PART_REFUSED when the citizen keeps it back. */
LB_MUST lb_status lb_window_add_fact(struct lb_window *window,
                                     const Lianban__V1__AddFactRequest *request,
                                     struct lb_arena *arena, Lianban__V1__ActResponse **out);

/* lb_window_hear notes what the person said to what is suggested. */
LB_MUST lb_status lb_window_hear(struct lb_window *window,
                                 const Lianban__V1__RecordHearingRequest *request,
                                 struct lb_arena *arena, Lianban__V1__ActResponse **out);

/* lb_window_decide notes a decision upon the newest suggestion. CASE_STATE when the case was judged
 * anew or decided since, unless the request says what it replaces; OTHER_DECIDER when this operator
 * added a fact that stands; NOT_HEARD for a refusal, or less than is suggested, when the person was
 * not heard upon that suggestion. */
LB_MUST lb_status lb_window_decide(struct lb_window *window,
                                   const Lianban__V1__DecideCaseRequest *request,
                                   struct lb_arena *arena, Lianban__V1__ActResponse **out);

/* lb_window_request_correction notes what the citizen holds to be wrong in what a department said
 * of a fact, and sends it to that department; CASE_STATE when a request about it is open, TOO_LARGE
 * when the case has had too many. lb_window_close_correction notes an answer that came by another
 * way; CASE_STATE when there is another already. */
LB_MUST lb_status lb_window_request_correction(
    struct lb_window *window, const Lianban__V1__RequestCorrectionRequest *request,
    struct lb_arena *arena, Lianban__V1__ActResponse **out);
LB_MUST lb_status lb_window_close_correction(struct lb_window *window,
                                             const Lianban__V1__CloseCorrectionRequest *request,
                                             struct lb_arena *arena,
                                             Lianban__V1__ActResponse **out);

/* lb_window_records gives the records behind a number, as many as fit. CASE_UNKNOWN. */
LB_MUST lb_status lb_window_records(struct lb_window *window,
                                    const Lianban__V1__GetRecordsRequest *request,
                                    struct lb_arena *arena,
                                    Lianban__V1__GetRecordsResponse **out);

/* lb_window_letter writes the letter that tells the citizen the newest decision, or a department's
 * answer to a request for a correction. CASE_UNKNOWN; CASE_STATE before there is one; MALFORMED for
 * another language or variant, and for what is no such request. */
LB_MUST lb_status lb_window_letter(struct lb_window *window,
                                   const Lianban__V1__GetLetterRequest *request,
                                   struct lb_arena *arena, Lianban__V1__GetLetterResponse **out);

/* lb_window_figures gives a past month's figures over closed cases, small cells left out.
 * MALFORMED for what is no month that is over. */
LB_MUST lb_status lb_window_figures(struct lb_window *window,
                                    const Lianban__V1__GetFiguresRequest *request,
                                    struct lb_arena *arena,
                                    Lianban__V1__GetFiguresResponse **out);

#endif
