#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_fixture.h"
#include "gateway/wire/pb.h"

/* A broker that is killed at any instant, again and again, on the same files: what it has said is
 * so when it is back, and every parcel was handed over once by its own log. */

#define PARCELS 100
#define KILLS 3
#define END 0x80U  /* of what is said: a parcel's number, and whether it was its end */

static void say(int fd, unsigned what)
{
    uint8_t byte = (uint8_t)what;
    if (write(fd, &byte, 1) != 1)
        _exit(1);
}

static bool is_of(const Lianban__V1__ParcelReceipt *receipt, unsigned i)
{
    return receipt->name.data[0] == i;
}

/* One after the other: held, given, delivered, told. What was told before comes again, since the
 * agent takes none of it. */
static void pass_on(struct ofx *fx, struct ofx_link *link, struct ofx_follow *follow, unsigned i,
                    int fd)
{
    Lianban__V1__ParcelReceipt *receipt = NULL;
    const Lianban__V1__ParcelEvent *event = NULL;
    if (ofx_submit(fx, &fx->street, ofx_parcel(fx, (uint8_t)i, &fx->street, &fx->tax), &receipt) !=
        LB_OK)
        _exit(2);
    say(fd, i);
    if (strcmp(receipt->code, "HELD") == 0) {
        const Lianban__V1__RoutedParcel *given = ofx_given(link);
        if (given == NULL || ofx_say(link, given->parcel, "DELIVERED", true) != LB_OK)
            _exit(3);
    }
    do
        event = ofx_outcome(follow, "DELIVERED");
    while (event != NULL && !is_of(event->receipt, i));
    if (event == NULL)
        _exit(4);
    say(fd, i | END);
}

static void serve(struct ofx *fx, int fd)
{
    struct ofx_link link;
    struct ofx_follow follow;
    unsigned first = (unsigned)ofx_rows(fx, "ended IS NOT NULL") + 1;
    ofx_link(fx, &link, &fx->tax);
    if (ofx_follow(fx, &follow, &fx->street) != LB_OK)
        _exit(6);
    for (unsigned i = first; i <= PARCELS; i++)
        pass_on(fx, &link, &follow, i, fd);
    while (true)
        (void)pause();
}

/* Everything a broker said before it was killed, a few words later. */
static size_t run_and_kill(struct ofx *fx, uint8_t *said, size_t max)
{
    int pipes[2];
    uint8_t dice[2] = {0};
    size_t num = 0;
    assert_int_equal(pipe(pipes), 0);
    lb_status_ignore(lb_crypto_random(dice, sizeof(dice)));
    size_t wanted = 1 + dice[0] % 12;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(pipes[0]);
        ofx_begin(fx);
        serve(fx, pipes[1]);
    }
    (void)close(pipes[1]);
    while (num < wanted && read(pipes[0], said + num, 1) == 1)
        num++;
    (void)usleep((useconds_t)dice[1] * 20);
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (num < max && read(pipes[0], said + num, 1) == 1)
        num++;
    (void)close(pipes[0]);
    assert_true(num >= wanted);
    return num;
}

/* How often the broker's log has an entry with this code about each parcel. */
static void count_entries(struct ofx *fx, const char *code, unsigned counts[PARCELS + 1])
{
    struct lb_log_head head;
    memset(counts, 0, (PARCELS + 1) * sizeof(counts[0]));
    assert_ok(lb_log_head(fx->broker.log, fx->arena, &head));
    for (uint64_t at = 0; at < head.size; at++) {
        struct lb_span bytes = LB_SPAN_EMPTY;
        struct lb_leaf leaf;
        assert_ok(lb_log_leaf(fx->broker.log, at, fx->arena, &bytes));
        assert_ok(lb_leaf_decode(bytes, &leaf));
        if (leaf.type != LB_LEAF_PARCEL || strcmp(leaf.code, code) != 0)
            continue;
        assert_in_range(leaf.txn[0], 1, PARCELS);
        counts[leaf.txn[0]]++;
    }
}

static int64_t rows_of(struct ofx *fx, unsigned i, const char *and_that)
{
    return ofx_rows(fx, lb_arena_printf(fx->arena, "substr(name, 1, 1) = x'%02x' AND %s", i,
                                        and_that));
}

static void check(struct ofx *fx, const uint8_t *said, size_t num)
{
    unsigned held[PARCELS + 1], handed[PARCELS + 1];
    ofx_begin(fx);
    count_entries(fx, "HELD", held);
    count_entries(fx, "HANDED", handed);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(rows_of(fx, said[i] & ~END, "1"), 1);
        if ((said[i] & END) != 0)
            assert_int_equal(rows_of(fx, said[i] & ~END, "ended IS NOT NULL"), 1);
    }
    for (unsigned i = 1; i <= PARCELS; i++) {
        assert_int_equal(held[i], rows_of(fx, i, "1"));
        assert_int_equal(handed[i], rows_of(fx, i, "ended IS NOT NULL AND sealed IS NULL"));
        assert_true(handed[i] <= held[i] && held[i] <= 1);
    }
    ofx_end(fx);
}

static void what_was_said_is_so_after_any_kill(void **state)
{
    struct ofx *fx = ofx_make();
    (void)state;
    for (unsigned i = 0; i < KILLS; i++) {
        uint8_t said[4 * PARCELS];
        size_t num = run_and_kill(fx, said, sizeof(said));
        check(fx, said, num);
    }
    ofx_free(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_said_is_so_after_any_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
