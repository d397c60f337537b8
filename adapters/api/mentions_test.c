#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/api/mentions.h"

static const struct lb_source_dialect dialect = {.backquote = true};

/* "a,b" for the keys that were found; "?" when the query is not understood. */
static const char *keys_of(const char *query)
{
    static char text[256];
    struct lb_source_mentions mentions;
    size_t len = 0;
    lb_source_mention(query, &dialect, &mentions);
    text[0] = 0;
    for (size_t i = 0; i < mentions.num_keys; i++) {
        assert_true(len + mentions.keys[i].len + 2 < sizeof(text));
        if (i > 0)
            text[len++] = ',';
        memcpy(text + len, mentions.keys[i].ptr, mentions.keys[i].len);
        len += mentions.keys[i].len;
        text[len] = 0;
    }
    return mentions.sure ? text : "?";
}

static void keys_are_what_equals_the_person(void **state)
{
    static const struct {
        const char *query;
        const char *keys;
    } cases[] = {
        {"SELECT a FROM t WHERE id_no = :id_no", "id_no"},
        {"SELECT a FROM t WHERE :id_no = id_no", "id_no"},
        {"SELECT a FROM t WHERE t.id_no=:id_no AND b = 1", "id_no"},
        {"SELECT a FROM t WHERE b = 1 AND :id_no = s . t . id_no ORDER BY a", "id_no"},
        {"SELECT a FROM t WHERE \"Id No\" = :id_no", "Id No"},
        {"SELECT a FROM t WHERE `t`.`id` = :id_no LIMIT 1", "id"},
        {"SELECT a FROM t JOIN u ON u.x = :id_no WHERE (t.y = :id_no)", "x,y"},
        {"SELECT a FROM t -- id = :id_no\n WHERE /* b = :id_no */ c = :id_no", "c"},
        {"SELECT ':id_no = d' FROM t WHERE e = :today", ""},
        {"SELECT a FROM t WHERE upper(id_no) = :id_no", ""},
        {"SELECT a FROM t WHERE id_no = upper(:id_no)", ""},
        {"SELECT a FROM t WHERE id_no || 'x' = :id_no", ""},
        {"SELECT a FROM t WHERE id_no = :id_no || 'x'", ""},
        {"SELECT a FROM t WHERE x + id_no = :id_no", ""},
        {"SELECT a FROM t WHERE id_no >= :id_no AND id_no <= :id_no", ""},
        {"SELECT a FROM t WHERE id_no != :id_no", ""},
        {"SELECT a FROM t WHERE id_no = :id_nobody", ""},
        {"SELECT a FROM t WHERE :id_no = f(id_no)", ""},
        {"SELECT a FROM t WHERE :id_no = t.f (id_no)", ""},
        {"SELECT a FROM t WHERE id_no = :id_no OR 1 = 1", ""},
        {"SELECT a FROM t WHERE b = 1 OR c = 2 AND id_no = :id_no", ""},
        {"SELECT a FROM t WHERE (b = 1 AND (id_no = :id_no AND 1 = 1) OR c = 2)", ""},
        {"SELECT a FROM t WHERE (b = 1 OR c = 2) AND id_no = :id_no AND (d = 1 OR e = 1)", "id_no"},
        {"SELECT a FROM t WHERE id_no = :id_no AND (x = :id_no OR y = :id_no)", "id_no"},
        {"SELECT a FROM t WHERE b NOT IN ('x') AND id_no = :id_no", "id_no"},
        {"SELECT a FROM t WHERE NOT id_no = :id_no", ""},
        {"SELECT a FROM t WHERE NOT (id_no = :id_no)", ""},
        {"SELECT a FROM t WHERE x IN (SELECT y FROM u WHERE id_no = :id_no)", "id_no"},
        {"SELECT a FROM t) WHERE id_no = :id_no)) OR (", "?"},
        {"SELECT a FROM t WHERE id_no = :id_no AND b = $x$ OR $x$", "?"},
        {"SELECT a FROM t WHERE b = 'open", ""},
        {"SELECT a FROM t WHERE \"", ""},
        {"SELECT a FROM t /* open", ""},
        {":", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (strcmp(keys_of(cases[i].query), cases[i].keys) != 0)
            fail_msg("%s: %s", cases[i].query, keys_of(cases[i].query));
}

static void names_are_bounded(void **state)
{
    struct lb_source_mentions mentions;
    char query[LB_SOURCE_MAX_MENTIONS * 2 + 8] = "";
    (void)state;
    for (size_t i = 0; i <= LB_SOURCE_MAX_MENTIONS; i++)
        memcpy(query + 2 * i, "a ", 3);
    lb_source_mention(query, &dialect, &mentions);
    assert_int_equal(mentions.num_names, LB_SOURCE_MAX_MENTIONS);
    assert_false(mentions.sure);
    lb_source_mention("SELECT \"a b\".`c` FROM \"\"", &dialect, &mentions);
    assert_int_equal(mentions.num_names, 5);
    assert_true(lb_span_is(mentions.names[1], "a b"));
    assert_true(lb_span_is(mentions.names[2], "c"));
    assert_int_equal(mentions.names[4].len, 0);
    memset(query, '(', 64);
    query[64] = 0;
    lb_source_mention(query, &dialect, &mentions);
    assert_false(mentions.sure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_what_equals_the_person),
        cmocka_unit_test(names_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
