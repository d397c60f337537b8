#include "gateway/ctl/case_run.h"

#include <sys/un.h>
#include <time.h>

#include "gateway/ctl/say.h"

#define POLL_MS 300
#define MINUTE_MS 60000
#define TELL_EVERY_MS 10000
#define UNIX_PREFIX "unix:"

bool lb_ctl_agent_ok(const char *agent)
{
    const struct sockaddr_un *address = NULL;
    size_t prefix = strlen(UNIX_PREFIX);
    if (strncmp(agent, UNIX_PREFIX, prefix) != 0)
        return false;
    size_t len = strlen(agent + prefix);
    return len > 0 && len < sizeof(address->sun_path);
}

lb_status lb_ctl_case_run_open(struct lb_ctl_case_run *run, const char *agent, const char *labels)
{
    const struct lb_ctl_remote *remote = run->env->remote;
    run->agent = agent;
    run->view = lb_ctl_case_new();
    LB_ENSURE(run->view != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (labels != NULL) {
        LB_TRY(lb_form_load(labels, NULL, &run->diag, &run->labels));
        run->view->form = lb_form_of(run->labels);
    }
    return remote->open_window(remote->ctx, agent, &run->diag, &run->port);
}

void lb_ctl_case_run_close(struct lb_ctl_case_run *run)
{
    if (run->port.close != NULL)
        run->port.close(run->port.ctx);
    lb_ctl_case_free(run->view);
    if (run->labels != NULL)
        lb_form_free(run->labels);
}

static void pause_ms(int64_t millis)
{
    const struct timespec pause = {millis / 1000, (long)(millis % 1000) * 1000000};
    (void)nanosleep(&pause, NULL); /* an interrupted pause only asks sooner */
}

static lb_status collect_when_decided(struct lb_ctl_case_run *run, const char *case_id,
                                      int64_t wait_s)
{
    const struct lb_clock *clock = run->env->clock;
    int64_t begun = lb_clock_monotonic_ms(clock);
    int64_t told = begun;
    for (;;) {
        lb_status status = run->port.collect(run->port.ctx, case_id, lb_ctl_case_take, run->view);
        int64_t now = lb_clock_monotonic_ms(clock);
        if (lb_status_code(status) != LB_GRANT_PENDING || now - begun >= wait_s * 1000)
            return status;
        if (now - told >= TELL_EVERY_MS) {
            told = now;
            lb_ctl_note(run->env, "waiting for the desk, %lld of %lld s 等待窗口确认授权",
                        (long long)(now - begun) / 1000, (long long)wait_s);
        }
        pause_ms(POLL_MS);
    }
}

lb_status lb_ctl_case_run_collect(struct lb_ctl_case_run *run, const char *case_id,
                                  int64_t wait_s)
{
    LB_TRY(collect_when_decided(run, case_id, wait_s));
    LB_TRY(run->view->failed);
    LB_ENSURE(run->view->result != NULL, LB_INTERNAL, "the collect ended without a result");
    return LB_OK;
}

void lb_ctl_case_run_pace(const struct lb_ctl_case_run *run, int64_t begun_ms, int64_t per_minute)
{
    int64_t each = MINUTE_MS / per_minute;
    int64_t took = lb_clock_monotonic_ms(run->env->clock) - begun_ms;
    if (took < each)
        pause_ms(each - took);
}

static lb_status print_report(const struct lb_ctl_case_run *run)
{
    if (run->env->json) {
        LB_DEFER(lb_json_freep) struct lb_json *json = lb_ctl_case_json(run->view);
        return lb_ctl_print_json(run->env, json);
    }
    LB_TRY(lb_ctl_case_print_facts(run->env, run->view));
    return lb_ctl_case_print_result(run->env, run->view);
}

int lb_ctl_case_run_report(struct lb_ctl_case_run *run)
{
    lb_status status = print_report(run);
    if (status != LB_OK)
        return lb_ctl_fail(run->env, run->command, status, NULL);
    if (run->view->result->receipts_failed == 0)
        return LB_CTL_OK;
    lb_ctl_note(run->env, "%u receipts did not verify; tell the security officer 回执验证不通过",
                run->view->result->receipts_failed);
    return LB_CTL_FAILED;
}

int lb_ctl_case_run_fail(struct lb_ctl_case_run *run, const char *case_id, lb_status status)
{
    enum lb_code code = lb_status_code(status);
    bool later = code == LB_GRANT_PENDING || code == LB_DEADLINE || code == LB_STOPPING ||
                 code == LB_BUSY;
    if (run->diag.text[0] == 0 && code == LB_UNAVAILABLE)
        lb_diag_set(&run->diag, "the window agent at %s, or one behind it, does not answer; see"
                                " that lianban-window runs, or give its --agent", run->agent);
    else if (run->diag.text[0] == 0 && later && case_id != NULL)
        lb_diag_set(&run->diag, "the case is kept; go on with `lianban case resume --case %s`",
                    case_id);
    return lb_ctl_fail(run->env, run->command, status, &run->diag);
}

/* --- the frame of a command --- */

struct lb_ctl_option lb_ctl_case_option_agent(const char **agent)
{
    return (struct lb_ctl_option){.name = "agent", .value = "unix:PATH", .text = agent,
                                  .en = "the window agent (or LIANBAN_AGENT)",
                                  .zh = "窗口代理地址（或 LIANBAN_AGENT）"};
}

struct lb_ctl_option lb_ctl_case_option_case(const char **case_id)
{
    return (struct lb_ctl_option){.name = "case", .value = "ID", .required = true,
                                  .text = case_id, .en = "the case's number",
                                  .zh = "办件编号"};
}

int lb_ctl_case_frame_run(const struct lb_ctl_case_frame *frame, int argc, char **argv)
{
    struct lb_ctl_case_run *run = frame->run;
    int exit_code = lb_ctl_args(run->env, frame->usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_agent_ok(*frame->agent))
        return lb_ctl_usage_error(run->env, frame->usage->command,
                                  "--agent is unix: and the path of a socket");
    lb_status status = lb_ctl_case_run_open(run, *frame->agent, NULL);
    if (status == LB_OK)
        status = frame->work(frame->order);
    const char *case_id = frame->case_id == NULL ? NULL : *frame->case_id;
    exit_code = status == LB_OK ? LB_CTL_OK : lb_ctl_case_run_fail(run, case_id, status);
    lb_ctl_case_run_close(run);
    return exit_code;
}
