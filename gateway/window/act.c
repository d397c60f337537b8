#include "gateway/window/act.h"

#include "gateway/crypto/hash.h"
#include "gateway/window/look.h"
#include "gateway/wire/pb.h"

#define MAX_BODY_BYTES (32U * 1024)

static lb_status admit(struct lb_act *act, const struct lb_act_request *request)
{
    const Lianban__V1__CaseActor *actor = request->actor;
    struct lb_window *window = act->window;
    LB_ENSURE(actor != NULL, LB_MALFORMED, "nobody acts");
    struct lb_window_admission asked = {.badge = actor->badge, .unit = actor->unit,
                                        .given = actor->proof, .method = request->method,
                                        .case_id = request->case_id};
    struct lb_span *parts = lb_arena_array(act->arena, 2 * request->num_values, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < request->num_values; i++) {
        parts[2 * i] = request->values[i];
        parts[2 * i + 1] = lb_span_str("\n");
    }
    lb_sha256_parts(parts, 2 * request->num_values, asked.content);
    return lb_window_operators_admit(window->operators, &window->options, &asked, act->arena,
                                     &act->who);
}

/* Whoever closes or asks the consent office waits for `asking`, so nothing is written behind a case
 * that is gone. */
static lb_status take_case(struct lb_act *act)
{
    struct lb_window_case *entry = act->entry;
    (void)pthread_mutex_lock(&entry->asking);
    (void)pthread_mutex_lock(&entry->lock);
    act->locked = true;
    (void)pthread_mutex_lock(&act->window->lock);
    bool closed = entry->closed, collecting = entry->collecting;
    (void)pthread_mutex_unlock(&act->window->lock);
    LB_ENSURE(!closed, LB_CASE_UNKNOWN, "the case is being closed");
    LB_ENSURE(!collecting, LB_CASE_STATE, "the case is collecting");
    LB_ENSURE(!lb_case_is_watch(entry), LB_CASE_STATE, "nobody decides what a trigger found");
    LB_ENSURE(entry->decided || lb_records_newest(&entry->records, LB_RECORD_SUGGESTED) > 0,
              LB_CASE_STATE, "the case was never judged");
    return LB_OK;
}

/* What a crash, or a log that was away, left half done is done first. */
static lb_status catch_up(struct lb_act *act)
{
    struct lb_window_case *entry = act->entry;
    const struct lb_case_records *records = &entry->records;
    bool settled = false;
    LB_TRY(lb_records_settle(entry, &settled));
    size_t suggested = lb_records_newest(records, LB_RECORD_SUGGESTED);
    bool behind = suggested == 0 || suggested < lb_records_newest(records, LB_RECORD_FACT);
    if (settled || behind || !entry->decided)
        LB_TRY(lb_act_judge(act));
    return LB_OK;
}

lb_status lb_act_begin(struct lb_window *window, const struct lb_act_request *request,
                       struct lb_arena *arena, struct lb_act *act)
{
    *act = (struct lb_act){.window = window, .arena = arena};
    lb_buf_init(&act->body, MAX_BODY_BYTES);
    LB_TRY(lb_window_hold(window, request->case_id, &act->entry));
    LB_TRY(admit(act, request));
    LB_TRY(take_case(act));
    LB_TRY(catch_up(act));
    LB_ENSURE(act->entry->records.num < LB_CASE_MAX_ACTS, LB_TOO_LARGE, "too many acts");
    return LB_OK;
}

void lb_act_end(struct lb_act *act)
{
    lb_buf_cleanup(&act->body);
    if (act->locked) {
        (void)pthread_mutex_unlock(&act->entry->lock);
        (void)pthread_mutex_unlock(&act->entry->asking);
    }
    lb_window_let_go(&act->entry);
}

/* --- the record --- */

lb_status lb_act_line(struct lb_act *act, const char *key, const char *value, size_t max_bytes)
{
    size_t len = strnlen(value, max_bytes + 1);
    LB_ENSURE(len > 0 && len <= max_bytes && lb_form_is_one_line(lb_span_of(value, len)),
              LB_MALFORMED, "a text is missing, too long, or not one line");
    lb_buf_printf(&act->body, "%s %s\n", key, value);
    return lb_buf_check(&act->body);
}

void lb_act_sign(struct lb_act *act)
{
    lb_buf_printf(&act->body, "by %s\nunit %s\n", act->who.hash, act->who.unit);
}

bool lb_act_again(const struct lb_act *act, size_t number)
{
    return number > 0 && lb_span_eq(lb_records_at(&act->entry->records, number)->body,
                                    lb_buf_span(&act->body));
}

lb_status lb_act_record(struct lb_act *act, enum lb_record_kind kind, size_t follows)
{
    LB_TRY(lb_buf_check(&act->body));
    LB_TRY(lb_records_append(act->entry, kind, follows, lb_buf_span(&act->body)));
    return lb_case_store_put(act->window->store, act->entry);
}

lb_status lb_act_judge(struct lb_act *act)
{
    LB_TRY(lb_window_judge(act->entry));
    LB_TRY(lb_case_store_put(act->window->store, act->entry));
    return lb_window_push_result(act->entry);
}

/* --- answers --- */

lb_status lb_record_message(const struct lb_window_case *entry, size_t number,
                            struct lb_arena *arena, Lianban__V1__CaseRecord **out)
{
    const struct lb_case_record *record = lb_records_at(&entry->records, number);
    Lianban__V1__CaseRecord *message = lb_arena_alloc(arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_record__init(message);
    message->number = (uint32_t)number;
    message->kind = (char *)(uintptr_t)lb_record_kind_name(record->kind);
    message->time_unix_s = record->at_unix_s;
    message->note = lb_arena_str(arena, lb_span_str(record->note));
    message->log_entry = record->log_entry;
    LB_ENSURE(message->note != NULL, LB_NO_MEMORY, "arena is full");
    *out = message;
    return LB_OK;
}

lb_status lb_act_answer(struct lb_act *act, size_t number, Lianban__V1__ActResponse **out)
{
    Lianban__V1__ActResponse *answer = lb_arena_alloc(act->arena, sizeof(*answer));
    LB_ENSURE(answer != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__act_response__init(answer);
    LB_TRY(lb_record_message(act->entry, number, act->arena, &answer->record));
    LB_TRY(lb_window_result_message(act->entry, false, act->arena, &answer->result));
    *out = answer;
    return LB_OK;
}

lb_status lb_act_fact(const struct lb_act *act, uint32_t member, const char *fact,
                      size_t *out_fact)
{
    const struct lb_form *form = act->entry->form->form;
    size_t index = lb_form_fact_index(form, fact);
    LB_ENSURE(member < act->entry->num_members && index < form->num_facts &&
                  lb_case_asked(act->entry, member, index),
              LB_MALFORMED, "no fact that the form asks of this member");
    *out_fact = index;
    return LB_OK;
}
