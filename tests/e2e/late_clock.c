/* A host whose clock is an hour ahead, for a program that is started with this preloaded. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *out)
{
    long got = syscall(SYS_clock_gettime, id, out);
    if (got == 0 && id == CLOCK_REALTIME)
        out->tv_sec += 3600;
    return (int)got;
}
