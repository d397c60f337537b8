#include "gateway/backup/manifest.h"
#include "tests/fuzz/fuzz.h"

/* A backup's manifest, which whoever keeps the backup may have written: every name stays below the
 * folder, and what was read is what is written. */

#define ARENA_BYTES (32U << 20)
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

bool fuzz_manifest(struct lb_span in)
{
    struct lb_backup_manifest manifest;
    struct lb_backup_manifest again;
    struct lb_span text;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    if (lb_backup_manifest_read(in, arena, &manifest) != LB_OK)
        return false;
    for (size_t i = 0; i < manifest.num_files; i++) {
        const char *name = manifest.files[i].name;
        FUZZ_CHECK(strncmp(name, "state/", 6) == 0 && strstr(name, "/../") == NULL);
        FUZZ_CHECK(i == 0 || strcmp(manifest.files[i - 1].name, name) < 0);
    }
    FUZZ_OK(lb_backup_manifest_write(&manifest, arena, &text));
    FUZZ_OK(lb_backup_manifest_read(text, arena, &again));
    FUZZ_CHECK(again.num_files == manifest.num_files && again.log_size == manifest.log_size);
    return true;
}

void seed_manifest(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "{\"format\":\"lianban-backup-1\",\"node\":\"spiffe://f/adapter/tax\","
                         "\"version\":\"0.1.0\",\"time_ms\":1763700000000,\"log\":{\"origin\":"
                         "\"f/adapter/tax\",\"size\":3,\"root\":\"" HEX "\"},\"files\":[]}");
    fuzz_seed_text(sink, "{\"format\":\"lianban-backup-1\",\"node\":\"n\",\"version\":\"v\","
                         "\"time_ms\":0,\"log\":{\"origin\":\"o\",\"size\":0,\"root\":\"" HEX "\"},"
                         "\"files\":[{\"name\":\"state/evidence.db\",\"size\":4096,\"sha256\":"
                         "\"" HEX "\"},{\"name\":\"state/seen/a\",\"size\":0,\"sha256\":\"" HEX
                         "\"}]}");
}
