#include <string.h>

#include "adapters/serve/calendar.h"
#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/* Judgements about the subject: inner codes, seen only by requester and officer. PIPL 31: under 14
 * a guardian agrees, and to separate consent for any minor. All of them are made whatever the first
 * one says, and who is refused is replaced by nobody, for whom the database is asked all the same:
 * time must not tell. */

#define GUARDIAN_AGE 14
#define ID_CHARACTERS 18
#define ADULT_AGE 18

/* Nobody agrees to a mandate or an emergency, and a near relative has agreed for the dead. */
static bool needs_guardian(const struct lb_read_job *job, int age)
{
    if (job->basis == LB_BASIS_MANDATE || job->basis == LB_BASIS_EMERGENCY ||
        job->section.guardian != NULL || job->section.relative != NULL)
        return false;
    return age < GUARDIAN_AGE || (age < ADULT_AGE && job->basis == LB_BASIS_SEPARATE_CONSENT);
}

/* A number nobody has, because its check character is wrong, beside the one stated: the database
 * looks in the same place and finds nothing. */
static void make_nobody(const char stated[19], char out[19])
{
    memcpy(out, stated, ID_CHARACTERS + 1);
    out[ID_CHARACTERS - 1] = stated[ID_CHARACTERS - 1] == '0' ? '1' : '0';
}

/* Gives the person stated, or, for what is no identity number, any number that depends on the
 * text. Officers can still tell that the same one was tried again. */
static lb_status read_stated(const struct lb_read_job *job, char out[19])
{
    struct lb_span stated = lb_span_str(job->plain->id_no);
    struct lb_span shown = lb_span_of(stated.ptr, stated.len < 64 ? stated.len : 64);
    struct lb_epoch_names names;
    char read[19] = {0};
    lb_status status = lb_idno_normalise(stated, read);
    lb_serve_epochs_names(job->serve->epochs, shown, &names);
    for (size_t i = 0; i < ID_CHARACTERS; i++)
        out[i] = status == LB_OK ? read[i] : (char)('0' + names.names[0][i] % 10);
    out[ID_CHARACTERS] = 0;
    return status;
}

static lb_status check_commitment(const struct lb_read_job *job, const char id_no[19])
{
    uint8_t commitment[32];
    lb_subject_commitment(job->plain->salt.data, id_no, commitment);
    LB_ENSURE(lb_crypto_equal(lb_span_of(commitment, 32), lb_span_of(job->section.subject, 32)),
              LB_SUBJECT_MISMATCH, "grant is about another person");
    return LB_OK;
}

static lb_status check_guardian(const struct lb_read_job *job, const char id_no[19])
{
    char today[LB_DATE_BYTES];
    lb_calendar_today(job->serve->options.clock, today);
    int age = 0;
    LB_TRY(lb_idno_age(lb_span_str(id_no), today, &age));
    LB_ENSURE(!needs_guardian(job, age), LB_GUARDIAN_NEEDED,
              "a minor's section names no guardian");
    return LB_OK;
}

lb_status lb_read_subject(struct lb_read_job *job)
{
    char nobody[19];
    lb_status refused = read_stated(job, job->stated);
    lb_status mismatch = check_commitment(job, job->stated);
    lb_status guardian = check_guardian(job, job->stated);
    make_nobody(job->stated, nobody);
    lb_serve_epochs_names(job->serve->epochs, lb_span_str(job->stated), &job->names);
    job->subject_known = true;
    if (refused == LB_OK)
        refused = mismatch != LB_OK ? mismatch : guardian;
    memcpy(job->id_no, refused == LB_OK ? job->stated : nobody, sizeof(job->id_no));
    return refused;
}
