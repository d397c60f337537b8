#include "gateway/witness/fixture.h"

#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/note/cosign.h"

static struct lb_submit_view view(struct fixture *fx)
{
    struct lb_submit_view found;
    lb_submitter_view(fx->submitter, &found);
    return found;
}

/* A submitter that has had its round before the start. */
static void begin(struct fixture *fx)
{
    assert_ok(fx_submitter(fx, fx->log, fx->folder));
    assert_ok(lb_submitter_ask(fx->submitter, &fx->diag));
}

static void tick_after(struct fixture *fx, int64_t ms)
{
    fx_later(fx, ms);
    lb_submitter_tick(fx->submitter);
}

static uint64_t known_to(struct fixture *fx, size_t i)
{
    uint64_t size = 0;
    struct lb_hash root;
    lb_status status = lb_witness_latest(fx->witnesses[i].witness, FX_ORIGIN, &size, &root);
    return status == LB_OK ? size : UINT64_MAX;
}

static unsigned num_calls(const struct fixture *fx)
{
    unsigned num = 0;
    for (size_t i = 0; i < FX_WITNESSES; i++)
        num += fx->witnesses[i].num_calls;
    return num;
}

static void sends_what_is_new(void **state)
{
    struct fixture *fx = *state;
    struct lb_witnessed witnessed;
    begin(fx);
    assert_int_equal(view(fx).witnessed_size, 0);
    for (uint64_t i = 1; i <= 5; i++) {
        fx_append(fx->log, 7);
        tick_after(fx, 10000);
        assert_int_equal(view(fx).witnessed_size, 7 * i);
        assert_int_equal(view(fx).state, LB_SUBMIT_WITNESSED);
        for (size_t w = 0; w < FX_WITNESSES; w++)
            assert_int_equal(known_to(fx, w), 7 * i);
    }
    struct lb_span note;
    assert_ok(lb_witnessed_read(fx->folder, &fx->verifier, fx->policy, fx->arena, &fx->diag,
                                &witnessed, &note));
    assert_int_equal(witnessed.checkpoint.size, 35);
    assert_int_equal(witnessed.cosigned, 7);
}

/* A busy log is not sent more often than the interval says, an idle one not at all. */
static void keeps_the_interval(void **state)
{
    struct fixture *fx = *state;
    begin(fx);
    unsigned before = num_calls(fx);
    for (int i = 0; i < 9; i++) {
        fx_append(fx->log, 1);
        tick_after(fx, 1000);
    }
    assert_int_equal(num_calls(fx), before);
    tick_after(fx, 1000);
    assert_int_equal(num_calls(fx), before + FX_WITNESSES);
    assert_int_equal(view(fx).witnessed_size, 9);
    for (int i = 0; i < 5; i++)
        tick_after(fx, 10000);
    assert_int_equal(num_calls(fx), before + FX_WITNESSES);
}

static void needs_its_quorum_and_no_more(void **state)
{
    struct fixture *fx = *state;
    begin(fx);
    fx->witnesses[0].away = true;
    fx_append(fx->log, 3);
    tick_after(fx, 10000);
    assert_int_equal(view(fx).witnessed_size, 3);
    fx->witnesses[1].away = true;
    fx_append(fx->log, 3);
    tick_after(fx, 10000);
    assert_int_equal(view(fx).witnessed_size, 3);
    /* Who is away is asked less and less. */
    unsigned before = fx->witnesses[1].num_calls;
    for (int i = 0; i < 60; i++)
        tick_after(fx, 10000);
    assert_in_range(fx->witnesses[1].num_calls - before, 5, 15);
    fx->witnesses[1].away = false;
    for (int i = 0; i < 7; i++)
        tick_after(fx, 10000);
    assert_true(view(fx).witnessed_size >= 6);
}

static void warns_then_holds_then_recovers(void **state)
{
    struct fixture *fx = *state;
    begin(fx);
    fx_append(fx->log, 1);
    tick_after(fx, 10000);
    for (size_t i = 0; i < FX_WITNESSES; i++)
        fx->witnesses[i].away = true;
    fx_append(fx->log, 1);
    tick_after(fx, 890000);
    assert_int_equal(view(fx).state, LB_SUBMIT_WITNESSED);
    tick_after(fx, 20000);
    assert_int_equal(view(fx).state, LB_SUBMIT_LATE);
    assert_ok(lb_log_may_release(fx->log));
    tick_after(fx, 2600000);
    assert_int_equal(view(fx).state, LB_SUBMIT_LATE);
    tick_after(fx, 200000);
    assert_int_equal(view(fx).state, LB_SUBMIT_STOPPED);
    assert_code(lb_log_may_release(fx->log), LB_LOG_UNWITNESSED);
    /* Entries go on being written: denials are evidence too. */
    fx_append(fx->log, 2);
    for (size_t i = 0; i < FX_WITNESSES; i++)
        fx->witnesses[i].away = false;
    tick_after(fx, 61000);
    assert_int_equal(view(fx).state, LB_SUBMIT_WITNESSED);
    assert_ok(lb_log_may_release(fx->log));
}

/* The time without witnesses does not begin anew with the process. */
static void counts_through_a_restart(void **state)
{
    struct fixture *fx = *state;
    begin(fx);
    fx_append(fx->log, 1);
    tick_after(fx, 10000);
    lb_submitter_free(fx->submitter);
    fx->submitter = NULL;
    fx_later(fx, 3700000);
    for (size_t i = 0; i < FX_WITNESSES; i++)
        fx->witnesses[i].away = true;
    fx_append(fx->log, 1);
    begin(fx);
    assert_ok(lb_submitter_start(fx->submitter));
    assert_code(lb_log_may_release(fx->log), LB_LOG_UNWITNESSED);
    assert_int_equal(view(fx).witnessed_size, 1);
}

/* What a witness that errs or lies may bring about: that it does not count. */
static void takes_no_lie_for_a_cosignature(void **state)
{
    struct fixture *fx = *state;
    static const struct {
        unsigned answer;
        const char *body;
    } lies[] = {
        {200, ""},
        {200, "\xe2\x80\x94 test.gov/auditor/w0 AAAA\n"},
        {200, "\xe2\x80\x94 w ZZZZZZZZZZZZ\n\nanother text\n\n\xe2\x80\x94 w ZZZZZZZZZZZZ\n"},
        {200, "no line"},
        {409, ""},       {409, "0\n"},  {409, "-1\n"}, {409, "01\n"}, {409, "1"},
        {404, ""},       {403, ""},     {400, ""},     {0, ""},       {500, "5\n"},
        {201, "\xe2\x80\x94 test.gov/auditor/w0 AAAA\n"},
    };
    begin(fx);
    fx->witnesses[1].away = true;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        fx->witnesses[0].lies = lies[i].answer == 0 ? 1 : lies[i].answer;
        fx->witnesses[0].lie = lies[i].body;
        fx_append(fx->log, 1);
        tick_after(fx, 61000);
        assert_int_equal(view(fx).witnessed_size, 0);
        assert_true(view(fx).state != LB_SUBMIT_STOPPED);
    }
    /* An honest cosignature of another checkpoint. */
    struct lb_span old_line;
    fx->witnesses[0].lies = 0;
    assert_int_equal(fx_ask(fx, 0, fx_body(fx, fx->log, 0), &old_line), 200);
    fx->witnesses[0].lies = 200;
    fx->witnesses[0].lie = lb_arena_str(fx->arena, old_line);
    fx_append(fx->log, 1);
    tick_after(fx, 61000);
    assert_int_equal(view(fx).witnessed_size, 0);
    fx->witnesses[0].lies = 0;
    tick_after(fx, 61000);
    assert_true(view(fx).witnessed_size > 0);
}

/* --- before the start --- */

static void ends(struct fixture *fx, struct lb_log *log, const char *folder, enum lb_code code,
                 const char *part)
{
    lb_submitter_free(fx->submitter);
    fx->submitter = NULL;
    lb_status status = fx_submitter(fx, log, folder);
    if (status == LB_OK)
        status = lb_submitter_ask(fx->submitter, &fx->diag);
    assert_code(status, code);
    if (strstr(fx->diag.text, part) == NULL)
        print_error("%s\n", fx->diag.text);
    assert_non_null(strstr(fx->diag.text, part));
}

/* Last week's backup; a log begun anew, shorter and then longer than the one that was witnessed. */
static void refuses_another_past(void **state)
{
    struct fixture *fx = *state;
    const char *backup = fx_path(fx, "backup"), *anew = fx_path(fx, "anew");
    fx_append(fx->log, 4);
    lb_log_close(fx->log);
    fx_copy(fx, fx->folder, backup);
    fx->log = fx_open_log(fx, fx->folder);
    fx_append(fx->log, 4);
    begin(fx);
    assert_int_equal(view(fx).witnessed_size, 8);
    fx_later(fx, 1000);
    struct lb_log *log = fx_open_log(fx, backup);
    ends(fx, log, backup, LB_LOG_BEHIND, "test.gov/auditor/w0 has cosigned 8 entries");
    /* It grows past what the witnesses have: now it is a fork. */
    fx_append(log, 9);
    ends(fx, log, backup, LB_LOG_FORK, "test.gov/auditor/w0 has cosigned another history");
    lb_log_close(log);
    log = fx_open_log(fx, anew);
    ends(fx, log, anew, LB_LOG_BEHIND, "cosigned 8 entries");
    fx_append(log, 8);
    ends(fx, log, anew, LB_LOG_FORK, "another history");
    lb_log_close(log);
    /* One witness that can be asked is enough, the last one too. */
    fx->witnesses[0].away = fx->witnesses[1].away = true;
    log = fx_open_log(fx, fx_path(fx, "anew2"));
    ends(fx, log, fx_path(fx, "anew2"), LB_LOG_BEHIND, "test.gov/auditor/w2");
    lb_log_close(log);
    lb_submitter_free(fx->submitter);
    fx->submitter = NULL;
    /* The real one starts. */
    begin(fx);
}

/* What a witness says against a log that shows less than this witness has cosigned. */
static struct lb_span evidence_of(struct fixture *fx, size_t i, struct lb_span body)
{
    struct lb_witness_reply reply = {.body = LB_SPAN_EMPTY};
    assert_ok(lb_witness_add(fx->witnesses[i].witness, FX_PEER, &fx->verifier, body, fx->arena,
                             &reply));
    return reply.evidence;
}

static void starts(struct fixture *fx, struct lb_log *log, const char *folder)
{
    lb_submitter_free(fx->submitter);
    fx->submitter = NULL;
    fx_later(fx, 61000);
    assert_ok(fx_submitter(fx, log, folder));
    assert_ok(lb_submitter_ask(fx->submitter, &fx->diag));
}

/* A witness's word alone is an alert; it stops a log with this log's own signature under another
 * history, and its own, or not at all. */
static void a_word_without_proof_stops_nobody(void **state)
{
    struct fixture *fx = *state;
    const char *other = fx_path(fx, "other");
    struct fx_witness *liar = &fx->witnesses[0];
    fx_append(fx->log, 4);
    struct lb_span small = fx_body(fx, fx->log, 0);
    fx_append(fx->log, 4);
    begin(fx);
    struct lb_span mine = evidence_of(fx, 0, small), others = evidence_of(fx, 1, small);
    assert_true(mine.len > 0 && others.len > 0);
    /* Signed by both, but of a log with other keys; and what it cosigned of this very history. */
    struct lb_span note, own_word;
    const struct lb_checkpoint larger = {.origin = FX_ORIGIN, .size = 999};
    assert_ok(lb_checkpoint_sign(&larger, liar->key, fx->arena, &note));
    assert_ok(lb_cosign(note, liar->name, liar->key, 1763700000, fx->arena, &own_word));
    const char *foreign =
        lb_arena_printf(fx->arena, "%.*s%.*s", (int)note.len, (const char *)note.ptr,
                        (int)own_word.len, (const char *)own_word.ptr);
    const struct lb_span shown[] = {LB_SPAN_EMPTY, lb_span_str("x"), others,
                                    fx_head(fx, fx->log).checkpoint, lb_span_str(foreign),
                                    lb_span_of(mine.ptr, mine.len - 1), mine};
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        liar->shows = shown[i];
        liar->lies = 409;
        liar->lie = "999\n";
        starts(fx, fx->log, fx->folder);
        liar->lies = 422;
        liar->lie = "";
        starts(fx, fx->log, fx->folder);
        assert_true(view(fx).witnessed_size >= 8);
    }
    /* The same evidence stops who really shows less, or something else. */
    fx->witnesses[1].away = fx->witnesses[2].away = true;
    liar->shows = mine;
    struct lb_log *log = fx_open_log(fx, other);
    fx_append(log, 1);
    liar->lies = 409;
    liar->lie = "8\n";
    ends(fx, log, other, LB_LOG_BEHIND, "test.gov/auditor/w0 has cosigned 8 entries");
    fx_append(log, 8);
    liar->lies = 422;
    ends(fx, log, other, LB_LOG_FORK, "test.gov/auditor/w0 has cosigned another history");
    /* And without it they start, unwitnessed. */
    liar->lies = 0;
    liar->mute = true;
    starts(fx, log, other);
    assert_int_equal(view(fx).witnessed_size, 0);
    lb_submitter_free(fx->submitter);
    fx->submitter = NULL;
    lb_log_close(log);
}

/* Its own memory of what was cosigned is enough, with every witness away. */
static void knows_by_itself_what_was_cosigned(void **state)
{
    struct fixture *fx = *state;
    const char *backup = fx_path(fx, "backup");
    fx_append(fx->log, 2);
    lb_log_close(fx->log);
    fx_copy(fx, fx->folder, backup);
    fx->log = fx_open_log(fx, fx->folder);
    fx_append(fx->log, 1);
    begin(fx);
    lb_submitter_free(fx->submitter);
    fx->submitter = NULL;
    struct lb_span cosigned;
    assert_int_equal(access(lb_arena_printf(fx->arena, "%s/cosigned.db-wal", fx->folder), F_OK),
                     -1);
    assert_ok(lb_file_read(lb_arena_printf(fx->arena, "%s/cosigned.db", fx->folder), 1 << 20,
                           fx->arena, &cosigned));
    assert_ok(lb_file_write(lb_arena_printf(fx->arena, "%s/cosigned.db", backup), cosigned, 0600));
    for (size_t i = 0; i < FX_WITNESSES; i++)
        fx->witnesses[i].away = true;
    struct lb_log *log = fx_open_log(fx, backup);
    ends(fx, log, backup, LB_LOG_BEHIND, "cosigned 3 entries of this log and here are 2");
    lb_log_close(log);
}

static void starts_without_witnesses(void **state)
{
    struct fixture *fx = *state;
    for (size_t i = 0; i < FX_WITNESSES; i++)
        fx->witnesses[i].away = true;
    begin(fx);
    assert_int_equal(view(fx).state, LB_SUBMIT_WITNESSED);
    assert_ok(lb_submitter_start(fx->submitter));
    assert_ok(lb_log_may_release(fx->log));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sends_what_is_new, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_interval, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(needs_its_quorum_and_no_more, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(warns_then_holds_then_recovers, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(counts_through_a_restart, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(takes_no_lie_for_a_cosignature, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(refuses_another_past, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(a_word_without_proof_stops_nobody, fx_set_up,
                                        fx_tear_down),
        cmocka_unit_test_setup_teardown(knows_by_itself_what_was_cosigned, fx_set_up,
                                        fx_tear_down),
        cmocka_unit_test_setup_teardown(starts_without_witnesses, fx_set_up, fx_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
