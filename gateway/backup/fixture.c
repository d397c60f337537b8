#include "gateway/backup/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/file.h"

#define NODE "spiffe://" TEST_ORIGIN
#define SECRET "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void put(struct world *world, const char *name, const char *text)
{
    const char *path = test_path(world->fixture, world->fixture->folder, name);
    assert_ok(lb_file_write(path, lb_span_str(text), 0600));
}

static void tell(void *ctx, const char *what, uint64_t done, uint64_t all)
{
    struct world *world = ctx;
    (void)done;
    (void)all;
    world->told++;
    if (world->die && strcmp(what, "evidence.db") == 0)
        _exit(7);
    if (world->log != NULL)
        test_append(world->log, 1);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void world_remove(const char *path)
{
    if (access(path, F_OK) == 0)
        assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void world_begin(void **state, struct world *world)
{
    struct fixture *fixture = *state;
    *world = (struct world){.fixture = fixture, .watch = {tell, world}};
    world->out = test_path(fixture, fixture->root, "out");
    world_remove(world->out);
    world_remove(test_path(fixture, fixture->root, "own"));
    test_shard_begin(fixture, TEST_KEPT);
    assert_ok(lb_file_mkdirs(test_path(fixture, fixture->folder, "seen")));
    put(world, "closed.yaml", "department: open\n");
    put(world, "seen/peer", "12\n");
    put(world, "token.key", "not even a key\n");
    put(world, "odd-name", SECRET "\n");
    put(world, "closed.lock", "");
    put(world, "seen/peer.123.new", "half");
}

struct lb_backup_options world_options(struct world *world)
{
    return (struct lb_backup_options){
        .node = NODE,
        .version = "1",
        .state = world->fixture->folder,
        .out = world->out,
        .keys = world->keys,
        .num_keys = world->num_keys,
        .verifier = &world->fixture->verifier,
        .clock = &world->fixture->clock.clock,
        .disk = &world->fixture->disk.disk,
        .keep_free_bytes = WORLD_KEEP_FREE,
        .watch = &world->watch,
    };
}

lb_status world_make(struct world *world, struct lb_backup_result *out)
{
    const struct lb_backup_options options = world_options(world);
    lb_status status =
        lb_backup_make(&options, world->fixture->arena, &world->fixture->diag, out);
    if (status != LB_OK)
        assert_true(strlen(world->fixture->diag.text) > 20);
    return status;
}

lb_status world_check(struct world *world, struct lb_backup_result *out)
{
    lb_status status = lb_backup_check(world->out, &world->fixture->verifier, NULL,
                                       world->fixture->arena, &world->fixture->diag, out);
    if (status != LB_OK)
        assert_true(strlen(world->fixture->diag.text) > 20);
    return status;
}

void world_made(struct world *world, struct lb_backup_result *out)
{
    lb_status status = world_make(world, out);
    if (status != LB_OK)
        print_error("%s\n", world->fixture->diag.text);
    assert_ok(status);
}

const char *world_in(struct world *world, const char *name)
{
    return test_path(world->fixture, world->out, name);
}
