#include "gateway/window/letter.h"

#include <stdlib.h>

#include "gateway/crypto/hash.h"
#include "gateway/note/record.h"
#include "gateway/window/casework.h"
#include "gateway/window/standing.h"
#include "gateway/wire/pb.h"
#include "policy/engine/form_letter.h"

/* GetLetter: the newest decision, in plain words, or a department's answer. All of it comes from
 * the records, of the decision and of the suggestion it was made upon, so that the letter says what
 * was so then. */

#define MAX_LAWS 8U

struct writing {
    const struct lb_window_case *entry;
    struct lb_arena *arena;
    struct lb_form_letter letter;
    struct lb_form_answer answer;  /* where that is what the letter is about */
};

static lb_status copy_line(struct writing *writing, const struct lb_case_record *record,
                           const char *key, const char **out)
{
    struct lb_span value;
    LB_TRY(lb_record_get(record->lines, key, &value));
    *out = lb_arena_str(writing->arena, value);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status take_laws(struct writing *writing, const struct lb_case_record *decision)
{
    struct lb_span lines = decision->lines, key, value;
    const char **laws = lb_arena_array(writing->arena, MAX_LAWS, sizeof(*laws));
    LB_ENSURE(laws != NULL, LB_NO_MEMORY, "arena is full");
    while (lb_record_next(&lines, &key, &value)) {
        if (!lb_span_is(key, "law") || writing->letter.num_laws == MAX_LAWS)
            continue;
        laws[writing->letter.num_laws] = lb_arena_str(writing->arena, value);
        LB_ENSURE(laws[writing->letter.num_laws] != NULL, LB_NO_MEMORY, "arena is full");
        writing->letter.num_laws++;
    }
    writing->letter.laws = laws;
    return LB_OK;
}

static lb_status take_date(struct writing *writing, const struct lb_case_record *decision)
{
    char *date = lb_arena_alloc(writing->arena, LB_CASE_DATE_BYTES);
    LB_ENSURE(date != NULL, LB_NO_MEMORY, "arena is full");
    lb_case_day(decision->at_unix_s, date);
    writing->letter.date = date;
    return LB_OK;
}

static lb_status take_hearing(struct writing *writing, const struct lb_case_record *decision)
{
    size_t heard = lb_record_number(decision, "heard");
    if (heard == 0 || heard > writing->entry->records.num)
        return LB_OK;
    const struct lb_case_record *record = lb_records_at(&writing->entry->records, heard);
    LB_TRY(copy_line(writing, record, "date", &writing->letter.heard_date));
    return copy_line(writing, record, "said", &writing->letter.heard_said);
}

/* --- the suggestion --- */

/* "condition <name> <truth>"; what the record does not say is unknown. */
static lb_status take_conditions(struct writing *writing, const struct lb_case_record *suggestion)
{
    const struct lb_form *form = writing->entry->form->form;
    struct lb_span lines = suggestion->lines, key, value;
    enum lb_truth *truths =
        lb_arena_array(writing->arena, form->num_conditions, sizeof(*truths));
    LB_ENSURE(truths != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_conditions; i++)
        truths[i] = LB_UNKNOWN;
    while (lb_record_next(&lines, &key, &value)) {
        for (size_t i = 0; i < form->num_conditions && lb_span_is(key, "condition"); i++) {
            size_t len = strlen(form->conditions[i].name);
            if (value.len <= len || memcmp(value.ptr, form->conditions[i].name, len) != 0 ||
                value.ptr[len] != ' ')
                continue;
            struct lb_span truth = lb_span_of(value.ptr + len + 1, value.len - len - 1);
            truths[i] = lb_span_is(truth, "TRUE")    ? LB_TRUE
                        : lb_span_is(truth, "FALSE") ? LB_FALSE
                                                     : LB_UNKNOWN;
        }
    }
    writing->letter.conditions = truths;
    return LB_OK;
}

/* "amount <name> <value> <unit>" */
static void take_amount(const struct lb_form *form, struct lb_span value, struct lb_form_sum *sums)
{
    for (size_t i = 0; i < form->num_amounts; i++) {
        size_t len = strlen(form->amounts[i].name);
        char digits[24] = "";
        if (value.len <= len || memcmp(value.ptr, form->amounts[i].name, len) != 0 ||
            value.ptr[len] != ' ')
            continue;
        const uint8_t *number = value.ptr + len + 1;
        const uint8_t *end = memchr(number, ' ', value.len - len - 1);
        if (end == NULL || (size_t)(end - number) >= sizeof(digits))
            continue;
        memcpy(digits, number, (size_t)(end - number));
        sums[i] = (struct lb_form_sum){true, strtoll(digits, NULL, 10)};
    }
}

static lb_status take_amounts(struct writing *writing, const struct lb_case_record *suggestion)
{
    const struct lb_form *form = writing->entry->form->form;
    struct lb_span lines = suggestion->lines, key, value;
    struct lb_form_sum *sums = lb_arena_array(writing->arena, form->num_amounts, sizeof(*sums));
    LB_ENSURE(sums != NULL, LB_NO_MEMORY, "arena is full");
    while (lb_record_next(&lines, &key, &value)) {
        if (lb_span_is(key, "amount"))
            take_amount(form, value, sums);
    }
    writing->letter.amounts = sums;
    return LB_OK;
}

static lb_status take_suggestion(struct writing *writing, size_t number)
{
    const struct lb_case_records *records = &writing->entry->records;
    struct lb_span id;
    size_t place = 0;
    LB_ENSURE(number > 0 && number <= records->num, LB_INTERNAL, "decided upon nothing");
    const struct lb_case_record *suggestion = lb_records_at(records, number);
    LB_TRY(lb_record_get(suggestion->lines, "class", &id));
    writing->letter.open = !lb_case_class(writing->entry->form->form, id,
                                          &writing->letter.suggested, &place);
    if (writing->letter.open)
        writing->letter.suggested = lb_window_manual;
    LB_TRY(take_amounts(writing, suggestion));
    return take_conditions(writing, suggestion);
}

/* Which documents nobody had to bring: those whose fact a department answered. */
static lb_status take_answered(struct writing *writing)
{
    const struct lb_window_case *entry = writing->entry;
    const size_t num = entry->form->form->num_facts;
    bool *answered = lb_arena_array(writing->arena, num, sizeof(*answered));
    LB_ENSURE(answered != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t k = 0; k < num; k++) {
        for (size_t i = 0; i < entry->num_members; i++)
            answered[k] = answered[k] || (lb_case_asked(entry, i, k) &&
                                          entry->members[i].facts[k].value.state == LB_FACT_OK);
    }
    writing->letter.answered = answered;
    return LB_OK;
}

/* --- the letter --- */

/* Under the case's lock. */
static lb_status gather(struct writing *writing)
{
    const struct lb_window_case *entry = writing->entry;
    const struct lb_case_decision decided = lb_case_decided(entry);
    LB_ENSURE(decided.record > 0, LB_CASE_STATE, "nobody has decided");
    const struct lb_case_record *decision = lb_records_at(&entry->records, decided.record);
    writing->letter.case_id = lb_arena_str(writing->arena, lb_span_str(entry->id));
    LB_ENSURE(writing->letter.case_id != NULL, LB_NO_MEMORY, "arena is full");
    writing->letter.decided = decided.class;
    LB_TRY(copy_line(writing, decision, "reason", &writing->letter.reason));
    LB_TRY(take_laws(writing, decision));
    LB_TRY(take_date(writing, decision));
    LB_TRY(take_hearing(writing, decision));
    LB_TRY(take_suggestion(writing, decided.suggestion));
    return take_answered(writing);
}

static lb_status answer(struct lb_span text, struct lb_arena *arena,
                        Lianban__V1__GetLetterResponse **out)
{
    Lianban__V1__GetLetterResponse *response = lb_arena_alloc(arena, sizeof(*response));
    uint8_t *digest = lb_arena_alloc(arena, LB_SHA256_BYTES);
    LB_ENSURE(response != NULL && digest != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__get_letter_response__init(response);
    lb_sha256(text, digest);
    response->sha256 = (ProtobufCBinaryData){LB_SHA256_BYTES, digest};
    response->text = lb_arena_str(arena, text);
    LB_ENSURE(response->text != NULL, LB_NO_MEMORY, "arena is full");
    *out = response;
    return LB_OK;
}

static lb_status write(struct writing *writing, const Lianban__V1__GetLetterRequest *request,
                       enum lb_notice_variant variant, struct lb_span *out_text)
{
    const struct lb_window_options *options = &writing->entry->window->options;
    const struct lb_form *form = writing->entry->form->form;
    struct lb_directory *directory = lb_trust_directory(options->trust);
    const char *office = lb_directory_name(directory, options->organization, request->language);
    writing->letter.office = writing->answer.office = office;
    lb_status status = request->correction > 0
                           ? lb_form_answer_text(form, &writing->answer, request->language,
                                                 variant, writing->arena, out_text)
                           : lb_form_letter_text(form, &writing->letter, request->language,
                                                 variant, writing->arena, out_text);
    lb_directory_unref(directory);
    return status;
}

lb_status lb_window_letter(struct lb_window *window, const Lianban__V1__GetLetterRequest *request,
                           struct lb_arena *arena, Lianban__V1__GetLetterResponse **out)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    struct writing writing = {.arena = arena};
    enum lb_notice_variant variant = LB_NOTICE_PLAIN;
    struct lb_span text;
    LB_ENSURE(lb_notice_variant_parse(lb_span_str(request->variant), &variant) == LB_OK,
              LB_MALFORMED, "a letter of no such variant");
    LB_TRY(lb_window_hold(window, request->case_id, &entry));
    writing.entry = entry;
    const bool english = strcmp(request->language, "en") == 0;
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = request->correction > 0
                           ? lb_correction_letter(entry, request->correction, english, arena,
                                                  &writing.answer)
                           : gather(&writing);
    (void)pthread_mutex_unlock(&entry->lock);
    LB_TRY(status);
    LB_TRY(write(&writing, request, variant, &text));
    return answer(text, arena, out);
}
