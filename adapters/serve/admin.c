#include "adapters/serve/admin.h"

#include <stdio.h>
#include <stdlib.h>

lb_status lb_serve_admin(struct lb_log *log, const char *code,
                         lb_status (*guard)(struct lb_log_entry *entry, struct lb_store *store),
                         void *owner)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    entry->guard = guard;
    entry->owner = owner;
    lb_status status = lb_log_append_wait(log, entry);
    if (status == LB_OK)
        status = entry->refused;
    free(entry);
    return status;
}
