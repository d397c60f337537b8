#include "gateway/base/hex.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"

/*
 * Reading the consent records of a grant. The record on file names the principal by the office's
 * own pseudonym, which would tie all records of one person together wherever copies go. A copy that
 * is handed out carries a pseudonym of this record alone: who holds the document can have the
 * office confirm whom it is about, nobody else can tell.
 */
#define MAX_RECORDS 16

static lb_status blind(const struct lb_consent *consent, struct lb_json *object, const char *key,
                       struct lb_span record_id)
{
    struct lb_span known;
    uint8_t pseudonym[32], mac[32];
    char hex[65];
    LB_TRY(lb_json_get_str(object, key, &known));
    if (known.len != 64)
        return LB_OK; /* a desk, when no principal decided */
    LB_TRY(lb_hex_decode(known, pseudonym, sizeof(pseudonym)));
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, 256);
    lb_buf_put_str(&text, "lianban record v1");
    lb_buf_put_field16(&text, record_id);
    lb_buf_put(&text, lb_span_of(pseudonym, sizeof(pseudonym)));
    LB_TRY(lb_buf_check(&text));
    lb_hmac_sha256(lb_span_of(consent->digest_key, sizeof(consent->digest_key)),
                   lb_buf_span(&text), mac);
    lb_hex_encode(lb_span_of(mac, sizeof(mac)), hex);
    lb_json_set_cstr(object, key, hex);
    return LB_OK;
}

static lb_status copy_record(const struct lb_consent *consent, struct lb_span text,
                             struct lb_arena *arena, char **out)
{
    LB_DEFER(lb_json_freep) struct lb_json *record = NULL;
    struct lb_span id, copy;
    LB_TRY(lb_json_parse(text, &record));
    LB_TRY(lb_json_get_str(record, "record_id", &id));
    LB_TRY(lb_arena_copy(arena, id, &id));
    LB_TRY(blind(consent, record, "pii_principal_id", id));
    const struct lb_json *event = NULL;
    LB_TRY(lb_json_get_object(record, "event", &event));
    struct lb_json *own = lb_json_copy(event);
    lb_status status = blind(consent, own, "entity_id", id);
    lb_json_set(record, "event", own);
    LB_TRY(status);
    LB_TRY(lb_json_dump(record, LB_JSON_COMPACT, arena, &copy));
    *out = lb_arena_str(arena, copy);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_all(struct lb_consent *consent, const struct lb_consent_officer *officer,
                          const char *grant_id, struct lb_arena *arena,
                          Lianban__V1__RecordResponse *out)
{
    struct lb_consent_grant_row grant;
    struct lb_span texts[MAX_RECORDS];
    size_t num = 0;
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    LB_TRY(lb_consent_grant_lookup(locked, grant_id, arena, &grant));
    LB_TRY(lb_consent_document_all(locked->store, grant.request, MAX_RECORDS, arena, texts, &num));
    LB_ENSURE(num > 0, LB_STORE_FAILED, "a grant without its record");
    out->records = lb_arena_array(arena, num, sizeof(out->records[0]));
    LB_ENSURE(out->records != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(copy_record(locked, texts[i], arena, &out->records[out->n_records++]));
    struct lb_consent_event event = lb_consent_event_of(&grant, "RECORD_READ", officer->desk);
    event.officer = officer->has_token ? officer->name : NULL;
    return lb_consent_enter(locked, &event, arena);
}

static lb_status read_for(struct lb_consent *consent, const char *caller,
                          const Lianban__V1__RecordRequest *request, struct lb_arena *arena,
                          Lianban__V1__RecordResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct lb_consent_officer officer;
    Lianban__V1__RecordResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__record_response__init(response);
    LB_TRY(lb_consent_who(consent, directory, caller, request->officer_token, arena, &officer));
    LB_TRY(read_all(consent, &officer, request->grant_id, arena, response));
    *out = response;
    return LB_OK;
}

lb_status lb_consent_read_record(struct lb_consent *consent, const char *caller,
                                 const Lianban__V1__RecordRequest *request, struct lb_arena *arena,
                                 Lianban__V1__RecordResponse **out)
{
    lb_status status = read_for(consent, caller, request, arena, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}
