#include "gateway/ctl/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

lb_status lb_ctl_owner_become(const char *state, uid_t user)
{
    struct stat info;
    LB_ENSURE(stat(state, &info) == 0, LB_FILE_FAILED, "the state folder can't be read");
    if (user != 0 || info.st_uid == 0)
        return LB_OK;
    /* Nor with root's groups. They stay given up: root needs none. */
    LB_ENSURE(setgroups(0, NULL) == 0 && setegid(info.st_gid) == 0 && seteuid(info.st_uid) == 0,
              LB_FILE_FAILED, "the state folder's account can't be taken");
    return LB_OK;
}

void lb_ctl_owner_leave(const uid_t *user)
{
    if (geteuid() != *user && (seteuid(*user) != 0 || setegid(getgid()) != 0))
        abort();
}

lb_status lb_ctl_owner_lock(const char *path, int *out_fd)
{
    *out_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    LB_ENSURE(*out_fd >= 0, LB_FILE_FAILED, "the state folder can't be written");
    int locked = flock(*out_fd, LOCK_EX);
    while (locked != 0 && errno == EINTR)
        locked = flock(*out_fd, LOCK_EX);
    LB_ENSURE(locked == 0, LB_FILE_FAILED, "the state folder can't be locked");
    return LB_OK;
}

void lb_ctl_owner_unlock(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
