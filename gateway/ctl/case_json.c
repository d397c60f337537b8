#include "gateway/base/hex.h"
#include "gateway/ctl/case_view.h"
#include "gateway/ctl/corrections_view.h"
#include "gateway/ctl/listing.h"
#include "gateway/ctl/parts_view.h"

struct lb_json *lb_ctl_fact_json(const Lianban__V1__CaseFact *fact)
{
    struct lb_json *out = lb_json_object();
    struct lb_json *args = lb_json_array();
    char txn[2 * 16 + 1] = "";
    if (fact->txn.len == 16)
        lb_hex_encode(lb_span_of(fact->txn.data, fact->txn.len), txn);
    for (size_t i = 0; i < fact->n_args; i++)
        lb_json_append_str(args, lb_span_str(fact->args[i]));
    lb_json_set_int(out, "member", fact->member);
    lb_json_set_cstr(out, "fact", fact->fact);
    lb_json_set_cstr(out, "department", fact->department);
    lb_json_set_cstr(out, "view", fact->view);
    lb_json_set_cstr(out, "field", fact->field);
    lb_json_set_cstr(out, "operator", fact->operator_);
    lb_json_set(out, "args", args);
    lb_json_set_cstr(out, "state", fact->state);
    lb_json_set_cstr(out, "code", fact->code);
    if (fact->again_unix_s != 0)
        lb_json_set_int(out, "again_unix_s", fact->again_unix_s);
    lb_json_set_cstr(out, "shown", fact->shown);
    if (strcmp(fact->operator_, lb_op_name(LB_OP_LIST)) == 0 && fact->shown[0] != 0)
        lb_json_set(out, "lines", lb_ctl_listing_json(fact->shown));
    lb_json_set_cstr(out, "as_of", fact->as_of);
    lb_json_set_bool(out, "receipt_ok", fact->receipt_ok);
    lb_json_set_cstr(out, "txn", txn);
    if (fact->grade[0] != 0) {
        lb_json_set_cstr(out, "grade", fact->grade);
        lb_json_set_bool(out, "counts", fact->counts);
        lb_json_set_cstr(out, "added_by", fact->added_by);
    }
    return out;
}

struct lb_json *lb_ctl_tickets_json(const Lianban__V1__RequestGrantsResponse *tickets)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < tickets->n_tickets; i++) {
        const Lianban__V1__MemberTicket *ticket = tickets->tickets[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_int(one, "member", ticket->member);
        lb_json_set_cstr(one, "request_id", ticket->request_id);
        lb_json_set_cstr(one, "code", ticket->code);
        lb_json_append(out, one);
    }
    return out;
}

static struct lb_json *facts_json(const Lianban__V1__CaseFact *const *facts, size_t num)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append(out, lb_ctl_fact_json(facts[i]));
    return out;
}

static struct lb_json *reasons_json(const Lianban__V1__CaseResult *result)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < result->n_reasons; i++) {
        const Lianban__V1__Reason *reason = result->reasons[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "condition", reason->condition);
        lb_json_set_cstr(one, "truth", reason->truth);
        lb_json_set_cstr(one, "text_zh", reason->text_zh);
        lb_json_set_cstr(one, "text_en", reason->text_en);
        lb_json_set_cstr(one, "source", reason->source);
        lb_json_append(out, one);
    }
    return out;
}

static struct lb_json *decision_json(const Lianban__V1__CaseDecision *decision)
{
    struct lb_json *out = lb_json_object();
    lb_json_set_int(out, "record", decision->record);
    lb_json_set_cstr(out, "class_id", decision->class_id);
    lb_json_set_cstr(out, "class_zh", decision->class_zh);
    lb_json_set_cstr(out, "class_en", decision->class_en);
    lb_json_set_cstr(out, "departs", decision->departs);
    lb_json_set_int(out, "suggestion", decision->suggestion);
    lb_json_set_bool(out, "outdated", decision->outdated);
    return out;
}

static struct lb_json *amounts_json(const Lianban__V1__CaseResult *result)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < result->n_amounts; i++) {
        const Lianban__V1__Amount *amount = result->amounts[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "amount", amount->amount);
        lb_json_set_int(one, "value", amount->value);
        lb_json_set_cstr(one, "unit", amount->unit);
        lb_json_set_cstr(one, "text_zh", amount->text_zh);
        lb_json_set_cstr(one, "text_en", amount->text_en);
        lb_json_append(out, one);
    }
    return out;
}

static void add_result(struct lb_json *out, const Lianban__V1__CaseResult *result)
{
    lb_json_set_cstr(out, "case_id", result->case_id);
    lb_json_set_cstr(out, "form", result->form);
    lb_json_set_int(out, "form_version", result->form_version);
    lb_json_set_cstr(out, "state", result->state);
    lb_json_set_cstr(out, "class_id", result->class_id);
    lb_json_set_cstr(out, "class_zh", result->class_zh);
    lb_json_set_cstr(out, "class_en", result->class_en);
    lb_json_set(out, "reasons", reasons_json(result));
    lb_json_set(out, "amounts", amounts_json(result));
    lb_json_set_int(out, "documents_saved", result->documents_saved);
    lb_json_set_int(out, "facts_total", result->facts_total);
    lb_json_set_int(out, "facts_ok", result->facts_ok);
    lb_json_set_int(out, "receipts_checked", result->receipts_checked);
    lb_json_set_int(out, "receipts_failed", result->receipts_failed);
    lb_json_set(out, "missing",
                facts_json((const Lianban__V1__CaseFact *const *)result->missing,
                           result->n_missing));
    lb_json_set_int(out, "thresholds_version", result->thresholds_version);
    lb_json_set_int(out, "millis", result->millis);
    lb_json_set_int(out, "suggestion", result->suggestion);
    lb_json_set_cstr(out, "turn", result->turn);
    if (result->decision != NULL)
        lb_json_set(out, "decision", decision_json(result->decision));
    lb_json_set(out, "added",
                facts_json((const Lianban__V1__CaseFact *const *)result->added, result->n_added));
    lb_json_set(out, "corrections",
                lb_ctl_corrections_json(result->corrections, result->n_corrections));
    if (result->judge_again)
        lb_json_set_bool(out, "judge_again", true);
    if (result->ends_unix_s != 0)
        lb_json_set_int(out, "ends_unix_s", result->ends_unix_s);
    lb_json_set(out, "parts", lb_ctl_parts_json(result->parts, result->n_parts));
}

struct lb_json *lb_ctl_case_json(const struct lb_ctl_case *view)
{
    struct lb_json *out = lb_json_object();
    if (view->result != NULL)
        add_result(out, view->result);
    if (view->tickets != NULL)
        lb_json_set(out, "tickets", lb_ctl_tickets_json(view->tickets));
    lb_json_set(out, "facts", facts_json(view->facts, view->num_facts));
    if (view->part != NULL)
        lb_json_set(out, "part", lb_ctl_part_json(view->part));
    return out;
}
