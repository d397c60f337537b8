#include "gateway/base/file.h"
#include "gateway/crypto/x509.h"
#include "gateway/ctl/doctor.h"
#include "gateway/ctl/doctor_days.h"
#include "gateway/trust/trust.h"

/* What the node believes: the directory, the revocation list, and what both say of itself. */

#define CRL_SOON_S LB_DOCTOR_DAY_S
#define DIRECTORY_SOON_S (3 * LB_DOCTOR_DAY_S)
#define SEAL_SOON_S LB_DOCTOR_DAY_S

static const struct lb_doctor_advice bad_directory = {
    LB_DOCTOR_FEDERATION,
    "成员目录不被采信",
    "the directory of members is not believed",
    "向联盟运行方索取最新的签名目录，放到 directory.file；若说密钥变更，先电话核实再加入 accept",
    "get the newest signed directory from the operator and put it at directory.file; where it "
    "says that a key changed, have that confirmed by telephone before adding it to `accept`",
};
static const struct lb_doctor_advice old_directory = {
    LB_DOCTOR_FEDERATION,
    "成员目录已过期或将过期：过期后拒绝所有对方",
    "the directory has expired or is about to: then every peer is refused",
    "向联盟运行方索取新签发的目录",
    "get a newly signed directory from the operator",
};
static const struct lb_doctor_advice unlisted = {
    LB_DOCTOR_FEDERATION,
    "目录中没有本节点",
    "the directory does not list this node",
    "请联盟运行方登记本节点并下发新目录",
    "have the operator list this node and send the new directory",
};
static const struct lb_doctor_advice seal_ends = {
    LB_DOCTOR_OPERATIONS,
    "目录中本节点的密封公钥已过期或将过期：过期后无人能向本节点发送密封请求",
    "this node's sealing key in the directory has ended or is about to: then nobody can seal to "
    "it",
    "用 lianban keys rotate 生成新密钥，并请联盟运行方更新目录",
    "make a new one with `lianban keys rotate` and have the operator list it",
};
static const struct lb_doctor_advice no_crl = {
    LB_DOCTOR_CA,
    "没有证书吊销列表：所有对方都会被拒绝",
    "there is no revocation list: every peer is refused",
    "向证书机构索取最新的吊销列表（lianban pki crl），放到配置中 crl 的位置",
    "get the newest list from the CA (`lianban pki crl`) and put it where `crl` says",
};
static const struct lb_doctor_advice stale_crl = {
    LB_DOCTOR_CA,
    "证书吊销列表已过期、将过期或无法验证：过期后所有对方都会被拒绝",
    "the revocation list has ended, is about to, or does not verify: then every peer is refused",
    "向证书机构索取新的吊销列表",
    "get a new list from the CA",
};
static const struct lb_doctor_advice revoked = {
    LB_DOCTOR_CA,
    "本节点的证书已被吊销",
    "this node's own certificate is revoked",
    "查明吊销原因，更换私钥并重新申领证书",
    "find out why, make a new key and have a new certificate issued",
};
static const struct lb_doctor_advice unverified = {
    LB_DOCTOR_CA,
    "本节点的证书不被联盟认可",
    "this node's certificate is not one of the federation's",
    "核对签发机构是否在目录的 ca_pins 中，或重新申领证书",
    "check that its CA is pinned in the directory, or have a new certificate issued",
};

static void check_seal_key(struct lb_doctor *doctor, const struct lb_node *node, int64_t now)
{
    if (node->kind != LB_NODE_ADAPTER && node->kind != LB_NODE_WINDOW)
        return;
    const struct lb_seal_key_entry *key = lb_node_seal_key(node, NULL, now);
    int64_t left = key == NULL ? -1 : key->not_after - now;
    const char *days = key == NULL ? NULL : lb_doctor_days_text(doctor, left);
    if (left > SEAL_SOON_S)
        lb_doctor_good(doctor, "sealing-key", node->spiffe, days);
    else
        lb_doctor_find(doctor, key == NULL ? LB_DOCTOR_BAD : LB_DOCTOR_WARN, "sealing-key",
                       node->spiffe, &seal_ends, days);
}

static void check_directory(struct lb_doctor *doctor)
{
    const char *path = doctor->config.directory;
    const struct lb_directory *directory = doctor->directory;
    int64_t now = lb_clock_unix_s(doctor->env->clock);
    int64_t left = directory->expires - now;
    const char *value =
        lb_doctor_text(doctor, "v%llu, %s", (unsigned long long)directory->version,
                       lb_doctor_days_text(doctor, left));
    if (left <= DIRECTORY_SOON_S)
        lb_doctor_find(doctor, left <= 0 ? LB_DOCTOR_BAD : LB_DOCTOR_WARN, "directory", path,
                       &old_directory, value);
    else
        lb_doctor_good(doctor, "directory", path, value);
    const struct lb_node *node = lb_directory_node(directory, doctor->config.node);
    if (node == NULL)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "directory", path, &unlisted, doctor->config.node);
    else
        check_seal_key(doctor, node, now);
}

static void believe(struct lb_doctor *doctor)
{
    const struct lb_doctor_config *config = &doctor->config;
    const struct lb_trust_options options = {
        .directory_path = config->directory,
        .directory_vkeys = config->signers,
        .num_directory_vkeys = config->num_signers,
        .ca_path = config->ca,
        .crl_path = config->crl,
        .state_folder = lb_doctor_text(doctor, "%s/trust", config->state),
        .look_only = true,
        .clock = doctor->env->clock,
    };
    struct lb_diag diag = {""};
    struct lb_trust *trust = NULL;
    lb_status status = lb_trust_new(&options, &diag, &trust);
    if (status != LB_OK) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "directory", config->directory, &bad_directory,
                       lb_doctor_text(doctor, "%s: %s", lb_code_name(status->code), diag.text));
        return;
    }
    doctor->directory = lb_trust_directory(trust);
    lb_trust_free(trust);
    check_directory(doctor);
}

/* --- the revocation list, by what it says of this node --- */

/* `left` is until the list ends, or the certificate if that is earlier. */
static void judge_own(struct lb_doctor *doctor, lb_status status, int64_t left)
{
    const char *crl = doctor->config.crl;
    switch (lb_status_code(status)) {
    case LB_CODE_OK:
        if (left > CRL_SOON_S)
            lb_doctor_good(doctor, "crl", crl,
                           left == INT64_MAX ? NULL : lb_doctor_days_text(doctor, left));
        else
            lb_doctor_find(doctor, LB_DOCTOR_WARN, "crl", crl, &stale_crl,
                           lb_doctor_days_text(doctor, left));
        return;
    case LB_CRL_STALE:
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "crl", crl, &stale_crl, NULL);
        return;
    case LB_PEER_REVOKED:
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "certificate", doctor->config.cert, &revoked, NULL);
        return;
    case LB_PEER_EXPIRED:
        return; /* said already, by its days */
    default:
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "certificate", doctor->config.cert, &unverified,
                       lb_code_name(status->code));
    }
}

static void check_crl(struct lb_doctor *doctor)
{
    const struct lb_doctor_config *config = &doctor->config;
    struct lb_span ca = LB_SPAN_EMPTY, crl = LB_SPAN_EMPTY, chain = LB_SPAN_EMPTY;
    struct lb_cert_info leaf;
    int64_t until = 0;
    if (lb_file_read(config->crl, LB_MAX_CRL_BYTES, doctor->arena, &crl) != LB_OK ||
        crl.len == 0) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "crl", config->crl, &no_crl, NULL);
        return;
    }
    if (doctor->directory == NULL ||
        lb_file_read(config->ca, LB_MAX_PEM_BYTES, doctor->arena, &ca) != LB_OK ||
        lb_file_read(config->cert, LB_MAX_PEM_BYTES, doctor->arena, &chain) != LB_OK)
        return; /* said already */
    const struct lb_x509_anchors anchors = {ca, crl, doctor->directory->pins,
                                            doctor->directory->num_pins};
    int64_t now = lb_clock_unix_s(doctor->env->clock);
    lb_status status = lb_x509_verify_until(&anchors, chain, now, &leaf, &until);
    bool own_end = status == LB_OK && until == leaf.not_after_unix_s;
    judge_own(doctor, status, own_end ? INT64_MAX : until - now);
}

void lb_doctor_check_trust(struct lb_doctor *doctor)
{
    believe(doctor);
    check_crl(doctor);
}
