#include "gateway/ctl/fixture.h"

#include <stdlib.h>

#include "gateway/ctl/table.h"

static const char *const headings[] = {"部门", "fact", "值", NULL};

static char *print(const struct lb_ctl_table *table)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_ok(lb_ctl_table_print(table, out));
    (void)fclose(out);
    return text;
}

static void lines_up_under_wide_characters(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, headings);
    lb_ctl_table_row(&table, (const char *const[]){"税务", "wage12", "1"});
    lb_ctl_table_row(&table, (const char *const[]){"public-security", NULL, "是"});
    lb_ctl_table_note(&table, "看一下");
    lb_ctl_table_row(&table, (const char *const[]){"医保", "", ""});
    assert_int_equal(table.num_rows, 3);
    char *text = print(&table);
    assert_string_equal(text, "部门             fact    值\n"
                              "税务             wage12  1\n"
                              "public-security          是\n"
                              "    看一下\n"
                              "医保\n");
    free(text);
    lb_arena_free(arena);
}

static void keeps_a_cell_on_its_line(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, headings);
    lb_ctl_table_row(&table, (const char *const[]){"a\nb", "\x1B[2J", "c"});
    char *text = print(&table);
    assert_string_equal(text, "部门  fact  值\na\xEF\xBF\xBD" "b   \xEF\xBF\xBD[2J  c\n");
    free(text);
    lb_arena_free(arena);
}

static void prints_nothing_rather_than_a_part(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(8 * 1024);
    struct lb_ctl_table table;
    char *text = NULL;
    size_t len = 0;
    lb_ctl_table_init(&table, arena, headings);
    for (int i = 0; i < 1000; i++)
        lb_ctl_table_row(&table, (const char *const[]){"a", "b", "c"});
    FILE *out = open_memstream(&text, &len);
    assert_code(lb_ctl_table_print(&table, out), LB_NO_MEMORY);
    (void)fclose(out);
    assert_int_equal(len, 0);
    free(text);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_up_under_wide_characters),
        cmocka_unit_test(keeps_a_cell_on_its_line),
        cmocka_unit_test(prints_nothing_rather_than_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
