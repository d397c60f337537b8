#include "gateway/base/log.h"
#include "gateway/witness/submit_state.h"

#define BACKOFF_MS 1000
#define MAX_ANSWER_BYTES 4096

static const struct lb_policy_witness *policy_of(const struct lb_submit_round *round, size_t i)
{
    return &round->submitter->options.policy->witnesses[i];
}

static lb_status send_head(struct lb_submit_round *round, size_t i, struct lb_submit_reply *out)
{
    const struct lb_submit_options *options = &round->submitter->options;
    uint64_t old_size = round->submitter->witnesses[i].old_size;
    struct lb_hash *path = NULL;
    struct lb_span body;
    size_t num = 0;
    LB_TRY(lb_log_consistency(options->log, old_size, round->head.size, round->arena, &path, &num));
    LB_TRY(lb_add_checkpoint_write(old_size, path, num, round->head.checkpoint, round->arena,
                                   &body));
    LB_TRY(options->port.send(options->port.ctx, i, body, LB_SUBMIT_TIMEOUT_MS, round->arena,
                              out));
    LB_ENSURE(out->body.len <= MAX_ANSWER_BYTES, LB_TOO_LARGE, "the witness says too much");
    return LB_OK;
}

/* The witness names the size it cosigned last. */
static lb_status take_size(struct lb_submit_round *round, size_t i,
                           const struct lb_submit_reply *reply)
{
    struct lb_span body = reply->body;
    uint64_t size = 0;
    LB_ENSURE(body.len > 1 && body.ptr[body.len - 1] == '\n', LB_MALFORMED, "no size");
    LB_TRY(lb_checkpoint_parse_size(lb_span_of(body.ptr, body.len - 1), &size));
    if (size > round->head.size)
        return lb_submit_judge_claim(round, i, reply->evidence);
    LB_ENSURE(size != round->submitter->witnesses[i].old_size, LB_MALFORMED,
              "the witness contradicts itself");
    round->submitter->witnesses[i].old_size = size;
    return LB_OK;
}

/* Only this witness's own line is taken over, whatever else it sends. */
static lb_status take_cosignature(struct lb_submit_round *round, size_t i, struct lb_span lines)
{
    struct lb_span line = LB_SPAN_EMPTY;
    int64_t unix_s = 0;
    LB_DEFER(lb_buf_cleanup) struct lb_buf note;
    lb_buf_init(&note, LB_ADD_CHECKPOINT_MAX_BYTES);
    lb_buf_put(&note, round->head.checkpoint);
    lb_buf_put(&note, lines);
    LB_TRY(lb_buf_check(&note));
    lb_status status =
        lb_cosign_verify(lb_buf_span(&note), &policy_of(round, i)->cosigner, &unix_s, &line);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_SIGNATURE_INVALID,
              "not the key that the policy names");
    LB_TRY(status);
    const char *joined = lb_arena_printf(
        round->arena, "%.*s%.*s", (int)round->note.len, (const char *)round->note.ptr,
        (int)line.len, (const char *)line.ptr);
    LB_ENSURE(joined != NULL, LB_NO_MEMORY, "arena is full");
    round->note = lb_span_str(joined);
    round->cosigned |= UINT32_C(1) << i;
    round->submitter->witnesses[i].old_size = round->head.size;
    return LB_OK;
}

static lb_status take_refusal(struct lb_submit_round *round, size_t i,
                              const struct lb_submit_reply *reply)
{
    switch (reply->answer) {
    case LB_WITNESS_INCONSISTENT:
        return lb_submit_judge_claim(round, i, reply->evidence);
    case LB_WITNESS_UNKNOWN_LOG:
        return LB_FAULT(LB_ROLE_NOT_ALLOWED, "the witness does not know this log");
    case LB_WITNESS_FORBIDDEN:
        return LB_FAULT(LB_SIGNATURE_INVALID, "the witness knows another key of this log");
    case LB_WITNESS_CONFLICT:
        return LB_FAULT(LB_MALFORMED, "the witness contradicts itself");
    default:
        return LB_FAULT(LB_MALFORMED, "the witness can't read what was sent");
    }
}

/* At most twice: a witness that stands elsewhere says where, and is asked from there. */
static lb_status ask_witness(struct lb_submit_round *round, size_t i)
{
    struct lb_submit_reply reply = {.answer = 0};
    LB_TRY(send_head(round, i, &reply));
    if (reply.answer == LB_WITNESS_CONFLICT) {
        LB_TRY(take_size(round, i, &reply));
        LB_TRY(send_head(round, i, &reply));
    }
    if (reply.answer != LB_WITNESS_COSIGNED)
        return take_refusal(round, i, &reply);
    return take_cosignature(round, i, reply.body);
}

static bool is_conflict(lb_status status)
{
    return lb_status_code(status) == LB_LOG_BEHIND || lb_status_code(status) == LB_LOG_FORK;
}

static void say_outcome(const struct lb_submit_round *round, size_t i, lb_status status)
{
    uint64_t theirs = round->submitter->witnesses[i].old_size;
    enum lb_log_level level = LB_LOG_INFO;
    const char *event = "witness_cosigns";
    if (is_conflict(status)) {
        level = LB_LOG_ERROR;
        event = "witness_contradicts";
        theirs = status->code == LB_LOG_BEHIND ? round->conflict_size : theirs;
    } else if (lb_status_code(status) == LB_RECEIPT_INVALID) {
        level = LB_LOG_ERROR;
        event = "witness_unproved";
    } else if (status != LB_OK) {
        level = LB_LOG_WARN;
        event = "witness_fails";
    }
    lb_log_event(level, event, "\"witness\":\"%s\",\"code\":\"%s\",\"size\":%llu,\"theirs\":%llu",
                 policy_of(round, i)->cosigner.name, lb_code_name(lb_status_code(status)),
                 (unsigned long long)round->head.size, (unsigned long long)theirs);
}

/* Says each trouble once, and its end; a witness in trouble is asked less and less. */
static void note_outcome(struct lb_submit_round *round, size_t i, lb_status status)
{
    struct lb_submit_witness *witness = &round->submitter->witnesses[i];
    enum lb_code code = lb_status_code(status);
    int64_t now = lb_clock_monotonic_ms(round->submitter->options.clock);
    if (status == LB_OK) {
        witness->backoff_ms = 0;
    } else {
        witness->backoff_ms = witness->backoff_ms == 0 ? BACKOFF_MS : 2 * witness->backoff_ms;
        if (witness->backoff_ms > LB_SUBMIT_BACKOFF_MAX_MS)
            witness->backoff_ms = LB_SUBMIT_BACKOFF_MAX_MS;
    }
    witness->not_before = now + witness->backoff_ms;
    if (witness->trouble != code)
        say_outcome(round, i, status);
    witness->trouble = code;
    if (is_conflict(status) && round->conflict == LB_OK) {
        round->conflict = status;
        round->conflict_witness = i;
    }
}

static bool is_stopping(struct lb_submitter *submitter)
{
    (void)pthread_mutex_lock(&submitter->lock);
    bool stopping = submitter->stopping;
    (void)pthread_mutex_unlock(&submitter->lock);
    return stopping;
}

static bool may_ask(const struct lb_submit_round *round, size_t i)
{
    int64_t now = lb_clock_monotonic_ms(round->submitter->options.clock);
    bool time_left = round->until_ms == 0 || now < round->until_ms;
    bool rested = now >= round->submitter->witnesses[i].not_before;
    return time_left && rested && policy_of(round, i)->url[0] != 0 &&
           !is_stopping(round->submitter);
}

lb_status lb_submit_round(struct lb_submit_round *round)
{
    struct lb_submitter *submitter = round->submitter;
    const struct lb_witness_policy *policy = submitter->options.policy;
    LB_TRY(lb_log_head(submitter->options.log, round->arena, &round->head));
    round->note = round->head.checkpoint;
    for (size_t i = 0; i < policy->num_witnesses; i++) {
        if (may_ask(round, i))
            note_outcome(round, i, ask_witness(round, i));
    }
    if (round->cosigned == 0)
        return LB_OK;
    const struct lb_cosigned_row row = {
        .size = round->head.size,
        .unix_s = lb_clock_unix_s(submitter->options.clock),
        .met = lb_witness_policy_met(policy, round->cosigned),
        .note = round->note,
    };
    return lb_cosigned_put(submitter->cosigned, &row);
}
