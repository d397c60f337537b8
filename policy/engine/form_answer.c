#include "policy/engine/form_answer.h"

#include <string.h>

#include "policy/engine/form_shapes.h"
#include "policy/engine/form_words.h"

static const struct lb_form_text title = {"信息更正答复", "Answer to your request for a correction"};

static void say_line(const struct form_writer *writer, const char *zh, const char *en,
                     const char *value)
{
    if (value == NULL || value[0] == 0)
        return;
    lb_form_say(writer, zh, en);
    lb_buf_put_str(writer->buf, value);
    lb_buf_put_str(writer->buf, "\n");
}

static void say_head(const struct form_writer *writer, const struct lb_form *form,
                     const struct lb_form_answer *answer)
{
    lb_form_say_text(writer, &title);
    lb_form_say(writer, "：", ": ");
    lb_form_say_text(writer, &form->title);
    lb_buf_put_str(writer->buf, "\n");
    if (!writer->aloud)
        say_line(writer, "办件编号：", "Case: ", answer->case_id);
    say_line(writer, "告知单位：", "Told by: ", answer->office);
    lb_form_say(writer, "您于", "On ");
    lb_form_say_date(writer, answer->asked);
    lb_form_say(writer, "提出，以下信息不准确或者不完整：",
                " you said that this is wrong or incomplete: ");
    lb_form_say_text(writer, &answer->fact->label);
    lb_form_say(writer, "（", " (");
    lb_form_say_department(writer, answer->fact->department);
    lb_form_say(writer, "）。\n", ").\n");
}

static void say_outcome(const struct form_writer *writer, const struct lb_form_answer *answer)
{
    lb_form_say(writer, "该部门于", "That department answered on ");
    lb_form_say_date(writer, answer->answered);
    lb_form_say(writer, "答复：", ": ");
    switch (answer->outcome) {
    case LB_ANSWER_CORRECTED:
        lb_form_say(writer, "已经更正。\n", "it was corrected.\n");
        break;
    case LB_ANSWER_KEPT:
        lb_form_say(writer, "不予更正。\n", "it was not corrected.\n");
        break;
    case LB_ANSWER_FORWARDED:
        lb_form_say(writer, "已经转送有权处理的部门：", "it was forwarded to ");
        lb_form_say_department(writer, answer->to);
        lb_form_say(writer, "。该部门答复后再告知您。\n", ". You will be told what that one "
                                                         "answers.\n");
        break;
    }
    say_line(writer, "说明：", "What it says: ", answer->answer);
    say_line(writer, "法律依据：", "Law: ", answer->law);
    if (answer->judge_again)
        lb_form_say(writer, "办件所依据的信息已经更正，将由工作人员重新审核；原有记录不作改动。\n",
                    "What your case was judged by has been corrected: a person will decide upon it "
                    "again. Nothing that was recorded is changed.\n");
}

static void say_right(const struct form_writer *writer, const char *zh, const char *en,
                      const char *law)
{
    lb_form_say(writer, zh, en);
    lb_form_say(writer, "（", " (");
    lb_form_say_laws(writer, &law, 1);
    lb_form_say(writer, "）。\n", ").\n");
}

static void say_rights(const struct form_writer *writer)
{
    lb_form_say(writer, "您的权利：\n", "Your rights:\n");
    say_right(writer, "  您可以要求说明理由，也可以补充说明后再次提出",
              "  You may ask for the reasons, and ask again with more to say", "PIPL50");
    say_right(writer, "  对答复不满意的，可以向履行个人信息保护职责的部门投诉、举报",
              "  If you are not satisfied, you may complain to the departments in charge of "
              "personal information protection", "PIPL65");
    say_right(writer, "  请求被拒绝的，可以依法向人民法院提起诉讼",
              "  If it was refused, you may go to court", "PIPL50");
}

lb_status lb_form_answer_text(const struct lb_form *form, const struct lb_form_answer *answer,
                              const char *language, enum lb_notice_variant variant,
                              struct lb_arena *arena, struct lb_span *out_text)
{
    struct lb_buf plain LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&plain, LB_MAX_NOTICE_BYTES);
    LB_ENSURE(strcmp(language, "zh") == 0 || strcmp(language, "en") == 0, LB_MALFORMED,
              "a letter's language");
    const struct form_writer writer = {.buf = &plain,
                                       .is_zh = strcmp(language, "zh") == 0,
                                       .aloud = variant == LB_NOTICE_ALOUD};
    say_head(&writer, form, answer);
    say_outcome(&writer, answer);
    say_rights(&writer);
    LB_TRY(lb_buf_check(&plain));
    return lb_form_shape(lb_buf_span(&plain), writer.is_zh ? title.zh : title.en, writer.is_zh,
                         variant, arena, out_text);
}
