/* A host whose clock is LATE_CLOCK_SECONDS ahead, or behind below 0, for a program that is started
 * with this preloaded; an hour ahead when that is not set. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *out)
{
    long got = syscall(SYS_clock_gettime, id, out);
    if (got == 0 && id == CLOCK_REALTIME) {
        const char *seconds = getenv("LATE_CLOCK_SECONDS");
        out->tv_sec += seconds == NULL ? 3600 : strtol(seconds, NULL, 10);
    }
    return (int)got;
}
