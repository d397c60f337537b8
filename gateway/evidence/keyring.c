#include "gateway/evidence/keyring.h"

#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/key_seal.h"

#define SETS 128
#define WAYS 8  /* SETS * WAYS = 1024 subjects */
/* Nonces are random: a key retires long before two of them may meet. */
#define MAX_USES (1U << 20)

struct held {
    uint64_t tick;  /* 0 for empty */
    struct lb_data_key key;
};

struct lb_keyring {
    struct lb_key_seal *seal;
    uint64_t tick;
    bool made;   /* the batch has a row of keys */
    bool found;  /* it uses a subject's key that was there already */
    struct held own;
    struct held held[SETS][WAYS];
};

lb_status lb_keyring_new(const uint8_t officer[32], const char *origin, uint64_t next_kid,
                         struct lb_keyring **out_keyring)
{
    struct lb_keyring *keyring = calloc(1, sizeof(*keyring));
    LB_ENSURE(keyring != NULL, LB_NO_MEMORY, "keyring");
    lb_status status = lb_key_seal_new(officer, origin, next_kid, &keyring->seal);
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
    lb_key_seal_free(keyring->seal);
    lb_wipe(keyring, sizeof(*keyring));
    free(keyring);
}

void lb_keyring_change(struct lb_keyring *keyring, const uint8_t officer[32])
{
    lb_key_seal_change(keyring->seal, officer);
    lb_wipe(&keyring->own, sizeof(keyring->own));
    lb_wipe(keyring->held, sizeof(keyring->held));
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

static void fresh_wipe(struct lb_fresh_key *fresh)
{
    lb_wipe(fresh, sizeof(*fresh));
}

static lb_status make_key(struct lb_keyring *keyring, const uint8_t *subject,
                          struct lb_records *records, struct lb_data_key *out_key)
{
    LB_DEFER(fresh_wipe) struct lb_fresh_key fresh = {.kid = 0};
    LB_TRY(lb_key_seal_take(keyring->seal, &fresh));
    out_key->kid = fresh.kid;
    memcpy(out_key->subject, subject, sizeof(out_key->subject));
    memcpy(out_key->key, fresh.key, sizeof(out_key->key));
    lb_detail_key_hash(fresh.kid, subject, fresh.sealed, out_key->key_hash);
    return lb_records_put_key(records, fresh.kid, subject, fresh.sealed);
}

lb_status lb_keyring_get(struct lb_keyring *keyring,
                         const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                         struct lb_records *records, const struct lb_data_key **out_key)
{
    struct held *held = find(keyring, subject);
    if (held == NULL || held->key.uses >= MAX_USES) {
        held = place_for(keyring, subject);
        LB_TRY(make_key(keyring, subject, records, &held->key));
        keyring->made = true;
    } else if (!is_own(subject)) {
        keyring->found = true;
    }
    held->tick = ++keyring->tick;
    held->key.uses++;
    *out_key = &held->key;
    return LB_OK;
}

lb_status lb_keyring_settle(struct lb_keyring *keyring, struct lb_records *records)
{
    bool even = keyring->made || !keyring->found;
    keyring->made = false;
    keyring->found = false;
    return even ? LB_OK : lb_records_touch_keys(records);
}

void lb_keyring_forget(struct lb_keyring *keyring, const uint8_t subject[LB_DETAIL_SUBJECT_BYTES])
{
    struct held *held = find(keyring, subject);
    if (held != NULL)
        lb_wipe(held, sizeof(*held));
}
