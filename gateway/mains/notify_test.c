/* What a service manager hears of a node: a socket of our own stands for its. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/mains/notify.h"

static char name[64];

static int manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(name, sizeof(name), "@lianban-notify-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
    return fd;
}

static void expect(int fd, const char *text)
{
    char got[128] = "";
    ssize_t len = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    if (text == NULL) {
        assert_int_equal(len, -1);
        assert_int_equal(errno, EAGAIN);
        return;
    }
    assert_true(len > 0);
    assert_string_equal(got, text);
}

static void set_or_unset(const char *variable, const char *value)
{
    assert_int_equal(value == NULL ? unsetenv(variable) : setenv(variable, value, 1), 0);
}

static void open_with(struct lb_notify *notify, const char *usec, const char *pid)
{
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    set_or_unset("WATCHDOG_USEC", usec);
    set_or_unset("WATCHDOG_PID", pid);
    lb_notify_open(notify);
}

static void begin_and_end_are_told(void **state)
{
    struct lb_notify notify;
    int fd = manager();
    (void)state;
    open_with(&notify, NULL, NULL);
    lb_notify_ready(&notify);
    expect(fd, "READY=1\nSTATUS=serving");
    lb_notify_progress(&notify, 100000, true, true);
    expect(fd, NULL); /* nobody asked for it */
    lb_notify_stopping(&notify);
    expect(fd, "STOPPING=1\nSTATUS=stopping");
    lb_notify_close(&notify);
    (void)close(fd);
}

static void the_watchdog_is_fed_on_progress_of_both_only(void **state)
{
    struct lb_notify notify;
    int fd = manager();
    (void)state;
    open_with(&notify, "20000000", NULL);
    assert_int_equal(notify.feed_every_ms, 10000);
    lb_notify_progress(&notify, 100000, true, false);
    lb_notify_progress(&notify, 200000, true, false);
    expect(fd, NULL); /* calls are not answered */
    lb_notify_progress(&notify, 300000, false, true);
    expect(fd, "WATCHDOG=1"); /* one moved before, the other now */
    lb_notify_progress(&notify, 400000, false, true);
    expect(fd, NULL); /* the log stands still */
    lb_notify_progress(&notify, 400001, true, true);
    expect(fd, "WATCHDOG=1");
    lb_notify_progress(&notify, 410000, true, true);
    expect(fd, NULL); /* not yet half of the time */
    lb_notify_progress(&notify, 410001, false, false);
    expect(fd, "WATCHDOG=1");
    lb_notify_close(&notify);
    (void)close(fd);
}

static void what_is_no_watchdog_is_none(void **state)
{
    static const char *const no_times[] = {"", "0", "-1", " 5", "5s", "86400000001",
                                           "99999999999999999999999"};
    struct lb_notify notify;
    int fd = manager();
    (void)state;
    for (size_t i = 0; i < sizeof(no_times) / sizeof(no_times[0]); i++) {
        open_with(&notify, no_times[i], NULL);
        assert_int_equal(notify.feed_every_ms, 0);
        lb_notify_close(&notify);
    }
    open_with(&notify, "1000000", "1"); /* somebody else's */
    assert_int_equal(notify.feed_every_ms, 0);
    lb_notify_close(&notify);
    (void)close(fd);
}

static void without_a_manager_nothing_is_sent(void **state)
{
    static const char *const no_sockets[] = {"", "/", "@", "relative", "/nowhere/at/all",
                                             "@lianban-notify-test-nobody"};
    char longer[300];
    struct lb_notify notify;
    (void)state;
    for (size_t i = 0; i <= sizeof(no_sockets) / sizeof(no_sockets[0]); i++) {
        memset(longer, 'a', sizeof(longer));
        longer[0] = '/';
        longer[sizeof(longer) - 1] = 0;
        const char *socket_name =
            i < sizeof(no_sockets) / sizeof(no_sockets[0]) ? no_sockets[i] : longer;
        assert_int_equal(setenv("NOTIFY_SOCKET", socket_name, 1), 0);
        lb_notify_open(&notify);
        assert_int_equal(notify.fd, -1);
        lb_notify_ready(&notify);
        lb_notify_progress(&notify, 1, true, true);
        lb_notify_stopping(&notify);
        lb_notify_close(&notify);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin_and_end_are_told),
        cmocka_unit_test(the_watchdog_is_fed_on_progress_of_both_only),
        cmocka_unit_test(what_is_no_watchdog_is_none),
        cmocka_unit_test(without_a_manager_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
