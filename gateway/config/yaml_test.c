#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/config/yaml.h"

static enum lb_code load_code(struct lb_span text, struct lb_diag *diag)
{
    struct lb_yaml *yaml = NULL;
    diag->text[0] = 0;
    lb_status status = lb_yaml_load_text(text, "f.yaml", diag, &yaml);
    assert_true((status == LB_OK) == (yaml != NULL));
    assert_true((status == LB_OK) == (diag->text[0] == 0));
    lb_yaml_free(yaml);
    return lb_status_code(status);
}

/* The text must be refused with a message that begins with `start` and has "; " and advice. */
static void refuses(const char *text, const char *start)
{
    struct lb_diag diag;
    enum lb_code code = load_code(lb_span_str(text), &diag);
    if (code != LB_CONFIG_INVALID || strncmp(diag.text, start, strlen(start)) != 0 ||
        strstr(diag.text, "; ") == NULL)
        fail_msg("\"%s\": %s \"%s\"", text, lb_code_name(code), diag.text);
}

static void accepts(const char *text)
{
    struct lb_diag diag;
    if (load_code(lb_span_str(text), &diag) != LB_CODE_OK)
        fail_msg("%s", diag.text);
}

static struct lb_yaml *loaded(const char *text)
{
    struct lb_diag diag = {""};
    struct lb_yaml *yaml = NULL;
    if (lb_yaml_load_text(lb_span_str(text), "f.yaml", &diag, &yaml) != LB_OK)
        fail_msg("%s", diag.text);
    return yaml;
}

static void broken_yaml_is_refused_with_its_line(void **state)
{
    (void)state;
    refuses("a: 1\nb: [1, 2\n", "f.yaml:3: not valid YAML: ");
    refuses("a: 1\n\tb: 2\n", "f.yaml:2: not valid YAML: ");
    refuses("a: 'x\n", "f.yaml:2: not valid YAML: ");
    refuses("a: 1\n  b: 2\n", "f.yaml:2: not valid YAML: ");
    refuses("a: 1\nb: \x01\n", "f.yaml:2: not valid YAML: ");
    refuses("a: @x\n", "f.yaml:1: not valid YAML: ");
    refuses("- a\nb: 1\n", "f.yaml:2: not valid YAML: ");
    refuses("a: \"\\q\"\n", "f.yaml:1: not valid YAML: ");
}

static void an_empty_file_is_refused(void **state)
{
    (void)state;
    refuses("", "f.yaml:1: the file is empty");
    refuses("# nothing\n\n", "f.yaml:3: the file is empty");
}

static void what_hides_meaning_is_refused(void **state)
{
    (void)state;
    refuses("a: &x 1\n", "f.yaml:1: anchors");
    refuses("a: 1\nb: &x [1]\n", "f.yaml:2: anchors");
    refuses("b: &x {c: 1}\n", "f.yaml:1: anchors");
    refuses("&x a: 1\n", "f.yaml:1: anchors");
    refuses("a: *x\n", "f.yaml:1: aliases");
    refuses("a: &x 1\nb: *x\n", "f.yaml:1: anchors");
    refuses("a: !!str 1\n", "f.yaml:1: tags");
    refuses("a: ! 1\n", "f.yaml:1: tags");
    refuses("a: !<tag:yaml.org,2002:int> 1\n", "f.yaml:1: tags");
    refuses("!!map {a: 1}\n", "f.yaml:1: tags");
    refuses("- x\n- !seq [a]\n", "f.yaml:2: tags");
    refuses("!!str a: 1\n", "f.yaml:1: tags");
    refuses("%YAML 1.1\n---\na: 1\n", "f.yaml:1: directives");
    refuses("%TAG !e! tag:x,2000:\n---\na: 1\n", "f.yaml:1: directives");
    refuses("a: 1\n---\nb: 2\n", "f.yaml:2: a second document");
    refuses("a: 1\n...\n---\n", "f.yaml:3: a second document");
    refuses("a: {b: 1}\n<<: {c: 1}\n", "f.yaml:2: merge keys");
    accepts("---\na: 1\n...\n");
    accepts("a: \"&x *x !x << --- %YAML\"\n");
}

static void keys_are_single_and_plain(void **state)
{
    (void)state;
    refuses("a: 1\nb: 2\na: 3\n", "f.yaml:3: key \"a\" is there twice (first in line 1)");
    refuses("a: 1\n\"a\": 1\n", "f.yaml:2: key \"a\" is there twice");
    refuses("x:\n  - {k: 1, 'k': 1}\n", "f.yaml:2: key \"k\" is there twice");
    refuses("a: 1\n\"\\x61\": 1\n", "f.yaml:2: key \"a\" is there twice");
    refuses("? [a]\n: 1\n", "f.yaml:1: a key must be");
    refuses("? {a: 1}\n: 1\n", "f.yaml:1: a key must be");
    refuses("\"\": 1\n", "f.yaml:1: a key is empty");
    refuses(": 1\n", "f.yaml:1: not valid YAML");
    refuses("\"a\\0b\": 1\n", "f.yaml:1: a NUL");
    accepts("a: {k: 1}\nb: {k: 1}\nA: 1\n");
}

static void text_must_be_utf8(void **state)
{
    (void)state;
    struct lb_diag diag;
    refuses("a: 1\nb: \xff\n", "f.yaml:2: not UTF-8");
    refuses("a: \xD6\xD0\n", "f.yaml:1: not UTF-8");
    refuses("\xEF\xBB\xBF""a: 1\n", "f.yaml:1: a byte order mark");
    refuses("\xff\xfe""a\n", "f.yaml:1: not UTF-8");
    refuses("a: \"x\\0y\"\n", "f.yaml:1: a NUL");
    assert_int_equal(load_code(lb_span_of("a: 1\n\0", 6), &diag), LB_CONFIG_INVALID);
    assert_int_equal(load_code(lb_span_of("a\0:\0 \0b\0", 8), &diag), LB_CONFIG_INVALID);
    accepts("名称: 民政\n");
}

static void nesting_stops_at_sixteen_levels(void **state)
{
    (void)state;
    static const char open[] = "[[[[[[[[[[[[[[[[[";
    static const char close[] = "]]]]]]]]]]]]]]]]]";
    char text[64];
    (void)snprintf(text, sizeof(text), "%.16s%.16s", open, close);
    accepts(text);
    (void)snprintf(text, sizeof(text), "\n%.17s%.17s", open, close);
    refuses(text, "f.yaml:2: nested too deeply");
    accepts("{a: [], b: [], c: [[[[[[[[[[[[[[]]]]]]]]]]]]]], d: [[[[[[[[[[[[[[]]]]]]]]]]]]]]}");
}

static char *repeated(const char *with, size_t count)
{
    size_t len = strlen(with);
    char *text = malloc(len * count + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, with, len);
    text[len * count] = 0;
    return text;
}

static void bombs_are_refused(void **state)
{
    (void)state;
    char *text = repeated("[", LB_MAX_CONFIG_FILE_BYTES);
    refuses(text, "f.yaml:1: nested too deeply");
    free(text);
    text = repeated("- 1\n", LB_MAX_YAML_NODES);
    refuses(text, "f.yaml:65536: too many values");
    text[strlen(text) - 4] = 0;
    accepts(text);
    free(text);
    text = repeated("? ", 4000);
    refuses(text, "f.yaml:1: ");
    free(text);
    static char map[(LB_MAX_YAML_MEMBERS + 1) * 16];
    size_t len = 0;
    for (unsigned i = 0; i <= LB_MAX_YAML_MEMBERS; i++)
        len += (size_t)snprintf(map + len, sizeof(map) - len, "k%u: 1\n", i);
    refuses(map, "f.yaml:4097: too many keys");
}

static void a_large_file_is_refused(void **state)
{
    (void)state;
    struct lb_diag diag;
    char *text = repeated("#", LB_MAX_CONFIG_FILE_BYTES + 1);
    assert_int_equal(load_code(lb_span_str(text), &diag), LB_TOO_LARGE);
    assert_string_equal(diag.text, "f.yaml: larger than 1048576 bytes; split it");
    free(text);
}

static void unreadable_files_are_told(void **state)
{
    (void)state;
    struct lb_diag diag = {""};
    struct lb_yaml *yaml = NULL;
    lb_status status = lb_yaml_load_file("/nonexistent/x.yaml", &diag, &yaml);
    assert_int_equal(lb_status_code(status), LB_FILE_FAILED);
    assert_non_null(strstr(diag.text, "/nonexistent/x.yaml: "));
    assert_int_equal(lb_status_code(lb_yaml_load_file("/tmp", &diag, &yaml)), LB_FILE_FAILED);
    assert_null(yaml);
}

static void a_file_is_read(void **state)
{
    (void)state;
    char path[] = "/tmp/lb_yaml_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: 1\nb: [\n", 5), 5);
    struct lb_diag diag = {""};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    assert_null(lb_yaml_load_file(path, &diag, &yaml));
    assert_true(lb_span_is(lb_yaml_bytes(yaml), "a: 1\n"));
    assert_int_equal(lb_yaml_len(lb_yaml_root(yaml)), 1);
    assert_int_equal(write(fd, "b: [", 4), 4);
    struct lb_yaml *bad = NULL;
    assert_int_equal(lb_status_code(lb_yaml_load_file(path, &diag, &bad)), LB_CONFIG_INVALID);
    assert_memory_equal(diag.text, path, strlen(path));
    assert_null(bad);
    (void)close(fd);
    (void)unlink(path);
}

static void unknown_keys_are_named_with_the_known_ones(void **state)
{
    (void)state;
    static const char *const keys[] = {"view", "version", "query", NULL};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = loaded("view: x\nversion: 1\n\ncolum: y\n");
    struct lb_diag diag = {""};
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    assert_int_equal(lb_status_code(lb_yaml_only(root, keys, &diag)), LB_CONFIG_INVALID);
    assert_string_equal(diag.text,
                        "f.yaml:4: unknown key \"colum\"; known keys: view, version, query");
    assert_int_equal(lb_status_code(lb_yaml_only(lb_yaml_get(root, "view"), keys, &diag)),
                     LB_CONFIG_INVALID);
    assert_string_equal(diag.text, "f.yaml:1: view must be a map; write \"key: value\" lines");
    LB_DEFER(lb_yaml_freep) struct lb_yaml *good = loaded("query: x\nview: y\n");
    assert_null(lb_yaml_only(lb_yaml_root(good), keys, &diag));
    LB_DEFER(lb_yaml_freep) struct lb_yaml *list = loaded("- view\n");
    assert_int_equal(lb_status_code(lb_yaml_only(lb_yaml_root(list), keys, &diag)),
                     LB_CONFIG_INVALID);
}

static void a_key_that_may_be_a_value_is_not_shown(void **state)
{
    (void)state;
    static const char *const keys[] = {"id_no", NULL}, *const texts[] = {
        "id_no\"990101\": x", "99010119800101201X: x", "张三: x"};
    for (size_t i = 0; i < 3; i++) {
        LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = loaded(texts[i]);
        struct lb_diag diag = {""};
        assert_non_null(lb_yaml_only(lb_yaml_root(yaml), keys, &diag));
        assert_non_null(strstr(diag.text, "unknown key \"(not shown)\"; known keys: id_no"));
    }
}

static void a_long_list_of_known_keys_is_cut(void **state)
{
    (void)state;
    static char name[400];
    memset(name, 'k', sizeof(name) - 1);
    const char *const keys[] = {name, name, name, name, NULL};
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = loaded("other: 1\n");
    struct lb_diag diag = {""};
    assert_int_equal(lb_status_code(lb_yaml_only(lb_yaml_root(yaml), keys, &diag)),
                     LB_CONFIG_INVALID);
    assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
}

static void the_tree_keeps_order_and_lines(void **state)
{
    (void)state;
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml =
        loaded("z: 1\na:\n  - x\n  -\n    k: v\nm: |\n  two\n  lines\n");
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    const char *key = "untouched";
    static const char *const keys[] = {"z", "a", "m"};
    assert_int_equal(lb_yaml_kind_of(root), LB_YAML_MAP);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(lb_yaml_member(root, i, &key), lb_yaml_get(root, keys[i]));
        assert_string_equal(key, keys[i]);
    }
    assert_null(lb_yaml_member(root, 3, &key));
    assert_string_equal(key, "m");
    const struct lb_yaml_node *list = lb_yaml_get(root, "a");
    assert_int_equal(lb_yaml_kind_of(list), LB_YAML_LIST);
    assert_int_equal(lb_yaml_len(list), 2);
    assert_int_equal(lb_yaml_line(lb_yaml_item(list, 0)), 3);
    assert_int_equal(lb_yaml_line(lb_yaml_get(lb_yaml_item(list, 1), "k")), 5);
    assert_null(lb_yaml_item(list, 2));
    assert_null(lb_yaml_item(root, 0));
    assert_null(lb_yaml_member(list, 0, &key));
    assert_null(lb_yaml_get(list, "x"));
    assert_int_equal(lb_yaml_len(lb_yaml_item(list, 0)), 0);
    struct lb_diag diag = {""};
    const char *text = NULL;
    assert_null(lb_yaml_text(lb_yaml_get(root, "m"), &diag, &text));
    assert_string_equal(text, "two\nlines\n");
}

static void integers_are_plain_decimal(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "x", "\"1\"", "'1'", "+1", "01", "-0", "1.0", "1e3", "0x10", "0o7", "1_000", "1:30",
        "~", "", "true", "[1]", "{a: 1}", "9223372036854775808", "-9223372036854775809", "|\n 1",
        "1 000", "１"};
    struct lb_diag diag = {""};
    int64_t value = 77;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "n: %s\n", bad[i]);
        LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = loaded(text);
        if (lb_status_code(lb_yaml_need_int(lb_yaml_root(yaml), "n", INT64_MIN, INT64_MAX, &diag,
                                            &value)) != LB_CONFIG_INVALID)
            fail_msg("accepted: %s", text);
    }
    assert_int_equal(value, 77);
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml =
        loaded("low: -9223372036854775808\nhigh: 9223372036854775807\nzero: 0\n");
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    assert_null(lb_yaml_need_int(root, "low", INT64_MIN, INT64_MAX, &diag, &value));
    assert_true(value == INT64_MIN);
    assert_null(lb_yaml_need_int(root, "high", INT64_MIN, INT64_MAX, &diag, &value));
    assert_true(value == INT64_MAX);
    assert_null(lb_yaml_opt_int(root, "zero", 0, 0, 5, &diag, &value));
    assert_int_equal(value, 0);
    assert_int_equal(lb_status_code(lb_yaml_need_int(root, "zero", 1, 9, &diag, &value)),
                     LB_CONFIG_INVALID);
    assert_string_equal(diag.text, "f.yaml:3: zero must be a whole number from 1 to 9; write its "
                                   "digits without quotes");
}

static void truth_is_true_or_false_only(void **state)
{
    (void)state;
    static const char *const bad[] = {"yes", "no", "on", "True", "FALSE", "\"true\"", "1", "~", "",
                                      "[true]"};
    struct lb_diag diag = {""};
    bool value = false;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "b: %s\n", bad[i]);
        LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = loaded(text);
        assert_int_equal(
            lb_status_code(lb_yaml_opt_bool(lb_yaml_root(yaml), "b", true, &diag, &value)),
            LB_CONFIG_INVALID);
    }
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = loaded("t: true\nf: false\n");
    assert_null(lb_yaml_opt_bool(lb_yaml_root(yaml), "t", false, &diag, &value));
    assert_true(value);
    assert_null(lb_yaml_opt_bool(lb_yaml_root(yaml), "f", true, &diag, &value));
    assert_false(value);
    assert_null(lb_yaml_opt_bool(lb_yaml_root(yaml), "x", true, &diag, &value));
    assert_true(value);
}

static void text_is_what_stands_there(void **state)
{
    (void)state;
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml =
        loaded("code: 01\nno: NO\nempty: \"\"\nnull_text: \"null\"\nout:\ntilde: ~\nnil: null\n"
               "list: [a]\n");
    const struct lb_yaml_node *root = lb_yaml_root(yaml);
    struct lb_diag diag = {""};
    const char *text = NULL;
    assert_null(lb_yaml_need_text(root, "code", &diag, &text));
    assert_string_equal(text, "01");
    assert_null(lb_yaml_need_text(root, "no", &diag, &text));
    assert_string_equal(text, "NO");
    assert_null(lb_yaml_need_text(root, "empty", &diag, &text));
    assert_string_equal(text, "");
    assert_null(lb_yaml_need_text(root, "null_text", &diag, &text));
    assert_string_equal(text, "null");
    static const char *const bad[] = {"out", "tilde", "nil", "list", "missing"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(lb_status_code(lb_yaml_need_text(root, bad[i], &diag, &text)),
                         LB_CONFIG_INVALID);
    assert_string_equal(diag.text, "f.yaml:1: key \"missing\" is missing; add it");
    assert_string_equal(text, "null");
    assert_null(lb_yaml_opt_text(root, "missing", NULL, &diag, &text));
    assert_null(text);
    /* A default never hides that there is no map to look in. */
    const struct lb_yaml_node *list = lb_yaml_get(root, "list");
    assert_int_equal(lb_status_code(lb_yaml_opt_text(list, "x", "y", &diag, &text)),
                     LB_CONFIG_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_yaml_is_refused_with_its_line),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(what_hides_meaning_is_refused),
        cmocka_unit_test(keys_are_single_and_plain),
        cmocka_unit_test(text_must_be_utf8),
        cmocka_unit_test(nesting_stops_at_sixteen_levels),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(a_large_file_is_refused),
        cmocka_unit_test(unreadable_files_are_told),
        cmocka_unit_test(a_file_is_read),
        cmocka_unit_test(unknown_keys_are_named_with_the_known_ones),
        cmocka_unit_test(a_key_that_may_be_a_value_is_not_shown),
        cmocka_unit_test(a_long_list_of_known_keys_is_cut),
        cmocka_unit_test(the_tree_keeps_order_and_lines),
        cmocka_unit_test(integers_are_plain_decimal),
        cmocka_unit_test(truth_is_true_or_false_only),
        cmocka_unit_test(text_is_what_stands_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
