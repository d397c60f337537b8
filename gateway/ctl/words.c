#include "gateway/ctl/words.h"

#include <string.h>

struct word {
    const char *name;
    const char *zh;
    const char *en;
};

static const struct word words[] = {
    /* departments (DESIGN §10) */
    {"public-security", "公安", "public-security"},
    {"civil-affairs", "民政", "civil-affairs"},
    {"social-security", "人社", "social-security"},
    {"medical-insurance", "医保", "medical-insurance"},
    {"health", "卫健", "health"},
    {"education", "教育", "education"},
    {"housing", "住建", "housing"},
    {"tax", "税务", "tax"},
    {"disabled-federation", "残联", "disabled-federation"},
    {"finance", "财政", "finance"},
    {"justice", "司法", "justice"},
    /* a fact's state */
    {"ok", "已取得", "ok"},
    {"denied", "被拒绝", "denied"},
    {"unavailable", "联系不上", "unavailable"},
    {"timeout", "超时", "timeout"},
    {"not_found", "无记录", "not found"},
    {"ambiguous", "多条记录", "ambiguous"},
    {"stale", "数据过旧", "stale"},
    {"dry_run", "试运行", "tried out only"},
    /* truth */
    {"TRUE", "成立", "TRUE"},
    {"FALSE", "不成立", "FALSE"},
    {"UNKNOWN", "未知", "UNKNOWN"},
    /* a case's state */
    {"OPEN", "已受理", "open"},
    {"GRANTS_PENDING", "等待本人授权", "waiting for the citizens' grants"},
    {"COLLECTING", "正在采集", "collecting"},
    {"DECIDED", "已有结论", "decided"},
    {"CLOSED", "已办结", "closed"},
    /* whose turn it is */
    {"citizen", "本人", "citizen"},
    {"departments", "部门", "departments"},
    {"officer", "经办人", "officer"},
    {"nobody", "无", "nobody"},
    /* a case's records */
    {"SUGGESTED", "建议", "suggested"},
    {"FACT", "补充事项", "fact added"},
    {"HEARD", "听取意见", "heard"},
    {"CORRECTION", "更正请求", "correction asked for"},
    {"ANSWER", "部门答复", "department's answer"},
    {"WAITING", "等待部门答复", "waiting"},
    {"OVERDUE", "逾期", "overdue"},
    {"CORRECTED", "已更正", "corrected"},
    {"KEPT", "维持原信息", "kept"},
    {"FORWARDED", "已转送", "forwarded"},
    /* how a part stands, and what its department said */
    {"PREPARED", "待递送", "prepared"},
    {"HELD", "递送中", "on its way"},
    {"DELIVERED", "已送达", "delivered"},
    {"ACCEPTED", "已受理", "accepted"},
    {"SUPPLEMENT_WANTED", "需补正", "supplement wanted"},
    {"SUPPLEMENTED", "已补正", "supplemented"},
    {"RETURNED", "已退回", "returned"},
    {"WITHDRAWN", "已撤回", "withdrawn"},
    {"DEAD", "无人接收", "taken by nobody"},
    {"GRANTED", "准予", "granted"},
    {"REFUSED", "不予", "refused"},
    {"PARTLY", "部分准予", "partly granted"},
    /* a grant's basis */
    {"consent", "同意", "consent"},
    {"separate_consent", "单独同意", "separate consent"},
    {"mandate", "法定职权", "mandate"},
    {"emergency", "紧急情况", "emergency"},
    /* purposes that everybody meets */
    {"subject-access", "本人查阅", "subject-access"},
    {"oversight", "监督查询", "oversight"},
    {"social-assistance", "社会救助", "social-assistance"},
    /* roles and relations */
    {"applicant", "申请人", "applicant"},
    {"member", "成员", "member"},
    {"child", "未成年子女", "child"},
    {"spouse", "配偶", "spouse"},
    {"parent", "父母", "parent"},
    /* kinds of leaf */
    {"READ", "读取", "READ"},
    {"ROUTE", "转发", "ROUTE"},
    {"DELIVER", "交付", "DELIVER"},
    {"FAILURE", "未答复", "FAILURE"},
    {"DENY", "拒绝", "DENY"},
    {"ADMIN", "运维", "ADMIN"},
    {"POLICY", "策略", "POLICY"},
    {"CONSENT", "同意", "CONSENT"},
    {"CANARY", "自检", "CANARY"},
    {"ERASURE", "删除", "ERASURE"},
    {"SHARD", "分卷", "SHARD"},
    {"RECOVERY", "恢复", "RECOVERY"},
    {"REVIEW", "复核", "REVIEW"},
    {"PARCEL", "递送", "PARCEL"},
};

const char *lb_ctl_word(const struct lb_ctl_env *env, const char *name)
{
    if (name == NULL)
        return "";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].name, name) == 0)
            return lb_ctl_pick(env, words[i].zh, words[i].en);
    return name;
}

const char *lb_ctl_code_text(const struct lb_ctl_env *env, const char *name)
{
    enum lb_code code = LB_CODE_OK;
    if (name == NULL || !lb_code_by_name(name, strlen(name), &code))
        return "";
    return lb_ctl_pick(env, lb_code_text_zh(code), lb_code_text_en(code));
}
