#include <inttypes.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/case_run.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"
#include "gateway/note/record.h"

/* `case records`: the signed records of a case. `case verify`: one of them, wherever it is. */

#define MAX_NOTE_BYTES (128U * 1024)

struct order {
    struct lb_ctl_case_run run;
    const char *case_id, *agent;
    int64_t number;
};

/* --- records --- */

static lb_status get_page(struct order *order, uint32_t after,
                          Lianban__V1__GetRecordsResponse **out)
{
    const struct lb_ctl_window_port *port = &order->run.port;
    Lianban__V1__GetRecordsRequest request = LIANBAN__V1__GET_RECORDS_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)order->case_id;
    request.after = after;
    return port->ask(port->ctx, "GetRecords", &request,
                     &lianban__v1__get_records_response__descriptor, order->run.view->arena, out);
}

static void add_row(const struct lb_ctl_env *env, struct lb_arena *arena,
                    const Lianban__V1__CaseRecord *record, struct lb_ctl_table *table)
{
    char when[LB_CTL_TIME_BYTES] = "?";
    if (record->time_unix_s >= 0 && record->time_unix_s < INT64_MAX / 1000)
        lb_ctl_time(record->time_unix_s * 1000, when);
    const char *const cells[] = {lb_arena_printf(arena, "%u", record->number),
                                 lb_ctl_word(env, record->kind), when,
                                 lb_arena_printf(arena, "%" PRIu64, record->log_entry)};
    lb_ctl_table_row(table, cells);
}

static void add_json(const Lianban__V1__CaseRecord *record, struct lb_json *list)
{
    struct lb_json *one = lb_json_object();
    lb_json_set_int(one, "number", record->number);
    lb_json_set_cstr(one, "kind", record->kind);
    lb_json_set_int(one, "time_unix_s", record->time_unix_s);
    lb_json_set_int(one, "log_entry", (int64_t)record->log_entry);
    lb_json_set_cstr(one, "note", record->note);
    lb_json_append(list, one);
}

/* One page after the other; a page that does not get on ends it. */
static lb_status get_all(struct order *order, struct lb_ctl_table *table, struct lb_json *list)
{
    Lianban__V1__GetRecordsResponse *page = NULL;
    uint32_t after = 0;
    do {
        LB_TRY(get_page(order, after, &page));
        for (size_t i = 0; i < page->n_records; i++) {
            LB_ENSURE(page->records[i]->number == after + 1, LB_MALFORMED, "a record is missing");
            after = page->records[i]->number;
            add_row(order->run.env, order->run.view->arena, page->records[i], table);
            add_json(page->records[i], list);
        }
    } while (page->more && page->n_records > 0);
    return LB_OK;
}

static lb_status print_all(struct order *order)
{
    static const char *const en[] = {"number", "record", "time", "log entry", NULL};
    static const char *const zh[] = {"序号", "记录", "时间", "日志条目", NULL};
    const struct lb_ctl_env *env = order->run.env;
    struct lb_ctl_table table;
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *list = lb_json_array();
    lb_ctl_table_init(&table, order->run.view->arena, env->chinese ? zh : en);
    lb_status status = get_all(order, &table, list);
    lb_json_set(json, "records", list);
    LB_TRY(status);
    return env->json ? lb_ctl_print_json(env, json) : lb_ctl_table_print(&table, env->out);
}

/* The very bytes that are signed. */
static lb_status print_one(struct order *order)
{
    Lianban__V1__GetRecordsResponse *page = NULL;
    LB_TRY(get_page(order, (uint32_t)order->number - 1, &page));
    LB_ENSURE(page->n_records > 0 && page->records[0]->number == (uint32_t)order->number,
              LB_ABSENT, "the case has no such record");
    (void)fputs(page->records[0]->note, order->run.env->out);
    return LB_OK;
}

static lb_status show(void *arg)
{
    struct order *order = arg;
    return order->number > 0 ? print_one(order) : print_all(order);
}

int lb_ctl_case_records(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case records --case c-0123",
        "lianban case records --case c-0123 --number 4 > decision.note", NULL};
    struct order order = {.run = {.env = env, .command = "case records"}, .agent = env->agent};
    const struct lb_ctl_option options[] = {
        lb_ctl_case_option_case(&order.case_id),
        {.name = "number", .value = "NUMBER", .number = &order.number, .min = 1, .max = 100000,
         .en = "write this one as it is signed", .zh = "输出该条已签名的记录"},
        lb_ctl_case_option_agent(&order.agent),
    };
    const struct lb_ctl_usage usage = {
        .command = "case records", .en = "what was suggested and done in a case, signed",
        .zh = "办件的签名记录", .options = options, .num_options = 3, .examples = examples};
    const struct lb_ctl_case_frame frame = {&order.run, &usage, &order.agent,
                                                &order.case_id, show, &order};
    return lb_ctl_case_frame_run(&frame, argc, argv);
}

/* --- verify --- */

struct verifying {
    struct lb_ctl_env *env;
    struct lb_ctl_log_keys keys;
    struct lb_arena *arena;
    struct lb_diag diag;
};

/* Another node's key vouches for that node's cases only. */
static lb_status check_agent(struct verifying *verifying, struct lb_span lines, const char *origin)
{
    struct lb_span agent;
    LB_TRY(lb_record_get(lines, "agent", &agent));
    const char *spiffe = lb_arena_str(verifying->arena, agent);
    LB_ENSURE(spiffe != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (lb_spiffe_log_number(spiffe, origin) >= 0)
        return LB_OK;
    lb_diag_set(&verifying->diag, "the record is of another agent than the one that signed it");
    LB_FAIL(LB_SIGNATURE_INVALID, "signed by another agent");
}

static lb_status print_lines(const struct lb_ctl_env *env, struct lb_span lines)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    struct lb_json *list = lb_json_array();
    struct lb_span key, value;
    while (lb_record_next(&lines, &key, &value)) {
        struct lb_json *one = lb_json_object();
        lb_json_set_str(one, "key", key);
        lb_json_set_str(one, "value", value);
        lb_json_append(list, one);
        if (env->json)
            continue;
        (void)fprintf(env->out, "%.*s ", (int)key.len, (const char *)key.ptr);
        LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(MAX_NOTE_BYTES);
        const char *line = arena == NULL ? NULL : lb_arena_str(arena, value);
        LB_ENSURE(line != NULL, LB_NO_MEMORY, "memory is exhausted");
        lb_ctl_put(env->out, line);
        (void)fputc('\n', env->out);
    }
    lb_json_set_bool(json, "verified", true);
    lb_json_set(json, "lines", list);
    return env->json ? lb_ctl_print_json(env, json) : LB_OK;
}

static lb_status verify(struct verifying *verifying, const char *path)
{
    const struct lb_ctl_env *env = verifying->env;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const char *origin = NULL;
    struct lb_span note, lines;
    LB_TRY(lb_ctl_log_keys_open(&verifying->keys, env, verifying->arena, &verifying->diag));
    LB_TRY(lb_ctl_read(env, path, MAX_NOTE_BYTES, verifying->arena, &verifying->diag, &note));
    LB_TRY(lb_record_signer(note, verifying->arena, &origin));
    LB_TRY(lb_ctl_log_keys_find(&verifying->keys, origin, &verifying->diag, &verifier));
    LB_TRY(lb_record_open(note, &verifier, &lines));
    LB_TRY(check_agent(verifying, lines, origin));
    lb_ctl_note(env, "signed by %s 签名有效", verifier.name);
    return print_lines(env, lines);
}

int lb_ctl_case_verify(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban case verify decision.note --vkey 'example.gov/window/street+1234abcd+...'", NULL};
    struct verifying verifying = {.env = env};
    struct lb_ctl_list files = {.num = 0};
    struct lb_ctl_option options[LB_CTL_LOG_KEYS_OPTIONS];
    lb_ctl_log_keys_options(&verifying.keys, options);
    const struct lb_ctl_usage usage = {
        .command = "case verify", .en = "verify a case's signed record and print it",
        .zh = "验证并显示办件的签名记录", .operand = "FILE|-", .min_operands = 1,
        .max_operands = 1, .options = options, .num_options = LB_CTL_LOG_KEYS_OPTIONS,
        .examples = examples};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_log_keys_check(env, usage.command, &verifying.keys);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    verifying.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    lb_status status = verifying.arena == NULL ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                                               : verify(&verifying, files.items[0]);
    lb_ctl_log_keys_close(&verifying.keys);
    lb_arena_free(verifying.arena);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &verifying.diag);
}
