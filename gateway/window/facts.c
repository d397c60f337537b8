#include <stdio.h>

#include "gateway/base/utf8.h"
#include "gateway/window/run.h"

/* From a department's answer to the case's facts. */

lb_status lb_collect_settle(struct lb_collect_run *run, const struct lb_collect_read *read,
                            enum lb_fact_state state, enum lb_code code, bool receipt_ok)
{
    struct lb_case_fact outcome = {
        .value = {.state = state}, .code = code, .receipt_ok = receipt_ok};
    if (read->request != NULL)
        memcpy(outcome.txn, read->request->txn.data, sizeof(outcome.txn));
    for (size_t i = 0; i < read->num_facts; i++) {
        size_t fact = read->facts[i];
        struct lb_case_fact *place = &run->entry->members[read->member].facts[fact];
        if (lb_case_final(place->value.state))
            continue;
        LB_TRY(lb_case_set_fact(run->entry, place, &outcome));
        LB_TRY(lb_window_push_fact(run->entry, read->member, fact));
    }
    return LB_OK;
}

static bool same_call(const struct lb_form_fact *fact, const Lianban__V1__Fact *wire)
{
    if (strcmp(wire->view, fact->view) != 0 || strcmp(wire->field, fact->field) != 0 ||
        strcmp(wire->operator_, lb_op_name(fact->call.op)) != 0 ||
        wire->n_args != fact->call.num_args)
        return false;
    for (size_t i = 0; i < wire->n_args; i++) {
        if (strcmp(wire->args[i], fact->call.args[i]) != 0)
            return false;
    }
    return true;
}

/* A reason that this version does not know leaves it at the state. */
static enum lb_code code_of_why(const Lianban__V1__Fact *wire)
{
    switch (wire->why) {
    case LIANBAN__V1__FACT__WHY__MAINTENANCE:
        return LB_SOURCE_MAINTENANCE;
    case LIANBAN__V1__FACT__WHY__CODE:
        return LB_CODE_UNMAPPED;
    default:
        return LB_SOURCE_UNAVAILABLE;
    }
}

/* A list comes from a person's station, not from a database. */
static enum lb_code code_behind(enum lb_op op, const Lianban__V1__Fact *wire)
{
    enum lb_fact_state state = (enum lb_fact_state)wire->state;
    if (op == LB_OP_LIST && (state == LB_FACT_UNAVAILABLE || state == LB_FACT_TIMEOUT))
        return LB_STATION_AWAY;
    switch (state) {
    case LB_FACT_OK:
        return LB_CODE_OK;
    case LB_FACT_DENIED:
        return LB_FIELD_NOT_GRANTED;
    case LB_FACT_UNAVAILABLE:
        return code_of_why(wire);
    case LB_FACT_TIMEOUT:
        return LB_SOURCE_TIMEOUT;
    case LB_FACT_NOT_FOUND:
        return LB_NOT_FOUND;
    case LB_FACT_AMBIGUOUS:
        return LB_AMBIGUOUS;
    case LB_FACT_STALE:
        return LB_STALE;
    case LB_FACT_DRY_RUN:
        return LB_DRY_RUN;
    }
    return LB_INTERNAL;
}

static bool is_date(const char *text)
{
    static const char shape[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == 'd' ? !digit : text[i] != shape[i])
            return false;
    }
    return text[sizeof(shape) - 1] == 0;
}

static lb_status take_value(const struct lb_form_fact *fact, const Lianban__V1__Fact *wire,
                            struct lb_fact *out)
{
    int state = (int)wire->state, kind = (int)wire->kind;
    LB_ENSURE(state >= LB_FACT_OK && state <= LB_FACT_DRY_RUN, LB_RECEIPT_INVALID, "no such state");
    out->state = (enum lb_fact_state)state;
    if (out->state != LB_FACT_OK)
        return LB_OK;
    LB_ENSURE(kind == LB_FACT_UNKNOWN || kind == (int)fact->kind, LB_RECEIPT_INVALID,
              "a value of another kind than the operator's");
    out->kind = (enum lb_fact_kind)kind;
    if (out->kind == LB_FACT_TRUTH)
        out->truth = wire->truth != 0;
    if (out->kind == LB_FACT_NUMBER)
        out->number = wire->number;
    if (out->kind == LB_FACT_TEXT) {
        out->text = lb_span_str(wire->text);
        LB_ENSURE(out->text.len <= lb_op_max_text(fact->call.op) && lb_utf8_valid(out->text),
                  LB_RECEIPT_INVALID, "a text that is none");
    }
    return LB_OK;
}

/* A share says what it was made for, or it cannot be added to any other. */
static lb_status take_set(const struct lb_form_fact *fact, const Lianban__V1__SealedAnswer *answer,
                          struct lb_case_fact *out)
{
    if (fact->call.op != LB_OP_SHARE || out->value.state != LB_FACT_OK)
        return LB_OK;
    LB_ENSURE(answer->share_set.len == sizeof(out->share_set), LB_RECEIPT_INVALID,
              "a share without its set");
    memcpy(out->share_set, answer->share_set.data, sizeof(out->share_set));
    return LB_OK;
}

static lb_status take_fact(const struct lb_collect_read *read, const struct lb_form_fact *fact,
                           const Lianban__V1__Fact *wire, struct lb_case_fact *out)
{
    *out = (struct lb_case_fact){.receipt_ok = true};
    LB_TRY(take_value(fact, wire, &out->value));
    LB_ENSURE(wire->as_of[0] == 0 || is_date(wire->as_of), LB_RECEIPT_INVALID,
              "as-of is not a date");
    (void)snprintf(out->as_of, sizeof(out->as_of), "%s", wire->as_of);
    out->code = code_behind(fact->call.op, wire);
    if (out->code == LB_SOURCE_MAINTENANCE && wire->again_unix_s > 0)
        out->again_unix_s = wire->again_unix_s;
    memcpy(out->txn, read->request->txn.data, sizeof(out->txn));
    return LB_OK;
}

/* The only answer to one of our wants; missing or doubled is a broken answer. */
static lb_status find_answer(const Lianban__V1__SealedAnswer *answer,
                             const struct lb_form_fact *fact, const Lianban__V1__Fact **out)
{
    const Lianban__V1__Fact *found = NULL;
    for (size_t i = 0; i < answer->n_facts; i++) {
        if (!same_call(fact, answer->facts[i]))
            continue;
        LB_ENSURE(found == NULL, LB_RECEIPT_INVALID, "a fact stands twice in the answer");
        found = answer->facts[i];
    }
    LB_ENSURE(found != NULL, LB_RECEIPT_INVALID, "a fact is missing from the answer");
    *out = found;
    return LB_OK;
}

lb_status lb_collect_facts(struct lb_collect_run *run, const struct lb_collect_read *read,
                           const Lianban__V1__SealedAnswer *answer)
{
    const struct lb_form *form = run->entry->form->form;
    struct lb_case_fact *taken = lb_arena_array(run->arena, read->num_facts, sizeof(*taken));
    LB_ENSURE(taken != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(answer->n_facts == read->num_facts, LB_RECEIPT_INVALID,
              "the answer has facts that nobody asked");
    for (size_t i = 0; i < read->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[read->facts[i]];
        const Lianban__V1__Fact *wire = NULL;
        LB_TRY(find_answer(answer, fact, &wire));
        LB_TRY(take_fact(read, fact, wire, &taken[i]));
        LB_TRY(take_set(fact, answer, &taken[i]));
    }
    for (size_t i = 0; i < read->num_facts; i++) {
        struct lb_case_fact *place =
            &run->entry->members[read->member].facts[read->facts[i]];
        if (lb_case_final(place->value.state))
            continue; /* what came before stands */
        LB_TRY(lb_case_set_fact(run->entry, place, &taken[i]));
        LB_TRY(lb_window_push_fact(run->entry, read->member, read->facts[i]));
    }
    return LB_OK;
}
