#include "policy/engine/form_text.h"

#include <string.h>

#include "policy/engine/form_internal.h"
#include "policy/engine/form_shapes.h"
#include "policy/engine/form_words.h"

/* One line: a heading and a sentence of the form's own. */
static void say_item(const struct form_writer *writer, const char *zh, const char *en,
                     const struct lb_form_text *text)
{
    lb_form_say(writer, zh, en);
    lb_form_say_text(writer, text);
    lb_form_say(writer, "\n", "\n");
}

static void say_head(const struct form_writer *writer, const struct lb_form *form,
                     const char *requester_name)
{
    say_item(writer, "告知书：", "Notice: ", &form->title);
    lb_form_say(writer, "表单：", "Form: ");
    lb_buf_put_str(writer->buf, form->id);
    lb_form_say(writer, "，第", ", version ");
    lb_form_say_number(writer, form->version);
    lb_form_say(writer, "版\n谁在查询：", "\nWho asks: ");
    lb_buf_put_str(writer->buf, requester_name);
    lb_form_say(writer, "\n", "\n");
    say_item(writer, "为什么查询：", "Why: ", &form->notice.why);
    lb_form_say(writer, "法律依据：", "Law: ");
    lb_form_say_laws(writer, form->laws, form->num_laws);
    lb_form_say(writer, "\n", "\n");
}

/* Who agrees to what goes on for months must know so before anything else (PIPL 14, 17). */
static void say_standing(const struct form_writer *writer, const struct lb_form *form)
{
    if (form->trigger.every_days == 0)
        return;
    lb_form_say(writer, "这是长期授权：您同意一次，以后每",
                "This consent is a standing one: you agree once, and then the departments below "
                "are asked again and again, at most once in ");
    lb_form_say_number(writer, form->trigger.every_days);
    lb_form_say(writer, "天最多查询一次，直到有效期满或者您撤回。它只用于发现您可能符合的待遇：",
                " day(s), until it ends or you withdraw it. It only serves to find what you may be "
                "entitled to: ");
    lb_form_say_text(writer, &form->title);
    lb_form_say(writer,
                "。发现后会有人联系您，问您是否申请；不会因此拒绝、停发或者减少任何待遇，不符合的不通知"
                "任何人\n",
                ". If something is found, somebody asks you whether you want to apply; nothing is "
                "refused, stopped or cut because of it, and nobody is told if nothing is found\n");
}

static void say_roles(const struct form_writer *writer, const struct lb_form *form,
                      unsigned roles)
{
    bool is_first = true;
    for (size_t r = 0; r < form->num_roles; r++) {
        if ((roles >> r & 1U) == 0)
            continue;
        if (!is_first)
            lb_form_say(writer, "、", ", ");
        lb_form_say_role(writer, form->roles[r].name);
        is_first = false;
    }
}

static void say_fact(const struct form_writer *writer, const struct lb_form *form,
                     const struct lb_form_fact *fact)
{
    lb_form_say(writer, "   - ", "   - ");
    lb_form_say_text(writer, &fact->label);
    lb_form_say(writer, "：", ": ");
    lb_form_say_operator(writer, &fact->call);
    lb_form_say(writer, writer->aloud ? "；查询对象是" : "；查询对象：",
                writer->aloud ? "; asked about " : "; asked about: ");
    say_roles(writer, form, fact->roles);
    if (fact->show)
        lb_form_say(writer, "；窗口会显示\n", "; displayed at the window\n");
    else
        lb_form_say(writer, "；只用于判断，窗口不显示\n",
                    "; used for the decision only, not displayed\n");
    if (fact->optional)
        lb_form_say(writer, "     可以单独拒绝这一项\n", "     this one can be refused by itself\n");
}

static void say_how_often(const struct form_writer *writer, const struct lb_form *form,
                          const struct lb_form_section *section)
{
    if (form->trigger.every_days > 0) {
        lb_form_say(writer, "；每人每", "; at most once in ");
        lb_form_say_number(writer, form->trigger.every_days);
        lb_form_say(writer, "天最多查询1次", " day(s) per person");
        return;
    }
    lb_form_say(writer, "；每人最多查询", "; at most ");
    lb_form_say_number(writer, section->uses);
    lb_form_say(writer, "次", " time(s) per person");
}

static void say_section(const struct form_writer *writer, const struct lb_form *form,
                        size_t index)
{
    const struct lb_form_section *section = &form->sections[index];
    lb_form_say_number(writer, (int64_t)index + 1);
    lb_form_say(writer, ". ", ". ");
    lb_form_say_department(writer, section->department);
    lb_form_say(writer, "（", " (");
    lb_form_say_basis(writer, section->basis);
    if (section->num_laws > 0)
        lb_form_say(writer, "：", ": ");
    lb_form_say_laws(writer, section->laws, section->num_laws);
    say_how_often(writer, form, section);
    if (section->late)
        lb_form_say(writer, "；其他部门的答复已能得出结论的，不再查询",
                    "; not asked at all where the others' answers settle it");
    lb_form_say(writer, "）\n", ")\n");
    for (size_t f = 0; f < form->num_facts; f++)
        if (form->facts[f].section == index)
            say_fact(writer, form, &form->facts[f]);
}

static void say_part(const struct form_writer *writer, const struct lb_form *form,
                     const struct lb_form_part *part)
{
    lb_form_say(writer, "   - ", "   - ");
    lb_form_say_department(writer, part->department);
    lb_form_say(writer, "，", ", ");
    lb_form_say_text(writer, &part->title);
    lb_form_say(writer, "；依据", "; law: ");
    lb_form_say_laws(writer, part->laws, part->num_laws);
    lb_form_say(writer, "；随附身份信息，包括", "; with the identity of ");
    say_roles(writer, form, part->roles);
    for (size_t i = 0; i < part->num_facts; i++) {
        lb_form_say(writer, i == 0 ? "；随附核对结果，包括" : "、",
                    i == 0 ? "; with what was found of " : ", ");
        lb_form_say_text(writer, &form->facts[part->facts[i]].label);
    }
    lb_form_say(writer, "\n", "\n");
}

/* What is given to others needs to be told (PIPL 23). */
static void say_parts(const struct form_writer *writer, const struct lb_form *form)
{
    if (form->num_parts == 0)
        return;
    lb_form_say(writer, "提交后移交给哪些部门办理（只移交与您的结果相应的部分）：\n",
                "Who gets what once it is submitted (only what belongs to your result):\n");
    for (size_t i = 0; i < form->num_parts; i++)
        say_part(writer, form, &form->parts[i]);
}

static void say_saved(const struct form_writer *writer, const struct lb_form *form)
{
    bool is_first = true;
    for (size_t f = 0; f < form->num_facts; f++) {
        if (form->facts[f].saves.zh == NULL)
            continue;
        if (is_first)
            lb_form_say(writer, "您不必提交：", "You need not bring: ");
        else
            lb_form_say(writer, "、", ", ");
        lb_form_say_text(writer, &form->facts[f].saves);
        is_first = false;
    }
    if (!is_first)
        lb_form_say(writer, "\n", "\n");
}

/* What no department has. */
static void say_asks(const struct form_writer *writer, const struct lb_form *form)
{
    if (form->num_asks == 0)
        return;
    lb_form_say(writer, "需要您提供（没有部门掌握的）：\n",
                "What you have to say or bring, since no department has it:\n");
    for (size_t i = 0; i < form->num_asks; i++) {
        const struct lb_form_ask *ask = &form->asks[i];
        lb_form_say(writer, "   - ", "   - ");
        lb_form_say_text(writer, &ask->text);
        lb_form_say(writer, "；由谁提供：", "; from: ");
        say_roles(writer, form, ask->roles);
        lb_form_say(writer, "；依据", "; law: ");
        lb_form_say_laws(writer, ask->laws, ask->num_laws);
        for (size_t p = 0; p < form->num_parts; p++) {
            if ((ask->parts >> p & 1U) == 0)
                continue;
            lb_form_say(writer, "；用于", "; for: ");
            lb_form_say_text(writer, &form->parts[p].title);
        }
        if (ask->waiver.zh != NULL) {
            lb_form_say(writer, "；为什么仍需提供：", "; why all the same: ");
            lb_form_say_text(writer, &ask->waiver);
        }
        lb_form_say(writer, "\n", "\n");
    }
}

/* Who agrees for whom, as far as the form has such people (PIPL 31, 49; SAL 41). */
static void say_others(const struct form_writer *writer, const struct lb_form *form)
{
    bool minor = false, deceased = false, outside = false;
    for (size_t r = 0; r < form->num_roles; r++) {
        minor = minor || form->roles[r].minor;
        deceased = deceased || form->roles[r].deceased;
        outside = outside || form->roles[r].outside;
    }
    if (minor)
        lb_form_say(writer,
                    "未成年人：不满14周岁由监护人同意；满14周岁本人同意，敏感个人信息另由监护人同意\n",
                    "Minors: under 14 a guardian agrees; from 14 on they agree themselves, and for "
                    "sensitive information a guardian as well\n");
    if (deceased)
        lb_form_say(writer, "逝者：由近亲属为自身的合法、正当利益同意\n",
                    "The deceased: a near relative agrees, for a lawful interest of their own\n");
    if (outside)
        lb_form_say(writer, "户外义务人：由其本人单独同意，不随申请人的同意\n",
                    "Relatives outside the household: each agrees separately, the applicant's "
                    "agreement does not cover them\n");
}

static void say_tail(const struct form_writer *writer, const struct lb_form *form)
{
    lb_form_say(writer, "有效期：自同意之日起", "How long: ");
    lb_form_say_number(writer, form->grant_days);
    lb_form_say(writer, "天，到期自动失效\n",
                " day(s) from your agreement, then it ends by itself\n");
    say_item(writer, "保存：", "Keeping: ", &form->notice.keep);
    say_item(writer, "如何撤回：", "How to withdraw: ", &form->notice.withdraw);
    say_item(writer, "如果不同意：", "If you refuse: ", &form->notice.refuse);
    lb_form_say(writer, "计算结果只是建议；查不到或拿不准的，由工作人员审核，不会因此拒绝您。\n",
                "The result is a suggestion; what is missing or uncertain goes to a person and is "
                "no ground to refuse you.\n");
}

static lb_status check_words(const struct lb_notice_options *options)
{
    size_t len = strnlen(options->requester_name, LB_MAX_VALUE_BYTES + 1);
    LB_ENSURE(len > 0 && len <= LB_MAX_VALUE_BYTES, LB_MALFORMED, "a requester's name");
    LB_ENSURE(lb_form_is_one_line(lb_span_of(options->requester_name, len)), LB_MALFORMED,
              "a requester's name");
    LB_ENSURE(strcmp(options->language, "zh") == 0 || strcmp(options->language, "en") == 0,
              LB_MALFORMED, "a notice's language");
    LB_ENSURE((unsigned)options->variant < LB_NUM_NOTICE_VARIANTS, LB_MALFORMED,
              "a notice's variant");
    return LB_OK;
}

static void say_all(const struct form_writer *writer, const struct lb_form *form,
                    const char *requester_name)
{
    say_head(writer, form, requester_name);
    say_standing(writer, form);
    lb_form_say(writer, "向哪些部门查询什么：\n", "What is asked, and of which department:\n");
    for (size_t s = 0; s < form->num_sections; s++)
        say_section(writer, form, s);
    say_parts(writer, form);
    say_saved(writer, form);
    say_asks(writer, form);
    say_others(writer, form);
    say_tail(writer, form);
}

static const char *const variant_names[LB_NUM_NOTICE_VARIANTS] = {
    [LB_NOTICE_PLAIN] = "plain",
    [LB_NOTICE_LARGE] = "large",
    [LB_NOTICE_ALOUD] = "aloud",
};

const char *lb_notice_variant_name(enum lb_notice_variant variant)
{
    return (unsigned)variant < LB_NUM_NOTICE_VARIANTS ? variant_names[variant] : "";
}

lb_status lb_notice_variant_parse(struct lb_span name, enum lb_notice_variant *out_variant)
{
    for (size_t i = 0; i < LB_NUM_NOTICE_VARIANTS; i++) {
        if (!lb_span_is(name, variant_names[i]) && (i > 0 || name.len > 0))
            continue;
        *out_variant = (enum lb_notice_variant)i;
        return LB_OK;
    }
    LB_FAIL(LB_ABSENT, "no notice of this variant");
}

lb_status lb_form_shape(struct lb_span plain, const char *title, bool is_zh,
                        enum lb_notice_variant variant, struct lb_arena *arena,
                        struct lb_span *out)
{
    struct lb_buf shaped LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&shaped, LB_MAX_NOTICE_BYTES);
    if (variant == LB_NOTICE_PLAIN)
        return lb_arena_copy(arena, plain, out);
    if (variant == LB_NOTICE_LARGE)
        lb_form_shape_large(plain, title, is_zh, &shaped);
    else
        lb_form_shape_aloud(plain, is_zh, &shaped);
    LB_TRY(lb_buf_check(&shaped));
    return lb_arena_copy(arena, lb_buf_span(&shaped), out);
}

lb_status lb_form_notice_text(const struct lb_form *form, const struct lb_notice_options *options,
                              struct lb_arena *arena, struct lb_span *out_text)
{
    struct lb_buf plain LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&plain, LB_MAX_NOTICE_BYTES);
    LB_TRY(check_words(options));
    const struct form_writer writer = {
        .buf = &plain,
        .is_zh = strcmp(options->language, "zh") == 0,
        .aloud = options->variant == LB_NOTICE_ALOUD,
    };
    say_all(&writer, form, options->requester_name);
    LB_TRY(lb_buf_check(&plain));
    return lb_form_shape(lb_buf_span(&plain), writer.is_zh ? "告知书" : "Notice", writer.is_zh,
                         options->variant, arena, out_text);
}
