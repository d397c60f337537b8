#include "gateway/trust/issuer_keys.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/reader.h"

#define CURRENT_FILE "current"
#define LOOK_ARENA_BYTES (64 * 1024)

struct lb_issuer_keys {
    struct lb_arena *arena;  /* the options' texts */
    struct lb_issuer_files files;
    const char *organization;
    struct lb_trust *trust;
    bool failing;  /* said already */
    int listed_ticks;  /* how often the next key was seen in the directory */
    size_t num;
    /* What was used stays until the end: somebody may be signing with it. */
    struct lb_issuer_key all[LB_ISSUER_MAX_CHANGES];
    _Atomic(const struct lb_issuer_key *) now;
};

static lb_status current_path(const struct lb_issuer_files *files, struct lb_arena *arena,
                              const char **out)
{
    *out = lb_arena_printf(arena, "%s/" CURRENT_FILE, files->folder);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_issuer_current(const struct lb_issuer_files *files, struct lb_arena *arena,
                            const char **out_kid, const char **out_path)
{
    const char *current = NULL;
    struct lb_span text;
    *out_kid = files->kid;
    *out_path = files->path;
    if (files->folder == NULL)
        return LB_OK;
    LB_TRY(current_path(files, arena, &current));
    if (access(current, F_OK) != 0)
        return LB_OK;
    LB_TRY(lb_file_read(current, LB_MAX_NAME_BYTES + 1, arena, &text));
    while (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    const char *kid = lb_arena_str(arena, text);
    LB_ENSURE(kid != NULL && lb_reader_name_ok(kid), LB_MALFORMED, "current names no key");
    if (strcmp(kid, files->kid) == 0)
        return LB_OK;
    const char *path = lb_arena_printf(arena, "%s/%s.pem", files->folder, kid);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    *out_kid = kid;
    *out_path = path;
    return LB_OK;
}

/* Loads a key into the next place, which nobody looks at yet. */
static lb_status load(struct lb_issuer_keys *keys, const char *kid, const char *path,
                      struct lb_issuer_key **out)
{
    LB_ENSURE(keys->num < LB_ISSUER_MAX_CHANGES, LB_TOO_LARGE,
              "too many keys in one life; restart");
    struct lb_issuer_key *place = &keys->all[keys->num];
    size_t len = strlen(kid);
    LB_ENSURE(len < sizeof(place->kid), LB_MALFORMED, "kid is too long");
    LB_TRY(lb_keys_load_sign(path, LB_SIGN_ES256, &place->key));
    memcpy(place->kid, kid, len + 1);
    *out = place;
    return LB_OK;
}

static lb_status load_first(struct lb_issuer_keys *keys, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LOOK_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    const char *kid = NULL, *path = NULL;
    struct lb_issuer_key *first = NULL;
    if (lb_issuer_current(&keys->files, arena, &kid, &path) != LB_OK) {
        lb_diag_set(diag, "%s/" CURRENT_FILE ": does not name a key; write its kid there",
                    keys->files.folder);
        LB_FAIL(LB_CONFIG_INVALID, "current names no key");
    }
    lb_status status = load(keys, kid, path, &first);
    if (status != LB_OK) {
        lb_diag_set(diag,
                    "%s: no usable P-256 key (mode 0600, this user's own); make one with `lianban "
                    "keys issuer`", path);
        LB_FAIL(LB_CONFIG_INVALID, "issuer key cannot be used");
    }
    keys->num++;
    atomic_store(&keys->now, first);
    return LB_OK;
}

static lb_status copy_text(struct lb_issuer_keys *keys, const char *text, const char **out)
{
    if (text == NULL)
        return LB_OK;
    *out = lb_arena_str(keys->arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static void keys_freep(struct lb_issuer_keys **keys)
{
    lb_issuer_keys_free(*keys);
}

lb_status lb_issuer_keys_new(const struct lb_issuer_files *files, const char *organization,
                             struct lb_trust *trust, struct lb_diag *diag,
                             struct lb_issuer_keys **out_keys)
{
    LB_DEFER(keys_freep) struct lb_issuer_keys *keys = calloc(1, sizeof(*keys));
    LB_ENSURE(keys != NULL, LB_NO_MEMORY, "issuer keys");
    keys->arena = lb_arena_new(LOOK_ARENA_BYTES);
    LB_ENSURE(keys->arena != NULL, LB_NO_MEMORY, "issuer keys");
    keys->trust = trust;
    LB_TRY(copy_text(keys, files->kid, &keys->files.kid));
    LB_TRY(copy_text(keys, files->path, &keys->files.path));
    LB_TRY(copy_text(keys, files->folder, &keys->files.folder));
    LB_TRY(copy_text(keys, organization, &keys->organization));
    LB_TRY(load_first(keys, diag));
    *out_keys = keys;
    keys = NULL;
    return LB_OK;
}

void lb_issuer_keys_free(struct lb_issuer_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->num; i++)
        lb_sign_key_free(keys->all[i].key);
    lb_arena_free(keys->arena);
    free(keys);
}

static bool is_listed(struct lb_issuer_keys *keys, const struct lb_issuer_key *key)
{
    uint8_t own[LB_P256_PUBLIC_BYTES], theirs[LB_P256_PUBLIC_BYTES];
    struct lb_directory *directory = lb_trust_directory(keys->trust);
    const struct lb_issuer *issuer =
        lb_directory_issuer(directory, keys->organization, key->kid);
    bool same = issuer != NULL && lb_verify_key_raw(issuer->key, theirs) == sizeof(theirs) &&
                lb_sign_key_public(key->key, own) == sizeof(own) &&
                lb_span_eq(lb_span_of(own, sizeof(own)), lb_span_of(theirs, sizeof(theirs)));
    lb_directory_unref(directory);
    return same;
}

static void take_up(struct lb_issuer_keys *keys, struct lb_issuer_key *next)
{
    keys->listed_ticks = is_listed(keys, next) ? keys->listed_ticks + 1 : 0;
    if (keys->listed_ticks < LB_SETTLE_TICKS) { /* tried again at the next tick */
        lb_sign_key_free(next->key);
        next->key = NULL;
        return;
    }
    keys->num++;
    keys->listed_ticks = 0;
    atomic_store(&keys->now, next);
    lb_log_event(LB_LOG_INFO, "issuer_key_changed", "\"kid\":\"%s\"", next->kid);
}

static lb_status look(struct lb_issuer_keys *keys)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LOOK_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    const char *kid = NULL, *path = NULL;
    struct lb_issuer_key *next = NULL;
    LB_TRY(lb_issuer_current(&keys->files, arena, &kid, &path));
    if (strcmp(kid, lb_issuer_keys_now(keys)->kid) == 0)
        return LB_OK;
    LB_TRY(load(keys, kid, path, &next));
    take_up(keys, next);
    return LB_OK;
}

void lb_issuer_keys_tick(struct lb_issuer_keys *keys)
{
    if (keys == NULL || keys->files.folder == NULL)
        return;
    lb_status status = look(keys);
    if (status != LB_OK && !keys->failing)
        lb_log_failure("issuer_key_not_changed", status);
    keys->failing = status != LB_OK;
}

const struct lb_issuer_key *lb_issuer_keys_now(const struct lb_issuer_keys *keys)
{
    return atomic_load(&keys->now);
}
