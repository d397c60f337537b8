#ifndef GATEWAY_BACKUP_MANIFEST_H
#define GATEWAY_BACKUP_MANIFEST_H

#include "gateway/base/arena.h"
#include "gateway/evidence/merkle.h"

/*
 * What a copy says of itself, as JSON:
 *
 *   {"format": "lianban-backup-1", "node": "spiffe://...", "version": "...", "time_ms": N,
 *    "log": {"origin": "...", "size": N, "root": "<hex>"},
 *    "files": [{"name": "state/...", "size": N, "sha256": "<hex>"}, ...]}
 *
 * Files stand in the order of their names' bytes, each once.
 */
#define LB_BACKUP_MANIFEST "manifest.json"
#define LB_BACKUP_MAX_FILES 4096U
#define LB_BACKUP_MAX_NAME_BYTES 512U
#define LB_BACKUP_MAX_TEXT_BYTES 512U           /* of node, version and origin each */
#define LB_BACKUP_MAX_MANIFEST_BYTES (4U << 20)

struct lb_backup_file {
    const char *name;  /* relative to the copy's folder */
    uint64_t size;
    uint8_t sha256[32];
};

struct lb_backup_manifest {
    const char *node;
    const char *version;
    int64_t time_ms;
    const char *origin;
    uint64_t log_size;
    struct lb_hash log_root;
    struct lb_backup_file *files;
    size_t num_files;
};

/* lb_backup_name_good says whether a name may stand in a manifest: below state/, no empty, "." or
 * ".." part, nothing unprintable, UTF-8. */
bool lb_backup_name_good(const char *name);

/* lb_backup_manifest_write makes the text, in the arena. MALFORMED when a name or text can't stand
 * in it or the order is wrong; NO_MEMORY. */
LB_MUST lb_status lb_backup_manifest_write(const struct lb_backup_manifest *manifest,
                                           struct lb_arena *arena, struct lb_span *out_text);
/* lb_backup_manifest_read is the reverse; texts are copied into the arena. MALFORMED, TOO_LARGE,
 * NO_MEMORY. */
LB_MUST lb_status lb_backup_manifest_read(struct lb_span text, struct lb_arena *arena,
                                          struct lb_backup_manifest *out_manifest);

#endif
