#include "policy/engine/form_paper.h"

#include <string.h>

#include "gateway/base/hex.h"
#include "policy/engine/form_internal.h"
#include "policy/engine/form_shapes.h"
#include "policy/engine/form_text.h"
#include "policy/engine/form_words.h"

#define MAX_ROWS 4  /* lines for the people of one role; further ones on a sheet of their own */
#define BLANK "____________"
#define ID_BLANK "______________________"
#define BOX "□ "

static void say_heading(const struct form_writer *writer, int number, const char *zh,
                        const char *en)
{
    lb_buf_printf(writer->buf, "【%d】 ", number);
    lb_form_say(writer, zh, en);
    lb_form_say(writer, "\n", "\n");
}

static void say_head(const struct form_writer *writer, const struct lb_form *form)
{
    char hex[65];
    lb_hex_encode(lb_span_of(form->sha256, sizeof(form->sha256)), hex);
    lb_form_say(writer, "纸质申请表：", "Application on paper: ");
    lb_form_say_text(writer, &form->title);
    lb_form_say(writer, "\n表单：", "\nForm: ");
    lb_buf_printf(writer->buf, "%s v%u, sha256 %s\n", form->id, form->version, hex);
    lb_form_say(writer, "办件编号（窗口填写）：" BLANK BLANK "\n",
                "Case number (the window fills it in): " BLANK BLANK "\n");
}

/* A line for each person there may be of a role. */
static void say_people(const struct form_writer *writer, const struct lb_form *form)
{
    say_heading(writer, 1, "申请人和有关人员", "Who applies, and for whom");
    for (size_t r = 0; r < form->num_roles; r++) {
        const struct lb_form_role *role = &form->roles[r];
        for (int64_t i = 0; i < role->max && i < MAX_ROWS; i++) {
            lb_form_say(writer, "   ", "   ");
            lb_form_say_role(writer, role->name);
            lb_form_say(writer, "：姓名 " BLANK " 身份证号 " ID_BLANK "\n",
                        ": name " BLANK " identity number " ID_BLANK "\n");
        }
        if (role->max > MAX_ROWS)
            lb_form_say(writer, "   （写不下的另附页）\n", "   (more of them on a sheet of their own)\n");
    }
    lb_form_say(writer, "   代办人（如有）：姓名 " BLANK " 身份证号 " ID_BLANK "，附委托书\n",
                "   agent, if any: name " BLANK " identity number " ID_BLANK
                ", with the written authority\n");
}

static void say_choice(const struct form_writer *writer, const struct lb_form_section *section)
{
    bool asks = section->basis == LB_BASIS_CONSENT || section->basis == LB_BASIS_SEPARATE_CONSENT;
    lb_form_say(writer, "   ", "   ");
    lb_form_say_department(writer, section->department);
    lb_form_say(writer, "（", " (");
    lb_form_say_basis(writer, section->basis);
    lb_form_say(writer, "）：", "): ");
    if (asks)
        lb_form_say(writer, BOX "同意  " BOX "不同意\n", BOX "I agree  " BOX "I do not agree\n");
    else
        lb_form_say(writer, "无需勾选\n", "nothing to tick\n");
}

/* One box for each thing that the notice lets people agree to or refuse. */
static void say_choices(const struct form_writer *writer, const struct lb_form *form)
{
    say_heading(writer, 3, "您是否同意（不同意的部分由工作人员人工核实）",
                "Whether you agree (an officer checks by hand what you refuse)");
    for (size_t s = 0; s < form->num_sections; s++) {
        say_choice(writer, &form->sections[s]);
        for (size_t f = 0; f < form->num_facts; f++) {
            const struct lb_form_fact *fact = &form->facts[f];
            if (!fact->optional || strcmp(fact->department, form->sections[s].department) != 0)
                continue;
            lb_form_say(writer, "      " BOX "单独拒绝：", "      " BOX "I refuse this one alone: ");
            lb_form_say_text(writer, &fact->label);
            lb_form_say(writer, "\n", "\n");
        }
    }
}

static void say_asks(const struct form_writer *writer, const struct lb_form *form)
{
    say_heading(writer, 4, "您需要填写或提供的", "What you have to say or bring");
    for (size_t i = 0; i < form->num_asks; i++) {
        lb_form_say(writer, "   ", "   ");
        lb_form_say_text(writer, &form->asks[i].text);
        lb_form_say(writer, "：" BLANK BLANK "\n", ": " BLANK BLANK "\n");
    }
    if (form->num_asks == 0)
        lb_form_say(writer, "   没有：其余信息由各部门提供\n",
                    "   nothing: departments have the rest\n");
}

static void say_class(const struct form_writer *writer, const struct lb_form_text *text)
{
    lb_form_say(writer, "   结果：", "   result: ");
    lb_form_say_text(writer, text);
    lb_form_say(writer, "\n", "\n");
}

static void say_rules(const struct form_writer *writer, const struct lb_form *form)
{
    say_heading(writer, 5, "依据什么判定，可能有哪些结果", "By what is decided, and what may come of it");
    for (size_t i = 0; i < form->num_conditions; i++) {
        lb_form_say(writer, "   - ", "   - ");
        lb_form_say_text(writer, &form->conditions[i].text);
        lb_form_say(writer, "（", " (");
        lb_buf_put_str(writer->buf, form->conditions[i].source);
        lb_form_say(writer, "）\n", ")\n");
    }
    for (size_t i = 0; i < form->num_classes; i++)
        say_class(writer, &form->classes[i].text);
    say_class(writer, &form->otherwise.text);
    for (size_t i = 0; i < form->num_amounts; i++) {
        lb_form_say(writer, "   同时告知：", "   told with it: ");
        lb_form_say_text(writer, &form->amounts[i].text);
        lb_form_say(writer, "\n", "\n");
    }
}

static void say_when(const struct form_writer *writer, const struct lb_form *form,
                     const struct lb_form_part *part)
{
    bool is_first = true;
    if (part->emergency)
        lb_form_say(writer, "紧急情况先办，材料后补", "in an emergency at once, papers follow");
    for (size_t i = 0; i <= form->num_classes; i++) {
        if (!lb_form_hands_over(part, i))
            continue;
        lb_form_say(writer, is_first ? "结果为：" : "、", is_first ? "with the result: " : ", ");
        lb_form_say_text(writer, i < form->num_classes ? &form->classes[i].text
                                                       : &form->otherwise.text);
        is_first = false;
    }
}

static void say_part(const struct form_writer *writer, const struct lb_form *form,
                     const struct lb_form_part *part)
{
    lb_form_say(writer, "   - ", "   - ");
    lb_form_say_department(writer, part->department);
    lb_form_say(writer, "，", ", ");
    lb_form_say_text(writer, &part->title);
    lb_form_say(writer, "；", "; ");
    say_when(writer, form, part);
    lb_form_say(writer, part->emergency ? "；补交材料期限：" : "；办理期限：",
                part->emergency ? "; papers within: " : "; done within: ");
    lb_form_say_number(writer, part->days);
    lb_form_say(writer, part->emergency ? "天" : "个工作日",
                part->emergency ? " day(s)" : " working day(s)");
    lb_form_say(writer, "；逾期请找：", "; when overdue ask: ");
    lb_form_say_text(writer, &part->escalate);
    lb_form_say(writer, "；依据", "; law: ");
    lb_form_say_laws(writer, part->laws, part->num_laws);
    lb_form_say(writer, "\n", "\n");
}

static void say_parts(const struct form_writer *writer, const struct lb_form *form)
{
    say_heading(writer, 6, "移交哪些部门办理，何时办结", "What goes to which department, until when");
    for (size_t i = 0; i < form->num_parts; i++)
        say_part(writer, form, &form->parts[i]);
    if (form->num_parts == 0)
        lb_form_say(writer, "   不移交\n", "   nothing is handed over\n");
}

static void say_rights(const struct form_writer *writer, const struct lb_form *form)
{
    const struct lb_form_decision *decision = &form->decision;
    say_heading(writer, 7, "对结果有不同意见时", "If you do not agree with the result");
    if (decision->hear) {
        lb_form_say(writer, "   作出不利决定前，先听取您的意见",
                    "   You are heard before anything is decided against you");
        lb_form_say(writer, decision->num_hear_laws > 0 ? "；依据" : "",
                    decision->num_hear_laws > 0 ? "; law: " : "");
        lb_form_say_laws(writer, decision->hear_laws, decision->num_hear_laws);
        lb_form_say(writer, "\n", "\n");
    }
    lb_form_say(writer, "   收到决定之日起", "   Within ");
    lb_form_say_number(writer, decision->object_days);
    lb_form_say(writer, "日内可以申请复议：", " day(s) of the decision you may have it reconsidered by: ");
    lb_form_say_text(writer, &decision->object_where);
    lb_form_say(writer, "；依据", "; law: ");
    lb_form_say_laws(writer, decision->object_laws, decision->num_object_laws);
    lb_form_say(writer, "\n   信息有误可以要求更正，部门答复期限：",
                "\n   You may have wrong data corrected; the department answers within ");
    lb_form_say_number(writer, decision->correct_days);
    lb_form_say(writer, "日\n", " day(s)\n");
}

/* Who signs for somebody of the role (PIPL 31, 49). */
static const char *signs_for(const struct form_writer *writer, const struct lb_form_role *role)
{
    if (role->minor)
        return writer->is_zh ? "（监护人签名；满14周岁的本人也签名）"
                             : " (the guardian signs; from 14 on the minor as well)";
    if (role->deceased)
        return writer->is_zh ? "（近亲属签名）" : " (a near relative signs)";
    return role->outside ? (writer->is_zh ? "（本人单独签名）" : " (each signs separately)") : "";
}

static void say_signatures(const struct form_writer *writer, const struct lb_form *form)
{
    say_heading(writer, 8, "签名", "Signatures");
    for (size_t r = 0; r < form->num_roles; r++)
        for (int64_t i = 0; i < form->roles[r].max && i < MAX_ROWS; i++) {
            lb_form_say(writer, "   ", "   ");
            lb_form_say_role(writer, form->roles[r].name);
            lb_buf_put_str(writer->buf, signs_for(writer, &form->roles[r]));
            lb_form_say(writer, "：" BLANK " 日期 " BLANK "\n", ": " BLANK " date " BLANK "\n");
        }
    lb_form_say(writer,
                "   代办人：" BLANK " 日期 " BLANK "\n   窗口工作人员（已核对身份并宣读告知书）：" BLANK
                " 日期 " BLANK "\n",
                "   agent: " BLANK " date " BLANK
                "\n   officer at the window (identity checked, notice read out): " BLANK
                " date " BLANK "\n");
}

static lb_status say_all(const struct form_writer *writer, const struct lb_form *form,
                         const struct lb_paper_options *options, struct lb_arena *arena)
{
    const struct lb_notice_options notice = {.requester_name = options->requester_name,
                                             .language = options->language,
                                             .variant = LB_NOTICE_PLAIN};
    struct lb_span text;
    LB_TRY(lb_form_notice_text(form, &notice, arena, &text));
    say_head(writer, form);
    say_people(writer, form);
    say_heading(writer, 2, "告知书全文", "The notice, whole");
    lb_buf_put(writer->buf, text);
    say_choices(writer, form);
    say_asks(writer, form);
    say_rules(writer, form);
    say_parts(writer, form);
    say_rights(writer, form);
    say_signatures(writer, form);
    return lb_buf_check(writer->buf);
}

lb_status lb_form_paper(const struct lb_form *form, const struct lb_paper_options *options,
                        struct lb_arena *arena, struct lb_span *out_text)
{
    struct lb_buf plain LB_DEFER(lb_buf_cleanup);
    struct lb_buf page LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&plain, LB_MAX_PAPER_BYTES);
    lb_buf_init(&page, LB_MAX_PAPER_BYTES);
    const struct form_writer writer = {.buf = &plain,
                                       .is_zh = strcmp(options->language, "zh") == 0};
    LB_TRY(say_all(&writer, form, options, arena));
    if (!options->html)
        return lb_arena_copy(arena, lb_buf_span(&plain), out_text);
    lb_form_shape_paper(lb_buf_span(&plain), writer.is_zh ? "纸质申请表" : "Application on paper",
                        writer.is_zh, &page);
    LB_TRY(lb_buf_check(&page));
    return lb_arena_copy(arena, lb_buf_span(&page), out_text);
}
