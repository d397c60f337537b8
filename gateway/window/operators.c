#include "gateway/window/operators.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/hash.h"
#include "gateway/json/json.h"
#include "gateway/register/proof.h"
#include "gateway/token/operator_token.h"
#include "gateway/wire/pb.h"

#define TOKEN_LIFE_S LB_OPERATOR_TOKEN_LIFE_S
#define MAX_OPERATORS 64U
#define MAX_NONCES 1024U

struct place {
    uint8_t name[LB_SHA256_BYTES];  /* of unit and person */
    int64_t fresh_until;            /* seconds since 1970; 0: empty */
    struct lb_buf token;
};

/* A proof that was taken; it may not come again while its time would pass. */
struct nonce {
    uint8_t bytes[LB_PROOF_NONCE_BYTES];
    int64_t until;  /* seconds since 1970; 0: empty */
};

struct lb_window_operators {
    pthread_mutex_t lock;
    struct place places[MAX_OPERATORS];
    struct nonce nonces[MAX_NONCES];
    int64_t born_s;  /* proofs from before that may have been taken by who was here then */
};

lb_status lb_window_operators_new(int64_t now_unix_s, struct lb_window_operators **out_operators)
{
    struct lb_window_operators *operators = calloc(1, sizeof(*operators));
    LB_ENSURE(operators != NULL, LB_NO_MEMORY, "operators");
    operators->born_s = now_unix_s;
    (void)pthread_mutex_init(&operators->lock, NULL);
    for (size_t i = 0; i < MAX_OPERATORS; i++)
        lb_buf_init(&operators->places[i].token, LB_MAX_TOKEN_BYTES);
    *out_operators = operators;
    return LB_OK;
}

void lb_window_operators_free(struct lb_window_operators *operators)
{
    if (operators == NULL)
        return;
    for (size_t i = 0; i < MAX_OPERATORS; i++)
        lb_buf_cleanup(&operators->places[i].token);
    (void)pthread_mutex_destroy(&operators->lock);
    free(operators);
}

/* --- what was changed, into the evidence --- */

static lb_status record_one(const struct lb_window_options *options,
                            const struct lb_register_change *change, struct lb_arena *arena)
{
    const struct lb_window_witness *witness = &options->witness;
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    struct lb_span text;
    uint64_t index = 0;
    lb_json_set_cstr(detail, "badge", change->badge);
    lb_json_set_cstr(detail, "by", change->by);
    lb_json_set_int(detail, "at", change->at_unix_s);
    lb_json_set_int(detail, "change", change->seq);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &text));
    LB_TRY(witness->record(witness->ctx, change->what, text, &index));
    return lb_register_evidenced(options->operators, change->seq, index);
}

static lb_status record_changes(const struct lb_window_options *options)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    size_t num = LB_REGISTER_PENDING;
    while (num == LB_REGISTER_PENDING) {
        struct lb_register_change *changes = NULL;
        lb_arena_reset(arena);
        LB_TRY(lb_register_pending(options->operators, arena, &changes, &num));
        for (size_t i = 0; i < num; i++)
            LB_TRY(record_one(options, &changes[i], arena));
    }
    return LB_OK;
}

/* --- tokens --- */

static lb_status issue(const struct lb_window_options *options, const char *unit,
                       const char *person, int64_t now, struct lb_arena *arena,
                       struct lb_span *out)
{
    uint8_t random[16];
    char jti[2 * sizeof(random) + 1];
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    lb_hex_encode(lb_span_of(random, sizeof(random)), jti);
    const struct lb_issuer_key *issuer = lb_issuer_keys_now(options->issuer);
    const struct lb_operator claims = {
        .organization = options->organization,
        .kid = issuer->kid,
        .unit = unit,
        .person = person,
        .jti = jti,
        .iat = now,
        .exp = now + TOKEN_LIFE_S,
    };
    return lb_operator_token_issue(&claims, issuer->key, arena, out);
}

/* The person's own place, or the one that goes stale first. Under lock. */
static struct place *place_of(struct lb_window_operators *operators, const uint8_t *name)
{
    struct place *oldest = &operators->places[0];
    for (size_t i = 0; i < MAX_OPERATORS; i++) {
        struct place *place = &operators->places[i];
        if (memcmp(place->name, name, sizeof(place->name)) == 0)
            return place;
        if (place->fresh_until < oldest->fresh_until)
            oldest = place;
    }
    return oldest;
}

/* A clock that stepped back makes a token stale too: its half is counted by the new time. */
static bool is_fresh(const struct place *place, const uint8_t *name, int64_t now)
{
    return memcmp(place->name, name, sizeof(place->name)) == 0 && now < place->fresh_until &&
           place->fresh_until - now <= TOKEN_LIFE_S / 2;
}

static lb_status refresh(struct place *place, const uint8_t *name, struct lb_span token,
                         int64_t now)
{
    lb_buf_cleanup(&place->token);
    place->fresh_until = 0;
    lb_buf_put(&place->token, token);
    LB_TRY(lb_buf_check(&place->token));
    memcpy(place->name, name, sizeof(place->name));
    place->fresh_until = now + TOKEN_LIFE_S / 2;
    return LB_OK;
}

static void drop(struct place *place, const uint8_t *name)
{
    if (memcmp(place->name, name, sizeof(place->name)) != 0)
        return;
    lb_buf_cleanup(&place->token);
    place->fresh_until = 0;
}

/* The register's word, each time anew. */
static lb_status still_serves(const struct lb_window_options *options, const char *unit,
                              const char *person, struct lb_arena *arena)
{
    struct lb_register_entry entry;
    LB_TRY(record_changes(options));
    LB_TRY(lb_register_find_hash(options->operators, person, arena, &entry));
    LB_ENSURE(strcmp(entry.unit, unit) == 0, LB_BADGE_UNKNOWN, "operator is of another unit now");
    return lb_register_may_serve(&entry, lb_clock_unix_s(options->clock));
}

static lb_status take(struct lb_window_operators *operators,
                      const struct lb_window_options *options, const char *unit,
                      const char *person, struct lb_arena *arena, struct lb_span *out)
{
    int64_t now = lb_clock_unix_s(options->clock);
    uint8_t name[LB_SHA256_BYTES];
    const struct lb_span parts[] = {lb_span_str(unit), lb_span_of("", 1), lb_span_str(person)};
    lb_sha256_parts(parts, 3, name);
    struct place *place = place_of(operators, name);
    lb_status serves = still_serves(options, unit, person, arena);
    if (serves != LB_OK) {
        drop(place, name);
        return serves;
    }
    if (!is_fresh(place, name, now)) {
        struct lb_span token = LB_SPAN_EMPTY;
        LB_TRY(issue(options, unit, person, now, arena, &token));
        LB_TRY(refresh(place, name, token, now));
    }
    *out = lb_buf_span(&place->token);
    return LB_OK;
}

lb_status lb_window_operators_token(struct lb_window_operators *operators,
                                    const struct lb_window_options *options, const char *unit,
                                    const char *person, struct lb_arena *arena,
                                    const char **out_token)
{
    struct lb_span token = LB_SPAN_EMPTY;
    char *copy = NULL;
    (void)pthread_mutex_lock(&operators->lock);
    lb_status status = take(operators, options, unit, person, arena, &token);
    if (status == LB_OK)
        copy = lb_arena_str(arena, token);
    (void)pthread_mutex_unlock(&operators->lock);
    LB_TRY(status);
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "arena is full");
    *out_token = copy;
    return LB_OK;
}

/* --- who opens a case --- */

/* A table that is full of proofs still in their time lets nobody else in. */
static lb_status take_nonce(struct lb_window_operators *operators, const struct lb_proof *proof,
                            int64_t now)
{
    struct nonce *empty = NULL;
    for (size_t i = 0; i < MAX_NONCES; i++) {
        struct nonce *nonce = &operators->nonces[i];
        if (nonce->until < now) {
            empty = nonce;
            continue;
        }
        LB_ENSURE(memcmp(nonce->bytes, proof->nonce, sizeof(nonce->bytes)) != 0,
                  LB_DEVICE_UNPROVEN, "proof was used before");
    }
    LB_ENSURE(empty != NULL, LB_BUSY, "too many proofs at a time");
    memcpy(empty->bytes, proof->nonce, sizeof(empty->bytes));
    empty->until = proof->time_unix_s + LB_PROOF_MAX_AGE_S;
    return LB_OK;
}

static lb_status check_device(struct lb_window_operators *operators,
                              const struct lb_window_options *options,
                              const struct lb_window_admission *asked,
                              const struct lb_register_entry *entry, struct lb_arena *arena)
{
    const Lianban__V1__OperatorProof *given = asked->given;
    int64_t now = lb_clock_unix_s(options->clock);
    LB_ENSURE(given != NULL && given->nonce.len == LB_PROOF_NONCE_BYTES, LB_DEVICE_UNPROVEN,
              "no proof of the device key");
    struct lb_proof proof = {.agent = options->self, .badge = entry->badge, .unit = entry->unit,
                             .form = asked->form, .method = asked->method,
                             .case_id = asked->case_id, .time_unix_s = given->time_unix_s};
    memcpy(proof.nonce, given->nonce.data, sizeof(proof.nonce));
    memcpy(proof.content, asked->content, sizeof(proof.content));
    LB_ENSURE(given->time_unix_s >= operators->born_s, LB_DEVICE_UNPROVEN,
              "proof is from before this agent started");
    LB_TRY(lb_proof_check(&proof, entry, lb_pb_span(given->signature), now, arena));
    return take_nonce(operators, &proof, now);
}

static lb_status admit(struct lb_window_operators *operators,
                       const struct lb_window_options *options,
                       const struct lb_window_admission *asked, struct lb_arena *arena,
                       struct lb_register_entry *out_entry)
{
    struct lb_register_entry entry;
    LB_TRY(record_changes(options));
    LB_TRY(lb_register_find(options->operators, asked->badge, arena, &entry));
    LB_ENSURE(strcmp(entry.unit, asked->unit) == 0, LB_BADGE_UNKNOWN, "badge is of another unit");
    LB_TRY(lb_register_may_serve(&entry, lb_clock_unix_s(options->clock)));
    if (entry.has_device)
        LB_TRY(check_device(operators, options, asked, &entry, arena));
    *out_entry = entry;
    return LB_OK;
}

lb_status lb_window_operators_admit(struct lb_window_operators *operators,
                                    const struct lb_window_options *options,
                                    const struct lb_window_admission *asked,
                                    struct lb_arena *arena, struct lb_register_entry *out_entry)
{
    LB_ENSURE(lb_utf8_line(asked->badge, LB_MAX_NAME_BYTES) &&
                  lb_utf8_line(asked->unit, LB_MAX_NAME_BYTES),
              LB_MALFORMED, "no operator badge, or no unit");
    (void)pthread_mutex_lock(&operators->lock);
    lb_status status = admit(operators, options, asked, arena, out_entry);
    (void)pthread_mutex_unlock(&operators->lock);
    return status;
}

lb_status lb_window_operators_tick(struct lb_window_operators *operators,
                                   const struct lb_window_options *options)
{
    (void)pthread_mutex_lock(&operators->lock);
    lb_status status = record_changes(options);
    (void)pthread_mutex_unlock(&operators->lock);
    return status;
}
