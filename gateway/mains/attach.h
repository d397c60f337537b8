#ifndef GATEWAY_MAINS_ATTACH_H
#define GATEWAY_MAINS_ATTACH_H

#include "gateway/mains/node.h"
#include "gateway/services/adapter_service.h"

/* The brokers that an adapter dials, from its configuration's `attach`. */

#define LB_ATTACH_MAX 8

struct lb_attach {
    struct lb_node_program *node;
    struct lb_adapter_service *service;          /* set before lb_attach_dial */
    size_t num;
    const char *brokers[LB_ATTACH_MAX];
    struct lb_dialler *diallers[LB_ATTACH_MAX];  /* NULL while the directory lacks the broker */
    bool failing[LB_ATTACH_MAX];                 /* said already */
};

/* lb_attach_read reads the list, of which the policy must accept every one, and checks that brokers
 * and officers have a way to this adapter. CONFIG_INVALID with a sentence. */
LB_MUST lb_status lb_attach_read(struct lb_attach *attach, struct lb_node_program *node,
                                 const struct lb_serve_policy *policy);
/* lb_attach_dial begins to dial all that are not dialled yet. One that the directory does not list,
 * not yet or no more, keeps nobody from dialling the others: it fails when none of them is dialled,
 * as lb_node_channel does. */
LB_MUST lb_status lb_attach_dial(struct lb_attach *attach);
/* lb_attach_leave takes leave of the brokers that were dialled. */
void lb_attach_leave(struct lb_attach *attach);
/* lb_attach_stop ends all links that were dialled. */
void lb_attach_stop(struct lb_attach *attach);

#endif
