#include "gateway/ctl/parts_view.h"

#include "gateway/base/hex.h"
#include "gateway/ctl/corrections_view.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

/* --- JSON --- */

static void set_if(struct lb_json *out, const char *key, const char *value)
{
    if (value[0] != 0)
        lb_json_set_cstr(out, key, value);
}

static void set_name(struct lb_json *out, ProtobufCBinaryData name)
{
    char hex[2 * 16 + 1] = "";
    if (name.len == 16)
        lb_hex_encode(lb_span_of(name.data, name.len), hex);
    lb_json_set_cstr(out, "name", hex);
}

static struct lb_json *words_json(const Lianban__V1__CasePart *part)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < part->n_words; i++) {
        const Lianban__V1__PartWord *word = part->words[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_int(one, "number", word->number);
        lb_json_set_cstr(one, "kind", word->kind);
        set_if(one, "reference", word->reference);
        set_if(one, "outcome", word->outcome);
        set_if(one, "text_zh", word->text_zh);
        set_if(one, "text_en", word->text_en);
        set_if(one, "law", word->law);
        set_if(one, "until", word->until);
        lb_json_set_int(one, "said_unix_s", word->said_unix_s);
        if (word->out_of_place)
            lb_json_set_bool(one, "out_of_place", true);
        lb_json_append(out, one);
    }
    return out;
}

static struct lb_json *sent_json(const Lianban__V1__CasePart *part)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < part->n_sent; i++) {
        const Lianban__V1__PartSent *sent = part->sent[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "kind", sent->kind);
        set_name(one, sent->name);
        lb_json_set_cstr(one, "state", sent->state);
        set_if(one, "code", sent->code);
        lb_json_set_int(one, "made_unix_s", sent->made_unix_s);
        lb_json_append(out, one);
    }
    return out;
}

static void set_when(struct lb_json *out, const Lianban__V1__CasePart *part)
{
    lb_json_set_int(out, "submitted_unix_s", part->submitted_unix_s);
    if (part->since_unix_s != 0)
        lb_json_set_int(out, "since_unix_s", part->since_unix_s);
    if (part->next_try_unix_s != 0)
        lb_json_set_int(out, "next_try_unix_s", part->next_try_unix_s);
    set_if(out, "due", part->due);
    if (part->due_provisional)
        lb_json_set_bool(out, "due_provisional", true);
    set_if(out, "overdue", part->overdue);
}

struct lb_json *lb_ctl_part_json(const Lianban__V1__CasePart *part)
{
    struct lb_json *out = lb_json_object();
    lb_json_set_cstr(out, "part", part->part);
    set_name(out, part->name);
    lb_json_set_cstr(out, "department", part->department);
    lb_json_set_cstr(out, "title_zh", part->title_zh);
    lb_json_set_cstr(out, "title_en", part->title_en);
    lb_json_set_cstr(out, "state", part->state);
    set_if(out, "code", part->code);
    set_when(out, part);
    if (part->emergency)
        lb_json_set_bool(out, "emergency", true);
    lb_json_set_cstr(out, "escalate_zh", part->escalate_zh);
    lb_json_set_cstr(out, "escalate_en", part->escalate_en);
    set_if(out, "reference", part->reference);
    set_if(out, "outcome", part->outcome);
    set_if(out, "until", part->until);
    lb_json_set(out, "words", words_json(part));
    lb_json_set(out, "sent", sent_json(part));
    return out;
}

struct lb_json *lb_ctl_parts_json(Lianban__V1__CasePart *const *parts, size_t num)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append(out, lb_ctl_part_json(parts[i]));
    return out;
}

struct lb_json *lb_ctl_overdue_json(const Lianban__V1__ListOverdueResponse *overdue)
{
    struct lb_json *out = lb_json_object(), *parts = lb_json_array();
    for (size_t i = 0; i < overdue->n_parts; i++) {
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "case_id", overdue->parts[i]->case_id);
        lb_json_set(one, "part", lb_ctl_part_json(overdue->parts[i]->part));
        lb_json_append(parts, one);
    }
    lb_json_set(out, "parts", parts);
    lb_json_set(out, "corrections", lb_ctl_overdue_corrections_json(overdue));
    lb_json_set_bool(out, "more", overdue->more != 0);
    return out;
}

/* --- print --- */

/* "2027-01-22", "2027-01-22?" where nobody knows yet, "overdue 2027-01-22". */
static const char *due_of(const struct lb_ctl_env *env, const Lianban__V1__CasePart *part,
                          struct lb_arena *arena)
{
    const char *late = strcmp(part->overdue, "OVERDUE") == 0
                           ? lb_ctl_pick(env, "已逾期 ", "overdue ")
                           : "";
    return lb_arena_printf(arena, "%s%s%s", late, part->due, part->due_provisional ? "?" : "");
}

/* What stands behind the state: why it waits or died, what was decided, what is wanted until when.
 * */
static const char *more_of(const struct lb_ctl_env *env, const Lianban__V1__CasePart *part,
                           struct lb_arena *arena)
{
    const char *const texts[] = {part->code[0] != 0 ? lb_ctl_word(env, part->code) : "",
                                 part->outcome[0] != 0 ? lb_ctl_word(env, part->outcome) : "",
                                 part->until};
    const char *all = "";
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && all != NULL; i++)
        if (texts[i][0] != 0)
            all = lb_arena_printf(arena, "%s%s%s", all, all[0] != 0 ? " " : "", texts[i]);
    return all;
}

static void add_row(const struct lb_ctl_env *env, const char *case_id,
                    const Lianban__V1__CasePart *part, struct lb_arena *arena,
                    struct lb_ctl_table *table)
{
    const char *const cells[] = {case_id == NULL ? part->part : case_id,
                                 case_id == NULL ? lb_ctl_word(env, part->department) : part->part,
                                 lb_ctl_word(env, part->state),
                                 due_of(env, part, arena),
                                 more_of(env, part, arena),
                                 part->reference,
                                 case_id == NULL ? lb_ctl_pick(env, part->title_zh, part->title_en)
                                                 : lb_ctl_pick(env, part->escalate_zh,
                                                               part->escalate_en)};
    lb_ctl_table_row(table, cells);
}

static void print_words(const struct lb_ctl_env *env, const Lianban__V1__CasePart *part)
{
    for (size_t i = 0; i < part->n_words; i++) {
        const Lianban__V1__PartWord *word = part->words[i];
        const char *said = lb_ctl_pick(env, word->text_zh, word->text_en);
        (void)fprintf(env->out, "  %s %u %s ", part->part, word->number,
                      lb_ctl_word(env, word->kind));
        lb_ctl_put(env->out, said);
        if (word->law[0] != 0) {
            (void)fputc(' ', env->out);
            lb_ctl_put(env->out, word->law);
        }
        (void)fputs(word->out_of_place ? lb_ctl_pick(env, "（不合次序）\n", " (out of place)\n")
                                       : "\n",
                    env->out);
    }
}

lb_status lb_ctl_parts_print(const struct lb_ctl_env *env, Lianban__V1__CasePart *const *parts,
                             size_t num, struct lb_arena *arena)
{
    static const char *const en[] = {"part", "department", "state", "due",
                                     "more", "reference",  "title", NULL};
    static const char *const zh[] = {"移交", "部门", "状态", "期限", "说明", "受理号", "名称", NULL};
    struct lb_ctl_table table;
    if (num == 0)
        return LB_OK;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < num; i++)
        add_row(env, NULL, parts[i], arena, &table);
    LB_TRY(lb_ctl_table_print(&table, env->out));
    for (size_t i = 0; i < num; i++)
        print_words(env, parts[i]);
    return LB_OK;
}

lb_status lb_ctl_overdue_print(const struct lb_ctl_env *env,
                               const Lianban__V1__ListOverdueResponse *overdue,
                               struct lb_arena *arena)
{
    static const char *const en[] = {"case", "part",      "state",   "due",
                                     "more", "reference", "tell whom", NULL};
    static const char *const zh[] = {"办件", "移交", "状态", "期限", "说明", "受理号", "报告", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < overdue->n_parts; i++)
        add_row(env, overdue->parts[i]->case_id, overdue->parts[i]->part, arena, &table);
    LB_TRY(lb_ctl_table_print(&table, env->out));
    LB_TRY(lb_ctl_overdue_corrections_print(env, overdue, arena));
    if (overdue->more)
        lb_ctl_note(env, "there are more 还有更多");
    return LB_OK;
}
