#include "adapters/serve/probe.h"

#include <string.h>

#include "adapters/serve/probe_rows.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define DAY_S (24 * 3600)

void lb_probe_id(const struct lb_span *parts, size_t num, uint8_t out[LB_PROBE_ID_BYTES])
{
    struct lb_span pieces[2 * LB_PROBE_MAX_PARTS];
    uint8_t lengths[LB_PROBE_MAX_PARTS][4];
    uint8_t digest[LB_SHA256_BYTES];
    size_t used = num < LB_PROBE_MAX_PARTS ? num : LB_PROBE_MAX_PARTS;
    for (size_t i = 0; i < used; i++) {
        for (unsigned b = 0; b < 4; b++)
            lengths[i][b] = (uint8_t)(parts[i].len >> (24 - 8 * b));
        pieces[2 * i] = lb_span_of(lengths[i], 4);
        pieces[2 * i + 1] = parts[i];
    }
    lb_sha256_parts(pieces, 2 * used, digest);
    memcpy(out, digest, LB_PROBE_ID_BYTES);
}

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return lb_span_eq(lb_span_of(a, LB_PROBE_ID_BYTES), lb_span_of(b, LB_PROBE_ID_BYTES));
}

static struct lb_probe_answer *find_answer(const struct lb_probe_rows *rows,
                                           const uint8_t *question)
{
    for (size_t i = 0; i < rows->num_answers; i++) {
        if (same_id(rows->answers[i].question, question))
            return &rows->answers[i];
    }
    return NULL;
}

static struct lb_probe_event *find_event(const struct lb_probe_rows *rows,
                                         enum lb_probe_event_kind kind, const uint8_t *field,
                                         const uint8_t *other)
{
    for (size_t i = 0; i < rows->num_events; i++) {
        struct lb_probe_event *event = &rows->events[i];
        if (event->kind == kind && same_id(event->field, field) && same_id(event->other, other))
            return event;
    }
    return NULL;
}

/* How many events of a kind a field has had since a time. */
static int64_t count_events(const struct lb_probe_rows *rows, enum lb_probe_event_kind kind,
                            const uint8_t *field, int64_t since)
{
    int64_t num = 0;
    for (size_t i = 0; i < rows->num_events; i++) {
        const struct lb_probe_event *event = &rows->events[i];
        num += event->kind == kind && event->time > since && same_id(event->field, field);
    }
    return num;
}

static lb_status add_event(struct lb_probe_rows *rows, enum lb_probe_event_kind kind,
                           const uint8_t *field, const uint8_t *other, int64_t now)
{
    LB_ENSURE(rows->num_events < LB_PROBE_MAX_EVENTS, LB_PROBE_LIMIT, "the history is full");
    struct lb_probe_event *event = &rows->events[rows->num_events++];
    *event = (struct lb_probe_event){.kind = kind, .time = now, .count = 1};
    memcpy(event->field, field, LB_PROBE_ID_BYTES);
    memcpy(event->other, other, LB_PROBE_ID_BYTES);
    return LB_OK;
}

/* A name already asked in the window counts once, however often it is asked again. */
static lb_status note_name(struct lb_probe_rows *rows, const struct lb_probe_want *want,
                           int64_t now)
{
    int64_t since = now - want->limits->days * DAY_S;
    struct lb_probe_event *known = find_event(rows, LB_PROBE_NAME, want->field, want->names);
    if (!want->has_names)
        return LB_OK;
    bool counted = known != NULL && known->time > since;
    LB_ENSURE(counted || count_events(rows, LB_PROBE_NAME, want->field, since) <
                             want->limits->thresholds,
              LB_PROBE_LIMIT, "too many names of the rule set for one field of a person");
    if (known == NULL)
        return add_event(rows, LB_PROBE_NAME, want->field, want->names, now);
    known->time = now;
    return LB_OK;
}

/* Before the answer is looked at: the last guess must not be answered even if it is right. */
static lb_status check_claim(const struct lb_probe_rows *rows, const struct lb_probe_want *want,
                             int64_t now)
{
    const struct lb_probe_event *wrong =
        find_event(rows, LB_PROBE_CASE, want->field, rows->case_id);
    int64_t today = count_events(rows, LB_PROBE_MISMATCH, want->field, now - DAY_S);
    if (!want->has_claim)
        return LB_OK;
    LB_ENSURE(wrong == NULL || wrong->count < want->limits->mismatches, LB_PROBE_LIMIT,
              "too many wrong claims in one case");
    LB_ENSURE(today < want->limits->mismatches_day, LB_PROBE_LIMIT,
              "too many wrong claims in a day");
    return LB_OK;
}

static lb_status note_mismatch(struct lb_probe_rows *rows, const struct lb_probe_want *want,
                               int64_t now)
{
    static const uint8_t none[LB_PROBE_ID_BYTES];
    const Lianban__V1__Fact *fact = want->fact;
    struct lb_probe_event *wrong = find_event(rows, LB_PROBE_CASE, want->field, rows->case_id);
    if (!want->has_claim || fact->state != LIANBAN__V1__FACT__STATE__OK ||
        fact->kind != LIANBAN__V1__FACT__KIND__TRUTH || fact->truth)
        return LB_OK;
    LB_TRY(add_event(rows, LB_PROBE_MISMATCH, want->field, none, now));
    if (wrong == NULL)
        return add_event(rows, LB_PROBE_CASE, want->field, rows->case_id, now);
    wrong->time = now;
    wrong->count++;
    return LB_OK;
}

/* What a database could not say for the moment is no answer, and asked again the next time. */
static bool is_conclusive(const Lianban__V1__Fact *fact)
{
    return fact->state == LIANBAN__V1__FACT__STATE__OK ||
           fact->state == LIANBAN__V1__FACT__STATE__NOT_FOUND ||
           fact->state == LIANBAN__V1__FACT__STATE__AMBIGUOUS;
}

static lb_status remember(struct lb_probe_rows *rows, const struct lb_probe_want *want, int64_t now)
{
    const Lianban__V1__Fact *fact = want->fact;
    if (!is_conclusive(fact))
        return LB_OK;
    LB_ENSURE(rows->num_answers < LB_PROBE_MAX_ANSWERS, LB_PROBE_LIMIT,
              "more questions in one case than are remembered");
    struct lb_probe_answer *answer = &rows->answers[rows->num_answers++];
    *answer = (struct lb_probe_answer){
        .time = now,
        .state = (uint8_t)fact->state,
        .kind = (uint8_t)fact->kind,
        .truth = fact->truth != 0,
        .number = fact->number,
        .rules_version = fact->rules_version,
        .text = lb_span_str(fact->text),
        .as_of = lb_span_str(fact->as_of),
    };
    memcpy(answer->question, want->question, LB_PROBE_ID_BYTES);
    return LB_OK;
}

static lb_status recall(const struct lb_probe_answer *answer, Lianban__V1__Fact *fact,
                        struct lb_arena *arena)
{
    char *text = lb_arena_str(arena, answer->text);
    char *as_of = lb_arena_str(arena, answer->as_of);
    LB_ENSURE(text != NULL && as_of != NULL, LB_NO_MEMORY, "arena is full");
    fact->state = (Lianban__V1__Fact__State)answer->state;
    fact->kind = (Lianban__V1__Fact__Kind)answer->kind;
    fact->truth = answer->truth;
    fact->number = answer->number;
    fact->rules_version = answer->rules_version;
    fact->text = text;
    fact->as_of = as_of;
    return LB_OK;
}

static lb_status judge_want(struct lb_probe_rows *rows, const struct lb_probe_want *want,
                            int64_t now, struct lb_arena *arena)
{
    const struct lb_probe_answer *known = find_answer(rows, want->question);
    if (known != NULL)
        return recall(known, want->fact, arena);
    LB_TRY(note_name(rows, want, now));
    LB_TRY(check_claim(rows, want, now));
    LB_TRY(note_mismatch(rows, want, now));
    return remember(rows, want, now);
}

/* Judges on copies, so that of a request that is refused nothing stays. */
static lb_status judge_all(struct lb_probe_rows *rows, const struct lb_probe_ask *ask, int64_t now,
                           struct lb_arena *arena)
{
    struct lb_probe_rows trial = *rows;
    LB_TRY(lb_probe_rows_room_events(&trial, rows->num_events, arena));
    memcpy(trial.events, rows->events, rows->num_events * sizeof(rows->events[0]));
    trial.num_events = rows->num_events;
    lb_status status = LB_OK;
    for (size_t i = 0; i < ask->num_wants && status == LB_OK; i++)
        status = judge_want(&trial, &ask->wants[i], now, arena);
    if (status == LB_OK && !ask->refused)
        *rows = trial;
    lb_wipe(trial.key, sizeof(trial.key));
    return status;
}

lb_status lb_serve_probes_judge(struct lb_serve_probes *probes, struct lb_store *store,
                                int64_t now_unix_s, const struct lb_probe_ask *ask,
                                struct lb_arena *arena)
{
    struct lb_probe_rows rows;
    LB_TRY(lb_probe_rows_purge(probes, store, now_unix_s));
    LB_TRY(lb_probe_rows_read(probes, store, now_unix_s, ask, arena, &rows));
    lb_status limit = judge_all(&rows, ask, now_unix_s, arena);
    lb_status status = LB_OK;
    if (limit == LB_OK || limit->code == LB_PROBE_LIMIT)
        status = lb_probe_rows_write(probes, store, now_unix_s, &rows, arena);
    lb_wipe(rows.key, sizeof(rows.key));
    LB_TRY(status);
    return limit;
}
