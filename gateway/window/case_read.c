#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/window/inside.h"

/* A case read back from what case_write.c wrote. The text was authenticated when it was decrypted,
 * so a mistake here is damage of our own; it is refused all the same. */

#define CASE_VERSION 2
#define OLDEST_VERSION 1 /* without records, and without the time it was opened at */

static lb_status get_hex(const struct lb_json *object, const char *key, uint8_t *out, size_t len)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    return lb_hex_decode(text, out, len);
}

static lb_status get_text(const struct lb_json *object, const char *key, char **slot)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    return lb_case_text(slot, text);
}

static bool has(const struct lb_json *object, const char *key)
{
    struct lb_span text;
    return lb_status_code(lb_json_get_str(object, key, &text)) != LB_ABSENT;
}

static lb_status copy_fixed(const struct lb_json *object, const char *key, char *out, size_t size)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    LB_ENSURE(text.len < size, LB_MALFORMED, "a text is too long");
    (void)snprintf(out, size, "%.*s", (int)text.len, (const char *)text.ptr);
    return LB_OK;
}

static lb_status get_u32(const struct lb_json *object, const char *key, uint32_t *out)
{
    int64_t value = 0;
    LB_TRY(lb_json_get_int(object, key, &value));
    LB_ENSURE(value >= 0 && value <= UINT32_MAX, LB_MALFORMED, "a number is out of range");
    *out = (uint32_t)value;
    return LB_OK;
}

/* --- facts --- */

static lb_status read_value(const struct lb_json *object, struct lb_fact *out)
{
    int64_t state = 0, kind = 0;
    LB_TRY(lb_json_get_int(object, "state", &state));
    LB_ENSURE(state >= LB_FACT_OK && state <= LB_FACT_DRY_RUN, LB_MALFORMED, "no such state");
    out->state = (enum lb_fact_state)state;
    if (out->state != LB_FACT_OK)
        return LB_OK;
    LB_TRY(lb_json_get_int(object, "kind", &kind));
    LB_ENSURE(kind >= LB_FACT_UNKNOWN && kind <= LB_FACT_TEXT, LB_MALFORMED, "no such kind");
    out->kind = (enum lb_fact_kind)kind;
    if (out->kind == LB_FACT_TRUTH)
        return lb_json_get_bool(object, "truth", &out->truth);
    if (out->kind == LB_FACT_NUMBER)
        return lb_json_get_int(object, "number", &out->number);
    if (out->kind == LB_FACT_TEXT)
        return lb_json_get_str(object, "text", &out->text);
    return LB_OK;
}

static lb_status read_code(const struct lb_json *object, enum lb_code *out)
{
    struct lb_span name;
    lb_status status = lb_json_get_str(object, "code", &name);
    *out = LB_CODE_OK;
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    LB_ENSURE(lb_code_by_name((const char *)name.ptr, name.len, out), LB_MALFORMED, "no such code");
    return LB_OK;
}

static lb_status read_fact(struct lb_window_case *entry, struct lb_case_member *member,
                           const struct lb_json *object)
{
    const struct lb_form *form = entry->form->form;
    char name[LB_MAX_NAME_BYTES + 1];
    LB_TRY(copy_fixed(object, "fact", name, sizeof(name)));
    size_t index = lb_form_fact_index(form, name);
    LB_ENSURE(index < form->num_facts, LB_MALFORMED, "no such fact");
    struct lb_case_fact fact = {0};
    int64_t order = 0;
    LB_TRY(read_value(object, &fact.value));
    LB_TRY(read_code(object, &fact.code));
    if (has(object, "again"))
        LB_TRY(lb_json_get_int(object, "again", &fact.again_unix_s));
    LB_TRY(copy_fixed(object, "as_of", fact.as_of, sizeof(fact.as_of)));
    LB_TRY(lb_json_get_bool(object, "receipt", &fact.receipt_ok));
    if (form->facts[index].call.op == LB_OP_SHARE)
        LB_TRY(get_hex(object, "share_set", fact.share_set, sizeof(fact.share_set)));
    LB_TRY(get_hex(object, "txn", fact.txn, sizeof(fact.txn)));
    LB_TRY(lb_json_get_int(object, "order", &order));
    LB_ENSURE(order >= 1, LB_MALFORMED, "a fact without its place");
    uint64_t last = entry->last_order;
    LB_TRY(lb_case_set_fact(entry, &member->facts[index], &fact));
    member->facts[index].order = (uint64_t)order;
    entry->last_order = last > (uint64_t)order ? last : (uint64_t)order;
    return LB_OK;
}

/* --- members --- */

static lb_status read_grant(const struct lb_json *member, const char *key,
                            struct lb_case_grant *grant)
{
    const struct lb_json *object = NULL;
    if (!has(member, key))
        return LB_OK;
    LB_TRY(lb_json_get_object(member, key, &object));
    LB_TRY(get_text(object, "sd_jwt", &grant->sd_jwt));
    grant->salted = true;
    return get_hex(object, "salt", grant->salt, sizeof(grant->salt));
}

static lb_status read_rids(const struct lb_json *member, const struct lb_form *form,
                           struct lb_case_rid *rids)
{
    const struct lb_json *object = NULL;
    LB_TRY(lb_json_get_object(member, "rids", &object));
    for (size_t i = 0; i < lb_json_len(object); i++) {
        const char *department = NULL;
        (void)lb_json_member(object, i, &department);
        size_t section = lb_form_section_index(form, department);
        LB_ENSURE(section < form->num_sections, LB_MALFORMED, "no such section");
        LB_TRY(get_hex(object, department, rids[section].bytes, LB_CASE_RID_BYTES));
        rids[section].made = true;
    }
    return LB_OK;
}

static lb_status read_member(struct lb_window_case *entry, struct lb_case_member *member,
                             const struct lb_json *object)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_json *facts = NULL;
    char role[LB_MAX_NAME_BYTES + 1];
    LB_TRY(copy_fixed(object, "role", role, sizeof(role)));
    member->role = lb_form_role_index(form, role);
    LB_ENSURE(member->role < form->num_roles, LB_MALFORMED, "no such role");
    LB_TRY(copy_fixed(object, "id_no", member->id_no, sizeof(member->id_no)));
    LB_TRY(get_text(object, "name", &member->name));
    LB_TRY(get_text(object, "relation", &member->relation));
    if (has(object, "representative"))
        LB_TRY(get_text(object, "representative", &member->representative));
    if (has(object, "ticket")) {
        LB_TRY(get_text(object, "ticket", &member->ticket_id));
        LB_TRY(get_text(object, "ticket_code", &member->ticket_code));
    }
    LB_TRY(read_grant(object, "consent", &member->consent));
    LB_TRY(read_grant(object, "mandate", &member->mandate));
    LB_TRY(read_rids(object, form, member->rids));
    LB_TRY(lb_json_get_array(object, "facts", &facts));
    for (size_t i = 0; i < lb_json_len(facts); i++)
        LB_TRY(read_fact(entry, member, lb_json_at(facts, i)));
    return LB_OK;
}

/* --- runs of blind sums --- */

static lb_status read_share(const struct lb_json *object, struct lb_case_share *share)
{
    LB_TRY(get_u32(object, "runs", &share->runs));
    LB_TRY(get_hex(object, "nonce", share->nonce, sizeof(share->nonce)));
    LB_TRY(lb_json_get_int(object, "started", &share->started_unix_s));
    return get_hex(object, "persons", share->persons, sizeof(share->persons));
}

static lb_status read_shares(struct lb_window_case *entry, const struct lb_json *root)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_json *all = NULL;
    if (form->num_shares == 0)
        return LB_OK;
    LB_TRY(lb_json_get_object(root, "shares", &all));
    for (size_t i = 0; i < form->num_shares; i++) {
        const struct lb_json *object = NULL;
        if (!has(all, form->shares[i].slot))
            continue;
        LB_TRY(lb_json_get_object(all, form->shares[i].slot, &object));
        LB_TRY(read_share(object, &entry->shares[i]));
    }
    return LB_OK;
}

/* --- looks --- */

static lb_status read_look(const struct lb_json *root, struct lb_case_look *look)
{
    const struct lb_json *object = NULL;
    LB_TRY(lb_json_get_object(root, "look", &object));
    LB_TRY(lb_json_get_int(object, "begun", &look->begun_unix_s));
    LB_TRY(lb_json_get_int(object, "asked", &look->asked_unix_s));
    LB_TRY(lb_json_get_bool(object, "done", &look->done));
    return lb_json_get_bool(object, "over", &look->over);
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

/* What was not told is not there; nor is any of it in what an older program wrote. */
static lb_status read_amounts(struct lb_window_case *entry, const struct lb_json *result)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_json *amounts = NULL;
    lb_status status = lb_json_get_object(result, "amounts", &amounts);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    for (size_t i = 0; i < form->num_amounts; i++) {
        struct lb_form_sum *sum = &entry->amounts[i];
        status = lb_json_get_int(amounts, form->amounts[i].name, &sum->value);
        sum->told = status == LB_OK;
        if (lb_status_code(status) != LB_ABSENT)
            LB_TRY(status);
    }
    return LB_OK;
}

static lb_status read_result(struct lb_window_case *entry, const struct lb_json *root)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_json *object = NULL, *conditions = NULL;
    char id[LB_MAX_NAME_BYTES + 1];
    if (!has(root, "result"))
        return LB_OK;
    LB_TRY(lb_json_get_object(root, "result", &object));
    LB_TRY(copy_fixed(object, "class", id, sizeof(id)));
    LB_TRY(find_class(entry, id));
    LB_TRY(lb_json_get_object(object, "conditions", &conditions));
    for (size_t i = 0; i < form->num_conditions; i++) {
        struct lb_span truth;
        LB_TRY(lb_json_get_str(conditions, form->conditions[i].name, &truth));
        entry->conditions[i] = lb_span_is(truth, "T")   ? LB_TRUE
                               : lb_span_is(truth, "F") ? LB_FALSE
                                                        : LB_UNKNOWN;
    }
    LB_TRY(read_amounts(entry, object));
    LB_TRY(get_u32(object, "thresholds", &entry->thresholds_version));
    LB_TRY(get_u32(object, "millis", &entry->millis));
    entry->decided = true;
    return LB_OK;
}

/* --- the whole --- */

static lb_status find_form(struct lb_window *window, const struct lb_json *root,
                           struct lb_case_form **out_form)
{
    uint8_t sha256[32];
    LB_TRY(get_hex(root, "form_sha256", sha256, sizeof(sha256)));
    for (size_t i = 0; i < window->num_forms; i++) {
        if (memcmp(window->forms[i].form->sha256, sha256, sizeof(sha256)) == 0) {
            *out_form = &window->forms[i];
            return LB_OK;
        }
    }
    LB_FAIL(LB_FORM_UNKNOWN, "a case's form is not among ours");
}

static lb_status read_case(const struct lb_json *root, const struct lb_json *members,
                           struct lb_window_case *entry)
{
    LB_TRY(copy_fixed(root, "id", entry->id, sizeof(entry->id)));
    LB_TRY(copy_fixed(root, "person", entry->person, sizeof(entry->person)));
    LB_TRY(get_text(root, "unit", &entry->unit));
    if (has(root, "approver")) {
        LB_TRY(copy_fixed(root, "approver", entry->approver, sizeof(entry->approver)));
        LB_TRY(get_text(root, "approver_unit", &entry->approver_unit));
    }
    if (has(root, "opened"))
        LB_TRY(lb_json_get_int(root, "opened", &entry->opened_unix_s));
    LB_TRY(lb_records_from_json(root, &entry->records));
    for (size_t i = 0; i < entry->num_members; i++)
        LB_TRY(read_member(entry, &entry->members[i], lb_json_at(members, i)));
    LB_TRY(read_shares(entry, root));
    if (entry->form->form->trigger.every_days > 0)
        LB_TRY(read_look(root, &entry->look));
    LB_TRY(get_u32(root, "receipts_checked", &entry->receipts_checked));
    LB_TRY(get_u32(root, "receipts_failed", &entry->receipts_failed));
    if (has(root, "millis"))
        LB_TRY(get_u32(root, "millis", &entry->millis));
    return read_result(entry, root);
}

static lb_status read_root(struct lb_window *window, const struct lb_json *root,
                           struct lb_window_case **out_case)
{
    int64_t version = 0;
    const struct lb_json *members = NULL;
    struct lb_case_form *form = NULL;
    LB_TRY(lb_json_get_int(root, "version", &version));
    LB_ENSURE(version >= OLDEST_VERSION && version <= CASE_VERSION, LB_VERSION_UNSUPPORTED,
              "a case of another version");
    LB_TRY(find_form(window, root, &form));
    LB_TRY(lb_json_get_array(root, "members", &members));
    size_t num = lb_json_len(members);
    LB_ENSURE(num >= 1 && num <= LB_MAX_HOUSEHOLD, LB_MALFORMED, "no household");
    LB_DEFER(lb_case_freep) struct lb_window_case *entry = NULL;
    LB_TRY(lb_case_new(window, form, num, &entry));
    LB_TRY(read_case(root, members, entry));
    *out_case = entry;
    entry = NULL;
    return LB_OK;
}

lb_status lb_case_from_text(struct lb_window *window, struct lb_span text,
                            struct lb_window_case **out_case)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
    lb_status status = lb_json_parse(text, &root);
    if (status == LB_OK)
        status = read_root(window, root, out_case);
    switch (lb_status_code(status)) {
    case LB_MALFORMED:
    case LB_ABSENT:
        LB_FAIL(LB_STORE_FAILED, "a stored case is damaged");
    default:
        return status;
    }
}
