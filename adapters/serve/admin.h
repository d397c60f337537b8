#ifndef ADAPTERS_SERVE_ADMIN_H
#define ADAPTERS_SERVE_ADMIN_H

#include "gateway/evidence/log.h"

/* lb_serve_admin writes an ADMIN entry and waits until it is durable, with what `guard` does in its
 * transaction; the guard finds `owner` in the entry. What the log or the guard says. */
LB_MUST lb_status lb_serve_admin(struct lb_log *log, const char *code,
                                 lb_status (*guard)(struct lb_log_entry *entry,
                                                    struct lb_store *store),
                                 void *owner);

#endif
