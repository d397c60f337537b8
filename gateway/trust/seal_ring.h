#ifndef GATEWAY_TRUST_SEAL_RING_H
#define GATEWAY_TRUST_SEAL_RING_H

#include "gateway/base/diag.h"
#include "gateway/crypto/x25519.h"
#include "gateway/trust/issuer_keys.h"
#include "gateway/trust/trust.h"

/*
 * A node's own sealing keys, replaced while it runs. Keys are files: some named by the
 * configuration, and every `<id>.key` in a folder, beside which `<id>.json` is the entry that the
 * node signed for the directory. A key that appears there is loaded at the next tick and opens at
 * once, because others may read the directory that lists it before we do; it is our own newest when
 * we have seen it listed LB_SETTLE_TICKS times, because others may read it later. So a new one is
 * made, then published, and requesters take it up while the old one still opens.
 *
 * A ring may hold a department's share keys instead, which take part in blind household sums. Those
 * live as long as the directory says, are used for the runs that began in their time, and are
 * destroyed when the last of these runs is over.
 *
 * A key lives at most LB_SEAL_KEY_LIFE_S. Past its end nothing new is opened with it; when the last
 * context that was set up with it is past its life too, the file is overwritten and removed. A file
 * that somebody removes is forgotten at once.
 */
struct lb_seal_ring;

#define LB_SEAL_RING_MAX 16

/* One's own copy; the holder wipes it. */
struct lb_own_key {
    char id[LB_MAX_NAME_BYTES + 1];
    struct lb_x25519_key key;
};
void lb_own_key_wipe(struct lb_own_key *key);  /* for LB_DEFER */

struct lb_seal_file {
    const char *id;
    const char *path;
};

struct lb_seal_ring_options {
    const char *self;                  /* SPIFFE id */
    struct lb_trust *trust;
    const struct lb_clock *clock;
    const struct lb_seal_file *files;  /* one that is gone and over is passed over */
    size_t num_files;
    const char *folder;                /* NULL for none */
    bool shares;                       /* share keys, of which there may be none */
    bool look_only;                    /* nothing is destroyed */
};

/* lb_seal_ring_new loads what is there; texts are copied. CONFIG_INVALID with a sentence in diag:
 * no key, one that cannot be read as a private file of ours, one the directory lists with another
 * public half, one that lives too long. NO_MEMORY. */
LB_MUST lb_status lb_seal_ring_new(const struct lb_seal_ring_options *options, struct lb_diag *diag,
                                   struct lb_seal_ring **out_ring);
/* lb_seal_ring_of makes a ring of keys that lie in memory only. */
LB_MUST lb_status lb_seal_ring_of(const struct lb_seal_ring_options *options,
                                  const struct lb_own_key *keys, size_t num,
                                  struct lb_seal_ring **out_ring);
/* lb_seal_ring_free wipes and frees; NULL is allowed. */
void lb_seal_ring_free(struct lb_seal_ring *ring);

/* lb_seal_ring_tick loads what is new and destroys what is over; once a second from one thread. */
void lb_seal_ring_tick(struct lb_seal_ring *ring);

/* lb_seal_ring_get copies the key of an id, to open with. KEY_RETIRED unless the directory lists
 * that very key for us now, or it is in time by its entry and was never listed yet. Any thread. */
LB_MUST lb_status lb_seal_ring_get(struct lb_seal_ring *ring, const struct lb_directory *directory,
                                   const char *id, struct lb_own_key *out_key);
/* lb_seal_ring_list copies all keys that the directory lists for us now, the one to use first: of
 * those that were seen listed for a while the one with the latest end. Returns how many; the caller
 * wipes them. Any thread. */
size_t lb_seal_ring_list(struct lb_seal_ring *ring, const struct lb_directory *directory,
                         struct lb_own_key out_keys[LB_SEAL_RING_MAX]);

/* lb_seal_ring_find copies the key of this id with this public half, whatever the directory says of
 * it; ABSENT. lb_seal_ring_size counts keys, also of NULL. Any thread. */
LB_MUST lb_status lb_seal_ring_find(struct lb_seal_ring *ring, const char *id,
                                    const uint8_t public_key[LB_X25519_BYTES],
                                    struct lb_own_key *out_key);
size_t lb_seal_ring_size(struct lb_seal_ring *ring);

#endif
