#ifndef ADAPTERS_SERVE_INTAKE_SAY_H
#define ADAPTERS_SERVE_INTAKE_SAY_H

#include "adapters/serve/intake.h"

/*
 * What the department says of a submission: a word, durable in one transaction with its entry and
 * with the submission's new state (intake_states.h). It is sealed and sent from then on until the
 * agent has it (intake_post.h).
 */
struct lb_intake_saying {
    int64_t n;                           /* of the submission */
    const char *by;                      /* SPIFFE id of the clerk, or "program" */
    const Lianban__V1__Word *word;       /* kind, reference, outcome, texts, law, until */
    bool ack;                            /* the submission was taken out with it */
};

/* lb_intake_word_check judges a word by itself: one of a signal says nothing besides, but that
 * APPLIED may have a reference; ACCEPTED has a reference; RETURNED says why and by
 * which law; SUPPLEMENT_WANTED says what, and until when; DECIDED has an outcome, and a refusal
 * says why and by which law; CORRECTED says what was wrong. Every text is one line within its
 * bound. MALFORMED; pure. */
LB_MUST lb_status lb_intake_word_check(const Lianban__V1__Word *word);

/* lb_intake_say says it; the very same as the last word once more changes nothing. out_number is
 * its number among the words about the submission, out_index its entry. MALFORMED; PARCEL_UNKNOWN
 * for no submission of that number; CASE_STATE when it may not be said now; what
 * lb_log_append_wait says. */
LB_MUST lb_status lb_intake_say(struct lb_intake *intake, const struct lb_intake_saying *saying,
                                int64_t *out_number, uint64_t *out_index);

#endif
