#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/sources/config.h"
#include "gateway/base/limits.h"

struct read_config {
    struct lb_arena *arena;
    struct lb_yaml *yaml;
    struct lb_diag diag;
    struct lb_sources_config config;
};

static enum lb_code read_text(struct read_config *read, const char *text)
{
    read->diag.text[0] = 0;
    read->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    assert_non_null(read->arena);
    assert_true(lb_yaml_load_text(lb_span_str(text), "node.yaml", &read->diag, &read->yaml) ==
                LB_OK);
    return lb_status_code(lb_sources_read(lb_yaml_root(read->yaml), "/etc/lianban/node.yaml",
                                          read->arena, &read->diag, &read->config));
}

static void end(struct read_config *read)
{
    lb_yaml_freep(&read->yaml);
    lb_arena_free(read->arena);
}

static void each_kind_is_read(void **state)
{
    struct read_config read = {.arena = NULL};
    (void)state;
    assert_int_equal(read_text(&read, "{plugin: sqlite, location: tax.db, connections: 7}"),
                     LB_CODE_OK);
    assert_string_equal(read.config.plugin->name, "sqlite");
    assert_string_equal(read.config.options.location, "/etc/lianban/tax.db");
    assert_int_equal(read.config.num_connections, 7);
    end(&read);
    assert_int_equal(read_text(&read, "{plugin: postgres, location: \"host=db dbname=tax\","
                                      " password_file: secrets/db}"),
                     LB_CODE_OK);
    assert_string_equal(read.config.options.location, "host=db dbname=tax");
    assert_string_equal(read.config.options.password_file, "/etc/lianban/secrets/db");
    end(&read);
    assert_int_equal(read_text(&read, "{plugin: odbc, location: \"DSN=dm8\", password_file: /x/y,"
                                      " read_only_checked: \"Li Wei, 2026-11-20\"}"),
                     LB_CODE_OK);
    assert_string_equal(read.config.options.password_file, "/x/y");
    assert_string_equal(read.config.options.read_only_checked, "Li Wei, 2026-11-20");
    end(&read);
}

static void mistakes_are_told_with_their_line(void **state)
{
    static const char *const wrong[] = {
        "{plugin: oracle, location: x}",
        "{plugin: sqlite}",
        "{plugin: sqlite, location: x, password: y}",
        "{plugin: sqlite, location: x, password_file: y}",
        "{plugin: sqlite, location: x, connections: 0}",
        "{plugin: sqlite, location: x, connections: 65}",
        "{plugin: postgres, location: x, read_only_checked: \"Li Wei, 2026-11-20\"}",
        "{plugin: odbc, location: x, read_only_checked: yes}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct read_config read = {.arena = NULL};
        if (read_text(&read, wrong[i]) != LB_CONFIG_INVALID)
            fail_msg("%s", wrong[i]);
        assert_true(strncmp(read.diag.text, "node.yaml:", 10) == 0);
        end(&read);
    }
}

static void a_location_tells_its_plugin(void **state)
{
    (void)state;
    assert_string_equal(lb_sources_from("postgresql://db/tax").plugin->name, "postgres");
    assert_string_equal(lb_sources_from("host=db user=x").plugin->name, "postgres");
    assert_string_equal(lb_sources_from("Driver={Any};Server=x").plugin->name, "odbc");
    assert_string_equal(lb_sources_from("dsn=tax").plugin->name, "odbc");
    assert_string_equal(lb_sources_from("/var/lib/tax.db").plugin->name, "sqlite");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_read),
        cmocka_unit_test(mistakes_are_told_with_their_line),
        cmocka_unit_test(a_location_tells_its_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
