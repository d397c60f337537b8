#include "gateway/ctl/doctor.h"
#include "gateway/ctl/port.h"
#include "gateway/store/store.h"

/* What waits: for others at a broker, for the department's clerks at an adapter, for departments at
 * a window. Numbers and members, no cases and no persons. */

#define MINUTE_S INT64_C(60)
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)
#define AWAY_S (10 * MINUTE_S)   /* a node may be restarted */
#define SILENT_S (20 * DAY_S)    /* taken out, and nothing said of it */
#define MAX_WAITING 32
#define BUSY_TIMEOUT_MS 2000

static const struct lb_doctor_advice member_away = {
    LB_DOCTOR_PEER,
    "有件等待该成员接收：对方不在线，或不收",
    "parcels wait for this member: it is away, or takes nothing",
    "用 lianban status --parcels 查看原因，并联系该成员运维",
    "see why with `lianban status --parcels`, and call that member's operations",
};
static const struct lb_doctor_advice not_taken_out = {
    LB_DOCTOR_CLERKS,
    "收到的件久未取出",
    "parts that were handed in have not been taken out for long",
    "请经办人 lianban intake list 查看期限并取件",
    "have your clerks look at the deadlines with `lianban intake list`, and take them out",
};
static const struct lb_doctor_advice not_answered = {
    LB_DOCTOR_CLERKS,
    "已取出的件久未答复",
    "parts were taken out long ago, and nothing was said of them since",
    "请经办人 lianban intake list --all 查看期限并答复",
    "have your clerks look at the deadlines with `lianban intake list --all`, and answer",
};
static const struct lb_doctor_advice program_fails = {
    LB_DOCTOR_OPERATIONS,
    "收件程序失败",
    "the program that takes parts in fails",
    "lianban intake list 有失败原因；检查该程序",
    "`lianban intake list` has the reason; look at the program",
};
static const struct lb_doctor_advice word_waits = {
    LB_DOCTOR_PEER,
    "给窗口的答复未送达：窗口或中转方不在线",
    "answers to this window have not arrived: it, or every broker, is away",
    "查看本节点与中转方的连接；正常则联系该窗口运维",
    "see below whether brokers are linked; if they are, call that window's operations",
};
static const struct lb_doctor_advice department_away = {
    LB_DOCTOR_PEER,
    "移交该部门的件未送达：对方不在线，或中转方不在线",
    "what was handed over to this department has not arrived: it, or every broker, is away",
    "查看下列中转方是否可达；可达则联系该部门运维。件会自动送达",
    "see below whether brokers can be reached; if so, call that department's operations. It goes "
    "through by itself",
};
static const struct lb_doctor_advice department_late = {
    LB_DOCTOR_PEER,
    "该部门逾期未办",
    "this department is past its day",
    "lianban case overdue 列出办件和应报告的人",
    "`lianban case overdue` names the cases, and whom to tell",
};
static const struct lb_doctor_advice nobody_takes = {
    LB_DOCTOR_CLERKS,
    "该部门不收的件，须由人处理",
    "this department takes something not as it is: a person has to look",
    "lianban case overdue 有原因；处理后 lianban case retry",
    "`lianban case overdue` has the reason; then `lianban case retry`",
};
static const struct lb_doctor_advice unreadable = {
    LB_DOCTOR_OPERATIONS,
    "未能查看等待的件",
    "what waits could not be looked at",
    "查看程序是否在运行",
    "see whether the program runs",
};

static void tell(struct lb_doctor *doctor, const char *check, const char *about, int64_t num,
                 int64_t age_s, enum lb_doctor_state state, const struct lb_doctor_advice *advice)
{
    const char *value =
        lb_doctor_text(doctor, "%lld, %lld s", (long long)num, (long long)age_s);
    if (state == LB_DOCTOR_OK)
        lb_doctor_good(doctor, check, about, value);
    else
        lb_doctor_find(doctor, state, check, about, advice, value);
}

static enum lb_doctor_state by_age(int64_t age_s, int64_t warn_s, int64_t bad_s)
{
    if (age_s <= warn_s)
        return LB_DOCTOR_OK;
    return age_s > bad_s ? LB_DOCTOR_BAD : LB_DOCTOR_WARN;
}

/* --- of a node's own store --- */

static void free_stmt(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

/* A question to the store: member (or ""), how many, since when. */
struct question {
    const char *check;
    const char *sql;
    int64_t warn_s, bad_s;
    const struct lb_doctor_advice *advice;
};

static lb_status ask_store(struct lb_doctor *doctor, struct lb_store *store,
                           const struct question *question)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    const int64_t now_s = lb_clock_unix_s(doctor->env->clock);
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, question->sql, &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    for (int i = 0; row && i < MAX_WAITING; i++) {
        const char *about = lb_arena_str(doctor->arena, lb_stmt_text(stmt, 0));
        int64_t num = lb_stmt_int(stmt, 1), age_s = num > 0 ? now_s - lb_stmt_int(stmt, 2) : 0;
        LB_ENSURE(about != NULL, LB_NO_MEMORY, "arena is full");
        tell(doctor, question->check, about[0] == 0 ? NULL : about, num, age_s,
             by_age(age_s, question->warn_s, question->bad_s), question->advice);
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return LB_OK;
}

/* A node that never took part in submissions has no such table. */
static lb_status has_table(struct lb_store *store, const char *name, bool *out)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
                           &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(name)));
    return lb_stmt_step(stmt, out);
}

static const struct question of_broker[] = {
    {"outbox",
     "SELECT recipient, count(*), min(since) FROM parcel WHERE sealed IS NOT NULL"
     " GROUP BY recipient ORDER BY min(since)",
     AWAY_S, DAY_S, &member_away},
};
/* Kinds 1 and 5 are what is answered by itself; states 1, 3 and 7 wait for an answer. */
static const struct question of_adapter[] = {
    {"intake", "SELECT '', count(*), min(came) FROM intake WHERE acked IS NULL", DAY_S, 5 * DAY_S,
     &not_taken_out},
    {"intake-answers",
     "SELECT '', count(*), min(changed) FROM intake WHERE acked IS NOT NULL AND kind IN (1, 5)"
     " AND state IN (1, 3, 7)",
     SILENT_S, 3 * SILENT_S, &not_answered},
    {"intake-program",
     "SELECT '', count(*), min(came) FROM intake WHERE acked IS NULL AND tries > 0", 0, DAY_S,
     &program_fails},
    {"words",
     "SELECT recipient, count(*), min(said) FROM intake_word WHERE code IS NULL GROUP BY recipient"
     " ORDER BY min(said)",
     AWAY_S, DAY_S, &word_waits},
};

static lb_status look_at_store(struct lb_doctor *doctor, const char *table,
                               const struct question *questions, size_t num,
                               struct lb_store *store)
{
    bool there = false;
    LB_TRY(has_table(store, table, &there));
    for (size_t i = 0; i < num && there; i++)
        LB_TRY(ask_store(doctor, store, &questions[i]));
    return LB_OK;
}

static void check_store(struct lb_doctor *doctor, const char *table,
                        const struct question *questions, size_t num)
{
    struct lb_store *store = NULL;
    const struct lb_store_options options = {
        .path = lb_doctor_text(doctor, "%s/evidence.db", doctor->config.state),
        .read_only = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    lb_status status = lb_store_open(&options, &store);
    if (status == LB_OK)
        status = look_at_store(doctor, table, questions, num, store);
    lb_store_close(store);
    if (status != LB_OK)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, questions[0].check, NULL, &unreadable,
                       lb_code_name(status->code));
}

/* --- of a window's running agent --- */

/* What waits for one department, or at it, in one way. */
struct waiting {
    const char *department;
    const struct lb_doctor_advice *advice;
    int64_t num, since_s;
};

struct waitings {
    struct waiting list[MAX_WAITING];
    size_t num;
};

static void add(struct waitings *all, const char *department,
                const struct lb_doctor_advice *advice, int64_t since_s)
{
    for (size_t i = 0; i < all->num; i++) {
        struct waiting *one = &all->list[i];
        if (one->advice != advice || strcmp(one->department, department) != 0)
            continue;
        one->num++;
        one->since_s = since_s < one->since_s ? since_s : one->since_s;
        return;
    }
    if (all->num < MAX_WAITING)
        all->list[all->num++] = (struct waiting){department, advice, 1, since_s};
}

static void add_part(struct waitings *all, const Lianban__V1__CasePart *part)
{
    if (strcmp(part->state, "DEAD") == 0)
        add(all, part->department, &nobody_takes, part->since_unix_s);
    else if (strcmp(part->overdue, "OVERDUE") == 0)
        add(all, part->department, &department_late, part->submitted_unix_s);
    else
        add(all, part->department, &department_away, part->since_unix_s);
}

static lb_status ask_agent(struct lb_doctor *doctor, struct lb_ctl_window_port *port,
                           struct waitings *all)
{
    Lianban__V1__ListOverdueRequest request = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    request.waiting = true;
    LB_TRY(port->ask(port->ctx, "ListOverdue", &request,
                     &lianban__v1__list_overdue_response__descriptor, doctor->arena, &late));
    for (size_t i = 0; i < late->n_parts; i++)
        add_part(all, late->parts[i]->part);
    for (size_t i = 0; i < late->n_corrections; i++) {
        const Lianban__V1__CaseCorrection *one = late->corrections[i]->correction;
        add(all, one->department,
            strcmp(one->way, "DEAD") == 0 ? &nobody_takes : &department_late,
            lb_clock_unix_s(doctor->env->clock));
    }
    return LB_OK;
}

static void check_window(struct lb_doctor *doctor)
{
    const struct lb_ctl_remote *remote = doctor->env->remote;
    struct lb_ctl_window_port port = {.close = NULL};
    struct waitings all = {.num = 0};
    struct lb_diag diag = {""};
    const int64_t now_s = lb_clock_unix_s(doctor->env->clock);
    if (remote == NULL || doctor->config.listen == NULL)
        return;
    lb_status status = remote->open_window(remote->ctx, doctor->config.listen, &diag, &port);
    if (status == LB_OK)
        status = ask_agent(doctor, &port, &all);
    if (port.close != NULL)
        port.close(port.ctx);
    if (status != LB_OK)
        lb_doctor_find(doctor, LB_DOCTOR_WARN, "parts", NULL, &unreadable,
                       lb_code_name(status->code));
    else if (all.num == 0)
        lb_doctor_good(doctor, "parts", NULL, "0");
    for (size_t i = 0; i < all.num && status == LB_OK; i++) {
        const struct waiting *one = &all.list[i];
        const bool away = one->advice == &department_away;
        int64_t age_s = now_s - one->since_s;
        tell(doctor, "parts", one->department, one->num, age_s,
             away ? by_age(age_s, AWAY_S, DAY_S) : LB_DOCTOR_WARN, one->advice);
    }
}

void lb_doctor_check_waits(struct lb_doctor *doctor)
{
    if (doctor->config.kind == LB_NODE_BROKER)
        check_store(doctor, "parcel", of_broker, sizeof(of_broker) / sizeof(of_broker[0]));
    if (doctor->config.kind == LB_NODE_ADAPTER)
        check_store(doctor, "intake", of_adapter, sizeof(of_adapter) / sizeof(of_adapter[0]));
    if (doctor->config.kind == LB_NODE_WINDOW)
        check_window(doctor);
}
