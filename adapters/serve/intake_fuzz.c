#include <string.h>

#include "adapters/serve/intake_part.h"
#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"
#include "tests/fuzz/fuzz.h"

/* What stands behind a parcel's seal: a listed window may have sealed anything. */

#define ARENA_BYTES (4 * 1024 * 1024)

static bool is_line(const char *text, size_t max_bytes)
{
    return text[0] == 0 || lb_utf8_line(text, max_bytes);
}

static void check(const Lianban__V1__Part *part)
{
    FUZZ_CHECK(part->n_people >= 1 && part->n_people <= LB_MAX_HOUSEHOLD);
    FUZZ_CHECK(part->n_facts <= LB_INTAKE_MAX_FACTS && part->n_papers <= LB_INTAKE_MAX_PAPERS);
    for (size_t i = 0; i < part->n_people; i++)
        FUZZ_OK(lb_idno_check(lb_span_str(part->people[i]->id_no)));
    for (size_t i = 0; i < part->n_facts; i++)
        FUZZ_CHECK(part->facts[i]->person < part->n_people &&
                   is_line(part->facts[i]->shown, LB_MAX_VALUE_BYTES));
    FUZZ_CHECK(is_line(part->note, LB_INTAKE_MAX_NOTE_BYTES));
    FUZZ_CHECK(part->about.len == 0 || part->about.len == 16);
}

bool fuzz_sealed_parcel(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    Lianban__V1__SealedParcel *parcel = NULL;
    if (lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, in, arena, &parcel) != LB_OK ||
        parcel->body_case != LIANBAN__V1__SEALED_PARCEL__BODY_PART ||
        lb_intake_part_check(parcel->part) != LB_OK)
        return false;
    check(parcel->part);
    return true;
}

void seed_sealed_parcel(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    Lianban__V1__SealedParcel parcel = LIANBAN__V1__SEALED_PARCEL__INIT;
    Lianban__V1__Part part = LIANBAN__V1__PART__INIT;
    Lianban__V1__PartPerson person = LIANBAN__V1__PART_PERSON__INIT, *people[] = {&person};
    Lianban__V1__PartFact fact = LIANBAN__V1__PART_FACT__INIT, *facts[] = {&fact};
    uint8_t zeros[32] = {0};
    struct lb_span bytes = LB_SPAN_EMPTY;
    person.role = (char *)(uintptr_t)"applicant";
    person.id_no = (char *)(uintptr_t)"99010119800101201X";
    fact.fact = (char *)(uintptr_t)"income12";
    fact.grade = (char *)(uintptr_t)"A";
    part.kind = LIANBAN__V1__PART__KIND__SUBMISSION;
    part.case_id = (char *)(uintptr_t)"c-1";
    part.form = part.part = (char *)(uintptr_t)"tax.relief";
    part.form_sha256 = lb_pb_bytes(lb_span_of(zeros, sizeof(zeros)));
    part.operator_token = (char *)(uintptr_t)"a.b.c";
    part.people = people;
    part.facts = facts;
    part.n_people = part.n_facts = 1;
    parcel.version = 1;
    parcel.body_case = LIANBAN__V1__SEALED_PARCEL__BODY_PART;
    parcel.part = &part;
    FUZZ_OK(lb_pb_pack(&parcel, arena, &bytes));
    fuzz_seed_plain(sink, bytes);
    part.kind = LIANBAN__V1__PART__KIND__SUPPLEMENT;
    part.about = lb_pb_bytes(lb_span_of(zeros, 16));
    FUZZ_OK(lb_pb_pack(&parcel, arena, &bytes));
    fuzz_seed_plain(sink, bytes);
}
