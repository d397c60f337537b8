#ifndef GATEWAY_EVIDENCE_KEYRING_H
#define GATEWAY_EVIDENCE_KEYRING_H

#include "gateway/evidence/records.h"

/*
 * The data keys under which details are encrypted: one per subject, random, in memory only while
 * the subject is among the 1024 most recent ones, and sealed to the officer in its row. A key
 * that has left memory can't be used again, so the subject gets a new one with a new row. Used by
 * the sequencer alone. Nobody can tell a subject's first key from its next use by the time a commit
 * takes: keys are made ahead, and a batch without a new one writes a page of their table too.
 */
struct lb_keyring;

struct lb_data_key {
    uint64_t kid;
    uint64_t uses;
    uint8_t subject[LB_DETAIL_SUBJECT_BYTES];
    uint8_t key[LB_DETAIL_KEY_BYTES];
    uint8_t key_hash[32];  /* the commitment of its row */
};

/* lb_keyring_new seals to an officer's X25519 public key; rows are numbered from next_kid.
 * NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_keyring_new(const uint8_t officer[32], const char *origin, uint64_t next_kid,
                                 struct lb_keyring **out_keyring);
/* lb_keyring_free wipes every key; NULL is allowed. */
void lb_keyring_free(struct lb_keyring *keyring);
/* lb_keyring_change seals to another officer from here on: every data key in memory is wiped, so
 * that none is used that the officer before can open. */
void lb_keyring_change(struct lb_keyring *keyring, const uint8_t officer[32]);
/* lb_keyring_get borrows the subject's key (all zeros: the log's own) until the next call, making
 * it and its row when it is not in memory. CRYPTO_FAILED, STORE_FAILED. */
LB_MUST lb_status lb_keyring_get(struct lb_keyring *keyring,
                                 const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                                 struct lb_records *records, const struct lb_data_key **out_key);
/* lb_keyring_settle ends a batch, before its commit. STORE_FAILED. */
LB_MUST lb_status lb_keyring_settle(struct lb_keyring *keyring, struct lb_records *records);
/* lb_keyring_forget wipes a subject's key from memory. */
void lb_keyring_forget(struct lb_keyring *keyring, const uint8_t subject[LB_DETAIL_SUBJECT_BYTES]);

#endif
