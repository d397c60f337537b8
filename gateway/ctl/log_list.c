#include "gateway/base/wipe.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_filter.h"
#include "gateway/ctl/log_print.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/trust/keys.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 10000
#define LIST_ARENA_BYTES (64U * 1024 * 1024)
#define ENTRY_ARENA_BYTES (256U * 1024)

struct list {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_ctl_list folder;
    int64_t from;
    int64_t limit;
    const char *type;
    const char *txn;
    const char *since;
    const char *key_path;
    struct lb_ctl_log_filter filter;
    struct lb_log_reader *reader;
    struct lb_x25519_key officer;
    bool opened;   /* the officer's key is there */
    struct lb_ctl_log_print print;
};

/* --- the work --- */

static lb_status open_log(struct list *list)
{
    if (list->key_path != NULL) {
        lb_status status = lb_keys_load_x25519(list->key_path, &list->officer);
        if (status != LB_OK)
            lb_diag_set(&list->diag, "%s: %s; give the security officer's key, readable by you"
                                     " alone", list->key_path, status->what);
        LB_TRY(status);
        list->opened = true;
    }
    return lb_log_reader_open(list->folder.items[0], &list->diag, &list->reader);
}

/* An entry whose detail does not open is still listed. */
static lb_status open_detail(struct list *list, struct lb_arena *scratch,
                             struct lb_ctl_log_entry *entry)
{
    static const uint8_t none[32];
    entry->detail_state = LB_CTL_DETAIL_CLOSED;
    if (!list->opened)
        return LB_OK;
    lb_status status = lb_log_reader_detail(list->reader, entry->index, &list->officer, scratch,
                                            &entry->detail);
    bool committed = memcmp(entry->leaf.detail_hash, none, sizeof(none)) != 0;
    switch (lb_status_code(status)) {
    case LB_CODE_OK:
        entry->detail_state = LB_CTL_DETAIL_OPEN;
        return LB_OK;
    case LB_ABSENT:
        entry->detail_state = committed ? LB_CTL_DETAIL_ERASED : LB_CTL_DETAIL_NONE;
        return LB_OK;
    case LB_SEAL_BROKEN:
        entry->detail_state = LB_CTL_DETAIL_BROKEN;
        return LB_OK;
    default:
        return status;
    }
}

static lb_status take_entry(struct list *list, uint64_t index, struct lb_arena *scratch)
{
    struct lb_ctl_log_entry entry = {.index = index};
    lb_arena_reset(scratch);
    LB_TRY(lb_log_reader_leaf(list->reader, index, scratch, &entry.leaf, &entry.leaf_hash));
    if (!lb_ctl_log_filter_match(&list->filter, &entry.leaf))
        return LB_OK;
    LB_TRY(open_detail(list, scratch, &entry));
    return lb_ctl_log_print_entry(&list->print, &entry);
}

static lb_status scan(struct list *list)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(ENTRY_ARENA_BYTES);
    uint64_t size = 0;
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_log_reader_size(list->reader, &size));
    uint64_t index = (uint64_t)list->from;
    for (; index < size && list->print.num_entries < (uint64_t)list->limit; index++) {
        lb_status status = take_entry(list, index, scratch);
        const char *trouble = lb_log_reader_trouble(list->reader);
        if (status != LB_OK && trouble != NULL)
            lb_diag_set(&list->diag, "%s", trouble);
        else if (lb_status_code(status) == LB_NO_MEMORY)
            lb_diag_set(&list->diag, "the listing is too large; lower --limit");
        else if (status != LB_OK)
            lb_diag_set(&list->diag, "entry %llu cannot be read: %s; run `lianban log verify`",
                        (unsigned long long)index, status->what);
        LB_TRY(status);
    }
    return lb_ctl_log_print_end(&list->print, size, index);
}

static lb_status list_entries(struct list *list)
{
    LB_TRY(open_log(list));
    LB_TRY(lb_ctl_log_print_begin(list->env, LIST_ARENA_BYTES, &list->print));
    list->print.unrecorded = list->opened;
    return scan(list);
}

static int run(struct list *list)
{
    lb_status status = list_entries(list);
    uint64_t num_broken = list->print.num_broken;
    lb_ctl_log_print_cleanup(&list->print);
    lb_log_reader_close(list->reader);
    lb_wipe(&list->officer, sizeof(list->officer));
    if (status != LB_OK)
        return lb_ctl_fail(list->env, "log list", status, &list->diag);
    if (num_broken == 0)
        return LB_CTL_OK;
    lb_ctl_note(list->env, "%llu details do not open: another officer's key, or damage"
                           " 明细无法打开：密钥不符或已损坏", (unsigned long long)num_broken);
    return LB_CTL_FAILED;
}

/* --- the command line --- */

static const char *const examples[] = {
    "lianban log list D/adapters/tax/state",
    "lianban log list tax/state --officer-key officer.key --since 2026-07-01T08:00+08:00",
    "lianban log list D/broker/state --type failure --code UNAVAILABLE --json",
    NULL,
};

static int read_filter(struct list *list)
{
    struct lb_ctl_log_filter *filter = &list->filter;
    if (list->type != NULL && !lb_ctl_log_filter_type(list->type, &filter->type))
        return lb_ctl_usage_error(list->env, "log list",
                                  "--type is one of read, route, deliver, failure, deny, admin, "
                                  "policy, consent, canary, erasure, shard, recovery, review");
    if (list->txn != NULL && !lb_ctl_log_filter_txn(list->txn, filter))
        return lb_ctl_usage_error(list->env, "log list", "--txn is 4 to 32 hex digits");
    if (list->since != NULL && lb_ctl_time_parse(list->since, &filter->since_ms) != LB_OK)
        return lb_ctl_usage_error(list->env, "log list",
                                  "--since is a time such as 2026-07-01 or 2026-07-01T08:00+08:00");
    return LB_CTL_GO;
}

static int read_args(struct list *list, int argc, char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "from", .value = "INDEX", .number = &list->from, .max = INT64_C(1) << 53,
         .en = "begin at this entry; default 0", .zh = "起始条目，默认 0"},
        {.name = "limit", .value = "N", .number = &list->limit, .min = 1, .max = MAX_LIMIT,
         .en = "at most so many; default 100", .zh = "最多条数，默认 100"},
        {.name = "code", .value = "CODE", .text = &list->filter.code,
         .en = "only this code, such as REPLAY", .zh = "只看此代码，如 REPLAY"},
        {.name = "type", .value = "TYPE", .text = &list->type,
         .en = "only this kind, such as read or deny", .zh = "只看此类，如 read、deny"},
        {.name = "txn", .value = "HEX", .text = &list->txn,
         .en = "only this request (first digits will do)", .zh = "只看此请求（可只给前几位）"},
        {.name = "since", .value = "TIME", .text = &list->since,
         .en = "not before; UTC unless it says +08:00", .zh = "此时间以后；未写时区时为 UTC"},
        {.name = "officer-key", .value = "FILE", .text = &list->key_path,
         .en = "open the details with this key", .zh = "用安全员私钥打开明细"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log list",
        .en = "list the entries of one evidence log; nothing is changed",
        .zh = "列出一个存证日志的条目（只读）",
        .operand = "FOLDER", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(list->env, &usage, argc, argv, &list->folder);
    return exit_code != LB_CTL_GO ? exit_code : read_filter(list);
}

int lb_ctl_log_list(struct lb_ctl_env *env, int argc, char **argv)
{
    struct list list = {.env = env, .limit = DEFAULT_LIMIT};
    int exit_code = read_args(&list, argc, argv);
    return exit_code != LB_CTL_GO ? exit_code : run(&list);
}

int lb_ctl_log_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"verify", "recompute logs from end to end", "从头复算存证日志", lb_ctl_log_verify},
        {"list", "the entries of a log", "列出条目", lb_ctl_log_list},
        {"erase", "make a person's details unreadable", "使某人的明细不可读", lb_ctl_log_erase},
        {"export", "a log as plain files that any tlog client reads", "导出为通用文件",
         lb_ctl_log_export},
        {"prove", "the proof of one entry, as a file", "生成一条记录的证明", lb_ctl_log_prove},
        {"check-proof", "check such a proof offline", "离线检验证明", lb_ctl_log_check_proof},
        {"shard", "half-years that are over, in files of their own", "将已结束的半年移为独立文件",
         lb_ctl_log_shard},
        {"reconcile", "compare two sides' logs", "比对双方日志", lb_ctl_log_reconcile},
        {"index", "build the officer's query index", "建立查询索引", lb_ctl_log_index},
        {"status", "what stands, and whether it is well", "日志概况", lb_ctl_log_status},
        {"query", "accesses and events by any filter", "按条件查询", lb_ctl_log_query},
        {"txn", "every entry of one request", "一次请求的全部条目", lb_ctl_log_txn},
        {"did", "what one operator did, beside their peers", "经办人的查询及同侪对比",
         lb_ctl_log_did},
        {"denials", "refusals, and what was allowed after them", "被拒绝的请求及其后续",
         lb_ctl_log_denials},
        {"emergencies", "answers without consent in an emergency", "紧急查询",
         lb_ctl_log_emergencies},
        {"admin", "what was changed at the node", "运维与策略变更", lb_ctl_log_admin},
        {"totals", "counts by operator, purpose, hour, ...", "分组统计", lb_ctl_log_totals},
        {"first-use", "who used which data for the first time", "首次使用", lb_ctl_log_first_use},
        {"repeats", "one operator, one person, several days", "多日反复查询同一人",
         lb_ctl_log_repeats},
        {"erasures", "what was erased, is due, or is held", "删除：已办、到期、保留",
         lb_ctl_log_erasures},
        {"report", "a month as one HTML file", "月报", lb_ctl_log_report},
    };
    return lb_ctl_words(env, "log", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
