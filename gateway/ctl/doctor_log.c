#include <sys/statvfs.h>
#include <unistd.h>

#include "gateway/ctl/doctor.h"
#include "gateway/evidence/cosigned.h"
#include "gateway/evidence/inspect.h"

/* The disk under the evidence log and the log itself, looked at beside a running node. */

#define MINUTE_MS INT64_C(60000)
/* A canary comes every minute, so that silence is seen. */
#define QUIET_MS (3 * MINUTE_MS)
#define STEP_S (LB_LOG_CLOCK_STEP_MS / 1000)

static const struct lb_doctor_advice disk_low = {
    LB_DOCTOR_OPERATIONS,
    "存证磁盘空间不足（低于告警线）",
    "the disk of the evidence runs low (below the alert mark)",
    "清理同盘的其他文件或扩容；不要删除 state 目录中的任何文件",
    "make room beside it or enlarge the disk; never delete anything in the state folder",
};
static const struct lb_doctor_advice disk_full = {
    LB_DOCTOR_OPERATIONS,
    "存证磁盘已满（低于停止线）：节点不再提供数据",
    "the disk of the evidence is full (below the stop mark): the node releases nothing",
    "立即腾出空间或扩容，节点会自行恢复；不要删除 state 目录中的任何文件",
    "make room or enlarge the disk now; the node recovers by itself. Never delete anything in "
    "the state folder",
};
static const struct lb_doctor_advice no_disk = {
    LB_DOCTOR_OPERATIONS,
    "state 目录无法查看",
    "the state folder cannot be looked at",
    "核对 state 的路径、挂载与权限",
    "check the path, the mount and the rights of `state`",
};
static const struct lb_doctor_advice no_log = {
    LB_DOCTOR_OPERATIONS,
    "存证日志无法打开",
    "the evidence log cannot be opened",
    "不要自行修改或删除；新节点以 --init 启动，否则按 docs/OPERATIONS.md 恢复",
    "change and delete nothing; a new node starts with --init, any other is recovered by "
    "docs/OPERATIONS.md",
};
static const struct lb_doctor_advice silent = {
    LB_DOCTOR_OPERATIONS,
    "存证日志已静默：节点停止，或无法写入",
    "the evidence log is silent: the node is stopped, or cannot write",
    "查看程序是否在运行及其日志",
    "see whether the program runs, and its messages",
};
static const struct lb_doctor_advice ahead = {
    LB_DOCTOR_OPERATIONS,
    "存证日志的最后条目晚于本机时间：时钟曾被拨回，节点会停止",
    "the newest entry is later than this machine's clock: it was set back, and the node stops",
    "校准本机时间（NTP）后重启节点",
    "set the clock right (NTP), then restart the node",
};
static const struct lb_doctor_advice unwitnessed = {
    LB_DOCTOR_PEER,
    "存证日志长时间未获见证",
    "no quorum of witnesses has vouched for the log for long",
    "查看下列各见证方是否可达；超过期限后节点不再提供数据",
    "see below whether the witnesses can be reached; past the limit the node releases nothing",
};

static void check_disk(struct lb_doctor *doctor)
{
    const struct lb_disk_marks *marks = &doctor->config.marks;
    const char *folder = doctor->config.state;
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "disk", folder, &no_disk, NULL);
        return;
    }
    uint64_t bytes = (uint64_t)disk.f_bavail * (uint64_t)disk.f_frsize;
    const char *value = lb_doctor_text(doctor, "%llu MB", (unsigned long long)(bytes >> 20));
    if (bytes < marks->stop_bytes)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "disk", folder, &disk_full, value);
    else if (bytes < marks->alert_bytes)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "disk", folder, &disk_low, value);
    else
        lb_doctor_good(doctor, "disk", folder, value);
}

/* --- the log --- */

static void judge_newest(struct lb_doctor *doctor, uint64_t size, int64_t last_ms)
{
    const char *folder = doctor->config.state;
    int64_t quiet = lb_clock_unix_ms(doctor->env->clock) - last_ms;
    const char *value = lb_doctor_text(doctor, "%llu, %lld s", (unsigned long long)size,
                                       (long long)(quiet / 1000));
    if (quiet < -STEP_S * 1000)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "evidence", folder, &ahead, value);
    else if (quiet > QUIET_MS)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "evidence", folder, &silent, value);
    else
        lb_doctor_good(doctor, "evidence", folder, value);
}

static lb_status read_newest(struct lb_doctor *doctor, struct lb_log_reader *reader)
{
    uint64_t size = 0;
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_TRY(lb_log_reader_size(reader, &size));
    LB_ENSURE(size > 0, LB_ABSENT, "the log is empty");
    LB_TRY(lb_log_reader_leaf(reader, size - 1, doctor->arena, &leaf, &hash));
    judge_newest(doctor, size, leaf.time_ms);
    return LB_OK;
}

static void check_evidence(struct lb_doctor *doctor)
{
    struct lb_diag diag = {""};
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    lb_status status = lb_log_reader_open(doctor->config.state, &diag, &reader);
    if (status == LB_OK)
        status = read_newest(doctor, reader);
    if (status != LB_OK)
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "evidence", doctor->config.state, &no_log,
                       lb_doctor_text(doctor, "%s: %s", lb_code_name(status->code),
                                      diag.text[0] != 0 ? diag.text : status->what));
}

/* --- its witnesses --- */

static lb_status read_witnessed(struct lb_doctor *doctor, struct lb_cosigned_row *out)
{
    struct lb_cosigned *cosigned = NULL;
    LB_TRY(lb_cosigned_open_read(doctor->config.state, &cosigned));
    lb_status status = lb_cosigned_newest(cosigned, true, doctor->arena, out);
    lb_cosigned_close(cosigned);
    return status;
}

static void check_witnesses(struct lb_doctor *doctor)
{
    struct lb_cosigned_row row = {.size = 0};
    if (doctor->config.witness_policy == NULL)
        return;
    lb_status status = read_witnessed(doctor, &row);
    if (status != LB_OK) {
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "witnesses", doctor->config.witness_policy,
                       &unwitnessed, lb_code_name(status->code));
        return;
    }
    int64_t age = lb_clock_unix_s(doctor->env->clock) - row.unix_s;
    const char *value = lb_doctor_text(doctor, "%llu, %lld s", (unsigned long long)row.size,
                                       (long long)age);
    if (age > doctor->config.unwitnessed_alert_s)
        lb_doctor_find(doctor,
                       age > doctor->config.unwitnessed_stop_s ? LB_DOCTOR_BAD : LB_DOCTOR_WARN,
                       "witnesses", doctor->config.witness_policy, &unwitnessed, value);
    else
        lb_doctor_good(doctor, "witnesses", doctor->config.witness_policy, value);
}

void lb_doctor_check_log(struct lb_doctor *doctor)
{
    check_disk(doctor);
    check_evidence(doctor);
    check_witnesses(doctor);
}
