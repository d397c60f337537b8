#include "adapters/serve/intake_part.h"

#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/seal/parcel.h"
#include "policy/engine/date.h"
#include "policy/engine/idno.h"

/* A line that may be missing. */
static bool is_line(const char *text, size_t max_bytes)
{
    return text[0] == 0 || lb_utf8_line(text, max_bytes);
}

static bool is_name(const char *text)
{
    return lb_utf8_line(text, LB_MAX_NAME_BYTES);
}

/* Whom to reach, and by when: whatever says more of the person is refused. */
static lb_status check_signal(const Lianban__V1__Part *part)
{
    LB_ENSURE(strcmp(part->class_id, "CANDIDATE") == 0, LB_MALFORMED, "a signal of no candidate");
    LB_ENSURE(part->n_people == 1 && part->n_facts == 0 && part->n_papers == 0 &&
                  part->note[0] == 0 && part->decided_class[0] == 0 &&
                  part->decided_reason[0] == 0 && !part->emergency,
              LB_MALFORMED, "a signal says whom to reach and nothing else");
    return LB_OK;
}

static lb_status check_kind(const Lianban__V1__Part *part)
{
    switch (part->kind) {
    case LIANBAN__V1__PART__KIND__SIGNAL:
    case LIANBAN__V1__PART__KIND__SUBMISSION:
        LB_ENSURE(part->about.len == 0, LB_MALFORMED, "a submission is about none");
        LB_ENSURE(is_name(part->part), LB_MALFORMED, "a submission without a part");
        return LB_OK;
    case LIANBAN__V1__PART__KIND__SUPPLEMENT:
    case LIANBAN__V1__PART__KIND__CORRECTION:
    case LIANBAN__V1__PART__KIND__WITHDRAWAL:
        LB_ENSURE(part->about.len == LB_PARCEL_NAME_BYTES, LB_MALFORMED, "about is not a name");
        LB_ENSURE(is_name(part->part), LB_MALFORMED, "which part is not said");
        return LB_OK;
    case LIANBAN__V1__PART__KIND__CORRECTION_REQUEST:
        LB_ENSURE(part->about.len == 0, LB_MALFORMED, "a correction request is about none");
        LB_ENSURE(part->part[0] == 0, LB_MALFORMED, "a correction request is of no part");
        return LB_OK;
    default:
        LB_FAIL(LB_MALFORMED, "unknown kind of part");
    }
}

static lb_status check_texts(const Lianban__V1__Part *part)
{
    LB_ENSURE(is_name(part->case_id) && is_name(part->form), LB_MALFORMED, "no case or form");
    LB_ENSURE(part->form_sha256.len == 32, LB_MALFORMED, "a form's hash is 32 bytes");
    LB_ENSURE(is_line(part->class_id, LB_MAX_NAME_BYTES) &&
                  is_line(part->decided_class, LB_MAX_NAME_BYTES) &&
                  is_line(part->decided_reason, LB_MAX_VALUE_BYTES),
              LB_MALFORMED, "class or reason is no line");
    LB_ENSURE(is_line(part->note, LB_INTAKE_MAX_NOTE_BYTES), LB_MALFORMED, "note is no line");
    struct lb_date due;
    LB_ENSURE(part->due[0] == 0 || lb_date_parse(lb_span_str(part->due), &due), LB_MALFORMED,
              "due is not a date");
    LB_ENSURE(part->operator_token[0] != 0 &&
                  strlen(part->operator_token) <= LB_MAX_TOKEN_BYTES,
              LB_MALFORMED, "operator token is missing or too large");
    return LB_OK;
}

static lb_status check_people(const Lianban__V1__Part *part)
{
    LB_ENSURE(part->n_people >= 1 && part->n_people <= LB_MAX_HOUSEHOLD, LB_MALFORMED,
              "number of people is out of range");
    for (size_t i = 0; i < part->n_people; i++) {
        const Lianban__V1__PartPerson *person = part->people[i];
        LB_ENSURE(is_name(person->role) && is_line(person->relation, LB_MAX_NAME_BYTES) &&
                      is_line(person->name, LB_MAX_VALUE_BYTES),
                  LB_MALFORMED, "a person's role, relation or name is no line");
        LB_ENSURE(lb_idno_check(lb_span_str(person->id_no)) == LB_OK, LB_MALFORMED,
                  "an identity number is none");
    }
    return LB_OK;
}

static bool is_grade(const char *grade)
{
    return grade[0] >= 'A' && grade[0] <= 'D' && grade[1] == 0;
}

static lb_status check_fact(const Lianban__V1__Part *part, const Lianban__V1__PartFact *fact)
{
    LB_ENSURE(is_name(fact->fact) && is_line(fact->department, LB_MAX_NAME_BYTES) &&
                  is_line(fact->shown, LB_MAX_VALUE_BYTES) &&
                  is_line(fact->as_of, LB_MAX_NAME_BYTES),
              LB_MALFORMED, "a fact's text is no line");
    LB_ENSURE(fact->person < part->n_people, LB_MALFORMED, "a fact about nobody");
    LB_ENSURE((unsigned)fact->state <= LIANBAN__V1__FACT__STATE__DRY_RUN, LB_MALFORMED,
              "a fact in no known state");
    LB_ENSURE(fact->txn.len == 0 || fact->txn.len == 16, LB_MALFORMED, "txn is not 16 bytes");
    LB_ENSURE(is_grade(fact->grade), LB_MALFORMED, "unknown grade");
    return LB_OK;
}

static lb_status check_papers(const Lianban__V1__Part *part)
{
    LB_ENSURE(part->n_papers <= LB_INTAKE_MAX_PAPERS, LB_MALFORMED, "too many papers");
    for (size_t i = 0; i < part->n_papers; i++)
        LB_ENSURE(lb_utf8_line(part->papers[i]->title, LB_MAX_VALUE_BYTES) &&
                      part->papers[i]->sha256.len == 32,
                  LB_MALFORMED, "a paper without title or hash");
    return LB_OK;
}

lb_status lb_intake_part_check(const Lianban__V1__Part *part)
{
    LB_TRY(check_kind(part));
    if (part->kind == LIANBAN__V1__PART__KIND__SIGNAL)
        LB_TRY(check_signal(part));
    LB_TRY(check_texts(part));
    LB_TRY(check_people(part));
    LB_ENSURE(part->n_facts <= LB_INTAKE_MAX_FACTS, LB_MALFORMED, "too many facts");
    for (size_t i = 0; i < part->n_facts; i++)
        LB_TRY(check_fact(part, part->facts[i]));
    return check_papers(part);
}
