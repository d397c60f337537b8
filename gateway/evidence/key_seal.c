#include "gateway/evidence/key_seal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define INFO_V1 "lianban detail key v1"
#define INFO_V2 "lianban detail key v2"

/* Keys that are ready, and how few there are before more are made. */
#define READY 64
#define FEW 32

/* All of a sealed key that does not depend on which it is. */
struct prepared {
    bool is_set;
    unsigned uses;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    struct lb_hpke_context context;
};

struct info {
    char text[300];
};

struct lb_key_seal {
    struct info info;
    pthread_t maker;
    bool running;
    pthread_mutex_t lock;  /* of all below */
    pthread_cond_t wanted;
    bool stopping;
    unsigned era;  /* of the officer's key: what was begun for an older one is thrown away */
    uint8_t officer[32];
    struct prepared current;
    struct prepared next;
    uint64_t next_kid;     /* of the first that is ready, or else of the one made next */
    size_t first, num;     /* a ring */
    struct lb_fresh_key ready[READY];
};

static lb_status make_info(const char *label, const char *origin, struct info *out)
{
    int len = snprintf(out->text, sizeof(out->text), "%s%s", label, origin);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(out->text), LB_TOO_LARGE, "origin is too long");
    return LB_OK;
}

static void put_u64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

static lb_status prepare(const struct info *info, const uint8_t officer[32], struct prepared *out)
{
    *out = (struct prepared){.is_set = false};
    LB_TRY(lb_hpke_setup_sender(officer, lb_span_str(info->text), NULL, out->enc, &out->context));
    out->is_set = true;
    return LB_OK;
}

/* --- under the lock --- */

/* One that has served its number serves on until the next is there. */
static lb_status need_context(struct lb_key_seal *seal)
{
    if (seal->next.is_set && (!seal->current.is_set || seal->current.uses >= LB_KEY_SEAL_KEYS)) {
        seal->current = seal->next;
        lb_wipe(&seal->next, sizeof(seal->next));
    }
    return seal->current.is_set ? LB_OK
                                : prepare(&seal->info, seal->officer, &seal->current);
}

/* The kid is the number of the message in its context, so none is sealed twice in one. */
static lb_status make_key(struct lb_key_seal *seal, uint64_t kid, struct lb_fresh_key *out)
{
    uint8_t aad[8];
    LB_TRY(need_context(seal));
    put_u64(aad, kid);
    out->kid = kid;
    memcpy(out->sealed, seal->current.enc, LB_HPKE_ENC_BYTES);
    LB_TRY(lb_crypto_random(out->key, sizeof(out->key)));
    seal->current.uses++;
    return lb_hpke_seal(&seal->current.context, kid, lb_span_of(aad, sizeof(aad)),
                        lb_span_of(out->key, sizeof(out->key)), out->sealed + LB_HPKE_ENC_BYTES);
}

static bool add_ready(struct lb_key_seal *seal)
{
    struct lb_fresh_key *place = &seal->ready[(seal->first + seal->num) % READY];
    if (make_key(seal, seal->next_kid + seal->num, place) != LB_OK)
        return false;
    seal->num++;
    return true;
}

/* The lock is open while a context is made. */
static bool make_next(struct lb_key_seal *seal)
{
    struct prepared fresh;
    uint8_t officer[32];
    unsigned era = seal->era;
    memcpy(officer, seal->officer, sizeof(officer));
    (void)pthread_mutex_unlock(&seal->lock);
    bool made = prepare(&seal->info, officer, &fresh) == LB_OK;
    (void)pthread_mutex_lock(&seal->lock);
    if (made && era == seal->era)
        seal->next = fresh;
    lb_wipe(&fresh, sizeof(fresh));
    return made;
}

/* --- the thread --- */

static void *make_ahead(void *arg)
{
    struct lb_key_seal *seal = arg;
    (void)pthread_mutex_lock(&seal->lock);
    while (!seal->stopping) {
        /* What can't be made here is made, or fails, when it is needed. */
        bool made = true;
        while (!seal->stopping && made && (!seal->next.is_set || seal->num < READY))
            made = seal->next.is_set ? add_ready(seal) : make_next(seal);
        if (!seal->stopping)
            (void)pthread_cond_wait(&seal->wanted, &seal->lock);
    }
    (void)pthread_mutex_unlock(&seal->lock);
    return NULL;
}

static lb_status start(struct lb_key_seal *seal, const char *origin)
{
    LB_TRY(make_info(INFO_V2, origin, &seal->info));
    LB_TRY(prepare(&seal->info, seal->officer, &seal->current));
    seal->running = pthread_create(&seal->maker, NULL, make_ahead, seal) == 0;
    LB_ENSURE(seal->running, LB_NO_MEMORY, "no thread");
    return LB_OK;
}

static void stop(struct lb_key_seal *seal)
{
    (void)pthread_mutex_lock(&seal->lock);
    seal->stopping = true;
    (void)pthread_cond_signal(&seal->wanted);
    (void)pthread_mutex_unlock(&seal->lock);
    if (seal->running)
        (void)pthread_join(seal->maker, NULL);
}

/* --- for the sequencer --- */

lb_status lb_key_seal_new(const uint8_t officer[32], const char *origin, uint64_t next_kid,
                          struct lb_key_seal **out_seal)
{
    struct lb_key_seal *seal = calloc(1, sizeof(*seal));
    LB_ENSURE(seal != NULL, LB_NO_MEMORY, "key seal");
    memcpy(seal->officer, officer, sizeof(seal->officer));
    seal->next_kid = next_kid;
    (void)pthread_mutex_init(&seal->lock, NULL);
    (void)pthread_cond_init(&seal->wanted, NULL);
    lb_status status = start(seal, origin);
    if (status != LB_OK) {
        lb_key_seal_free(seal);
        return status;
    }
    *out_seal = seal;
    return LB_OK;
}

void lb_key_seal_free(struct lb_key_seal *seal)
{
    if (seal == NULL)
        return;
    stop(seal);
    (void)pthread_cond_destroy(&seal->wanted);
    (void)pthread_mutex_destroy(&seal->lock);
    lb_wipe(seal, sizeof(*seal));
    free(seal);
}

void lb_key_seal_change(struct lb_key_seal *seal, const uint8_t officer[32])
{
    (void)pthread_mutex_lock(&seal->lock);
    memcpy(seal->officer, officer, sizeof(seal->officer));
    seal->era++;
    seal->num = 0;
    lb_wipe(seal->ready, sizeof(seal->ready));
    lb_wipe(&seal->current, sizeof(seal->current));
    lb_wipe(&seal->next, sizeof(seal->next));
    (void)pthread_cond_signal(&seal->wanted);
    (void)pthread_mutex_unlock(&seal->lock);
}

static lb_status take(struct lb_key_seal *seal, struct lb_fresh_key *out)
{
    struct lb_fresh_key *first = &seal->ready[seal->first];
    if (seal->num == 0)
        return make_key(seal, seal->next_kid, out);
    *out = *first;
    lb_wipe(first, sizeof(*first));
    seal->first = (seal->first + 1) % READY;
    seal->num--;
    return LB_OK;
}

lb_status lb_key_seal_take(struct lb_key_seal *seal, struct lb_fresh_key *out_key)
{
    (void)pthread_mutex_lock(&seal->lock);
    lb_status status = take(seal, out_key);
    if (status == LB_OK)
        seal->next_kid++;
    if (seal->num < FEW)
        (void)pthread_cond_signal(&seal->wanted);
    (void)pthread_mutex_unlock(&seal->lock);
    return status;
}

/* --- for the officer --- */

static lb_status open_v1(const struct lb_x25519_key *officer, const char *origin,
                         const struct lb_sealed_key *key, uint8_t *out_key)
{
    struct info info;
    uint8_t aad[8 + LB_DETAIL_SUBJECT_BYTES];
    LB_TRY(make_info(INFO_V1, origin, &info));
    put_u64(aad, key->kid);
    memcpy(aad + 8, key->subject, LB_DETAIL_SUBJECT_BYTES);
    return lb_hpke_open_base(officer, lb_span_str(info.text), lb_span_of(aad, sizeof(aad)),
                             lb_span_of(key->sealed, LB_DETAIL_SEALED_KEY_BYTES), out_key);
}

static lb_status open_v2(const struct lb_hpke_context *context, const struct lb_sealed_key *key,
                         uint8_t *out_key)
{
    uint8_t aad[8];
    struct lb_span ciphertext = lb_span_of(key->sealed + LB_HPKE_ENC_BYTES,
                                           LB_DETAIL_SEALED_KEY_BYTES - LB_HPKE_ENC_BYTES);
    put_u64(aad, key->kid);
    return lb_hpke_open(context, key->kid, lb_span_of(aad, sizeof(aad)), ciphertext, out_key);
}

static bool remembers(const struct lb_key_memo *memo, const struct lb_sealed_key *key)
{
    return memo->is_set && memcmp(memo->enc, key->sealed, sizeof(memo->enc)) == 0;
}

static void memo_wipe(struct lb_key_memo *memo)
{
    lb_wipe(memo, sizeof(*memo));
}

lb_status lb_key_seal_open(const struct lb_x25519_key *officer, const char *origin,
                           const struct lb_sealed_key *key, struct lb_key_memo *memo,
                           uint8_t out_key[LB_DETAIL_KEY_BYTES])
{
    struct info info;
    LB_DEFER(memo_wipe) struct lb_key_memo fresh = {.is_set = true};
    if (memo != NULL && remembers(memo, key) && open_v2(&memo->context, key, out_key) == LB_OK)
        return LB_OK;
    LB_TRY(make_info(INFO_V2, origin, &info));
    memcpy(fresh.enc, key->sealed, sizeof(fresh.enc));
    LB_TRY(lb_hpke_setup_recipient(officer, key->sealed, lb_span_str(info.text), NULL,
                                   &fresh.context));
    if (open_v2(&fresh.context, key, out_key) != LB_OK)
        return open_v1(officer, origin, key, out_key);
    if (memo != NULL)
        *memo = fresh;
    return LB_OK;
}
