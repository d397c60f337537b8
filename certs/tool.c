#include "certs/tool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/limits.h"

#define TOOL_ARENA_BYTES (4 * LB_FILE_ARENA_BYTES)

/* --- failures --- */

__attribute__((format(printf, 2, 0)))
static void set_text(struct lb_tool *tool, const char *format, va_list args)
{
    char text[sizeof(tool->diag.text)];
    (void)vsnprintf(text, sizeof(text), format, args);
    lb_diag_set(&tool->diag, "%s", text);
}

lb_status lb_tool_fail(struct lb_tool *tool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_text(tool, format, args);
    va_end(args);
    LB_FAIL(LB_CONFIG_INVALID, "command refused");
}

lb_status lb_tool_usage(struct lb_tool *tool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_text(tool, format, args);
    va_end(args);
    tool->usage = true;
    LB_FAIL(LB_CONFIG_INVALID, "command line is wrong");
}

lb_status lb_tool_explain(struct lb_tool *tool, lb_status status, const char *format, ...)
{
    if (status == LB_OK || tool->diag.text[0] != 0)
        return status;
    va_list args;
    va_start(args, format);
    set_text(tool, format, args);
    va_end(args);
    return status;
}

/* --- options --- */

static lb_status parse_int(struct lb_tool *tool, const struct lb_option *option, const char *text)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool digits = text[strspn(text, "-0123456789")] == 0 && end != text && *end == 0;
    if (errno != 0 || !digits || value < option->min || value > option->max)
        return lb_tool_usage(tool, "%s takes a whole number from %" PRId64 " to %" PRId64,
                             option->name, option->min, option->max);
    *(int64_t *)option->target = value;
    return LB_OK;
}

static lb_status take(struct lb_tool *tool, const struct lb_option *option, const char *text,
                      bool again)
{
    if (option->kind == LB_OPTION_LIST) {
        struct lb_tool_list *list = option->target;
        if (list->num == LB_TOOL_MAX_LIST)
            return lb_tool_usage(tool, "%s is given more than %d times", option->name,
                                 LB_TOOL_MAX_LIST);
        list->items[list->num++] = text;
        return LB_OK;
    }
    if (again)
        return lb_tool_usage(tool, "%s is given twice", option->name);
    if (option->kind == LB_OPTION_INT)
        return parse_int(tool, option, text);
    *(const char **)option->target = text;
    return LB_OK;
}

static size_t find_option(const struct lb_option *options, size_t num, const char *name)
{
    size_t i = 0;
    while (i < num && strcmp(options[i].name, name) != 0)
        i++;
    return i;
}

lb_status lb_tool_options(struct lb_tool *tool, int argc, char **argv,
                          const struct lb_option *options, size_t num_options)
{
    uint64_t seen = 0;  /* no command has as many as 64 options */
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            tool->json = true;
            continue;
        }
        size_t at = find_option(options, num_options, argv[i]);
        if (at == num_options)
            return lb_tool_usage(tool, "\"%.64s\" is not an option of this command", argv[i]);
        if (i + 1 == argc || argv[i + 1][0] == 0)
            return lb_tool_usage(tool, "%s needs a value", argv[i]);
        LB_TRY(take(tool, &options[at], argv[i + 1], (seen >> at & 1) != 0));
        seen |= UINT64_C(1) << at;
        i++;
    }
    for (size_t i = 0; i < num_options; i++) {
        if (options[i].required && (seen >> i & 1) == 0)
            return lb_tool_usage(tool, "%s is missing", options[i].name);
    }
    return LB_OK;
}

/* --- results --- */

static void print_value(FILE *out, const struct lb_json *value)
{
    if (lb_json_is_int(value)) {
        (void)fprintf(out, "%" PRId64, lb_json_int(value));
        return;
    }
    struct lb_span text = lb_json_str(value);
    (void)fwrite(text.ptr, 1, text.len, out);
}

static void print_item(FILE *out, const struct lb_json *item)
{
    const char *key = NULL;
    const struct lb_json *value = NULL;
    (void)fputs("  -", out);
    if (!lb_json_is_object(item)) {
        (void)fputc(' ', out);
        print_value(out, item);
    }
    for (size_t i = 0; (value = lb_json_member(item, i, &key)) != NULL; i++) {
        (void)fprintf(out, " %s=", key);
        print_value(out, value);
    }
    (void)fputc('\n', out);
}

static void print_lines(FILE *out, const struct lb_json *result)
{
    const char *key = NULL;
    const struct lb_json *value = NULL;
    for (size_t i = 0; (value = lb_json_member(result, i, &key)) != NULL; i++) {
        (void)fprintf(out, "%s: ", key);
        if (!lb_json_is_array(value)) {
            print_value(out, value);
            (void)fputc('\n', out);
            continue;
        }
        (void)fprintf(out, "%zu\n", lb_json_len(value));
        for (size_t j = 0; j < lb_json_len(value); j++)
            print_item(out, lb_json_at(value, j));
    }
}

lb_status lb_tool_result(struct lb_tool *tool, struct lb_json *result)
{
    LB_DEFER(lb_json_freep) struct lb_json *owned = result;
    struct lb_span text;
    LB_TRY(lb_json_dump(owned, LB_JSON_PRETTY, tool->arena, &text));
    if (tool->json) {
        (void)fwrite(text.ptr, 1, text.len, tool->out);
        (void)fputc('\n', tool->out);
    } else {
        print_lines(tool->out, owned);
    }
    LB_ENSURE(fflush(tool->out) == 0, LB_FILE_FAILED, "output cannot be written");
    return LB_OK;
}

lb_status lb_tool_path(struct lb_tool *tool, const char *folder, const char *name,
                       const char **out_path)
{
    const char *path = lb_arena_printf(tool->arena, "%s/%s", folder, name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    *out_path = path;
    return LB_OK;
}

void lb_tool_set_time(struct lb_json *object, const char *key, const char *text_key,
                      int64_t unix_s)
{
    struct tm parts;
    char text[40] = "";
    time_t when = (time_t)unix_s;
    if (gmtime_r(&when, &parts) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    lb_json_set_int(object, key, unix_s);
    lb_json_set_cstr(object, text_key, text);
}

/* --- running --- */

static void print_help(const struct lb_tool_set *set, FILE *out)
{
    (void)fputs(set->help, out);
    (void)fputs("\nCommands:\n", out);
    for (size_t i = 0; i < set->num_commands; i++)
        (void)fprintf(out, "  lianban %s %s --help\n", set->name, set->commands[i].name);
    (void)fputs("\nExit codes: 0 done, 1 failed, 2 wrong command line.\n", out);
}

static bool is_help(const char *text)
{
    return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0 || strcmp(text, "help") == 0;
}

static const struct lb_tool_command *find_command(const struct lb_tool_set *set, const char *name)
{
    for (size_t i = 0; i < set->num_commands; i++) {
        if (strcmp(set->commands[i].name, name) == 0)
            return &set->commands[i];
    }
    return NULL;
}

static void print_failure(const struct lb_tool *tool, const struct lb_tool_set *set,
                          const struct lb_tool_command *command, lb_status status)
{
    enum lb_code code = lb_status_code(status);
    const char *text = tool->diag.text[0] != 0 ? tool->diag.text : lb_code_text_en(code);
    (void)fprintf(tool->err, "lianban %s %s: %s (%s: %s)\n", set->name, command->name, text,
                  lb_code_name(code), lb_code_text_zh(code));
    if (tool->usage)
        (void)fprintf(tool->err, "Try: lianban %s %s --help\n", set->name, command->name);
}

static int run_command(const struct lb_tool_set *set, const struct lb_tool_command *command,
                       int argc, char **argv, struct lb_tool *tool)
{
    tool->arena = lb_arena_new(TOOL_ARENA_BYTES);
    if (tool->arena == NULL)
        return LB_TOOL_FAILED;
    lb_status status = command->run(tool, argc, argv);
    if (status != LB_OK)
        print_failure(tool, set, command, status);
    lb_arena_free(tool->arena);
    if (status == LB_OK)
        return LB_TOOL_DONE;
    return tool->usage ? LB_TOOL_USAGE : LB_TOOL_FAILED;
}

int lb_tool_run(const struct lb_tool_set *set, int argc, char **argv, FILE *out, FILE *err)
{
    if (argc < 2) {
        print_help(set, err);
        return LB_TOOL_USAGE;
    }
    if (is_help(argv[1])) {
        print_help(set, out);
        return LB_TOOL_DONE;
    }
    const struct lb_tool_command *command = find_command(set, argv[1]);
    if (command == NULL) {
        (void)fprintf(err, "lianban %s: there is no command \"%.64s\"\n", set->name, argv[1]);
        print_help(set, err);
        return LB_TOOL_USAGE;
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)fputs(command->help, out);
            return LB_TOOL_DONE;
        }
    }
    struct lb_tool tool = {.out = out, .err = err, .clock = lb_clock_system()};
    return run_command(set, command, argc - 2, argv + 2, &tool);
}
