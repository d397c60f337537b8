#include "adapters/serve/epochs.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapters/serve/admin.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define KEY_BYTES 32
#define SUFFIX ".key"
#define ARENA_BYTES (64 * 1024)
#define PATH_BYTES (PATH_MAX + 300)

struct epoch {
    uint8_t key[KEY_BYTES];
    uint8_t mark[KEY_BYTES];  /* of the key, in the store */
    struct lb_epoch_keys derived;
};

/* Oldest first. */
struct list {
    size_t num;
    struct epoch items[LB_SERVE_MAX_EPOCHS];
};

struct lb_serve_epochs {
    char *folder;
    struct timespec changed;  /* the folder's, when it was last read */
    bool failing;             /* told already */
    struct list known;        /* files, in no order of meaning but the first; the reader's thread */
    pthread_mutex_t lock;     /* held to change what follows, and to read it off the sequencer */
    struct list in_force;
};

/* --- files --- */

static bool has(const struct list *list, const uint8_t mark[KEY_BYTES])
{
    for (size_t i = 0; i < list->num; i++) {
        if (memcmp(list->items[i].mark, mark, KEY_BYTES) == 0)
            return true;
    }
    return false;
}

static void derive(struct epoch *epoch)
{
    struct lb_span key = lb_span_of(epoch->key, KEY_BYTES);
    lb_hmac_sha256(key, lb_span_str("lianban pseudonym epoch v1"), epoch->mark);
    lb_hmac_sha256(key, lb_span_str("lianban probe names v1"), epoch->derived.names);
    lb_hmac_sha256(key, lb_span_str("lianban probe keys v1"), epoch->derived.wrap);
}

static lb_status add(struct list *list, const uint8_t key[KEY_BYTES])
{
    struct epoch epoch = {.key = {0}};
    memcpy(epoch.key, key, KEY_BYTES);
    derive(&epoch);
    lb_status status = LB_OK;
    if (!has(list, epoch.mark) && list->num == LB_SERVE_MAX_EPOCHS)
        status = LB_FAULT(LB_TOO_LARGE, "more pseudonym keys than epochs");
    else if (!has(list, epoch.mark))
        list->items[list->num++] = epoch;
    lb_wipe(&epoch, sizeof(epoch));
    return status;
}

static lb_status read_key(const char *path, struct list *list)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_span text = LB_SPAN_EMPTY;
    uint8_t key[KEY_BYTES];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "pseudonym key");
    LB_TRY(lb_file_read_secret(path, 2 * KEY_BYTES + 2, arena, &text));
    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    LB_TRY(lb_hex_decode(text, key, KEY_BYTES));
    lb_status status = add(list, key);
    lb_wipe(key, sizeof(key));
    return status;
}

static int is_key(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name), cut = strlen(SUFFIX);
    return len > cut && strcmp(entry->d_name + len - cut, SUFFIX) == 0;
}

static lb_status refuse_file(struct lb_diag *diag, const char *path)
{
    lb_diag_set(diag, "%s: must hold 64 hex digits with mode 0600, in a folder of mode 0700, of "
                      "which there may be %d; make one with `lianban keys secret`", path,
                LB_SERVE_MAX_EPOCHS - 1);
    LB_FAIL(LB_CONFIG_INVALID, "no usable pseudonym key");
}

/* By name, so that several which are new together come in the order of their names. */
static lb_status read_folder(struct lb_serve_epochs *epochs, struct lb_diag *diag)
{
    struct dirent **names = NULL;
    struct stat info;
    if (stat(epochs->folder, &info) != 0 || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return refuse_file(diag, epochs->folder);
    epochs->changed = info.st_ctim;
    int num = scandir(epochs->folder, &names, is_key, alphasort);
    lb_status status = num < 0 ? refuse_file(diag, epochs->folder) : LB_OK;
    for (int i = 0; i < num; i++) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof(path), "%s/%s", epochs->folder, names[i]->d_name);
        if (status == LB_OK && read_key(path, &epochs->known) != LB_OK)
            status = refuse_file(diag, path);
        free(names[i]);
    }
    free(names);
    return status;
}

static bool folder_changed(const struct lb_serve_epochs *epochs)
{
    struct stat info;
    if (epochs->folder == NULL || stat(epochs->folder, &info) != 0)
        return false;
    return info.st_ctim.tv_sec != epochs->changed.tv_sec ||
           info.st_ctim.tv_nsec != epochs->changed.tv_nsec;
}

/* --- life --- */

lb_status lb_serve_epochs_new(const uint8_t first[32], const char *folder, struct lb_diag *diag,
                              struct lb_serve_epochs **out_epochs)
{
    struct lb_serve_epochs *epochs = calloc(1, sizeof(*epochs));
    LB_ENSURE(epochs != NULL, LB_NO_MEMORY, "pseudonym keys");
    (void)pthread_mutex_init(&epochs->lock, NULL);
    lb_status status = add(&epochs->known, first);
    if (folder != NULL && status == LB_OK) {
        epochs->folder = strdup(folder);
        status = epochs->folder == NULL ? LB_FAULT(LB_NO_MEMORY, "pseudonym keys")
                                        : read_folder(epochs, diag);
    }
    if (status != LB_OK) {
        lb_serve_epochs_free(epochs);
        return status;
    }
    *out_epochs = epochs;
    return LB_OK;
}

void lb_serve_epochs_free(struct lb_serve_epochs *epochs)
{
    if (epochs == NULL)
        return;
    free(epochs->folder);
    (void)pthread_mutex_destroy(&epochs->lock);
    lb_wipe(epochs, sizeof(*epochs));
    free(epochs);
}

/* --- the store's order --- */

static const struct epoch *find(const struct list *list, struct lb_span mark)
{
    for (size_t i = 0; i < list->num; i++) {
        if (lb_span_eq(mark, lb_span_of(list->items[i].mark, KEY_BYTES)))
            return &list->items[i];
    }
    return NULL;
}

static lb_status take_marked(const struct list *known, struct lb_stmt *stmt, struct list *out)
{
    bool row = false;
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row) {
        const struct epoch *epoch = find(known, lb_stmt_blob(stmt, 0));
        LB_ENSURE(epoch != NULL, LB_CONFIG_INVALID, "a pseudonym key that was in force is gone");
        LB_ENSURE(out->num < LB_SERVE_MAX_EPOCHS, LB_TOO_LARGE, "more marks than epochs");
        out->items[out->num++] = *epoch;
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return LB_OK;
}

static lb_status mark_new(const struct list *known, struct lb_stmt *stmt, struct list *out)
{
    for (size_t i = 0; i < known->num; i++) {
        const struct epoch *epoch = &known->items[i];
        if (has(out, epoch->mark))
            continue;
        LB_ENSURE(out->num < LB_SERVE_MAX_EPOCHS, LB_TOO_LARGE, "more keys than epochs");
        LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)out->num));
        LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(epoch->mark, KEY_BYTES)));
        LB_TRY(lb_stmt_run(stmt));
        out->items[out->num++] = *epoch;
    }
    return LB_OK;
}

static lb_status settle(const struct list *known, struct lb_store *store, struct list *out)
{
    struct lb_stmt *marks = NULL, *put = NULL;
    LB_TRY(lb_stmt_prepare(store, "SELECT mark FROM pseudonym_epoch ORDER BY id", &marks));
    lb_status status = take_marked(known, marks, out);
    lb_stmt_free(marks);
    LB_TRY(status);
    LB_TRY(lb_stmt_prepare(store, "INSERT INTO pseudonym_epoch(id, mark) VALUES(?1, ?2)", &put));
    status = mark_new(known, put, out);
    lb_stmt_free(put);
    return status;
}

lb_status lb_serve_epochs_begin(struct lb_serve_epochs *epochs, struct lb_store *store)
{
    struct list next = {.num = 0};
    lb_status status = settle(&epochs->known, store, &next);
    if (status == LB_OK) {
        (void)pthread_mutex_lock(&epochs->lock);
        epochs->in_force = next;
        (void)pthread_mutex_unlock(&epochs->lock);
    }
    lb_wipe(&next, sizeof(next));
    return status;
}

/* --- a new epoch --- */

static lb_status begin(struct lb_log_entry *entry, struct lb_store *store)
{
    return lb_serve_epochs_begin(entry->owner, store);
}

void lb_serve_epochs_look(struct lb_serve_epochs *epochs, struct lb_log *log)
{
    struct lb_diag diag = {""};
    lb_status status = folder_changed(epochs) ? read_folder(epochs, &diag) : LB_OK;
    bool is_new = epochs->known.num > lb_serve_epochs_num(epochs);
    if (status == LB_OK && is_new)
        status = lb_serve_admin(log, "PSEUDONYM_KEY", begin, epochs);
    if (status == LB_OK && is_new)
        lb_log_event(LB_LOG_INFO, "pseudonym_key_changed", "\"epochs\":%zu", epochs->known.num);
    if (status != LB_OK && !epochs->failing)
        lb_log_failure("pseudonym_key_refused", status);
    epochs->failing = status != LB_OK;
}

/* --- names --- */

void lb_serve_epochs_names(struct lb_serve_epochs *epochs, struct lb_span subject,
                           struct lb_epoch_names *out)
{
    (void)pthread_mutex_lock(&epochs->lock);
    const struct list *list = &epochs->in_force;
    out->num = list->num;
    for (size_t i = 0; i < list->num; i++)
        lb_hmac_sha256(lb_span_of(list->items[list->num - 1 - i].key, KEY_BYTES), subject,
                       out->names[i]);
    (void)pthread_mutex_unlock(&epochs->lock);
}

size_t lb_serve_epochs_num(struct lb_serve_epochs *epochs)
{
    (void)pthread_mutex_lock(&epochs->lock);
    size_t num = epochs->in_force.num;
    (void)pthread_mutex_unlock(&epochs->lock);
    return num;
}

const struct lb_epoch_keys *lb_serve_epochs_keys(const struct lb_serve_epochs *epochs,
                                                 size_t index)
{
    return &epochs->in_force.items[epochs->in_force.num - 1 - index].derived;
}
