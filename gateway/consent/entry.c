#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/consent/inside.h"
#include "gateway/json/json.h"

/* The evidence of a decision: durable before anybody is told of it. */

lb_status lb_consent_fields(const struct lb_form *form, size_t role,
                            const struct lb_consent_choice *choice, struct lb_arena *arena,
                            struct lb_span *out_text)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_MAX_DETAIL_BYTES);
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        if (!lb_consent_grants(form, fact, role, choice))
            continue;
        const char *call = lb_op_format(&fact->call, arena);
        LB_ENSURE(call != NULL, LB_NO_MEMORY, "arena is full");
        const char *const parts[] = {fact->view, ".", fact->field, ":", call, "\n"};
        for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
            lb_buf_put_str(&text, parts[p]);
    }
    LB_TRY(lb_buf_check(&text));
    return lb_arena_copy(arena, lb_buf_span(&text), out_text);
}

static void set_hex32(struct lb_json *object, const char *key, const uint8_t bytes[32])
{
    char text[65];
    lb_hex_encode(lb_span_of(bytes, 32), text);
    lb_json_set_cstr(object, key, text);
}

static void set_if(struct lb_json *detail, const char *key, const char *text)
{
    if (text != NULL)
        lb_json_set_cstr(detail, key, text);
}

static void set_circumstances(struct lb_json *detail, const struct lb_consent_event *event)
{
    set_if(detail, "officer", event->officer);
    set_if(detail, "given_by", event->giver);
    set_if(detail, "reason", event->reason);
    if (event->every_days > 0)
        lb_json_set_int(detail, "every_days", event->every_days);
    if (event->refused.len > 0)
        lb_json_set_str(detail, "refused", event->refused);
    if (event->paper_sha256 != NULL)
        set_hex32(detail, "paper", event->paper_sha256);
}

static void set_proof(struct lb_json *detail, const struct lb_consent_event *event)
{
    if (event->method == NULL)
        return;
    lb_json_set_cstr(detail, "method", event->method);
    lb_json_set_int(detail, "level", event->level);
    set_hex32(detail, "notice", event->notice_sha256);
}

/* What the office's own officer reads: pseudonyms, never an identity. */
static lb_status write_detail(const struct lb_consent_event *event, struct lb_arena *arena,
                              struct lb_span *out_text)
{
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "decision", event->code);
    lb_json_set_cstr(detail, "actor", event->desk);
    lb_json_set_cstr(detail, "request", event->request_id);
    if (event->grant_id != NULL)
        lb_json_set_cstr(detail, "grant", event->grant_id);
    lb_json_set_cstr(detail, "requester", event->requester);
    lb_json_set_cstr(detail, "form", event->form);
    lb_json_set_int(detail, "form_version", event->form_version);
    lb_json_set_cstr(detail, "case", event->case_id);
    lb_json_set_cstr(detail, "role", event->role);
    set_proof(detail, event);
    set_circumstances(detail, event);
    set_hex32(detail, "subject", event->subject);
    if (event->guardian != NULL)
        set_hex32(detail, "guardian", event->guardian);
    return lb_json_dump(detail, LB_JSON_COMPACT, arena, out_text);
}

/* txn is the random part of the request's id, so that all decisions on one request are found
 * together. */
static lb_status fill_leaf(const struct lb_consent_event *event, struct lb_leaf *leaf)
{
    leaf->type = LB_LEAF_CONSENT;
    leaf->count = 1;
    (void)snprintf(leaf->code, sizeof(leaf->code), "%s", event->code);
    memcpy(leaf->policy_hash, event->form_sha256, sizeof(leaf->policy_hash));
    if (event->artefact_sha256 != NULL)
        memcpy(leaf->answer_hash, event->artefact_sha256, sizeof(leaf->answer_hash));
    LB_ENSURE(strlen(event->request_id) == LB_CONSENT_ID_BYTES - 1, LB_STORE_FAILED,
              "a request's id of another length");
    return lb_hex_decode(lb_span_str(event->request_id + 2), leaf->txn, sizeof(leaf->txn));
}

lb_status lb_consent_entry(const struct lb_consent_event *event, struct lb_arena *arena,
                           struct lb_log_entry **out_entry)
{
    struct lb_log_entry *entry = lb_arena_alloc(arena, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(fill_leaf(event, &entry->leaf));
    LB_TRY(write_detail(event, arena, &entry->detail));
    entry->fields = event->fields;
    entry->has_subject = true;
    memcpy(entry->subject, event->subject, sizeof(entry->subject));
    *out_entry = entry;
    return LB_OK;
}

lb_status lb_consent_enter_all(struct lb_consent *consent, struct lb_log_entry *entries,
                               size_t num)
{
    lb_status status = lb_log_append_all(consent->options.log, entries, num);
    if (status == LB_OK)
        return LB_OK;
    lb_log_failure("consent_not_recorded", status);
    LB_ENSURE(lb_log_refusal(status) != LB_LOG_FULL, LB_LOG_FULL, "no room for the decision");
    LB_ENSURE(lb_log_refusal(status) != LB_BUSY, LB_BUSY, "too many decisions wait for the log");
    LB_FAIL(LB_LOG_UNAVAILABLE, "decision can't be recorded");
}

lb_status lb_consent_enter(struct lb_consent *consent, const struct lb_consent_event *event,
                           struct lb_arena *arena)
{
    struct lb_log_entry *entry = NULL;
    LB_TRY(lb_consent_entry(event, arena, &entry));
    return lb_consent_enter_all(consent, entry, 1);
}

struct lb_consent_event lb_consent_event_of(const struct lb_consent_grant_row *grant,
                                            const char *code, const char *desk)
{
    return (struct lb_consent_event){
        .code = code,
        .desk = desk,
        .request_id = grant->request,
        .grant_id = grant->id,
        .form = grant->form,
        .form_version = grant->form_version,
        .form_sha256 = grant->form_sha256,
        .case_id = grant->case_id,
        .requester = grant->requester,
        .role = grant->role,
        .subject = grant->subject,
        .guardian = grant->has_guardian ? grant->guardian : NULL,
    };
}
