#include "gateway/ctl/doctor.h"

#include <stdarg.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"

/* `doctor`: what is wrong with a node, said at the node itself, each thing with what to do and whom
 * to call. It reads and asks; it changes nothing, and shows no key, password or person. */

#define TEXT_BYTES 1024

static const struct lb_doctor_times usual_times = {
    .dns_ms = 10000, .connect_ms = 5000, .call_ms = 10000, .source_ms = 10000, .slow_ms = 1000,
};

static const struct lb_ctl_column columns[] = {
    {"state", "state", "状态", LB_CTL_IN_TABLE, false},
    {"check", "check", "检查", LB_CTL_IN_TABLE, false},
    {"about", "about", "对象", LB_CTL_IN_TABLE, false},
    {"value", "measured", "实测", LB_CTL_IN_TABLE, false},
    {"found", "found", "发现", LB_CTL_UNDER_ROW, false},
    {"to_do", "do", "处理", LB_CTL_UNDER_ROW, false},
    {"call", "call", "联系", LB_CTL_UNDER_ROW, false},
    {"party", "party", "责任方", LB_CTL_NOT_SHOWN, false},
};

static const char *state_word(const struct lb_ctl_env *env, enum lb_doctor_state state)
{
    static const char *const names[] = {"ok", "warn", "bad"};
    static const char *const zh[] = {"正常", "注意", "故障"};
    return env->json ? names[state] : lb_ctl_pick(env, zh[state], names[state]);
}

static const char *party_id(enum lb_doctor_party party)
{
    static const char *const ids[LB_DOCTOR_NUM_PARTIES] = {
        [LB_DOCTOR_OPERATIONS] = "own-operations", [LB_DOCTOR_NETWORK] = "own-network",
        [LB_DOCTOR_DBA] = "own-dba",               [LB_DOCTOR_CA] = "own-ca",
        [LB_DOCTOR_FEDERATION] = "federation-operator", [LB_DOCTOR_PEER] = "peer",
        [LB_DOCTOR_CONSENT] = "consent-office",    [LB_DOCTOR_CLERKS] = "own-clerks",
    };
    return ids[party];
}

static const char *party_word(const struct lb_ctl_env *env, enum lb_doctor_party party)
{
    static const char *const zh[LB_DOCTOR_NUM_PARTIES] = {
        [LB_DOCTOR_OPERATIONS] = "本单位系统运维", [LB_DOCTOR_NETWORK] = "本单位网络管理员",
        [LB_DOCTOR_DBA] = "本单位数据库管理员",    [LB_DOCTOR_CA] = "本单位证书签发机构",
        [LB_DOCTOR_FEDERATION] = "联盟运行方",     [LB_DOCTOR_PEER] = "对方运维",
        [LB_DOCTOR_CONSENT] = "同意服务机构",      [LB_DOCTOR_CLERKS] = "本单位经办人",
    };
    static const char *const en[LB_DOCTOR_NUM_PARTIES] = {
        [LB_DOCTOR_OPERATIONS] = "your own operations",
        [LB_DOCTOR_NETWORK] = "your own network administrators",
        [LB_DOCTOR_DBA] = "your own database administrators",
        [LB_DOCTOR_CA] = "whoever issues your certificates",
        [LB_DOCTOR_FEDERATION] = "the federation's operator",
        [LB_DOCTOR_PEER] = "the other side's operations",
        [LB_DOCTOR_CONSENT] = "the consent office",
        [LB_DOCTOR_CLERKS] = "your own clerks",
    };
    return lb_ctl_pick(env, zh[party], en[party]);
}

static void count(struct lb_doctor *doctor, enum lb_doctor_state state)
{
    doctor->num[state]++;
    if (state > doctor->worst)
        doctor->worst = state;
}

void lb_doctor_good(struct lb_doctor *doctor, const char *check, const char *about,
                    const char *value)
{
    const char *const cells[] = {state_word(doctor->env, LB_DOCTOR_OK), check, about, value, NULL,
                                 NULL, NULL, NULL};
    lb_ctl_sheet_row(&doctor->sheet, cells);
    count(doctor, LB_DOCTOR_OK);
}

void lb_doctor_find(struct lb_doctor *doctor, enum lb_doctor_state state, const char *check,
                    const char *about, const struct lb_doctor_advice *advice, const char *value)
{
    const struct lb_ctl_env *env = doctor->env;
    const char *const cells[] = {
        state_word(env, state), check, about, value, lb_ctl_pick(env, advice->zh, advice->en),
        lb_ctl_pick(env, advice->do_zh, advice->do_en), party_word(env, advice->party),
        party_id(advice->party)};
    lb_ctl_sheet_row(&doctor->sheet, cells);
    count(doctor, state);
}

const char *lb_doctor_text(struct lb_doctor *doctor, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const char *kept = lb_arena_str(doctor->arena, lb_span_str(text));
    return kept == NULL ? "" : kept;
}

/* --- the run --- */

static const struct lb_doctor_advice bad_config = {
    LB_DOCTOR_OPERATIONS,
    "配置文件无法读取，其余检查无从进行",
    "the configuration cannot be read; nothing else can be checked",
    "按提示改正配置文件，再运行 --check",
    "correct the file as it says, then run the program with --check",
};
static const struct lb_doctor_advice bad_identity = {
    LB_DOCTOR_OPERATIONS,
    "证书、私钥与 CA 文件不配套或无法读取",
    "certificate, key and CA files do not fit together or cannot be read",
    "恢复配套的文件；私钥权限须为 0600。若私钥遗失，请重新申领证书",
    "put the matching files back; the key with mode 0600. If the key is lost, have a new "
    "certificate issued",
};

static void open_port(struct lb_doctor *doctor)
{
    const struct lb_doctor_config *config = &doctor->config;
    const struct lb_ctl_node_files files = {
        .cert = config->cert, .key = config->key, .ca = config->ca, .crl = config->crl,
        .directory = config->directory, .signers = config->signers,
        .num_signers = config->num_signers,
        .timeout_ms = doctor->times.call_ms,
        .trust_state = lb_doctor_text(doctor, "%s/trust", config->state),
    };
    struct lb_diag diag = {""};
    lb_status status = doctor->env->doctor->open(&files, doctor->env->clock, &diag, &doctor->port);
    if (status != LB_OK)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "identity", config->cert, &bad_identity,
                       diag.text[0] != 0 ? diag.text : lb_code_name(status->code));
    else
        lb_doctor_good(doctor, "identity", config->cert, NULL);
}

static void check(struct lb_doctor *doctor, const char *path)
{
    struct lb_diag diag = {""};
    lb_status status = lb_doctor_config_load(path, doctor->arena, &diag, &doctor->config);
    if (status != LB_OK) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "config", path, &bad_config,
                       diag.text[0] != 0 ? diag.text : lb_code_name(status->code));
        return;
    }
    lb_doctor_good(doctor, "config", path, doctor->config.node);
    lb_doctor_check_files(doctor);
    lb_doctor_check_trust(doctor);
    lb_doctor_check_log(doctor);
    lb_doctor_check_source(doctor);
    lb_doctor_check_waits(doctor);
    open_port(doctor);
    lb_doctor_check_peers(doctor);
}

static lb_status run(struct lb_doctor *doctor, const char *path)
{
    struct lb_ctl_sheet *sheet = &doctor->sheet;
    lb_ctl_sheet_init(sheet, doctor->env, doctor->arena, columns,
                      sizeof(columns) / sizeof(columns[0]));
    check(doctor, path);
    lb_ctl_sheet_fact(sheet, "status", "总体", "all in all",
                      state_word(doctor->env, doctor->worst));
    lb_ctl_sheet_number(sheet, "ok", "正常", "ok", (int64_t)doctor->num[LB_DOCTOR_OK]);
    lb_ctl_sheet_number(sheet, "warn", "注意", "to look at", (int64_t)doctor->num[LB_DOCTOR_WARN]);
    lb_ctl_sheet_number(sheet, "bad", "故障", "bad", (int64_t)doctor->num[LB_DOCTOR_BAD]);
    return lb_ctl_sheet_print(sheet, false);
}

static void release(struct lb_doctor *doctor)
{
    if (doctor->port.contact != NULL)
        doctor->port.close(doctor->port.ctx);
    lb_directory_unref(doctor->directory);
    lb_arena_free(doctor->arena);
}

int lb_ctl_doctor_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban doctor --config /etc/lianban/node.yaml",
        "lianban doctor --config /etc/lianban/node.yaml --json --language zh", NULL};
    static const int exits[] = {LB_CTL_OK, LB_CTL_FAILED, LB_CTL_BAD};
    struct lb_doctor doctor = {.env = env, .times = usual_times};
    const char *path = NULL;
    int64_t wait_ms = 0;
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .en = "the node's configuration",
         .zh = "节点的配置文件", .required = true, .text = &path},
        {.name = "wait-ms", .value = "MS", .en = "how long each thing may take (default: by kind)",
         .zh = "每项检查的时限（毫秒，默认按类别）", .number = &wait_ms, .min = 100, .max = 60000},
    };
    const struct lb_ctl_usage usage = {
        .command = "doctor", .options = options, .num_options = 2, .examples = examples,
        .en = "what is wrong with a node, what to do and whom to call; run it at the node. Exit "
              "code 0: all ok, 1: something to look at, 3: something is bad",
        .zh = "在节点上检查故障：有什么问题、如何处理、找谁。退出码 0 全部正常，1 有须注意之处，3 有故障",
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (wait_ms != 0)
        doctor.times.dns_ms = doctor.times.connect_ms = doctor.times.call_ms =
            doctor.times.source_ms = wait_ms;
    doctor.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    lb_status status = doctor.arena == NULL ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                                            : run(&doctor, path);
    exit_code = status == LB_OK ? exits[doctor.worst] : lb_ctl_fail(env, "doctor", status, NULL);
    release(&doctor);
    return exit_code;
}
