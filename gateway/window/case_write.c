#include "gateway/base/hex.h"
#include "gateway/window/case.h"

/* A case as JSON, before it is encrypted. case_read.c is the other half; a change of the shape is a
 * new CASE_VERSION there and here. */

#define CASE_VERSION 2

static void set_hex(struct lb_json *object, const char *key, const uint8_t *bytes, size_t len)
{
    char text[2 * 32 + 1];
    lb_hex_encode(lb_span_of(bytes, len), text);
    lb_json_set_cstr(object, key, text);
}

static void set_if(struct lb_json *object, const char *key, const char *text)
{
    if (text != NULL)
        lb_json_set_cstr(object, key, text);
}

static void set_value(struct lb_json *object, const struct lb_fact *value)
{
    lb_json_set_int(object, "state", (int64_t)value->state);
    if (value->state != LB_FACT_OK)
        return;
    lb_json_set_int(object, "kind", (int64_t)value->kind);
    if (value->kind == LB_FACT_TRUTH)
        lb_json_set_bool(object, "truth", value->truth);
    if (value->kind == LB_FACT_NUMBER)
        lb_json_set_int(object, "number", value->number);
    if (value->kind == LB_FACT_TEXT)
        lb_json_set_str(object, "text", value->text);
}

static struct lb_json *fact_json(const struct lb_form *form, const struct lb_case_member *member,
                                 size_t index)
{
    const struct lb_case_fact *fact = &member->facts[index];
    struct lb_json *object = lb_json_object();
    lb_json_set_cstr(object, "fact", form->facts[index].name);
    set_value(object, &fact->value);
    if (fact->code != LB_CODE_OK)
        lb_json_set_cstr(object, "code", lb_code_name(fact->code));
    if (fact->again_unix_s != 0)
        lb_json_set_int(object, "again", fact->again_unix_s);
    lb_json_set_cstr(object, "as_of", fact->as_of);
    lb_json_set_bool(object, "receipt", fact->receipt_ok);
    if (form->facts[index].call.op == LB_OP_SHARE)
        set_hex(object, "share_set", fact->share_set, sizeof(fact->share_set));
    set_hex(object, "txn", fact->txn, sizeof(fact->txn));
    lb_json_set_int(object, "order", (int64_t)fact->order);
    return object;
}

static struct lb_json *grant_json(const struct lb_case_grant *grant)
{
    struct lb_json *object = lb_json_object();
    lb_json_set_cstr(object, "sd_jwt", grant->sd_jwt);
    set_hex(object, "salt", grant->salt, sizeof(grant->salt));
    return object;
}

static struct lb_json *rids_json(const struct lb_form *form, const struct lb_case_member *member)
{
    struct lb_json *object = lb_json_object();
    for (size_t i = 0; i < form->num_sections; i++) {
        if (member->rids[i].made)
            set_hex(object, form->sections[i].department, member->rids[i].bytes,
                    LB_CASE_RID_BYTES);
    }
    return object;
}

static struct lb_json *member_json(const struct lb_form *form, const struct lb_case_member *member)
{
    struct lb_json *object = lb_json_object();
    lb_json_set_cstr(object, "role", form->roles[member->role].name);
    lb_json_set_cstr(object, "id_no", member->id_no);
    lb_json_set_cstr(object, "name", member->name);
    lb_json_set_cstr(object, "relation", member->relation);
    set_if(object, "representative", member->representative);
    set_if(object, "ticket", member->ticket_id);
    set_if(object, "ticket_code", member->ticket_code);
    if (member->consent.sd_jwt != NULL)
        lb_json_set(object, "consent", grant_json(&member->consent));
    if (member->mandate.sd_jwt != NULL)
        lb_json_set(object, "mandate", grant_json(&member->mandate));
    lb_json_set(object, "rids", rids_json(form, member));
    struct lb_json *facts = lb_json_array();
    for (size_t i = 0; i < form->num_facts; i++) {
        if (member->facts[i].value.state != 0)
            lb_json_append(facts, fact_json(form, member, i));
    }
    lb_json_set(object, "facts", facts);
    return object;
}

static struct lb_json *shares_json(const struct lb_window_case *entry)
{
    const struct lb_form *form = entry->form->form;
    struct lb_json *all = lb_json_object();
    for (size_t i = 0; i < form->num_shares; i++) {
        const struct lb_case_share *share = &entry->shares[i];
        if (share->runs == 0)
            continue;
        struct lb_json *object = lb_json_object();
        lb_json_set_int(object, "runs", share->runs);
        set_hex(object, "nonce", share->nonce, sizeof(share->nonce));
        lb_json_set_int(object, "started", share->started_unix_s);
        set_hex(object, "persons", share->persons, sizeof(share->persons));
        lb_json_set(all, form->shares[i].slot, object);
    }
    return all;
}

static struct lb_json *result_json(const struct lb_window_case *entry)
{
    static const char truths[] = "FTU"; /* by enum lb_truth */
    const struct lb_form *form = entry->form->form;
    struct lb_json *object = lb_json_object();
    lb_json_set_cstr(object, "class", entry->class_id);
    struct lb_json *conditions = lb_json_object();
    for (size_t i = 0; i < form->num_conditions; i++)
        lb_json_set_str(conditions, form->conditions[i].name,
                        lb_span_of(&truths[entry->conditions[i]], 1));
    lb_json_set(object, "conditions", conditions);
    struct lb_json *amounts = lb_json_object();
    for (size_t i = 0; i < form->num_amounts; i++)
        if (entry->amounts[i].told)
            lb_json_set_int(amounts, form->amounts[i].name, entry->amounts[i].value);
    lb_json_set(object, "amounts", amounts);
    lb_json_set_int(object, "thresholds", entry->thresholds_version);
    lb_json_set_int(object, "millis", entry->millis);
    return object;
}

static struct lb_json *look_json(const struct lb_case_look *look)
{
    struct lb_json *object = lb_json_object();
    lb_json_set_int(object, "begun", look->begun_unix_s);
    lb_json_set_int(object, "asked", look->asked_unix_s);
    lb_json_set_bool(object, "done", look->done);
    lb_json_set_bool(object, "over", look->over);
    return object;
}

lb_status lb_case_to_text(const struct lb_window_case *entry, struct lb_arena *arena,
                          struct lb_span *out_text)
{
    const struct lb_form *form = entry->form->form;
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    lb_json_set_int(root, "version", CASE_VERSION);
    lb_json_set_cstr(root, "id", entry->id);
    lb_json_set_cstr(root, "form", form->id);
    lb_json_set_int(root, "form_version", form->version);
    set_hex(root, "form_sha256", form->sha256, sizeof(form->sha256));
    lb_json_set_cstr(root, "person", entry->person);
    lb_json_set_cstr(root, "unit", entry->unit);
    if (entry->approver[0] != 0) {
        lb_json_set_cstr(root, "approver", entry->approver);
        lb_json_set_cstr(root, "approver_unit", entry->approver_unit);
    }
    lb_json_set_int(root, "opened", entry->opened_unix_s);
    lb_records_to_json(&entry->records, root);
    struct lb_json *members = lb_json_array();
    for (size_t i = 0; i < entry->num_members; i++)
        lb_json_append(members, member_json(form, &entry->members[i]));
    lb_json_set(root, "members", members);
    if (form->num_shares > 0)
        lb_json_set(root, "shares", shares_json(entry));
    if (form->trigger.every_days > 0)
        lb_json_set(root, "look", look_json(&entry->look));
    lb_json_set_int(root, "receipts_checked", entry->receipts_checked);
    lb_json_set_int(root, "receipts_failed", entry->receipts_failed);
    if (entry->decided)
        lb_json_set(root, "result", result_json(entry));
    else if (entry->records.pending != NULL)
        lb_json_set_int(root, "millis", entry->millis);
    return lb_json_dump(root, LB_JSON_COMPACT, arena, out_text);
}
