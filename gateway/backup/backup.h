#ifndef GATEWAY_BACKUP_BACKUP_H
#define GATEWAY_BACKUP_BACKUP_H

#include "gateway/backup/manifest.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/evidence/disk.h"
#include "gateway/note/note.h"

/*
 * A copy of a node's state, made beside the running node:
 *
 *   FOLDER/state/...        as in the node's own state folder
 *   FOLDER/keys/...         the keys that were named; nothing here says anything about them
 *   FOLDER/manifest.json    what is under state/, written last: without it the copy is unfinished
 *
 * Every database is copied as one snapshot, every other file whole. The evidence log comes last, so
 * it has an entry for whatever the other files know; that is the order of a crash, from which every
 * node recovers. Left out are keys (by their name or by what is in them), locks, what SQLite keeps
 * beside a database, the disk reserve, and shards that are not linked yet.
 */
#define LB_BACKUP_STATE "state"
#define LB_BACKUP_KEYS "keys"
#define LB_BACKUP_MAX_KEY_BYTES (64U * 1024)

struct lb_backup_watch {
    /* What is being worked on, and how far it is; by the file, or more often. */
    void (*tell)(void *ctx, const char *what, uint64_t done, uint64_t all);
    void *ctx;
};

struct lb_backup_options {
    const char *node;                         /* SPIFFE id */
    const char *version;                      /* of the program */
    const char *state;                        /* the node's state folder */
    const char *out;                          /* the copy's folder: missing, or empty and 0700 */
    const char *const *keys;                  /* files to be copied into keys/ */
    size_t num_keys;
    const struct lb_note_verifier *verifier;  /* of the log's key */
    const struct lb_clock *clock;
    const struct lb_disk *disk;               /* NULL: the machine's */
    uint64_t keep_free_bytes;                 /* on the node's own file system */
    const struct lb_backup_watch *watch;
};

struct lb_backup_result {
    struct lb_backup_manifest manifest;
    uint8_t manifest_sha256[32];
    const char *const *left_out;  /* keys found in the state folder */
    size_t num_left_out;
    uint64_t num_keys;            /* in keys/ */
};

/*
 * lb_backup_make copies, verifies the copy (the log from end to end, every other database by
 * SQLite's own check), and then writes the manifest. It must run by the account that the state
 * belongs to, so that no file in it ever belongs to another. What a failure leaves is a folder
 * without a manifest. Texts of the result are in the arena.
 *
 * FILE_FAILED, with a sentence in diag: no state, another account's, something in it that is no
 * file or folder, a folder for the copy that is not empty, open to others or inside the state, a
 * key that can't be read as one, trouble while writing. LOG_FULL when less than keep_free_bytes
 * would be left on the node's own file system. LOG_BEHIND, LOG_FORK: the log does not verify, or
 * a linked shard is missing. STORE_FAILED, STATE_LOCKED, TOO_LARGE, MALFORMED (a name that can't
 * stand in a manifest), NO_MEMORY.
 */
LB_MUST lb_status lb_backup_make(const struct lb_backup_options *options, struct lb_arena *arena,
                                 struct lb_diag *diag, struct lb_backup_result *out_result);

/* lb_backup_finished says whether a folder has a manifest at all: BACKUP_BROKEN with a sentence in
 * diag when not. */
LB_MUST lb_status lb_backup_finished(const char *folder, struct lb_diag *diag);

/*
 * lb_backup_check holds a copy against its manifest: the same files, none more, of the same bytes;
 * and verifies the log again. The manifest itself is signed by nobody: keep its SHA-256 elsewhere
 * to know that it is the one that was written.
 *
 * BACKUP_BROKEN, with a sentence that names the place: unfinished, a file missing, changed or not
 * in the manifest, or a log other than it says. LOG_BEHIND, LOG_FORK of the log. MALFORMED for
 * what is no manifest; FILE_FAILED, STORE_FAILED, TOO_LARGE, NO_MEMORY.
 */
LB_MUST lb_status lb_backup_check(const char *folder, const struct lb_note_verifier *verifier,
                                  const struct lb_backup_watch *watch, struct lb_arena *arena,
                                  struct lb_diag *diag, struct lb_backup_result *out_result);

#endif
