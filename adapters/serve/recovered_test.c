#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "adapters/serve/link.h"
#include "gateway/base/buf.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"

/* A broker whose log is said to be lost: the adapter holds that against what it saw. */

#define SIZE 12

static void kick(void *ctx)
{
    (void)ctx;
}

static void fail_link(void *ctx, lb_status status)
{
    (void)ctx;
    lb_status_ignore(status);
}

/* What was seen of the broker's log, as a version before this one left it. */
static struct lb_seen *seen_before(struct fixture *fx)
{
    struct lb_seen *seen = NULL;
    struct lb_buf content;
    const uint8_t root[32] = {7};
    uint8_t digest[32];
    char hex[65];
    lb_sha256(lb_span_str(lb_spiffe_log_origin(FX_BROKER)), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    assert_ok(lb_file_mkdirs(fed_path(&fx->fed, "seen")));
    lb_buf_init(&content, 64);
    lb_buf_put_u64(&content, SIZE);
    lb_buf_put(&content, lb_span_of(root, sizeof(root)));
    assert_ok(lb_file_write(fed_path(&fx->fed, lb_arena_printf(fx->arena, "seen/%s", hex)),
                            lb_buf_span(&content), 0600));
    lb_buf_cleanup(&content);
    assert_ok(lb_seen_new(fed_path(&fx->fed, "seen"), &seen));
    return seen;
}

static lb_status link_to(struct fixture *fx, struct lb_seen *seen, struct lb_adapter_link **out)
{
    const struct lb_adapter_link_options options = {
        .serve = fx->serve, .log = fx->log, .trust = fx->fed.trust, .workers = fx->workers,
        .policy = fx->policy, .broker = FX_BROKER, .seen = seen,
        .port = {fx, kick, fail_link},
    };
    return lb_adapter_link_new(&options, out);
}

static void try_loss(uint64_t size, uint8_t first, enum lb_code code)
{
    struct fixture fx;
    struct fed_party next;
    struct lb_adapter_link *old = NULL, *link = NULL;
    fx_setup(&fx);
    fed_party_make(&next);
    struct lb_seen *seen = seen_before(&fx);
    assert_ok(link_to(&fx, seen, &old));
    const struct fed_loss loss = {.spiffe = FX_BROKER, .lost = fx.broker.log_key,
                                  .next = next.log_key, .seen_by = FX_ADAPTER, .size = size,
                                  .root = {first}};
    fed_recover(&fx.fed, &loss);
    lb_status status = link_to(&fx, seen, &link);
    assert_code(lb_status_code(status), code);
    if (status == LB_OK)
        lb_adapter_link_close(link);
    /* Over the link that stands, the lost log's broker says nothing more either. */
    assert_code(lb_status_code(lb_adapter_link_receive(old, LB_SPAN_EMPTY)), LB_KEY_CHANGED);
    lb_adapter_link_close(old);
    lb_seen_free(seen);
    fed_party_free(&next);
    fx_teardown(&fx);
}

static void the_loss_must_name_what_the_adapter_saw(void **state)
{
    (void)state;
    try_loss(SIZE, 7, LB_CODE_OK);
    try_loss(SIZE + 1, 1, LB_CODE_OK);
    try_loss(SIZE - 1, 7, LB_LOG_BEHIND);
    try_loss(SIZE, 8, LB_LOG_FORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_must_name_what_the_adapter_saw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
