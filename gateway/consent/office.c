#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/idno.h"

/* Who may, who it is about, and under which names: the small judgements that the use cases
 * share. */

lb_status lb_consent_form(const struct lb_consent *consent, const char *id, uint32_t version,
                          const struct lb_form **out_form)
{
    for (size_t i = 0; i < consent->options.num_forms; i++) {
        const struct lb_form *form = lb_form_of(consent->options.forms[i]);
        if (form->version == version && strcmp(form->id, id) == 0) {
            *out_form = form;
            return LB_OK;
        }
    }
    LB_FAIL(LB_FORM_UNKNOWN, "form is not offered here");
}

/* The server's own id is no desk: a decision is a person's, made at a desk with a key of its
 * own. */
lb_status lb_consent_need_desk(const struct lb_consent *consent,
                               const struct lb_directory *directory, const char *caller)
{
    const struct lb_node *node = lb_directory_node(directory, caller);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_CONSENT, LB_ROLE_NOT_ALLOWED,
              "only desks decide");
    LB_ENSURE(strcmp(node->organization, consent->options.organization) == 0, LB_ROLE_NOT_ALLOWED,
              "desk of another office");
    LB_ENSURE(strcmp(caller, consent->options.self) != 0, LB_ROLE_NOT_ALLOWED,
              "the office's server is no desk");
    return LB_OK;
}

lb_status lb_consent_need_key(const struct lb_node *node, struct lb_span key, int64_t now_unix_s)
{
    LB_ENSURE(key.len == 32, LB_MALFORMED, "requester's key is not 32 bytes");
    for (size_t i = 0; i < node->num_seal_keys; i++) {
        const struct lb_seal_key_entry *entry = &node->seal_keys[i];
        if (entry->not_after > now_unix_s && memcmp(entry->public_key, key.ptr, 32) == 0)
            return LB_OK;
    }
    LB_FAIL(LB_WRONG_REQUESTER, "key is not a current one of the caller's");
}

void lb_consent_pseudonym(const struct lb_consent *consent, const char id_no[19], uint8_t out[32])
{
    lb_hmac_sha256(lb_span_of(consent->pseudonym_key, sizeof(consent->pseudonym_key)),
                   lb_span_of(id_no, 18), out);
}

lb_status lb_consent_is_document(const struct lb_consent *consent, const char *id_no,
                                 const uint8_t pseudonym[32], bool *out_is)
{
    char normal[19];
    uint8_t shown[32];
    LB_ENSURE(lb_idno_normalise(lb_span_str(id_no), normal) == LB_OK, LB_MALFORMED,
              "document's number is not a valid one");
    lb_consent_pseudonym(consent, normal, shown);
    lb_wipe(normal, sizeof(normal));
    *out_is = lb_crypto_equal(lb_span_of(shown, 32), lb_span_of(pseudonym, 32));
    return LB_OK;
}

void lb_consent_salt(const struct lb_consent *consent, const char *request_id, uint8_t out[16])
{
    uint8_t mac[32];
    lb_hmac_sha256(lb_span_of(consent->salt_key, sizeof(consent->salt_key)),
                   lb_span_str(request_id), mac);
    memcpy(out, mac, 16);
    lb_wipe(mac, sizeof(mac));
}

lb_status lb_consent_random_id(char kind, char out[LB_CONSENT_ID_BYTES])
{
    uint8_t random[16];
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    out[0] = kind;
    out[1] = '-';
    lb_hex_encode(lb_span_of(random, sizeof(random)), out + 2);
    return LB_OK;
}

bool lb_consent_text_ok(const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);
    if (len == 0 || len > max || !lb_utf8_valid(lb_span_of(text, len)))
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    }
    return true;
}

lb_status lb_consent_notice_text(const struct lb_directory *directory, const struct lb_form *form,
                                 const char *organization, const char *language,
                                 enum lb_notice_variant variant, struct lb_arena *arena,
                                 struct lb_span *out_text)
{
    const struct lb_notice_options options = {
        .requester_name = lb_directory_name(directory, organization, language),
        .language = language,
        .variant = variant,
    };
    return lb_form_notice_text(form, &options, arena, out_text);
}

const struct lb_node *lb_consent_adapter_of(const struct lb_directory *directory,
                                            const char *organization)
{
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind == LB_NODE_ADAPTER && strcmp(node->organization, organization) == 0)
            return node;
    }
    return NULL;
}

bool lb_consent_listed(const char *word, const char *const *list, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(list[i], word) == 0)
            return true;
    }
    return false;
}

lb_status lb_consent_as_unknown(lb_status status)
{
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_GRANT_UNKNOWN, "no such request or grant");
    return status;
}

static bool is_denial(enum lb_code code)
{
    switch (code) {
    case LB_CODE_OK:
    case LB_GRANT_PENDING:  /* asked too early, */
    case LB_GRANT_REFUSED:  /* or told the outcome */
    case LB_GRANT_REVOKED:
    case LB_LOG_FULL:
    case LB_LOG_UNAVAILABLE:
    case LB_BUSY:
    case LB_INTERNAL:
        return false;
    default:
        return lb_code_scope(code) != LB_SCOPE_LOCAL;
    }
}

void lb_consent_count_denial(const struct lb_consent *consent, const char *caller, lb_status status)
{
    enum lb_code code = lb_status_code(status);
    if (is_denial(code))
        lb_log_count_denial(consent->options.log, caller, code);
}

void lb_consent_unref(struct lb_directory **directory)
{
    lb_directory_unref(*directory);
}

struct lb_consent *lb_consent_lock(struct lb_consent *consent)
{
    (void)pthread_mutex_lock(&consent->lock);
    return consent;
}

void lb_consent_unlock(struct lb_consent **consent)
{
    lb_consent_store_rollback((*consent)->store);
    (void)pthread_mutex_unlock(&(*consent)->lock);
}
