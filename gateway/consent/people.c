#include <time.h>

#include "gateway/base/wipe.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/*
 * Who a request is about and who has to agree. Whatever the grant will need of them is computed
 * here, once: keyed pseudonyms and the commitment. Then identity numbers and names are forgotten;
 * no later step has them.
 *
 * Under 14 a guardian agrees (PIPL 31). From 14 to 17 the minor does, and a guardian as well for
 * what is sensitive: PIPL 31 leaves them to themselves, but separate consent (PIPL 29) is no act
 * that fits the age alone (Civil Code 19). An adult may send an agent with a paper. For the dead a
 * near relative agrees, for a lawful interest of their own (PIPL 49).
 */
#define ADULT_AGE 18
#define OWN_CONSENT_AGE 14
#define MAX_AGENT_LIFE_S (366 * INT64_C(86400))
#define MAX_SCOPE_BYTES 2304  /* 32 departments */

struct person {
    char id_no[19];
    int age;
};

static void wipe_person(struct person *person)
{
    lb_wipe(person, sizeof(*person));
}

static lb_status as_malformed(lb_status status)
{
    enum lb_code code = lb_status_code(status);
    if (code == LB_CODE_OK || code == LB_NO_MEMORY || code == LB_INTERNAL)
        return status;
    LB_FAIL(LB_MALFORMED, "identity number or name is not a valid one");
}

lb_status lb_consent_day(int64_t unix_s, char out[11])
{
    struct tm local;
    time_t time = (time_t)unix_s;
    LB_ENSURE(localtime_r(&time, &local) != NULL && strftime(out, 11, "%Y-%m-%d", &local) == 10,
              LB_INTERNAL, "clock gives no date");
    return LB_OK;
}

static lb_status read_person(const struct lb_consent_asking *asking, const char *id_no,
                             const char *name, struct person *out)
{
    char today[11];
    struct lb_span normal;
    LB_TRY(lb_consent_day(asking->now_unix_s, today));
    LB_TRY(as_malformed(lb_name_normalise(lb_span_str(name), asking->arena, &normal)));
    LB_TRY(as_malformed(lb_idno_normalise(lb_span_str(id_no), out->id_no)));
    return as_malformed(lb_idno_age(lb_span_str(out->id_no), today, &out->age));
}

/* The other one who agrees: of age, somebody else, and related in a word. */
static lb_status read_other(struct lb_consent_asking *asking, const struct person *subject,
                            const char *id_no, const char *name, const char *relation)
{
    LB_DEFER(wipe_person) struct person other = {0};
    LB_ENSURE(lb_consent_text_ok(relation, LB_MAX_NAME_BYTES), LB_MALFORMED,
              "relation is empty or too long");
    LB_TRY(read_person(asking, id_no, name, &other));
    LB_ENSURE(other.age >= ADULT_AGE, LB_MALFORMED, "a minor who agrees for another");
    LB_ENSURE(strcmp(other.id_no, subject->id_no) != 0, LB_MALFORMED,
              "one who agrees for oneself");
    lb_consent_pseudonym(asking->consent, other.id_no, asking->row.guardian);
    asking->row.relation = relation;
    return LB_OK;
}

/* --- minors --- */

static lb_status read_minor(struct lb_consent_asking *asking, const struct person *subject)
{
    const Lianban__V1__Guardian *guardian = asking->request->guardian;
    bool is_role = asking->form->roles[asking->role].minor;
    LB_ENSURE(asking->request->representative == NULL, LB_MALFORMED,
              "a minor with an agent or a relative");
    LB_ENSURE(subject->age >= OWN_CONSENT_AGE || is_role, LB_MALFORMED,
              "a child who agrees alone");
    LB_ENSURE(guardian != NULL || !is_role, LB_MALFORMED, "a minor without a guardian");
    asking->row.party = subject->age < OWN_CONSENT_AGE ? LB_PARTY_GUARDIAN : LB_PARTY_BOTH;
    if (guardian == NULL)
        return LB_OK;
    return read_other(asking, subject, guardian->id_no, guardian->name, guardian->relation);
}

/* --- agents --- */

static bool is_asked(const struct lb_consent_asking *asking, const char *department)
{
    for (size_t i = 0; i < asking->form->num_facts; i++) {
        const struct lb_form_fact *fact = &asking->form->facts[i];
        if (strcmp(fact->department, department) == 0 &&
            lb_consent_needs(asking->form, fact, asking->role))
            return true;
    }
    return false;
}

/* " a b ", so that a word is found between its spaces. */
static lb_status read_scope(struct lb_consent_asking *asking,
                            const Lianban__V1__Representative *agent)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf scope;
    lb_buf_init(&scope, MAX_SCOPE_BYTES);
    LB_ENSURE(agent->n_departments >= 1 && agent->n_departments <= asking->form->num_sections,
              LB_MALFORMED, "an agent for no department, or for too many");
    lb_buf_put_str(&scope, " ");
    for (size_t i = 0; i < agent->n_departments; i++) {
        const char *department = agent->departments[i];
        bool is_twice =
            lb_consent_listed(department, (const char *const *)agent->departments, i);
        LB_ENSURE(!is_twice && is_asked(asking, department), LB_MALFORMED,
                  "an agent for a department that is not asked, or twice");
        lb_buf_put_str(&scope, department);
        lb_buf_put_str(&scope, " ");
    }
    LB_TRY(lb_buf_check(&scope));
    asking->row.scope = lb_arena_str(asking->arena, lb_buf_span(&scope));
    LB_ENSURE(asking->row.scope != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_agent(struct lb_consent_asking *asking, const struct person *subject,
                            const Lianban__V1__Representative *agent)
{
    LB_ENSURE(agent->until > asking->now_unix_s &&
                  agent->until <= asking->now_unix_s + MAX_AGENT_LIFE_S,
              LB_MALFORMED, "an agent's paper that has ended or never does");
    LB_ENSURE(agent->document_sha256.len == LB_SHA256_BYTES, LB_MALFORMED,
              "an agent without a paper");
    LB_ENSURE(agent->interest[0] == '\0', LB_MALFORMED, "an agent with an interest");
    memcpy(asking->row.agent_document, agent->document_sha256.data, LB_SHA256_BYTES);
    asking->row.agent_until = agent->until;
    asking->row.party = LB_PARTY_AGENT;
    LB_TRY(read_scope(asking, agent));
    return read_other(asking, subject, agent->id_no, agent->name, agent->relation);
}

static lb_status read_adult(struct lb_consent_asking *asking, const struct person *subject)
{
    const Lianban__V1__Representative *agent = asking->request->representative;
    LB_ENSURE(!asking->form->roles[asking->role].minor, LB_MALFORMED, "a minor who is of age");
    LB_ENSURE(asking->request->guardian == NULL, LB_MALFORMED,
              "a guardian of one who is no minor");
    if (agent == NULL)
        return LB_OK;
    LB_ENSURE(strcmp(agent->kind, "agent") == 0, LB_MALFORMED, "no agent of a living adult");
    return read_agent(asking, subject, agent);
}

/* --- the dead --- */

/* Near relatives: Civil Code 1045. */
static lb_status read_deceased(struct lb_consent_asking *asking, const struct person *subject)
{
    static const char *const near[] = {"spouse",  "child",       "parent",
                                       "sibling", "grandparent", "grandchild"};
    static const char *const interests[] = {"inheritance", "burial", "benefit", "account",
                                            "other"};
    const Lianban__V1__Representative *relative = asking->request->representative;
    LB_ENSURE(relative != NULL && strcmp(relative->kind, "relative") == 0 &&
                  asking->request->guardian == NULL,
              LB_MALFORMED, "nobody agrees for a dead person but a near relative");
    LB_ENSURE(lb_consent_listed(relative->relation, near, 6), LB_MALFORMED, "no near relative");
    LB_ENSURE(lb_consent_listed(relative->interest, interests, 5), LB_MALFORMED,
              "a relative without an interest of their own");
    LB_ENSURE(relative->document_sha256.len == 0 && relative->until == 0 &&
                  relative->n_departments == 0,
              LB_MALFORMED, "a relative with an agent's paper");
    asking->row.interest = relative->interest;
    asking->row.party = LB_PARTY_RELATIVE;
    return read_other(asking, subject, relative->id_no, relative->name, relative->relation);
}

/* --- all --- */

lb_status lb_consent_read_people(struct lb_consent_asking *asking)
{
    const Lianban__V1__GrantRequest *request = asking->request;
    LB_DEFER(wipe_person) struct person subject = {0};
    LB_TRY(read_person(asking, request->id_no, request->name, &subject));
    if (asking->form->roles[asking->role].deceased)
        LB_TRY(read_deceased(asking, &subject));
    else if (subject.age < ADULT_AGE)
        LB_TRY(read_minor(asking, &subject));
    else
        LB_TRY(read_adult(asking, &subject));
    uint8_t salt[16];
    lb_consent_salt(asking->consent, asking->row.id, salt);
    lb_subject_commitment(salt, subject.id_no, asking->row.commitment);
    lb_wipe(salt, sizeof(salt));
    lb_consent_pseudonym(asking->consent, subject.id_no, asking->row.subject);
    return LB_OK;
}
