#include "gateway/evidence/keyring.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/hpke.h"

#define SETS 128
#define WAYS 8  /* SETS * WAYS = 1024 subjects */
/* Nonces are random: a key retires long before two of them may meet. */
#define MAX_USES (1U << 20)

struct held {
    uint64_t tick;  /* 0 for empty */
    struct lb_data_key key;
};

struct lb_keyring {
    uint8_t officer[32];
    char info[300];
    uint64_t next_kid;
    uint64_t tick;
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

lb_status lb_keyring_new(const uint8_t officer[32], const char *origin, uint64_t next_kid,
                         struct lb_keyring **out_keyring)
{
    struct lb_keyring *keyring = calloc(1, sizeof(*keyring));
    LB_ENSURE(keyring != NULL, LB_NO_MEMORY, "keyring");
    memcpy(keyring->officer, officer, sizeof(keyring->officer));
    keyring->next_kid = next_kid;
    lb_status status = make_info(origin, keyring->info, sizeof(keyring->info));
    if (status != LB_OK) {
        free(keyring);
        return status;
    }
    *out_keyring = keyring;
    return LB_OK;
}

void lb_keyring_free(struct lb_keyring *keyring)
{
    if (keyring == NULL)
        return;
    lb_wipe(keyring, sizeof(*keyring));
    free(keyring);
}

void lb_keyring_change(struct lb_keyring *keyring, const uint8_t officer[32])
{
    lb_wipe(&keyring->own, sizeof(keyring->own));
    lb_wipe(keyring->held, sizeof(keyring->held));
    memcpy(keyring->officer, officer, sizeof(keyring->officer));
}

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

static lb_status make_key(struct lb_keyring *keyring, const uint8_t *subject,
                          struct lb_records *records, struct lb_data_key *out_key)
{
    uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES];
    struct key_aad aad;
    uint64_t kid = keyring->next_kid;
    LB_TRY(lb_crypto_random(out_key->key, sizeof(out_key->key)));
    LB_TRY(lb_hpke_seal_base(keyring->officer, lb_span_str(keyring->info),
                             make_aad(kid, subject, &aad),
                             lb_span_of(out_key->key, sizeof(out_key->key)), sealed));
    LB_TRY(lb_records_put_key(records, kid, subject, sealed));
    lb_detail_key_hash(kid, subject, sealed, out_key->key_hash);
    memcpy(out_key->subject, subject, sizeof(out_key->subject));
    out_key->kid = kid;
    keyring->next_kid++;
    return LB_OK;
}

lb_status lb_keyring_get(struct lb_keyring *keyring,
                         const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                         struct lb_records *records, const struct lb_data_key **out_key)
{
    struct held *held = find(keyring, subject);
    if (held == NULL || held->key.uses >= MAX_USES) {
        held = place_for(keyring, subject);
        LB_TRY(make_key(keyring, subject, records, &held->key));
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
