#include <string.h>

#include "adapters/serve/calendar.h"
#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/* Judgements about the subject: inner codes, seen only by requester and officer. PIPL 31: under 14
 * a guardian agrees. */

#define GUARDIAN_AGE 14

lb_status lb_read_subject(struct lb_read_job *job)
{
    struct lb_span stated = lb_span_str(job->plain->id_no);
    LB_TRY(lb_idno_normalise(stated, job->id_no));
    lb_hmac_sha256(lb_span_of(job->serve->options.pseudonym_key, 32), lb_span_str(job->id_no),
                   job->pseudonym);
    job->subject_known = true;

    uint8_t commitment[32];
    lb_subject_commitment(job->plain->salt.data, job->id_no, commitment);
    LB_ENSURE(lb_crypto_equal(lb_span_of(commitment, 32), lb_span_of(job->section.subject, 32)),
              LB_SUBJECT_MISMATCH, "grant is about another person");

    char today[LB_DATE_BYTES];
    lb_calendar_today(job->serve->options.clock, today);
    int age = 0;
    LB_TRY(lb_idno_age(lb_span_str(job->id_no), today, &age));
    LB_ENSURE(age >= GUARDIAN_AGE || job->section.guardian != NULL ||
                  job->basis == LB_BASIS_MANDATE,
              LB_GUARDIAN_NEEDED, "a child's section names no guardian");
    return LB_OK;
}
