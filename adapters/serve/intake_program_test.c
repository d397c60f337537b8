#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/fixture_parcel.h"
#include "adapters/serve/intake_child.h"
#include "adapters/serve/intake_pull.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"

/* A department's program in the place of its clerks. */

static struct fixture fx;
static atomic_bool stop;

static int setup(void **state)
{
    (void)state;
    fx_setup(&fx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fx_teardown(&fx);
    return 0;
}

static const char *script(const char *name, const char *text)
{
    const char *path = fed_path(&fx.fed, name);
    assert_ok(lb_file_write(path, lb_span_str(text), 0700));
    return path;
}

/* --- one program --- */

static lb_status run(const char *path, struct lb_span input, int64_t timeout_ms,
                     struct lb_span *out, int *out_exit)
{
    static const char *const arguments[] = {"--one", "two words; $(no shell)"};
    const struct lb_intake_child child = {path, arguments, 2, "00ff", input, timeout_ms, &stop};
    return lb_intake_child_run(&child, fx.arena, out, out_exit);
}

static void a_program_gets_its_input_and_nothing_else(void **state)
{
    struct lb_span out = LB_SPAN_EMPTY;
    int code = -1;
    (void)state;
    const char *path = script("whole.sh", "#!/bin/sh\ncat; echo \"|$2|$LIANBAN_PARCEL|$HOME|\"\n"
                                          "ls /proc/self/fd | wc -l\nexit 3\n");
    assert_ok(run(path, lb_span_str("input"), 60000, &out, &code));
    assert_int_equal(code, 3);
    /* three streams, and the one that lists them */
    assert_string_equal((const char *)out.ptr, "input|two words; $(no shell)|00ff||\n4\n");
}

static void a_program_that_misbehaves_is_ended(void **state)
{
    static char large[200 * 1024];
    struct lb_span out = LB_SPAN_EMPTY;
    int code = -1;
    (void)state;
    memset(large, 'x', sizeof(large));
    assert_code(lb_status_code(run("/nowhere", LB_SPAN_EMPTY, 60000, &out, &code)), LB_UNAVAILABLE);
    assert_code(lb_status_code(run(script("hang.sh", "#!/bin/sh\nsleep 600 & sleep 600\n"),
                                   LB_SPAN_EMPTY, 300, &out, &code)),
                LB_DEADLINE);
    assert_code(lb_status_code(run(script("shut.sh", "#!/bin/sh\nexec >&-; sleep 600\n"),
                                   LB_SPAN_EMPTY, 300, &out, &code)),
                LB_DEADLINE);
    assert_code(lb_status_code(run(script("flood.sh", "#!/bin/sh\nexec cat /dev/zero\n"),
                                   LB_SPAN_EMPTY, 60000, &out, &code)),
                LB_TOO_LARGE);
    assert_code(lb_status_code(run(script("die.sh", "#!/bin/sh\nkill -9 $$\n"), LB_SPAN_EMPTY,
                                   60000, &out, &code)),
                LB_UNAVAILABLE);
    /* One that reads nothing of much is within its rights. */
    assert_ok(run(script("deaf.sh", "#!/bin/sh\nexec <&-\nexit 0\n"),
                  lb_span_of(large, sizeof(large)), 60000, &out, &code));
    assert_int_equal(code, 0);
    atomic_store(&stop, true);
    assert_code(lb_status_code(run(script("wait.sh", "#!/bin/sh\nsleep 600\n"), LB_SPAN_EMPTY,
                                   60000, &out, &code)),
                LB_STOPPING);
    atomic_store(&stop, false);
}

/* --- in the place of clerks --- */

static void wait_for(const char *sql, int64_t want)
{
    for (int i = 0; i < 3000 && fx_count(&fx, sql) != want; i++)
        (void)usleep(10000);
    assert_int_equal(fx_count(&fx, sql), want);
}

/* Answers by the case's number: taken on, returned, nonsense. What it was given lies beside it. */
static const char PROGRAM[] =
    "#!/bin/sh\n"
    "in=$(cat)\n"
    "printf '%%s\\n' \"$LIANBAN_PARCEL\" >> %s/calls\n"
    "case \"$in\" in\n"
    "  *withdrawal*) exit 0;;\n"
    "  *c-taken*) echo '{\"reference\": \"P-1\"}';;\n"
    "  *c-returned*) echo '{\"law\": \"SAL41\", \"text\": {\"zh\": \"不属本部门\"}}'; exit 3;;\n"
    "  *c-once*) [ -e %s/seen ] || { touch %s/seen; kill -9 $$; }\n"
    "    echo '{\"reference\": \"P-2\"}';;\n"
    "  *) echo nonsense;;\n"
    "esac\n";

static void hand_in(struct fx_parcel *parcel, const char *case_id)
{
    struct lb_intake_receipt receipt;
    fx_parcel_honest(&fx, parcel);
    parcel->part.case_id = (char *)(uintptr_t)case_id;
    assert_string_equal(fx_hand_in(&fx, parcel, &receipt), "DELIVERED");
}

static void open_with_program(void)
{
    const char *folder = fed_path(&fx.fed, "state");
    const char *text = lb_arena_printf(fx.arena, PROGRAM, folder, folder, folder);
    fx_open_intake(&fx, lb_arena_printf(fx.arena, "  program: {path: \"%s\", tries: 1}\n",
                                        script("take-in.sh", text)));
}

#define STATE_OF "SELECT state FROM intake WHERE n = "

static void a_program_takes_parts_in(void **state)
{
    struct fx_parcel taken, returned, nonsense, withdrawal;
    struct lb_intake_receipt receipt;
    (void)state;
    open_with_program();
    hand_in(&taken, "c-taken");
    hand_in(&returned, "c-returned");
    hand_in(&nonsense, "c-nonsense");
    wait_for(STATE_OF "1", LB_INTAKE_ACCEPTED);
    wait_for(STATE_OF "2", LB_INTAKE_RETURNED);
    wait_for("SELECT tries FROM intake WHERE n = 3", 1);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE acked IS NULL"), 1);
    assert_int_equal(fx_count(&fx, "SELECT count(*) FROM intake WHERE failed IS NOT NULL"), 1);
    /* What it gave up is a person's. */
    struct lb_intake_item item = {.n = 0};
    bool found = false;
    fx_execute_state(&fx, "UPDATE intake SET leased = 0");
    assert_ok(lb_intake_next(lb_serve_intake(fx.serve), FX_CLERK, fx.arena, &item, &found));
    assert_true(found);
    assert_int_equal(item.n, 3);
    fx_parcel_about(&fx, &withdrawal, &taken, LIANBAN__V1__PART__KIND__WITHDRAWAL);
    withdrawal.part.case_id = (char *)(uintptr_t)"c-taken";
    assert_string_equal(fx_hand_in(&fx, &withdrawal, &receipt), "DELIVERED");
    wait_for(STATE_OF "1", LB_INTAKE_WITHDRAWN);
    wait_for("SELECT count(*) FROM intake WHERE acked IS NULL", 1);
}

/* Killed in the middle, it is called again with the same key. */
static void the_key_stays_the_same(void **state)
{
    struct fx_parcel parcel;
    struct lb_span calls = LB_SPAN_EMPTY;
    char key[33];
    (void)state;
    const char *text = lb_arena_printf(fx.arena, PROGRAM, fed_path(&fx.fed, "state"),
                                       fed_path(&fx.fed, "state"), fed_path(&fx.fed, "state"));
    fx_open_intake(&fx, lb_arena_printf(fx.arena, "  program: {path: \"%s\"}\n",
                                        script("take-in.sh", text)));
    hand_in(&parcel, "c-once");
    wait_for("SELECT tries FROM intake WHERE n = 5", 1);
    fx_execute_state(&fx, "UPDATE intake SET leased = 0");
    wait_for(STATE_OF "5", LB_INTAKE_ACCEPTED);
    lb_hex_encode(lb_span_of(parcel.name, sizeof(parcel.name)), key);
    assert_ok(lb_file_read(fed_path(&fx.fed, "state/calls"), 65536, fx.arena, &calls));
    const char *first = strstr((const char *)calls.ptr, key);
    assert_non_null(first);
    assert_non_null(strstr(first + 32, key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_gets_its_input_and_nothing_else),
        cmocka_unit_test(a_program_that_misbehaves_is_ended),
        cmocka_unit_test(a_program_takes_parts_in),
        cmocka_unit_test(the_key_stays_the_same),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
