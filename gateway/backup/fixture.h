#ifndef GATEWAY_BACKUP_FIXTURE_H
#define GATEWAY_BACKUP_FIXTURE_H

#include "gateway/backup/backup.h"
#include "gateway/evidence/test_shard.h"

/* A state with everything a node may have in it, and a log with a shard: a copy of the one that
 * test_shard_fill makes. */
struct world {
    struct fixture *fixture;
    struct lb_log *log;            /* grows by an entry whenever the copying tells something */
    const char *out;
    const char *keys[2];
    size_t num_keys;
    struct lb_backup_watch watch;
    bool die;                      /* in the middle of the log */
    unsigned told;
};

#define WORLD_KEEP_FREE (UINT64_C(1) << 30)

/* world_begin makes everything anew; world_remove removes a folder with all that is in it. */
void world_begin(void **state, struct world *world);
void world_remove(const char *path);
/* world_options are those of a copy of it. */
struct lb_backup_options world_options(struct world *world);
/* world_make and world_check run the two; a failure must come with a sentence. */
lb_status world_make(struct world *world, struct lb_backup_result *out);
lb_status world_check(struct world *world, struct lb_backup_result *out);
/* world_made makes one, which must succeed. */
void world_made(struct world *world, struct lb_backup_result *out);
/* world_in is a path in the copy. */
const char *world_in(struct world *world, const char *name);

#endif
