#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/crypto/hash.h"

/* A detached thread, as gRPC has some, that ends while exit() is under way. */

#define STEP_NS 1000000
#define MAX_STEPS 60000
#define LIBRARY_GONE 3

static atomic_int tid;
static atomic_bool leaving;

static void step(void)
{
    const struct timespec pause = {.tv_nsec = STEP_NS};
    (void)nanosleep(&pause, NULL);
}

static lb_status use(void)
{
    uint8_t bytes[16];
    uint8_t hash[LB_SHA256_BYTES];
    LB_TRY(lb_crypto_random(bytes, sizeof(bytes)));
    lb_sha256(lb_span_of(bytes, sizeof(bytes)), hash);
    return LB_OK;
}

static void *late(void *arg)
{
    (void)arg;
    if (use() == LB_OK)
        atomic_store(&tid, (int)syscall(SYS_gettid));
    while (!atomic_load(&leaving))
        step();
    return NULL;
}

/* The first that is registered is the last that runs: what the library had exit() do is done. */
static void let_it_end(void)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d", atomic_load(&tid));
    atomic_store(&leaving, true);
    for (int i = 0; i < MAX_STEPS && access(path, F_OK) == 0; i++)
        step();
    if (access(path, F_OK) == 0 || use() != LB_OK)
        _exit(LIBRARY_GONE);
}

static _Noreturn void leave_with_a_thread(void)
{
    pthread_t thread;
    if (atexit(let_it_end) != 0 || use() != LB_OK ||
        pthread_create(&thread, NULL, late, NULL) != 0 || pthread_detach(thread) != 0)
        _exit(1);
    for (int i = 0; i < MAX_STEPS && atomic_load(&tid) == 0; i++)
        step();
    exit(atomic_load(&tid) == 0);
}

/* Else what it holds of the library is freed twice or never, and the program ends in a signal or
 * in a report of the sanitizer. */
static void a_thread_may_end_after_exit_began(void **state)
{
    (void)state;
    int ended = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        leave_with_a_thread();
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_thread_may_end_after_exit_began)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
