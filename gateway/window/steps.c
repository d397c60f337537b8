#include <string.h>

#include "gateway/window/fixture.h"
#include "gateway/wire/pb.h"

/* What a window system does with its agent. */

const char *fx_open_request(struct fixture *fx, Lianban__V1__OpenCaseRequest *request,
                            lb_status *out_status)
{
    Lianban__V1__OpenCaseResponse *response = NULL;
    *out_status = lb_window_open(fx->window, request, fx->arena, &response);
    return *out_status == LB_OK ? response->case_id : NULL;
}

static Lianban__V1__Member *member(struct fixture *fx, const char *role, const char *id_no,
                                   const char *name, const char *relation)
{
    Lianban__V1__Member *made = lb_arena_alloc(fx->arena, sizeof(*made));
    lianban__v1__member__init(made);
    made->role = (char *)(uintptr_t)role;
    made->id_no = (char *)(uintptr_t)id_no;
    made->name = (char *)(uintptr_t)name;
    made->relation = (char *)(uintptr_t)relation;
    return made;
}

const char *fx_open(struct fixture *fx, bool family)
{
    Lianban__V1__Member *members[] = {
        member(fx, "applicant", fx_id(fx, "19800101", 11), "张三丰", ""),
        member(fx, "member", fx_id(fx, "19820202", 22), "李四维", "spouse"),
        member(fx, "child", fx_id(fx, "20150303", 33), "张小宝", "child"),
    };
    Lianban__V1__OpenCaseRequest request = LIANBAN__V1__OPEN_CASE_REQUEST__INIT;
    lb_status status = LB_OK;
    request.form = (char *)(uintptr_t) "test-aid";
    request.members = members;
    request.n_members = family ? 3 : 1;
    request.operator_badge = (char *)(uintptr_t) "B-0042";
    request.operator_unit = (char *)(uintptr_t) "窗口3";
    const char *case_id = fx_open_request(fx, &request, &status);
    assert_ok(status);
    return case_id;
}

void fx_agree(struct fixture *fx, const char *case_id)
{
    Lianban__V1__RequestGrantsResponse *response = NULL;
    assert_ok(lb_window_request_grants(fx->window, case_id, fx->arena, &response));
    for (size_t i = 0; i < fx->num_tickets; i++)
        fx->tickets[i].agreed = true;
}

/* --- listening --- */

static void kick(void *ctx)
{
    struct fx_listener *listener = ctx;
    (void)pthread_mutex_lock(&listener->lock);
    listener->kicks++;
    (void)pthread_cond_broadcast(&listener->over);
    (void)pthread_mutex_unlock(&listener->lock);
}

static void finish(void *ctx, lb_status status)
{
    struct fx_listener *listener = ctx;
    (void)pthread_mutex_lock(&listener->lock);
    assert_false(listener->finished);
    listener->finished = true;
    listener->status = status;
    (void)pthread_cond_broadcast(&listener->over);
    (void)pthread_mutex_unlock(&listener->lock);
}

void fx_listener_init(struct fx_listener *listener)
{
    memset(listener, 0, sizeof(*listener));
    (void)pthread_mutex_init(&listener->lock, NULL);
    (void)pthread_cond_init(&listener->over, NULL);
}

struct lb_listener_port fx_listener_port(struct fx_listener *listener)
{
    return (struct lb_listener_port){listener, kick, finish};
}

void fx_listener_wait(struct fx_listener *listener)
{
    (void)pthread_mutex_lock(&listener->lock);
    while (!listener->finished)
        (void)pthread_cond_wait(&listener->over, &listener->lock);
    (void)pthread_mutex_unlock(&listener->lock);
}

Lianban__V1__CaseEvent *fx_listener_next(struct fixture *fx, struct fx_listener *listener)
{
    struct lb_buf buf;
    Lianban__V1__CaseEvent *event = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    if (lb_case_listener_fill(listener->listener, &buf))
        assert_ok(lb_pb_unpack(&lianban__v1__case_event__descriptor, lb_buf_span(&buf), fx->arena,
                               &event));
    lb_buf_cleanup(&buf);
    return event;
}

void fx_listener_close(struct fx_listener *listener)
{
    if (listener->listener != NULL)
        lb_case_listener_close(listener->listener);
    (void)pthread_cond_destroy(&listener->over);
    (void)pthread_mutex_destroy(&listener->lock);
}

void fx_run(struct fixture *fx, const char *case_id, struct fx_collected *out)
{
    struct fx_listener listener;
    memset(out, 0, sizeof(*out));
    fx_listener_init(&listener);
    const struct lb_listener_port port = fx_listener_port(&listener);
    assert_ok(lb_window_collect(fx->window, case_id, &port, &listener.listener));
    fx_listener_wait(&listener);
    out->status = listener.status;
    for (Lianban__V1__CaseEvent *event = fx_listener_next(fx, &listener); event != NULL;
         event = fx_listener_next(fx, &listener)) {
        assert_null(out->result); /* the result is last */
        if (event->body_case == LIANBAN__V1__CASE_EVENT__BODY_RESULT)
            out->result = event->result;
        else
            out->facts[out->num_facts++] = event->fact;
    }
    /* One kick serves all that came before it was started. */
    assert_true(listener.kicks > 0 || out->num_facts == 0);
    fx_listener_close(&listener);
}

Lianban__V1__CaseFact *fx_fact(const struct fx_collected *collected, uint32_t index,
                               const char *fact)
{
    Lianban__V1__CaseFact *found = NULL;
    for (size_t i = 0; i < collected->num_facts; i++) {
        if (collected->facts[i]->member == index && strcmp(collected->facts[i]->fact, fact) == 0)
            found = collected->facts[i];
    }
    if (found == NULL)
        fail_msg("no event about %s of member %u", fact, index);
    return found;
}

Lianban__V1__CaseResult *fx_get(struct fixture *fx, const char *case_id)
{
    Lianban__V1__CaseResult *result = NULL;
    assert_ok(lb_window_get(fx->window, case_id, fx->arena, &result));
    return result;
}

bool fx_is_tax(const struct fixture *fx, const Lianban__V1__CollectEvent *event)
{
    const struct fx_adapter *tax = &fx->adapters[FX_TAX];
    return tax->num_asked > 0 &&
           memcmp(event->txn.data, tax->asked[tax->num_asked - 1].txn, 16) == 0;
}

void fx_assert_refused(const struct fx_collected *got, const char *what)
{
    const Lianban__V1__CaseFact *wage = fx_fact(got, 0, "wage12");
    if (strcmp(wage->state, "unavailable") != 0 || strcmp(wage->code, "RECEIPT_INVALID") != 0)
        fail_msg("%s: %s %s", what, wage->state, wage->code);
    assert_false(wage->receipt_ok);
    assert_string_equal(wage->shown, "");
    assert_string_equal(fx_fact(got, 0, "firms")->shown, "");
    assert_string_equal(fx_fact(got, 0, "region")->state, "ok");
    assert_string_equal(fx_fact(got, 0, "severe")->state, "ok");
    assert_string_equal(got->result->class_id, "MANUAL");
    assert_int_equal(got->result->receipts_checked, 3);
    assert_int_equal(got->result->receipts_failed, 1);
}
