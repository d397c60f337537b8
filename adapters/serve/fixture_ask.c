#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"
#include "gateway/seal/padded.h"
#include "gateway/token/operator_token.h"
#include "gateway/wire/pb.h"

#define PERSON "00112233445566778899aabbccddeeff"

static void fill_common(struct fixture *fx, struct fx_ask *ask)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    memset(ask, 0, sizeof(*ask));
    ask->id_no = ask->granted_id = FX_ADULT;
    ask->name = "王小明";
    ask->sender = &fx->window;
    ask->requester = FX_WINDOW;
    ask->audience = FX_ADAPTER;
    ask->operator_org = "street-office";
    ask->operator_kid = "m1";
    ask->operator_key = fx->window.issuer_key;
    ask->operator_life_s = 600;
    ask->person = PERSON;
    ask->deadline_ms = 5000;
    ask->key_id = "s1";
    memcpy(ask->salt, FX_SALT, sizeof(ask->salt));
    assert_ok(lb_crypto_random(ask->rid, sizeof(ask->rid)));
    assert_ok(lb_crypto_random(ask->txn, sizeof(ask->txn)));
    ask->grant = (struct lb_grant){
        .requester = "street-office", .iat = now - 1, .nbf = now - 1, .exp = now + 3600};
    ask->section = (struct lb_section){
        .provider = "tax",
        .audience = FX_ADAPTER,
        .form = "social-assistance",
        .form_version = 1,
        .purpose = "social-assistance",
        .case_id = "c-1",
        .role = "applicant",
        .operator_hash = PERSON,
        .method = "document",
        .level = 2,
        .max_uses = 2,
        .answer_bytes = 1024,
        .num_views = 1,
    };
    memcpy(ask->section.form_sha256, fx->form_sha256, 32);
}

static const char *random_id(struct fixture *fx)
{
    uint8_t raw[8];
    assert_ok(lb_crypto_random(raw, sizeof(raw)));
    return lb_arena_printf(fx->arena, "g-%02x%02x%02x%02x%02x%02x%02x%02x", raw[0], raw[1], raw[2],
                           raw[3], raw[4], raw[5], raw[6], raw[7]);
}

void fx_ask_honest(struct fixture *fx, struct fx_ask *ask)
{
    static const char *const laws[] = {"SAL41"};
    static const struct lb_section_field fields[] = {{"income", "SUM(12)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    fill_common(fx, ask);
    ask->grant.issuer = "street-office";
    ask->grant.kid = "m1";
    ask->grant.jti = random_id(fx);
    ask->grant_key = fx->window.issuer_key;
    ask->section.basis = "mandate";
    ask->section.num_laws = 1;
    ask->section.laws = laws;
    ask->section.views = views;
    ask->views[0] = "tax.wage";
    ask->field = "income";
    ask->operator_name = "SUM";
    ask->arg = "12";
}

void fx_ask_share(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"income", "SHARE(12)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    fx_ask_honest(fx, ask);
    ask->section.views = views;
    ask->operator_name = "SHARE";
}

void fx_ask_consent(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"owned", "EXISTS"}};
    static const struct lb_section_view views[] = {{"tax.business", 1, 1, fields}};
    fill_common(fx, ask);
    ask->grant.issuer = "consent-hall";
    ask->grant.kid = "h1";
    ask->grant.jti = random_id(fx);
    ask->grant.status_uri = FX_STATUS_URI;
    ask->grant.status_index = 7;
    ask->grant_key = fx->hall.issuer_key;
    ask->section.basis = "consent";
    ask->section.views = views;
    ask->views[0] = "tax.business";
    ask->field = "owned";
    ask->operator_name = "EXISTS";
}

/* The words of one want as a message has them. */
struct words {
    Lianban__V1__Want wire;
    char *args[2], *claim;
};

/* "<,name" are two arguments. */
static void fill_args(struct fixture *fx, struct words *words, const char *arg)
{
    const char *comma = arg == NULL ? NULL : strchr(arg, ',');
    words->wire.args = words->args;
    words->wire.n_args = arg == NULL ? 0 : comma == NULL ? 1 : 2;
    words->args[0] = (char *)(uintptr_t)arg;
    if (comma == NULL)
        return;
    words->args[0] = lb_arena_str(fx->arena, lb_span_of(arg, (size_t)(comma - arg)));
    words->args[1] = (char *)(uintptr_t)(comma + 1);
}

static void fill_want(struct fixture *fx, struct words *words, const char *view,
                      const struct fx_want *want)
{
    lianban__v1__want__init(&words->wire);
    words->wire.view = (char *)(uintptr_t)view;
    words->wire.field = (char *)(uintptr_t)want->field;
    words->wire.operator_ = (char *)(uintptr_t)want->operator_name;
    words->claim = (char *)(uintptr_t)want->claim;
    fill_args(fx, words, want->arg);
    words->wire.n_claim = want->claim == NULL ? 0 : 1;
    words->wire.claim = &words->claim;
}

static size_t fill_wants(struct fixture *fx, const struct fx_ask *ask,
                         struct words words[FX_MAX_WANTS], Lianban__V1__Want *out[FX_MAX_WANTS])
{
    const struct fx_want first = {ask->field, ask->operator_name, ask->arg, ask->claim};
    size_t num = 1 + ask->num_more;
    assert_true(num <= FX_MAX_WANTS);
    for (size_t i = 0; i < num; i++) {
        fill_want(fx, &words[i], ask->section.views[0].id, i == 0 ? &first : &ask->more[i - 1]);
        out[i] = &words[i].wire;
    }
    return num;
}

struct lb_span fx_operator_token(struct fixture *fx, const struct fx_ask *ask)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    const struct lb_operator claims = {
        .organization = ask->operator_org, .kid = ask->operator_kid, .unit = "desk 3",
        .person = ask->person, .jti = "t-1", .iat = now - 200, .exp = now + ask->operator_life_s};
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_operator_token_issue(&claims, ask->operator_key, fx->arena, &token));
    return token;
}

static struct lb_span seal_plain(struct fixture *fx, const struct fx_ask *ask,
                                 struct lb_span section)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    Lianban__V1__SealedRequest plain = LIANBAN__V1__SEALED_REQUEST__INIT;
    Lianban__V1__Want *wants[FX_MAX_WANTS];
    struct words words[FX_MAX_WANTS];
    struct lb_span bytes = LB_SPAN_EMPTY, framed = LB_SPAN_EMPTY;
    struct lb_span token = ask->token.len > 0 ? ask->token : fx_operator_token(fx, ask);
    plain.version = 1;
    plain.section = lb_arena_str(fx->arena, section);
    plain.id_no = (char *)(uintptr_t)ask->id_no;
    plain.name = (char *)(uintptr_t)ask->name;
    plain.salt = lb_pb_bytes(lb_span_of(ask->salt, 16));
    plain.operator_token = lb_arena_str(fx->arena, token);
    plain.rid = lb_pb_bytes(lb_span_of(ask->rid, 16));
    plain.iat = now - ask->sealed_age_s;
    plain.wants = wants;
    plain.n_wants = fill_wants(fx, ask, words, wants);
    plain.share = ask->share;
    assert_ok(lb_pb_pack(&plain, fx->arena, &bytes));
    assert_ok(lb_padded_wrap(bytes, lb_padded_size(bytes.len, 1024), fx->arena, &framed));
    return framed;
}

/* A standing grant is bound to the log key, any other to the sealing key. */
static void bind_grant(struct fixture *fx, const struct fx_ask *ask, uint8_t out[32])
{
    uint8_t log_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(ask->sender->log_key, log_key);
    if ((ask->section.event_days > 0) != ask->crossed)
        assert_ok(lb_jwk_thumbprint_ed25519(log_key, fx->arena, out));
    else
        assert_ok(lb_jwk_thumbprint_x25519(ask->sender->seal.public_key, fx->arena, out));
}

static void make_grant(struct fixture *fx, const struct fx_ask *ask, struct lb_span *out_jwt,
                       struct lb_span *out_section)
{
    struct lb_grant grant = ask->grant;
    struct lb_section section = ask->section;
    lb_subject_commitment(ask->salt, ask->granted_id, section.subject);
    bind_grant(fx, ask, grant.cnf_jkt);
    assert_ok(lb_grant_issue(&grant, &section, 1, ask->grant_key, fx->arena, out_jwt,
                             out_section));
}

static void fill_open_part(struct fixture *fx, const struct fx_ask *ask, struct lb_span jwt,
                           Lianban__V1__ReadRequest *request)
{
    size_t num = 0;
    lianban__v1__read_request__init(request);
    request->txn = lb_pb_bytes(lb_span_of(ask->txn, 16));
    request->audience = (char *)(uintptr_t)ask->audience;
    request->requester = (char *)(uintptr_t)ask->requester;
    request->grant = lb_arena_str(fx->arena, jwt);
    while (num < 3 && ask->views[num] != NULL)
        num++;
    request->views = (char **)(uintptr_t)ask->views;
    request->n_views = num;
    request->deadline_unix_ms = lb_clock_unix_ms(lb_clock_system()) + ask->deadline_ms;
    request->answer_bytes = ask->section.answer_bytes;
}

static void seal(struct fixture *fx, const struct fx_ask *ask, struct lb_span plain,
                 Lianban__V1__ReadRequest *request, struct fx_built *out)
{
    Lianban__V1__Sealed *sealed = lb_arena_alloc(fx->arena, sizeof(*sealed));
    uint8_t *enc = lb_arena_alloc(fx->arena, 32);
    uint8_t *ciphertext = lb_arena_alloc(fx->arena, plain.len + LB_AEAD_TAG_BYTES);
    struct lb_span info = LB_SPAN_EMPTY, views[3];
    uint8_t aad[LB_SEAL_AAD_BYTES];
    lianban__v1__sealed__init(sealed);
    assert_ok(lb_seal_info(ask->requester, ask->audience, ask->key_id, fx->arena, &info));
    assert_ok(lb_hpke_setup_sender(fx->adapter.seal.public_key, info, &ask->sender->seal, enc,
                                   &out->context));
    for (size_t i = 0; i < request->n_views; i++)
        views[i] = lb_span_str(request->views[i]);
    assert_ok(lb_seal_aad(lb_span_str(request->grant), lb_span_of(ask->txn, 16), views,
                          request->n_views, request->deadline_unix_ms, request->answer_bytes,
                          aad));
    assert_ok(lb_hpke_seal(&out->context, ask->seq, lb_span_of(aad, sizeof(aad)), plain,
                           ciphertext));
    out->ciphertext = lb_span_of(ciphertext, plain.len + LB_AEAD_TAG_BYTES);
    out->seq = ask->seq;
    sealed->key_id = (char *)(uintptr_t)ask->key_id;
    sealed->enc = lb_pb_bytes(lb_span_of(enc, 32));
    sealed->sender_key = lb_pb_bytes(lb_span_of(ask->sender->seal.public_key, 32));
    sealed->seq = ask->seq;
    sealed->ciphertext = lb_pb_bytes(out->ciphertext);
    request->sealed = sealed;
    out->request = request;
}

void fx_build(struct fixture *fx, struct fx_ask *ask, struct fx_built *out)
{
    Lianban__V1__ReadRequest *request = lb_arena_alloc(fx->arena, sizeof(*request));
    assert_non_null(request);
    if (ask->jwt.len == 0)
        make_grant(fx, ask, &ask->jwt, &ask->disclosure);
    fill_open_part(fx, ask, ask->jwt, request);
    seal(fx, ask, seal_plain(fx, ask, ask->disclosure), request, out);
}

enum lb_code fx_send(struct fixture *fx, const struct fx_built *built,
                     struct lb_serve_answer *out_answer)
{
    static const struct lb_hash route = {{1, 2, 3}};
    struct lb_serve_answer answer;
    assert_ok(lb_serve_read(fx->serve, built->request, &route, fx->arena, &answer));
    if (out_answer != NULL)
        *out_answer = answer;
    return answer.code;
}

/* Answers of many reads, copied as they come. */
struct crowd {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t missing;
    struct fixture *fx;
};

struct place {
    struct crowd *crowd;
    struct lb_serve_answer *answer;
};

static void take_place(void *ctx, const struct lb_serve_answer *answer)
{
    struct place *place = ctx;
    struct crowd *crowd = place->crowd;
    (void)pthread_mutex_lock(&crowd->lock);
    *place->answer = *answer;
    assert_ok(lb_arena_copy(crowd->fx->arena, answer->sealed, &place->answer->sealed));
    crowd->missing--;
    (void)pthread_cond_signal(&crowd->changed);
    (void)pthread_mutex_unlock(&crowd->lock);
}

void fx_send_all(struct fixture *fx, const struct fx_built *built, size_t num,
                 struct lb_serve_answer *out_answers)
{
    static const struct lb_hash route = {{1, 2, 3}};
    struct crowd crowd = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
                          .missing = num, .fx = fx};
    struct place *places = lb_arena_array(fx->arena, num, sizeof(*places));
    assert_non_null(places);
    for (size_t i = 0; i < num; i++) {
        places[i] = (struct place){&crowd, &out_answers[i]};
        assert_ok(lb_serve_submit(fx->serve, built[i].request, &route, take_place, &places[i]));
    }
    (void)pthread_mutex_lock(&crowd.lock);
    while (crowd.missing > 0)
        (void)pthread_cond_wait(&crowd.changed, &crowd.lock);
    (void)pthread_mutex_unlock(&crowd.lock);
}

const char *fx_detail(struct fixture *fx, uint64_t index)
{
    struct lb_log_reader *reader = NULL;
    struct lb_span detail = LB_SPAN_EMPTY;
    struct lb_diag diag = {""};
    assert_ok(lb_log_reader_open(fed_path(&fx->fed, "state"), &diag, &reader));
    assert_ok(lb_log_reader_detail(reader, index, &fx->officer, fx->arena, &detail));
    lb_log_reader_close(reader);
    const char *text = lb_arena_str(fx->arena, detail);
    assert_non_null(text);
    return text;
}

Lianban__V1__SealedAnswer *fx_open(struct fixture *fx, const struct fx_built *built,
                                   const struct lb_serve_answer *answer)
{
    struct lb_span framed = LB_SPAN_EMPTY, plain = LB_SPAN_EMPTY;
    Lianban__V1__SealedAnswer *message = NULL;
    assert_ok(lb_open_answer(&built->context, built->seq, built->ciphertext,
                             lb_pb_span(built->request->txn), answer->sealed, fx->arena, &framed));
    assert_ok(lb_padded_unwrap(framed, &plain));
    assert_ok(lb_pb_unpack(&lianban__v1__sealed_answer__descriptor, plain, fx->arena, &message));
    return message;
}

enum lb_code fx_ask_again(struct fixture *fx, struct fx_ask *ask)
{
    struct fx_built built;
    assert_ok(lb_crypto_random(ask->rid, sizeof(ask->rid)));
    assert_ok(lb_crypto_random(ask->txn, sizeof(ask->txn)));
    fx_build(fx, ask, &built);
    return fx_send(fx, &built, NULL);
}

struct lb_leaf fx_leaf(struct fixture *fx, uint64_t index)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    struct lb_leaf leaf;
    assert_ok(lb_log_leaf(fx->log, index, fx->arena, &bytes));
    assert_ok(lb_leaf_decode(bytes, &leaf));
    return leaf;
}

void fx_erase(struct fixture *fx, const char *id_no)
{
    Lianban__V1__EraseSubjectRequest request = LIANBAN__V1__ERASE_SUBJECT_REQUEST__INIT;
    struct lb_serve_ack ack;
    request.id_no = (char *)(uintptr_t)id_no;
    request.basis = (char *)(uintptr_t)"retention_over";
    request.reason = (char *)(uintptr_t)"期满";
    assert_ok(lb_serve_erase(fx->serve, "spiffe://test.gov/officer/tax/li", &request, fx->arena,
                             &ack));
    request.approve = true;
    assert_ok(lb_serve_erase(fx->serve, "spiffe://test.gov/officer/tax/wu", &request, fx->arena,
                             &ack));
}
