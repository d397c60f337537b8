#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>

#include "adapters/officer/officer.h"
#include "gateway/base/limits.h"

/* Between a read that waits and a station that may come, go, refuse, be late or lie. */

#define ARENA_BYTES 262144
#define LONG_MS 5000

struct ground {
    struct lb_officer_questions *questions;
    struct lb_arena *arena; /* the station's */
};

/* One read in a thread of its own. */
struct asking {
    pthread_t thread;
    struct lb_officer_asker *asker;
    struct lb_arena *arena;
    const char *txn;
    int64_t timeout_ms;
    size_t max_lines;
    size_t max_bytes;
    enum lb_code code;
    struct lb_officer_answer answer;
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int setup(void **state)
{
    static struct ground ground;
    const struct lb_officer_limits limits = {
        .max_open = 2, .max_stations = 1, .present_ms = 150, .again_ms = 60};
    assert_true(lb_officer_questions_new(&limits, &ground.questions) == LB_OK);
    ground.arena = lb_arena_new(ARENA_BYTES);
    assert_non_null(ground.arena);
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_officer_questions_stop(ground->questions);
    lb_officer_questions_free(ground->questions);
    lb_arena_free(ground->arena);
    return 0;
}

static void *ask(void *arg)
{
    struct asking *asking = arg;
    const struct lb_officer_question question = {
        .txn = lb_span_str(asking->txn),
        .view = lb_span_str("tax.accesses"),
        .purpose = lb_span_str("subject-access"),
        .grant = lb_span_str("grant"),
        .section = lb_span_str("section"),
        .subjects = lb_span_str("0123456789abcdef0123456789abcdef"),
        .max_lines = asking->max_lines,
        .max_bytes = asking->max_bytes,
    };
    asking->code = lb_status_code(lb_officer_ask(asking->asker, &question, asking->timeout_ms,
                                                 asking->arena, &asking->answer));
    return NULL;
}

static void begin(struct ground *ground, struct asking *asking, const char *txn, int64_t timeout_ms)
{
    *asking = (struct asking){.txn = txn, .timeout_ms = timeout_ms, .max_lines = 3,
                              .max_bytes = 20, .code = LB_INTERNAL};
    asking->arena = lb_arena_new(ARENA_BYTES);
    assert_non_null(asking->arena);
    assert_true(lb_officer_asker_new(ground->questions, &asking->asker) == LB_OK);
    assert_int_equal(pthread_create(&asking->thread, NULL, ask, asking), 0);
}

static enum lb_code end(struct asking *asking)
{
    assert_int_equal(pthread_join(asking->thread, NULL), 0);
    return asking->code;
}

static void release(struct asking *asking)
{
    lb_officer_asker_free(asking->asker);
    lb_arena_free(asking->arena);
}

static enum lb_code finish(struct asking *asking)
{
    enum lb_code code = end(asking);
    release(asking);
    return code;
}

static enum lb_code next(struct ground *ground, int64_t wait_ms, struct lb_officer_question *out)
{
    lb_arena_reset(ground->arena);
    return lb_status_code(lb_officer_next(ground->questions, wait_ms, ground->arena, out));
}

/* A station that was here and found nothing. */
static void look_in(struct ground *ground)
{
    struct lb_officer_question none;
    assert_int_equal(next(ground, 0, &none), LB_ABSENT);
}

static enum lb_code give(struct ground *ground, const uint8_t *id, const char *const *lines,
                         size_t num)
{
    struct lb_span spans[8];
    for (size_t i = 0; i < num; i++)
        spans[i] = lb_span_str(lines[i]);
    const struct lb_officer_answer answer = {num, spans};
    return lb_status_code(lb_officer_give(ground->questions,
                                          lb_span_of(id, LB_OFFICER_ID_BYTES), &answer));
}

static void a_question_is_answered(void **state)
{
    struct ground *ground = *state;
    static const char *const lines[] = {"one", "two"};
    struct lb_officer_question question;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn-1", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    assert_true(lb_span_is(question.txn, "txn-1") && lb_span_is(question.view, "tax.accesses") &&
                lb_span_is(question.purpose, "subject-access") &&
                lb_span_is(question.grant, "grant") && lb_span_is(question.section, "section"));
    assert_int_equal(question.subjects.len, 32);
    assert_in_range(question.left_ms, LONG_MS - 2000, LONG_MS);
    assert_int_equal(give(ground, question.id, lines, 2), LB_CODE_OK);
    assert_int_equal(end(&asking), LB_CODE_OK);
    assert_int_equal(asking.answer.num_lines, 2);
    assert_true(lb_span_is(asking.answer.lines[0], "one") &&
                lb_span_is(asking.answer.lines[1], "two"));
    release(&asking);
    assert_int_equal(give(ground, question.id, lines, 2), LB_QUESTION_GONE); /* once */
}

static void an_empty_list_is_an_answer(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question question;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    assert_int_equal(give(ground, question.id, NULL, 0), LB_CODE_OK);
    assert_int_equal(end(&asking), LB_CODE_OK);
    assert_int_equal(asking.answer.num_lines, 0);
    release(&asking);
}

static void without_a_station_nothing_waits(void **state)
{
    struct ground *ground = *state;
    struct asking asking;
    int64_t begun = now_ms();
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(finish(&asking), LB_SOURCE_UNAVAILABLE);
    assert_true(now_ms() - begun < LONG_MS / 2);
}

static void a_station_that_goes_is_noticed(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question question;
    struct asking asking;
    int64_t begun = now_ms();
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    assert_int_equal(finish(&asking), LB_SOURCE_UNAVAILABLE); /* it took the question along */
    assert_true(now_ms() - begun < LONG_MS / 2);
    assert_int_equal(give(ground, question.id, NULL, 0), LB_QUESTION_GONE);
}

static void the_deadline_ends_the_wait(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question question;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn", 80);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    assert_int_equal(finish(&asking), LB_SOURCE_TIMEOUT);
    assert_int_equal(give(ground, question.id, NULL, 0), LB_QUESTION_GONE);
    look_in(ground); /* and it is not handed out any more */
}

static void cancelling_ends_the_wait(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question question;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    lb_officer_cancel(asking.asker);
    assert_int_equal(finish(&asking), LB_SOURCE_TIMEOUT);
}

static void a_refusal_is_told_at_once(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question question;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    struct lb_span id = lb_span_of(question.id, LB_OFFICER_ID_BYTES);
    assert_true(lb_officer_refuse(ground->questions, id) == LB_OK);
    assert_int_equal(finish(&asking), LB_SOURCE_UNAVAILABLE);
    assert_int_equal(lb_status_code(lb_officer_refuse(ground->questions, id)), LB_QUESTION_GONE);
}

/* The first one died; the second gets the question, and of two answers the first counts. */
static void another_station_takes_over(void **state)
{
    struct ground *ground = *state;
    static const char *const first[] = {"first"}, *const second[] = {"second"};
    struct lb_officer_question question, again;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    look_in(ground); /* not twice at once */
    assert_int_equal(next(ground, LONG_MS, &again), LB_CODE_OK);
    assert_memory_equal(question.id, again.id, LB_OFFICER_ID_BYTES);
    assert_int_equal(give(ground, again.id, second, 1), LB_CODE_OK);
    assert_int_equal(give(ground, question.id, first, 1), LB_QUESTION_GONE);
    assert_int_equal(end(&asking), LB_CODE_OK);
    assert_true(lb_span_is(asking.answer.lines[0], "second"));
    release(&asking);
}

static void answers_are_bounded(void **state)
{
    struct ground *ground = *state;
    static char huge[LB_MAX_LIST_LINE_BYTES + 2];
    static const char *const many[] = {"a", "b", "c", "d"};
    static const char *const wide[] = {"0123456789", "012345678"};
    static const char *const blank[] = {"a", ""};
    static const char *const good[] = {"0123456789", "01234567"};
    const char *const longest[] = {huge};
    struct lb_officer_question question;
    struct asking asking;
    memset(huge, 'x', sizeof(huge) - 1);
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    assert_int_equal(give(ground, question.id, many, 4), LB_TOO_LARGE);
    assert_int_equal(give(ground, question.id, wide, 2), LB_TOO_LARGE);
    assert_int_equal(give(ground, question.id, longest, 1), LB_TOO_LARGE);
    assert_int_equal(give(ground, question.id, blank, 2), LB_MALFORMED);
    assert_int_equal(give(ground, question.id, good, 2), LB_CODE_OK); /* it was open still */
    assert_int_equal(finish(&asking), LB_CODE_OK);
}

static void nobody_guesses_a_question(void **state)
{
    struct ground *ground = *state;
    uint8_t id[LB_OFFICER_ID_BYTES] = {0};
    struct lb_officer_question question;
    struct asking asking;
    look_in(ground);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &question), LB_CODE_OK);
    assert_int_equal(give(ground, id, NULL, 0), LB_QUESTION_GONE);
    memcpy(id, question.id, sizeof(id));
    id[15] ^= 1;
    assert_int_equal(give(ground, id, NULL, 0), LB_QUESTION_GONE);
    assert_int_equal(lb_status_code(lb_officer_give(ground->questions, lb_span_of(id, 15),
                                                    &(struct lb_officer_answer){0, NULL})),
                     LB_QUESTION_GONE);
    assert_int_equal(give(ground, question.id, NULL, 0), LB_CODE_OK);
    assert_int_equal(finish(&asking), LB_CODE_OK);
}

static void questions_are_bounded_and_in_order(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question first, second;
    struct asking asking[3];
    look_in(ground);
    begin(ground, &asking[0], "a", LONG_MS);
    assert_int_equal(next(ground, LONG_MS, &first), LB_CODE_OK);
    begin(ground, &asking[1], "b", LONG_MS);
    struct lb_officer_question copy = first;
    assert_int_equal(next(ground, LONG_MS, &second), LB_CODE_OK);
    begin(ground, &asking[2], "c", LONG_MS);
    assert_int_equal(finish(&asking[2]), LB_SOURCE_UNAVAILABLE);
    assert_memory_not_equal(copy.id, second.id, LB_OFFICER_ID_BYTES);
    assert_int_equal(give(ground, second.id, NULL, 0), LB_CODE_OK);
    assert_int_equal(finish(&asking[1]), LB_CODE_OK);
    assert_int_equal(give(ground, copy.id, NULL, 0), LB_CODE_OK);
    assert_int_equal(finish(&asking[0]), LB_CODE_OK);
}

static void *wait_long(void *arg)
{
    struct ground *ground = arg;
    struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_officer_question question;
    enum lb_code code = LB_BUSY;
    while (code == LB_BUSY) /* the other station looks in meanwhile */
        code = lb_status_code(lb_officer_next(ground->questions, LONG_MS, arena, &question));
    lb_arena_free(arena);
    return (void *)(uintptr_t)code;
}

static void stations_are_bounded_and_stopped(void **state)
{
    struct ground *ground = *state;
    struct lb_officer_question none;
    struct asking asking;
    pthread_t station;
    void *code = NULL;
    int64_t begun = now_ms();
    assert_int_equal(pthread_create(&station, NULL, wait_long, ground), 0);
    while (next(ground, 1, &none) != LB_BUSY)
        assert_true(now_ms() - begun < 4 * LONG_MS);
    lb_officer_questions_stop(ground->questions);
    assert_int_equal(pthread_join(station, &code), 0);
    assert_int_equal((uintptr_t)code, LB_STOPPING);
    begin(ground, &asking, "txn", LONG_MS);
    assert_int_equal(finish(&asking), LB_SOURCE_UNAVAILABLE);
    assert_true(now_ms() - begun < LONG_MS / 2);
}

/* --- the source --- */

static void the_source_knows_one_query(void **state)
{
    struct ground *ground = *state;
    const struct lb_source_plugin plugin = lb_source_officer(ground->questions);
    const struct lb_source_limits limits = lb_source_all(3, LONG_MS);
    const struct lb_source_param params[] = {{"txn", LB_SPAN_EMPTY}};
    struct lb_source *source = NULL;
    struct lb_source_stmt *stmt = NULL;
    struct lb_source_result result;
    struct lb_diag diag = {""};
    assert_int_equal(plugin.api_version, LB_SOURCE_API_VERSION);
    const struct lb_source_options options = {.location = ""};
    const struct lb_source_query other = {.text = "SELECT 1"};
    const struct lb_source_query accesses = {.text = "accesses"};
    assert_true(plugin.open(plugin.ctx, &options, &diag, &source) == LB_OK);
    assert_int_equal(lb_status_code(plugin.prepare(source, &other, &diag, &stmt)),
                     LB_CONFIG_INVALID);
    assert_true(diag.text[0] != 0);
    assert_true(plugin.prepare(source, &accesses, &diag, &stmt) == LB_OK);
    assert_int_equal(lb_status_code(plugin.read(stmt, params, 1, &limits, ground->arena, &result)),
                     LB_INTERNAL);
    plugin.close(source);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_is_answered),
        TEST(an_empty_list_is_an_answer),
        TEST(without_a_station_nothing_waits),
        TEST(a_station_that_goes_is_noticed),
        TEST(the_deadline_ends_the_wait),
        TEST(cancelling_ends_the_wait),
        TEST(a_refusal_is_told_at_once),
        TEST(another_station_takes_over),
        TEST(answers_are_bounded),
        TEST(nobody_guesses_a_question),
        TEST(questions_are_bounded_and_in_order),
        TEST(stations_are_bounded_and_stopped),
        TEST(the_source_knows_one_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
