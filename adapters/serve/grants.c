#include "adapters/serve/grants.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A grant as it was read, in one block with its text; `block` NULL: empty. */
struct entry {
    uint8_t *block;
    struct lb_span jwt;
    struct lb_grant grant;
    uint8_t key[LB_P256_PUBLIC_BYTES];
    size_t key_len;
};

struct lb_serve_grants {
    pthread_mutex_t lock;
    struct entry entries[LB_SERVE_GRANTS];
};

lb_status lb_serve_grants_new(struct lb_serve_grants **out_grants)
{
    struct lb_serve_grants *grants = calloc(1, sizeof(*grants));
    LB_ENSURE(grants != NULL, LB_NO_MEMORY, "verified grants");
    (void)pthread_mutex_init(&grants->lock, NULL);
    *out_grants = grants;
    return LB_OK;
}

void lb_serve_grants_free(struct lb_serve_grants *grants)
{
    if (grants == NULL)
        return;
    for (size_t i = 0; i < LB_SERVE_GRANTS; i++)
        free(grants->entries[i].block);
    (void)pthread_mutex_destroy(&grants->lock);
    free(grants);
}

/* By its end, which is the signature's: whoever chooses it only puts their own grants into each
 * other's place. The text itself is compared. */
static struct entry *place_of(struct lb_serve_grants *grants, struct lb_span jwt)
{
    unsigned sum = 0;
    for (size_t i = jwt.len > 16 ? jwt.len - 16 : 0; i < jwt.len; i++)
        sum = sum * 31 + jwt.ptr[i];
    return &grants->entries[sum % LB_SERVE_GRANTS];
}

static lb_status copy_text(struct lb_arena *arena, const char *text, const char **out)
{
    if (text == NULL)
        return LB_OK;
    *out = lb_arena_str(arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status copy_out(const struct lb_grant *from, struct lb_arena *arena,
                          struct lb_grant *out)
{
    struct lb_span digests = LB_SPAN_EMPTY;
    struct lb_grant grant = *from;
    LB_TRY(copy_text(arena, from->issuer, &grant.issuer));
    LB_TRY(copy_text(arena, from->kid, &grant.kid));
    LB_TRY(copy_text(arena, from->jti, &grant.jti));
    LB_TRY(copy_text(arena, from->requester, &grant.requester));
    LB_TRY(copy_text(arena, from->status_uri, &grant.status_uri));
    LB_TRY(lb_arena_copy(arena, lb_span_of(from->digests, from->num_digests * 32), &digests));
    grant.digests = (const uint8_t (*)[32])(const void *)digests.ptr;
    *out = grant;
    return LB_OK;
}

static lb_status find(struct lb_serve_grants *grants, int64_t now_unix_s, struct lb_arena *arena,
                      struct lb_grant *out_grant, struct lb_read_grant *read)
{
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&grants->lock);
    const struct entry *entry = place_of(grants, read->jwt);
    bool lives = entry->block != NULL && entry->grant.exp > now_unix_s;
    if (lives && lb_span_eq(entry->jwt, read->jwt)) {
        status = copy_out(&entry->grant, arena, out_grant);
        memcpy(read->key, entry->key, sizeof(read->key));
        read->key_len = entry->key_len;
        read->is_known = status == LB_OK;
    }
    (void)pthread_mutex_unlock(&grants->lock);
    return status;
}

lb_status lb_serve_grants_read(struct lb_serve_grants *grants, struct lb_span jwt,
                               int64_t now_unix_s, struct lb_arena *arena,
                               struct lb_grant *out_grant, struct lb_read_grant *out_read)
{
    *out_read = (struct lb_read_grant){.jwt = jwt};
    LB_TRY(find(grants, now_unix_s, arena, out_grant, out_read));
    return out_read->is_known ? LB_OK : lb_grant_peek(jwt, arena, out_grant);
}

static size_t text_bytes(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static const char *put_text(uint8_t **at, const char *text)
{
    size_t len = text_bytes(text);
    const char *copy = text == NULL ? NULL : (const char *)*at;
    if (text != NULL)
        memcpy(*at, text, len);
    *at += len;
    return copy;
}

/* Digests first, for their alignment's sake. Without memory it is not remembered. */
static bool fill(struct entry *entry, struct lb_span jwt, const struct lb_grant *grant)
{
    size_t digests = grant->num_digests * 32;
    uint8_t *block = malloc(digests + jwt.len + text_bytes(grant->issuer) + text_bytes(grant->kid) +
                            text_bytes(grant->jti) + text_bytes(grant->requester) +
                            text_bytes(grant->status_uri));
    if (block == NULL)
        return false;
    uint8_t *at = block + digests;
    memcpy(block, grant->digests, digests);
    *entry = (struct entry){.block = block, .grant = *grant};
    entry->grant.digests = (const uint8_t (*)[32])(const void *)block;
    entry->grant.signing_input = LB_SPAN_EMPTY; /* borrowed, as the signature */
    entry->grant.signature = LB_SPAN_EMPTY;
    memcpy(at, jwt.ptr, jwt.len);
    entry->jwt = lb_span_of(at, jwt.len);
    at += jwt.len;
    entry->grant.issuer = put_text(&at, grant->issuer);
    entry->grant.kid = put_text(&at, grant->kid);
    entry->grant.jti = put_text(&at, grant->jti);
    entry->grant.requester = put_text(&at, grant->requester);
    entry->grant.status_uri = put_text(&at, grant->status_uri);
    return true;
}

static void keep(struct lb_serve_grants *grants, struct lb_span jwt, const struct lb_grant *grant,
                 struct lb_span key)
{
    struct entry fresh;
    if (jwt.len > LB_SERVE_GRANT_BYTES || !fill(&fresh, jwt, grant))
        return;
    memcpy(fresh.key, key.ptr, key.len);
    fresh.key_len = key.len;
    (void)pthread_mutex_lock(&grants->lock);
    struct entry *entry = place_of(grants, jwt);
    uint8_t *before = entry->block;
    *entry = fresh;
    (void)pthread_mutex_unlock(&grants->lock);
    free(before);
}

lb_status lb_serve_grants_check(struct lb_serve_grants *grants, const struct lb_read_grant *read,
                                const struct lb_grant *grant, const struct lb_verify_key *key,
                                struct lb_arena *arena)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_span name = lb_span_of(raw, lb_verify_key_raw(key, raw));
    struct lb_grant again = *grant;
    if (read->is_known) {
        if (lb_span_eq(name, lb_span_of(read->key, read->key_len)))
            return LB_OK;
        LB_TRY(lb_grant_peek(read->jwt, arena, &again));
    }
    LB_TRY(lb_grant_check_signature(&again, key));
    keep(grants, read->jwt, grant, name);
    return LB_OK;
}

size_t lb_serve_grants_count(struct lb_serve_grants *grants)
{
    size_t num = 0;
    (void)pthread_mutex_lock(&grants->lock);
    for (size_t i = 0; i < LB_SERVE_GRANTS; i++)
        num += grants->entries[i].block != NULL;
    (void)pthread_mutex_unlock(&grants->lock);
    return num;
}
