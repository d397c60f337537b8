#ifndef CERTS_CLI_H
#define CERTS_CLI_H

#include "certs/tool.h"

/* For tests: a temporary folder as the working folder, and commands run there with their output
 * kept. */
struct cli {
    char folder[256];
    struct lb_arena *arena;
    char *out;  /* of the last command */
    char *err;
};

int cli_setup(struct cli *cli);
int cli_teardown(struct cli *cli);

/* cli_run runs the words of a line (separated by single spaces) and returns the exit code. */
int cli_run(struct cli *cli, const struct lb_tool_set *set, const char *line);

/* cli_done and cli_fails run a line and check its exit code; the latter also that the message says
 * this. */
void cli_done(struct cli *cli, const struct lb_tool_set *set, const char *line);
void cli_fails(struct cli *cli, const struct lb_tool_set *set, const char *line, int code,
               const char *message);

/* cli_member reads a text member of the last command's JSON output. */
const char *cli_member(struct cli *cli, const char *key);
int64_t cli_number(struct cli *cli, const char *key);

struct lb_span cli_read(struct cli *cli, const char *path);
void cli_write(const char *path, const char *text);
unsigned cli_mode(const char *path);

#define assert_code(status, code)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(status)), lb_code_name(code))
#define assert_ok(status) assert_string_equal(lb_code_name(lb_status_code(status)), "OK")

#endif
