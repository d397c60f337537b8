#include "bench/reads.h"

#include <stdlib.h>
#include <string.h>

#include "bench/ends.h"
#include "gateway/base/clock.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/padded.h"
#include "gateway/token/operator_token.h"

#define BYTES_PER_READ (16U * 1024)
#define SCRATCH_BYTES (1024U * 1024)
#define DEADLINE_MS 60000
#define GRANT_LIFE_S 3600
#define TOKEN_LIFE_S 600
#define MAX_USES 1000000
#define STATUS_INDEXES 256 /* fewer than any status list has */
#define PADDING_BYTES 1024

static void need(lb_status status, const char *what)
{
    if (status != LB_OK)
        lb_bench_die("%s: %s", what, status->what);
}

static void *keep(struct lb_arena *arena, size_t size)
{
    void *made = lb_arena_alloc(arena, size);
    if (made == NULL)
        lb_bench_die("out of memory");
    return made;
}

/* A grant over one section about one person. */
struct granted {
    const char *jwt;
    const char *disclosure;
    uint8_t salt[16];
};

static void issue(const struct lb_bench_plan *plan, const char *id_no, uint32_t answer_bytes,
                  uint64_t number, struct lb_arena *arena, struct granted *out)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    struct lb_section section = plan->section;
    struct lb_span jwt = LB_SPAN_EMPTY, disclosure = LB_SPAN_EMPTY;
    uint8_t raw[16];
    char jti[2 * sizeof(raw) + 1];
    need(lb_crypto_random(raw, sizeof(raw)), "random");
    need(lb_crypto_random(out->salt, sizeof(out->salt)), "random");
    lb_hex_encode(lb_span_of(raw, sizeof(raw)), jti);
    struct lb_grant grant = {
        .issuer = plan->issuer, .kid = plan->kid, .jti = jti, .requester = plan->requester_org,
        .iat = now, .nbf = now, .exp = now + GRANT_LIFE_S,
        .status_uri = plan->status_uri[0] == 0 ? NULL : plan->status_uri,
        .status_index = number % STATUS_INDEXES};
    section.max_uses = MAX_USES;
    section.answer_bytes = answer_bytes;
    lb_subject_commitment(out->salt, id_no, section.subject);
    need(lb_jwk_thumbprint_x25519(plan->sender.public_key, arena, grant.cnf_jkt), "grant");
    need(lb_grant_issue(&grant, &section, 1, plan->issuer_key, arena, &jwt, &disclosure), "grant");
    out->jwt = lb_arena_str(arena, jwt);
    out->disclosure = lb_arena_str(arena, disclosure);
    if (out->jwt == NULL || out->disclosure == NULL)
        lb_bench_die("out of memory");
}

static const char *issue_token(const struct lb_bench_plan *plan, struct lb_arena *arena)
{
    int64_t now = lb_clock_unix_s(lb_clock_system());
    struct lb_span token = LB_SPAN_EMPTY;
    const struct lb_operator claims = {
        .organization = plan->requester_org, .kid = plan->operator_kid, .unit = plan->unit,
        .person = plan->person, .jti = "bench", .iat = now, .exp = now + TOKEN_LIFE_S};
    need(lb_operator_token_issue(&claims, plan->operator_key, arena, &token), "operator token");
    return lb_arena_str(arena, token);
}

/* --- sealing --- */

static struct lb_span plain_of(const struct lb_bench_pool *pool, const struct granted *granted,
                               const struct lb_bench_person *person, struct lb_arena *scratch)
{
    Lianban__V1__SealedRequest plain = LIANBAN__V1__SEALED_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY, framed = LB_SPAN_EMPTY;
    uint8_t rid[16];
    need(lb_crypto_random(rid, sizeof(rid)), "random");
    plain.version = 1;
    plain.section = (char *)(uintptr_t)granted->disclosure;
    plain.id_no = (char *)(uintptr_t)person->id_no;
    plain.name = (char *)(uintptr_t)person->name;
    plain.salt = lb_pb_bytes(lb_span_of(granted->salt, sizeof(granted->salt)));
    plain.operator_token = (char *)(uintptr_t)pool->token;
    plain.rid = lb_pb_bytes(lb_span_of(rid, sizeof(rid)));
    plain.iat = lb_clock_unix_s(lb_clock_system());
    plain.wants = (Lianban__V1__Want **)(uintptr_t)pool->plan->wants;
    plain.n_wants = pool->plan->num_wants;
    need(lb_pb_pack(&plain, scratch, &bytes), "request");
    need(lb_padded_wrap(bytes, lb_padded_size(bytes.len, PADDING_BYTES), scratch, &framed),
         "request");
    return framed;
}

static void fill_open_part(struct lb_bench_pool *pool, const struct granted *granted,
                           uint32_t answer_bytes, struct lb_bench_read *read)
{
    const struct lb_section *section = &pool->plan->section;
    Lianban__V1__ReadRequest *request = &read->request;
    lianban__v1__read_request__init(request);
    request->txn = lb_pb_bytes(lb_span_of(read->txn, sizeof(read->txn)));
    request->audience = (char *)(uintptr_t)pool->plan->adapter;
    request->requester = (char *)(uintptr_t)pool->plan->requester;
    request->grant = (char *)(uintptr_t)granted->jwt;
    request->views = keep(pool->arena, section->num_views * sizeof(request->views[0]));
    request->n_views = section->num_views;
    for (size_t i = 0; i < section->num_views; i++)
        request->views[i] = (char *)(uintptr_t)section->views[i].id;
    request->deadline_unix_ms = lb_clock_unix_ms(lb_clock_system()) + DEADLINE_MS;
    request->answer_bytes = answer_bytes;
}

static void seal(struct lb_bench_pool *pool, uint64_t seq, struct lb_span plain,
                 struct lb_bench_read *read)
{
    const struct lb_section *section = &pool->plan->section;
    Lianban__V1__Sealed *sealed = &read->sealed;
    uint8_t aad[LB_SEAL_AAD_BYTES], *ciphertext = keep(pool->arena, plain.len + LB_AEAD_TAG_BYTES);
    struct lb_span views[LB_MAX_VIEWS_PER_SECTION];
    for (size_t i = 0; i < section->num_views; i++)
        views[i] = lb_span_str(section->views[i].id);
    need(lb_seal_aad(lb_span_str(read->request.grant), lb_span_of(read->txn, sizeof(read->txn)),
                     views, section->num_views, read->request.deadline_unix_ms,
                     read->request.answer_bytes, aad), "seal");
    need(lb_hpke_seal(&pool->context, seq, lb_span_of(aad, sizeof(aad)), plain, ciphertext),
         "seal");
    lianban__v1__sealed__init(sealed);
    sealed->key_id = (char *)(uintptr_t)pool->plan->seal_id;
    sealed->enc = lb_pb_bytes(lb_span_of(pool->enc, sizeof(pool->enc)));
    sealed->sender_key = lb_pb_bytes(lb_span_of(pool->plan->sender.public_key, 32));
    sealed->seq = seq;
    sealed->ciphertext = lb_pb_bytes(lb_span_of(ciphertext, plain.len + LB_AEAD_TAG_BYTES));
    lb_sha256(lb_pb_span(sealed->ciphertext), read->ciphertext_hash);
    read->request.sealed = sealed;
}

/* --- the pool --- */

uint32_t lb_bench_size_of(const struct lb_bench_pool_options *options, size_t i, uint32_t usual)
{
    size_t place = i * 619 % 1000; /* 619 and 1000 have no common divisor: each place once */
    for (size_t k = 0; k < options->num_sizes; k++) {
        if (place < options->sizes[k].of_thousand)
            return options->sizes[k].bytes;
        place -= options->sizes[k].of_thousand;
    }
    return usual;
}

static void open_context(struct lb_bench_pool *pool)
{
    const struct lb_bench_plan *plan = pool->plan;
    struct lb_span info = LB_SPAN_EMPTY;
    need(lb_seal_info(plan->requester, plan->adapter, plan->seal_id, pool->arena, &info), "seal");
    need(lb_hpke_setup_sender(plan->seal_public, info, &plan->sender, pool->enc, &pool->context),
         "seal");
}

static void make_read(struct lb_bench_pool *pool, size_t i, const struct granted *granted,
                      uint32_t answer_bytes, struct lb_arena *scratch)
{
    const struct lb_bench_people *people = &pool->plan->people;
    struct lb_bench_read *read = &pool->reads[i];
    uint32_t number = (uint32_t)i;
    need(lb_crypto_random(read->txn, sizeof(read->txn)), "random");
    memcpy(read->txn, &number, sizeof(number));
    fill_open_part(pool, granted, answer_bytes, read);
    seal(pool, i, plain_of(pool, granted, &people->list[i % people->num], scratch), read);
}

struct lb_bench_pool *lb_bench_pool_make(const struct lb_bench_plan *plan,
                                         const struct lb_bench_pool_options *options)
{
    const struct lb_bench_people *people = &plan->people;
    struct lb_bench_pool *pool = calloc(1, sizeof(*pool));
    struct lb_arena *scratch = lb_arena_new(SCRATCH_BYTES);
    struct granted *granted = calloc(people->num, sizeof(*granted));
    if (pool == NULL || scratch == NULL || granted == NULL)
        lb_bench_die("out of memory");
    pool->plan = plan;
    pool->arena = lb_arena_new((options->num + people->num + 64) * BYTES_PER_READ);
    pool->num = options->num;
    pool->reads = calloc(options->num, sizeof(pool->reads[0]));
    if (pool->arena == NULL || pool->reads == NULL)
        lb_bench_die("out of memory");
    open_context(pool);
    pool->token = issue_token(plan, pool->arena);
    for (size_t i = 0; i < options->num; i++) {
        struct granted *own = &granted[i % people->num];
        uint32_t size = lb_bench_size_of(options, i, plan->section.answer_bytes);
        lb_arena_reset(scratch);
        if (!options->cached || own->jwt == NULL)
            issue(plan, people->list[i % people->num].id_no, size, i, pool->arena, own);
        make_read(pool, i, own, size, scratch);
    }
    free(granted);
    lb_arena_free(scratch);
    return pool;
}

struct lb_bench_read *lb_bench_pool_find(struct lb_bench_pool *pool, struct lb_span txn)
{
    uint32_t number = 0;
    if (txn.len != LB_SEAL_TXN_BYTES)
        return NULL;
    memcpy(&number, txn.ptr, sizeof(number));
    if (number >= pool->num || memcmp(pool->reads[number].txn, txn.ptr, txn.len) != 0)
        return NULL;
    return &pool->reads[number];
}

/* --- what comes back --- */

lb_status lb_bench_leaf_check(const struct lb_bench_read *read, const struct lb_leaf *leaf,
                              struct lb_span sealed)
{
    uint8_t digest[32];
    lb_sha256(sealed, digest);
    LB_ENSURE(memcmp(leaf->txn, read->txn, sizeof(leaf->txn)) == 0 &&
                  memcmp(leaf->request_hash, read->ciphertext_hash, 32) == 0 &&
                  memcmp(leaf->answer_hash, digest, 32) == 0,
              LB_RECEIPT_INVALID, "an entry is about something else");
    return LB_OK;
}

lb_status lb_bench_answer_check(const struct lb_bench_pool *pool, const struct lb_bench_read *read,
                                struct lb_span sealed)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(SCRATCH_BYTES);
    struct lb_span framed = LB_SPAN_EMPTY, plain = LB_SPAN_EMPTY;
    Lianban__V1__SealedAnswer *answer = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "answer");
    LB_ENSURE(sealed.len == read->request.answer_bytes, LB_MALFORMED, "an answer of another size");
    LB_TRY(lb_open_answer(&pool->context, read->sealed.seq, lb_pb_span(read->sealed.ciphertext),
                          lb_span_of(read->txn, sizeof(read->txn)), sealed, arena, &framed));
    LB_TRY(lb_padded_unwrap(framed, &plain));
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_answer__descriptor, plain, arena, &answer));
    LB_ENSURE(strcmp(answer->code, "OK") == 0, LB_MALFORMED, "an answer that refuses");
    LB_ENSURE(answer->n_facts == pool->plan->num_wants, LB_MALFORMED, "facts are missing");
    for (size_t i = 0; i < answer->n_facts; i++)
        LB_ENSURE(answer->facts[i]->state == LIANBAN__V1__FACT__STATE__OK, LB_MALFORMED,
                  "a fact is not there");
    return LB_OK;
}
