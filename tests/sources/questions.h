#ifndef TESTS_SOURCES_QUESTIONS_H
#define TESTS_SOURCES_QUESTIONS_H

#include "adapters/serve/fixture.h"
#include "tests/sources/policies.h"

/* Random questions about policies, honest and not: put to an adapter under seal, and to PostgreSQL
 * as what its role sees. */

enum attack {
    HONEST,
    FIELD_NOT_ALLOWED,  /* granted by the window itself, not by the department */
    FIELD_UNKNOWN,      /* a column or an invention, no field */
    FIELD_NOT_GRANTED,  /* allowed, but not in the grant */
    OTHER_PERSON,       /* the grant is about somebody else */
    CRAFTED_KEY,        /* grant and request are about what is no number of a person */
    OTHER_PURPOSE,
    OTHER_WINDOW,       /* another window's mandate */
    WEAKER_OPERATOR,    /* more rows than may be told, values for sums */
    NUM_ATTACKS
};

#define QUESTION_ROWS POLICY_COLUMNS /* the field `rows` beside those of the columns */
#define QUESTION_FIELDS (POLICY_COLUMNS + 1)

struct question {
    const struct policy *policy;
    enum attack attack;
    unsigned role;
    const char *person;  /* whom the grant is about */
    const char *stated;  /* whom the request is about */
    bool exists;         /* asks for EXISTS and not for COUNT */
    size_t num;
    size_t fields[QUESTION_FIELDS];
    const char *seen[QUESTION_FIELDS];  /* what released() said; of `fields` */
    const char *invented;               /* the name of a field that there is not */
};

struct tally {
    size_t honest, attacks, refused, facts, values;
};

/* question_make makes one about a policy. */
void question_make(const struct policy *policy, bool honest, struct policy_random *random,
                   struct question *out);
/* question_write_sql adds what PostgreSQL is to be asked, behind `before`; question_take takes the
 * lines that it said. */
const char *question_write_sql(const struct question *question, const char *before,
                               struct lb_buf *out);
void question_take(struct question *question, char **rest);
/* question_build makes the sealed request; tokens are each window's operator's, made when empty. */
void question_build(const struct question *question, struct fixture *fx, struct lb_span tokens[2],
                    struct fx_built *out);
/* question_judge fails the test when the adapter's answer has what PostgreSQL did not release, or
 * lacks what an honest question is due. */
void question_judge(const struct question *question, struct fixture *fx,
                    const struct fx_built *built, const struct lb_serve_answer *answer,
                    struct tally *tally);

#endif
