#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/services/station_service.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"
#include "tests/support/federation.h"

#define ADAPTER "spiffe://test.gov/adapter/tax"
#define OFFICER "spiffe://test.gov/officer/tax/li"
#define STRANGER "spiffe://test.gov/officer/health/wang"
#define WINDOW "spiffe://test.gov/window/tax"

struct ground {
    struct federation fed;
    struct fed_party parties[4];
    struct lb_log *log;
    struct lb_officer_questions *questions;
    struct lb_station_service service;
};

static int setup(void **state)
{
    static struct ground ground;
    static const char *const organizations[] = {"tax", "health", NULL};
    const struct fed_node nodes[] = {{ADAPTER, &ground.parties[0]},
                                     {OFFICER, &ground.parties[1]},
                                     {STRANGER, &ground.parties[2]},
                                     {WINDOW, &ground.parties[3]}};
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = 4, .organizations = organizations};
    const struct lb_officer_limits limits = {4, 1, 2000, 500};
    struct lb_diag diag = {""};
    fed_setup(&ground.fed, "station");
    for (size_t i = 0; i < 4; i++)
        fed_party_make(&ground.parties[i]);
    fed_open(&ground.fed, &options);
    const struct lb_log_options log = {
        .folder = fed_path(&ground.fed, "log"), .origin = lb_spiffe_log_origin(ADAPTER),
        .key = ground.parties[0].log_key, .clock = lb_clock_system(), .create = true,
    };
    assert_ok(lb_file_mkdirs(log.folder));
    assert_ok(lb_log_open(&log, &diag, &ground.log));
    assert_ok(lb_officer_questions_new(&limits, &ground.questions));
    ground.service =
        (struct lb_station_service){"tax", ground.log, ground.fed.trust, ground.questions};
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_officer_questions_free(ground->questions);
    lb_log_close(ground->log);
    for (size_t i = 0; i < 4; i++)
        fed_party_free(&ground->parties[i]);
    fed_teardown(&ground->fed);
    return 0;
}

static enum lb_code call(struct ground *ground, size_t which, const char *peer_id,
                         const void *request, struct lb_span *reply)
{
    const struct lb_rpc_peer peer = {.spiffe = peer_id};
    const struct lb_rpc_call_info info = {.peer = &peer};
    struct lb_rpc_method methods[LB_STATION_METHODS];
    struct lb_span bytes;
    lb_station_service_methods(&ground->service, methods);
    assert_ok(lb_pb_pack(request, ground->fed.arena, &bytes));
    return lb_status_code(
        methods[which].unary(methods[which].ctx, &info, bytes, ground->fed.arena, reply));
}

static enum lb_code next(struct ground *ground, const char *peer, uint32_t wait_ms,
                         Lianban__V1__NextAccessQuestionResponse **out)
{
    Lianban__V1__NextAccessQuestionRequest request =
        LIANBAN__V1__NEXT_ACCESS_QUESTION_REQUEST__INIT;
    struct lb_span reply = LB_SPAN_EMPTY;
    request.wait_ms = wait_ms;
    enum lb_code code = call(ground, 0, peer, &request, &reply);
    if (code == LB_CODE_OK)
        assert_ok(lb_pb_unpack(&lianban__v1__next_access_question_response__descriptor, reply,
                               ground->fed.arena, out));
    return code;
}

static enum lb_code answer(struct ground *ground, const char *peer, ProtobufCBinaryData id,
                           bool refused, size_t num)
{
    static char line[] = "{}";
    static char *lines[600];
    Lianban__V1__AnswerAccessQuestionRequest request =
        LIANBAN__V1__ANSWER_ACCESS_QUESTION_REQUEST__INIT;
    struct lb_span reply = LB_SPAN_EMPTY;
    for (size_t i = 0; i < num; i++)
        lines[i] = line;
    request.id = id;
    request.refused = refused;
    request.n_lines = num;
    request.lines = lines;
    return call(ground, 1, peer, &request, &reply);
}

static void refuses_everybody_but_the_own_officer(void **state)
{
    static const char *const others[] = {STRANGER, WINDOW, ADAPTER,
                                         "spiffe://test.gov/officer/tax/unlisted", ""};
    struct ground *ground = *state;
    struct lb_log_head before, after;
    Lianban__V1__NextAccessQuestionResponse *none = NULL;
    uint8_t id[16] = {1};
    assert_ok(lb_log_head(ground->log, ground->fed.arena, &before));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_code(next(ground, others[i], 0, &none), LB_ROLE_NOT_ALLOWED);
        assert_code(answer(ground, others[i], (ProtobufCBinaryData){16, id}, false, 0),
                    LB_ROLE_NOT_ALLOWED);
    }
    for (int i = 0; i < 30; i++) { /* refusals are counted, and written once a second */
        (void)usleep(100000);
        assert_ok(lb_log_head(ground->log, ground->fed.arena, &after));
        if (after.size > before.size)
            return;
    }
    fail_msg("no entry of the refusals");
}

static void bounds_what_a_station_says(void **state)
{
    struct ground *ground = *state;
    Lianban__V1__NextAccessQuestionResponse *reply = NULL;
    uint8_t id[16] = {1};
    const ProtobufCBinaryData unknown = {16, id}, shorter = {15, id};
    assert_code(next(ground, OFFICER, 10001, &reply), LB_MALFORMED);
    assert_code(next(ground, OFFICER, 0, &reply), LB_CODE_OK);
    assert_null(reply->question);
    assert_code(answer(ground, OFFICER, unknown, false, 1), LB_QUESTION_GONE);
    assert_code(answer(ground, OFFICER, shorter, false, 1), LB_QUESTION_GONE);
    assert_code(answer(ground, OFFICER, unknown, true, 0), LB_QUESTION_GONE);
    assert_code(answer(ground, OFFICER, unknown, true, 1), LB_MALFORMED);
    assert_code(answer(ground, OFFICER, unknown, false, 513), LB_TOO_LARGE);
}

struct asking {
    struct lb_officer_asker *asker;
    struct lb_arena *arena;
    enum lb_code code;
    struct lb_officer_answer answer;
};

static void *ask(void *arg)
{
    static const uint8_t subjects[64] = {7};
    struct asking *asking = arg;
    const struct lb_officer_question question = {
        .txn = lb_span_str("0123456789abcdef"), .view = lb_span_str("tax.accesses"),
        .purpose = lb_span_str("oversight"), .grant = lb_span_str("g"),
        .section = lb_span_str("s"), .subjects = lb_span_of(subjects, sizeof(subjects)),
        .max_lines = 3, .max_bytes = 100};
    asking->code = lb_status_code(
        lb_officer_ask(asking->asker, &question, 5000, asking->arena, &asking->answer));
    return NULL;
}

static void carries_a_question_and_its_answer(void **state)
{
    struct ground *ground = *state;
    struct asking asking = {.arena = lb_arena_new(65536)};
    Lianban__V1__NextAccessQuestionResponse *reply = NULL;
    pthread_t thread;
    assert_code(next(ground, OFFICER, 0, &reply), LB_CODE_OK);
    assert_ok(lb_officer_asker_new(ground->questions, &asking.asker));
    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    assert_code(next(ground, OFFICER, 5000, &reply), LB_CODE_OK);
    const Lianban__V1__AccessQuestion *question = reply->question;
    assert_non_null(question);
    assert_int_equal(question->id.len, 16);
    assert_int_equal(question->txn.len, 16);
    assert_string_equal(question->view, "tax.accesses");
    assert_string_equal(question->purpose, "oversight");
    assert_int_equal(question->n_subjects, 2);
    assert_int_equal(question->subjects[1].len, 32);
    assert_int_equal(question->max_lines, 3);
    assert_true(question->left_ms > 0 && question->left_ms <= 5000);
    assert_code(answer(ground, OFFICER, question->id, false, 4), LB_TOO_LARGE);
    assert_code(answer(ground, OFFICER, question->id, false, 2), LB_CODE_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_code(asking.code, LB_CODE_OK);
    assert_int_equal(asking.answer.num_lines, 2);
    lb_officer_asker_free(asking.asker);
    lb_arena_free(asking.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_everybody_but_the_own_officer),
        cmocka_unit_test(bounds_what_a_station_says),
        cmocka_unit_test(carries_a_question_and_its_answer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
