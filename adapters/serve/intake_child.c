#include "adapters/serve/intake_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"

#define MAX_ARGUMENTS 66
#define STEP_MS 50

struct run {
    const struct lb_intake_child *child;
    pid_t pid;
    int in, out;          /* our ends; -1 once closed */
    size_t sent;
    struct lb_buf answer;
    int64_t until_ms;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* --- the beginning --- */

static int set_streams(posix_spawn_file_actions_t *actions, int in, int out)
{
    int failed = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    return failed;
}

/* A group of its own, and every signal as a program expects it. */
static int set_signals(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int failed = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
    if (failed == 0)
        failed = posix_spawnattr_setpgroup(attr, 0);
    if (failed == 0)
        failed = posix_spawnattr_setsigmask(attr, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attr, &all);
    return failed;
}

static lb_status spawn(struct run *run, struct lb_arena *arena, int in, int out)
{
    const struct lb_intake_child *child = run->child;
    char *argv[MAX_ARGUMENTS];
    char *key = lb_arena_printf(arena, "LIANBAN_PARCEL=%s", child->key);
    char *env[] = {(char *)(uintptr_t)"PATH=/usr/bin:/bin", (char *)(uintptr_t)"LANG=C.UTF-8", key,
                   NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    LB_ENSURE(key != NULL && child->num_arguments + 2 <= MAX_ARGUMENTS, LB_NO_MEMORY, "program");
    argv[0] = (char *)(uintptr_t)child->path;
    for (size_t i = 0; i < child->num_arguments; i++)
        argv[i + 1] = (char *)(uintptr_t)child->arguments[i];
    argv[child->num_arguments + 1] = NULL;
    LB_ENSURE(posix_spawn_file_actions_init(&actions) == 0, LB_NO_MEMORY, "program");
    int failed = posix_spawnattr_init(&attr);
    if (failed == 0) {
        failed = set_streams(&actions, in, out);
        if (failed == 0)
            failed = set_signals(&attr);
        if (failed == 0)
            failed = posix_spawn(&run->pid, child->path, &actions, &attr, argv, env);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    LB_ENSURE(failed == 0, LB_UNAVAILABLE, "program can't be run");
    return LB_OK;
}

static lb_status begin(struct run *run, struct lb_arena *arena)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    lb_status status = LB_OK;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        status = LB_FAULT(LB_UNAVAILABLE, "no pipe");
    if (status == LB_OK)
        status = spawn(run, arena, in[0], out[1]);
    close_fd(&in[0]);
    close_fd(&out[1]);
    run->in = in[1];
    run->out = out[0];
    if (status == LB_OK && (fcntl(run->in, F_SETFL, O_NONBLOCK) != 0 ||
                            fcntl(run->out, F_SETFL, O_NONBLOCK) != 0))
        status = LB_FAULT(LB_UNAVAILABLE, "pipes block");
    return status;
}

/* --- while it runs --- */

/* One that does not read all of its input is within its rights. */
static void feed(struct run *run)
{
    struct lb_span input = run->child->input;
    ssize_t num = 0;
    if (run->sent < input.len)
        num = write(run->in, input.ptr + run->sent, input.len - run->sent);
    if (num > 0)
        run->sent += (size_t)num;
    if (run->sent == input.len || (num < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&run->in);
}

static lb_status hear(struct run *run)
{
    uint8_t bytes[4096];
    ssize_t num = read(run->out, bytes, sizeof(bytes));
    if (num > 0)
        lb_buf_put(&run->answer, lb_span_of(bytes, (size_t)num));
    else if (num == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(&run->out);
    LB_ENSURE(!run->answer.failed, LB_TOO_LARGE, "program wrote too much");
    return LB_OK;
}

static lb_status check_time(const struct run *run)
{
    LB_ENSURE(!atomic_load(run->child->stop), LB_STOPPING, "stopping");
    LB_ENSURE(lb_clock_monotonic_ms(lb_clock_system()) < run->until_ms, LB_DEADLINE,
              "program took too long");
    return LB_OK;
}

static lb_status talk(struct run *run)
{
    while (run->out >= 0) {
        struct pollfd fds[2] = {{.fd = run->out, .events = POLLIN},
                                {.fd = run->in, .events = POLLOUT}};
        LB_TRY(check_time(run));
        (void)poll(fds, 2, STEP_MS);
        if (fds[0].revents != 0)
            LB_TRY(hear(run));
        if (run->in >= 0 && fds[1].revents != 0)
            feed(run);
    }
    return LB_OK;
}

/* Waits for its end, but leaves it to be reaped: until then nobody else has its number. */
static lb_status wait_end(struct run *run)
{
    siginfo_t info = {.si_pid = 0};
    while (info.si_pid == 0) {
        LB_TRY(check_time(run));
        if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 &&
            errno != EINTR)
            LB_FAIL(LB_UNAVAILABLE, "program is nobody's");
        if (info.si_pid == 0)
            (void)poll(NULL, 0, STEP_MS / 5);
    }
    return LB_OK;
}

static lb_status reap(const struct run *run, int *out_exit)
{
    int state = 0;
    (void)kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, &state, 0) < 0)
        LB_ENSURE(errno == EINTR, LB_UNAVAILABLE, "program is nobody's");
    LB_ENSURE(WIFEXITED(state), LB_UNAVAILABLE, "program was killed");
    *out_exit = WEXITSTATUS(state);
    return LB_OK;
}

/* A program that closes its input early must not end us. */
static void block_sigpipe(sigset_t *out_before)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, out_before);
}

static void unblock_sigpipe(const sigset_t *before)
{
    const struct timespec now = {0, 0};
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    if (!sigismember(before, SIGPIPE))
        while (sigtimedwait(&set, NULL, &now) > 0)
            continue;
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

lb_status lb_intake_child_run(const struct lb_intake_child *child, struct lb_arena *arena,
                              struct lb_span *out_answer, int *out_exit)
{
    struct run run = {.child = child, .in = -1, .out = -1};
    sigset_t before;
    int code = 0;
    run.until_ms = lb_clock_monotonic_ms(lb_clock_system()) + child->timeout_ms;
    lb_buf_init(&run.answer, LB_INTAKE_MAX_ANSWER_BYTES);
    block_sigpipe(&before);
    lb_status status = begin(&run, arena);
    if (status == LB_OK)
        status = talk(&run);
    close_fd(&run.in);
    close_fd(&run.out);
    if (status == LB_OK)
        status = wait_end(&run);
    if (run.pid > 0) {
        lb_status ended = reap(&run, &code);
        status = status == LB_OK ? ended : status;
    }
    unblock_sigpipe(&before);
    if (status == LB_OK)
        status = lb_arena_copy(arena, lb_buf_span(&run.answer), out_answer);
    lb_buf_cleanup(&run.answer);
    LB_TRY(status);
    *out_exit = code;
    return LB_OK;
}
