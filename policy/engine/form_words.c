#include "policy/engine/form_words.h"

#include <string.h>

#include "policy/engine/date.h"

struct word {
    const char *id;
    struct lb_form_text text;
};

/* The departments of DESIGN §10. */
static const struct word department_words[] = {
    {"public-security", {"公安部门", "Public security"}},
    {"civil-affairs", {"民政部门", "Civil affairs"}},
    {"social-security", {"人力资源和社会保障部门", "Human resources and social security"}},
    {"medical-insurance", {"医疗保障部门", "Medical insurance"}},
    {"health", {"卫生健康部门", "Health"}},
    {"education", {"教育部门", "Education"}},
    {"housing", {"住房和城乡建设部门", "Housing"}},
    {"tax", {"税务部门", "Tax"}},
    {"disabled-federation", {"残疾人联合会", "Disabled persons' federation"}},
    {"finance", {"财政部门", "Finance"}},
};

static const struct word role_words[] = {
    {"applicant", {"申请人", "the applicant"}},
    {"member", {"成年家庭成员", "adult members of the household"}},
    {"child", {"未成年子女", "children under age"}},
    {"supporter", {"赡养、抚养、扶养义务人", "relatives with a duty of support"}},
    {"deceased", {"逝者", "the deceased"}},
    {"agent", {"代办人", "the agent"}},
    {"father", {"父亲", "the father"}},
    {"parent", {"父母另一方", "the other parent"}},
    {"parents", {"父母", "the parents"}},
    {"heir", {"共同继承人", "heirs who apply together"}},
};

/* Laws by the letters that a citation begins with. */
static const struct word law_words[] = {
    {"SAL", {"社会救助法", "Social Assistance Law"}},
    {"SIL", {"社会保险法", "Social Insurance Law"}},
    {"PIPL", {"个人信息保护法", "Personal Information Protection Law"}},
    {"SIH", {"社会保险经办条例", "Regulations on Social Insurance Handling"}},
    {"HRR", {"户口登记条例", "Household Registration Regulations"}},
    {"MCH", {"母婴保健法", "Maternal and Infant Health Care Law"}},
    {"VAL", {"疫苗管理法", "Vaccine Administration Law"}},
    {"HPF", {"住房公积金管理条例", "Regulations on Housing Provident Funds"}},
    {"DPL", {"残疾人保障法", "Law on the Protection of Disabled Persons"}},
    {"DPR", {"残疾预防和残疾人康复条例",
             "Regulations on Disability Prevention and Rehabilitation"}},
    {"CEL", {"义务教育法", "Compulsory Education Law"}},
    {"PRH", {"公共租赁住房管理办法", "Measures for Public Rental Housing"}},
    {"CIC", {"民法典", "Civil Code"}},
    {"DSL", {"数据安全法", "Data Security Law"}},
    {"ARL", {"行政复议法", "Administrative Reconsideration Law"}},
};

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

void lb_form_say(const struct form_writer *writer, const char *zh, const char *en)
{
    lb_buf_put_str(writer->buf, writer->is_zh ? zh : en);
}

void lb_form_say_text(const struct form_writer *writer, const struct lb_form_text *text)
{
    lb_form_say(writer, text->zh, text->en);
}

void lb_form_say_number(const struct form_writer *writer, int64_t number)
{
    lb_buf_printf(writer->buf, "%lld", (long long)number);
}

static void say_word(const struct form_writer *writer, const struct word *words, size_t num,
                     const char *id)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(words[i].id, id) == 0) {
            lb_form_say_text(writer, &words[i].text);
            return;
        }
    lb_buf_put_str(writer->buf, id);
}

void lb_form_say_department(const struct form_writer *writer, const char *department)
{
    say_word(writer, department_words, COUNT_OF(department_words), department);
}

void lb_form_say_role(const struct form_writer *writer, const char *role)
{
    say_word(writer, role_words, COUNT_OF(role_words), role);
}

/* "SAL41" is the law's letters and one article; any other citation is written as it stands. */
static void say_law(const struct form_writer *writer, const char *law)
{
    size_t letters = strcspn(law, "0123456789");
    const char *article = law + letters;
    bool is_article = *article != '\0' && article[strspn(article, "0123456789")] == '\0';
    for (size_t i = 0; i < COUNT_OF(law_words) && is_article; i++) {
        if (strlen(law_words[i].id) != letters || strncmp(law_words[i].id, law, letters) != 0)
            continue;
        lb_form_say(writer, writer->aloud ? "" : "《", "");
        lb_form_say_text(writer, &law_words[i].text);
        lb_form_say(writer, writer->aloud ? "第" : "》第",
                    writer->aloud ? " article " : " art. ");
        lb_buf_put_str(writer->buf, article);
        lb_form_say(writer, "条", "");
        return;
    }
    lb_buf_put_str(writer->buf, law);
}

void lb_form_say_laws(const struct form_writer *writer, const char *const *laws, size_t num_laws)
{
    for (size_t i = 0; i < num_laws; i++) {
        if (i > 0)
            lb_form_say(writer, "、", ", ");
        say_law(writer, laws[i]);
    }
}

void lb_form_say_basis(const struct form_writer *writer, enum lb_basis basis)
{
    switch (basis) {
    case LB_BASIS_CONSENT:
        lb_form_say(writer, "经您同意后才查询", "only if you agree");
        return;
    case LB_BASIS_SEPARATE_CONSENT:
        lb_form_say(writer, "敏感个人信息，经您单独同意后才查询",
                    "sensitive personal information, only if you agree to this separately");
        return;
    case LB_BASIS_MANDATE:
        lb_form_say(writer, "依法律规定查询", "required by law");
        return;
    case LB_BASIS_EMERGENCY:
        lb_form_say(writer, "依法律规定在紧急情况下查询", "allowed by law in an emergency");
        return;
    case LB_NUM_BASES:
        return;
    }
}

static void say_named(const struct form_writer *writer, const char *name)
{
    if (writer->aloud)
        return;
    lb_form_say(writer, "（", " (");
    lb_buf_put_str(writer->buf, name);
    lb_form_say(writer, "）", ")");
}

static void say_comparison(const struct form_writer *writer, const struct lb_op_call *call)
{
    static const struct word sign_words[] = {
        {"<", {"仅回答是否低于规定标准", "only whether it is below the set standard"}},
        {"<=", {"仅回答是否不高于规定标准", "only whether it is at most the set standard"}},
        {">", {"仅回答是否高于规定标准", "only whether it is above the set standard"}},
        {">=", {"仅回答是否不低于规定标准", "only whether it is at least the set standard"}},
    };
    say_word(writer, sign_words, COUNT_OF(sign_words), call->args[0]);
    say_named(writer, call->args[1]);
}

/* SUM(0) adds up what has no month, such as balances. */
static void say_sum(const struct form_writer *writer, const char *months)
{
    if (strcmp(months, "0") == 0) {
        lb_form_say(writer, "目前合计", "the present total");
        return;
    }
    lb_form_say(writer, "近", "the total of the last ");
    lb_buf_put_str(writer->buf, months);
    lb_form_say(writer, "个月合计", " months");
}

/* Who the other departments are stands beside the facts of the same kind. */
static void say_share(const struct form_writer *writer, const char *months)
{
    lb_form_say(writer, "仅以加密份额参加家庭合计（", "only as a masked share of a household total (");
    say_sum(writer, months);
    lb_form_say(writer, "），任何人都看不到单项", "); nobody sees the single amount");
}

static void say_address(const struct form_writer *writer, const char *digits)
{
    static const struct word level_words[] = {
        {"2", {"省级", "province"}},      {"4", {"市级", "city"}},
        {"6", {"县级", "county"}},        {"9", {"乡镇、街道", "township or street"}},
        {"12", {"村、社区", "village or neighbourhood"}},
    };
    lb_form_say(writer, "仅给出所在地区的代码，到", "only the code of the area, down to ");
    say_word(writer, level_words, COUNT_OF(level_words), digits);
    lb_form_say(writer, "为止", "");
}

/* All arguments, so that an agreement to others reads differently. */
static void say_args(const struct form_writer *writer, const struct lb_op_call *call)
{
    for (size_t i = 0; i < call->num_args; i++) {
        lb_form_say(writer, i == 0 ? "（" : "，", i == 0 ? " (" : ", ");
        lb_buf_put_str(writer->buf, call->args[i]);
    }
    if (call->num_args > 0)
        lb_form_say(writer, "）", ")");
}

/* What is said in one sentence. */
static void say_simply(const struct form_writer *writer, const struct lb_op_call *call)
{
    static const struct word simple_words[] = {
        {"EXISTS", {"仅回答有或无", "only yes or no"}},
        {"EQ", {"仅回答与您申报的是否一致", "only whether it matches what you declared"}},
        {"PASS", {"给出登记的内容本身", "what is registered, as it stands"}},
        {"ROUND", {"仅给出取整后的数值", "only the figure, rounded"}},
        {"TOPCODE", {"给出数值，超过上限的只给上限", "the figure, but no more than the limit"}},
        {"BOTTOMCODE", {"给出数值，低于下限的只给下限", "the figure, but no less than the limit"}},
        {"AVG_M", {"仅给出近若干个月的月平均数", "only the average per month of the last months"}},
        {"TREND", {"仅回答近若干个月比之前同样长的时间是否明显下降",
                   "only whether it fell markedly over the last months"}},
        {"AGE_AT", {"仅给出周岁年龄", "only the age in years"}},
        {"MASK", {"给出遮盖大部分字符后的内容", "the text with most characters hidden"}},
        {"NAME_MASK", {"给出遮盖后的姓名", "the name with characters hidden"}},
        {"ID_MASK", {"仅给出证件号码的首位和末位", "only the first and last character of the number"}},
        {"PHONE_MASK", {"给出遮盖中间四位的手机号码", "the phone number with four digits hidden"}},
        {"PSEUDO", {"给出只供该单位用于此目的的代号，不含身份信息",
                    "a code name for this office and purpose alone, without the identity"}},
        {"TOKEN", {"给出密封的凭据，只有数据部门能打开，到期失效",
                   "a sealed slip that only the department can open, for some days"}},
        {"LIST", {"逐条列出", "every entry, one by one"}},
    };
    say_word(writer, simple_words, COUNT_OF(simple_words), lb_op_name(call->op));
    say_args(writer, call);
}

static void say_date(const struct form_writer *writer, const char *part)
{
    bool year = strcmp(part, "Y") == 0;
    lb_form_say(writer, year ? "仅给出年份" : "仅给出年份和月份",
                year ? "only the year" : "only year and month");
}

static void say_other(const struct form_writer *writer, const struct lb_op_call *call)
{
    if (call->op == LB_OP_RATIO_CMP) {
        lb_form_say(writer, "就占比而言，", "of its share, ");
        say_comparison(writer, call);
    } else if (call->op == LB_OP_DATE_TRUNC) {
        say_date(writer, call->args[0]);
    } else {
        say_simply(writer, call);
    }
}

void lb_form_say_operator(const struct form_writer *writer, const struct lb_op_call *call)
{
    switch (call->op) {
    case LB_OP_CMP:
        say_comparison(writer, call);
        return;
    case LB_OP_IN:
        lb_form_say(writer, "仅回答是否属于规定类别",
                    "only whether it is of the listed kinds");
        say_named(writer, call->args[0]);
        return;
    case LB_OP_BUCKET:
        lb_form_say(writer, "仅给出所在档次，不给出数值",
                    "only the band it falls in, not the figure");
        say_named(writer, call->args[0]);
        return;
    case LB_OP_COUNT:
        lb_form_say(writer, "仅给出数量，最多计到", "only how many, counted up to ");
        lb_buf_put_str(writer->buf, call->args[0]);
        return;
    case LB_OP_SUM:
        say_sum(writer, call->args[0]);
        return;
    case LB_OP_SHARE:
        say_share(writer, call->args[0]);
        return;
    case LB_OP_AGE_GE:
        lb_form_say(writer, "仅回答是否年满规定年龄", "only whether the set age is reached");
        say_named(writer, call->args[0]);
        return;
    case LB_OP_ADDR_LEVEL:
        say_address(writer, call->args[0]);
        return;
    case LB_OP_MAP:
        lb_form_say(writer, "仅给出归并后的类别", "only the broad kind");
        say_named(writer, call->args[0]);
        return;
    default:
        say_other(writer, call);
        return;
    }
}

/* As people write and say it; what is no date is written as it stands. */
void lb_form_say_date(const struct form_writer *writer, const char *text)
{
    static const char *const months[] = {"January", "February", "March",     "April",
                                         "May",     "June",     "July",      "August",
                                         "September", "October", "November", "December"};
    struct lb_date date;
    if (!lb_date_parse(lb_span_str(text), &date))
        lb_buf_put_str(writer->buf, text);
    else if (writer->is_zh)
        lb_buf_printf(writer->buf, "%d年%d月%d日", date.year, date.month, date.day);
    else
        lb_buf_printf(writer->buf, "%d %s %d", date.day, months[date.month - 1], date.year);
}
