#ifndef ADAPTERS_SERVE_INTAKE_WORDS_H
#define ADAPTERS_SERVE_INTAKE_WORDS_H

#include "adapters/serve/sql.h"
#include "gateway/base/arena.h"
#include "gateway/base/limits.h"
#include "gateway/seal/parcel.h"
#include "lianban/v1/parcel.pb-c.h"

/*
 * What the department said, as rows of the evidence store: like intake_rows.h, changed on the
 * sequencer only. A word is open until its end is known: the agent has it, refused it for good, or
 * its time is over. Everything may return STORE_FAILED.
 */
struct lb_intake_words {
    struct lb_serve_sql sql;
};

#define LB_INTAKE_MAX_SEALINGS 32  /* hashes kept of one word, the newest ones */

struct lb_intake_word {
    int64_t id;                 /* in the order they were said */
    uint8_t name[LB_PARCEL_NAME_BYTES];
    int64_t about;              /* n of the submission (intake_rows.h) */
    int64_t number;             /* among the words about it, from 1 */
    char recipient[LB_MAX_SPIFFE_BYTES];
    Lianban__V1__Word__Kind kind;
    int64_t said_unix_s, ends_unix_s;
    struct lb_span closed;      /* the SealedParcel, encrypted (intake_key.h); empty once erased */
    char key_id[LB_MAX_NAME_BYTES + 1];      /* how it is sealed now; "" until it is */
    uint8_t enc[LB_HPKE_ENC_BYTES];
    uint8_t sender_key[LB_X25519_BYTES];
    struct lb_span ciphertext;
    struct lb_span hashes;      /* SHA-256 of each ciphertext so far, oldest first */
    uint64_t entry;             /* the SENT entry of this sealing */
    char code[LB_MAX_CODE_BYTES];  /* how it ended; "" while it is open */
};

/* lb_intake_words_init names its statements; nothing is prepared yet. */
void lb_intake_words_init(struct lb_intake_words *words);

/* lb_intake_words_add stores one with id 0, not yet sealed. */
LB_MUST lb_status lb_intake_words_add(struct lb_intake_words *words, struct lb_store *store,
                                      const struct lb_intake_word *word);
/* lb_intake_words_seal stores how it is sealed now, with the hashes and the entry. */
LB_MUST lb_status lb_intake_words_seal(struct lb_intake_words *words, struct lb_store *store,
                                       const struct lb_intake_word *word, int64_t now_unix_s);
/* lb_intake_words_end ends an open one; one that has ended stays as it is. */
LB_MUST lb_status lb_intake_words_end(struct lb_intake_words *words, struct lb_store *store,
                                      int64_t id, const char *code, int64_t now_unix_s);
/* lb_intake_words_purge empties ended ones about submissions that were emptied, and forgets what
 * ended a year ago. */
LB_MUST lb_status lb_intake_words_purge(struct lb_intake_words *words, struct lb_store *store,
                                        int64_t now_unix_s);

/* Lookups; contents are in the arena. */
LB_MUST lb_status lb_intake_words_find(struct lb_intake_words *words, struct lb_store *store,
                                       const uint8_t name[16], struct lb_arena *arena,
                                       struct lb_intake_word *out, bool *out_found);
/* lb_intake_words_open gives at most `max` open ones behind an id, in their order, without their
 * contents; lb_intake_words_about those about a submission whose number is above one. */
LB_MUST lb_status lb_intake_words_open(struct lb_intake_words *words, struct lb_store *store,
                                       int64_t after, size_t max, struct lb_arena *arena,
                                       struct lb_intake_word **out, size_t *out_num);
LB_MUST lb_status lb_intake_words_about(struct lb_intake_words *words, struct lb_store *store,
                                        int64_t about, int64_t above, size_t max,
                                        struct lb_arena *arena, struct lb_intake_word **out,
                                        size_t *out_num);

#endif
