#include <stdlib.h>

#include "gateway/ctl/doctor.h"

/* The department's database, tried with the department's own views and a number that no person
 * has. It may hang in ways that no time limit of its own ends, so it runs on a thread. */

#define ARENA_BYTES (8 * 1024 * 1024)

static const struct lb_doctor_advice hangs = {
    LB_DOCTOR_DBA,
    "数据库无应答（挂起）",
    "the database does not answer: it hangs",
    "检查数据库是否停滞、锁等待或连接耗尽，以及到它的网络",
    "see whether it stalls, waits for a lock or is out of connections, and the way to it",
};
static const struct lb_doctor_advice away = {
    LB_DOCTOR_DBA,
    "数据库无法连接或被锁定",
    "the database cannot be reached, or is locked",
    "确认数据库已启动、未被其他程序独占；连接恢复后接入端自行恢复",
    "see that it runs and that no other program has it locked; the adapter recovers by itself",
};
static const struct lb_doctor_advice wrong = {
    LB_DOCTOR_DBA,
    "数据库无法按现有配置打开",
    "the database cannot be opened as it is configured",
    "按提示核对 source 中的位置与口令文件；数据库文件被加密或损坏的须恢复",
    "check location and password_file in `source` as the sentence says; a database file that is "
    "encrypted or damaged must be restored",
};
static const struct lb_doctor_advice denied = {
    LB_DOCTOR_DBA,
    "数据库拒绝该账号或口令",
    "the database refuses the account or its password",
    "请数据库管理员核对账号是否存在、被锁或过期，是否允许从本机登录；口令更换后写入 "
    "password_file，接入端下次连接即用新口令",
    "ask whether the account exists, is locked or has expired and may log in from this machine; a "
    "changed password goes into password_file and is read at the next connection",
};
static const struct lb_doctor_advice no_host = {
    LB_DOCTOR_NETWORK,
    "数据库主机名无法解析",
    "the name of the database's host cannot be resolved",
    "核对 location 中的主机名与本机 DNS 设置（/etc/resolv.conf、/etc/hosts），或直接写 IP 地址",
    "check the host in `location` and this machine's DNS (/etc/resolv.conf, /etc/hosts), or write "
    "the address itself",
};
static const struct lb_doctor_advice no_driver = {
    LB_DOCTOR_OPERATIONS,
    "本机没有 location 所指的 ODBC 驱动或数据源",
    "the ODBC driver or data source that `location` names is not on this machine",
    "安装驱动（如 odbc-postgresql、odbc-mariadb 或数据库厂商的驱动），核对 /etc/odbcinst.ini 与 "
    "/etc/odbc.ini 中的名称",
    "install the driver (odbc-postgresql, odbc-mariadb or the maker's own) and compare the name "
    "with /etc/odbcinst.ini and /etc/odbc.ini",
};
static const struct lb_doctor_advice full = {
    LB_DOCTOR_DBA,
    "数据库服务器磁盘已满或连接数已用尽",
    "the database server's disk is full, or it has no connection left",
    "请数据库管理员清理磁盘、日志与临时空间，或提高连接数上限；本机 connections 不得超过约定数",
    "have room made on its disks (data, logs, temporary files) or its connection limit raised; "
    "`connections` here must not be above what was agreed",
};
static const struct lb_doctor_advice writable = {
    LB_DOCTOR_DBA,
    "数据库账号可写：接入端拒绝使用",
    "the account could write, so the adapter refuses to use it",
    "换用只读账号（只授予 SELECT）",
    "use a read-only account (SELECT and nothing else)",
};
static const struct lb_doctor_advice no_fit = {
    LB_DOCTOR_DBA,
    "视图的查询与数据库不符",
    "a view's query does not fit the database",
    "核对表和列是否改名、删除或改了类型，账号是否仍可读，再运行 lianban view check --live",
    "see whether tables or columns were renamed, dropped or got another type, and whether the "
    "account may still read them; then run `lianban view check --live`",
};
static const struct lb_doctor_advice slow = {
    LB_DOCTOR_DBA,
    "查询很慢",
    "the query is slow",
    "检查键列是否有索引、统计信息与负载",
    "check the index on the key column, statistics and load",
};
static const struct lb_doctor_advice no_time = {
    LB_DOCTOR_DBA,
    "查询未在时限内完成",
    "the query did not end in time",
    "检查键列是否有索引、锁等待与负载",
    "check the index on the key column, locks and load",
};

static const struct lb_doctor_advice unnamed = {
    LB_DOCTOR_OPERATIONS,
    "配置未写明 policy 或 source",
    "the configuration names no policy, or no source",
    "补全 policy 与 source 两项，再运行 --check",
    "add `policy` and `source`, then run the program with --check",
};
static const struct lb_doctor_advice untried = {
    LB_DOCTOR_OPERATIONS,
    "内存不足，未能检查数据库",
    "there was no memory to try the database",
    "腾出内存后再运行",
    "make room in memory and run this again",
};

struct job {
    lb_status (*try_source)(const struct lb_try_ask *ask, struct lb_arena *arena,
                            struct lb_diag *diag, struct lb_tried *out);
    struct lb_try_ask ask;     /* texts in the job's own arena */
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_tried tried;
    lb_status status;
    int64_t took_ms;
};

static void release(void *arg)
{
    struct job *job = arg;
    lb_arena_free(job->arena);
    free(job);
}

static void work(void *arg)
{
    struct job *job = arg;
    int64_t began = lb_clock_monotonic_ms(lb_clock_system());
    job->status = job->try_source(&job->ask, job->arena, &job->diag, &job->tried);
    job->took_ms = lb_clock_monotonic_ms(lb_clock_system()) - began;
}

static struct job *job_new(const struct lb_doctor *doctor)
{
    const struct lb_doctor_config *config = &doctor->config;
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    job->arena = lb_arena_new(ARENA_BYTES);
    job->try_source = doctor->env->doctor->try_source;
    if (job->arena != NULL)
        job->ask = (struct lb_try_ask){
            .policy = lb_arena_str(job->arena, lb_span_str(config->policy)),
            .config = lb_arena_str(job->arena, lb_span_str(config->path)),
            .timeout_ms = doctor->times.source_ms / 2,
            .unix_s = lb_clock_unix_s(doctor->env->clock),
        };
    if (job->ask.policy != NULL && job->ask.config != NULL)
        return job;
    release(job);
    return NULL;
}

static const struct lb_doctor_advice *advice_for(enum lb_code code, bool opening)
{
    switch (code) {
    case LB_SOURCE_UNAVAILABLE:
        return &away;
    case LB_SOURCE_TIMEOUT:
        return &no_time;
    case LB_SOURCE_WRITABLE:
        return &writable;
    case LB_SOURCE_DENIED:
        return &denied;
    case LB_SOURCE_NO_HOST:
        return &no_host;
    case LB_SOURCE_NO_DRIVER:
        return &no_driver;
    case LB_SOURCE_FULL:
        return &full;
    default:
        return opening ? &wrong : &no_fit;
    }
}

/* Whatever a source calls it: what took all the time there was, did not end in time. */
static void judge_view(struct lb_doctor *doctor, const struct lb_tried_view *view,
                       int64_t timeout_ms)
{
    enum lb_code code = lb_status_code(view->status);
    bool late = view->took_ms >= timeout_ms;
    const char *took = lb_doctor_text(doctor, "%lld ms", (long long)view->took_ms);
    if (code == LB_CODE_OK && view->took_ms <= doctor->times.slow_ms)
        lb_doctor_good(doctor, "view", view->view, took);
    else if (code == LB_SOURCE_MAINTENANCE)
        lb_doctor_good(doctor, "view", view->view, lb_code_name(code));
    else if (code == LB_CODE_OK)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "view", view->view, &slow, took);
    else
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "view", view->view,
                       late ? &no_time : advice_for(code, false),
                       lb_doctor_text(doctor, "%s %s", lb_code_name(code), view->word));
}

static void judge(struct lb_doctor *doctor, const struct job *job)
{
    const char *about = doctor->config.plugin;
    const char *took = lb_doctor_text(doctor, "%lld ms", (long long)job->tried.open_ms);
    if (job->status != LB_OK) {
        enum lb_code code = lb_status_code(job->status);
        /* A server that hangs is out of reach once its time is over. */
        bool hung = code == LB_SOURCE_UNAVAILABLE && job->took_ms >= job->ask.timeout_ms;
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "source", about,
                       hung ? &hangs : advice_for(code, true),
                       lb_doctor_text(doctor, "%s: %s", lb_code_name(code), job->diag.text));
        return;
    }
    if (job->tried.open_ms > doctor->times.slow_ms)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "source", about, &slow, took);
    else
        lb_doctor_good(doctor, "source", about, took);
    for (size_t i = 0; i < job->tried.num_views; i++)
        judge_view(doctor, &job->tried.views[i], job->ask.timeout_ms);
}

void lb_doctor_check_source(struct lb_doctor *doctor)
{
    const struct lb_doctor_config *config = &doctor->config;
    if (config->kind != LB_NODE_ADAPTER)
        return;
    if (config->plugin == NULL || config->policy == NULL) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "source", config->path, &unnamed, NULL);
        return;
    }
    struct job *job = job_new(doctor);
    if (job == NULL) {
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "source", config->plugin, &untried, NULL);
        return;
    }
    if (!lb_doctor_within(doctor->times.source_ms, work, job, release)) {
        lb_doctor_find(doctor, LB_DOCTOR_BAD, "source", config->plugin, &hangs,
                       lb_doctor_text(doctor, "> %lld ms", (long long)doctor->times.source_ms));
        return;
    }
    judge(doctor, job);
    release(job);
}
