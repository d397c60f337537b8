#include "gateway/window/corrections.h"

#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/base/utf8.h"
#include "gateway/wire/pb.h"

/*
 * A department's answer to a request, from its word to the record of the case. The word is on disk
 * first, and is said to be here only when its record is made: whoever dies in between is told it
 * again.
 */

#define MAX_BODY_BYTES (32U * 1024)

static bool is_data(Lianban__V1__Word__Outcome outcome)
{
    return outcome >= LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED;
}

lb_status lb_correction_word_check(const Lianban__V1__Word *word, bool of_request)
{
    bool none = word->outcome == LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
    bool forwards = word->outcome == LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED;
    LB_ENSURE(none || is_data(word->outcome) == of_request, LB_MALFORMED,
              "an outcome of another kind of part");
    LB_ENSURE(forwards ? lb_utf8_line(word->forwarded_to, LB_MAX_NAME_BYTES)
                       : word->forwarded_to[0] == 0,
              LB_MALFORMED, "forwarded to nobody, or not forwarded");
    return LB_OK;
}

/* --- the record --- */

static const char *outcome_name(Lianban__V1__Word__Outcome outcome)
{
    if (outcome == LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED)
        return "corrected";
    return outcome == LIANBAN__V1__WORD__OUTCOME__DATA_KEPT ? "kept" : "forwarded";
}

static void put_line(struct lb_buf *body, const char *key, const char *value)
{
    if (value[0] != 0)
        lb_buf_printf(body, "%s %s\n", key, value);
}

static lb_status write_body(const struct lb_word_row *row, const Lianban__V1__Word *word,
                            struct lb_buf *body)
{
    char name[LB_PARCEL_NAME_BYTES_HEX];
    const bool zh = word->text_zh[0] != 0;
    lb_hex_encode(lb_span_of(row->name, sizeof(row->name)), name);
    put_line(body, "outcome", outcome_name(word->outcome));
    put_line(body, "answer", zh ? word->text_zh : word->text_en);
    if (zh)
        put_line(body, "answer_en", word->text_en);
    put_line(body, "law", word->law);
    put_line(body, "to", word->forwarded_to);
    lb_buf_printf(body, "from %s\nparcel %s\nword %u\n", row->sender, name, row->number);
    return lb_buf_check(body);
}

/* How many of a request's words are records, and whether this one is. */
static size_t count_answers(const struct lb_window_case *entry, size_t request, uint32_t word,
                            bool *out_there)
{
    size_t num = 0;
    *out_there = false;
    for (size_t i = request + 1; i <= entry->records.num; i++) {
        const struct lb_case_record *record = lb_records_at(&entry->records, i);
        size_t of = lb_record_number(record, "word");
        if (record->kind != LB_RECORD_ANSWER || of == 0 ||
            lb_record_number(record, "follows") != request)
            continue;
        num++;
        *out_there = *out_there || of == word;
    }
    return num;
}

static lb_status record_word(struct lb_window_case *entry, size_t request,
                             const struct lb_word_row *row, struct lb_arena *arena)
{
    Lianban__V1__SealedParcel *content = NULL;
    struct lb_buf body LB_DEFER(lb_buf_cleanup);
    bool there = false;
    lb_buf_init(&body, MAX_BODY_BYTES);
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, row->content, arena, &content));
    LB_ENSURE(content->body_case == LIANBAN__V1__SEALED_PARCEL__BODY_WORD, LB_STORE_FAILED,
              "a kept word is none");
    if (!is_data(content->word->outcome) ||
        count_answers(entry, request, row->number, &there) >= LB_CORRECTION_MAX_ANSWERS || there ||
        entry->records.num >= LB_CASE_MAX_ACTS)
        return LB_OK;
    LB_TRY(write_body(row, content->word, &body));
    LB_TRY(lb_records_append(entry, LB_RECORD_ANSWER, request, lb_buf_span(&body)));
    LB_TRY(lb_case_store_put(entry->window->store, entry));
    return lb_window_push_result(entry);
}

static lb_status settle_one(struct lb_window_case *entry, size_t request)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_PARTS_ARENA_BYTES);
    struct lb_word_row *words = NULL;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_correction_name(entry, request, name);
    LB_TRY(lb_words_about(entry->window->store, name, arena, &words, &num));
    for (size_t i = 0; i < num; i++)
        LB_TRY(record_word(entry, request, &words[i], arena));
    return LB_OK;
}

/* Records that are made meanwhile stand behind those that are looked at. What can't be sent now,
 * since nobody answers for it at the window, holds up no department's word. */
static lb_status settle(struct lb_window_case *entry)
{
    const size_t num = entry->records.num;
    for (size_t i = 1; i <= num; i++) {
        if (lb_records_at(&entry->records, i)->kind == LB_RECORD_CORRECTION)
            LB_TRY(settle_one(entry, i));
    }
    lb_log_failure("correction_not_sent", lb_corrections_post(entry));
    return LB_OK;
}

/* --- cases --- */

/* Who has the case may wait for a consent office; a courier does not wait along. */
lb_status lb_corrections_catch_up(struct lb_window *window, const char *case_id)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    if (lb_window_hold(window, case_id, &entry) != LB_OK)
        return LB_OK;
    LB_ENSURE(pthread_mutex_trylock(&entry->asking) == 0, LB_BUSY, "somebody has the case");
    (void)pthread_mutex_lock(&entry->lock);
    lb_status status = lb_window_closed(entry) ? LB_OK : settle(entry);
    (void)pthread_mutex_unlock(&entry->lock);
    (void)pthread_mutex_unlock(&entry->asking);
    return status;
}

lb_status lb_corrections_catch_up_all(struct lb_window *window)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_WINDOW_IDS_BYTES);
    const char **ids = NULL;
    size_t num = 0;
    lb_status failed = LB_OK;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_window_case_ids(window, arena, &ids, &num));
    for (size_t i = 0; i < num; i++) {
        lb_status status = lb_corrections_catch_up(window, ids[i]);
        if (status != LB_OK)
            failed = status;
    }
    return failed;
}
