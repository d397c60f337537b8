#include "gateway/ctl/listing.h"

#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

/* --- lines --- */

static bool next_line(const char **at, struct lb_span *out)
{
    if (*at == NULL || **at == 0)
        return false;
    size_t len = strcspn(*at, "\n");
    *out = lb_span_of(*at, len);
    *at += len + ((*at)[len] == '\n' ? 1 : 0);
    return true;
}

static struct lb_json *parse(struct lb_span line)
{
    struct lb_json *json = NULL;
    if (lb_json_parse(line, &json) != LB_OK)
        return NULL;
    if (lb_json_is_object(json))
        return json;
    lb_json_free(json);
    return NULL;
}

struct lb_json *lb_ctl_listing_json(const char *lines)
{
    struct lb_json *out = lb_json_array();
    struct lb_span line;
    while (next_line(&lines, &line)) {
        struct lb_json *json = parse(line);
        if (json != NULL)
            lb_json_append(out, json);
        else
            lb_json_append_str(out, line);
    }
    return out;
}

/* --- the table --- */

static const char *text_of(const struct lb_json *json, const char *key, struct lb_arena *arena)
{
    struct lb_span text = LB_SPAN_EMPTY;
    const char *out = NULL;
    if (lb_json_get_str(json, key, &text) == LB_OK)
        out = lb_arena_str(arena, text);
    return out == NULL ? "" : out;
}

static const char *outcome_word(const struct lb_ctl_env *env, const char *outcome,
                                const char *code)
{
    static const struct {
        const char *name, *zh, *en;
    } words[] = {
        {"given", "已提供", "given"},
        {"refused", "已拒绝", "refused"},
        {"emergency", "紧急提供", "given in an emergency"},
        {"nothing", "未提供数据", "nothing was given"},
        {"failed", "未答复", "not answered"},
        {"reviewed", "安全员查阅日志", "the log was looked into"},
        {"event", "管理事项", "an event of the node"},
    };
    if (strcmp(outcome, "reviewed") == 0 && strcmp(code, "SUBJECT_ACCESS") == 0)
        return lb_ctl_pick(env, "为答复本人而查阅日志", "the log was read to answer the person");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i].name, outcome) == 0)
            return lb_ctl_pick(env, words[i].zh, words[i].en);
    }
    return outcome;
}

static const char *office_of(const struct lb_ctl_env *env, const struct lb_json *line,
                             struct lb_arena *arena)
{
    bool officer = false;
    if (lb_json_get_bool(line, "officer", &officer) == LB_OK && officer)
        return lb_ctl_pick(env, "本部门安全员", "this department's security officer");
    const char *office = text_of(line, "office", arena);
    const char *unit = text_of(line, "unit", arena);
    if (unit[0] == 0)
        return office;
    const char *both = lb_arena_printf(arena, "%s %s", office, unit);
    return both == NULL ? office : both;
}

static lb_status fields_of(const struct lb_json *line, struct lb_arena *arena, const char **out)
{
    const struct lb_json *fields = NULL;
    int64_t more = 0;
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, 2 * LB_MAX_LIST_LINE_BYTES);
    if (lb_json_get_array(line, "fields", &fields) == LB_OK) {
        for (size_t i = 0; i < lb_json_len(fields); i++) {
            lb_buf_put_str(&text, i == 0 ? "" : ", ");
            lb_buf_put(&text, lb_json_str(lb_json_at(fields, i)));
        }
    }
    if (lb_json_get_int(line, "more_fields", &more) == LB_OK)
        lb_buf_printf(&text, ", +%lld", (long long)more);
    LB_TRY(lb_buf_check(&text));
    *out = lb_arena_str(arena, lb_buf_span(&text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status add_line(const struct lb_ctl_env *env, struct lb_arena *arena,
                          const struct lb_json *line, struct lb_ctl_table *table)
{
    const char *fields = "";
    const char *code = text_of(line, "code", arena);
    LB_TRY(fields_of(line, arena, &fields));
    const char *const cells[] = {
        text_of(line, "time", arena),
        office_of(env, line, arena),
        lb_ctl_word(env, text_of(line, "purpose", arena)),
        lb_ctl_word(env, text_of(line, "basis", arena)),
        outcome_word(env, text_of(line, "outcome", arena), code),
        strcmp(code, "OK") == 0 ? "" : code,
        text_of(line, "given_by", arena),
        text_of(line, "operator", arena),
        text_of(line, "case", arena),
    };
    lb_ctl_table_row(table, cells);
    if (fields[0] != 0)
        lb_ctl_table_note(table, fields);
    return LB_OK;
}

/* How whole the list is, and what holds for every citizen's. */
static void print_head(const struct lb_ctl_env *env, const struct lb_json *head,
                       struct lb_arena *arena)
{
    bool more = false;
    const char *note = text_of(head, env->chinese ? "note_zh" : "note_en", arena);
    if (lb_json_get_bool(head, "more", &more) == LB_OK && more)
        (void)fputs(lb_ctl_pick(env, "仅列出最近的记录，还有更早的。\n",
                                "The newest entries only; there are older ones.\n"), env->out);
    if (note[0] == 0)
        return;
    lb_ctl_put(env->out, note);
    (void)fputc('\n', env->out);
}

static lb_status add_lines(const struct lb_ctl_env *env, struct lb_arena *arena, const char *lines,
                           struct lb_ctl_table *table)
{
    struct lb_span line;
    while (next_line(&lines, &line)) {
        LB_DEFER(lb_json_freep) struct lb_json *json = parse(line);
        if (json == NULL) {
            lb_ctl_table_row(table, (const char *const[]){"?", NULL, NULL, NULL, NULL, NULL, NULL,
                                                          NULL, NULL});
            continue;
        }
        LB_TRY(add_line(env, arena, json, table));
    }
    return LB_OK;
}

lb_status lb_ctl_listing_print(const struct lb_ctl_env *env, struct lb_arena *arena,
                               const char *title, const char *lines)
{
    static const char *const zh[] = {"时间（UTC）", "机关", "目的", "依据", "结果",
                                     "代码", "代为同意", "经办人", "办件", NULL};
    static const char *const en[] = {"time (UTC)", "office", "purpose", "basis", "outcome",
                                     "code", "agreed by", "operator", "case", NULL};
    struct lb_ctl_table table;
    struct lb_span first = LB_SPAN_EMPTY;
    (void)next_line(&lines, &first);
    LB_DEFER(lb_json_freep) struct lb_json *head = parse(first);
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    LB_TRY(add_lines(env, arena, lines, &table));
    (void)fputc('\n', env->out);
    lb_ctl_put(env->out, title);
    (void)fputc('\n', env->out);
    if (table.num_rows > 0)
        LB_TRY(lb_ctl_table_print(&table, env->out));
    else
        (void)fputs(lb_ctl_pick(env, "没有记录。\n", "No entries.\n"), env->out);
    if (head == NULL)
        (void)fputs(lb_ctl_pick(env, "清单首行无法读取。\n", "The list's first line is unreadable.\n"),
                    env->out);
    else
        print_head(env, head, arena);
    return LB_OK;
}
