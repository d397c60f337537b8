#include <stdlib.h>

#include "gateway/base/utf8.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/household.h"
#include "gateway/ctl/text.h"
#include "tests/fuzz/fuzz.h"

/* What people and other programs hand to the command: its line, times, households, texts. */

#define MAX_WORDS 24
#define ARENA_BYTES (8U << 20)

/* What the command prints, kept in memory. */
struct printed {
    char *text;
    size_t len;
    FILE *file;
};

static void open_printed(struct printed *printed)
{
    printed->file = open_memstream(&printed->text, &printed->len);
    FUZZ_CHECK(printed->file != NULL);
}

static struct lb_span read_printed(struct printed *printed)
{
    FUZZ_CHECK(fflush(printed->file) == 0);
    return lb_span_of(printed->text, printed->len);
}

static void close_printed(struct printed *printed)
{
    (void)fclose(printed->file);
    free(printed->text);
}

/* No control character but the line feed reaches a terminal, and nothing but UTF-8. */
static void check_printed(struct lb_span text)
{
    FUZZ_CHECK(lb_utf8_valid(text));
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK((text.ptr[i] >= ' ' || text.ptr[i] == '\n') && text.ptr[i] != 0x7F);
}

static size_t take_words(struct lb_span in, char **words, struct lb_arena *arena)
{
    size_t num = 0;
    words[num++] = lb_arena_str(arena, lb_span_str("command"));
    while (in.len > 0 && num < MAX_WORDS) {
        char *word = lb_arena_str(arena, fuzz_line(&in));
        if (word != NULL)
            words[num++] = word;
    }
    words[num] = NULL;
    return num;
}

/* Words, one a line. No complaint repeats a value: people put identity numbers in wrong places. */
bool fuzz_arguments(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    char *words[MAX_WORDS + 1];
    size_t num = take_words(in, words, arena);
    bool flag = false;
    const char *text = NULL;
    int64_t number = 7;
    struct lb_ctl_list list = {.num = 0}, operands = {.num = 0};
    const struct lb_ctl_option options[] = {
        {.name = "all", .en = "all", .zh = "all", .flag = &flag},
        {.name = "case", .value = "ID", .en = "case", .zh = "case", .text = &text},
        {.name = "key", .value = "FILE", .en = "key", .zh = "key", .list = &list},
        {.name = "limit", .value = "N", .en = "limit", .zh = "limit", .number = &number, .min = 0,
         .max = 1000},
    };
    static const char *const examples[] = {"lianban log list FOLDER", NULL};
    const struct lb_ctl_usage usage = {.command = "log list", .en = "lists", .zh = "lists",
                                       .operand = "FOLDER", .min_operands = 1, .max_operands = 3,
                                       .options = options, .num_options = 4, .examples = examples};
    struct printed out, err;
    open_printed(&out);
    open_printed(&err);
    struct lb_ctl_env env = {.out = out.file, .err = err.file};
    int code = lb_ctl_args(&env, &usage, (int)num, words, &operands);
    FUZZ_CHECK(code == LB_CTL_GO || code == LB_CTL_OK || code == LB_CTL_USAGE);
    struct lb_span said = read_printed(&err);
    check_printed(said);
    FUZZ_CHECK((code == LB_CTL_USAGE) == (said.len > 0));
    FUZZ_CHECK(said.len == 0 || memmem(said.ptr, said.len, "990101", 6) == NULL);
    FUZZ_CHECK(number >= 0 && number <= 1000);
    FUZZ_CHECK(code != LB_CTL_GO || (operands.num >= 1 && operands.num <= 3));
    close_printed(&out);
    close_printed(&err);
    return code == LB_CTL_GO;
}

void seed_arguments(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "--all\n--case\nc1\n--key=a\n--key\nb\n--limit\n5\n--json\n/folder");
    fuzz_seed_text(sink, "--language\nzh\n--\n--folder\nb\nc");
}

static bool try_time(const char *text)
{
    int64_t time_ms = 0, again = 0, number = 0;
    char written[LB_CTL_TIME_BYTES];
    if (lb_ctl_number(text, INT64_MIN, INT64_MAX, &number))
        FUZZ_CHECK(lb_ctl_number(text, number, number, &number));
    if (lb_ctl_time_parse(text, &time_ms) != LB_OK)
        return false;
    lb_ctl_time(time_ms, written);
    FUZZ_CHECK(strlen(written) == 24 && strcmp(written + 19, ".000Z") == 0);
    memcpy(written + 19, "Z", 2);
    FUZZ_OK(lb_ctl_time_parse(written, &again));
    FUZZ_CHECK(again == time_ms);
    return true;
}

/* A time, or text from anywhere on its way to the terminal. */
bool fuzz_terminal_text(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    bool is_time = (fuzz_u8(&in) & 1) != 0;
    const char *text = fuzz_text(arena, in);
    if (text == NULL)
        return false;
    if (is_time)
        return try_time(text);
    struct printed out;
    open_printed(&out);
    lb_ctl_put(out.file, text);
    struct lb_span one = read_printed(&out);
    check_printed(one);
    FUZZ_CHECK(one.len == 0 || memchr(one.ptr, '\n', one.len) == NULL);
    FUZZ_CHECK(lb_ctl_width(one) == lb_ctl_width(in));
    lb_ctl_put_lines(out.file, text);
    check_printed(read_printed(&out));
    const char *masked = lb_ctl_mask_name(arena, text);
    FUZZ_CHECK(masked != NULL && strlen(masked) <= 5 && strchr(masked, '*') != NULL);
    close_printed(&out);
    return true;
}

void seed_terminal_text(const struct fuzz_sink *sink)
{
    fuzz_seed(sink, 0, lb_span_str("张三 \x1B[31mred\n\xE2\x80\xAE" "e\xCC\x81\xFF"));
    fuzz_seed(sink, 1, lb_span_str("2026-07-01T08:00:00+08:00"));
    fuzz_seed(sink, 1, lb_span_str("2024-02-29"));
    fuzz_seed(sink, 1, lb_span_str("1970-01-01T00:00Z"));
}

bool fuzz_household(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_diag diag = {""};
    struct lb_ctl_household household = {.num = 0};
    struct lb_ctl_env env = {.in = fmemopen((void *)(uintptr_t)in.ptr, in.len, "r")};
    if (env.in == NULL)
        return false;
    lb_status status = lb_ctl_household_load(&env, "-", arena, &diag, &household);
    (void)fclose(env.in);
    if (status != LB_OK) {
        FUZZ_CHECK(household.num == 0 && strstr(diag.text, "990101") == NULL);
        return false;
    }
    FUZZ_CHECK(household.num >= 1 && household.num <= LB_MAX_HOUSEHOLD);
    for (size_t i = 0; i < household.num; i++) {
        const struct lb_ctl_person *person = &household.people[i];
        FUZZ_CHECK(strlen(person->id_no) == 18 && person->role[0] != 0 && person->name[0] != 0);
        FUZZ_CHECK(person->relation != NULL);
    }
    return true;
}

void seed_household(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "members:\n"
                         "  - {role: applicant, id_no: \"99010119800101201X\", name: 张三}\n"
                         "  - {role: child, id_no: \"990101202001017039\", name: 李四,"
                         " relation: child}\n");
}
