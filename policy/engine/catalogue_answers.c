#include <stdlib.h>
#include <string.h>

#include "gateway/base/wipe.h"
#include "policy/engine/catalogue_internal.h"

int64_t lb_catalogue_date_number(const struct lb_date *date)
{
    return ((int64_t)date->year * 100 + date->month) * 100 + date->day;
}

struct lb_date lb_catalogue_date_of(int64_t number)
{
    return (struct lb_date){(int)(number / 10000), (int)(number / 100 % 100), (int)(number % 100)};
}

lb_status lb_answers_new(const struct lb_catalogue *catalogue, const struct lb_date *day,
                         struct lb_answers **out_answers)
{
    LB_ENSURE(lb_date_valid(day), LB_MALFORMED, "no such day");
    struct lb_answers *answers = calloc(1, sizeof(*answers));
    LB_ENSURE(answers != NULL, LB_NO_MEMORY, "answers");
    answers->catalogue = catalogue;
    answers->day = *day;
    *out_answers = answers;
    return LB_OK;
}

void lb_answers_free(struct lb_answers *answers)
{
    if (answers == NULL)
        return;
    lb_wipe(answers, sizeof(*answers));
    free(answers);
}

void lb_answers_freep(struct lb_answers **answers)
{
    lb_answers_free(*answers);
}

bool lb_answers_has(const struct lb_answers *answers, size_t question)
{
    return question < answers->catalogue->num_questions && answers->answers[question].told;
}

/* --- one answer's text --- */

static bool read_truth(struct lb_span text, int64_t *out)
{
    bool yes = lb_span_is(text, "yes") || lb_span_is(text, "true");
    *out = yes ? 1 : 0;
    return yes || lb_span_is(text, "no") || lb_span_is(text, "false");
}

static bool read_whole(struct lb_span text, int64_t *out)
{
    int64_t value = 0;
    if (text.len == 0 || text.len > 15 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (text.ptr[i] - '0');
    }
    *out = value;
    return true;
}

/* Yuan with no, one or two decimals, as cents. */
static bool read_money(struct lb_span text, int64_t *out)
{
    const uint8_t *dot = text.len == 0 ? NULL : memchr(text.ptr, '.', text.len);
    size_t whole = dot == NULL ? text.len : (size_t)(dot - text.ptr);
    size_t decimals = dot == NULL ? 0 : text.len - whole - 1;
    int64_t yuan = 0;
    int cents = 0;
    if (!read_whole(lb_span_of(text.ptr, whole), &yuan) || (dot != NULL && decimals == 0) ||
        decimals > 2)
        return false;
    if (decimals > 0)
        cents = lb_date_digits(dot + 1, decimals);
    if (cents < 0)
        return false;
    *out = yuan * 100 + (decimals == 1 ? cents * 10 : cents);
    return true;
}

static bool read_date(struct lb_span text, int64_t *out)
{
    struct lb_date date;
    if (!lb_date_parse(text, &date))
        return false;
    *out = lb_catalogue_date_number(&date);
    return true;
}

static bool read_choice(const struct lb_question *question, struct lb_span text, int64_t *out)
{
    for (size_t i = 0; i < question->num_choices; i++) {
        if (!lb_span_is(text, question->choices[i].id))
            continue;
        *out = (int64_t)i;
        return true;
    }
    return false;
}

static bool read_answer(const struct lb_answers *answers, const struct lb_question *question,
                        struct lb_span text, int64_t *out)
{
    switch (question->type) {
    case LB_QUESTION_BOOL:
        return read_truth(text, out);
    case LB_QUESTION_INT:
        return read_whole(text, out) && *out >= question->min && *out <= question->max;
    case LB_QUESTION_MONEY:
        return read_money(text, out) && *out >= question->min && *out <= question->max;
    case LB_QUESTION_DATE:
        return read_date(text, out) && *out >= question->min &&
               *out <= lb_catalogue_date_number(&answers->day);
    case LB_QUESTION_CHOICE:
        return read_choice(question, text, out);
    }
    return false;
}

static lb_status refuse(const struct lb_question *question, struct lb_diag *diag)
{
    const char *id = question->id;
    switch (question->type) {
    case LB_QUESTION_BOOL:
        lb_diag_set(diag, "%s takes yes, no or unknown", id);
        break;
    case LB_QUESTION_INT:
        lb_diag_set(diag, "%s takes a whole number from %lld to %lld, or unknown", id,
                    (long long)question->min, (long long)question->max);
        break;
    case LB_QUESTION_MONEY:
        lb_diag_set(diag, "%s takes yuan from %lld to %lld, at most two decimals, or unknown", id,
                    (long long)question->min / 100, (long long)question->max / 100);
        break;
    case LB_QUESTION_DATE:
        lb_diag_set(diag, "%s takes a day as YYYY-MM-DD, from %s to the day it is worked out for, "
                          "or unknown", id, question->from);
        break;
    case LB_QUESTION_CHOICE:
        lb_diag_set(diag, "%s takes one of its choices, or unknown", id);
        break;
    }
    LB_FAIL(LB_ANSWER_INVALID, "an answer is not of the question's form");
}

lb_status lb_answers_put(struct lb_answers *answers, struct lb_span id, struct lb_span text,
                         struct lb_diag *diag)
{
    size_t index = lb_catalogue_question_index(answers->catalogue, id);
    if (index == SIZE_MAX) {
        lb_diag_set(diag, "an answer is to no question of this catalogue; `lianban policy "
                          "questions` lists them");
        LB_FAIL(LB_ANSWER_INVALID, "no such question");
    }
    const struct lb_question *question = &answers->catalogue->questions[index];
    struct catalogue_answer *answer = &answers->answers[index];
    if (answer->told) {
        lb_diag_set(diag, "%s is answered twice; answer it once", question->id);
        LB_FAIL(LB_ANSWER_INVALID, "a second answer");
    }
    bool known = !lb_span_is(text, "unknown");
    int64_t number = 0;
    if (known && (text.len > LB_CATALOGUE_MAX_ANSWER_BYTES ||
                  !read_answer(answers, question, text, &number)))
        return refuse(question, diag);
    *answer = (struct catalogue_answer){.told = true, .known = known, .number = number};
    return LB_OK;
}
