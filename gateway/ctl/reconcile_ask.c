#include "gateway/ctl/reconcile.h"

/* Logs of running nodes, as an officer may see them. */

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (24 * 60 * MINUTE_MS)
/* What is younger may be on its way from one log to the other. */
#define SETTLE_MS (2 * MINUTE_MS)

/* One side while it is asked. */
struct asked {
    const struct lb_ctl_evidence_port *port;
    const char *member;
};

struct asking {
    struct lb_ctl_reconcile *reconcile;
    struct lb_ctl_desk_profile profile;
    struct lb_ctl_evidence_port port;
};

static lb_status digests(void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                         struct lb_span *out)
{
    const struct asked *asked = ctx;
    return asked->port->digests(asked->port->ctx, asked->member, from, to, arena, out);
}

static lb_status entries(void *ctx, int64_t minute, uint64_t from_index, struct lb_arena *arena,
                         struct lb_span *out)
{
    const struct asked *asked = ctx;
    return asked->port->entries(asked->port->ctx, asked->member, minute, from_index, arena, out);
}

static void set_range(struct lb_ctl_reconcile *reconcile)
{
    if (reconcile->to_ms > reconcile->now_ms - SETTLE_MS)
        reconcile->to_ms = reconcile->now_ms - SETTLE_MS;
    if (reconcile->since == NULL)
        reconcile->from_ms = reconcile->to_ms - DAY_MS;
    if (reconcile->from_ms < 0)
        reconcile->from_ms = 0;
}

static lb_status named(struct lb_ctl_reconcile *reconcile, lb_status status, const char *broker,
                       const char *adapter)
{
    if (status != LB_OK)
        lb_diag_set(&reconcile->diag, "%s and %s could not be compared: %s", broker, adapter,
                    status->what);
    return status;
}

static lb_status compare_remote(struct asking *asking, const char *broker, const char *adapter)
{
    struct asked at_broker = {&asking->port, broker};
    struct asked at_adapter = {&asking->port, adapter};
    const struct lb_reconcile_remote remote_broker = {&at_broker, digests, entries};
    const struct lb_reconcile_remote remote_adapter = {&at_adapter, digests, entries};
    return lb_ctl_reconcile_add(asking->reconcile, broker, adapter,
                                lb_reconcile_remote_side(&remote_broker),
                                lb_reconcile_remote_side(&remote_adapter));
}

/* The own log lies in a folder: an adapter's, or a broker's. */
static lb_status compare_own(struct asking *asking, const struct lb_ctl_reconcile_log *own,
                             const char *other)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set part = {.entries = NULL};
    struct lb_ctl_reconcile *reconcile = asking->reconcile;
    struct asked asked = {&asking->port, other};
    const struct lb_reconcile_remote remote = {&asked, digests, entries};
    struct lb_reconcile_local local = {&own->set, reconcile->now_ms};
    struct lb_hash counterpart;
    if (own->kind == LB_NODE_ADAPTER)
        return lb_ctl_reconcile_add(reconcile, other, own->spiffe,
                                    lb_reconcile_remote_side(&remote),
                                    lb_reconcile_local_side(&local));
    lb_reconcile_counterpart(other, &counterpart);
    LB_TRY(lb_reconcile_set_part(&own->set, &counterpart, 1, NULL, &part));
    local.set = &part;
    return lb_ctl_reconcile_add(reconcile, own->spiffe, other, lb_reconcile_local_side(&local),
                                lb_reconcile_remote_side(&remote));
}

/* Several brokers: what one has nothing of may be another's. */
static lb_status compare_together(struct asking *asking, const char *const *brokers, size_t num,
                                  const char *adapter, const struct lb_ctl_reconcile_log *own)
{
    struct lb_ctl_reconcile *reconcile = asking->reconcile;
    struct asked at_adapter = {&asking->port, adapter}, asked[LB_CTL_RECONCILE_BROKERS];
    struct lb_reconcile_remote remotes[LB_CTL_RECONCILE_BROKERS];
    struct lb_reconcile_side sides[LB_CTL_RECONCILE_BROKERS];
    LB_ENSURE(num <= LB_CTL_RECONCILE_BROKERS, LB_TOO_LARGE, "too many brokers");
    for (size_t i = 0; i < num; i++) {
        asked[i] = (struct asked){&asking->port, brokers[i]};
        remotes[i] = (struct lb_reconcile_remote){&asked[i], digests, entries};
        sides[i] = lb_reconcile_remote_side(&remotes[i]);
    }
    const struct lb_reconcile_remote remote = {&at_adapter, digests, entries};
    const struct lb_reconcile_local local = {own == NULL ? NULL : &own->set, reconcile->now_ms};
    lb_status status = lb_ctl_reconcile_several(
        reconcile, brokers, sides, num, adapter,
        own == NULL ? lb_reconcile_remote_side(&remote) : lb_reconcile_local_side(&local));
    return named(reconcile, status, "the brokers", adapter);
}

static lb_status compare_with_brokers(struct asking *asking)
{
    struct lb_ctl_reconcile *reconcile = asking->reconcile;
    const struct lb_ctl_reconcile_log *own =
        reconcile->folders.num == 0 ? NULL : &reconcile->logs[0];
    const char *adapter = own == NULL ? asking->profile.adapter : own->spiffe;
    const char *const *brokers = NULL;
    size_t num = 0;
    LB_TRY(asking->port.brokers(asking->port.ctx, reconcile->arena, &brokers, &num));
    LB_ENSURE(num > 0, LB_PEER_UNLISTED, "the directory lists no broker");
    if (num > 1)
        return compare_together(asking, brokers, num, adapter, own);
    lb_status status = own == NULL ? compare_remote(asking, brokers[0], adapter)
                                   : compare_own(asking, own, brokers[0]);
    return named(reconcile, status, brokers[0], adapter);
}

static lb_status compare(struct asking *asking)
{
    struct lb_ctl_reconcile *reconcile = asking->reconcile;
    const char *adapter = asking->profile.adapter;
    if (reconcile->folders.num == 1)
        LB_TRY(lb_ctl_reconcile_open(reconcile, reconcile->folders.items[0],
                                     &reconcile->logs[0]));
    const struct lb_ctl_reconcile_log *own = &reconcile->logs[0];
    if (reconcile->folders.num == 0 || own->kind == LB_NODE_ADAPTER)
        return compare_with_brokers(asking);
    LB_ENSURE(own->kind == LB_NODE_BROKER, LB_CONFIG_INVALID, "a log that has no other half");
    return named(reconcile, compare_own(asking, own, adapter), own->spiffe, adapter);
}

lb_status lb_ctl_reconcile_ask(struct lb_ctl_reconcile *reconcile)
{
    const struct lb_ctl_remote *remote = reconcile->env->remote;
    struct asking asking = {.reconcile = reconcile};
    LB_TRY(lb_ctl_desk_profile_load(reconcile->profile_path, reconcile->arena, &reconcile->diag,
                                    &asking.profile));
    if (asking.profile.adapter == NULL)
        lb_diag_set(&reconcile->diag, "%s names no adapter; say `adapter:` in an officer's profile",
                    reconcile->profile_path);
    LB_ENSURE(asking.profile.adapter != NULL, LB_CONFIG_INVALID, "not an officer's profile");
    set_range(reconcile);
    LB_ENSURE(reconcile->from_ms < reconcile->to_ms, LB_MALFORMED,
              "nothing of that time is settled yet");
    LB_TRY(remote->open_evidence(remote->ctx, &asking.profile, reconcile->env->clock,
                                 &reconcile->diag, &asking.port));
    lb_status status = compare(&asking);
    asking.port.close(asking.port.ctx);
    return status;
}
