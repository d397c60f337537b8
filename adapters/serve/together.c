#include "adapters/serve/job.h"
#include "adapters/serve/pace.h"
#include "gateway/base/log.h"

/*
 * Reads that came together are judged one after another on one thread and recorded in one commit:
 * most of what a commit, a message and a change of threads cost is the same for one and for many.
 * What may wait for somebody, a database elsewhere, one that was slow lately, a person, is done by
 * a thread of its own, so that no view waits for another one's database longer than
 * LB_READ_PATIENCE_MS.
 */

struct crowd {
    struct lb_read_job *jobs[LB_READ_TOGETHER];
    size_t num;
};

static void gather(struct lb_job *base, struct crowd *crowd)
{
    struct lb_read_job *first = (struct lb_read_job *)base;
    struct lb_job *more = NULL;
    (void)lb_workers_take_along(first->serve->options.workers, lb_read_work, LB_READ_TOGETHER - 1,
                                &more);
    crowd->jobs[0] = first;
    crowd->num = 1;
    for (; more != NULL; more = more->next)
        crowd->jobs[crowd->num++] = (struct lb_read_job *)more;
}

static void set_outcome(struct lb_read_job *job, lb_status status)
{
    job->outer = LB_CODE_OK;
    if (status == LB_OK)
        return;
    job->outer = lb_code_outer(status->code);
    if (lb_code_scope(status->code) == LB_SCOPE_LOCAL)
        lb_log_failure("read_failed", status);
}

/* What is the same whoever the subject is. */
static lb_status judge_outside(struct lb_read_job *job)
{
    struct lb_meter *meter = job->serve->options.meter;
    int64_t at = lb_meter_now(meter);
    job->directory = lb_trust_directory(job->serve->options.trust);
    LB_TRY(lb_read_check(job));
    at = lb_meter_took(meter, LB_METER_VERIFY, at);
    LB_TRY(lb_read_open(job));
    at = lb_meter_took(meter, LB_METER_OPEN, at);
    LB_TRY(lb_read_section(job));
    LB_TRY(lb_read_drilled(job));
    job->judging_us = lb_meter_now(meter) - at;
    return LB_OK;
}

/* A failure that says something about the subject goes into the sealed answer; every other one is
 * told openly, since it would be the same for anybody. False: to be run again, by itself. */
static bool judge_inside(struct lb_read_job *job, bool pressed)
{
    struct lb_meter *meter = job->serve->options.meter;
    int64_t at = lb_meter_now(meter) - job->judging_us;
    job->pressed = pressed;
    lb_status status = lb_read_subject(job);
    if (status == LB_OK || lb_code_scope(status->code) == LB_SCOPE_INNER) {
        job->inner = lb_status_code(status);
        status = lb_read_run(job);
        if (pressed && lb_status_code(status) == LB_SOURCE_TIMEOUT)
            return false;
    }
    (void)lb_meter_took(meter, LB_METER_JUDGE, at);
    set_outcome(job, status);
    return true;
}

static void work_alone(struct lb_job *base)
{
    struct lb_read_job *job = (struct lb_read_job *)base;
    int64_t begun = lb_pace_begin();
    (void)judge_inside(job, false);
    lb_pace_end(begun);
    lb_read_record_all(&job, 1);
}

static void hand_on(struct lb_read_job *job)
{
    job->job = (struct lb_job){.run = work_alone};
    lb_workers_give_back(job->serve->options.workers, &job->job);
}

bool lb_read_waits(const struct lb_read_job *job)
{
    const struct lb_serve *serve = job->serve;
    for (size_t i = 0; i < job->num_wants; i++) {
        size_t view = job->wants[i].view;
        if (serve->options.policy->views[view]->source != LB_VIEW_DATABASE ||
            !lb_serve_pool_is_quick(serve->pool, view))
            return true;
    }
    return false;
}

/* Returns how many are left of those that got so far. */
static size_t set_apart(struct crowd *crowd)
{
    size_t kept = 0, inside = 0;
    for (size_t i = 0; i < crowd->num; i++) {
        struct lb_read_job *job = crowd->jobs[i];
        bool passed = job->outer == LB_CODE_OK;
        if (passed && crowd->num > 1 && lb_read_waits(job)) {
            hand_on(job);
            continue;
        }
        inside += passed ? 1 : 0;
        crowd->jobs[kept++] = job;
    }
    crowd->num = kept;
    return inside;
}

/* All of them end at one of the steps, as one would. */
static void run_inside(struct crowd *crowd, size_t inside)
{
    int64_t begun = lb_pace_begin();
    size_t kept = 0;
    for (size_t i = 0; i < crowd->num; i++) {
        struct lb_read_job *job = crowd->jobs[i];
        if (job->outer == LB_CODE_OK && !judge_inside(job, inside > 1))
            hand_on(job);
        else
            crowd->jobs[kept++] = job;
    }
    crowd->num = kept;
    lb_pace_end(begun);
}

void lb_read_work(struct lb_job *base)
{
    struct crowd crowd;
    gather(base, &crowd);
    for (size_t i = 0; i < crowd.num; i++)
        set_outcome(crowd.jobs[i], judge_outside(crowd.jobs[i]));
    size_t inside = set_apart(&crowd);
    if (inside > 0)
        run_inside(&crowd, inside);
    if (crowd.num > 0)
        lb_read_record_all(crowd.jobs, crowd.num);
}
