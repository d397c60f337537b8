#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/serve/explain.h"
#include "adapters/serve/try.h"
#include "certs/directory_command.h"
#include "certs/keys.h"
#include "certs/operator.h"
#include "certs/pki.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/doctor_port.h"
#include "gateway/ctl/menu.h"
#include "gateway/mains/stores.h"
#include "gateway/mains/version.h"
#include "gateway/services/client_calls.h"
#include "gateway/services/client_doctor.h"
#include "gateway/witness/witness.h"

/* `lianban`: the one command for everybody. */

#define DEFAULT_AGENT "unix:/run/lianban/window.sock"

static const struct lb_ctl_item items[] = {
    {LB_CTL_WINDOW, "apply", "", "fill a form for a household", "为一个家庭办理一张表单",
     lb_ctl_apply_command, NULL},
    {LB_CTL_WINDOW, "case", "show|resume|watch|close", "look after a case", "查看、续办、办结办件",
     lb_ctl_case_command, NULL},
    {LB_CTL_WINDOW, "policy", "calculate|list|show|questions|check",
     "which benefits fit, by what a citizen enters", "政策计算器：按所填情况测算符合的政策",
     lb_ctl_policy_command, NULL},
    {LB_CTL_DEPARTMENT, "view", "check|explain|close|open|closed|open-token|token-key",
     "who gets which field, how and why; the switch", "视图：谁能以何种方式取得哪个字段；停用与恢复",
     lb_ctl_view_command, NULL},
    {LB_CTL_DEPARTMENT, "adapter", "init", "propose views for a database", "为数据库草拟视图文件",
     lb_ctl_adapter_command, NULL},
    {LB_CTL_DEPARTMENT, "intake", "list|next|show|ack|export|accept|return|ask|decide|...",
     "take out what windows hand in, and answer it", "取走窗口递交的件并答复", lb_ctl_intake_command,
     NULL},
    {LB_CTL_DEPARTMENT, "event", "run|list",
     "find who may be entitled among those who agreed, and signal it",
     "主动发现：在已长期授权者中找出可能符合的并发出线索", lb_ctl_event_command, NULL},
    {LB_CTL_DEPARTMENT, "form", "check", "check a form before it is accepted", "认可表单前的检查",
     lb_ctl_form_command, NULL},
    {LB_CTL_DEPARTMENT, "rules", "check", "check a rule set and list its thresholds",
     "检查标准集并列出各项标准", lb_ctl_rules_command, NULL},
    {LB_CTL_DEPARTMENT, "conformance", "", "try an adapter of one's own out, in a rehearsal",
     "在演练中检验本部门的接入端", lb_ctl_conformance_command, NULL},
    {LB_CTL_WINDOW, "operator", "add|suspend|resume|list|show|token",
     "the register of those who serve at a window", "窗口经办人名册", NULL, lb_operator_command},
    {LB_CTL_CONSENT_OFFICE, "consent", "notice|confirm|refuse|revoke|suspend|resume",
     "record what the citizen decides", "记录本人的同意、拒绝与撤回", lb_ctl_consent_command, NULL},
    {LB_CTL_WINDOW, "recheck", "run", "look at everybody on a list once more, by mandate",
     "依法逐人复核名单", lb_ctl_recheck_command, NULL},
    {LB_CTL_OFFICER, "psi", "offer|answer|finish|show",
     "compare two departments' lists without showing them", "两部门名单盲比对", lb_ctl_psi_command,
     NULL},
    {LB_CTL_OFFICER, "grant", "stop", "stop a grant at the own department's adapter",
     "在本部门接入端停用一项授权", lb_ctl_grant_command, NULL},
    {LB_CTL_OFFICER, "log", "verify|list|index|query|erase|export|prove|...",
     "verify, read, ask, export and prove evidence", "验证、查阅、查询、导出存证日志并出具证明",
     lb_ctl_log_command, NULL},
    {LB_CTL_OFFICER, "review", "scan|list|show|assign|explain|close|sample|...",
     "what was noticed, and what was done about it", "可疑调阅的核查", lb_ctl_review_command, NULL},
    {LB_CTL_OFFICER, "access", "serve|conceal|approve|reveal|list",
     "tell citizens who looked, and what the law leaves out", "答复本人查阅，依法不予列出",
     lb_ctl_access_command, NULL},
    {LB_CTL_OFFICER, "who-saw", "", "who saw one person's data", "谁看过此人的数据",
     lb_ctl_who_saw_command, NULL},
    {LB_CTL_OPERATOR, "doctor", "", "what is wrong with this node, what to do, whom to call",
     "检查本节点：有什么故障、如何处理、找谁", lb_ctl_doctor_command, NULL},
    {LB_CTL_OPERATOR, "status", "", "every member as the brokers see it, red, yellow or green",
     "各节点概况：红、黄、绿", lb_ctl_status_command, NULL},
    {LB_CTL_OPERATOR, "drill", "check|start|stop|show|report",
     "faults made believe for drill cases, with a report",
     "演练：只对演练件生效的故障，并出报告", lb_ctl_drill_command, NULL},
    {LB_CTL_OPERATOR, "backup", "make|check", "copy a running node's state, and check a copy",
     "备份运行中节点的状态，并核验备份", lb_ctl_backup_command, NULL},
    {LB_CTL_OPERATOR, "node", "seen|recover", "what a node saw of others, and after a loss",
     "节点所见，以及存证丢失后的恢复", lb_ctl_node_command, NULL},
    {LB_CTL_OPERATOR, "upgrade", "check", "rehearse what this version would do to a node's stores",
     "演练本版本对节点存储的升级", lb_ctl_upgrade_command, NULL},
    {LB_CTL_OPERATOR, "pki", "init|issue|renew|revoke|crl|show", "the embedded CA", "内置证书机构",
     NULL, lb_pki_command},
    {LB_CTL_OPERATOR, "keys", "log|seal|issuer|...|rotate|handover|use|destroy",
     "make and replace a node's keys", "生成与轮换节点密钥", NULL, lb_keys_command},
    {LB_CTL_OPERATOR, "directory", "build|seal-key|sign|verify|show", "the signed list of members",
     "签名的成员目录", NULL, lb_directory_command},
};

/* The usual order: LC_ALL, then LC_MESSAGES, then LANG. */
static bool prefers_chinese(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != 0)
            return strncmp(value, "zh", 2) == 0;
    }
    return false;
}

static const char *login(void)
{
    const struct passwd *user = getpwuid(geteuid());
    return user == NULL ? "unknown" : user->pw_name;
}

/* Keys and identity numbers pass through here: none may end up in a core file, nor be traced. */
static void forbid_core_files(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
    forbid_core_files();
    const char *agent = getenv("LIANBAN_AGENT");
    const struct lb_ctl_remote remote = lb_client_remote();
    const struct lb_ctl_doctor_ways doctor = {lb_client_open_doctor, lb_serve_try};
    struct lb_ctl_env env = {
        .in = stdin,
        .out = stdout,
        .err = stderr,
        .clock = lb_clock_system(),
        .remote = &remote,
        .explain = lb_serve_explain,
        .doctor = &doctor,
        .cosigned = lb_witness_read,
        .stores = lb_stores_of,
        .agent = agent != NULL && agent[0] != 0 ? agent : DEFAULT_AGENT,
        .version = LB_VERSION,
        .login = login(),
        .chinese = prefers_chinese(),
    };
    return lb_ctl_menu(&env, items, sizeof(items) / sizeof(items[0]), LB_VERSION, argc, argv);
}
