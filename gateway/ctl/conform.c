#include "gateway/ctl/conform.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/wire/pb.h"

/* lianban conformance: tries an adapter out, check by check. */

#define COMMAND "conformance"

static const struct lb_ctl_check *const tables[] = {
    lb_ctl_checks_tls,    lb_ctl_checks_calls, lb_ctl_checks_grants, lb_ctl_checks_seals,
    lb_ctl_checks_status, lb_ctl_checks_uses,  lb_ctl_checks_log,
};
#define NUM_TABLES (sizeof(tables) / sizeof(tables[0]))

struct tally {
    struct lb_json *list;  /* with --json */
    size_t num_ok, num_failed;
    const char *only;      /* checks whose id begins so; NULL: all */
};

/* An honest read with one part spoiled: the outer code, and the inner one where it was answered. */
static lb_status run_read(struct lb_ctl_kit *kit, const struct lb_ctl_check *check,
                          const char **out_found)
{
    struct lb_ctl_kit_ask ask;
    struct lb_ctl_kit_answer answer;
    LB_TRY(check->consent ? lb_ctl_kit_ask_consent(kit, &ask) : lb_ctl_kit_ask_mandate(kit, &ask));
    LB_TRY(check->spoil(kit, &ask));
    LB_TRY(lb_ctl_kit_try(kit, &ask, &answer));
    *out_found = answer.outer;
    if (answer.inner[0] == 0)
        return LB_OK;
    *out_found = lb_arena_printf(kit->check_arena, "%s/%s", answer.outer, answer.inner);
    LB_ENSURE(*out_found != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status run_one(struct lb_ctl_kit *kit, const struct lb_ctl_check *check,
                         const char **out_found)
{
    if (check->run != NULL)
        return check->run(kit, out_found);
    if (check->method == NULL)
        return run_read(kit, check, out_found);
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status =
        kit->port.call(kit->port.ctx, check->as_broker ? LB_CTL_KIT_BROKER : LB_CTL_KIT_WINDOW,
                       check->method, LB_SPAN_EMPTY, kit->check_arena, &reply);
    *out_found = lb_code_name(lb_status_code(status));
    return LB_OK;
}

static void tell(struct lb_ctl_kit *kit, const struct lb_ctl_check *check, bool ok,
                 const char *found, struct tally *tally)
{
    struct lb_ctl_env *env = kit->env;
    if (tally->list == NULL) {
        (void)fprintf(env->out, "%s %-26s %s", ok ? "ok  " : "FAIL", check->id,
                      lb_ctl_pick(env, check->zh, check->en));
        (void)fprintf(env->out, "%s%s%s", lb_ctl_pick(env, "：", ": "),
                      ok ? "" : lb_ctl_pick(env, "应为 ", "expected "), check->expected);
        if (!ok)
            (void)fputs(lb_ctl_pick(env, "，实为 ", ", found "), env->out);
        lb_ctl_put(env->out, ok ? "" : found);
        (void)fputc('\n', env->out);
        (void)fflush(env->out);
        return;
    }
    struct lb_json *item = lb_json_object();
    lb_json_set_cstr(item, "id", check->id);
    lb_json_set_cstr(item, "sent", check->en);
    lb_json_set_cstr(item, "sent_zh", check->zh);
    lb_json_set_cstr(item, "expected", check->expected);
    lb_json_set_cstr(item, "found", lb_ctl_utf8(kit->check_arena, found));
    lb_json_set_bool(item, "ok", ok);
    lb_json_append(tally->list, item);
}

static lb_status run_check(struct lb_ctl_kit *kit, const struct lb_ctl_check *check,
                           struct tally *tally)
{
    const char *found = "";
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "check");
    kit->check_arena = arena;
    lb_status status = run_one(kit, check, &found);
    /* A receipt that does not hold is a finding; what else goes wrong is, too: it was not as
     * expected. */
    if (status != LB_OK)
        found = status->what[0] != 0 ? status->what : lb_code_name(lb_status_code(status));
    bool ok = status == LB_OK && strcmp(found, check->expected) == 0;
    tally->num_ok += ok;
    tally->num_failed += !ok;
    tell(kit, check, ok, found, tally);
    return LB_OK;
}

/* What the log was before, so that the last check can tell whether it only grew. */
static lb_status look_first(struct lb_ctl_kit *kit)
{
    Lianban__V1__GetCheckpointRequest request = LIANBAN__V1__GET_CHECKPOINT_REQUEST__INIT;
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_checkpoint checkpoint;
    struct lb_span bytes = LB_SPAN_EMPTY, packed = LB_SPAN_EMPTY;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "checkpoint");
    LB_TRY(lb_pb_pack(&request, arena, &packed));
    lb_status status = kit->port.call(kit->port.ctx, LB_CTL_KIT_WINDOW,
                                      "/lianban.v1.Evidence/GetCheckpoint", packed, arena, &bytes);
    if (status != LB_OK)
        lb_diag_set(&kit->diag, "%s does not answer as %s; is it running, with the configuration "
                                "that prepare.sh made?", kit->address, kit->adapter);
    LB_TRY(status);
    LB_TRY(lb_pb_unpack(&lianban__v1__log_progress__descriptor, bytes, arena, &progress));
    return lb_watch_advance(&kit->watch, progress, &checkpoint);
}

static lb_status run_all(struct lb_ctl_kit *kit, struct tally *tally)
{
    LB_TRY(lb_ctl_kit_open(kit));
    LB_TRY(look_first(kit));
    for (size_t i = 0; i < NUM_TABLES; i++) {
        for (const struct lb_ctl_check *check = tables[i]; check->id != NULL; check++) {
            if (tally->only == NULL || strncmp(check->id, tally->only, strlen(tally->only)) == 0)
                LB_TRY(run_check(kit, check, tally));
        }
    }
    return LB_OK;
}

static lb_status conclude(struct lb_ctl_kit *kit, struct tally *tally, int64_t began_ms)
{
    struct lb_ctl_env *env = kit->env;
    int64_t ms = lb_clock_monotonic_ms(env->clock) - began_ms;
    if (tally->list == NULL) {
        (void)fprintf(env->out, "\n%s (%s): %zu %s, %zu %s, %lld %s\n", kit->adapter,
                      kit->case_id, tally->num_ok, lb_ctl_pick(env, "项通过", "passed"),
                      tally->num_failed, lb_ctl_pick(env, "项不符", "failed"),
                      (long long)(ms / 1000), lb_ctl_pick(env, "秒", "s"));
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "adapter", kit->adapter);
    lb_json_set_cstr(json, "case", kit->case_id);
    lb_json_set_int(json, "passed", (int64_t)tally->num_ok);
    lb_json_set_int(json, "failed", (int64_t)tally->num_failed);
    lb_json_set_int(json, "ms", ms);
    lb_json_set(json, "checks", tally->list);
    tally->list = NULL;
    return lb_ctl_print_json(env, json);
}

static int run(struct lb_ctl_kit *kit, const char *only)
{
    struct tally tally = {.list = kit->env->json ? lb_json_array() : NULL, .only = only};
    int64_t began_ms = lb_clock_monotonic_ms(kit->env->clock);
    lb_status status = run_all(kit, &tally);
    if (status == LB_OK)
        status = conclude(kit, &tally, began_ms);
    lb_json_free(tally.list);
    int exit_code = status != LB_OK ? lb_ctl_fail(kit->env, COMMAND, status, &kit->diag)
                    : tally.num_failed == 0 && tally.num_ok > 0 ? LB_CTL_OK
                                                                : LB_CTL_FAILED;
    lb_ctl_kit_close(kit);
    return exit_code;
}

int lb_ctl_conformance_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban conformance 127.0.0.1:7443 --kit /srv/rehearsal",
        "lianban conformance 127.0.0.1:7443 --kit /srv/rehearsal --only grant --json", NULL};
    const char *folder = NULL, *only = NULL;
    const struct lb_ctl_option options[] = {
        {.name = "kit", .value = "FOLDER", .required = true, .text = &folder,
         .en = "the rehearsal's folder, from prepare.sh", .zh = "prepare.sh 生成的演练目录"},
        {.name = "only", .value = "ID", .text = &only,
         .en = "the checks whose id begins so", .zh = "仅运行编号以此开头的检查"},
    };
    const struct lb_ctl_usage usage = {
        .command = COMMAND,
        .en = "try an adapter of one's own out, with a rehearsal's keys and grants",
        .zh = "以演练密钥与授权检验本部门的接入端",
        .operand = "HOST:PORT", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 2, .examples = examples};
    struct lb_ctl_list operands = {.num = 0};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_ctl_kit *kit = calloc(1, sizeof(*kit));
    if (arena == NULL || kit == NULL) {
        free(kit);
        return lb_ctl_fail(env, COMMAND, LB_FAULT(LB_NO_MEMORY, "kit"), NULL);
    }
    kit->env = env;
    kit->arena = kit->check_arena = arena;
    kit->folder = folder;
    kit->address = operands.items[0];
    exit_code = run(kit, only);
    free(kit);
    return exit_code;
}
