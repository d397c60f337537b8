#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/note/record.h"
#include "gateway/window/act.h"
#include "gateway/window/casework.h"
#include "gateway/window/graded.h"
#include "gateway/wire/pb.h"

/* AddFact: what a department did not answer, from a document or from the person. */

#define MAX_SOURCE_BYTES 256U
#define NUM_VALUES 7U

static bool is_grade(const char *grade)
{
    return strlen(grade) == 1 && grade[0] >= 'A' && grade[0] <= 'D';
}

/* The document's hash in hex, or "none": only what is merely declared has no document. */
static lb_status write_document(const Lianban__V1__AddFactRequest *request, char out[65])
{
    size_t len = request->document_sha256.len;
    LB_ENSURE(len == 32 || (len == 0 && request->grade[0] == 'D'), LB_MALFORMED,
              "no hash of a document");
    (void)snprintf(out, 65, "none");
    if (len == 32)
        lb_hex_encode(lb_pb_span(request->document_sha256), out);
    return LB_OK;
}

static const char *const kind_names[] = {
    [LB_FACT_TRUTH] = "truth", [LB_FACT_NUMBER] = "number", [LB_FACT_TEXT] = "text"};

static lb_status write_body(struct lb_act *act, const Lianban__V1__AddFactRequest *request,
                            const struct lb_form_fact *fact)
{
    char document[65];
    LB_ENSURE(is_grade(request->grade), LB_MALFORMED, "no such grade");
    LB_TRY(write_document(request, document));
    lb_buf_printf(&act->body, "member %u\nfact %s\nkind %s\n", request->member, fact->name,
                  kind_names[fact->kind]);
    LB_TRY(lb_act_line(act, "value", request->value, LB_MAX_VALUE_BYTES));
    LB_TRY(lb_act_line(act, "grade", request->grade, 1));
    LB_TRY(lb_act_line(act, "source", request->source, MAX_SOURCE_BYTES));
    LB_TRY(lb_act_line(act, "document", document, sizeof(document)));
    LB_TRY(lb_act_line(act, "reason", request->reason, LB_MAX_SAID_BYTES));
    lb_act_sign(act);
    return LB_OK;
}

static lb_status add(struct lb_act *act, const Lianban__V1__AddFactRequest *request,
                     Lianban__V1__ActResponse **out)
{
    struct lb_case_records *records = &act->entry->records;
    size_t index = 0;
    struct lb_fact value;
    LB_TRY(lb_act_fact(act, request->member, request->fact, &index));
    const struct lb_form_fact *fact = &act->entry->form->form->facts[index];
    LB_TRY(lb_graded_open(act->entry, request->member, index));
    LB_TRY(lb_graded_parse(fact, lb_span_str(request->value), &value));
    LB_TRY(write_body(act, request, fact));
    size_t newest =
        lb_records_newest_fact(records, LB_RECORD_FACT, request->member, fact->name);
    if (!lb_act_again(act, newest)) {
        LB_TRY(lb_act_record(act, LB_RECORD_FACT, newest));
        newest = records->num;
        LB_TRY(lb_window_push_fact(act->entry, request->member, index));
        LB_TRY(lb_act_judge(act));
    }
    return lb_act_answer(act, newest, out);
}

lb_status lb_window_add_fact(struct lb_window *window, const Lianban__V1__AddFactRequest *request,
                             struct lb_arena *arena, Lianban__V1__ActResponse **out)
{
    struct lb_act act LB_DEFER(lb_act_end) = {.window = NULL};
    char member[16];
    char *document = lb_arena_alloc(arena, 2 * request->document_sha256.len + 1);
    LB_ENSURE(document != NULL, LB_NO_MEMORY, "arena is full");
    lb_hex_encode(lb_pb_span(request->document_sha256), document);
    (void)snprintf(member, sizeof(member), "%u", request->member);
    const struct lb_span values[NUM_VALUES] = {
        lb_span_str(member),         lb_span_str(request->fact),   lb_span_str(request->value),
        lb_span_str(request->grade), lb_span_str(request->source), lb_span_str(document),
        lb_span_str(request->reason)};
    const struct lb_act_request asked = {
        "AddFact", request->case_id, request->actor, values, NUM_VALUES};
    LB_TRY(lb_act_begin(window, &asked, arena, &act));
    return add(&act, request, out);
}
