#include "gateway/evidence/disk.h"

#include <sys/statvfs.h>

static lb_status look_at_machine(const struct lb_disk *disk, const char *folder,
                                 struct lb_disk_space *out)
{
    struct statvfs info;
    (void)disk;
    LB_ENSURE(statvfs(folder, &info) == 0, LB_FILE_FAILED, "the file system can't be looked at");
    *out = (struct lb_disk_space){
        .free_bytes = (uint64_t)info.f_bavail * info.f_frsize,
        .read_only = (info.f_flag & ST_RDONLY) != 0,
    };
    return LB_OK;
}

const struct lb_disk *lb_disk_system(void)
{
    static const struct lb_disk machine = {.look = look_at_machine};
    return &machine;
}

lb_status lb_disk_marks_check(const struct lb_disk_marks *marks)
{
    bool rising = marks->stop_bytes > 0 && marks->alert_bytes >= marks->stop_bytes &&
                  marks->reserve_bytes <= marks->stop_bytes / LB_DISK_STOP_PER_RESERVE;
    LB_ENSURE(rising, LB_CONFIG_INVALID, "the marks of the disk are in the wrong order");
    return LB_OK;
}
