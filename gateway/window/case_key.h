#ifndef GATEWAY_WINDOW_CASE_KEY_H
#define GATEWAY_WINDOW_CASE_KEY_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/arena.h"
#include "gateway/store/store.h"

/*
 * Inside gateway/window: everything that is kept about a case lies under a random key of its own.
 * The keys stand in a table of their own, each wrapped under the agent's case key. When a case ends
 * its key is overwritten and deleted with its rows, out of the write-ahead log as well: then copies
 * of those rows that somebody has made elsewhere can't be opened either, unless they took the key
 * along and hold the agent's case key.
 *
 *   sealed row = nonce || AES-256-GCM(key, nonce, AAD, row)
 *   case's key = the same under the agent's key, AAD "lianban case key v1 " || case id
 *
 * AADs name the row, so that one that is moved does not open.
 */

#define LB_CASE_KEY_BYTES 32

struct lb_case_figures;

struct lb_case_store {
    pthread_mutex_t lock;         /* held for everything up to `syncing` */
    struct lb_store *store;
    struct lb_stmt *put;
    uint8_t key[LB_CASE_KEY_BYTES];  /* the agent's */
    bool wal_clean;               /* no key was destroyed since the write-ahead log was emptied */

    pthread_mutex_t syncing;      /* never taken with `lock`; case_lock.c */
    _Atomic uint64_t commits;     /* those of who left last */
    uint64_t synced;              /* as many of them are on the disk */
    bool sync_failed;
};

/* lb_case_store_enter takes the store's lock. lb_case_store_leave lets go of it, waits until
 * everything that was committed by then is on the disk, and hands `status` on: who has left may
 * tell others of what was written or read. STORE_FAILED when the disk fails, from then on every
 * time. */
void lb_case_store_enter(struct lb_case_store *store);
LB_MUST lb_status lb_case_store_leave(struct lb_case_store *store, lb_status status);

/* lb_case_seal and lb_case_unseal do so under a key; CRYPTO_FAILED, NO_MEMORY; SEAL_BROKEN. */
LB_MUST lb_status lb_case_seal(const uint8_t key[LB_CASE_KEY_BYTES], struct lb_span aad,
                               struct lb_span plain, struct lb_arena *arena,
                               struct lb_span *out_sealed);
LB_MUST lb_status lb_case_unseal(const uint8_t key[LB_CASE_KEY_BYTES], struct lb_span aad,
                                 struct lb_span sealed, struct lb_arena *arena,
                                 struct lb_span *out_plain);

/* All below under the store's lock; failures as those of SQL. */

/* lb_case_key_get copies a case's key, which the caller wipes; ABSENT when it has none.
 * SEAL_BROKEN. */
LB_MUST lb_status lb_case_key_get(struct lb_case_store *store, const char *case_id,
                                  uint8_t out_key[LB_CASE_KEY_BYTES]);
/* lb_case_key_make makes one, inside the caller's transaction. STORE_CONFLICT when it has one. */
LB_MUST lb_status lb_case_key_make(struct lb_case_store *store, const char *case_id,
                                   uint8_t out_key[LB_CASE_KEY_BYTES]);
/* lb_case_key_destroy destroys the key and every row of a case, durably, notes the end of it and
 * adds up what it came to (figures.h; NULL for nothing).
 * Until lb_case_wal_empty they stand in the log of earlier writes. */
LB_MUST lb_status lb_case_key_destroy(struct lb_case_store *store, const char *case_id,
                                      int64_t now_s, const struct lb_case_figures *figures);
/* lb_case_wal_empty takes what was overwritten out of the write-ahead log, once for all keys that
 * were destroyed before; STATE_LOCKED while another process reads it. */
LB_MUST lb_status lb_case_wal_empty(struct lb_case_store *store);

/* The end of a case: nothing of it but this. */
struct lb_case_end {
    uint8_t id[32];          /* SHA-256("lianban case end v1" || case id) */
    int64_t time_s;
    uint8_t commitment[32];  /* SHA-256("lianban case key v1" || case id || the key that was) */
    bool logged;
    uint64_t entry;          /* in the agent's log, once it is there */
};
/* lb_case_end_get finds one; ABSENT. lb_case_ends_open finds those that are not in the log yet,
 * `max` at most. */
LB_MUST lb_status lb_case_end_get(struct lb_case_store *store, const char *case_id,
                                  struct lb_case_end *out);
LB_MUST lb_status lb_case_ends_open(struct lb_case_store *store, struct lb_case_end *out,
                                    size_t max, size_t *out_num);
/* lb_case_ends_logged notes the entries about some, which stand in them, in one transaction. */
LB_MUST lb_status lb_case_ends_logged(struct lb_case_store *store, const struct lb_case_end *ends,
                                      size_t num);

#endif
