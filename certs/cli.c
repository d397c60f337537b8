#include "certs/cli.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"

#define MAX_WORDS 32

int cli_setup(struct cli *cli)
{
    const char *base = getenv("TEST_TMPDIR");
    memset(cli, 0, sizeof(*cli));
    (void)snprintf(cli->folder, sizeof(cli->folder), "%s/certs-XXXXXX",
                   base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(cli->folder));
    assert_int_equal(chdir(cli->folder), 0);
    cli->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    return cli->arena == NULL ? -1 : 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

int cli_teardown(struct cli *cli)
{
    free(cli->out);
    free(cli->err);
    lb_arena_free(cli->arena);
    assert_int_equal(chdir("/"), 0);
    return nftw(cli->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int cli_run(struct cli *cli, const struct lb_tool_set *set, const char *line)
{
    char *words[MAX_WORDS];
    int num = 0;
    char *rest = lb_arena_printf(cli->arena, "%s", line);
    for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
        assert_true(num < MAX_WORDS);
        words[num++] = word;
    }
    size_t out_len = 0;
    size_t err_len = 0;
    free(cli->out);
    free(cli->err);
    FILE *out = open_memstream(&cli->out, &out_len);
    FILE *err = open_memstream(&cli->err, &err_len);
    int code = lb_tool_run(set, num, words, out, err);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(err), 0);
    return code;
}

void cli_done(struct cli *cli, const struct lb_tool_set *set, const char *line)
{
    int code = cli_run(cli, set, line);
    if (code != 0)
        print_error("%s\n%s", line, cli->err);
    assert_int_equal(code, 0);
    assert_string_equal(cli->err, "");
}

void cli_fails(struct cli *cli, const struct lb_tool_set *set, const char *line, int code,
               const char *message)
{
    int got = cli_run(cli, set, line);
    if (got != code || strstr(cli->err, message) == NULL)
        print_error("%s\nwanted %d \"%s\", got %d %s\n", line, code, message, got, cli->err);
    assert_int_equal(got, code);
    assert_non_null(strstr(cli->err, message));
    assert_string_equal(cli->out, "");
}

const char *cli_member(struct cli *cli, const char *key)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    struct lb_span text;
    assert_ok(lb_json_parse(lb_span_str(cli->out), &json));
    assert_ok(lb_json_get_str(json, key, &text));
    return lb_arena_str(cli->arena, text);
}

int64_t cli_number(struct cli *cli, const char *key)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    int64_t value = 0;
    assert_ok(lb_json_parse(lb_span_str(cli->out), &json));
    assert_ok(lb_json_get_int(json, key, &value));
    return value;
}

struct lb_span cli_read(struct cli *cli, const char *path)
{
    struct lb_span content;
    assert_ok(lb_file_read(path, 1 << 20, cli->arena, &content));
    return content;
}

void cli_write(const char *path, const char *text)
{
    assert_ok(lb_file_write(path, lb_span_str(text), 0600));
}

unsigned cli_mode(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 0777;
}
