#include <stdlib.h>

#include "gateway/base/buf.h"
#include "policy/engine/view_private.h"

/* Far above what people write; a table past it is refused. */
#define MAX_TABLE_BYTES (4 * 1024 * 1024)
#define MAX_LINE_BYTES (32 * 1024)

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends " key=a,b", sorted, so that the order in the file does not show. */
static void put_words(struct lb_buf *line, const char *key, const char *const *words, size_t num)
{
    const char *sorted[LB_VIEW_MAX_LIST];
    size_t kept = num < LB_VIEW_MAX_LIST ? num : LB_VIEW_MAX_LIST;
    for (size_t i = 0; i < kept; i++)
        sorted[i] = words[i];
    qsort(sorted, kept, sizeof(sorted[0]), compare_words);
    lb_buf_printf(line, " %s=", key);
    if (kept == 0)
        lb_buf_put_str(line, "-");
    for (size_t i = 0; i < kept; i++) {
        lb_buf_put_str(line, i == 0 ? "" : ",");
        lb_buf_put_str(line, sorted[i]);
    }
}

static void put_bases(struct lb_buf *line, unsigned bases)
{
    const char *names[LB_NUM_BASES];
    size_t num = 0;
    for (unsigned i = 0; i < LB_NUM_BASES; i++)
        if ((bases & 1U << i) != 0)
            names[num++] = lb_basis_name((enum lb_basis)i);
    put_words(line, "bases", names, num);
}

/* The usual two go without saying. */
static void put_givers(struct lb_buf *line, unsigned givers)
{
    const char *names[LB_NUM_GIVERS];
    size_t num = 0;
    if (givers == LB_VIEW_DEFAULT_GIVERS)
        return;
    for (unsigned i = 0; i < LB_NUM_GIVERS; i++)
        if ((givers & 1U << i) != 0)
            names[num++] = lb_giver_name((enum lb_giver)i);
    put_words(line, "given_by", names, num);
}

static lb_status rule_line(const struct lb_view *view, const struct lb_view_field *field,
                           const struct lb_view_rule *rule, const struct lb_op_call *call,
                           struct lb_arena *arena, const char **out)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) line;
    lb_buf_init(&line, MAX_LINE_BYTES);
    const char *operator_text = lb_op_format(call, arena);
    LB_ENSURE(operator_text != NULL, LB_NO_MEMORY, "arena full");
    lb_buf_printf(&line, "%s %s G%d purpose=%s operator=%s", view->id, field->name,
                  field->data_class, rule->purpose, operator_text);
    put_words(&line, "requesters", rule->requesters, rule->num_requesters);
    put_bases(&line, rule->bases);
    put_words(&line, "issuers", rule->issuers, rule->num_issuers);
    put_words(&line, "laws", rule->laws, rule->num_laws);
    lb_buf_printf(&line, " level=%d", rule->min_level);
    put_givers(&line, rule->givers);
    if (rule->event_days > 0) {
        put_words(&line, "event", rule->triggers, rule->num_triggers);
        lb_buf_printf(&line, " every_days=%lld", (long long)rule->event_days);
    }
    lb_buf_put_str(&line, rule->dry_run ? " dry-run\n" : "\n");
    LB_TRY(lb_buf_check(&line));
    *out = lb_arena_str(arena, lb_buf_span(&line));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

struct lines {
    size_t num;
    const char **at;
};

/* What holds for the whole view; '-' stands where a field would and sorts before every name. */
#define MAX_VIEW_LINES 6

static lb_status add_line(struct lines *lines, const char *line)
{
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena full");
    lines->at[lines->num++] = line;
    return LB_OK;
}

static const char *limit_text(int64_t limit, struct lb_arena *arena)
{
    return limit == 0 ? "-" : lb_arena_printf(arena, "%lld", (long long)limit);
}

static lb_status budget_line(const struct lb_view *view, const char *who,
                             const struct lb_budget *budget, struct lb_arena *arena,
                             struct lines *lines)
{
    const char *hour = limit_text(budget->hour, arena);
    const char *day = limit_text(budget->day, arena);
    LB_ENSURE(hour != NULL && day != NULL, LB_NO_MEMORY, "arena full");
    if (budget->hour == 0 && budget->day == 0)
        return LB_OK;
    return add_line(lines, lb_arena_printf(arena, "%s - budget of one %s hour=%s day=%s\n",
                                           view->id, who, hour, day));
}

static lb_status pause_line(const struct lb_view *view, struct lb_arena *arena,
                            struct lines *lines)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) line;
    lb_buf_init(&line, MAX_LINE_BYTES);
    if (view->num_pauses == 0)
        return LB_OK;
    lb_buf_printf(&line, "%s - maintenance", view->id);
    lb_view_put_pauses(view, &line);
    lb_buf_put_str(&line, "\n");
    LB_TRY(lb_buf_check(&line));
    return add_line(lines, lb_arena_str(arena, lb_buf_span(&line)));
}

static lb_status code_line(const struct lb_view *view, const struct lb_view_field *field,
                           struct lb_arena *arena, struct lines *lines)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) line;
    lb_buf_init(&line, MAX_LINE_BYTES);
    if (field->num_codes == 0 && field->empty == NULL)
        return LB_OK;
    lb_buf_printf(&line, "%s %s codes", view->id, field->name);
    for (size_t i = 0; i < field->num_codes; i++)
        lb_buf_printf(&line, " %s=%s", field->codes[i].code, field->codes[i].word);
    if (field->empty != NULL)
        lb_buf_printf(&line, " ''%s=%s", field->null_is_empty ? ",NULL" : "", field->empty);
    lb_buf_put_str(&line, "\n");
    LB_TRY(lb_buf_check(&line));
    return add_line(lines, lb_arena_str(arena, lb_buf_span(&line)));
}

static lb_status view_lines(const struct lb_view *view, struct lb_arena *arena,
                            struct lines *lines)
{
    const struct lb_probing *probing = &view->probing;
    const char *source = view->source == LB_VIEW_OFFICER ? " of the officer's station"
                         : view->source == LB_VIEW_DRILL ? " of made-up people, for drills"
                                                         : "";
    LB_TRY(add_line(lines, lb_arena_printf(arena, "%s - rows %s max=%zu%s%s\n", view->id,
                                           view->many ? "many" : "one", view->max_rows,
                                           view->complete ? " complete" : "", source)));
    LB_TRY(add_line(lines, lb_arena_printf(arena, "%s - freshness days=%s\n", view->id,
                                           limit_text(view->freshness_days, arena))));
    LB_TRY(add_line(lines, lb_arena_printf(arena,
                                           "%s - probing thresholds=%lld days=%lld mismatches=%lld"
                                           " mismatches_day=%lld\n",
                                           view->id, (long long)probing->thresholds,
                                           (long long)probing->days,
                                           (long long)probing->mismatches,
                                           (long long)probing->mismatches_day)));
    LB_TRY(pause_line(view, arena, lines));
    LB_TRY(budget_line(view, "operator", &view->budgets.each_operator, arena, lines));
    return budget_line(view, "requester", &view->budgets.each_requester, arena, lines);
}

static size_t count_lines(const struct lb_view *view)
{
    size_t num = MAX_VIEW_LINES;
    for (size_t f = 0; f < view->num_fields; f++) {
        num += view->fields[f].num_rules == 0 ? 1 : 0;
        num += view->fields[f].num_codes > 0 || view->fields[f].empty != NULL ? 1 : 0;
        for (size_t r = 0; r < view->fields[f].num_rules; r++)
            num += view->fields[f].rules[r].num_operators;
    }
    return num;
}

static lb_status field_lines(const struct lb_view *view, const struct lb_view_field *field,
                             struct lb_arena *arena, struct lines *lines)
{
    LB_TRY(code_line(view, field, arena, lines));
    for (size_t r = 0; r < field->num_rules; r++) {
        const struct lb_view_rule *rule = &field->rules[r];
        for (size_t i = 0; i < rule->num_operators; i++)
            LB_TRY(rule_line(view, field, rule, &rule->operators[i], arena,
                             &lines->at[lines->num++]));
    }
    if (field->num_rules > 0)
        return LB_OK;
    return add_line(lines, lb_arena_printf(arena, "%s %s G%d releases nothing\n", view->id,
                                           field->name, field->data_class));
}

lb_status lb_view_table(const struct lb_view *view, struct lb_arena *arena,
                        struct lb_span *out_text)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_TABLE_BYTES);
    struct lines lines = {0, lb_arena_array(arena, count_lines(view), sizeof(const char *))};
    LB_ENSURE(lines.at != NULL, LB_NO_MEMORY, "arena full");
    LB_TRY(view_lines(view, arena, &lines));
    for (size_t f = 0; f < view->num_fields; f++)
        LB_TRY(field_lines(view, &view->fields[f], arena, &lines));
    qsort(lines.at, lines.num, sizeof(lines.at[0]), compare_words);
    for (size_t i = 0; i < lines.num; i++)
        lb_buf_put_str(&text, lines.at[i]);
    LB_TRY(lb_buf_check(&text));
    return lb_arena_copy(arena, lb_buf_span(&text), out_text);
}
