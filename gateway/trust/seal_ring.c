#include "gateway/trust/seal_ring.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/trust/seal_files.h"

struct lb_seal_ring {
    struct lb_arena *arena;  /* the options' texts */
    struct lb_seal_ring_options options;
    struct lb_seal_folder folder;
    pthread_mutex_t lock;    /* holds what follows */
    size_t num;
    struct lb_ring_key keys[LB_SEAL_RING_MAX];
};

void lb_own_key_wipe(struct lb_own_key *key)
{
    lb_wipe(key, sizeof(*key));
}

/* --- what the directory says of a key --- */

static const struct lb_seal_key_entry *listed(const struct lb_seal_ring *ring,
                                              const struct lb_directory *directory,
                                              const struct lb_own_key *own)
{
    const struct lb_node *self = lb_directory_node(directory, ring->options.self);
    const struct lb_seal_key_entry *entry =
        self == NULL ? NULL
                     : lb_node_seal_key(self, own->id, lb_clock_unix_s(ring->options.clock));
    bool same = entry != NULL && memcmp(entry->public_key, own->key.public_key, 32) == 0;
    return same ? entry : NULL;
}

/* The directory's entry under this id, also one that is over; NULL when there is none. */
static const struct lb_seal_key_entry *entry_of(const struct lb_seal_ring *ring,
                                                const struct lb_node *self, const char *id)
{
    if (self == NULL)
        return NULL;
    bool shares = ring->options.shares;
    const struct lb_seal_key_entry *list = shares ? self->share_keys : self->seal_keys;
    size_t num = shares ? self->num_share_keys : self->num_seal_keys;
    for (size_t i = 0; i < num; i++) {
        if (strcmp(list[i].id, id) == 0)
            return &list[i];
    }
    return NULL;
}

/* --- loading --- */

static bool has(const struct lb_seal_ring *ring, const char *id)
{
    for (size_t i = 0; i < ring->num; i++) {
        if (strcmp(ring->keys[i].own.id, id) == 0)
            return true;
    }
    return false;
}

static lb_status check_key(const struct lb_seal_ring *ring, const struct lb_directory *directory,
                           const struct lb_ring_key *key, struct lb_diag *diag)
{
    const struct lb_seal_key_entry *entry =
        entry_of(ring, lb_directory_node(directory, ring->options.self), key->own.id);
    if (entry != NULL && memcmp(entry->public_key, key->own.key.public_key, 32) != 0) {
        lb_diag_set(diag, "%s: the directory lists another key under this id; use the right file",
                    key->path);
        LB_FAIL(LB_CONFIG_INVALID, "another key under one id");
    }
    int64_t most =
        lb_clock_unix_s(ring->options.clock) + LB_SEAL_KEY_LIFE_S + LB_CLOCK_SKEW_S;
    if (key->not_after > most && !ring->options.shares) {
        lb_diag_set(diag,
                    "%s: the key lives longer than 7 days; sign its entry anew with `lianban "
                    "directory seal-key`, or make another with `lianban keys rotate`", key->path);
        LB_FAIL(LB_CONFIG_INVALID, "sealing key lives too long");
    }
    return LB_OK;
}

/* A file that was destroyed when its time was over is no loss; one that is in time is missed. */
static bool is_missed(const struct lb_seal_ring *ring, const struct lb_directory *directory,
                      const char *id)
{
    const struct lb_seal_key_entry *entry =
        entry_of(ring, lb_directory_node(directory, ring->options.self), id);
    return entry != NULL && lb_clock_unix_s(ring->options.clock) < entry->not_after;
}

/* Takes up a file that is not taken yet. */
static lb_status take(struct lb_seal_ring *ring, const struct lb_directory *directory,
                      const struct lb_seal_file *file, bool first, struct lb_diag *diag)
{
    struct lb_ring_key key = {.not_after = 0};
    bool gone = !lb_seal_file_exists(file->path);
    if (has(ring, file->id) || (gone && !is_missed(ring, directory, file->id)))
        return LB_OK;
    if (ring->num == LB_SEAL_RING_MAX) {
        lb_diag_set(diag, "%s: more than %d sealing keys; destroy old ones", file->path,
                    LB_SEAL_RING_MAX);
        LB_FAIL(LB_CONFIG_INVALID, "too many sealing keys");
    }
    lb_status status = lb_seal_file_load(file, &key);
    if (status != LB_OK)
        lb_diag_set(diag,
                    "%s: no usable X25519 key (mode 0600, this user's own); make one with `lianban "
                    "keys %s`", file->path, ring->options.shares ? "share" : "seal");
    else
        status = check_key(ring, directory, &key, diag);
    if (status == LB_OK) {
        bool known =
            entry_of(ring, lb_directory_node(directory, ring->options.self), file->id) != NULL;
        key.listed_ticks = first && known ? LB_SETTLE_TICKS : 0; /* a start knows no better */
        (void)pthread_mutex_lock(&ring->lock);
        ring->keys[ring->num++] = key;
        (void)pthread_mutex_unlock(&ring->lock);
    }
    lb_own_key_wipe(&key.own);
    return status == LB_OK ? LB_OK : LB_FAULT(LB_CONFIG_INVALID, "sealing key cannot be used");
}

/* The configured files at the first time, those in the folder always. */
static lb_status take_all(struct lb_seal_ring *ring, bool first, struct lb_diag *diag)
{
    const struct lb_seal_ring_options *options = &ring->options;
    struct lb_directory *directory = lb_trust_directory(options->trust);
    lb_status status = LB_OK;
    for (size_t i = 0; i < options->num_files && first && status == LB_OK; i++)
        status = take(ring, directory, &options->files[i], first, diag);
    for (size_t i = 0; i < ring->folder.num && status == LB_OK; i++) {
        const struct lb_seal_file file = {ring->folder.ids[i], ring->folder.paths[i]};
        status = take(ring, directory, &file, first, diag);
    }
    lb_directory_unref(directory);
    return status;
}

/* --- life --- */

static lb_status copy_options(struct lb_seal_ring *ring,
                              const struct lb_seal_ring_options *options)
{
    struct lb_arena *arena = ring->arena;
    struct lb_seal_file *files =
        lb_arena_array(arena, options->num_files + 1, sizeof(*files));
    ring->options = *options;
    ring->options.self = lb_arena_str(arena, lb_span_str(options->self));
    LB_ENSURE(files != NULL && ring->options.self != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < options->num_files; i++) {
        files[i].id = lb_arena_str(arena, lb_span_str(options->files[i].id));
        files[i].path = lb_arena_str(arena, lb_span_str(options->files[i].path));
        LB_ENSURE(files[i].id != NULL && files[i].path != NULL, LB_NO_MEMORY, "arena is full");
    }
    ring->options.files = files;
    if (options->folder == NULL)
        return LB_OK;
    ring->options.folder = lb_arena_str(arena, lb_span_str(options->folder));
    LB_ENSURE(ring->options.folder != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status ring_new(const struct lb_seal_ring_options *options,
                          struct lb_seal_ring **out_ring)
{
    struct lb_seal_ring *ring = calloc(1, sizeof(*ring));
    LB_ENSURE(ring != NULL, LB_NO_MEMORY, "sealing keys");
    (void)pthread_mutex_init(&ring->lock, NULL);
    ring->arena = lb_arena_new(64 * 1024);
    lb_status status = ring->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "sealing keys")
                                           : copy_options(ring, options);
    if (status != LB_OK) {
        lb_seal_ring_free(ring);
        return status;
    }
    *out_ring = ring;
    return LB_OK;
}

static lb_status load_first(struct lb_seal_ring *ring, struct lb_diag *diag)
{
    LB_TRY(lb_seal_folder_read(ring->options.folder, &ring->folder, diag));
    LB_TRY(take_all(ring, true, diag));
    if (ring->num > 0 || ring->options.shares)
        return LB_OK;
    lb_diag_set(diag, "there is no sealing key; make one with `lianban keys rotate` or `lianban "
                      "keys seal`");
    LB_FAIL(LB_CONFIG_INVALID, "no sealing key");
}

lb_status lb_seal_ring_new(const struct lb_seal_ring_options *options, struct lb_diag *diag,
                           struct lb_seal_ring **out_ring)
{
    struct lb_seal_ring *ring = NULL;
    LB_TRY(ring_new(options, &ring));
    lb_status status = load_first(ring, diag);
    if (status != LB_OK) {
        lb_seal_ring_free(ring);
        return status;
    }
    *out_ring = ring;
    return LB_OK;
}

lb_status lb_seal_ring_of(const struct lb_seal_ring_options *options,
                          const struct lb_own_key *keys, size_t num,
                          struct lb_seal_ring **out_ring)
{
    struct lb_seal_ring *ring = NULL;
    LB_ENSURE(num <= LB_SEAL_RING_MAX, LB_TOO_LARGE, "too many sealing keys");
    LB_TRY(ring_new(options, &ring));
    for (size_t i = 0; i < num; i++)
        ring->keys[ring->num++] =
            (struct lb_ring_key){.own = keys[i], .listed_ticks = LB_SETTLE_TICKS};
    *out_ring = ring;
    return LB_OK;
}

void lb_seal_ring_free(struct lb_seal_ring *ring)
{
    if (ring == NULL)
        return;
    lb_arena_free(ring->arena);
    (void)pthread_mutex_destroy(&ring->lock);
    lb_wipe(ring, sizeof(*ring));
    free(ring);
}

/* --- once a second --- */

/* The key's end is the earliest that was said of it: one that was cut short stays so. */
static void learn_end(const struct lb_seal_ring *ring, const struct lb_node *self,
                      struct lb_ring_key *key)
{
    const struct lb_seal_key_entry *entry = entry_of(ring, self, key->own.id);
    if (entry == NULL || memcmp(entry->public_key, key->own.key.public_key, 32) != 0)
        return;
    if (key->not_after == 0 || entry->not_after < key->not_after)
        key->not_after = entry->not_after;
    if (key->listed_ticks < LB_SETTLE_TICKS)
        key->listed_ticks++;
}

/* Contexts that were set up, and runs that began, in its last second are past their life as
 * well. */
static bool is_over(const struct lb_seal_ring *ring, const struct lb_ring_key *key, int64_t now)
{
    int64_t used = ring->options.shares ? LB_SHARE_RUN_LIFE_S + LB_CLOCK_SKEW_S
                                        : LB_CONTEXT_LIFE_S;
    return key->not_after != 0 && now >= key->not_after + used;
}

static void forget(struct lb_seal_ring *ring, size_t i)
{
    (void)pthread_mutex_lock(&ring->lock);
    struct lb_ring_key *last = &ring->keys[--ring->num];
    ring->keys[i] = *last;
    lb_wipe(last, sizeof(*last));
    (void)pthread_mutex_unlock(&ring->lock);
}

/* A file that cannot be destroyed is tried again; its key is no longer used all the same. */
static void tidy(struct lb_seal_ring *ring, size_t i, int64_t now)
{
    struct lb_ring_key *key = &ring->keys[i];
    bool gone = key->path[0] != 0 && !lb_seal_file_exists(key->path);
    if (!gone && !is_over(ring, key, now))
        return;
    lb_status status = gone || ring->options.look_only || key->path[0] == 0
                           ? LB_OK
                           : lb_file_destroy(key->path);
    if (status != LB_OK && !key->told)
        lb_log_failure("sealing_key_not_destroyed", status);
    key->told = status != LB_OK;
    if (status != LB_OK)
        return;
    lb_log_event(LB_LOG_INFO, gone ? "sealing_key_gone" : "sealing_key_destroyed", "\"id\":\"%s\"",
                 key->own.id);
    forget(ring, i);
}

static void look(struct lb_seal_ring *ring)
{
    struct lb_diag diag = {""};
    bool changed = false;
    lb_status status =
        lb_seal_folder_changed(ring->options.folder, &ring->folder, &changed);
    if (status == LB_OK && changed) {
        lb_seal_folder_ends(ring->keys, ring->num);
        status = take_all(ring, false, &diag);
    }
    if (status != LB_OK)
        lb_log_failure("sealing_key_refused", status);
}

void lb_seal_ring_tick(struct lb_seal_ring *ring)
{
    if (ring == NULL)
        return;
    look(ring);
    struct lb_directory *directory = lb_trust_directory(ring->options.trust);
    const struct lb_node *self = lb_directory_node(directory, ring->options.self);
    int64_t now = lb_clock_unix_s(ring->options.clock);
    for (size_t i = ring->num; i > 0; i--) {
        learn_end(ring, self, &ring->keys[i - 1]);
        tidy(ring, i - 1, now);
    }
    lb_directory_unref(directory);
}

/* --- use --- */

static bool opens(const struct lb_seal_ring *ring, const struct lb_directory *directory,
                  const struct lb_ring_key *key)
{
    bool ahead = key->listed_ticks == 0 && key->not_after != 0 &&
                 lb_clock_unix_s(ring->options.clock) < key->not_after;
    return ahead || listed(ring, directory, &key->own) != NULL;
}

lb_status lb_seal_ring_get(struct lb_seal_ring *ring, const struct lb_directory *directory,
                           const char *id, struct lb_own_key *out_key)
{
    bool found = false;
    (void)pthread_mutex_lock(&ring->lock);
    for (size_t i = 0; i < ring->num && !found; i++) {
        if (strcmp(ring->keys[i].own.id, id) != 0 || !opens(ring, directory, &ring->keys[i]))
            continue;
        *out_key = ring->keys[i].own;
        found = true;
    }
    (void)pthread_mutex_unlock(&ring->lock);
    LB_ENSURE(found, LB_KEY_RETIRED, "sealing key is not ours any more");
    return LB_OK;
}

size_t lb_seal_ring_list(struct lb_seal_ring *ring, const struct lb_directory *directory,
                         struct lb_own_key out_keys[LB_SEAL_RING_MAX])
{
    int64_t ends[LB_SEAL_RING_MAX]; /* less for one that is not settled: its turn comes last */
    size_t num = 0;
    (void)pthread_mutex_lock(&ring->lock);
    for (size_t i = 0; i < ring->num; i++) {
        const struct lb_seal_key_entry *entry = listed(ring, directory, &ring->keys[i].own);
        if (entry == NULL)
            continue;
        bool settled = ring->keys[i].listed_ticks >= LB_SETTLE_TICKS;
        int64_t end = entry->not_after - (settled ? 0 : 2 * LB_SEAL_KEY_LIFE_S);
        size_t at = num++;
        for (; at > 0 && ends[at - 1] < end; at--) {
            ends[at] = ends[at - 1];
            out_keys[at] = out_keys[at - 1];
        }
        ends[at] = end;
        out_keys[at] = ring->keys[i].own;
    }
    (void)pthread_mutex_unlock(&ring->lock);
    return num;
}

lb_status lb_seal_ring_find(struct lb_seal_ring *ring, const char *id,
                            const uint8_t public_key[LB_X25519_BYTES],
                            struct lb_own_key *out_key)
{
    bool found = false;
    (void)pthread_mutex_lock(&ring->lock);
    for (size_t i = 0; i < ring->num && !found; i++) {
        const struct lb_own_key *own = &ring->keys[i].own;
        found = strcmp(own->id, id) == 0 &&
                memcmp(own->key.public_key, public_key, LB_X25519_BYTES) == 0;
        if (found)
            *out_key = *own;
    }
    (void)pthread_mutex_unlock(&ring->lock);
    LB_ENSURE(found, LB_ABSENT, "the key is not at hand");
    return LB_OK;
}

size_t lb_seal_ring_size(struct lb_seal_ring *ring)
{
    if (ring == NULL)
        return 0;
    (void)pthread_mutex_lock(&ring->lock);
    size_t num = ring->num;
    (void)pthread_mutex_unlock(&ring->lock);
    return num;
}
