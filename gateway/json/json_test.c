#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/json/json.h"

static enum lb_code parse_code(const char *text, size_t len)
{
    struct lb_json *json = NULL;
    lb_status status = lb_json_parse(lb_span_of(text, len), &json);
    assert_true((status == LB_OK) == (json != NULL));
    lb_json_free(json);
    return lb_status_code(status);
}

static void refuses(const char *text)
{
    if (parse_code(text, strlen(text)) != LB_MALFORMED)
        fail_msg("accepted: %s", text);
}

static void accepts(const char *text)
{
    if (parse_code(text, strlen(text)) != LB_CODE_OK)
        fail_msg("refused: %s", text);
}

static struct lb_json *parsed(const char *text)
{
    struct lb_json *json = NULL;
    assert_null(lb_json_parse(lb_span_str(text), &json));
    return json;
}

static void broken_text_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", " ", "{", "[1", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{'a':1}", "[1,]", "{\"a\":1,}",
        "nul", "TRUE", "+1", "01", "0x10", "NaN", "Infinity", "-", "\"", "\"a", "\"\\x\"",
        "/**/1", "1 2", "{}{}", "[] x", "\xEF\xBB\xBF{}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(texts[i]);
    assert_int_equal(parse_code("{}\0", 3), LB_MALFORMED);
    assert_int_equal(parse_code("\"a\0b\"", 5), LB_MALFORMED);
    assert_int_equal(parse_code("1\0", 2), LB_MALFORMED);
    assert_int_equal(parse_code("[1\0,2]", 6), LB_MALFORMED);
    assert_int_equal(parse_code("{\"exp\":1\0}", 10), LB_MALFORMED);
    assert_int_equal(parse_code(NULL, 0), LB_MALFORMED);
}

static void every_truncation_of_a_document_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"k\":[1,\"\\u4e2d\xE6\x96\x87\",true,null,{\"x\":-7}]}";
    for (size_t len = 0; len < sizeof(text) - 1; len++)
        assert_int_equal(parse_code(text, len), LB_MALFORMED);
    accepts(text);
}

static void duplicate_keys_are_refused_however_written(void **state)
{
    (void)state;
    refuses("{\"a\":1,\"a\":1}");
    refuses("{\"a\":1,\"\\u0061\":2}");
    refuses("[{\"x\":{\"a\":1,\"b\":2,\"a\":null}}]");
    accepts("[{\"a\":1},{\"a\":1}]");
}

static void strings_must_be_unicode_without_nul(void **state)
{
    (void)state;
    refuses("\"\xff\"");
    refuses("\"\xC0\xAF\"");
    refuses("\"\xED\xA0\x80\"");
    refuses("\"\xF4\x90\x80\x80\"");
    refuses("\"\\ud800\"");
    refuses("\"\\udc00\\ud800\"");
    refuses("\"a\\u0000b\"");
    refuses("{\"a\\u0000\":1}");
    refuses("\"line\nbreak\"");
    accepts("\"\\ud83d\\ude00\"");
}

static void numbers_are_integers_of_64_bits(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "1.0", "1e2", "-0.5", "1E400", "[0.1]", "{\"a\":[{\"b\":2.0}]}",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses(bad[i]);
    LB_DEFER(lb_json_freep) struct lb_json *json =
        parsed("[9223372036854775807,-9223372036854775808]");
    assert_true(lb_json_int(lb_json_at(json, 0)) == INT64_MAX);
    assert_true(lb_json_int(lb_json_at(json, 1)) == INT64_MIN);
}

static void fill(char *text, size_t at, size_t count, const char *with)
{
    size_t len = strlen(with);
    for (size_t i = 0; i < count; i++)
        memcpy(text + at + i * len, with, len);
}

static void nesting_stops_at_sixteen_levels(void **state)
{
    (void)state;
    for (size_t levels = 15; levels <= 18; levels++) {
        char text[64] = {0};
        fill(text, 0, levels, "[");
        fill(text, levels, levels, "]");
        assert_int_equal(parse_code(text, 2 * levels),
                         levels <= 16 ? LB_CODE_OK : LB_MALFORMED);
    }
    accepts("\"[[[[[[[[[[[[[[[[[[[[[[\"");
    accepts("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[\",[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]");
}

static void a_bomb_of_brackets_is_refused(void **state)
{
    (void)state;
    size_t size = LB_MAX_JSON_BYTES;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, '[', size + 1);
    assert_int_equal(parse_code(text, size), LB_MALFORMED);
    assert_int_equal(parse_code(text, size + 1), LB_MALFORMED);
    fill(text, 0, size / 5, "{\"a\":");
    assert_int_equal(parse_code(text, size / 5 * 5), LB_MALFORMED);
    free(text);
}

static void the_number_of_values_is_bounded(void **state)
{
    (void)state;
    size_t size = (size_t)LB_MAX_JSON_VALUES * 2 + 2;
    char *text = malloc(size);
    assert_non_null(text);
    /* An array counts itself: one element less than the maximum fits. */
    for (size_t count = LB_MAX_JSON_VALUES - 2; count <= LB_MAX_JSON_VALUES; count++) {
        text[0] = '[';
        fill(text, 1, count, "1,");
        text[count * 2] = ']';
        assert_int_equal(parse_code(text, count * 2 + 1),
                         count < LB_MAX_JSON_VALUES ? LB_CODE_OK : LB_MALFORMED);
    }
    free(text);
}

static void the_number_of_members_is_bounded(void **state)
{
    (void)state;
    static char text[LB_MAX_JSON_MEMBERS * 16 + 64];
    for (unsigned extra = 0; extra <= 1; extra++) {
        size_t len = 1;
        text[0] = '{';
        for (unsigned i = 0; i < LB_MAX_JSON_MEMBERS + extra; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"k%u\":1",
                                    i == 0 ? "" : ",", i);
        text[len++] = '}';
        assert_int_equal(parse_code(text, len), extra == 0 ? LB_CODE_OK : LB_MALFORMED);
    }
}

static void unknown_keys_are_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b", NULL};
    static const char *const none[] = {NULL};
    LB_DEFER(lb_json_freep) struct lb_json *good = parsed("{\"b\":1}");
    assert_null(lb_json_only(good, keys));
    LB_DEFER(lb_json_freep) struct lb_json *bad = parsed("{\"a\":1,\"A\":1}");
    assert_int_equal(lb_status_code(lb_json_only(bad, keys)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_only(good, none)), LB_MALFORMED);
    LB_DEFER(lb_json_freep) struct lb_json *list = parsed("[]");
    assert_int_equal(lb_status_code(lb_json_only(list, none)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_only(NULL, none)), LB_MALFORMED);
}

static void members_are_typed(void **state)
{
    (void)state;
    LB_DEFER(lb_json_freep) struct lb_json *json =
        parsed("{\"s\":\"x\",\"i\":5,\"t\":true,\"f\":false,\"n\":null,\"o\":{},\"a\":[]}");
    struct lb_span text = LB_SPAN_EMPTY;
    int64_t number = 77;
    bool truth = true;
    const struct lb_json *child = NULL;
    assert_null(lb_json_get_str(json, "s", &text));
    assert_true(lb_span_is(text, "x"));
    assert_int_equal(lb_status_code(lb_json_get_int(json, "s", &number)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_get_int(json, "t", &number)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_get_int(json, "zz", &number)), LB_ABSENT);
    assert_int_equal(number, 77);
    assert_null(lb_json_get_int(json, "i", &number));
    assert_int_equal(number, 5);
    assert_null(lb_json_get_bool(json, "f", &truth));
    assert_false(truth);
    assert_int_equal(lb_status_code(lb_json_get_bool(json, "i", &truth)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_get_bool(json, "n", &truth)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_get_object(json, "a", &child)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_json_get_array(json, "o", &child)), LB_MALFORMED);
    assert_null(child);
    assert_null(lb_json_get_object(json, "o", &child));
    assert_true(lb_json_is_object(child));
    assert_int_equal(lb_status_code(lb_json_get_str(child, "s", &text)), LB_ABSENT);
    assert_int_equal(lb_status_code(lb_json_get_str(lb_json_at(json, 0), "s", &text)),
                     LB_MALFORMED);
}

static void iteration_keeps_order_and_ends(void **state)
{
    (void)state;
    LB_DEFER(lb_json_freep) struct lb_json *json = parsed("{\"z\":1,\"a\":2,\"m\":[3,\"4\"]}");
    static const char *const keys[] = {"z", "a", "m"};
    const char *key = "untouched";
    assert_int_equal(lb_json_len(json), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(lb_json_member(json, i, &key));
        assert_string_equal(key, keys[i]);
    }
    assert_null(lb_json_member(json, 3, &key));
    assert_string_equal(key, "m");
    const struct lb_json *list = lb_json_member(json, 2, &key);
    assert_int_equal(lb_json_len(list), 2);
    assert_int_equal(lb_json_int(lb_json_at(list, 0)), 3);
    assert_true(lb_span_is(lb_json_str(lb_json_at(list, 1)), "4"));
    assert_null(lb_json_at(list, 2));
    assert_int_equal(lb_json_str(lb_json_at(list, 0)).len, 0);
    assert_int_equal(lb_json_int(lb_json_at(list, 1)), 0);
    assert_int_equal(lb_json_len(lb_json_at(list, 0)), 0);
    assert_null(lb_json_at(NULL, 0));
}

static struct lb_span dumped(struct lb_arena *arena, const struct lb_json *json,
                             enum lb_json_style style)
{
    struct lb_span text = LB_SPAN_EMPTY;
    assert_null(lb_json_dump(json, style, arena, &text));
    return text;
}

static void building_writes_readable_text_in_order(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(65536);
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *list = lb_json_array();
    lb_json_append_str(list, lb_span_str("民政"));
    lb_json_append(list, lb_json_object());
    lb_json_set_cstr(json, "名", "张三/\"\\\x01");
    lb_json_set_int(json, "b", INT64_MIN);
    lb_json_set_bool(json, "a", true);
    lb_json_set_null(json, "n");
    lb_json_set_str(json, "e", LB_SPAN_EMPTY);
    lb_json_set(json, "list", list);
    lb_json_set_int(json, "b", 3);
    struct lb_span text = dumped(arena, json, LB_JSON_COMPACT);
    assert_string_equal((const char *)text.ptr,
                        "{\"名\":\"张三/\\\"\\\\\\u0001\",\"b\":3,\"a\":true,\"n\":null,\"e\":\"\","
                        "\"list\":[\"民政\",{}]}");
    LB_DEFER(lb_json_freep) struct lb_json *again = NULL;
    assert_null(lb_json_parse(text, &again));
    assert_true(lb_span_eq(dumped(arena, again, LB_JSON_COMPACT), text));
    LB_DEFER(lb_json_freep) struct lb_json *copy = lb_json_copy(again);
    assert_true(lb_span_eq(dumped(arena, copy, LB_JSON_COMPACT), text));
    LB_DEFER(lb_json_freep) struct lb_json *small = parsed("{\"a\":[1]}");
    assert_true(lb_span_is(dumped(arena, small, LB_JSON_PRETTY), "{\n  \"a\": [\n    1\n  ]\n}"));
    LB_DEFER(lb_json_freep) struct lb_json *scalar = parsed("7");
    assert_true(lb_span_is(dumped(arena, scalar, LB_JSON_COMPACT), "7"));
}

static enum lb_code dump_code(const struct lb_json *json)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(65536);
    struct lb_span text = LB_SPAN_EMPTY;
    enum lb_code code = lb_status_code(lb_json_dump(json, LB_JSON_COMPACT, arena, &text));
    assert_true((code == LB_CODE_OK) == (text.len > 0));
    return code;
}

/* A tree whose innermost object was given something that can't be written. */
static struct lb_json *spoiled(int how)
{
    struct lb_json *inner = lb_json_object();
    struct lb_json *list = lb_json_array();
    struct lb_json *root = lb_json_object();
    switch (how) {
    case 0:
        lb_json_set_str(inner, "a", lb_span_str("\xff"));
        break;
    case 1:
        lb_json_set_int(inner, "\xC0\xAF", 1);
        break;
    case 2:
        lb_json_set(inner, "a", NULL);
        break;
    case 3:
        lb_json_set_cstr(inner, "a", NULL);
        break;
    case 4:
        lb_json_set_str(inner, "a", lb_span_of("x\0y", 3));
        break;
    case 5:
        lb_json_append_str(list, lb_span_str("\xff"));
        break;
    case 6:
        lb_json_append(list, NULL);
        break;
    case 7:
        lb_json_append(inner, lb_json_object());
        break;
    case 8:
        lb_json_set_int(list, "a", 1);
        break;
    default:
        break;
    }
    lb_json_set_int(inner, "after", 1);
    lb_json_append(list, inner);
    lb_json_set(root, "list", list);
    lb_json_set_int(root, "after", 1);
    return root;
}

static void a_failed_step_fails_the_dump_of_every_root(void **state)
{
    (void)state;
    for (int how = 0; how <= 8; how++) {
        LB_DEFER(lb_json_freep) struct lb_json *json = spoiled(how);
        assert_int_equal(dump_code(json), LB_MALFORMED);
        LB_DEFER(lb_json_freep) struct lb_json *copy = lb_json_copy(json);
        assert_int_equal(dump_code(copy), LB_MALFORMED);
    }
    LB_DEFER(lb_json_freep) struct lb_json *sound = spoiled(9);
    assert_int_equal(dump_code(sound), LB_CODE_OK);
    lb_json_set(NULL, "a", lb_json_object());
    lb_json_append(NULL, lb_json_array());
    lb_json_set_int(NULL, "a", 1);
    assert_int_equal(dump_code(NULL), LB_MALFORMED);
}

static void a_full_arena_refuses_the_dump(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(16);
    LB_DEFER(lb_json_freep) struct lb_json *json = parsed("\"0123456789012345678901234567890\"");
    struct lb_span text = LB_SPAN_EMPTY;
    assert_int_equal(lb_status_code(lb_json_dump(json, LB_JSON_COMPACT, arena, &text)),
                     LB_NO_MEMORY);
    assert_null(text.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(every_truncation_of_a_document_is_refused),
        cmocka_unit_test(duplicate_keys_are_refused_however_written),
        cmocka_unit_test(strings_must_be_unicode_without_nul),
        cmocka_unit_test(numbers_are_integers_of_64_bits),
        cmocka_unit_test(nesting_stops_at_sixteen_levels),
        cmocka_unit_test(a_bomb_of_brackets_is_refused),
        cmocka_unit_test(the_number_of_values_is_bounded),
        cmocka_unit_test(the_number_of_members_is_bounded),
        cmocka_unit_test(unknown_keys_are_refused),
        cmocka_unit_test(members_are_typed),
        cmocka_unit_test(iteration_keeps_order_and_ends),
        cmocka_unit_test(building_writes_readable_text_in_order),
        cmocka_unit_test(a_failed_step_fails_the_dump_of_every_root),
        cmocka_unit_test(a_full_arena_refuses_the_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
