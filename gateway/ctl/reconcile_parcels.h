#ifndef GATEWAY_CTL_RECONCILE_PARCELS_H
#define GATEWAY_CTL_RECONCILE_PARCELS_H

#include "gateway/ctl/reconcile.h"
#include "gateway/evidence/inspect.h"

/*
 * Inside `log reconcile`: entries about parcels, over all logs at hand. A broker's HELD names
 * sender and recipient (reconcile.h, counterparts) and the ciphertext; the recipient's entry names
 * the HELD, and the broker's HANDED or ENDED the recipient's entry; a department's ENDED names the
 * window's. Whatever one of them says of another's log that is at hand has to be there.
 */
enum lb_ctl_parcel_class {
    LB_PARCELS_MISSING_SENDER,     /* it was held, and who is said to have sent it has no SENT */
    LB_PARCELS_MISSING_BROKER,     /* it was taken from a broker, and none has a HELD of it */
    LB_PARCELS_MISSING_RECIPIENT,  /* it is said to be taken, and the recipient has no entry */
    LB_PARCELS_CHANGED,            /* an entry is there, and is not the one that the other names */
    LB_PARCELS_UNCLOSED,           /* taken a day ago, and the broker has no end of it */
    LB_PARCELS_NUM_CLASSES
};

/* One node's entry about a parcel. */
struct lb_ctl_parcel_entry {
    size_t log;                    /* of the command's logs */
    uint64_t index;
    struct lb_hash hash;
    struct lb_leaf leaf;
};

struct lb_ctl_parcels {
    struct lb_ctl_parcel_entry *entries;
    size_t num, capacity;
};
void lb_ctl_parcels_free(struct lb_ctl_parcels *parcels);  /* fits LB_DEFER */

/* lb_ctl_parcels_gather adds a log's entries about parcels; TOO_LARGE, NO_MEMORY, what the reader
 * says. */
LB_MUST lb_status lb_ctl_parcels_gather(struct lb_log_reader *reader, size_t log,
                                        struct lb_ctl_parcels *parcels);
/* lb_ctl_parcels_judge compares them all and keeps what it finds. */
void lb_ctl_parcels_judge(struct lb_ctl_reconcile *reconcile, struct lb_ctl_parcels *parcels);

/* lb_ctl_parcel_class_name is "PARCEL_MISSING_SENDER" ...; _en and _zh say what to do. */
const char *lb_ctl_parcel_class_name(enum lb_ctl_parcel_class class);
const char *lb_ctl_parcel_class_en(enum lb_ctl_parcel_class class);
const char *lb_ctl_parcel_class_zh(enum lb_ctl_parcel_class class);

#endif
