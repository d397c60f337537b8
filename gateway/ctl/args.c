#include "gateway/ctl/args.h"

#include <getopt.h>
#include <stdarg.h>

#include "gateway/ctl/text.h"

/* The options every command takes, behind its own. */
enum { HELP, JSON, LANGUAGE, NUM_COMMON };

int lb_ctl_usage_error(const struct lb_ctl_env *env, const char *command, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fprintf(env->err, "lianban %s: ", command);
    lb_ctl_put(env->err, text);
    (void)fprintf(env->err, "; `lianban %s --help` shows how. 用法见 --help。\n", command);
    return LB_CTL_USAGE;
}

/* --- help --- */

static void help_line(const struct lb_ctl_env *env, const char *name, const char *value,
                      const char *text)
{
    int used = fprintf(env->out, "  --%s%s%s", name, value == NULL ? "" : " ",
                       value == NULL ? "" : value);
    (void)fprintf(env->out, "%*s%s\n", used < 26 ? 26 - used : 2, "", text);
}

static void print_help(const struct lb_ctl_env *env, const struct lb_ctl_usage *usage)
{
    (void)fprintf(env->out, "lianban %s — %s\n\n", usage->command,
                  lb_ctl_pick(env, usage->zh, usage->en));
    (void)fprintf(env->out, "%s lianban %s", lb_ctl_pick(env, "用法：", "usage:"), usage->command);
    for (size_t i = 0; i < usage->num_options; i++)
        if (usage->options[i].required)
            (void)fprintf(env->out, " --%s %s", usage->options[i].name, usage->options[i].value);
    (void)fprintf(env->out, " [%s]%s%s\n\n", lb_ctl_pick(env, "选项", "options"),
                  usage->operand == NULL ? "" : " ", usage->operand == NULL ? "" : usage->operand);
    for (size_t i = 0; i < usage->num_options; i++) {
        const struct lb_ctl_option *option = &usage->options[i];
        help_line(env, option->name, option->value, lb_ctl_pick(env, option->zh, option->en));
    }
    help_line(env, "language", "zh|en", lb_ctl_pick(env, "输出语言", "language of the output"));
    help_line(env, "json", NULL, lb_ctl_pick(env, "以 JSON 输出结果", "print the result as JSON"));
    help_line(env, "help", NULL, lb_ctl_pick(env, "显示本说明", "show this"));
    (void)fprintf(env->out, "\n%s\n", lb_ctl_pick(env, "示例：", "examples:"));
    for (size_t i = 0; usage->examples[i] != NULL; i++)
        (void)fprintf(env->out, "  %s\n", usage->examples[i]);
    (void)fprintf(env->out, "\n%s\n",
                  lb_ctl_pick(env, "退出码：0 成功，1 失败或被拒绝，2 用法错误。",
                              "exit codes: 0 done, 1 failed or refused, 2 wrong usage."));
}

/* --- reading --- */

static int take_common(struct lb_ctl_env *env, const struct lb_ctl_usage *usage, size_t which,
                       bool *help)
{
    if (which == HELP)
        *help = true;
    else if (which == JSON)
        env->json = true;
    else if (strcmp(optarg, "zh") == 0 || strcmp(optarg, "en") == 0)
        env->chinese = optarg[0] == 'z';
    else
        return lb_ctl_usage_error(env, usage->command, "--language is zh or en");
    return LB_CTL_GO;
}

static int take_own(const struct lb_ctl_env *env, const struct lb_ctl_usage *usage, size_t which,
                    bool *seen)
{
    const struct lb_ctl_option *option = &usage->options[which];
    if (*seen && option->list == NULL)
        return lb_ctl_usage_error(env, usage->command, "--%s is given twice", option->name);
    *seen = true;
    if (option->flag != NULL)
        *option->flag = true;
    if (option->text != NULL)
        *option->text = optarg;
    if (option->list != NULL) {
        if (option->list->num == LB_CTL_MAX_ITEMS)
            return lb_ctl_usage_error(env, usage->command, "--%s is given more than %d times",
                                      option->name, LB_CTL_MAX_ITEMS);
        option->list->items[option->list->num++] = optarg;
    }
    if (option->number != NULL &&
        !lb_ctl_number(optarg, option->min, option->max, option->number))
        return lb_ctl_usage_error(env, usage->command, "--%s is a number from %lld to %lld",
                                  option->name, (long long)option->min, (long long)option->max);
    return LB_CTL_GO;
}

/* What getopt did not understand, without any value glued to it. */
static int tell_unknown(const struct lb_ctl_env *env, const struct lb_ctl_usage *usage, int problem,
                        const char *word)
{
    int len = 0;
    if (optopt != 0)
        return lb_ctl_usage_error(env, usage->command, "options have two dashes");
    while (len < 40 && ((word[len] >= 'a' && word[len] <= 'z') || word[len] == '-'))
        len++;
    if (problem == ':')
        return lb_ctl_usage_error(env, usage->command, "%.*s needs a value", len, word);
    return lb_ctl_usage_error(env, usage->command, "%.*s is no option here", len, word);
}

static void long_options(const struct lb_ctl_usage *usage, struct option *out)
{
    for (size_t i = 0; i < usage->num_options; i++)
        out[i] = (struct option){usage->options[i].name,
                                 usage->options[i].value == NULL ? no_argument : required_argument,
                                 NULL, 0};
    struct option *common = out + usage->num_options;
    common[HELP] = (struct option){"help", no_argument, NULL, 0};
    common[JSON] = (struct option){"json", no_argument, NULL, 0};
    common[LANGUAGE] = (struct option){"language", required_argument, NULL, 0};
    common[NUM_COMMON] = (struct option){NULL, 0, NULL, 0};
}

static int read_options(struct lb_ctl_env *env, const struct lb_ctl_usage *usage, int argc,
                        char **argv, bool seen[LB_CTL_MAX_OPTIONS], bool *help)
{
    struct option options[LB_CTL_MAX_OPTIONS + NUM_COMMON + 1];
    long_options(usage, options);
    optind = 0; /* getopt begins anew */
    opterr = 0;
    for (;;) {
        int which = 0;
        int got = getopt_long(argc, argv, ":", options, &which);
        if (got == -1)
            return LB_CTL_GO;
        if (got != 0)
            return tell_unknown(env, usage, got, argv[optind - 1]);
        size_t own = (size_t)which;
        int exit_code = own < usage->num_options
                            ? take_own(env, usage, own, &seen[own])
                            : take_common(env, usage, own - usage->num_options, help);
        if (exit_code != LB_CTL_GO)
            return exit_code;
    }
}

static int check_complete(const struct lb_ctl_env *env, const struct lb_ctl_usage *usage,
                          size_t num_operands, const bool *seen)
{
    for (size_t i = 0; i < usage->num_options; i++)
        if (usage->options[i].required && !seen[i])
            return lb_ctl_usage_error(env, usage->command, "--%s %s is missing",
                                      usage->options[i].name, usage->options[i].value);
    if (num_operands < usage->min_operands)
        return lb_ctl_usage_error(env, usage->command, "%s is missing", usage->operand);
    if (num_operands > usage->max_operands && usage->operand == NULL)
        return lb_ctl_usage_error(env, usage->command, "it takes options only");
    if (num_operands > usage->max_operands)
        return lb_ctl_usage_error(env, usage->command, "it takes at most %zu of %s",
                                  usage->max_operands, usage->operand);
    return LB_CTL_GO;
}

int lb_ctl_args(struct lb_ctl_env *env, const struct lb_ctl_usage *usage, int argc, char **argv,
                struct lb_ctl_list *operands)
{
    bool seen[LB_CTL_MAX_OPTIONS] = {false};
    bool help = false;
    int exit_code = read_options(env, usage, argc, argv, seen, &help);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (help) {
        print_help(env, usage);
        return LB_CTL_OK;
    }
    size_t num = (size_t)(argc - optind);
    exit_code = check_complete(env, usage, num, seen);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    for (size_t i = 0; i < num; i++)
        operands->items[operands->num++] = argv[optind + (int)i];
    return LB_CTL_GO;
}

/* --- words --- */

static void list_words(const struct lb_ctl_env *env, FILE *out, const char *command,
                       const struct lb_ctl_word *words, size_t num)
{
    for (size_t i = 0; i < num; i++)
        (void)fprintf(out, "  lianban %s %-10s %s\n", command, words[i].name,
                      lb_ctl_pick(env, words[i].zh, words[i].en));
}

int lb_ctl_words(struct lb_ctl_env *env, const char *command, const struct lb_ctl_word *words,
                 size_t num, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        list_words(env, env->out, command, words, num);
        return LB_CTL_OK;
    }
    for (size_t i = 0; argc >= 2 && i < num; i++)
        if (strcmp(argv[1], words[i].name) == 0)
            return words[i].run(env, argc - 1, argv + 1);
    (void)fprintf(env->err, "lianban %s: which of these? 请选择：\n", command);
    list_words(env, env->err, command, words, num);
    return LB_CTL_USAGE;
}
