#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sources/questions.h"

/* What the adapter said, held against what PostgreSQL lets the role see. */

/* One column of the rows that a role sees. */
struct seen {
    bool denied;
    size_t rows;
    size_t unknown;  /* of them: NULL */
    int64_t total;   /* of numbers, in cents where they are yuan */
    const char *text;  /* of the last row */
    size_t text_len;
};

/* What is due of one field. */
struct due {
    Lianban__V1__Fact__State state;
    Lianban__V1__Fact__Kind kind;
    int64_t number;    /* or truth */
    const char *text;
    size_t text_len;
};

/* "12.34" and "1234" alike become 1234: what has a point is yuan. */
static int64_t cents_of(const char *text, size_t len)
{
    int64_t number = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] >= '0' && text[i] <= '9')
            number = number * 10 + (text[i] - '0');
    return len > 0 && text[0] == '-' ? -number : number;
}

static struct seen read_seen(const char *said)
{
    struct seen seen = {.denied = strcmp(said, "denied") == 0};
    char *end = NULL;
    if (seen.denied)
        return seen;
    seen.rows = strtoul(said, &end, 10);
    size_t found = 0;
    for (const char *at = end; *at == 31; found++) {
        size_t len = strcspn(at + 1, "\x1f");
        if (at[1] == '-')
            seen.unknown++;
        seen.text = at + 2;
        seen.text_len = len - 1;
        seen.total += at[1] == '-' ? 0 : cents_of(seen.text, seen.text_len);
        at += 1 + len;
    }
    assert_int_equal(found, seen.rows);
    return seen;
}

static struct due due_of_rows(const struct question *question, const struct seen *seen)
{
    size_t cap = question->policy->cap;
    struct due due = {.state = LIANBAN__V1__FACT__STATE__OK};
    if (seen->rows == 0 && !question->policy->complete)
        due.state = LIANBAN__V1__FACT__STATE__NOT_FOUND;
    due.kind = question->exists ? LIANBAN__V1__FACT__KIND__TRUTH : LIANBAN__V1__FACT__KIND__NUMBER;
    due.number = question->exists ? seen->rows > 0 : (int64_t)(seen->rows < cap ? seen->rows : cap);
    return due;
}

static struct due due_of_sum(const struct question *question, const struct seen *seen)
{
    struct due due = {.state = LIANBAN__V1__FACT__STATE__OK,
                      .kind = LIANBAN__V1__FACT__KIND__NUMBER,
                      .number = seen->total};
    if (seen->rows == 0 && !question->policy->complete)
        due.state = LIANBAN__V1__FACT__STATE__NOT_FOUND;
    if (seen->unknown > 0)
        due.kind = LIANBAN__V1__FACT__KIND__KIND_UNKNOWN;
    return due;
}

static struct due due_of_value(enum policy_kind kind, const struct seen *seen)
{
    struct due due = {.state = LIANBAN__V1__FACT__STATE__OK,
                      .kind = LIANBAN__V1__FACT__KIND__NUMBER,
                      .number = seen->total,
                      .text = seen->text,
                      .text_len = seen->text_len};
    if (seen->rows != 1)
        due.state = seen->rows == 0 ? LIANBAN__V1__FACT__STATE__NOT_FOUND
                                    : LIANBAN__V1__FACT__STATE__AMBIGUOUS;
    if (kind < POLICY_INT)
        due.kind = LIANBAN__V1__FACT__KIND__TEXT;
    while (due.text_len > 0 && due.text[due.text_len - 1] == ' ')
        due.text_len--;
    if (seen->unknown > 0 || (kind < POLICY_INT && due.text_len == 0))
        due.kind = LIANBAN__V1__FACT__KIND__KIND_UNKNOWN;
    return due;
}

static struct due due_of(const struct question *question, size_t i)
{
    struct seen seen = read_seen(question->seen[i]);
    size_t field = question->fields[i];
    if (seen.denied)
        return (struct due){.state = LIANBAN__V1__FACT__STATE__DENIED};
    if (field == QUESTION_ROWS)
        return due_of_rows(question, &seen);
    return question->policy->many ? due_of_sum(question, &seen)
                                  : due_of_value(question->policy->columns[field].kind, &seen);
}

static bool same(const struct due *due, const Lianban__V1__Fact *fact)
{
    if (fact->state != due->state)
        return false;
    if (fact->state != LIANBAN__V1__FACT__STATE__OK)
        return true;
    if (fact->kind != due->kind)
        return false;
    switch (fact->kind) {
    case LIANBAN__V1__FACT__KIND__TRUTH:
        return fact->truth == (due->number != 0);
    case LIANBAN__V1__FACT__KIND__NUMBER:
        return fact->number == due->number;
    case LIANBAN__V1__FACT__KIND__TEXT:
        return strlen(fact->text) == due->text_len &&
               memcmp(fact->text, due->text, due->text_len) == 0;
    default:
        return true;
    }
}

/* Tells nothing of the person, not even whether there is a row. */
static bool is_silent(const Lianban__V1__Fact *fact)
{
    return fact->state == LIANBAN__V1__FACT__STATE__DENIED ||
           fact->state == LIANBAN__V1__FACT__STATE__DRY_RUN;
}

static size_t place_of(const struct question *question, const char *name)
{
    size_t i = 0;
    for (; i < question->num; i++) {
        size_t field = question->fields[i];
        if (field == QUESTION_ROWS ? strcmp(name, "rows") == 0
                                   : name[0] == 'f' && name[1] == (char)('0' + field) &&
                                         name[2] == 0)
            break;
    }
    return i;
}

#define WRONG(question_, what_, name_)                                                             \
    fail_msg("policy %zu, role %u, attack %d, person %s: %s: %s", (question_)->policy->number,     \
             (question_)->role, (int)(question_)->attack, (question_)->person, what_, name_)

static void judge_fact(const struct question *question, const Lianban__V1__Fact *fact,
                       struct tally *tally)
{
    size_t i = place_of(question, fact->field);
    if (is_silent(fact) && question->attack != HONEST)
        return;
    if (question->attack > FIELD_NOT_ALLOWED)
        WRONG(question, "an answer to an attack", fact->field);
    if (i == question->num)
        WRONG(question, "a field that nobody asked for", fact->field);
    struct due due = due_of(question, i);
    if (due.state == LIANBAN__V1__FACT__STATE__DENIED)
        WRONG(question, "PostgreSQL denies what was released", fact->field);
    if (!same(&due, fact))
        WRONG(question, question->seen[i], fact->field);
    tally->facts++;
    if (fact->kind != LIANBAN__V1__FACT__KIND__KIND_UNKNOWN)
        tally->values++;
}

void question_judge(const struct question *question, struct fixture *fx,
                    const struct fx_built *built, const struct lb_serve_answer *answer,
                    struct tally *tally)
{
    size_t num_facts = 0;
    const char *code = lb_code_name(answer->code);
    bool honest = question->attack == HONEST;
    *(honest ? &tally->honest : &tally->attacks) += 1;
    if (answer->code == LB_ANSWERED) {
        const Lianban__V1__SealedAnswer *opened = fx_open(fx, built, answer);
        num_facts = opened->n_facts;
        code = opened->code;
        for (size_t i = 0; i < num_facts; i++)
            judge_fact(question, opened->facts[i], tally);
    } else {
        assert_int_equal(answer->sealed.len, 0);
    }
    if (honest && num_facts != question->num)
        WRONG(question, "what is due was not released", code);
    if (!honest && num_facts == 0)
        tally->refused++;
}
