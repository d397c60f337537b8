#ifndef GATEWAY_TRUST_BELIEF_H
#define GATEWAY_TRUST_BELIEF_H

#include "gateway/trust/directory.h"

/* Inside gateway/trust: one consistent set of what is believed; immutable and reference-counted, so
 * that a judgement under way is not disturbed by a reload. */
struct lb_belief {
    _Atomic size_t refs;
    uint64_t generation;  /* counts from 1 */
    struct lb_directory *directory;
    struct lb_span ca_pem;
    struct lb_span crl_pem;  /* empty: there is none, and nobody passes */
    uint8_t *bytes;          /* what both borrow from */
};

/* lb_belief_new takes a reference to the directory and copies the rest. NO_MEMORY. */
LB_MUST lb_status lb_belief_new(uint64_t generation, struct lb_directory *directory,
                                struct lb_span ca_pem, struct lb_span crl_pem,
                                struct lb_belief **out_belief);
/* lb_belief_ref takes one more reference; lb_belief_unref gives one back (NULL is allowed). */
void lb_belief_ref(struct lb_belief *belief);
void lb_belief_unref(struct lb_belief *belief);
void lb_belief_unrefp(struct lb_belief **belief);  /* for LB_DEFER */

/* A file as it was when last looked at. The time of the inode's change is in it: a file that was
 * overwritten with equal size and time of content still shows. */
struct lb_file_stamp {
    bool exists;
    uint64_t device, inode;
    int64_t size;
    int64_t modified_s, modified_ns, changed_s, changed_ns;
};

/* lb_file_stamp_of looks at a file. */
struct lb_file_stamp lb_file_stamp_of(const char *path);
/* lb_file_stamp_eq says whether nothing about the file changed. */
bool lb_file_stamp_eq(const struct lb_file_stamp *a, const struct lb_file_stamp *b);

#endif
