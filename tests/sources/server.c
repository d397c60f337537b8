#include "tests/sources/server.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534
#define STOP_TRIES 10000

void server_folder(struct server *server, const char *name)
{
    (void)snprintf(server->folder, sizeof(server->folder), "/tmp/lb_%s_XXXXXX", name);
    server->pid = 0;
    assert_non_null(mkdtemp(server->folder));
    if (geteuid() == 0)
        assert_int_equal(chown(server->folder, NOBODY, NOBODY), 0);
}

/* In the child: who it is, where its output goes, and that it does not outlive the test. */
static void become(const struct server *server)
{
    char log[96];
    (void)snprintf(log, sizeof(log), "%s/log", server->folder);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        _exit(120);
    if (chdir(server->folder) != 0)
        _exit(121);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int none = open("/dev/null", O_RDONLY);
    if (fd < 0 || none < 0)
        _exit(122);
    (void)dup2(none, STDIN_FILENO);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
}

static void run_child(const struct server *server, char *const argv[], int in, int out)
{
    become(server);
    (void)dup2(in, STDIN_FILENO);
    if (out >= 0)
        (void)dup2(out, STDOUT_FILENO);
    (void)execv(argv[0], argv);
    _exit(127);
}

static void feed(int fd, const char *input)
{
    size_t len = input == NULL ? 0 : strlen(input);
    while (len > 0) {
        ssize_t done = write(fd, input, len);
        if (done <= 0)
            break;
        input += done;
        len -= (size_t)done;
    }
    (void)close(fd);
}

static void collect(int fd, char *out, size_t out_size)
{
    size_t len = 0;
    ssize_t got = 0;
    while (len + 1 < out_size && (got = read(fd, out + len, out_size - len - 1)) > 0)
        len += (size_t)got;
    out[len] = 0;
}

int server_run(struct server *server, char *const argv[], const char *input, char *out,
               size_t out_size)
{
    int in[2];
    int said[2];
    int status = 0;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_child(server, argv, in[0], out == NULL ? -1 : said[1]);
    (void)close(in[0]);
    (void)close(said[1]);
    feed(in[1], input);
    if (out != NULL)
        collect(said[0], out, out_size);
    (void)close(said[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void server_start(struct server *server, char *const argv[])
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setpgid(0, 0);
        become(server);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    (void)setpgid(child, child);
    server->pid = child;
}

/* On a busy machine a thread of a server may still answer for a while after it was stopped. */
static void wait_stopped(pid_t pid)
{
    char path[64];
    char state = 'R';
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    for (int i = 0; i < STOP_TRIES && state != 'T'; i++) {
        FILE *file = fopen(path, "r");
        if (file == NULL)
            return;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 'T';
        (void)fclose(file);
        (void)usleep(1000);
    }
}

/* A server's children may lead groups of their own. */
static void signal_children(pid_t parent, int number)
{
    char path[64];
    char text[4096] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    text[fread(text, 1, sizeof(text) - 1, file)] = 0;
    (void)fclose(file);
    for (char *at = text, *end = NULL;; at = end) {
        long child = strtol(at, &end, 10);
        if (end == at)
            break;
        (void)kill((pid_t)child, number);
        if (number == SIGSTOP)
            wait_stopped((pid_t)child);
    }
}

void server_signal(struct server *server, int number)
{
    if (server->pid == 0)
        return;
    siginfo_t stopped;
    signal_children(server->pid, number);
    (void)kill(server->pid, number);
    if (number == SIGSTOP)  /* all its threads */
        (void)waitid(P_PID, (id_t)server->pid, &stopped, WSTOPPED | WEXITED | WNOWAIT);
    signal_children(server->pid, number);
}

void server_kill(struct server *server)
{
    if (server->pid == 0)
        return;
    server_signal(server, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void server_remove(struct server *server)
{
    server_kill(server);
    if (server->folder[0] != 0)
        (void)nftw(server->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    server->folder[0] = 0;
}
