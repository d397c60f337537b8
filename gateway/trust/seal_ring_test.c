#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/b64.h"
#include "gateway/trust/fixture.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/seal_ring.h"

/* Sealing keys of a running node: published ahead, used, cut off, destroyed. */

struct world {
    struct fixture fx;
    const char *folder;
    struct lb_trust *trust;
    struct lb_seal_ring *ring;
    struct lb_diag diag;
    int64_t version;
    struct lb_x25519_key keys[4];  /* k1 .. k4 */
};

static const char *key_path(struct world *world, int number)
{
    return lb_arena_printf(world->fx.arena, "%s/k%d.key", world->folder, number);
}

static struct lb_json *entry_json(struct world *world, int number, int64_t not_after)
{
    struct lb_seal_key_entry entry = {
        .id = lb_arena_printf(world->fx.arena, "k%d", number), .not_after = not_after};
    struct lb_span signature;
    struct lb_json *json = lb_json_object();
    memcpy(entry.public_key, world->keys[number - 1].public_key, 32);
    assert_ok(lb_seal_key_sign(FX_ADAPTER, &entry, world->fx.log_key, world->fx.arena,
                               &signature));
    lb_json_set_cstr(json, "id", entry.id);
    lb_json_set_cstr(json, "key",
                     lb_b64url_encode(world->fx.arena, lb_span_of(entry.public_key, 32)));
    lb_json_set_int(json, "not_after", not_after);
    lb_json_set_str(json, "signature", signature);
    return json;
}

/* Publishes keys 1..num with these ends; 0 leaves one out. */
static void publish(struct world *world, const int64_t *ends, int num)
{
    struct lb_json *directory = fx_directory(&world->fx, ++world->version);
    struct lb_json *list = lb_json_array();
    for (int i = 0; i < num; i++) {
        if (ends[i] != 0)
            lb_json_append(list, entry_json(world, i + 1, ends[i]));
    }
    lb_json_set(fx_node(directory, FX_ADAPTER), "seal", list);
    fx_write_directory(&world->fx, fx_text(&world->fx, directory));
    if (world->trust != NULL)
        lb_trust_reload(world->trust);
}

static void write_key(struct world *world, int number)
{
    assert_ok(lb_keys_save_x25519(key_path(world, number), &world->keys[number - 1]));
}

static void write_entry(struct world *world, int number, int64_t not_after)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = entry_json(world, number, not_after);
    struct lb_span text;
    assert_ok(lb_json_dump(json, LB_JSON_COMPACT, world->fx.arena, &text));
    assert_ok(lb_file_write(lb_arena_printf(world->fx.arena, "%s/k%d.json", world->folder, number),
                            text, 0644));
}

static struct lb_seal_ring_options options_of(struct world *world)
{
    return (struct lb_seal_ring_options){.self = FX_ADAPTER,
                                         .trust = world->trust,
                                         .clock = &world->fx.clock.clock,
                                         .folder = world->folder};
}

static lb_status begin(struct world *world)
{
    const struct lb_seal_ring_options options = options_of(world);
    lb_seal_ring_free(world->ring);
    world->ring = NULL;
    world->diag.text[0] = 0;
    return lb_seal_ring_new(&options, &world->diag, &world->ring);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    fx_setup(&world->fx);
    world->folder = fx_path(&world->fx, "seal");
    assert_ok(lb_file_mkdirs(world->folder));
    for (int i = 0; i < 4; i++)
        assert_ok(lb_x25519_generate(&world->keys[i]));
    const int64_t ends[] = {FX_NOW + 1000};
    publish(world, ends, 1);
    world->trust = fx_trust(&world->fx);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    lb_seal_ring_free(world->ring);
    lb_trust_free(world->trust);
    fx_teardown(&world->fx);
    free(world);
    return 0;
}

static void assert_usable(struct world *world, int number, bool usable)
{
    struct lb_directory *directory = lb_trust_directory(world->trust);
    struct lb_own_key own = {.id = ""};
    const char *id = lb_arena_printf(world->fx.arena, "k%d", number);
    assert_code(lb_seal_ring_get(world->ring, directory, id, &own),
                usable ? LB_CODE_OK : LB_KEY_RETIRED);
    if (usable)
        assert_memory_equal(&own.key, &world->keys[number - 1], sizeof(own.key));
    lb_directory_unref(directory);
}

static const char *newest(struct world *world)
{
    struct lb_directory *directory = lb_trust_directory(world->trust);
    struct lb_own_key own[LB_SEAL_RING_MAX];
    size_t num = lb_seal_ring_list(world->ring, directory, own);
    lb_directory_unref(directory);
    return num == 0 ? "" : lb_arena_printf(world->fx.arena, "%s of %zu", own[0].id, num);
}

static void a_new_key_is_used_once_it_is_published(void **state)
{
    struct world *world = *state;
    write_key(world, 1);
    assert_ok(begin(world));
    assert_usable(world, 1, true);
    assert_usable(world, 2, false);
    write_key(world, 2);
    lb_seal_ring_tick(world->ring);
    assert_usable(world, 2, false); /* nobody has said how long it lives */
    write_entry(world, 2, FX_NOW + 7 * 86400);
    lb_seal_ring_tick(world->ring);
    assert_usable(world, 2, true); /* others may see it listed before we do */
    assert_string_equal(newest(world), "k1 of 1");
    const int64_t both[] = {FX_NOW + 1000, FX_NOW + 7 * 86400};
    publish(world, both, 2);
    assert_usable(world, 1, true); /* the old one still opens */
    assert_usable(world, 2, true);
    assert_string_equal(newest(world), "k1 of 2"); /* others may see it later */
    for (int i = 0; i < LB_SETTLE_TICKS; i++)
        lb_seal_ring_tick(world->ring);
    assert_string_equal(newest(world), "k2 of 2");
    const int64_t first[] = {FX_NOW + 1000};
    publish(world, first, 1);
    assert_usable(world, 2, false); /* it was listed, and is not any more */
    const int64_t late[] = {0, FX_NOW + 7 * 86400};
    publish(world, late, 2);
    assert_usable(world, 1, false);
    assert_string_equal(newest(world), "k2 of 1");
}

static void past_its_end_and_the_contexts_life_a_key_is_destroyed(void **state)
{
    struct world *world = *state;
    write_key(world, 1);
    write_entry(world, 1, FX_NOW + 1000);
    write_key(world, 2);
    const int64_t both[] = {FX_NOW + 1000, FX_NOW + 5 * 86400};
    publish(world, both, 2);
    assert_ok(begin(world));
    int fd = open(key_path(world, 1), O_RDONLY | O_CLOEXEC); /* a link to what lies on disk */
    assert_true(fd >= 0);
    fx_advance(&world->fx, 1000);
    lb_seal_ring_tick(world->ring);
    assert_usable(world, 1, false);
    assert_int_equal(access(key_path(world, 1), F_OK), 0);
    fx_advance(&world->fx, LB_CONTEXT_LIFE_S - 1);
    lb_seal_ring_tick(world->ring);
    assert_int_equal(access(key_path(world, 1), F_OK), 0);
    fx_advance(&world->fx, 1);
    lb_seal_ring_tick(world->ring);
    assert_int_not_equal(access(key_path(world, 1), F_OK), 0);
    char bytes[256];
    ssize_t len = read(fd, bytes, sizeof(bytes));
    assert_true(len > 32);
    for (ssize_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], 0);
    (void)close(fd);
    assert_usable(world, 2, true);
    assert_int_equal(access(key_path(world, 2), F_OK), 0);
}

/* Cut short, in the directory or beside the key: the earliest end holds, whatever comes later. */
static void an_end_only_comes_nearer(void **state)
{
    struct world *world = *state;
    write_key(world, 1);
    write_key(world, 2);
    const int64_t both[] = {FX_NOW + 1000, FX_NOW + 1000};
    publish(world, both, 2);
    assert_ok(begin(world));
    const int64_t cut[] = {FX_NOW - LB_CONTEXT_LIFE_S, FX_NOW + 1000};
    publish(world, cut, 2);
    lb_seal_ring_tick(world->ring);
    assert_int_not_equal(access(key_path(world, 1), F_OK), 0);
    publish(world, both, 2);
    lb_seal_ring_tick(world->ring);
    assert_usable(world, 1, false);
    assert_int_equal(access(key_path(world, 2), F_OK), 0);
    write_entry(world, 2, FX_NOW - LB_CONTEXT_LIFE_S);
    lb_seal_ring_tick(world->ring);
    assert_int_not_equal(access(key_path(world, 2), F_OK), 0);
}

static void a_key_that_somebody_removes_is_forgotten(void **state)
{
    struct world *world = *state;
    write_key(world, 1);
    assert_ok(begin(world));
    assert_usable(world, 1, true);
    assert_int_equal(unlink(key_path(world, 1)), 0);
    lb_seal_ring_tick(world->ring);
    assert_usable(world, 1, false);
}

/* The attack: a key that would open for a month. */
static void a_key_for_thirty_days_is_refused(void **state)
{
    struct world *world = *state;
    struct lb_directory *directory = NULL;
    write_key(world, 1);
    write_entry(world, 1, FX_NOW + 30 * 86400);
    assert_code(begin(world), LB_CONFIG_INVALID);
    assert_non_null(strstr(world->diag.text, "longer than 7 days"));
    write_entry(world, 1, FX_NOW + 7 * 86400);
    assert_ok(begin(world));

    write_key(world, 2); /* nor does a running node take it up */
    write_entry(world, 2, FX_NOW + 8 * 86400);
    lb_seal_ring_tick(world->ring);
    struct lb_json *listed = fx_directory(&world->fx, 9);
    struct lb_json *list = lb_json_array();
    lb_json_append(list, entry_json(world, 2, FX_NOW + 30 * 86400));
    lb_json_set(fx_node(listed, FX_ADAPTER), "seal", list);
    assert_code(lb_directory_check_text(lb_span_str(fx_text(&world->fx, listed)), FX_NOW,
                                        &world->diag, &directory),
                LB_DIRECTORY_INVALID);
    assert_non_null(strstr(world->diag.text, "longer than 7 days"));
}

static void what_others_could_read_is_refused(void **state)
{
    struct world *world = *state;
    assert_code(begin(world), LB_CONFIG_INVALID);
    assert_non_null(strstr(world->diag.text, "no sealing key"));
    write_key(world, 1);
    assert_int_equal(chmod(key_path(world, 1), 0640), 0);
    assert_code(begin(world), LB_CONFIG_INVALID);
    assert_non_null(strstr(world->diag.text, "mode 0600"));
    assert_int_equal(chmod(key_path(world, 1), 0600), 0);
    assert_int_equal(chmod(world->folder, 0755), 0);
    assert_code(begin(world), LB_CONFIG_INVALID);
    assert_non_null(strstr(world->diag.text, "chmod 700"));
    assert_int_equal(chmod(world->folder, 0700), 0);
    assert_ok(begin(world));
    world->keys[1] = world->keys[0];
    assert_ok(lb_x25519_generate(&world->keys[0])); /* another key under the published id */
    write_key(world, 1);
    assert_code(begin(world), LB_CONFIG_INVALID);
    assert_non_null(strstr(world->diag.text, "another key under this id"));
}

/* --- share keys --- */

static lb_status begin_shares(struct world *world)
{
    struct lb_seal_ring_options options = options_of(world);
    options.shares = true;
    lb_seal_ring_free(world->ring);
    world->ring = NULL;
    return lb_seal_ring_new(&options, &world->diag, &world->ring);
}

static void assert_at_hand(struct world *world, int number, enum lb_code code)
{
    struct lb_own_key own;
    const char *id = lb_arena_printf(world->fx.arena, "k%d", number);
    assert_code(lb_seal_ring_find(world->ring, id, world->keys[number - 1].public_key, &own),
                code);
}

/* It comes without a stop, serves the runs of its time, and is gone when they are over. */
static void a_share_key_outlives_its_runs(void **state)
{
    struct world *world = *state;
    assert_ok(begin_shares(world));
    assert_int_equal(lb_seal_ring_size(world->ring), 0);
    assert_int_equal(lb_seal_ring_size(NULL), 0);
    write_entry(world, 1, FX_NOW + 180 * 86400); /* longer than any sealing key */
    write_key(world, 1);
    write_entry(world, 2, FX_NOW + 100);
    write_key(world, 2);
    lb_seal_ring_tick(world->ring);
    assert_int_equal(lb_seal_ring_size(world->ring), 2);
    assert_at_hand(world, 1, LB_CODE_OK);
    assert_at_hand(world, 2, LB_CODE_OK);
    assert_at_hand(world, 3, LB_ABSENT);
    world->keys[2] = world->keys[0];
    assert_at_hand(world, 3, LB_ABSENT); /* the same key under another id */
    fx_advance(&world->fx, 100 + LB_SHARE_RUN_LIFE_S + LB_CLOCK_SKEW_S - 1);
    lb_seal_ring_tick(world->ring);
    assert_at_hand(world, 2, LB_CODE_OK);
    fx_advance(&world->fx, 1);
    lb_seal_ring_tick(world->ring);
    assert_at_hand(world, 2, LB_ABSENT);
    assert_int_not_equal(access(key_path(world, 2), F_OK), 0);
    assert_at_hand(world, 1, LB_CODE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_key_is_used_once_it_is_published, setup, teardown),
        cmocka_unit_test_setup_teardown(past_its_end_and_the_contexts_life_a_key_is_destroyed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_only_comes_nearer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_somebody_removes_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_for_thirty_days_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_others_could_read_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_share_key_outlives_its_runs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
