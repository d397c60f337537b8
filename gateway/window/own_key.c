#include "gateway/base/wipe.h"
#include "gateway/token/grant.h"
#include "gateway/window/inside.h"

/* Which of our own sealing keys a grant is bound to. */

#define THUMBPRINT_ARENA_BYTES 4096

struct own_keys {
    size_t num;
    struct lb_own_key list[LB_SEAL_RING_MAX];
};

static void wipe_keys(struct own_keys *keys)
{
    lb_wipe(keys, sizeof(*keys));
}

static void list_keys(const struct lb_window *window, struct own_keys *out)
{
    struct lb_directory *directory = lb_trust_directory(window->options.trust);
    out->num = lb_seal_ring_list(window->options.ring, directory, out->list);
    lb_directory_unref(directory);
}

lb_status lb_window_newest_key(const struct lb_window *window, struct lb_own_key *out)
{
    LB_DEFER(wipe_keys) struct own_keys keys;
    list_keys(window, &keys);
    LB_ENSURE(keys.num > 0, LB_KEY_RETIRED, "the directory lists no sealing key of ours");
    *out = keys.list[0];
    return LB_OK;
}

static lb_status is_key(const uint8_t log_key[32], const uint8_t jkt[32], bool *out_is)
{
    uint8_t thumbprint[32];
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(THUMBPRINT_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_jwk_thumbprint_ed25519(log_key, arena, thumbprint));
    *out_is = *out_is || memcmp(thumbprint, jkt, sizeof(thumbprint)) == 0;
    return LB_OK;
}

/* Whether a thumbprint is that of our log key, or of one before it: a standing grant's. */
static lb_status is_of_log_key(const struct lb_node *self, const uint8_t jkt[32], bool *out_is)
{
    *out_is = false;
    if (self == NULL || self->log_origin == NULL)
        return LB_OK;
    LB_TRY(is_key(self->log_key, jkt, out_is));
    for (size_t i = 0; i < self->num_former; i++)
        LB_TRY(is_key(self->former[i].raw, jkt, out_is));
    return LB_OK;
}

lb_status lb_window_key_of(const struct lb_window *window, const uint8_t jkt[32],
                           struct lb_own_key *out)
{
    LB_DEFER(wipe_keys) struct own_keys keys;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena =
        lb_arena_new(LB_SEAL_RING_MAX * THUMBPRINT_ARENA_BYTES);
    bool stands = false;
    list_keys(window, &keys);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_directory *directory = lb_trust_directory(window->options.trust);
    lb_status status =
        is_of_log_key(lb_directory_node(directory, window->options.self), jkt, &stands);
    lb_directory_unref(directory);
    LB_TRY(status);
    if (stands)
        return lb_window_newest_key(window, out);
    for (size_t i = 0; i < keys.num; i++) {
        uint8_t thumbprint[32];
        LB_TRY(lb_jwk_thumbprint_x25519(keys.list[i].key.public_key, arena, thumbprint));
        if (memcmp(thumbprint, jkt, sizeof(thumbprint)) != 0)
            continue;
        *out = keys.list[i];
        return LB_OK;
    }
    LB_FAIL(LB_KEY_RETIRED, "a grant is bound to a key we do not have any more");
}
