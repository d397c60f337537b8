#include "gateway/trust/belief.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

lb_status lb_belief_new(uint64_t generation, struct lb_directory *directory,
                        struct lb_span ca_pem, struct lb_span crl_pem,
                        struct lb_belief **out_belief)
{
    struct lb_belief *belief = calloc(1, sizeof(*belief));
    uint8_t *bytes = malloc(ca_pem.len + crl_pem.len + 1);
    if (belief == NULL || bytes == NULL) {
        free(belief);
        free(bytes);
        LB_FAIL(LB_NO_MEMORY, "no memory for trust material");
    }
    if (ca_pem.len > 0)
        memcpy(bytes, ca_pem.ptr, ca_pem.len);
    if (crl_pem.len > 0)
        memcpy(bytes + ca_pem.len, crl_pem.ptr, crl_pem.len);
    atomic_init(&belief->refs, 1);
    belief->generation = generation;
    belief->bytes = bytes;
    belief->ca_pem = lb_span_of(bytes, ca_pem.len);
    belief->crl_pem = lb_span_of(bytes + ca_pem.len, crl_pem.len);
    lb_directory_ref(directory);
    belief->directory = directory;
    *out_belief = belief;
    return LB_OK;
}

void lb_belief_ref(struct lb_belief *belief)
{
    (void)atomic_fetch_add_explicit(&belief->refs, 1, memory_order_relaxed);
}

void lb_belief_unref(struct lb_belief *belief)
{
    if (belief == NULL)
        return;
    if (atomic_fetch_sub_explicit(&belief->refs, 1, memory_order_acq_rel) != 1)
        return;
    lb_directory_unref(belief->directory);
    free(belief->bytes);
    free(belief);
}

void lb_belief_unrefp(struct lb_belief **belief)
{
    lb_belief_unref(*belief);
}

struct lb_file_stamp lb_file_stamp_of(const char *path)
{
    struct stat info;
    struct lb_file_stamp stamp = {0};
    if (stat(path, &info) != 0)
        return stamp;
    stamp.exists = true;
    stamp.device = info.st_dev;
    stamp.inode = info.st_ino;
    stamp.size = info.st_size;
    stamp.modified_s = info.st_mtim.tv_sec;
    stamp.modified_ns = info.st_mtim.tv_nsec;
    stamp.changed_s = info.st_ctim.tv_sec;
    stamp.changed_ns = info.st_ctim.tv_nsec;
    return stamp;
}

bool lb_file_stamp_eq(const struct lb_file_stamp *a, const struct lb_file_stamp *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->modified_s == b->modified_s &&
           a->modified_ns == b->modified_ns && a->changed_s == b->changed_s &&
           a->changed_ns == b->changed_ns;
}
