#include <stdio.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/padded.h"
#include "gateway/token/grant.h"
#include "gateway/token/operator_token.h"
#include "gateway/window/fixture.h"
#include "gateway/wire/pb.h"

/* A department: opens what was sealed to it and checks it as strictly as an adapter does; what does
 * not hold fails the test, because the agent must never send it. */

struct opened {
    struct fixture *fx;
    struct fx_adapter *adapter;
    const Lianban__V1__ReadRequest *read;
    struct lb_arena *arena;
    struct lb_hpke_context context;
    Lianban__V1__SealedRequest *plain;
    struct lb_section section;
};

static void open_seal(struct opened *opened)
{
    const Lianban__V1__Sealed *sealed = opened->read->sealed;
    struct lb_span info, views[8], message, ciphertext = lb_pb_span(sealed->ciphertext);
    uint8_t aad[LB_SEAL_AAD_BYTES];
    assert_string_equal(sealed->key_id, "s1");
    assert_ok(lb_seal_info(opened->read->requester, opened->read->audience, sealed->key_id,
                           opened->arena, &info));
    assert_ok(lb_hpke_setup_recipient(&opened->adapter->seal_key, sealed->enc.data, info,
                                      sealed->sender_key.data, &opened->context));
    for (size_t i = 0; i < opened->read->n_views; i++)
        views[i] = lb_span_str(opened->read->views[i]);
    assert_ok(lb_seal_aad(lb_span_str(opened->read->grant), lb_pb_span(opened->read->txn), views,
                          opened->read->n_views, opened->read->deadline_unix_ms,
                          opened->read->answer_bytes, aad));
    uint8_t *plain = lb_arena_alloc(opened->arena, ciphertext.len);
    assert_ok(lb_hpke_open(&opened->context, sealed->seq, lb_span_of(aad, sizeof(aad)), ciphertext,
                           plain));
    assert_int_equal((ciphertext.len - 16) % 1024, 0);
    assert_ok(lb_padded_unwrap(lb_span_of(plain, ciphertext.len - 16), &message));
    assert_ok(lb_pb_unpack(&lianban__v1__sealed_request__descriptor, message, opened->arena,
                           &opened->plain));
}

/* What a grant names: the sealing key, or when it stands the log key of who holds it. */
static void bind(struct opened *opened, uint8_t out_thumbprint[32])
{
    uint8_t log_key[LB_P256_PUBLIC_BYTES];
    if (opened->fx->section_days == 0) {
        assert_ok(lb_jwk_thumbprint_x25519(opened->read->sealed->sender_key.data, opened->arena,
                                           out_thumbprint));
        return;
    }
    (void)lb_sign_key_public(opened->fx->window_key, log_key);
    assert_ok(lb_jwk_thumbprint_ed25519(log_key, opened->arena, out_thumbprint));
}

static void check_grant(struct opened *opened)
{
    struct fixture *fx = opened->fx;
    const Lianban__V1__SealedRequest *plain = opened->plain;
    struct lb_grant grant;
    uint8_t thumbprint[32], subject[32];
    struct lb_span jwt = lb_span_str(opened->read->grant);
    assert_ok(lb_grant_peek(jwt, opened->arena, &grant));
    bool mandate = strcmp(grant.issuer, "street-office") == 0;
    struct lb_verify_key *key = NULL;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_sign_key_public(mandate ? fx->street_key : fx->office_key, raw);
    assert_ok(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len), &key));
    assert_ok(lb_grant_verify(jwt, key, opened->arena, &grant));
    lb_verify_key_free(key);
    assert_ok(lb_grant_check_time(&grant, lb_clock_unix_s(&fx->clock.clock)));
    bind(opened, thumbprint);
    assert_memory_equal(thumbprint, grant.cnf_jkt, 32);
    assert_ok(lb_section_open(&grant, lb_span_str(plain->section), opened->arena,
                              &opened->section));
    assert_string_equal(opened->section.audience, opened->adapter->spiffe);
    assert_string_equal(opened->section.provider, opened->adapter->organization);
    assert_int_equal(opened->section.answer_bytes, opened->read->answer_bytes);
    assert_int_equal(mandate, strcmp(opened->section.basis, "mandate") == 0);
    assert_int_equal(mandate, grant.status_uri == NULL);
    lb_subject_commitment(plain->salt.data, plain->id_no, subject);
    assert_memory_equal(subject, opened->section.subject, 32);
}

/* What the form says about a department asked by law. */
static void check_mandate(const struct opened *opened)
{
    static const uint8_t zeros[32];
    const struct lb_section *section = &opened->section;
    const struct lb_form *form = lb_form_of(opened->fx->form);
    if (strcmp(section->basis, "mandate") != 0)
        return;
    assert_string_equal(section->form, form->id);
    assert_int_equal(section->form_version, form->version);
    assert_memory_equal(section->form_sha256, form->sha256, 32);
    assert_string_equal(section->purpose, form->purpose);
    assert_int_equal(section->num_laws, 1);
    assert_string_equal(section->laws[0], "SAL41");
    assert_string_equal(section->method, "none");
    assert_int_equal(section->level, 2);
    assert_int_equal(section->max_uses, 4);
    assert_int_equal(section->answer_bytes, 1024);
    assert_memory_equal(section->notice_sha256, zeros, 32);
    assert_null(section->guardian);
}

static void check_operator(const struct opened *opened, struct lb_span outside)
{
    struct fixture *fx = opened->fx;
    struct lb_operator claims;
    struct lb_verify_key *key = NULL;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    size_t len = lb_sign_key_public(fx->street_key, raw);
    assert_ok(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len), &key));
    assert_ok(lb_operator_token_verify(lb_span_str(opened->plain->operator_token), key,
                                       lb_clock_unix_s(&fx->clock.clock), opened->arena, &claims));
    lb_verify_key_free(key);
    assert_true(lb_span_is(outside, opened->plain->operator_token));
    assert_string_equal(claims.organization, "street-office");
    assert_string_equal(claims.unit, "窗口3");
    assert_string_equal(claims.person, opened->section.operator_hash);
}

/* Every want is announced, and granted under exactly this operator. */
static void check_want(const struct opened *opened, const Lianban__V1__Want *want)
{
    struct lb_op_call call;
    bool announced = false, granted = false;
    assert_ok(lb_op_build(want->operator_, (const char *const *)want->args, want->n_args,
                          opened->arena, &call));
    const char *text = lb_op_format(&call, opened->arena);
    for (size_t i = 0; i < opened->read->n_views; i++) {
        announced |= strcmp(opened->read->views[i], want->view) == 0;
        if (i > 0)
            assert_true(strcmp(opened->read->views[i - 1], opened->read->views[i]) < 0);
    }
    for (size_t v = 0; v < opened->section.num_views; v++) {
        const struct lb_section_view *view = &opened->section.views[v];
        assert_int_equal(view->version, 2);
        for (size_t f = 0; f < view->num_fields && strcmp(view->id, want->view) == 0; f++)
            granted |= strcmp(view->fields[f].name, want->field) == 0 &&
                       strcmp(view->fields[f].operator_text, text) == 0;
    }
    assert_true(announced);
    assert_true(granted);
}

/* The run of a blind sum names this person at its place, and everybody once. */
static void check_share(const struct opened *opened)
{
    const Lianban__V1__ShareRun *run = opened->plain->share;
    bool wanted = false;
    for (size_t i = 0; i < opened->plain->n_wants; i++)
        wanted |= strcmp(opened->plain->wants[i]->operator_, "SHARE") == 0;
    assert_int_equal(wanted, run != NULL);
    if (run == NULL)
        return;
    assert_string_equal(run->slot, "income");
    assert_int_equal(run->nonce.len, 16);
    assert_true(run->index < run->n_persons);
    for (size_t i = 0; i < run->n_persons; i++) {
        assert_int_equal(run->persons[i].len, 32);
        assert_int_equal(memcmp(run->persons[i].data, opened->section.subject, 32) == 0,
                         i == run->index);
    }
}

static void check(struct opened *opened, struct lb_span operator_token)
{
    const Lianban__V1__SealedRequest *plain = opened->plain;
    assert_int_equal(plain->version, 1);
    assert_int_equal(plain->rid.len, 16);
    assert_int_equal(plain->salt.len, 16);
    assert_int_equal(plain->iat, lb_clock_unix_s(&opened->fx->clock.clock));
    check_grant(opened);
    check_mandate(opened);
    check_operator(opened, operator_token);
    check_share(opened);
    for (size_t i = 0; i < plain->n_wants; i++)
        check_want(opened, plain->wants[i]);
}

static void remember(const struct opened *opened)
{
    struct fx_adapter *adapter = opened->adapter;
    assert_true(adapter->num_asked < FX_MAX_ASKED);
    struct fx_asked *asked = &adapter->asked[adapter->num_asked++];
    (void)snprintf(asked->id_no, sizeof(asked->id_no), "%s", opened->plain->id_no);
    memcpy(asked->rid, opened->plain->rid.data, 16);
    memcpy(asked->txn, opened->read->txn.data, 16);
    memcpy(asked->enc, opened->read->sealed->enc.data, 32);
    asked->seq = opened->read->sealed->seq;
    asked->num_wants = opened->plain->n_wants;
    if (opened->plain->share != NULL)
        memcpy(asked->run, opened->plain->share->nonce.data, sizeof(asked->run));
    /* A number used twice in a context would repeat a nonce. */
    for (const struct fx_asked *before = adapter->asked; before < asked; before++)
        assert_false(before->seq == asked->seq && memcmp(before->enc, asked->enc, 32) == 0);
}

/* The mask of a participant: its own noise, less that of the one before, in a ring. */
static uint64_t fake_mask(const Lianban__V1__ShareRun *run, size_t participant)
{
    size_t num = 2 * run->n_persons;
    uint64_t noise[2] = {0, 0};
    for (size_t i = 0; i < 2; i++) {
        uint8_t hash[32], number = (uint8_t)((participant + i * (num - 1)) % num);
        const struct lb_span parts[] = {lb_pb_span(run->nonce), lb_span_of(&number, 1)};
        lb_sha256_parts(parts, 2, hash);
        memcpy(&noise[i], hash, sizeof(noise[i]));
    }
    return noise[0] - noise[1];
}

static void fill_share(const struct opened *opened, Lianban__V1__Fact *fact)
{
    const Lianban__V1__ShareRun *run = opened->plain->share;
    bool is_tax = strcmp(opened->adapter->organization, "tax") == 0;
    uint64_t mask = fake_mask(run, 2 * run->index + (is_tax ? 0 : 1));
    fact->kind = LIANBAN__V1__FACT__KIND__NUMBER;
    fact->number = (int64_t)((uint64_t)opened->adapter->share_value + mask);
}

/* What a real department hashes matters not; that all hash the same does. */
static void fill_set(const struct opened *opened, Lianban__V1__SealedAnswer *answer)
{
    const Lianban__V1__ShareRun *run = opened->plain->share;
    if (run == NULL)
        return;
    uint8_t *set = lb_arena_alloc(opened->arena, 32);
    const struct lb_span parts[] = {lb_span_of(&opened->adapter->share_key, 1),
                                    lb_pb_span(run->persons[0])};
    lb_sha256_parts(parts, 2, set);
    answer->share_set = lb_pb_bytes(lb_span_of(set, 32));
}

/* The hidden truth: names and households match, no income, no firm, everybody disabled. */
static void fill_fact(const Lianban__V1__Want *want, Lianban__V1__Fact *fact)
{
    fact->view = want->view;
    fact->field = want->field;
    fact->operator_ = want->operator_;
    fact->args = want->args;
    fact->n_args = want->n_args;
    fact->state = LIANBAN__V1__FACT__STATE__OK;
    fact->as_of = (char *)(uintptr_t) "2027-01-14";
    fact->rules_version = 7;
    if (strcmp(want->operator_, "ADDR_LEVEL") == 0) {
        fact->kind = LIANBAN__V1__FACT__KIND__TEXT;
        fact->text = (char *)(uintptr_t) "110101";
    } else if (strcmp(want->operator_, "SUM") == 0) {
        fact->kind = LIANBAN__V1__FACT__KIND__NUMBER;
        fact->number = 123456;
    } else if (strcmp(want->operator_, "COUNT") == 0) {
        fact->kind = LIANBAN__V1__FACT__KIND__NUMBER;
    } else {
        fact->kind = LIANBAN__V1__FACT__KIND__TRUTH;
        fact->truth = true;
        assert_true(strcmp(want->operator_, "EQ") != 0 || want->n_claim >= 1);
    }
}

static void write_answer(struct opened *opened, Lianban__V1__CollectEvent *event)
{
    Lianban__V1__SealedAnswer answer = LIANBAN__V1__SEALED_ANSWER__INIT;
    const Lianban__V1__SealedRequest *plain = opened->plain;
    struct lb_span bytes, framed, sealed;
    answer.version = 1;
    const char *inner = opened->adapter->inner;
    answer.code = (char *)(uintptr_t)(inner == NULL ? "OK" : inner);
    /* One place more, for a test that adds a fact. */
    answer.facts = lb_arena_array(opened->arena, plain->n_wants + 1, sizeof(answer.facts[0]));
    for (size_t i = 0; i < plain->n_wants && inner == NULL; i++) {
        answer.facts[i] = lb_arena_alloc(opened->arena, sizeof(*answer.facts[i]));
        lianban__v1__fact__init(answer.facts[i]);
        fill_fact(plain->wants[i], answer.facts[i]);
        if (strcmp(plain->wants[i]->operator_, "SHARE") == 0)
            fill_share(opened, answer.facts[i]);
        answer.n_facts++;
    }
    if (inner == NULL)
        fill_set(opened, &answer);
    if (opened->adapter->change != NULL)
        opened->adapter->change(&answer, opened->arena);
    if (opened->adapter->seal_other)
        opened->context.exporter_secret[0] ^= 1;
    assert_ok(lb_pb_pack(&answer, opened->arena, &bytes));
    assert_ok(lb_padded_wrap(bytes, opened->read->answer_bytes - 16, opened->arena, &framed));
    assert_ok(lb_seal_answer(&opened->context, opened->read->sealed->seq,
                             lb_pb_span(opened->read->sealed->ciphertext),
                             lb_pb_span(opened->read->txn), framed, opened->arena, &sealed));
    event->sealed = lb_pb_bytes(sealed);
}

static void record(const struct opened *opened, const struct lb_hash *route,
                   Lianban__V1__CollectEvent *event, struct lb_hash *out_leaf)
{
    struct lb_leaf leaf = {.type = LB_LEAF_READ, .count = 1};
    struct lb_log_entry entry;
    size_t used = 0;
    memcpy(leaf.txn, opened->read->txn.data, 16);
    (void)snprintf(leaf.code, sizeof(leaf.code), "%s", event->code);
    for (size_t i = 0; i < opened->read->n_views; i++)
        used += (size_t)snprintf(leaf.views + used, sizeof(leaf.views) - used, "%s%s",
                                 i == 0 ? "" : ",", opened->read->views[i]);
    memcpy(leaf.peer_leaf, route->bytes, 32);
    leaf.peer_leaf[0] ^= opened->adapter->wrong_link ? 1 : 0;
    lb_sha256(lb_pb_span(opened->read->sealed->ciphertext), leaf.request_hash);
    if (event->sealed.len > 0)
        lb_sha256(lb_pb_span(event->sealed), leaf.answer_hash);
    fx_log_entry(opened->fx, opened->adapter->log, &leaf, &entry);
    *out_leaf = entry.leaf_hash;
    fx_log_prove(opened->adapter->log, &entry, opened->arena, &event->adapter_log,
                 &event->adapter_entry);
}

void fx_adapter_answer(struct fixture *fx, struct fx_adapter *adapter,
                       const Lianban__V1__ReadRequest *read, struct lb_span operator_token,
                       const struct lb_hash *route, struct lb_arena *arena,
                       Lianban__V1__CollectEvent *event, struct lb_hash *out_leaf)
{
    struct opened opened = {.fx = fx, .adapter = adapter, .read = read, .arena = arena};
    open_seal(&opened);
    check(&opened, operator_token);
    remember(&opened);
    if (adapter->refuse != NULL && adapter->refuse_times > 0) {
        adapter->refuse_times -= adapter->refuse_times == SIZE_MAX ? 0 : 1;
        event->code = (char *)(uintptr_t)adapter->refuse;
    } else {
        event->code = (char *)(uintptr_t) "ANSWERED";
        write_answer(&opened, event);
    }
    record(&opened, route, event, out_leaf);
}
