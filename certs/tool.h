#ifndef CERTS_TOOL_H
#define CERTS_TOOL_H

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/json/json.h"

/*
 * What the subcommands of this folder share: options, help, results as text or JSON, and exit codes
 * (0 done, 1 failed, 2 wrong command line).
 */
enum lb_tool_exit { LB_TOOL_DONE = 0, LB_TOOL_FAILED = 1, LB_TOOL_USAGE = 2 };

struct lb_tool {
    FILE *out, *err;
    struct lb_arena *arena;      /* wiped at the end of the command */
    struct lb_diag diag;         /* the sentence of a failure; "" for the code's own */
    bool json;                   /* --json was given */
    bool usage;                  /* the failure is the command line's */
    const struct lb_clock *clock;
};

struct lb_tool_command {
    const char *name;
    const char *help;  /* usage, options with defaults, examples */
    lb_status (*run)(struct lb_tool *tool, int argc, char **argv);  /* argv without the names */
};

struct lb_tool_set {
    const char *name;  /* "pki" */
    const char *help;
    const struct lb_tool_command *commands;
    size_t num_commands;
};

/* lb_tool_run finds argv[1] in the set and runs it with what follows; argv[0] is the set's name. It
 * answers --help and help. Returns a lb_tool_exit. */
int lb_tool_run(const struct lb_tool_set *set, int argc, char **argv, FILE *out, FILE *err);

/* Options. A list takes the option more than once. */
#define LB_TOOL_MAX_LIST 64
struct lb_tool_list {
    const char *items[LB_TOOL_MAX_LIST];
    size_t num;
};

enum lb_option_kind { LB_OPTION_TEXT, LB_OPTION_INT, LB_OPTION_LIST };

struct lb_option {
    const char *name;          /* "--dir" */
    enum lb_option_kind kind;
    bool required;
    void *target;              /* const char *, int64_t or struct lb_tool_list; keeps its default */
    int64_t min, max;          /* for LB_OPTION_INT */
};

/* lb_tool_options reads the options of a command; --json is always one. CONFIG_INVALID with a
 * sentence and `usage` set for an unknown or repeated option, a missing one, a missing or wrong
 * value. */
LB_MUST lb_status lb_tool_options(struct lb_tool *tool, int argc, char **argv,
                                  const struct lb_option *options, size_t num_options);

/* lb_tool_fail sets the sentence and returns CONFIG_INVALID; lb_tool_usage marks the command line
 * as well. */
LB_MUST lb_status lb_tool_fail(struct lb_tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
LB_MUST lb_status lb_tool_usage(struct lb_tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* lb_tool_explain sets the sentence for a failed status, unless it has one, and passes the status
 * on. */
LB_MUST lb_status lb_tool_explain(struct lb_tool *tool, lb_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* lb_tool_result prints an object and releases it: as JSON with --json, else one "name: value" a
 * line and one line for each object of a list. */
LB_MUST lb_status lb_tool_result(struct lb_tool *tool, struct lb_json *result);

/* lb_tool_path joins a folder and a name; NO_MEMORY. */
LB_MUST lb_status lb_tool_path(struct lb_tool *tool, const char *folder, const char *name,
                               const char **out_path);

/* lb_tool_set_time sets <key> to seconds since 1970 and <key>_text to the same in UTC. */
void lb_tool_set_time(struct lb_json *object, const char *key, const char *text_key,
                      int64_t unix_s);

#endif
