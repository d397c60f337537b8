#include "gateway/ctl/conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/padded.h"
#include "gateway/token/operator_token.h"
#include "gateway/wire/pb.h"

/* A read as an honest window makes it, with every part open to be spoiled. */

#define TEST_ADULT "99010119800101201X"
#define PADDING 1024

static lb_status fill_common(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    int64_t now = lb_clock_unix_s(kit->env->clock);
    uint8_t raw[8];
    LB_TRY(lb_ctl_kit_anew(ask));
    LB_TRY(lb_crypto_random(ask->salt, sizeof(ask->salt)));
    LB_TRY(lb_crypto_random(raw, sizeof(raw)));
    ask->grant = (struct lb_grant){
        .jti = lb_arena_printf(kit->check_arena, "conformance-%02x%02x%02x%02x%02x%02x%02x%02x",
                               raw[0], raw[1], raw[2], raw[3], raw[4], raw[5], raw[6], raw[7]),
        .requester = "kit-window", .iat = now - 1, .nbf = now - 1, .exp = now + 3600};
    ask->section = (struct lb_section){
        .provider = kit->department, .audience = kit->adapter, .form = "conformance",
        .form_version = 1, .purpose = "conformance", .case_id = kit->case_id,
        .role = "applicant", .operator_hash = kit->person, .method = "document", .level = 2,
        .max_uses = 2, .answer_bytes = 1024, .num_views = 1};
    memcpy(ask->section.form_sha256, kit->form_sha256, sizeof(kit->form_sha256));
    LB_ENSURE(ask->grant.jti != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static struct lb_section_view *views_of(struct lb_ctl_kit *kit, const char *view)
{
    static const struct lb_section_field fields[] = {{"present", "EXISTS"}, {"code", "PASS"}};
    struct lb_section_view *views = lb_arena_alloc(kit->check_arena, sizeof(*views));
    if (views != NULL)
        *views = (struct lb_section_view){view, 1, 2, fields};
    return views;
}

static lb_status fill(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    *ask = (struct lb_ctl_kit_ask){
        .id_no = TEST_ADULT, .granted_id = TEST_ADULT, .name = "王小明",
        .sender = &kit->window_seal, .bound_to = &kit->window_seal,
        .requester = LB_CTL_KIT_WINDOW_ID, .audience = kit->adapter, .views = {kit->view, NULL},
        .want_view = kit->view, .field = "present", .operator_name = "EXISTS",
        .operator_org = "kit-window", .operator_kid = "w1", .operator_person = kit->person,
        .operator_key = kit->window_key, .operator_life_s = 300, .deadline_ms = 20000,
        .key_id = kit->seal_key->id, .seal_to = kit->seal_key->public_key};
    LB_TRY(fill_common(kit, ask));
    ask->section.views = views_of(kit, kit->view);
    LB_ENSURE(ask->section.views != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_ctl_kit_ask_mandate(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    static const char *const laws[] = {"KIT1"};
    LB_TRY(fill(kit, ask));
    ask->grant.issuer = "kit-window";
    ask->grant.kid = "w1";
    ask->grant_key = kit->window_key;
    ask->section.basis = "mandate";
    ask->section.num_laws = 1;
    ask->section.laws = laws;
    return LB_OK;
}

lb_status lb_ctl_kit_ask_consent(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    LB_TRY(fill(kit, ask));
    ask->grant.issuer = "kit-office";
    ask->grant.kid = "o1";
    ask->grant.status_uri = LB_CTL_KIT_STATUS_URI;
    ask->grant.status_index = 7;
    ask->grant_key = kit->office_key;
    ask->section.basis = "consent";
    return LB_OK;
}

lb_status lb_ctl_kit_anew(struct lb_ctl_kit_ask *ask)
{
    LB_TRY(lb_crypto_random(ask->rid, sizeof(ask->rid)));
    return lb_crypto_random(ask->txn, sizeof(ask->txn));
}

/* --- building --- */

static char *text(const char *from)
{
    return (char *)(uintptr_t)from; /* only packed */
}

static lb_status make_grant(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask)
{
    struct lb_grant grant = ask->grant;
    struct lb_section section = ask->section;
    lb_subject_commitment(ask->salt, ask->granted_id, section.subject);
    LB_TRY(lb_jwk_thumbprint_x25519(ask->bound_to->public_key, kit->check_arena,
                                    grant.cnf_jkt));
    return lb_grant_issue(&grant, &section, 1, ask->grant_key, kit->check_arena, &ask->jwt,
                          &ask->disclosure);
}

static lb_status operator_token(struct lb_ctl_kit *kit, const struct lb_ctl_kit_ask *ask,
                                struct lb_span *out)
{
    int64_t now = lb_clock_unix_s(kit->env->clock);
    const struct lb_operator claims = {
        .organization = ask->operator_org, .kid = ask->operator_kid, .unit = "kit",
        .person = ask->operator_person, .jti = "conformance", .iat = now - 200,
        .exp = now + ask->operator_life_s};
    return lb_operator_token_issue(&claims, ask->operator_key, kit->check_arena, out);
}

static size_t num_wants(const struct lb_ctl_kit_ask *ask)
{
    return ask->no_wants ? 0 : ask->more_field == NULL ? 1 : 2;
}

static size_t fill_wants(const struct lb_ctl_kit_ask *ask,
                         Lianban__V1__Want wants[LB_CTL_KIT_MAX_WANTS], char **claim,
                         Lianban__V1__Want *out[LB_CTL_KIT_MAX_WANTS])
{
    const char *const fields[LB_CTL_KIT_MAX_WANTS] = {ask->field, ask->more_field};
    const char *const operators[LB_CTL_KIT_MAX_WANTS] = {ask->operator_name, ask->more_operator};
    size_t num = num_wants(ask);
    for (size_t i = 0; i < num; i++) {
        lianban__v1__want__init(&wants[i]);
        wants[i].view = text(ask->want_view);
        wants[i].field = text(fields[i]);
        wants[i].operator_ = text(operators[i]);
        wants[i].n_claim = ask->claim == NULL ? 0 : 1;
        wants[i].claim = claim;
        if (i == 0 && ask->args[0] != NULL) {
            wants[i].n_args = 2;
            wants[i].args = (char **)(uintptr_t)ask->args; /* only packed */
        }
        out[i] = &wants[i];
    }
    return num;
}

static lb_status plaintext(struct lb_ctl_kit *kit, const struct lb_ctl_kit_ask *ask,
                           struct lb_span *out)
{
    Lianban__V1__SealedRequest plain = LIANBAN__V1__SEALED_REQUEST__INIT;
    Lianban__V1__Want wants[LB_CTL_KIT_MAX_WANTS], *listed[LB_CTL_KIT_MAX_WANTS];
    struct lb_span token = LB_SPAN_EMPTY, bytes = LB_SPAN_EMPTY;
    char *claim = text(ask->claim);
    LB_TRY(operator_token(kit, ask, &token));
    plain.version = 1;
    plain.section = lb_arena_str(kit->check_arena, ask->disclosure);
    plain.id_no = text(ask->id_no);
    plain.name = text(ask->name);
    plain.salt = lb_pb_bytes(lb_span_of(ask->salt, 16));
    plain.operator_token = lb_arena_str(kit->check_arena, token);
    plain.rid = lb_pb_bytes(lb_span_of(ask->rid, 16));
    plain.iat = lb_clock_unix_s(kit->env->clock) - ask->sealed_age_s;
    plain.wants = listed;
    plain.n_wants = fill_wants(ask, wants, &claim, listed);
    LB_ENSURE(plain.section != NULL && plain.operator_token != NULL, LB_NO_MEMORY,
              "arena is full");
    LB_TRY(lb_pb_pack(&plain, kit->check_arena, &bytes));
    return lb_padded_wrap(bytes, lb_padded_size(bytes.len, PADDING), kit->check_arena, out);
}

static lb_status open_part(struct lb_ctl_kit *kit, const struct lb_ctl_kit_ask *ask,
                           Lianban__V1__ReadRequest *request)
{
    uint8_t *txn = lb_arena_alloc(kit->check_arena, sizeof(ask->txn));
    char **views = lb_arena_array(kit->check_arena, 2, sizeof(*views));
    lianban__v1__read_request__init(request);
    request->grant = lb_arena_str(kit->check_arena, ask->jwt);
    LB_ENSURE(txn != NULL && views != NULL && request->grant != NULL, LB_NO_MEMORY,
              "arena is full");
    memcpy(txn, ask->txn, sizeof(ask->txn));
    request->txn = lb_pb_bytes(lb_span_of(txn, sizeof(ask->txn)));
    request->audience = text(ask->audience);
    request->requester = text(ask->requester);
    for (size_t i = 0; i < 2 && ask->views[i] != NULL; i++)
        views[request->n_views++] = text(ask->views[i]);
    request->views = views;
    request->deadline_unix_ms = lb_clock_unix_ms(kit->env->clock) + ask->deadline_ms;
    request->answer_bytes = ask->section.answer_bytes;
    return LB_OK;
}

static lb_status aad_of(const struct lb_ctl_kit_ask *ask, const Lianban__V1__ReadRequest *request,
                        uint8_t out[LB_SEAL_AAD_BYTES])
{
    struct lb_span views[2];
    uint8_t txn[16];
    memcpy(txn, ask->txn, sizeof(txn));
    txn[0] ^= ask->other_txn ? 1 : 0;
    for (size_t i = 0; i < request->n_views; i++)
        views[i] = lb_span_str(request->views[i]);
    return lb_seal_aad(lb_span_str(request->grant), lb_span_of(txn, sizeof(txn)), views,
                       request->n_views, request->deadline_unix_ms, request->answer_bytes, out);
}

/* Another context's enc with this one's ciphertext. */
static lb_status swap_context(const struct lb_ctl_kit_ask *ask, struct lb_span info, uint8_t *enc)
{
    struct lb_hpke_context other;
    LB_TRY(lb_hpke_setup_sender(ask->seal_to, info, ask->sender, enc, &other));
    lb_hpke_context_wipe(&other);
    return LB_OK;
}

static lb_status seal(struct lb_ctl_kit *kit, const struct lb_ctl_kit_ask *ask,
                      Lianban__V1__ReadRequest *request, struct lb_ctl_kit_read *out)
{
    struct lb_arena *arena = kit->check_arena;
    struct lb_span info = LB_SPAN_EMPTY, plain = LB_SPAN_EMPTY;
    uint8_t aad[LB_SEAL_AAD_BYTES];
    LB_TRY(plaintext(kit, ask, &plain));
    Lianban__V1__Sealed *sealed = lb_arena_alloc(arena, sizeof(*sealed));
    uint8_t *enc = lb_arena_alloc(arena, 32);
    uint8_t *ciphertext = lb_arena_alloc(arena, plain.len + 16);
    LB_ENSURE(sealed != NULL && enc != NULL && ciphertext != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_seal_info(ask->requester, ask->audience, ask->key_id, arena, &info));
    LB_TRY(lb_hpke_setup_sender(ask->seal_to, info, ask->sender, enc, &out->context));
    LB_TRY(aad_of(ask, request, aad));
    LB_TRY(lb_hpke_seal(&out->context, ask->sealed_seq, lb_span_of(aad, sizeof(aad)), plain,
                        ciphertext));
    if (ask->other_context)
        LB_TRY(swap_context(ask, info, enc));
    lianban__v1__sealed__init(sealed);
    sealed->key_id = text(ask->key_id);
    sealed->enc = lb_pb_bytes(lb_span_of(enc, 32));
    sealed->sender_key = lb_pb_bytes(lb_span_of(ask->sender->public_key, 32));
    sealed->seq = ask->seq;
    out->ciphertext = lb_span_of(ciphertext, plain.len + (ask->cut ? 8 : 16));
    out->seq = ask->seq;
    sealed->ciphertext = lb_pb_bytes(out->ciphertext);
    request->sealed = sealed;
    out->request = request;
    return LB_OK;
}

lb_status lb_ctl_kit_build(struct lb_ctl_kit *kit, struct lb_ctl_kit_ask *ask,
                           struct lb_ctl_kit_read *out)
{
    Lianban__V1__ReadRequest *request = lb_arena_alloc(kit->check_arena, sizeof(*request));
    LB_ENSURE(request != NULL, LB_NO_MEMORY, "arena is full");
    if (ask->jwt.len == 0)
        LB_TRY(make_grant(kit, ask));
    LB_TRY(open_part(kit, ask, request));
    out->num_wants = num_wants(ask);
    out->view = ask->want_view;
    out->fields[0] = ask->field;
    out->fields[1] = ask->more_field;
    return seal(kit, ask, request, out);
}
