#include <sys/statvfs.h>

#include "gateway/audit/health.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/officer.h"
#include "gateway/evidence/cosigned.h"

/* `log status`: one screen on how the log is, in a colour. It shows nothing personal, so it is no
 * query that must be recorded. */

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (24 * 60 * MINUTE_MS)
/* A canary comes every minute, so that silence is seen. */
#define QUIET_MS (3 * MINUTE_MS)
#define BEHIND_RED 100000
#define DISK_YELLOW 80
#define DISK_RED 90
/* The usual limits of a node (EVIDENCE, "Witnesses"). */
#define UNWITNESSED_YELLOW_S 900
#define UNWITNESSED_RED_S 14400

enum colour { GREEN, YELLOW, RED };

struct status {
    struct lb_ctl_officer officer;
    int64_t hours;
    enum colour colour;
    struct lb_ctl_sheet sheet;
};

static const struct lb_ctl_column columns[] = {
    {"level", "level", "级别", LB_CTL_IN_TABLE, false},
    {"finding", "finding", "发现", LB_CTL_IN_TABLE, false},
    {"value", "value", "数值", LB_CTL_IN_TABLE, true},
};

static const char *colour_word(const struct lb_ctl_env *env, enum colour colour)
{
    static const char *const names[] = {"green", "yellow", "red"};
    static const char *const zh[] = {"绿", "黄", "红"};
    return env->json ? names[colour] : lb_ctl_pick(env, zh[colour], names[colour]);
}

static void find(struct status *status, enum colour colour, const char *zh, const char *en,
                 uint64_t value)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)value);
    const char *const cells[] = {colour_word(status->officer.env, colour),
                                 lb_ctl_pick(status->officer.env, zh, en), number};
    lb_ctl_sheet_row(&status->sheet, cells);
    if (colour > status->colour)
        status->colour = colour;
}

/* --- the log's folder --- */

static void judge_disk(struct status *status, const char *folder)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0 || disk.f_blocks == 0)
        return;
    uint64_t used = 100 - (uint64_t)disk.f_bavail * 100 / (uint64_t)disk.f_blocks;
    lb_ctl_sheet_number(&status->sheet, "disk_percent", "磁盘已用 %", "disk used, %",
                        (int64_t)used);
    if (used >= DISK_YELLOW)
        find(status, used >= DISK_RED ? RED : YELLOW, "磁盘将满（%）", "the disk fills up (%)", used);
}

/* What is stored beside the log; `log verify --witnesses` proves it. A log that nobody ever
 * cosigned has no such file, and nothing to say. */
static void judge_witnesses(struct status *status, const char *folder, int64_t now_ms)
{
    struct lb_cosigned *cosigned = NULL;
    struct lb_cosigned_row row = {.size = 0};
    lb_status known = lb_cosigned_open_read(folder, &cosigned);
    if (lb_status_code(known) == LB_ABSENT)
        return;
    if (known == LB_OK)
        known = lb_cosigned_newest(cosigned, true, status->officer.arena, &row);
    lb_cosigned_close(cosigned);
    if (known != LB_OK) {
        find(status, RED, "无法读取联署，或从未达到法定见证", "no quorum of witnesses can be found", 0);
        return;
    }
    int64_t age_s = now_ms / 1000 - row.unix_s;
    lb_ctl_sheet_number(&status->sheet, "witnessed_size", "已见证条数", "entries witnessed",
                        (int64_t)row.size);
    lb_ctl_sheet_number(&status->sheet, "witnessed_seconds", "距最近见证秒数",
                        "seconds since they were witnessed", age_s);
    if (age_s > UNWITNESSED_YELLOW_S)
        find(status, age_s > UNWITNESSED_RED_S ? RED : YELLOW, "长时间未获见证（秒）",
             "without a quorum of witnesses (seconds)", (uint64_t)age_s);
}

static void judge_lag(struct status *status, int64_t now_ms)
{
    const struct lb_ctl_officer *officer = &status->officer;
    if (!officer->lag.known) {
        find(status, YELLOW, "无法读取日志目录，滞后未知",
             "the log's folder cannot be read: how far behind is not known", 0);
        return;
    }
    if (officer->lag.entries > BEHIND_RED)
        find(status, YELLOW, "索引滞后过多（条）", "the index is far behind (entries)",
             officer->lag.entries);
    int64_t last = officer->state.last_ms + officer->lag.seconds * 1000;
    int64_t quiet = now_ms - last;
    lb_ctl_sheet_number(&status->sheet, "quiet_seconds", "距最后条目秒数", "seconds since the last entry",
                        quiet / 1000);
    if (quiet > QUIET_MS && !officer->state.copy)
        find(status, RED, "日志已静默（秒）：节点停止，或条目被扣留",
             "the log is silent (seconds): its node is stopped, or entries are held back",
             (uint64_t)(quiet / 1000));
}

/* --- what the index tells --- */

static void judge_health(struct status *status, const struct lb_audit_health *health)
{
    if (health->unclosed > 0)
        find(status, YELLOW, "已转发而无结果的请求", "requests routed and never closed",
             health->unclosed);
    if (health->longest_gap_ms > QUIET_MS)
        find(status, YELLOW, "运行中最长静默（秒），自检条目缺失",
             "longest silence while running (seconds): canaries are missing",
             (uint64_t)(health->longest_gap_ms / 1000));
    if (health->recoveries > 0)
        find(status, YELLOW, "恢复条目", "recoveries", health->recoveries);
    if (health->unclean > 0)
        find(status, YELLOW, "未正常停止的重启", "starts without a stop before them",
             health->unclean);
    if (health->broken > 0)
        find(status, RED, "无法打开的明细", "details that do not open", health->broken);
}

static void show_health(struct status *status, const struct lb_audit_health *health)
{
    struct lb_ctl_sheet *sheet = &status->sheet;
    lb_ctl_sheet_number(sheet, "denials", "拒绝", "refusals", (int64_t)health->denials);
    lb_ctl_sheet_number(sheet, "emergencies", "紧急查询", "emergencies",
                        (int64_t)health->emergencies);
    lb_ctl_sheet_number(sheet, "errors", "未答复", "failures", (int64_t)health->errors);
    lb_ctl_sheet_number(sheet, "unclosed", "未了结", "unclosed", (int64_t)health->unclosed);
    lb_ctl_sheet_number(sheet, "longest_gap_seconds", "最长静默秒数", "longest silence, seconds",
                        health->longest_gap_ms / 1000);
    lb_ctl_sheet_number(sheet, "restarts", "启动次数", "starts", (int64_t)health->restarts);
}

static lb_status run(struct status *status)
{
    struct lb_ctl_officer *officer = &status->officer;
    struct lb_audit_health health;
    LB_TRY(lb_ctl_officer_open(officer, "status", NULL));
    lb_ctl_sheet_init(&status->sheet, officer->env, officer->arena, columns, 3);
    int64_t now = lb_clock_unix_ms(officer->env->clock);
    int64_t since = officer->filter.since_ms != 0 ? officer->filter.since_ms : now - DAY_MS;
    LB_TRY(lb_audit_health(officer->index, since, now, &health));
    judge_lag(status, now);
    judge_disk(status, officer->state.log);
    judge_witnesses(status, officer->state.log, now);
    judge_health(status, &health);
    show_health(status, &health);
    lb_ctl_sheet_fact(&status->sheet, "status", "状态", "status",
                      colour_word(officer->env, status->colour));
    lb_ctl_officer_facts(officer, &status->sheet, NULL);
    return lb_ctl_sheet_print(&status->sheet, officer->csv);
}

int lb_ctl_log_status(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban log status --index tax-index",
                                           "lianban log status --index tax-index --json", NULL};
    struct status status = {.officer = {.env = env, .command = "log status"}};
    const struct lb_ctl_usage usage = {
        .command = "log status", .examples = examples,
        .en = "how a log is: silence, gaps, unclosed requests, disk, witnesses, lag; since --since"
              " or a day ago. Exit code 1 when red",
        .zh = "日志概况：静默、缺口、未了结请求、磁盘、见证、滞后；默认近一日。红色时退出码为 1",
    };
    int exit_code = lb_ctl_officer_args(&status.officer, &usage, NULL, 0, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    exit_code = lb_ctl_officer_finish(&status.officer, run(&status));
    return exit_code == LB_CTL_OK && status.colour == RED ? LB_CTL_FAILED : exit_code;
}
