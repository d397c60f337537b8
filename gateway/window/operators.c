#include "gateway/window/operators.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/operator_token.h"

#define TOKEN_LIFE_S 600
#define MAX_OPERATORS 64U

struct place {
    uint8_t name[LB_SHA256_BYTES];  /* of unit and person */
    int64_t fresh_until;            /* seconds since 1970; 0: empty */
    struct lb_buf token;
};

struct lb_window_operators {
    pthread_mutex_t lock;
    struct place places[MAX_OPERATORS];
};

lb_status lb_window_operators_new(struct lb_window_operators **out_operators)
{
    struct lb_window_operators *operators = calloc(1, sizeof(*operators));
    LB_ENSURE(operators != NULL, LB_NO_MEMORY, "operators");
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

static lb_status issue(const struct lb_window_options *options, const char *unit,
                       const char *person, int64_t now, struct lb_arena *arena,
                       struct lb_span *out)
{
    uint8_t random[16];
    char jti[2 * sizeof(random) + 1];
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    lb_hex_encode(lb_span_of(random, sizeof(random)), jti);
    const struct lb_operator claims = {
        .organization = options->organization,
        .kid = options->issuer_kid,
        .unit = unit,
        .person = person,
        .jti = jti,
        .iat = now,
        .exp = now + TOKEN_LIFE_S,
    };
    return lb_operator_token_issue(&claims, options->issuer_key, arena, out);
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

static lb_status take(struct lb_window_operators *operators,
                      const struct lb_window_options *options, const char *unit,
                      const char *person, struct lb_arena *arena, struct lb_span *out)
{
    int64_t now = lb_clock_unix_s(options->clock);
    uint8_t name[LB_SHA256_BYTES];
    const struct lb_span parts[] = {lb_span_str(unit), lb_span_of("", 1), lb_span_str(person)};
    lb_sha256_parts(parts, 3, name);
    struct place *place = place_of(operators, name);
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
