#include "gateway/ctl/doctor_fixture.h"

#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/ctl/port.h"
#include "gateway/store/store.h"

/* What waits, for whom, and whom to call about it. */

#define HOUR_S 3600
#define DAY_S 86400

/* Runs SQL on the node's store; each @ stands for a time so long ago. */
static void put(struct ward *ward, const char *sql, int64_t ago_s)
{
    struct lb_store *store = NULL;
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    const struct lb_store_options options = {
        .path = fx_path(&ward->fx, "node-state/evidence.db"), .busy_timeout_ms = 5000};
    assert_ok(lb_store_open(&options, &store));
    lb_buf_init(&text, 1024);
    for (; *sql != 0; sql++) {
        if (*sql == '@')
            lb_buf_printf(&text, "%lld", (long long)(FX_NOW - ago_s));
        else
            lb_buf_put_u8(&text, (uint8_t)*sql);
    }
    lb_buf_put_u8(&text, 0);
    assert_ok(lb_buf_check(&text));
    assert_ok(lb_store_exec(store, (const char *)lb_buf_span(&text).ptr));
    lb_store_close(store);
}

static void run(struct ward *ward)
{
    (void)WARD_RUN(ward, NULL);
}

static void test_an_outbox(void **state)
{
    struct ward *ward = *state;
    ward_write_node(ward, FX_BROKER, "127.0.0.1:7001");
    run(ward);
    assert_string_equal(ward_state(ward, "outbox"), ""); /* it never held any */
    put(ward, "CREATE TABLE parcel(recipient TEXT, since INTEGER, sealed BLOB)", 0);
    put(ward, "INSERT INTO parcel VALUES('" FX_ADAPTER "', @, x'01')", 60);
    run(ward);
    ward_expect(ward, "outbox", "ok", "");
    put(ward, "INSERT INTO parcel VALUES('" FX_ADAPTER "', @, x'01')", HOUR_S);
    run(ward);
    ward_expect(ward, "outbox", "warn", "peer");
    assert_non_null(strstr(ward->out, "2, 3600 s"));
    put(ward, "INSERT INTO parcel VALUES('" FX_WINDOW "', @, NULL)", 9 * DAY_S); /* over */
    run(ward);
    ward_expect(ward, "outbox", "warn", "peer");
    put(ward, "INSERT INTO parcel VALUES('" FX_WINDOW "', @, x'01')", 2 * DAY_S);
    run(ward);
    ward_expect(ward, "outbox", "bad", "peer");
}

static void test_an_intake(void **state)
{
    struct ward *ward = *state;
    put(ward,
        "CREATE TABLE intake(came INTEGER, acked INTEGER, kind INTEGER, state INTEGER,"
        " changed INTEGER, tries INTEGER)", 0);
    put(ward, "CREATE TABLE intake_word(recipient TEXT, said INTEGER, code TEXT)", 0);
    run(ward);
    ward_expect(ward, "intake", "ok", "");
    ward_expect(ward, "intake-answers", "ok", "");
    assert_string_equal(ward_state(ward, "words"), "");
    put(ward, "INSERT INTO intake VALUES(@, NULL, 1, 1, 0, 0)", 2 * DAY_S);
    run(ward);
    ward_expect(ward, "intake", "warn", "own-clerks");
    put(ward, "INSERT INTO intake VALUES(@, @, 5, 1, @, 0)", 21 * DAY_S);
    put(ward, "INSERT INTO intake VALUES(@, @, 1, 6, @, 0)", 90 * DAY_S);
    run(ward);
    ward_expect(ward, "intake-answers", "warn", "own-clerks"); /* decided ones are none */
    put(ward, "UPDATE intake SET tries = 3, came = @ WHERE acked IS NULL", HOUR_S);
    put(ward, "INSERT INTO intake_word VALUES('" FX_WINDOW "', @, NULL)", HOUR_S);
    run(ward);
    ward_expect(ward, "intake", "ok", "");
    ward_expect(ward, "intake-program", "warn", "own-operations");
    ward_expect(ward, "words", "warn", "peer");
}

/* --- a window's agent --- */

struct agent {
    lb_status status;
    Lianban__V1__ListOverdueResponse *answer;
};

static lb_status fake_ask(void *ctx, const char *method, const void *request,
                          const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                          void *out)
{
    const struct agent *agent = ctx;
    (void)reply_kind;
    (void)arena;
    assert_string_equal(method, "ListOverdue");
    assert_true(((const Lianban__V1__ListOverdueRequest *)request)->waiting);
    LB_TRY(agent->status);
    *(Lianban__V1__ListOverdueResponse **)out = agent->answer;
    return LB_OK;
}

static void fake_close(void *ctx)
{
    (void)ctx;
}

static lb_status fake_open(void *ctx, const char *agent, struct lb_diag *diag,
                           struct lb_ctl_window_port *out)
{
    (void)diag;
    assert_int_equal(strncmp(agent, "unix:", 5), 0);
    *out = (struct lb_ctl_window_port){.ctx = ctx, .ask = fake_ask, .close = fake_close};
    return LB_OK;
}

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static void test_a_windows_parts(void **state)
{
    struct ward *ward = *state;
    Lianban__V1__ListOverdueResponse answer = LIANBAN__V1__LIST_OVERDUE_RESPONSE__INIT;
    Lianban__V1__OverduePart rows[2] = {LIANBAN__V1__OVERDUE_PART__INIT,
                                        LIANBAN__V1__OVERDUE_PART__INIT};
    Lianban__V1__CasePart parts[2] = {LIANBAN__V1__CASE_PART__INIT, LIANBAN__V1__CASE_PART__INIT};
    Lianban__V1__OverduePart *list[2] = {&rows[0], &rows[1]};
    struct agent agent = {LB_OK, &answer};
    const struct lb_ctl_remote remote = {.ctx = &agent, .open_window = fake_open};
    ward->remote = &remote;
    ward_write_node(ward, FX_WINDOW, "unix:agent.sock");
    run(ward);
    ward_expect(ward, "parts", "ok", "");
    for (size_t i = 0; i < 2; i++) {
        rows[i].part = &parts[i];
        parts[i].department = text(i == 0 ? "tax" : "housing");
        parts[i].state = text("WAITING");
        parts[i].since_unix_s = FX_NOW - 60;
    }
    answer.parts = list;
    answer.n_parts = 2;
    run(ward);
    ward_expect(ward, "parts", "ok", "");
    parts[0].since_unix_s = FX_NOW - HOUR_S;
    run(ward);
    ward_expect(ward, "parts", "warn", "peer");
    parts[0].since_unix_s = FX_NOW - 60;
    parts[1].state = text("DEAD");
    run(ward);
    ward_expect(ward, "parts", "warn", "own-clerks");
    agent.status = LB_FAULT(LB_UNAVAILABLE, "test");
    run(ward);
    ward_expect(ward, "parts", "warn", "own-operations");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WARD_TEST(test_an_outbox),
        WARD_TEST(test_an_intake),
        WARD_TEST(test_a_windows_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
