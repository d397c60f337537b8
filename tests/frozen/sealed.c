#include "gateway/crypto/hash.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/padded.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/read.pb-c.h"
#include "tests/frozen/messages.h"
#include "tests/frozen/parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* What is sealed. Keys are fixed, the ephemeral one too, so that the same bytes come out. */

const uint8_t frozen_txn[16] = {0xA0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t rid[16] = {0xB0, 1};
static const uint8_t salt[16] = {0xC0, 1};
static const uint8_t ephemeral_private[32] = {0x11, 0x22, 0x33};

struct lb_span frozen_pack(const void *message, struct lb_arena *arena)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    FUZZ_OK(lb_pb_pack(message, arena, &bytes));
    return bytes;
}

void *frozen_unpack(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes,
                    struct lb_arena *arena)
{
    ProtobufCMessage *message = NULL;
    FUZZ_OK(lb_pb_unpack(descriptor, bytes, arena, &message));
    FUZZ_CHECK(lb_span_eq(frozen_pack(message, arena), bytes));
    return message;
}

/* --- sealed request and answer --- */

static void aad_of(const struct frozen_set *set, uint8_t out[LB_SEAL_AAD_BYTES])
{
    const struct lb_span views[] = {lb_span_str("tax.wage")};
    FUZZ_OK(lb_seal_aad(frozen_get(set, "grant.jwt"), lb_span_of(frozen_txn, sizeof(frozen_txn)),
                        views, 1, FROZEN_DEADLINE_MS, FROZEN_ANSWER_BYTES, out));
}

void frozen_sender(struct frozen_set *set, struct lb_hpke_context *out, uint8_t enc[32])
{
    struct lb_x25519_key ephemeral;
    struct lb_span info = LB_SPAN_EMPTY;
    FUZZ_OK(lb_x25519_from_private(ephemeral_private, &ephemeral));
    FUZZ_OK(lb_seal_info(FROZEN_REQUESTER, FROZEN_AUDIENCE, FROZEN_KEY_ID, set->arena, &info));
    FUZZ_OK(lb_hpke_setup_sender_with(&ephemeral, fuzz_keys()->x25519.public_key, info,
                                      &fuzz_keys()->sender, enc, out));
}

static void recipient_context(struct frozen_set *set, struct lb_hpke_context *out)
{
    struct lb_hpke_context unused;
    struct lb_span info = LB_SPAN_EMPTY;
    uint8_t enc[32];
    frozen_sender(set, &unused, enc);
    FUZZ_OK(lb_seal_info(FROZEN_REQUESTER, FROZEN_AUDIENCE, FROZEN_KEY_ID, set->arena, &info));
    FUZZ_OK(lb_hpke_setup_recipient(&fuzz_keys()->x25519, enc, info,
                                    fuzz_keys()->sender.public_key, out));
}

struct lb_span make_sealed_request(struct frozen_set *set)
{
    Lianban__V1__SealedRequest request = LIANBAN__V1__SEALED_REQUEST__INIT;
    Lianban__V1__Want want = LIANBAN__V1__WANT__INIT, *wants = &want;
    struct lb_span section = frozen_get(set, "section.disclosure"), framed = LB_SPAN_EMPTY;
    struct lb_hpke_context context;
    uint8_t enc[32], aad[LB_SEAL_AAD_BYTES];
    char *args[] = {frozen_text("12")}, *claims[] = {frozen_text("张三")};
    want.view = frozen_text("tax.wage");
    want.field = frozen_text("income");
    want.operator_ = frozen_text("SUM");
    want.n_args = 1;
    want.args = args;
    want.n_claim = 1;
    want.claim = claims;
    request.version = 1;
    request.section = lb_arena_str(set->arena, section);
    request.id_no = frozen_text(FROZEN_ID);
    request.name = frozen_text("张三");
    request.salt = lb_pb_bytes(lb_span_of(salt, sizeof(salt)));
    request.operator_token = frozen_text("operator-token");
    request.rid = lb_pb_bytes(lb_span_of(rid, sizeof(rid)));
    request.iat = FROZEN_NOW;
    request.n_wants = 1;
    request.wants = &wants;
    struct lb_span message = frozen_pack(&request, set->arena);
    FUZZ_OK(lb_padded_wrap(message, lb_padded_size(message.len, 1024), set->arena, &framed));
    uint8_t *sealed = lb_arena_alloc(set->arena, framed.len + LB_HPKE_TAG_BYTES);
    FUZZ_CHECK(sealed != NULL);
    frozen_sender(set, &context, enc);
    aad_of(set, aad);
    FUZZ_OK(lb_hpke_seal(&context, FROZEN_SEQ, lb_span_of(aad, sizeof(aad)), framed, sealed));
    return lb_span_of(sealed, framed.len + LB_HPKE_TAG_BYTES);
}

void accept_sealed_request(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_hpke_context context;
    uint8_t aad[LB_SEAL_AAD_BYTES];
    struct lb_span message;
    uint8_t *framed = lb_arena_alloc(set->arena, bytes.len);
    FUZZ_CHECK(framed != NULL);
    recipient_context(set, &context);
    aad_of(set, aad);
    FUZZ_OK(lb_hpke_open(&context, FROZEN_SEQ, lb_span_of(aad, sizeof(aad)), bytes, framed));
    FUZZ_OK(lb_padded_unwrap(lb_span_of(framed, bytes.len - LB_HPKE_TAG_BYTES), &message));
    Lianban__V1__SealedRequest *request =
        frozen_unpack(&lianban__v1__sealed_request__descriptor, message, set->arena);
    FUZZ_CHECK(request->version == 1 && strcmp(request->id_no, FROZEN_ID) == 0);
    FUZZ_CHECK(request->iat == FROZEN_NOW && request->n_wants == 1);
    FUZZ_CHECK(strcmp(request->wants[0]->operator_, "SUM") == 0);
    FUZZ_CHECK(strcmp(request->wants[0]->claim[0], "张三") == 0);
    FUZZ_CHECK(lb_span_is(frozen_get(set, "section.disclosure"), request->section));
}

struct lb_span make_sealed_answer(struct frozen_set *set)
{
    Lianban__V1__SealedAnswer answer = LIANBAN__V1__SEALED_ANSWER__INIT;
    Lianban__V1__Fact fact = LIANBAN__V1__FACT__INIT, *facts = &fact;
    struct lb_span framed = LB_SPAN_EMPTY, sealed = LB_SPAN_EMPTY;
    struct lb_hpke_context context;
    char *args[] = {frozen_text("12")};
    fact.view = frozen_text("tax.wage");
    fact.field = frozen_text("income");
    fact.operator_ = frozen_text("SUM");
    fact.n_args = 1;
    fact.args = args;
    fact.state = LIANBAN__V1__FACT__STATE__OK;
    fact.kind = LIANBAN__V1__FACT__KIND__NUMBER;
    fact.number = 8765400;
    fact.as_of = frozen_text("2026-07-01");
    fact.rules_version = 1;
    answer.version = 1;
    answer.code = frozen_text("OK");
    answer.n_facts = 1;
    answer.facts = &facts;
    answer.answered_unix_ms = FROZEN_NOW * 1000 + 33;
    FUZZ_OK(lb_padded_wrap(frozen_pack(&answer, set->arena),
                           FROZEN_ANSWER_BYTES - LB_AEAD_TAG_BYTES, set->arena, &framed));
    recipient_context(set, &context);
    FUZZ_OK(lb_seal_answer(&context, FROZEN_SEQ, frozen_get(set, "sealed-request.hex"),
                           lb_span_of(frozen_txn, sizeof(frozen_txn)), framed, set->arena,
                           &sealed));
    return sealed;
}

void accept_sealed_answer(struct frozen_set *set, struct lb_span bytes)
{
    struct lb_hpke_context context;
    struct lb_span framed = LB_SPAN_EMPTY, message;
    uint8_t enc[32];
    FUZZ_CHECK(bytes.len == FROZEN_ANSWER_BYTES);
    frozen_sender(set, &context, enc);
    FUZZ_OK(lb_open_answer(&context, FROZEN_SEQ, frozen_get(set, "sealed-request.hex"),
                           lb_span_of(frozen_txn, sizeof(frozen_txn)), bytes, set->arena, &framed));
    FUZZ_OK(lb_padded_unwrap(framed, &message));
    Lianban__V1__SealedAnswer *answer =
        frozen_unpack(&lianban__v1__sealed_answer__descriptor, message, set->arena);
    FUZZ_CHECK(answer->version == 1 && strcmp(answer->code, "OK") == 0 && answer->n_facts == 1);
    FUZZ_CHECK(answer->facts[0]->number == 8765400);
    FUZZ_CHECK(answer->facts[0]->state == LIANBAN__V1__FACT__STATE__OK);
    FUZZ_CHECK(answer->facts[0]->kind == LIANBAN__V1__FACT__KIND__NUMBER);
    FUZZ_CHECK(strcmp(answer->facts[0]->as_of, "2026-07-01") == 0);
}
