#include <time.h>
#include <unistd.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/status_channels.h"
#include "gateway/ctl/status_judge.h"
#include "gateway/ctl/status_parcels.h"
#include "gateway/ctl/status_run.h"
#include "gateway/trust/trust.h"

/* `status`: the federation as its brokers see it, for its operator, or the brokers' own connections
 * (--channels), or what they hold for whom (--parcels). It shows members, never requests. */

#define TIMEOUT_MS 10000
#define DAY_S INT64_C(86400)

static const struct lb_ctl_column columns[] = {
    {"level", "level", "级别", LB_CTL_IN_TABLE, false},
    {"member", "member", "成员", LB_CTL_IN_TABLE, false},
    {"link", "link", "连接", LB_CTL_IN_TABLE, false},
    {"answered_seconds", "answered s ago", "最近答复（秒前）", LB_CTL_IN_TABLE, true},
    {"seen_seconds", "seen s ago", "最近出现（秒前）", LB_CTL_IN_TABLE, true},
    {"certificate_days", "cert days", "证书天数", LB_CTL_IN_TABLE, true},
    {"log_size", "log size", "日志条数", LB_CTL_IN_TABLE, true},
    {"log_shown_seconds", "shown s ago", "出示（秒前）", LB_CTL_IN_TABLE, true},
    {"pending", "pending", "待答复", LB_CTL_IN_TABLE, true},
    {"parcels", "parcels", "待递送", LB_CTL_IN_TABLE, true},
    {"found", "found", "发现", LB_CTL_UNDER_ROW, false},
    {"code", "code", "代码", LB_CTL_UNDER_ROW, false},
    {"parcels_seconds", "oldest parcel s", "最早递送件（秒）", LB_CTL_UNDER_ROW, true},
    {"parcels_code", "it waits for", "待递送原因", LB_CTL_UNDER_ROW, false},
    {"parcels_untold", "ends untold", "结果未取", LB_CTL_UNDER_ROW, true},
    {"circuit", "circuit", "熔断", LB_CTL_UNDER_ROW, false},
    {"circuit_seconds", "circuit s ago", "熔断变化（秒前）", LB_CTL_UNDER_ROW, true},
    {"reads_in_hand", "reads in hand", "在办查询", LB_CTL_NOT_SHOWN, true},
    {"reads_places", "places", "可在办数", LB_CTL_NOT_SHOWN, true},
    {"forms_waiting", "forms waiting", "排队表单", LB_CTL_NOT_SHOWN, true},
    {"forms_refused", "told to come again", "请稍候次数", LB_CTL_NOT_SHOWN, true},
    {"broker", "broker", "转发节点", LB_CTL_NOT_SHOWN, false},
};
#define NUM_COLUMNS (sizeof(columns) / sizeof(columns[0]))
enum cell {
    LEVEL, MEMBER, LINK, ANSWERED, SEEN, DAYS, LOG_SIZE, LOG_SHOWN, PENDING, PARCELS, FOUND, CODE,
    PARCELS_SECONDS, PARCELS_CODE, PARCELS_UNTOLD, CIRCUIT, CIRCUIT_SECONDS, IN_HAND, PLACES,
    FORMS_WAITING, FORMS_REFUSED, BROKER
};

static const char *number(struct lb_status_run *status, int64_t value)
{
    return lb_arena_printf(status->arena, "%lld", (long long)value);
}

/* "" for a time that never was. */
static const char *since(struct lb_status_run *status, int64_t now_ms, int64_t then_ms)
{
    return then_ms == 0 ? "" : number(status, (now_ms - then_ms) / 1000);
}

static void put_row(struct lb_status_run *status, const char **cells,
                    const struct lb_status_finding *findings, size_t num)
{
    const struct lb_ctl_env *env = status->env;
    enum lb_status_level level = num == 0 ? LB_STATUS_GREEN : findings[0].level;
    const char *found = "";
    for (size_t i = 0; i < num && found != NULL; i++)
        found = lb_arena_printf(status->arena, "%s%s%s", found,
                                i == 0 ? "" : lb_ctl_pick(env, "；", "; "),
                                lb_ctl_pick(env, findings[i].zh, findings[i].en));
    cells[FOUND] = found;
    lb_status_row(status, level, cells);
}

/* --- what a broker said --- */

static enum lb_node_kind kind_of(struct lb_status_run *status, const char *spiffe)
{
    const char *federation = NULL, *organization = NULL;
    enum lb_node_kind kind = LB_NODE_OFFICER;
    lb_status_ignore(lb_spiffe_parse(spiffe, status->arena, &federation, &kind, &organization));
    return kind;
}

/* What waits for it at the broker, and what it has not been told of its own. */
static void put_parcels(struct lb_status_run *status,
                        const Lianban__V1__GetStatusResponse *response,
                        const Lianban__V1__MemberStatus *member, const char **cells)
{
    if (member->parcels > 0) {
        cells[PARCELS] = number(status, member->parcels);
        cells[PARCELS_SECONDS] =
            number(status, response->unix_ms / 1000 - member->parcels_since_unix_s);
        cells[PARCELS_CODE] = member->parcels_code;
    }
    if (member->parcels_untold > 0)
        cells[PARCELS_UNTOLD] = number(status, member->parcels_untold);
}

static void put_member(struct lb_status_run *status, const Lianban__V1__GetStatusResponse *response,
                       const Lianban__V1__MemberStatus *member)
{
    struct lb_status_finding findings[LB_STATUS_MAX_FINDINGS];
    enum lb_node_kind kind = kind_of(status, member->spiffe);
    int64_t now = response->unix_ms;
    const char *cells[NUM_COLUMNS] = {NULL};
    cells[MEMBER] = member->spiffe;
    cells[BROKER] = response->broker;
    cells[SEEN] = since(status, now, member->seen_unix_ms);
    if (member->certificate_not_after_unix_s != 0)
        cells[DAYS] =
            number(status, (member->certificate_not_after_unix_s - now / 1000) / DAY_S);
    cells[CODE] = member->quarantine;
    put_parcels(status, response, member, cells);
    if (kind == LB_NODE_ADAPTER) {
        cells[LINK] = member->linked ? lb_ctl_pick(status->env, "通", "up")
                                     : lb_ctl_pick(status->env, "断", "down");
        cells[ANSWERED] = since(status, now, member->answered_unix_ms);
        cells[LOG_SIZE] = number(status, (int64_t)member->log_size);
        cells[LOG_SHOWN] = since(status, now, member->log_shown_unix_ms);
        cells[PENDING] = number(status, member->pending);
        if (member->circuit[0] != 0) {
            cells[CIRCUIT] = member->circuit;
            cells[CIRCUIT_SECONDS] = since(status, now, member->circuit_unix_ms);
        }
    }
    put_row(status, cells, findings, lb_status_judge(member, kind, now, findings));
}

static void put_broker(struct lb_status_run *status, const Lianban__V1__GetStatusResponse *response)
{
    struct lb_status_finding findings[LB_STATUS_MAX_FINDINGS];
    const char *cells[NUM_COLUMNS] = {NULL};
    cells[MEMBER] = response->broker;
    cells[BROKER] = response->broker;
    cells[LOG_SIZE] = number(status, (int64_t)response->log_size);
    cells[CODE] = strcmp(response->log_state, "ok") == 0 ? NULL : response->log_state;
    cells[IN_HAND] = number(status, (int64_t)response->reads_in_hand);
    cells[PLACES] = number(status, (int64_t)response->reads_places);
    cells[FORMS_WAITING] = number(status, (int64_t)response->forms_waiting);
    cells[FORMS_REFUSED] = number(status, (int64_t)response->forms_refused);
    put_row(status, cells, findings, lb_status_judge_broker(response, findings));
}

static void ask_broker(struct lb_status_run *status, const struct lb_status_target *broker)
{
    static const struct lb_status_finding silent = {
        LB_STATUS_RED, "转发节点无应答或拒绝答复：请在其节点运行 lianban doctor",
        "the broker does not answer, or refuses to: run `lianban doctor` at it"};
    Lianban__V1__GetStatusResponse *response = NULL;
    lb_status asked = status->port.status(status->port.ctx, broker->endpoint, broker->spiffe,
                                          status->arena, &response);
    if (asked != LB_OK) {
        const char *cells[NUM_COLUMNS] = {NULL};
        cells[MEMBER] = broker->spiffe;
        cells[BROKER] = broker->spiffe;
        cells[CODE] = lb_code_name(asked->code);
        put_row(status, cells, &silent, 1);
        return;
    }
    put_broker(status, response);
    for (size_t i = 0; i < response->n_members; i++) {
        if (strcmp(response->members[i]->spiffe, response->broker) != 0)
            put_member(status, response, response->members[i]);
    }
}

/* --- whom to ask --- */

static bool is_ours(const struct lb_status_run *status, const struct lb_node *node)
{
    for (size_t i = 0; i < status->config.num_named; i++) {
        if (strcmp(status->config.named[i], node->spiffe) == 0)
            return true;
    }
    return strcmp(node->organization, status->config.organization) == 0;
}

/* The brokers of the own organization, and one that the configuration names. */
static lb_status find_brokers(struct lb_status_run *status, const struct lb_directory *directory,
                              struct lb_arena *arena)
{
    const size_t most = LB_STATUS_MAX_BROKERS;
    for (size_t i = 0; i < directory->num_nodes && status->num_brokers < most; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind != LB_NODE_BROKER || node->endpoint[0] == 0 || !is_ours(status, node))
            continue;
        struct lb_status_target *broker = &status->brokers[status->num_brokers++];
        broker->spiffe = lb_arena_str(arena, lb_span_str(node->spiffe));
        broker->endpoint = lb_arena_str(arena, lb_span_str(node->endpoint));
        LB_ENSURE(broker->spiffe != NULL && broker->endpoint != NULL, LB_NO_MEMORY,
                  "arena is full");
    }
    LB_ENSURE(status->num_brokers > 0, LB_PEER_UNLISTED, "the directory has no broker of yours");
    return LB_OK;
}

static lb_status open_all(struct lb_status_run *status, const char *path, struct lb_arena *arena,
                          struct lb_diag *diag)
{
    struct lb_doctor_config *config = &status->config;
    LB_TRY(lb_doctor_config_load(path, arena, diag, config));
    const char *trust_state = lb_arena_printf(arena, "%s/trust", config->state);
    LB_ENSURE(trust_state != NULL, LB_NO_MEMORY, "arena is full");
    const struct lb_trust_options options = {
        .directory_path = config->directory, .directory_vkeys = config->signers,
        .num_directory_vkeys = config->num_signers, .ca_path = config->ca,
        .crl_path = config->crl, .state_folder = trust_state, .look_only = true,
        .clock = status->env->clock};
    const struct lb_ctl_node_files files = {
        .cert = config->cert, .key = config->key, .ca = config->ca, .crl = config->crl,
        .directory = config->directory, .signers = config->signers,
        .num_signers = config->num_signers, .trust_state = trust_state,
        .timeout_ms = TIMEOUT_MS};
    struct lb_trust *trust = NULL;
    LB_TRY(lb_trust_new(&options, diag, &trust));
    struct lb_directory *directory = lb_trust_directory(trust);
    lb_status found = find_brokers(status, directory, arena);
    lb_directory_unref(directory);
    lb_trust_free(trust);
    LB_TRY(found);
    return status->env->doctor->open(&files, status->env->clock, diag, &status->port);
}

/* --- rounds --- */

struct question {
    const struct lb_ctl_column *columns;
    size_t num_columns;
    void (*ask)(struct lb_status_run *status, const struct lb_status_target *broker);
};

static lb_status show(struct lb_status_run *status)
{
    static const struct question members = {columns, NUM_COLUMNS, ask_broker};
    static const struct question channels = {lb_status_channel_columns, LB_CHANNEL_NUM_CELLS,
                                             lb_status_ask_channels};
    static const struct question parcels = {lb_status_parcel_columns, LB_PARCEL_NUM_CELLS,
                                            lb_status_ask_parcels};
    const struct question *question = status->parcels ? &parcels : &members;
    struct lb_ctl_sheet *sheet = &status->sheet;
    if (status->channels)
        question = &channels;
    lb_arena_reset(status->arena);
    status->worst = LB_STATUS_GREEN;
    memset(status->num, 0, sizeof(status->num));
    lb_ctl_sheet_init(sheet, status->env, status->arena, question->columns,
                      question->num_columns);
    for (size_t i = 0; i < status->num_brokers; i++)
        question->ask(status, &status->brokers[i]);
    lb_ctl_sheet_fact(sheet, "status", "总体", "all in all",
                      lb_status_level_word(status->env, status->worst));
    lb_ctl_sheet_number(sheet, "green", "绿", "green", (int64_t)status->num[LB_STATUS_GREEN]);
    lb_ctl_sheet_number(sheet, "yellow", "黄", "yellow", (int64_t)status->num[LB_STATUS_YELLOW]);
    lb_ctl_sheet_number(sheet, "red", "红", "red", (int64_t)status->num[LB_STATUS_RED]);
    lb_status printed = lb_ctl_sheet_print(sheet, false);
    (void)fflush(status->env->out);
    return printed;
}

static lb_status watch(struct lb_status_run *status, int64_t every_s, int64_t times)
{
    static const char clear[] = "\033[H\033[2J";
    for (int64_t i = 0; times == 0 || i < times; i++) {
        const struct timespec pause = {.tv_sec = (time_t)every_s};
        if (i > 0)
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        if (every_s > 0 && !status->env->json && isatty(fileno(status->env->out)) == 1)
            (void)fputs(clear, status->env->out);
        LB_TRY(show(status));
    }
    return LB_OK;
}

static int run(struct lb_status_run *status, const char *path, int64_t every_s, int64_t times)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(lb_arena_freep) struct lb_arena *round = lb_arena_new(4 * LB_FILE_ARENA_BYTES);
    static const int exits[] = {LB_CTL_OK, LB_CTL_FAILED, LB_CTL_BAD};
    struct lb_diag diag = {""};
    status->arena = round;
    lb_status done = arena == NULL || round == NULL ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                                                    : open_all(status, path, arena, &diag);
    if (done == LB_OK)
        done = watch(status, every_s, every_s == 0 ? 1 : times);
    if (status->port.status != NULL)
        status->port.close(status->port.ctx);
    return done == LB_OK ? exits[status->worst]
                         : lb_ctl_fail(status->env, "status", done, &diag);
}

static const char *const examples[] = {
    "lianban status --config /etc/lianban/broker.yaml",
    "lianban status --config officer.yaml --watch 5",
    "lianban status --config /etc/lianban/broker.yaml --channels --json", NULL};

int lb_ctl_status_command(struct lb_ctl_env *env, int argc, char **argv)
{
    struct lb_status_run status = {.env = env};
    const char *path = NULL;
    int64_t every_s = 0, times = 0;
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .required = true, .text = &path,
         .en = "a broker's configuration, or the profile of an officer of its organization",
         .zh = "转发节点的配置，或其所属单位安全员的配置"},
        {.name = "watch", .value = "S", .en = "again every so many seconds", .number = &every_s,
         .zh = "每隔若干秒刷新", .min = 1, .max = 3600},
        {.name = "times", .value = "N", .en = "with --watch: so often (default: until stopped)",
         .zh = "与 --watch 合用：刷新次数（默认直至中断）", .number = &times, .min = 1,
         .max = 1000000},
        {.name = "channels", .flag = &status.channels,
         .en = "the brokers' own connections in place of the members: calls, queues, last failures",
         .zh = "改为显示转发节点自身的连接：调用、排队、最近失败"},
        {.name = "parcels", .flag = &status.parcels,
         .en = "the parcels the brokers hold in place of the members: from whom, for whom, why",
         .zh = "改为显示转发节点所存的递送件：发送方、接收方、等待原因"},
    };
    const struct lb_ctl_usage usage = {
        .command = "status", .options = options, .num_options = 5, .examples = examples,
        .en = "every member as the federation's brokers see it: links, last answers, quarantine,"
              " logs, certificate days. Exit code 0: green, 1: yellow, 3: red",
        .zh = "各成员概况：连接、最近答复、隔离、日志、证书天数。退出码 0 绿、1 黄、3 红",
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code : run(&status, path, every_s, times);
}
