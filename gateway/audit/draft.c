#include "gateway/audit/draft.h"

#include "gateway/base/limits.h"
#include "gateway/json/json.h"

#define MAX_NAME_BYTES 256
#define MAX_NOTE_BYTES 4096
#define MAX_CLASS 4

/* What a detail calls things, in order of preference; adapter, broker, consent office, window and
 * officer use words of their own. */
static const char *const requester_keys[] = {"requester", "peer", NULL};
static const char *const actor_keys[] = {"actor", "by", "officer", NULL};
static const char *const grant_keys[] = {"grant", NULL};

struct reading {
    const struct lb_json *detail;
    struct lb_arena *arena;
    bool failed;  /* memory */
};

static const char *copy(struct reading *reading, struct lb_span text)
{
    const char *out = lb_arena_str(reading->arena, text);
    bool held_nul = out == NULL && text.len > 0 && memchr(text.ptr, 0, text.len) != NULL;
    reading->failed = reading->failed || (out == NULL && !held_nul);
    return out == NULL ? "" : out;
}

static const char *member(struct reading *reading, const struct lb_json *object, const char *key)
{
    struct lb_span text = LB_SPAN_EMPTY;
    if (lb_json_get_str(object, key, &text) != LB_OK || text.len > MAX_NAME_BYTES)
        return "";
    return copy(reading, text);
}

static const char *first_of(struct reading *reading, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        const char *text = member(reading, reading->detail, *keys);
        if (text[0] != 0)
            return text;
    }
    return "";
}

/* "spiffe://<federation>/<kind>/<organization>[/<name>]" */
static const char *organization(struct reading *reading, const char *spiffe)
{
    static const char scheme[] = "spiffe://";
    if (strncmp(spiffe, scheme, sizeof(scheme) - 1) != 0)
        return "";
    const char *kind = strchr(spiffe + sizeof(scheme) - 1, '/');
    const char *name = kind == NULL ? NULL : strchr(kind + 1, '/');
    return name == NULL ? "" : copy(reading, lb_span_of(name + 1, strcspn(name + 1, "/")));
}

/* --- fields --- */

static void add_field(struct reading *reading, const struct lb_json *object, const char *state,
                      struct lb_audit_draft *out)
{
    if (out->num_fields == LB_AUDIT_MAX_FIELDS)
        return;
    struct lb_audit_field *field = &out->fields[out->num_fields++];
    field->view = member(reading, object, "view");
    field->field = member(reading, object, "field");
    field->operator_text = member(reading, object, "operator");
    field->state = state != NULL ? state : member(reading, object, "state");
}

static void read_fields(struct reading *reading, struct lb_audit_draft *out)
{
    const struct lb_json *fields = NULL;
    const struct lb_json *refused = NULL;
    if (lb_json_get_array(reading->detail, "fields", &fields) == LB_OK)
        for (size_t i = 0; i < lb_json_len(fields); i++)
            add_field(reading, lb_json_at(fields, i), NULL, out);
    if (lb_json_get_object(reading->detail, "refused", &refused) == LB_OK)
        add_field(reading, refused, "refused", out);
}

/* --- the rest of a detail --- */

static const char *on_behalf_of(struct reading *reading)
{
    static const char *const keys[] = {"guardian", "agent", "relative", "given_by", NULL};
    for (size_t i = 0; keys[i] != NULL; i++) {
        const char *who = member(reading, reading->detail, keys[i]);
        if (who[0] == 0)
            continue;
        const char *out = lb_arena_printf(reading->arena, "%s:%s", keys[i], who);
        reading->failed = reading->failed || out == NULL;
        return out == NULL ? "" : out;
    }
    return "";
}

static void read_detail(struct reading *reading, struct lb_audit_draft *out)
{
    const struct lb_json *detail = reading->detail;
    struct lb_audit_row *row = &out->row;
    int64_t data_class = 0, every_days = 0;
    row->inner = member(reading, detail, "code");
    row->requester = first_of(reading, requester_keys);
    row->organization = organization(reading, row->requester);
    row->actor = first_of(reading, actor_keys);
    row->unit = member(reading, detail, "unit");
    row->purpose = member(reading, detail, "purpose");
    row->basis = member(reading, detail, "basis");
    row->role = member(reading, detail, "role");
    row->issuer = member(reading, detail, "issuer");
    row->grant = first_of(reading, grant_keys);
    row->case_no = member(reading, detail, "case");
    row->form = member(reading, detail, "form");
    row->on_behalf_of = on_behalf_of(reading);
    if (lb_json_get_int(detail, "class", &data_class) == LB_OK && data_class >= 1 &&
        data_class <= MAX_CLASS)
        row->class_max = (int)data_class;
    if (lb_json_get_int(detail, "every_days", &every_days) == LB_OK && every_days > 0 &&
        every_days <= LB_EVENT_MAX_DAYS)
        row->every_days = every_days;
    if (lb_json_get_bool(detail, "verified", &row->verified) != LB_OK)
        row->verified = row->type != LB_LEAF_READ;
    read_fields(reading, out);
}

/* What happened besides reads is kept as it was written. */
static void keep_note(struct reading *reading, struct lb_span text, struct lb_audit_row *row)
{
    if (row->type > LB_LEAF_DENY && text.len <= MAX_NOTE_BYTES)
        row->note = copy(reading, text);
}

/* --- the leaf --- */

static enum lb_audit_decision decide_read(const struct lb_audit_row *row)
{
    bool answered = strcmp(row->code, "ANSWERED") == 0;
    /* Without a detail nobody can tell an answer from an inner refusal: the leaf says neither. */
    bool refused = row->inner[0] != 0 && strcmp(row->inner, "OK") != 0;
    if (!answered || refused)
        return LB_AUDIT_DENY;
    return strcmp(row->basis, "emergency") == 0 ? LB_AUDIT_EMERGENCY : LB_AUDIT_ALLOW;
}

static enum lb_audit_decision decide(const struct lb_audit_row *row)
{
    switch (row->type) {
    case LB_LEAF_READ:
        return decide_read(row);
    case LB_LEAF_DENY:
        return LB_AUDIT_DENY;
    case LB_LEAF_FAILURE:
        return LB_AUDIT_ERROR;
    default:
        return LB_AUDIT_EVENT;
    }
}

static void take_leaf(struct reading *reading, const struct lb_follow_entry *entry,
                      struct lb_audit_row *row)
{
    static const uint8_t none[32];
    const struct lb_leaf *leaf = &entry->leaf;
    *row = (struct lb_audit_row){
        .index = entry->index, .time_ms = leaf->time_ms, .type = leaf->type,
        .count = leaf->count, .retry = leaf->retry,
        .has_peer = (leaf->type == LB_LEAF_READ || leaf->type == LB_LEAF_DELIVER) &&
                    memcmp(leaf->peer_leaf, none, sizeof(none)) != 0,
        .detail = (enum lb_audit_detail)entry->state,
        .code = copy(reading, lb_span_str(leaf->code)),
        .views = copy(reading, lb_span_str(leaf->views)),
        .inner = "", .requester = "", .organization = "", .actor = "", .unit = "", .purpose = "",
        .basis = "", .role = "", .issuer = "", .grant = "", .case_no = "", .on_behalf_of = "",
        .form = "", .note = "", .has_subject = entry->has_subject,
    };
    memcpy(row->txn, leaf->txn, sizeof(row->txn));
    memcpy(row->policy_hash, leaf->policy_hash, sizeof(row->policy_hash));
    memcpy(row->subject, entry->subject, sizeof(row->subject));
}

lb_status lb_audit_draft_fill(const struct lb_follow_entry *entry, struct lb_arena *arena,
                              struct lb_audit_draft *out)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    struct reading reading = {.arena = arena};
    out->num_fields = 0;
    take_leaf(&reading, entry, &out->row);
    bool open = entry->state == LB_FOLLOW_OPEN && entry->detail.len > 0;
    if (open && lb_json_parse(entry->detail, &json) == LB_OK && lb_json_is_object(json)) {
        reading.detail = json;
        read_detail(&reading, out);
        keep_note(&reading, entry->detail, &out->row);
    }
    out->row.decision = decide(&out->row);
    LB_ENSURE(!reading.failed, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}
