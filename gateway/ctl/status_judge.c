#include "gateway/ctl/status_judge.h"

#define DAY_S INT64_C(86400)
#define SETTLE_MS 10000      /* a broker that has just started has linked nobody yet */
#define OFFICE_QUIET_MS 60000
#define SILENT_LOG_MS (INT64_C(10) * 60000)
#define MANY_PENDING 1000
#define PARCELS_LATE_S 600
#define FULL_PERCENT 90

struct judging {
    struct lb_status_finding *out;
    size_t num;
};

static void find(struct judging *judging, enum lb_status_level level, const char *zh,
                 const char *en)
{
    struct lb_status_finding finding = {level, zh, en};
    size_t at = judging->num;
    if (at == LB_STATUS_MAX_FINDINGS)
        return;
    for (; at > 0 && judging->out[at - 1].level < level; at--)
        judging->out[at] = judging->out[at - 1];
    judging->out[at] = finding;
    judging->num++;
}

static void judge_certificate(struct judging *judging, int64_t left_s)
{
    if (left_s < 0)
        find(judging, LB_STATUS_RED, "证书已过期", "its certificate has expired");
    else if (left_s <= DAY_S)
        find(judging, LB_STATUS_RED, "证书一天内到期", "its certificate ends within 1 day");
    else if (left_s <= 7 * DAY_S)
        find(judging, LB_STATUS_YELLOW, "证书 7 天内到期", "its certificate ends within 7 days");
    else if (left_s <= 30 * DAY_S)
        find(judging, LB_STATUS_YELLOW, "证书 30 天内到期", "its certificate ends within 30 days");
}

static void judge_adapter(struct judging *judging, const Lianban__V1__MemberStatus *member,
                          int64_t now_ms)
{
    if (member->quarantine[0] != 0)
        find(judging, LB_STATUS_RED, "已隔离：其存证日志前后不符，请对方安全员核查",
             "quarantined: its log contradicts itself; its officer must look");
    else if (!member->linked)
        find(judging, LB_STATUS_RED, "未连接：请在其节点运行 lianban doctor",
             "not linked: run `lianban doctor` at it");
    else if (member->unacknowledged_lists > 0 && now_ms - member->changed_unix_ms > SETTLE_MS)
        find(judging, LB_STATUS_YELLOW, "未确认最新授权状态列表",
             "has not proved to have the newest status list");
    if (strcmp(member->circuit, "open") == 0 && member->circuit_for_all)
        find(judging, LB_STATUS_RED, "连续失败，暂不向其查询：其事实立即为“不可用”",
             "not asked after failures in a row: its facts are unavailable at once");
    else if (member->circuit[0] != 0)
        find(judging, LB_STATUS_YELLOW, "连续失败后仅向部分请求方停用，或正在试查",
             "after failures in a row it is asked by some only, or tried again");
    if (member->linked && member->pending > MANY_PENDING)
        find(judging, LB_STATUS_YELLOW, "大量请求等待其答复", "many reads wait for it");
    if (member->linked && member->log_shown_unix_ms != 0 && member->pending > 0 &&
        now_ms - member->log_shown_unix_ms > SILENT_LOG_MS)
        find(judging, LB_STATUS_YELLOW, "有请求等待而久无答复", "reads wait and it has long shown nothing");
}

/* What goes on waiting is known to the window; the operator looks why. */
static void judge_parcels(struct judging *judging, const Lianban__V1__MemberStatus *member,
                          int64_t now_s)
{
    int64_t age_s = now_s - member->parcels_since_unix_s;
    if (member->parcels > 0 && age_s > DAY_S)
        find(judging, LB_STATUS_RED, "递送件已等待一天以上",
             "parcels have waited for it for more than a day");
    else if (member->parcels > 0 && age_s > PARCELS_LATE_S)
        find(judging, LB_STATUS_YELLOW, "递送件等待其接收", "parcels wait for it");
}

/* An office sends its list every few seconds; its desks have a name behind the organization's. */
static bool is_office(const char *spiffe)
{
    size_t slashes = 0;
    for (; *spiffe != 0; spiffe++)
        slashes += *spiffe == '/';
    return slashes == 4;
}

size_t lb_status_judge(const Lianban__V1__MemberStatus *member, enum lb_node_kind kind,
                       int64_t broker_unix_ms, struct lb_status_finding *out)
{
    struct judging judging = {.out = out};
    if (member->certificate_not_after_unix_s != 0)
        judge_certificate(&judging,
                          member->certificate_not_after_unix_s - broker_unix_ms / 1000);
    if (kind == LB_NODE_ADAPTER)
        judge_adapter(&judging, member, broker_unix_ms);
    judge_parcels(&judging, member, broker_unix_ms / 1000);
    if (kind == LB_NODE_CONSENT && is_office(member->spiffe) &&
        broker_unix_ms - member->seen_unix_ms > OFFICE_QUIET_MS)
        find(&judging, LB_STATUS_RED, "同意服务机构无消息：授权状态列表将到期",
             "the consent office is silent: its status list will run out");
    return judging.num;
}

size_t lb_status_judge_broker(const Lianban__V1__GetStatusResponse *response,
                              struct lb_status_finding *out)
{
    struct judging judging = {.out = out};
    int64_t left = response->directory_expires_unix_s - response->unix_ms / 1000;
    if (strcmp(response->log_state, "ok") != 0)
        find(&judging, LB_STATUS_RED, "其存证日志处于异常状态", "its evidence log is in trouble");
    if (left <= 0)
        find(&judging, LB_STATUS_RED, "成员目录已过期", "the directory has expired");
    else if (left <= 3 * DAY_S)
        find(&judging, LB_STATUS_YELLOW, "成员目录三天内到期", "the directory ends within 3 days");
    if (response->outbox_percent >= FULL_PERCENT)
        find(&judging, LB_STATUS_RED, "发件箱将满：新的递送件将被拒收",
             "its outbox is nearly full: more parcels will be refused");
    if (response->drill[0] != 0)
        find(&judging, LB_STATUS_YELLOW, "正在演练", "a drill is under way");
    return judging.num;
}
