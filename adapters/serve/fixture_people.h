#ifndef ADAPTERS_SERVE_FIXTURE_PEOPLE_H
#define ADAPTERS_SERVE_FIXTURE_PEOPLE_H

#include "adapters/serve/fixture.h"
#include "gateway/store/store.h"

/*
 * For tests: a register of people that one may try to search out. Person n has the name "人<n>", the
 * code "1" when n is even and "2" when it is odd, and 1,000 cents more than person n - 1. Views:
 *
 *   tax.people    name EQ; code IN(s.0) .. IN(s.12); income CMP(<,t.0) .. CMP(<,t.12); row EXISTS;
 *                 a rule in dry-run for the field `trial`
 *   tax.counted   row EXISTS, at most FX_OPERATOR_HOUR and FX_REQUESTER_HOUR answers an hour
 *   tax.complete  row EXISTS of a complete register: no row is a no
 */
#define FX_NUM_PEOPLE 4000
#define FX_NUM_NAMES 12        /* thresholds t.n and sets s.n */
#define FX_OPERATOR_HOUR 5
#define FX_REQUESTER_HOUR 8
#define FX_DEPARTMENT_HOUR 1000000

#define FX_PEOPLE_VIEWS "people.yaml, counted.yaml, complete.yaml"
/* fx_person writes the identity number of person n, who is registered from 0 to FX_NUM_PEOPLE - 1,
 * and fx_person_name the name. */
const char *fx_person(struct fixture *fx, size_t n);
const char *fx_person_name(struct fixture *fx, size_t n);

/* What is asked about one person, under a mandate. */
struct fx_question {
    size_t person;
    const char *case_id;
    const char *view, *field;
    const char *operator_name;
    const char *arg, *claim;     /* NULL for none */
};
/* fx_ask_people fills an ask whose section grants just that. */
void fx_ask_people(struct fixture *fx, const struct fx_question *question, struct fx_ask *ask);

/* For the fixture itself; fx_people_rules gives the end of the rule set, half of the people being
 * below t.1 to t.12 and in s.1 to s.12, and nobody below t.0 or in s.0. */
const char *fx_people_rules(struct fixture *fx);
void fx_write_people(struct fixture *fx);
void fx_fill_people(struct lb_store *store);

#endif
