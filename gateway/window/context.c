#include "gateway/base/wipe.h"
#include "gateway/seal/exchange.h"
#include "gateway/window/inside.h"

/* HPKE contexts, one per adapter and key of ours at a time, so that a household's reads cost one
 * key agreement per department. In memory only. A number is given out once. */

/* Under lock. */
static struct lb_window_context *find(struct lb_window *window, const char *audience,
                                      const uint8_t jkt[32])
{
    for (size_t i = 0; i < window->num_contexts; i++) {
        struct lb_window_context *context = &window->contexts[i];
        if (strcmp(context->audience, audience) == 0 &&
            memcmp(context->jkt, jkt, sizeof(context->jkt)) == 0)
            return context;
    }
    return NULL;
}

/* Under lock: the place of the adapter's own, a free one, or the oldest's. */
static struct lb_window_context *place_for(struct lb_window *window, const char *audience,
                                           const uint8_t jkt[32])
{
    struct lb_window_context *place = find(window, audience, jkt);
    if (place != NULL)
        return place;
    if (window->num_contexts < LB_WINDOW_MAX_CONTEXTS)
        return &window->contexts[window->num_contexts++];
    place = &window->contexts[0];
    for (size_t i = 1; i < window->num_contexts; i++) {
        if (window->contexts[i].born_ms < place->born_ms)
            place = &window->contexts[i];
    }
    return place;
}

static lb_status set_up(const struct lb_window *window, const char *audience,
                        const struct lb_seal_key_entry *key, const uint8_t jkt[32],
                        struct lb_window_context *out)
{
    const struct lb_window_options *options = &window->options;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4096);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    LB_TRY(lb_window_key_of(window, jkt, &own));
    struct lb_window_context fresh = {.born_ms = lb_clock_monotonic_ms(options->clock)};
    struct lb_span info;
    size_t audience_len = strlen(audience), key_len = strlen(key->id);
    LB_ENSURE(audience_len < sizeof(fresh.audience) && key_len < sizeof(fresh.key_id), LB_MALFORMED,
              "a name of the directory is too long");
    memcpy(fresh.audience, audience, audience_len);
    memcpy(fresh.key_id, key->id, key_len);
    memcpy(fresh.jkt, jkt, sizeof(fresh.jkt));
    memcpy(fresh.sender, own.key.public_key, sizeof(fresh.sender));
    LB_TRY(lb_seal_info(options->self, audience, key->id, arena, &info));
    LB_TRY(lb_hpke_setup_sender(key->public_key, info, &own.key, fresh.enc, &fresh.context));
    *out = fresh;
    lb_wipe(&fresh, sizeof(fresh));
    return LB_OK;
}

static bool usable(const struct lb_window *window, const struct lb_window_context *context,
                   const struct lb_seal_key_entry *key)
{
    int64_t age = lb_clock_monotonic_ms(window->options.clock) - context->born_ms;
    return age < LB_WINDOW_CONTEXT_LIFE_MS && strcmp(context->key_id, key->id) == 0;
}

/* Under lock. */
static lb_status take(struct lb_window *window, const char *audience,
                      const struct lb_seal_key_entry *key, const uint8_t jkt[32],
                      struct lb_window_context *out_context, uint64_t *out_seq)
{
    struct lb_window_context *context = find(window, audience, jkt);
    if (context == NULL || !usable(window, context, key)) {
        struct lb_window_context fresh;
        LB_TRY(set_up(window, audience, key, jkt, &fresh));
        context = place_for(window, audience, jkt);
        *context = fresh;
        lb_wipe(&fresh, sizeof(fresh));
    }
    *out_seq = context->next_seq++;
    *out_context = *context;
    return LB_OK;
}

lb_status lb_window_take_context(struct lb_window *window, const char *audience,
                                 const struct lb_seal_key_entry *key, const uint8_t jkt[32],
                                 struct lb_window_context *out_context, uint64_t *out_seq)
{
    (void)pthread_mutex_lock(&window->contexts_lock);
    lb_status status = take(window, audience, key, jkt, out_context, out_seq);
    (void)pthread_mutex_unlock(&window->contexts_lock);
    return status;
}

/* Under lock. */
static void drop_at(struct lb_window *window, size_t i)
{
    struct lb_window_context *last = &window->contexts[--window->num_contexts];
    window->contexts[i] = *last;
    lb_wipe(last, sizeof(*last));
}

void lb_window_sweep_contexts(struct lb_window *window)
{
    int64_t now_ms = lb_clock_monotonic_ms(window->options.clock);
    (void)pthread_mutex_lock(&window->contexts_lock);
    for (size_t i = window->num_contexts; i > 0; i--) {
        if (now_ms - window->contexts[i - 1].born_ms >= LB_WINDOW_CONTEXT_LIFE_MS)
            drop_at(window, i - 1);
    }
    (void)pthread_mutex_unlock(&window->contexts_lock);
}

void lb_window_drop_context(struct lb_window *window, const uint8_t enc[LB_HPKE_ENC_BYTES])
{
    (void)pthread_mutex_lock(&window->contexts_lock);
    for (size_t i = 0; i < window->num_contexts; i++) {
        if (memcmp(window->contexts[i].enc, enc, LB_HPKE_ENC_BYTES) != 0)
            continue;
        drop_at(window, i);
        break;
    }
    (void)pthread_mutex_unlock(&window->contexts_lock);
}
