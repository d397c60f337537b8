#include <stdio.h>

#include "gateway/window/inside.h"
#include "gateway/wire/pb.h"

/* A case read back from what case_write.c wrote. It was authenticated when it was decrypted, so a
 * mistake here is damage of our own; it is refused all the same. */

static lb_status copy_fixed(const char *text, char *out, size_t size)
{
    LB_ENSURE(strlen(text) < size, LB_MALFORMED, "a text is too long");
    (void)snprintf(out, size, "%s", text);
    return LB_OK;
}

static lb_status copy_bytes(ProtobufCBinaryData bytes, uint8_t *out, size_t len)
{
    LB_ENSURE(bytes.len == len, LB_MALFORMED, "bytes of another length");
    memcpy(out, bytes.data, len);
    return LB_OK;
}

static lb_status copy_text(ProtobufCBinaryData bytes, char **slot)
{
    return lb_case_text(slot, lb_pb_span(bytes));
}

/* Where "" says that there is none. */
static lb_status copy_if(ProtobufCBinaryData bytes, char **slot)
{
    return bytes.len == 0 ? LB_OK : copy_text(bytes, slot);
}

/* --- facts --- */

static lb_status read_value(const Lianban__V1__KeptFact *kept, struct lb_fact *out)
{
    LB_ENSURE(kept->state >= LB_FACT_OK && kept->state <= LB_FACT_DRY_RUN, LB_MALFORMED,
              "no such state");
    out->state = (enum lb_fact_state)kept->state;
    if (out->state != LB_FACT_OK)
        return LB_OK;
    LB_ENSURE(kept->kind >= LB_FACT_UNKNOWN && kept->kind <= LB_FACT_TEXT, LB_MALFORMED,
              "no such kind");
    out->kind = (enum lb_fact_kind)kept->kind;
    out->truth = kept->truth;
    out->number = kept->number;
    out->text = lb_pb_span(kept->text);
    return LB_OK;
}

static lb_status read_fact(struct lb_window_case *entry, struct lb_case_member *member,
                           const Lianban__V1__KeptFact *kept)
{
    const struct lb_form *form = entry->form->form;
    size_t index = lb_form_fact_index(form, kept->fact);
    LB_ENSURE(index < form->num_facts, LB_MALFORMED, "no such fact");
    struct lb_case_fact fact = {.again_unix_s = kept->again_unix_s,
                                .receipt_ok = kept->receipt_ok};
    LB_TRY(read_value(kept, &fact.value));
    LB_ENSURE(kept->code[0] == 0 || lb_code_by_name(kept->code, strlen(kept->code), &fact.code),
              LB_MALFORMED, "no such code");
    LB_TRY(copy_fixed(kept->as_of, fact.as_of, sizeof(fact.as_of)));
    if (form->facts[index].call.op == LB_OP_SHARE)
        LB_TRY(copy_bytes(kept->share_set, fact.share_set, sizeof(fact.share_set)));
    LB_TRY(copy_bytes(kept->txn, fact.txn, sizeof(fact.txn)));
    LB_ENSURE(kept->order >= 1, LB_MALFORMED, "a fact without its place");
    uint64_t last = entry->last_order;
    LB_TRY(lb_case_set_fact(entry, &member->facts[index], &fact));
    member->facts[index].order = kept->order;
    entry->last_order = last > kept->order ? last : kept->order;
    return LB_OK;
}

/* --- members --- */

static lb_status read_grant(const Lianban__V1__KeptGrant *kept, struct lb_case_grant *grant)
{
    if (kept == NULL)
        return LB_OK;
    LB_TRY(copy_text(kept->sd_jwt, &grant->sd_jwt));
    grant->salted = true;
    return copy_bytes(kept->salt, grant->salt, sizeof(grant->salt));
}

static lb_status read_rids(const Lianban__V1__KeptMember *kept, const struct lb_form *form,
                           struct lb_case_rid *rids)
{
    for (size_t i = 0; i < kept->n_rids; i++) {
        size_t section = lb_form_section_index(form, kept->rids[i]->department);
        LB_ENSURE(section < form->num_sections, LB_MALFORMED, "no such section");
        LB_TRY(copy_bytes(kept->rids[i]->rid, rids[section].bytes, LB_CASE_RID_BYTES));
        rids[section].made = true;
    }
    return LB_OK;
}

static lb_status read_member(struct lb_window_case *entry, struct lb_case_member *member,
                             const Lianban__V1__KeptMember *kept)
{
    const struct lb_form *form = entry->form->form;
    member->role = lb_form_role_index(form, kept->role);
    LB_ENSURE(member->role < form->num_roles, LB_MALFORMED, "no such role");
    LB_TRY(copy_fixed(kept->id_no, member->id_no, sizeof(member->id_no)));
    LB_TRY(copy_text(kept->name, &member->name));
    LB_TRY(copy_text(kept->relation, &member->relation));
    LB_TRY(copy_if(kept->representative, &member->representative));
    if (kept->ticket != NULL) {
        LB_TRY(copy_text(kept->ticket->id, &member->ticket_id));
        LB_TRY(copy_text(kept->ticket->code, &member->ticket_code));
    }
    LB_TRY(read_grant(kept->consent, &member->consent));
    LB_TRY(read_grant(kept->mandate, &member->mandate));
    LB_TRY(read_rids(kept, form, member->rids));
    for (size_t i = 0; i < kept->n_facts; i++)
        LB_TRY(read_fact(entry, member, kept->facts[i]));
    return LB_OK;
}

/* --- runs of blind sums, looks --- */

static lb_status read_share(struct lb_window_case *entry, const Lianban__V1__KeptShare *kept)
{
    const struct lb_form *form = entry->form->form;
    size_t index = 0;
    while (index < form->num_shares && strcmp(form->shares[index].slot, kept->slot) != 0)
        index++;
    LB_ENSURE(index < form->num_shares, LB_MALFORMED, "no such blind sum");
    struct lb_case_share *share = &entry->shares[index];
    share->runs = kept->runs;
    share->started_unix_s = kept->started_unix_s;
    LB_TRY(copy_bytes(kept->nonce, share->nonce, sizeof(share->nonce)));
    return copy_bytes(kept->persons, share->persons, sizeof(share->persons));
}

static lb_status read_look(struct lb_window_case *entry, const Lianban__V1__KeptLook *kept)
{
    if (entry->form->form->trigger.every_days == 0)
        return LB_OK;
    LB_ENSURE(kept != NULL, LB_MALFORMED, "a watch without its looks");
    entry->look = (struct lb_case_look){kept->begun_unix_s, kept->asked_unix_s, kept->done,
                                        kept->over};
    return LB_OK;
}

/* --- result --- */

static lb_status find_class(struct lb_window_case *entry, const char *id)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i <= form->num_classes; i++) {
        const struct lb_form_class *class =
            i < form->num_classes ? &form->classes[i] : &form->otherwise;
        if (strcmp(class->id, id) == 0) {
            entry->class_id = class->id;
            entry->class_text = class->text;
            return LB_OK;
        }
    }
    LB_ENSURE(strcmp(id, lb_window_manual.id) == 0, LB_MALFORMED, "no such class");
    entry->class_id = lb_window_manual.id;
    entry->class_text = lb_window_manual.text;
    return LB_OK;
}

static lb_status read_condition(const char *name, const Lianban__V1__KeptResult *result,
                                enum lb_truth *out)
{
    for (size_t i = 0; i < result->n_conditions; i++) {
        const Lianban__V1__KeptCondition *kept = result->conditions[i];
        if (strcmp(kept->condition, name) != 0)
            continue;
        LB_ENSURE(kept->truth >= LB_FALSE && kept->truth <= LB_UNKNOWN, LB_MALFORMED,
                  "no such truth");
        *out = (enum lb_truth)kept->truth;
        return LB_OK;
    }
    LB_FAIL(LB_MALFORMED, "a condition is missing");
}

/* What was not told is not there. */
static void read_amount(struct lb_form_sum *sum, const char *name,
                        const Lianban__V1__KeptResult *result)
{
    for (size_t i = 0; i < result->n_amounts; i++) {
        if (strcmp(result->amounts[i]->amount, name) == 0)
            *sum = (struct lb_form_sum){true, result->amounts[i]->value};
    }
}

static lb_status read_result(struct lb_window_case *entry, const Lianban__V1__KeptResult *result)
{
    const struct lb_form *form = entry->form->form;
    if (result == NULL)
        return LB_OK;
    LB_TRY(find_class(entry, result->class_id));
    for (size_t i = 0; i < form->num_conditions; i++)
        LB_TRY(read_condition(form->conditions[i].name, result, &entry->conditions[i]));
    for (size_t i = 0; i < form->num_amounts; i++)
        read_amount(&entry->amounts[i], form->amounts[i].name, result);
    entry->thresholds_version = result->thresholds_version;
    entry->decided = true;
    return LB_OK;
}

/* --- the whole --- */

static lb_status find_form(struct lb_window *window, const Lianban__V1__KeptCase *kept,
                           struct lb_case_form **out_form)
{
    for (size_t i = 0; i < window->num_forms; i++) {
        const struct lb_form *form = window->forms[i].form;
        if (lb_span_eq(lb_pb_span(kept->form_sha256),
                       lb_span_of(form->sha256, sizeof(form->sha256)))) {
            *out_form = &window->forms[i];
            return LB_OK;
        }
    }
    LB_FAIL(LB_FORM_UNKNOWN, "a case's form is not among ours");
}

static lb_status read_records(const Lianban__V1__KeptCase *kept, struct lb_case_records *records)
{
    for (size_t i = 0; i < kept->n_records; i++)
        LB_TRY(lb_records_take(records, lb_pb_span(kept->records[i]->note),
                               kept->records[i]->log_entry));
    return copy_if(kept->pending, &records->pending);
}

static lb_status read_parts(const Lianban__V1__KeptCase *kept, struct lb_window_case *entry)
{
    LB_TRY(copy_fixed(kept->id, entry->id, sizeof(entry->id)));
    LB_TRY(copy_fixed(kept->person, entry->person, sizeof(entry->person)));
    LB_TRY(copy_text(kept->unit, &entry->unit));
    LB_TRY(copy_fixed(kept->approver, entry->approver, sizeof(entry->approver)));
    LB_TRY(copy_text(kept->approver_unit, &entry->approver_unit));
    entry->opened_unix_s = kept->opened_unix_s;
    LB_TRY(read_records(kept, &entry->records));
    for (size_t i = 0; i < kept->n_members; i++)
        LB_TRY(read_member(entry, &entry->members[i], kept->members[i]));
    for (size_t i = 0; i < kept->n_shares; i++)
        LB_TRY(read_share(entry, kept->shares[i]));
    LB_TRY(read_look(entry, kept->look));
    entry->receipts_checked = kept->receipts_checked;
    entry->receipts_failed = kept->receipts_failed;
    entry->millis = kept->millis;
    return read_result(entry, kept->result);
}

static lb_status read_case(struct lb_window *window, const Lianban__V1__KeptCase *kept,
                           struct lb_window_case **out_case)
{
    struct lb_case_form *form = NULL;
    LB_ENSURE(kept->version <= LB_CASE_VERSION, LB_VERSION_UNSUPPORTED, "a newer version's case");
    LB_TRY(find_form(window, kept, &form));
    LB_ENSURE(kept->n_members >= 1 && kept->n_members <= LB_MAX_HOUSEHOLD, LB_MALFORMED,
              "no household");
    LB_DEFER(lb_case_freep) struct lb_window_case *entry = NULL;
    LB_TRY(lb_case_new(window, form, kept->n_members, &entry));
    LB_TRY(read_parts(kept, entry));
    *out_case = entry;
    entry = NULL;
    return LB_OK;
}

static lb_status read_json(struct lb_window *window, struct lb_span bytes, struct lb_arena *arena,
                           struct lb_window_case **out_case)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
    Lianban__V1__KeptCase kept = LIANBAN__V1__KEPT_CASE__INIT;
    LB_TRY(lb_json_parse(bytes, &root));
    LB_TRY(lb_case_json_read(root, arena, &kept));
    return read_case(window, &kept, out_case);
}

static lb_status read_message(struct lb_window *window, struct lb_span bytes,
                              struct lb_arena *arena, struct lb_window_case **out_case)
{
    Lianban__V1__KeptCase *kept = NULL;
    LB_TRY(lb_pb_unpack_within(&lianban__v1__kept_case__descriptor, bytes, LB_MAX_CASE_BYTES,
                               arena, &kept));
    LB_ENSURE(kept->version > LB_CASE_LAST_JSON, LB_MALFORMED, "a case without its version");
    return read_case(window, kept, out_case);
}

/* No message of ours begins with the brace: it would be the end of a group. */
lb_status lb_case_read(struct lb_window *window, struct lb_span bytes, struct lb_arena *arena,
                       struct lb_window_case **out_case)
{
    bool is_json = bytes.len > 0 && bytes.ptr[0] == '{';
    lb_status status = is_json ? read_json(window, bytes, arena, out_case)
                               : read_message(window, bytes, arena, out_case);
    switch (lb_status_code(status)) {
    case LB_MALFORMED:
    case LB_ABSENT:
        LB_FAIL(LB_STORE_FAILED, "a stored case is damaged");
    default:
        return status;
    }
}
