#include "gateway/base/wipe.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/* The same decision once more: a desk whose answer got lost, or the second of two officers. */

static void put_list(struct lb_buf *text, char *const *words, size_t num)
{
    lb_buf_put_u32(text, (uint32_t)num);
    for (size_t i = 0; i < num; i++)
        lb_buf_put_field32(text, lb_span_str(words[i]));
}

/* A document in its one spelling, however it was read. */
static void put_document(struct lb_buf *text, const char *id_no)
{
    char normal[19] = "";
    if (lb_idno_normalise(lb_span_str(id_no), normal) != LB_OK)
        normal[0] = '\0';
    lb_buf_put_field16(text, lb_span_str(normal));
    lb_wipe(normal, sizeof(normal));
}

lb_status lb_consent_digest(const struct lb_consent *consent,
                            const Lianban__V1__ConfirmRequest *request, uint8_t out[32])
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_MAX_MESSAGE_BYTES);
    lb_buf_put_str(&text, "lianban decision v1");
    lb_buf_put_field32(&text, lb_span_str(request->request_id));
    lb_buf_put_u8(&text, request->agreed ? 1 : 0);
    lb_buf_put_field32(&text, lb_span_str(request->method));
    lb_buf_put_u32(&text, request->level);
    put_document(&text, request->id_no);
    put_document(&text, request->also_id_no);
    lb_buf_put_field32(&text, lb_pb_span(request->notice_sha256));
    lb_buf_put_field32(&text, lb_pb_span(request->paper_sha256));
    lb_buf_put_field32(&text, lb_pb_span(request->subject_key));
    put_list(&text, request->refused_departments, request->n_refused_departments);
    put_list(&text, request->refused_facts, request->n_refused_facts);
    LB_TRY(lb_buf_check(&text));
    lb_hmac_sha256(lb_span_of(consent->digest_key, sizeof(consent->digest_key)),
                   lb_buf_span(&text), out);
    return LB_OK;
}

static bool is_same(const uint8_t a[32], const uint8_t b[32])
{
    return lb_crypto_equal(lb_span_of(a, 32), lb_span_of(b, 32));
}

lb_status lb_consent_decided(const struct lb_consent_decision *decision, const uint8_t digest[32])
{
    const struct lb_consent_request_row *row = &decision->row;
    LB_ENSURE(row->decided_by != NULL && strcmp(row->decided_by, decision->officer.name) == 0 &&
                  is_same(row->digest, digest),
              LB_CASE_STATE, "request is decided already");
    LB_ENSURE(row->state != LB_REQUEST_REVOKED, LB_CASE_STATE, "grant is withdrawn since");
    return LB_OK;
}

/* "person ..." or "desk ...": two of one kind are two people or two desks, one of each may be one.
 * */
static bool is_same_kind(const char *a, const char *b)
{
    return (strncmp(a, "person ", 7) == 0) == (strncmp(b, "person ", 7) == 0);
}

lb_status lb_consent_is_second(struct lb_consent_decision *decision, const uint8_t digest[32],
                               bool *out_second)
{
    struct lb_consent_request_row *row = &decision->row;
    const char *name = decision->officer.name;
    if (row->first_officer == NULL || strcmp(row->first_officer, name) == 0) {
        row->first_officer = name;
        memcpy(row->first_digest, digest, sizeof(row->first_digest));
        *out_second = false;
        return LB_OK;
    }
    LB_ENSURE(is_same_kind(row->first_officer, name), LB_MALFORMED,
              "officers that cannot be told apart");
    LB_ENSURE(is_same(row->first_digest, digest), LB_CASE_STATE,
              "the first officer recorded something else");
    *out_second = true;
    return LB_OK;
}
