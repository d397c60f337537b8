#include "gateway/ctl/doctor_contact.h"

#include "gateway/ctl/doctor_days.h"

#define PEER_SOON_S (7 * LB_DOCTOR_DAY_S)
#define LIST_OLD_S (LB_STATUS_MAX_TTLS * LB_STATUS_TTL_S)

/* --- why a call failed --- */

static const struct lb_doctor_advice another = {
    LB_DOCTOR_NETWORK,
    "应答的不是该成员：域名解析错误或端口被转发到别处",
    "another one answers there: the name resolves to the wrong machine, or a port is forwarded",
    "核对域名解析与地址转换；均无误则请联盟运行方核对目录中的地址",
    "check name resolution and address translation; if both are right, the operator must check "
    "the address in the directory",
};
static const struct lb_doctor_advice their_expired = {
    LB_DOCTOR_PEER,
    "对方证书已过期",
    "the peer's certificate has expired",
    "请对方换发证书；先核对本机时间",
    "the other side must renew it; check this machine's clock first",
};
static const struct lb_doctor_advice their_revoked = {
    LB_DOCTOR_PEER,
    "对方证书已被吊销",
    "the peer's certificate is revoked",
    "请对方与其证书机构联系",
    "the other side must turn to its CA",
};
static const struct lb_doctor_advice own_crl = {
    LB_DOCTOR_CA,
    "本机的吊销列表缺失或过期，因此拒绝所有对方",
    "this node's revocation list is missing or has ended, so it refuses every peer",
    "换上新的吊销列表",
    "put a new revocation list in place",
};
static const struct lb_doctor_advice not_member = {
    LB_DOCTOR_FEDERATION,
    "对方不在本机采信的目录中，或目录不被采信",
    "the peer is not in the directory believed here, or none is believed",
    "取得最新目录；仍不在的请联盟运行方登记",
    "get the newest directory; if it is still missing, the operator must list it",
};
static const struct lb_doctor_advice not_ours = {
    LB_DOCTOR_PEER,
    "对方证书无法验证：不是联盟认可的机构签发",
    "the peer's certificate does not verify: no CA of the federation issued it",
    "请对方核对证书与中间证书；也可能途中有设备解密 TLS，请网络管理员排除",
    "the other side must check its certificate and chain; a device on the way may also break TLS "
    "open",
};
static const struct lb_doctor_advice refuses_us = {
    LB_DOCTOR_PEER,
    "对方不接受本节点：本机证书、对方目录或吊销列表有问题",
    "the peer does not accept this node: our certificate, its directory or its revocation list",
    "先看本机证书一项；无误则请对方更新目录与吊销列表、核对其时钟",
    "look at this node's certificate above first; if it is fine, the other side must renew its "
    "directory and revocation list and check its clock",
};
static const struct lb_doctor_advice no_tls = {
    LB_DOCTOR_PEER,
    "端口可连，但 TLS 握手不成功",
    "the port answers, but there is no TLS handshake",
    "核对双方证书是否过期、端口是否正确；途中设备不得解密 TLS",
    "check whether either certificate has expired and whether it is the right port; no device on "
    "the way may break TLS open",
};
static const struct lb_doctor_advice hangs = {
    LB_DOCTOR_PEER,
    "对方接受连接但不应答",
    "the peer accepts the connection but does not answer",
    "请对方查看程序是否停滞",
    "the other side must see whether its program hangs",
};
static const struct lb_doctor_advice says_no = {
    LB_DOCTOR_PEER,
    "对方拒绝了询问",
    "the peer refused to answer",
    "把左列代码告诉对方",
    "tell the other side the code",
};
static const struct lb_doctor_advice cert_soon = {
    LB_DOCTOR_PEER,
    "对方证书将要到期",
    "the peer's certificate ends soon",
    "提醒对方换发证书",
    "remind the other side to renew it",
};

static const struct lb_doctor_advice *refusal(const char *spiffe,
                                              const struct lb_ctl_contact *contact)
{
    bool seen = contact->presented[0] != 0;
    switch (lb_status_code(contact->status)) {
    case LB_PEER_EXPIRED:
        return &their_expired;
    case LB_PEER_REVOKED:
        return &their_revoked;
    case LB_CRL_STALE:
        return &own_crl;
    case LB_PEER_UNLISTED:
    case LB_DIRECTORY_INVALID:
        return &not_member;
    case LB_PEER_UNVERIFIED:
        return seen && strcmp(contact->presented, spiffe) != 0 ? &another : &not_ours;
    case LB_UNAVAILABLE:
        return seen ? &refuses_us : &no_tls;
    case LB_DEADLINE:
        return &hangs;
    default:
        return &says_no;
    }
}

/* Whether somebody answered who is who he should be. */
static bool judge_tls(struct lb_doctor *doctor, const char *spiffe,
                      const struct lb_ctl_contact *contact, enum lb_doctor_state grave)
{
    int64_t left = contact->not_after_unix_s - lb_clock_unix_s(doctor->env->clock);
    const char *days = contact->presented[0] == 0 ? NULL : lb_doctor_days_text(doctor, left);
    if (contact->status != LB_OK) {
        const char *code = lb_code_name(contact->status->code);
        lb_doctor_find(doctor, grave, "identity", spiffe, refusal(spiffe, contact),
                       contact->presented[0] == 0
                           ? code
                           : lb_doctor_text(doctor, "%s %s", code, contact->presented));
        return false;
    }
    if (days != NULL && left <= PEER_SOON_S)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "identity", spiffe, &cert_soon, days);
    else
        lb_doctor_good(doctor, "identity", spiffe, days);
    return true;
}

/* --- directories --- */

static const struct lb_doctor_advice ours_old = {
    LB_DOCTOR_FEDERATION,
    "本机目录不是最新：对方已有更新的版本",
    "this node's directory is stale: the peer has a newer one",
    "向联盟运行方索取最新目录，放到 directory.file",
    "get the newest directory from the operator and put it at directory.file",
};
static const struct lb_doctor_advice theirs_old = {
    LB_DOCTOR_PEER,
    "对方的目录不是最新",
    "the peer's directory is stale",
    "请对方换上最新目录",
    "the other side must put the newest directory in place",
};
static const struct lb_doctor_advice forked = {
    LB_DOCTOR_FEDERATION,
    "双方目录版本号相同而内容不同",
    "both have a directory of the same version with another content",
    "不要更换任何密钥，立即请联盟运行方说明为何有两份",
    "change no key; ask the operator at once why there are two",
};

static void judge_directory(struct lb_doctor *doctor, const char *spiffe,
                            const struct lb_ctl_contact *contact)
{
    const struct lb_directory *own = doctor->directory;
    uint64_t theirs = contact->directory_version;
    const char *value =
        lb_doctor_text(doctor, "%llu / %llu", (unsigned long long)own->version,
                       (unsigned long long)theirs);
    if (theirs > own->version)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "directory-version", spiffe, &ours_old, value);
    else if (theirs < own->version)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "directory-version", spiffe, &theirs_old, value);
    else if (memcmp(contact->directory_sha256, own->sha256, sizeof(own->sha256)) != 0)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "directory-version", spiffe, &forked, value);
    else
        lb_doctor_good(doctor, "directory-version", spiffe, value);
}

void lb_doctor_judge_contact(struct lb_doctor *doctor, const char *spiffe,
                             const struct lb_ctl_contact *contact, enum lb_doctor_state grave)
{
    if (!judge_tls(doctor, spiffe, contact, grave) || !contact->told)
        return;
    size_t i = doctor->num_clocks++;
    int64_t middle = contact->sent_unix_ms + (contact->got_unix_ms - contact->sent_unix_ms) / 2;
    doctor->offsets_ms[i] = middle - contact->unix_ms;
    doctor->clock_of[i] = spiffe;
    judge_directory(doctor, spiffe, contact);
}

/* --- this node --- */

static const struct lb_doctor_advice no_list = {
    LB_DOCTOR_FEDERATION,
    "本机尚未收到任何授权状态列表：凭本人同意的请求会被拒绝",
    "no status list has come yet: requests on a citizen's consent are refused",
    "确认已与 broker 连通（联盟运行方可用 lianban status 查看）；再请同意服务机构确认在发布",
    "see that a broker is linked (the operator's `lianban status` shows it), then ask the "
    "consent office whether it publishes",
};
static const struct lb_doctor_advice old_list = {
    LB_DOCTOR_CONSENT,
    "授权状态列表过旧或已过期：其下的授权会被拒绝",
    "the status list is old or has ended: grants under it are refused",
    "请同意服务机构确认在发布；其正常则请联盟运行方查看转发",
    "ask the consent office whether it publishes; if so, the operator must look at the relaying",
};
static const struct lb_doctor_advice log_trouble = {
    LB_DOCTOR_OPERATIONS,
    "运行中的存证日志处于异常状态",
    "the running node's evidence log is in trouble",
    "按 docs/EVIDENCE.md 中该状态的说明处理",
    "do what docs/EVIDENCE.md says of that state",
};
static const struct lb_doctor_advice old_belief = {
    LB_DOCTOR_OPERATIONS,
    "运行中的程序未采用磁盘上的目录",
    "the running program has not taken the directory that is on the disk",
    "查看程序日志中的 directory_refused",
    "look for directory_refused in the program's messages",
};

static const struct lb_doctor_advice drilling = {
    LB_DOCTOR_OPERATIONS,
    "正在演练：演练件会得到假设的故障，真实办件不受影响",
    "a drill is under way: drill cases meet make-believe faults, real cases do not",
    "按演练方案处置；提前结束用 lianban drill stop",
    "act as the drill's plan says; `lianban drill stop` ends it early",
};

static void judge_list(struct lb_doctor *doctor, const struct lb_ctl_held_list *list)
{
    int64_t now = lb_clock_unix_s(doctor->env->clock);
    int64_t age = now - list->issued_unix_s;
    const char *value = lb_doctor_text(doctor, "%lld s", (long long)age);
    if (now >= list->expires_unix_s)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "status-list", list->uri, &old_list, value);
    else if (age > LIST_OLD_S)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "status-list", list->uri, &old_list, value);
    else
        lb_doctor_good(doctor, "status-list", list->uri, value);
}

static void judge_log(struct lb_doctor *doctor, const struct lb_ctl_contact *contact)
{
    if (contact->log_state == NULL || contact->log_state[0] == 0)
        return;
    bool fine = strcmp(contact->log_state, "ok") == 0;
    const char *value =
        lb_doctor_text(doctor, "%s, %u", contact->log_state, (unsigned)contact->log_queue);
    if (fine)
        lb_doctor_good(doctor, "evidence-state", doctor->config.node, value);
    else
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "evidence-state", doctor->config.node, &log_trouble,
                       value);
}

void lb_doctor_judge_self(struct lb_doctor *doctor, const struct lb_ctl_contact *contact)
{
    const char *node = doctor->config.node;
    if (contact->status != LB_OK) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "self", node, refusal(node, contact),
                       lb_code_name(contact->status->code));
        return;
    }
    lb_doctor_good(doctor, "self", node, contact->version);
    if (!contact->told)
        return;
    judge_log(doctor, contact);
    if (contact->drill != NULL && contact->drill[0] != 0)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "drill", node, &drilling, contact->drill);
    if (doctor->directory != NULL && contact->directory_version != doctor->directory->version)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "directory-version", node, &old_belief,
                       lb_doctor_text(doctor, "%llu / %llu",
                                      (unsigned long long)doctor->directory->version,
                                      (unsigned long long)contact->directory_version));
    if (doctor->config.kind == LB_NODE_ADAPTER && contact->num_lists == 0)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "status-list", node, &no_list, NULL);
    for (size_t i = 0; i < contact->num_lists; i++)
        judge_list(doctor, &contact->lists[i]);
}
