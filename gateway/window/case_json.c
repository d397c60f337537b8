#include "gateway/base/hex.h"
#include "gateway/window/case.h"
#include "gateway/wire/pb.h"

/* Cases that an earlier version kept as JSON, as kept.proto has them. Each is written anew as such
 * with the next that happens to it. What their values mean is case_read.c's business. */

#define ENSURE_ROOM(made) LB_ENSURE((made) != NULL, LB_NO_MEMORY, "arena is full")

/* Whether an optional member is there; MALFORMED when it is another kind's. */
static lb_status if_there(lb_status status, bool *out_there)
{
    *out_there = status == LB_OK;
    return lb_status_code(status) == LB_ABSENT ? LB_OK : status;
}

static lb_status get_bytes(const struct lb_json *object, const char *key, ProtobufCBinaryData *out)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    *out = lb_pb_bytes(text);
    return LB_OK;
}

static lb_status get_bytes_if(const struct lb_json *object, const char *key,
                              ProtobufCBinaryData *out)
{
    bool there = false;
    return if_there(get_bytes(object, key, out), &there);
}

static lb_status get_text(const struct lb_json *object, const char *key, struct lb_arena *arena,
                          char **out)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    char *copy = lb_arena_str(arena, text);
    ENSURE_ROOM(copy);
    *out = copy;
    return LB_OK;
}

static lb_status get_text_if(const struct lb_json *object, const char *key, struct lb_arena *arena,
                             char **out)
{
    bool there = false;
    return if_there(get_text(object, key, arena, out), &there);
}

static lb_status get_hex(const struct lb_json *object, const char *key, struct lb_arena *arena,
                         ProtobufCBinaryData *out)
{
    struct lb_span text;
    LB_TRY(lb_json_get_str(object, key, &text));
    uint8_t *bytes = lb_arena_alloc(arena, text.len / 2);
    ENSURE_ROOM(bytes);
    LB_TRY(lb_hex_decode(text, bytes, text.len / 2));
    *out = (ProtobufCBinaryData){text.len / 2, bytes};
    return LB_OK;
}

static lb_status get_int_if(const struct lb_json *object, const char *key, int64_t *out)
{
    bool there = false;
    return if_there(lb_json_get_int(object, key, out), &there);
}

static lb_status get_u32(const struct lb_json *object, const char *key, uint32_t *out)
{
    int64_t value = 0;
    LB_TRY(lb_json_get_int(object, key, &value));
    LB_ENSURE(value >= 0 && value <= UINT32_MAX, LB_MALFORMED, "a number is out of range");
    *out = (uint32_t)value;
    return LB_OK;
}

static lb_status get_i32(const struct lb_json *object, const char *key, int32_t *out)
{
    int64_t value = 0;
    LB_TRY(lb_json_get_int(object, key, &value));
    LB_ENSURE(value >= INT32_MIN && value <= INT32_MAX, LB_MALFORMED, "a number is out of range");
    *out = (int32_t)value;
    return LB_OK;
}

/* --- members --- */

static lb_status read_fact(const struct lb_json *object, struct lb_arena *arena,
                           Lianban__V1__KeptFact *out)
{
    int64_t order = 0;
    bool there = false;
    LB_TRY(get_text(object, "fact", arena, &out->fact));
    LB_TRY(get_i32(object, "state", &out->state));
    if (out->state == LB_FACT_OK)
        LB_TRY(get_i32(object, "kind", &out->kind));
    LB_TRY(if_there(lb_json_get_int(object, "number", &out->number), &there));
    LB_ENSURE(there || out->kind != LB_FACT_NUMBER, LB_MALFORMED, "a number without its value");
    bool truth = false;
    LB_TRY(if_there(lb_json_get_bool(object, "truth", &truth), &there));
    LB_ENSURE(there || out->kind != LB_FACT_TRUTH, LB_MALFORMED, "a truth without its value");
    out->truth = truth;
    LB_TRY(if_there(get_bytes(object, "text", &out->text), &there));
    LB_ENSURE(there || out->kind != LB_FACT_TEXT, LB_MALFORMED, "a text without its value");
    LB_TRY(get_text_if(object, "code", arena, &out->code));
    LB_TRY(get_int_if(object, "again", &out->again_unix_s));
    LB_TRY(get_text(object, "as_of", arena, &out->as_of));
    LB_TRY(lb_json_get_bool(object, "receipt", &truth));
    out->receipt_ok = truth;
    LB_TRY(if_there(get_hex(object, "share_set", arena, &out->share_set), &there));
    LB_TRY(get_hex(object, "txn", arena, &out->txn));
    LB_TRY(lb_json_get_int(object, "order", &order));
    LB_ENSURE(order >= 1, LB_MALFORMED, "a fact without its place");
    out->order = (uint64_t)order;
    return LB_OK;
}

static lb_status read_facts(const struct lb_json *member, struct lb_arena *arena,
                            Lianban__V1__KeptMember *out)
{
    const struct lb_json *facts = NULL;
    LB_TRY(lb_json_get_array(member, "facts", &facts));
    out->facts = lb_arena_array(arena, lb_json_len(facts), sizeof(out->facts[0]));
    ENSURE_ROOM(out->facts);
    for (size_t i = 0; i < lb_json_len(facts); i++) {
        Lianban__V1__KeptFact *fact = lb_pb_make(&lianban__v1__kept_fact__descriptor, arena);
        ENSURE_ROOM(fact);
        LB_TRY(read_fact(lb_json_at(facts, i), arena, fact));
        out->facts[out->n_facts++] = fact;
    }
    return LB_OK;
}

static lb_status read_rids(const struct lb_json *member, struct lb_arena *arena,
                           Lianban__V1__KeptMember *out)
{
    const struct lb_json *rids = NULL;
    LB_TRY(lb_json_get_object(member, "rids", &rids));
    out->rids = lb_arena_array(arena, lb_json_len(rids), sizeof(out->rids[0]));
    ENSURE_ROOM(out->rids);
    for (size_t i = 0; i < lb_json_len(rids); i++) {
        Lianban__V1__KeptRid *rid = lb_pb_make(&lianban__v1__kept_rid__descriptor, arena);
        const char *department = NULL;
        ENSURE_ROOM(rid);
        (void)lb_json_member(rids, i, &department);
        rid->department = (char *)(uintptr_t)department;
        LB_TRY(get_hex(rids, department, arena, &rid->rid));
        out->rids[out->n_rids++] = rid;
    }
    return LB_OK;
}

static lb_status read_grant(const struct lb_json *member, const char *key, struct lb_arena *arena,
                            Lianban__V1__KeptGrant **out)
{
    const struct lb_json *object = NULL;
    bool there = false;
    LB_TRY(if_there(lb_json_get_object(member, key, &object), &there));
    if (!there)
        return LB_OK;
    *out = lb_pb_make(&lianban__v1__kept_grant__descriptor, arena);
    ENSURE_ROOM(*out);
    LB_TRY(get_bytes(object, "sd_jwt", &(*out)->sd_jwt));
    return get_hex(object, "salt", arena, &(*out)->salt);
}

static lb_status read_ticket(const struct lb_json *member, struct lb_arena *arena,
                             Lianban__V1__KeptTicket **out)
{
    ProtobufCBinaryData id = {0};
    bool there = false;
    LB_TRY(if_there(get_bytes(member, "ticket", &id), &there));
    if (!there)
        return LB_OK;
    *out = lb_pb_make(&lianban__v1__kept_ticket__descriptor, arena);
    ENSURE_ROOM(*out);
    (*out)->id = id;
    return get_bytes(member, "ticket_code", &(*out)->code);
}

static lb_status read_member(const struct lb_json *object, struct lb_arena *arena,
                             Lianban__V1__KeptMember *out)
{
    LB_TRY(get_text(object, "role", arena, &out->role));
    LB_TRY(get_text(object, "id_no", arena, &out->id_no));
    LB_TRY(get_bytes(object, "name", &out->name));
    LB_TRY(get_bytes(object, "relation", &out->relation));
    LB_TRY(get_bytes_if(object, "representative", &out->representative));
    LB_TRY(read_ticket(object, arena, &out->ticket));
    LB_TRY(read_grant(object, "consent", arena, &out->consent));
    LB_TRY(read_grant(object, "mandate", arena, &out->mandate));
    LB_TRY(read_rids(object, arena, out));
    return read_facts(object, arena, out);
}

static lb_status read_members(const struct lb_json *root, struct lb_arena *arena,
                              Lianban__V1__KeptCase *out)
{
    const struct lb_json *members = NULL;
    LB_TRY(lb_json_get_array(root, "members", &members));
    out->members = lb_arena_array(arena, lb_json_len(members), sizeof(out->members[0]));
    ENSURE_ROOM(out->members);
    for (size_t i = 0; i < lb_json_len(members); i++) {
        Lianban__V1__KeptMember *member = lb_pb_make(&lianban__v1__kept_member__descriptor, arena);
        ENSURE_ROOM(member);
        LB_TRY(read_member(lb_json_at(members, i), arena, member));
        out->members[out->n_members++] = member;
    }
    return LB_OK;
}

/* --- what else there is --- */

/* The first version had none. */
static lb_status read_records(const struct lb_json *root, struct lb_arena *arena,
                              Lianban__V1__KeptCase *out)
{
    const struct lb_json *records = NULL;
    bool there = false;
    LB_TRY(if_there(lb_json_get_array(root, "records", &records), &there));
    out->records = lb_arena_array(arena, lb_json_len(records), sizeof(out->records[0]));
    ENSURE_ROOM(out->records);
    for (size_t i = 0; i < lb_json_len(records); i++) {
        Lianban__V1__KeptRecord *record = lb_pb_make(&lianban__v1__kept_record__descriptor, arena);
        int64_t log_entry = 0;
        ENSURE_ROOM(record);
        LB_TRY(get_bytes(lb_json_at(records, i), "note", &record->note));
        LB_TRY(lb_json_get_int(lb_json_at(records, i), "entry", &log_entry));
        LB_ENSURE(log_entry >= 0, LB_MALFORMED, "no entry of a log");
        record->log_entry = (uint64_t)log_entry;
        out->records[out->n_records++] = record;
    }
    return get_bytes_if(root, "pending", &out->pending);
}

static lb_status read_shares(const struct lb_json *root, struct lb_arena *arena,
                             Lianban__V1__KeptCase *out)
{
    const struct lb_json *shares = NULL;
    bool there = false;
    LB_TRY(if_there(lb_json_get_object(root, "shares", &shares), &there));
    out->shares = lb_arena_array(arena, lb_json_len(shares), sizeof(out->shares[0]));
    ENSURE_ROOM(out->shares);
    for (size_t i = 0; i < lb_json_len(shares); i++) {
        Lianban__V1__KeptShare *share = lb_pb_make(&lianban__v1__kept_share__descriptor, arena);
        const char *slot = NULL;
        ENSURE_ROOM(share);
        const struct lb_json *object = lb_json_member(shares, i, &slot);
        share->slot = (char *)(uintptr_t)slot;
        LB_TRY(get_u32(object, "runs", &share->runs));
        LB_TRY(get_hex(object, "nonce", arena, &share->nonce));
        LB_TRY(lb_json_get_int(object, "started", &share->started_unix_s));
        LB_TRY(get_hex(object, "persons", arena, &share->persons));
        out->shares[out->n_shares++] = share;
    }
    return LB_OK;
}

static lb_status read_look(const struct lb_json *root, struct lb_arena *arena,
                           Lianban__V1__KeptLook **out)
{
    const struct lb_json *object = NULL;
    bool there = false, done = false, over = false;
    LB_TRY(if_there(lb_json_get_object(root, "look", &object), &there));
    if (!there)
        return LB_OK;
    Lianban__V1__KeptLook *look = lb_pb_make(&lianban__v1__kept_look__descriptor, arena);
    ENSURE_ROOM(look);
    LB_TRY(lb_json_get_int(object, "begun", &look->begun_unix_s));
    LB_TRY(lb_json_get_int(object, "asked", &look->asked_unix_s));
    LB_TRY(lb_json_get_bool(object, "done", &done));
    LB_TRY(lb_json_get_bool(object, "over", &over));
    look->done = done;
    look->over = over;
    *out = look;
    return LB_OK;
}

static lb_status read_conditions(const struct lb_json *object, struct lb_arena *arena,
                                 Lianban__V1__KeptResult *out)
{
    const struct lb_json *conditions = NULL;
    LB_TRY(lb_json_get_object(object, "conditions", &conditions));
    out->conditions = lb_arena_array(arena, lb_json_len(conditions), sizeof(out->conditions[0]));
    ENSURE_ROOM(out->conditions);
    for (size_t i = 0; i < lb_json_len(conditions); i++) {
        Lianban__V1__KeptCondition *kept =
            lb_pb_make(&lianban__v1__kept_condition__descriptor, arena);
        const char *name = NULL;
        ENSURE_ROOM(kept);
        struct lb_span truth = lb_json_str(lb_json_member(conditions, i, &name));
        kept->condition = (char *)(uintptr_t)name;
        kept->truth = lb_span_is(truth, "T")   ? LB_TRUE
                      : lb_span_is(truth, "F") ? LB_FALSE
                                               : LB_UNKNOWN;
        out->conditions[out->n_conditions++] = kept;
    }
    return LB_OK;
}

/* What the first programs wrote has none of them. */
static lb_status read_amounts(const struct lb_json *object, struct lb_arena *arena,
                              Lianban__V1__KeptResult *out)
{
    const struct lb_json *amounts = NULL;
    bool there = false;
    LB_TRY(if_there(lb_json_get_object(object, "amounts", &amounts), &there));
    out->amounts = lb_arena_array(arena, lb_json_len(amounts), sizeof(out->amounts[0]));
    ENSURE_ROOM(out->amounts);
    for (size_t i = 0; i < lb_json_len(amounts); i++) {
        Lianban__V1__KeptAmount *amount = lb_pb_make(&lianban__v1__kept_amount__descriptor, arena);
        const char *name = NULL;
        ENSURE_ROOM(amount);
        (void)lb_json_member(amounts, i, &name);
        amount->amount = (char *)(uintptr_t)name;
        LB_TRY(lb_json_get_int(amounts, name, &amount->value));
        out->amounts[out->n_amounts++] = amount;
    }
    return LB_OK;
}

static lb_status read_result(const struct lb_json *root, struct lb_arena *arena,
                             Lianban__V1__KeptCase *out)
{
    const struct lb_json *object = NULL;
    bool there = false;
    LB_TRY(if_there(get_u32(root, "millis", &out->millis), &there));
    LB_TRY(if_there(lb_json_get_object(root, "result", &object), &there));
    if (!there)
        return LB_OK;
    out->result = lb_pb_make(&lianban__v1__kept_result__descriptor, arena);
    ENSURE_ROOM(out->result);
    LB_TRY(get_text(object, "class", arena, &out->result->class_id));
    LB_TRY(read_conditions(object, arena, out->result));
    LB_TRY(read_amounts(object, arena, out->result));
    LB_TRY(get_u32(object, "thresholds", &out->result->thresholds_version));
    return get_u32(object, "millis", &out->millis);
}

lb_status lb_case_json_read(const struct lb_json *root, struct lb_arena *arena,
                            Lianban__V1__KeptCase *out)
{
    LB_TRY(get_u32(root, "version", &out->version));
    LB_ENSURE(out->version <= LB_CASE_LAST_JSON, LB_VERSION_UNSUPPORTED, "a case of another kind");
    LB_TRY(get_text(root, "id", arena, &out->id));
    LB_TRY(get_hex(root, "form_sha256", arena, &out->form_sha256));
    LB_TRY(get_text(root, "person", arena, &out->person));
    LB_TRY(get_bytes(root, "unit", &out->unit));
    LB_TRY(get_text_if(root, "approver", arena, &out->approver));
    LB_TRY(get_bytes_if(root, "approver_unit", &out->approver_unit));
    LB_TRY(get_int_if(root, "opened", &out->opened_unix_s));
    LB_TRY(read_records(root, arena, out));
    LB_TRY(read_members(root, arena, out));
    LB_TRY(read_shares(root, arena, out));
    LB_TRY(read_look(root, arena, &out->look));
    LB_TRY(get_u32(root, "receipts_checked", &out->receipts_checked));
    LB_TRY(get_u32(root, "receipts_failed", &out->receipts_failed));
    return read_result(root, arena, out);
}
