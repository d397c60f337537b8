#include "policy/engine/form_letter.h"

#include <stdlib.h>
#include <string.h>

#include "policy/engine/form_shapes.h"
#include "policy/engine/form_words.h"

/* --- the template --- */

/* When a paragraph stands in the letter. */
enum when { ALWAYS, IN_PRINT, HEARD, FOLLOWS, DEPARTS, OPEN, AMOUNTS, SAVED, MAY_BE_HEARD };

struct paragraph {
    enum when when;
    struct lb_form_text text;  /* {name} is replaced; {conditions} and {saved} are lines */
};

static const struct paragraph paragraphs[] = {
    {ALWAYS, {"决定书：{title}\n", "Decision: {title}\n"}},
    {IN_PRINT, {"办件编号：{case}\n", "Case: {case}\n"}},
    {ALWAYS,
     {"作出决定的单位：{office}\n决定日期：{date}\n", "Decided by: {office}\nDate: {date}\n"}},
    {ALWAYS,
     {"决定：{class}\n理由：{reason}\n法律依据：{laws}\n",
      "Decision: {class}\nWhy: {reason}\nLaw: {laws}\n"}},
    {AMOUNTS, {"{amounts}", "{amounts}"}},
    {HEARD,
     {"作出决定前，已于{heard_date}听取意见：{heard_said}\n",
      "Before this was decided you were heard, on {heard_date}: {heard_said}\n"}},
    {FOLLOWS,
     {"按规则计算的建议是“{suggested}”。工作人员审核后作出相同的决定。\n",
      "The rules suggested \"{suggested}\". A person looked at it and decided the same.\n"}},
    {DEPARTS,
     {"按规则计算的建议是“{suggested}”。工作人员审核后作出不同的决定，理由见上。\n",
      "The rules suggested \"{suggested}\". A person looked at it and decided otherwise, for the "
      "reason above.\n"}},
    {OPEN,
     {"按规则计算没有得出建议，由工作人员审核后决定。\n",
      "The rules suggested nothing: a person looked at the case and decided.\n"}},
    {ALWAYS, {"逐项说明：\n{conditions}", "What was looked at, one by one:\n{conditions}"}},
    {SAVED,
     {"以下材料已由部门核对，没有要求您提交：\n{saved}",
      "What departments answered, so that you were not asked for it:\n{saved}"}},
    {ALWAYS, {"您的权利：\n", "Your rights:\n"}},
    {ALWAYS,
     {"  决定由工作人员作出，计算结果只是建议。您可以要求说明理由（{explain_law}）。\n",
      "  A person decided; what was computed is a suggestion. You may ask for an explanation "
      "({explain_law}).\n"}},
    {MAY_BE_HEARD,
     {"  减少、停止或者不给予救助之前，应当听取您的陈述{hear_law}。\n",
      "  Before anything is reduced, ended or refused, you have the right to be "
      "heard{hear_law}.\n"}},
    {ALWAYS,
     {"  部门的信息不准确或者不完整的，您可以要求更正、补充（{correct_law}）。在本单位提出即可。\n",
      "  If a department's data about you are wrong or incomplete, you may have them corrected "
      "({correct_law}). Tell it to this office.\n"}},
    {ALWAYS,
     {"  不服本决定的，可以自收到之日起{object_days}日内，向{object_where}提出（{object_law}）。\n",
      "  If you do not agree, you may object within {object_days} days of receiving this, at "
      "{object_where} ({object_law}).\n"}},
};

/* --- what stands for the names --- */

struct writing {
    const struct form_writer *writer;
    const struct lb_form *form;
    const struct lb_form_letter *letter;
};

static void say_conditions(const struct writing *writing)
{
    static const struct lb_form_text truths[] = {
        [LB_FALSE] = {"否", "no"},
        [LB_TRUE] = {"是", "yes"},
        [LB_UNKNOWN] = {"未能查明", "could not be established"}};
    const struct form_writer *writer = writing->writer;
    for (size_t i = 0; i < writing->form->num_conditions; i++) {
        const struct lb_form_condition *condition = &writing->form->conditions[i];
        lb_buf_put_str(writer->buf, "  ");
        lb_form_say_text(writer, &condition->text);
        lb_form_say(writer, "：", ": ");
        lb_form_say_text(writer, &truths[writing->letter->conditions[i]]);
        lb_form_say(writer, "（", " (");
        lb_buf_put_str(writer->buf, condition->source);
        lb_form_say(writer, "）\n", ")\n");
    }
}

/* Cents as yuan, months since the year 0 as a month; anything else as it is. */
static void say_amount(const struct writing *writing, size_t index)
{
    const struct form_writer *writer = writing->writer;
    const struct lb_form_amount *amount = &writing->form->amounts[index];
    const long long value = (long long)writing->letter->amounts[index].value;
    lb_form_say_text(writer, &amount->text);
    lb_form_say(writer, "：", ": ");
    if (amount->unit == LB_UNIT_CENTS)
        lb_buf_printf(writer->buf, "%s%lld.%02lld", value < 0 ? "-" : "", llabs(value / 100),
                      llabs(value % 100));
    else if (amount->unit == LB_UNIT_MONTH && writer->is_zh)
        lb_buf_printf(writer->buf, "%lld年%lld月", value / 12, value % 12 + 1);
    else if (amount->unit == LB_UNIT_MONTH)
        lb_buf_printf(writer->buf, "%04lld-%02lld", value / 12, value % 12 + 1);
    else
        lb_buf_printf(writer->buf, "%lld", value);
    if (amount->unit == LB_UNIT_CENTS)
        lb_form_say(writer, "元", " yuan");
    if (amount->unit == LB_UNIT_MONTHS)
        lb_form_say(writer, "个月", " month(s)");
    lb_buf_put_str(writer->buf, "\n");
}

static bool tells_amounts(const struct writing *writing, bool says)
{
    bool any = false;
    for (size_t i = 0; i < writing->form->num_amounts; i++) {
        if (!writing->letter->amounts[i].told)
            continue;
        any = true;
        if (says)
            say_amount(writing, i);
    }
    return any;
}

/* Whether the document of fact `index` was saved, and is not one of an earlier fact as well. */
static bool is_first_saved(const struct writing *writing, size_t index)
{
    const struct lb_form_fact *facts = writing->form->facts;
    if (facts[index].saves.zh == NULL || !writing->letter->answered[index])
        return false;
    for (size_t i = 0; i < index; i++)
        if (facts[i].saves.zh != NULL && writing->letter->answered[i] &&
            strcmp(facts[i].saves.zh, facts[index].saves.zh) == 0)
            return false;
    return true;
}

static size_t say_saved(const struct writing *writing, bool says)
{
    size_t num = 0;
    for (size_t i = 0; i < writing->form->num_facts; i++) {
        if (!is_first_saved(writing, i))
            continue;
        num++;
        if (!says)
            continue;
        lb_buf_put_str(writing->writer->buf, "  ");
        lb_form_say_text(writing->writer, &writing->form->facts[i].saves);
        lb_buf_put_str(writing->writer->buf, "\n");
    }
    return num;
}

static void say_hear_law(const struct writing *writing)
{
    const struct lb_form_decision *decision = &writing->form->decision;
    if (decision->num_hear_laws == 0)
        return;
    lb_form_say(writing->writer, "（", " (");
    lb_form_say_laws(writing->writer, decision->hear_laws, decision->num_hear_laws);
    lb_form_say(writing->writer, "）", ")");
}

/* The laws of the letter. */
static bool say_law_of(const struct writing *writing, struct lb_span name)
{
    static const char *const explain[] = {"PIPL24"}, *const correct[] = {"PIPL46"};
    const struct form_writer *writer = writing->writer;
    const struct lb_form_decision *decision = &writing->form->decision;
    if (lb_span_is(name, "laws"))
        lb_form_say_laws(writer, writing->letter->laws, writing->letter->num_laws);
    else if (lb_span_is(name, "explain_law"))
        lb_form_say_laws(writer, explain, 1);
    else if (lb_span_is(name, "correct_law"))
        lb_form_say_laws(writer, correct, 1);
    else if (lb_span_is(name, "object_law"))
        lb_form_say_laws(writer, decision->object_laws, decision->num_object_laws);
    else if (lb_span_is(name, "hear_law"))
        say_hear_law(writing);
    else
        return false;
    return true;
}

static void say_name(const struct writing *writing, struct lb_span name)
{
    const struct form_writer *writer = writing->writer;
    const struct lb_form_letter *letter = writing->letter;
    const struct {
        const char *name;
        const char *text;
    } words[] = {
        {"case", letter->case_id},
        {"office", letter->office},
        {"reason", letter->reason},
        {"heard_said", letter->heard_said},
    };
    const struct {
        const char *name;
        const struct lb_form_text *text;
    } texts[] = {
        {"title", &writing->form->title},
        {"class", &letter->decided.text},
        {"suggested", &letter->suggested.text},
        {"object_where", &writing->form->decision.object_where},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (lb_span_is(name, words[i].name))
            lb_buf_put_str(writer->buf, words[i].text);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (lb_span_is(name, texts[i].name))
            lb_form_say_text(writer, texts[i].text);
    if (lb_span_is(name, "date"))
        lb_form_say_date(writer, letter->date);
    if (lb_span_is(name, "heard_date"))
        lb_form_say_date(writer, letter->heard_date);
    if (lb_span_is(name, "object_days"))
        lb_form_say_number(writer, writing->form->decision.object_days);
    if (lb_span_is(name, "conditions"))
        say_conditions(writing);
    if (lb_span_is(name, "amounts"))
        (void)tells_amounts(writing, true);
    if (lb_span_is(name, "saved"))
        (void)say_saved(writing, true);
}

/* --- the letter --- */

static bool stands(const struct writing *writing, enum when when)
{
    const struct lb_form_letter *letter = writing->letter;
    bool same = strcmp(letter->decided.id, letter->suggested.id) == 0;
    switch (when) {
    case IN_PRINT:
        return !writing->writer->aloud;
    case HEARD:
        return letter->heard_date != NULL;
    case FOLLOWS:
        return !letter->open && same;
    case DEPARTS:
        return !letter->open && !same;
    case OPEN:
        return letter->open;
    case AMOUNTS:
        return !letter->open && same && tells_amounts(writing, false);
    case SAVED:
        return say_saved(writing, false) > 0;
    case MAY_BE_HEARD:
        return writing->form->decision.hear;
    case ALWAYS:
        break;
    }
    return true;
}

static void say_paragraph(const struct writing *writing, const char *text)
{
    while (*text != 0) {
        size_t plain = strcspn(text, "{");
        lb_buf_put(writing->writer->buf, lb_span_of(text, plain));
        text += plain;
        if (*text == 0)
            return;
        size_t len = strcspn(text, "}");
        struct lb_span name = lb_span_of(text + 1, len - 1);
        if (!say_law_of(writing, name))
            say_name(writing, name);
        text += len + 1;
    }
}

static void say_all(const struct writing *writing)
{
    for (size_t i = 0; i < sizeof(paragraphs) / sizeof(paragraphs[0]); i++) {
        const struct lb_form_text *text = &paragraphs[i].text;
        if (stands(writing, paragraphs[i].when))
            say_paragraph(writing, writing->writer->is_zh ? text->zh : text->en);
    }
}

lb_status lb_form_letter_text(const struct lb_form *form, const struct lb_form_letter *letter,
                              const char *language, enum lb_notice_variant variant,
                              struct lb_arena *arena, struct lb_span *out_text)
{
    static const struct lb_form_text title = {"决定书", "Decision"};
    struct lb_buf plain LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&plain, LB_MAX_NOTICE_BYTES);
    LB_ENSURE(strcmp(language, "zh") == 0 || strcmp(language, "en") == 0, LB_MALFORMED,
              "a letter's language");
    const struct form_writer writer = {.buf = &plain,
                                       .is_zh = strcmp(language, "zh") == 0,
                                       .aloud = variant == LB_NOTICE_ALOUD};
    const struct writing writing = {&writer, form, letter};
    say_all(&writing);
    LB_TRY(lb_buf_check(&plain));
    return lb_form_shape(lb_buf_span(&plain), writer.is_zh ? title.zh : title.en, writer.is_zh,
                         variant, arena, out_text);
}
