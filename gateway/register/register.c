#include "gateway/register/register.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/register/inside.h"

#define APPLICATION_ID 0x4c424f50U /* "LBOP" */
#define BUSY_TIMEOUT_MS 5000
#define PERSON_LABEL "lianban person v1"

static const char *const migrations[] = {
    "CREATE TABLE person ("
    "  badge TEXT PRIMARY KEY,"
    "  unit TEXT NOT NULL,"
    "  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 32),"
    "  device BLOB CHECK (device IS NULL OR length(device) = 64),"
    "  not_before INTEGER NOT NULL,"
    "  not_after INTEGER NOT NULL CHECK (not_after > not_before),"
    "  suspended INTEGER NOT NULL CHECK (suspended IN (0, 1))) STRICT;"
    "CREATE TABLE relative ("
    "  badge TEXT NOT NULL REFERENCES person (badge),"
    "  hash TEXT NOT NULL CHECK (length(hash) = 32),"
    "  PRIMARY KEY (badge, hash)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE change ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  at INTEGER NOT NULL,"
    "  badge TEXT NOT NULL REFERENCES person (badge),"
    "  what TEXT NOT NULL,"
    "  who TEXT NOT NULL,"
    "  evidence INTEGER) STRICT;"
    "CREATE INDEX change_pending ON change (seq) WHERE evidence IS NULL;",
    NULL,
};

const struct lb_store_schema lb_register_schema = {"register.db", APPLICATION_ID, migrations};

void lb_register_hash(const uint8_t person_key[32], const char *id_no,
                      char out[LB_REGISTER_HASH_CHARS + 1])
{
    char text[sizeof(PERSON_LABEL) + LB_MAX_NAME_BYTES];
    uint8_t mac[LB_SHA256_BYTES];
    (void)snprintf(text, sizeof(text), PERSON_LABEL "%s", id_no);
    lb_hmac_sha256(lb_span_of(person_key, 32), lb_span_str(text), mac);
    lb_hex_encode(lb_span_of(mac, LB_REGISTER_HASH_CHARS / 2), out);
    lb_wipe(text, sizeof(text));
    lb_wipe(mac, sizeof(mac));
}

/* --- opening --- */

/* Who could write here could let anybody in. */
static lb_status check_folder(const char *folder, struct lb_diag *diag)
{
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        lb_diag_set(diag, "%s: there is no such folder; lianban operator add makes it", folder);
        LB_FAIL(LB_FILE_FAILED, "register's folder is missing");
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0 ||
        (info.st_uid != geteuid() && info.st_uid != 0)) {
        lb_diag_set(diag, "%s: is open to others or another user's; chmod 700 and chown it",
                    folder);
        LB_FAIL(LB_FILE_FAILED, "register's folder is open to others");
    }
    return LB_OK;
}

static lb_status check_file(const char *path, struct lb_diag *diag)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return LB_OK; /* a new one gets its mode from the store */
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        lb_diag_set(diag, "%s: is open to others; chmod 600 it", path);
        LB_FAIL(LB_FILE_FAILED, "register is open to others");
    }
    return LB_OK;
}

static lb_status open_in(struct lb_register *reg, const char *folder, bool create,
                         struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(8192);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    const char *path = lb_arena_printf(arena, "%s/register.db", folder);
    LB_ENSURE(path != NULL, LB_FILE_FAILED, "path is too long");
    if (create)
        LB_TRY(lb_file_mkdirs(folder));
    LB_TRY(check_folder(folder, diag));
    LB_TRY(check_file(path, diag));
    const struct lb_store_options options = {
        .path = path,
        .migrations = migrations,
        .application_id = APPLICATION_ID,
        .create = create,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .keep_statements = true, /* it is asked several times in every case */
    };
    lb_status status = lb_store_open(&options, &reg->store);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: the operators' register cannot be opened", path);
    return status;
}

lb_status lb_register_open(const char *folder, bool create, struct lb_diag *diag,
                           struct lb_register **out_register)
{
    LB_DEFER(lb_register_closep) struct lb_register *reg = calloc(1, sizeof(*reg));
    LB_ENSURE(reg != NULL, LB_NO_MEMORY, "register");
    (void)pthread_mutex_init(&reg->lock, NULL);
    LB_TRY(open_in(reg, folder, create, diag));
    *out_register = reg;
    reg = NULL;
    return LB_OK;
}

void lb_register_close(struct lb_register *reg)
{
    if (reg == NULL)
        return;
    lb_store_close(reg->store);
    (void)pthread_mutex_destroy(&reg->lock);
    free(reg);
}

void lb_register_closep(struct lb_register **reg)
{
    lb_register_close(*reg);
}

lb_status lb_register_may_serve(const struct lb_register_entry *entry, int64_t now_unix_s)
{
    LB_ENSURE(!entry->suspended, LB_BADGE_SUSPENDED, "badge is suspended");
    LB_ENSURE(now_unix_s >= entry->not_before && now_unix_s < entry->not_after, LB_BADGE_EXPIRED,
              "badge is outside its validity");
    return LB_OK;
}
