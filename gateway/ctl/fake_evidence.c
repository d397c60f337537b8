#include <stdio.h>
#include <string.h>

#include "gateway/ctl/fake.h"
#include "gateway/evidence/gather.h"

/* Members that answer from logs in the fixture's folder: `broker` and `tax`. */

static lb_status brokers(void *ctx, struct lb_arena *arena, const char *const **out, size_t *num)
{
    static const char *const names[] = {"spiffe://example/broker/ops"};
    (void)ctx;
    (void)arena;
    *out = names;
    *num = 1;
    return LB_OK;
}

static lb_status open_log(const struct test_cli *cli, const char *member,
                          struct lb_log_reader **out_reader)
{
    char folder[400];
    struct lb_diag diag;
    bool broker = strstr(member, "/broker/") != NULL;
    LB_TRY(lb_status_of(cli->evidence_code));
    (void)snprintf(folder, sizeof(folder), "%s/%s", cli->folder, broker ? "broker" : "tax");
    return lb_log_reader_open(folder, &diag, out_reader);
}

static lb_status digests(void *ctx, const char *member, int64_t from, int64_t to,
                         struct lb_arena *arena, struct lb_span *out)
{
    const struct test_cli *cli = ctx;
    const struct lb_reconcile_scope scope = {.all = true};
    struct lb_log_reader *reader = NULL;
    LB_TRY(open_log(cli, member, &reader));
    lb_status status = lb_reconcile_answer_digests(
        reader, &scope, from, to, lb_clock_unix_ms(cli->env.clock), arena, out);
    lb_log_reader_close(reader);
    return status;
}

static lb_status entries(void *ctx, const char *member, int64_t minute, uint64_t from_index,
                         struct lb_arena *arena, struct lb_span *out)
{
    const struct lb_reconcile_scope scope = {.all = true};
    struct lb_log_reader *reader = NULL;
    LB_TRY(open_log(ctx, member, &reader));
    lb_status status =
        lb_reconcile_answer_entries(reader, &scope, minute, from_index, arena, out);
    lb_log_reader_close(reader);
    return status;
}

static void close_port(void *ctx)
{
    struct test_cli *cli = ctx;
    cli->num_opened--;
}

lb_status test_fake_evidence(void *ctx, const struct lb_ctl_desk_profile *profile,
                             const struct lb_clock *clock, struct lb_diag *diag,
                             struct lb_ctl_evidence_port *out)
{
    struct test_cli *cli = ctx;
    (void)profile;
    (void)clock;
    (void)diag;
    cli->num_opened++;
    *out = (struct lb_ctl_evidence_port){cli, brokers, digests, entries, close_port};
    return LB_OK;
}
