#include "gateway/window/graded.h"

#include "gateway/base/utf8.h"
#include "gateway/note/record.h"

lb_status lb_graded_open(const struct lb_window_case *entry, size_t member, size_t fact)
{
    const struct lb_case_fact *kept = &entry->members[member].facts[fact];
    bool known = kept->value.state == LB_FACT_OK && kept->value.kind != LB_FACT_UNKNOWN;
    const enum lb_op op = entry->form->form->facts[fact].call.op;
    LB_ENSURE(op != LB_OP_SHARE && op != LB_OP_TOKEN, LB_MALFORMED,
              "a share or token is no fact that a person knows");
    LB_ENSURE(!known, LB_FACT_ANSWERED, "a department has answered this");
    LB_ENSURE(kept->code != LB_PART_REFUSED && kept->code != LB_GRANT_REFUSED &&
                  kept->code != LB_GRANT_REVOKED,
              LB_PART_REFUSED, "the citizen keeps this back");
    return LB_OK;
}

const struct lb_case_record *lb_graded_record(const struct lb_window_case *entry, size_t member,
                                              size_t fact)
{
    if (entry->records.num == 0 || lb_graded_open(entry, member, fact) != LB_OK)
        return NULL;
    size_t number = lb_records_newest_fact(&entry->records, LB_RECORD_FACT, member,
                                           entry->form->form->facts[fact].name);
    return number == 0 ? NULL : lb_records_at(&entry->records, number);
}

char lb_graded_grade(const struct lb_case_record *record)
{
    struct lb_span grade;
    return lb_record_get(record->lines, "grade", &grade) == LB_OK && grade.len == 1
               ? (char)grade.ptr[0]
               : 'D';
}

/* A is the best; what is only declared is for a person to weigh. */
bool lb_graded_counts(const struct lb_form_fact *fact, const struct lb_case_record *record)
{
    char grade = lb_graded_grade(record);
    return grade >= 'A' && grade <= fact->grade && grade < 'D';
}

struct lb_fact lb_graded_value(const struct lb_window_case *entry, size_t member, size_t fact)
{
    const struct lb_form_fact *asked = &entry->form->form->facts[fact];
    const struct lb_case_record *record = lb_graded_record(entry, member, fact);
    struct lb_fact value = {0};
    struct lb_span text;
    if (record != NULL && lb_graded_counts(asked, record) &&
        lb_record_get(record->lines, "value", &text) == LB_OK &&
        lb_graded_parse(asked, text, &value) == LB_OK)
        return value;
    return entry->members[member].facts[fact].value;
}

/* --- values as people write them --- */

static lb_status parse_number(struct lb_span text, int64_t *out)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    int64_t value = 0;
    size_t first = negative ? 1 : 0;
    LB_ENSURE(text.len > first && (text.ptr[first] != '0' || text.len == 1), LB_MALFORMED,
              "not a whole number");
    for (size_t i = first; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        LB_ENSURE(digit >= 0 && digit <= 9 && !__builtin_mul_overflow(value, 10, &value) &&
                      !__builtin_sub_overflow(value, digit, &value),
                  LB_MALFORMED, "not a whole number");
    }
    LB_ENSURE(negative || value != INT64_MIN, LB_MALFORMED, "not a whole number");
    *out = negative ? value : -value;
    return LB_OK;
}

lb_status lb_graded_parse(const struct lb_form_fact *fact, struct lb_span text,
                          struct lb_fact *out)
{
    struct lb_fact value = {.state = LB_FACT_OK, .kind = fact->kind};
    switch (fact->kind) {
    case LB_FACT_TRUTH:
        value.truth = lb_span_is(text, "true");
        LB_ENSURE(value.truth || lb_span_is(text, "false"), LB_MALFORMED, "neither true nor false");
        break;
    case LB_FACT_NUMBER:
        LB_TRY(parse_number(text, &value.number));
        break;
    case LB_FACT_TEXT:
        LB_ENSURE(text.len > 0 && text.len <= lb_op_max_text(fact->call.op) &&
                      lb_utf8_valid(text),
                  LB_MALFORMED, "not a text of the fact's length");
        value.text = text;
        break;
    default:
        LB_FAIL(LB_MALFORMED, "a fact of no kind");
    }
    *out = value;
    return LB_OK;
}
