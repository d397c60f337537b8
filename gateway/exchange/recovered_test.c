#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/exchange/fixture.h"

/* An adapter whose log is said to be lost: the broker holds that against what it saw. */

static struct lb_log_head head;  /* of the lost log, as the broker saw it */

static enum lb_code show_lost_log(struct fixture *fx)
{
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    uint64_t size = 0;
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    assert_ok(lb_session_show(&fx->session, fx->arena, &batch.log, &size));
    return lb_status_code(fx_send_frame(fx, &frame));
}

/* Some entries that the broker sees. */
static void link_and_show(struct fixture *fx)
{
    fx_link(fx);
    for (int i = 0; i < 3; i++) {
        struct lb_log_entry *entry = calloc(1, sizeof(*entry));
        assert_non_null(entry);
        entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STARTED", .count = 1};
        assert_ok(lb_log_append_wait(fx->adapter_log, entry));
        free(entry);
    }
    assert_code(show_lost_log(fx), LB_CODE_OK);
    assert_ok(lb_log_head(fx->adapter_log, fx->arena, &head));
}

static void recover(struct fixture *fx, uint64_t size, uint8_t twist)
{
    struct fed_party next;
    fed_party_make(&next);
    struct fed_loss loss = {.spiffe = FX_ADAPTER, .lost = fx->adapter.log_key,
                            .next = next.log_key, .seen_by = FX_BROKER, .size = size};
    memcpy(loss.root, head.root.bytes, sizeof(loss.root));
    loss.root[0] ^= twist;
    fed_recover(&fx->fed, &loss);
    fed_party_free(&next);
}

static enum lb_code link_again(struct fixture *fx)
{
    const struct lb_broker_port port = {fx, NULL, NULL, true};
    struct lb_broker_link *link = NULL;
    lb_status status = lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &link);
    if (status == LB_OK)
        lb_broker_link_close(link);
    return lb_status_code(status);
}

static void the_loss_must_name_what_the_broker_saw(void **state)
{
    static const struct {
        int more;
        uint8_t twist;
        enum lb_code code;
    } losses[] = {
        {0, 0, LB_CODE_OK}, {1, 1, LB_CODE_OK}, {-1, 0, LB_LOG_BEHIND}, {0, 1, LB_LOG_FORK}};
    (void)state;
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        struct fixture fx;
        fx_setup(&fx);
        link_and_show(&fx);
        fx_unlink(&fx);
        recover(&fx, (uint64_t)((int64_t)head.size + losses[i].more), losses[i].twist);
        assert_code(link_again(&fx), losses[i].code);
        fx_teardown(&fx);
    }
}

/* Whoever has the lost log and its key still: over a link that stands, and over a new one. */
static void the_lost_log_says_nothing_more(void **state)
{
    struct fixture fx;
    (void)state;
    fx_setup(&fx);
    link_and_show(&fx);
    recover(&fx, head.size, 0);
    assert_code(show_lost_log(&fx), LB_KEY_CHANGED);
    fx_unlink(&fx);
    fx_link(&fx);
    assert_code(show_lost_log(&fx), LB_SIGNATURE_INVALID);
    fx_unlink(&fx);
    assert_code(link_again(&fx), LB_CODE_OK); /* that tells nothing against the new one */
    fx_teardown(&fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_must_name_what_the_broker_saw),
        cmocka_unit_test(the_lost_log_says_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
