#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/crypto/x509.h"
#include "gateway/ctl/doctor.h"
#include "gateway/ctl/doctor_days.h"

/* The node's own files: its certificate's days, and who else may read or write what is private. */

static const struct lb_doctor_advice no_cert = {
    LB_DOCTOR_OPERATIONS,
    "本节点证书无法读取",
    "this node's certificate cannot be read",
    "核对 identity.cert 的路径与权限",
    "check the path and the rights of identity.cert",
};
static const struct lb_doctor_advice other_cert = {
    LB_DOCTOR_CA,
    "证书不是本节点的",
    "the certificate names another node",
    "按配置中的 node 重新签发",
    "have one issued for the node that the configuration names",
};
static const struct lb_doctor_advice expired = {
    LB_DOCTOR_CA,
    "证书已过期：所有对方都会拒绝本节点",
    "the certificate has expired: every peer refuses this node",
    "立即换发（lianban pki renew），放到 identity.cert，程序自动读取",
    "renew it now (lianban pki renew) and put it in place; the program picks it up by itself",
};
static const struct lb_doctor_advice expiring = {
    LB_DOCTOR_CA,
    "证书将要到期",
    "the certificate ends soon",
    "在到期前换发（lianban pki renew）",
    "renew it before that (lianban pki renew)",
};
static const struct lb_doctor_advice not_yet = {
    LB_DOCTOR_CA,
    "证书尚未生效",
    "the certificate is not valid yet",
    "先核对本机时间；时间无误则请签发机构重新签发",
    "check this machine's clock first; if it is right, have the certificate issued anew",
};

enum lb_doctor_state lb_doctor_days_state(int64_t left_s)
{
    if (left_s <= LB_DOCTOR_DAY_S)
        return LB_DOCTOR_BAD;
    return left_s <= 30 * LB_DOCTOR_DAY_S ? LB_DOCTOR_WARN : LB_DOCTOR_OK;
}

const char *lb_doctor_days_text(struct lb_doctor *doctor, int64_t left_s)
{
    const char *unit = lb_ctl_pick(doctor->env, "天", "days");
    int64_t days = left_s / LB_DOCTOR_DAY_S;
    if (left_s >= 0 && days < 2) {
        unit = lb_ctl_pick(doctor->env, "小时", "hours");
        days = left_s / 3600;
    }
    return lb_doctor_text(doctor, "%lld %s", (long long)days, unit);
}

/* The last of the warnings at 30, 7 and 1 days that it has passed. */
static const char *mark_of(int64_t left_s)
{
    if (left_s > 30 * LB_DOCTOR_DAY_S || left_s < 0)
        return "";
    if (left_s > 7 * LB_DOCTOR_DAY_S)
        return " (<=30)";
    return left_s > LB_DOCTOR_DAY_S ? " (<=7)" : " (<=1)";
}

static void check_days(struct lb_doctor *doctor, const struct lb_cert_info *info)
{
    const char *path = doctor->config.cert;
    int64_t now = lb_clock_unix_s(doctor->env->clock);
    int64_t left = info->not_after_unix_s - now;
    const char *days =
        lb_doctor_text(doctor, "%s%s", lb_doctor_days_text(doctor, left), mark_of(left));
    enum lb_doctor_state state = lb_doctor_days_state(left);
    if (now < info->not_before_unix_s)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "certificate", path, &not_yet, days);
    else if (left < 0)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "certificate", path, &expired, days);
    else if (state != LB_DOCTOR_OK)
        lb_doctor_find(doctor, state, "certificate", path, &expiring, days);
    else
        lb_doctor_good(doctor, "certificate", path, days);
}

static void check_certificate(struct lb_doctor *doctor)
{
    const char *path = doctor->config.cert;
    struct lb_span pem = LB_SPAN_EMPTY;
    struct lb_cert_info info;
    if (lb_file_read(path, LB_MAX_PEM_BYTES, doctor->arena, &pem) != LB_OK ||
        lb_x509_info(pem, &info) != LB_OK) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "certificate", path, &no_cert, NULL);
        return;
    }
    if (strcmp(info.spiffe, doctor->config.node) != 0)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "certificate", path, &other_cert, info.spiffe);
    check_days(doctor, &info);
}

/* --- who may read what --- */

static const struct lb_doctor_advice no_file = {
    LB_DOCTOR_OPERATIONS,
    "文件或目录不存在或无法查看",
    "it does not exist or cannot be looked at",
    "核对配置中的路径；从未运行过的节点先以 --init 启动",
    "check the path in the configuration; a node that never ran is started with --init first",
};
static const struct lb_doctor_advice open_file = {
    LB_DOCTOR_OPERATIONS,
    "其他账户可以访问私密文件",
    "other accounts can get at something private",
    "立即收紧权限（文件 0600，目录 0700，属主为运行程序的账户），并查清谁访问过；私钥可能泄露的须"
    "更换",
    "close it (files 0600, folders 0700, owned by the program's account) and find out who was in "
    "it; replace keys that others may have read",
};

/* The account that the program runs as: whoever owns its state. */
static uid_t account_of(const struct lb_doctor *doctor)
{
    struct stat info;
    return stat(doctor->config.state, &info) == 0 ? info.st_uid : geteuid();
}

static void check_private(struct lb_doctor *doctor, const char *check, const char *path)
{
    struct stat info;
    if (path == NULL)
        return;
    if (stat(path, &info) != 0) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, check, path, &no_file, NULL);
        return;
    }
    const char *mode = lb_doctor_text(doctor, "%04o", (unsigned)info.st_mode & 07777U);
    bool closed = (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
    bool own = info.st_uid == account_of(doctor) || info.st_uid == 0;
    if (closed && own)
        lb_doctor_good(doctor, check, path, mode);
    else
        lb_doctor_find(doctor, LB_DOCTOR_BAD, check, path, &open_file, mode);
}

void lb_doctor_check_files(struct lb_doctor *doctor)
{
    check_certificate(doctor);
    check_private(doctor, "private-file", doctor->config.key);
    check_private(doctor, "private-file", doctor->config.log_key);
    check_private(doctor, "state-folder", doctor->config.state);
}
