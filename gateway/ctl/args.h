#ifndef GATEWAY_CTL_ARGS_H
#define GATEWAY_CTL_ARGS_H

#include "gateway/ctl/env.h"

/*
 * The command line of one command. Unknown options, an option given twice that takes one value,
 * numbers out of range and a wrong number of operands are refused with a sentence and exit code 2.
 * Messages name options and never repeat a value, since people put identity numbers in wrong
 * places.
 */
#define LB_CTL_MAX_ITEMS 256
#define LB_CTL_MAX_OPTIONS 32

struct lb_ctl_list {
    const char *items[LB_CTL_MAX_ITEMS];
    size_t num;
};

/* One option; exactly one of the four targets is set. */
struct lb_ctl_option {
    const char *name;   /* without the dashes */
    const char *value;  /* what the help calls its value; NULL for a flag */
    const char *en, *zh;
    bool required;
    bool *flag;
    const char **text;
    struct lb_ctl_list *list;  /* may be given more than once */
    int64_t *number;
    int64_t min, max;          /* of the number */
};

struct lb_ctl_usage {
    const char *command;   /* "log verify" */
    const char *en, *zh;   /* what it does, one sentence */
    const char *operand;   /* what the help calls the operands; NULL when it takes none */
    size_t min_operands, max_operands;
    const struct lb_ctl_option *options;
    size_t num_options;
    const char *const *examples;  /* NULL-terminated */
};

/* lb_ctl_args returns this when the command should go on; else the exit code. */
#define LB_CTL_GO (-1)

/* lb_ctl_args reads argv (argv[0] is the command's last word) into the options' targets,
 * env->json and env->chinese, and the operands (borrowed from argv; `operands` may be NULL when
 * there are none). --help prints to env->out. Every command takes --help, --json and --language. */
int lb_ctl_args(struct lb_ctl_env *env, const struct lb_ctl_usage *usage, int argc, char **argv,
                struct lb_ctl_list *operands);

/* lb_ctl_usage_error prints one sentence and how to get help; returns LB_CTL_USAGE. */
int lb_ctl_usage_error(const struct lb_ctl_env *env, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A word under a command: "verify" of "log". */
struct lb_ctl_word {
    const char *name;
    const char *en, *zh;
    int (*run)(struct lb_ctl_env *env, int argc, char **argv);
};

/* lb_ctl_words runs the word that argv[1] names; without one, or for --help, it lists them. */
int lb_ctl_words(struct lb_ctl_env *env, const char *command, const struct lb_ctl_word *words,
                 size_t num, int argc, char **argv);

#endif
