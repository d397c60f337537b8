#include "gateway/evidence/space.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_below(const struct lb_space *space, enum lb_space_level level, uint64_t mark)
{
    uint64_t end = space->level >= level ? mark + mark / 8 : mark;
    return space->now.free_bytes < end;
}

static enum lb_space_level level_of(const struct lb_space *space)
{
    const struct lb_disk_marks *marks = &space->marks;
    /* What the reserve gave back when it was given up is no new room. */
    uint64_t spent = marks->reserve_bytes * (space->level == LB_SPACE_SPENT ? 2 : 1);
    if (is_below(space, LB_SPACE_SPENT, spent))
        return LB_SPACE_SPENT;
    if (is_below(space, LB_SPACE_FULL, marks->stop_bytes))
        return LB_SPACE_FULL;
    return is_below(space, LB_SPACE_LOW, marks->alert_bytes) ? LB_SPACE_LOW : LB_SPACE_ROOMY;
}

/* Blocks that are ours already, whatever others write. A file system that has no such thing goes
 * without, and is not asked again. */
static void take_reserve(struct lb_space *space)
{
    int fd = open(space->reserve, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    space->asked_reserve = true;
    if (fd < 0)
        return;
    bool taken = fallocate(fd, 0, 0, (off_t)space->marks.reserve_bytes) == 0;
    (void)close(fd);
    if (!taken)
        (void)unlink(space->reserve);
}

/* It is not taken where that would leave too little. */
static void set_reserve(struct lb_space *space)
{
    const struct lb_disk_marks *marks = &space->marks;
    uint64_t left = marks->stop_bytes + marks->stop_bytes / 8;
    bool room = space->now.free_bytes >= left &&
                space->now.free_bytes - left >= marks->reserve_bytes && !space->now.read_only;
    if (space->level == LB_SPACE_SPENT) {
        space->asked_reserve = false;
        (void)unlink(space->reserve);
    } else if (!space->asked_reserve && room && marks->reserve_bytes > 0) {
        take_reserve(space);
    }
}

lb_status lb_space_look(struct lb_space *space)
{
    struct lb_disk_space now;
    LB_TRY(space->disk->look(space->disk, space->folder, &now));
    space->now = now;
    space->level = level_of(space);
    set_reserve(space);
    return LB_OK;
}

lb_status lb_space_init(struct lb_space *space, const char *folder,
                        const struct lb_disk_marks *marks, const struct lb_disk *disk)
{
    static const struct lb_disk_marks usual = {LB_DISK_ALERT_BYTES, LB_DISK_STOP_BYTES,
                                               LB_DISK_RESERVE_BYTES};
    bool none = marks->alert_bytes == 0 && marks->stop_bytes == 0 && marks->reserve_bytes == 0;
    memset(space, 0, sizeof(*space));
    space->disk = disk == NULL ? lb_disk_system() : disk;
    space->marks = none ? usual : *marks;
    space->folder = folder;
    LB_TRY(lb_disk_marks_check(&space->marks));
    int len = snprintf(space->reserve, sizeof(space->reserve), "%s/reserve", folder);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(space->reserve), LB_FILE_FAILED, "path is too long");
    return lb_space_look(space);
}

static bool is_one_of(const char *code, const char *const *codes)
{
    for (; *codes != NULL; codes++) {
        if (strcmp(code, *codes) == 0)
            return true;
    }
    return false;
}

/* What takes something back from somebody, or only says what became of it. */
static bool takes_back(const struct lb_leaf *leaf)
{
    static const char *const codes[] = {"REVOKED", "SUSPENDED", "REFUSED", "ACKNOWLEDGED", NULL};
    return leaf->type == LB_LEAF_CONSENT && is_one_of(leaf->code, codes);
}

static bool administers(const struct lb_leaf *leaf)
{
    switch (leaf->type) {
    case LB_LEAF_ADMIN:
    case LB_LEAF_POLICY:
    case LB_LEAF_ERASURE:
    case LB_LEAF_SHARD:
    case LB_LEAF_RECOVERY:
        return true;
    default:
        return takes_back(leaf);
    }
}

/* Says what became of a parcel; the others say that one was taken on, shown or answered. */
static bool ends_parcel(const struct lb_leaf *leaf)
{
    static const char *const codes[] = {"SENT",   "HELD",  "DELIVERED", "SAID",
                                        "PULLED", "SHOWN", NULL};
    return !is_one_of(leaf->code, codes);
}

/* Refuses, or ends what was begun while there was room. */
static bool closes(const struct lb_leaf *leaf)
{
    switch (leaf->type) {
    case LB_LEAF_READ:
        return strcmp(leaf->code, "ANSWERED") != 0;
    case LB_LEAF_PARCEL:
        return ends_parcel(leaf);
    case LB_LEAF_DELIVER:
    case LB_LEAF_FAILURE:
    case LB_LEAF_DENY:
    case LB_LEAF_REVIEW:
    case LB_LEAF_CANARY:
        return true;
    default:
        return false;
    }
}

bool lb_space_permits(enum lb_space_level level, const struct lb_leaf *leaf)
{
    if (level <= LB_SPACE_LOW)
        return true;
    return administers(leaf) || (level == LB_SPACE_FULL && closes(leaf));
}
