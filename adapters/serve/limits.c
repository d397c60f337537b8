#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* What a request may still use, counted in the transaction of its entry. */

/* The database may have taken its time: what was withdrawn or shut meanwhile, and told to be
 * stopped, must not leave any more (promise 8). */
static lb_status check_again(struct lb_read_job *job, struct lb_store *store, int64_t now)
{
    LB_TRY(lb_grant_check_time(&job->grant, now));
    LB_TRY(lb_serve_check_status(job->serve, &job->grant, job->data_class));
    LB_TRY(lb_serve_memory_check_stop(job->serve->memory, store, job->use.grant_id));
    return lb_read_closed(job);
}

static lb_status take_budgets(struct lb_read_job *job, struct lb_store *store, int64_t now)
{
    const struct lb_serve_policy *policy = job->serve->options.policy;
    struct lb_serve_budgets *budgets = &job->serve->budgets;
    const struct lb_budget_asker asker = {job->requester_org, job->operator_claims.person};
    LB_TRY(lb_serve_budgets_take(budgets, store, now, "", &policy->budgets, &asker));
    for (size_t i = 0; i < job->request->n_views; i++) {
        const struct lb_view *view = lb_serve_policy_view(policy, job->request->views[i]);
        LB_ENSURE(view != NULL, LB_VIEW_UNKNOWN, "no such view");
        LB_TRY(lb_serve_budgets_take(budgets, store, now, view->id, &view->budgets, &asker));
    }
    return LB_OK;
}

/* A standing grant's interval. That the person was asked about under another one must not show
 * outside the seal. */
static lb_status take_interval(struct lb_read_job *job, struct lb_store *store, int64_t now)
{
    const struct lb_event_use use = {
        .requester = job->requester_org,
        .trigger = job->section.form,
        .grant_id = job->use.grant_id,
        .rid_id = job->use.rid_id,
        .names = &job->names,
        .days = job->section.event_days,
    };
    if (use.days == 0)
        return LB_OK;
    lb_status status = lb_serve_events_take(&job->serve->events, store, now, &use);
    if (status == LB_OK || status->code != LB_EVENT_ASKED)
        return status;
    if (job->inner == LB_CODE_OK)
        job->inner = LB_EVENT_ASKED;
    return LB_OK;
}

/* The rule set goes into every name: a new one asks anew, and counts anew; a changed view asks
 * anew. Both change by the department's hand only. Of the arguments only names count: "<" and ">="
 * a threshold are the same search. */
static void name_want(const struct lb_read_job *job, const struct lb_read_want *want,
                      struct lb_probe_want *out)
{
    const struct lb_serve_policy *policy = job->serve->options.policy;
    const struct lb_rules *rules = policy->rules;
    const Lianban__V1__Want *wire = want->wire;
    struct lb_span parts[LB_PROBE_MAX_PARTS] = {
        lb_span_str(wire->view), lb_span_str(wire->field), lb_span_str(want->text),
        lb_span_of(lb_rules_sha256(rules), 32),
        lb_span_of(policy->views[want->view]->sha256, 32)};
    size_t num = 5;
    lb_probe_id(parts, 2, out->field);
    for (size_t i = 0; i < wire->n_claim; i++)
        parts[num++] = lb_span_str(wire->claim[i]);
    lb_probe_id(parts, num, out->question);
    num = 0;
    for (size_t i = 0; i < want->call.num_args; i++)
        if (want->call.args[i][0] >= 'a' && want->call.args[i][0] <= 'z')
            parts[num++] = lb_span_str(want->call.args[i]);
    parts[num++] = lb_span_of(lb_rules_sha256(rules), 32);
    lb_probe_id(parts, num, out->names);
    out->has_names = lb_view_names_rules(&want->call, rules);
    out->has_claim = wire->n_claim > 0;
}

static lb_status judge_probes(struct lb_read_job *job, struct lb_store *store, int64_t now)
{
    const struct lb_serve_policy *policy = job->serve->options.policy;
    size_t num = 0;
    struct lb_probe_want *wants = lb_arena_array(job->arena, job->num_wants, sizeof(wants[0]));
    LB_ENSURE(wants != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < job->num_wants; i++) {
        /* A share says nothing of its person, and each run has its own: share_memory.h. A list of
         * accesses grows by every question and searches nothing out. */
        if (job->wants[i].call.op == LB_OP_SHARE || job->wants[i].call.op == LB_OP_LIST)
            continue;
        wants[num].limits = &policy->views[job->wants[i].view]->probing;
        wants[num].fact = job->facts[i];
        name_want(job, &job->wants[i], &wants[num++]);
    }
    const struct lb_probe_ask ask = {
        .names = &job->names,
        .requester = job->requester_org,
        .case_id = job->section.case_id,
        .refused = job->inner != LB_CODE_OK,
        .num_wants = num,
        .wants = wants,
    };
    lb_status status = lb_serve_probes_judge(&job->serve->probes, store, now, &ask, job->arena);
    if (status == LB_OK || status->code != LB_PROBE_LIMIT)
        return status;
    if (job->inner == LB_CODE_OK)
        job->inner = LB_PROBE_LIMIT;
    return LB_OK;
}

static void blank(Lianban__V1__Fact *fact)
{
    fact->state = LIANBAN__V1__FACT__STATE__DRY_RUN;
    fact->kind = LIANBAN__V1__FACT__KIND__KIND_UNKNOWN;
    fact->truth = false;
    fact->number = 0;
    fact->text = (char *)(uintptr_t)"";
    fact->as_of = (char *)(uintptr_t)"";
}

/* A rule in dry-run was judged, run and counted like any other; only its answer stays here. */
static lb_status hold_back(struct lb_read_job *job)
{
    job->states = lb_arena_array(job->arena, job->num_wants, sizeof(job->states[0]));
    LB_ENSURE(job->states != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < job->num_wants; i++) {
        job->states[i] = lb_fact_state_name((enum lb_fact_state)job->facts[i]->state);
        if (job->wants[i].dry_run)
            blank(job->facts[i]);
    }
    return LB_OK;
}

/* An epoch may have begun since the person was judged: what was found meanwhile under its key must
 * be found again, or a limit would have been lifted. */
static void name_again(struct lb_read_job *job)
{
    lb_serve_epochs_names(job->serve->epochs, lb_span_str(job->stated), &job->names);
    memcpy(job->entry.subject, job->names.names[0], sizeof(job->entry.subject));
}

lb_status lb_read_limits(struct lb_read_job *job, struct lb_store *store)
{
    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    name_again(job);
    LB_TRY(check_again(job, store, now));
    LB_TRY(lb_serve_memory_take(job->serve->memory, store, now, &job->use));
    LB_TRY(take_budgets(job, store, now));
    LB_TRY(take_interval(job, store, now));
    LB_TRY(lb_read_share_settle(job, store, now));
    LB_TRY(judge_probes(job, store, now));
    LB_TRY(hold_back(job));
    job->entry.leaf.retry = job->use.retry;
    return LB_OK;
}
