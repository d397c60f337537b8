#ifndef GATEWAY_REGISTER_REGISTER_H
#define GATEWAY_REGISTER_REGISTER_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/crypto/sign.h"
#include "gateway/store/schema.h"

/*
 * The register of those who serve at a window: who holds which badge, in which unit, until when,
 * and whether the badge is suspended. It belongs to the window's organization; the agent makes no
 * token for anybody who is not in it.
 *
 * One SQLite file in a folder of its own (0700), changed by `lianban operator` while the agent
 * runs: each change is a row of its own, committed with what it changes, and the agent writes an
 * entry of its evidence log about every such row before it makes the next token.
 *
 * Nobody's identity number is in it, only keyed hashes under the organization's own key:
 *   hash = hex of the first 16 bytes of HMAC-SHA-256(person key, "lianban person v1" || id_no)
 * One's own hash is the `sub` of the token; those of declared relatives are there so that whoever
 * holds the key can find a look-up of one's own relative.
 */
struct lb_register;

#define LB_REGISTER_HASH_CHARS 32   /* and a NUL behind */
#define LB_REGISTER_MAX_RELATIVES 64
#define LB_REGISTER_MAX_ENTRIES 10000

struct lb_register_entry {
    const char *badge;              /* 1..LB_MAX_NAME_BYTES bytes without blanks */
    const char *unit;
    char hash[LB_REGISTER_HASH_CHARS + 1];
    bool has_device;
    uint8_t device[LB_P256_PUBLIC_BYTES];  /* ES256: who opens a case must prove to hold it */
    int64_t not_before, not_after;  /* seconds since 1970; the second end is not part of it */
    bool suspended;
    size_t num_relatives;
    const char *const *relatives;   /* hashes */
};

/* What was done, by whom. */
struct lb_register_change {
    int64_t seq;
    int64_t at_unix_s;
    const char *badge;
    const char *what;               /* OPERATOR_ADDED, _SUSPENDED, _RESUMED, _TOKEN */
    const char *by;                 /* the login that ran the command */
};

/* lb_register_hash makes the keyed hash of a person. `id_no` is normalised. */
void lb_register_hash(const uint8_t person_key[32], const char *id_no,
                      char out[LB_REGISTER_HASH_CHARS + 1]);

/* lb_register_open opens the register in a folder, making both when `create`. With a sentence in
 * diag: FILE_FAILED for a folder or file that is missing, open to others, or another user's; what
 * lb_store_open says. A register is used by any thread, one at a time. */
LB_MUST lb_status lb_register_open(const char *folder, bool create, struct lb_diag *diag,
                                   struct lb_register **out_register);
/* lb_register_close closes it; NULL is allowed. */
void lb_register_close(struct lb_register *reg);
void lb_register_closep(struct lb_register **reg);  /* for LB_DEFER */

/* lb_register_add writes a new entry. MALFORMED for an impossible badge, unit, hash, validity or
 * number of relatives; STORE_CONFLICT when the badge is given out or the person has one already;
 * TOO_LARGE past LB_REGISTER_MAX_ENTRIES; statuses of the store. */
LB_MUST lb_status lb_register_add(struct lb_register *reg, const struct lb_register_entry *entry,
                                  const char *by, int64_t now_unix_s);
/* lb_register_suspend suspends a badge or takes that back; doing so again changes nothing.
 * BADGE_UNKNOWN; statuses of the store. */
LB_MUST lb_status lb_register_suspend(struct lb_register *reg, const char *badge, bool suspended,
                                      const char *by, int64_t now_unix_s);
/* lb_register_note_token records that a token was made by hand. BADGE_UNKNOWN; statuses of the
 * store. */
LB_MUST lb_status lb_register_note_token(struct lb_register *reg, const char *badge,
                                         const char *by, int64_t now_unix_s);

/* lb_register_find reads the entry of a badge, lb_register_find_hash that of a person, into the
 * arena. BADGE_UNKNOWN; statuses of the store. */
LB_MUST lb_status lb_register_find(struct lb_register *reg, const char *badge,
                                   struct lb_arena *arena, struct lb_register_entry *out);
LB_MUST lb_status lb_register_find_hash(struct lb_register *reg, const char *hash,
                                        struct lb_arena *arena, struct lb_register_entry *out);
/* lb_register_list reads all entries by badge, without their relatives' hashes. */
LB_MUST lb_status lb_register_list(struct lb_register *reg, struct lb_arena *arena,
                                   struct lb_register_entry **out_entries, size_t *out_num);

/* lb_register_may_serve says whether an entry allows a token now: BADGE_SUSPENDED, BADGE_EXPIRED
 * outside its validity. */
LB_MUST lb_status lb_register_may_serve(const struct lb_register_entry *entry, int64_t now_unix_s);

/* lb_register_pending reads the oldest changes that are not in the evidence log yet, at most
 * LB_REGISTER_PENDING (64, as the query has it). */
#define LB_REGISTER_PENDING 64
LB_MUST lb_status lb_register_pending(struct lb_register *reg, struct lb_arena *arena,
                                      struct lb_register_change **out_changes, size_t *out_num);
/* lb_register_evidenced notes that a change is entry `index` of the log. */
LB_MUST lb_status lb_register_evidenced(struct lb_register *reg, int64_t seq, uint64_t index);

/* The register's own kind of store, for who looks at all of a node's. */
extern const struct lb_store_schema lb_register_schema;

#endif
