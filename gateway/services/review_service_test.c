#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect.h"
#include "gateway/services/review_service.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"
#include "tests/support/federation.h"

#define ADAPTER "spiffe://test.gov/adapter/tax"
#define OFFICER "spiffe://test.gov/officer/tax/li"
#define STRANGER "spiffe://test.gov/officer/health/wang"
#define WINDOW "spiffe://test.gov/window/tax"
#define ID_NO "990000196001010013" /* nobody's: region 99 */

struct ground {
    struct federation fed;
    struct fed_party parties[4];
    struct lb_x25519_key officer;
    struct lb_log *log;
    uint8_t pseudonym_key[32];
    uint8_t salt[32];
    struct lb_review_service service;
};

/* Two keys: the name of today, and one of before. */
static size_t names_of(void *ctx, const char id_no[19], uint8_t (*out_names)[32])
{
    const struct ground *ground = ctx;
    lb_hmac_sha256(lb_span_of(ground->pseudonym_key, 32), lb_span_str(id_no), out_names[0]);
    lb_hmac_sha256(lb_span_of(ground->salt, 32), lb_span_str(id_no), out_names[1]);
    return 2;
}

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
    struct lb_diag diag = {""};
    fed_setup(&ground.fed, "review");
    for (size_t i = 0; i < 4; i++)
        fed_party_make(&ground.parties[i]);
    fed_open(&ground.fed, &options);
    assert_ok(lb_x25519_generate(&ground.officer));
    const struct lb_log_options log = {
        .folder = fed_path(&ground.fed, "log"), .origin = lb_spiffe_log_origin(ADAPTER),
        .key = ground.parties[0].log_key, .clock = lb_clock_system(), .create = true,
        .officer_key = ground.officer.public_key,
    };
    assert_ok(lb_file_mkdirs(log.folder));
    assert_ok(lb_log_open(&log, &diag, &ground.log));
    memset(ground.pseudonym_key, 0x5C, sizeof(ground.pseudonym_key));
    memset(ground.salt, 0x11, sizeof(ground.salt));
    ground.service = (struct lb_review_service){"tax", ground.log, ground.fed.trust,
                                                {names_of, &ground}, true};
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_log_close(ground->log);
    for (size_t i = 0; i < 4; i++)
        fed_party_free(&ground->parties[i]);
    fed_teardown(&ground->fed);
    return 0;
}

static Lianban__V1__RecordReviewRequest request_of(struct ground *ground)
{
    Lianban__V1__RecordReviewRequest request = LIANBAN__V1__RECORD_REVIEW_REQUEST__INIT;
    request.kind = (char *)(uintptr_t)"WHO_SAW";
    request.query = (char *)(uintptr_t)"who-saw";
    request.reason = (char *)(uintptr_t)"complaint 17";
    request.salt = (ProtobufCBinaryData){sizeof(ground->salt), ground->salt};
    return request;
}

static enum lb_code ask(struct ground *ground, const char *peer_id,
                        const Lianban__V1__RecordReviewRequest *request,
                        Lianban__V1__RecordReviewResponse **out)
{
    const struct lb_rpc_peer peer = {.spiffe = peer_id};
    const struct lb_rpc_call_info info = {.peer = &peer};
    struct lb_rpc_method method;
    struct lb_span bytes, reply = LB_SPAN_EMPTY;
    lb_review_service_methods(&ground->service, &method);
    assert_string_equal(method.path, "/lianban.v1.Evidence/RecordReview");
    assert_ok(lb_pb_pack(request, ground->fed.arena, &bytes));
    lb_status status = method.unary(method.ctx, &info, bytes, ground->fed.arena, &reply);
    if (status == LB_OK)
        assert_ok(lb_pb_unpack(&lianban__v1__record_review_response__descriptor, reply,
                               ground->fed.arena, out));
    return lb_status_code(status);
}

static uint64_t size_of(struct ground *ground)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(ground->log, ground->fed.arena, &head));
    return head.size;
}

static void makes_an_entry_and_tells_the_pseudonym(void **state)
{
    struct ground *ground = *state;
    Lianban__V1__RecordReviewRequest request = request_of(ground);
    Lianban__V1__RecordReviewResponse *answer = NULL;
    struct lb_log_reader *reader = NULL;
    struct lb_diag diag;
    struct lb_leaf leaf;
    struct lb_span detail;
    uint8_t wanted[32];
    request.id_no = (char *)(uintptr_t)ID_NO;
    assert_code(ask(ground, OFFICER, &request, &answer), LB_CODE_OK);
    lb_hmac_sha256(lb_span_of(ground->pseudonym_key, 32), lb_span_str(ID_NO), wanted);
    assert_int_equal(answer->n_subjects, 2);
    assert_int_equal(answer->subjects[0].len, 32);
    assert_memory_equal(answer->subjects[0].data, wanted, 32);
    lb_hmac_sha256(lb_span_of(ground->salt, 32), lb_span_str(ID_NO), wanted);
    assert_memory_equal(answer->subjects[1].data, wanted, 32);
    assert_ok(lb_leaf_decode(lb_pb_span(answer->entry->leaf), &leaf));
    assert_int_equal(leaf.type, LB_LEAF_REVIEW);
    assert_string_equal(leaf.code, "WHO_SAW");
    assert_int_equal(size_of(ground), answer->entry->index + 1); /* durable before the answer */
    assert_ok(lb_log_reader_open(fed_path(&ground->fed, "log"), &diag, &reader));
    assert_ok(lb_log_reader_detail(reader, answer->entry->index, &ground->officer,
                                   ground->fed.arena, &detail));
    const char *text = lb_arena_str(ground->fed.arena, detail);
    assert_non_null(strstr(text, OFFICER));
    assert_non_null(strstr(text, "complaint 17"));
    assert_null(strstr(text, ID_NO));
    lb_log_reader_close(reader);
}

static void commits_to_what_was_asked(void **state)
{
    struct ground *ground = *state;
    Lianban__V1__RecordReviewRequest request = request_of(ground);
    Lianban__V1__RecordReviewResponse *answer = NULL;
    struct lb_leaf one, other;
    assert_code(ask(ground, OFFICER, &request, &answer), LB_CODE_OK);
    assert_ok(lb_leaf_decode(lb_pb_span(answer->entry->leaf), &one));
    assert_int_equal(answer->n_subjects, 0);
    request.query = (char *)(uintptr_t)"who-sax";
    assert_code(ask(ground, OFFICER, &request, &answer), LB_CODE_OK);
    assert_ok(lb_leaf_decode(lb_pb_span(answer->entry->leaf), &other));
    assert_memory_not_equal(one.request_hash, other.request_hash, 32);
}

static void refuses_everybody_but_the_own_officer(void **state)
{
    static const char *const others[] = {STRANGER, WINDOW, ADAPTER,
                                         "spiffe://test.gov/officer/tax/unlisted", ""};
    struct ground *ground = *state;
    const Lianban__V1__RecordReviewRequest request = request_of(ground);
    uint64_t size = size_of(ground);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_code(ask(ground, others[i], &request, NULL), LB_ROLE_NOT_ALLOWED);
    (void)usleep(1200000); /* refusals are counted, and written once a second */
    assert_true(size_of(ground) > size);
}

/* Each request is right but for one thing. */
static void refuses_what_is_malformed(void **state)
{
    struct ground *ground = *state;
    char long_kind[40], long_query[2100];
    uint8_t subject[32] = {7};
    memset(long_kind, 'A', sizeof(long_kind));
    long_kind[39] = 0;
    memset(long_query, 'q', sizeof(long_query));
    long_query[2099] = 0;
    Lianban__V1__RecordReviewRequest bad[10];
    size_t num = sizeof(bad) / sizeof(bad[0]);
    for (size_t i = 0; i < num; i++)
        bad[i] = request_of(ground);
    bad[0].kind = (char *)(uintptr_t)"";
    bad[1].kind = (char *)(uintptr_t)"who_saw";
    bad[2].kind = long_kind;
    bad[3].query = (char *)(uintptr_t)"two\nlines";
    bad[4].query = long_query;
    bad[5].salt.len = 31;
    bad[6].subject = (ProtobufCBinaryData){31, subject};
    bad[7].subject = (ProtobufCBinaryData){32, subject};
    bad[7].id_no = (char *)(uintptr_t)ID_NO;
    bad[8].id_no = (char *)(uintptr_t)"990000196001010014";
    bad[9].reason = (char *)(uintptr_t)"\x1b[2J";
    uint64_t size = size_of(ground);
    for (size_t i = 0; i < num; i++)
        assert_code(ask(ground, OFFICER, &bad[i], NULL), LB_MALFORMED);
    assert_int_equal(size_of(ground), size);
}

static void tells_no_pseudonym_where_none_are_kept(void **state)
{
    struct ground *ground = *state;
    Lianban__V1__RecordReviewRequest request = request_of(ground);
    Lianban__V1__RecordReviewResponse *answer = NULL;
    ground->service.names.of = NULL;
    assert_code(ask(ground, OFFICER, &request, &answer), LB_CODE_OK);
    request.id_no = (char *)(uintptr_t)ID_NO;
    assert_code(ask(ground, OFFICER, &request, &answer), LB_MALFORMED);
    ground->service.names.of = names_of;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_an_entry_and_tells_the_pseudonym),
        cmocka_unit_test(commits_to_what_was_asked),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(refuses_everybody_but_the_own_officer),
        cmocka_unit_test(tells_no_pseudonym_where_none_are_kept),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
