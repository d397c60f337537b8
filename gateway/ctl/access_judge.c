#include "gateway/ctl/access_judge.h"

#include <string.h>

#include "gateway/crypto/hash.h"
#include "policy/engine/view.h"

#define SUBJECT_BYTES 32
#define MAX_SUBJECTS 16

static lb_status check_shape(const Lianban__V1__AccessQuestion *question)
{
    LB_ENSURE(question->n_subjects >= 1 && question->n_subjects <= MAX_SUBJECTS, LB_MALFORMED,
              "a question about nobody, or about many");
    for (size_t i = 0; i < question->n_subjects; i++)
        LB_ENSURE(question->subjects[i].len == SUBJECT_BYTES, LB_MALFORMED, "no pseudonym");
    LB_ENSURE(question->max_lines >= 1, LB_MALFORMED, "no room for an answer");
    return LB_OK;
}

static lb_status verify_grant(const Lianban__V1__AccessQuestion *question,
                              const struct lb_directory *directory, int64_t now_unix_s,
                              struct lb_arena *arena, struct lb_ctl_access_claim *out,
                              const struct lb_issuer **out_issuer)
{
    struct lb_span jwt = lb_span_str(question->grant);
    LB_TRY(lb_grant_peek(jwt, arena, &out->grant));
    const struct lb_issuer *issuer =
        lb_directory_issuer(directory, out->grant.issuer, out->grant.kid);
    LB_ENSURE(issuer != NULL, LB_ISSUER_UNKNOWN, "the directory has no such issuer");
    LB_TRY(lb_grant_check_signature(&out->grant, issuer->key));
    LB_TRY(lb_grant_check_time(&out->grant, now_unix_s));
    *out_issuer = issuer;
    return lb_section_open(&out->grant, lb_span_str(question->section), arena, &out->section);
}

static bool names_view(const struct lb_section *section, const char *view)
{
    for (size_t i = 0; i < section->num_views; i++) {
        if (strcmp(section->views[i].id, view) == 0)
            return true;
    }
    return false;
}

/* A citizen asks by consent of the own, and an office apart from the requester has it on record. */
static lb_status check_citizen(const struct lb_ctl_access_claim *claim,
                               const struct lb_issuer *issuer)
{
    const char *basis = claim->section.basis;
    LB_ENSURE(strcmp(claim->grant.issuer, claim->grant.requester) != 0, LB_SELF_CONSENT,
              "the requester signed its own consent");
    LB_ENSURE((issuer->kinds & LB_ISSUES_CONSENT) != 0 &&
                  (strcmp(basis, "consent") == 0 || strcmp(basis, "separate_consent") == 0),
              LB_BASIS_NOT_ALLOWED, "nobody consented");
    return LB_OK;
}

static lb_status check_authority(const struct lb_ctl_access_claim *claim,
                                 const struct lb_issuer *issuer)
{
    const struct lb_section *section = &claim->section;
    LB_ENSURE(strcmp(claim->grant.issuer, claim->grant.requester) == 0 &&
                  (issuer->kinds & LB_ISSUES_MANDATE) != 0 &&
                  strcmp(section->basis, "mandate") == 0 && section->num_laws > 0,
              LB_BASIS_NOT_ALLOWED, "oversight without a mandate");
    LB_ENSURE(section->approver != NULL && strcmp(section->approver, section->operator_hash) != 0,
              LB_APPROVER_MISSING, "oversight that nobody approved");
    return LB_OK;
}

lb_status lb_ctl_access_judge(const Lianban__V1__AccessQuestion *question,
                              const struct lb_directory *directory, const char *adapter,
                              int64_t now_unix_s, struct lb_arena *arena,
                              struct lb_ctl_access_claim *out)
{
    const struct lb_issuer *issuer = NULL;
    const struct lb_section *section = &out->section;
    LB_TRY(check_shape(question));
    LB_TRY(verify_grant(question, directory, now_unix_s, arena, out, &issuer));
    LB_ENSURE(strcmp(section->audience, adapter) == 0, LB_WRONG_AUDIENCE,
              "the grant is for another department");
    LB_ENSURE(strcmp(section->purpose, question->purpose) == 0, LB_PURPOSE_NOT_ALLOWED,
              "the grant is for another purpose");
    LB_ENSURE(names_view(section, question->view), LB_FIELD_NOT_GRANTED,
              "the grant does not name the view");
    out->citizen = strcmp(section->purpose, LB_PURPOSE_SUBJECT_ACCESS) == 0;
    if (out->citizen)
        return check_citizen(out, issuer);
    LB_ENSURE(strcmp(section->purpose, LB_PURPOSE_OVERSIGHT) == 0, LB_PURPOSE_NOT_ALLOWED,
              "accesses are told for no such purpose");
    return check_authority(out, issuer);
}

/* --- one person to a grant --- */

static void name_grant(const struct lb_ctl_access_claim *claim, uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str(claim->grant.issuer), lb_span_str("\n"),
                                    lb_span_str(claim->grant.jti)};
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

/* A new pseudonym key may have come since: the one before is among the names then. */
static bool is_same_person(const uint8_t subject[32], const Lianban__V1__AccessQuestion *question)
{
    for (size_t i = 0; i < question->n_subjects; i++) {
        if (memcmp(subject, question->subjects[i].data, SUBJECT_BYTES) == 0)
            return true;
    }
    return false;
}

lb_status lb_ctl_access_bind(struct lb_ctl_bound_grants *bound,
                             const struct lb_ctl_access_claim *claim,
                             const Lianban__V1__AccessQuestion *question)
{
    uint8_t grant[32];
    name_grant(claim, grant);
    for (size_t i = 0; i < bound->num && i < LB_CTL_BOUND_GRANTS; i++) {
        if (memcmp(bound->items[i].grant, grant, sizeof(grant)) != 0)
            continue;
        LB_ENSURE(is_same_person(bound->items[i].subject, question), LB_SUBJECT_MISMATCH,
                  "the grant was used for another person");
        return LB_OK;
    }
    size_t at = bound->num++ % LB_CTL_BOUND_GRANTS;
    memcpy(bound->items[at].grant, grant, sizeof(grant));
    memcpy(bound->items[at].subject, question->subjects[0].data, SUBJECT_BYTES);
    return LB_OK;
}
