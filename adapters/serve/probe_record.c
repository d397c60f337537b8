#include "adapters/serve/probe_rows.h"

/*
 * answers = u8 version (1) | u16 num | num * answer
 * answer  = question[16] | u64 time | u8 state | u8 kind | u8 truth | u64 number
 *         | u32 rules version | field16(text) | field16(as_of)
 * events  = u8 version (1) | u16 num | num * event
 * event   = u8 kind | field[16] | other[16] | u64 time | u16 count
 */
#define VERSION 1

lb_status lb_probe_rows_room_answers(struct lb_probe_rows *rows, size_t num,
                                     struct lb_arena *arena)
{
    rows->num_answers = 0;
    rows->answers = lb_arena_array(arena, num + rows->num_wants, sizeof(rows->answers[0]));
    LB_ENSURE(rows->answers != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_probe_rows_room_events(struct lb_probe_rows *rows, size_t num,
                                    struct lb_arena *arena)
{
    rows->num_events = 0;
    rows->events = lb_arena_array(arena, num + 3 * rows->num_wants, sizeof(rows->events[0]));
    LB_ENSURE(rows->events != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_probe_answers_encode(const struct lb_probe_rows *rows, struct lb_buf *out)
{
    lb_buf_put_u8(out, VERSION);
    lb_buf_put_u16(out, (uint16_t)rows->num_answers);
    for (size_t i = 0; i < rows->num_answers; i++) {
        const struct lb_probe_answer *answer = &rows->answers[i];
        lb_buf_put(out, lb_span_of(answer->question, LB_PROBE_ID_BYTES));
        lb_buf_put_u64(out, (uint64_t)answer->time);
        lb_buf_put_u8(out, answer->state);
        lb_buf_put_u8(out, answer->kind);
        lb_buf_put_u8(out, answer->truth ? 1 : 0);
        lb_buf_put_u64(out, (uint64_t)answer->number);
        lb_buf_put_u32(out, answer->rules_version);
        lb_buf_put_field16(out, answer->text);
        lb_buf_put_field16(out, answer->as_of);
    }
    return lb_buf_check(out);
}

static lb_status decode_answer(struct lb_cursor *cur, struct lb_arena *arena,
                               struct lb_probe_answer *out)
{
    struct lb_probe_answer answer;
    lb_cursor_copy(cur, answer.question, LB_PROBE_ID_BYTES);
    answer.time = (int64_t)lb_cursor_u64(cur);
    answer.state = lb_cursor_u8(cur);
    answer.kind = lb_cursor_u8(cur);
    answer.truth = lb_cursor_u8(cur) != 0;
    answer.number = (int64_t)lb_cursor_u64(cur);
    answer.rules_version = lb_cursor_u32(cur);
    LB_TRY(lb_arena_copy(arena, lb_cursor_field16(cur), &answer.text));
    LB_TRY(lb_arena_copy(arena, lb_cursor_field16(cur), &answer.as_of));
    *out = answer;
    return LB_OK;
}

lb_status lb_probe_answers_decode(struct lb_span bytes, int64_t now, struct lb_arena *arena,
                                  struct lb_probe_rows *rows)
{
    struct lb_cursor cur = lb_cursor_of(bytes);
    LB_ENSURE(lb_cursor_u8(&cur) == VERSION, LB_MALFORMED, "answers of another version");
    size_t num = lb_cursor_u16(&cur);
    LB_ENSURE(num <= LB_PROBE_MAX_ANSWERS, LB_MALFORMED, "more answers than are kept");
    LB_TRY(lb_probe_rows_room_answers(rows, num, arena));
    for (size_t i = 0; i < num; i++) {
        struct lb_probe_answer *answer = &rows->answers[rows->num_answers];
        LB_TRY(decode_answer(&cur, arena, answer));
        if (answer->time > now - LB_PROBE_ANSWER_KEEP_S)
            rows->num_answers++;
    }
    return lb_cursor_end(&cur);
}

lb_status lb_probe_events_encode(const struct lb_probe_rows *rows, struct lb_buf *out)
{
    lb_buf_put_u8(out, VERSION);
    lb_buf_put_u16(out, (uint16_t)rows->num_events);
    for (size_t i = 0; i < rows->num_events; i++) {
        const struct lb_probe_event *event = &rows->events[i];
        lb_buf_put_u8(out, (uint8_t)event->kind);
        lb_buf_put(out, lb_span_of(event->field, LB_PROBE_ID_BYTES));
        lb_buf_put(out, lb_span_of(event->other, LB_PROBE_ID_BYTES));
        lb_buf_put_u64(out, (uint64_t)event->time);
        lb_buf_put_u16(out, event->count);
    }
    return lb_buf_check(out);
}

static int64_t keep_s(enum lb_probe_event_kind kind)
{
    return kind == LB_PROBE_MISMATCH ? LB_PROBE_ANSWER_KEEP_S : LB_PROBE_HISTORY_KEEP_S;
}

lb_status lb_probe_events_decode(struct lb_span bytes, int64_t now, struct lb_arena *arena,
                                 struct lb_probe_rows *rows)
{
    struct lb_cursor cur = lb_cursor_of(bytes);
    LB_ENSURE(lb_cursor_u8(&cur) == VERSION, LB_MALFORMED, "history of another version");
    size_t num = lb_cursor_u16(&cur);
    LB_ENSURE(num <= LB_PROBE_MAX_EVENTS, LB_MALFORMED, "more events than are kept");
    LB_TRY(lb_probe_rows_room_events(rows, num, arena));
    for (size_t i = 0; i < num; i++) {
        struct lb_probe_event *event = &rows->events[rows->num_events];
        event->kind = (enum lb_probe_event_kind)lb_cursor_u8(&cur);
        lb_cursor_copy(&cur, event->field, LB_PROBE_ID_BYTES);
        lb_cursor_copy(&cur, event->other, LB_PROBE_ID_BYTES);
        event->time = (int64_t)lb_cursor_u64(&cur);
        event->count = lb_cursor_u16(&cur);
        if (event->time > now - keep_s(event->kind))
            rows->num_events++;
    }
    return lb_cursor_end(&cur);
}
