#include "gateway/ctl/command.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "gateway/ctl/text.h"
#include "gateway/evidence/inspect.h"
#include "gateway/evidence/shard.h"

/* A log's half-years that are over, in files of their own. */

#define SHARD_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)

struct sharding {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list folder;
    struct lb_ctl_log_keys keys;
    const char *until;
    const char *away;
    int64_t until_ms;
    struct lb_shard_copied copied;
};

/* --- the work --- */

static lb_status read_origin(struct sharding *sharding, const char **out_origin)
{
    struct lb_log_reader *reader = NULL;
    LB_TRY(lb_log_reader_open(sharding->folder.items[0], &sharding->diag, &reader));
    lb_status status = lb_log_reader_origin(reader, sharding->arena, out_origin);
    if (status != LB_OK)
        lb_diag_set(&sharding->diag, "it has no checkpoint; a log without one proves nothing");
    lb_log_reader_close(reader);
    return status;
}

static lb_status copy(struct sharding *sharding)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const char *origin = NULL;
    LB_TRY(lb_ctl_log_keys_open(&sharding->keys, sharding->env, sharding->arena, &sharding->diag));
    LB_TRY(read_origin(sharding, &origin));
    LB_TRY(lb_ctl_log_keys_find(&sharding->keys, origin, &sharding->diag, &verifier));
    const struct lb_shard_copy_options options = {
        .folder = sharding->folder.items[0],
        .verifier = &verifier,
        .until_ms = sharding->until_ms,
    };
    lb_ctl_note(sharding->env, "copying and verifying half-years of %s", origin);
    return lb_shard_copy(&options, &sharding->diag, &sharding->copied);
}

/* --- print --- */

static const struct lb_ctl_column columns[] = {
    {.id = "shard", .en = "shard", .zh = "分卷"},
    {.id = "from", .en = "from entry", .zh = "起始条目", .number = true},
    {.id = "to", .en = "up to", .zh = "截至（不含）", .number = true},
    {.id = "bytes", .en = "bytes", .zh = "字节", .number = true},
    {.id = "state", .en = "state", .zh = "状态"},
};

static const char *state_word(const struct lb_ctl_env *env, enum lb_shard_state state)
{
    switch (state) {
    case LB_SHARD_COPIED:
        return env->json ? "copied" : lb_ctl_pick(env, "已复制，待节点链接", "copied; the running"
                                                                             " node will link it");
    case LB_SHARD_LINKED:
        return lb_ctl_pick(env, env->json ? "linked" : "已链接", "linked");
    case LB_SHARD_AWAY:
        return lb_ctl_pick(env, env->json ? "away" : "已移出", "away");
    default:
        return lb_ctl_pick(env, env->json ? "missing" : "缺失", "missing");
    }
}

static void add_line(struct sharding *sharding, struct lb_ctl_sheet *sheet,
                     const struct lb_shard_line *line)
{
    struct lb_arena *arena = sharding->arena;
    const char *const cells[] = {
        line->name,
        lb_arena_printf(arena, "%llu", (unsigned long long)line->from),
        lb_arena_printf(arena, "%llu", (unsigned long long)line->to),
        lb_arena_printf(arena, "%llu", (unsigned long long)line->bytes),
        state_word(sharding->env, line->state),
    };
    lb_ctl_sheet_row(sheet, cells);
}

static lb_status print(struct sharding *sharding)
{
    struct lb_ctl_sheet sheet;
    struct lb_shard_list list;
    LB_TRY(lb_shard_list_read(sharding->folder.items[0], &sharding->diag, &list));
    lb_ctl_sheet_init(&sheet, sharding->env, sharding->arena, columns,
                      sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < list.num; i++)
        add_line(sharding, &sheet, &list.lines[i]);
    lb_ctl_sheet_number(&sheet, "copied", "本次复制分卷", "shards copied now",
                        (int64_t)sharding->copied.num);
    lb_ctl_sheet_number(&sheet, "left", "尚待移出的条目", "entries the node has still to remove",
                        (int64_t)list.num_left);
    lb_ctl_sheet_number(&sheet, "free_bytes", "可供新条目使用的空闲字节",
                        "bytes free in evidence.db for new entries", (int64_t)list.free_bytes);
    return lb_ctl_sheet_print(&sheet, false);
}

static lb_status work(struct sharding *sharding)
{
    sharding->arena = lb_arena_new(SHARD_ARENA_BYTES);
    LB_ENSURE(sharding->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (sharding->away != NULL)
        LB_TRY(lb_shard_away(sharding->folder.items[0], sharding->away, &sharding->diag));
    else
        LB_TRY(copy(sharding));
    return print(sharding);
}

static int run(struct sharding *sharding)
{
    int exit_code = LB_CTL_OK;
    lb_status status = work(sharding);
    if (status != LB_OK)
        exit_code = lb_ctl_fail(sharding->env, "log shard", status, &sharding->diag);
    lb_ctl_log_keys_close(&sharding->keys);
    lb_arena_free(sharding->arena);
    return exit_code;
}

/* --- the command line --- */

static const char *const examples[] = {
    "lianban log shard /var/lib/lianban/tax --directory directory.note --signer VKEY",
    "lianban log shard tax/state --vkey VKEY --until 2026-07-01",
    "lianban log shard tax/state --away 2024h1",
    NULL,
};

/* A half-year that is not over by the clock is not copied, whatever is asked for. */
static int check_args(struct sharding *sharding)
{
    const struct lb_ctl_env *env = sharding->env;
    int64_t until_ms = 0;
    sharding->until_ms = lb_clock_unix_ms(env->clock);
    if (sharding->away != NULL && sharding->until == NULL)
        return LB_CTL_GO;
    if (sharding->away != NULL)
        return lb_ctl_usage_error(env, "log shard", "give either --until or --away");
    if (sharding->until != NULL && lb_ctl_time_parse(sharding->until, &until_ms) != LB_OK)
        return lb_ctl_usage_error(env, "log shard", "--until is a date such as 2026-07-01");
    if (sharding->until != NULL && until_ms < sharding->until_ms)
        sharding->until_ms = until_ms;
    return lb_ctl_log_keys_check(env, "log shard", &sharding->keys);
}

int lb_ctl_log_shard(struct lb_ctl_env *env, int argc, char **argv)
{
    struct sharding sharding = {.env = env};
    struct lb_ctl_option options[2 + LB_CTL_LOG_KEYS_OPTIONS] = {
        {.name = "until", .value = "DATE", .text = &sharding.until,
         .en = "only half-years that ended by then; default: all that are over",
         .zh = "只处理此日期之前结束的半年；默认为全部已结束的半年"},
        {.name = "away", .value = "SHARD", .text = &sharding.away,
         .en = "declare that a linked shard such as 2024h1 is kept elsewhere: the node starts"
               " without it",
         .zh = "声明某个已链接分卷（如 2024h1）已移至别处：节点无需该文件即可启动"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log shard",
        .en = "copy half-years that are over into files of their own and verify them; the node"
              " links them by an entry and then removes its own rows",
        .zh = "将已结束的半年复制为独立文件并验证；节点随后以存证条目链接，并移出自身的相应记录",
        .operand = "FOLDER", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    lb_ctl_log_keys_options(&sharding.keys, options + 2);
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &sharding.folder);
    if (exit_code == LB_CTL_GO)
        exit_code = check_args(&sharding);
    return exit_code != LB_CTL_GO ? exit_code : run(&sharding);
}
