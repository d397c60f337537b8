#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/postgres/postgres.h"
#include "adapters/serve/fixture_people.h"
#include "tests/sources/questions.h"
#include "tests/sources/server.h"

/*
 * The adapter never releases more than PostgreSQL itself would, had the department written the
 * same policy as column grants and row-level security for a role of the requester's; and what both
 * allow, it does release. Each policy is a view file, read, judged, asked of a real server and
 * answered under seal by a whole adapter.
 *
 *   LIANBAN_POLICIES=20000        how many policies (1,000)
 *   LIANBAN_POLICIES_SEED=7       another run
 *   LIANBAN_POLICIES_FIRST=4711   begin with this policy
 */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NUM_POLICIES 60
#endif
#endif
#ifndef NUM_POLICIES
#define NUM_POLICIES 1000
#endif
#define BATCH 100
#define QUESTIONS 3
#define HONEST_QUESTIONS 2 /* of them */
#define IN_FLIGHT 50
#define ARENA_BYTES ((size_t)512 * 1024 * 1024)
#define MAX_TEXT_BYTES ((size_t)16 * 1024 * 1024)

struct ground {
    struct server server;
    struct fixture fx;
    uint64_t seed;
    struct policy policies[BATCH];
    struct question questions[BATCH * QUESTIONS];
    struct fx_built built[BATCH * QUESTIONS];
    struct lb_serve_answer answers[BATCH * QUESTIONS];
    size_t num_policies;
    size_t num_questions;
    struct tally tally;
};

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static const char *text_of(struct lb_buf *buf)
{
    lb_buf_put_u8(buf, 0);
    assert_ok(lb_buf_check(buf));
    return (const char *)buf->ptr;
}

static void write_tables(struct ground *ground)
{
    struct lb_buf sql;
    lb_buf_init(&sql, MAX_TEXT_BYTES);
    lb_buf_put_str(&sql, "BEGIN;\n");
    for (size_t i = 0; i < ground->num_policies; i++)
        policy_write_sql(&ground->policies[i], &sql);
    lb_buf_put_str(&sql, "COMMIT;\n");
    postgres_sql(&ground->server, "postgres", text_of(&sql));
    lb_buf_cleanup(&sql);
}

static void write_views(struct ground *ground)
{
    struct fixture *fx = &ground->fx;
    struct lb_buf list;
    lb_buf_init(&list, MAX_TEXT_BYTES);
    for (size_t i = 0; i < ground->num_policies; i++) {
        struct lb_buf view;
        char name[32];
        lb_buf_init(&view, MAX_TEXT_BYTES);
        policy_write_view(&ground->policies[i], &view);
        assert_ok(lb_buf_check(&view));
        (void)snprintf(name, sizeof(name), "p%zu.yaml", i);
        fed_write(&fx->fed, name, lb_buf_span(&view));
        lb_buf_printf(&list, "%s%s", i == 0 ? "" : ", ", name);
        lb_buf_cleanup(&view);
    }
    fed_write(&fx->fed, "policy.yaml", lb_span_str(fx_policy_of(fx, text_of(&list))));
    lb_buf_cleanup(&list);
}

/* What PostgreSQL gives to the role, for each field of each question. */
static void ask_postgres(struct ground *ground)
{
    struct lb_buf sql;
    char *said = lb_arena_alloc(ground->fx.arena, MAX_TEXT_BYTES);
    assert_non_null(said);
    lb_buf_init(&sql, MAX_TEXT_BYTES);
    const char *before = "SELECT released(who, person, tab, col) FROM (VALUES ";
    for (size_t i = 0; i < ground->num_questions; i++)
        before = question_write_sql(&ground->questions[i], before, &sql);
    lb_buf_put_str(&sql, ") AS asked(who, person, tab, col);\n");
    postgres_text(&ground->server, text_of(&sql), said, MAX_TEXT_BYTES);
    lb_buf_cleanup(&sql);
    char *rest = said;
    for (size_t i = 0; i < ground->num_questions; i++)
        question_take(&ground->questions[i], &rest);
    assert_string_equal(rest, "");
}

static void ask_adapter(struct ground *ground)
{
    struct fixture *fx = &ground->fx;
    struct lb_span tokens[2] = {LB_SPAN_EMPTY, LB_SPAN_EMPTY};
    for (size_t i = 0; i < ground->num_questions; i++)
        question_build(&ground->questions[i], fx, tokens, &ground->built[i]);
    for (size_t i = 0; i < ground->num_questions; i += IN_FLIGHT) {
        size_t left = ground->num_questions - i;
        fx_send_all(fx, &ground->built[i], left < IN_FLIGHT ? left : IN_FLIGHT,
                    &ground->answers[i]);
    }
}

static void make_policies(struct ground *ground, uint64_t first, uint64_t num)
{
    ground->num_policies = (size_t)num;
    ground->num_questions = 0;
    for (size_t i = 0; i < ground->num_policies; i++) {
        struct policy *policy = &ground->policies[i];
        policy_make(ground->seed, (size_t)first + i, policy);
        for (size_t k = 0; k < POLICY_PERSONS; k++)
            policy->persons[k] = fx_person(
                &ground->fx, (policy->number * POLICY_PERSONS + k) % FX_NUM_PEOPLE);
        struct policy_random random = {policy->seed + 1};
        for (size_t q = 0; q < QUESTIONS; q++)
            question_make(policy, q < HONEST_QUESTIONS, &random,
                          &ground->questions[ground->num_questions++]);
    }
}

static void run_batch(struct ground *ground, uint64_t first, uint64_t num)
{
    struct fixture *fx = &ground->fx;
    struct lb_arena *before = fx->arena;
    fx->arena = lb_arena_new(ARENA_BYTES);
    assert_non_null(fx->arena);
    make_policies(ground, first, num);
    write_tables(ground);
    write_views(ground);
    fx_start_again(fx);
    if (before != fx->fed.arena)
        lb_arena_free(before);
    ask_postgres(ground);
    ask_adapter(ground);
    for (size_t i = 0; i < ground->num_questions; i++)
        question_judge(&ground->questions[i], fx, &ground->built[i], &ground->answers[i],
                       &ground->tally);
}

static void never_more_than_grants_and_row_security(void **state)
{
    struct ground *ground = *state;
    uint64_t num = number_of("LIANBAN_POLICIES", NUM_POLICIES);
    uint64_t first = number_of("LIANBAN_POLICIES_FIRST", 0);
    ground->seed = number_of("LIANBAN_POLICIES_SEED", 20261122);
    print_message("seed %llu\n", (unsigned long long)ground->seed);
    for (uint64_t i = 0; i < num; i += BATCH)
        run_batch(ground, first + i, num - i < BATCH ? num - i : BATCH);
    print_message("%zu honest questions, %zu attacks; %zu facts were the server's own, %zu of them "
                  "values; %zu attacks were refused whole\n",
                  ground->tally.honest, ground->tally.attacks, ground->tally.facts,
                  ground->tally.values, ground->tally.refused);
    assert_true(ground->tally.values >= num && ground->tally.refused >= num / 2);
}

static int set_up(void **state)
{
    struct ground *ground = calloc(1, sizeof(*ground));
    assert_non_null(ground);
    *state = ground;
    postgres_start(&ground->server);
    postgres_sql(&ground->server, "postgres", policy_roles_sql);
    fx_setup(&ground->fx);
    ground->fx.plugin = lb_source_postgres();
    ground->fx.database = lb_arena_printf(ground->fx.fed.arena, "host=%s dbname=postgres"
                                          " user=reader", ground->server.folder);
    assert_non_null(ground->fx.database);
    return 0;
}

static int tear_down(void **state)
{
    struct ground *ground = *state;
    struct lb_arena *last = ground->fx.arena;
    bool own = last != ground->fx.fed.arena;
    fx_teardown(&ground->fx);
    if (own)
        lb_arena_free(last);
    server_remove(&ground->server);
    free(ground);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_more_than_grants_and_row_security, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
