#include "gateway/consent/inside.h"

#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define DEFAULT_LIFE_S 900
#define MAX_LIFE_S (24 * 3600)

static lb_status check_options(const struct lb_consent_options *options, struct lb_diag *diag)
{
    if (options->status_uri[0] == 0 || options->status_life_s > MAX_LIFE_S) {
        lb_diag_set(diag, "status list: it needs a URI, and a life of at most %d seconds",
                    MAX_LIFE_S);
        LB_FAIL(LB_CONFIG_INVALID, "status list options");
    }
    return LB_OK;
}

/* A key of its own for the salts, so that neither use of the secret says anything of the other. */
static void derive_keys(struct lb_consent *consent, const uint8_t *pseudonym_key)
{
    struct lb_span secret = lb_span_of(pseudonym_key, sizeof(consent->pseudonym_key));
    memcpy(consent->pseudonym_key, pseudonym_key, sizeof(consent->pseudonym_key));
    lb_hkdf_extract(lb_span_str("lianban consent salt v1"), secret, consent->salt_key);
    lb_hkdf_extract(lb_span_str("lianban consent slip v1"), secret, consent->slip_key);
    lb_hkdf_extract(lb_span_str("lianban consent digest v1"), secret, consent->digest_key);
    consent->options.pseudonym_key = consent->pseudonym_key;
}

static void consent_freep(struct lb_consent **consent)
{
    lb_consent_free(*consent);
}

lb_status lb_consent_new(const struct lb_consent_options *options, struct lb_diag *diag,
                         struct lb_consent **out_consent)
{
    LB_TRY(check_options(options, diag));
    LB_DEFER(consent_freep) struct lb_consent *consent = calloc(1, sizeof(*consent));
    LB_ENSURE(consent != NULL, LB_NO_MEMORY, "a consent office");
    (void)pthread_mutex_init(&consent->lock, NULL);
    lb_consent_turns_init(&consent->turns);
    consent->options = *options;
    if (consent->options.status_life_s <= 0)
        consent->options.status_life_s = DEFAULT_LIFE_S;
    derive_keys(consent, options->pseudonym_key);
    LB_TRY(lb_consent_store_open(options->store_path, diag, &consent->store));
    *out_consent = consent;
    consent = NULL;
    return LB_OK;
}

void lb_consent_free(struct lb_consent *consent)
{
    if (consent == NULL)
        return;
    lb_consent_store_close(consent->store);
    lb_consent_turns_cleanup(&consent->turns);
    (void)pthread_mutex_destroy(&consent->lock);
    lb_wipe(consent->pseudonym_key, sizeof(consent->pseudonym_key));
    lb_wipe(consent->salt_key, sizeof(consent->salt_key));
    lb_wipe(consent->slip_key, sizeof(consent->slip_key));
    lb_wipe(consent->digest_key, sizeof(consent->digest_key));
    free(consent);
}

/* --- fetching the outcome --- */

static lb_status check_outcome(const struct lb_consent_request_row *row)
{
    switch (row->state) {
    case LB_REQUEST_PENDING:
        LB_FAIL(LB_GRANT_PENDING, "nobody has decided yet");
    case LB_REQUEST_REFUSED:
        LB_FAIL(LB_GRANT_REFUSED, "the citizen refused");
    case LB_REQUEST_REVOKED:
        LB_FAIL(LB_GRANT_REVOKED, "the citizen has withdrawn the grant");
    case LB_REQUEST_GRANTED:
        return LB_OK;
    }
    LB_FAIL(LB_STORE_FAILED, "a request in no state");
}

static lb_status fill_grant(const struct lb_consent *consent,
                            const struct lb_consent_request_row *row, struct lb_arena *arena,
                            Lianban__V1__GetGrantResponse **out)
{
    Lianban__V1__GetGrantResponse *response = lb_arena_alloc(arena, sizeof(*response));
    uint8_t *salt = lb_arena_alloc(arena, 16);
    LB_ENSURE(response != NULL && salt != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(row->grant_id != NULL && row->sd_jwt != NULL, LB_STORE_FAILED,
              "a grant without its text");
    lianban__v1__get_grant_response__init(response);
    lb_consent_salt(consent, row->id, salt);
    response->grant_id = lb_arena_str(arena, lb_span_str(row->grant_id));
    response->sd_jwt = lb_arena_str(arena, lb_span_str(row->sd_jwt));
    response->subject_salt = (ProtobufCBinaryData){16, salt};
    LB_ENSURE(response->grant_id != NULL && response->sd_jwt != NULL, LB_NO_MEMORY,
              "arena is full");
    *out = response;
    return LB_OK;
}

/* The copy lives a day after the first fetch, so that a window whose answer got lost can ask
 * again. */
struct fetching {
    struct lb_consent *consent;
    const char *caller;
    const char *request_id;
    struct lb_arena *arena;
    struct lb_consent_request_row row;  /* out */
};

static lb_status fetch(void *self, struct lb_log_entry **out_entry)
{
    struct fetching *fetching = self;
    struct lb_consent_store *store = fetching->consent->store;
    struct lb_consent_request_row *row = &fetching->row;
    int64_t now = lb_clock_unix_s(fetching->consent->options.clock);
    (void)out_entry;
    LB_ENSURE(lb_consent_text_ok(fetching->request_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN,
              "no such request");
    lb_status status =
        lb_consent_request_find(store, fetching->request_id, now, fetching->arena, row);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_GRANT_UNKNOWN, "no such request");
    LB_TRY(status);
    LB_ENSURE(strcmp(row->caller, fetching->caller) == 0, LB_GRANT_UNKNOWN,
              "request of another window");
    if (row->state == LB_REQUEST_PENDING)
        return LB_OK;
    return lb_consent_request_shorten(store, row->id, now + LB_CONSENT_COPY_KEPT_S);
}

lb_status lb_consent_grant(struct lb_consent *consent, const char *caller,
                           const Lianban__V1__GetGrantRequest *request, struct lb_arena *arena,
                           Lianban__V1__GetGrantResponse **out)
{
    struct fetching fetching = {
        .consent = consent, .caller = caller, .request_id = request->request_id, .arena = arena};
    struct lb_consent_job job = {.write = fetch, .self = &fetching};
    lb_status status = lb_consent_together(consent, &job);
    if (status == LB_OK)
        status = check_outcome(&fetching.row);
    if (status == LB_OK)
        status = fill_grant(consent, &fetching.row, arena, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}
