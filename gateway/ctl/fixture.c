#include "gateway/ctl/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/ctl/fake.h"

#define MAX_WORDS 64

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int test_set_up(void **state)
{
    struct test_cli *cli = calloc(1, sizeof(*cli));
    const char *base = getenv("TEST_TMPDIR");
    assert_non_null(cli);
    (void)snprintf(cli->folder, sizeof(cli->folder), "%s/ctl.XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(cli->folder));
    lb_clock_fixed_init(&cli->clock, 1782900000000);
    cli->remote = test_fake_remote(cli);
    cli->notice = "You are asked.\nYou may refuse.";
    cli->num_receipts = 10;
    cli->num_stopped = 8;
    cli->env = (struct lb_ctl_env){
        .clock = &cli->clock.clock,
        .remote = &cli->remote,
        .agent = "unix:/run/test.sock",
        .login = "officer-1",
    };
    *state = cli;
    return 0;
}

static void forget_output(struct test_cli *cli)
{
    free(cli->out);
    free(cli->err);
    cli->out = NULL;
    cli->err = NULL;
}

int test_tear_down(void **state)
{
    struct test_cli *cli = *state;
    (void)nftw(cli->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    forget_output(cli);
    if (cli->env.in != NULL)
        (void)fclose(cli->env.in);
    free(cli);
    return 0;
}

int test_run(struct test_cli *cli, int (*command)(struct lb_ctl_env *env, int argc, char **argv),
             const char *const *words)
{
    char *argv[MAX_WORDS];
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        assert_true(argc < MAX_WORDS - 1);
        argv[argc] = (char *)(uintptr_t)words[argc];
    }
    argv[argc] = NULL;
    forget_output(cli);
    cli->env.out = open_memstream(&cli->out, &cli->out_len);
    cli->env.err = open_memstream(&cli->err, &cli->err_len);
    cli->env.json = false;
    cli->env.chinese = false;
    int exit_code = command(&cli->env, argc, argv);
    (void)fclose(cli->env.out);
    (void)fclose(cli->env.err);
    assert_int_equal(cli->num_opened, 0);
    return exit_code;
}

const char *test_file(struct test_cli *cli, const char *name, const char *content)
{
    static char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", cli->folder, name);
    assert_ok(lb_file_write(path, lb_span_str(content), 0600));
    return path;
}

void test_feed(struct test_cli *cli, const char *content)
{
    if (cli->env.in != NULL)
        (void)fclose(cli->env.in);
    cli->env.in = tmpfile();
    assert_non_null(cli->env.in);
    assert_true(fputs(content, cli->env.in) >= 0);
    rewind(cli->env.in);
}

struct lb_json *test_json(const struct test_cli *cli)
{
    struct lb_json *json = NULL;
    assert_ok(lb_json_parse(lb_span_of(cli->out, cli->out_len), &json));
    return json;
}
