#include "gateway/evidence/keyring.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/hpke.h"

#define SETS 128
#define WAYS 8  /* SETS * WAYS = 1024 subjects */
/* Nonces are random: a key retires long before two of them may meet. */
#define MAX_USES (1U << 20)

/* Contexts to the officer that are ready for a key, and how few there are before more are made. */
#define READY 32
#define FEW 16

/* All of a sealed key that does not depend on whose it is: with it, a new key costs no more than a
 * cipher. */
struct ready {
    uint8_t enc[LB_HPKE_ENC_BYTES];
    struct lb_hpke_context context;
};

/* Filled by a thread of its own, so that who is asked about for the first time is not told by
 * time; many at once, so that neither is who was just before. */
struct stock {
    pthread_mutex_t lock;
    pthread_cond_t low;
    pthread_t filler;
    bool running;
    bool stopping;
    unsigned era;  /* of the officer's key: what was begun for an older one is thrown away */
    size_t num;
    struct ready list[READY];
};

struct held {
    uint64_t tick;  /* 0 for empty */
    struct lb_data_key key;
};

struct lb_keyring {
    uint8_t officer[32];
    char info[300];
    uint64_t next_kid;
    uint64_t tick;
    struct stock stock;
    struct ready idle;  /* for the work of those who need no key */
    struct held own;
    struct held held[SETS][WAYS];
};

static lb_status make_info(const char *origin, char *out, size_t size)
{
    int len = snprintf(out, size, "lianban detail key v1%s", origin);
    LB_ENSURE(len > 0 && (size_t)len < size, LB_TOO_LARGE, "origin is too long");
    return LB_OK;
}

/* kid || subject: what else the sealed key is bound to. */
struct key_aad {
    uint8_t bytes[8 + LB_DETAIL_SUBJECT_BYTES];
};

static struct lb_span make_aad(uint64_t kid, const uint8_t *subject, struct key_aad *out)
{
    for (int i = 0; i < 8; i++)
        out->bytes[i] = (uint8_t)(kid >> (56 - 8 * i));
    memcpy(out->bytes + 8, subject, LB_DETAIL_SUBJECT_BYTES);
    return lb_span_of(out->bytes, sizeof(out->bytes));
}

/* --- contexts made ahead --- */

static lb_status make_ready(const struct lb_keyring *keyring, const uint8_t officer[32],
                            struct ready *out)
{
    return lb_hpke_setup_sender(officer, lb_span_str(keyring->info), NULL, out->enc,
                                &out->context);
}

/* Under lock, which is open while one is made. */
static bool fill_one(struct lb_keyring *keyring)
{
    struct stock *stock = &keyring->stock;
    struct ready fresh;
    uint8_t officer[32];
    unsigned era = stock->era;
    memcpy(officer, keyring->officer, sizeof(officer));
    (void)pthread_mutex_unlock(&stock->lock);
    bool made = make_ready(keyring, officer, &fresh) == LB_OK;
    (void)pthread_mutex_lock(&stock->lock);
    if (made && era == stock->era && stock->num < READY)
        stock->list[stock->num++] = fresh;
    lb_wipe(&fresh, sizeof(fresh));
    return made;
}

static void *fill(void *arg)
{
    struct lb_keyring *keyring = arg;
    struct stock *stock = &keyring->stock;
    (void)pthread_mutex_lock(&stock->lock);
    while (!stock->stopping) {
        /* What can't be made here is made, or fails, when it is needed. */
        bool made = true;
        while (!stock->stopping && made && stock->num < READY)
            made = fill_one(keyring);
        if (!stock->stopping)
            (void)pthread_cond_wait(&stock->low, &stock->lock);
    }
    (void)pthread_mutex_unlock(&stock->lock);
    return NULL;
}

static lb_status take_ready(struct lb_keyring *keyring, struct ready *out)
{
    struct stock *stock = &keyring->stock;
    (void)pthread_mutex_lock(&stock->lock);
    bool any = stock->num > 0;
    if (any) {
        *out = stock->list[--stock->num];
        lb_wipe(&stock->list[stock->num], sizeof(stock->list[0]));
    }
    if (stock->num < FEW)
        (void)pthread_cond_signal(&stock->low);
    (void)pthread_mutex_unlock(&stock->lock);
    return any ? LB_OK : make_ready(keyring, keyring->officer, out);
}

static lb_status start(struct lb_keyring *keyring)
{
    struct stock *stock = &keyring->stock;
    LB_TRY(make_ready(keyring, keyring->officer, &keyring->idle));
    stock->running = pthread_create(&stock->filler, NULL, fill, keyring) == 0;
    LB_ENSURE(stock->running, LB_NO_MEMORY, "no thread");
    return LB_OK;
}

static void stop(struct stock *stock)
{
    (void)pthread_mutex_lock(&stock->lock);
    stock->stopping = true;
    (void)pthread_cond_signal(&stock->low);
    (void)pthread_mutex_unlock(&stock->lock);
    if (stock->running)
        (void)pthread_join(stock->filler, NULL);
    (void)pthread_cond_destroy(&stock->low);
    (void)pthread_mutex_destroy(&stock->lock);
}

lb_status lb_keyring_new(const uint8_t officer[32], const char *origin, uint64_t next_kid,
                         struct lb_keyring **out_keyring)
{
    struct lb_keyring *keyring = calloc(1, sizeof(*keyring));
    LB_ENSURE(keyring != NULL, LB_NO_MEMORY, "keyring");
    memcpy(keyring->officer, officer, sizeof(keyring->officer));
    keyring->next_kid = next_kid;
    (void)pthread_mutex_init(&keyring->stock.lock, NULL);
    (void)pthread_cond_init(&keyring->stock.low, NULL);
    lb_status status = make_info(origin, keyring->info, sizeof(keyring->info));
    if (status == LB_OK)
        status = start(keyring);
    if (status != LB_OK) {
        lb_keyring_free(keyring);
        return status;
    }
    *out_keyring = keyring;
    return LB_OK;
}

void lb_keyring_free(struct lb_keyring *keyring)
{
    if (keyring == NULL)
        return;
    stop(&keyring->stock);
    lb_wipe(keyring, sizeof(*keyring));
    free(keyring);
}

void lb_keyring_change(struct lb_keyring *keyring, const uint8_t officer[32])
{
    struct stock *stock = &keyring->stock;
    (void)pthread_mutex_lock(&stock->lock);
    memcpy(keyring->officer, officer, sizeof(keyring->officer));
    stock->era++;
    stock->num = 0;
    lb_wipe(stock->list, sizeof(stock->list));
    (void)pthread_cond_signal(&stock->low);
    (void)pthread_mutex_unlock(&stock->lock);
    lb_wipe(&keyring->own, sizeof(keyring->own));
    lb_wipe(keyring->held, sizeof(keyring->held));
}

/* --- keys --- */

static bool is_own(const uint8_t *subject)
{
    static const uint8_t zeros[LB_DETAIL_SUBJECT_BYTES];
    return memcmp(subject, zeros, sizeof(zeros)) == 0;
}

/* Pseudonyms are uniform, so two of their bytes choose the set. */
static struct held *set_of(struct lb_keyring *keyring, const uint8_t *subject)
{
    unsigned number = (unsigned)subject[0] << 8 | subject[1];
    return keyring->held[number % SETS];
}

static struct held *find(struct lb_keyring *keyring, const uint8_t *subject)
{
    if (is_own(subject))
        return keyring->own.tick == 0 ? NULL : &keyring->own;
    struct held *set = set_of(keyring, subject);
    for (size_t i = 0; i < WAYS; i++) {
        struct lb_span have = lb_span_of(set[i].key.subject, LB_DETAIL_SUBJECT_BYTES);
        if (set[i].tick != 0 && lb_crypto_equal(have, lb_span_of(subject, have.len)))
            return &set[i];
    }
    return NULL;
}

/* The place for a new key: the subject's own, or the least recently used of its set. */
static struct held *place_for(struct lb_keyring *keyring, const uint8_t *subject)
{
    struct held *place = find(keyring, subject);
    if (place == NULL && is_own(subject))
        place = &keyring->own;
    if (place == NULL) {
        struct held *set = set_of(keyring, subject);
        place = &set[0];
        for (size_t i = 1; i < WAYS; i++) {
            if (set[i].tick < place->tick)
                place = &set[i];
        }
    }
    lb_wipe(place, sizeof(*place));
    return place;
}

static void ready_wipe(struct ready *ready)
{
    lb_wipe(ready, sizeof(*ready));
}

/* A key's row: enc || ciphertext, and its hash. */
static lb_status seal_key(const struct ready *ready, uint64_t kid, const struct lb_data_key *key,
                          uint8_t out_sealed[LB_DETAIL_SEALED_KEY_BYTES], uint8_t out_hash[32])
{
    struct key_aad aad;
    memcpy(out_sealed, ready->enc, LB_HPKE_ENC_BYTES);
    LB_TRY(lb_hpke_seal(&ready->context, 0, make_aad(kid, key->subject, &aad),
                        lb_span_of(key->key, sizeof(key->key)), out_sealed + LB_HPKE_ENC_BYTES));
    lb_detail_key_hash(kid, key->subject, out_sealed, out_hash);
    return LB_OK;
}

static lb_status make_key(struct lb_keyring *keyring, const uint8_t *subject,
                          struct lb_records *records, struct lb_data_key *out_key)
{
    uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES];
    LB_DEFER(ready_wipe) struct ready ready;
    uint64_t kid = keyring->next_kid;
    LB_TRY(take_ready(keyring, &ready));
    LB_TRY(lb_crypto_random(out_key->key, sizeof(out_key->key)));
    memcpy(out_key->subject, subject, sizeof(out_key->subject));
    LB_TRY(seal_key(&ready, kid, out_key, sealed, out_key->key_hash));
    LB_TRY(lb_records_put_key(records, kid, subject, sealed));
    out_key->kid = kid;
    keyring->next_kid++;
    return LB_OK;
}

/* What is made for a key that is there already: as much, and of no use. Zeros are sealed, since a
 * context that is used again tells what it seals apart. */
static lb_status make_nothing(const struct lb_keyring *keyring, struct lb_records *records,
                              const struct lb_data_key *key)
{
    const struct lb_data_key none = {.kid = key->kid};
    uint8_t random[LB_DETAIL_KEY_BYTES], sealed[LB_DETAIL_SEALED_KEY_BYTES], hash[32];
    LB_TRY(lb_crypto_random(random, sizeof(random)));
    LB_TRY(seal_key(&keyring->idle, none.kid, &none, sealed, hash));
    return lb_records_touch_key(records, key->kid);
}

lb_status lb_keyring_get(struct lb_keyring *keyring,
                         const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                         struct lb_records *records, const struct lb_data_key **out_key)
{
    struct held *held = find(keyring, subject);
    if (held == NULL || held->key.uses >= MAX_USES) {
        held = place_for(keyring, subject);
        LB_TRY(make_key(keyring, subject, records, &held->key));
    } else if (!is_own(subject)) {
        LB_TRY(make_nothing(keyring, records, &held->key));
    }
    held->tick = ++keyring->tick;
    held->key.uses++;
    *out_key = &held->key;
    return LB_OK;
}

void lb_keyring_forget(struct lb_keyring *keyring, const uint8_t subject[LB_DETAIL_SUBJECT_BYTES])
{
    struct held *held = find(keyring, subject);
    if (held != NULL)
        lb_wipe(held, sizeof(*held));
}

lb_status lb_keyring_unseal(const struct lb_x25519_key *officer, const char *origin, uint64_t kid,
                            const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                            const uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES],
                            uint8_t out_key[LB_DETAIL_KEY_BYTES])
{
    char info[300];
    struct key_aad aad;
    LB_TRY(make_info(origin, info, sizeof(info)));
    return lb_hpke_open_base(officer, lb_span_str(info), make_aad(kid, subject, &aad),
                             lb_span_of(sealed, LB_DETAIL_SEALED_KEY_BYTES), out_key);
}
