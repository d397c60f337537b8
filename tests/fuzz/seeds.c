#include <stdio.h>

#include "gateway/base/file.h"
#include "tests/fuzz/fuzz.h"

/* Writes the seeds of every target: seeds FOLDER makes FOLDER/<target>/seed-<n>. */

struct folder {
    const char *path;
    const char *target;
    unsigned num;
};

static void put(void *ctx, struct lb_span bytes)
{
    struct folder *folder = ctx;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s/seed-%03u", folder->path, folder->target,
                   folder->num++);
    FUZZ_OK(lb_file_write(path, bytes, 0644));
}

static void write_seeds(const char *path, const char *target,
                        void (*seed)(const struct fuzz_sink *sink))
{
    char name[512];
    struct folder folder = {.path = path, .target = target};
    const struct fuzz_sink sink = {put, &folder};
    (void)snprintf(name, sizeof(name), "%s/%s", path, target);
    FUZZ_OK(lb_file_mkdirs(name));
    seed(&sink);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
#define WRITE_SEEDS(name_) write_seeds(argv[1], #name_, seed_##name_);
    FUZZ_TARGETS(WRITE_SEEDS)
#undef WRITE_SEEDS
    return 0;
}
