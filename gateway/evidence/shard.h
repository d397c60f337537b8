#ifndef GATEWAY_EVIDENCE_SHARD_H
#define GATEWAY_EVIDENCE_SHARD_H

#include <stdatomic.h>

#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/disk.h"

/*
 * Half-years of a log in files of their own: `shards/2026h1.db` in the log's folder, mode 0600. The
 * tree goes on unbroken; only where old entries lie changes. A shard is
 *
 *   copied    by lb_shard_copy, beside a running node or a stopped one, and verified;
 *   linked    by the log itself, while it is open: a SHARD entry names the file by its hash;
 *   the only  place of its entries once the log, after that, has removed its own rows of them.
 *
 * Half-years are those of UTC. A shard begins and ends at a multiple of 256 entries; what is left
 * of a half-year goes into the next one's.
 */
#define LB_SHARD_FOLDER "shards"
#define LB_SHARD_NAME_BYTES 8
#define LB_SHARD_MAX 256 /* of one log */

struct lb_shard_copy_options {
    const char *folder;                       /* the log's */
    const struct lb_note_verifier *verifier;  /* of the log's key */
    int64_t until_ms;                         /* half-years that ended at or before this */
    const struct lb_disk *disk;               /* NULL: the machine's */
};

struct lb_shard_copied {
    size_t num;            /* shards written now */
    uint64_t num_entries;  /* in them */
};

/* lb_shard_copy writes a shard for each half-year that has ended, has at least 256 entries and is
 * not in one yet: under another name, synced, verified by code of its own against the signed root,
 * renamed, and the folder synced. What an interrupted copy left is begun anew. LOG_FORK when the
 * log or a shard that is there does not verify; LOG_FULL when less room than the log's alert mark
 * would be left; STATE_LOCKED while another copy runs; LOG_BEHIND for a shard that is missing;
 * FILE_FAILED, STORE_FAILED, NO_MEMORY; with a sentence in diag. */
LB_MUST lb_status lb_shard_copy(const struct lb_shard_copy_options *options, struct lb_diag *diag,
                                struct lb_shard_copied *out_copied);

enum lb_shard_state {
    LB_SHARD_COPIED,   /* not linked yet: its entries are in evidence.db too */
    LB_SHARD_LINKED,
    LB_SHARD_AWAY,     /* linked, elsewhere, and said to be */
    LB_SHARD_MISSING,  /* linked and not there, or of another length */
};

struct lb_shard_line {
    char name[LB_SHARD_NAME_BYTES];
    uint64_t from, to;
    uint64_t bytes;
    enum lb_shard_state state;
};

struct lb_shard_list {
    struct lb_shard_line lines[LB_SHARD_MAX];
    size_t num;
    uint64_t num_left;    /* entries of shards whose rows are in evidence.db still */
    uint64_t free_bytes;  /* in evidence.db, for new entries */
};
/* lb_shard_list_read lists a log's shards, oldest first; nothing is verified. FILE_FAILED,
 * STORE_FAILED, LOG_FORK, NO_MEMORY; with a sentence in diag. */
LB_MUST lb_status lb_shard_list_read(const char *folder, struct lb_diag *diag,
                                     struct lb_shard_list *out_list);
/* lb_shard_away declares that a linked shard is kept elsewhere, so that the log may be opened
 * without it: `shards/<name>.away`. What needs its entries is refused as before. ABSENT when no
 * such shard is linked; otherwise as lb_shard_list_read. */
LB_MUST lb_status lb_shard_away(const char *folder, const char *name, struct lb_diag *diag);

/* lb_shard_half is the number of the half-year of a time, 2 * year for its first half;
 * lb_shard_half_begin when it begins; lb_shard_half_name its name. Times from 1970 to 9999. */
int64_t lb_shard_half(int64_t unix_ms);
int64_t lb_shard_half_begin(int64_t half);
void lb_shard_half_name(int64_t half, char out[LB_SHARD_NAME_BYTES]);

/* What a shard was found to be. */
struct lb_shard_verdict {
    char name[LB_SHARD_NAME_BYTES];
    uint64_t from, to;
    struct lb_hash root;       /* of the first `to` entries */
    struct lb_hash note_hash;  /* SHA-256 of its signed checkpoint */
};

struct lb_log_reader;
struct lb_shard_check_options {
    const char *path;
    const struct lb_note_verifier *verifier;
    struct lb_log_reader *reader;  /* has the data keys' rows; NULL: details are only counted */
    const atomic_bool *stop;       /* ends it with STOPPING; NULL for none */
};
/* lb_shard_check verifies one file: every leaf is hashed and the tree rebuilt to the signed root,
 * every tile follows, every detail is the one its leaf commits to, and there is nothing else.
 * LOG_FORK with a sentence that names the place; FILE_FAILED, NO_MEMORY, STOPPING. */
LB_MUST lb_status lb_shard_check(const struct lb_shard_check_options *options,
                                 struct lb_diag *diag, struct lb_shard_verdict *out_verdict);

#endif
