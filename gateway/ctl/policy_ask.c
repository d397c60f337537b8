#include <string.h>

#include "gateway/base/wipe.h"
#include "gateway/ctl/policy.h"
#include "gateway/ctl/text.h"

/* A line longer than this is no answer; the rest of it is read over. */
#define MAX_LINE_BYTES 256

static void print_question(const struct lb_ctl_env *env, const struct lb_question *question,
                           size_t num_open)
{
    (void)fprintf(env->err, "\n[%zu] ", num_open);
    lb_ctl_put(env->err, lb_ctl_policy_text(env, &question->text));
    for (size_t i = 0; i < question->num_choices; i++) {
        (void)fprintf(env->err, "\n  %zu  ", i + 1);
        lb_ctl_put(env->err, lb_ctl_policy_text(env, &question->choices[i].text));
    }
    switch (question->type) {
    case LB_QUESTION_BOOL:
        (void)fputs(lb_ctl_pick(env, "（是/否", " (yes/no"), env->err);
        break;
    case LB_QUESTION_DATE:
        (void)fputs(lb_ctl_pick(env, "（年-月-日，如1960-05-01", " (YYYY-MM-DD"), env->err);
        break;
    case LB_QUESTION_CHOICE:
        (void)fputs(lb_ctl_pick(env, "\n（序号", "\n(number"), env->err);
        break;
    case LB_QUESTION_INT:
    case LB_QUESTION_MONEY:
        (void)fputs(lb_ctl_pick(env, "（数字", " (number"), env->err);
        break;
    }
    (void)fputs(lb_ctl_pick(env, "，不清楚请直接回车）: ", ", Enter if you don't know): "),
                env->err);
    (void)fflush(env->err);
}

/* A line without its end and the blanks around it; false at the input's end. */
static bool read_line(FILE *in, char line[MAX_LINE_BYTES], struct lb_span *out)
{
    size_t len = 0;
    bool fits = true;
    int c = getc(in);
    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(in)) {
        fits = fits && len < MAX_LINE_BYTES;
        if (fits)
            line[len++] = (char)c;
    }
    size_t first = 0;
    while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
        len--;
    while (first < len && strchr(" \t", line[first]) != NULL)
        first++;
    /* an overlong line is no answer to anything */
    *out = fits ? lb_span_of(line + first, len - first) : lb_span_str("?");
    return true;
}

/* The answer as the engine takes it: people also say 是 or y, and choose by number. */
static struct lb_span spelled(const struct lb_question *question, struct lb_span text)
{
    static const char *const yes[] = {"是", "有", "y", "Y", "Yes"};
    static const char *const no[] = {"否", "没有", "n", "N", "No"};
    int64_t number = 0;
    if (text.len == 0)
        return lb_span_str("unknown");
    for (size_t i = 0; question->type == LB_QUESTION_BOOL && i < sizeof(yes) / sizeof(yes[0]);
         i++) {
        if (lb_span_is(text, yes[i]))
            return lb_span_str("yes");
        if (lb_span_is(text, no[i]))
            return lb_span_str("no");
    }
    for (size_t i = 0; i < text.len && text.len < 3; i++)
        number = text.ptr[i] < '0' || text.ptr[i] > '9' ? -100
                                                        : number * 10 + (text.ptr[i] - '0');
    if (question->num_choices > 0 && number >= 1 && (size_t)number <= question->num_choices)
        return lb_span_str(question->choices[number - 1].id);
    return text;
}

/* Asks one question until its answer is understood; false in *out_more at the input's end. */
static lb_status ask_one(const struct lb_ctl_env *env, const struct lb_question *question,
                         size_t num_open, struct lb_answers *answers, bool *out_more)
{
    char line[MAX_LINE_BYTES];
    struct lb_diag diag = {{0}};
    struct lb_span text = LB_SPAN_EMPTY;
    lb_status status = LB_OK;
    do {
        print_question(env, question, num_open);
        *out_more = read_line(env->in, line, &text);
        if (!*out_more)
            return LB_OK;
        status = lb_answers_put(answers, lb_span_str(question->id), spelled(question, text),
                                &diag);
        lb_wipe(line, sizeof(line));
        if (status != LB_OK)
            (void)fprintf(env->err, "%s%s\n", lb_ctl_pick(env, "没有看懂：", "not understood: "),
                          diag.text);
    } while (lb_status_code(status) == LB_ANSWER_INVALID);
    return status;
}

static size_t next_question(const struct lb_calculation *calculation,
                            const struct lb_answers *answers, size_t *out_num_open)
{
    size_t next = SIZE_MAX;
    *out_num_open = 0;
    for (size_t i = 0; i < calculation->num_missing; i++) {
        if (lb_answers_has(answers, calculation->missing[i]))
            continue; /* not known, and not asked again */
        if (next == SIZE_MAX)
            next = calculation->missing[i];
        ++*out_num_open;
    }
    return next;
}

lb_status lb_ctl_policy_ask(const struct lb_ctl_env *env, struct lb_catalogue *catalogue,
                            size_t only, struct lb_answers *answers)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_calculation calculation;
    bool more = true;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    while (more) {
        size_t num_open = 0;
        lb_arena_reset(arena);
        LB_TRY(lb_catalogue_calculate(catalogue, only, answers, arena, &calculation));
        size_t next = next_question(&calculation, answers, &num_open);
        if (next == SIZE_MAX)
            return LB_OK;
        LB_TRY(ask_one(env, lb_catalogue_question(catalogue, next), num_open, answers, &more));
    }
    return LB_OK;
}
