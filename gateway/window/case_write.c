#include "gateway/window/case.h"
#include "gateway/wire/pb.h"

/* A case as the store keeps it (kept.proto), before it is encrypted. case_read.c is the other half.
 * It is written often, so the message borrows all it can from the case. */

#define ENSURE_ROOM(made) LB_ENSURE((made) != NULL, LB_NO_MEMORY, "arena is full")

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

static ProtobufCBinaryData text_bytes(const char *constant)
{
    return lb_pb_bytes(lb_span_str(constant));
}

#define FIXED_BYTES(array) lb_pb_bytes(lb_span_of((array), sizeof(array)))

/* --- members --- */

static void write_value(const struct lb_fact *value, Lianban__V1__KeptFact *out)
{
    out->state = (int32_t)value->state;
    if (value->state != LB_FACT_OK)
        return;
    out->kind = (int32_t)value->kind;
    if (value->kind == LB_FACT_TRUTH)
        out->truth = value->truth;
    if (value->kind == LB_FACT_NUMBER)
        out->number = value->number;
    if (value->kind == LB_FACT_TEXT)
        out->text = lb_pb_bytes(value->text);
}

static void write_fact(const struct lb_form_fact *asked, const struct lb_case_fact *fact,
                       Lianban__V1__KeptFact *out)
{
    out->fact = text(asked->name);
    write_value(&fact->value, out);
    if (fact->code != LB_CODE_OK)
        out->code = text(lb_code_name(fact->code));
    out->again_unix_s = fact->again_unix_s;
    out->as_of = text(fact->as_of);
    out->receipt_ok = fact->receipt_ok;
    if (asked->call.op == LB_OP_SHARE)
        out->share_set = FIXED_BYTES(fact->share_set);
    out->txn = FIXED_BYTES(fact->txn);
    out->order = fact->order;
}

static lb_status write_facts(const struct lb_form *form, const struct lb_case_member *member,
                             struct lb_arena *arena, Lianban__V1__KeptMember *out)
{
    out->facts = lb_pb_make_list(&lianban__v1__kept_fact__descriptor, form->num_facts, arena);
    ENSURE_ROOM(out->facts);
    for (size_t i = 0; i < form->num_facts; i++) {
        if (member->facts[i].value.state != 0)
            write_fact(&form->facts[i], &member->facts[i], out->facts[out->n_facts++]);
    }
    return LB_OK;
}

static lb_status write_rids(const struct lb_form *form, const struct lb_case_member *member,
                            struct lb_arena *arena, Lianban__V1__KeptMember *out)
{
    out->rids = lb_pb_make_list(&lianban__v1__kept_rid__descriptor, form->num_sections, arena);
    ENSURE_ROOM(out->rids);
    for (size_t i = 0; i < form->num_sections; i++) {
        if (!member->rids[i].made)
            continue;
        Lianban__V1__KeptRid *rid = out->rids[out->n_rids++];
        rid->department = text(form->sections[i].department);
        rid->rid = FIXED_BYTES(member->rids[i].bytes);
    }
    return LB_OK;
}

static lb_status write_ticket(const struct lb_case_member *member, struct lb_arena *arena,
                              Lianban__V1__KeptMember *out)
{
    if (member->ticket_id == NULL)
        return LB_OK;
    out->ticket = lb_pb_make(&lianban__v1__kept_ticket__descriptor, arena);
    ENSURE_ROOM(out->ticket);
    out->ticket->id = text_bytes(member->ticket_id);
    out->ticket->code = text_bytes(member->ticket_code);
    return LB_OK;
}

static lb_status write_grant(const struct lb_case_grant *grant, struct lb_arena *arena,
                             Lianban__V1__KeptGrant **out)
{
    if (grant->sd_jwt == NULL)
        return LB_OK;
    *out = lb_pb_make(&lianban__v1__kept_grant__descriptor, arena);
    ENSURE_ROOM(*out);
    (*out)->sd_jwt = text_bytes(grant->sd_jwt);
    (*out)->salt = FIXED_BYTES(grant->salt);
    return LB_OK;
}

static lb_status write_member(const struct lb_form *form, const struct lb_case_member *member,
                              struct lb_arena *arena, Lianban__V1__KeptMember *out)
{
    out->role = text(form->roles[member->role].name);
    out->id_no = text(member->id_no);
    out->name = text_bytes(member->name);
    out->relation = text_bytes(member->relation);
    out->representative = text_bytes(member->representative);
    LB_TRY(write_ticket(member, arena, out));
    LB_TRY(write_grant(&member->consent, arena, &out->consent));
    LB_TRY(write_grant(&member->mandate, arena, &out->mandate));
    LB_TRY(write_rids(form, member, arena, out));
    return write_facts(form, member, arena, out);
}

static lb_status write_members(const struct lb_window_case *entry, struct lb_arena *arena,
                               Lianban__V1__KeptCase *out)
{
    out->members =
        lb_pb_make_list(&lianban__v1__kept_member__descriptor, entry->num_members, arena);
    ENSURE_ROOM(out->members);
    for (size_t i = 0; i < entry->num_members; i++)
        LB_TRY(write_member(entry->form->form, &entry->members[i], arena,
                            out->members[out->n_members++]));
    return LB_OK;
}

/* --- what else there is --- */

static lb_status write_records(const struct lb_case_records *records, struct lb_arena *arena,
                               Lianban__V1__KeptCase *out)
{
    out->records = lb_pb_make_list(&lianban__v1__kept_record__descriptor, records->num, arena);
    ENSURE_ROOM(out->records);
    for (size_t i = 0; i < records->num; i++) {
        Lianban__V1__KeptRecord *record = out->records[out->n_records++];
        record->note = text_bytes(records->list[i].note);
        record->log_entry = records->list[i].log_entry;
    }
    out->pending = text_bytes(records->pending);
    return LB_OK;
}

static lb_status write_shares(const struct lb_window_case *entry, struct lb_arena *arena,
                              Lianban__V1__KeptCase *out)
{
    const struct lb_form *form = entry->form->form;
    out->shares = lb_pb_make_list(&lianban__v1__kept_share__descriptor, form->num_shares, arena);
    ENSURE_ROOM(out->shares);
    for (size_t i = 0; i < form->num_shares; i++) {
        const struct lb_case_share *share = &entry->shares[i];
        if (share->runs == 0)
            continue;
        Lianban__V1__KeptShare *kept = out->shares[out->n_shares++];
        kept->slot = text(form->shares[i].slot);
        kept->runs = share->runs;
        kept->nonce = FIXED_BYTES(share->nonce);
        kept->started_unix_s = share->started_unix_s;
        kept->persons = FIXED_BYTES(share->persons);
    }
    return LB_OK;
}

static lb_status write_look(const struct lb_window_case *entry, struct lb_arena *arena,
                            Lianban__V1__KeptCase *out)
{
    if (entry->form->form->trigger.every_days == 0)
        return LB_OK;
    out->look = lb_pb_make(&lianban__v1__kept_look__descriptor, arena);
    ENSURE_ROOM(out->look);
    out->look->begun_unix_s = entry->look.begun_unix_s;
    out->look->asked_unix_s = entry->look.asked_unix_s;
    out->look->done = entry->look.done;
    out->look->over = entry->look.over;
    return LB_OK;
}

static lb_status write_result(const struct lb_window_case *entry, struct lb_arena *arena,
                              Lianban__V1__KeptCase *out)
{
    const struct lb_form *form = entry->form->form;
    Lianban__V1__KeptResult *result = lb_pb_make(&lianban__v1__kept_result__descriptor, arena);
    ENSURE_ROOM(result);
    result->conditions =
        lb_pb_make_list(&lianban__v1__kept_condition__descriptor, form->num_conditions, arena);
    result->amounts =
        lb_pb_make_list(&lianban__v1__kept_amount__descriptor, form->num_amounts, arena);
    ENSURE_ROOM(result->conditions);
    ENSURE_ROOM(result->amounts);
    result->class_id = text(entry->class_id);
    for (size_t i = 0; i < form->num_conditions; i++) {
        Lianban__V1__KeptCondition *condition = result->conditions[result->n_conditions++];
        condition->condition = text(form->conditions[i].name);
        condition->truth = (int32_t)entry->conditions[i];
    }
    for (size_t i = 0; i < form->num_amounts; i++) {
        if (!entry->amounts[i].told)
            continue;
        Lianban__V1__KeptAmount *amount = result->amounts[result->n_amounts++];
        amount->amount = text(form->amounts[i].name);
        amount->value = entry->amounts[i].value;
    }
    result->thresholds_version = entry->thresholds_version;
    out->result = result;
    return LB_OK;
}

lb_status lb_case_write(const struct lb_window_case *entry, struct lb_arena *arena,
                        struct lb_span *out_bytes)
{
    Lianban__V1__KeptCase kept = LIANBAN__V1__KEPT_CASE__INIT;
    kept.version = LB_CASE_VERSION;
    kept.id = text(entry->id);
    kept.form_sha256 = FIXED_BYTES(entry->form->form->sha256);
    kept.person = text(entry->person);
    kept.unit = text_bytes(entry->unit);
    kept.approver = text(entry->approver);
    kept.approver_unit = text_bytes(entry->approver_unit);
    kept.opened_unix_s = entry->opened_unix_s;
    kept.receipts_checked = entry->receipts_checked;
    kept.receipts_failed = entry->receipts_failed;
    kept.millis = entry->millis;
    LB_TRY(write_records(&entry->records, arena, &kept));
    LB_TRY(write_members(entry, arena, &kept));
    LB_TRY(write_shares(entry, arena, &kept));
    LB_TRY(write_look(entry, arena, &kept));
    if (entry->decided)
        LB_TRY(write_result(entry, arena, &kept));
    return lb_pb_pack_within(&kept, LB_MAX_CASE_BYTES, arena, out_bytes);
}
