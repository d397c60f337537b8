#include "gateway/ctl/doctor.h"
#include "gateway/ctl/doctor_contact.h"
#include "gateway/evidence/witness_policy.h"

/* Whom this node calls, and itself. */

struct peer {
    const char *spiffe;
    enum lb_doctor_state grave;  /* how bad it is when it can't be reached */
};

struct peers {
    struct peer list[LB_DOCTOR_MAX_PEERS];
    size_t num, num_left;        /* those that found no place */
};

static const struct lb_doctor_advice no_member = {
    LB_DOCTOR_FEDERATION,
    "目录中没有该成员或其地址",
    "the directory has no such member, or no address of it",
    "核对配置中的名称；名称无误则请联盟运行方登记其地址",
    "check the name in the configuration; if it is right, the operator must list its address",
};
static const struct lb_doctor_advice bad_witnesses = {
    LB_DOCTOR_OPERATIONS,
    "见证策略文件无法读取：节点不会启动",
    "the witness policy cannot be read: the node does not start with it",
    "按提示改正 witnessed_by.policy 所指的文件",
    "correct the file that witnessed_by.policy names, as it says",
};
static const struct lb_doctor_advice too_many = {
    LB_DOCTOR_OPERATIONS,
    "成员过多，其余的未检查",
    "there are more members than are checked at once; the rest was not",
    "用 lianban status 查看全部成员",
    "look at all of them with `lianban status`",
};
static const struct lb_doctor_advice not_running = {
    LB_DOCTOR_OPERATIONS,
    "本节点没有应答：程序未运行或已停滞",
    "this node itself does not answer: its program is stopped or hangs",
    "启动程序并查看其日志",
    "start the program and look at its messages",
};

static void add(struct peers *peers, const struct lb_doctor *doctor, const char *spiffe,
                enum lb_doctor_state grave)
{
    if (strcmp(spiffe, doctor->config.node) == 0)
        return;
    for (size_t i = 0; i < peers->num; i++) {
        if (strcmp(peers->list[i].spiffe, spiffe) == 0)
            return;
    }
    if (peers->num < LB_DOCTOR_MAX_PEERS)
        peers->list[peers->num++] = (struct peer){spiffe, grave};
    else
        peers->num_left++;
}

/* Those that every node of a kind calls: a broker the departments that listen, a consent office the
 * brokers. A department compares its log with the brokers', but serves without. */
static void add_by_kind(struct peers *peers, const struct lb_doctor *doctor)
{
    enum lb_node_kind own = doctor->config.kind;
    enum lb_node_kind wanted = own == LB_NODE_BROKER ? LB_NODE_ADAPTER : LB_NODE_BROKER;
    enum lb_doctor_state grave = own == LB_NODE_ADAPTER ? LB_DOCTOR_WARN : LB_DOCTOR_BAD;
    if (own != LB_NODE_BROKER && own != LB_NODE_CONSENT && own != LB_NODE_ADAPTER)
        return;
    for (size_t i = 0; i < doctor->directory->num_nodes; i++) {
        const struct lb_node *node = &doctor->directory->nodes[i];
        if (node->kind == wanted && node->endpoint[0] != 0)
            add(peers, doctor, node->spiffe, grave);
    }
}

static void add_witnesses(struct peers *peers, struct lb_doctor *doctor)
{
    struct lb_witness_policy *policy = NULL;
    struct lb_diag diag = {""};
    const char *path = doctor->config.witness_policy;
    if (path == NULL)
        return;
    lb_status status = lb_witness_policy_load(path, &diag, &policy);
    if (status != LB_OK) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "witnesses", path, &bad_witnesses,
                       diag.text[0] != 0 ? diag.text : lb_code_name(status->code));
        return;
    }
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        if (policy->witnesses[i].url[0] != 0)
            add(peers, doctor, lb_doctor_text(doctor, "%s", policy->witnesses[i].url),
                LB_DOCTOR_WARN);
    }
    lb_witness_policy_free(policy);
}

static void check_peer(struct lb_doctor *doctor, const struct peer *peer)
{
    struct lb_ctl_contact contact = {.status = LB_OK};
    const struct lb_node *node = lb_directory_node(doctor->directory, peer->spiffe);
    if (node == NULL || node->endpoint[0] == 0) {
        lb_doctor_find(doctor, peer->grave, "peer", peer->spiffe, &no_member, NULL);
        return;
    }
    if (!lb_doctor_reach(doctor, peer->spiffe, node->endpoint, peer->grave) ||
        doctor->port.contact == NULL)
        return;
    doctor->port.contact(doctor->port.ctx, node->endpoint, peer->spiffe, doctor->arena, &contact);
    lb_doctor_judge_contact(doctor, peer->spiffe, &contact, peer->grave);
}

/* --- this node --- */

/* A node that listens everywhere is called at the loopback. */
static const char *own_endpoint(struct lb_doctor *doctor)
{
    const char *listen = doctor->config.listen;
    static const char all4[] = "0.0.0.0:", all6[] = "[::]:";
    if (strncmp(listen, all4, sizeof(all4) - 1) == 0)
        return lb_doctor_text(doctor, "127.0.0.1:%s", listen + sizeof(all4) - 1);
    if (strncmp(listen, all6, sizeof(all6) - 1) == 0)
        return lb_doctor_text(doctor, "[::1]:%s", listen + sizeof(all6) - 1);
    return listen;
}

static void check_self(struct lb_doctor *doctor)
{
    struct lb_ctl_contact contact = {.status = LB_OK};
    if (doctor->config.listen == NULL || doctor->port.contact == NULL)
        return;
    const char *endpoint = own_endpoint(doctor);
    bool local = doctor->config.kind == LB_NODE_WINDOW; /* whoever can open its socket may use it */
    doctor->port.contact(doctor->port.ctx, endpoint, local ? NULL : doctor->config.node,
                         doctor->arena, &contact);
    bool silent = contact.presented[0] == 0 && !contact.told &&
                  lb_status_code(contact.status) != LB_CODE_OK;
    if (silent)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "self", doctor->config.node, &not_running, endpoint);
    else
        lb_doctor_judge_self(doctor, &contact);
}

void lb_doctor_check_peers(struct lb_doctor *doctor)
{
    struct peers peers = {.num = 0};
    check_self(doctor);
    if (doctor->directory == NULL)
        return; /* said already; without it nobody has an address */
    for (size_t i = 0; i < doctor->config.num_named; i++)
        add(&peers, doctor, doctor->config.named[i], LB_DOCTOR_BAD);
    add_by_kind(&peers, doctor);
    add_witnesses(&peers, doctor);
    for (size_t i = 0; i < peers.num; i++)
        check_peer(doctor, &peers.list[i]);
    if (peers.num_left > 0)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "peers", NULL, &too_many,
                       lb_doctor_text(doctor, "%zu", peers.num_left));
    lb_doctor_judge_clocks(doctor);
}
