#include "gateway/ctl/log_print.h"

#include "gateway/base/hex.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

#define SHORT_TXN_DIGITS 8

lb_status lb_ctl_log_print_begin(const struct lb_ctl_env *env, size_t max_bytes,
                                 struct lb_ctl_log_print *print)
{
    static const char *const zh[] = {"序号", "时间（UTC）", "类别", "代码", "视图",
                                     "请求", "重复", "次数", NULL};
    static const char *const en[] = {"index", "time (UTC)", "type", "code", "views",
                                     "txn", "retry", "count", NULL};
    struct lb_arena *arena = lb_arena_new(max_bytes);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    *print = (struct lb_ctl_log_print){.env = env, .arena = arena};
    lb_ctl_table_init(&print->table, arena, env->chinese ? zh : en);
    if (env->json) {
        print->root = lb_json_object();
        print->entries = lb_json_array();
    }
    return LB_OK;
}

void lb_ctl_log_print_cleanup(struct lb_ctl_log_print *print)
{
    lb_json_free(print->entries);
    lb_json_free(print->root);
    lb_arena_free(print->arena);
}

/* --- as a table --- */

static const char *detail_words(const struct lb_ctl_log_print *print,
                                const struct lb_ctl_log_entry *entry)
{
    const struct lb_ctl_env *env = print->env;
    switch (entry->detail_state) {
    case LB_CTL_DETAIL_OPEN:
        return lb_arena_str(print->arena, entry->detail);
    case LB_CTL_DETAIL_ERASED:
        return lb_ctl_pick(env, "（明细已依法删除）", "(the detail was erased)");
    case LB_CTL_DETAIL_BROKEN:
        return lb_ctl_pick(env, "（明细无法打开：密钥不符或已损坏）",
                           "(the detail does not open: another key, or damage)");
    case LB_CTL_DETAIL_CLOSED:
    case LB_CTL_DETAIL_NONE:
        break;
    }
    return NULL;
}

static void add_row(struct lb_ctl_log_print *print, const struct lb_ctl_log_entry *entry)
{
    const struct lb_leaf *leaf = &entry->leaf;
    char time[LB_CTL_TIME_BYTES];
    char txn[2 * sizeof(leaf->txn) + 1];
    static const uint8_t no_txn[sizeof(leaf->txn)];
    lb_ctl_time(leaf->time_ms, time);
    lb_hex_encode(lb_span_of(leaf->txn, sizeof(leaf->txn)), txn);
    txn[SHORT_TXN_DIGITS] = 0;
    bool none = memcmp(leaf->txn, no_txn, sizeof(no_txn)) == 0;
    const char *const cells[] = {
        lb_arena_printf(print->arena, "%llu", (unsigned long long)entry->index),
        time,
        lb_ctl_word(print->env, lb_leaf_type_name(leaf->type)),
        leaf->code,
        leaf->views[0] != 0 ? leaf->views : "-",
        none ? "-" : txn,
        leaf->retry ? lb_ctl_pick(print->env, "是", "yes") : "-",
        lb_arena_printf(print->arena, "%u", leaf->count),
    };
    lb_ctl_table_row(&print->table, cells);
    const char *words = detail_words(print, entry);
    if (words != NULL)
        lb_ctl_table_note(&print->table, words);
}

/* --- as JSON --- */

static void set_hex(struct lb_json *out, const char *key, const uint8_t *bytes, size_t len)
{
    char hex[2 * 32 + 1];
    lb_hex_encode(lb_span_of(bytes, len), hex);
    lb_json_set_cstr(out, key, hex);
}

static struct lb_json *views_json(const char *views)
{
    struct lb_json *out = lb_json_array();
    while (views[0] != 0) {
        size_t len = strcspn(views, ",");
        lb_json_append_str(out, lb_span_of(views, len));
        views += len + (views[len] == ',' ? 1 : 0);
    }
    return out;
}

static void set_detail(struct lb_json *out, const struct lb_ctl_log_entry *entry)
{
    static const char *const names[] = {
        [LB_CTL_DETAIL_CLOSED] = "closed", [LB_CTL_DETAIL_NONE] = "none",
        [LB_CTL_DETAIL_OPEN] = "open",     [LB_CTL_DETAIL_ERASED] = "erased",
        [LB_CTL_DETAIL_BROKEN] = "broken",
    };
    struct lb_json *detail = NULL;
    lb_json_set_cstr(out, "detail_state", names[entry->detail_state]);
    if (entry->detail_state != LB_CTL_DETAIL_OPEN)
        return;
    if (lb_json_parse(entry->detail, &detail) == LB_OK)
        lb_json_set(out, "detail", detail);
    else
        lb_json_set_str(out, "detail", entry->detail);
}

static struct lb_json *entry_json(const struct lb_ctl_log_entry *entry)
{
    const struct lb_leaf *leaf = &entry->leaf;
    struct lb_json *out = lb_json_object();
    char time[LB_CTL_TIME_BYTES];
    lb_ctl_time(leaf->time_ms, time);
    lb_json_set_int(out, "index", (int64_t)entry->index);
    lb_json_set_cstr(out, "time", time);
    lb_json_set_cstr(out, "type", lb_leaf_type_name(leaf->type));
    lb_json_set_cstr(out, "code", leaf->code);
    lb_json_set(out, "views", views_json(leaf->views));
    set_hex(out, "txn", leaf->txn, sizeof(leaf->txn));
    lb_json_set_bool(out, "retry", leaf->retry);
    lb_json_set_int(out, "count", leaf->count);
    set_hex(out, "leaf_hash", entry->leaf_hash.bytes, LB_HASH_BYTES);
    set_hex(out, "policy_hash", leaf->policy_hash, sizeof(leaf->policy_hash));
    set_hex(out, "fields_hash", leaf->fields_hash, sizeof(leaf->fields_hash));
    set_hex(out, "detail_hash", leaf->detail_hash, sizeof(leaf->detail_hash));
    set_hex(out, "request_hash", leaf->request_hash, sizeof(leaf->request_hash));
    set_hex(out, "answer_hash", leaf->answer_hash, sizeof(leaf->answer_hash));
    set_hex(out, "peer_leaf", leaf->peer_leaf, sizeof(leaf->peer_leaf));
    set_detail(out, entry);
    return out;
}

/* --- both --- */

lb_status lb_ctl_log_print_entry(struct lb_ctl_log_print *print,
                                 const struct lb_ctl_log_entry *entry)
{
    print->num_entries++;
    print->num_broken += entry->detail_state == LB_CTL_DETAIL_BROKEN ? 1 : 0;
    if (print->env->json)
        lb_json_append(print->entries, entry_json(entry));
    else
        add_row(print, entry);
    LB_ENSURE(!print->table.failed, LB_NO_MEMORY, "the listing is too large; lower --limit");
    return LB_OK;
}

static lb_status end_json(struct lb_ctl_log_print *print, uint64_t size, uint64_t next)
{
    lb_json_set_int(print->root, "size", (int64_t)size);
    lb_json_set_int(print->root, "next", (int64_t)next);
    if (print->unrecorded)
        lb_json_set_bool(print->root, "unrecorded", true);
    lb_json_set(print->root, "entries", print->entries);
    print->entries = NULL;
    return lb_ctl_print_json(print->env, print->root);
}

lb_status lb_ctl_log_print_end(struct lb_ctl_log_print *print, uint64_t size, uint64_t next)
{
    const struct lb_ctl_env *env = print->env;
    if (env->json)
        return end_json(print, size, next);
    LB_TRY(lb_ctl_table_print(&print->table, env->out));
    (void)fprintf(env->out, env->chinese ? "共列出 %llu 条，日志共 %llu 条\n"
                                         : "%llu entries listed, %llu in the log\n",
                  (unsigned long long)print->num_entries, (unsigned long long)size);
    if (print->unrecorded)
        (void)fputs(lb_ctl_pick(env, "注意：未留痕打开明细；日常查询请用 log query、who-saw\n",
                                "NOTE: details were opened UNRECORDED; for daily work use log query"
                                " and who-saw\n"),
                    env->out);
    if (next < size)
        (void)fprintf(env->out, env->chinese ? "继续查看：--from %llu\n" : "go on with --from %llu\n",
                      (unsigned long long)next);
    return LB_OK;
}
