#include "adapters/serve/intake_say.h"

#include <stdio.h>
#include <string.h>

#include "adapters/serve/intake_part.h"
#include "adapters/serve/intake_state.h"
#include "gateway/base/utf8.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"
#include "policy/engine/date.h"

/* A word on its way to be said. */

#define WORD_LIFE_S (INT64_C(89) * 86400)  /* a day less than a parcel may live, for clocks */
#define ARENA_BYTES (256 * 1024)

struct saying {
    struct lb_intake *intake;
    const struct lb_intake_saying *ask;
    struct lb_arena *arena;
    struct lb_intake_word word;
    uint64_t entry;  /* the one that said it */
};

/* --- a word by itself --- */

static bool is_line(const char *text, size_t max_bytes)
{
    return text[0] == 0 || lb_utf8_line(text, max_bytes);
}

static bool has_text(const Lianban__V1__Word *word)
{
    return word->text_zh[0] != 0 || word->text_en[0] != 0;
}

static lb_status check_outcome(const Lianban__V1__Word *word)
{
    bool given = word->outcome != LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
    bool decides = word->kind == LIANBAN__V1__WORD__KIND__DECIDED;
    bool forwards = word->outcome == LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED;
    LB_ENSURE((unsigned)word->outcome <= LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED, LB_MALFORMED,
              "unknown outcome");
    LB_ENSURE(forwards ? lb_utf8_line(word->forwarded_to, LB_MAX_NAME_BYTES)
                       : word->forwarded_to[0] == 0,
              LB_MALFORMED, "to whom is said of what is forwarded, and of nothing else");
    LB_ENSURE(!decides || given, LB_MALFORMED, "a decision has an outcome");
    LB_ENSURE(!given || decides || word->kind == LIANBAN__V1__WORD__KIND__CORRECTED, LB_MALFORMED,
              "only a decision has an outcome");
    return LB_OK;
}

/* What is said of a signal has no words of one's own, so that nothing else is said with it. */
static lb_status check_outreach(const Lianban__V1__Word *word)
{
    if (word->kind < LIANBAN__V1__WORD__KIND__CONTACTED)
        return LB_OK;
    LB_ENSURE(word->text_zh[0] == 0 && word->text_en[0] == 0 && word->law[0] == 0 &&
                  word->until[0] == 0,
              LB_MALFORMED, "of a signal it is said what came of it and nothing else");
    LB_ENSURE(word->reference[0] == 0 || word->kind == LIANBAN__V1__WORD__KIND__APPLIED,
              LB_MALFORMED, "only who has applied has a number");
    return LB_OK;
}

lb_status lb_intake_word_check(const Lianban__V1__Word *word)
{
    struct lb_date until;
    bool keeps = word->outcome == LIANBAN__V1__WORD__OUTCOME__DATA_KEPT;
    bool refuses = word->kind == LIANBAN__V1__WORD__KIND__RETURNED ||
                   (word->kind == LIANBAN__V1__WORD__KIND__DECIDED &&
                    word->outcome == LIANBAN__V1__WORD__OUTCOME__REFUSED);
    bool asks = word->kind == LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED;
    LB_ENSURE(word->kind >= LIANBAN__V1__WORD__KIND__ACCEPTED &&
                  word->kind <= LIANBAN__V1__WORD__KIND__NOT_REACHED,
              LB_MALFORMED, "unknown kind of word");
    LB_TRY(check_outreach(word));
    LB_ENSURE(is_line(word->reference, LB_MAX_NAME_BYTES) &&
                  is_line(word->text_zh, LB_INTAKE_MAX_NOTE_BYTES) &&
                  is_line(word->text_en, LB_INTAKE_MAX_NOTE_BYTES) &&
                  is_line(word->law, LB_INTAKE_MAX_LAW_BYTES),
              LB_MALFORMED, "a text is no line");
    LB_ENSURE(word->until[0] == 0 || lb_date_parse(lb_span_str(word->until), &until), LB_MALFORMED,
              "until is not a date");
    LB_TRY(check_outcome(word));
    LB_ENSURE(word->kind != LIANBAN__V1__WORD__KIND__ACCEPTED || word->reference[0] != 0,
              LB_MALFORMED, "what is accepted has a number");
    LB_ENSURE(!refuses || (has_text(word) && word->law[0] != 0), LB_MALFORMED,
              "a refusal says why, and by which law");
    LB_ENSURE(!keeps || has_text(word), LB_MALFORMED, "who keeps the data says why");
    LB_ENSURE(!asks || (has_text(word) && word->until[0] != 0), LB_MALFORMED,
              "who asks for more says what, and until when");
    LB_ENSURE(word->kind != LIANBAN__V1__WORD__KIND__CORRECTED || has_text(word), LB_MALFORMED,
              "a correction says what was wrong");
    return LB_OK;
}

/* --- in the entry's transaction --- */

/* Number and time are the intake's to say. */
static lb_status pack_word(const struct saying *saying, const struct lb_intake_row *row,
                           struct lb_span *out)
{
    Lianban__V1__SealedParcel parcel = LIANBAN__V1__SEALED_PARCEL__INIT;
    Lianban__V1__Word word = *saying->ask->word;
    word.about = lb_pb_bytes(lb_span_of(row->name, sizeof(row->name)));
    word.number = (uint32_t)saying->word.number;
    word.said_unix_s = saying->word.said_unix_s;
    parcel.version = 1;
    parcel.made_unix_s = saying->word.said_unix_s;
    parcel.body_case = LIANBAN__V1__SEALED_PARCEL__BODY_WORD;
    parcel.word = &word;
    return lb_pb_pack(&parcel, saying->arena, out);
}

/* A request asks for data to be corrected, a submission for anything else. */
static lb_status check_matter(const struct lb_intake_row *row, const Lianban__V1__Word *word)
{
    bool request = row->kind == LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    bool data = word->outcome >= LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED;
    LB_ENSURE(word->outcome == LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED || request == data,
              LB_MALFORMED, "an outcome of another kind of part");
    return LB_OK;
}

/* Whether a submission stands where this word has brought it. */
static bool stands_behind(enum lb_intake_state state, Lianban__V1__Word__Kind kind)
{
    switch (kind) {
    case LIANBAN__V1__WORD__KIND__ACCEPTED:
        return state == LB_INTAKE_ACCEPTED;
    case LIANBAN__V1__WORD__KIND__RETURNED:
        return state == LB_INTAKE_RETURNED;
    case LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED:
        return state == LB_INTAKE_ASKED || state == LB_INTAKE_OWED;
    case LIANBAN__V1__WORD__KIND__DECIDED:
        return state == LB_INTAKE_DECIDED;
    case LIANBAN__V1__WORD__KIND__WITHDRAWN:
        return state == LB_INTAKE_WITHDRAWN;
    case LIANBAN__V1__WORD__KIND__CONTACTED:
        return state == LB_INTAKE_CONTACTED;
    case LIANBAN__V1__WORD__KIND__APPLIED:
        return state == LB_INTAKE_APPLIED;
    case LIANBAN__V1__WORD__KIND__DECLINED:
        return state == LB_INTAKE_DECLINED;
    case LIANBAN__V1__WORD__KIND__NOT_REACHED:
        return state == LB_INTAKE_NOT_REACHED;
    default:
        return kind == LIANBAN__V1__WORD__KIND__CORRECTED;
    }
}

/* Whoever did not hear the answer says it once more: then it was said already. */
static lb_status find_same(struct saying *saying, struct lb_store *store,
                           const struct lb_intake_row *row, bool *out_same)
{
    struct lb_intake_word *last = NULL;
    struct lb_span was = LB_SPAN_EMPTY, is = LB_SPAN_EMPTY;
    size_t num = 0;
    *out_same = false;
    if (row->num_words == 0 || !stands_behind(row->state, saying->ask->word->kind))
        return LB_OK;
    LB_TRY(lb_intake_words_about(&saying->intake->words, store, row->n, row->num_words - 1, 1,
                                 saying->arena, &last, &num));
    if (num == 0 || last[0].closed.len == 0)
        return LB_OK;
    LB_TRY(lb_intake_key_open(&saying->intake->key, "word", last[0].name, last[0].closed,
                              saying->arena, &was));
    int64_t now = saying->word.said_unix_s;
    saying->word.number = last[0].number;
    saying->word.said_unix_s = last[0].said_unix_s;
    LB_TRY(pack_word(saying, row, &is));
    saying->word.said_unix_s = now;
    *out_same = lb_span_eq(was, is);
    return LB_OK;
}

static lb_status add_word(struct saying *saying, struct lb_store *store,
                          const struct lb_intake_row *row)
{
    struct lb_intake *intake = saying->intake;
    struct lb_intake_word *word = &saying->word;
    enum lb_intake_state state = row->state;
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(lb_intake_after_word(row->kind, row->state, saying->ask->word->kind, &state));
    word->about = row->n;
    word->number = row->num_words + 1;
    word->kind = saying->ask->word->kind;
    word->ends_unix_s = word->said_unix_s + WORD_LIFE_S;
    (void)snprintf(word->recipient, sizeof(word->recipient), "%s", row->sender);
    LB_TRY(pack_word(saying, row, &plain));
    LB_TRY(lb_intake_key_close(&intake->key, "word", word->name, plain, saying->arena,
                               &word->closed));
    LB_TRY(lb_intake_words_add(&intake->words, store, word));
    return lb_intake_rows_state(&intake->rows, store, row->n, state, word->number,
                                word->said_unix_s);
}

static lb_status say(struct lb_log_entry *entry, struct lb_store *store)
{
    struct saying *saying = entry->owner;
    struct lb_intake *intake = saying->intake;
    struct lb_intake_row row;
    bool found = false, same = false;
    LB_TRY(lb_intake_rows_get(&intake->rows, store, saying->ask->n, saying->arena, &row, &found));
    LB_ENSURE(found && row.state != LB_INTAKE_NOTED, LB_PARCEL_UNKNOWN,
              "no submission of this number");
    LB_TRY(check_matter(&row, saying->ask->word));
    LB_TRY(find_same(saying, store, &row, &same));
    entry->leaf.retry = same;
    if (!same)
        LB_TRY(add_word(saying, store, &row));
    return saying->ask->ack ? lb_intake_rows_ack(&intake->rows, store, row.n,
                                                 saying->word.said_unix_s)
                            : LB_OK;
}

/* --- the entry --- */

static lb_status record(struct saying *saying)
{
    struct lb_log_entry *entry = lb_arena_alloc(saying->arena, sizeof(*entry));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .code = "SAID", .count = 1};
    memcpy(entry->leaf.txn, saying->word.name, sizeof(entry->leaf.txn));
    entry->guard = say;
    entry->owner = saying;
    lb_json_set_cstr(detail, "by", saying->ask->by);
    lb_json_set_int(detail, "about", saying->ask->n);
    lb_json_set_int(detail, "kind", saying->ask->word->kind);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, saying->arena, &entry->detail));
    LB_TRY(lb_log_append_wait(saying->intake->serve->options.log, entry));
    saying->entry = entry->index;
    return entry->refused;
}

lb_status lb_intake_say(struct lb_intake *intake, const struct lb_intake_saying *ask,
                        int64_t *out_number, uint64_t *out_index)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct saying saying = {.intake = intake, .ask = ask, .arena = arena};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_ENSURE(intake->key.ready, LB_PARCEL_UNKNOWN, "nothing was ever handed in");
    LB_TRY(lb_intake_word_check(ask->word));
    saying.word.said_unix_s = lb_clock_unix_s(intake->serve->options.clock);
    LB_TRY(lb_crypto_random(saying.word.name, sizeof(saying.word.name)));
    LB_TRY(record(&saying));
    lb_intake_post_kick(intake);
    *out_number = saying.word.number;
    *out_index = saying.entry;
    return LB_OK;
}
