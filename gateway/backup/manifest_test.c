#include "gateway/backup/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct lb_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = lb_arena_new(64U << 20);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    lb_arena_free(arena);
    return 0;
}

static struct lb_backup_manifest sample(struct lb_backup_file *files, size_t num)
{
    return (struct lb_backup_manifest){.node = "spiffe://f/adapter/tax", .version = "0.1.0",
                                       .time_ms = 1763700000000, .origin = "f/adapter/tax",
                                       .log_size = 7, .files = files, .num_files = num};
}

static enum lb_code written(const struct lb_backup_manifest *manifest)
{
    struct lb_span text;
    return lb_status_code(lb_backup_manifest_write(manifest, arena, &text));
}

static enum lb_code read_text(const char *text)
{
    struct lb_backup_manifest manifest;
    return lb_status_code(lb_backup_manifest_read(lb_span_str(text), arena, &manifest));
}

static void what_is_written_is_read_again(void **state)
{
    struct lb_backup_file files[] = {{.name = "state/a", .size = 3, .sha256 = {1, 2}},
                                     {.name = "state/b/\xe7\xa8\x8e", .size = 0}};
    const struct lb_backup_manifest manifest = sample(files, 2);
    struct lb_backup_manifest again;
    struct lb_span text;
    (void)state;
    assert_null(lb_backup_manifest_write(&manifest, arena, &text));
    assert_null(lb_backup_manifest_read(text, arena, &again));
    assert_string_equal(again.node, manifest.node);
    assert_string_equal(again.origin, manifest.origin);
    assert_int_equal(again.time_ms, manifest.time_ms);
    assert_int_equal(again.log_size, 7);
    assert_int_equal(again.num_files, 2);
    assert_string_equal(again.files[1].name, files[1].name);
    assert_memory_equal(again.files[0].sha256, files[0].sha256, 32);
    assert_int_equal(again.files[0].size, 3);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = {"", "/etc/passwd", "state", "state/", "keys/log.pem",
                                      "state/../x", "state/a/..", "state/./a", "state//a",
                                      "state/a/", "state/a\nb", "state/a\\b", "state/\xff",
                                      "manifest.json", "State/a"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_backup_file file = {.name = bad[i]};
        const struct lb_backup_manifest manifest = sample(&file, 1);
        assert_false(lb_backup_name_good(bad[i]));
        assert_int_equal(written(&manifest), LB_MALFORMED);
    }
    assert_true(lb_backup_name_good("state/..a"));
}

static void files_stand_in_order_and_once(void **state)
{
    struct lb_backup_file twice[] = {{.name = "state/a"}, {.name = "state/a"}};
    struct lb_backup_file turned[] = {{.name = "state/b"}, {.name = "state/a"}};
    const struct lb_backup_manifest first = sample(twice, 2);
    const struct lb_backup_manifest second = sample(turned, 2);
    (void)state;
    assert_int_equal(written(&first), LB_MALFORMED);
    assert_int_equal(written(&second), LB_MALFORMED);
}

#define LOG "\"log\":{\"origin\":\"o\",\"size\":1,\"root\":\"" HEX "\"}"
#define HEAD "{\"format\":\"lianban-backup-1\",\"node\":\"n\",\"version\":\"v\",\"time_ms\":1,"
#define FILE_OF(name_, size_)                                                                      \
    "{\"name\":\"" name_ "\",\"size\":" size_ ",\"sha256\":\"" HEX "\"}"

static void what_is_no_manifest_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "{", "[]", "{}", "1",
        "{\"format\":\"lianban-backup-2\",\"node\":\"n\",\"version\":\"v\",\"time_ms\":1," LOG
        ",\"files\":[]}",
        HEAD LOG "}",
        HEAD "\"files\":[]}",
        HEAD LOG ",\"files\":{}}",
        HEAD LOG ",\"files\":[1]}",
        HEAD LOG ",\"files\":[],\"more\":1}",
        HEAD LOG ",\"files\":[" FILE_OF("state/a", "-1") "]}",
        HEAD LOG ",\"files\":[" FILE_OF("state/a", "\"1\"") "]}",
        HEAD LOG ",\"files\":[" FILE_OF("state/../a", "1") "]}",
        HEAD LOG ",\"files\":[" FILE_OF("state/b", "1") "," FILE_OF("state/a", "1") "]}",
        HEAD LOG ",\"files\":[" FILE_OF("state/a", "1") "," FILE_OF("state/a", "1") "]}",
        HEAD LOG ",\"files\":[{\"name\":\"state/a\",\"size\":1,\"sha256\":\"00\"}]}",
        HEAD "\"log\":{\"origin\":\"o\",\"size\":-1,\"root\":\"" HEX "\"},\"files\":[]}",
    };
    (void)state;
    assert_int_equal(read_text(HEAD LOG ",\"files\":[" FILE_OF("state/a", "1") "]}"), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(read_text(bad[i]), LB_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(files_stand_in_order_and_once),
        cmocka_unit_test(what_is_no_manifest_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
