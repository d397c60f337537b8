#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "adapters/serve/job.h"
#include "adapters/sqlite/sqlite.h"
#include "gateway/crypto/hash.h"

/* Reads that came together, over a database that is slow for one person, or that is elsewhere. */

#define NUM_READS 6
#define STEP_US 1000
#define STEPS 4000

static struct {
    atomic_bool stalls;      /* for FX_ELDER, as long as that is so */
    atomic_int num_stalled;  /* how often such a read was begun */
    atomic_int waiting;      /* reads that are inside at this moment */
    atomic_bool meets;       /* reads wait until there are two of them */
    atomic_bool met;
} fake;

static bool is_about(const struct lb_source_param *params, size_t num_params, const char *id_no)
{
    for (size_t i = 0; i < num_params; i++)
        if (strcmp(params[i].name, "id_no") == 0)
            return lb_span_is(params[i].value, id_no);
    return false;
}

/* Gives up when its time is over, as every source does. */
static lb_status stall(int64_t timeout_ms)
{
    (void)atomic_fetch_add(&fake.num_stalled, 1);
    for (int64_t waited_us = 0; atomic_load(&fake.stalls); waited_us += STEP_US) {
        LB_ENSURE(waited_us < timeout_ms * 1000, LB_SOURCE_TIMEOUT, "slow");
        (void)usleep(STEP_US);
    }
    return LB_OK;
}

static void meet(void)
{
    if (atomic_fetch_add(&fake.waiting, 1) + 1 >= 2)
        atomic_store(&fake.met, true);
    for (int i = 0; i < STEPS && !atomic_load(&fake.met); i++)
        (void)usleep(STEP_US);
    (void)atomic_fetch_sub(&fake.waiting, 1);
}

static lb_status fake_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                           size_t num_params, const struct lb_source_limits *limits,
                           struct lb_arena *arena, struct lb_source_result *out_result)
{
    if (atomic_load(&fake.stalls) && is_about(params, num_params, FX_ELDER))
        LB_TRY(stall(limits->timeout_ms));
    if (atomic_load(&fake.meets))
        meet();
    return lb_source_sqlite()->read(stmt, params, num_params, limits, arena, out_result);
}

/* --- many reads, and what came of each --- */

struct told {
    atomic_int *order;  /* of those told so far */
    atomic_int place;   /* 0: not yet */
    enum lb_code code;
    bool more;
    pthread_t thread;
};

static void tell(void *ctx, const struct lb_serve_answer *answer)
{
    struct told *told = ctx;
    told->code = answer->code;
    told->more = answer->more;
    told->thread = pthread_self();
    atomic_store(&told->place, atomic_fetch_add(told->order, 1) + 1);
}

static lb_status add(struct fixture *fx, const struct fx_built *built, lb_serve_done done,
                     void *ctx, struct lb_serve_batch *batch)
{
    struct lb_serve_route route = {.leaf = {{1, 2, 3}}};
    lb_sha256(built->ciphertext, route.request_sha256);
    return lb_serve_add(fx->serve, built->request, &route, done, ctx, batch);
}

/* The ask lives as long as what was built of it. */
static void build(struct fixture *fx, const char *id_no, struct fx_built *out)
{
    struct fx_ask *ask = lb_arena_alloc(fx->arena, sizeof(*ask));
    assert_non_null(ask);
    fx_ask_honest(fx, ask);
    ask->id_no = ask->granted_id = id_no;
    fx_build(fx, ask, out);
}

/* One message: the person of the first one is whom the database is slow for. */
static void submit(struct fixture *fx, struct told *told, atomic_int *order)
{
    struct lb_serve_batch batch;
    lb_serve_batch_init(&batch);
    memset(told, 0, NUM_READS * sizeof(*told));
    for (size_t i = 0; i < NUM_READS; i++) {
        struct fx_built built;
        build(fx, i == 0 ? FX_ELDER : FX_ADULT, &built);
        told[i].order = order;
        assert_ok(add(fx, &built, tell, &told[i], &batch));
    }
    lb_serve_submit_all(fx->serve, &batch);
}

static void wait_for(atomic_int *order, int num)
{
    for (int i = 0; i < STEPS && atomic_load(order) < num; i++)
        (void)usleep(STEP_US);
    assert_int_equal(atomic_load(order), num);
}

static uint64_t commits(const struct fixture *fx)
{
    struct lb_log_health health;
    lb_log_health(fx->log, &health);
    return health.num_commits;
}

static void wait_until_quick(struct fixture *fx)
{
    size_t view = lb_terms_view(fx->policy, "tax.wage");
    for (int i = 0; i < STEPS && !lb_serve_pool_is_quick(fx->serve->pool, view); i++)
        (void)usleep(STEP_US);
    assert_true(lb_serve_pool_is_quick(fx->serve->pool, view));
}

/* A machine that has other things to do may make one of the reads slow, but not each time. */
#define ATTEMPTS 20

static void one_commit_is_enough_for_a_message(void **state)
{
    struct fixture *fx = *state;
    struct told told[NUM_READS];
    uint64_t took = 0;
    for (int attempt = 0; attempt < ATTEMPTS && took != 1; attempt++) {
        atomic_int order = 0;
        wait_until_quick(fx);
        took = commits(fx);
        submit(fx, told, &order);
        wait_for(&order, NUM_READS);
        took = commits(fx) - took;
        for (size_t i = 0; i < NUM_READS; i++)
            assert_code(told[i].code, LB_ANSWERED);
    }
    assert_int_equal(took, 1);
    for (size_t i = 0; i < NUM_READS; i++) {
        assert_int_equal(atomic_load(&told[i].place), i + 1);
        assert_true(pthread_equal(told[i].thread, told[0].thread));
        assert_false(told[i].more); /* each has an owner of its own here */
    }
}

/* A message, told to one owner. */
struct link {
    atomic_int num, num_last;
};

static void count(void *ctx, const struct lb_serve_answer *answer)
{
    struct link *link = ctx;
    if (!answer->more)
        (void)atomic_fetch_add(&link->num_last, 1);
    (void)atomic_fetch_add(&link->num, 1);
}

static void submit_for_two(struct fixture *fx, struct link links[2])
{
    struct lb_serve_batch batch;
    lb_serve_batch_init(&batch);
    for (size_t i = 0; i < NUM_READS; i++) {
        struct fx_built built;
        build(fx, FX_ADULT, &built);
        assert_ok(add(fx, &built, count, &links[i / 3], &batch));
    }
    lb_serve_submit_all(fx->serve, &batch);
}

static void an_owner_hears_which_answer_is_the_last(void **state)
{
    struct fixture *fx = *state;
    struct link links[2] = {{.num = 0}};
    for (int attempt = 0; attempt < ATTEMPTS && links[0].num_last + links[1].num_last != 2;
         attempt++) {
        memset(links, 0, sizeof(links));
        wait_until_quick(fx);
        submit_for_two(fx, links);
        wait_for(&links[1].num, NUM_READS - 3);
        wait_for(&links[0].num, 3);
    }
    assert_int_equal(atomic_load(&links[0].num_last), 1);
    assert_int_equal(atomic_load(&links[1].num_last), 1);
}

static void a_database_that_is_slow_for_one_holds_up_no_other(void **state)
{
    struct fixture *fx = *state;
    struct told told[NUM_READS];
    atomic_int order = 0;
    size_t view = lb_terms_view(fx->policy, "tax.wage");
    wait_until_quick(fx);
    atomic_store(&fake.stalls, true);
    submit(fx, told, &order);
    wait_for(&order, NUM_READS - 1);
    assert_int_equal(atomic_load(&told[0].place), 0);
    assert_false(lb_serve_pool_is_quick(fx->serve->pool, view));
    for (int i = 0; i < STEPS && atomic_load(&fake.num_stalled) < 2; i++)
        (void)usleep(STEP_US);
    /* Begun once among the others, and once by itself, with all of its time. */
    assert_int_equal(atomic_load(&fake.num_stalled), 2);
    (void)usleep(20 * STEP_US);
    assert_int_equal(atomic_load(&told[0].place), 0);
    atomic_store(&fake.stalls, false);
    wait_for(&order, NUM_READS);
    for (size_t i = 0; i < NUM_READS; i++)
        assert_code(told[i].code, LB_ANSWERED);
}

static void a_slow_view_is_trusted_again(void **state)
{
    struct fixture *fx = *state;
    struct told told[NUM_READS];
    atomic_int order = 0;
    size_t view = lb_terms_view(fx->policy, "tax.wage");
    atomic_store(&fake.stalls, true);
    submit(fx, told, &order);
    wait_for(&order, NUM_READS - 1);
    atomic_store(&fake.stalls, false);
    wait_for(&order, NUM_READS);
    assert_false(lb_serve_pool_is_quick(fx->serve->pool, view));
    wait_until_quick(fx);
}

static void a_database_elsewhere_is_asked_by_many_at_once(void **state)
{
    struct fixture *fx = *state;
    struct told told[NUM_READS];
    atomic_int order = 0;
    atomic_store(&fake.meets, true);
    submit(fx, told, &order);
    wait_for(&order, NUM_READS);
    assert_true(atomic_load(&fake.met));
    for (size_t i = 0; i < NUM_READS; i++)
        assert_code(told[i].code, LB_ANSWERED);
}

/* What finds no room is told so, without an entry, and the rest is answered. */
static void after_the_last_order_nothing_is_taken(void **state)
{
    struct fixture *fx = *state;
    struct told told[NUM_READS];
    struct fx_built built;
    struct lb_serve_batch batch;
    atomic_int order = 0;
    submit(fx, told, &order);
    lb_serve_drain(fx->serve, 3000);
    assert_int_equal(atomic_load(&order), NUM_READS);
    build(fx, FX_ADULT, &built);
    lb_serve_batch_init(&batch);
    assert_code(lb_status_code(add(fx, &built, tell, &told[0], &batch)), LB_STOPPING);
    lb_serve_submit_all(fx->serve, &batch);
}

static int begin(void **state, bool in_process)
{
    static struct fixture fx;
    static struct lb_source_plugin plugin;
    memset(&fake, 0, sizeof(fake));
    plugin = *lb_source_sqlite();
    plugin.read = fake_read;
    plugin.in_process = in_process;
    fx_setup_with(&fx, &plugin);
    *state = &fx;
    return 0;
}

static int setup(void **state)
{
    return begin(state, true);
}

static int setup_elsewhere(void **state)
{
    return begin(state, false);
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

#define CASE(test_, setup_) cmocka_unit_test_setup_teardown(test_, setup_, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_commit_is_enough_for_a_message, setup),
        CASE(an_owner_hears_which_answer_is_the_last, setup),
        CASE(a_database_that_is_slow_for_one_holds_up_no_other, setup),
        CASE(a_slow_view_is_trusted_again, setup),
        CASE(a_database_elsewhere_is_asked_by_many_at_once, setup_elsewhere),
        CASE(after_the_last_order_nothing_is_taken, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
