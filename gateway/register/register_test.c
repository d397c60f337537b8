#include <ftw.h>
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
#include "gateway/register/register.h"
#include "gateway/store/store.h"

#define NOW INT64_C(1800000000)
#define assert_code(status, code)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(status)), lb_code_name(code))
#define assert_ok(status) assert_code(status, LB_CODE_OK)

struct world {
    char folder[64];
    char path[96];  /* of the register's folder */
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_register *reg;
};

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)snprintf(world->folder, sizeof(world->folder), "/tmp/lianban-register-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->path, sizeof(world->path), "%s/operators", world->folder);
    world->arena = lb_arena_new(64 * 1024 * 1024);
    assert_ok(lb_register_open(world->path, true, &world->diag, &world->reg));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    lb_register_close(world->reg);
    lb_arena_free(world->arena);
    (void)nftw(world->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

static struct lb_register_entry sample(const char *badge, const char *id_no)
{
    static const uint8_t key[32] = {7};
    struct lb_register_entry entry = {
        .badge = badge, .unit = "窗口3", .not_before = NOW, .not_after = NOW + 1000};
    lb_register_hash(key, id_no, entry.hash);
    return entry;
}

static void what_is_added_is_found_by_badge_and_by_person(void **state)
{
    struct world *world = *state;
    const char *relatives[] = {"00112233445566778899aabbccddeeff",
                               "ffeeddccbbaa99887766554433221100"};
    struct lb_register_entry entry = sample("W-1", "990101198001010016"), got;
    entry.has_device = true;
    memset(entry.device, 9, sizeof(entry.device));
    entry.num_relatives = 2;
    entry.relatives = relatives;
    assert_ok(lb_register_add(world->reg, &entry, "root", NOW));
    assert_ok(lb_register_find(world->reg, "W-1", world->arena, &got));
    assert_string_equal(got.unit, "窗口3");
    assert_string_equal(got.hash, entry.hash);
    assert_true(got.has_device);
    assert_memory_equal(got.device, entry.device, sizeof(got.device));
    assert_int_equal(got.num_relatives, 2);
    assert_string_equal(got.relatives[0], relatives[0]);
    assert_int_equal(got.not_after, NOW + 1000);
    assert_ok(lb_register_find_hash(world->reg, entry.hash, world->arena, &got));
    assert_string_equal(got.badge, "W-1");
    assert_code(lb_register_find(world->reg, "w-1", world->arena, &got), LB_BADGE_UNKNOWN);
    assert_code(lb_register_find(world->reg, "\xff", world->arena, &got), LB_BADGE_UNKNOWN);
    assert_code(lb_register_find_hash(world->reg, "W-1", world->arena, &got), LB_BADGE_UNKNOWN);
}

/* One person has one badge, or a suspension would be half of one. */
static void a_badge_and_a_person_come_once(void **state)
{
    struct world *world = *state;
    struct lb_register_entry entry = sample("W-1", "a"), same = sample("W-1", "b"),
                             other = sample("W-2", "a"), *list = NULL;
    size_t num = 0;
    assert_ok(lb_register_add(world->reg, &entry, "root", NOW));
    assert_code(lb_register_add(world->reg, &same, "root", NOW), LB_STORE_CONFLICT);
    assert_code(lb_register_add(world->reg, &other, "root", NOW), LB_STORE_CONFLICT);
    assert_ok(lb_register_list(world->reg, world->arena, &list, &num));
    assert_int_equal(num, 1);
}

static void impossible_entries_are_refused(void **state)
{
    struct world *world = *state;
    const char *relative[] = {"330102199001011234"};
    struct lb_register_entry entry = sample("W-1", "a");
    static const char *const words[] = {"", "a b", "a\nb", "\x7f",
                                        ("0123456789012345678901234567890123456789"
                                         "0123456789012345678901234")};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        entry.badge = words[i];
        assert_code(lb_register_add(world->reg, &entry, "root", NOW), LB_MALFORMED);
        entry.badge = "W-1";
        entry.unit = words[i];
        assert_code(lb_register_add(world->reg, &entry, "root", NOW), LB_MALFORMED);
        entry.unit = "u";
    }
    entry.not_after = entry.not_before;
    assert_code(lb_register_add(world->reg, &entry, "root", NOW), LB_MALFORMED);
    entry = sample("W-1", "a");
    entry.num_relatives = 1;
    entry.relatives = relative; /* a number itself must never get in */
    assert_code(lb_register_add(world->reg, &entry, "root", NOW), LB_MALFORMED);
    entry = sample("W-1", "a");
    entry.hash[0] = 'G';
    assert_code(lb_register_add(world->reg, &entry, "root", NOW), LB_MALFORMED);
}

static void validity_and_suspension(void **state)
{
    struct world *world = *state;
    struct lb_register_entry entry = sample("W-1", "a"), got;
    assert_ok(lb_register_add(world->reg, &entry, "root", NOW));
    assert_ok(lb_register_find(world->reg, "W-1", world->arena, &got));
    assert_ok(lb_register_may_serve(&got, NOW));
    assert_ok(lb_register_may_serve(&got, NOW + 999));
    assert_code(lb_register_may_serve(&got, NOW - 1), LB_BADGE_EXPIRED);
    assert_code(lb_register_may_serve(&got, NOW + 1000), LB_BADGE_EXPIRED);
    assert_ok(lb_register_suspend(world->reg, "W-1", true, "root", NOW));
    assert_ok(lb_register_find(world->reg, "W-1", world->arena, &got));
    assert_code(lb_register_may_serve(&got, NOW), LB_BADGE_SUSPENDED);
    assert_code(lb_register_suspend(world->reg, "W-9", true, "root", NOW), LB_BADGE_UNKNOWN);
}

static void every_change_waits_until_it_is_evidence(void **state)
{
    struct world *world = *state;
    struct lb_register_entry entry = sample("W-1", "a");
    struct lb_register_change *changes = NULL;
    size_t num = 0;
    assert_ok(lb_register_add(world->reg, &entry, "root", NOW));
    assert_ok(lb_register_suspend(world->reg, "W-1", true, "chief", NOW + 1));
    assert_ok(lb_register_suspend(world->reg, "W-1", true, "chief", NOW + 2)); /* no change */
    assert_ok(lb_register_suspend(world->reg, "W-1", false, "chief", NOW + 3));
    assert_ok(lb_register_note_token(world->reg, "W-1", "chief", NOW + 4));
    assert_ok(lb_register_pending(world->reg, world->arena, &changes, &num));
    static const char *const what[] = {"OPERATOR_ADDED", "OPERATOR_SUSPENDED", "OPERATOR_RESUMED",
                                       "OPERATOR_TOKEN"};
    assert_int_equal(num, 4);
    for (size_t i = 0; i < num; i++) {
        assert_string_equal(changes[i].what, what[i]);
        assert_string_equal(changes[i].badge, "W-1");
        assert_string_equal(changes[i].by, i == 0 ? "root" : "chief");
        assert_ok(lb_register_evidenced(world->reg, changes[i].seq, i));
    }
    assert_ok(lb_register_pending(world->reg, world->arena, &changes, &num));
    assert_int_equal(num, 0);
}

/* The command beside the running agent: two openings of one file. */
static void two_hold_it_at_once(void **state)
{
    struct world *world = *state;
    struct lb_register *other = NULL;
    struct lb_register_entry got;
    assert_ok(lb_register_open(world->path, false, &world->diag, &other));
    for (int i = 0; i < 50; i++) {
        char badge[16];
        (void)snprintf(badge, sizeof(badge), "W-%d", i);
        struct lb_register_entry entry = sample(badge, badge);
        assert_ok(lb_register_add(i % 2 == 0 ? world->reg : other, &entry, "root", NOW));
        assert_ok(lb_register_find(i % 2 == 0 ? other : world->reg, badge, world->arena, &got));
        assert_ok(lb_register_suspend(other, badge, true, "root", NOW));
        assert_ok(lb_register_find(world->reg, badge, world->arena, &got));
        assert_true(got.suspended);
    }
    lb_register_close(other);
}

static void what_is_open_to_others_is_refused(void **state)
{
    struct world *world = *state;
    struct lb_register *other = NULL;
    char file[160];
    (void)snprintf(file, sizeof(file), "%s/register.db", world->path);
    struct stat info;
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(world->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(chmod(world->path, 0750), 0);
    assert_code(lb_register_open(world->path, true, &world->diag, &other), LB_FILE_FAILED);
    assert_non_null(strstr(world->diag.text, "chmod 700"));
    assert_int_equal(chmod(world->path, 0700), 0);
    assert_int_equal(chmod(file, 0604), 0);
    assert_code(lb_register_open(world->path, true, &world->diag, &other), LB_FILE_FAILED);
    assert_non_null(strstr(world->diag.text, "chmod 600"));
    assert_int_equal(chmod(file, 0600), 0);
    assert_code(lb_register_open(world->folder, false, &world->diag, &other), LB_FILE_FAILED);
    assert_code(lb_register_open("/nonexistent/x", false, &world->diag, &other), LB_FILE_FAILED);
}

/* The key makes the hash: without it a number can't be tried. */
static void the_hash_is_keyed_and_labelled(void **state)
{
    (void)state;
    static const uint8_t one[32] = {1}, two[32] = {2};
    char a[LB_REGISTER_HASH_CHARS + 1], b[LB_REGISTER_HASH_CHARS + 1];
    lb_register_hash(one, "990101198001010016", a);
    lb_register_hash(two, "990101198001010016", b);
    assert_string_not_equal(a, b);
    lb_register_hash(one, "990101198001010017", b);
    assert_string_not_equal(a, b);
    /* python3 -c 'import hmac;print(hmac.new(b"\1"+bytes(31),
     * b"lianban person v1990101198001010016","sha256").hexdigest()[:32])' */
    assert_string_equal(a, "b54b6fcdde7e053df6e697a85cf4e14c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_added_is_found_by_badge_and_by_person, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_badge_and_a_person_come_once, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_entries_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(validity_and_suspension, setup, teardown),
        cmocka_unit_test_setup_teardown(every_change_waits_until_it_is_evidence, setup, teardown),
        cmocka_unit_test_setup_teardown(two_hold_it_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_open_to_others_is_refused, setup, teardown),
        cmocka_unit_test(the_hash_is_keyed_and_labelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
