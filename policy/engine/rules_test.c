#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "policy/engine/rules.h"

#define HEAD                                                                                       \
    "rules: reference\n"                                                                           \
    "version: 3\n"                                                                                 \
    "in_force: 2026-07-01\n"                                                                       \
    "title: {zh: 参考, en: Reference}\n"

static const char whole[] = HEAD
    "thresholds:\n"
    "  std.dibao: {value: 145000, unit: cents, source: 京民社救发}\n"
    "  age.old: {value: 60, unit: years, source: SAL}\n"
    "  rigid.ratio: {value: 6000, unit: bp, source: local}\n"
    "sets:\n"
    "  disability.severe: {codes: [\"21\", \"1\", \"11\", \"12\"], source: CDPF}\n"
    "tables:\n"
    "  student.level: {map: {\"31\": senior, \"21\": compulsory}, source: MOE}\n"
    "edges:\n"
    "  capital.bands: {edges: [-5, 0, 10000000], source: local}\n";

static enum lb_code load(const char *text, struct lb_diag *diag, struct lb_rules **out)
{
    diag->text[0] = '\0';
    return lb_status_code(lb_rules_load_text(lb_span_str(text), "r.yaml", diag, out));
}

/* A mistake must be told with file and line, and the advice must hold the words. */
static void refused(const char *body, const char *line, const char *words)
{
    struct lb_diag diag;
    struct lb_rules *rules = NULL;
    char text[4096];
    (void)snprintf(text, sizeof(text), "%s%s", HEAD, body);
    assert_int_equal(load(text, &diag, &rules), LB_CONFIG_INVALID);
    assert_null(rules);
    if (strncmp(diag.text, line, strlen(line)) != 0 || strstr(diag.text, words) == NULL)
        fail_msg("\"%s\" for %s", diag.text, body);
}

static void wrong_thresholds_are_refused(void **state)
{
    (void)state;
    refused("thresholds: {}\n", "r.yaml:5:", "1 to");
    refused("thresholds: [a]\n", "r.yaml:5:", "map");
    refused("thresholds:\n  a: {value: 1, unit: yuan, source: x}\n", "r.yaml:6:", "unit");
    refused("thresholds:\n  a: {value: -1, unit: cents, source: x}\n", "r.yaml:6:", "");
    refused("thresholds:\n  a: {value: 1.5, unit: cents, source: x}\n", "r.yaml:6:", "");
    refused("thresholds:\n  a: {value: 1000000000000001, unit: cents, source: x}\n", "r.yaml:6:",
            "");
    refused("thresholds:\n  a: {value: 1, unit: cents}\n", "r.yaml:6:", "source");
    refused("thresholds:\n  a: {value: 1, unit: cents, source: \"\"}\n", "r.yaml:6:", "text");
    refused("thresholds:\n  a: {value: 1, source: x}\n", "r.yaml:6:", "unit");
    refused("thresholds:\n  a: {value: 1, unit: cents, source: x, note: y}\n", "r.yaml:6:", "note");
    refused("thresholds:\n  A: {value: 1, unit: cents, source: x}\n", "r.yaml:6:", "lower-case");
    refused("thresholds:\n  1a: {value: 1, unit: cents, source: x}\n", "r.yaml:6:", "letter");
    refused("thresholds:\n"
            "  a.b: {value: 1, unit: cents, source: x}\n"
            "  a_b: {value: 2, unit: cents, source: x}\n",
            "r.yaml:7:", "rename");
}

static void wrong_sets_tables_and_edges_are_refused(void **state)
{
    (void)state;
    refused("sets:\n  a: {codes: [], source: x}\n", "r.yaml:6:", "1 to");
    refused("sets:\n  a: {codes: {b: c}, source: x}\n", "r.yaml:6:", "list");
    refused("sets:\n  a: {codes: [\"1\", \"2\", \"1\"], source: x}\n", "r.yaml:6:", "twice");
    refused("sets:\n  a: {codes: [\"1\"]}\n", "r.yaml:6:", "source");
    refused("sets:\n  a: {codes: [[\"1\"]], source: x}\n", "r.yaml:6:", "");
    refused("tables:\n  a: {map: {}, source: x}\n", "r.yaml:6:", "1 to");
    refused("tables:\n  a: {map: [b], source: x}\n", "r.yaml:6:", "map");
    refused("tables:\n  a: {map: {b: Big}, source: x}\n", "r.yaml:6:", "lower-case");
    refused("tables:\n  a: {map: {b: c, b: d}, source: x}\n", "r.yaml:6:", "");
    refused("edges:\n  a: {edges: [], source: x}\n", "r.yaml:6:", "1 to");
    refused("edges:\n  a: {edges: [1, 1], source: x}\n", "r.yaml:6:", "rise");
    refused("edges:\n  a: {edges: [2, 1], source: x}\n", "r.yaml:6:", "rise");
    refused("edges:\n  a: {edges: [1, x], source: x}\n", "r.yaml:6:", "");
    refused("limits: {}\n", "r.yaml:", "limits");
}

static void wrong_heads_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "[]\n",
        "rules: reference\n",
        "rules: Reference\nversion: 1\nin_force: 2026-07-01\ntitle: {zh: a, en: b}\n",
        "rules: r\nversion: 0\nin_force: 2026-07-01\ntitle: {zh: a, en: b}\n",
        "rules: r\nversion: 1\nin_force: 2026-02-30\ntitle: {zh: a, en: b}\n",
        "rules: r\nversion: 1\nin_force: soon\ntitle: {zh: a, en: b}\n",
        "rules: r\nversion: 1\nin_force: 2026-07-01\ntitle: {zh: a}\n",
        "rules: r\nversion: 1\nin_force: 2026-07-01\ntitle: a\n",
        "rules: r\nversion: 4294967296\nin_force: 2026-07-01\ntitle: {zh: a, en: b}\n",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_diag diag;
        struct lb_rules *rules = NULL;
        assert_int_equal(load(wrong[i], &diag, &rules), LB_CONFIG_INVALID);
        assert_null(rules);
        assert_true(strlen(diag.text) > 0);
    }
}

static void a_whole_file_is_read(void **state)
{
    (void)state;
    struct lb_diag diag;
    struct lb_rules *rules = NULL;
    assert_int_equal(load(whole, &diag, &rules), LB_CODE_OK);
    assert_string_equal(lb_rules_id(rules), "reference");
    assert_int_equal(lb_rules_version(rules), 3);
    uint8_t hash[32];
    lb_sha256(lb_span_str(whole), hash);
    assert_memory_equal(lb_rules_sha256(rules), hash, 32);
    assert_int_equal(lb_rules_num_thresholds(rules), 3);
    assert_string_equal(lb_rules_threshold_at(rules, 1)->name, "age.old");
    assert_null(lb_rules_threshold_at(rules, 3));
    const struct lb_threshold *dibao = lb_rules_threshold(rules, "std.dibao");
    assert_int_equal(dibao->value, 145000);
    assert_string_equal(dibao->unit, "cents");
    assert_string_equal(dibao->source, "京民社救发");
    assert_null(lb_rules_threshold(rules, "std.dibao2"));
    size_t num = 99;
    const int64_t *edges = lb_rules_edges(rules, "capital.bands", &num);
    assert_int_equal(num, 3);
    assert_int_equal(edges[0], -5);
    assert_int_equal(edges[2], 10000000);
    num = 99;
    assert_null(lb_rules_edges(rules, "capital", &num));
    assert_int_equal(num, 99);
    lb_rules_free(rules);
}

static void codes_are_found_whole_only(void **state)
{
    (void)state;
    struct lb_diag diag;
    struct lb_rules *rules = NULL;
    const char *set = "disability.severe";
    assert_int_equal(load(whole, &diag, &rules), LB_CODE_OK);
    static const char *const inside[] = {"1", "11", "12", "21"};
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
        assert_true(lb_rules_in_set(rules, set, lb_span_str(inside[i])));
    static const char *const outside[] = {"", "0", "2", "10", "13", "111", "01", "１", "1 "};
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
        assert_false(lb_rules_in_set(rules, set, lb_span_str(outside[i])));
    assert_false(lb_rules_in_set(rules, set, lb_span_of("1\0", 2)));
    assert_false(lb_rules_in_set(rules, set, LB_SPAN_EMPTY));
    assert_false(lb_rules_in_set(rules, "none", lb_span_str("1")));
    assert_true(lb_rules_has_set(rules, set));
    assert_false(lb_rules_has_set(rules, "student.level"));
    assert_true(lb_rules_has_table(rules, "student.level"));
    assert_false(lb_rules_has_table(rules, set));
    assert_string_equal(lb_rules_map(rules, "student.level", lb_span_str("21")), "compulsory");
    assert_null(lb_rules_map(rules, "student.level", lb_span_str("22")));
    assert_null(lb_rules_map(rules, "student", lb_span_str("21")));
    lb_rules_free(rules);
    lb_rules_free(NULL);
}

static void files_are_read_from_disk(void **state)
{
    (void)state;
    char path[] = "/tmp/lb_rules_test_XXXXXX";
    struct lb_diag diag;
    struct lb_rules *rules = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, whole, sizeof(whole) - 1), (ssize_t)(sizeof(whole) - 1));
    assert_int_equal(close(fd), 0);
    assert_true(lb_rules_load(path, &diag, &rules) == LB_OK);
    assert_int_equal(lb_rules_num_thresholds(rules), 3);
    lb_rules_free(rules);
    rules = NULL;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lb_status_code(lb_rules_load(path, &diag, &rules)), LB_FILE_FAILED);
    assert_null(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_thresholds_are_refused),
        cmocka_unit_test(wrong_sets_tables_and_edges_are_refused),
        cmocka_unit_test(wrong_heads_are_refused),
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(codes_are_found_whole_only),
        cmocka_unit_test(files_are_read_from_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
